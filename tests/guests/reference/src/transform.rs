//! The transform and the predicate of the contract.
//!
//! Enters: one record. Leaves: what the step's `op` says. Invariant: a record that no op touches keeps its spans.

use lockgate_sdk::{ConfigValue, Description, Edit, Fault, Flow, Predicate, RowFault, Settings, Task, Transform, log};

const SCHEMA: &str = r#"{"type":"string","optional":false}"#;

pub struct Reference {
    op: String,
    /// `match`, `to` or `text`.
    word: String,
}

impl Transform for Reference {
    fn describe() -> Description {
        crate::description("ref.Transform")
    }

    fn validate(config: &Settings) -> Vec<ConfigValue> {
        crate::validate(config)
    }

    fn open(task: Task) -> Result<Self, Fault> {
        crate::open("ref.Transform", &task)?;
        let op = task.config.raw("op").unwrap_or("keep").to_owned();
        let word = ["match", "to", "text"].iter().find_map(|key| task.config.raw(key)).unwrap_or_default().to_owned();
        log::info!("ref: step {op}");
        Ok(Self { op, word })
    }

    fn apply(&mut self, record: &mut Edit<'_>) -> Result<Flow, RowFault> {
        match self.op.as_str() {
            "upper" if record.value().is_some() => {
                let upper = |old: &[u8], new: &mut Vec<u8>| {
                    new.extend(old.iter().map(u8::to_ascii_uppercase));
                    Ok::<_, RowFault>(())
                };
                record.rewrite_value(upper)?;
            }
            "drop" if record.value() == Some(self.word.as_bytes()) => return Ok(Flow::Drop),
            "fail" if record.value() == Some(self.word.as_bytes()) => {
                return Err(RowFault::new(0, "ref.fail", "failed on demand"));
            }
            "route" => record.set_topic(&self.word),
            "split" => split(record),
            "header" => record.add_header("ref.added", Some(self.word.as_bytes()), 0),
            "key" => match record.value().map(<[u8]>::len) {
                Some(len) => record.set_key_part(true, 0..len),
                None => record.set_key(None),
            },
            "schema" => record.set_value_schema(Some(SCHEMA)),
            "panic" => crate::ref_panics_here(),
            _ => {}
        }
        Ok(Flow::Keep)
    }
}

fn split(record: &mut Edit<'_>) {
    while let Some(at) = record.value().and_then(|v| v.iter().position(|b| *b == b',')) {
        let len = record.value().map_or(0, <[u8]>::len);
        let whole = record.value_span();
        record.set_value_part(true, 0..at);
        record.split();
        record.set_value_span(whole);
        record.set_value_part(true, at + 1..len);
    }
}

pub struct HasKey;

impl Predicate for HasKey {
    fn describe() -> Description {
        crate::description("ref.HasKey")
    }

    fn open(_task: Task) -> Result<Self, Fault> {
        Ok(Self)
    }

    fn test(&mut self, record: &Edit<'_>) -> Result<bool, RowFault> {
        Ok(record.key().is_some())
    }
}
