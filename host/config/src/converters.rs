//! Which converter a connector gets: its own, or the worker's.
//!
//! Enters: settings below `key.converter`, `value.converter`, `header.converter`. Leaves: class and settings, prefix cut
//! off. Invariant: settings never mix: a class comes with the settings of the place that named it.

use indexmap::IndexMap;

use crate::RawConfig;

/// Part of a record that is converted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// Keys.
    Key,
    /// Values.
    Value,
    /// Header values.
    Header,
}

impl Part {
    /// All of them, in Kafka Connect's order.
    pub const ALL: [Self; 3] = [Self::Key, Self::Value, Self::Header];

    /// `key.converter` and so on.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Key => "key.converter",
            Self::Value => "value.converter",
            Self::Header => "header.converter",
        }
    }
}

/// A converter's class and settings.
#[derive(Clone, PartialEq, Eq)]
pub struct ConverterSpec {
    /// Class as the user wrote it.
    pub class: String,
    /// Settings without prefix.
    pub settings: IndexMap<String, String>,
    /// True if the connector named it, false if it is the worker's.
    pub own: bool,
}

impl std::fmt::Debug for ConverterSpec {
    /// Keys without values: settings may hold the credentials of a registry.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let keys: Vec<_> = self.settings.keys().collect();
        f.debug_struct("ConverterSpec").field("class", &self.class).field("settings", &keys).finish_non_exhaustive()
    }
}

/// The three of a worker or connector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Converters {
    /// Of keys.
    pub key: ConverterSpec,
    /// Of values.
    pub value: ConverterSpec,
    /// Of headers.
    pub header: ConverterSpec,
}

impl Converters {
    /// The one of a part.
    pub const fn of(&self, part: Part) -> &ConverterSpec {
        match part {
            Part::Key => &self.key,
            Part::Value => &self.value,
            Part::Header => &self.header,
        }
    }

    /// A connector's: its own class with its own settings, else the worker's class with the worker's settings.
    pub fn resolve(raw: &RawConfig, worker: &Self) -> Self {
        let of = |part| own(raw, part).unwrap_or_else(|| worker.of(part).clone());
        Self { key: of(Part::Key), value: of(Part::Value), header: of(Part::Header) }
    }
}

/// The converter that a configuration names for a part, if it does.
pub fn own(raw: &RawConfig, part: Part) -> Option<ConverterSpec> {
    let class = raw.get(part.key())?.as_ref().filter(|class| !class.is_empty())?.trim().to_owned();
    let prefix = format!("{}.", part.key());
    let settings = raw
        .iter()
        .filter_map(|(key, value)| Some((key.strip_prefix(&prefix)?.to_owned(), value.clone()?)))
        .filter(|(key, _)| key != "plugin.version");
    Some(ConverterSpec { class, settings: settings.collect(), own: true })
}
