//! Where values come from: properties files, directories of files, the environment, a tenant's secrets.
//!
//! Enters: path and key of a reference. Leaves: the value, or the reason why there is none. Invariant: a file lies within
//! what the operator allowed, symbolic links followed first; it is a regular file of at most [`FILE_BYTES_MAX`]; secrets
//! lie where nobody but the worker's user (and root) can read or write.

use std::collections::HashMap;
use std::fs::{self, Metadata};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use fancy_regex::Regex;
use indexmap::IndexMap;

use crate::properties;

/// Bytes of a file that is read for a value.
pub const FILE_BYTES_MAX: u64 = 1 << 20;

/// Properties files that were read for one configuration.
pub type Cache = HashMap<PathBuf, Result<IndexMap<String, String>, String>>;

/// A kind of provider with its settings.
pub enum Source {
    /// A properties file: path = the file, key = a key in it.
    File {
        /// `allowed.paths`; `None` = any.
        allowed: Option<Vec<PathBuf>>,
    },
    /// A directory: path = the directory, key = the name of a file in it; its whole content is the value.
    Directory {
        /// `allowed.paths`; `None` = any.
        allowed: Option<Vec<PathBuf>>,
    },
    /// An environment variable: no path, key = its name.
    Environment {
        /// `allowlist.pattern`, matching whole names; `None` = any.
        allowed: Option<Regex>,
    },
    /// A file below the tenant's own directory: path = directories, key = the name of the file. One line end is cut off.
    Secret {
        /// The tenant's.
        dir: PathBuf,
    },
}

impl Source {
    /// The parameter that would close it, and what it gives away while that is not set.
    pub const fn is_open(&self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::File { allowed: None } => Some(("allowed.paths", "every properties file")),
            Self::Directory { allowed: None } => Some(("allowed.paths", "every file")),
            Self::Environment { allowed: None } => Some(("allowlist.pattern", "every environment variable")),
            _ => None,
        }
    }

    /// Looks one value up.
    pub fn value(&self, path: &str, key: &str, cache: &mut Cache) -> Result<String, String> {
        match self {
            Self::File { allowed } => {
                let path = allowed_file(path, allowed.as_deref())?;
                let entries = cache.entry(path.clone()).or_insert_with(|| read_properties(&path));
                let entries = entries.as_ref().map_err(Clone::clone)?;
                entries.get(key).cloned().ok_or_else(|| format!("there is no key {key} in {}", path.display()))
            }
            Self::Directory { allowed } => {
                let directory = allowed_file(path, allowed.as_deref())?;
                let file = allowed_file(&in_directory(&directory, key)?, allowed.as_deref())?;
                read(&file).map(|(text, _)| text)
            }
            Self::Environment { allowed } => {
                if !path.is_empty() {
                    return Err("an environment variable has no path: write ${provider:NAME}".to_owned());
                }
                if allowed.as_ref().is_some_and(|pattern| !pattern.is_match(key).unwrap_or(false)) {
                    return Err(format!("the variable {key} is not allowed (allowlist.pattern)"));
                }
                std::env::var(key).map_err(|_| format!("there is no environment variable {key}"))
            }
            Self::Secret { dir } => secret(dir, path, key),
        }
    }
}

fn in_directory(directory: &Path, name: &str) -> Result<String, String> {
    let is_name = Path::new(name).components().count() == 1
        && matches!(Path::new(name).components().next(), Some(Component::Normal(_)));
    if !is_name {
        return Err(format!("{name} is not the name of a file"));
    }
    Ok(directory.join(name).to_string_lossy().into_owned())
}

/// The path with its links followed, if it lies within what is allowed.
fn allowed_file(path: &str, allowed: Option<&[PathBuf]>) -> Result<PathBuf, String> {
    if !Path::new(path).is_absolute() {
        return Err("the path must be absolute: ${provider:/path:key}".to_owned());
    }
    let forbidden = || format!("the path {path} is not allowed (allowed.paths)");
    let real = fs::canonicalize(path);
    if let Some(allowed) = allowed {
        // What may not be read may not be asked for either: whether it exists is not said.
        let real = real.as_ref().map_err(|_| forbidden())?;
        let is_within = |root: &PathBuf| fs::canonicalize(root).is_ok_and(|root| real.starts_with(root));
        if !allowed.iter().any(is_within) {
            return Err(forbidden());
        }
    }
    real.map_err(|e| format!("{path} cannot be read: {e}"))
}

fn read_properties(path: &Path) -> Result<IndexMap<String, String>, String> {
    let (text, _) = read(path)?;
    properties::parse(&text).map_err(|e| format!("{} is not a properties file: line {}", path.display(), e.line))
}

/// The text of a regular file.
fn read(path: &Path) -> Result<(String, Metadata), String> {
    let shown = path.display();
    let failed = |e: std::io::Error| format!("{shown} cannot be read: {e}");
    // A pipe would wait for its writer, so what it is is asked before it is opened.
    let found = fs::metadata(path).map_err(failed)?;
    if !found.is_file() {
        return Err(format!("{shown} is not a file"));
    }
    let file = fs::File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(format!("{shown} is longer than {FILE_BYTES_MAX} bytes"));
    }
    let text = String::from_utf8(bytes).map_err(|_| format!("{shown} is not UTF-8"))?;
    Ok((text, metadata))
}

/// Reasons do not name the place where secrets lie: connectors' authors read them.
fn secret(dir: &Path, path: &str, key: &str) -> Result<String, String> {
    let below = Path::new(path).join(key);
    let shown = below.display();
    if key.is_empty() || !below.components().all(|part| matches!(part, Component::Normal(_))) {
        return Err("a secret is named by plain names: ${provider:key} or ${provider:directory:key}".to_owned());
    }
    let missing = || format!("there is no secret {shown}");
    let root = fs::canonicalize(dir).map_err(|_| missing())?;
    let real = fs::canonicalize(root.join(&below)).map_err(|_| missing())?;
    if !real.starts_with(&root) {
        return Err(format!("the secret {shown} is a link that leads out of its directory"));
    }
    let own = |metadata: &Metadata, what: &str, forbidden: u32| {
        let is_ours = metadata.uid() == 0 || metadata.uid() == fs::metadata("/proc/self").map_or(0, |me| me.uid());
        if is_ours && metadata.mode() & forbidden == 0 {
            return Ok(());
        }
        Err(format!(
            "{what} must belong to the worker's user or root, and nobody else may read or write it (chmod go-rwx)"
        ))
    };
    let directory = fs::metadata(&root).map_err(|_| missing())?;
    own(&directory, "the directory of secrets", 0o077)?;
    let (text, metadata) = read(&real).map_err(|_| format!("the secret {shown} cannot be read"))?;
    own(&metadata, &format!("the secret {shown}"), 0o022)?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
}
