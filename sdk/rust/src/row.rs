//! The byte layout of one record and one header: 64 and 16 bytes, as `wit/batches.wit` says.
//!
//! Enters: bytes or fields. Leaves: fields or bytes. Invariant: `Row::read(&row.bytes()) == row`, for every row.

/// An (offset, length) pair into a batch's bytes; length [`Span::NULL_LEN`] means null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// First byte.
    pub offset: u32,
    /// Bytes, or [`Span::NULL_LEN`].
    pub len: u32,
}

impl Span {
    /// The length that means null.
    pub const NULL_LEN: u32 = u32::MAX;
    /// No bytes at all (not: empty bytes).
    pub const NULL: Self = Self { offset: 0, len: Self::NULL_LEN };

    /// True if there are no bytes at all.
    pub const fn is_null(self) -> bool {
        self.len == Self::NULL_LEN
    }

    /// The bytes in `data`; none for null.
    ///
    /// # Panics
    /// If the span leaves `data`: the host checks what it sends.
    #[inline]
    pub fn of(self, data: &[u8]) -> Option<&[u8]> {
        if self.is_null() { None } else { Some(&data[self.offset as usize..][..self.len as usize]) }
    }
}

/// One record, without its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Offset in the topic partition, -1 = not in Kafka yet.
    pub offset: i64,
    /// Milliseconds since the epoch, -1 = none.
    pub timestamp: i64,
    /// Partition; [`Row::ANY_PARTITION`] = the host chooses.
    pub partition: u32,
    /// Index into the batch's topics.
    pub topic: u32,
    /// Key.
    pub key: Span,
    /// Value; null is a tombstone.
    pub value: Span,
    /// First header row.
    pub header_first: u32,
    /// Number of header rows.
    pub header_count: u32,
    /// Transforms: index of the input row that this one comes from.
    pub source_row: u32,
    /// [`Row::LOG_APPEND_TIME`]; other bits are zero.
    pub flags: u32,
    /// Schema id of the key, 0 = none.
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

    /// Reads a row.
    #[inline]
    pub fn read(bytes: &[u8; Self::BYTES]) -> Self {
        Self {
            offset: i64_at(bytes, 0),
            timestamp: i64_at(bytes, 8),
            partition: u32_at(bytes, 16),
            topic: u32_at(bytes, 20),
            key: Span { offset: u32_at(bytes, 24), len: u32_at(bytes, 28) },
            value: Span { offset: u32_at(bytes, 32), len: u32_at(bytes, 36) },
            header_first: u32_at(bytes, 40),
            header_count: u32_at(bytes, 44),
            source_row: u32_at(bytes, 48),
            flags: u32_at(bytes, 52),
            key_schema: u32_at(bytes, 56),
            value_schema: u32_at(bytes, 60),
        }
    }

    /// Writes a row.
    #[inline]
    pub fn bytes(&self) -> [u8; Self::BYTES] {
        let mut out = [0; Self::BYTES];
        out[0..8].copy_from_slice(&self.offset.to_le_bytes());
        out[8..16].copy_from_slice(&self.timestamp.to_le_bytes());
        let words = [
            self.partition,
            self.topic,
            self.key.offset,
            self.key.len,
            self.value.offset,
            self.value.len,
            self.header_first,
            self.header_count,
            self.source_row,
            self.flags,
            self.key_schema,
            self.value_schema,
        ];
        for (slot, word) in out[16..].chunks_exact_mut(4).zip(words) {
            slot.copy_from_slice(&word.to_le_bytes());
        }
        out
    }
}

/// One header, without its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeaderRow {
    /// First byte of the name.
    pub name_offset: u32,
    /// Bytes of the name.
    pub name_len: u16,
    /// Schema id of the value, 0 = none.
    pub schema: u16,
    /// Value.
    pub value: Span,
}

impl HeaderRow {
    /// Bytes of one header row.
    pub const BYTES: usize = 16;

    /// Reads a header row.
    #[inline]
    pub fn read(bytes: &[u8; Self::BYTES]) -> Self {
        let lens = u32_at(bytes, 4).to_le_bytes();
        Self {
            name_offset: u32_at(bytes, 0),
            name_len: u16::from_le_bytes([lens[0], lens[1]]),
            schema: u16::from_le_bytes([lens[2], lens[3]]),
            value: Span { offset: u32_at(bytes, 8), len: u32_at(bytes, 12) },
        }
    }

    /// Writes a header row.
    #[inline]
    pub fn bytes(&self) -> [u8; Self::BYTES] {
        let mut out = [0; Self::BYTES];
        out[0..4].copy_from_slice(&self.name_offset.to_le_bytes());
        out[4..6].copy_from_slice(&self.name_len.to_le_bytes());
        out[6..8].copy_from_slice(&self.schema.to_le_bytes());
        out[8..12].copy_from_slice(&self.value.offset.to_le_bytes());
        out[12..16].copy_from_slice(&self.value.len.to_le_bytes());
        out
    }

    /// The span of the name.
    pub const fn name(&self) -> Span {
        Span { offset: self.name_offset, len: self.name_len as u32 }
    }
}

#[inline]
fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

#[inline]
fn i64_at(bytes: &[u8], at: usize) -> i64 {
    let (low, high) = (u64::from(u32_at(bytes, at)), u64::from(u32_at(bytes, at + 4)));
    (low | high << 32).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_reads_back_as_it_was_written() {
        let row = Row {
            offset: (1 << 53) + 1,
            timestamp: -1,
            partition: 2,
            topic: 3,
            key: Span { offset: 4, len: 5 },
            value: Span::NULL,
            header_first: 6,
            header_count: 7,
            source_row: 8,
            flags: 1,
            key_schema: 9,
            value_schema: 0x8000,
        };
        assert_eq!(Row::read(&row.bytes()), row);
        assert_eq!(row.bytes()[36..40], [0xff; 4], "a null value's length");
        assert_eq!(row.bytes()[60..64], [0, 0x80, 0, 0], "the value's schema stands last");
    }

    #[test]
    fn a_header_row_reads_back_as_it_was_written() {
        let header = HeaderRow { name_offset: 1, name_len: 2, schema: 3, value: Span { offset: 4, len: 5 } };
        assert_eq!(HeaderRow::read(&header.bytes()), header);
        assert_eq!(header.bytes()[4..8], [2, 0, 3, 0]);
    }
}
