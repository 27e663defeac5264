//! A connector's configuration, typed.
//!
//! Enters: name, kind of the class, raw configuration, the worker's settings. Leaves: a [`ConnectorSpec`], or every error
//! at once. Invariant: a spec that exists has exactly one way to find its topics, a chain whose predicates exist, and no
//! dead letter queue that it reads itself. Keys that nobody here knows pass to the plugin, in [`ConnectorSpec::raw`].

use std::time::Duration;

use indexmap::IndexMap;
use lockgate_model::package::PluginKind;

use crate::RawConfig;
use crate::converters::Converters;
use crate::definitions::framework;
use crate::error::{ConfigError, ConfigErrors};
use crate::overrides::{self, Client};
use crate::reading::{Settings, regex};
use crate::restart::RestartSpec;
use crate::topic_creation::TopicCreationSpec;
use crate::transforms::{self, TransformSpec};
use crate::value::trim;
use crate::worker::WorkerConfig;

/// `errors.*` of sources and sinks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorsSpec {
    /// `errors.retry.timeout`: `None` = for ever, zero = no retry.
    pub retry_timeout: Option<Duration>,
    /// `errors.retry.delay.max.ms`.
    pub retry_delay_max: Duration,
    /// `errors.tolerance=all`.
    pub tolerate_all: bool,
    /// `errors.log.enable`.
    pub log: bool,
    /// `errors.log.include.messages`.
    pub log_messages: bool,
}

/// Bounds of one call of the plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchBounds {
    /// `batch.max.records`.
    pub records_max: u32,
    /// `batch.max.bytes`.
    pub bytes_max: u32,
    /// `batch.linger.ms`.
    pub linger: Duration,
}

/// What a sink consumes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Topics {
    /// `topics`, without duplicates.
    List(Vec<String>),
    /// `topics.regex`, matching whole names.
    Regex(String),
}

/// Where dead letters go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetterSpec {
    /// `errors.deadletterqueue.topic.name`.
    pub topic: String,
    /// `errors.deadletterqueue.topic.replication.factor`, for a topic that must be made.
    pub replication_factor: i16,
    /// `errors.deadletterqueue.context.headers.enable`.
    pub context_headers: bool,
}

/// What only sinks have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SinkSpec {
    /// What it consumes.
    pub topics: Topics,
    /// Its dead letter queue.
    pub dead_letter: Option<DeadLetterSpec>,
}

/// What only sources have.
#[derive(Clone, Debug)]
pub struct SourceSpec {
    /// How topics are made; `None` = as the broker does (or the worker's `topic.creation.enable` is false).
    pub topic_creation: Option<TopicCreationSpec>,
    /// `exactly.once.support=required`.
    pub exactly_once_required: bool,
    /// `offsets.storage.topic`.
    pub offsets_topic: Option<String>,
}

/// A connector, checked.
#[derive(Clone)]
pub struct ConnectorSpec {
    /// Its name.
    pub name: String,
    /// Class as the user wrote it.
    pub class: String,
    /// `connector.plugin.version`: a version or range; `None` = the newest.
    pub version: Option<String>,
    /// Source or sink.
    pub kind: PluginKind,
    /// `tasks.max`.
    pub tasks_max: u32,
    /// `tasks.max.enforce`.
    pub tasks_max_enforce: bool,
    /// Converters, its own or the worker's.
    pub converters: Converters,
    /// The chain, in order.
    pub transforms: Vec<TransformSpec>,
    /// Error handling.
    pub errors: ErrorsSpec,
    /// Bounds of one call.
    pub batch: BatchBounds,
    /// Automatic restarts of its tasks.
    pub restart: RestartSpec,
    /// Sinks only.
    pub sink: Option<SinkSpec>,
    /// Sources only.
    pub source: Option<SourceSpec>,
    /// `producer.override.*`, prefix cut off.
    pub producer: IndexMap<String, String>,
    /// `consumer.override.*`, prefix cut off.
    pub consumer: IndexMap<String, String>,
    /// `admin.override.*`, prefix cut off.
    pub admin: IndexMap<String, String>,
    /// Everything as it came; what the plugin gets.
    pub raw: IndexMap<String, String>,
}

impl std::fmt::Debug for ConnectorSpec {
    /// Without settings: they may hold secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("ConnectorSpec");
        shown.field("name", &self.name).field("class", &self.class).field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl ConnectorSpec {
    /// The class that a configuration names. Error: Kafka Connect's text for a configuration without one, keys only.
    pub fn class_of(raw: &RawConfig) -> Result<&str, ConfigErrors> {
        let class = raw.get("connector.class").and_then(Option::as_deref).map(trim);
        class.ok_or_else(|| {
            let keys = raw.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            let text = format!("Connector config {{{keys}}} contains no connector type");
            ConfigErrors(vec![ConfigError::new("connector.class", text)])
        })
    }

    /// Checks and types a configuration. `kind` is that of the class (source or sink). `allow_list` is the host's own list
    /// of client settings that a connector may override.
    pub fn parse(
        name: &str,
        kind: PluginKind,
        raw: &RawConfig,
        worker: &WorkerConfig,
        allow_list: &dyn Fn(Client, &str) -> Result<(), String>,
    ) -> Result<Self, ConfigErrors> {
        let mut raw = raw.clone();
        raw.entry("name".to_owned()).or_insert_with(|| Some(name.to_owned()));
        let settings = read(kind, &raw, worker);
        let mut errors: Vec<ConfigError> = settings.errors().cloned().collect();
        errors.extend(nulls(&raw));
        errors.extend(overrides::refused(&worker.override_policy, &raw, allow_list));
        ConfigErrors::check(errors)?;
        Ok(Self::typed(name, kind, &raw, worker, &settings))
    }

    fn typed(name: &str, kind: PluginKind, raw: &RawConfig, worker: &WorkerConfig, settings: &Settings) -> Self {
        let text = |key: &str| settings.filled(key).map(str::to_owned);
        Self {
            name: name.to_owned(),
            class: text("connector.class").unwrap_or_default(),
            version: text("connector.plugin.version"),
            kind,
            tasks_max: settings.fits("tasks.max"),
            tasks_max_enforce: settings.flag("tasks.max.enforce"),
            converters: Converters::resolve(raw, &worker.converters),
            transforms: transforms::parse(settings, raw),
            errors: errors_spec(settings),
            batch: BatchBounds {
                records_max: settings.fits("batch.max.records"),
                bytes_max: settings.fits("batch.max.bytes"),
                linger: Duration::from_millis(settings.fits("batch.linger.ms")),
            },
            restart: RestartSpec::of_connector(settings, &worker.restart),
            sink: (kind == PluginKind::Sink).then(|| sink_spec(settings)),
            source: (kind == PluginKind::Source).then(|| source_spec(settings, raw, worker)),
            producer: overrides::of(Client::Producer, raw),
            consumer: overrides::of(Client::Consumer, raw),
            admin: overrides::of(Client::Admin, raw),
            raw: raw.iter().filter_map(|(key, value)| Some((key.clone(), value.clone()?))).collect(),
        }
    }
}

/// Reads all framework keys of a connector, with the checks that need several of them.
pub fn read(kind: PluginKind, raw: &RawConfig, worker: &WorkerConfig) -> Settings {
    let first = Settings::read(framework(kind), raw);
    let mut dynamic = transforms::definitions(first.list("transforms"), first.list("predicates"));
    let groups = first.list("topic.creation.groups");
    if kind == PluginKind::Source {
        dynamic.extend(TopicCreationSpec::definitions(groups, raw));
    }
    let mut settings = Settings::read(framework(kind).iter().chain(&dynamic), raw);
    transforms::cross_check(&mut settings, raw);
    match kind {
        PluginKind::Sink => sink_cross_check(&mut settings, raw, worker),
        PluginKind::Source => {
            for error in TopicCreationSpec::strangers(groups, raw) {
                settings.blame(&error.key.clone(), error);
            }
            source_cross_check(&mut settings);
        }
        PluginKind::Transform | PluginKind::Predicate => {}
    }
    settings
}

/// Kafka Connect's error for every null.
pub fn nulls(raw: &RawConfig) -> impl Iterator<Item = ConfigError> {
    let nulls = raw.iter().filter(|(_, value)| value.is_none());
    nulls.map(|(key, _)| ConfigError::new(key, "Null value can not be supplied as the configuration value."))
}

fn sink_cross_check(settings: &mut Settings, raw: &RawConfig, worker: &WorkerConfig) {
    let topics = settings.list("topics").to_vec();
    let pattern = settings.filled("topics.regex").map(str::to_owned);
    let clash = match (topics.is_empty(), &pattern) {
        (true, None) => Some("Must configure one of topics or topics.regex"),
        (false, Some(_)) => Some("topics and topics.regex are mutually exclusive options, but both are set."),
        _ => None,
    };
    for key in ["topics", "topics.regex"] {
        if let Some(text) = clash {
            settings.blame(key, ConfigError::new(key, text));
        }
    }
    dead_letter_cross_check(settings, &topics, pattern.as_deref());
    group_cross_check(settings, raw, worker);
}

fn dead_letter_cross_check(settings: &mut Settings, topics: &[String], pattern: Option<&str>) {
    let Some(dead) = settings.filled("errors.deadletterqueue.topic.name").map(str::to_owned) else { return };
    if topics.contains(&dead) {
        let listed = topics.join(", ");
        let text = format!(
            "The DLQ topic '{dead}' may not be included in the list of topics ('topics=[{listed}]') consumed by the connector"
        );
        settings.blame("topics", ConfigError::new("topics", text));
    }
    let matches = |pattern: &str| regex(pattern).is_ok_and(|regex| regex.is_match(&dead).unwrap_or(false));
    if let Some(pattern) = pattern.filter(|pattern| matches(pattern)) {
        let text = format!(
            "The DLQ topic '{dead}' may not be matched by the regex for the topics ('topics.regex={pattern}') consumed by the connector"
        );
        settings.blame("topics.regex", ConfigError::new("topics.regex", text));
    }
}

fn group_cross_check(settings: &mut Settings, raw: &RawConfig, worker: &WorkerConfig) {
    let Some(worker_group) = worker.group_id() else { return };
    let key = "consumer.override.group.id";
    let name = settings.text("name").unwrap_or_default().to_owned();
    match raw.get(key) {
        Some(Some(group)) if group == worker_group => {
            let text = format!("Consumer group {group} conflicts with Connect worker group {worker_group}");
            settings.blame(key, ConfigError::new(key, text));
        }
        None | Some(None) if format!("connect-{name}") == worker_group => {
            let text = format!(
                "Consumer group for sink connector named {name} conflicts with Connect worker group {worker_group}"
            );
            settings.blame("name", ConfigError::new("name", text));
        }
        _ => {}
    }
}

fn source_cross_check(settings: &mut Settings) {
    let key = "exactly.once.support";
    if settings.text(key).is_some_and(|text| text.eq_ignore_ascii_case("required")) {
        settings.blame(key, ConfigError::new(key, "This worker does not have exactly-once source support enabled."));
    }
    let key = "transaction.boundary";
    if settings.text(key).is_some_and(|text| text.eq_ignore_ascii_case("connector")) {
        let text = "The connector does not support connector-defined transaction boundaries with the given configuration. \
                    Please reconfigure it to use a different transaction boundary definition.";
        settings.blame(key, ConfigError::new(key, text));
    }
}

fn errors_spec(settings: &Settings) -> ErrorsSpec {
    let timeout = settings.number("errors.retry.timeout").unwrap_or(0);
    ErrorsSpec {
        retry_timeout: u64::try_from(timeout).ok().map(Duration::from_millis),
        retry_delay_max: Duration::from_millis(settings.fits("errors.retry.delay.max.ms")),
        tolerate_all: settings.text("errors.tolerance") == Some("all"),
        log: settings.flag("errors.log.enable"),
        log_messages: settings.flag("errors.log.include.messages"),
    }
}

fn sink_spec(settings: &Settings) -> SinkSpec {
    let topics = match settings.filled("topics.regex") {
        Some(pattern) => Topics::Regex(pattern.to_owned()),
        None => Topics::List(settings.list("topics").to_vec()),
    };
    let dead_letter = settings.filled("errors.deadletterqueue.topic.name").map(|topic| DeadLetterSpec {
        topic: topic.to_owned(),
        replication_factor: settings.fits("errors.deadletterqueue.topic.replication.factor"),
        context_headers: settings.flag("errors.deadletterqueue.context.headers.enable"),
    });
    SinkSpec { topics, dead_letter }
}

fn source_spec(settings: &Settings, raw: &RawConfig, worker: &WorkerConfig) -> SourceSpec {
    let creation = TopicCreationSpec::parse(settings.list("topic.creation.groups"), raw, settings);
    SourceSpec {
        topic_creation: creation.filter(|_| worker.topic_creation_enable),
        exactly_once_required: settings
            .text("exactly.once.support")
            .is_some_and(|t| t.eq_ignore_ascii_case("required")),
        offsets_topic: settings.filled("offsets.storage.topic").map(str::to_owned),
    }
}

#[cfg(test)]
mod tests;
