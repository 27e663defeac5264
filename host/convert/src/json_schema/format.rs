//! JSON Schema as a format of schema registries.
//!
//! Enters: settings, registered schemas, Connect's schemas. Leaves: readers and writers of the JSON text behind a schema's
//! id. Invariant: text that fits its schema as it stands is copied, not rebuilt.

use std::sync::Arc;

use lockgate_model::batch::Encoding;

use super::check::Check;
use super::documents::Documents;
use super::node::{Node, load};
use super::options::{JsonSchemaOptions, is_any, is_enum, is_union};
use super::{from_connect, read, to_connect, write};
use crate::fault::{DataFault, Result};
use crate::fit::Fit;
use crate::json::Json;
use crate::registry::{Draft, Format, Read, Reader, Registered, SchemaType, Writer, emit};
use crate::registry_options::Settings;
use crate::scan::Scanner;
use crate::schema::{Attributes, Field, Schema, Type};
use crate::value::Value;

/// `io.confluent.connect.json.JsonSchemaConverter`
pub(crate) fn make(settings: &mut Settings<'_>) -> Arc<dyn Format> {
    Arc::new(JsonSchema { options: JsonSchemaOptions::parse(settings) })
}

#[derive(Debug)]
struct JsonSchema {
    options: JsonSchemaOptions,
}

impl JsonSchema {
    fn check(&self, schema: &Registered) -> Result<Option<Check>> {
        if !self.options.fail_invalid {
            return Ok(None);
        }
        Check::compile(&schema.text, &texts(schema)).map(Some)
    }
}

fn texts(schema: &Registered) -> Vec<(&str, &str)> {
    schema.referenced.iter().map(|r| (r.name.as_str(), r.text.as_ref())).collect()
}

impl Format for JsonSchema {
    fn schema_type(&self) -> SchemaType {
        SchemaType::Json
    }

    fn reader(&self, schema: &Registered) -> Result<Box<dyn Reader>> {
        let references = texts(schema);
        let documents = Documents::parse(&schema.text, &references)?;
        if matches!(load(documents.root()).node, Node::Empty) {
            return Ok(Box::new(PlainReader { check: self.check(schema)? }));
        }
        let translated = to_connect::translate(&documents, &self.options, schema.version)?;
        let plain = !translated.any(&|s| is_union(s) || is_any(s) || is_enum(s) || is_list_of_entries(s));
        let lenient = relaxed(&translated)?;
        let check = self.check(schema)?;
        Ok(Box::new(JsonReader { schema: Arc::new(translated), lenient, plain, check }))
    }

    fn draft(&self, schema: Option<&Schema>) -> Result<Draft> {
        let text = match schema {
            Some(schema) => from_connect::text(schema, &self.options)?,
            // Data without a schema is any JSON.
            None => "{}".to_owned(),
        };
        let record = schema.and_then(|s| s.attributes().name.clone());
        Ok(Draft { schema_type: SchemaType::Json, text: text.into(), references: Vec::new(), record })
    }

    fn writer(&self, schema: Option<&Arc<Schema>>, registered: &Registered) -> Result<Box<dyn Writer>> {
        if registered.schema_type != SchemaType::Json {
            let found = registered.schema_type.name();
            return Err(DataFault::new("registry.type", format!("the subject's schema is of type {found}, not JSON")));
        }
        let check = self.check(registered)?;
        Ok(Box::new(JsonWriter { schema: schema.cloned(), options: self.options.clone(), check }))
    }

    fn record_name(&self, schema: &Registered) -> Option<String> {
        let json = Json::parse(schema.text.as_bytes()).ok()?;
        super::documents::text(&json, "title").map(str::to_owned)
    }
}

fn is_list_of_entries(schema: &Schema) -> bool {
    matches!(schema.of(), Type::Map(Some(keys), _) if !read::is_object(keys))
}

/// The same schema with everything optional and without defaults: properties that data lacks are null in its payload,
/// whatever the schema says.
pub(crate) fn relaxed(schema: &Schema) -> Result<Schema> {
    let inner = |schema: &Option<Arc<Schema>>| schema.as_deref().map(relaxed).transpose().map(|s| s.map(Arc::new));
    let of = match schema.of() {
        Type::Array(items) => Type::Array(inner(items)?),
        Type::Map(keys, values) => Type::Map(keys.clone(), inner(values)?),
        Type::Struct(fields) => {
            let field = |f: &Field| Ok(Field { name: f.name.clone(), schema: Arc::new(relaxed(&f.schema)?) });
            Type::Struct(fields.iter().map(field).collect::<Result<_>>()?)
        }
        scalar => scalar.clone(),
    };
    Schema::new(of, Attributes { optional: true, default: None, ..schema.attributes().clone() })
}

#[derive(Debug)]
struct JsonReader {
    schema: Arc<Schema>,
    lenient: Schema,
    /// Connect's payload has the form of the data.
    plain: bool,
    check: Option<Check>,
}

impl Reader for JsonReader {
    fn read(&mut self, bytes: &[u8], encoding: Encoding, out: &mut Vec<u8>) -> Result<Read> {
        if let Some(check) = &self.check {
            check.check(bytes)?;
        }
        let read = |is_null| Read { schema: Some(Arc::clone(&self.schema)), is_null };
        let mut scanner = Scanner::new(bytes)?;
        if self.plain && encoding == Encoding::Json && scanner.peek() != b'n' {
            let start = scanner.at;
            let fit = Fit { replace_null: true, numeric: false };
            if matches!(fit.check(&mut scanner, Some(&self.schema)), Ok(true)) && !scanner.untidy {
                out.extend_from_slice(&scanner.text().as_bytes()[start..scanner.at]);
                return Ok(read(false));
            }
        }
        let value = read::value(&Json::parse(bytes)?, &self.schema)?;
        if value == Value::Null {
            return Ok(read(true));
        }
        emit(&value, Some(&self.lenient), encoding, out)?;
        Ok(read(false))
    }
}

/// Data whose schema says nothing: data without a schema.
#[derive(Debug)]
struct PlainReader {
    check: Option<Check>,
}

impl Reader for PlainReader {
    fn read(&mut self, bytes: &[u8], encoding: Encoding, out: &mut Vec<u8>) -> Result<Read> {
        if let Some(check) = &self.check {
            check.check(bytes)?;
        }
        let mut scanner = Scanner::new(bytes)?;
        let is_null = scanner.peek() == b'n';
        let start = scanner.at;
        scanner.skip()?;
        if !is_null && encoding == Encoding::Json && !scanner.untidy {
            out.extend_from_slice(&scanner.text().as_bytes()[start..scanner.at]);
        } else if !is_null && encoding == Encoding::Json {
            Json::parse(bytes)?.write(out);
        } else if !is_null {
            emit(&Value::from_json(bytes, None)?, None, encoding, out)?;
        }
        Ok(Read { schema: None, is_null })
    }
}

#[derive(Debug)]
struct JsonWriter {
    schema: Option<Arc<Schema>>,
    options: JsonSchemaOptions,
    check: Option<Check>,
}

impl Writer for JsonWriter {
    fn write(&mut self, value: &Value, out: &mut Vec<u8>) -> Result<()> {
        let start = out.len();
        match &self.schema {
            Some(schema) => write::write(value, schema, from_connect::style(&self.options), out)?,
            None => value.to_json(None, out)?,
        }
        if let Some(check) = &self.check {
            check.check(&out[start..])?;
        }
        Ok(())
    }
}
