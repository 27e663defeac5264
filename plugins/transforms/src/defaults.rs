//! `replace.null.with.default`: nulls of a struct's fields become the defaults of their schemas.
//!
//! Enters: a record whose struct a transform is about to rebuild. Leaves: the same with defaults in place of nulls, in every
//! field and not only in those that the transform touches. Invariant: a struct without defaults, or without nulls, is not
//! copied.

use crate::record::{Fault, Part, Record};
use crate::scan::{Malformed, Members};
use crate::schemas::{Known, Plans, known};

/// Names and default payloads.
pub type Fields = Vec<(String, String)>;

/// The setting, and what it means for each schema.
#[derive(Debug)]
pub struct Defaults {
    on: bool,
    plans: Plans<Fields>,
}

/// The fields of a struct that have defaults.
pub fn fields(known: &Known) -> Fields {
    let with_default = |(name, field): &(String, Known)| Some((name.clone(), field.default.clone()?));
    known.fields.iter().filter_map(with_default).collect()
}

impl Defaults {
    /// From the setting.
    pub fn new(on: bool) -> Self {
        Self { on, plans: Plans::default() }
    }

    /// True if nulls become defaults.
    pub const fn on(&self) -> bool {
        self.on
    }

    /// Fills in the defaults.
    #[inline]
    pub fn fill<R: Record>(&mut self, record: &mut R, part: Part) -> Result<(), Fault> {
        let schema = record.schema_id(part);
        if !self.on || schema == 0 || record.payload(part).is_none() { Ok(()) } else { self.look(record, part, schema) }
    }

    fn look<R: Record>(&mut self, record: &mut R, part: Part, schema: u32) -> Result<(), Fault> {
        let plan = if let Some(plan) = self.plans.find(schema) {
            plan
        } else {
            let made = fields(&known(record, part)?);
            self.plans.keep(schema, made)
        };
        if plan.is_empty() || !record.payload(part).is_some_and(|text| lacks(text, &plan)) {
            return Ok(());
        }
        record.rewrite(part, |text, out| {
            let start = out.len();
            if write(text, &plan, out).is_err() {
                // What is malformed is found, and said, by the transform.
                out.truncate(start);
                out.extend_from_slice(text);
            }
            Ok(())
        })
    }
}

fn lacks(text: &[u8], fields: &Fields) -> bool {
    let Ok(mut members) = Members::new(text) else { return false };
    while let Ok(Some(member)) = members.advance() {
        if &text[member.value..member.end] == b"null" && fields.iter().any(|(name, _)| member.is(text, name)) {
            return true;
        }
    }
    false
}

fn write(text: &[u8], fields: &Fields, out: &mut Vec<u8>) -> Result<(), Malformed> {
    let mut members = Members::new(text)?;
    let mut at = 0;
    while let Some(member) = members.advance()? {
        let null = &text[member.value..member.end] == b"null";
        let Some((_, default)) = fields.iter().find(|(name, _)| null && member.is(text, name)) else { continue };
        out.extend_from_slice(&text[at..member.value]);
        out.extend_from_slice(default.as_bytes());
        at = member.end;
    }
    out.extend_from_slice(&text[at..]);
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::Defaults;
    use crate::record::Part;
    use crate::testing::Fake;

    const SCHEMA: &str = r#"{"type":"struct","fields":[{"type":"int32","optional":true,"default":5,"field":"a"},{"type":"int32","optional":true,"field":"b"}],"optional":false}"#;

    #[test]
    fn nulls_of_fields_with_defaults_are_replaced_and_only_if_that_is_wanted() {
        for (on, filled) in [(true, r#"{"a": 5, "b":null}"#), (false, r#"{"a": null, "b":null}"#)] {
            let mut record = Fake::new(Some(r#"{"a": null, "b":null}"#), SCHEMA);
            Defaults::new(on).fill(&mut record, Part::Value).unwrap();
            assert_eq!(record.text(Part::Value).unwrap(), filled);
        }
    }

    #[test]
    fn a_record_without_a_schema_stays_as_it_is() {
        let mut record = Fake::new(Some(r#"{"a":null}"#), "");
        Defaults::new(true).fill(&mut record, Part::Value).unwrap();
        assert_eq!(record.text(Part::Value).unwrap(), r#"{"a":null}"#);
    }
}
