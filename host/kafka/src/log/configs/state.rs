//! What the records of the config topic add up to.
//!
//! Enters: records in order. Leaves: connectors with their target states and tasks. Invariant: the commit rule (see
//! [`super`]). Pure: no I/O, no clock.

use std::collections::{BTreeMap, HashMap};

use indexmap::IndexMap;

use super::affairs::{LoggerLevel, SessionKey};
use super::records::{Record, RestartRequest, Skip, TargetState, parse};

/// Connectors by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfigState {
    /// Those with a configuration.
    pub connectors: BTreeMap<String, ConnectorEntry>,
    /// The group's session key, if it has one.
    pub session_key: Option<SessionKey>,
    /// How many transactional producers the tasks of a connector may have; it outlives the connector, as they may.
    pub task_counts: BTreeMap<String, u32>,
    /// Target states may stand before the configuration that they belong to.
    targets: HashMap<String, TargetState>,
    /// Task records since the last commit record of their connector.
    uncommitted: HashMap<String, BTreeMap<u32, Properties>>,
}

type Properties = IndexMap<String, Option<String>>;

/// One connector.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectorEntry {
    /// Its configuration.
    pub config: Properties,
    /// What it should be doing.
    pub target: TargetState,
    /// Its tasks.
    pub tasks: TaskConfigs,
}

/// The tasks of a connector.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskConfigs {
    /// Their configurations, task 0 first.
    pub configs: Vec<Properties>,
    /// The connector configuration that was in force when they were committed; `None` = there was no commit yet.
    pub applied: Option<Properties>,
    /// True if the last commit record stood behind an incomplete set (compaction can do that): the connector has no tasks
    /// until they are written again.
    pub inconsistent: bool,
}

/// A change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigEvent {
    /// The connector has a new configuration.
    Connector(String),
    /// The connector is gone.
    Removed(String),
    /// The connector has a new target state.
    Target(String, TargetState),
    /// The connector's tasks are new (or inconsistent).
    Tasks(String),
    /// Somebody asks for a restart. Old ones are read again at every start: act only on those that come after it.
    Restart(RestartRequest),
    /// The group has a new session key.
    SessionKey,
    /// The number of producers to be fenced before tasks of this connector start is new.
    TaskCount(String),
    /// Somebody sets a level for all workers. Old ones are read again at every start: act only on those that come after it.
    Logger(LoggerLevel),
}

impl ConfigState {
    /// Takes one record.
    pub fn apply(&mut self, key: &[u8], value: Option<&[u8]>) -> Option<ConfigEvent> {
        match parse(key, value) {
            Ok(record) => self.on_record(record),
            Err(Skip::UnknownKey) => {
                tracing::info!(key = %String::from_utf8_lossy(key), "unknown key in the config topic: skipped");
                None
            }
            Err(Skip::Unparsable(why)) => {
                let key = String::from_utf8_lossy(key);
                tracing::error!(%key, why, "unreadable record in the config topic: skipped, the state before it stays");
                None
            }
        }
    }

    fn on_record(&mut self, record: Record) -> Option<ConfigEvent> {
        match record {
            Record::Connector { name, properties: Some(config) } => {
                let target = self.targets.get(&name).copied().unwrap_or_default();
                let entry = self.connectors.entry(name.clone()).or_default();
                entry.config = config;
                entry.target = target;
                Some(ConfigEvent::Connector(name))
            }
            Record::Connector { name, properties: None } => {
                self.targets.remove(&name);
                self.uncommitted.remove(&name);
                self.connectors.remove(&name).map(|_| ConfigEvent::Removed(name))
            }
            Record::Target { name, target } => {
                self.targets.insert(name.clone(), target);
                let entry = self.connectors.get_mut(&name)?;
                entry.target = target;
                Some(ConfigEvent::Target(name, target))
            }
            Record::Task { name, task, properties } => {
                self.uncommitted.entry(name).or_default().insert(task, properties);
                None
            }
            Record::Commit { name, tasks } => self.commit(name, tasks),
            Record::Restart(request) => Some(ConfigEvent::Restart(request)),
            Record::SessionKey(key) => {
                self.session_key = Some(key);
                Some(ConfigEvent::SessionKey)
            }
            Record::TaskCount { name, tasks } => {
                self.task_counts.insert(name.clone(), tasks);
                Some(ConfigEvent::TaskCount(name))
            }
            Record::Logger(level) => Some(ConfigEvent::Logger(level)),
            Record::Nothing => None,
        }
    }

    fn commit(&mut self, name: String, tasks: u32) -> Option<ConfigEvent> {
        let mut written = self.uncommitted.remove(&name).unwrap_or_default();
        // Left over from a connector that was deleted.
        let entry = self.connectors.get_mut(&name)?;
        let complete = (0..tasks).all(|task| written.contains_key(&task));
        entry.tasks = if complete {
            let configs = (0..tasks).filter_map(|task| written.remove(&task)).collect();
            TaskConfigs { configs, applied: Some(entry.config.clone()), inconsistent: false }
        } else {
            tracing::warn!(connector = name, tasks, "task configurations are incomplete: they must be written again");
            TaskConfigs { configs: Vec::new(), applied: None, inconsistent: true }
        };
        Some(ConfigEvent::Tasks(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(state: &mut ConfigState, key: &str, value: &str) -> Option<ConfigEvent> {
        state.apply(key.as_bytes(), (value != "-").then_some(value.as_bytes()))
    }

    fn state(records: &[(&str, &str)]) -> ConfigState {
        let mut state = ConfigState::default();
        for (key, value) in records {
            apply(&mut state, key, value);
        }
        state
    }

    const CONFIG: &str = r#"{"properties":{"name":"a"}}"#;
    const T: &str = r#"{"properties":{"t":"1"}}"#;

    #[test]
    fn tasks_count_only_from_their_commit_record_on() {
        let mut state = state(&[("connector-a", CONFIG), ("task-a-0", T), ("task-a-1", T)]);
        assert_eq!(state.connectors["a"].tasks.configs.len(), 0);
        assert_eq!(apply(&mut state, "commit-a", r#"{"tasks":2}"#), Some(ConfigEvent::Tasks("a".into())));
        let tasks = &state.connectors["a"].tasks;
        assert_eq!((tasks.configs.len(), tasks.inconsistent), (2, false));
        assert_eq!(tasks.applied.as_ref(), Some(&state.connectors["a"].config));
    }

    #[test]
    fn an_incomplete_set_leaves_no_tasks_until_rewritten() {
        let one = [("connector-a", CONFIG), ("task-a-0", T), ("commit-a", r#"{"tasks":1}"#)];
        let mut state = state(&one);
        apply(&mut state, "task-a-1", T);
        apply(&mut state, "commit-a", r#"{"tasks":2}"#);
        assert_eq!(state.connectors["a"].tasks.configs.len(), 0);
        assert!(state.connectors["a"].tasks.inconsistent);
        for (key, value) in [("task-a-0", T), ("task-a-1", T), ("task-a-7", T), ("commit-a", r#"{"tasks":2}"#)] {
            apply(&mut state, key, value);
        }
        assert_eq!(state.connectors["a"].tasks.configs.len(), 2);
        assert!(!state.connectors["a"].tasks.inconsistent);
    }

    #[test]
    fn deleting_removes_everything_and_leftover_commits_are_ignored() {
        let mut state =
            state(&[("connector-a", CONFIG), ("target-state-a", r#"{"state.v2":"STOPPED"}"#), ("task-a-0", T)]);
        assert_eq!(apply(&mut state, "connector-a", "-"), Some(ConfigEvent::Removed("a".into())));
        apply(&mut state, "target-state-a", "-");
        assert_eq!(apply(&mut state, "commit-a", r#"{"tasks":1}"#), None);
        apply(&mut state, "connector-a", CONFIG);
        assert_eq!(state.connectors["a"].target, TargetState::Started);
        assert_eq!(state.connectors["a"].tasks, TaskConfigs::default());
    }

    #[test]
    fn a_target_state_before_its_connector_counts() {
        let state = state(&[("target-state-a", r#"{"state":"PAUSED","state.v2":"STOPPED"}"#), ("connector-a", CONFIG)]);
        assert_eq!(state.connectors["a"].target, TargetState::Stopped);
    }

    #[test]
    fn the_groups_own_affairs_are_kept_and_told() {
        let mut state = ConfigState::default();
        let key = r#"{"key":"a2V5","algorithm":"HmacSHA256","creation-timestamp":7}"#;
        assert_eq!(apply(&mut state, "session-key", key), Some(ConfigEvent::SessionKey));
        assert_eq!(state.session_key.as_ref().map(|k| (k.key.as_str(), k.created_ms)), Some(("a2V5", 7)));
        let event = apply(&mut state, "tasks-fencing-a", r#"{"task-count":2}"#);
        assert_eq!((event, state.task_counts["a"]), (Some(ConfigEvent::TaskCount("a".into())), 2));
        apply(&mut state, "connector-a", CONFIG);
        apply(&mut state, "connector-a", "-");
        assert_eq!(state.task_counts["a"], 2);
        let level = LoggerLevel { namespace: "n".into(), level: "DEBUG".into() };
        assert_eq!(apply(&mut state, "logger-cluster-n", r#"{"level":"DEBUG"}"#), Some(ConfigEvent::Logger(level)));
    }

    #[test]
    fn unreadable_records_change_nothing() {
        let mut state = state(&[("connector-a", CONFIG)]);
        let before = state.clone();
        for (key, value) in [("connector-a", "{"), ("zzz", "1"), ("commit-a", "{}"), ("target-state-a", "{}")] {
            assert_eq!(apply(&mut state, key, value), None);
        }
        assert_eq!(state, before);
    }
}
