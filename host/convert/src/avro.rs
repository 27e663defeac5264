//! Avro for registry converters: Connect's schemas and values as Avro's, and back.
//!
//! Enters: settings, registered schemas, Connect schemas. Leaves: plans that read or write the data of one schema, compiled
//! once. Invariant: data never passes through a tree of Avro values; the writer's schema is the reader's.

mod defaults;
mod draft;
mod names;
mod out;
mod plan;
mod read;
mod schema;
mod to_connect;
mod write;

use std::sync::Arc;

use crate::fault::Result;
use crate::registry::{Draft, Format, Reader, Registered, SchemaType, Writer};
use crate::registry_options::Settings;
use crate::schema::Schema;
use schema::Avro;

/// Settings of `AvroConverter` beside those of all registry converters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
pub(crate) struct AvroOptions {
    /// `enhanced.avro.schema.support`: enums stay enums, full names in unions.
    enhanced: bool,
    /// `generalized.sum.type.support`: unions and enums in the form that all formats share.
    generalized: bool,
    /// `connect.meta.data`, default true: Connect's attributes as properties.
    metadata: bool,
    /// `scrub.invalid.names`
    scrub: bool,
    /// `allow.optional.map.keys`: maps with optional text keys are Avro maps too.
    optional_keys: bool,
    /// `flatten.singleton.unions`, default true.
    flatten_singletons: bool,
    /// `discard.type.doc.default`: doc and default of types are not written.
    discard: bool,
}

impl AvroOptions {
    /// Reads the settings.
    pub(crate) fn parse(settings: &mut Settings<'_>) -> Arc<dyn Format> {
        Arc::new(Self {
            enhanced: settings.flag("enhanced.avro.schema.support", false),
            generalized: settings.flag("generalized.sum.type.support", false),
            metadata: settings.flag("connect.meta.data", true),
            scrub: settings.flag("scrub.invalid.names", false),
            optional_keys: settings.flag("allow.optional.map.keys", false),
            flatten_singletons: settings.flag("flatten.singleton.unions", true),
            discard: settings.flag("discard.type.doc.default", false),
        })
    }
}

impl Format for AvroOptions {
    fn schema_type(&self) -> SchemaType {
        SchemaType::Avro
    }

    fn reader(&self, schema: &Registered) -> Result<Box<dyn Reader>> {
        let avro = Avro::parse(schema)?;
        Ok(Box::new(read::AvroReader::new(&avro, *self, schema.version)?))
    }

    fn draft(&self, schema: Option<&Schema>) -> Result<Draft> {
        draft::draft(schema, *self)
    }

    fn writer(&self, schema: Option<&Arc<Schema>>, registered: &Registered) -> Result<Box<dyn Writer>> {
        let avro = Avro::parse(registered)?;
        Ok(Box::new(write::AvroWriter::new(schema, &avro, *self)?))
    }

    fn record_name(&self, schema: &Registered) -> Option<String> {
        let avro = Avro::parse(schema).ok()?;
        avro.node(avro.root).name.clone()
    }
}

#[cfg(test)]
mod tests;
