//! Avro's binary form to payloads.
//!
//! Enters: the bytes of one datum. Leaves: JSON or CBOR. Invariant: reading never passes the end of the bytes, recurses at most
//! [`DEPTH_MAX`] levels, and writes no more than the bytes can stand for: items that take no bytes are counted.

use std::sync::Arc;

use lockgate_model::batch::Encoding;

use super::AvroOptions;
use super::out::{CborOut, Constant, JsonOut, Out};
use super::plan::{Plan, Step};
use super::schema::{Avro, Kind};
use super::to_connect;
use crate::fault::{DataFault, Result};
use crate::payload::DAY_MS;
use crate::registry::{Read, Reader};
use crate::schema::Schema;
use crate::value::Decimal;

/// Levels of nesting at most.
const DEPTH_MAX: usize = 200;
/// Items that take no bytes (null, empty records) in one datum at most.
const EMPTY_ITEMS_MAX: usize = 100_000;

/// Reads the data of one schema.
#[derive(Debug)]
pub(super) struct AvroReader {
    plan: Plan,
    schema: Option<Arc<Schema>>,
    /// Bytes alone stand in a topic as they are, without their length.
    bare: bool,
}

impl AvroReader {
    pub(super) fn new(avro: &Avro, options: AvroOptions, version: Option<i32>) -> Result<Self> {
        let schema = to_connect::schema(avro, options, version)?;
        let plan = Plan::new(avro, options, schema.is_none())?;
        let bare = matches!(avro.node(avro.root).kind, Kind::Bytes);
        Ok(Self { plan, schema, bare })
    }

    fn run<O: Out>(&self, bytes: &[u8], mut out: O) -> Result<bool> {
        let mut cursor = Cursor { bytes, at: 0, plan: &self.plan, empty: 0 };
        if self.bare {
            cursor.blob(bytes, &self.plan.steps[self.plan.root], &mut out)?;
            return Ok(false);
        }
        cursor.step(self.plan.root, &mut out, 0)
    }
}

impl Reader for AvroReader {
    fn read(&mut self, bytes: &[u8], encoding: Encoding, out: &mut Vec<u8>) -> Result<Read> {
        let is_null = match encoding {
            Encoding::Cbor => self.run(bytes, CborOut(out))?,
            _ => self.run(bytes, JsonOut(out))?,
        };
        Ok(Read { schema: self.schema.clone(), is_null })
    }
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    plan: &'a Plan,
    empty: usize,
}

impl<'a> Cursor<'a> {
    fn error(&self, what: &str) -> DataFault {
        DataFault::new("avro.data", format!("Error deserializing Avro message: {what} at byte {}", self.at))
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let end = self.at.checked_add(count);
        let taken = end.and_then(|end| self.bytes.get(self.at..end)).ok_or_else(|| self.error("unexpected end"))?;
        self.at += count;
        Ok(taken)
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N]> {
        // `take` gives as many bytes as were asked for.
        self.take(N).map(|bytes| bytes.try_into().unwrap_or([0; N]))
    }

    /// A zig-zag number.
    fn long(&mut self) -> Result<i64> {
        let mut raw = 0_u64;
        for shift in (0..70).step_by(7) {
            let byte = *self.bytes.get(self.at).ok_or_else(|| self.error("unexpected end"))?;
            self.at += 1;
            raw |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
            if byte < 0x80 {
                return Ok((raw >> 1).cast_signed() ^ -(raw & 1).cast_signed());
            }
        }
        Err(self.error("a number has more than ten bytes"))
    }

    fn int(&mut self) -> Result<i32> {
        let number = self.long()?;
        i32::try_from(number).map_err(|_| self.error("an int has more than 32 bits"))
    }

    fn length(&mut self) -> Result<usize> {
        let length = self.long()?;
        let found = usize::try_from(length).ok().filter(|length| *length <= self.bytes.len() - self.at);
        found.ok_or_else(|| self.error(if length < 0 { "a length is negative" } else { "a length passes the end" }))
    }

    fn text(&mut self) -> Result<&'a str> {
        let length = self.length()?;
        let bytes = self.take(length)?;
        std::str::from_utf8(bytes).map_err(|_| self.error("text is not UTF-8 before"))
    }

    /// True if the value is null and nothing was written, at the top; inside null is written.
    fn step<O: Out>(&mut self, at: usize, out: &mut O, depth: usize) -> Result<bool> {
        if depth > DEPTH_MAX {
            return Err(self.error("data nests deeper than 200 levels"));
        }
        let plan = self.plan;
        match &plan.steps[at] {
            Step::Null => {
                out.null();
                return Ok(true);
            }
            Step::List(of) => self.list(*of, out, depth)?,
            Step::TextMap(of) => self.text_map(*of, out, depth)?,
            Step::Entries { .. } => self.entries(at, out, depth)?,
            Step::Record(fields) => {
                out.open_map(Some(fields.len()));
                for (index, (name, of)) in fields.iter().enumerate() {
                    out.key(name, index == 0);
                    self.step(*of, out, depth + 1)?;
                }
                out.close_map(0, None);
            }
            Step::Optional { null, some, of } => {
                let branch = self.branch()?;
                if Some(branch) == *null {
                    out.null();
                    return Ok(true);
                }
                if branch != *some {
                    return Err(self.error("a union has no such branch"));
                }
                return self.step(*of, out, depth + 1);
            }
            Step::Union { fields, branches } => return self.union(fields, branches, out, depth),
            Step::Choice(branches) => {
                let branch = self.branch()?;
                let of = usize::try_from(branch).ok().and_then(|branch| branches.get(branch)).copied();
                return self.step(of.ok_or_else(|| self.error("a union has no such branch"))?, out, depth + 1);
            }
            Step::Anything(kinds) => return self.anything(kinds, out, depth),
            step => self.scalar(step, out)?,
        }
        Ok(false)
    }

    fn scalar<O: Out>(&mut self, step: &Step, out: &mut O) -> Result<()> {
        match step {
            Step::Boolean => {
                let [byte] = self.fixed()?;
                out.boolean(byte != 0);
            }
            Step::Int => out.int(i64::from(self.int()?)),
            // Java's narrowing.
            Step::Int8 => out.int(i64::from(self.int()?.to_le_bytes()[0].cast_signed())),
            Step::Int16 => {
                let [low, high, ..] = self.int()?.to_le_bytes();
                out.int(i64::from(i16::from_le_bytes([low, high])));
            }
            Step::Time => {
                let time = self.int()?;
                if !(0..=DAY_MS).contains(&time) {
                    return Err(self.error("a time of day is negative or beyond a day"));
                }
                out.int(i64::from(time));
            }
            Step::Long => out.int(self.long()?),
            Step::Float => out.float32(f32::from_le_bytes(self.fixed()?)),
            Step::Double => out.float64(f64::from_le_bytes(self.fixed()?)),
            Step::String => out.text(self.text()?),
            step @ (Step::Bytes | Step::Decimal(_, None)) => {
                let length = self.length()?;
                let bytes = self.take(length)?;
                self.blob(bytes, step, out)?;
            }
            step @ (Step::Fixed(size) | Step::Decimal(_, Some(size))) => {
                let bytes = self.take(*size)?;
                self.blob(bytes, step, out)?;
            }
            Step::Enum(symbols) => {
                let index = self.int()?;
                let symbol = usize::try_from(index).ok().and_then(|index| symbols.get(index));
                out.constant(symbol.ok_or_else(|| self.error("an enum has no such symbol"))?);
            }
            // The others have parts.
            _ => {}
        }
        Ok(())
    }

    fn branch(&mut self) -> Result<u64> {
        let branch = self.long()?;
        u64::try_from(branch).map_err(|_| self.error("a union has no such branch"))
    }

    /// Bytes, by what they mean.
    fn blob<O: Out>(&self, bytes: &[u8], step: &Step, out: &mut O) -> Result<()> {
        if let Step::Decimal(scale, _) = step {
            out.decimal(&Decimal::from_bytes(bytes, *scale)?, self.plan.plain);
        } else {
            out.bytes(bytes);
        }
        Ok(())
    }

    /// The number of items in the next block; zero after the last.
    fn block(&mut self) -> Result<u64> {
        let count = self.long()?;
        if count < 0 {
            // The block's size in bytes stands behind its negative count.
            self.long()?;
        }
        Ok(count.unsigned_abs())
    }

    /// An item that took no bytes could come any number of times.
    fn progress(&mut self, before: usize) -> Result<()> {
        self.empty += usize::from(self.at == before);
        if self.empty > EMPTY_ITEMS_MAX {
            return Err(self.error("there are more than 100000 items without bytes"));
        }
        Ok(())
    }

    fn list<O: Out>(&mut self, of: usize, out: &mut O, depth: usize) -> Result<()> {
        let open = out.open_list();
        let mut items = 0;
        loop {
            let count = self.block()?;
            for _ in 0..count {
                let before = self.at;
                out.item(items == 0);
                self.step(of, out, depth + 1)?;
                items += 1;
                self.progress(before)?;
            }
            if count == 0 {
                out.close_list(open, items);
                return Ok(());
            }
        }
    }

    fn text_map<O: Out>(&mut self, of: usize, out: &mut O, depth: usize) -> Result<()> {
        let open = out.open_map(None);
        let mut entries = 0;
        loop {
            let count = self.block()?;
            for _ in 0..count {
                let key = self.text()?;
                out.text_key(key, entries == 0);
                self.step(of, out, depth + 1)?;
                entries += 1;
            }
            if count == 0 {
                out.close_map(open, Some(entries));
                return Ok(());
            }
        }
    }

    /// A map as an array of records: pairs, or an object where keys are text.
    fn entries<O: Out>(&mut self, at: usize, out: &mut O, depth: usize) -> Result<()> {
        let plan = self.plan;
        let Step::Entries { key, value, value_first, text_keys } = &plan.steps[at] else { return Ok(()) };
        if *value_first {
            return Err(self.error("a map entry has its value before its key"));
        }
        if *text_keys {
            return self.named_entries(*key, *value, out, depth);
        }
        let open = out.open_list();
        let mut pairs = Vec::new();
        loop {
            let count = self.block()?;
            for _ in 0..count {
                let before = self.at;
                let begin = out.pair(pairs.is_empty());
                self.step(*key, out, depth + 1)?;
                let middle = out.between();
                self.step(*value, out, depth + 1)?;
                pairs.push([begin, middle, out.end_pair()]);
                self.progress(before)?;
            }
            if count == 0 {
                out.close_pairs(open, &pairs, plan.plain);
                return Ok(());
            }
        }
    }

    fn named_entries<O: Out>(&mut self, key: usize, value: usize, out: &mut O, depth: usize) -> Result<()> {
        let open = out.open_map(None);
        let mut entries = 0;
        loop {
            let count = self.block()?;
            for _ in 0..count {
                let name = self.key(key)?;
                out.text_key(name, entries == 0);
                self.step(value, out, depth + 1)?;
                entries += 1;
            }
            if count == 0 {
                out.close_map(open, Some(entries));
                return Ok(());
            }
        }
    }

    /// A key that is text, or an enum, or one of them or null.
    fn key(&mut self, at: usize) -> Result<&'a str> {
        let plan = self.plan;
        match &plan.steps[at] {
            Step::Enum(symbols) => {
                let index = usize::try_from(self.int()?).ok();
                let symbol = index.and_then(|index| symbols.get(index));
                symbol.map(Constant::text).ok_or_else(|| self.error("an enum has no such symbol"))
            }
            Step::Optional { some, of, .. } => {
                if self.branch()? != *some {
                    return Err(self.error("a key of a map is null"));
                }
                self.key(*of)
            }
            _ => self.text(),
        }
    }

    fn union<O: Out>(
        &mut self,
        fields: &[Constant],
        branches: &[Option<(usize, usize)>],
        out: &mut O,
        depth: usize,
    ) -> Result<bool> {
        let branch = self.branch()?;
        let chosen = usize::try_from(branch).ok().and_then(|branch| branches.get(branch)).copied();
        let Some((field, of)) = chosen.ok_or_else(|| self.error("a union has no such branch"))? else {
            out.null();
            return Ok(true);
        };
        out.open_map(Some(fields.len()));
        for (index, name) in fields.iter().enumerate() {
            out.key(name, index == 0);
            if index == field {
                self.step(of, out, depth + 1)?;
            } else {
                out.null();
            }
        }
        out.close_map(0, None);
        Ok(false)
    }

    /// One kind at most is set; none is null.
    fn anything<O: Out>(&mut self, kinds: &[(usize, u64)], out: &mut O, depth: usize) -> Result<bool> {
        let mut found = false;
        for (of, null) in kinds {
            if self.branch()? == *null {
                continue;
            }
            if std::mem::replace(&mut found, true) {
                return Err(self.error("data without a schema has two kinds"));
            }
            self.step(*of, out, depth + 1)?;
        }
        if !found {
            out.null();
        }
        Ok(!found)
    }
}
