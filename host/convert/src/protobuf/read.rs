//! Wire bytes to payloads, by a plan and without a tree.
//!
//! Enters: a message's bytes. Leaves: a payload in whichever encoding the writer has. Invariant: of repeated single fields
//! the last wins, pieces of one message are merged, unknown fields and fields of another wire type are passed over.

use super::plan::{Absent, Kind, Message, Output, Scalar, Slot};
use super::read_scalar::{clock, content, day, decimal, instant, number, wrapper};
use super::to_connect::{Readable, Root};
use super::wire::{DEPTH_MAX, Raw, Reader};
use crate::emit::{Emit, Shape};
use crate::fault::{DataFault, Result};

/// Bytes of a payload at most: an empty message of two bytes becomes all its fields, so that a small record could fill memory.
const PAYLOAD_MAX: usize = 64 << 20;

/// What was found of a field. Kept by the caller from record to record, so that nothing is allocated for each.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Found {
    count: u32,
    /// Where the first tag stands.
    first: usize,
    /// The value, or where it begins.
    a: u64,
    /// Where it ends.
    b: usize,
}

/// Memory of a reader.
pub(crate) type Scratch = Vec<Found>;

impl Readable {
    /// Writes the payload of a message.
    ///
    /// # Errors
    /// `protobuf.syntax` for bytes that are no message, `schema.mismatch` for values beyond their type.
    pub(crate) fn read(&self, bytes: &[u8], scratch: &mut Scratch, out: &mut impl Emit) -> Result<()> {
        scratch.clear();
        match &self.root {
            Root::Message(plan) => message(plan, bytes, scratch, out, 0),
            Root::Wrapper(scalar) => wrapper(*scalar, bytes, out),
        }
    }
}

fn message(plan: &Message, bytes: &[u8], scratch: &mut Scratch, out: &mut impl Emit, depth: usize) -> Result<()> {
    if depth > DEPTH_MAX {
        return Err(Reader::new(bytes).fault("more than 100 levels"));
    }
    if out.written() > PAYLOAD_MAX {
        let why = "the message becomes a payload of more than 64 MiB";
        return Err(DataFault::new("protobuf.too-large", why));
    }
    let base = scratch.len();
    find(plan, bytes, scratch)?;
    out.begin(Shape::Fields, plan.outputs.len());
    for (index, output) in plan.outputs.iter().enumerate() {
        out.next(Shape::Fields, index);
        match output {
            Output::Slot(name, slot) => {
                out.name(name);
                field(&plan.slots[*slot], scratch[base + slot], bytes, scratch, out, depth)?;
            }
            Output::Union(name, members) => {
                out.name(name);
                if members.iter().all(|(_, slot)| scratch[base + slot].count == 0) {
                    out.null();
                    continue;
                }
                out.begin(Shape::Fields, members.len());
                for (index, (name, slot)) in members.iter().enumerate() {
                    out.next(Shape::Fields, index);
                    out.name(name);
                    field(&plan.slots[*slot], scratch[base + slot], bytes, scratch, out, depth)?;
                }
                out.end(Shape::Fields);
            }
        }
    }
    out.end(Shape::Fields);
    scratch.truncate(base);
    Ok(())
}

/// One pass over a message: where each field of the plan stands.
fn find(plan: &Message, bytes: &[u8], scratch: &mut Scratch) -> Result<()> {
    let base = scratch.len();
    scratch.resize(base + plan.slots.len(), Found::default());
    let mut reader = Reader::new(bytes);
    while !reader.is_done() {
        let tag_at = reader.at;
        let (number, wire_type) = reader.tag()?;
        let raw = reader.value(number, wire_type)?;
        let Some(index) = plan.slot(number) else { continue };
        let slot = &plan.slots[index];
        let Some(elements) = elements(slot, wire_type, raw, &reader) else { continue };
        if matches!(slot.kind, Kind::Cut) {
            let why = "a message inside itself more than three times, or more than 100 levels: such data has no place in the schema";
            return Err(DataFault::new("protobuf.recursion", why));
        }
        if slot.oneof.is_some() && scratch[base + index].count == 0 {
            for (other, slot) in plan.slots.iter().enumerate().filter(|(_, s)| s.oneof == slot.oneof) {
                debug_assert_eq!(plan.slot(slot.number), Some(other));
                scratch[base + other] = Found::default();
            }
        }
        let found = &mut scratch[base + index];
        if found.count == 0 {
            found.first = tag_at;
        }
        // A batch is smaller than 4 GiB, and so is a count of its elements.
        found.count = found.count.saturating_add(u32::try_from(elements).unwrap_or(u32::MAX));
        (found.a, found.b) = match raw {
            Raw::Number(n) => (n, reader.at),
            Raw::Span(from, _) if slot.repeated => (from as u64, reader.at),
            Raw::Span(from, to) => (from as u64, to),
        };
    }
    Ok(())
}

/// How many elements an occurrence has; `None` if it has another wire type than the field.
fn elements(slot: &Slot, wire_type: u8, raw: Raw, reader: &Reader<'_>) -> Option<usize> {
    let wanted = slot.kind.wire_type();
    match raw {
        _ if wanted == wire_type => Some(1),
        // A group where a message is expected.
        _ if wanted == 2 && wire_type == 3 && !matches!(slot.kind, Kind::Scalar(..)) => Some(1),
        Raw::Span(from, to) if slot.repeated && wire_type == 2 && wanted != 2 => {
            Some(reader.packed_count(from, to, wanted))
        }
        _ => None,
    }
}

fn field(
    slot: &Slot,
    found: Found,
    bytes: &[u8],
    scratch: &mut Scratch,
    out: &mut impl Emit,
    depth: usize,
) -> Result<()> {
    if let (true, Kind::Entry(entry)) = (slot.repeated, &slot.kind) {
        return map(slot, entry, found, bytes, scratch, out, depth);
    }
    if slot.repeated {
        return list(slot, found, bytes, scratch, out, depth);
    }
    if found.count == 0 {
        return absent(slot, scratch, out, depth);
    }
    if slot.kind.wire_type() != 2 {
        return single(&slot.kind, Raw::Number(found.a), bytes, scratch, out, depth);
    }
    let span = usize::try_from(found.a).unwrap_or(0)..found.b;
    if found.count == 1 || matches!(slot.kind, Kind::Scalar(..)) {
        return single(&slot.kind, Raw::Span(span.start, span.end), bytes, scratch, out, depth);
    }
    let merged = merged(slot, found, bytes)?;
    single(&slot.kind, Raw::Span(0, merged.len()), &merged, scratch, out, depth)
}

/// Pieces of one message, one after the other: that is what merging them means.
fn merged(slot: &Slot, found: Found, bytes: &[u8]) -> Result<Vec<u8>> {
    let mut whole = Vec::new();
    let mut reader = Reader::new(bytes);
    reader.at = found.first;
    while reader.at < found.b {
        let (number, wire_type) = reader.tag()?;
        if let (true, Raw::Span(from, to)) = (number == slot.number, reader.value(number, wire_type)?) {
            whole.extend_from_slice(&bytes[from..to]);
        }
    }
    Ok(whole)
}

/// Calls back for each element of a repeated field.
fn each(slot: &Slot, found: Found, bytes: &[u8], mut element: impl FnMut(Raw) -> Result<()>) -> Result<()> {
    if found.b == 0 {
        return Ok(());
    }
    let wanted = slot.kind.wire_type();
    let mut reader = Reader::new(bytes);
    reader.at = found.first;
    while reader.at < found.b {
        let (number, wire_type) = reader.tag()?;
        let raw = reader.value(number, wire_type)?;
        if number != slot.number {
            continue;
        }
        match raw {
            Raw::Span(from, to) if wire_type == 2 && wanted != 2 => {
                let mut packed = Reader::new(&bytes[..to]);
                packed.at = from;
                while !packed.is_done() {
                    element(packed.value(number, wanted)?)?;
                }
            }
            raw if elements(slot, wire_type, raw, &reader).is_some() => element(raw)?,
            _ => {}
        }
    }
    Ok(())
}

fn list(
    slot: &Slot,
    found: Found,
    bytes: &[u8],
    scratch: &mut Scratch,
    out: &mut impl Emit,
    depth: usize,
) -> Result<()> {
    out.begin(Shape::List, found.count as usize);
    let mut index = 0;
    each(slot, found, bytes, |raw| {
        out.next(Shape::List, index);
        index += 1;
        single(&slot.kind, raw, bytes, scratch, out, depth)
    })?;
    out.end(Shape::List);
    Ok(())
}

fn map(
    slot: &Slot,
    entry: &Message,
    found: Found,
    bytes: &[u8],
    scratch: &mut Scratch,
    out: &mut impl Emit,
    depth: usize,
) -> Result<()> {
    let text_keys = matches!(entry.slots[0].kind, Kind::Scalar(Scalar::Text, _) | Kind::Enum(_));
    let shape = if text_keys { Shape::Object } else { Shape::Pairs };
    out.begin(shape, found.count as usize);
    let mut index = 0;
    each(slot, found, bytes, |raw| {
        let Raw::Span(from, to) = raw else { return Ok(()) };
        let inner = &bytes[from..to];
        let base = scratch.len();
        find(entry, inner, scratch)?;
        let (key, value) = (scratch[base], scratch[base + 1]);
        out.next(shape, index);
        index += 1;
        field(&entry.slots[0], key, inner, scratch, out, depth + 1)?;
        out.middle(shape);
        field(&entry.slots[1], value, inner, scratch, out, depth + 1)?;
        out.done(shape);
        scratch.truncate(base);
        Ok(())
    })?;
    out.end(shape);
    Ok(())
}

fn absent(slot: &Slot, scratch: &mut Scratch, out: &mut impl Emit, depth: usize) -> Result<()> {
    match &slot.absent {
        Absent::Null => out.null(),
        Absent::Text(text) => out.text(text),
        Absent::Bytes(bytes) => out.bytes(bytes),
        Absent::Raw(raw) => return single(&slot.kind, Raw::Number(*raw), &[], scratch, out, depth),
        Absent::Default if slot.kind.wire_type() == 2 => {
            return single(&slot.kind, Raw::Span(0, 0), &[], scratch, out, depth);
        }
        Absent::Default => return single(&slot.kind, Raw::Number(0), &[], scratch, out, depth),
    }
    Ok(())
}

fn single(kind: &Kind, raw: Raw, bytes: &[u8], scratch: &mut Scratch, out: &mut impl Emit, depth: usize) -> Result<()> {
    let span = |raw| if let Raw::Span(from, to) = raw { &bytes[from..to] } else { &[] };
    match (kind, raw) {
        (Kind::Scalar(scalar @ (Scalar::Text | Scalar::Bytes), _), raw) => content(*scalar, span(raw), out),
        (Kind::Scalar(scalar, bits), Raw::Number(n)) => number(*scalar, *bits, n, out),
        #[expect(clippy::cast_possible_truncation, reason = "an enum's number is the low half of its varint")]
        (Kind::Enum(symbols), Raw::Number(n)) => {
            out.text(&symbols.symbol(n as i32));
            Ok(())
        }
        (Kind::Message(plan), raw) => message(plan, span(raw), scratch, out, depth + 1),
        (Kind::Wrapper(scalar), raw) => wrapper(*scalar, span(raw), out),
        (Kind::Decimal(scale), raw) => decimal(*scale, span(raw), out),
        (Kind::Date, raw) => day(span(raw), out),
        (Kind::Time, raw) => clock(span(raw), out),
        (Kind::Timestamp, raw) => instant(span(raw), out),
        // Faults were made of these when they were found; without data there is nothing to say.
        (Kind::Cut, _) => {
            out.begin(Shape::Fields, 0);
            out.end(Shape::Fields);
            Ok(())
        }
        _ => Err(Reader::new(bytes).fault("a value of another wire type")),
    }
}
