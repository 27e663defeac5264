//! The batch that a source fills.
//!
//! Enters: records, positions. Leaves: the flat lists of `wit/batches.wit`, written once, in place. Invariant: spans,
//! topic indexes and schema ids are right by construction; positions name the last row written before them.

use crate::batch::Batch;
use crate::bindings::base::lockgate::connect::batches;
use crate::row::{HeaderRow, Row, Span};
use crate::schemas::Schemas;

/// Where reading goes on, as JSON objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// Source partition as JSON text: its bytes are its identity, so write it the same way each time.
    pub partition: String,
    /// Source offset as JSON text with scalar values.
    pub offset: String,
}

/// A topic of a batch: its index in the dictionary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopicId(u32);

/// "With no row of this batch."
const NO_ROW: u32 = u32::MAX;

/// A batch in the making. Its buffers start as large as the last batch of the instance was.
pub struct BatchBuilder {
    topics: Vec<String>,
    rows: Vec<u8>,
    headers: Vec<u8>,
    data: Vec<u8>,
    schemas: Schemas,
    positions: Vec<(Position, u32)>,
    records_max: usize,
    bytes_max: usize,
}

impl BatchBuilder {
    /// A builder with bounds: records, and bytes of data. Tests of sources start here.
    pub fn new(schemas: &Schemas, records_max: usize, bytes_max: usize) -> Self {
        Self {
            topics: Vec::new(),
            rows: Vec::new(),
            headers: Vec::new(),
            data: Vec::new(),
            schemas: schemas.clone(),
            positions: Vec::new(),
            records_max,
            bytes_max,
        }
    }

    pub(crate) fn reserve(&mut self, rows: usize, data: usize) {
        self.rows.reserve_exact(rows.min(self.records_max.saturating_mul(Row::BYTES)));
        self.data.reserve_exact(data.min(self.bytes_max.saturating_mul(2)));
    }

    /// Number of records so far.
    pub fn len(&self) -> usize {
        self.rows.len() / Row::BYTES
    }

    /// True if nothing was written yet.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Bytes of data so far.
    pub fn data_len(&self) -> usize {
        self.data.len()
    }

    /// True once a bound is reached: return from `poll`.
    #[inline]
    pub fn is_full(&self) -> bool {
        self.rows.len() / Row::BYTES >= self.records_max || self.data.len() >= self.bytes_max
    }

    /// True if a record with this many bytes still fits. The first record always fits: a larger one travels alone.
    #[inline]
    pub fn fits(&self, bytes: usize) -> bool {
        self.is_empty() || (self.len() < self.records_max && self.data.len() + bytes <= self.bytes_max)
    }

    /// The index of a topic, added if it is new.
    pub fn topic(&mut self, name: &str) -> TopicId {
        let index = self.topics.iter().position(|t| t == name).unwrap_or_else(|| {
            self.topics.push(name.to_owned());
            self.topics.len() - 1
        });
        TopicId(narrow(index))
    }

    /// The id of a schema (the schema part of Kafka Connect's JSON envelope), announced once.
    pub fn schema(&mut self, definition: &str) -> u32 {
        self.schemas.announce(definition)
    }

    /// Begins a record; [`RecordBuilder::push`] ends it.
    #[inline]
    pub fn record(&mut self, topic: TopicId) -> RecordBuilder<'_> {
        let row = Row {
            offset: -1,
            timestamp: -1,
            partition: Row::ANY_PARTITION,
            topic: topic.0,
            key: Span::NULL,
            value: Span::NULL,
            header_first: narrow(self.headers.len() / HeaderRow::BYTES),
            header_count: 0,
            source_row: narrow(self.len()),
            flags: 0,
            key_schema: 0,
            value_schema: 0,
        };
        RecordBuilder { batch: self, row }
    }

    /// The position that holds once all records written so far are delivered. Usually one a batch.
    pub fn position(&mut self, partition: impl Into<String>, offset: impl Into<String>) {
        let after = if self.is_empty() { NO_ROW } else { narrow(self.len() - 1) };
        self.positions.push((Position { partition: partition.into(), offset: offset.into() }, after));
    }

    /// Positions so far, with the row that each holds after (`u32::MAX`: none).
    pub fn positions(&self) -> &[(Position, u32)] {
        &self.positions
    }

    /// What was written, to read it back in tests.
    pub fn into_batch(self) -> Batch {
        let Self { topics, rows, headers, data, schemas, .. } = self;
        Batch { topics, rows, headers, data, schemas }
    }

    pub(crate) fn finish(self) -> (batches::Batch, Vec<(Position, u32)>) {
        let Self { topics, rows, headers, data, schemas, positions, .. } = self;
        (batches::Batch { topics, schemas: schemas.unannounced(), rows, headers, data }, positions)
    }

    #[inline]
    fn append(&mut self, bytes: &[u8]) -> Span {
        let offset = narrow(self.data.len());
        self.data.extend_from_slice(bytes);
        Span { offset, len: narrow(bytes.len()) }
    }
}

/// One record in the making.
#[must_use = "a record is written by `push`"]
pub struct RecordBuilder<'a> {
    batch: &'a mut BatchBuilder,
    row: Row,
}

impl RecordBuilder<'_> {
    /// The key; none (the default) is null.
    #[inline]
    pub fn key(mut self, key: Option<&[u8]>) -> Self {
        self.row.key = key.map_or(Span::NULL, |k| self.batch.append(k));
        self
    }

    /// The value; none (the default) is a tombstone.
    #[inline]
    pub fn value(mut self, value: Option<&[u8]>) -> Self {
        self.row.value = value.map_or(Span::NULL, |v| self.batch.append(v));
        self
    }

    /// Writes the value straight into the batch: what `write` appends is the value.
    #[inline]
    pub fn value_with(mut self, write: impl FnOnce(&mut Vec<u8>)) -> Self {
        let offset = self.batch.data.len();
        write(&mut self.batch.data);
        self.row.value = Span { offset: narrow(offset), len: narrow(self.batch.data.len() - offset) };
        self
    }

    /// Makes the key a part of the value just written: no second copy.
    #[inline]
    pub fn key_from_value(mut self, part: std::ops::Range<usize>) -> Self {
        let offset = self.row.value.offset + narrow(part.start);
        self.row.key = Span { offset, len: narrow(part.end - part.start) };
        self
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: Option<&[u8]>) -> Self {
        let name_span = self.batch.append(name.as_bytes());
        let value = value.map_or(Span::NULL, |v| self.batch.append(v));
        let name_len = u16::try_from(name_span.len).expect("a header's name has less than 64 KiB");
        let header = HeaderRow { name_offset: name_span.offset, name_len, schema: 0, value };
        self.batch.headers.extend_from_slice(&header.bytes());
        self.row.header_count += 1;
        self
    }

    /// A partition; without, the host chooses (by key, as Kafka's default partitioner does).
    #[inline]
    pub fn partition(mut self, partition: u32) -> Self {
        self.row.partition = partition;
        self
    }

    /// Milliseconds since the epoch; without, the time of sending.
    #[inline]
    pub fn timestamp(mut self, timestamp_ms: i64) -> Self {
        self.row.timestamp = timestamp_ms;
        self
    }

    /// Schema of the key, from [`BatchBuilder::schema`].
    #[inline]
    pub fn key_schema(mut self, schema: u32) -> Self {
        self.row.key_schema = schema;
        self
    }

    /// Schema of the value, from [`BatchBuilder::schema`].
    #[inline]
    pub fn value_schema(mut self, schema: u32) -> Self {
        self.row.value_schema = schema;
        self
    }

    /// Writes the record.
    #[inline]
    pub fn push(self) {
        self.batch.rows.extend_from_slice(&self.row.bytes());
    }
}

#[inline]
pub(crate) fn narrow(value: usize) -> u32 {
    u32::try_from(value).expect("a batch is far below 4 GiB")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn builder(records_max: usize, bytes_max: usize) -> BatchBuilder {
        BatchBuilder::new(&Schemas::default(), records_max, bytes_max)
    }

    #[test]
    fn records_read_back_as_they_were_written() {
        let mut out = builder(10, 1000);
        let (a, b) = (out.topic("a"), out.topic("b"));
        let schema = out.schema("{\"type\":\"string\"}");
        out.record(b).key(Some(b"k")).value(Some(b"v")).header("h", Some(b"x")).header("h", None).push();
        out.record(a).key(Some(b"")).partition(3).timestamp(5).value_schema(schema).push();
        out.record(a).value_with(|d| d.extend_from_slice(b"id=7;")).key_from_value(3..4).push();
        let batch = out.into_batch();
        let all: Vec<_> = batch.iter().collect();
        assert_eq!((all[0].topic(), all[0].key(), all[0].value()), ("b", Some(&b"k"[..]), Some(&b"v"[..])));
        let headers: Vec<_> = all[0].headers().map(|h| (h.name, h.value)).collect();
        assert_eq!(headers, [("h", Some(&b"x"[..])), ("h", None)]);
        assert_eq!((all[1].key(), all[1].value(), all[1].partition()), (Some(&b""[..]), None, 3));
        assert_eq!((all[1].timestamp(), all[1].header_count()), (Some(5), 0));
        assert_eq!(&*all[1].value_schema().unwrap(), "{\"type\":\"string\"}");
        assert_eq!((all[2].key(), all[2].value()), (Some(&b"7"[..]), Some(&b"id=7;"[..])));
    }

    #[test]
    fn positions_hold_after_the_rows_before_them() {
        let mut out = builder(10, 1000);
        out.position("{}", "{\"n\":0}");
        let topic = out.topic("t");
        out.record(topic).push();
        out.record(topic).push();
        out.position("{}", "{\"n\":2}");
        assert_eq!(out.positions().iter().map(|p| p.1).collect::<Vec<_>>(), [u32::MAX, 1]);
    }

    #[test]
    fn the_bounds_hold_and_a_large_record_travels_alone() {
        let mut out = builder(2, 10);
        let topic = out.topic("t");
        assert!(out.fits(1_000_000));
        out.record(topic).value(Some(b"12345")).push();
        assert!(out.fits(5) && !out.fits(6) && !out.is_full());
        out.record(topic).push();
        assert!(out.is_full() && !out.fits(0));
    }
}
