//! `replace.null.with.default`: nulls of a struct's fields become the defaults of their schemas.
//!
//! Enters: a record whose struct a transform is about to rebuild. Leaves: the same with defaults in place of nulls, in every
//! field and not only in those that the transform touches. Invariant: a struct without defaults, or without nulls, is not
//! copied.

use crate::record::{Fault, Part, Record};
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
        if !self.on || schema == 0 || record.is_null(part) { Ok(()) } else { self.look(record, part, schema) }
    }

    #[inline(never)]
    fn look<R: Record>(&mut self, record: &mut R, part: Part, schema: u32) -> Result<(), Fault> {
        let plan = if let Some(plan) = self.plans.find(schema) {
            plan
        } else {
            let made = fields(&known(record, part)?);
            self.plans.keep(schema, made)
        };
        if plan.is_empty() {
            return Ok(());
        }
        let filled = record.object(part, "", |object| {
            for at in 0..object.len() {
                if object.value(at) == b"null"
                    && let Some((_, default)) = plan.iter().find(|(name, _)| object.is(at, name))
                {
                    object.set(at, default.as_bytes());
                }
            }
            Ok(())
        });
        // What is no object is found, and said, by the transform.
        filled.or(Ok(()))
    }
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
        for (on, filled) in [(true, r#"{"a":5,"b":null}"#), (false, r#"{"a": null, "b":null}"#)] {
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
