//! The table of client settings: one line a key.
//!
//! Enters: a key by its Java or librdkafka name. Leaves: how to translate it, for which clients, and whether a connector
//! may override it. Invariant: what is not in the table has no effect; what is refused names code, files or URLs.

#![allow(clippy::match_same_arms, clippy::case_sensitive_file_extension_comparisons, clippy::unnecessary_wraps)]

use super::ClientKind;
use ClientKind::{Admin, Consumer, Producer};

/// How a setting becomes librdkafka's.
#[derive(Clone, Copy)]
pub(crate) enum Rule {
    /// Name and value are the same.
    Same,
    /// Another name.
    To(&'static str),
    /// Another name, bytes -> KiB.
    Kibibytes(&'static str),
    /// Another name and a value to be translated.
    Value(&'static str, fn(&str) -> Result<String, String>),
    /// Read together with its neighbours, in `security`.
    Security,
    /// Has no effect, with the reason.
    Ignored(&'static str),
}

/// One line of the table.
pub(crate) struct Entry {
    pub kinds: &'static [ClientKind],
    pub rule: Rule,
    /// True if a connector may set it: tuning, nothing else.
    pub tuning: bool,
}

const ALL: &[ClientKind] = &[Producer, Consumer, Admin];
const P: &[ClientKind] = &[Producer];
const C: &[ClientKind] = &[Consumer];

/// The line of a key.
pub(crate) fn entry(key: &str) -> Option<Entry> {
    let (kinds, rule, tuning) =
        tuning(key).map(|(k, r)| (k, r, true)).or_else(|| fixed(key).map(|(k, r)| (k, r, false)))?;
    Some(Entry { kinds, rule, tuning })
}

/// True for keys that are known and never taken, from nobody: code, plugins, token URLs, debugging output.
pub(crate) fn is_refused(key: &str) -> bool {
    key.starts_with("sasl.oauthbearer.")
        || key.starts_with("https.")
        || key.starts_with("plugin.")
        || key.starts_with("ssl.engine.")
        || key.starts_with("test.")
        || key.ends_with("_cb")
        || matches!(
            key,
            "debug" | "opaque" | "interceptors" | "builtin.features" | "enabled_events" | "default_topic_conf"
        )
        || key.ends_with(".class")
        || key.ends_with(".classes")
}

/// What a connector may tune as well as the worker.
fn tuning(key: &str) -> Option<(&'static [ClientKind], Rule)> {
    use Rule::{Ignored, Same, To, Value};
    Some(match key {
        // Every client.
        "client.id"
        | "client.rack"
        | "reconnect.backoff.ms"
        | "reconnect.backoff.max.ms"
        | "retry.backoff.ms"
        | "retry.backoff.max.ms"
        | "client.dns.lookup"
        | "connections.max.idle.ms"
        | "socket.timeout.ms"
        | "socket.send.buffer.bytes"
        | "socket.receive.buffer.bytes"
        | "socket.keepalive.enable"
        | "socket.nagle.disable"
        | "socket.max.fails"
        | "socket.connection.setup.timeout.ms"
        | "topic.metadata.refresh.interval.ms"
        | "topic.metadata.refresh.fast.interval.ms"
        | "topic.metadata.refresh.sparse"
        | "topic.metadata.propagation.max.ms"
        | "message.max.bytes"
        | "receive.message.max.bytes"
        | "max.in.flight"
        | "api.version.request.timeout.ms"
        | "broker.address.ttl"
        | "broker.address.family"
        | "metadata.recovery.strategy"
        | "metadata.recovery.rebootstrap.trigger.ms"
        | "enable.metrics.push"
        | "statistics.interval.ms" => {
            (ALL, if key == "statistics.interval.ms" { Ignored("the worker has its own metrics") } else { Same })
        }
        // How soon new topics and partitions are seen: the same meaning under another name.
        "metadata.max.age.ms" => (ALL, To("topic.metadata.refresh.interval.ms")),
        "send.buffer.bytes" => (ALL, Value("socket.send.buffer.bytes", minus_one_is_zero)),
        "receive.buffer.bytes" => (ALL, Value("socket.receive.buffer.bytes", minus_one_is_zero)),
        "request.timeout.ms" => (ALL, To("socket.timeout.ms")),
        "max.in.flight.requests.per.connection" => (P, Value("max.in.flight", at_most_five)),
        "socket.connection.setup.timeout.max.ms"
        | "metrics.num.samples"
        | "metrics.recording.level"
        | "metrics.sample.window.ms"
        | "default.api.timeout.ms"
        | "auto.include.jmx.reporter" => (ALL, Ignored("this client has no such setting")),
        _ => return tuning_of_producers(key).or_else(|| tuning_of_consumers(key)),
    })
}

fn tuning_of_producers(key: &str) -> Option<(&'static [ClientKind], Rule)> {
    use Rule::{Ignored, Kibibytes, Same, To, Value};
    Some(match key {
        "linger.ms"
        | "batch.size"
        | "batch.num.messages"
        | "compression.level"
        | "queue.buffering.max.messages"
        | "queue.buffering.max.kbytes"
        | "queue.buffering.max.ms"
        | "sticky.partitioning.linger.ms"
        | "queue.buffering.backpressure.threshold" => (P, Same),
        "compression.type" | "compression.codec" => (P, Value("compression.type", compression)),
        "compression.gzip.level" | "compression.lz4.level" | "compression.zstd.level" => (P, To("compression.level")),
        "buffer.memory" => (P, Kibibytes("queue.buffering.max.kbytes")),
        "max.request.size" => (P, To("message.max.bytes")),
        "partitioner" => (P, Value("partitioner", partitioner)),
        "acks" | "request.required.acks" => (P, To("acks")),
        "enable.idempotence" => (P, Same),
        "retries" | "message.send.max.retries" => (P, Ignored("deliveries are retried until they succeed or cannot")),
        "delivery.timeout.ms" | "message.timeout.ms" => (P, To("message.timeout.ms")),
        "max.block.ms"
        | "partitioner.adaptive.partitioning.enable"
        | "partitioner.availability.timeout.ms"
        | "partitioner.ignore.keys"
        | "metadata.max.idle.ms" => (P, Ignored("this client has no such setting")),
        _ => return None,
    })
}

fn tuning_of_consumers(key: &str) -> Option<(&'static [ClientKind], Rule)> {
    use Rule::{Ignored, Same, To, Value};
    Some(match key {
        "auto.offset.reset" => (C, Value("auto.offset.reset", offset_reset)),
        "fetch.min.bytes"
        | "fetch.max.bytes"
        | "fetch.wait.max.ms"
        | "fetch.message.max.bytes"
        | "fetch.error.backoff.ms"
        | "fetch.queue.backoff.ms"
        | "queued.min.messages"
        | "queued.max.messages.kbytes"
        | "max.partition.fetch.bytes"
        | "session.timeout.ms"
        | "heartbeat.interval.ms"
        | "max.poll.interval.ms"
        | "isolation.level"
        | "check.crcs"
        | "group.instance.id"
        | "group.remote.assignor"
        | "coordinator.query.interval.ms"
        | "topic.blacklist" => (C, Same),
        "fetch.max.wait.ms" => (C, To("fetch.wait.max.ms")),
        "group.protocol" => (C, Value("group.protocol", group_protocol)),
        "max.poll.records" => (C, Ignored("the batch bounds of the connector say how much is taken at once")),
        "partition.assignment.strategy" => (C, Value("partition.assignment.strategy", assignors)),
        "exclude.internal.topics" | "auto.commit.interval.ms" | "share.acknowledgement.mode" => {
            (C, Ignored("this client has no such setting"))
        }
        "enable.auto.commit" | "allow.auto.create.topics" => (C, Same),
        _ => return None,
    })
}

/// What only the worker's own properties may set: where the cluster is and who we are there.
fn fixed(key: &str) -> Option<(&'static [ClientKind], Rule)> {
    use Rule::{Ignored, Security, To};
    Some(match key {
        "bootstrap.servers" | "metadata.broker.list" => (ALL, To("bootstrap.servers")),
        "security.protocol"
        | "sasl.mechanism"
        | "sasl.mechanisms"
        | "sasl.jaas.config"
        | "sasl.username"
        | "sasl.password"
        | "ssl.endpoint.identification.algorithm"
        | "ssl.truststore.location"
        | "ssl.truststore.certificates"
        | "ssl.ca.location"
        | "ssl.ca.pem"
        | "ssl.keystore.location"
        | "ssl.keystore.certificate.chain"
        | "ssl.keystore.key"
        | "ssl.keystore.password"
        | "ssl.certificate.location"
        | "ssl.certificate.pem"
        | "ssl.key.location"
        | "ssl.key.password"
        | "ssl.key.pem"
        | "ssl.cipher.suites"
        | "ssl.crl.location"
        | "ssl.sigalgs.list"
        | "ssl.curves.list"
        | "enable.ssl.certificate.verification" => (ALL, Security),
        "ssl.truststore.type"
        | "ssl.keystore.type"
        | "ssl.truststore.password"
        | "ssl.protocol"
        | "ssl.enabled.protocols"
        | "ssl.provider"
        | "ssl.keymanager.algorithm"
        | "ssl.trustmanager.algorithm"
        | "ssl.secure.random.implementation" => {
            (ALL, Ignored("a setting of Java's TLS; what a file of certificates holds is seen from the file"))
        }
        "sasl.kerberos.service.name"
        | "sasl.kerberos.principal"
        | "sasl.kerberos.keytab"
        | "sasl.kerberos.kinit.cmd"
        | "sasl.kerberos.min.time.before.relogin"
        | "sasl.kerberos.ticket.renew.jitter"
        | "sasl.kerberos.ticket.renew.window.factor" => (ALL, Ignored("Kerberos is not built in")),
        "key.serializer" | "value.serializer" | "key.deserializer" | "value.deserializer" => {
            (ALL, Ignored("converters of the connector do that"))
        }
        "group.id" => (C, Ignored("the group of a sink is connect-<connector name>")),
        "transactional.id" | "transaction.timeout.ms" | "transaction.two.phase.commit.enable" => {
            (P, Ignored("this producer is not transactional"))
        }
        _ => return None,
    })
}

fn group_protocol(value: &str) -> Result<String, String> {
    let value = value.to_ascii_lowercase();
    match value.as_str() {
        "classic" | "consumer" => Ok(value),
        _ => Err("must be classic or consumer".to_owned()),
    }
}

fn minus_one_is_zero(value: &str) -> Result<String, String> {
    Ok(if value == "-1" { "0".to_owned() } else { value.to_owned() })
}

fn at_most_five(value: &str) -> Result<String, String> {
    match value.parse::<u32>() {
        Ok(n) => Ok(n.clamp(1, 5).to_string()),
        Err(_) => Err("not a number".to_owned()),
    }
}

fn compression(value: &str) -> Result<String, String> {
    let value = value.to_ascii_lowercase();
    match value.as_str() {
        "none" | "gzip" | "snappy" | "lz4" | "zstd" => Ok(value),
        _ => Err("must be none, gzip, snappy, lz4 or zstd".to_owned()),
    }
}

fn partitioner(value: &str) -> Result<String, String> {
    match value {
        "murmur2_random" | "murmur2" | "consistent" | "consistent_random" | "random" | "fnv1a" | "fnv1a_random" => {
            Ok(value.to_owned())
        }
        _ => Err("must be one of librdkafka's partitioners".to_owned()),
    }
}

fn offset_reset(value: &str) -> Result<String, String> {
    match value.to_ascii_lowercase().as_str() {
        "earliest" | "smallest" | "beginning" => Ok("earliest".to_owned()),
        "latest" | "largest" | "end" => Ok("latest".to_owned()),
        "none" | "error" => Ok("error".to_owned()),
        _ => Err("must be earliest, latest or none".to_owned()),
    }
}

/// Java's class names, or librdkafka's short ones. Eager and cooperative ones cannot be mixed.
fn assignors(value: &str) -> Result<String, String> {
    let names: Result<Vec<&str>, String> = value
        .split(',')
        .map(str::trim)
        .filter(|v| !v.is_empty())
        .map(|v| match v.rsplit('.').next().unwrap_or(v) {
            "RangeAssignor" | "range" => Ok("range"),
            "RoundRobinAssignor" | "roundrobin" => Ok("roundrobin"),
            "CooperativeStickyAssignor" | "StickyAssignor" | "cooperative-sticky" => Ok("cooperative-sticky"),
            _ => Err("only range, roundrobin and cooperative-sticky exist here".to_owned()),
        })
        .collect();
    let names = names?;
    match names.as_slice() {
        [] => Err("no assignor named".to_owned()),
        // Java's default list [range, cooperative-sticky] means: range until all members know better.
        [first, ..] if names.contains(&"cooperative-sticky") && *first != "cooperative-sticky" => {
            Ok((*first).to_owned())
        }
        ["cooperative-sticky", ..] => Ok("cooperative-sticky".to_owned()),
        _ => Ok(names.join(",")),
    }
}
