//! The `schema` part of Kafka Connect's JSON envelope.
//!
//! Enters: its text. Leaves: a [`Schema`], and its text again. Invariant: keys are written in Kafka's order (type, items or
//! keys and values or fields, optional, name, version, doc, parameters, default, field).

use std::sync::Arc;

use crate::fault::{DataFault, Result};
use crate::json::{Json, quote};
use crate::payload::{self, Style};
use crate::schema::{Attributes, Field, Schema, Type};

pub(crate) fn parse(text: &str) -> Result<Schema> {
    read(&Json::parse(text.as_bytes())?)
}

pub(crate) fn read(json: &Json<'_>) -> Result<Schema> {
    let Some(Json::String(name)) = json.field("type") else {
        return Err(DataFault::schema("Schema must contain 'type' field"));
    };
    let of = match name.as_ref() {
        "int8" => Type::Int8,
        "int16" => Type::Int16,
        "int32" => Type::Int32,
        "int64" => Type::Int64,
        "float" => Type::Float32,
        "double" => Type::Float64,
        "boolean" => Type::Boolean,
        "string" => Type::String,
        "bytes" => Type::Bytes,
        "array" => Type::Array(inner(json, "items", "Array schema did not specify the element type")?),
        "map" => Type::Map(
            inner(json, "keys", "Map schema did not specify the key type")?,
            inner(json, "values", "Map schema did not specify the value type")?,
        ),
        "struct" => Type::Struct(fields(json)?),
        _ => return Err(DataFault::schema("Unknown schema type: it is none of Kafka Connect's types")),
    };
    let attributes = attributes(json)?;
    let schema = Schema::new(of.clone(), attributes.clone())?;
    let Some(default) = json.field("default") else { return Ok(schema) };
    if matches!(default, Json::Null) && schema.is_optional() {
        return Ok(schema);
    }
    let default = payload::read(default, Some(&schema), false)
        .map_err(|e| DataFault::schema(format!("Invalid default value: {}", e.message)))?;
    Schema::new(of, Attributes { default: Some(default), ..attributes })
}

/// A null is what Kafka writes where no common type was found.
fn inner(json: &Json<'_>, key: &str, missing: &str) -> Result<Option<Arc<Schema>>> {
    match json.field(key) {
        Some(Json::Null) => Ok(None),
        Some(schema) => Ok(Some(Arc::new(read(schema)?))),
        None => Err(DataFault::schema(missing)),
    }
}

fn fields(json: &Json<'_>) -> Result<Vec<Field>> {
    let Some(Json::Array(fields)) = json.field("fields") else {
        return Err(DataFault::schema("Struct schema's \"fields\" argument is not an array."));
    };
    let field = |json: &Json<'_>| match json.field("field") {
        Some(Json::String(name)) => Ok(Field { name: name.to_string(), schema: Arc::new(read(json)?) }),
        _ => Err(DataFault::schema("Struct schema's field name not specified properly")),
    };
    fields.iter().map(field).collect()
}

fn attributes(json: &Json<'_>) -> Result<Attributes> {
    let text = |key| match json.field(key) {
        Some(Json::String(text)) => Some(text.to_string()),
        _ => None,
    };
    let version = match json.field("version") {
        Some(Json::Number(number)) => number.parse().ok(),
        _ => None,
    };
    let mut parameters = Vec::new();
    if let Some(Json::Object(entries)) = json.field("parameters") {
        for (key, value) in entries {
            let Json::String(value) = value else {
                return Err(DataFault::schema("Schema parameters must have string values."));
            };
            parameters.retain(|(k, _)| k != key);
            parameters.push((key.to_string(), value.to_string()));
        }
    }
    let optional = matches!(json.field("optional"), Some(Json::Boolean(true)));
    Ok(Attributes { optional, default: None, name: text("name"), version, doc: text("doc"), parameters })
}

/// Appends the text; `field` is the name of the struct field that has this schema, `style` that of defaults.
pub(crate) fn write(schema: &Schema, field: Option<&str>, style: Style, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"type\":");
    quote(schema.of().json_name(), out);
    match schema.of() {
        Type::Array(items) => write_inner(",\"items\":", items.as_deref(), style, out),
        Type::Map(keys, values) => {
            write_inner(",\"keys\":", keys.as_deref(), style, out);
            write_inner(",\"values\":", values.as_deref(), style, out);
        }
        Type::Struct(fields) => {
            out.extend_from_slice(b",\"fields\":[");
            for (index, field) in fields.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write(&field.schema, Some(&field.name), style, out);
            }
            out.push(b']');
        }
        _ => {}
    }
    write_attributes(schema, style, out);
    if let Some(field) = field {
        out.extend_from_slice(b",\"field\":");
        quote(field, out);
    }
    out.push(b'}');
}

fn write_inner(key: &str, schema: Option<&Schema>, style: Style, out: &mut Vec<u8>) {
    out.extend_from_slice(key.as_bytes());
    match schema {
        Some(schema) => write(schema, None, style, out),
        None => out.extend_from_slice(b"null"),
    }
}

fn write_attributes(schema: &Schema, style: Style, out: &mut Vec<u8>) {
    let Attributes { optional, default, name, version, doc, parameters } = schema.attributes();
    out.extend_from_slice(format!(",\"optional\":{optional}").as_bytes());
    if let Some(name) = name {
        out.extend_from_slice(b",\"name\":");
        quote(name, out);
    }
    if let Some(version) = version {
        out.extend_from_slice(format!(",\"version\":{version}").as_bytes());
    }
    if let Some(doc) = doc {
        out.extend_from_slice(b",\"doc\":");
        quote(doc, out);
    }
    if !parameters.is_empty() {
        out.extend_from_slice(b",\"parameters\":{");
        for (index, (key, value)) in parameters.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            quote(key, out);
            out.push(b':');
            quote(value, out);
        }
        out.push(b'}');
    }
    if let Some(default) = default {
        let start = out.len();
        out.extend_from_slice(b",\"default\":");
        // A default that was read fits; one that was built wrongly is left out rather than written wrongly.
        if payload::write(default, Some(schema), style, out).is_err() {
            out.truncate(start);
        }
    }
}
