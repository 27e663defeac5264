//! A worker's settings: the file, the environment over it, and what of it has no effect.
//!
//! Enters: the path of a properties file. Leaves: entries; a [`WorkerConfig`]'s warnings as log lines. Invariant: each
//! setting without effect is said once, at start, with the reason; no value is ever printed.

use std::path::Path;

use indexmap::IndexMap;
use lockgate_config::{Scheme, WorkerConfig, environment, properties};
use lockgate_kafka::{ClientKind, Settings, librdkafka_settings};

use crate::worker::WorkerError;

/// The entries of a properties file, with those of the environment.
pub fn read(path: &Path) -> Result<IndexMap<String, String>, WorkerError> {
    let text = std::fs::read_to_string(path).map_err(|cause| WorkerError::Read { path: path.to_owned(), cause })?;
    let mut entries =
        properties::parse(&text).map_err(|cause| WorkerError::Properties { path: path.to_owned(), cause })?;
    // A variable that is not UTF-8 names no setting.
    let variables = std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)));
    let keys = environment::overlay(&mut entries, variables);
    if !keys.is_empty() {
        tracing::info!("settings from the environment: {}", keys.join(", "));
    }
    Ok(entries)
}

/// Says what has no effect.
pub fn report(config: &WorkerConfig) {
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    for (key, reason) in without_effect(config) {
        tracing::warn!("{key}: has no effect: {reason}");
    }
}

/// Settings of Kafka clients that no client takes. One that stands without a prefix is for all of them.
fn without_effect(config: &WorkerConfig) -> Vec<(String, String)> {
    let ignored = |kind, settings: &Settings| librdkafka_settings(kind, settings).1;
    let clients = &config.clients;
    let is_https = config.rest.listeners.iter().any(|listener| listener.scheme == Scheme::Https);
    let is_rest = |key: &str| is_https && key.starts_with("ssl.");
    let [producer, consumer, admin] =
        [ClientKind::Producer, ClientKind::Consumer, ClientKind::Admin].map(|kind| ignored(kind, &clients.common));
    let everywhere = admin.into_iter().filter(|item| {
        let too = |others: &[lockgate_kafka::Ignored]| others.iter().any(|other| other.key == item.key);
        clients.common.contains_key(&item.key) && too(&producer) && too(&consumer) && !is_rest(&item.key)
    });
    let mut found: Vec<(String, String)> = everywhere.map(|item| (item.key, item.reason)).collect();
    let own = [
        ("producer.", ClientKind::Producer, &clients.producer),
        ("consumer.", ClientKind::Consumer, &clients.consumer),
        ("admin.", ClientKind::Admin, &clients.admin),
    ];
    for (prefix, kind, settings) in own {
        // Some settings mean something only beside others: a password beside the protocol that asks for it.
        let all = clients.common.clone().into_iter().chain(settings.clone()).collect();
        let items = ignored(kind, &all).into_iter().filter(|item| settings.contains_key(&item.key));
        found.extend(items.map(|item| (format!("{prefix}{}", item.key), item.reason)));
    }
    found
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn settings_of_clients_that_no_client_takes_are_told_apart_from_those_that_one_takes() {
        let text = "bootstrap.servers=a:1\nkey.converter=String\nvalue.converter=String\n\
                    offset.storage.file.filename=/x\nsasl.kerberos.kinit.cmd=/bin/kinit\nclient.id=me\n\
                    ssl.provider=Sun\nproducer.interceptor.classes=com.acme.Spy\nproducer.linger.ms=7\n\
                    consumer.max.poll.records=9\n";
        let config = WorkerConfig::standalone(&properties::parse(text).unwrap()).unwrap();
        let found = without_effect(&config);
        let keys: Vec<&str> = found.iter().map(|(key, _)| key.as_str()).collect();
        let expected =
            ["sasl.kerberos.kinit.cmd", "ssl.provider", "producer.interceptor.classes", "consumer.max.poll.records"];
        assert_eq!(keys, expected);
        assert!(found.iter().all(|(_, reason)| !reason.is_empty() && !reason.contains("Spy")), "{found:?}");
    }
}
