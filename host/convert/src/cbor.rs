//! Values as CBOR payloads (RFC 8949).
//!
//! Enters: a value, or CBOR bytes. Leaves: CBOR bytes, or a value that fits the schema. Invariant: reading is bounded by
//! the input: at most 1000 levels, and no allocation larger than what is left to read.

use crate::decimal::Decimal;
use crate::fault::{DataFault, Result};
use crate::payload;
use crate::scan::DEPTH_MAX;
use crate::schema::{Logical, Schema, Type};
use crate::value::Value;

// --- writing ---

pub(crate) fn write(value: &Value, schema: Option<&Schema>, out: &mut Vec<u8>) -> Result<()> {
    let of = schema.map(Schema::of);
    match (value, of) {
        (Value::Null, _) => {
            if let Some(schema) = schema {
                payload::null(schema, false)?;
            }
            out.push(0xf6);
        }
        (Value::Boolean(b), None | Some(Type::Boolean)) => out.push(0xf4 + u8::from(*b)),
        (Value::Int8(n), None | Some(Type::Int8)) => int(i64::from(*n), out),
        (Value::Int16(n), None | Some(Type::Int16)) => int(i64::from(*n), out),
        (Value::Int32(n) | Value::Date(n) | Value::Time(n), None | Some(Type::Int32)) => int(i64::from(*n), out),
        (Value::Int64(n) | Value::Timestamp(n), None | Some(Type::Int64)) => int(*n, out),
        (Value::Float32(x), None | Some(Type::Float32)) => {
            out.push(0xfa);
            out.extend_from_slice(&x.to_be_bytes());
        }
        (Value::Float64(x), None | Some(Type::Float64)) => {
            out.push(0xfb);
            out.extend_from_slice(&x.to_be_bytes());
        }
        (Value::String(text), None | Some(Type::String)) => string(3, text.as_bytes(), out),
        (Value::Bytes(bytes), None | Some(Type::Bytes)) => string(2, bytes, out),
        (Value::Decimal(decimal), None | Some(Type::Bytes)) => write_decimal(decimal, out),
        (Value::Array(items), None | Some(Type::Array(_))) => {
            let inner = if let Some(Type::Array(items)) = of { items.as_deref() } else { None };
            head(4, items.len() as u64, out);
            for item in items {
                write(item, inner, out)?;
            }
        }
        (Value::Map(entries), None | Some(Type::Map(..))) => {
            let (keys, values) =
                if let Some(Type::Map(k, v)) = of { (k.as_deref(), v.as_deref()) } else { (None, None) };
            head(5, entries.len() as u64, out);
            for (key, value) in entries {
                write(key, keys, out)?;
                write(value, values, out)?;
            }
        }
        (Value::Struct(values), Some(Type::Struct(fields))) if values.len() == fields.len() => {
            head(5, values.len() as u64, out);
            for (field, value) in fields.iter().zip(values) {
                string(3, field.name.as_bytes(), out);
                write(value, Some(&field.schema), out)?;
            }
        }
        (value, of) => {
            let name = of.map_or("a payload without schema", Type::connect_name);
            return Err(DataFault::mismatch(format!("Invalid type for {name}: {}", value.kind())));
        }
    }
    Ok(())
}

pub(crate) fn head(major: u8, n: u64, out: &mut Vec<u8>) {
    let major = major << 5;
    let bytes = n.to_be_bytes();
    match n {
        0..=23 => out.push(major | bytes[7]),
        24..=0xff => out.extend([major + 24, bytes[7]]),
        0x100..=0xffff => {
            out.push(major + 25);
            out.extend_from_slice(&bytes[6..]);
        }
        0x1_0000..=0xffff_ffff => {
            out.push(major + 26);
            out.extend_from_slice(&bytes[4..]);
        }
        _ => {
            out.push(major + 27);
            out.extend_from_slice(&bytes);
        }
    }
}

pub(crate) fn int(n: i64, out: &mut Vec<u8>) {
    // -1 - n of a negative number is its complement, which is not negative.
    if n < 0 { head(1, (!n).unsigned_abs(), out) } else { head(0, n.unsigned_abs(), out) }
}

pub(crate) fn string(major: u8, bytes: &[u8], out: &mut Vec<u8>) {
    head(major, bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

pub(crate) fn text(text: &str, out: &mut Vec<u8>) {
    string(3, text.as_bytes(), out);
}

pub(crate) fn bytes(bytes: &[u8], out: &mut Vec<u8>) {
    string(2, bytes, out);
}

/// Tag 4: exponent and mantissa, the latter a bignum where 64 bits do not hold it.
pub(crate) fn write_decimal(decimal: &Decimal, out: &mut Vec<u8>) {
    out.extend([0xc4, 0x82]);
    int(-i64::from(decimal.scale()), out);
    let unscaled = decimal.unscaled();
    if unscaled.len() <= 8 {
        let mut bytes = [if decimal.is_negative() { 0xff } else { 0 }; 8];
        bytes[8 - unscaled.len()..].copy_from_slice(unscaled);
        return int(i64::from_be_bytes(bytes), out);
    }
    let (tag, flip) = if decimal.is_negative() { (0xc3, 0xff) } else { (0xc2, 0) };
    out.push(tag);
    let magnitude: Vec<u8> = unscaled.iter().map(|b| b ^ flip).skip_while(|b| *b == 0).collect();
    string(2, &magnitude, out);
}

// --- reading ---

/// `replace_null`: null becomes the schema's default.
pub(crate) fn read(bytes: &[u8], schema: Option<&Schema>, replace_null: bool) -> Result<Value> {
    let mut reader = Reader { bytes, at: 0 };
    let value = reader.value(0)?;
    if reader.at < bytes.len() {
        return Err(reader.error("bytes after the value"));
    }
    match schema {
        Some(schema) => shape(value, schema, replace_null),
        None => Ok(value),
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn error(&self, what: &str) -> DataFault {
        DataFault::new("cbor.syntax", format!("invalid CBOR: {what} at byte {}", self.at))
    }

    fn take(&mut self, count: u64) -> Result<&'a [u8]> {
        let end = usize::try_from(count).ok().and_then(|count| self.at.checked_add(count));
        let taken = end.and_then(|end| self.bytes.get(self.at..end)).ok_or_else(|| self.error("unexpected end"))?;
        self.at += taken.len();
        Ok(taken)
    }

    /// Major type, low bits, argument; the argument of an indefinite length is `None`.
    fn head(&mut self) -> Result<(u8, u8, Option<u64>)> {
        let first = self.take(1)?[0];
        let (major, low) = (first >> 5, first & 31);
        let argument = match low {
            0..=23 => Some(u64::from(low)),
            24..=27 => {
                let bytes = self.take(1 << (low - 24))?;
                Some(bytes.iter().fold(0, |n, b| n << 8 | u64::from(*b)))
            }
            31 if matches!(major, 2..=5 | 7) => None,
            _ => return Err(self.error("reserved length")),
        };
        Ok((major, low, argument))
    }

    fn value(&mut self, depth: usize) -> Result<Value> {
        if depth > DEPTH_MAX {
            return Err(self.error("more than 1000 levels"));
        }
        let (major, low, argument) = self.head()?;
        match (major, argument) {
            (0, Some(n)) => Ok(whole(n, false)),
            (1, Some(n)) => Ok(whole(n, true)),
            (2, length) => self.string(2, length).map(Value::Bytes),
            (3, length) => {
                let bytes = self.string(3, length)?;
                String::from_utf8(bytes).map(Value::String).map_err(|_| self.error("text that is not UTF-8"))
            }
            (4, length) => {
                let mut items = Vec::new();
                while self.more(length, items.len()) {
                    items.push(self.value(depth + 1)?);
                }
                Ok(Value::Array(items))
            }
            (5, length) => {
                let mut entries = Vec::new();
                while self.more(length, entries.len()) {
                    entries.push((self.value(depth + 1)?, self.value(depth + 1)?));
                }
                Ok(Value::Map(entries))
            }
            (6, Some(tag)) => self.tagged(tag, depth),
            (7, _) => self.simple(low, argument),
            _ => Err(self.error("unexpected break")),
        }
    }

    /// True if another element follows.
    fn more(&mut self, length: Option<u64>, count: usize) -> bool {
        if let Some(length) = length {
            return (count as u64) < length;
        }
        let ends = self.bytes.get(self.at) == Some(&0xff);
        self.at += usize::from(ends);
        !ends
    }

    fn string(&mut self, major: u8, length: Option<u64>) -> Result<Vec<u8>> {
        if let Some(length) = length {
            return Ok(self.take(length)?.to_vec());
        }
        let mut all = Vec::new();
        while self.more(None, 0) {
            match self.head()? {
                (found, _, Some(length)) if found == major => all.extend_from_slice(self.take(length)?),
                _ => return Err(self.error("a chunk of another type")),
            }
        }
        Ok(all)
    }

    fn tagged(&mut self, tag: u64, depth: usize) -> Result<Value> {
        let inner = self.value(depth + 1)?;
        match (tag, inner) {
            (2 | 3, Value::Bytes(bytes)) => {
                let flip = if tag == 3 { 0xff } else { 0 };
                let signed: Vec<u8> = std::iter::once(flip).chain(bytes.iter().map(|b| b ^ flip)).collect();
                Decimal::from_bytes(&signed, 0).map(Value::Decimal)
            }
            (4, Value::Array(parts)) => match parts.as_slice() {
                [Value::Int64(exponent), mantissa] => {
                    let scale = exponent.checked_neg().and_then(|s| i32::try_from(s).ok());
                    let scale = scale.ok_or_else(|| self.error("exponent beyond 32 bits"))?;
                    match mantissa {
                        Value::Int64(n) => Decimal::from_bytes(&n.to_be_bytes(), scale).map(Value::Decimal),
                        Value::Decimal(big) => Decimal::from_bytes(big.unscaled(), scale).map(Value::Decimal),
                        _ => Err(self.error("decimal without a whole mantissa")),
                    }
                }
                _ => Err(self.error("decimal that is not [exponent, mantissa]")),
            },
            (2..=4, _) => Err(self.error("number tag on another type")),
            (_, inner) => Ok(inner),
        }
    }

    fn simple(&mut self, low: u8, argument: Option<u64>) -> Result<Value> {
        let argument = argument.ok_or_else(|| self.error("unexpected break"))?;
        // The argument has as many bits as its length says.
        Ok(match low {
            20 => Value::Boolean(false),
            21 => Value::Boolean(true),
            22 | 23 => Value::Null,
            25 => Value::Float32(half(u16::try_from(argument).unwrap_or(0))),
            26 => Value::Float32(f32::from_bits(u32::try_from(argument).unwrap_or(0))),
            27 => Value::Float64(f64::from_bits(argument)),
            _ => return Err(self.error("unknown simple value")),
        })
    }
}

fn whole(n: u64, negative: bool) -> Value {
    if let Ok(n) = i64::try_from(n) {
        return Value::Int64(if negative { !n } else { n });
    }
    let flip = if negative { 0xff } else { 0 };
    let bytes: Vec<u8> = std::iter::once(0).chain(n.to_be_bytes()).map(|b| b ^ flip).collect();
    // Nine bytes are far from the bound.
    Decimal::from_bytes(&bytes, 0).map_or(Value::Null, Value::Decimal)
}

/// RFC 8949, appendix D.
fn half(bits: u16) -> f32 {
    let (exponent, fraction) = (bits >> 10 & 0x1f, f32::from(bits & 0x3ff));
    let magnitude = match exponent {
        0 => fraction * 2_f32.powi(-24),
        31 if fraction == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (fraction + 1024.0) * 2_f32.powi(i32::from(exponent) - 25),
    };
    if bits >> 15 == 1 { -magnitude } else { magnitude }
}

/// Gives a value the types of its schema.
fn shape(value: Value, schema: &Schema, replace_null: bool) -> Result<Value> {
    let kind = value.kind();
    match (schema.of(), schema.logical(), value) {
        (_, _, Value::Null) => payload::null(schema, replace_null),
        (_, Some(Logical::Decimal(scale)), Value::Decimal(d)) => {
            d.rescaled(scale).map(Value::Decimal).ok_or_else(|| payload::scale_mismatch(scale))
        }
        (_, Some(Logical::Decimal(scale)), Value::Bytes(bytes)) => {
            Decimal::from_bytes(&bytes, scale).map(Value::Decimal)
        }
        (_, Some(logical), Value::Int64(n)) => payload::logical_value(n, logical),
        (Type::Int8 | Type::Int16 | Type::Int32 | Type::Int64, None, Value::Int64(n)) => {
            payload::int_value(n, schema.of())
        }
        (Type::Float32, None, Value::Float32(x)) => Ok(Value::Float32(x)),
        (Type::Float32, None, Value::Float64(x)) => narrow(x),
        (Type::Float64, None, Value::Float32(x)) => Ok(Value::Float64(f64::from(x))),
        (Type::Float64, None, Value::Float64(x)) => Ok(Value::Float64(x)),
        (Type::Boolean, None, value @ Value::Boolean(_))
        | (Type::String, None, value @ Value::String(_))
        | (Type::Bytes, None, value @ Value::Bytes(_)) => Ok(value),
        (Type::Array(items), None, Value::Array(values)) => {
            let item = |v| inner(v, items.as_deref(), replace_null);
            values.into_iter().map(item).collect::<Result<_>>().map(Value::Array)
        }
        (Type::Map(keys, values), None, Value::Map(entries)) => {
            let (keys, values) = (keys.as_deref(), values.as_deref());
            let entry = |(k, v)| Ok((inner(k, keys, replace_null)?, inner(v, values, replace_null)?));
            entries.into_iter().map(entry).collect::<Result<_>>().map(Value::Map)
        }
        (Type::Struct(fields), None, Value::Map(entries)) => {
            let mut by_name: std::collections::HashMap<String, Value> = std::collections::HashMap::new();
            for (key, value) in entries {
                if let Value::String(key) = key {
                    by_name.insert(key, value);
                }
            }
            let mut field = |f: &crate::schema::Field| {
                shape(by_name.remove(&f.name).unwrap_or(Value::Null), &f.schema, replace_null)
            };
            fields.iter().map(&mut field).collect::<Result<_>>().map(Value::Struct)
        }
        (of, ..) => Err(DataFault::mismatch(format!("Invalid type for {}: {kind}", of.connect_name()))),
    }
}

fn inner(value: Value, schema: Option<&Schema>, replace_null: bool) -> Result<Value> {
    match schema {
        Some(schema) => shape(value, schema, replace_null),
        None => Ok(value),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "checked to be exact")]
fn narrow(x: f64) -> Result<Value> {
    let single = x as f32;
    if f64::from(single).to_bits() == x.to_bits() || x.is_nan() {
        Ok(Value::Float32(single))
    } else {
        Err(payload::beyond(&Type::Float32))
    }
}
