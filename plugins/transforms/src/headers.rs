//! `DropHeaders`, `InsertHeader` and `HeaderFrom`.
//!
//! Enters: a record. Leaves: the same with other headers. Invariant: the first two never look at key or value; the order of
//! headers that stay is kept.

use crate::class::{Class, Encoding, Formats};
use crate::config::{Definition, Importance, Of, Problems, REPLACE_NULL, Settings};
use crate::defaults::Defaults;
use crate::literal;
use crate::record::{Fault, Part, Record, announce};
use crate::scan::{Malformed, Members};
use crate::schemas::{Plans, known};
use crate::splice;

/// Settings of `DropHeaders`.
const DROP: &[Definition] =
    &[Definition::required("headers", Of::List, Importance::High, "The name of the headers to be removed.")
        .non_empty()];

/// Settings of `InsertHeader`.
const INSERT: &[Definition] = &[
    Definition::required("header", Of::Text, Importance::High, "The name of the header."),
    Definition::required(
        "value.literal",
        Of::Text,
        Importance::High,
        "The literal value that is to be set as the header value on all records.",
    ),
];

/// Settings of `HeaderFrom`.
const FROM: &[Definition] = &[
    Definition::required("fields", Of::List, Importance::High, "Field names in the record whose values are to be copied or moved to headers.").non_empty(),
    Definition::required("headers", Of::List, Importance::High, "Header names, in the same order as the field names listed in the fields configuration property.").non_empty(),
    Definition::required("operation", Of::Text, Importance::High, "Either move if the fields are to be moved to the headers (removed from the key/value), or copy if the fields are to be copied to the headers (retained in the key/value).").one_of(&["move", "copy"]),
    REPLACE_NULL,
];

/// Removes headers by name.
#[derive(Debug)]
pub struct DropHeaders {
    names: Vec<String>,
}

impl Class for DropHeaders {
    const NAME: &'static str = "DropHeaders";
    const DOC: &'static str = "Removes one or more headers from each record.";
    const CONFIG: &'static [Definition] = DROP;
    const LOOKS: bool = false;

    fn new(_part: Part, mut settings: Settings, _formats: Formats) -> Result<Self, Problems> {
        let names = settings.required_names("headers");
        settings.finish(Self { names })
    }

    fn apply<R: Record>(&mut self, record: &mut R) -> Result<bool, Fault> {
        if self.names.iter().any(|name| record.has_header(name)) {
            record.keep_headers(|name| !self.names.iter().any(|n| n == name));
        }
        Ok(true)
    }
}

/// Adds a header with a fixed value.
#[derive(Debug)]
pub struct InsertHeader {
    name: String,
    /// None is a null header.
    value: Option<Vec<u8>>,
    schema: Option<String>,
    id: u32,
}

impl Class for InsertHeader {
    const NAME: &'static str = "InsertHeader";
    const DOC: &'static str = "Add a header to each record.";
    const CONFIG: &'static [Definition] = INSERT;
    const LOOKS: bool = false;

    /// With opaque headers the literal's text is the value.
    fn new(_part: Part, mut settings: Settings, formats: Formats) -> Result<Self, Problems> {
        let name = settings.required("header");
        let text = settings.required("value.literal");
        let (schema, value) = match formats.header {
            Encoding::Bytes => (None, (text != "null").then(|| text.into_bytes())),
            Encoding::Json => match literal::parse(&text) {
                Some((schema, value)) => (Some(schema.write()), Some(value.into_bytes())),
                None => (None, None),
            },
            Encoding::Cbor => {
                settings.problem("value.literal", "headers in CBOR are not supported; choose another header converter");
                (None, None)
            }
        };
        settings.finish(Self { name, value, schema, id: 0 })
    }

    fn apply<R: Record>(&mut self, record: &mut R) -> Result<bool, Fault> {
        if let (0, Some(schema)) = (self.id, &self.schema) {
            self.id = announce(record, schema)?;
        }
        record.add_header(&self.name, self.value.as_deref(), self.id);
        Ok(true)
    }
}

/// Schema id and default of a field that becomes a header.
type Header = (u32, Option<String>);

/// Copies or moves fields into headers.
#[derive(Debug)]
pub struct HeaderFrom {
    part: Part,
    fields: Vec<String>,
    headers: Vec<String>,
    moves: bool,
    opaque: bool,
    defaults: Defaults,
    plans: Plans<(u32, Vec<Header>)>,
}

const PURPOSE: &str = "header from field";

impl HeaderFrom {
    /// The schema of what stays, and those of the headers.
    fn plan<R: Record>(&self, record: &R) -> Result<(u32, Vec<Header>), Fault> {
        let known = known(record, self.part)?;
        splice::require_struct(&known, PURPOSE)?;
        let mut headers = Vec::new();
        for name in &self.fields {
            let field = known.field(name).ok_or_else(|| Fault::data(format!("Field does not exist: {name}")))?;
            let id = announce(record, &field.tree.clone().without("field").write())?;
            headers.push((id, field.default.clone().filter(|_| self.defaults.on())));
        }
        if !self.moves {
            return Ok((record.schema_id(self.part), headers));
        }
        let kept = known.fields.iter().zip(known.field_trees()).filter(|((name, _), _)| !self.fields.contains(name));
        let rebuilt = known.rebuilt(kept.map(|(_, tree)| tree).collect());
        Ok((announce(record, &rebuilt.write())?, headers))
    }

    fn values(&self, text: &[u8], schema: u32) -> Result<Vec<Option<Vec<u8>>>, Fault> {
        let refuse = |why| splice::fault(why, schema, PURPOSE, splice::kind(Some(text)));
        let mut values = vec![None; self.fields.len()];
        let mut members = Members::new(text).map_err(refuse)?;
        while let Some(member) = members.advance().map_err(refuse)? {
            let value = &text[member.value..member.end];
            for (index, name) in self.fields.iter().enumerate() {
                if member.is(text, name) {
                    values[index] = (value != b"null").then(|| self.header_value(value));
                }
            }
        }
        Ok(values)
    }

    /// Under opaque headers text goes without its quotes.
    fn header_value(&self, value: &[u8]) -> Vec<u8> {
        match value {
            [b'"', text @ .., b'"'] if self.opaque => crate::scan::unescape(text).into_owned().into_bytes(),
            value => value.to_vec(),
        }
    }
}

impl Class for HeaderFrom {
    const NAME: &'static str = "HeaderFrom";
    const DOC: &'static str = "Moves or copies fields in the key/value of a record into that record's headers.";
    const CONFIG: &'static [Definition] = FROM;

    fn new(part: Part, mut settings: Settings, formats: Formats) -> Result<Self, Problems> {
        let (fields, headers) = (settings.required_list("fields"), settings.required_list("headers"));
        if fields.len() != headers.len() {
            settings.problem("headers", "'fields' config must have the same number of elements as 'headers' config.");
        }
        let operation = settings.required("operation");
        if !matches!(operation.as_str(), "move" | "copy" | "") {
            settings.problem("operation", "String must be one of: move, copy");
        }
        let defaults = Defaults::new(settings.boolean("replace.null.with.default", true));
        let (moves, opaque) = (operation == "move", formats.header == Encoding::Bytes);
        settings.finish(Self { part, fields, headers, moves, opaque, defaults, plans: Plans::default() })
    }

    fn apply<R: Record>(&mut self, record: &mut R) -> Result<bool, Fault> {
        let schema = record.schema_id(self.part);
        let plan = match (schema, self.plans.find(schema)) {
            (0, _) => None,
            (_, Some(plan)) => Some(plan),
            (id, None) => {
                let plan = self.plan(record)?;
                Some(self.plans.keep(id, plan))
            }
        };
        let text = record.payload(self.part);
        let refuse = |why, found| splice::fault(why, schema, PURPOSE, found);
        let values = self.values(text.ok_or_else(|| refuse(Malformed::NotObject, "null"))?, schema)?;
        for (index, value) in values.into_iter().enumerate() {
            let planned = plan.as_deref().map(|(_, headers)| &headers[index]);
            let default = planned.and_then(|(_, default)| default.as_deref());
            let value = value.or_else(|| default.map(|text| self.header_value(text.as_bytes())));
            let schema = planned.filter(|_| !self.opaque).map_or(0, |(id, _)| *id);
            record.add_header(&self.headers[index], value.as_deref(), schema);
        }
        if self.moves {
            self.defaults.fill(record, self.part)?;
            record.object(self.part, PURPOSE, |object| {
                object.retain(|object, at| !self.fields.iter().any(|name| object.is(at, name)));
                Ok(())
            })?;
            record.set_schema_id(self.part, plan.as_deref().map_or(0, |(id, _)| *id));
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
