//! `SetSchemaMetadata`: name and version of a schema.
//!
//! Enters: a record with a schema. Leaves: the same struct under a schema with another name or version. Invariant: of
//! payloads only nulls with defaults are looked at; schemas of other types are refused, as in Kafka Connect.

use crate::class::{Class, Formats};
use crate::config::{Definition, Importance, Of, Problems, REPLACE_NULL, Settings};
use crate::defaults::Defaults;
use crate::record::{Fault, Part, Record, announce};
use crate::schemas::{Plans, known};
use crate::tree::Tree;

/// The transform.
#[derive(Debug)]
pub struct SetSchemaMetadata {
    part: Part,
    name: Option<String>,
    version: Option<i32>,
    plans: Plans<u32>,
    defaults: Defaults,
}

impl Class for SetSchemaMetadata {
    const NAME: &'static str = "SetSchemaMetadata";
    const DOC: &'static str = "Set the schema name, version or both on the record's key or value schema.";
    const CONFIG: &'static [Definition] = &[
        Definition::optional("schema.name", Of::Text, None, Importance::High, "Schema name to set."),
        Definition::optional("schema.version", Of::Int, None, Importance::High, "Schema version to set."),
        REPLACE_NULL,
    ];

    fn new(part: Part, mut settings: Settings, _formats: Formats) -> Result<Self, Problems> {
        let (name, version) = (settings.text("schema.name"), settings.int("schema.version"));
        if name.is_none() && settings.text("schema.version").is_none() {
            settings.problem("schema.name", "Neither schema name nor version configured");
        }
        let defaults = Defaults::new(settings.boolean("replace.null.with.default", true));
        settings.finish(Self { part, name, version, plans: Plans::default(), defaults })
    }

    fn apply<R: Record>(&mut self, record: &mut R) -> Result<bool, Fault> {
        let schema = record.schema_id(self.part);
        if schema == 0 {
            if record.is_null(self.part) {
                return Ok(true);
            }
            let part = if self.part == Part::Key { "key" } else { "value" };
            return Err(Fault::data(format!("Schema required for [updating schema metadata] of the {part}")));
        }
        let id = if let Some(id) = self.plans.find(schema) {
            *id
        } else {
            let known = known(record, self.part)?;
            if !known.is_struct() {
                return Err(Fault::data("Cannot list fields on non-struct type"));
            }
            let mut tree = known.tree;
            if let Some(name) = &self.name {
                tree.set("name", Tree::string(name));
            }
            if let Some(version) = self.version {
                tree.set("version", Tree::Raw(version.to_string()));
            }
            let made = announce(record, &tree.write())?;
            *self.plans.keep(schema, made)
        };
        self.defaults.fill(record, self.part)?;
        record.set_schema_id(self.part, id);
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
