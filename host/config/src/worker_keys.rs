//! Every worker key of Kafka Connect 4.3, and Lockgate's own: read here, or not applicable and why.
//!
//! Enters: nothing. Leaves: tables. Invariant: a worker key that is read anywhere stands in [`used`]; docs/config.md is
//! generated from these tables.

use lockgate_model::package::{ConfigType, Importance};

use ConfigType::{Boolean, Class, Int, List, Long, Short, String as Text};
use Importance::{High, Low, Medium};

use crate::definitions::{Known, Rule};

mod not_applicable;
mod rest;

pub use not_applicable::NOT_APPLICABLE;

/// Keys that both modes read.
pub fn used() -> Vec<Known> {
    let mut keys = clients_and_converters();
    keys.extend(timing());
    keys.extend(rest::keys());
    keys.extend(restart());
    keys.extend(packages_and_policy());
    keys.extend(limits());
    keys.extend(crate::sandbox::keys());
    keys
}

fn clients_and_converters() -> Vec<Known> {
    let converter = "Class for connectors that name none; its settings follow below this prefix.";
    let simple = "org.apache.kafka.connect.storage.SimpleHeaderConverter";
    let policy = "Which client settings connectors may override: All, None, Principal, Allowlist. Lockgate's own allow-list \
                  of tuning settings is applied besides, whatever the policy.";
    vec![
        Known::new("bootstrap.servers", List, None, High, "Kafka brokers, host:port, separated by commas.")
            .required()
            .non_empty(),
        Known::new("key.converter", Class, None, High, converter).required(),
        Known::new("value.converter", Class, None, High, converter).required(),
        Known::new("header.converter", Class, Some(simple), Low, converter),
        Known::new("config.providers", List, Some(""), Low, "Names of the providers of ${name:path:key}, see below."),
        Known::new("connector.client.config.override.policy", Text, Some("All"), Medium, policy),
        Known::new("connector.client.config.override.allowlist", List, Some(""), Medium, "Keys that Allowlist allows."),
        Known::new(
            "topic.creation.enable",
            Boolean,
            Some("true"),
            Low,
            "Whether topic.creation.* of sources is heeded.",
        ),
    ]
}

fn timing() -> Vec<Known> {
    let graceful = "Milliseconds for all tasks together to drain at shutdown.";
    vec![
        Known::new("task.shutdown.graceful.timeout.ms", Long, Some("5000"), Low, graceful).at_least(0.0),
        Known::new("offset.flush.interval.ms", Long, Some("60000"), Low, "Milliseconds between commits of offsets.")
            .at_least(1.0),
        Known::new(
            "offset.flush.timeout.ms",
            Long,
            Some("5000"),
            Low,
            "Milliseconds that one commit of a source may take.",
        )
        .at_least(1.0),
        Known::new("topic.tracking.enable", Boolean, Some("true"), Low, "Keep track of the topics of each connector."),
        Known::new(
            "topic.tracking.allow.reset",
            Boolean,
            Some("true"),
            Low,
            "Whether that record may be reset over REST.",
        ),
    ]
}

fn packages_and_policy() -> Vec<Known> {
    let cache = "Directory for compiled packages; may be deleted at any time while no worker runs.";
    let packages = "Directory for uploaded packages.";
    let registries = "Schema registries that connectors may name in their own converter settings: host, host:port, URL, *.domain; \
        * = any, but no link-local address. Those of the worker's own converters are always allowed.";
    let files = "Folders whose PEM files connectors may name in schema.registry.ssl.*.location of their own converter settings; \
        empty = none. The worker's own converters may name any.";
    let hosts = "What plugins of this worker may reach at most, of what they ask for; comma list";
    vec![
        Known::new("lockgate.tenant", Text, Some("default"), Low, "Name of the only tenant.").non_empty(),
        Known::new("lockgate.cache.dir", Text, Some(".lockgate/cache"), Medium, cache).non_empty(),
        Known::new("lockgate.packages.dir", Text, Some(".lockgate/packages"), Medium, packages).non_empty(),
        Known::new("lockgate.packages.bundled", Text, None, Low, "Directory of packages that come with the worker."),
        Known::new("lockgate.grants.http", List, Some(""), Medium, &format!("{hosts}: hosts, host:port, *.domain, *.")),
        Known::new("lockgate.grants.tcp", List, Some(""), Medium, &format!("{hosts}: host:port, *.domain:port, *.")),
        Known::new("lockgate.grants.read", List, Some(""), Medium, &format!("{hosts}: directories to read.")),
        Known::new(
            "lockgate.grants.write",
            List,
            Some(""),
            Medium,
            &format!("{hosts}: directories to read and write."),
        ),
        Known::new(
            "lockgate.grants.private",
            List,
            Some(""),
            Medium,
            &format!(
                "{hosts}: loopback, link-local and private address ranges (10.0.0.0/8), which are refused otherwise."
            ),
        ),
        Known::new("lockgate.registry.allowed.urls", List, Some("*"), Medium, registries),
        Known::new("lockgate.registry.allowed.paths", List, Some(""), Medium, files),
    ]
}

/// What connectors say below `restart.` unless they say it themselves.
fn restart() -> Vec<Known> {
    let policy =
        "Whether failed tasks of connectors that say nothing are started again by themselves (restart.policy).";
    let stalled = "Milliseconds after which a task that should get on and does not is shown as stalled in its status.";
    let mut keys =
        vec![Known::new("lockgate.stalled.after.ms", Long, Some("60000"), Low, stalled).between(100.0, 86_400_000.0)];
    keys.push(
        Known::new("lockgate.restart.policy", Text, Some("none"), Medium, policy).one_of(&["none", "on-failure"]),
    );
    keys.extend(RESTART_BOUNDS.map(|(name, default, max, text)| {
        Known::new(&format!("lockgate.{name}"), Long, Some(default), Low, text).between(0.0, max)
    }));
    keys
}

/// Bounds of automatic restarts: key, default, maximum, meaning.
pub const RESTART_BOUNDS: [(&str, &str, f64, &str); 4] = [
    ("restart.delay.ms", "1000", 86_400_000.0, "Milliseconds before the first automatic restart; doubled each time."),
    ("restart.delay.max.ms", "60000", 86_400_000.0, "Milliseconds before an automatic restart at most."),
    (
        "restart.max.attempts",
        "10",
        1_000_000.0,
        "Automatic restarts within restart.window.ms, after which a task stays FAILED.",
    ),
    (
        "restart.window.ms",
        "600000",
        86_400_000.0,
        "Milliseconds in which restarts are counted; a task that ran for so long starts anew.",
    ),
];

fn limits() -> Vec<Known> {
    let bound = |name: &str, default: &str, min: f64, max: f64, text: &str| {
        Known::new(&format!("lockgate.limits.{name}"), Long, Some(default), Medium, text).between(min, max)
    };
    vec![
        bound("memory.mb", "256", 1.0, 4_095.0, "Memory of one instance, MiB."),
        bound("cpu.ms", "1000", 1.0, 3_600_000.0, "CPU time of one call, milliseconds."),
        bound("call.ms", "30000", 1.0, 3_600_000.0, "Wall-clock time of one call, milliseconds, waiting included."),
        bound("open.ms", "30000", 1.0, 3_600_000.0, "Time to make and open an instance, milliseconds."),
        bound("close.ms", "5000", 1.0, 3_600_000.0, "Time of close, milliseconds."),
        bound("log.bytes.per.second", "65536", 0.0, 1_073_741_824.0, "Log volume of one task, bytes a second."),
        bound(
            "log.burst.bytes",
            "1048576",
            0.0,
            1_073_741_824.0,
            "Log volume of one task that may come at once, bytes.",
        ),
        bound("connections.max", "64", 0.0, 65_535.0, "Outbound connections of one task at the same time."),
        bound("package.mb", "64", 1.0, 1_024.0, "Size of an uploaded package, MiB."),
        bound(
            "rest.connections.max",
            "1024",
            1.0,
            65_535.0,
            "Connections to the REST API at the same time; beyond it, those that idle or dribble give way.",
        ),
    ]
}

/// Keys of distributed mode only.
pub fn distributed() -> Vec<Known> {
    let mut keys = vec![
        Known::new("group.id", Text, None, High, "Identity of the cluster; not a consumer group's.")
            .required()
            .non_empty(),
    ];
    let partitions =
        [("config", None, "configurations"), ("offset", Some("25"), "offsets"), ("status", Some("5"), "statuses")];
    for (name, partitions, what) in partitions {
        let key = |part: &str| format!("{name}.storage.{part}");
        let topic = format!(
            "Compacted topic of {what}; other {name}.storage.* keys are settings of the topic when it is made."
        );
        keys.push(Known::new(&key("topic"), Text, None, High, &topic).required().non_empty());
        let replicas = "Replicas if the topic must be made; -1 = the broker's default.";
        keys.push(
            Known::new(&key("replication.factor"), Short, Some("3"), Low, replicas).rule(Rule::BrokerDefaultOrPositive),
        );
        if let Some(default) = partitions {
            let text = "Partitions if the topic must be made; -1 = the broker's default.";
            keys.push(
                Known::new(&key("partitions"), Int, Some(default), Low, text).rule(Rule::BrokerDefaultOrPositive),
            );
        }
    }
    keys
}

/// Keys of standalone mode only.
pub fn standalone() -> Vec<Known> {
    let text = "File for the offsets of sources.";
    vec![Known::new("offset.storage.file.filename", Text, None, High, text).required().non_empty()]
}

/// Un-prefixed keys that belong to the worker's own Kafka clients and pass through to them.
pub const CLIENT_KEYS: [&str; 18] = [
    "client.id",
    "client.dns.lookup",
    "connections.max.idle.ms",
    "metadata.max.age.ms",
    "metadata.recovery.rebootstrap.trigger.ms",
    "metadata.recovery.strategy",
    "receive.buffer.bytes",
    "reconnect.backoff.max.ms",
    "reconnect.backoff.ms",
    "request.timeout.ms",
    "retry.backoff.max.ms",
    "retry.backoff.ms",
    "security.protocol",
    "security.providers",
    "send.buffer.bytes",
    "socket.connection.setup.timeout.max.ms",
    "socket.connection.setup.timeout.ms",
    "enable.metrics.push",
];

/// Prefixes whose keys pass through to the worker's own Kafka clients, prefix kept.
pub const CLIENT_PREFIXES: [&str; 2] = ["sasl.", "ssl."];
