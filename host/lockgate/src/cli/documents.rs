//! Connectors as files.
//!
//! Enters: paths of files and folders, or `-` for standard input. Leaves: the connectors in them, and a failure for each
//! file that cannot be understood whole. Invariant: a value reaches the worker as it was written (`1.10` stays `1.10`),
//! `${...}` is not resolved, and nothing is guessed: a key that stands twice, a field that is unknown, a connector without a
//! name are failures that name the place.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::failure::Failure;

mod fields;

use fields::{Entry, Fields, JsonScalar, YamlScalar};

/// Bytes of one file; the worker takes 4 MiB.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// A configuration: what is null is not set.
pub type Config = IndexMap<String, String>;

/// A connector that a file describes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Its name.
    pub name: String,
    /// Its configuration, `name` included.
    pub config: Config,
    /// Where it begins, if it is created.
    pub initial_state: Option<String>,
    /// The file.
    pub file: String,
}

/// What was read.
#[derive(Debug, Default)]
pub struct Documents {
    /// In the order of files and of documents in them.
    pub wanted: Vec<Wanted>,
    /// Files that were not understood.
    pub failures: Vec<Failure>,
}

/// Reads files, folders (their `.json`, `.yaml` and `.yml` files by name, none below) and `-`.
pub fn read(paths: &[PathBuf]) -> Result<Documents, Failure> {
    let mut documents = Documents::default();
    for path in paths {
        if path.as_os_str() == "-" {
            documents.add("standard input", stdin().and_then(|text| parse("standard input", &text)));
            continue;
        }
        let kind = fs::metadata(path).map_err(|cause| Failure::File { path: path.clone(), cause })?;
        let files = if kind.is_dir() { folder(path)? } else { vec![path.clone()] };
        for file in files {
            let label = file.display().to_string();
            documents.add(&label, text_of(&file).and_then(|text| parse(&label, &text)));
        }
    }
    Ok(documents)
}

impl Documents {
    fn add(&mut self, label: &str, read: Result<Vec<Wanted>, Failure>) {
        let found = match read {
            Ok(found) => found,
            Err(failure) => return self.failures.push(failure),
        };
        for wanted in found {
            match self.wanted.iter().find(|other| other.name == wanted.name) {
                Some(other) => {
                    let text = format!("{label}: the connector {} is in {} already", wanted.name, other.file);
                    self.failures.push(Failure::Invalid(text));
                }
                None => self.wanted.push(wanted),
            }
        }
    }
}

/// The one configuration of a file, with or without a name, as `config` and `validate` take it.
pub fn read_config(path: &Path) -> Result<Config, Failure> {
    let (label, text) = if path.as_os_str() == "-" {
        ("standard input".to_owned(), stdin()?)
    } else {
        (path.display().to_string(), text_of(path)?)
    };
    let mut found = parsed(&label, &text)?;
    let (Some(fields), true) = (found.pop(), found.is_empty()) else {
        return Err(Failure::Invalid(format!("{label}: exactly one configuration is needed")));
    };
    let (name, mut config, _) = split(fields).map_err(|what| Failure::Invalid(format!("{label}: {what}")))?;
    if let Some(name) = name {
        config.entry("name".to_owned()).or_insert(name);
    }
    Ok(config)
}

/// A file's whole text; `-` is standard input.
pub fn read_text(path: &Path) -> Result<String, Failure> {
    if path.as_os_str() == "-" { stdin() } else { text_of(path) }
}

fn folder(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    let failure = |cause| Failure::File { path: path.to_owned(), cause };
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(failure)? {
        let file = entry.map_err(failure)?.path();
        let is_hidden = file.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        let kind = file.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase);
        if !is_hidden && matches!(kind.as_deref(), Some("json" | "yaml" | "yml")) {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

fn text_of(path: &Path) -> Result<String, Failure> {
    let failure = |cause| Failure::File { path: path.to_owned(), cause };
    let file = fs::File::open(path).map_err(failure)?;
    bounded(file, &path.display().to_string()).map_err(failure)?
}

fn stdin() -> Result<String, Failure> {
    let failure = |cause| Failure::File { path: PathBuf::from("standard input"), cause };
    bounded(std::io::stdin().lock(), "standard input").map_err(failure)?
}

fn bounded(from: impl std::io::Read, label: &str) -> std::io::Result<Result<String, Failure>> {
    let mut text = String::new();
    from.take(FILE_BYTES_MAX + 1).read_to_string(&mut text)?;
    let is_whole = text.len() as u64 <= FILE_BYTES_MAX;
    let long = || Failure::Invalid(format!("{label}: this is longer than {} MiB", FILE_BYTES_MAX >> 20));
    Ok(if is_whole { Ok(text) } else { Err(long()) })
}

fn parse(label: &str, text: &str) -> Result<Vec<Wanted>, Failure> {
    let mut wanted = Vec::new();
    for (at, fields) in parsed(label, text)?.into_iter().enumerate() {
        let place = if at == 0 { label.to_owned() } else { format!("{label}, document {}", at + 1) };
        wanted.push(connector(label, fields).map_err(|what| Failure::Invalid(format!("{place}: {what}")))?);
    }
    Ok(wanted)
}

/// JSON if it looks like it (YAML takes most of JSON, but not its escapes), else YAML.
fn parsed(label: &str, text: &str) -> Result<Vec<Fields>, Failure> {
    let text = text.trim_start_matches('\u{feff}');
    let invalid = |error: &dyn std::fmt::Display| Failure::Invalid(format!("{label}: {error}"));
    if text.trim_start().starts_with(['{', '[']) {
        let documents = serde_json::Deserializer::from_str(text).into_iter::<fields::Documents<JsonScalar>>();
        return flat(documents.map(|document| document.map_err(|e| invalid(&e))));
    }
    // No excerpt of the file in the error: it may hold secrets.
    let options = serde_saphyr::options! { with_snippet: false };
    let documents = serde_saphyr::from_multiple_with_options::<fields::Documents<YamlScalar>>(text, options);
    // It advises whoever calls the parser, not whoever wrote the file.
    let advice = ", set DuplicateKeyPolicy in Options if acceptable";
    flat(documents.map_err(|e| invalid(&e.to_string().replace(advice, "")))?.into_iter().map(Ok))
}

fn flat<S: DeserializeOwned + Into<Option<String>>>(
    documents: impl Iterator<Item = Result<fields::Documents<S>, Failure>>,
) -> Result<Vec<Fields>, Failure> {
    let mut all = Vec::new();
    for document in documents {
        all.extend(document?.fields);
    }
    Ok(all)
}

fn connector(file: &str, fields: Fields) -> Result<Wanted, String> {
    let (outer, mut config, initial_state) = split(fields)?;
    let inner = config.get("name").map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    let name = match (outer, inner) {
        (Some(outer), Some(inner)) if outer != inner => {
            return Err(format!("the name is {outer}, but the config says {inner}"));
        }
        (Some(name), _) | (None, Some(name)) => name,
        (None, None) => return Err("the connector has no name; add the key `name`".to_owned()),
    };
    config.insert("name".to_owned(), name.clone());
    Ok(Wanted { name, config, initial_state, file: file.to_owned() })
}

/// Connect's form `{"name", "config"}` (with what `GET /connectors/C` adds), or one flat set of settings.
fn split(mut fields: Fields) -> Result<(Option<String>, Config, Option<String>), String> {
    let Some(config) = fields.shift_remove("config").filter(|entry| matches!(entry, Entry::Settings(_))) else {
        return Ok((None, settings(fields)?, None));
    };
    let Entry::Settings(config) = config else { return Err("`config` is no object".to_owned()) };
    let mut text = |key: &str| match fields.shift_remove(key) {
        Some(Entry::Text(text)) => Ok(text),
        None => Ok(None),
        Some(_) => Err(format!("`{key}` must be a text")),
    };
    let (name, initial_state) = (text("name")?, text("initial_state")?);
    fields.retain(|key, _| key != "tasks" && key != "type");
    if let Some((key, _)) = fields.first() {
        return Err(format!("`{key}` stands beside `config`, where only name, config and initial_state may stand"));
    }
    let name = name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    Ok((name, config.into_iter().filter_map(|(key, value)| Some((key, value?))).collect(), initial_state))
}

fn settings(fields: Fields) -> Result<Config, String> {
    let mut config = Config::new();
    for (key, entry) in fields {
        match entry {
            Entry::Text(Some(text)) => drop(config.insert(key, text)),
            Entry::Text(None) => {}
            _ => return Err(format!("the value of `{key}` must be a text, a number, true or false")),
        }
    }
    Ok(config)
}

impl<'de> Deserialize<'de> for JsonScalar {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<serde_json::value::RawValue>::deserialize(deserializer)?;
        match raw.get().as_bytes().first() {
            Some(b'"') => {
                serde_json::from_str(raw.get()).map(|text| Self(Some(text))).map_err(serde::de::Error::custom)
            }
            Some(b'{' | b'[') => Err(serde::de::Error::custom("a text, a number, true or false is needed here")),
            Some(b'n') => Ok(Self(None)),
            _ => Ok(Self(Some(raw.get().to_owned()))),
        }
    }
}

#[cfg(test)]
mod tests;
