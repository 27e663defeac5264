//! Values as JSON payloads, with and without a schema.
//!
//! Enters: a JSON tree and a schema. Leaves: a value that fits the schema, and payload text. Invariant: a value that would
//! lose data (a fraction for an integer, a number beyond the type, text for a number) is a fault; Kafka Connect's
//! `JsonConverter` turns those into other values silently.

use crate::base64_text;
use crate::decimal::Decimal;
use crate::fault::{DataFault, Result};
use crate::java;
use crate::json::{Json, quote};
use crate::schema::{Logical, Schema, Type};
use crate::value::Value;

/// How payloads are written.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Style {
    /// Decimals as numbers (`decimal.format=NUMERIC`).
    pub(crate) numeric: bool,
    /// Null becomes the schema's default (`replace.null.with.default`).
    pub(crate) replace_null: bool,
}

/// Milliseconds of a day; Time takes it as its last value, as Kafka Connect does.
pub(crate) const DAY_MS: i32 = 86_400_000;

// --- reading ---

pub(crate) fn read(json: &Json<'_>, schema: Option<&Schema>, replace_null: bool) -> Result<Value> {
    let Some(schema) = schema else { return Ok(read_plain(json)) };
    if matches!(json, Json::Null) {
        return null(schema, replace_null);
    }
    if let Some(logical) = schema.logical() {
        return read_logical(json, schema, logical);
    }
    match (schema.of(), json) {
        (Type::Boolean, Json::Boolean(b)) => Ok(Value::Boolean(*b)),
        (Type::String, Json::String(text)) => Ok(Value::String(text.to_string())),
        (Type::Bytes, Json::String(text)) => bytes(text).map(Value::Bytes),
        (Type::Int8 | Type::Int16 | Type::Int32 | Type::Int64, Json::Number(text)) => {
            integer(text, schema.of()).and_then(|n| int_value(n, schema.of()))
        }
        (Type::Float32 | Type::Float64, Json::Number(text)) => float(text, schema.of()),
        (Type::Float32 | Type::Float64, Json::String(text)) if float_word(text) => float(text, schema.of()),
        (Type::Array(items), Json::Array(values)) => {
            let item = |json| read(json, items.as_deref(), replace_null);
            values.iter().map(item).collect::<Result<_>>().map(Value::Array)
        }
        (Type::Map(keys, values), _) => read_map(json, keys.as_deref(), values.as_deref(), replace_null),
        (Type::Struct(fields), Json::Object(_)) => {
            let field = |field: &crate::schema::Field| match json.field(&field.name) {
                Some(json) => read(json, Some(&field.schema), replace_null),
                None => null(&field.schema, replace_null),
            };
            fields.iter().map(field).collect::<Result<_>>().map(Value::Struct)
        }
        _ => Err(wrong_kind(schema, json.kind())),
    }
}

fn read_plain(json: &Json<'_>) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Boolean(b) => Value::Boolean(*b),
        Json::Number(text) => plain_number(text),
        Json::String(text) => Value::String(text.to_string()),
        Json::Array(items) => Value::Array(items.iter().map(read_plain).collect()),
        Json::Object(fields) => {
            let mut map: indexmap::IndexMap<&str, Value> = indexmap::IndexMap::with_capacity(fields.len());
            for (key, value) in fields {
                map.insert(key, read_plain(value));
            }
            Value::Map(map.into_iter().map(|(k, v)| (Value::String(k.to_owned()), v)).collect())
        }
    }
}

/// Whole numbers are INT64 and others FLOAT64; what neither holds stays exact as a Decimal.
pub(crate) fn plain_number(text: &str) -> Value {
    let whole = !text.contains(['.', 'e', 'E']);
    if let (true, Ok(n)) = (whole, text.parse()) {
        return Value::Int64(n);
    }
    match (text.parse::<f64>(), Decimal::parse(text)) {
        (Ok(x), _) if !whole && x.is_finite() => Value::Float64(x),
        (_, Ok(decimal)) => Value::Decimal(decimal),
        (Ok(x), Err(_)) => Value::Float64(x),
        (Err(_), Err(_)) => Value::String(text.to_owned()),
    }
}

fn read_map(json: &Json<'_>, keys: Option<&Schema>, values: Option<&Schema>, replace_null: bool) -> Result<Value> {
    // Without a schema of keys their values decide: text makes an object, anything else pairs.
    let text_keys = keys.map_or(matches!(json, Json::Object(_)), |k| matches!(k.of(), Type::String));
    match json {
        Json::Object(fields) if text_keys => {
            let mut map: indexmap::IndexMap<&str, Value> = indexmap::IndexMap::with_capacity(fields.len());
            for (key, json) in fields {
                map.insert(key, read(json, values, replace_null)?);
            }
            Ok(Value::Map(map.into_iter().map(|(k, v)| (Value::String(k.to_owned()), v)).collect()))
        }
        Json::Array(entries) if !text_keys => {
            let entry = |entry: &Json<'_>| match entry {
                Json::Array(pair) if pair.len() == 2 => {
                    Ok((read(&pair[0], keys, replace_null)?, read(&pair[1], values, replace_null)?))
                }
                _ => Err(DataFault::mismatch("Found invalid map entry, expected an array of two elements")),
            };
            entries.iter().map(entry).collect::<Result<_>>().map(Value::Map)
        }
        _ if text_keys => Err(DataFault::mismatch(format!(
            "Maps with string fields should be encoded as JSON objects, but found {}",
            json.kind()
        ))),
        _ => Err(DataFault::mismatch(format!(
            "Maps with non-string fields should be encoded as JSON array of tuples, but found {}",
            json.kind()
        ))),
    }
}

fn read_logical(json: &Json<'_>, schema: &Schema, logical: Logical) -> Result<Value> {
    match (logical, json) {
        (Logical::Decimal(scale), Json::Number(text)) => {
            let exact = Decimal::parse(text)?.rescaled(scale);
            exact.map(Value::Decimal).ok_or_else(|| scale_mismatch(scale))
        }
        (Logical::Decimal(scale), Json::String(text)) => Decimal::from_bytes(&bytes(text)?, scale).map(Value::Decimal),
        (Logical::Date, Json::Number(text)) => integer(text, &Type::Int32).and_then(|n| logical_value(n, logical)),
        (Logical::Time, Json::Number(text)) => integer(text, &Type::Int32).and_then(|n| logical_value(n, logical)),
        (Logical::Timestamp, Json::Number(text)) => integer(text, &Type::Int64).map(Value::Timestamp),
        _ => Err(wrong_kind(schema, json.kind())),
    }
}

pub(crate) fn scale_mismatch(scale: i32) -> DataFault {
    DataFault::mismatch(format!("Decimal value has mismatching scale, the schema's scale is {scale}"))
}

/// A Date, Time or Timestamp from its integer.
pub(crate) fn logical_value(n: i64, logical: Logical) -> Result<Value> {
    let narrow = || i32::try_from(n).map_err(|_| beyond(&Type::Int32));
    match logical {
        Logical::Date => narrow().map(Value::Date),
        Logical::Time if (0..=i64::from(DAY_MS)).contains(&n) => narrow().map(Value::Time),
        Logical::Time => Err(DataFault::mismatch(
            "Time values must use number of milliseconds greater than 0 and less than 86400000",
        )),
        Logical::Timestamp => Ok(Value::Timestamp(n)),
        Logical::Decimal(scale) => {
            Decimal::from_i64(n).rescaled(scale).map(Value::Decimal).ok_or_else(|| scale_mismatch(scale))
        }
    }
}

/// Null where the schema allows it, or its default.
pub(crate) fn null(schema: &Schema, replace_null: bool) -> Result<Value> {
    match schema.default_value() {
        Some(default) if replace_null => Ok(default.clone()),
        _ if schema.is_optional() => Ok(Value::Null),
        _ => Err(DataFault::mismatch(format!("Invalid null value for required {} field", schema.of().connect_name()))),
    }
}

/// The JSON value is of a kind that the schema does not have.
pub(crate) fn wrong_kind(schema: &Schema, found: &str) -> DataFault {
    let expected = match (schema.logical(), schema.of()) {
        (Some(Logical::Decimal(_)), _) => {
            "Invalid type for Decimal, underlying representation should be numeric or bytes"
        }
        (Some(Logical::Date), _) => "Invalid type for Date, underlying representation should be integer",
        (Some(Logical::Time), _) => "Invalid type for Time, underlying representation should be integer",
        (Some(Logical::Timestamp), _) => "Invalid type for Timestamp, underlying representation should be integral",
        (_, Type::Struct(_)) => "Structs should be encoded as JSON objects",
        (_, Type::Array(_)) => "Arrays should be encoded as JSON arrays",
        (_, Type::Bytes) => "Invalid type for BYTES, it should be base64 text",
        (_, of) => return DataFault::mismatch(format!("Invalid type for {}, but found {found}", of.connect_name())),
    };
    DataFault::mismatch(format!("{expected}, but found {found}"))
}

pub(crate) fn beyond(of: &Type) -> DataFault {
    DataFault::mismatch(format!("number is no {}: it has a fraction or is out of range", of.connect_name()))
}

pub(crate) fn int_range(of: &Type) -> (i64, i64) {
    match of {
        Type::Int8 => (i64::from(i8::MIN), i64::from(i8::MAX)),
        Type::Int16 => (i64::from(i16::MIN), i64::from(i16::MAX)),
        Type::Int32 => (i64::from(i32::MIN), i64::from(i32::MAX)),
        _ => (i64::MIN, i64::MAX),
    }
}

/// A whole number within the type; `1.0` and `1e3` are whole.
pub(crate) fn integer(text: &str, of: &Type) -> Result<i64> {
    let exact = text.parse().ok().or_else(|| Decimal::parse(text).ok()?.to_i64());
    let (low, high) = int_range(of);
    exact.filter(|n| (low..=high).contains(n)).ok_or_else(|| beyond(of))
}

/// A number in range becomes the value of that integer type.
pub(crate) fn int_value(n: i64, of: &Type) -> Result<Value> {
    let out = || beyond(of);
    Ok(match of {
        Type::Int8 => Value::Int8(i8::try_from(n).map_err(|_| out())?),
        Type::Int16 => Value::Int16(i16::try_from(n).map_err(|_| out())?),
        Type::Int32 => Value::Int32(i32::try_from(n).map_err(|_| out())?),
        _ => Value::Int64(n),
    })
}

pub(crate) fn float_word(text: &str) -> bool {
    matches!(text, "NaN" | "Infinity" | "-Infinity")
}

fn float(text: &str, of: &Type) -> Result<Value> {
    let parsed = match of {
        Type::Float32 => text.parse().ok().filter(|x: &f32| x.is_finite() || float_word(text)).map(Value::Float32),
        _ => text.parse().ok().filter(|x: &f64| x.is_finite() || float_word(text)).map(Value::Float64),
    };
    parsed.ok_or_else(|| beyond(of))
}

fn bytes(text: &str) -> Result<Vec<u8>> {
    base64_text::decode(text).ok_or_else(not_base64)
}

pub(crate) fn not_base64() -> DataFault {
    DataFault::mismatch("Invalid bytes field: the text is not base64")
}

// --- writing ---

pub(crate) fn write(value: &Value, schema: Option<&Schema>, style: Style, out: &mut Vec<u8>) -> Result<()> {
    let Some(schema) = schema else { return write_plain(value, style, out) };
    if matches!(value, Value::Null) {
        return match null(schema, style.replace_null)? {
            Value::Null => {
                out.extend_from_slice(b"null");
                Ok(())
            }
            default => write(&default, Some(schema), style, out),
        };
    }
    match (schema.of(), schema.logical(), value) {
        (_, Some(Logical::Decimal(scale)), Value::Decimal(d)) if !style.numeric => {
            base64_text::quoted(d.rescaled(scale).ok_or_else(|| scale_mismatch(scale))?.unscaled(), out);
            Ok(())
        }
        (_, Some(Logical::Decimal(_)), Value::Decimal(_))
        | (_, Some(Logical::Date), Value::Date(_))
        | (_, Some(Logical::Time), Value::Time(_))
        | (_, Some(Logical::Timestamp), Value::Timestamp(_))
        | (Type::Int8, None, Value::Int8(_))
        | (Type::Int16, None, Value::Int16(_))
        | (Type::Int32, None, Value::Int32(_))
        | (Type::Int64, None, Value::Int64(_))
        | (Type::Float32, None, Value::Float32(_))
        | (Type::Float64, None, Value::Float64(_))
        | (Type::Boolean, None, Value::Boolean(_))
        | (Type::String, None, Value::String(_))
        | (Type::Bytes, None, Value::Bytes(_)) => write_plain(value, style, out),
        (Type::Array(items), None, Value::Array(values)) => {
            list(values, out, *b"[]", |item, out| write(item, items.as_deref(), style, out))
        }
        (Type::Map(keys, values), None, Value::Map(entries)) => {
            write_map(entries, (keys.as_deref(), values.as_deref()), style, out)
        }
        (Type::Struct(fields), None, Value::Struct(values)) if values.len() == fields.len() => {
            let pairs: Vec<_> = fields.iter().zip(values).collect();
            list(&pairs, out, *b"{}", |(field, value), out| {
                quote(&field.name, out);
                out.push(b':');
                write(value, Some(&field.schema), style, out)
            })
        }
        (of, ..) => Err(DataFault::mismatch(format!("Invalid type for {}: {}", of.connect_name(), value.kind()))),
    }
}

fn list<T>(items: &[T], out: &mut Vec<u8>, ends: [u8; 2], each: impl Fn(&T, &mut Vec<u8>) -> Result<()>) -> Result<()> {
    out.push(ends[0]);
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        each(item, out)?;
    }
    out.push(ends[1]);
    Ok(())
}

fn write_map(
    entries: &[(Value, Value)],
    (keys, values): (Option<&Schema>, Option<&Schema>),
    style: Style,
    out: &mut Vec<u8>,
) -> Result<()> {
    let object = match keys {
        Some(keys) => matches!(keys.of(), Type::String) && !entries.iter().any(|(k, _)| matches!(k, Value::Null)),
        None => entries.iter().all(|(k, _)| matches!(k, Value::String(_))),
    };
    if !object {
        return list(entries, out, *b"[]", |(key, value), out| {
            out.push(b'[');
            write(key, keys, style, out)?;
            out.push(b',');
            write(value, values, style, out)?;
            out.push(b']');
            Ok(())
        });
    }
    list(entries, out, *b"{}", |(key, value), out| {
        let Value::String(key) = key else {
            return Err(DataFault::mismatch(format!("Invalid type for STRING: {}", key.kind())));
        };
        quote(key, out);
        out.push(b':');
        write(value, values, style, out)
    })
}

fn write_plain(value: &Value, style: Style, out: &mut Vec<u8>) -> Result<()> {
    match value {
        Value::Float32(x) if x.is_finite() => {
            java::put_float32(*x, out);
            return Ok(());
        }
        Value::Float64(x) if x.is_finite() => {
            java::put_float64(*x, out);
            return Ok(());
        }
        _ => {}
    }
    let mut put = |text: &str| out.extend_from_slice(text.as_bytes());
    match value {
        Value::Null => put("null"),
        Value::Boolean(b) => put(if *b { "true" } else { "false" }),
        Value::Int8(n) => put(&n.to_string()),
        Value::Int16(n) => put(&n.to_string()),
        Value::Int32(n) | Value::Date(n) | Value::Time(n) => put(&n.to_string()),
        Value::Int64(n) | Value::Timestamp(n) => put(&n.to_string()),
        Value::Float32(x) => quote(&java::float32(*x), out),
        Value::Float64(x) => quote(&java::float64(*x), out),
        Value::Decimal(d) => put(&d.to_string()),
        Value::String(text) => quote(text, out),
        Value::Bytes(bytes) => base64_text::quoted(bytes, out),
        Value::Array(items) => return list(items, out, *b"[]", |item, out| write_plain(item, style, out)),
        Value::Map(entries) => return write_map(entries, (None, None), style, out),
        Value::Struct(_) => return Err(DataFault::mismatch("a struct needs a schema")),
    }
    Ok(())
}
