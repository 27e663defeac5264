//! Connect's schemas to JSON Schema text, as `JsonSchemaConverter` registers them.
//!
//! Enters: a schema and the converter's settings. Leaves: the text. Invariant: what JSON Schema has no word for stands in
//! `connect.*` annotations, so that the schema comes back as it was.

use super::options::{ENUM, GENERAL_ENUM, JsonSchemaOptions, NAMESPACE, NULL_SYMBOL, is_any, is_union, parameter};
use super::read::is_object;
use super::write;
use crate::converter::DecimalFormat;
use crate::fault::{DataFault, Result};
use crate::json::quote;
use crate::payload::Style;
use crate::schema::{Field, Logical, Schema, Type};

/// The text of a schema.
///
/// # Errors
/// `schema.invalid` for arrays and maps without schemas of what they hold.
pub(crate) fn text(schema: &Schema, options: &JsonSchemaOptions) -> Result<String> {
    let mut out = Vec::with_capacity(256);
    Printer { options }.schema(schema, None, &mut out)?;
    // The writer copies whole strings and ASCII only.
    Ok(String::from_utf8(out).unwrap_or_default())
}

/// How values are written.
pub(crate) fn style(options: &JsonSchemaOptions) -> Style {
    Style { numeric: options.decimal_format == DecimalFormat::Numeric, replace_null: false }
}

struct Printer<'a> {
    options: &'a JsonSchemaOptions,
}

impl Printer<'_> {
    /// With null beside it where it is optional. `index` is the place among a struct's fields.
    fn schema(&self, schema: &Schema, index: Option<usize>, out: &mut Vec<u8>) -> Result<()> {
        if let (true, Type::Struct(members)) = (is_union(schema), schema.of()) {
            return self.union(schema, members, index, out);
        }
        if !schema.is_optional() {
            return self.one(schema, index, out);
        }
        out.extend_from_slice(b"{\"oneOf\":[{\"type\":\"null\"},");
        self.one(schema, None, out)?;
        out.push(b']');
        number("connect.index", index, out);
        out.push(b'}');
        Ok(())
    }

    fn union(&self, schema: &Schema, members: &[Field], index: Option<usize>, out: &mut Vec<u8>) -> Result<()> {
        out.extend_from_slice(b"{\"oneOf\":[");
        if schema.is_optional() {
            out.extend_from_slice(b"{\"type\":\"null\"}");
        }
        for (at, member) in members.iter().enumerate() {
            if at > 0 || schema.is_optional() {
                out.push(b',');
            }
            if is_union(&member.schema) {
                self.schema(&member.schema, Some(at), out)?;
            } else {
                self.one(&member.schema, Some(at), out)?;
            }
        }
        out.push(b']');
        number("connect.index", index, out);
        out.push(b'}');
        Ok(())
    }

    /// The schema without null.
    fn one(&self, schema: &Schema, index: Option<usize>, out: &mut Vec<u8>) -> Result<()> {
        out.push(b'{');
        let start = out.len();
        let connect_type = self.of(schema, out)?;
        self.attributes(schema, out);
        number("connect.index", index, out);
        if let Some(connect_type) = connect_type {
            member("connect.type", out);
            quote(connect_type, out);
        }
        // Every member began with a comma.
        if out.len() > start {
            out.remove(start);
        }
        out.push(b'}');
        Ok(())
    }

    fn of(&self, schema: &Schema, out: &mut Vec<u8>) -> Result<Option<&'static str>> {
        if is_any(schema) {
            return Ok(None);
        }
        let numeric = matches!(schema.logical(), Some(Logical::Decimal(_)))
            && self.options.decimal_format == DecimalFormat::Numeric;
        let (json_type, connect_type) = match schema.of() {
            Type::Int8 => ("integer", Some("int8")),
            Type::Int16 => ("integer", Some("int16")),
            Type::Int32 => ("integer", Some("int32")),
            Type::Int64 => ("integer", Some("int64")),
            Type::Float32 => ("number", Some("float32")),
            Type::Float64 => ("number", Some("float64")),
            Type::Boolean => ("boolean", None),
            Type::String => {
                if symbols(schema, out) {
                    return Ok(None);
                }
                ("string", None)
            }
            Type::Bytes => (if numeric { "number" } else { "string" }, Some("bytes")),
            Type::Array(_) => ("array", None),
            Type::Map(keys, _) if keys.as_deref().is_some_and(is_object) => ("object", Some("map")),
            Type::Map(..) => ("array", Some("map")),
            Type::Struct(_) => ("object", None),
        };
        member("type", out);
        quote(json_type, out);
        self.inside(schema, out)?;
        Ok(connect_type)
    }

    fn inside(&self, schema: &Schema, out: &mut Vec<u8>) -> Result<()> {
        let missing = || DataFault::schema("JSON Schema needs the schema of what an array or a map holds");
        match schema.of() {
            Type::Array(items) => {
                member("items", out);
                self.schema(items.as_deref().ok_or_else(missing)?, None, out)
            }
            Type::Map(keys, values) => {
                let (keys, values) = (keys.as_deref().ok_or_else(missing)?, values.as_deref().ok_or_else(missing)?);
                if is_object(keys) {
                    member("additionalProperties", out);
                    return self.schema(values, None, out);
                }
                out.extend_from_slice(b",\"items\":{\"type\":\"object\",\"properties\":{\"key\":");
                self.schema(keys, Some(0), out)?;
                out.extend_from_slice(b",\"value\":");
                self.schema(values, Some(1), out)?;
                out.extend_from_slice(b"}}");
                Ok(())
            }
            Type::Struct(fields) => {
                member("properties", out);
                out.push(b'{');
                for (index, field) in fields.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    quote(&field.name, out);
                    out.push(b':');
                    self.schema(&field.schema, Some(index), out)?;
                }
                out.push(b'}');
                if !self.options.additional_properties {
                    out.extend_from_slice(b",\"additionalProperties\":false");
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn attributes(&self, schema: &Schema, out: &mut Vec<u8>) {
        let attributes = schema.attributes();
        for (key, text) in [("title", &attributes.name), ("description", &attributes.doc)] {
            if let Some(text) = text {
                member(key, out);
                quote(text, out);
            }
        }
        if let Some(default) = &attributes.default {
            let start = out.len();
            member("default", out);
            // A default that was read fits; one that was built wrongly is left out rather than written wrongly.
            if write::write(default, schema, style(self.options), out).is_err() {
                out.truncate(start);
            }
        }
        number("connect.version", attributes.version, out);
        let parameters = attributes.parameters.iter().filter(|(key, _)| !key.starts_with(NAMESPACE));
        for (index, (key, value)) in parameters.clone().enumerate() {
            if index == 0 {
                member("connect.parameters", out);
            }
            out.push(if index == 0 { b'{' } else { b',' });
            quote(key, out);
            out.push(b':');
            quote(value, out);
        }
        if parameters.count() > 0 {
            out.push(b'}');
        }
    }
}

/// `enum`, if the schema's parameters list symbols.
fn symbols(schema: &Schema, out: &mut Vec<u8>) -> bool {
    let Some(key) = [GENERAL_ENUM, ENUM].into_iter().find(|key| parameter(schema, key).is_some()) else { return false };
    let symbol = |(k, _): &'_ (String, String)| Some(k.strip_prefix(key)?.strip_prefix('.')?.to_owned());
    let symbols: Vec<_> = schema.attributes().parameters.iter().filter_map(symbol).collect();
    member("enum", out);
    for (index, symbol) in symbols.iter().enumerate() {
        out.push(if index == 0 { b'[' } else { b',' });
        if symbol == NULL_SYMBOL { out.extend_from_slice(b"null") } else { quote(symbol, out) }
    }
    out.extend_from_slice(if symbols.is_empty() { b"[]" } else { b"]" });
    true
}

fn member(key: &str, out: &mut Vec<u8>) {
    out.push(b',');
    quote(key, out);
    out.push(b':');
}

fn number<N: std::fmt::Display>(key: &str, n: Option<N>, out: &mut Vec<u8>) {
    if let Some(n) = n {
        member(key, out);
        out.extend_from_slice(n.to_string().as_bytes());
    }
}
