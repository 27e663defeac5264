//! `ValueToKey`: the key becomes an object of some of the value's fields.
//!
//! Enters: a value. Leaves: the same value, and a new key. Invariant: fields stand in the order of the setting.

use crate::class::{Class, Formats};
use crate::config::{Definition, Importance, Of, Problems, REPLACE_NULL, Settings};
use crate::record::{Fault, Part, Record, announce};
use crate::scan::{Malformed, Members, quoted};
use crate::schemas::{Plans, known};
use crate::splice;
use crate::tree::Tree;

const PURPOSE: &str = "copying fields from value to key";

/// The transform.
#[derive(Debug)]
pub struct ValueToKey {
    fields: Vec<(String, String)>,
    replace_null: bool,
    plans: Plans<(u32, Vec<Option<String>>)>,
    key: Vec<u8>,
}

impl ValueToKey {
    /// The schema of the key, and the defaults of its fields.
    fn plan<R: Record>(&self, record: &R) -> Result<(u32, Vec<Option<String>>), Fault> {
        let known = known(record, Part::Value)?;
        splice::require_struct(&known, PURPOSE)?;
        let (mut fields, mut defaults) = (Vec::new(), Vec::new());
        for (name, _) in &self.fields {
            let field = known.field(name).ok_or_else(|| Fault::data(format!("Field does not exist: {name}")))?;
            fields.push(field.tree.clone().named(name));
            defaults.push(field.default.clone().filter(|_| self.replace_null));
        }
        Ok((announce(record, &Tree::record(fields).write())?, defaults))
    }
}

impl Class for ValueToKey {
    const NAME: &'static str = "ValueToKey";
    const DOC: &'static str =
        "Replace the record key with a new key formed from a subset of fields in the record value.";
    const CONFIG: &'static [Definition] = &[
        Definition::required(
            "fields",
            Of::List,
            Importance::High,
            "Field names on the record value to extract as the record key.",
        )
        .non_empty(),
        REPLACE_NULL,
    ];

    fn new(_part: Part, mut settings: Settings, formats: Formats) -> Result<Self, Problems> {
        let fields = settings.required_names("fields").into_iter().map(|name| (quoted(&name), name));
        let fields = fields.map(|(quoted, name)| (name, quoted)).collect();
        let replace_null = settings.boolean("replace.null.with.default", true);
        if formats.key != crate::class::Encoding::Json {
            settings
                .problem("fields", "the new key is JSON: set a key converter that takes JSON, such as JsonConverter");
        }
        settings.finish(Self { fields, replace_null, plans: Plans::default(), key: Vec::new() })
    }

    fn apply<R: Record>(&mut self, record: &mut R) -> Result<bool, Fault> {
        let schema = record.schema_id(Part::Value);
        let plan = match (schema, self.plans.find(schema)) {
            (0, _) => None,
            (_, Some(plan)) => Some(plan),
            (id, None) => {
                let plan = self.plan(record)?;
                Some(self.plans.keep(id, plan))
            }
        };
        let text = record.payload(Part::Value);
        let refuse = |why| splice::fault(why, schema, PURPOSE, splice::kind(text));
        let text = text.ok_or_else(|| refuse(Malformed::NotObject))?;
        let mut found = vec![None; self.fields.len()];
        let mut members = Members::new(text).map_err(refuse)?;
        while let Some(member) = members.advance().map_err(refuse)? {
            if let Some(index) = self.fields.iter().position(|(name, _)| member.is(text, name)) {
                found[index] = Some(&text[member.value..member.end]);
            }
        }
        self.key.clear();
        for (index, (_, quoted)) in self.fields.iter().enumerate() {
            let default = || plan.as_deref().and_then(|(_, defaults)| defaults[index].as_deref()).map(str::as_bytes);
            let value = found[index].filter(|value| *value != b"null").or_else(default).unwrap_or(b"null");
            self.key.push(if index == 0 { b'{' } else { b',' });
            self.key.extend_from_slice(quoted.as_bytes());
            self.key.push(b':');
            self.key.extend_from_slice(value);
        }
        self.key.push(b'}');
        record.set_payload(Part::Key, Some(&self.key));
        record.set_schema_id(Part::Key, plan.as_deref().map_or(0, |(id, _)| *id));
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
