//! Client settings: Java's names, as they stand in worker properties and connectors, into librdkafka's.
//!
//! Enters: a map whose keys have lost their prefix (`producer.`, `consumer.override.`, ...). Leaves: what the client is
//! configured with, and what was left out with the reason. Invariant: what this crate relies on (acks, idempotence, no
//! automatic commits) stands last and cannot be changed; values never appear in a reason, because they may be secrets.

mod jaas;
mod pem;
mod security;
pub(crate) mod table;

use indexmap::IndexMap;
use lockgate_model::fault::KafkaFault;

use crate::fault::own;
pub(crate) use security::TOKEN_FILE;
use table::Rule;

/// Settings of one client by their Java (or librdkafka) names.
pub type Settings = IndexMap<String, String>;

/// What a client is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClientKind {
    /// Sources, dead letters, internal topics.
    Producer,
    /// Sinks, internal topics.
    Consumer,
    /// Topics and groups.
    Admin,
}

/// A setting that had no effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignored {
    /// The key as it was given.
    pub key: String,
    /// Why it has no effect here.
    pub reason: String,
}

/// Whether a client of this kind can be made of these settings: how it logs in and whom it trusts.
///
/// # Errors
/// Everything that stands in the way at once, code `invalid-setting`.
pub fn check(kind: ClientKind, settings: &Settings) -> Result<(), KafkaFault> {
    client_settings(kind, settings).map(drop)
}

/// As [`librdkafka_settings`], where what cannot be done as asked for is an error.
pub(crate) fn client_settings(kind: ClientKind, settings: &Settings) -> Result<Translated, KafkaFault> {
    let (conf, ignored, problems) = translated(kind, settings);
    if problems.is_empty() {
        return Ok((conf, ignored));
    }
    let all: Vec<String> = problems.iter().map(|p| format!("{}: {}", p.key, p.reason)).collect();
    Err(own(false, "invalid-setting", all.join("; ")))
}

/// librdkafka's settings, and those that were left out.
pub type Translated = (Vec<(String, String)>, Vec<Ignored>);

/// The settings that a client is started with, and those that were left out.
///
/// Defaults are Kafka's (Java) where they are a promise (partitioner, `auto.offset.reset=earliest` as Connect has it), and
/// chosen for a small idle client where they are not (prefetch bounds). What [`check`] refuses is in neither.
pub fn librdkafka_settings(kind: ClientKind, settings: &Settings) -> Translated {
    let (conf, ignored, _) = translated(kind, settings);
    (conf, ignored)
}

fn translated(kind: ClientKind, settings: &Settings) -> (Vec<(String, String)>, Vec<Ignored>, Vec<Ignored>) {
    let mut conf: IndexMap<String, String> = IndexMap::new();
    let mut ignored = Vec::new();
    for (key, value) in defaults(kind) {
        conf.insert((*key).to_owned(), (*value).to_owned());
    }
    let security = security::security(settings);
    for (key, value) in settings.iter().filter(|(key, _)| !security.uses(key)) {
        match translate(kind, key, value) {
            Ok(pairs) => conf.extend(pairs),
            Err(reason) => ignored.push(Ignored { key: key.clone(), reason }),
        }
    }
    conf.extend(security.conf);
    for (key, value) in forced(kind) {
        if conf.insert((*key).to_owned(), (*value).to_owned()).is_some_and(|old| old != *value) {
            ignored
                .push(Ignored { key: (*key).to_owned(), reason: format!("always {value}: deliveries depend on it") });
        }
    }
    keep_bounds_in_order(&mut conf);
    (conf.into_iter().collect(), ignored, security.problems)
}

fn translate(kind: ClientKind, key: &str, value: &str) -> Result<Vec<(String, String)>, String> {
    let Some(entry) = table::entry(key) else {
        return Err(if table::is_refused(key) {
            "not allowed: it names code, a plugin or a URL".to_owned()
        } else {
            "not a setting of this client".to_owned()
        });
    };
    if !entry.kinds.contains(&kind) {
        return Err("a setting of another kind of client".to_owned());
    }
    let one = |name: &str, value: String| Ok(vec![(name.to_owned(), value)]);
    match entry.rule {
        Rule::Same => one(key, value.trim().to_owned()),
        Rule::To(name) => one(name, value.trim().to_owned()),
        Rule::Kibibytes(name) => match value.trim().parse::<u64>() {
            Ok(bytes) => one(name, (bytes / 1024).max(1).to_string()),
            Err(_) => Err("not a number of bytes".to_owned()),
        },
        Rule::Ignored(reason) => Err(reason.to_owned()),
        Rule::Value(name, translate) => translate(value.trim()).map(|value| vec![(name.to_owned(), value)]),
        // Those that have an effect were read before.
        Rule::Security => Err("no effect under this security.protocol and sasl.mechanism".to_owned()),
    }
}

fn defaults(kind: ClientKind) -> &'static [(&'static str, &'static str)] {
    match kind {
        ClientKind::Producer => &[
            // Java's partitioner for records with a key; without one, batches stick to a partition as in Java.
            ("partitioner", "murmur2_random"),
            ("linger.ms", "5"),
            ("queue.buffering.max.kbytes", "32768"),
            ("queue.buffering.max.messages", "100000"),
            ("reconnect.backoff.max.ms", "1000"),
            ("socket.keepalive.enable", "true"),
        ],
        ClientKind::Consumer => &[
            ("auto.offset.reset", "earliest"),
            ("partition.assignment.strategy", "cooperative-sticky"),
            // Prefetch: enough for full speed, small enough for many idle or slow sinks in one worker.
            ("queued.min.messages", "20000"),
            ("queued.max.messages.kbytes", "8192"),
            // How soon a full prefetch is looked at again; the client's default of a second starves a quick sink.
            ("fetch.queue.backoff.ms", "20"),
            ("fetch.wait.max.ms", "500"),
            ("session.timeout.ms", "10000"),
            ("max.poll.interval.ms", "300000"),
            ("reconnect.backoff.max.ms", "1000"),
            ("topic.metadata.refresh.interval.ms", "60000"),
            ("socket.keepalive.enable", "true"),
        ],
        ClientKind::Admin => &[("reconnect.backoff.max.ms", "1000")],
    }
}

fn forced(kind: ClientKind) -> &'static [(&'static str, &'static str)] {
    match kind {
        ClientKind::Producer => &[
            ("enable.idempotence", "true"),
            ("acks", "all"),
            // 0 = for ever: a broker that is away must not lose records of a source.
            ("message.timeout.ms", "0"),
            ("log.connection.close", "false"),
        ],
        ClientKind::Consumer => &[
            ("enable.auto.commit", "false"),
            ("enable.auto.offset.store", "false"),
            ("enable.partition.eof", "false"),
            ("allow.auto.create.topics", "false"),
            ("log.connection.close", "false"),
        ],
        ClientKind::Admin => &[("log.connection.close", "false")],
    }
}

/// librdkafka refuses a client whose bounds contradict each other; Java takes them.
fn keep_bounds_in_order(conf: &mut IndexMap<String, String>) {
    let number = |conf: &IndexMap<String, String>, key: &str| conf.get(key).and_then(|v| v.parse::<i64>().ok());
    let message_max = number(conf, "message.max.bytes").unwrap_or(1_000_000);
    if let Some(fetch_max) = number(conf, "fetch.max.bytes") {
        conf.insert("fetch.max.bytes".into(), fetch_max.max(message_max).to_string());
        let receive = number(conf, "receive.message.max.bytes").unwrap_or(100_000_000);
        conf.insert("receive.message.max.bytes".into(), receive.max(fetch_max.max(message_max) + 512).to_string());
    }
    if let Some(session) = number(conf, "session.timeout.ms") {
        let poll = number(conf, "max.poll.interval.ms").unwrap_or(300_000);
        conf.insert("max.poll.interval.ms".into(), poll.max(session).to_string());
    }
    if let Some(backoff) = number(conf, "reconnect.backoff.ms") {
        let max = number(conf, "reconnect.backoff.max.ms").unwrap_or(10_000);
        conf.insert("reconnect.backoff.max.ms".into(), max.max(backoff).to_string());
    }
    // The broker-side protocol (KIP-848) takes from the broker what the other one decides among the members.
    let broker_side = conf.get("group.protocol").is_some_and(|protocol| protocol == "consumer");
    let others: &[&str] = if broker_side {
        &["session.timeout.ms", "heartbeat.interval.ms", "partition.assignment.strategy"]
    } else {
        &["group.remote.assignor"]
    };
    for key in others {
        conf.shift_remove(*key);
    }
}

#[cfg(test)]
mod tests;
