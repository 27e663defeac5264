//! States of connectors and tasks in Kafka Connect's status topic (`status.storage.topic`).
//!
//! Enters: states that this worker reports, records of the topic. Leaves: the last state of everything, by any worker.
//! Invariant: all five fields are always written, absent ones as null, in Connect's order.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;

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

/// A topic that a connector uses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopicStatus {
    /// The topic.
    pub name: String,
    /// The connector.
    pub connector: String,
    /// The task that used it first.
    pub task: u32,
    /// When, milliseconds since the epoch.
    #[serde(rename = "discoverTimestamp")]
    pub discovered_ms: i64,
}

/// As it stands in the topic.
#[derive(Serialize, Deserialize)]
struct Wrapped<T> {
    topic: T,
}

/// What the records add up to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatusState {
    /// Connectors by name.
    pub connectors: BTreeMap<String, Status>,
    /// Tasks by connector and number.
    pub tasks: BTreeMap<(String, u32), Status>,
    /// Active topics by connector and topic.
    pub topics: BTreeMap<String, BTreeMap<String, TopicStatus>>,
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
                    if topics.is_empty() {
                        self.topics.remove(name);
                    }
                }
            }
            (StatusKey::Topic(topic, name), Some(value)) => {
                let Wrapped { topic: status } = read::<Wrapped<TopicStatus>>(&key, value)?;
                self.topics.entry(name.clone()).or_default().insert(topic.clone(), status);
            }
            (StatusKey::Task(name, task), Some(value)) => {
                self.tasks.insert((name.clone(), *task), read(&key, value)?);
            }
            (StatusKey::Connector(name), Some(value)) => {
                self.connectors.insert(name.clone(), read(&key, value)?);
            }
        }
        Some(key)
    }

    /// Everything that is known of a connector: what its deletion removes.
    pub fn keys_of(&self, connector: &str) -> Vec<StatusKey> {
        let own = self.connectors.contains_key(connector).then(|| StatusKey::Connector(connector.to_owned()));
        let tasks = self.tasks.keys().filter(|(name, _)| name == connector);
        let tasks = tasks.map(|(name, task)| StatusKey::Task(name.clone(), *task));
        let topics = self.topics.get(connector).into_iter().flat_map(BTreeMap::keys);
        let topics = topics.map(|topic| StatusKey::Topic(topic.clone(), connector.to_owned()));
        own.into_iter().chain(tasks).chain(topics).collect()
    }
}

fn read<'a, T: Deserialize<'a>>(key: &StatusKey, value: &'a [u8]) -> Option<T> {
    let read = serde_json::from_slice(value);
    if let Err(error) = &read {
        tracing::error!(?key, %error, "unreadable record in the status topic: skipped");
    }
    read.ok()
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

    /// A connector uses a topic.
    pub async fn put_topic(&self, status: &TopicStatus) -> Result<(), LogError> {
        let key = key_text(&StatusKey::Topic(status.name.clone(), status.connector.clone()));
        self.log.write(key.as_bytes(), Some(topic_text(status).as_bytes())).await
    }

    /// Removes all of these, in this order; see [`StatusState::keys_of`]. A reset of active topics gives only topics.
    pub async fn remove(&self, keys: &[StatusKey]) -> Result<(), LogError> {
        let texts: Vec<String> = keys.iter().map(key_text).collect();
        let records: Vec<_> = texts.iter().map(|key| (key.as_bytes(), None)).collect();
        if records.is_empty() { Ok(()) } else { self.log.write_all(&records).await }
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

/// `{"topic":{"name":...,"connector":...,"task":...,"discoverTimestamp":...}}`
fn topic_text(status: &TopicStatus) -> String {
    json!(Wrapped { topic: status }).to_string()
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

    fn used(topic: &str) -> TopicStatus {
        TopicStatus { name: topic.into(), connector: "a".into(), task: 0, discovered_ms: 7 }
    }

    #[test]
    fn texts_are_kafka_connects() {
        let text = r#"{"state":"RUNNING","trace":null,"worker_id":"127.0.0.1:18083","generation":4,"version":"4.3.1"}"#;
        assert_eq!(status_text(&running()), text);
        let topic = r#"{"topic":{"name":"t","connector":"a","task":0,"discoverTimestamp":7}}"#;
        assert_eq!(topic_text(&used("t")), topic);
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
        assert!(state.topics.is_empty());
        state.apply(b"status-topic-t:connector-a", Some(topic_text(&used("t")).as_bytes()));
        assert_eq!(state.topics["a"]["t"], used("t"));
        state.apply(b"status-topic-t:connector-a", None);
        assert_eq!(state, StatusState::default());
    }

    #[test]
    fn all_that_is_known_of_a_connector_is_what_its_deletion_removes() {
        let mut state = StatusState::default();
        let running = status_text(&running());
        for key in
            ["status-connector-a", "status-task-a-0", "status-task-a-1", "status-task-ab-0", "status-connector-b"]
        {
            state.apply(key.as_bytes(), Some(running.as_bytes()));
        }
        state.apply(b"status-topic-t:connector-a", Some(topic_text(&used("t")).as_bytes()));
        let keys: Vec<String> = state.keys_of("a").iter().map(key_text).collect();
        assert_eq!(keys, ["status-connector-a", "status-task-a-0", "status-task-a-1", "status-topic-t:connector-a"]);
        for key in keys {
            state.apply(key.as_bytes(), None);
        }
        assert_eq!((state.keys_of("a"), state.connectors.len(), state.tasks.len()), (vec![], 1, 1));
    }
}
