//! Records as lines of JSON.
//!
//! Enters: `{"topic","partition","offset","timestamp","keySchema","key","valueSchema","value","headers"}`, where schemas are
//! the schema part of Kafka's JSON envelope and values its payload part. Leaves: rows of a batch, and the same text again.
//! Invariant: both ways go through `JsonConverter` with its envelope; a null stays null, unless its schema forbids null and
//! has a default.

use std::borrow::Cow;
use std::collections::HashMap;

use indexmap::IndexMap;
use lockgate_convert::{Converter, Role};
use lockgate_model::batch::{Batch, HeaderRow, Row, Span};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::RecordKind;
use crate::encodings::Trio;

/// The converters of the notation.
pub(crate) fn converters() -> Result<Trio, String> {
    let settings = [("schemas.enable", "true"), ("replace.null.with.default", "false")];
    let settings: IndexMap<String, String> = settings.map(|(k, v)| (k.to_owned(), v.to_owned())).into();
    let converter = |role| Converter::configure("JsonConverter", &settings, role).map_err(|e| e.to_string());
    Ok(Trio { key: converter(Role::Key)?, value: converter(Role::Value)?, header: converter(Role::Header)? })
}

/// A record that was read.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    #[serde(borrow)]
    topic: Option<Cow<'a, str>>,
    partition: Option<i32>,
    offset: Option<i64>,
    timestamp: Option<i64>,
    #[serde(borrow)]
    key_schema: Option<&'a RawValue>,
    #[serde(borrow)]
    key: Option<&'a RawValue>,
    #[serde(borrow)]
    value_schema: Option<&'a RawValue>,
    #[serde(borrow)]
    value: Option<&'a RawValue>,
    #[serde(borrow)]
    headers: Option<Vec<HeaderLine<'a>>>,
}

#[derive(Debug, Deserialize)]
struct HeaderLine<'a> {
    #[serde(borrow)]
    key: Cow<'a, str>,
    #[serde(borrow)]
    schema: Option<&'a RawValue>,
    #[serde(borrow)]
    value: Option<&'a RawValue>,
}

/// A record to be written.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    topic: Option<&'a str>,
    partition: Option<u32>,
    offset: Option<i64>,
    timestamp: Option<i64>,
    key_schema: Option<&'a RawValue>,
    key: Option<&'a RawValue>,
    value_schema: Option<&'a RawValue>,
    value: Option<&'a RawValue>,
    headers: Vec<Header<'a>>,
}

#[derive(Debug, Serialize)]
struct Header<'a> {
    key: Cow<'a, str>,
    schema: Option<&'a RawValue>,
    value: Option<&'a RawValue>,
}

/// `JsonConverter`'s envelope.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Envelope<'a> {
    #[serde(borrow)]
    pub schema: Option<&'a RawValue>,
    #[serde(borrow)]
    pub payload: Option<&'a RawValue>,
}

impl<'a> Envelope<'a> {
    /// From topic bytes; none is null without a schema.
    pub(crate) fn of(batch: &'a Batch, span: Span) -> Result<Self, String> {
        let Some(bytes) = batch.bytes(span) else { return Ok(Self::default()) };
        serde_json::from_slice(bytes).map_err(|e| format!("the chain made what is no envelope: {e}"))
    }
}

/// What stands before a payload, schema by schema.
#[derive(Debug, Default)]
pub(crate) struct Notation {
    /// For each text of a schema the schema, if it has required fields with defaults.
    filled: HashMap<Box<str>, Option<Value>>,
}

/// Texts of schemas remembered at most.
const SCHEMAS_MAX: usize = 1_000;

impl Notation {
    /// Appends a line as a row, true if it names a topic; what is wrong with it otherwise. On an error the batch is as it was.
    pub(crate) fn read(&mut self, line: &str, kind: RecordKind, batch: &mut Batch) -> Result<bool, String> {
        let line: Line<'_> = serde_json::from_str(line).map_err(|e| format!("the line is no record: {e}"))?;
        let sink = kind == RecordKind::Sink;
        let partition = line.partition.or(sink.then_some(0));
        let partition = partition.map(u32::try_from).transpose().map_err(|_| "partition is negative".to_owned())?;
        let headers = line.headers.unwrap_or_default();
        if let Some(long) = headers.iter().find(|h| h.key.len() > usize::from(u16::MAX)) {
            return Err(format!("the key of a header has {} bytes; at most {} are allowed", long.key.len(), u16::MAX));
        }
        let has_topic = line.topic.is_some();
        let topic = batch.topic_index(&line.topic.unwrap_or_default().as_ref().into());
        let key = self.envelope(line.key_schema, line.key, batch);
        let value = self.envelope(line.value_schema, line.value, batch);
        let header_first = small(batch.headers.len());
        for header in &headers {
            let name = batch.push_bytes(Some(header.key.as_bytes()));
            let value = self.envelope(header.schema, header.value, batch);
            let name_len = u16::try_from(name.len).unwrap_or(u16::MAX); // checked above
            batch.headers.push(HeaderRow { name_offset: name.offset, name_len, schema: 0, value });
        }
        let source_row = small(batch.rows.len());
        batch.rows.push(Row {
            offset: if sink { line.offset.unwrap_or(0) } else { -1 },
            timestamp: line.timestamp.unwrap_or(-1),
            partition: partition.unwrap_or(Row::ANY_PARTITION),
            topic,
            key,
            value,
            header_first,
            header_count: small(headers.len()),
            source_row,
            flags: 0,
            key_schema: 0,
            value_schema: 0,
        });
        Ok(has_topic)
    }

    /// Topic bytes of a schema and a payload.
    pub(crate) fn envelope(
        &mut self,
        schema: Option<&RawValue>,
        payload: Option<&RawValue>,
        batch: &mut Batch,
    ) -> Span {
        let schema = schema.map(RawValue::get);
        let payload = payload.map(RawValue::get);
        if let (None, None) = (schema, payload) {
            return Span::NULL;
        }
        let filled = schema.and_then(|schema| self.fill(schema, payload));
        let payload = filled.as_deref().or(payload).unwrap_or("null");
        let text = ["{\"schema\":", schema.unwrap_or("null"), ",\"payload\":", payload, "}"].concat();
        batch.push_bytes(Some(text.as_bytes()))
    }

    /// The payload with defaults for what is required and null, where the schema has such.
    fn fill(&mut self, schema: &str, payload: Option<&str>) -> Option<String> {
        if !schema.contains("\"default\"") {
            return None;
        }
        if !self.filled.contains_key(schema) {
            if self.filled.len() >= SCHEMAS_MAX {
                self.filled.clear();
            }
            let tree = serde_json::from_str(schema).ok().filter(has_required_default);
            self.filled.insert(schema.into(), tree);
        }
        let tree = self.filled.get(schema)?.as_ref()?;
        let mut value: Value = serde_json::from_str(payload.unwrap_or("null")).ok()?;
        fill(tree, &mut value);
        Some(value.to_string())
    }

    /// The text of a row. An empty topic is null unless the line named one.
    pub(crate) fn write(batch: &Batch, row: &Row, kind: RecordKind, has_topic: bool) -> Result<String, String> {
        let key = Envelope::of(batch, row.key)?;
        let value = Envelope::of(batch, row.value)?;
        let header = |header: &HeaderRow| {
            let Envelope { schema, payload } = Envelope::of(batch, header.value)?;
            Ok(Header { key: String::from_utf8_lossy(batch.header_name(header)), schema, value: payload })
        };
        let headers = batch.headers_of(row).iter().map(header).collect::<Result<_, String>>()?;
        let record = Record {
            topic: Some(&**batch.topic(row)).filter(|topic| has_topic || !topic.is_empty()),
            partition: (row.partition != Row::ANY_PARTITION).then_some(row.partition),
            offset: (kind == RecordKind::Sink).then_some(row.offset),
            timestamp: (row.timestamp >= 0).then_some(row.timestamp),
            key_schema: key.schema,
            key: key.payload,
            value_schema: value.schema,
            value: value.payload,
            headers,
        };
        serde_json::to_string(&record).map_err(|e| e.to_string())
    }
}

fn required_default(schema: &Value) -> Option<&Value> {
    let required = schema.get("optional") != Some(&Value::Bool(true));
    schema.get("default").filter(|default| required && !default.is_null())
}

fn has_required_default(schema: &Value) -> bool {
    let below = ["items", "keys", "values"].into_iter().filter_map(|key| schema.get(key));
    let fields = schema.get("fields").and_then(Value::as_array).into_iter().flatten();
    required_default(schema).is_some() || below.chain(fields).any(has_required_default)
}

fn fill(schema: &Value, value: &mut Value) {
    if value.is_null() {
        if let Some(default) = required_default(schema) {
            *value = default.clone();
        }
        return;
    }
    let entries = schema.get("values");
    match value {
        Value::Object(members) if schema.get("fields").is_some() => {
            for field in schema.get("fields").and_then(Value::as_array).into_iter().flatten() {
                let Some(name) = field.get("field").and_then(Value::as_str) else { continue };
                let absent = !members.contains_key(name);
                let member = members.entry(name).or_insert(Value::Null);
                fill(field, member);
                if absent && member.is_null() {
                    members.shift_remove(name);
                }
            }
        }
        Value::Object(members) => {
            members.values_mut().for_each(|value| entries.into_iter().for_each(|schema| fill(schema, value)));
        }
        Value::Array(items) => {
            for item in items {
                match (schema.get("items"), entries, item) {
                    (Some(schema), _, item) => fill(schema, item),
                    (None, Some(schema), Value::Array(pair)) if pair.len() == 2 => fill(schema, &mut pair[1]),
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

/// Rows and headers of a batch are far fewer than 2^32.
pub(crate) fn small(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// An answer that is an error.
pub(crate) fn error(stage: &str, class: &str, message: &str) -> String {
    let class = class.rsplit('.').next().unwrap_or(class);
    serde_json::json!({"error": {"stage": stage, "class": class, "message": message}}).to_string()
}
