//! Text as `StringConverter` reads and writes it.
//!
//! Enters: bytes in a character set, or a value. Leaves: text, or bytes. Invariant: bytes that are no text become U+FFFD,
//! characters that a set lacks become `?`, as in Java.

use std::borrow::Cow;

use crate::converter::Charset;
use crate::date;
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
        Charset::Utf32Be => utf32(bytes, u32::from_be_bytes),
        Charset::Utf32Le => utf32(bytes, u32::from_le_bytes),
        Charset::Legacy(encoding) => encoding.decode_without_bom_handling(bytes).0,
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Cow<'static, str> {
    let units = bytes.chunks(2).map(|pair| if let [a, b] = pair { unit([*a, *b]) } else { 0xfffd });
    char::decode_utf16(units).map(|c| c.unwrap_or('\u{fffd}')).collect::<String>().into()
}

fn utf32(bytes: &[u8], unit: fn([u8; 4]) -> u32) -> Cow<'static, str> {
    let character = |four: &[u8]| four.try_into().ok().and_then(|four| char::from_u32(unit(four)));
    bytes.chunks(4).map(|four| character(four).unwrap_or('\u{fffd}')).collect::<String>().into()
}

pub(crate) fn encode(text: &str, charset: Charset, out: &mut Vec<u8>) {
    match charset {
        Charset::Utf8 => out.extend_from_slice(text.as_bytes()),
        Charset::Latin1 => out.extend(text.chars().map(|c| u8::try_from(c).unwrap_or(b'?'))),
        Charset::Ascii => out.extend(text.chars().map(|c| if c.is_ascii() { c as u8 } else { b'?' })),
        // No text, no mark.
        Charset::Utf16 if text.is_empty() => {}
        Charset::Utf16 => {
            out.extend_from_slice(&[0xfe, 0xff]);
            out.extend(text.encode_utf16().flat_map(u16::to_be_bytes));
        }
        Charset::Utf16Be => out.extend(text.encode_utf16().flat_map(u16::to_be_bytes)),
        Charset::Utf16Le => out.extend(text.encode_utf16().flat_map(u16::to_le_bytes)),
        Charset::Utf32Be => out.extend(text.chars().flat_map(|c| u32::from(c).to_be_bytes())),
        Charset::Utf32Le => out.extend(text.chars().flat_map(|c| u32::from(c).to_le_bytes())),
        Charset::Legacy(encoding) => legacy(text, encoding, out),
    }
}

fn legacy(text: &str, encoding: &'static encoding_rs::Encoding, out: &mut Vec<u8>) {
    use encoding_rs::EncoderResult::{InputEmpty, OutputFull, Unmappable};
    let mut encoder = encoding.new_encoder();
    let mut rest = text;
    loop {
        // Room for the whole rest: it is never full.
        let room = encoder.max_buffer_length_from_utf8_without_replacement(rest.len()).unwrap_or(0);
        let start = out.len();
        out.resize(start + room, 0);
        let (result, read, written) = encoder.encode_from_utf8_without_replacement(rest, &mut out[start..], true);
        out.truncate(start + written);
        rest = &rest[read..];
        match result {
            Unmappable(_) => out.push(b'?'),
            InputEmpty | OutputFull => return,
        }
    }
}

/// `toString` of a value: `[a, b]`, `{k=v}`, `Struct{f=v}` without its nulls. Bytes, whose `toString` in Java is an
/// address, are base64 here; dates are `Date.toString` in UTC.
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
        Value::Date(days) => out.push_str(&date::java(i64::from(*days) * i64::from(crate::payload::DAY_MS))),
        Value::Time(ms) => out.push_str(&date::java(i64::from(*ms))),
        Value::Timestamp(ms) => out.push_str(&date::java(*ms)),
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
        Value::Date(days) => date::by_magnitude(i64::from(*days) * i64::from(crate::payload::DAY_MS)),
        Value::Time(ms) => date::by_magnitude(i64::from(*ms)),
        Value::Timestamp(ms) => date::by_magnitude(*ms),
        Value::String(text) => text.clone(),
        Value::Null | Value::Array(_) | Value::Map(_) | Value::Struct(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;

    use super::{decode, encode};
    use crate::converter::{Converter, Kind, Role};

    #[test]
    fn character_sets_of_java_are_read_and_written() {
        let table: [(&str, &str, &[u8]); 16] = [
            ("UTF-8", "ä☃", "ä☃".as_bytes()),
            ("ISO-8859-1", "ä", &[0xe4]),
            ("latin1", "\u{80}", &[0x80]),
            ("US-ASCII", "a", b"a"),
            ("UTF-16", "ä", &[0xfe, 0xff, 0, 0xe4]),
            ("UTF-16BE", "😀", &[0xd8, 0x3d, 0xde, 0]),
            ("UTF-16LE", "ä", &[0xe4, 0]),
            ("UTF-32", "😀", &[0, 1, 0xf6, 0]),
            ("UTF-32LE", "ä", &[0xe4, 0, 0, 0]),
            ("windows-1252", "€", &[0x80]),
            ("Cp1251", "Ж", &[0xc6]),
            ("ISO-8859-15", "€", &[0xa4]),
            ("Shift_JIS", "日", &[0x93, 0xfa]),
            ("EUC-KR", "한", &[0xc7, 0xd1]),
            ("GB18030", "中", &[0xd6, 0xd0]),
            ("Big5", "中", &[0xa4, 0xa4]),
        ];
        for (name, text, bytes) in table {
            let settings = IndexMap::from([("converter.encoding".to_owned(), name.to_owned())]);
            let converter = Converter::configure("StringConverter", &settings, Role::Value).unwrap();
            let Kind::String(charset) = converter.kind() else { panic!("{name}") };
            let mut out = Vec::new();
            encode(text, *charset, &mut out);
            assert_eq!(out, bytes, "{name}");
            assert_eq!(decode(bytes, *charset), text, "{name}");
            out.clear();
            encode("a☃b", *charset, &mut out);
            let ascii =
                matches!(name, "ISO-8859-1" | "latin1" | "US-ASCII" | "windows-1252" | "Cp1251" | "ISO-8859-15");
            assert!(!ascii || out == b"a?b", "{name}");
        }
        for name in ["", "x-user-defined", "EBCDIC", "UTF-7"] {
            let settings = IndexMap::from([("converter.encoding".to_owned(), name.to_owned())]);
            assert!(Converter::configure("StringConverter", &settings, Role::Value).is_err(), "{name}");
        }
    }
}
