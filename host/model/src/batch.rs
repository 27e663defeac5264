//! A batch of records, flat: the same layout in host memory, across the sandbox border and in the guest.
//!
//! Enters: bytes copied once (from Kafka's buffers or from a guest's memory). Leaves: borrowed views. Invariant: a batch
//! that passed [`Batch::check`] has every span, topic, header and schema index in range. Layout: `wit/v0.1/batches.wit`.

use std::sync::Arc;

use bytemuck::{Pod, Zeroable};

use crate::schemas::Schemas;

/// An (offset, length) pair into [`Batch::data`]; length [`Span::NULL_LEN`] means null.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Span {
    /// First byte.
    pub offset: u32,
    /// Bytes, or [`Span::NULL_LEN`].
    pub len: u32,
}

impl Span {
    /// The length that means null.
    pub const NULL_LEN: u32 = u32::MAX;
    /// Null: no bytes at all.
    pub const NULL: Self = Self { offset: 0, len: Self::NULL_LEN };

    /// True if there are no bytes at all (not: empty bytes).
    pub const fn is_null(self) -> bool {
        self.len == Self::NULL_LEN
    }

    const fn end(self) -> u64 {
        if self.is_null() { 0 } else { self.offset as u64 + self.len as u64 }
    }
}

/// One record: 64 bytes, little-endian, as `wit/v0.1/batches.wit` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Row {
    /// Offset in the topic partition, -1 = not in Kafka yet.
    pub offset: i64,
    /// Milliseconds since the epoch, -1 = none.
    pub timestamp: i64,
    /// Partition; [`Row::ANY_PARTITION`] = the host chooses.
    pub partition: u32,
    /// Index into [`Batch::topics`].
    pub topic: u32,
    /// Key bytes.
    pub key: Span,
    /// Value bytes; null is a tombstone.
    pub value: Span,
    /// First header row.
    pub header_first: u32,
    /// Number of header rows.
    pub header_count: u32,
    /// Transforms: index of the input row that this one comes from. Fetch and poll: its own index.
    pub source_row: u32,
    /// [`Row::LOG_APPEND_TIME`]; other bits are zero.
    pub flags: u32,
    /// Schema id of the key in the task's [`Schemas`], 0 = none.
    pub key_schema: u32,
    /// Schema id of the value, 0 = none.
    pub value_schema: u32,
}

impl Row {
    /// "The host chooses the partition."
    pub const ANY_PARTITION: u32 = u32::MAX;
    /// Flag: the timestamp is log-append time.
    pub const LOG_APPEND_TIME: u32 = 1;
    /// Bytes of one row.
    pub const BYTES: usize = 64;
}

/// One header: 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct HeaderRow {
    /// First byte of the name.
    pub name_offset: u32,
    /// Bytes of the name.
    pub name_len: u16,
    /// Schema id of the value, 0 = none.
    pub schema: u16,
    /// Value bytes.
    pub value: Span,
}

impl HeaderRow {
    /// Bytes of one header row.
    pub const BYTES: usize = 16;
}

const _: () = assert!(size_of::<Row>() == Row::BYTES && size_of::<HeaderRow>() == HeaderRow::BYTES);
const _: () = assert!(cfg!(target_endian = "little"), "rows are shared with guests as they lie in memory");

/// How payload bytes are to be read. See `wit/v0.1/batches.wit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// Opaque, as in the topic.
    Bytes,
    /// UTF-8 JSON.
    Json,
    /// CBOR, RFC 8949.
    Cbor,
}

/// What was negotiated for one task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Formats {
    /// Encoding of keys.
    pub key: Encoding,
    /// Encoding of values.
    pub value: Encoding,
    /// Encoding of header values.
    pub header: Encoding,
}

impl Formats {
    /// Everything opaque.
    pub const BYTES: Self = Self { key: Encoding::Bytes, value: Encoding::Bytes, header: Encoding::Bytes };
}

/// Records in flat form. Buffers keep their capacity over [`Batch::clear`], so that a steady stream allocates nothing.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// Dictionary of topic names.
    pub topics: Vec<Arc<str>>,
    /// The task's schemas; rows hold ids.
    pub schemas: Schemas,
    /// The records.
    pub rows: Vec<Row>,
    /// Their headers.
    pub headers: Vec<HeaderRow>,
    /// Their bytes.
    pub data: Vec<u8>,
}

/// Why a batch from a guest is refused. Code `guest.protocol`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// A byte list is not a whole number of rows.
    #[error("{field} has {len} bytes, which is not a multiple of {unit}")]
    Ragged {
        /// `rows` or `headers`.
        field: &'static str,
        /// Its length.
        len: usize,
        /// Bytes of a row.
        unit: usize,
    },
    /// A span leaves `data`.
    #[error("row {row}: {field} spans bytes {offset}+{len}, but data has {data} bytes")]
    Span {
        /// Index of the row.
        row: usize,
        /// Which span.
        field: &'static str,
        /// Its offset.
        offset: u32,
        /// Its length.
        len: u32,
        /// Length of `data`.
        data: usize,
    },
    /// An index points at nothing.
    #[error("row {row}: {field} is {value}, but there are only {count}")]
    Index {
        /// Index of the row.
        row: usize,
        /// Which index.
        field: &'static str,
        /// Its value.
        value: u64,
        /// How many there are.
        count: usize,
    },
    /// A header name is not UTF-8, or a topic name is not one that Kafka takes.
    #[error("row {row}: {field} is not valid: {why}")]
    Name {
        /// Index of the row (or topic).
        row: usize,
        /// Which name.
        field: &'static str,
        /// The reason.
        why: String,
    },
    /// Too much of something.
    #[error("the batch has {count} {field}, but at most {max} are allowed")]
    TooMany {
        /// Of what.
        field: &'static str,
        /// How many.
        count: usize,
        /// The bound.
        max: usize,
    },
}

impl Batch {
    /// Rows at most, in any batch from a guest.
    pub const ROWS_MAX: usize = 65_536;

    /// An empty batch over the task's schemas.
    pub fn new(schemas: Schemas) -> Self {
        Self { schemas, ..Self::default() }
    }

    /// Empties the batch and keeps its buffers.
    pub fn clear(&mut self) {
        self.topics.clear();
        self.rows.clear();
        self.headers.clear();
        self.data.clear();
    }

    /// True if there are no records.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Number of records.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// The bytes of a span; `None` for null. The span must be in range (see [`Batch::check`]), else this panics.
    pub fn bytes(&self, span: Span) -> Option<&[u8]> {
        (!span.is_null()).then(|| &self.data[span.offset as usize..][..span.len as usize])
    }

    /// The name of the topic of a row.
    pub fn topic(&self, row: &Row) -> &Arc<str> {
        &self.topics[row.topic as usize]
    }

    /// The header rows of a row.
    pub fn headers_of(&self, row: &Row) -> &[HeaderRow] {
        // Where there are none, nothing says where they begin.
        let count = row.header_count as usize;
        if count == 0 { &[] } else { &self.headers[row.header_first as usize..][..count] }
    }

    /// The name of a header.
    pub fn header_name(&self, header: &HeaderRow) -> &[u8] {
        &self.data[header.name_offset as usize..][..usize::from(header.name_len)]
    }

    /// Appends bytes to the arena.
    ///
    /// # Panics
    /// If the arena would pass 4 GiB; the bounds on batches keep far below.
    pub fn push_bytes(&mut self, bytes: Option<&[u8]>) -> Span {
        let Some(bytes) = bytes else { return Span::NULL };
        let offset = u32::try_from(self.data.len()).expect("arena below 4 GiB");
        self.data.extend_from_slice(bytes);
        Span { offset, len: u32::try_from(bytes.len()).expect("record below 4 GiB") }
    }

    /// The index of a topic name, added if it is new. Dictionaries are short, so the search is linear; the last hit is
    /// looked at first by callers that keep it.
    pub fn topic_index(&mut self, topic: &Arc<str>) -> u32 {
        let found = self.topics.iter().position(|t| Arc::ptr_eq(t, topic) || t == topic);
        let index = found.unwrap_or_else(|| {
            self.topics.push(Arc::clone(topic));
            self.topics.len() - 1
        });
        u32::try_from(index).expect("fewer topics than rows")
    }

    /// Checks everything that a guest could lie about, so that the views above cannot panic. `data_len` is the length of
    /// the arena that spans may use; topics must be legal Kafka names.
    pub fn check(&self) -> Result<(), BatchError> {
        for (index, topic) in self.topics.iter().enumerate() {
            check_topic(topic).map_err(|why| BatchError::Name { row: index, field: "topic", why })?;
        }
        self.check_rows()
    }

    /// As [`Batch::check`], but topics may have any names: transforms make them of a record's data, and Kafka says which of
    /// them it takes.
    pub fn check_rows(&self) -> Result<(), BatchError> {
        if self.rows.len() > Self::ROWS_MAX {
            return Err(BatchError::TooMany { field: "rows", count: self.rows.len(), max: Self::ROWS_MAX });
        }
        let schema_count = self.schemas.len();
        for (index, row) in self.rows.iter().enumerate() {
            self.check_row(index, row, schema_count)?;
        }
        for (index, header) in self.headers.iter().enumerate() {
            self.check_header(index, header, schema_count)?;
        }
        Ok(())
    }

    fn check_row(&self, index: usize, row: &Row, schema_count: usize) -> Result<(), BatchError> {
        self.check_span(index, "key", row.key)?;
        self.check_span(index, "value", row.value)?;
        check_index(index, "topic", u64::from(row.topic), self.topics.len())?;
        let headers_end = u64::from(row.header_first) + u64::from(row.header_count);
        if headers_end > self.headers.len() as u64 && row.header_count > 0 {
            let (value, count) = (headers_end - 1, self.headers.len());
            return Err(BatchError::Index { row: index, field: "header", value, count });
        }
        if row.flags & !Row::LOG_APPEND_TIME != 0 {
            let value = u64::from(row.flags);
            return Err(BatchError::Index { row: index, field: "flags", value, count: 2 });
        }
        check_index(index, "key schema", u64::from(row.key_schema), schema_count + 1)?;
        check_index(index, "value schema", u64::from(row.value_schema), schema_count + 1)
    }

    fn check_header(&self, index: usize, header: &HeaderRow, schema_count: usize) -> Result<(), BatchError> {
        let name = Span { offset: header.name_offset, len: u32::from(header.name_len) };
        self.check_span(index, "header name", name)?;
        self.check_span(index, "header value", header.value)?;
        check_index(index, "header schema", u64::from(header.schema), schema_count + 1)?;
        std::str::from_utf8(self.header_name(header)).map(drop).map_err(|e| BatchError::Name {
            row: index,
            field: "header name",
            why: e.to_string(),
        })
    }

    fn check_span(&self, row: usize, field: &'static str, span: Span) -> Result<(), BatchError> {
        if span.end() <= self.data.len() as u64 {
            return Ok(());
        }
        Err(BatchError::Span { row, field, offset: span.offset, len: span.len, data: self.data.len() })
    }
}

fn check_index(row: usize, field: &'static str, value: u64, count: usize) -> Result<(), BatchError> {
    if value < count as u64 { Ok(()) } else { Err(BatchError::Index { row, field, value, count }) }
}

/// True for the topics in which Kafka keeps its own state.
pub fn is_internal(topic: &str) -> bool {
    matches!(topic, "__consumer_offsets" | "__transaction_state")
}

/// Kafka's rule for topic names: 1 to 249 of `[a-zA-Z0-9._-]`, neither `.` nor `..`. `__consumer_offsets` and
/// `__transaction_state` are refused as well: no plugin has business there.
pub fn check_topic(topic: &str) -> Result<(), String> {
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    if topic.is_empty() || topic.len() > 249 {
        return Err(format!("a topic name has 1 to 249 bytes, this one {}", topic.len()));
    }
    if topic == "." || topic == ".." || !topic.bytes().all(legal) {
        return Err("a topic name is made of a-z, A-Z, 0-9, '.', '_' and '-', and is not '.' or '..'".to_owned());
    }
    if is_internal(topic) {
        return Err("Kafka's own topics are not for plugins".to_owned());
    }
    Ok(())
}
