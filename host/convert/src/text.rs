//! Text as `StringConverter` reads and writes it.
//!
//! Enters: bytes in a character set, or a value. Leaves: text, or bytes. Invariant: bytes that are no text become U+FFFD,
//! characters that a set lacks become `?`, as in Java.

use std::borrow::Cow;

use crate::converter::Charset;
use crate::java;
use crate::schema::{Schema, Type};
use crate::value::Value;

pub(crate) fn decode(bytes: &[u8], charset: Charset) -> Cow<'_, str> {
    match charset {
        Charset::Utf8 => String::from_utf8_lossy(bytes),
        Charset::Latin1 => bytes.iter().map(|b| char::from(*b)).collect::<String>().into(),
        Charset::Ascii => bytes.iter().map(|b| if b.is_ascii() { char::from(*b) } else { '\u{fffd}' }).collect(),
        Charset::Utf16 => match bytes {
            [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
            [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
            _ => utf16(bytes, u16::from_be_bytes),
        },
        Charset::Utf16Be => utf16(bytes, u16::from_be_bytes),
        Charset::Utf16Le => utf16(bytes, u16::from_le_bytes),
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Cow<'static, str> {
    let units = bytes.chunks(2).map(|pair| if let [a, b] = pair { unit([*a, *b]) } else { 0xfffd });
    char::decode_utf16(units).map(|c| c.unwrap_or('\u{fffd}')).collect::<String>().into()
}

pub(crate) fn encode(text: &str, charset: Charset, out: &mut Vec<u8>) {
    match charset {
        Charset::Utf8 => out.extend_from_slice(text.as_bytes()),
        Charset::Latin1 => out.extend(text.chars().map(|c| u8::try_from(c).unwrap_or(b'?'))),
        Charset::Ascii => out.extend(text.chars().map(|c| if c.is_ascii() { c as u8 } else { b'?' })),
        Charset::Utf16 => {
            out.extend_from_slice(&[0xfe, 0xff]);
            out.extend(text.encode_utf16().flat_map(u16::to_be_bytes));
        }
        Charset::Utf16Be => out.extend(text.encode_utf16().flat_map(u16::to_be_bytes)),
        Charset::Utf16Le => out.extend(text.encode_utf16().flat_map(u16::to_le_bytes)),
    }
}

/// `toString` of a value: `[a, b]`, `{k=v}`, `Struct{f=v}` without its nulls. Bytes, whose `toString` in Java is an
/// address, are base64 here; dates are in UTC.
pub(crate) fn java_text(value: &Value, schema: Option<&Schema>, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::String(text) => out.push_str(text),
        Value::Array(items) => {
            let inner = schema.and_then(|s| if let Type::Array(items) = s.of() { items.as_deref() } else { None });
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                java_text(item, inner, out);
            }
            out.push(']');
        }
        Value::Map(entries) => {
            let (keys, values) = match schema.map(Schema::of) {
                Some(Type::Map(keys, values)) => (keys.as_deref(), values.as_deref()),
                _ => (None, None),
            };
            out.push('{');
            for (index, (key, value)) in entries.iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                java_text(key, keys, out);
                out.push('=');
                java_text(value, values, out);
            }
            out.push('}');
        }
        Value::Struct(values) => {
            let fields = if let Some(Type::Struct(fields)) = schema.map(Schema::of) { fields.as_slice() } else { &[] };
            out.push_str("Struct{");
            let set = fields.iter().zip(values).filter(|(_, value)| **value != Value::Null);
            for (index, (field, value)) in set.enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                out.push_str(&field.name);
                out.push('=');
                java_text(value, Some(&field.schema), out);
            }
            out.push('}');
        }
        scalar => out.push_str(&scalar_text(scalar)),
    }
}

/// Text of everything that has no inside.
pub(crate) fn scalar_text(value: &Value) -> String {
    match value {
        Value::Boolean(b) => b.to_string(),
        Value::Int8(n) => n.to_string(),
        Value::Int16(n) => n.to_string(),
        Value::Int32(n) => n.to_string(),
        Value::Int64(n) => n.to_string(),
        Value::Float32(x) => java::float32(*x),
        Value::Float64(x) => java::float64(*x),
        Value::Bytes(bytes) => crate::base64_text::encode(bytes),
        Value::Decimal(decimal) => decimal.to_string(),
        Value::Date(days) => crate::date::by_magnitude(i64::from(*days) * i64::from(crate::payload::DAY_MS)),
        Value::Time(ms) => crate::date::by_magnitude(i64::from(*ms)),
        Value::Timestamp(ms) => crate::date::by_magnitude(*ms),
        Value::String(text) => text.clone(),
        Value::Null | Value::Array(_) | Value::Map(_) | Value::Struct(_) => String::new(),
    }
}
