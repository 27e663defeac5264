//! Rewriting the members of an object by copying what stays and putting in what is new.
//!
//! Enters: the text of an object and its members in order. Leaves: the new text behind the bytes of the outcome.
//! Invariant: neighbouring members that stay are one copy, their white space included.

use crate::record::Fault;
use crate::scan::{Malformed, Member};
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
    empty: bool,
    run: Option<(usize, usize)>,
}

impl<'a> Writer<'a> {
    /// Begins; members are kept from `text`.
    pub fn new(text: &'a [u8], out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { text, out, empty: true, run: None }
    }

    /// Keeps a member as it is. Members kept in a row are copied at once, with what stands between them.
    #[inline]
    pub fn keep(&mut self, member: &Member) {
        if self.run.is_none() {
            self.comma();
        }
        let run = self.run.get_or_insert((member.start, member.end));
        run.1 = member.end;
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
        self.out.extend_from_slice(name.as_bytes());
        self.out.push(b':');
        self.out
    }

    /// Ends the object.
    pub fn finish(mut self) {
        self.flush();
        self.out.push(b'}');
    }

    fn comma(&mut self) {
        if !std::mem::replace(&mut self.empty, false) {
            self.out.push(b',');
        }
    }

    fn flush(&mut self) {
        if let Some((from, to)) = self.run.take() {
            self.out.extend_from_slice(&self.text[from..to]);
        }
    }
}
