//! The records of the config topic as text.
//!
//! Enters: keys and values. Leaves: typed records, and the texts that Kafka Connect writes: compact JSON, its field order.
//! Invariant: what one side writes the other reads to the same meaning.

use indexmap::IndexMap;
use serde_json::{Value, json};

use super::affairs::{self, LoggerLevel, SessionKey};

/// What a connector should be doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum TargetState {
    /// `STARTED`
    #[default]
    Started,
    /// `PAUSED`
    Paused,
    /// `STOPPED` (KIP-875)
    Stopped,
}

/// A wish to restart, acted on only by workers that were running when it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestartRequest {
    /// The connector.
    pub connector: String,
    /// Its tasks too.
    pub include_tasks: bool,
    /// Only what has failed.
    pub only_failed: bool,
}

/// A record, by its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Record {
    Connector {
        name: String,
        properties: Option<IndexMap<String, Option<String>>>,
    },
    Target {
        name: String,
        target: TargetState,
    },
    Task {
        name: String,
        task: u32,
        properties: IndexMap<String, Option<String>>,
    },
    Commit {
        name: String,
        tasks: u32,
    },
    Restart(RestartRequest),
    SessionKey(SessionKey),
    TaskCount {
        name: String,
        tasks: u32,
    },
    Logger(LoggerLevel),
    /// A wish that was taken back, which changes nothing.
    Nothing,
}

/// Why a record is skipped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Skip {
    UnknownKey,
    Unparsable(&'static str),
}

/// Reads one record. Prefixes are tried in Connect's order, because connector names may begin with any of them.
pub(super) fn parse(key: &[u8], value: Option<&[u8]>) -> Result<Record, Skip> {
    let key = std::str::from_utf8(key).map_err(|_| Skip::UnknownKey)?;
    let json: Option<Value> = match value {
        None => None,
        Some(value) => match serde_json::from_slice(value).map_err(|_| Skip::Unparsable("not JSON"))? {
            Value::Null => None,
            value => Some(value),
        },
    };
    if let Some(name) = key.strip_prefix("target-state-") {
        let target = json.as_ref().map_or(Ok(TargetState::Started), parse_target)?;
        return Ok(Record::Target { name: name.to_owned(), target });
    }
    if let Some(name) = key.strip_prefix("connector-") {
        let properties = json.as_ref().map(parse_properties).transpose()?;
        return Ok(Record::Connector { name: name.to_owned(), properties });
    }
    if let Some(id) = key.strip_prefix("task-") {
        let (name, task) = id.rsplit_once('-').ok_or(Skip::UnknownKey)?;
        let task = task.parse().map_err(|_| Skip::UnknownKey)?;
        let value = json.as_ref().ok_or(Skip::Unparsable("a task without a value"))?;
        return Ok(Record::Task { name: name.to_owned(), task, properties: parse_properties(value)? });
    }
    if let Some(name) = key.strip_prefix("commit-") {
        let tasks = json.as_ref().and_then(|v| v.get("tasks")).and_then(Value::as_u64);
        let tasks = tasks.and_then(|n| u32::try_from(n).ok()).ok_or(Skip::Unparsable("no number of tasks"))?;
        return Ok(Record::Commit { name: name.to_owned(), tasks });
    }
    if let Some(name) = key.strip_prefix("restart-connector-") {
        let flag = |field| json.as_ref().and_then(|v| v.get(field)).and_then(Value::as_bool).unwrap_or(false);
        if json.is_none() {
            return Ok(Record::Nothing);
        }
        let (include_tasks, only_failed) = (flag("include-tasks"), flag("only-failed"));
        return Ok(Record::Restart(RestartRequest { connector: name.to_owned(), include_tasks, only_failed }));
    }
    let said = || json.as_ref().ok_or(Skip::Unparsable("no value"));
    if let Some(name) = key.strip_prefix("tasks-fencing-") {
        return Ok(Record::TaskCount { name: name.to_owned(), tasks: affairs::task_count(said()?)? });
    }
    if key == SESSION_KEY {
        return Ok(Record::SessionKey(affairs::session_key(said()?)?));
    }
    match key.strip_prefix("logger-cluster-") {
        Some(_) if json.is_none() => Ok(Record::Nothing),
        Some(namespace) => Ok(Record::Logger(affairs::logger_level(namespace, said()?)?)),
        None => Err(Skip::UnknownKey),
    }
}

/// The only key without a name in it.
pub(super) const SESSION_KEY: &str = "session-key";

fn parse_properties(value: &Value) -> Result<IndexMap<String, Option<String>>, Skip> {
    let properties = value.get("properties").and_then(Value::as_object).ok_or(Skip::Unparsable("no properties"))?;
    properties
        .iter()
        .map(|(key, value)| match value {
            Value::String(text) => Ok((key.clone(), Some(text.clone()))),
            Value::Null => Ok((key.clone(), None)),
            _ => Err(Skip::Unparsable("a property that is not a text")),
        })
        .collect()
}

fn parse_target(value: &Value) -> Result<TargetState, Skip> {
    let of = |field| match value.get(field).and_then(Value::as_str) {
        Some("STARTED") => Some(TargetState::Started),
        Some("PAUSED") => Some(TargetState::Paused),
        Some("STOPPED") => Some(TargetState::Stopped),
        _ => None,
    };
    of("state.v2").or_else(|| of("state")).ok_or(Skip::Unparsable("no known state"))
}

/// `{"properties":{...}}`
pub(super) fn properties(properties: &IndexMap<String, Option<String>>) -> String {
    json!({ "properties": properties }).to_string()
}

/// `{"state":...,"state.v2":...}`: workers before KIP-875 know no `STOPPED` and take the first.
pub(super) fn target_state(target: TargetState) -> String {
    let (old, new) = match target {
        TargetState::Started => ("STARTED", "STARTED"),
        TargetState::Paused => ("PAUSED", "PAUSED"),
        TargetState::Stopped => ("PAUSED", "STOPPED"),
    };
    format!(r#"{{"state":"{old}","state.v2":"{new}"}}"#)
}

/// `{"tasks":n}`
pub(super) fn commit(tasks: usize) -> String {
    format!(r#"{{"tasks":{tasks}}}"#)
}

/// `{"include-tasks":...,"only-failed":...}`
pub(super) fn restart(request: &RestartRequest) -> String {
    format!(r#"{{"include-tasks":{},"only-failed":{}}}"#, request.include_tasks, request.only_failed)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn texts_are_kafka_connects() {
        let map: IndexMap<String, Option<String>> =
            [("connector.class", Some("FileStreamSource")), ("gone", None), ("name", Some("src"))]
                .into_iter()
                .map(|(k, v)| (k.to_owned(), v.map(ToOwned::to_owned)))
                .collect();
        assert_eq!(
            properties(&map),
            r#"{"properties":{"connector.class":"FileStreamSource","gone":null,"name":"src"}}"#
        );
        assert_eq!(target_state(TargetState::Stopped), r#"{"state":"PAUSED","state.v2":"STOPPED"}"#);
        assert_eq!(commit(3), r#"{"tasks":3}"#);
        let request = RestartRequest { connector: "a".into(), include_tasks: true, only_failed: false };
        assert_eq!(restart(&request), r#"{"include-tasks":true,"only-failed":false}"#);
        assert_eq!(parse(b"restart-connector-a", Some(restart(&request).as_bytes())), Ok(Record::Restart(request)));
    }

    #[test]
    fn keys_are_read_in_connects_order_and_task_numbers_after_the_last_hyphen() {
        let empty = br#"{"properties":{}}"#;
        let parsed = parse(b"task-my-source-12", Some(empty)).unwrap();
        assert!(matches!(parsed, Record::Task { name, task: 12, .. } if name == "my-source"));
        let parsed = parse(b"connector-task-1", Some(empty)).unwrap();
        assert!(matches!(parsed, Record::Connector { name, .. } if name == "task-1"));
        assert_eq!(
            parse(b"target-state-a", None),
            Ok(Record::Target { name: "a".into(), target: TargetState::Started })
        );
        let old = br#"{"state":"PAUSED"}"#;
        assert_eq!(
            parse(b"target-state-a", Some(old)),
            Ok(Record::Target { name: "a".into(), target: TargetState::Paused })
        );
        assert_eq!(parse(b"restart-connector-a", None), Ok(Record::Nothing));
        assert_eq!(parse(b"logger-cluster-a", None), Ok(Record::Nothing));
        let parsed = parse(b"tasks-fencing-a-1", Some(br#"{"task-count":2}"#));
        assert_eq!(parsed, Ok(Record::TaskCount { name: "a-1".into(), tasks: 2 }));
        let level = LoggerLevel { namespace: "org.apache".into(), level: "WARN".into() };
        assert_eq!(parse(b"logger-cluster-org.apache", Some(br#"{"level":"WARN"}"#)), Ok(Record::Logger(level)));
    }

    #[test]
    fn strange_keys_and_values_are_skipped_with_a_reason() {
        assert_eq!(parse(b"hello", Some(b"{}")), Err(Skip::UnknownKey));
        assert_eq!(parse(b"task-x", Some(b"{}")), Err(Skip::UnknownKey));
        assert_eq!(parse(&[0xff], None), Err(Skip::UnknownKey));
        assert!(matches!(parse(b"session-key", Some(b"{}")), Err(Skip::Unparsable(_))));
        assert!(matches!(parse(b"session-key", None), Err(Skip::Unparsable(_))));
        assert_eq!(parse(b"session-keys", Some(b"{}")), Err(Skip::UnknownKey));
        assert!(matches!(parse(b"connector-x", Some(b"{")), Err(Skip::Unparsable(_))));
        assert!(matches!(parse(b"commit-x", Some(br#"{"tasks":-1}"#)), Err(Skip::Unparsable(_))));
        assert!(matches!(parse(b"connector-x", Some(br#"{"properties":{"a":1}}"#)), Err(Skip::Unparsable(_))));
    }
}
