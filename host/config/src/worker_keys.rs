//! Every worker key of Kafka Connect 4.3, and Lockgate's own: read here, or not applicable and why.
//!
//! Enters: nothing. Leaves: tables. Invariant: a worker key that is read anywhere stands in [`used`]; docs/config.md is
//! generated from these tables.

use lockgate_model::package::{ConfigType, Importance};

use ConfigType::{Boolean, Class, Int, List, Long, Short, String as Text};
use Importance::{High, Low, Medium};

use crate::definitions::{Known, Rule};

/// Keys that both modes read.
pub fn used() -> Vec<Known> {
    let mut keys = clients_and_converters();
    keys.extend(timing_and_rest());
    keys.extend(packages_and_policy());
    keys.extend(limits());
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

fn timing_and_rest() -> Vec<Known> {
    let graceful = "Milliseconds for all tasks together to drain at shutdown.";
    let listeners = "Where the REST API listens: http://host:port, separated by commas; no host = all addresses.";
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
        Known::new("listeners", List, Some("http://:8083"), Low, listeners).non_empty(),
        Known::new("rest.advertised.host.name", Text, None, Low, "Host that other workers and worker_id name."),
        Known::new("rest.advertised.port", Int, None, Low, "Port that other workers and worker_id name.")
            .between(1.0, 65_535.0),
        Known::new(
            "response.http.headers.config",
            Text,
            Some(""),
            Low,
            "Extra response headers: [action] [name]:[value], ...",
        ),
        Known::new(
            "access.control.allow.origin",
            Text,
            Some(""),
            Low,
            "Origin that browsers may call from; empty = none.",
        ),
        Known::new("access.control.allow.methods", Text, Some(""), Low, "Methods that such a page may use."),
    ]
}

fn packages_and_policy() -> Vec<Known> {
    let cache = "Directory for compiled packages; may be deleted at any time while no worker runs.";
    let packages = "Directory for uploaded packages.";
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
    ]
}

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
        bound("rest.connections.max", "1024", 1.0, 65_535.0, "Connections to the REST API at the same time."),
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

/// Keys (or, ending in a dot, prefixes) of Kafka Connect that have no effect, and why.
pub const NOT_APPLICABLE: [(&str, &str); 34] = [
    ("plugin.path", "plugins are packages: upload them (POST /packages) or put them into lockgate.packages.bundled"),
    ("plugin.discovery", "there is nothing to scan: a package says what is in it"),
    ("key.converter.plugin.version", "converters are built in"),
    ("value.converter.plugin.version", "converters are built in"),
    ("header.converter.plugin.version", "converters are built in"),
    ("internal.key.converter", "the format of internal topics is fixed, as in Kafka Connect since 3.0"),
    ("internal.value.converter", "the format of internal topics is fixed, as in Kafka Connect since 3.0"),
    ("internal.key.converter.", "the format of internal topics is fixed"),
    ("internal.value.converter.", "the format of internal topics is fixed"),
    ("rest.host.name", "removed from Kafka Connect; use listeners"),
    ("rest.port", "removed from Kafka Connect; use listeners"),
    ("rest.advertised.listener", "listeners are http only"),
    ("rest.extension.classes", "there is no JVM to load them into"),
    ("admin.listeners", "there are no log levels to set over REST yet"),
    ("admin.listeners.", "there are no log levels to set over REST yet"),
    ("listeners.", "listeners are http only: put a TLS proxy before the worker"),
    ("config.providers", "references such as ${file:path:key} are not resolved yet and stay as text"),
    ("config.providers.", "references such as ${file:path:key} are not resolved yet and stay as text"),
    ("topic.tracking.enable", "active topics are not tracked yet"),
    ("topic.tracking.allow.reset", "active topics are not tracked yet"),
    ("metrics.sample.window.ms", "rates and averages are the monitoring system's: GET /metrics has totals"),
    ("metrics.num.samples", "rates and averages are the monitoring system's: GET /metrics has totals"),
    ("metrics.recording.level", "all metrics are always recorded"),
    ("metric.reporters", "there is no JVM to load them into; use GET /metrics"),
    ("metrics.context.", "labels are added where GET /metrics is scraped"),
    ("exactly.once.source.support", "sources are at-least-once so far"),
    ("session.timeout.ms", "one worker so far: there is no group to keep a session with"),
    ("heartbeat.interval.ms", "one worker so far: there is no group to keep a session with"),
    ("rebalance.timeout.ms", "one worker so far: nothing is rebalanced"),
    ("connect.protocol", "one worker so far: nothing is rebalanced"),
    ("scheduled.rebalance.max.delay.ms", "one worker so far: nothing is rebalanced"),
    ("worker.sync.timeout.ms", "one worker so far: it reads its own writes"),
    ("worker.unsync.backoff.ms", "one worker so far: it reads its own writes"),
    ("inter.worker.", "one worker so far: workers do not call each other"),
];
