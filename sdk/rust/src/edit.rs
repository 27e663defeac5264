//! One record on its way through a chain of transforms.
//!
//! Enters: a row of the input. Leaves: rows of the outcome. Invariant: a field that no step touches keeps its span in
//! the input's data and costs no copy; new bytes go behind it, and spans count on as if they stood there.

use std::cell::OnceCell;
use std::rc::Rc;

use crate::batch::{Batch, text};
use crate::builder::narrow;
use crate::form::Held;
use crate::row::{HeaderRow, Row, Span};
use crate::schemas::Schemas;

mod forms;

/// The outcome of a batch in the making.
pub(crate) struct Outcome {
    pub(crate) topics: Vec<String>,
    pub(crate) rows: Vec<u8>,
    pub(crate) headers: Vec<u8>,
    pub(crate) appended: Vec<u8>,
    pub(crate) scratch: Vec<u8>,
    /// Key and value, where steps hold them in a form.
    pub(crate) forms: [Held; 2],
}

/// A part of a record that may be held in a form; also its place in arrays.
#[derive(Clone, Copy)]
enum Part {
    Key,
    Value,
}

/// A record that a transform may read and change.
pub struct Edit<'a> {
    pub(crate) batch: &'a Batch,
    pub(crate) out: &'a mut Outcome,
    pub(crate) row: Row,
    /// True once the row's headers lie in the outcome.
    pub(crate) own_headers: bool,
    /// Copies made by `split`, still to go through the steps that follow.
    pub(crate) split: Vec<(Row, bool)>,
    /// Appended bytes below this length may be part of more than one field: they are not written over.
    shared: usize,
    /// Key and value: true while a form stands for it. The span in the row is then that of the bytes which the form was read
    /// from.
    held: [bool; 2],
    /// The bytes that such a form stands for, if somebody wanted to see them.
    seen: [OnceCell<Vec<u8>>; 2],
}

/// The bytes of a span: of the input, or behind it.
#[inline]
fn bytes<'a>(data: &'a [u8], appended: &'a [u8], span: Span) -> Option<&'a [u8]> {
    if span.is_null() {
        return None;
    }
    let (input, at, len) = (data.len(), span.offset as usize, span.len as usize);
    Some(if at >= input && len > 0 { &appended[at - input..][..len] } else { &data[at.min(input)..][..len] })
}

impl<'a> Edit<'a> {
    pub(crate) fn new(batch: &'a Batch, out: &'a mut Outcome, row: Row, own_headers: bool) -> Self {
        let shared = out.appended.len();
        let (held, seen) = Default::default();
        Self { batch, out, row, own_headers, split: Vec::new(), shared, held, seen }
    }
}

impl Edit<'_> {
    fn bytes(&self, span: Span) -> Option<&[u8]> {
        bytes(&self.batch.data, &self.out.appended, span)
    }

    /// Topic.
    pub fn topic(&self) -> &str {
        &self.out.topics[self.row.topic as usize]
    }

    /// Partition; none: the host chooses.
    pub fn partition(&self) -> Option<u32> {
        (self.row.partition != Row::ANY_PARTITION).then_some(self.row.partition)
    }

    /// Offset in the partition; none for records of a source.
    pub fn offset(&self) -> Option<i64> {
        (self.row.offset >= 0).then_some(self.row.offset)
    }

    /// Milliseconds since the epoch.
    pub fn timestamp(&self) -> Option<i64> {
        (self.row.timestamp >= 0).then_some(self.row.timestamp)
    }

    /// Key; none is null.
    #[inline]
    pub fn key(&self) -> Option<&[u8]> {
        if self.held[Part::Key as usize] { Some(self.seen(Part::Key)) } else { self.bytes(self.row.key) }
    }

    /// Value; none is a tombstone.
    #[inline]
    pub fn value(&self) -> Option<&[u8]> {
        if self.held[Part::Value as usize] { Some(self.seen(Part::Value)) } else { self.bytes(self.row.value) }
    }

    /// True if the key is not null. Costs nothing where steps hold it in a [`Form`](crate::Form).
    #[inline]
    pub fn has_key(&self) -> bool {
        !self.row.key.is_null()
    }

    /// True if the value is not null, likewise.
    #[inline]
    pub fn has_value(&self) -> bool {
        !self.row.value.is_null()
    }

    /// Where the value lies, to come back to it with [`Edit::set_value_span`].
    pub fn value_span(&mut self) -> Span {
        self.settle(Part::Value);
        self.share();
        self.row.value
    }

    /// Where the key lies.
    pub fn key_span(&mut self) -> Span {
        self.settle(Part::Key);
        self.share();
        self.row.key
    }

    /// From here on what was appended may be referred to twice.
    fn share(&mut self) {
        self.shared = self.out.appended.len();
    }

    /// Sets the value to bytes that this batch already has: a span that a getter of this record gave.
    pub fn set_value_span(&mut self, span: Span) {
        self.set(Part::Value, span);
    }

    /// Sets the key likewise.
    pub fn set_key_span(&mut self, span: Span) {
        self.set(Part::Key, span);
    }

    fn set(&mut self, part: Part, span: Span) {
        self.held[part as usize] = false;
        self.seen[part as usize].take();
        match part {
            Part::Key => self.row.key = span,
            Part::Value => self.row.value = span,
        }
    }

    const fn span(&self, part: Part) -> Span {
        match part {
            Part::Key => self.row.key,
            Part::Value => self.row.value,
        }
    }

    /// Id of the key's schema, 0 = none: constant for one schema, so cache by it what is costly to derive.
    pub fn key_schema_id(&self) -> u32 {
        self.row.key_schema
    }

    /// Id of the value's schema, 0 = none.
    pub fn value_schema_id(&self) -> u32 {
        self.row.value_schema
    }

    /// Definition of the key's schema.
    pub fn key_schema(&self) -> Option<Rc<str>> {
        self.batch.schemas.definition(self.row.key_schema)
    }

    /// Definition of the value's schema.
    pub fn value_schema(&self) -> Option<Rc<str>> {
        self.batch.schemas.definition(self.row.value_schema)
    }

    /// The schemas of this instance, to announce new ones.
    pub fn schemas(&self) -> &Schemas {
        &self.batch.schemas
    }

    fn header_rows(&self) -> impl Iterator<Item = HeaderRow> + '_ {
        let all: &[[u8; HeaderRow::BYTES]] = if self.row.header_count == 0 {
            &[]
        } else if self.own_headers {
            let (all, _) = self.out.headers.as_chunks::<{ HeaderRow::BYTES }>();
            &all[self.row.header_first as usize..][..self.row.header_count as usize]
        } else {
            self.batch.header_rows(&self.row)
        };
        all.iter().map(HeaderRow::read)
    }

    /// Headers in order: name, value, schema id.
    pub fn headers(&self) -> impl Iterator<Item = (&str, Option<&[u8]>, u32)> + '_ {
        self.header_rows().map(|h| (text(self.bytes(h.name())), self.bytes(h.value), u32::from(h.schema)))
    }

    /// The value of the last header of this name; the outer none: there is no such header.
    pub fn header(&self, name: &str) -> Option<Option<&[u8]>> {
        self.headers().filter(|h| h.0 == name).last().map(|h| h.1)
    }

    /// Moves the record to another topic.
    pub fn set_topic(&mut self, name: &str) {
        let topics = &mut self.out.topics;
        let index = topics.iter().position(|t| t == name).unwrap_or_else(|| {
            topics.push(name.to_owned());
            topics.len() - 1
        });
        self.row.topic = narrow(index);
    }

    /// Sets the partition; none: the host chooses.
    pub fn set_partition(&mut self, partition: Option<u32>) {
        self.row.partition = partition.unwrap_or(Row::ANY_PARTITION);
    }

    /// Sets the time stamp, milliseconds since the epoch.
    pub fn set_timestamp(&mut self, timestamp: Option<i64>) {
        self.row.timestamp = timestamp.unwrap_or(-1);
        self.row.flags &= !Row::LOG_APPEND_TIME;
    }

    /// Replaces the key; its schema stays.
    pub fn set_key(&mut self, key: Option<&[u8]>) {
        let span = self.append(key);
        self.set(Part::Key, span);
    }

    /// Replaces the value; its schema stays.
    pub fn set_value(&mut self, value: Option<&[u8]>) {
        let span = self.append(value);
        self.set(Part::Value, span);
    }

    /// Replaces the key by a part of itself or of the value, without a copy: `part` counts from the start of the value
    /// if `of_value`, else of the key. Nothing happens where that is null or the part leaves it.
    pub fn set_key_part(&mut self, of_value: bool, part: std::ops::Range<usize>) {
        if let Some(span) = self.part(of_value, &part) {
            self.share();
            self.set(Part::Key, span);
        }
    }

    /// Replaces the value likewise.
    pub fn set_value_part(&mut self, of_value: bool, part: std::ops::Range<usize>) {
        if let Some(span) = self.part(of_value, &part) {
            self.share();
            self.set(Part::Value, span);
        }
    }

    fn part(&mut self, of_value: bool, part: &std::ops::Range<usize>) -> Option<Span> {
        let of = if of_value { Part::Value } else { Part::Key };
        self.settle(of);
        let span = self.span(of);
        let inside = !span.is_null() && part.start <= part.end && part.end <= span.len as usize;
        inside.then(|| Span { offset: span.offset + narrow(part.start), len: narrow(part.end - part.start) })
    }

    /// Rewrites the key in place of the old one: `write` gets the old bytes and appends the new ones. On an error the
    /// record stays as it was.
    pub fn rewrite_key<E>(&mut self, write: impl FnOnce(&[u8], &mut Vec<u8>) -> Result<(), E>) -> Result<(), E> {
        self.rewrite_part(Part::Key, write)
    }

    /// Rewrites the value likewise.
    pub fn rewrite_value<E>(&mut self, write: impl FnOnce(&[u8], &mut Vec<u8>) -> Result<(), E>) -> Result<(), E> {
        self.rewrite_part(Part::Value, write)
    }

    fn rewrite_part<E>(
        &mut self,
        part: Part,
        write: impl FnOnce(&[u8], &mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.settle(part);
        let span = self.rewrite(self.span(part), write)?;
        self.set(part, span);
        Ok(())
    }

    fn rewrite<E>(&mut self, span: Span, write: impl FnOnce(&[u8], &mut Vec<u8>) -> Result<(), E>) -> Result<Span, E> {
        let input = self.batch.data.len();
        let mut start = self.out.appended.len();
        if (span.offset as usize) < input || span.is_null() || span.len == 0 {
            let old = span.of(&self.batch.data).unwrap_or_default();
            write(old, &mut self.out.appended).inspect_err(|_| self.out.appended.truncate(start))?;
        } else {
            let mut scratch = std::mem::take(&mut self.out.scratch);
            scratch.clear();
            let at = span.offset as usize - input;
            let written = write(&self.out.appended[at..][..span.len as usize], &mut scratch);
            if written.is_ok() {
                // The version of the step before, if nothing else refers to it, gives way: it need not leave the guest.
                if at >= self.shared && at + span.len as usize == start {
                    start = at;
                    self.out.appended.truncate(at);
                }
                self.out.appended.extend_from_slice(&scratch);
            }
            self.out.scratch = scratch;
            written?;
        }
        Ok(Span { offset: narrow(input + start), len: narrow(self.out.appended.len() - start) })
    }

    /// Sets the schema of the key: its definition, announced if it is new; none = no schema.
    pub fn set_key_schema(&mut self, definition: Option<&str>) {
        self.row.key_schema = definition.map_or(0, |d| self.batch.schemas.announce(d));
    }

    /// Sets the schema of the value likewise.
    pub fn set_value_schema(&mut self, definition: Option<&str>) {
        self.row.value_schema = definition.map_or(0, |d| self.batch.schemas.announce(d));
    }

    /// Sets the schema of the key by an id that this instance knows.
    pub fn set_key_schema_id(&mut self, id: u32) {
        self.row.key_schema = id;
    }

    /// Sets the schema of the value by an id that this instance knows.
    pub fn set_value_schema_id(&mut self, id: u32) {
        self.row.value_schema = id;
    }

    /// Adds a header. A name of 64 KiB or more is cut off.
    pub fn add_header(&mut self, name: &str, value: Option<&[u8]>, schema: u32) {
        self.keep_headers(|_| true);
        let mut end = name.len().min(usize::from(u16::MAX));
        while !name.is_char_boundary(end) {
            end -= 1;
        }
        let span = self.append(Some(&name.as_bytes()[..end]));
        let value = self.append(value);
        let (name_len, schema) = (u16::try_from(end).unwrap_or(0), u16::try_from(schema).unwrap_or(0));
        let row = HeaderRow { name_offset: span.offset, name_len, schema, value };
        self.out.headers.extend_from_slice(&row.bytes());
        self.row.header_count += 1;
    }

    /// Keeps the headers whose names pass, drops the others. The kept ones then lie at the end of the outcome.
    pub fn keep_headers(&mut self, mut keep: impl FnMut(&str) -> bool) {
        let kept: Vec<HeaderRow> = self.header_rows().filter(|h| keep(text(self.bytes(h.name())))).collect();
        let end = self.out.headers.len() / HeaderRow::BYTES;
        let at_end = self.own_headers && (self.row.header_first + self.row.header_count) as usize == end;
        if at_end && kept.len() == self.row.header_count as usize {
            return;
        }
        (self.own_headers, self.row.header_first, self.row.header_count) = (true, narrow(end), narrow(kept.len()));
        for row in kept {
            self.out.headers.extend_from_slice(&row.bytes());
        }
    }

    /// Sends a copy of the record as it is now on its way before this one; it goes through the steps that follow. Call
    /// it for each part but the last.
    pub fn split(&mut self) {
        self.settle_all();
        self.share();
        self.split.push((self.row, self.own_headers));
    }

    fn append(&mut self, bytes: Option<&[u8]>) -> Span {
        let Some(bytes) = bytes else { return Span::NULL };
        let offset = narrow(self.batch.data.len() + self.out.appended.len());
        self.out.appended.extend_from_slice(bytes);
        Span { offset, len: narrow(bytes.len()) }
    }

    /// Writes the row as part of the outcome.
    pub(crate) fn emit(mut self) {
        self.settle_all();
        if !self.own_headers && self.row.header_count > 0 {
            let first = narrow(self.out.headers.len() / HeaderRow::BYTES);
            for row in self.batch.header_rows(&self.row) {
                self.out.headers.extend_from_slice(row);
            }
            self.row.header_first = first;
        }
        self.out.rows.extend_from_slice(&self.row.bytes());
    }
}
