//! States of connectors and tasks in Kafka Connect's status topic (`status.storage.topic`).
//!
//! Enters: states that this worker reports, records of the topic. Leaves: the last state of everything, by any worker.
//! Invariant: all five fields are always written, absent ones as null, in Connect's order.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{CompactedLog, LogError, LogOptions, LogReader};

/// What a state is of.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StatusKey {
    /// A connector.
    Connector(String),
    /// A task of a connector.
    Task(String, u32),
    /// A topic that a connector uses: topic, connector.
    Topic(String, String),
}

/// A state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// `RUNNING`, `PAUSED`, `STOPPED`, `FAILED`, `UNASSIGNED`, `RESTARTING`.
    pub state: String,
    /// Why it failed.
    #[serde(default)]
    pub trace: Option<String>,
    /// `host:port` of the worker that says so.
    #[serde(default)]
    pub worker_id: String,
    /// Rebalance generation of the worker.
    #[serde(default)]
    pub generation: i32,
    /// Version of the plugin.
    #[serde(default)]
    pub version: Option<String>,
}

/// What the records add up to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatusState {
    /// Connectors by name.
    pub connectors: BTreeMap<String, Status>,
    /// Tasks by connector and number.
    pub tasks: BTreeMap<(String, u32), Status>,
    /// Active topics by connector.
    pub topics: BTreeMap<String, BTreeSet<String>>,
}

impl StatusState {
    /// Takes one record; what changed.
    pub fn apply(&mut self, key: &[u8], value: Option<&[u8]>) -> Option<StatusKey> {
        let parsed = std::str::from_utf8(key).ok().and_then(parse_key);
        let Some(key) = parsed else {
            tracing::info!(key = %String::from_utf8_lossy(key), "unknown key in the status topic: skipped");
            return None;
        };
        let value = value.filter(|value| *value != b"null");
        match (&key, value) {
            (StatusKey::Connector(name), None) => drop(self.connectors.remove(name)),
            (StatusKey::Task(name, task), None) => drop(self.tasks.remove(&(name.clone(), *task))),
            (StatusKey::Topic(topic, name), None) => {
                if let Some(topics) = self.topics.get_mut(name) {
                    topics.remove(topic);
                }
            }
            (StatusKey::Topic(topic, name), Some(_)) => {
                self.topics.entry(name.clone()).or_default().insert(topic.clone());
            }
            (_, Some(value)) => match serde_json::from_slice::<Status>(value) {
                Ok(status) => match &key {
                    StatusKey::Task(name, task) => drop(self.tasks.insert((name.clone(), *task), status)),
                    StatusKey::Connector(name) | StatusKey::Topic(_, name) => {
                        self.connectors.insert(name.clone(), status);
                    }
                },
                Err(error) => {
                    tracing::error!(?key, %error, "unreadable record in the status topic: skipped");
                    return None;
                }
            },
        }
        Some(key)
    }
}

/// The status topic: its state, and what comes next.
pub struct StatusLog {
    log: CompactedLog,
    reader: LogReader,
    state: StatusState,
}

impl StatusLog {
    /// Opens the topic and reads it to its end.
    pub async fn open(options: LogOptions) -> Result<Self, LogError> {
        let (log, reader) = CompactedLog::open(options).await?;
        let mut statuses = Self { log, reader, state: StatusState::default() };
        statuses.refresh().await?;
        Ok(statuses)
    }

    /// What the records read so far add up to.
    pub fn state(&self) -> &StatusState {
        &self.state
    }

    /// The next change, waiting for it. Cancel safe.
    pub async fn next(&mut self) -> Result<StatusKey, LogError> {
        loop {
            let record = self.reader.next().await.map_err(|source| self.fault(source))?;
            if let Some(key) = self.state.apply(&record.key, record.value.as_deref()) {
                return Ok(key);
            }
        }
    }

    /// Reads to the end; what changed on the way.
    pub async fn refresh(&mut self) -> Result<Vec<StatusKey>, LogError> {
        let records = self.reader.read_to_end().await.map_err(|source| self.fault(source))?;
        Ok(records.iter().filter_map(|r| self.state.apply(&r.key, r.value.as_deref())).collect())
    }

    /// The writing side.
    pub fn writer(&self) -> StatusWriter {
        StatusWriter { log: self.log.clone() }
    }

    fn fault(&self, source: lockgate_model::fault::KafkaFault) -> LogError {
        LogError::Kafka { topic: self.log.topic().to_owned(), source }
    }
}

/// Writes to the status topic. Each call resolves when the broker has acknowledged.
#[derive(Clone)]
pub struct StatusWriter {
    log: CompactedLog,
}

impl StatusWriter {
    /// A connector's or task's state; `None` removes it.
    pub async fn put(&self, key: &StatusKey, status: Option<&Status>) -> Result<(), LogError> {
        let value = status.map(status_text);
        self.log.write(key_text(key).as_bytes(), value.as_deref().map(str::as_bytes)).await
    }

    /// A connector uses a topic; `task` is the one that did first, `discovered_ms` when.
    pub async fn put_topic(&self, topic: &str, connector: &str, task: u32, discovered_ms: i64) -> Result<(), LogError> {
        let key = key_text(&StatusKey::Topic(topic.to_owned(), connector.to_owned()));
        self.log.write(key.as_bytes(), Some(topic_text(topic, connector, task, discovered_ms).as_bytes())).await
    }

    /// Forgets that a connector used a topic.
    pub async fn remove_topic(&self, topic: &str, connector: &str) -> Result<(), LogError> {
        let key = key_text(&StatusKey::Topic(topic.to_owned(), connector.to_owned()));
        self.log.write(key.as_bytes(), None).await
    }
}

fn key_text(key: &StatusKey) -> String {
    match key {
        StatusKey::Connector(name) => format!("status-connector-{name}"),
        StatusKey::Task(name, task) => format!("status-task-{name}-{task}"),
        StatusKey::Topic(topic, name) => format!("status-topic-{topic}:connector-{name}"),
    }
}

fn parse_key(key: &str) -> Option<StatusKey> {
    if let Some(name) = key.strip_prefix("status-connector-") {
        return Some(StatusKey::Connector(name.to_owned()));
    }
    if let Some(id) = key.strip_prefix("status-task-") {
        let (name, task) = id.rsplit_once('-')?;
        return Some(StatusKey::Task(name.to_owned(), task.parse().ok()?));
    }
    let (topic, name) = key.strip_prefix("status-topic-")?.split_once(':')?;
    Some(StatusKey::Topic(topic.to_owned(), name.strip_prefix("connector-")?.to_owned()))
}

fn status_text(status: &Status) -> String {
    let Status { state, trace, worker_id, generation, version } = status;
    json!({ "state": state, "trace": trace, "worker_id": worker_id, "generation": generation, "version": version })
        .to_string()
}

fn topic_text(topic: &str, connector: &str, task: u32, discovered_ms: i64) -> String {
    let value: Value =
        json!({ "topic": { "name": topic, "connector": connector, "task": task, "discoverTimestamp": discovered_ms } });
    value.to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn running() -> Status {
        Status {
            state: "RUNNING".into(),
            trace: None,
            worker_id: "127.0.0.1:18083".into(),
            generation: 4,
            version: Some("4.3.1".into()),
        }
    }

    #[test]
    fn texts_are_kafka_connects() {
        let text = r#"{"state":"RUNNING","trace":null,"worker_id":"127.0.0.1:18083","generation":4,"version":"4.3.1"}"#;
        assert_eq!(status_text(&running()), text);
        let topic = r#"{"topic":{"name":"t","connector":"a","task":0,"discoverTimestamp":7}}"#;
        assert_eq!(topic_text("t", "a", 0, 7), topic);
    }

    #[test]
    fn keys_are_read_as_they_are_written() {
        for key in [
            StatusKey::Connector("a-1".into()),
            StatusKey::Task("a-b".into(), 3),
            StatusKey::Topic("t.x".into(), "a:b".into()),
        ] {
            assert_eq!(parse_key(&key_text(&key)), Some(key));
        }
        assert_eq!(parse_key("status-task-x"), None);
        assert_eq!(parse_key("nonsense"), None);
    }

    #[test]
    fn the_last_state_counts_null_removes_and_old_records_lack_a_version() {
        let mut state = StatusState::default();
        let old = br#"{"state":"FAILED","trace":"boom","worker_id":"w","generation":1}"#;
        state.apply(b"status-task-a-0", Some(old));
        assert_eq!(state.tasks[&("a".into(), 0)].trace.as_deref(), Some("boom"));
        state.apply(b"status-task-a-0", Some(status_text(&running()).as_bytes()));
        assert_eq!(state.tasks[&("a".into(), 0)], running());
        state.apply(b"status-task-a-0", Some(b"{"));
        assert_eq!(state.tasks[&("a".into(), 0)], running());
        state.apply(b"status-task-a-0", None);
        assert!(state.tasks.is_empty());
        state.apply(b"status-topic-t:connector-a", Some(b"{}"));
        assert!(state.topics["a"].contains("t"));
        state.apply(b"status-topic-t:connector-a", None);
        assert!(state.topics["a"].is_empty());
    }
}
