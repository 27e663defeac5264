//! Records, positions and settings as types of serde.
//!
//! Enters: JSON payloads, positions, settings. Leaves: values of the author's types, and back. Invariant: nothing is parsed
//! before it is asked for, and what does not fit is a fault that says where.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::batch::Record;
use crate::builder::{BatchBuilder, Position, RecordBuilder};
use crate::config::{ConfigType, Settings};
use crate::edit::Edit;
use crate::fault::{Fault, RowFault};

/// Code of a record whose JSON is not of the type.
const CODE: &str = "json.type";

/// A payload as a value of `T`; no bytes are none.
fn parsed<'a, T: Deserialize<'a>>(bytes: Option<&'a [u8]>, part: &str, row: usize) -> Result<Option<T>, RowFault> {
    let value = bytes.map(serde_json::from_slice).transpose();
    value.map_err(|why| RowFault::new(row, CODE, format!("the {part} does not fit: {}", reason(&why))))
}

/// What is wrong, without what was found: that may be a secret.
fn reason(why: &serde_json::Error) -> String {
    let text = why.to_string();
    match text.split_once(", expected ") {
        Some((_, expected)) => format!("expected {expected}"),
        None if why.is_data() && !text.starts_with("missing field") => {
            format!("a value that is not allowed at line {} column {}", why.line(), why.column())
        }
        None => text,
    }
}

impl<'a> Record<'a> {
    /// The key, which must be JSON, as a value of `T`; null is none. `T` may borrow from the batch.
    ///
    /// # Errors
    /// It does not fit: to be given to [`crate::Report`] as it is.
    pub fn key_as<T: Deserialize<'a>>(&self) -> Result<Option<T>, RowFault> {
        parsed(self.key(), "key", self.index())
    }

    /// The value likewise.
    ///
    /// # Errors
    /// As [`Record::key_as`].
    pub fn value_as<T: Deserialize<'a>>(&self) -> Result<Option<T>, RowFault> {
        parsed(self.value(), "value", self.index())
    }
}

impl Edit<'_> {
    /// The value, which must be JSON, as a value of `T`; null is none.
    ///
    /// # Errors
    /// It does not fit: to be returned from `apply` as it is.
    pub fn value_as<'s, T: Deserialize<'s>>(&'s self) -> Result<Option<T>, RowFault> {
        parsed(self.value(), "value", 0)
    }

    /// Replaces the value by the JSON of `value`.
    ///
    /// # Errors
    /// It cannot be written as JSON (a map with keys that are no text).
    pub fn set_value_to(&mut self, value: &impl Serialize) -> Result<(), RowFault> {
        self.rewrite_value(|_, out| {
            serde_json::to_writer(out, value).map_err(|why| RowFault::new(0, CODE, why.to_string()))
        })
    }
}

impl RecordBuilder<'_> {
    /// The value as JSON, written straight into the batch.
    ///
    /// # Errors
    /// It cannot be written as JSON (a map with keys that are no text).
    pub fn value_of(self, value: &impl Serialize) -> Result<Self, Fault> {
        let mut written = Ok(());
        let this = self.value_with(|out| written = serde_json::to_writer(out, value));
        written.map(|()| this).map_err(|why| Fault::fatal(CODE, why.to_string()))
    }
}

impl BatchBuilder {
    /// As [`BatchBuilder::position`], of types: both must become JSON objects.
    ///
    /// # Errors
    /// They cannot be written as JSON.
    pub fn position_of(&mut self, partition: &impl Serialize, offset: &impl Serialize) -> Result<(), Fault> {
        self.position(text(partition)?, text(offset)?);
        Ok(())
    }
}

fn text(value: &impl Serialize) -> Result<String, Fault> {
    serde_json::to_string(value).map_err(|why| Fault::fatal("position.type", why.to_string()))
}

impl Position {
    /// The stored offset of a partition, of types; none if nothing is stored for it.
    ///
    /// # Errors
    /// What is stored for that partition is not of the type: it was written by another version, or altered.
    pub fn find<P, O>(stored: &[Self], partition: &P) -> Result<Option<O>, Fault>
    where
        P: DeserializeOwned + PartialEq,
        O: DeserializeOwned,
    {
        let same = |position: &&Self| serde_json::from_str::<P>(&position.partition).is_ok_and(|p| p == *partition);
        let found = stored.iter().find(same).map(|position| serde_json::from_str(&position.offset));
        found
            .transpose()
            .map_err(|why| Fault::fatal("position.type", format!("the stored offset does not fit: {}", reason(&why))))
    }
}

impl Settings {
    /// All settings as a value of `T`: each key under its own name, typed by its definition, with defaults.
    ///
    /// # Errors
    /// One of them does not fit `T`.
    pub fn deserialize<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        let defined = self.definitions().map(|key| key.name.as_str());
        let names = defined.chain(self.pairs().iter().map(|(name, _)| name.as_str()));
        let typed = names.filter_map(|name| Some((name.to_owned(), self.json(name)?)));
        let all: serde_json::Map<_, _> = typed.collect();
        serde_json::from_value(all.into()).map_err(|why| Fault::fatal("config.type", reason(&why)))
    }

    /// A setting in JSON, by the type of its definition; text where it has none, or is not of it.
    fn json(&self, name: &str) -> Option<Value> {
        let text = self.text(name)?;
        let of = self.definitions().find(|key| key.name == name).map(|key| key.config_type);
        let typed = match of {
            Some(ConfigType::Boolean) => text.trim().to_ascii_lowercase().parse().ok().map(Value::Bool),
            Some(ConfigType::Int | ConfigType::Short | ConfigType::Long) => {
                text.trim().parse::<i64>().ok().map(Value::from)
            }
            Some(ConfigType::Double) => text.trim().parse::<f64>().ok().map(Value::from),
            Some(ConfigType::List) => Some(self.list(name).into()),
            _ => None,
        };
        Some(typed.unwrap_or_else(|| text.into()))
    }
}

#[cfg(test)]
mod tests;
