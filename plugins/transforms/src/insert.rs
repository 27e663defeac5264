//! `InsertField`: puts record metadata or a constant into an object.
//!
//! Enters: an object. Leaves: the same with members added at its end. Invariant: the payload is copied once; a name that is
//! taken is overwritten without a schema and an error with one.

use std::fmt::{Display, Write as _};
use std::ops::Range;

use crate::class::{Class, Formats};
use crate::config::{Definition, Importance, Of, Problems, REPLACE_NULL, Settings};
use crate::defaults::Defaults;
use crate::object::Open;
use crate::record::{Fault, Part, Record, announce};
use crate::scan::quoted;
use crate::schemas::{LOGICAL, Plans, known};
use crate::splice;
use crate::tree::Tree;

const PURPOSE: &str = "field insertion";

const CONFIG: &[Definition] = &[
    field(
        "topic.field",
        "Field name for Kafka topic. Suffix with ! to make this a required field, or ? to keep it optional (the default).",
    ),
    field(
        "partition.field",
        "Field name for Kafka partition. Suffix with ! to make this a required field, or ? to keep it optional (the default).",
    ),
    field(
        "offset.field",
        "Field name for Kafka offset - only applicable to sink connectors. Suffix with ! to make this a required field, or ? to keep it optional (the default).",
    ),
    field(
        "timestamp.field",
        "Field name for record timestamp. Suffix with ! to make this a required field, or ? to keep it optional (the default).",
    ),
    field(
        "static.field",
        "Field name for static data field. Suffix with ! to make this a required field, or ? to keep it optional (the default).",
    ),
    field("static.value", "Static field value, if field name configured."),
    REPLACE_NULL,
];

const fn field(name: &'static str, documentation: &'static str) -> Definition {
    Definition::optional(name, Of::Text, None, Importance::Medium, documentation)
}

/// The transform.
#[derive(Debug)]
pub struct InsertField {
    part: Part,
    fields: Vec<Inserted>,
    plans: Plans<u32>,
    /// The payloads of the new fields of one record, and which field has which.
    texts: String,
    values: Vec<Option<Range<usize>>>,
    defaults: Defaults,
}

#[derive(Debug)]
struct Inserted {
    what: What,
    name: String,
    quoted: String,
    optional: bool,
}

#[derive(Clone, Debug)]
enum What {
    Topic,
    Partition,
    Offset,
    Timestamp,
    Static(String),
}

impl InsertField {
    /// From its settings.
    fn configure(part: Part, mut settings: Settings) -> Result<Self, Problems> {
        let mut fields = Vec::new();
        let simple = [
            ("topic.field", What::Topic),
            ("partition.field", What::Partition),
            ("offset.field", What::Offset),
            ("timestamp.field", What::Timestamp),
        ];
        for (key, what) in simple {
            fields.extend(settings.text(key).map(|spec| Inserted::new(&spec, what)));
        }
        let value = settings.text("static.value");
        if let Some(spec) = settings.text("static.field") {
            match value {
                Some(value) => fields.push(Inserted::new(&spec, What::Static(quoted(&value)))),
                None => settings.problem("static.value", "No value specified for static field"),
            }
        } else if fields.is_empty() {
            settings.problem("topic.field", "No field insertion configured");
        }
        let defaults = Defaults::new(settings.boolean("replace.null.with.default", true));
        let (plans, texts, values) = (Plans::default(), String::new(), Vec::new());
        settings.finish(Self { part, fields, plans, texts, values, defaults })
    }

    /// The payload of each new field; none where the record has no such thing.
    fn gather<R: Record>(&mut self, record: &R) -> Result<(), Fault> {
        self.values.clear();
        self.texts.clear();
        for field in &self.fields {
            let start = self.texts.len();
            let text = &mut self.texts;
            match &field.what {
                What::Topic => text.push_str(&quoted(record.topic())),
                What::Partition => number(record.partition(), text),
                What::Offset if record.offset().is_none() => {
                    return Err(Fault::data("Offset insertion is only supported for sink connectors."));
                }
                What::Offset => number(record.offset(), text),
                What::Timestamp => number(record.timestamp(), text),
                What::Static(value) => text.push_str(value),
            }
            let end = self.texts.len();
            self.values.push((end > start).then_some(start..end));
        }
        Ok(())
    }

    fn schema<R: Record>(&self, record: &R) -> Result<u32, Fault> {
        let known = known(record, self.part)?;
        splice::require_struct(&known, PURPOSE)?;
        let (mut fields, mut names) = (known.field_trees(), Vec::new());
        for field in &self.fields {
            let taken = known.field(&field.name).is_some() || names.contains(&&field.name);
            names.push(&field.name);
            if field.name.is_empty() {
                return Err(Fault::unnamed());
            }
            if taken {
                return Err(Fault::duplicate(&field.name));
            }
            fields.push(field.what.schema(field.optional).named(&field.name));
        }
        announce(record, &known.rebuilt(fields).write())
    }
}

fn number(number: Option<impl Display>, text: &mut String) {
    if let Some(number) = number {
        // Writing to a String cannot fail.
        let _ = write!(text, "{number}");
    }
}

impl Inserted {
    fn new(spec: &str, what: What) -> Self {
        let (name, optional) = match spec.strip_suffix('!') {
            Some(name) => (name, false),
            None => (spec.strip_suffix('?').unwrap_or(spec), true),
        };
        Self { what, name: name.to_owned(), quoted: quoted(name), optional }
    }
}

impl What {
    fn schema(&self, optional: bool) -> Tree {
        match self {
            Self::Topic | Self::Static(_) => Tree::scalar("string", optional),
            Self::Partition => Tree::scalar("int32", optional),
            Self::Offset => Tree::scalar("int64", optional),
            Self::Timestamp => {
                let mut tree = Tree::scalar("int64", optional);
                tree.set("name", Tree::string(&format!("{LOGICAL}Timestamp")));
                tree.set("version", Tree::Raw("1".to_owned()));
                tree
            }
        }
    }
}

impl Class for InsertField {
    const NAME: &'static str = "InsertField";
    const DOC: &'static str = "Insert field(s) using attributes from the record metadata or a configured static value.";
    const CONFIG: &'static [Definition] = CONFIG;

    fn new(part: Part, settings: Settings, _formats: Formats) -> Result<Self, Problems> {
        Self::configure(part, settings)
    }

    fn apply<R: Record>(&mut self, record: &mut R) -> Result<bool, Fault> {
        if record.is_null(self.part) {
            return Ok(true);
        }
        let schema = record.schema_id(self.part);
        let id = match (schema, self.plans.find(schema)) {
            (0, _) => 0,
            (_, Some(id)) => *id,
            (id, None) => {
                let made = self.schema(record)?;
                *self.plans.keep(id, made)
            }
        };
        self.gather(record)?;
        self.defaults.fill(record, self.part)?;
        let this = &*self;
        record.object(self.part, PURPOSE, |object| {
            this.insert(object, schema);
            Ok(())
        })?;
        record.set_schema_id(self.part, id);
        Ok(true)
    }
}

impl InsertField {
    fn insert(&self, object: &mut Open<'_>, schema: u32) {
        object.retain(|object, at| {
            let taken = |(field, value): (&Inserted, &Option<_>)| value.is_some() && object.is(at, &field.name);
            !self.fields.iter().zip(&self.values).any(taken)
        });
        for (field, value) in self.fields.iter().zip(&self.values) {
            match value {
                Some(value) => object.push(&field.quoted, &self.texts.as_bytes()[value.clone()]),
                None if schema == 0 => {}
                None => object.push(&field.quoted, b"null"),
            }
        }
    }
}

#[cfg(test)]
mod tests;
