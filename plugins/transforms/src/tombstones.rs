//! Tombstones: handled, made. Aiven's and Confluent's `TombstoneHandler`, `MakeTombstone`, `Drop`.
//!
//! Enters: records. Leaves: those that are no tombstones, or fewer, or more of them. Invariant: payloads are not looked at,
//! but for whether they are null.

use lockgate_sdk::log;

use crate::class::{Class, Encoding, Formats};
use crate::config::{Definition, Importance, Of, Problems, Settings};
use crate::record::{Fault, Part, Record, announce};
use crate::schemas::{Plans, known};
use crate::tree::Tree;

/// What is done about tombstones.
#[derive(Debug)]
struct Handler {
    json: bool,
    /// None: they are an error.
    kept: Option<bool>,
    warns: bool,
    seen: u64,
}

impl Handler {
    fn apply<R: Record>(&mut self, record: &R) -> Result<bool, Fault> {
        if record.has(Part::Value) && !(self.json && record.is_null(Part::Value)) {
            return Ok(true);
        }
        let kept = self.kept.ok_or_else(|| Fault::data("Tombstone record encountered, failing as configured"))?;
        self.seen += 1;
        // Nothing is logged for each record: the first, the second, the fourth, ... say how many there were.
        if self.warns && self.seen.is_power_of_two() {
            log::warn!("tombstones dropped, {} so far", self.seen);
        }
        Ok(kept)
    }
}

const AIVEN: [&str; 3] = ["drop_silent", "drop_warn", "fail"];

/// Aiven's.
#[derive(Debug)]
pub struct TombstoneHandler(Handler);

impl Class for TombstoneHandler {
    const NAME: &'static str = "TombstoneHandler";
    const PACKAGE: &'static str = "io.aiven.kafka.connect.transforms.";
    const SHORT: bool = false;
    const DOC: &'static str = "Aiven's: drops tombstones, silently or with a warning, or fails on them.";
    const CONFIG: &'static [Definition] = &[Definition::required(
        "behavior",
        Of::Text,
        Importance::High,
        "Specifies the behavior on encountering tombstone messages. Possible values are: drop_silent, drop_warn, fail",
    )
    .one_of(&AIVEN)];
    const LOOKS: bool = false;

    fn new(_part: Part, mut settings: Settings, formats: Formats) -> Result<Self, Problems> {
        settings.required("behavior");
        let behavior = settings.choice("behavior", &AIVEN);
        let kept = (behavior != "fail").then_some(false);
        let (json, warns) = (formats.value == Encoding::Json, behavior == "drop_warn");
        settings.finish(Self(Handler { json, kept, warns, seen: 0 }))
    }

    fn apply<R: Record>(&mut self, record: &mut R) -> Result<bool, Fault> {
        self.0.apply(record)
    }
}

const CONFLUENT: [&str; 3] = ["warn", "ignore", "fail"];

/// Confluent's.
#[derive(Debug)]
pub struct ConfluentTombstoneHandler(Handler);

impl Class for ConfluentTombstoneHandler {
    const NAME: &'static str = "TombstoneHandler";
    const PACKAGE: &'static str = "io.confluent.connect.transforms.";
    const SHORT: bool = false;
    const DOC: &'static str =
        "Confluent's: ignores tombstones (drops them) silently or with a warning, or fails on them.";
    const CONFIG: &'static [Definition] = &[Definition::optional("behavior", Of::Text, Some("warn"), Importance::Medium, "Specify how to handle tombstone records: ignore drops them silently, warn drops them and logs, fail is an error of the record.").one_of(&CONFLUENT)];
    const LOOKS: bool = false;

    fn new(_part: Part, mut settings: Settings, formats: Formats) -> Result<Self, Problems> {
        let behavior = settings.choice("behavior", &CONFLUENT);
        let kept = (behavior != "fail").then_some(false);
        let (json, warns) = (formats.value == Encoding::Json, behavior == "warn");
        settings.finish(Self(Handler { json, kept, warns, seen: 0 }))
    }

    fn apply<R: Record>(&mut self, record: &mut R) -> Result<bool, Fault> {
        self.0.apply(record)
    }
}

/// Aiven's.
#[derive(Debug)]
pub struct MakeTombstone;

impl Class for MakeTombstone {
    const NAME: &'static str = "MakeTombstone";
    const PACKAGE: &'static str = "io.aiven.kafka.connect.transforms.";
    const DOC: &'static str = "Aiven's: sets value and value schema to null. Meant to be used with a predicate.";
    const CONFIG: &'static [Definition] = &[];
    const LOOKS: bool = false;

    fn new(_part: Part, _settings: Settings, _formats: Formats) -> Result<Self, Problems> {
        Ok(Self)
    }

    fn apply<R: Record>(&mut self, record: &mut R) -> Result<bool, Fault> {
        record.set_payload(Part::Value, None);
        record.set_schema_id(Part::Value, 0);
        Ok(true)
    }
}

const SCHEMAS: [&str; 3] = ["nullify", "retain", "force_optional"];

/// Confluent's.
#[derive(Debug)]
pub struct Drop {
    part: Part,
    schema: &'static str,
    plans: Plans<u32>,
}

impl Class for Drop {
    const NAME: &'static str = "Drop";
    const PACKAGE: &'static str = "io.confluent.connect.transforms.";
    const DOC: &'static str = "Confluent's: sets the key or value to null.";
    const CONFIG: &'static [Definition] = &[Definition::optional("schema.behavior", Of::Text, Some("nullify"), Importance::Medium, "Specify how to handle the schema: nullify sets it to null, retain keeps it (the record fails if it is not optional), force_optional keeps it and makes it optional.").one_of(&SCHEMAS)];
    const LOOKS: bool = false;

    fn new(part: Part, mut settings: Settings, _formats: Formats) -> Result<Self, Problems> {
        let schema = settings.choice("schema.behavior", &SCHEMAS);
        settings.finish(Self { part, schema, plans: Plans::default() })
    }

    fn apply<R: Record>(&mut self, record: &mut R) -> Result<bool, Fault> {
        let id = record.schema_id(self.part);
        let made = match (id, self.schema) {
            (0, _) | (_, "nullify") => 0,
            _ => {
                if let Some(made) = self.plans.find(id) {
                    *made
                } else {
                    let known = known(record, self.part)?;
                    let made = if known.optional {
                        id
                    } else if self.schema == "retain" {
                        return Err(Fault::data(
                            "the schema is not optional, so it cannot be retained with a null; use force_optional or nullify",
                        ));
                    } else {
                        let mut tree = known.tree;
                        tree.set("optional", Tree::boolean(true));
                        announce(record, &tree.write())?
                    };
                    *self.plans.keep(id, made)
                }
            }
        };
        record.set_payload(self.part, None);
        record.set_schema_id(self.part, made);
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{ConfluentTombstoneHandler, Drop, MakeTombstone, TombstoneHandler};
    use crate::class::Class;
    use crate::record::{Part, Record};
    use crate::testing::{Fake, configure};

    #[test]
    fn tombstones_are_dropped_or_fail() {
        for (value, behavior, expected) in [
            (Some("{}"), "fail", Ok(true)),
            (None, "drop_silent", Ok(false)),
            (Some(" null "), "drop_warn", Ok(false)),
            (None, "fail", Err(())),
        ] {
            let mut class = configure::<TombstoneHandler>(Part::Value, &[("behavior", behavior)]).unwrap();
            assert_eq!(class.apply(&mut Fake::new(value, "")).map_err(|_| ()), expected, "{behavior}");
        }
        for (value, pairs, expected) in [
            (Some("{}"), vec![], Ok(true)),
            (None, vec![], Ok(false)),
            (None, vec![("behavior", "ignore")], Ok(false)),
            (None, vec![("behavior", "fail")], Err(())),
        ] {
            let mut class = configure::<ConfluentTombstoneHandler>(Part::Value, &pairs).unwrap();
            assert_eq!(class.apply(&mut Fake::new(value, "")).map_err(|_| ()), expected, "{pairs:?}");
        }
        assert!(configure::<TombstoneHandler>(Part::Value, &[]).is_err());
        assert!(configure::<ConfluentTombstoneHandler>(Part::Value, &[("behavior", "x")]).is_err());
    }

    #[test]
    fn values_and_keys_are_dropped_with_or_without_their_schema() {
        let optional = r#"{"type":"string","optional":true}"#;
        let required = r#"{"type":"string","optional":false}"#;
        for (schema, behavior, expected) in [
            (required, "nullify", Some("")),
            (optional, "retain", Some(optional)),
            (required, "retain", None),
            (required, "force_optional", Some(optional)),
            ("", "retain", Some("")),
        ] {
            let mut class = configure::<Drop>(Part::Value, &[("schema.behavior", behavior)]).unwrap();
            let mut fake = Fake::new(Some("\"x\""), schema);
            let outcome = class.apply(&mut fake.clone());
            assert_eq!(outcome, class.apply(&mut fake));
            match expected {
                Some(schema) => assert_eq!((fake.text(Part::Value), fake.schema(Part::Value).as_str()), (None, schema)),
                None => assert!(outcome.is_err(), "{behavior}"),
            }
        }
        let mut fake = Fake::new(Some("1"), required);
        configure::<MakeTombstone>(Part::Value, &[]).unwrap().apply(&mut fake).unwrap();
        assert_eq!((fake.payload(Part::Value), fake.schema_id(Part::Value)), (None, 0));
    }
}
