//! The guest's key-value store: `wit/v0.1/host.wit`, interface `state`.
//!
//! Enters: positions of the offset store that carry state. Leaves: changed entries, as positions of the same form:
//! partition `{"lockgate.state":"<key>","task":N}`, offset `{"v":"<base64>"}`. Invariant: the named bounds hold; the
//! bytes of a partition are the same for the same key and task for ever.

use std::collections::{BTreeSet, HashMap};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lockgate_model::Position;
use serde::{Deserialize, Serialize};

/// Bytes of a key at most.
const KEY_BYTES_MAX: usize = 256;
/// Bytes of a value at most.
const VALUE_BYTES_MAX: usize = 64 << 10;
/// Bytes of all keys and values at most.
const TOTAL_BYTES_MAX: usize = 1 << 20;
/// Keys at most.
const KEYS_MAX: usize = 1_000;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Place<'a> {
    #[serde(rename = "lockgate.state")]
    key: std::borrow::Cow<'a, str>,
    task: u32,
}

#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    v: std::borrow::Cow<'a, str>,
}

/// One task's entries.
#[derive(Debug, Default)]
pub(crate) struct GuestState {
    task: u32,
    entries: HashMap<String, Vec<u8>>,
    changed: BTreeSet<String>,
    bytes: usize,
}

impl GuestState {
    /// Splits stored positions into this task's state and what is not state of any task.
    pub(crate) fn load(task: u32, stored: &[Position]) -> (Self, Vec<Position>) {
        let mut state = Self { task, ..Self::default() };
        let mut rest = Vec::new();
        for position in stored {
            let Ok(place) = serde_json::from_str::<Place<'_>>(&position.partition) else {
                rest.push(position.clone());
                continue;
            };
            let value = position.offset.as_deref().and_then(|text| {
                let stored: Stored<'_> = serde_json::from_str(text).ok()?;
                STANDARD.decode(stored.v.as_ref()).ok()
            });
            if let (Some(value), true) = (value, place.task == task) {
                state.bytes += place.key.len() + value.len();
                state.entries.insert(place.key.into_owned(), value);
            }
        }
        (state, rest)
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Vec<u8>> {
        self.entries.get(key)
    }

    pub(crate) fn set(&mut self, key: String, value: Vec<u8>) -> Result<(), String> {
        if key.is_empty() || key.len() > KEY_BYTES_MAX {
            return Err(format!("a key has 1 to {KEY_BYTES_MAX} bytes, this one {}", key.len()));
        }
        if value.len() > VALUE_BYTES_MAX {
            return Err(format!("a value has at most {VALUE_BYTES_MAX} bytes, this one {}", value.len()));
        }
        let old = self.entries.get(&key);
        let bytes = self.bytes - old.map_or(0, |v| key.len() + v.len()) + key.len() + value.len();
        if bytes > TOTAL_BYTES_MAX {
            return Err(format!("all entries together have at most {TOTAL_BYTES_MAX} bytes"));
        }
        if old.is_none() && self.entries.len() >= KEYS_MAX {
            return Err(format!("there are at most {KEYS_MAX} keys"));
        }
        if old != Some(&value) {
            self.changed.insert(key.clone());
            self.entries.insert(key, value);
            self.bytes = bytes;
        }
        Ok(())
    }

    pub(crate) fn remove(&mut self, key: &str) {
        if let Some(value) = self.entries.remove(key) {
            self.bytes -= key.len() + value.len();
            self.changed.insert(key.to_owned());
        }
    }

    /// What changed since the last call of this.
    pub(crate) fn take(&mut self) -> Vec<Position> {
        let task = self.task;
        let position = |key: String| {
            let place = Place { key: key.as_str().into(), task };
            let value = self.entries.get(&key).map(|value| Stored { v: STANDARD.encode(value).into() });
            // Strings and numbers always serialise.
            let partition = serde_json::to_string(&place).unwrap_or_default().into();
            let offset = value.map(|v| serde_json::to_string(&v).unwrap_or_default().into());
            Position { partition, offset }
        };
        std::mem::take(&mut self.changed).into_iter().map(position).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_taken_is_what_a_new_instance_loads() {
        let mut state = GuestState::load(3, &[]).0;
        state.set("a".into(), vec![0, 255]).unwrap();
        state.set("b\"".into(), vec![]).unwrap();
        let stored = state.take();
        assert_eq!(&*stored[0].partition, r#"{"lockgate.state":"a","task":3}"#);
        assert_eq!(stored[0].offset.as_deref(), Some(r#"{"v":"AP8="}"#));
        assert!(state.take().is_empty(), "taken once");
        let foreign = Position { partition: r#"{"file":"x"}"#.into(), offset: Some(r#"{"at":1}"#.into()) };
        let all: Vec<_> = stored.iter().chain([&foreign]).cloned().collect();
        let (mut again, rest) = GuestState::load(3, &all);
        assert_eq!((again.get("a"), again.get("b\"")), (Some(&vec![0, 255]), Some(&vec![])));
        assert_eq!(rest, std::slice::from_ref(&foreign));
        assert!(again.take().is_empty(), "nothing changed yet");
        again.remove("a");
        again.remove("never");
        assert_eq!(again.take(), [Position { partition: stored[0].partition.clone(), offset: None }]);
        let (other, rest) = GuestState::load(4, &all);
        assert_eq!((other.get("a"), rest.len()), (None, 1), "another task's state is not seen");
    }

    #[test]
    fn the_bounds_hold() {
        let mut state = GuestState::default();
        assert!(state.set("k".repeat(257), vec![]).is_err());
        assert!(state.set("k".into(), vec![0; VALUE_BYTES_MAX + 1]).is_err());
        for n in 0..15 {
            state.set(format!("k{n}"), vec![0; VALUE_BYTES_MAX]).unwrap();
        }
        assert!(state.set("over".into(), vec![0; VALUE_BYTES_MAX]).is_err());
        state.set("k1".into(), vec![1; VALUE_BYTES_MAX]).unwrap();
        state.remove("k2");
        state.set("over".into(), vec![0; VALUE_BYTES_MAX]).unwrap();
        let mut many = GuestState::default();
        for n in 0..KEYS_MAX {
            many.set(n.to_string(), vec![]).unwrap();
        }
        assert!(many.set("one more".into(), vec![]).is_err());
        assert_eq!(many.set("7".into(), vec![1]), Ok(()));
    }
}
