//! JSON data to values, by the Connect schema that its JSON Schema became.
//!
//! Enters: a tree and a schema. Leaves: a value. Invariant: a property that is absent is unset, whatever the schema says of
//! null; properties that are not declared are dropped; a value of another kind is a fault.

use super::options::{is_any, is_enum, is_union};
use super::union;
use crate::fault::{DataFault, Result};
use crate::json::Json;
use crate::payload;
use crate::schema::{Schema, Type};
use crate::value::Value;

/// The text of a JSON value: of a string its content, else as it is written.
pub(crate) fn text_of(json: &Json<'_>) -> String {
    if let Json::String(text) = json {
        return text.to_string();
    }
    written(json)
}

fn written(json: &Json<'_>) -> String {
    let mut out = Vec::new();
    json.write(&mut out);
    // The writer copies whole strings and ASCII only.
    String::from_utf8(out).unwrap_or_default()
}

/// Reads a value that is there.
pub(crate) fn value(json: &Json<'_>, schema: &Schema) -> Result<Value> {
    if matches!(json, Json::Null) {
        return payload::null(schema, true);
    }
    if schema.logical().is_some() {
        return payload::read(json, Some(schema), true);
    }
    match (schema.of(), json) {
        (Type::String, json) if is_any(schema) => Ok(Value::String(written(json))),
        (Type::String, Json::Number(_) | Json::Boolean(_)) if is_enum(schema) => Ok(Value::String(written(json))),
        (Type::Array(Some(items)), Json::Array(values)) => {
            values.iter().map(|item| value(item, items)).collect::<Result<_>>().map(Value::Array)
        }
        (Type::Map(Some(keys), Some(values)), json) => map(json, keys, values),
        (Type::Struct(members), json) if is_union(schema) => {
            let chosen = union::member(json, members)
                .ok_or_else(|| DataFault::mismatch("Did not find matching oneof field for data"))?;
            let mut set = vec![Value::Null; members.len()];
            set[chosen] = value(json, &members[chosen].schema)?;
            Ok(Value::Struct(set))
        }
        (Type::Struct(fields), Json::Object(_)) => {
            let field = |field: &crate::schema::Field| match json.field(&field.name) {
                Some(json) => value(json, &field.schema),
                None => Ok(field.schema.default_value().cloned().unwrap_or(Value::Null)),
            };
            fields.iter().map(field).collect::<Result<_>>().map(Value::Struct)
        }
        _ => payload::read(json, Some(schema), true),
    }
}

/// Maps with required text keys are objects, others lists of entries.
pub(crate) fn is_object(keys: &Schema) -> bool {
    matches!(keys.of(), Type::String) && !keys.is_optional()
}

fn map(json: &Json<'_>, keys: &Schema, values: &Schema) -> Result<Value> {
    let mut map: indexmap::IndexMap<String, (Value, Value)> = indexmap::IndexMap::new();
    match (json, is_object(keys)) {
        (Json::Object(fields), true) => {
            for (key, json) in fields {
                map.insert(key.to_string(), (Value::String(key.to_string()), value(json, values)?));
            }
        }
        (Json::Array(entries), false) => {
            for entry in entries {
                let (Some(key), Some(json)) = (entry.field("key"), entry.field("value")) else {
                    return Err(DataFault::mismatch("Found invalid map entry, expected an object of key and value"));
                };
                map.insert(written(key), (value(key, keys)?, value(json, values)?));
            }
        }
        (json, true) => return Err(kind("string fields should be encoded as JSON objects", json)),
        (json, false) => return Err(kind("non-string fields should be encoded as JSON array of objects", json)),
    }
    Ok(Value::Map(map.into_values().collect()))
}

fn kind(wanted: &str, found: &Json<'_>) -> DataFault {
    DataFault::mismatch(format!("Maps with {wanted}, but found {}", found.kind()))
}
