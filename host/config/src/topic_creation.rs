//! `topic.creation.*`: how topics are made that a source writes to (KIP-158).
//!
//! Enters: a source's configuration. Leaves: groups, the first one that matches a topic winning, `default` last.
//! Invariant: every group has partitions and a replication factor.

use std::sync::Arc;

use fancy_regex::Regex;
use lockgate_model::ports::TopicCreation;

use crate::RawConfig;
use crate::definitions::{Known, of_topic_group};
use crate::error::ConfigError;
use crate::nearest::nearest;
use crate::reading::{Settings, regex};

const PREFIX: &str = "topic.creation.";
const DEFAULT: &str = "default";

/// Settings for topics whose names match.
#[derive(Clone, Debug)]
pub struct TopicGroup {
    /// Name of the group.
    pub name: String,
    /// Partitions, -1 = the broker's default.
    pub partitions: i32,
    /// Replicas, -1 = the broker's default.
    pub replication_factor: i16,
    /// Topic settings.
    pub config: Vec<(String, String)>,
    include: Arc<[Regex]>,
    exclude: Arc<[Regex]>,
}

/// All groups of a connector; the last one is `default` and matches everything.
#[derive(Clone, Debug)]
pub struct TopicCreationSpec {
    /// In the order in which they are tried; never empty.
    pub groups: Vec<TopicGroup>,
}

impl TopicCreationSpec {
    /// How a topic is to be made.
    pub fn of_topic(&self, topic: &str) -> TopicCreation {
        let group = self.groups.iter().find(|group| group.matches(topic)).or(self.groups.last());
        group.map_or(
            TopicCreation { create: false, partitions: -1, replication_factor: -1, config: Vec::new() },
            |group| TopicCreation {
                create: true,
                partitions: group.partitions,
                replication_factor: group.replication_factor,
                config: group.config.clone(),
            },
        )
    }

    /// Definitions of the groups that a configuration names; empty if it has no `topic.creation.*` at all.
    pub fn definitions(groups: &[String], raw: &RawConfig) -> Vec<Known> {
        if !raw.keys().any(|key| key.starts_with(PREFIX)) {
            return Vec::new();
        }
        names(groups).flat_map(of_topic_group).collect()
    }

    /// Reads the groups; `settings` holds what [`Self::definitions`] defines. `None` without any `topic.creation.*`.
    pub fn parse(groups: &[String], raw: &RawConfig, settings: &Settings) -> Option<Self> {
        if !raw.keys().any(|key| key.starts_with(PREFIX)) {
            return None;
        }
        let default = TopicGroup::read(DEFAULT, raw, settings, None);
        let named = groups.iter().filter(|name| *name != DEFAULT);
        let mut all: Vec<_> = named.map(|name| TopicGroup::read(name, raw, settings, Some(&default))).collect();
        all.push(default);
        Some(Self { groups: all })
    }

    /// Settings of groups that `topic.creation.groups` does not name.
    pub fn strangers(groups: &[String], raw: &RawConfig) -> Vec<ConfigError> {
        let mut errors = Vec::new();
        for key in raw.keys() {
            let Some(group) = key.strip_prefix(PREFIX).and_then(|rest| rest.split_once('.')).map(|(g, _)| g) else {
                continue;
            };
            if names(groups).all(|name| name != group) {
                let text = format!("{key} is of the group {group}, which {PREFIX}groups does not name");
                errors.push(ConfigError::new(key, text).near(nearest(group, names(groups))));
            }
        }
        errors
    }
}

fn names(groups: &[String]) -> impl Iterator<Item = &str> {
    groups.iter().map(String::as_str).filter(|name| *name != DEFAULT).chain([DEFAULT])
}

impl TopicGroup {
    fn matches(&self, topic: &str) -> bool {
        let any = |patterns: &[Regex]| patterns.iter().any(|p| p.is_match(topic).unwrap_or(false));
        self.name == DEFAULT || (any(&self.include) && !any(&self.exclude))
    }

    fn read(name: &str, raw: &RawConfig, settings: &Settings, default: Option<&Self>) -> Self {
        let key = |part: &str| format!("{PREFIX}{name}.{part}");
        let patterns =
            |part: &str| settings.list(&key(part)).iter().filter_map(|p| regex(p).ok()).collect::<Vec<_>>().into();
        let number = |part: &str, inherited: Option<i64>| settings.number(&key(part)).or(inherited).unwrap_or(-1);
        let partitions = number("partitions", default.map(|d| i64::from(d.partitions)));
        let replicas = number("replication.factor", default.map(|d| i64::from(d.replication_factor)));
        let prefix = key("");
        let own = raw.iter().filter_map(|(key, value)| Some((key.strip_prefix(&prefix)?, value.clone()?)));
        let framework = ["include", "exclude", "partitions", "replication.factor"];
        let config = own.filter(|(key, _)| !framework.contains(key)).map(|(key, value)| (key.to_owned(), value));
        Self {
            name: name.to_owned(),
            partitions: i32::try_from(partitions).unwrap_or(-1),
            replication_factor: i16::try_from(replicas).unwrap_or(-1),
            config: config.collect(),
            include: patterns("include"),
            exclude: patterns("exclude"),
        }
    }
}
