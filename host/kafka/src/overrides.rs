//! Which client settings a connector may override (`producer.override.*`, `consumer.override.*`, `admin.override.*`).
//!
//! Enters: a key without its prefix. Leaves: yes, or a refusal that says why. Invariant: tuning only. Nothing that names
//! another cluster, an identity, a file, a URL, code or debugging output passes, under either naming (L6, L7).

use crate::settings::ClientKind;
use crate::settings::table;

/// A connector may not set this. Code `override.refused`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key} may not be overridden by a connector: {reason} [override.refused]")]
pub struct OverrideRefused {
    /// The key.
    pub key: String,
    /// Why, for people.
    pub reason: &'static str,
}

/// Checks one key, Java's name or librdkafka's.
pub fn check(kind: ClientKind, key: &str) -> Result<(), OverrideRefused> {
    let refuse = |reason| Err(OverrideRefused { key: key.to_owned(), reason });
    match table::entry(key) {
        Some(entry) if entry.tuning && entry.kinds.contains(&kind) => Ok(()),
        Some(entry) if entry.tuning => refuse("it is a setting of another kind of client"),
        Some(_) => refuse("the worker decides which cluster it talks to, as whom, and with which files"),
        None if table::is_refused(key) => refuse("it names code, a file, a URL or debugging output"),
        None => refuse("only known tuning settings pass; the reference of client settings lists them"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ClientKind::{Admin, Consumer, Producer};

    #[test]
    fn tuning_passes_under_both_names() {
        for (kind, key) in [
            (Producer, "linger.ms"),
            (Producer, "batch.size"),
            (Producer, "buffer.memory"),
            (Producer, "compression.type"),
            (Producer, "compression.codec"),
            (Producer, "max.request.size"),
            (Producer, "queue.buffering.max.kbytes"),
            (Consumer, "max.poll.records"),
            (Consumer, "fetch.min.bytes"),
            (Consumer, "fetch.max.wait.ms"),
            (Consumer, "fetch.wait.max.ms"),
            (Consumer, "auto.offset.reset"),
            (Consumer, "isolation.level"),
            (Consumer, "partition.assignment.strategy"),
            (Consumer, "queued.max.messages.kbytes"),
            (Admin, "request.timeout.ms"),
            (Admin, "retry.backoff.ms"),
        ] {
            assert_eq!(check(kind, key), Ok(()), "{key}");
        }
    }

    #[test]
    fn clusters_identities_files_urls_and_code_are_refused() {
        for key in [
            "bootstrap.servers",
            "metadata.broker.list",
            "sasl.jaas.config",
            "sasl.mechanism",
            "sasl.username",
            "sasl.password",
            "sasl.oauthbearer.token.endpoint.url",
            "sasl.oauthbearer.config",
            "sasl.oauthbearer.assertion.file",
            "sasl.kerberos.kinit.cmd",
            "sasl.kerberos.keytab",
            "sasl.login.callback.handler.class",
            "security.protocol",
            "security.providers",
            "ssl.ca.location",
            "ssl.ca.pem",
            "ssl.keystore.location",
            "ssl.engine.location",
            "ssl.providers",
            "plugin.library.paths",
            "interceptor.classes",
            "metric.reporters",
            "config.providers",
            "debug",
            "log_level",
            "group.id",
            "transactional.id",
            "key.serializer",
            "value.deserializer",
            "https.ca.location",
            "",
        ] {
            for kind in [Producer, Consumer, Admin] {
                assert!(check(kind, key).is_err(), "{key}");
            }
        }
    }

    #[test]
    fn settings_of_another_client_are_refused() {
        assert!(check(Consumer, "linger.ms").is_err());
        assert!(check(Producer, "fetch.min.bytes").is_err());
    }
}
