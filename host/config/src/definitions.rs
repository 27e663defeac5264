//! The keys that Lockgate itself reads from a connector's configuration, in Kafka Connect's order.
//!
//! Enters: nothing but an alias or a group name. Leaves: definitions with rule and place. Invariant: a key that
//! [`crate::ConnectorSpec`] reads is defined here, so validation shows it and docs/config.md lists it.

use std::sync::LazyLock;

use lockgate_model::package::{ConfigDefinition, ConfigType, Constraint, Importance, PluginInfo, PluginKind, Width};

use ConfigType::{Boolean, Class, Int, List, Short, String as Text};
use Importance::{High, Low, Medium};

use crate::connector_keys::{common, lockgate, sink, source};

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
    /// A list of aliases without duplicates.
    Aliases,
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
    /// What cannot be read breaks the range besides, as with Kafka's own keys: two messages.
    pub echoes: bool,
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
        Self { definition, order: -1, rule: Rule::None, echoes: false }
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
        self.echoes = self.definition.default_value.is_some();
        self
    }

    /// In this range, ends included.
    #[must_use]
    pub fn between(mut self, min: f64, max: f64) -> Self {
        self.definition.constraint = Constraint::Between(Some(min), Some(max));
        self.echoes = self.definition.default_value.is_some();
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

    /// The same under another key, which people know by this one.
    #[must_use]
    pub fn named_as(mut self, name: &str, display: &str) -> Self {
        name.clone_into(&mut self.definition.name);
        self.named(display)
    }

    /// Shown under this name, without heading.
    #[must_use]
    pub fn named(mut self, display: &str) -> Self {
        display.clone_into(&mut self.definition.display_name);
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
        known.push(Known { definition, order, rule: Rule::None, echoes: false });
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
        Known::new(&key("type"), Class, None, High, &format!("Class for the '{alias}' {word}.")).required().shown(
            &group,
            0,
            Width::Long,
            &format!("{title} type for {alias}"),
        ),
        Known::new(&key("plugin.version"), Text, None, High, &format!("Version of the '{alias}' {word}.")).shown(
            &group,
            1,
            Width::Long,
            &format!("{title} version for {alias}"),
        ),
    ];
    if kind == PluginKind::Transform {
        let text = "The alias of a predicate used to determine whether to apply this transformation.";
        keys.push(Known::new(&key("predicate"), Text, None, Medium, text).shown(&group, 2, Width::None, "predicate"));
        let text = "Whether the configured predicate should be negated.";
        keys.push(Known::new(&key("negate"), Boolean, Some("false"), Medium, text).shown(
            &group,
            3,
            Width::None,
            "negate",
        ));
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
    let lists =
        [
            Known::new(&key("include"), List, Some(include), Low, "Patterns of topic names that this group is for.")
                .shown(&group, 1, Width::Long, "Inclusion Topic Pattern"),
            Known::new(&key("exclude"), List, Some(""), Low, "Patterns of topic names that it is not for; they win.")
                .shown(&group, 2, Width::Long, "Exclusion Topic Pattern"),
        ];
    let counts = [
        Known::new(&key("replication.factor"), Short, None, Low, replication).shown(
            &group,
            3,
            Width::Long,
            "Replication Factor for Topics",
        ),
        Known::new(&key("partitions"), Int, None, Low, partitions).shown(
            &group,
            4,
            Width::Long,
            "Partition Count for Topics",
        ),
    ];
    let counts = counts.map(|known| if is_default { known.required() } else { known });
    let lists = lists.map(|known| known.rule(Rule::RegexList));
    lists.into_iter().chain(counts.map(|known| known.rule(Rule::BrokerDefaultOrPositive))).collect()
}
