//! Rewriting the members of an object by copying what stays and putting in what is new.
//!
//! Enters: the text of an object and its members in order. Leaves: the new text behind the bytes of the outcome.
//! Invariant: neighbouring members that stay are one copy, their white space included.
#![expect(clippy::inline_always, reason = "measured: calls between the steps of a scan cost a fifth of it")]

use crate::record::Fault;
use crate::scan::{Malformed, Member, Members, Notes, quoted};
use crate::schemas::Known;

/// The object that a step works on, or why it is none.
pub fn fault(why: Malformed, schema: u32, purpose: &str, found: &str) -> Fault {
    match why {
        Malformed::NotObject if schema == 0 => {
            Fault::data(format!("Only Map objects supported in absence of schema for [{purpose}], found: {found}"))
        }
        Malformed::NotObject => Fault::data(format!("Only Struct objects supported for [{purpose}], found: {found}")),
        Malformed::Syntax(at) => {
            Fault { code: "json.syntax", message: format!("the payload is not valid JSON at byte {at}") }
        }
    }
}

/// The kind of a payload, for messages.
pub fn kind(text: Option<&[u8]>) -> &'static str {
    match text.and_then(|t| t.trim_ascii_start().first()) {
        Some(b'{') => "map",
        Some(b'[') => "array",
        Some(b'"') => "string",
        Some(b't' | b'f') => "boolean",
        None | Some(b'n') => "null",
        Some(_) => "number",
    }
}

/// True for no bytes and for the literal `null`.
#[inline]
pub fn is_null(text: Option<&[u8]>) -> bool {
    text.is_none_or(|t| t.first() != Some(&b'{') && t.trim_ascii() == b"null")
}

/// With a schema, only structs are worked on.
pub fn require_struct(known: &Known, purpose: &str) -> Result<(), Fault> {
    if known.is_struct() { Ok(()) } else { Err(fault(Malformed::NotObject, 1, purpose, &known.of)) }
}

/// Writes an object member by member.
#[derive(Debug)]
pub struct Writer<'a> {
    text: &'a [u8],
    out: &'a mut Vec<u8>,
    /// Where the object begins in `out`.
    base: usize,
    empty: bool,
    run: Option<(usize, usize)>,
    /// True while the value of the last member is being written.
    open: bool,
    notes: Notes<'a>,
}

impl<'a> Writer<'a> {
    /// Begins; members are kept from `text`.
    pub fn new(text: &'a [u8], out: &'a mut Vec<u8>) -> Self {
        Self::noting(text, out, None)
    }

    /// Begins, and leaves notes on the object for the transforms that follow.
    pub fn noting(text: &'a [u8], out: &'a mut Vec<u8>, notes: Option<&'a mut Vec<u32>>) -> Self {
        let base = out.len();
        out.push(b'{');
        Self { text, out, base, empty: true, run: None, open: false, notes: Notes::new(notes) }
    }

    /// Keeps a member as it is. Members kept in a row are copied at once, with what stands between them.
    #[inline]
    pub fn keep(&mut self, member: &Member) {
        if self.run.is_none() {
            self.comma();
        }
        let run = self.run.get_or_insert((member.start, member.end));
        run.1 = member.end;
        let delta = self.out.len().wrapping_sub(self.base + run.0).cast_signed();
        self.notes.member(member, delta);
    }

    /// Leaves a member out.
    #[inline]
    pub fn skip(&mut self) {
        self.flush();
    }

    /// Puts a member with a new value; `name` is the quoted name.
    pub fn put(&mut self, name: &str, value: &[u8]) {
        self.name(name).extend_from_slice(value);
    }

    /// Puts the name of a member, whose value is to be appended to the answer.
    pub fn name(&mut self, name: &str) -> &mut Vec<u8> {
        self.flush();
        self.comma();
        let start = self.out.len() - self.base;
        self.out.extend_from_slice(name.as_bytes());
        self.out.push(b':');
        self.notes.member(&Member::written(start, name, 0), 0);
        self.open = true;
        self.out
    }

    /// Puts a member under the name it is written with, with a new value.
    pub fn revalue(&mut self, member: &Member, value: &[u8]) {
        self.flush();
        self.comma();
        let delta = self.out.len().wrapping_sub(self.base + member.start).cast_signed();
        self.notes.member(member, delta);
        self.out.extend_from_slice(&self.text[member.start..member.value]);
        self.out.extend_from_slice(value);
        self.open = true;
    }

    /// Ends the object.
    pub fn finish(mut self) {
        self.flush();
        let close = self.out.len() - self.base;
        self.out.push(b'}');
        self.notes.close(close);
    }

    fn comma(&mut self) {
        if std::mem::take(&mut self.open) {
            self.notes.end(self.out.len() - self.base);
        }
        if !std::mem::replace(&mut self.empty, false) {
            self.out.push(b',');
        }
    }

    fn flush(&mut self) {
        if let Some((from, to)) = self.run.take() {
            self.out.extend_from_slice(&self.text[from..to]);
        }
        if std::mem::take(&mut self.open) {
            self.notes.end(self.out.len() - self.base);
        }
    }
}

/// An object that is copied with new values for some of its members, and perhaps new members behind them.
#[derive(Debug)]
pub struct Copy<'a> {
    text: &'a [u8],
    out: &'a mut Vec<u8>,
    base: usize,
    /// Up to here the text is copied.
    at: usize,
    notes: Notes<'a>,
}

impl<'a> Copy<'a> {
    /// Begins.
    #[inline]
    pub fn new(text: &'a [u8], out: &'a mut Vec<u8>, notes: Option<&'a mut Vec<u32>>) -> Self {
        out.reserve(text.len() + 16);
        Self { text, base: out.len(), out, at: 0, notes: Notes::new(notes) }
    }

    /// The member stays.
    #[inline(always)]
    pub fn keep(&mut self, member: &Member) {
        let delta = self.delta();
        self.notes.member(member, delta);
    }

    /// The member has a new value, which is appended to the answer; [`Copy::revalued`] ends it.
    #[inline]
    pub fn revalue(&mut self, member: &Member) -> &mut Vec<u8> {
        self.keep(member);
        self.out.extend_from_slice(&self.text[self.at..member.value]);
        self.at = member.end;
        self.out
    }

    /// The new value is written.
    #[inline]
    pub fn revalued(&mut self) {
        self.notes.end(self.out.len() - self.base);
    }

    /// The members are over; `quoted` names become members that are null.
    #[inline]
    pub fn finish<'n>(mut self, members: &Members<'_>, missing: impl IntoIterator<Item = &'n str>) {
        self.out.extend_from_slice(&self.text[self.at..members.close]);
        let mut comma = !members.is_empty();
        for name in missing {
            if std::mem::replace(&mut comma, true) {
                self.out.push(b',');
            }
            let start = self.out.len() - self.base;
            self.notes.member(&Member::written(start, name, NULL.len()), 0);
            self.out.extend_from_slice(name.as_bytes());
            self.out.push(b':');
            self.out.extend_from_slice(NULL);
        }
        let close = self.out.len() - self.base;
        self.out.push(b'}');
        self.notes.close(close);
    }

    /// What positions in the text are off by in the outcome.
    #[inline(always)]
    fn delta(&self) -> isize {
        self.out.len().wrapping_sub(self.base + self.at).cast_signed()
    }
}

const NULL: &[u8] = b"null";

/// A text and what is known of it, and where the new one and what is known of that go.
#[derive(Debug)]
pub struct Rewrite<'a> {
    /// The old text.
    pub text: &'a [u8],
    /// What the transform before noted on it.
    pub known: &'a [u32],
    /// The new text goes behind what is there.
    pub out: &'a mut Vec<u8>,
    /// For notes on the new text.
    pub notes: Option<&'a mut Vec<u32>>,
}

/// Copies an object with new values for some of its fields. `convert` gets the index of the name and the old value, and
/// appends the new one. With `add_missing` the names that the object lacks are added as null.
pub fn revalue(
    rewrite: Rewrite<'_>,
    names: &[String],
    add_missing: bool,
    refuse: impl Fn(Malformed) -> Fault,
    mut convert: impl FnMut(usize, &[u8], &mut Vec<u8>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let Rewrite { text, known, out, notes } = rewrite;
    let mut seen = 0;
    let mut members = Members::noted(text, known).map_err(&refuse)?;
    let mut copy = Copy::new(text, out, notes);
    while let Some(member) = members.advance().map_err(&refuse)? {
        let Some(index) = names.iter().position(|name| member.is(text, name)) else {
            copy.keep(&member);
            continue;
        };
        seen += 1;
        convert(index, &text[member.value..member.end], copy.revalue(&member))?;
        copy.revalued();
    }
    let missing = if add_missing && seen < names.len() { missing(text, known, names) } else { Vec::new() };
    copy.finish(&members, missing.iter().map(String::as_str));
    Ok(())
}

/// Those of the names that an object lacks, quoted.
pub fn missing(text: &[u8], known: &[u32], names: &[String]) -> Vec<String> {
    let lacks = |name: &&String| matches!(Members::noted(text, known).and_then(|m| m.find(name)), Ok(None));
    names.iter().filter(lacks).map(|name| quoted(name)).collect()
}
