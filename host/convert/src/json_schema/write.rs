//! Values to JSON data, as `JsonSchemaConverter` writes it.
//!
//! Enters: a value that fits its Connect schema. Leaves: JSON text. Invariant: a required field that is unset is left out, an
//! optional one is null; a union is its member.

use super::options::{is_any, is_union};
use super::read::is_object;
use crate::fault::{DataFault, Result};
use crate::json::{Json, quote};
use crate::payload::{self, Style};
use crate::schema::{Schema, Type};
use crate::value::Value;

/// Appends the text.
pub(crate) fn write(value: &Value, schema: &Schema, style: Style, out: &mut Vec<u8>) -> Result<()> {
    match (schema.of(), value) {
        (_, Value::Null) => {
            if !schema.is_optional() {
                payload::null(schema, false)?;
            }
            out.extend_from_slice(b"null");
            Ok(())
        }
        (Type::String, Value::String(text)) if is_any(schema) => {
            Json::parse(text.as_bytes())?.write(out);
            Ok(())
        }
        (Type::Array(Some(items)), Value::Array(values)) => {
            out.push(b'[');
            for (index, value) in values.iter().enumerate() {
                comma(index, out);
                write(value, items, style, out)?;
            }
            out.push(b']');
            Ok(())
        }
        (Type::Map(Some(keys), Some(values)), Value::Map(entries)) => map(entries, keys, values, style, out),
        (Type::Struct(members), Value::Struct(values)) if is_union(schema) => {
            let set = members.iter().zip(values).find(|(_, value)| **value != Value::Null);
            match set {
                Some((member, value)) => write(value, &member.schema, style, out),
                None if schema.is_optional() => write(&Value::Null, schema, style, out),
                None => Err(DataFault::mismatch("a union's struct has nothing set")),
            }
        }
        (Type::Struct(fields), Value::Struct(values)) if fields.len() == values.len() => {
            out.push(b'{');
            let mut index = 0;
            for (field, value) in fields.iter().zip(values) {
                if *value == Value::Null && !field.schema.is_optional() {
                    continue;
                }
                comma(index, out);
                index += 1;
                quote(&field.name, out);
                out.push(b':');
                write(value, &field.schema, style, out)?;
            }
            out.push(b'}');
            Ok(())
        }
        _ => payload::write(value, Some(schema), style, out),
    }
}

fn comma(index: usize, out: &mut Vec<u8>) {
    if index > 0 {
        out.push(b',');
    }
}

fn map(entries: &[(Value, Value)], keys: &Schema, values: &Schema, style: Style, out: &mut Vec<u8>) -> Result<()> {
    let object = is_object(keys);
    out.push(if object { b'{' } else { b'[' });
    for (index, (key, value)) in entries.iter().enumerate() {
        comma(index, out);
        if object {
            write(key, keys, style, out)?;
            out.push(b':');
            write(value, values, style, out)?;
        } else {
            out.extend_from_slice(b"{\"key\":");
            write(key, keys, style, out)?;
            out.extend_from_slice(b",\"value\":");
            write(value, values, style, out)?;
            out.push(b'}');
        }
    }
    out.push(if object { b'}' } else { b']' });
    Ok(())
}
