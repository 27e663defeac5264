//! Tables of the framework keys of connectors.
//!
//! Enters: nothing. Leaves: definitions in Kafka Connect's order, with its headings and names for people. Invariant: names,
//! defaults and allowed values are Kafka Connect's 4.3, except the keys under the heading Lockgate.

use lockgate_model::package::{ConfigType, Importance, Width};

use ConfigType::{Boolean, Class, Int, List, Long, Short, String as Text};
use Importance::{High, Low, Medium};

use crate::definitions::{Known, Rule};
use crate::worker_keys::RESTART_BOUNDS;

/// Keys of every connector.
pub fn common() -> Vec<Known> {
    let mut keys = common_identity();
    keys.extend(common_converters());
    let transforms = "Aliases for the transformations to be applied to records, in order.";
    let reload =
        "What to do when a secret that the configuration refers to expires: restart the connector, or nothing.";
    keys.extend([
        Known::new("transforms", List, Some(""), Low, transforms).rule(Rule::Aliases).shown(
            "Transforms",
            12,
            Width::Long,
            "Transforms",
        ),
        Known::new("predicates", List, Some(""), Low, "Aliases for the predicates used by transformations.")
            .rule(Rule::Aliases)
            .shown("Predicates", 13, Width::Long, "Predicates"),
        Known::new("config.action.reload", Text, Some("restart"), Low, reload).one_of(&["none", "restart"]).shown(
            "Common",
            14,
            Width::Medium,
            "Reload Action",
        ),
    ]);
    keys.extend(common_errors());
    keys
}

fn common_identity() -> Vec<Known> {
    let class = "Class of the connector: the full name, the simple name, or the simple name without Connector.";
    let version = "Version of the connector's package: exact, or a range such as [1.2,2.0). Default: the newest.";
    let enforce = "(Deprecated) Fail a connector whose plugin gives more than tasks.max tasks. false: start them all with a \
                   warning, 1,000 at most.";
    vec![
        Known::new("name", Text, None, High, "Globally unique name to use for this connector.")
            .required()
            .rule(Rule::Name)
            .shown("Common", 1, Width::Medium, "Connector name"),
        Known::new("connector.class", Text, None, High, class).required().shown(
            "Common",
            2,
            Width::Long,
            "Connector class",
        ),
        Known::new("connector.plugin.version", Text, None, Medium, version).shown(
            "Common",
            3,
            Width::Medium,
            "Connector version",
        ),
        Known::new("tasks.max", Int, Some("1"), High, "Maximum number of tasks to use for this connector.")
            .at_least(1.0)
            .shown("Common", 4, Width::Short, "Tasks max"),
        Known::new("tasks.max.enforce", Boolean, Some("true"), Low, enforce).shown(
            "Common",
            5,
            Width::Short,
            "Enforce tasks max",
        ),
    ]
}

fn common_converters() -> Vec<Known> {
    let mut keys = Vec::new();
    for (at, (key, title, what)) in
        [("key", "Key", "keys"), ("value", "Value", "values"), ("header", "Header", "header values")]
            .into_iter()
            .enumerate()
    {
        let order = i32::try_from(6 + 2 * at).unwrap_or(i32::MAX);
        let text =
            format!("Converter of {what} in Kafka; null = the worker's. Its settings follow below its own prefix.");
        let name = format!("{key}.converter");
        keys.push(Known::new(&name, Class, None, Low, &text).shown(
            "Common",
            order,
            Width::Short,
            &format!("{title} converter class"),
        ));
        let text =
            format!("Version of the converter of {what}; converters are built in, so only their version is accepted.");
        keys.push(Known::new(&format!("{name}.plugin.version"), Text, None, Low, &text).shown(
            "Common",
            order + 1,
            Width::Short,
            &format!("{title} converter version"),
        ));
    }
    keys
}

fn common_errors() -> Vec<Known> {
    let group = "Error Handling";
    let timeout = "Milliseconds to keep retrying one failed operation; 0 = never again, -1 = for ever.";
    let tolerance = "none: fail the task at the first error. all: skip what fails.";
    vec![
        Known::new("errors.retry.timeout", Long, Some("0"), Medium, timeout).shown(
            group,
            1,
            Width::Medium,
            "Retry Timeout for Errors",
        ),
        Known::new("errors.retry.delay.max.ms", Long, Some("60000"), Medium, "Milliseconds between retries at most.")
            .shown(group, 2, Width::Medium, "Maximum Delay Between Retries for Errors"),
        Known::new("errors.tolerance", Text, Some("none"), Medium, tolerance).one_of(&["none", "all"]).shown(
            group,
            3,
            Width::Short,
            "Error Tolerance",
        ),
        Known::new("errors.log.enable", Boolean, Some("false"), Medium, "Log every error, tolerated or not.").shown(
            group,
            4,
            Width::Short,
            "Log Errors",
        ),
        Known::new("errors.log.include.messages", Boolean, Some("false"), Medium, "Name the record in such a line.")
            .shown(group, 5, Width::Short, "Log Error Details"),
    ]
}

/// Keys of sources.
pub fn source() -> Vec<Known> {
    let groups = "Groups of settings for topics that are created for this connector; default always exists.";
    let exactly = "required: refuse the connector unless its records can be delivered exactly once.";
    let boundary = "Where transactions end: at each poll, at an interval, or where the connector says.";
    let interval = "Milliseconds between transactions for interval; null = the worker's offset.flush.interval.ms.";
    let offsets = "A topic of its own for the connector's offsets; null = the worker's.";
    vec![
        Known::new("topic.creation.groups", List, Some(""), Low, groups).rule(Rule::Aliases).shown(
            "Topic Creation",
            1,
            Width::Long,
            "Topic Creation Groups",
        ),
        Known::new("exactly.once.support", Text, Some("requested"), Medium, exactly)
            .one_of(&["REQUIRED", "REQUESTED"])
            .rule(Rule::AnyCase)
            .shown("Exactly Once Support", 2, Width::Short, "Exactly once support"),
        Known::new("transaction.boundary", Text, Some("poll"), Medium, boundary)
            .one_of(&["INTERVAL", "POLL", "CONNECTOR"])
            .rule(Rule::AnyCase)
            .shown("Exactly Once Support", 3, Width::Short, "Transaction Boundary"),
        Known::new("transaction.boundary.interval.ms", Long, None, Low, interval).at_least(0.0).shown(
            "Exactly Once Support",
            4,
            Width::Short,
            "Transaction boundary interval",
        ),
        Known::new("offsets.storage.topic", Text, None, Low, offsets).non_empty().shown(
            "offsets.topic",
            1,
            Width::Long,
            "Offsets topic",
        ),
    ]
}

/// Keys of sinks.
pub fn sink() -> Vec<Known> {
    let group = "Error Handling";
    let regex = "Pattern of topics to consume, matching whole names; instead of topics.";
    let replicas = "Replicas of the dead letter queue if it must be created.";
    let headers = "Add headers that say where a dead letter comes from and why.";
    vec![
        Known::new("topics", List, Some(""), High, "List of topics to consume, separated by commas.")
            .rule(Rule::Unique)
            .shown("Common", 4, Width::Long, "Topics"),
        Known::new("topics.regex", Text, Some(""), High, regex).rule(Rule::Regex).shown(
            "Common",
            4,
            Width::Long,
            "Topics regex",
        ),
        Known::new(
            "errors.deadletterqueue.topic.name",
            Text,
            Some(""),
            Medium,
            "Topic for records that failed; empty = none.",
        )
        .shown(group, 6, Width::Medium, "Dead Letter Queue Topic Name"),
        Known::new("errors.deadletterqueue.topic.replication.factor", Short, Some("3"), Medium, replicas).shown(
            group,
            7,
            Width::Medium,
            "Dead Letter Queue Topic Replication Factor",
        ),
        Known::new("errors.deadletterqueue.context.headers.enable", Boolean, Some("false"), Medium, headers).shown(
            group,
            8,
            Width::Medium,
            "Enable Error Context Headers",
        ),
    ]
}

/// Keys that Kafka Connect does not have.
pub fn lockgate() -> Vec<Known> {
    let linger = "Milliseconds to wait for more records before a batch that is not full goes to the plugin.";
    let mut keys = vec![
        Known::new("batch.max.records", Int, Some("500"), Low, "Records in one call of the plugin at most.")
            .between(1.0, 65_536.0)
            .shown("Lockgate", 1, Width::Short, "Batch records"),
        Known::new(
            "batch.max.bytes",
            Int,
            Some("262144"),
            Low,
            "Bytes in one call at most; a larger record goes alone.",
        )
        .between(1_024.0, 67_108_864.0)
        .shown("Lockgate", 2, Width::Short, "Batch bytes"),
        Known::new("batch.linger.ms", Int, Some("5"), Low, linger).between(0.0, 60_000.0).shown(
            "Lockgate",
            3,
            Width::Short,
            "Batch linger",
        ),
    ];
    let policy = "on-failure: start a failed task again by itself. Null = the worker's lockgate.restart.policy.";
    let heading = |known: Known, at: i32, title: &str| known.shown("Lockgate", at, Width::Short, title);
    let known = Known::new("restart.policy", Text, None, Low, policy).one_of(&["none", "on-failure"]);
    keys.push(heading(known, 4, "Restart policy"));
    for (at, (name, _, max, text)) in (5..).zip(RESTART_BOUNDS) {
        let text = format!("{text} Null = the worker's lockgate.{name}.");
        let known = Known::new(name, Long, None, Low, &text).between(0.0, max);
        keys.push(heading(known, at, name));
    }
    keys
}
