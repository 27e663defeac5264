//! Payloads that are written while Avro data is read.
//!
//! Enters: scalars and structure, in order. Leaves: JSON or CBOR text behind what the buffer held. Invariant: nothing is
//! built in between; what belongs to every record (names of fields) was encoded when the plan was made.

use std::io::Write as _;

use crate::base64_text;
use crate::cbor;
use crate::java;
use crate::json::quote;
use crate::value::Decimal;

/// A constant text in both encodings: the name of a field, the symbol of an enum.
#[derive(Debug)]
pub(super) struct Constant {
    text: String,
    json: Vec<u8>,
    cbor: Vec<u8>,
}

impl Constant {
    pub(super) fn new(text: &str) -> Self {
        let (mut json, mut cbor) = (Vec::new(), Vec::new());
        quote(text, &mut json);
        cbor::text(text, &mut cbor);
        Self { text: text.to_owned(), json, cbor }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }
}

/// Where a payload goes.
pub(super) trait Out {
    fn null(&mut self);
    fn boolean(&mut self, value: bool);
    fn int(&mut self, value: i64);
    fn float32(&mut self, value: f32);
    fn float64(&mut self, value: f64);
    fn text(&mut self, value: &str);
    fn bytes(&mut self, value: &[u8]);
    /// `plain`: there is no schema beside the payload that says the scale.
    fn decimal(&mut self, value: &Decimal, plain: bool);
    fn constant(&mut self, value: &Constant);
    /// Opens a list; the answer is for [`Self::close_list`].
    fn open_list(&mut self) -> usize;
    fn item(&mut self, first: bool);
    fn close_list(&mut self, open: usize, items: usize);
    /// Opens a map whose size is known, or not yet.
    fn open_map(&mut self, size: Option<usize>) -> usize;
    fn key(&mut self, key: &Constant, first: bool);
    fn text_key(&mut self, key: &str, first: bool);
    fn close_map(&mut self, open: usize, entries: Option<usize>);
    /// An entry of a map whose keys are no text, in a list that was opened: its begin, middle and end are for
    /// [`Self::close_pairs`].
    fn pair(&mut self, first: bool) -> usize;
    fn between(&mut self) -> usize;
    fn end_pair(&mut self) -> usize;
    /// `plain`: no schema says what keys are, so keys that are all text make an object.
    fn close_pairs(&mut self, open: usize, pairs: &[[usize; 3]], plain: bool);
}

pub(super) struct JsonOut<'a>(pub(super) &'a mut Vec<u8>);

impl JsonOut<'_> {
    fn comma(&mut self, first: bool) {
        if !first {
            self.0.push(b',');
        }
    }
}

impl Out for JsonOut<'_> {
    fn null(&mut self) {
        self.0.extend_from_slice(b"null");
    }

    fn boolean(&mut self, value: bool) {
        self.0.extend_from_slice(if value { b"true" } else { b"false" });
    }

    fn int(&mut self, value: i64) {
        // Writing into memory cannot fail.
        let _ = write!(self.0, "{value}");
    }

    fn float32(&mut self, value: f32) {
        let text = java::float32(value);
        if value.is_finite() { self.0.extend_from_slice(text.as_bytes()) } else { quote(&text, self.0) }
    }

    fn float64(&mut self, value: f64) {
        let text = java::float64(value);
        if value.is_finite() { self.0.extend_from_slice(text.as_bytes()) } else { quote(&text, self.0) }
    }

    fn text(&mut self, value: &str) {
        quote(value, self.0);
    }

    fn bytes(&mut self, value: &[u8]) {
        base64_text::quoted(value, self.0);
    }

    fn decimal(&mut self, value: &Decimal, plain: bool) {
        if plain {
            let _ = write!(self.0, "{value}");
        } else {
            base64_text::quoted(value.unscaled(), self.0);
        }
    }

    fn constant(&mut self, value: &Constant) {
        self.0.extend_from_slice(&value.json);
    }

    fn open_list(&mut self) -> usize {
        self.0.push(b'[');
        self.0.len() - 1
    }

    fn pair(&mut self, first: bool) -> usize {
        self.comma(first);
        self.0.push(b'[');
        self.0.len() - 1
    }

    fn between(&mut self) -> usize {
        self.0.push(b',');
        self.0.len() - 1
    }

    fn end_pair(&mut self) -> usize {
        self.0.push(b']');
        self.0.len() - 1
    }

    fn close_pairs(&mut self, open: usize, pairs: &[[usize; 3]], plain: bool) {
        let object = plain && pairs.iter().all(|[begin, ..]| self.0.get(begin + 1) == Some(&b'"'));
        self.0.push(if object { b'}' } else { b']' });
        if object {
            // Brackets give way to blanks, which JSON takes anywhere.
            self.0[open] = b'{';
            for [begin, middle, end] in pairs {
                (self.0[*begin], self.0[*middle], self.0[*end]) = (b' ', b':', b' ');
            }
        }
    }

    fn item(&mut self, first: bool) {
        self.comma(first);
    }

    fn close_list(&mut self, _: usize, _: usize) {
        self.0.push(b']');
    }

    fn open_map(&mut self, _: Option<usize>) -> usize {
        self.0.push(b'{');
        0
    }

    fn key(&mut self, key: &Constant, first: bool) {
        self.comma(first);
        self.0.extend_from_slice(&key.json);
        self.0.push(b':');
    }

    fn text_key(&mut self, key: &str, first: bool) {
        self.comma(first);
        quote(key, self.0);
        self.0.push(b':');
    }

    fn close_map(&mut self, _: usize, _: Option<usize>) {
        self.0.push(b'}');
    }
}

pub(super) struct CborOut<'a>(pub(super) &'a mut Vec<u8>);

impl CborOut<'_> {
    /// Room for a size that is not known yet: 32 bits, which CBOR takes for small numbers too.
    fn reserve(&mut self, major: u8) -> usize {
        self.0.extend([major << 5 | 0x1a, 0, 0, 0, 0]);
        self.0.len() - 4
    }

    fn fill(&mut self, at: usize, size: usize) {
        // The items of a payload are fewer than its bytes, and those are below 4 GiB.
        let size = u32::try_from(size).unwrap_or(u32::MAX);
        self.0[at..at + 4].copy_from_slice(&size.to_be_bytes());
    }
}

impl Out for CborOut<'_> {
    fn null(&mut self) {
        self.0.push(0xf6);
    }

    fn boolean(&mut self, value: bool) {
        self.0.push(0xf4 + u8::from(value));
    }

    fn int(&mut self, value: i64) {
        cbor::int(value, self.0);
    }

    fn float32(&mut self, value: f32) {
        self.0.push(0xfa);
        self.0.extend_from_slice(&value.to_be_bytes());
    }

    fn float64(&mut self, value: f64) {
        self.0.push(0xfb);
        self.0.extend_from_slice(&value.to_be_bytes());
    }

    fn text(&mut self, value: &str) {
        cbor::text(value, self.0);
    }

    fn bytes(&mut self, value: &[u8]) {
        cbor::bytes(value, self.0);
    }

    fn decimal(&mut self, value: &Decimal, _: bool) {
        cbor::write_decimal(value, self.0);
    }

    fn constant(&mut self, value: &Constant) {
        self.0.extend_from_slice(&value.cbor);
    }

    fn open_list(&mut self) -> usize {
        self.reserve(4)
    }

    fn item(&mut self, _: bool) {}

    fn pair(&mut self, _: bool) -> usize {
        0
    }

    fn between(&mut self) -> usize {
        0
    }

    fn end_pair(&mut self) -> usize {
        0
    }

    /// Keys of any type may stand in a map.
    fn close_pairs(&mut self, open: usize, pairs: &[[usize; 3]], _: bool) {
        self.0[open - 1] = 5 << 5 | 0x1a;
        self.fill(open, pairs.len());
    }

    fn close_list(&mut self, open: usize, items: usize) {
        self.fill(open, items);
    }

    fn open_map(&mut self, size: Option<usize>) -> usize {
        match size {
            Some(size) => {
                cbor::head(5, size as u64, self.0);
                0
            }
            None => self.reserve(5),
        }
    }

    fn key(&mut self, key: &Constant, _: bool) {
        self.0.extend_from_slice(&key.cbor);
    }

    fn text_key(&mut self, key: &str, _: bool) {
        cbor::text(key, self.0);
    }

    fn close_map(&mut self, open: usize, entries: Option<usize>) {
        if let Some(entries) = entries {
            self.fill(open, entries);
        }
    }
}
