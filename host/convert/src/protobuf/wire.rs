//! The wire format of Protobuf: tags, varints, lengths, groups.
//!
//! Enters: bytes. Leaves: tags and values, and bytes again. Invariant: no length is trusted beyond the bytes that are
//! there; groups inside groups are followed at most 100 levels.

use crate::fault::{DataFault, Result};

/// Groups or messages inside each other at most, as in Google's own readers.
pub(crate) const DEPTH_MAX: usize = 100;

/// A cursor over one message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    pub(crate) at: usize,
}

/// A value as it stands on the wire.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Raw {
    /// Varint or fixed.
    Number(u64),
    /// From and to, of a length-delimited value or of a group's content.
    Span(usize, usize),
}

pub(crate) fn zigzag(n: i64) -> u64 {
    (n << 1 ^ n >> 63).cast_unsigned()
}

pub(crate) fn unzigzag(n: u64) -> i64 {
    (n >> 1).cast_signed() ^ -(n & 1).cast_signed()
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(crate) fn fault(&self, what: &str) -> DataFault {
        DataFault::new("protobuf.syntax", format!("invalid Protobuf: {what} at byte {}", self.at))
    }

    pub(crate) fn is_done(&self) -> bool {
        self.at >= self.bytes.len()
    }

    pub(crate) fn varint(&mut self) -> Result<u64> {
        // One byte as a rule.
        if let Some(byte) = self.bytes.get(self.at)
            && *byte < 0x80
        {
            self.at += 1;
            return Ok(u64::from(*byte));
        }
        let mut n = 0;
        for (index, byte) in self.bytes[self.at.min(self.bytes.len())..].iter().take(10).enumerate() {
            n |= u64::from(byte & 0x7f) << (index * 7);
            if *byte < 0x80 {
                self.at += index + 1;
                return Ok(n);
            }
        }
        Err(self.fault(if self.bytes.len() - self.at.min(self.bytes.len()) >= 10 {
            "a varint of more than ten bytes"
        } else {
            "the end inside a varint"
        }))
    }

    /// Field number and wire type.
    pub(crate) fn tag(&mut self) -> Result<(u32, u8)> {
        let start = self.at;
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3).ok().filter(|n| (1..1 << 29).contains(n));
        let Some(number) = number else {
            self.at = start;
            return Err(self.fault("an invalid field number"));
        };
        Ok((number, (tag & 7) as u8))
    }

    fn fixed(&mut self, width: usize) -> Result<u64> {
        let bytes = self.bytes.get(self.at..self.at + width).ok_or_else(|| self.fault("the end inside a number"))?;
        self.at += width;
        Ok(bytes.iter().rev().fold(0, |n, b| n << 8 | u64::from(*b)))
    }

    /// The value behind a tag.
    pub(crate) fn value(&mut self, number: u32, wire_type: u8) -> Result<Raw> {
        Ok(match wire_type {
            0 => Raw::Number(self.varint()?),
            1 => Raw::Number(self.fixed(8)?),
            5 => Raw::Number(self.fixed(4)?),
            2 => {
                let start = self.at;
                let length = self.varint()?;
                let end = usize::try_from(length).ok().and_then(|n| self.at.checked_add(n));
                let Some(end) = end.filter(|end| *end <= self.bytes.len()) else {
                    self.at = start;
                    return Err(self.fault("a length beyond the end"));
                };
                let from = std::mem::replace(&mut self.at, end);
                Raw::Span(from, end)
            }
            3 => self.group(number)?,
            4 => return Err(self.fault("the end of a group that did not begin")),
            _ => return Err(self.fault("an unknown wire type")),
        })
    }

    /// The content of a group up to its end.
    fn group(&mut self, number: u32) -> Result<Raw> {
        let start = self.at;
        let mut open = vec![number];
        loop {
            let before = self.at;
            let (number, wire_type) = self.tag()?;
            match wire_type {
                3 if open.len() >= DEPTH_MAX => return Err(self.fault("more than 100 levels of groups")),
                3 => open.push(number),
                4 if open.pop() != Some(number) => return Err(self.fault("the end of another group")),
                4 if open.is_empty() => return Ok(Raw::Span(start, before)),
                4 => {}
                _ => {
                    self.value(number, wire_type)?;
                }
            }
        }
    }

    /// How many elements a packed field has.
    pub(crate) fn packed_count(&self, from: usize, to: usize, wire_type: u8) -> usize {
        let bytes = &self.bytes[from..to];
        match wire_type {
            1 => bytes.len() / 8,
            5 => bytes.len() / 4,
            _ => bytes.iter().filter(|b| **b < 0x80).count(),
        }
    }
}

// --- writing ---

pub(crate) fn put_varint(mut n: u64, out: &mut Vec<u8>) {
    while n >= 0x80 {
        out.push((n & 0x7f) as u8 | 0x80);
        n >>= 7;
    }
    out.push((n & 0x7f) as u8);
}

pub(crate) fn put_tag(number: u32, wire_type: u8, out: &mut Vec<u8>) {
    put_varint(u64::from(number) << 3 | u64::from(wire_type), out);
}

/// Writes what `content` writes, with its length before it.
pub(crate) fn put_delimited<E>(
    out: &mut Vec<u8>,
    content: impl FnOnce(&mut Vec<u8>) -> std::result::Result<(), E>,
) -> std::result::Result<(), E> {
    let start = out.len();
    out.push(0);
    content(out)?;
    let length = out.len() - start - 1;
    if let Ok(short @ 0..0x80) = u8::try_from(length) {
        out[start] = short;
        return Ok(());
    }
    let mut prefix = Vec::with_capacity(10);
    put_varint(length as u64, &mut prefix);
    out.splice(start..=start, prefix);
    Ok(())
}
