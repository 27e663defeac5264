//! Cutting and joining batches, for rows that went another way than their batch.
//!
//! Enters: batches. Leaves: batches with other rows. Invariant: order of the rows that stay; spans always point into the
//! arena of their own batch. Only exceptions come here: a batch that goes well is never touched.

use lockgate_model::batch::{Batch, HeaderRow, Row, Span};

/// Makes `into` a copy, in the buffers it already has.
pub(crate) fn copy(into: &mut Batch, from: &Batch) {
    copy_coordinates(into, from);
    into.schemas.clone_from(&from.schemas);
    into.headers.extend_from_slice(&from.headers);
    into.data.extend_from_slice(&from.data);
}

/// Makes `into` a copy of rows and topics only: offsets and timestamps are right, spans point at nothing.
pub(crate) fn copy_coordinates(into: &mut Batch, from: &Batch) {
    into.clear();
    into.topics.extend(from.topics.iter().cloned());
    into.rows.extend_from_slice(&from.rows);
}

/// Makes `into` hold copies of these rows; their `source_row` is their index in `into`.
pub(crate) fn select(into: &mut Batch, from: &Batch, rows: &[u32]) {
    into.clear();
    into.schemas.clone_from(&from.schemas);
    for (index, &row) in (0_u32..).zip(rows) {
        let mut copied = copy_row(into, from, &from.rows[row as usize]);
        copied.source_row = index;
        into.rows.push(copied);
    }
}

/// Copies the bytes and headers of a row of another batch and gives the row that points at them; it is not added.
pub(crate) fn copy_row(into: &mut Batch, from: &Batch, row: &Row) -> Row {
    let mut copied = *row;
    copied.topic = into.topic_index(from.topic(row));
    copied.key = copy_span(into, from, row.key);
    copied.value = copy_span(into, from, row.value);
    copy_headers(into, from, row, &mut copied);
    copied
}

fn copy_headers(into: &mut Batch, from: &Batch, row: &Row, copied: &mut Row) {
    copied.header_first = count(into.headers.len());
    for header in from.headers_of(row) {
        let name = into.push_bytes(Some(from.header_name(header)));
        let value = copy_span(into, from, header.value);
        into.headers.push(HeaderRow { name_offset: name.offset, value, ..*header });
    }
}

fn copy_span(into: &mut Batch, from: &Batch, span: Span) -> Span {
    into.push_bytes(from.bytes(span))
}

/// A number of rows or headers; batches are bounded far below 2^32.
pub(crate) fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// Keeps the rows for which `keep` holds, and the same entries of `beside` (one per row, or empty).
pub(crate) fn retain(batch: &mut Batch, beside: &mut Vec<u32>, mut keep: impl FnMut(usize, &Row) -> bool) {
    let mut kept = 0;
    for index in 0..batch.rows.len() {
        if keep(index, &batch.rows[index]) {
            batch.rows[kept] = batch.rows[index];
            if let Some(entry) = beside.get(index).copied() {
                beside[kept] = entry;
            }
            kept += 1;
        }
    }
    batch.rows.truncate(kept);
    beside.truncate(kept);
}

/// Adds copies of the rows of `from`, so that `source_row` ascends again; rows of `from` must ascend too.
pub(crate) fn merge(into: &mut Batch, from: &Batch) {
    for row in &from.rows {
        let copied = copy_row(into, from, row);
        let at = into.rows.partition_point(|r| r.source_row <= copied.source_row);
        into.rows.insert(at, copied);
    }
}
