//! Files of names and secrets, read anew when they change.
//!
//! Enters: a path. Leaves: the pairs in it. Invariant: the file is looked at most once in [`LOOK_EVERY`]; one that cannot be
//! read any more, or names nobody, changes nothing: a half-written file must neither lock everybody out nor let anybody in.

use std::fmt;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use lockgate_config::properties;

use super::AuthError;

/// Secrets by name.
pub type Secrets = Vec<(String, String)>;

/// Between two looks at a file.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A file of secrets. Clones share what was read.
#[derive(Clone)]
pub struct SecretsFile {
    source: Source,
    read: Arc<Mutex<Read>>,
}

#[derive(Clone)]
struct Source {
    path: PathBuf,
    key: &'static str,
    form: &'static str,
}

struct Read {
    secrets: Arc<Secrets>,
    stamp: Vec<Stamp>,
    looked: Instant,
}

/// Path, time of the last change, length.
type Stamp = (PathBuf, Option<SystemTime>, Option<u64>);

impl fmt::Debug for SecretsFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretsFile").field("path", &self.source.path).finish_non_exhaustive()
    }
}

impl SecretsFile {
    /// Reads the file. `key` is the setting that names it, `form` what its lines look like.
    ///
    /// # Errors
    /// It cannot be read, or nobody stands in it.
    pub fn open(path: &Path, key: &'static str, form: &'static str) -> Result<Self, AuthError> {
        let source = Source { path: path.to_owned(), key, form };
        let (secrets, stamp) = source.read()?;
        let read = Read { secrets: Arc::new(secrets), stamp, looked: Instant::now() };
        Ok(Self { source, read: Arc::new(Mutex::new(read)) })
    }

    /// What stands in it.
    pub fn secrets(&self) -> Arc<Secrets> {
        self.secrets_at(Instant::now())
    }

    fn secrets_at(&self, now: Instant) -> Arc<Secrets> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if now.saturating_duration_since(read.looked) >= LOOK_EVERY {
            read.looked = now;
            if read.stamp.iter().any(|known| stamp(&known.0) != *known) {
                match self.source.read() {
                    Ok((secrets, stamp)) => {
                        tracing::info!(file = %self.source.path.display(), key = self.source.key, "read anew: it changed");
                        (read.secrets, read.stamp) = (Arc::new(secrets), stamp);
                    }
                    Err(error) => {
                        tracing::warn!(%error, "what it held before stays in force");
                        read.stamp = read.stamp.iter().map(|(path, ..)| stamp(path)).collect();
                    }
                }
            }
        }
        Arc::clone(&read.secrets)
    }
}

impl Source {
    fn read(&self) -> Result<(Secrets, Vec<Stamp>), AuthError> {
        let refuse = |why: String| AuthError::File { path: self.path.clone(), key: self.key, form: self.form, why };
        let load = |path: &Path| fs::read_to_string(path).map_err(|e| refuse(format!("{}: {e}", path.display())));
        // Stamped before it is read: what changes in between is seen at the next look.
        let mut stamps = vec![stamp(&self.path)];
        let mut text = load(&self.path)?;
        if let Some(users) = users_of_jaas(&text) {
            stamps.push(stamp(&users));
            text = load(&users)?;
        }
        let entries = properties::parse(&text).map_err(|_| refuse("it is not a properties file".to_owned()))?;
        let secrets: Secrets = entries.into_iter().filter(|(_, secret)| !secret.is_empty()).collect();
        if secrets.is_empty() { Err(refuse("nobody stands in it".to_owned())) } else { Ok((secrets, stamps)) }
    }
}

fn stamp(path: &Path) -> Stamp {
    let seen = fs::metadata(path).ok();
    (path.to_owned(), seen.as_ref().and_then(|m| m.modified().ok()), seen.as_ref().map(Metadata::len))
}

/// The `file` of a `PropertyFileLoginModule`, if the text is a JAAS file, as Kafka Connect's users have it.
fn users_of_jaas(text: &str) -> Option<PathBuf> {
    let (_, module) = text.split_once("basic.auth.extension.PropertyFileLoginModule")?;
    let (options, _) = module.split_once(';')?;
    let (_, value) = options.split_once("file")?;
    let value = value.trim_start().strip_prefix('=')?.trim_start();
    let path = match value.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next()?,
        None => value.split_whitespace().next()?,
    };
    Some(PathBuf::from(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "lockgate.rest.basic.file";

    fn names(file: &SecretsFile, after: Duration) -> Vec<String> {
        file.secrets_at(Instant::now() + after).iter().map(|(name, _)| name.clone()).collect()
    }

    #[test]
    fn a_file_that_changed_is_read_anew_and_one_that_broke_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("users");
        fs::write(&path, "ann=x\n").unwrap();
        let file = SecretsFile::open(&path, KEY, "user=password").unwrap();
        fs::write(&path, "ann=x\nbob=y\n").unwrap();
        assert_eq!(names(&file, Duration::ZERO), ["ann"], "it was looked at just now");
        assert_eq!(names(&file, LOOK_EVERY), ["ann", "bob"]);
        fs::write(&path, "").unwrap();
        assert_eq!(names(&file, LOOK_EVERY * 3), ["ann", "bob"]);
        fs::remove_file(&path).unwrap();
        assert_eq!(names(&file, LOOK_EVERY * 5), ["ann", "bob"]);
        fs::write(&path, "cleo=z\n").unwrap();
        assert_eq!(names(&file, LOOK_EVERY * 7), ["cleo"]);
    }

    #[test]
    fn a_jaas_file_leads_to_its_file_of_users() {
        let dir = tempfile::tempdir().unwrap();
        let (jaas, users) = (dir.path().join("jaas.conf"), dir.path().join("users"));
        let module = "org.apache.kafka.connect.rest.basic.auth.extension.PropertyFileLoginModule";
        let text = format!("KafkaConnect {{\n  {module} required\n  file=\"{}\";\n}};\n", users.display());
        fs::write(&jaas, text).unwrap();
        let error = SecretsFile::open(&jaas, KEY, "user=password").unwrap_err().to_string();
        assert!(error.contains("users: No such file"), "{error}");
        fs::write(&users, "ann=x\n").unwrap();
        let file = SecretsFile::open(&jaas, KEY, "user=password").unwrap();
        fs::write(&users, "ann=x\nbob=y\n").unwrap();
        assert_eq!(names(&file, LOOK_EVERY), ["ann", "bob"]);
    }
}
