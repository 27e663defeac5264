//! Entries of a worker that do nothing, and why.
//!
//! Enters: the entries and the keys that are read. Leaves: one [`Warning`] for each of the others. Invariant: an entry is
//! used, passed to a client or converter, or here.

use indexmap::IndexMap;

use crate::definitions::Known;
use crate::error::Warning;
use crate::nearest::nearest;
use crate::rest::TLS_KEYS;
use crate::worker_keys::{CLIENT_KEYS, CLIENT_PREFIXES, NOT_APPLICABLE, distributed, standalone};

/// True for a key that passes to the worker's own Kafka clients.
pub fn is_client_key(key: &str) -> bool {
    CLIENT_KEYS.contains(&key) || CLIENT_PREFIXES.iter().any(|prefix| key.starts_with(prefix))
}

/// All of them, in the order of the entries.
pub fn of(entries: &IndexMap<String, String>, known: &[Known]) -> Vec<Warning> {
    let names: Vec<&str> = known.iter().map(|k| k.definition.name.as_str()).collect();
    let keys = entries.keys().filter(|key| !names.contains(&key.as_str()) && !is_client_key(key));
    keys.filter_map(|key| warning(key, &names)).collect()
}

/// Prefixes whose keys are read as a family.
const FAMILIES: [&str; 10] = [
    "config.providers.",
    "producer.",
    "consumer.",
    "admin.",
    "key.converter.",
    "value.converter.",
    "header.converter.",
    "config.storage.",
    "offset.storage.",
    "status.storage.",
];

fn warning(key: &str, names: &[&str]) -> Option<Warning> {
    let is_meant = |pattern: &str| key == pattern || (pattern.ends_with('.') && key.starts_with(pattern));
    let found = NOT_APPLICABLE.iter().find(|(pattern, _)| is_meant(pattern));
    let reason = match found {
        Some((_, reason)) => format!("has no effect: {reason}"),
        None if tls_name(key).is_some_and(is_tls_key) => return None,
        None if tls_name(key).is_some_and(|name| name.starts_with("ssl.")) => format!("has no effect: {NO_SUCH_TLS}"),
        None if key.ends_with(".storage.cleanup.policy") => "has no effect: internal topics are compacted".to_owned(),
        None if key == "config.storage.partitions" => "has no effect: the config topic has one partition".to_owned(),
        None if is_of_other_mode(key, names) => format!("has no effect: {OTHER_MODE}"),
        None if FAMILIES.iter().any(|prefix| key.starts_with(prefix)) => return None,
        None => match nearest(key, names.iter().copied()) {
            Some(near) => format!("is not known; did you mean `{near}`?"),
            None => "is not known and has no effect".to_owned(),
        },
    };
    Some(Warning { key: key.to_owned(), message: reason })
}

const OTHER_MODE: &str = "it is a setting of the other mode (`lockgate worker` or `lockgate standalone`)";

/// A key that only a worker of the other mode reads.
fn is_of_other_mode(key: &str, names: &[&str]) -> bool {
    let is_distributed = names.contains(&"group.id");
    let other = if is_distributed { standalone() } else { distributed() };
    other.iter().any(|known| known.definition.name == key)
}

/// A TLS key of REST listeners, without its prefix.
fn tls_name(key: &str) -> Option<&str> {
    key.strip_prefix("admin.").unwrap_or(key).strip_prefix("listeners.https.")
}

fn is_tls_key(name: &str) -> bool {
    TLS_KEYS.iter().any(|(known, _)| *known == name)
}

const NO_SUCH_TLS: &str =
    "ciphers and providers are not chosen by settings, and stores are PEM, without a password of their own";
