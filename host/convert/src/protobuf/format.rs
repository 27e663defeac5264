//! Protobuf as a format of schema registries.
//!
//! Enters: settings, registered schemas, Connect's schemas. Leaves: readers and writers of what stands behind a schema's id:
//! the message's index, then the message. Invariant: each message type of a schema is compiled once.

use std::sync::Arc;

use lockgate_model::batch::Encoding;
use prost_reflect::{FileDescriptor, MessageDescriptor};

use super::options::ProtobufOptions;
use super::read::Scratch;
use super::to_connect::{Readable, compile};
use super::write::{self, Writable};
use super::{from_connect, index, parse};
use crate::emit::{CborBytes, JsonText};
use crate::fault::{DataFault, Result};
use crate::registry::{Draft, Format, Read, Reader, Registered, SchemaType, Writer};
use crate::registry_options::Settings;
use crate::schema::Schema;
use crate::value::Value;

/// `io.confluent.connect.protobuf.ProtobufConverter`
pub(crate) fn make(settings: &mut Settings<'_>) -> Arc<dyn Format> {
    Arc::new(Protobuf { options: ProtobufOptions::parse(settings) })
}

#[derive(Debug)]
struct Protobuf {
    options: ProtobufOptions,
}

impl Format for Protobuf {
    fn schema_type(&self) -> SchemaType {
        SchemaType::Protobuf
    }

    fn reader(&self, schema: &Registered) -> Result<Box<dyn Reader>> {
        let mut reader = Messages {
            file: file(schema)?,
            options: self.options.clone(),
            version: schema.version,
            known: Vec::new(),
            last: 0,
            scratch: Scratch::new(),
        };
        // A schema that has no place in Connect is refused before its first record.
        reader.last = reader.compile(&[0])?;
        Ok(Box::new(reader))
    }

    fn draft(&self, schema: Option<&Schema>) -> Result<Draft> {
        let drafted = from_connect::draft(schema.ok_or_else(schemaless)?, &self.options)?;
        // What cannot be parsed is refused here, where the fault can say why, and not by each registry in its own words.
        parse::parse(&drafted.text, &[]).map_err(|fault| {
            let why = format!("{}; scrub.invalid.names=true makes names of fields and structs legal", fault.message);
            DataFault { message: why, ..fault }
        })?;
        Ok(Draft {
            schema_type: SchemaType::Protobuf,
            text: drafted.text.into(),
            references: Vec::new(),
            record: Some(drafted.message),
        })
    }

    fn writer(&self, schema: Option<&Arc<Schema>>, registered: &Registered) -> Result<Box<dyn Writer>> {
        let schema = schema.ok_or_else(schemaless)?;
        if registered.schema_type != SchemaType::Protobuf {
            let found = registered.schema_type.name();
            return Err(DataFault::new(
                "registry.type",
                format!("the subject's schema is of type {found}, not PROTOBUF"),
            ));
        }
        let file = file(registered)?;
        let name = from_connect::draft(schema, &self.options)?.message;
        let of_file = |message: &MessageDescriptor| message.parent_file() == file;
        let message = match file.parent_pool().get_message_by_name(&name).filter(of_file) {
            Some(message) => message,
            // A schema chosen by configuration may call its record otherwise; the first message is the record then.
            None => index::resolve(&file, &[0])?,
        };
        let mut prefix = Vec::new();
        index::write(&message, &mut prefix);
        Ok(Box::new(Message { prefix, plan: write::compile(schema, &message, &self.options)? }))
    }

    fn record_name(&self, schema: &Registered) -> Option<String> {
        let message = index::resolve(&file(schema).ok()?, &[0]).ok()?;
        Some(message.full_name().to_owned())
    }
}

fn schemaless() -> DataFault {
    DataFault::schema("ProtobufConverter writes data with a schema only; this record has none")
}

fn file(schema: &Registered) -> Result<FileDescriptor> {
    let texts: Vec<_> = schema.referenced.iter().map(|r| (r.name.clone(), r.text.to_string())).collect();
    parse::parse(&schema.text, &texts)
}

/// Reads the messages of one file.
#[derive(Debug)]
struct Messages {
    file: FileDescriptor,
    options: ProtobufOptions,
    version: Option<i32>,
    /// By path; there are no more than message types.
    known: Vec<(Vec<usize>, Readable)>,
    last: usize,
    scratch: Scratch,
}

impl Messages {
    fn compile(&mut self, path: &[usize]) -> Result<usize> {
        if let Some(at) = self.known.iter().position(|(known, _)| known == path) {
            return Ok(at);
        }
        let message = index::resolve(&self.file, path)?;
        self.known.push((path.to_vec(), compile(&message, &self.options, self.version)?));
        Ok(self.known.len() - 1)
    }
}

impl Reader for Messages {
    fn read(&mut self, bytes: &[u8], encoding: Encoding, out: &mut Vec<u8>) -> Result<Read> {
        let message = if let [0, message @ ..] = bytes {
            // The first message of the file, as a rule.
            if self.known.get(self.last).is_none_or(|(path, _)| path != &[0]) {
                self.last = self.compile(&[0])?;
            }
            message
        } else {
            let (path, message) = index::read(bytes)?;
            self.last = self.compile(&path)?;
            message
        };
        let (_, readable) = &self.known[self.last];
        match encoding {
            Encoding::Cbor => readable.read(message, &mut self.scratch, &mut CborBytes(out))?,
            _ => readable.read(message, &mut self.scratch, &mut JsonText(out))?,
        }
        Ok(Read { schema: Some(Arc::clone(&readable.schema)), is_null: false })
    }
}

/// Writes one message type.
#[derive(Debug)]
struct Message {
    prefix: Vec<u8>,
    plan: Writable,
}

impl Writer for Message {
    fn write(&mut self, value: &Value, out: &mut Vec<u8>) -> Result<()> {
        out.extend_from_slice(&self.prefix);
        self.plan.write(value, out)
    }
}
