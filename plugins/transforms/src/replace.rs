//! `ReplaceField`: leaves out and renames fields.
//!
//! Enters: an object. Leaves: the same without some members, others renamed. Invariant: filters see the old names; runs of
//! members that stay are copied at once.

use crate::class::{Class, Formats};
use crate::config::{Definition, Importance, Of, Problems, REPLACE_NULL, Settings};
use crate::defaults::Defaults;
use crate::object::Open;
use crate::record::{Fault, Part, Record, announce};
use crate::scan::quoted;
use crate::schemas::{Plans, known};
use crate::splice;

const PURPOSE: &str = "field replacement";

const CONFIG: &[Definition] = &[
    Definition::optional(
        "exclude",
        Of::List,
        Some(""),
        Importance::Medium,
        "Fields to exclude. This takes precedence over the fields to include.",
    ),
    Definition::optional(
        "include",
        Of::List,
        Some(""),
        Importance::Medium,
        "Fields to include. If specified, only these fields will be used.",
    ),
    Definition::optional(
        "renames",
        Of::List,
        Some(""),
        Importance::Medium,
        "Field rename mappings: list of colon-delimited pairs, e.g. foo:bar,abc:xyz",
    ),
    REPLACE_NULL,
];

/// The transform.
#[derive(Debug)]
pub struct ReplaceField {
    part: Part,
    exclude: Vec<String>,
    include: Vec<String>,
    renames: Vec<(String, String)>,
    quoted: Vec<String>,
    plans: Plans<u32>,
    defaults: Defaults,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Keep,
    Drop,
    Rename(usize),
}

impl ReplaceField {
    /// From its settings.
    fn configure(part: Part, mut settings: Settings) -> Result<Self, Problems> {
        let (exclude, include) = (settings.names("exclude"), settings.names("include"));
        let mut renames = Vec::new();
        // Blanks around the colon are part of the names, as in Kafka.
        for pair in settings.list("renames") {
            match pair.split(':').collect::<Vec<_>>()[..] {
                [from, to] if !to.is_empty() => {
                    // Of two mappings of one name the last counts.
                    renames.retain(|(old, _): &(String, String)| old != from);
                    renames.push((from.to_owned(), to.to_owned()));
                }
                _ => settings.problem("renames", format!("Invalid rename mapping: {pair}; write old:new")),
            }
        }
        let defaults = Defaults::new(settings.boolean("replace.null.with.default", true));
        let quoted = renames.iter().map(|(_, to)| quoted(to)).collect();
        settings.finish(Self { part, exclude, include, renames, quoted, plans: Plans::default(), defaults })
    }

    fn fate(&self, is: impl Fn(&str) -> bool) -> Fate {
        let listed = |names: &[String]| names.iter().any(|name| is(name));
        if listed(&self.exclude) || (!self.include.is_empty() && !listed(&self.include)) {
            return Fate::Drop;
        }
        self.renames.iter().position(|(from, _)| is(from)).map_or(Fate::Keep, Fate::Rename)
    }

    fn schema<R: Record>(&self, record: &R) -> Result<u32, Fault> {
        let known = known(record, self.part)?;
        splice::require_struct(&known, PURPOSE)?;
        let (mut fields, mut names) = (Vec::new(), Vec::new());
        for ((old, _), tree) in known.fields.iter().zip(known.field_trees()) {
            let name = match self.fate(|name| name == old) {
                Fate::Drop => continue,
                Fate::Keep => old,
                Fate::Rename(index) => &self.renames[index].1,
            };
            if names.contains(&name) {
                return Err(Fault::duplicate(name));
            }
            names.push(name);
            fields.push(tree.named(name));
        }
        announce(record, &known.rebuilt(fields).write())
    }
}

impl Class for ReplaceField {
    const NAME: &'static str = "ReplaceField";
    const DOC: &'static str = "Filter or rename fields.";
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
        self.defaults.fill(record, self.part)?;
        let this = &*self;
        record.object(self.part, PURPOSE, |object| {
            this.replace(object, schema);
            Ok(())
        })?;
        record.set_schema_id(self.part, id);
        Ok(true)
    }
}

impl ReplaceField {
    fn replace(&self, object: &mut Open<'_>, schema: u32) {
        let taken = if schema == 0 && !self.renames.is_empty() { self.taken(object) } else { Vec::new() };
        if !self.exclude.is_empty() || !self.include.is_empty() || !taken.is_empty() {
            object.retain(|object, at| match self.fate(|name| object.is(at, name)) {
                Fate::Keep => !taken.iter().any(|name| object.is(at, name)),
                Fate::Drop => false,
                Fate::Rename(_) => true,
            });
        }
        for at in 0..object.len() {
            if let Some(index) = self.renames.iter().position(|(from, _)| object.is(at, from)) {
                object.rename(at, &self.quoted[index]);
            }
        }
    }

    /// Names that renamed members take from others: of two members that end up with one name the renamed one wins.
    fn taken(&self, object: &Open<'_>) -> Vec<&str> {
        let there = |name: &str| object.find(name).is_some();
        let renamed = |(index, (from, to)): &(usize, &(String, String))| {
            there(to) && self.fate(|name| name == from) == Fate::Rename(*index) && there(from)
        };
        self.renames.iter().enumerate().filter(renamed).map(|(_, (_, to))| to.as_str()).collect()
    }
}

#[cfg(test)]
mod tests;
