//! Transforms, predicates and converters beside the real ones, record by record.
//!
//! Enters: cases made of [`samples`] and of every setting in [`chains`] and [`converters`]. Leaves: the answers of Kafka
//! Connect's own classes (`runner/Runner.java`) and ours, and where they differ. Invariant: both sides get the same text.

mod chains;
mod converters;
mod judge;
mod ours;
mod samples;
mod theirs;
mod wanted;

pub use judge::judge;
pub use ours::ours;
pub use theirs::theirs;

use lockgate_tests::places::root;
use serde_json::Value;

/// What both sides are asked: settings and records.
#[derive(Clone, Debug)]
pub struct Case {
    /// Class and settings, short.
    pub label: String,
    /// As `runner/Runner.java` takes it.
    pub json: Value,
}

impl Case {
    /// Its records.
    pub fn records(&self) -> &[Value] {
        self.json["records"].as_array().map_or(&[], Vec::as_slice)
    }
}

/// Everything that is asked.
pub fn cases() -> Vec<Case> {
    let mut cases = chains::cases();
    cases.extend(converters::cases());
    cases
}
