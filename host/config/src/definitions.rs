//! The keys that Lockgate itself reads from a connector's configuration, in Kafka Connect's order.
//!
//! Enters: nothing but an alias or a group name. Leaves: definitions with rule and place. Invariant: a key that
//! [`crate::ConnectorSpec`] reads is defined here, so validation shows it and docs/config.md lists it.

use std::sync::LazyLock;

use lockgate_model::package::{ConfigDefinition, ConfigType, Constraint, Importance, PluginInfo, PluginKind, Width};

use ConfigType::{Boolean, Class, Int, List, Long, Short, String as Text};
use Importance::{High, Low, Medium};

/// What is checked beyond the constraint of a definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Nothing.
    None,
    /// A connector name: not empty, no control characters.
    Name,
    /// One of the constraint's values, in any case.
    AnyCase,
    /// A list without duplicates.
    Unique,
    /// -1 or at least 1.
    BrokerDefaultOrPositive,
    /// A regular expression.
    Regex,
    /// A list of regular expressions.
    RegexList,
}

/// A definition with what the framework knows besides.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// The definition.
    pub definition: ConfigDefinition,
    /// Place below its heading; -1 without one.
    pub order: i32,
    /// What else is checked.
    pub rule: Rule,
}

impl Known {
    /// A key without heading: a text, a list, a number, ... `default` is its text; `None` = null.
    pub fn new(name: &str, config_type: ConfigType, default: Option<&str>, importance: Importance, text: &str) -> Self {
        let definition = ConfigDefinition {
            name: name.to_owned(),
            config_type,
            required: false,
            default_value: default.map(str::to_owned),
            constraint: Constraint::Any,
            importance,
            documentation: text.to_owned(),
            group: String::new(),
            display_name: String::new(),
            width: Width::None,
            dependents: Vec::new(),
        };
        Self { definition, order: -1, rule: Rule::None }
    }

    /// Makes it required.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.definition.required = true;
        self.definition.default_value = None;
        self
    }

    /// Adds a rule.
    #[must_use]
    pub const fn rule(mut self, rule: Rule) -> Self {
        self.rule = rule;
        self
    }

    /// At least this.
    #[must_use]
    pub fn at_least(mut self, min: f64) -> Self {
        self.definition.constraint = Constraint::Between(Some(min), None);
        self
    }

    /// One of these.
    #[must_use]
    pub fn one_of(mut self, allowed: &[&str]) -> Self {
        self.definition.constraint = Constraint::OneOf(allowed.iter().map(|s| (*s).to_owned()).collect());
        self
    }

    /// Not an empty text.
    #[must_use]
    pub fn non_empty(mut self) -> Self {
        self.definition.constraint = Constraint::NonEmpty;
        self
    }

    /// Heading, place below it, width and name for people.
    #[must_use]
    pub fn shown(mut self, group: &str, order: i32, width: Width, display: &str) -> Self {
        group.clone_into(&mut self.definition.group);
        display.clone_into(&mut self.definition.display_name);
        self.definition.width = width;
        self.order = order;
        self
    }
}

/// Framework keys of a source or sink; other kinds have none of their own.
pub fn framework(kind: PluginKind) -> &'static [Known] {
    static SOURCE: LazyLock<Vec<Known>> = LazyLock::new(|| [common(), source(), lockgate()].concat());
    static SINK: LazyLock<Vec<Known>> = LazyLock::new(|| [common(), sink(), lockgate()].concat());
    match kind {
        PluginKind::Source => &SOURCE,
        PluginKind::Sink => &SINK,
        PluginKind::Transform | PluginKind::Predicate => &[],
    }
}

/// Headings of framework keys in order, those of aliases left out.
pub const fn groups(kind: PluginKind) -> &'static [&'static str] {
    match kind {
        PluginKind::Source => &[
            "Common",
            "Transforms",
            "Predicates",
            "Error Handling",
            "Topic Creation",
            "Exactly Once Support",
            "offsets.topic",
            "Lockgate",
        ],
        PluginKind::Sink => &["Common", "Transforms", "Predicates", "Error Handling", "Lockgate"],
        PluginKind::Transform | PluginKind::Predicate => &[],
    }
}

/// A plugin's own definitions below a prefix. Its place below a heading is its place among the keys of that heading.
pub fn of_plugin(prefix: &str, info: &PluginInfo) -> Vec<Known> {
    let mut known: Vec<Known> = Vec::with_capacity(info.config.len());
    for definition in &info.config {
        let before = known.iter().filter(|k| k.definition.group == definition.group).count();
        let order = if definition.group.is_empty() { -1 } else { i32::try_from(before + 1).unwrap_or(i32::MAX) };
        let mut definition = definition.clone();
        if definition.display_name.is_empty() {
            definition.display_name.clone_from(&definition.name);
        }
        definition.dependents.iter_mut().for_each(|name| *name = format!("{prefix}{name}"));
        definition.name = format!("{prefix}{}", definition.name);
        known.push(Known { definition, order, rule: Rule::None });
    }
    known
}

/// Keys that every transform (or predicate) has, below `transforms.<alias>.` (or `predicates.<alias>.`).
pub fn of_alias(kind: PluginKind, alias: &str) -> Vec<Known> {
    let (prefix, word, heading) = match kind {
        PluginKind::Predicate => ("predicates", "predicate", "Predicates"),
        _ => ("transforms", "transformation", "Transforms"),
    };
    let (group, key) = (format!("{heading}: {alias}"), |name: &str| format!("{prefix}.{alias}.{name}"));
    let title = if word == "predicate" { "Predicate" } else { "Transformation" };
    let mut keys = vec![
        Known::new(&key("type"), Class, None, High, &format!("Class for the '{alias}' {word}."))
            .required()
            .shown(&group, 0, Width::Long, &format!("{title} type for {alias}")),
        Known::new(&key("plugin.version"), Text, None, Medium, &format!("Version of the '{alias}' {word}."))
            .shown(&group, 1, Width::Medium, &format!("{title} version for {alias}")),
    ];
    if kind == PluginKind::Transform {
        let text = "The alias of a predicate used to determine whether to apply this transformation.";
        keys.push(Known::new(&key("predicate"), Text, Some(""), Medium, text).shown(&group, 2, Width::None, "predicate"));
        let text = "Whether the configured predicate should be negated.";
        keys.push(
            Known::new(&key("negate"), Boolean, Some("false"), Medium, text).shown(&group, 3, Width::None, "negate"),
        );
    }
    keys
}

/// Keys of one topic-creation group.
pub fn of_topic_group(name: &str) -> Vec<Known> {
    let (group, is_default) = (format!("Topic Creation: {name}"), name == "default");
    let key = |part: &str| format!("topic.creation.{name}.{part}");
    let include = if is_default { ".*" } else { "" };
    let replication = "Replicas of new topics of this group; -1 = the broker's default.";
    let partitions = "Partitions of new topics of this group; -1 = the broker's default.";
    let lists = [
        Known::new(&key("include"), List, Some(include), Low, "Patterns of topic names that this group is for.")
            .shown(&group, 1, Width::Long, "Inclusion Topic Pattern"),
        Known::new(&key("exclude"), List, Some(""), Low, "Patterns of topic names that it is not for; they win.")
            .shown(&group, 2, Width::Long, "Exclusion Topic Pattern"),
    ];
    let counts = [
        Known::new(&key("replication.factor"), Short, None, Low, replication)
            .shown(&group, 3, Width::Long, "Replication Factor for Topics"),
        Known::new(&key("partitions"), Int, None, Low, partitions).shown(&group, 4, Width::Long, "Partition Count for Topics"),
    ];
    let counts = counts.map(|known| if is_default { known.required() } else { known });
    let lists = lists.map(|known| known.rule(Rule::RegexList));
    lists.into_iter().chain(counts.map(|known| known.rule(Rule::BrokerDefaultOrPositive))).collect()
}

fn common() -> Vec<Known> {
    let mut keys = common_identity();
    keys.extend(common_converters());
    let transforms = "Aliases for the transformations to be applied to records, in order.";
    let reload = "What to do when a secret that the configuration refers to expires: restart the connector, or nothing.";
    keys.extend([
        Known::new("transforms", List, Some(""), Low, transforms)
            .rule(Rule::Unique)
            .shown("Transforms", 12, Width::Long, "Transforms"),
        Known::new("predicates", List, Some(""), Low, "Aliases for the predicates used by transformations.")
            .rule(Rule::Unique)
            .shown("Predicates", 13, Width::Long, "Predicates"),
        Known::new("config.action.reload", Text, Some("restart"), Low, reload)
            .one_of(&["none", "restart"])
            .shown("Common", 14, Width::Medium, "Reload Action"),
    ]);
    keys.extend(common_errors());
    keys
}

fn common_identity() -> Vec<Known> {
    let class = "Class of the connector: the full name, the simple name, or the simple name without Connector.";
    let version = "Version of the connector's package: exact, or a range such as [1.2,2.0). Default: the newest.";
    let enforce = "Fail a connector that asks for more than tasks.max tasks; false only warns.";
    vec![
        Known::new("name", Text, None, High, "Globally unique name to use for this connector.")
            .required()
            .rule(Rule::Name)
            .shown("Common", 1, Width::Medium, "Connector name"),
        Known::new("connector.class", Text, None, High, class)
            .required()
            .shown("Common", 2, Width::Long, "Connector class"),
        Known::new("connector.plugin.version", Text, None, Medium, version)
            .shown("Common", 3, Width::Medium, "Connector version"),
        Known::new("tasks.max", Int, Some("1"), High, "Maximum number of tasks to use for this connector.")
            .at_least(1.0)
            .shown("Common", 4, Width::Short, "Tasks max"),
        Known::new("tasks.max.enforce", Boolean, Some("true"), Low, enforce)
            .shown("Common", 5, Width::Short, "Enforce tasks max"),
    ]
}

fn common_converters() -> Vec<Known> {
    let mut keys = Vec::new();
    for (at, (key, title, what)) in
        [("key", "Key", "keys"), ("value", "Value", "values"), ("header", "Header", "header values")].into_iter().enumerate()
    {
        let order = i32::try_from(6 + 2 * at).unwrap_or(i32::MAX);
        let text = format!("Converter of {what} in Kafka; null = the worker's. Its settings follow below its own prefix.");
        let name = format!("{key}.converter");
        keys.push(Known::new(&name, Class, None, Low, &text).shown(
            "Common",
            order,
            Width::Short,
            &format!("{title} converter class"),
        ));
        let text = format!("Version of the converter of {what}; converters are built in, so only their version is accepted.");
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
        Known::new("errors.retry.timeout", Long, Some("0"), Medium, timeout)
            .shown(group, 1, Width::Medium, "Retry Timeout for Errors"),
        Known::new("errors.retry.delay.max.ms", Long, Some("60000"), Medium, "Milliseconds between retries at most.")
            .shown(group, 2, Width::Medium, "Maximum Delay Between Retries for Errors"),
        Known::new("errors.tolerance", Text, Some("none"), Medium, tolerance)
            .one_of(&["none", "all"])
            .shown(group, 3, Width::Short, "Error Tolerance"),
        Known::new("errors.log.enable", Boolean, Some("false"), Medium, "Log every error, tolerated or not.")
            .shown(group, 4, Width::Short, "Log Errors"),
        Known::new("errors.log.include.messages", Boolean, Some("false"), Medium, "Name the record in such a line.")
            .shown(group, 5, Width::Short, "Log Error Details"),
    ]
}

fn source() -> Vec<Known> {
    let groups = "Groups of settings for topics that are created for this connector; default always exists.";
    let exactly = "required: refuse the connector unless its records can be delivered exactly once.";
    let boundary = "Where transactions end: at each poll, at an interval, or where the connector says.";
    let interval = "Milliseconds between transactions for interval; null = the worker's offset.flush.interval.ms.";
    let offsets = "A topic of its own for the connector's offsets; null = the worker's.";
    vec![
        Known::new("topic.creation.groups", List, Some(""), Low, groups)
            .rule(Rule::Unique)
            .shown("Topic Creation", 1, Width::Long, "Topic Creation Groups"),
        Known::new("exactly.once.support", Text, Some("requested"), Medium, exactly)
            .one_of(&["requested", "required"])
            .rule(Rule::AnyCase)
            .shown("Exactly Once Support", 2, Width::Short, "Exactly once support"),
        Known::new("transaction.boundary", Text, Some("poll"), Medium, boundary)
            .one_of(&["poll", "interval", "connector"])
            .rule(Rule::AnyCase)
            .shown("Exactly Once Support", 3, Width::Short, "Transaction Boundary"),
        Known::new("transaction.boundary.interval.ms", Long, None, Low, interval)
            .at_least(0.0)
            .shown("Exactly Once Support", 4, Width::Short, "Transaction boundary interval"),
        Known::new("offsets.storage.topic", Text, None, Low, offsets)
            .non_empty()
            .shown("offsets.topic", 1, Width::Long, "Offsets topic"),
    ]
}

fn sink() -> Vec<Known> {
    let group = "Error Handling";
    let regex = "Pattern of topics to consume, matching whole names; instead of topics.";
    let replicas = "Replicas of the dead letter queue if it must be created.";
    let headers = "Add headers that say where a dead letter comes from and why.";
    vec![
        Known::new("topics", List, Some(""), High, "List of topics to consume, separated by commas.")
            .rule(Rule::Unique)
            .shown("Common", 4, Width::Long, "Topics"),
        Known::new("topics.regex", Text, Some(""), High, regex)
            .rule(Rule::Regex)
            .shown("Common", 4, Width::Long, "Topics regex"),
        Known::new("errors.deadletterqueue.topic.name", Text, Some(""), Medium, "Topic for records that failed; empty = none.")
            .shown(group, 6, Width::Medium, "Dead Letter Queue Topic Name"),
        Known::new("errors.deadletterqueue.topic.replication.factor", Short, Some("3"), Medium, replicas)
            .shown(group, 7, Width::Medium, "Dead Letter Queue Topic Replication Factor"),
        Known::new("errors.deadletterqueue.context.headers.enable", Boolean, Some("false"), Medium, headers)
            .shown(group, 8, Width::Medium, "Enable Error Context Headers"),
    ]
}

/// Keys that Kafka Connect does not have.
fn lockgate() -> Vec<Known> {
    let linger = "Milliseconds to wait for more records before a batch that is not full goes to the plugin.";
    vec![
        Known::new("batch.max.records", Int, Some("500"), Low, "Records in one call of the plugin at most.")
            .between(1.0, 65_536.0)
            .shown("Lockgate", 1, Width::Short, "Batch records"),
        Known::new("batch.max.bytes", Int, Some("262144"), Low, "Bytes in one call at most; a larger record goes alone.")
            .between(1_024.0, 67_108_864.0)
            .shown("Lockgate", 2, Width::Short, "Batch bytes"),
        Known::new("batch.linger.ms", Int, Some("5"), Low, linger)
            .between(0.0, 60_000.0)
            .shown("Lockgate", 3, Width::Short, "Batch linger"),
    ]
}

impl Known {
    /// In this range, ends included.
    #[must_use]
    pub fn between(mut self, min: f64, max: f64) -> Self {
        self.definition.constraint = Constraint::Between(Some(min), Some(max));
        self
    }
}
