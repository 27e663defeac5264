//! An object by its members, as the steps of a chain hand it to each other.
//!
//! Enters: the text of a JSON object, changes of its members. Leaves: the new text. Invariant: names and values that nobody changed
//! stay where they lie in the text that was read and are copied once, at the end, neighbours and what stands between them
//! at once; of new ones only the last version is written.
#![expect(
    clippy::inline_always,
    reason = "measured: a call for each name that is not the one takes as long as the work of a step"
)]

use lockgate_sdk::Form;

use crate::record::Fault;
use crate::scan::{Malformed, Member, Members, is_name, quoted};

/// A name or a value: a range of the text that was read, or of the bytes that steps made.
#[derive(Clone, Copy, Debug)]
struct Piece {
    at: u32,
    len: u32,
    made: bool,
}

impl Piece {
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "payloads are below 2 GiB: the border's spans have 32 bits")]
    const fn new(from: usize, to: usize, made: bool) -> Self {
        Self { at: from as u32, len: (to - from) as u32, made }
    }

    #[inline]
    fn of<'a>(&self, read: &'a [u8], made: &'a [u8]) -> &'a [u8] {
        let (from, to) = (self.at as usize, self.end());
        if self.made { &made[from..to] } else { &read[from..to] }
    }

    const fn end(&self) -> usize {
        (self.at + self.len) as usize
    }
}

#[derive(Clone, Copy, Debug)]
struct Field {
    /// With its quotes.
    name: Piece,
    tag: Tag,
    value: Piece,
    /// Where it stood among the members that were read: what has one place more follows it in the text.
    place: u32,
}

/// Tells most names apart without a look at their bytes: length, first and last byte. Names with escapes all have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tag(u32);

impl Tag {
    const ESCAPED: Self = Self(u32::MAX);

    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "names of equal lowest bits are told apart by their bytes")]
    fn of(name: &[u8]) -> Self {
        let (first, last) = (name.first().copied().unwrap_or(0), name.last().copied().unwrap_or(0));
        Self((name.len() as u32) << 16 | u32::from(first) << 8 | u32::from(last))
    }

    /// Of a name in quotes.
    fn quoted(name: &str) -> Self {
        // Not `contains`: the name is short.
        if name.bytes().any(|b| b == b'\\') { Self::ESCAPED } else { Self::of(&name.as_bytes()[1..name.len() - 1]) }
    }
}

/// The members of an object, in order.
#[derive(Clone, Debug, Default)]
pub struct Object {
    fields: Vec<Field>,
    made: Vec<u8>,
    changed: bool,
}

impl Object {
    /// Forgets the object before, and finds the members of this one. Null is no object.
    pub fn read(&mut self, text: Option<&[u8]>) -> Result<(), Malformed> {
        self.fields.clear();
        self.made.clear();
        self.changed = false;
        let bytes = text.ok_or(Malformed::NotObject)?;
        let mut members = Members::new(bytes)?;
        let mut place = 0;
        while let Some(Member { start, name_end, escaped, value, end }) = members.advance()? {
            let (name, value) = (Piece::new(start, name_end + 1, false), Piece::new(value, end, false));
            let tag = if escaped { Tag::ESCAPED } else { Tag::of(&bytes[start + 1..name_end]) };
            self.fields.push(Field { name, tag, value, place });
            place += 1;
        }
        Ok(())
    }

    /// To be worked on; `text` is what it was read from.
    pub const fn open<'a>(&'a mut self, text: &'a [u8]) -> Open<'a> {
        Open { text, object: self }
    }
}

impl Form for Object {
    fn changed(&self) -> bool {
        self.changed
    }

    fn write(&self, text: &[u8], out: &mut Vec<u8>) {
        out.reserve(text.len() + self.made.len() + 2);
        out.push(b'{');
        // A range of the text yet to be copied, and the place of the member that would go on with it.
        let (mut from, mut to, mut next) = (0, 0, u32::MAX);
        for (at, Field { name, value, place, .. }) in self.fields.iter().enumerate() {
            if *place != next || name.made {
                out.extend_from_slice(&text[from..to]);
                if at > 0 {
                    out.push(b',');
                }
                from = if name.made { value.at } else { name.at } as usize;
                if name.made {
                    out.extend_from_slice(name.of(text, &self.made));
                    out.push(b':');
                }
            }
            if value.made {
                if !name.made {
                    // With what the range holds already.
                    out.extend_from_slice(&text[from..name.end()]);
                    out.push(b':');
                }
                out.extend_from_slice(value.of(text, &self.made));
                (from, to, next) = (0, 0, u32::MAX);
            } else {
                (to, next) = (value.end(), place + 1);
            }
        }
        out.extend_from_slice(&text[from..to]);
        out.push(b'}');
    }
}

/// An object that is worked on. Members are named by their position.
#[derive(Debug)]
pub struct Open<'a> {
    text: &'a [u8],
    object: &'a mut Object,
}

impl Open<'_> {
    /// How many members there are.
    pub const fn len(&self) -> usize {
        self.object.fields.len()
    }

    /// True if there are none.
    pub const fn is_empty(&self) -> bool {
        self.object.fields.is_empty()
    }

    /// True if the member has this name.
    #[inline(always)]
    pub fn is(&self, at: usize, name: &str) -> bool {
        self.named(&self.object.fields[at], name)
    }

    #[inline(always)]
    fn named(&self, field: &Field, name: &str) -> bool {
        (field.tag == Tag::of(name.as_bytes()) || field.tag == Tag::ESCAPED) && self.spelt(field, name)
    }

    #[inline(never)]
    fn spelt(&self, field: &Field, name: &str) -> bool {
        let raw = field.name.of(self.text, &self.object.made);
        is_name(&raw[1..raw.len() - 1], field.tag == Tag::ESCAPED, name)
    }

    /// The value of a member.
    #[inline]
    pub fn value(&self, at: usize) -> &[u8] {
        self.object.fields[at].value.of(self.text, &self.object.made)
    }

    /// The member of that name; the last one, if it is repeated.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.object.fields.iter().rposition(|field| self.named(field, name))
    }

    /// Gives a member a new value.
    pub fn set(&mut self, at: usize, value: &[u8]) {
        self.object.fields[at].value = self.make(value);
    }

    /// Gives a member a new value that is made of the old one: `convert` appends it.
    pub fn convert(
        &mut self,
        at: usize,
        convert: impl FnOnce(&[u8], &mut Vec<u8>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let old = self.object.fields[at].value;
        let from = self.object.made.len();
        if old.made {
            let bytes = old.of(self.text, &self.object.made).to_vec();
            convert(&bytes, &mut self.object.made)?;
        } else {
            convert(&self.text[old.at as usize..old.end()], &mut self.object.made)?;
        }
        self.object.fields[at].value = Piece::new(from, self.object.made.len(), true);
        self.object.changed = true;
        Ok(())
    }

    /// Gives a member another name, which is quoted.
    pub fn rename(&mut self, at: usize, name: &str) {
        let (name, tag) = (self.make(name.as_bytes()), Tag::quoted(name));
        let field = &mut self.object.fields[at];
        (field.name, field.tag) = (name, tag);
    }

    /// Adds a member behind the others; its name is quoted.
    pub fn push(&mut self, name: &str, value: &[u8]) {
        let (tag, name, value) = (Tag::quoted(name), self.make(name.as_bytes()), self.make(value));
        self.object.fields.push(Field { name, tag, value, place: u32::MAX });
    }

    /// Takes out the members for which `keep` is false; it gets the object as it is and a position in it.
    #[inline]
    pub fn retain(&mut self, mut keep: impl FnMut(&Self, usize) -> bool) {
        let mut kept = 0;
        for at in 0..self.len() {
            if keep(self, at) {
                // Those that were taken out lie between; what has been looked at is not looked at again.
                self.object.fields.swap(kept, at);
                kept += 1;
            }
        }
        self.object.changed |= kept < self.len();
        self.object.fields.truncate(kept);
    }

    /// Gives those members new values that have one of the names. `convert` gets the index of the name and the old value, and
    /// appends the new one. With `add_missing` the names that the object lacks are added as null.
    pub fn convert_all(
        &mut self,
        names: &[String],
        add_missing: bool,
        mut convert: impl FnMut(usize, &[u8], &mut Vec<u8>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let mut seen = 0;
        for at in 0..self.len() {
            if let Some(index) = names.iter().position(|name| self.is(at, name)) {
                seen += 1;
                self.convert(at, |value, out| convert(index, value, out))?;
            }
        }
        if add_missing && seen < names.len() {
            self.add_missing(names);
        }
        Ok(())
    }

    /// Adds members that are null for the names that the object lacks.
    pub fn add_missing(&mut self, names: &[String]) {
        for name in names {
            if self.find(name).is_none() {
                self.push(&quoted(name), b"null");
            }
        }
    }

    #[inline]
    fn make(&mut self, bytes: &[u8]) -> Piece {
        let from = self.object.made.len();
        self.object.made.extend_from_slice(bytes);
        self.object.changed = true;
        Piece::new(from, self.object.made.len(), true)
    }
}

#[cfg(test)]
mod tests;
