//! Source positions in Kafka Connect's offsets topic (`offset.storage.topic`).
//!
//! Enters: positions of connectors. Leaves: records with key `["connector",{source partition}]` and the source offset as
//! value, both compact JSON in the order and number format of the guest, so that a connector moves between Kafka Connect
//! and this worker with its offsets. Invariant: a store resolves after the topic has them (L3); a load has read to the end.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use indexmap::IndexMap;
use lockgate_model::place::Position;
use lockgate_model::ports::{OffsetStore, StoreFault};
use serde_json::value::RawValue;
use tokio::sync::Mutex;

use super::{CompactedLog, LogError, LogOptions, LogReader, LogRecord};

/// The offsets topic. Cheap to clone.
#[derive(Clone)]
pub struct OffsetLog {
    log: CompactedLog,
    read: Arc<Mutex<Read>>,
}

struct Read {
    reader: LogReader,
    known: Known,
    /// When the last reading to the end began: it answers everyone who asked before that.
    began: Option<Instant>,
}

/// What was read so far: connector -> source partition -> source offset.
#[derive(Default)]
struct Known(HashMap<String, IndexMap<Arc<str>, Arc<str>>>);

impl OffsetLog {
    /// Opens the topic. Nothing is read before the first load.
    pub async fn open(options: LogOptions) -> Result<Self, LogError> {
        let (log, reader) = CompactedLog::open(options).await?;
        Ok(Self { log, read: Arc::new(Mutex::new(Read { reader, known: Known::default(), began: None })) })
    }

    /// All positions of all connectors that have any, read to the end.
    pub async fn connectors(&self) -> Result<Vec<String>, StoreFault> {
        let asked = Instant::now();
        let mut read = self.read.lock().await;
        read.catch_up(asked).await?;
        Ok(read.known.0.iter().filter(|(_, offsets)| !offsets.is_empty()).map(|(name, _)| name.clone()).collect())
    }

    /// Removes every position that a connector has, as a reset of its offsets does. How many there were.
    ///
    /// # Errors
    /// As [`OffsetStore::load`] and [`OffsetStore::store`]; some positions may be gone then.
    pub async fn clear(&self, connector: &str) -> Result<usize, StoreFault> {
        let mut positions = self.load(connector).await?;
        for position in &mut positions {
            position.offset = None;
        }
        self.store(connector, &positions).await?;
        Ok(positions.len())
    }
}

impl Read {
    /// Reads to the end that the topic had at `asked` or later. Many tasks that start at once cause few readings.
    async fn catch_up(&mut self, asked: Instant) -> Result<(), StoreFault> {
        if self.began.is_some_and(|began| began >= asked) {
            return Ok(());
        }
        let began = Instant::now();
        let records = self.reader.read_to_end().await.map_err(|fault| StoreFault {
            retriable: fault.retriable,
            code: "store.kafka".to_owned(),
            message: format!("the offsets topic cannot be read: {fault}"),
        })?;
        for record in &records {
            self.known.apply(record);
        }
        self.began = Some(began);
        Ok(())
    }
}

impl Known {
    fn apply(&mut self, record: &LogRecord) {
        let Some((connector, partition)) = parse_key(&record.key) else {
            tracing::warn!(
                partition = record.partition,
                offset = record.offset,
                "a key in the offsets topic is not [connector, {{...}}]: skipped"
            );
            return;
        };
        let offset = record.value.as_deref().map(|value| std::str::from_utf8(value).unwrap_or("null"));
        let offsets = self.0.entry(connector).or_default();
        match offset {
            None | Some("null") => drop(offsets.shift_remove(partition.as_str())),
            Some(offset) => drop(offsets.insert(partition.into(), offset.into())),
        }
    }
}

impl OffsetStore for OffsetLog {
    async fn load(&self, connector: &str) -> Result<Vec<Position>, StoreFault> {
        let asked = Instant::now();
        let mut read = self.read.lock().await;
        read.catch_up(asked).await?;
        let positions = read.known.0.get(connector).into_iter().flatten();
        Ok(positions.map(|(p, o)| Position { partition: Arc::clone(p), offset: Some(Arc::clone(o)) }).collect())
    }

    async fn store(&self, connector: &str, positions: &[Position]) -> Result<(), StoreFault> {
        let records = positions.iter().map(|p| record(connector, p)).collect::<Result<Vec<_>, _>>()?;
        let borrowed: Vec<_> = records.iter().map(|(key, value)| (key.as_slice(), value.as_deref())).collect();
        self.log.write_all(&borrowed).await.map_err(|error| StoreFault {
            retriable: error.is_retriable(),
            code: "store.kafka".to_owned(),
            message: error.to_string(),
        })
    }
}

fn record(connector: &str, position: &Position) -> Result<(Vec<u8>, Option<Vec<u8>>), StoreFault> {
    let partition = compact(&position.partition)?;
    let key = format!("[{},{partition}]", serde_json::Value::from(connector));
    let value = position.offset.as_deref().map(compact).transpose()?;
    Ok((key.into_bytes(), value.map(|value| value.into_owned().into_bytes())))
}

/// JSON text without white space between its tokens; every token stays as it was, because the text is the identity.
fn compact(text: &str) -> Result<Cow<'_, str>, StoreFault> {
    if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(text) {
        let message = format!("a source partition or offset is not JSON: {error}");
        return Err(StoreFault { retriable: false, code: "store.not-json".to_owned(), message });
    }
    if !text.bytes().any(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n')) {
        return Ok(Cow::Borrowed(text));
    }
    let (mut quoted, mut escaped) = (false, false);
    let kept = text.chars().filter(|c| {
        let keep = quoted || !matches!(c, ' ' | '\t' | '\r' | '\n');
        match c {
            '\\' if quoted && !escaped => escaped = true,
            '"' if !escaped => quoted = !quoted,
            _ => escaped = false,
        }
        keep
    });
    Ok(Cow::Owned(kept.collect()))
}

fn parse_key(key: &[u8]) -> Option<(String, String)> {
    let (connector, partition): (String, Box<RawValue>) = serde_json::from_slice(key).ok()?;
    Some((connector, compact(partition.get()).ok()?.into_owned()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn position(partition: &str, offset: Option<&str>) -> Position {
        Position { partition: partition.into(), offset: offset.map(Into::into) }
    }

    #[test]
    fn records_have_kafka_connects_bytes() {
        for (connector, partition, offset, key, value) in [
            (
                "src",
                r#"{"filename":"/data/in.txt"}"#,
                Some(r#"{"position":341}"#),
                r#"["src",{"filename":"/data/in.txt"}]"#,
                Some(r#"{"position":341}"#),
            ),
            (
                "a\"b",
                "{ \"z\" : \"x y\\\" z\", \"a\": 1.0 }",
                None,
                "[\"a\\\"b\",{\"z\":\"x y\\\" z\",\"a\":1.0}]",
                None,
            ),
            (
                "n",
                "null",
                Some("{\"big\": 12345678901234567890123 }"),
                "[\"n\",null]",
                Some("{\"big\":12345678901234567890123}"),
            ),
        ] {
            let (found_key, found_value) = record(connector, &position(partition, offset)).unwrap();
            assert_eq!(String::from_utf8(found_key).unwrap(), key);
            assert_eq!(found_value.map(|v| String::from_utf8(v).unwrap()).as_deref(), value);
        }
    }

    #[test]
    fn text_that_is_not_json_is_refused_for_good() {
        let fault = record("c", &position("{oops", None)).unwrap_err();
        assert!(!fault.retriable);
        assert_eq!(fault.code, "store.not-json");
    }

    #[test]
    fn the_last_record_of_a_key_counts_and_null_removes_it() {
        let mut known = Known::default();
        let mut apply = |key: &str, value: Option<&str>| {
            let value = value.map(|v| v.as_bytes().to_vec());
            known.apply(&LogRecord { partition: 0, offset: 0, key: key.into(), value });
        };
        apply(r#"["a",{"f":1}]"#, Some("1"));
        apply(r#"["a",{"f":1}]"#, Some("2"));
        apply(r#"["a",{"f":2}]"#, Some("3"));
        apply(r#"["a",{"f":2}]"#, None);
        apply("not json", Some("x"));
        apply(r#"["b"]"#, Some("x"));
        assert_eq!(known.0.len(), 1);
        let offsets: Vec<_> = known.0["a"].iter().map(|(p, o)| (p.as_ref(), o.as_ref())).collect();
        assert_eq!(offsets, [(r#"{"f":1}"#, "2")]);
    }
}
