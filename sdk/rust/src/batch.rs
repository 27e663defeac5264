//! A batch as the host sends it, read in place.
//!
//! Enters: the flat lists of `wit/batches.wit`. Leaves: records as views that read a field when asked; no bytes are
//! copied. Invariant: what the host sent was checked by it, so a view indexes without doubt (or panics).

use std::rc::Rc;

use crate::bindings::base::lockgate::connect::batches;
use crate::row::{HeaderRow, Row};
use crate::schemas::Schemas;

/// Records from the host.
pub struct Batch {
    pub(crate) topics: Vec<String>,
    pub(crate) rows: Vec<u8>,
    pub(crate) headers: Vec<u8>,
    pub(crate) data: Vec<u8>,
    pub(crate) schemas: Schemas,
}

impl Batch {
    pub(crate) fn new(raw: batches::Batch, schemas: &Schemas) -> Self {
        schemas.learn(raw.schemas);
        Self { topics: raw.topics, rows: raw.rows, headers: raw.headers, data: raw.data, schemas: schemas.clone() }
    }

    /// Number of records.
    pub fn len(&self) -> usize {
        self.rows.len() / Row::BYTES
    }

    /// True if there are none; the host never sends such a batch to a sink.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Bytes of all keys, values and headers together.
    pub fn data_len(&self) -> usize {
        self.data.len()
    }

    /// The records in order; within one partition that is the order of their offsets.
    #[inline]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Record<'_>> + Clone {
        let (rows, _) = self.rows.as_chunks::<{ Row::BYTES }>();
        rows.iter().enumerate().map(|(index, bytes)| Record { batch: self, index, row: Row::read(bytes) })
    }

    /// One record.
    ///
    /// # Panics
    /// If there are not so many.
    pub fn record(&self, index: usize) -> Record<'_> {
        let (rows, _) = self.rows.as_chunks::<{ Row::BYTES }>();
        Record { batch: self, index, row: Row::read(&rows[index]) }
    }

    pub(crate) fn header_rows(&self, row: &Row) -> &[[u8; HeaderRow::BYTES]] {
        if row.header_count == 0 {
            return &[];
        }
        let (headers, _) = self.headers.as_chunks::<{ HeaderRow::BYTES }>();
        &headers[row.header_first as usize..][..row.header_count as usize]
    }
}

/// One record of a batch: a view, free to copy.
#[derive(Clone, Copy)]
pub struct Record<'a> {
    batch: &'a Batch,
    index: usize,
    row: Row,
}

impl<'a> Record<'a> {
    /// Index in the batch, as faults name it.
    pub fn index(&self) -> usize {
        self.index
    }

    /// Topic.
    #[inline]
    pub fn topic(&self) -> &'a str {
        &self.batch.topics[self.row.topic as usize]
    }

    /// Partition.
    #[inline]
    pub fn partition(&self) -> u32 {
        self.row.partition
    }

    /// Offset in the partition.
    #[inline]
    pub fn offset(&self) -> i64 {
        self.row.offset
    }

    /// Milliseconds since the epoch.
    #[inline]
    pub fn timestamp(&self) -> Option<i64> {
        (self.row.timestamp >= 0).then_some(self.row.timestamp)
    }

    /// Key; none is null.
    #[inline]
    pub fn key(&self) -> Option<&'a [u8]> {
        self.row.key.of(&self.batch.data)
    }

    /// Value; none is a tombstone.
    #[inline]
    pub fn value(&self) -> Option<&'a [u8]> {
        self.row.value.of(&self.batch.data)
    }

    /// Definition of the key's schema.
    pub fn key_schema(&self) -> Option<Rc<str>> {
        self.batch.schemas.definition(self.row.key_schema)
    }

    /// Definition of the value's schema.
    pub fn value_schema(&self) -> Option<Rc<str>> {
        self.batch.schemas.definition(self.row.value_schema)
    }

    /// Number of headers.
    pub fn header_count(&self) -> usize {
        self.row.header_count as usize
    }

    /// Headers in order; names may repeat.
    pub fn headers(&self) -> impl ExactSizeIterator<Item = Header<'a>> + use<'a> {
        let batch = self.batch;
        batch.header_rows(&self.row).iter().map(move |bytes| {
            let row = HeaderRow::read(bytes);
            Header { name: text(row.name().of(&batch.data)), value: row.value.of(&batch.data), row, batch }
        })
    }

    /// The value of the last header of this name; the outer none: there is no such header.
    pub fn header(&self, name: &str) -> Option<Option<&'a [u8]>> {
        self.headers().filter(|h| h.name == name).last().map(|h| h.value)
    }

    /// The flat form, for plugins that look at spans and schema ids themselves.
    pub fn row(&self) -> &Row {
        &self.row
    }
}

/// One header of a record.
#[derive(Clone, Copy)]
pub struct Header<'a> {
    /// Name.
    pub name: &'a str,
    /// Value; none is null.
    pub value: Option<&'a [u8]>,
    row: HeaderRow,
    batch: &'a Batch,
}

impl Header<'_> {
    /// Definition of the value's schema.
    pub fn schema(&self) -> Option<Rc<str>> {
        self.batch.schemas.definition(u32::from(self.row.schema))
    }
}

/// The host checks that names are UTF-8; should it not, the name is empty rather than the task dead.
pub(crate) fn text(bytes: Option<&[u8]>) -> &str {
    bytes.and_then(|b| std::str::from_utf8(b).ok()).unwrap_or_default()
}

/// One partition of a topic with an offset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Topic.
    pub topic: String,
    /// Partition.
    pub partition: u32,
    /// Offset; -1 = none.
    pub offset: i64,
}

pub(crate) fn places(raw: &batches::PartitionOffsets) -> Vec<Place> {
    let (rows, _) = raw.rows.as_chunks::<16>();
    let word = |r: &[u8; 16], at: usize| u32::from_le_bytes([r[at], r[at + 1], r[at + 2], r[at + 3]]);
    rows.iter()
        .map(|r| Place {
            topic: raw.topics.get(word(r, 0) as usize).cloned().unwrap_or_default(),
            partition: word(r, 4),
            offset: (u64::from(word(r, 8)) | u64::from(word(r, 12)) << 32).cast_signed(),
        })
        .collect()
}

pub(crate) fn partition_offsets(places: &[Place]) -> batches::PartitionOffsets {
    let mut topics: Vec<String> = Vec::new();
    let mut rows = Vec::with_capacity(places.len() * 16);
    for place in places {
        let index = topics.iter().position(|t| *t == place.topic).unwrap_or_else(|| {
            topics.push(place.topic.clone());
            topics.len() - 1
        });
        rows.extend_from_slice(&u32::try_from(index).unwrap_or(u32::MAX).to_le_bytes());
        rows.extend_from_slice(&place.partition.to_le_bytes());
        rows.extend_from_slice(&place.offset.to_le_bytes());
    }
    batches::PartitionOffsets { topics, rows }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_keep_64_bit_offsets_across_the_border() {
        let place = |topic: &str, partition, offset| Place { topic: topic.to_owned(), partition, offset };
        let all = [place("a", 0, (1 << 53) + 1), place("b", 7, -1), place("a", 1, 0)];
        let raw = partition_offsets(&all);
        assert_eq!(raw.topics, ["a", "b"]);
        assert_eq!(raw.rows.len(), 48);
        assert_eq!(places(&raw), all);
    }
}
