//! The records of the config topic that are about the group, not about a connector's configuration.
//!
//! Enters: values of `session-key`, `tasks-fencing-C`, `logger-cluster-N`. Leaves: typed, and the texts that Kafka Connect
//! writes. Invariant: the key of a session is a secret: it is kept and written, never shown.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::records::Skip;

/// The key with which workers of a group sign what they ask of each other (KIP-507). It stands in the topic in clear.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionKey {
    /// The key, base64. Secret.
    pub key: String,
    /// Of Java's `Mac`, for example `HmacSHA256`.
    pub algorithm: String,
    /// When it was made, milliseconds since the epoch.
    #[serde(rename = "creation-timestamp")]
    pub created_ms: i64,
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("SessionKey");
        shown.field("algorithm", &self.algorithm).field("created_ms", &self.created_ms).finish_non_exhaustive()
    }
}

/// A level for all workers, acted on only by those that were running when it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggerLevel {
    /// The logger's name.
    pub namespace: String,
    /// Log4j's word, for example `DEBUG`.
    pub level: String,
}

pub(super) fn session_key(value: &Value) -> Result<SessionKey, Skip> {
    SessionKey::deserialize(value).map_err(|_| Skip::Unparsable("no session key"))
}

/// `{"key":...,"algorithm":...,"creation-timestamp":...}`
pub(super) fn session_key_text(key: &SessionKey) -> String {
    json!(key).to_string()
}

pub(super) fn task_count(value: &Value) -> Result<u32, Skip> {
    let count = value.get("task-count").and_then(Value::as_u64);
    count.and_then(|n| u32::try_from(n).ok()).ok_or(Skip::Unparsable("no task count"))
}

/// `{"task-count":n}`
pub(super) fn task_count_text(tasks: u32) -> String {
    format!(r#"{{"task-count":{tasks}}}"#)
}

pub(super) fn logger_level(namespace: &str, value: &Value) -> Result<LoggerLevel, Skip> {
    let level = value.get("level").and_then(Value::as_str).ok_or(Skip::Unparsable("no level"))?;
    Ok(LoggerLevel { namespace: namespace.to_owned(), level: level.to_owned() })
}

/// `{"level":...}`
pub(super) fn logger_level_text(level: &str) -> String {
    json!({ "level": level }).to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn texts_are_kafka_connects_and_the_key_is_not_shown() {
        let text = r#"{"key":"c2VjcmV0","algorithm":"HmacSHA256","creation-timestamp":1700000000000}"#;
        let key = session_key(&serde_json::from_str(text).unwrap()).unwrap();
        assert_eq!(session_key_text(&key), text);
        assert!(!format!("{key:?}").contains("c2VjcmV0"));
        assert_eq!(task_count_text(3), r#"{"task-count":3}"#);
        assert_eq!(task_count(&json!({"task-count": 3})), Ok(3));
        assert_eq!(logger_level_text("DEBUG"), r#"{"level":"DEBUG"}"#);
        assert!(session_key(&json!({"key": "a"})).is_err() && task_count(&json!({"task-count": -1})).is_err());
        assert!(logger_level("x", &json!({"level": 1})).is_err());
    }
}
