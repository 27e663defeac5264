//! Worker keys of Kafka Connect that have no effect here, and why.
//!
//! Enters: nothing. Leaves: a table. Invariant: each reason says what to do instead, where there is something.

/// Keys (or, ending in a dot, prefixes) of Kafka Connect that have no effect, and why.
pub const NOT_APPLICABLE: [(&str, &str); 25] = [
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
