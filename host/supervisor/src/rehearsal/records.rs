//! Records of a scenario to batches of a task, and back.
//!
//! Enters: records as `lockgate transform` has them, or with the bytes of a topic. Leaves: batches in the encodings of the
//! plugin, records of what a source gave. Invariant: what a sink gets has gone through topic bytes and the converters of its
//! configuration, as in a task; what a source gave goes through them too, so that what a task could not write is found.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use indexmap::IndexMap;
use lockgate_convert::{Converter, Decode, Encode, Role};
use lockgate_model::batch::{Batch, Encoding, Formats, Row};
use lockgate_model::fault::RowFault;
use lockgate_model::{Schemas, TopicPartition};
use serde_json::{Map, Value, json};

use super::script;
use crate::encodings::Trio;
use crate::preview::RecordKind;
use crate::preview::notation::{self, Notation};

/// The formats of the notation.
const JSON: Formats = Formats { key: Encoding::Json, value: Encoding::Json, header: Encoding::Json };

/// Members that are topic bytes: as text, as base64.
const RAW: [(&str, &str); 2] = [("keyText", "keyBase64"), ("valueText", "valueBase64")];

/// The converters of a configuration; those of `lockgate dev` where it names none: text keys, JSON values.
pub(super) fn converters(config: &[(String, String)], with_schemas: bool) -> Result<Trio, String> {
    let of = |prefix: &str, default: (&str, &[(&str, &str)]), role| {
        let own = config.iter().find(|(key, _)| key == prefix).map(|(_, class)| class.as_str());
        let below = format!("{prefix}.");
        let given =
            config.iter().filter_map(|(key, value)| Some((key.strip_prefix(&below)?.to_owned(), value.clone())));
        let mut settings: IndexMap<String, String> = given.collect();
        if own.is_none() {
            for (key, value) in default.1 {
                settings.entry((*key).to_owned()).or_insert_with(|| (*value).to_owned());
            }
        }
        let class = own.unwrap_or(default.0);
        let converter = Converter::configure(class, &settings, role).map_err(|e| format!("{prefix}: {e}"))?;
        if converter.registry_options().is_some() {
            return Err(format!("{prefix}: a scenario has no schema registry; use JsonConverter and give schemas"));
        }
        Ok(converter)
    };
    let schemas = [("schemas.enable", if with_schemas { "true" } else { "false" })];
    Ok(Trio {
        key: of("key.converter", ("org.apache.kafka.connect.storage.StringConverter", &[]), Role::Key)?,
        value: of("value.converter", ("org.apache.kafka.connect.json.JsonConverter", &schemas), Role::Value)?,
        header: of("header.converter", ("org.apache.kafka.connect.storage.SimpleHeaderConverter", &[]), Role::Header)?,
    })
}

/// True if a record says something about its schema.
pub(super) fn has_schema(record: &Map<String, Value>) -> bool {
    ["keySchema", "valueSchema"].iter().any(|key| record.get(*key).is_some_and(|schema| !schema.is_null()))
}

/// The way of records between a scenario and a plugin.
pub(super) struct Way {
    notation: Notation,
    /// Of the notation.
    plain: Trio,
    /// Of the configuration.
    own: Trio,
    formats: Formats,
    schemas: Schemas,
    /// Where records without an offset go: the next one of each partition.
    next: BTreeMap<TopicPartition, i64>,
    topic: String,
}

/// Records on their way into a sink.
pub(super) struct Delivery {
    /// What the plugin gets.
    pub batch: Batch,
    /// For each of its rows which record of the step it is.
    pub origins: Vec<u32>,
    /// Records that the converters refuse.
    pub refused: Vec<RowFault>,
    /// Partition and offset of every record.
    pub places: Vec<(TopicPartition, i64)>,
}

impl Way {
    pub(super) fn new(own: Trio, formats: Formats, schemas: Schemas, topic: String) -> Result<Self, String> {
        let plain = notation::converters()?;
        Ok(Self { notation: Notation::default(), plain, own, formats, schemas, next: BTreeMap::new(), topic })
    }

    /// The table of schemas of the task.
    pub(super) fn schemas(&self) -> Schemas {
        self.schemas.clone()
    }

    /// Topic, partition and offset filled in where a record has none.
    pub(super) fn complete(&mut self, records: &[Map<String, Value>]) -> Vec<Map<String, Value>> {
        let complete = |record: &Map<String, Value>| {
            let mut record = record.clone();
            let topic = record.entry("topic").or_insert_with(|| self.topic.clone().into());
            let topic = topic.as_str().unwrap_or_default().into();
            let partition = record.entry("partition").or_insert(json!(0)).as_u64().unwrap_or_default();
            let place = TopicPartition { topic, partition: u32::try_from(partition).unwrap_or(0) };
            let next = self.next.entry(place).or_insert(0);
            let offset = record.entry("offset").or_insert(json!(*next)).as_i64().unwrap_or(*next);
            *next = offset + 1;
            record
        };
        records.iter().map(complete).collect()
    }

    /// Records as a sink gets them. An error: a record that cannot be in a topic.
    pub(super) fn deliver(&mut self, records: &[Map<String, Value>]) -> Result<Delivery, String> {
        let mut batch = Batch::new(self.schemas.clone());
        let mut raw = Vec::with_capacity(records.len());
        for (at, record) in records.iter().enumerate() {
            let (record, bytes) = take_raw(record).map_err(|why| format!("record {}: {why}", at + 1))?;
            let line = Value::Object(record).to_string();
            let read = self.notation.read(&line, RecordKind::Sink, &mut batch);
            read.map_err(|why| format!("record {}: {why}", at + 1))?;
            raw.push(bytes);
        }
        let (plain, own) = (self.plain.clone(), self.own.clone());
        let unread = Decode::new(plain.key, plain.value, plain.header, JSON).batch(&mut batch);
        let unwritten = Encode::new(own.key.clone(), own.value.clone(), own.header.clone(), JSON).batch(&mut batch);
        if let Some((stage, fault)) = unread.iter().chain(&unwritten).next() {
            return Err(format!("record {} cannot be in a topic: {}: {}", fault.row + 1, stage.name(), fault.message));
        }
        for (at, [key, value]) in raw.into_iter().enumerate() {
            if let Some(bytes) = key {
                (batch.rows[at].key, batch.rows[at].key_schema) = (batch.push_bytes(Some(&bytes)), 0);
            }
            if let Some(bytes) = value {
                (batch.rows[at].value, batch.rows[at].value_schema) = (batch.push_bytes(Some(&bytes)), 0);
            }
        }
        let places = batch.rows.iter().map(|row| (place(&batch, row), row.offset)).collect();
        let failed = Decode::new(own.key, own.value, own.header, self.formats).batch(&mut batch);
        let named = |(stage, fault): (lockgate_model::fault::Stage, RowFault)| RowFault {
            message: format!("{}: {}", stage.name(), fault.message),
            ..fault
        };
        let refused: Vec<RowFault> = failed.into_iter().map(named).collect();
        let is_refused = |row: u32| refused.iter().any(|fault| fault.row == row);
        let origins: Vec<u32> = (0..notation::small(batch.len())).filter(|row| !is_refused(*row)).collect();
        batch.rows = origins.iter().map(|row| batch.rows[*row as usize]).collect();
        for (at, row) in batch.rows.iter_mut().enumerate() {
            row.source_row = notation::small(at);
        }
        Ok(Delivery { batch, origins, refused, places })
    }

    /// Records as a source gave them. An error: a record that a task could not write, or that is no record.
    pub(super) fn received(&self, batch: &Batch) -> Result<Vec<Value>, String> {
        let (mut plain, mut written) = (batch.clone(), batch.clone());
        let own = self.own.clone();
        let failed = Encode::new(own.key, own.value, own.header, self.formats).batch(&mut written);
        if let Some((stage, fault)) = failed.first() {
            return Err(format!("record {} cannot be written: {}: {}", fault.row + 1, stage.name(), fault.message));
        }
        let to = self.plain.clone();
        let failed = Encode::new(to.key, to.value, to.header, self.formats).batch(&mut plain);
        if let Some((stage, fault)) = failed.first() {
            return Err(format!("record {} is none: {}: {}", fault.row + 1, stage.name(), fault.message));
        }
        let record = |(row, given): (&Row, &Row)| {
            let line = Notation::write(&plain, row, RecordKind::Source, false)?;
            let mut record: Value = serde_json::from_str(&line).map_err(|e| e.to_string())?;
            // Bytes that no schema says anything about are shown as they are, not as JSON would have to write them.
            let opaque = |encoding, schema: u32, span| {
                let bytes = (encoding == Encoding::Bytes && schema == 0).then(|| batch.bytes(span));
                bytes.map(|bytes| bytes.map_or(Value::Null, script::written))
            };
            if let Some(key) = opaque(self.formats.key, given.key_schema, given.key) {
                (record["key"], record["keySchema"]) = (key, Value::Null);
            }
            if let Some(value) = opaque(self.formats.value, given.value_schema, given.value) {
                (record["value"], record["valueSchema"]) = (value, Value::Null);
            }
            let headers = record["headers"].as_array_mut().into_iter().flatten();
            for (header, given) in headers.zip(batch.headers_of(given)) {
                if let Some(value) = opaque(self.formats.header, u32::from(given.schema), given.value) {
                    (header["value"], header["schema"]) = (value, Value::Null);
                }
            }
            Ok(record)
        };
        plain.rows.iter().zip(&batch.rows).map(record).collect()
    }
}

/// The partition of a row.
pub(super) fn place(batch: &Batch, row: &Row) -> TopicPartition {
    TopicPartition { topic: batch.topic(row).clone(), partition: row.partition }
}

type Raw = [Option<Vec<u8>>; 2];

/// The record without its topic bytes, and those.
fn take_raw(record: &Map<String, Value>) -> Result<(Map<String, Value>, Raw), String> {
    const KNOWN: [&str; 13] = [
        "topic",
        "partition",
        "offset",
        "timestamp",
        "keySchema",
        "key",
        "valueSchema",
        "value",
        "headers",
        "keyText",
        "keyBase64",
        "valueText",
        "valueBase64",
    ];
    if let Some(unknown) = record.keys().find(|key| !KNOWN.contains(&key.as_str())) {
        return Err(format!("`{unknown}` is no member of a record; there are {}", KNOWN.join(", ")));
    }
    let mut record = record.clone();
    let mut raw = [None, None];
    for (at, (text, base64)) in RAW.into_iter().enumerate() {
        if let Some(value) = record.shift_remove(text) {
            let text = value.as_str().ok_or_else(|| format!("{text} is no text"))?;
            raw[at] = Some(text.as_bytes().to_vec());
        }
        if let Some(value) = record.shift_remove(base64) {
            let decoded = value.as_str().and_then(|value| STANDARD.decode(value).ok());
            raw[at] = Some(decoded.ok_or_else(|| format!("{base64} is no base64"))?);
        }
    }
    Ok((record, raw))
}

/// A batch that a source may fill.
pub(super) fn empty(schemas: &Schemas) -> Batch {
    Batch::new(schemas.clone())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use lockgate_model::batch::Span;

    fn way(config: &[(&str, &str)], formats: Encoding) -> Way {
        let config: Vec<_> = config.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let formats = Formats { key: formats, value: formats, header: formats };
        Way::new(converters(&config, false).unwrap(), formats, Schemas::default(), "t".to_owned()).unwrap()
    }

    fn records(value: Value) -> Vec<Map<String, Value>> {
        value.as_array().unwrap().iter().map(|record| record.as_object().unwrap().clone()).collect()
    }

    #[test]
    fn a_sink_gets_what_a_topic_would_have_held() {
        let mut way = way(&[], Encoding::Bytes);
        let given =
            records(json!([{"key": "k", "value": {"a": 1}}, {"value": null, "partition": 1}, {"valueText": "{"}]));
        let given = way.complete(&given);
        let there = way.deliver(&given).unwrap();
        let texts: Vec<_> = there.batch.rows.iter().map(|row| there.batch.bytes(row.value)).collect();
        assert_eq!(texts, [Some(&b"{\"a\":1}"[..]), None, Some(b"{")]);
        assert_eq!(there.batch.bytes(there.batch.rows[0].key), Some(&b"k"[..]));
        let offsets: Vec<i64> = there.batch.rows.iter().map(|row| row.offset).collect();
        assert_eq!(offsets, [0, 0, 1], "each partition counts for itself");
        assert!(there.batch.rows[1].value.is_null());
    }

    #[test]
    fn bytes_that_no_converter_reads_are_bad_records_and_the_others_pass() {
        let mut way = way(&[], Encoding::Json);
        let given = way.complete(&records(json!([{"valueText": "{"}, {"value": 7}])));
        let there = way.deliver(&given).unwrap();
        assert_eq!((there.origins.as_slice(), there.refused.len(), there.refused[0].row), (&[1][..], 1, 0));
        assert!(there.refused[0].message.starts_with("VALUE_CONVERTER: "), "{}", there.refused[0].message);
        let unknown = way.deliver(&records(json!([{"vale": 1}]))).err().unwrap();
        assert!(unknown.contains("`vale` is no member of a record"), "{unknown}");
    }

    #[test]
    fn what_a_source_gave_as_bytes_is_text_again() {
        let way =
            way(&[("value.converter", "org.apache.kafka.connect.converters.ByteArrayConverter")], Encoding::Bytes);
        let mut batch = Batch::new(Schemas::default());
        let topic = batch.topic_index(&"t".into());
        let value = batch.push_bytes(Some(b"{\"id\":1}"));
        let key = batch.push_bytes(Some(&[0xff]));
        let row = Row {
            offset: -1,
            timestamp: -1,
            partition: Row::ANY_PARTITION,
            topic,
            key,
            value,
            header_first: 0,
            header_count: 0,
            source_row: 0,
            flags: 0,
            key_schema: 0,
            value_schema: 0,
        };
        batch.rows.push(Row { key: Span::NULL, ..row });
        let there = way.received(&batch).unwrap();
        assert_eq!((&there[0]["value"], &there[0]["valueSchema"]), (&json!("{\"id\":1}"), &Value::Null));
    }
}
