//! Transforms, predicates and converters beside the real ones, record by record.
//!
//! Enters: cases made of [`samples`], of every setting in [`chains`] and [`converters`], and of [`wild`] texts. Leaves: the answers of Kafka
//! Connect's own classes (`runner/Runner.java`) and ours, and where they differ. Invariant: both sides get the same text.

mod chains;
mod converters;
mod judge;
mod ours;
mod samples;
mod theirs;
mod wanted;
mod wild;

pub use judge::judge;
pub use ours::ours;
pub use theirs::theirs;
pub use wanted::RULES;

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
    /// Simple names of its classes: transforms and predicates without `$Key` and `$Value`, converters with the direction.
    pub fn classes(&self) -> Vec<String> {
        if let Some(class) = self.json["converter"].as_str() {
            let simple = class.rsplit('.').next().unwrap_or(class);
            return vec![format!("{simple} {}", self.json["direction"].as_str().unwrap_or_default())];
        }
        let settings = self.json["chain"].as_object().or(self.json["predicate"].as_object());
        let types = settings.into_iter().flatten().filter(|(key, _)| key.ends_with(".type"));
        let simple = |class: &str| class.rsplit('.').next().and_then(|name| name.split('$').next()).map(str::to_owned);
        types.filter_map(|(_, class)| simple(class.as_str()?)).collect()
    }

    /// Its records.
    pub fn records(&self) -> &[Value] {
        self.json["records"].as_array().map_or(&[], Vec::as_slice)
    }
}

/// Seed of what is random, unless `LOCKGATE_PARITY_SEED` says another.
const SEED: u64 = 0x10c6_9a7e;

/// Everything that is asked. With a seed of its own only what is random, and more of it.
pub fn cases() -> Vec<Case> {
    let Some(seed) = own_seed() else {
        let mut cases = chains::cases();
        cases.extend(chains::random(SEED, 1));
        cases.extend(converters::cases());
        cases.extend(wild::cases(SEED, 1));
        return cases;
    };
    let mut cases = chains::random(seed, OWN_MANY);
    cases.extend(wild::cases(seed, OWN_MANY));
    cases
}

/// So many times as much is asked with a seed of its own.
const OWN_MANY: usize = 4;

/// The seed of `LOCKGATE_PARITY_SEED`.
pub fn own_seed() -> Option<u64> {
    std::env::var("LOCKGATE_PARITY_SEED").ok().map(|text| text.parse().expect("LOCKGATE_PARITY_SEED is a number"))
}
