//! Payloads written piece by piece, so that topic bytes of a typed format become JSON or CBOR without a tree.
//!
//! Enters: scalars, and the beginnings and ends of what holds them, in the order of the text. Leaves: a payload. Invariant:
//! what is written here is what [`crate::value::Value`] writes for the same value and schema.

use std::io::Write as _;

use crate::base64_text;
use crate::cbor;
use crate::decimal::Decimal;
use crate::java;
use crate::json::quote;

/// What holds other values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// An array.
    List,
    /// A struct: names, then values.
    Fields,
    /// A map with text keys.
    Object,
    /// A map with other keys.
    Pairs,
}

/// The name of a field, ready to be copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    json: Vec<u8>,
    cbor: Vec<u8>,
}

impl Name {
    pub(crate) fn new(name: &str) -> Self {
        let (mut json, mut cbor) = (Vec::new(), Vec::new());
        quote(name, &mut json);
        json.push(b':');
        cbor::string(3, name.as_bytes(), &mut cbor);
        Self { json, cbor }
    }
}

/// A writer of payloads. Callers keep the grammar: `begin`, then for each entry `next`, (for maps the key, `middle`,) the
/// value, `done`, and at last `end`.
pub(crate) trait Emit {
    /// Bytes written so far.
    fn written(&self) -> usize;
    fn null(&mut self);
    fn boolean(&mut self, b: bool);
    fn integer(&mut self, n: i64);
    fn float32(&mut self, x: f32);
    fn float64(&mut self, x: f64);
    fn text(&mut self, text: &str);
    fn bytes(&mut self, bytes: &[u8]);
    /// The decimal has the scale of its schema.
    fn decimal(&mut self, decimal: &Decimal);
    fn begin(&mut self, shape: Shape, count: usize);
    fn next(&mut self, shape: Shape, index: usize);
    fn name(&mut self, name: &Name);
    fn middle(&mut self, shape: Shape);
    fn done(&mut self, shape: Shape);
    fn end(&mut self, shape: Shape);
}

/// JSON payloads.
#[derive(Debug)]
pub(crate) struct JsonText<'a>(pub(crate) &'a mut Vec<u8>);

/// CBOR payloads.
#[derive(Debug)]
pub(crate) struct CborBytes<'a>(pub(crate) &'a mut Vec<u8>);

impl Emit for JsonText<'_> {
    fn written(&self) -> usize {
        self.0.len()
    }

    fn null(&mut self) {
        self.0.extend_from_slice(b"null");
    }

    fn boolean(&mut self, b: bool) {
        self.0.extend_from_slice(if b { b"true" } else { b"false" });
    }

    fn integer(&mut self, n: i64) {
        // Writing to memory cannot fail.
        let _ = write!(self.0, "{n}");
    }

    fn float32(&mut self, x: f32) {
        if x.is_finite() { java::put_float32(x, self.0) } else { quote(&java::float32(x), self.0) }
    }

    fn float64(&mut self, x: f64) {
        if x.is_finite() { java::put_float64(x, self.0) } else { quote(&java::float64(x), self.0) }
    }

    fn text(&mut self, text: &str) {
        quote(text, self.0);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        base64_text::quoted(bytes, self.0);
    }

    fn decimal(&mut self, decimal: &Decimal) {
        base64_text::quoted(decimal.unscaled(), self.0);
    }

    fn begin(&mut self, shape: Shape, _: usize) {
        self.0.push(if matches!(shape, Shape::List | Shape::Pairs) { b'[' } else { b'{' });
    }

    fn next(&mut self, shape: Shape, index: usize) {
        if index > 0 {
            self.0.push(b',');
        }
        if shape == Shape::Pairs {
            self.0.push(b'[');
        }
    }

    fn name(&mut self, name: &Name) {
        self.0.extend_from_slice(&name.json);
    }

    fn middle(&mut self, shape: Shape) {
        self.0.push(if shape == Shape::Pairs { b',' } else { b':' });
    }

    fn done(&mut self, shape: Shape) {
        if shape == Shape::Pairs {
            self.0.push(b']');
        }
    }

    fn end(&mut self, shape: Shape) {
        self.0.push(if matches!(shape, Shape::List | Shape::Pairs) { b']' } else { b'}' });
    }
}

impl Emit for CborBytes<'_> {
    fn written(&self) -> usize {
        self.0.len()
    }

    fn null(&mut self) {
        self.0.push(0xf6);
    }

    fn boolean(&mut self, b: bool) {
        self.0.push(0xf4 + u8::from(b));
    }

    fn integer(&mut self, n: i64) {
        cbor::int(n, self.0);
    }

    fn float32(&mut self, x: f32) {
        self.0.push(0xfa);
        self.0.extend_from_slice(&x.to_be_bytes());
    }

    fn float64(&mut self, x: f64) {
        self.0.push(0xfb);
        self.0.extend_from_slice(&x.to_be_bytes());
    }

    fn text(&mut self, text: &str) {
        cbor::string(3, text.as_bytes(), self.0);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        cbor::string(2, bytes, self.0);
    }

    fn decimal(&mut self, decimal: &Decimal) {
        cbor::write_decimal(decimal, self.0);
    }

    fn begin(&mut self, shape: Shape, count: usize) {
        cbor::head(if shape == Shape::List { 4 } else { 5 }, count as u64, self.0);
    }

    fn next(&mut self, _: Shape, _: usize) {}

    fn name(&mut self, name: &Name) {
        self.0.extend_from_slice(&name.cbor);
    }

    fn middle(&mut self, _: Shape) {}

    fn done(&mut self, _: Shape) {}

    fn end(&mut self, _: Shape) {}
}
