//! Config providers: `${provider:path:key}` and `${provider:key}` in settings.
//!
//! Enters: `config.providers` of a worker, then configurations with references. Leaves: the same with values, the
//! [`Hidden`] values, and how long they hold. Invariant: this is the only place of the crate that reads files and the
//! environment; a value never stands in an error; what is read has a bound. Rules: KIP-297, KIP-421, KIP-887, KIP-993.

mod lookup;
mod reference;

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;

use crate::RawConfig;
use crate::error::{ConfigError, Warning};
use crate::hidden::{Hidden, Secrets};
use crate::nearest::nearest;
use crate::reading::regex;
use crate::value::list;

use lookup::{Cache, Source};
use reference::{Part, parts};

/// The key that names them.
pub const KEY: &str = "config.providers";

/// Milliseconds that a value of the secret provider holds unless `ttl.ms` says otherwise.
const SECRET_TTL_MS: u64 = 60_000;

/// One provider.
struct Provider {
    source: Source,
    /// How long a value holds; `None` = until the next start.
    ttl: Option<Duration>,
}

/// The providers of a worker. Cheap to clone.
#[derive(Clone, Default)]
pub struct Providers {
    by_name: Arc<IndexMap<String, Provider>>,
    secrets: Secrets,
}

impl fmt::Debug for Providers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.by_name.keys()).finish()
    }
}

/// A configuration with its references resolved.
#[derive(Clone, Default)]
pub struct Resolved {
    /// With values. Never to be shown or stored.
    pub config: RawConfig,
    /// The values.
    pub hidden: Hidden,
    /// Keys whose raw value held a reference that was resolved.
    pub keys: Vec<String>,
    /// After this the values should be looked up again.
    pub ttl: Option<Duration>,
    /// References that a provider could not resolve.
    pub errors: Vec<ConfigError>,
}

impl Resolved {
    /// The values of all keys that are not null.
    pub fn settings(&self) -> IndexMap<String, String> {
        self.config.iter().filter_map(|(key, value)| Some((key.clone(), value.clone()?))).collect()
    }

    /// All problems in one line.
    pub fn problem(&self) -> Option<String> {
        let texts: Vec<&str> = self.errors.iter().map(|error| error.message.as_str()).collect();
        (!texts.is_empty()).then(|| texts.join("; "))
    }
}

impl Providers {
    /// Reads `config.providers` and its settings; problems are added to `errors`. `tenant` is whose secrets there are.
    pub fn read(entries: &IndexMap<String, String>, tenant: &str, errors: &mut Vec<ConfigError>) -> Self {
        let mut by_name = IndexMap::new();
        for name in entries.get(KEY).map(|text| list(text)).unwrap_or_default() {
            match provider(&name, entries, tenant) {
                Ok(provider) => drop(by_name.insert(name, provider)),
                Err(error) => errors.push(error),
            }
        }
        Self { by_name: Arc::new(by_name), secrets: Secrets::default() }
    }

    /// All values that were ever resolved here.
    pub fn secrets(&self) -> Secrets {
        self.secrets.clone()
    }

    /// What is allowed and may surprise.
    pub fn warnings(&self) -> Vec<Warning> {
        let open = self.by_name.iter().filter_map(|(name, provider)| Some((name, provider.source.is_open()?)));
        open.map(|(name, (param, what))| {
            let message = format!("is not set: whoever may create connectors may read {what} of this worker");
            Warning { key: format!("{KEY}.{name}.param.{param}"), message }
        })
        .collect()
    }

    /// True if the configuration holds something that looks like a reference to one of these providers. Cheap.
    pub fn concern<'a>(&self, mut values: impl Iterator<Item = &'a String>) -> bool {
        !self.by_name.is_empty() && values.any(|value| value.contains("${"))
    }

    /// Resolves all references. Reads files: not to be called where waiting is not allowed. A reference to a provider that
    /// does not exist stays as it is, as in Kafka Connect; one that a provider cannot resolve is an error.
    pub fn resolve(&self, raw: &RawConfig) -> Resolved {
        let mut resolved = Resolved { config: raw.clone(), ..Resolved::default() };
        if !self.concern(raw.values().flatten()) {
            return resolved;
        }
        let (mut pairs, mut cache) = (Vec::new(), HashMap::new());
        for (key, value) in raw {
            let Some(text) = value.as_ref().filter(|text| text.contains("${")) else { continue };
            let before = pairs.len();
            let text = self.text(key, text, &mut cache, &mut pairs, &mut resolved);
            if pairs.len() > before {
                resolved.keys.push(key.clone());
            }
            resolved.config.insert(key.clone(), Some(text));
        }
        resolved.hidden = Hidden::new(pairs);
        self.secrets.add(&resolved.hidden);
        resolved
    }

    fn text(
        &self,
        key: &str,
        text: &str,
        cache: &mut Cache,
        pairs: &mut Vec<(String, String)>,
        resolved: &mut Resolved,
    ) -> String {
        let mut out = String::with_capacity(text.len());
        for part in parts(text) {
            let reference = match part {
                Part::Text(text) => {
                    out.push_str(text);
                    continue;
                }
                Part::Reference(reference) => reference,
            };
            let Some(provider) = self.by_name.get(reference.provider) else {
                out.push_str(reference.whole);
                continue;
            };
            match provider.source.value(reference.path, reference.key, cache) {
                Ok(value) => {
                    out.push_str(&value);
                    pairs.push((reference.whole.to_owned(), value));
                    resolved.ttl = [resolved.ttl, provider.ttl].into_iter().flatten().min();
                }
                Err(reason) => {
                    let text = format!("{} in the configuration {key} cannot be resolved: {reason}", reference.whole);
                    resolved.errors.push(ConfigError::new(key, text));
                    out.push_str(reference.whole);
                }
            }
        }
        out
    }
}

const KINDS: &str = "FileConfigProvider, DirectoryConfigProvider, EnvVarConfigProvider, SecretConfigProvider";

fn provider(name: &str, entries: &IndexMap<String, String>, tenant: &str) -> Result<Provider, ConfigError> {
    let class_key = format!("{KEY}.{name}.class");
    // Kafka Connect needs the class; a name that says which one it is does as well.
    let class = entries.get(&class_key).map_or(name, |class| class.trim());
    let param = |param: &str| {
        let key = format!("{KEY}.{name}.param.{param}");
        entries.get(&key).map(|value| value.trim()).filter(|value| !value.is_empty()).map(|value| (key, value))
    };
    let paths = || param("allowed.paths").map(|(_, text)| list(text).into_iter().map(PathBuf::from).collect());
    let source = match class.rsplit('.').next().unwrap_or(class) {
        "FileConfigProvider" | "file" => Source::File { allowed: paths() },
        "DirectoryConfigProvider" | "directory" | "dir" => Source::Directory { allowed: paths() },
        "EnvVarConfigProvider" | "env" => Source::Environment {
            allowed: match param("allowlist.pattern") {
                None => None,
                Some((key, pattern)) => {
                    let invalid = |reason| ConfigError::invalid(&key, Some(pattern), reason);
                    Some(regex(pattern).map_err(invalid)?)
                }
            },
        },
        "SecretConfigProvider" | "secret" => {
            let Some((_, dir)) = param("dir") else {
                let key = format!("{KEY}.{name}.param.dir");
                let text = format!(
                    "the provider {name} needs {key}: the directory that holds one directory of secrets a tenant"
                );
                return Err(ConfigError::new(&key, text));
            };
            Source::Secret { dir: PathBuf::from(dir).join(tenant) }
        }
        _ => {
            let near = nearest(class, KINDS.split(", "));
            let reason = format!("Class {class} could not be found.");
            let error = ConfigError::invalid(&class_key, Some(class), reason);
            return Err(error.allowing(Some(KINDS.to_owned())).near(near));
        }
    };
    let default = matches!(source, Source::Secret { .. }).then(|| Duration::from_millis(SECRET_TTL_MS));
    let ttl = match param("ttl.ms") {
        None => default,
        Some((key, text)) => match text.parse::<u64>() {
            Ok(0) => None,
            Ok(millis) => Some(Duration::from_millis(millis)),
            Err(_) => return Err(ConfigError::invalid(&key, Some(text), "Not a number of type LONG")),
        },
    };
    Ok(Provider { source, ttl })
}

#[cfg(test)]
mod tests;
