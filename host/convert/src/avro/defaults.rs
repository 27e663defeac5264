//! Default values in Avro schemas: JSON, with bytes as text of the characters U+0000 to U+00FF.
//!
//! Enters: a default as it stands in a schema, or Connect's. Leaves: a value, JSON, or Avro's binary form.

use serde_json::{Map, Value as Json};

use super::schema::{Avro, Id, Kind};
use super::to_connect::{is_map_entry, map_entry};
use super::write::{long, text};
use crate::fault::{DataFault, Result};
use crate::payload;
use crate::schema::{Logical, Schema, Type};
use crate::value::{Decimal, Value};

fn wrong(what: &str) -> DataFault {
    DataFault::schema(format!("Invalid JSON for {what} default value"))
}

/// The value that a default stands for.
pub(super) fn read(avro: &Avro, id: Id, schema: &Schema, json: &Json) -> Result<Value> {
    if json.is_null() {
        return Ok(Value::Null);
    }
    let int = || json.as_i64().ok_or_else(|| wrong(schema.of().connect_name()));
    match (&avro.node(id).kind, schema.of()) {
        (Kind::Int | Kind::Long, of) => match schema.logical() {
            Some(logical) => payload::logical_value(int()?, logical),
            None => payload::int_value(int()?, of),
        },
        #[expect(clippy::cast_possible_truncation, reason = "FLOAT32 is what the type says")]
        (Kind::Float, _) => json.as_f64().map(|x| Value::Float32(x as f32)).ok_or_else(|| wrong("float")),
        (Kind::Double, _) => json.as_f64().map(Value::Float64).ok_or_else(|| wrong("double")),
        (Kind::Boolean, _) => json.as_bool().map(Value::Boolean).ok_or_else(|| wrong("boolean")),
        (Kind::String | Kind::Enum(_), _) => {
            json.as_str().map(|text| Value::String(text.to_owned())).ok_or_else(|| wrong("string"))
        }
        (Kind::Bytes | Kind::Fixed(_), _) => {
            let bytes = bytes(json)?;
            match schema.logical() {
                Some(Logical::Decimal(scale)) => Decimal::from_bytes(&bytes, scale).map(Value::Decimal),
                _ => Ok(Value::Bytes(bytes)),
            }
        }
        (Kind::Array(of), Type::Map(Some(keys), Some(values))) if is_map_entry(avro.node(*of)) => {
            let (key, value) = map_entry(avro.node(*of))?;
            let pair = |pair: &Json| match pair.as_array().map(Vec::as_slice) {
                Some([k, v]) => Ok((read(avro, key, keys, k)?, read(avro, value, values, v)?)),
                _ => Err(wrong("map")),
            };
            json.as_array().ok_or_else(|| wrong("map"))?.iter().map(pair).collect::<Result<_>>().map(Value::Map)
        }
        (Kind::Array(of), Type::Array(Some(items))) => {
            let all = json.as_array().ok_or_else(|| wrong("array"))?.iter();
            all.map(|item| read(avro, *of, items, item)).collect::<Result<_>>().map(Value::Array)
        }
        (Kind::Map(of), Type::Map(_, Some(values))) => {
            let all = json.as_object().ok_or_else(|| wrong("map"))?.iter();
            let entry = |(k, v): (&String, &Json)| Ok((Value::String(k.clone()), read(avro, *of, values, v)?));
            all.map(entry).collect::<Result<_>>().map(Value::Map)
        }
        (Kind::Record(fields), Type::Struct(own)) => {
            let object = json.as_object().ok_or_else(|| wrong("record"))?;
            let field = |(field, own): (&super::schema::Field, &crate::schema::Field)| {
                read(avro, field.of, &own.schema, object.get(&field.name).unwrap_or(&Json::Null))
            };
            fields.iter().zip(own).map(field).collect::<Result<_>>().map(Value::Struct)
        }
        (Kind::Union(branches), of) => in_union(avro, branches, schema, of, json),
        _ => Err(wrong(schema.of().connect_name())),
    }
}

/// A default belongs to the first branch.
fn in_union(avro: &Avro, branches: &[Id], schema: &Schema, of: &Type, json: &Json) -> Result<Value> {
    let first = *branches.first().ok_or_else(|| wrong("union"))?;
    match of {
        Type::Struct(fields) if fields.len() + 1 >= branches.len() && branches.len() > 2 => {
            let mut values = vec![Value::Null; fields.len()];
            let (value, field) = values.first_mut().zip(fields.first()).ok_or_else(|| wrong("union"))?;
            *value = read(avro, first, &field.schema, json)?;
            Ok(Value::Struct(values))
        }
        _ => read(avro, first, schema, json),
    }
}

fn bytes(json: &Json) -> Result<Vec<u8>> {
    let text = json.as_str().ok_or_else(|| wrong("bytes"))?;
    text.chars().map(|c| u8::try_from(u32::from(c)).map_err(|_| wrong("bytes"))).collect()
}

/// A default of Connect's as it stands in an Avro schema.
pub(super) fn write(value: &Value, schema: Option<&Schema>) -> Json {
    let latin = |bytes: &[u8]| Json::String(bytes.iter().map(|b| char::from(*b)).collect());
    let of = schema.map(Schema::of);
    match value {
        Value::Null => Json::Null,
        Value::Boolean(b) => Json::Bool(*b),
        Value::Int8(n) => Json::from(*n),
        Value::Int16(n) => Json::from(*n),
        Value::Int32(n) | Value::Date(n) | Value::Time(n) => Json::from(*n),
        Value::Int64(n) | Value::Timestamp(n) => Json::from(*n),
        Value::Float32(x) => Json::from(*x),
        Value::Float64(x) => Json::from(*x),
        Value::String(text) => Json::String(text.clone()),
        Value::Bytes(bytes) => latin(bytes),
        Value::Decimal(decimal) => latin(decimal.unscaled()),
        Value::Array(items) => {
            let inner = if let Some(Type::Array(inner)) = of { inner.as_deref() } else { None };
            Json::Array(items.iter().map(|item| write(item, inner)).collect())
        }
        Value::Map(entries) => {
            let (keys, values) =
                if let Some(Type::Map(k, v)) = of { (k.as_deref(), v.as_deref()) } else { (None, None) };
            let is_text = keys.is_some_and(|k| *k.of() == Type::String && !k.is_optional());
            if is_text {
                let entry = |(k, v): &(Value, Value)| match k {
                    Value::String(key) => Some((key.clone(), write(v, values))),
                    _ => None,
                };
                Json::Object(entries.iter().filter_map(entry).collect())
            } else {
                let entry = |(k, v): &(Value, Value)| Json::Array(vec![write(k, keys), write(v, values)]);
                Json::Array(entries.iter().map(entry).collect())
            }
        }
        Value::Struct(values) => {
            let fields = if let Some(Type::Struct(fields)) = of { fields.as_slice() } else { &[] };
            let pairs = fields.iter().zip(values).map(|(f, v)| (f.name.clone(), write(v, Some(&f.schema))));
            Json::Object(pairs.collect::<Map<_, _>>())
        }
    }
}

/// A default in Avro's binary form: what is written for a field that the record does not have.
pub(super) fn encode(avro: &Avro, id: Id, json: &Json, out: &mut Vec<u8>) -> Result<()> {
    match &avro.node(id).kind {
        Kind::Null if json.is_null() => {}
        Kind::Boolean => out.push(u8::from(json.as_bool().ok_or_else(|| wrong("boolean"))?)),
        Kind::Int | Kind::Long => long(json.as_i64().ok_or_else(|| wrong("integer"))?, out),
        #[expect(clippy::cast_possible_truncation, reason = "a float is what the type says")]
        Kind::Float => out.extend((json.as_f64().ok_or_else(|| wrong("float"))? as f32).to_le_bytes()),
        Kind::Double => out.extend(json.as_f64().ok_or_else(|| wrong("double"))?.to_le_bytes()),
        Kind::String => text(json.as_str().ok_or_else(|| wrong("string"))?.as_bytes(), out),
        Kind::Bytes => text(&bytes(json)?, out),
        Kind::Fixed(size) => {
            let bytes = bytes(json)?;
            if bytes.len() != *size {
                return Err(wrong("fixed"));
            }
            out.extend_from_slice(&bytes);
        }
        Kind::Enum(symbols) => {
            let at = symbols.iter().position(|symbol| Some(symbol.as_str()) == json.as_str());
            long(at.and_then(|at| i64::try_from(at).ok()).ok_or_else(|| wrong("enum"))?, out);
        }
        Kind::Array(of) => {
            let items = json.as_array().ok_or_else(|| wrong("array"))?;
            count(items.len(), out);
            items.iter().try_for_each(|item| encode(avro, *of, item, out))?;
            out.push(0);
        }
        Kind::Map(of) => {
            let entries = json.as_object().ok_or_else(|| wrong("map"))?;
            count(entries.len(), out);
            for (key, value) in entries {
                text(key.as_bytes(), out);
                encode(avro, *of, value, out)?;
            }
            out.push(0);
        }
        Kind::Record(fields) => {
            for field in fields {
                let value = json.get(&field.name).or(field.default.as_ref()).ok_or_else(|| wrong("record"))?;
                encode(avro, field.of, value, out)?;
            }
        }
        Kind::Union(branches) => {
            let first = *branches.first().ok_or_else(|| wrong("union"))?;
            long(0, out);
            encode(avro, first, json, out)?;
        }
        Kind::Null => return Err(wrong("null")),
    }
    Ok(())
}

/// Opens a block of items, where there are any.
pub(super) fn count(items: usize, out: &mut Vec<u8>) {
    if items > 0 {
        long(i64::try_from(items).unwrap_or(i64::MAX), out);
    }
}
