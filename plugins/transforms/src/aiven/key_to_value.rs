//! `KeyToValue`: fields of the key, or all of it, in the value.
//!
//! Enters: records. Leaves: the same with fields added to or replaced in their value. Invariant: the key stays.

use std::collections::HashMap;

use super::PACKAGE;
use crate::class::{Class, Formats};
use crate::config::{Definition, Importance, Of, Problems, Settings};
use crate::record::{Fault, Part, Record, announce};
use crate::scan::{Members, quoted};
use crate::schemas::known;
use crate::splice;
use crate::tree::Tree;

/// Pairs of schemas whose merger is kept.
const SCHEMAS_MAX: usize = 10_000;

/// A field of the value, and the key's field that it gets; none: the whole key.
#[derive(Debug)]
struct Copied {
    name: String,
    quoted: String,
    from: Option<String>,
}

/// The transform.
#[derive(Debug)]
pub struct KeyToValue {
    fields: Vec<Copied>,
    schemas: HashMap<(u32, u32, &'static str), u32>,
}

impl KeyToValue {
    /// The value's schema with the key's fields.
    fn merged<R: Record>(&mut self, record: &R) -> Result<u32, Fault> {
        let (key_id, value_id) = (record.schema_id(Part::Key), record.schema_id(Part::Value));
        let kind = if key_id == 0 { splice::kind(record.payload(Part::Key)) } else { "" };
        let cached = (key_id, value_id, kind);
        if let Some(id) = self.schemas.get(&cached) {
            return Ok(*id);
        }
        let key = if key_id == 0 { inferred(kind)? } else { known(record, Part::Key)?.tree };
        let key = crate::schemas::Known::new(&key);
        let value = known(record, Part::Value)?;
        if !value.is_struct() {
            return Err(Fault::data("The value needs to be a Struct or Map in order to append fields"));
        }
        let mut fields = value.field_trees();
        for copied in &self.fields {
            let tree = match &copied.from {
                None => key.tree.clone().without("field"),
                Some(from) => {
                    let field = key.field(from);
                    let field =
                        field.ok_or_else(|| Fault::data(format!("Key field '{from}' not found in key schema")))?;
                    field.tree.clone()
                }
            };
            let tree = tree.named(&copied.name);
            match fields.iter_mut().find(|field| field.text("field").as_deref() == Some(copied.name.as_str())) {
                Some(field) => *field = tree,
                None => fields.push(tree),
            }
        }
        let mut merged = value.tree.without("default");
        merged.set("fields", Tree::Array(fields));
        let id = announce(record, &merged.write())?;
        if self.schemas.len() >= SCHEMAS_MAX {
            self.schemas.clear();
        }
        self.schemas.insert(cached, id);
        Ok(id)
    }
}

/// The schema of a plain key without one.
fn inferred(kind: &str) -> Result<Tree, Fault> {
    match kind {
        "string" => Ok(Tree::scalar("string", true)),
        "boolean" => Ok(Tree::scalar("boolean", true)),
        "number" => Ok(Tree::scalar("double", true)),
        other => Err(Fault::data(format!("Cannot infer schema for unsupported key class: {other}"))),
    }
}

impl Class for KeyToValue {
    const NAME: &'static str = "KeyToValue";
    const PACKAGE: &'static str = PACKAGE;
    const DOC: &'static str = "Aiven's: copies fields of the key, or all of it, into the value.";
    const CONFIG: &'static [Definition] = &[
        Definition::required(
            "key.fields",
            Of::List,
            Importance::High,
            "Comma-separated list of field names on the record key to copy into the record value (or * to copy the entire key).",
        ),
        Definition::optional(
            "value.fields",
            Of::List,
            Some(""),
            Importance::High,
            "Corresponding destination field names to be added or replaced on the record value, or empty if the same field name should be used as the key. The whole key goes to _key without one.",
        ),
    ];

    fn new(_part: Part, mut settings: Settings, _formats: Formats) -> Result<Self, Problems> {
        let (from, to) = (settings.required_list("key.fields"), settings.list("value.fields"));
        let mut fields: Vec<Copied> = Vec::new();
        for (index, from) in from.into_iter().enumerate() {
            let name = to.get(index).unwrap_or(&from).clone();
            let name = if name == "*" { "_key".to_owned() } else { name };
            if fields.iter().any(|field| field.name == name) {
                let twice = format!("More than one key value is copied to the value field name '{name}'");
                settings.problem("value.fields", twice);
            }
            let from = Some(from).filter(|from| from != "*");
            fields.push(Copied { quoted: quoted(&name), name, from });
        }
        settings.finish(Self { fields, schemas: HashMap::new() })
    }

    fn apply<R: Record>(&mut self, record: &mut R) -> Result<bool, Fault> {
        let key = record.payload(Part::Key).unwrap_or(b"null").trim_ascii().to_vec();
        let is_object = key.first() == Some(&b'{');
        if self.fields.iter().any(|field| field.from.is_some()) && !is_object {
            let found = splice::kind(Some(&key));
            return Err(Fault::data(format!("Named key fields cannot be copied from the key class: {found}")));
        }
        if splice::kind(record.payload(Part::Value)) != "map" {
            return Err(Fault::data("The value needs to be a Struct or Map in order to append fields"));
        }
        let schema = record.schema_id(Part::Value);
        let id = if schema == 0 { 0 } else { self.merged(record)? };
        let refuse = |why| splice::fault(why, schema, "key to value", "map");
        let mut values: Vec<&[u8]> = Vec::with_capacity(self.fields.len());
        for field in &self.fields {
            let Some(from) = &field.from else {
                values.push(&key);
                continue;
            };
            let found = Members::new(&key).and_then(|members| members.find(from)).map_err(refuse)?;
            values.push(found.map_or(&b"null"[..], |member| &key[member.value..member.end]));
        }
        let fields = &self.fields;
        record.object(Part::Value, "key to value", |object| {
            for (field, value) in fields.iter().zip(&values) {
                let mut there = false;
                for at in 0..object.len() {
                    if object.is(at, &field.name) {
                        there = true;
                        object.set(at, value);
                    }
                }
                if !there {
                    object.push(&field.quoted, value);
                }
            }
            Ok(())
        })?;
        record.set_schema_id(Part::Value, id);
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
