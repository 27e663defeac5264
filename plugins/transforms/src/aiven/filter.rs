//! `FilterByFieldValue` and `ExtractTimestamp`: what a field says of the record.
//!
//! Enters: records. Leaves: those whose field has the value, or has not; records with the time of a field. Invariant:
//! payloads are not changed.

use fancy_regex::Regex;

use super::PACKAGE;
use crate::class::{Class, Formats};
use crate::config::{Definition, Importance, Of, Problems, Settings};
use crate::lookup::{Path, scalar};
use crate::number;
use crate::pattern;
use crate::record::{Fault, Part, Record};
use crate::splice;

/// What is looked for.
#[derive(Debug)]
enum Wanted {
    Value(String),
    Pattern(Regex),
}

/// Keeps or drops records by the value of a field.
#[derive(Debug)]
pub struct FilterByFieldValue {
    part: Part,
    field: Path,
    wanted: Wanted,
    keeps: bool,
}

/// The same text, or the same number.
fn same(found: &[u8], text: &str, wanted: &str) -> bool {
    let number = |text: &str| number::fraction(text);
    text == wanted || (found[0] != b'"' && number(text).is_some() && number(text) == number(wanted))
}

impl Class for FilterByFieldValue {
    const NAME: &'static str = "FilterByFieldValue";
    const PACKAGE: &'static str = PACKAGE;
    const DOC: &'static str = "Aiven's: keeps or drops records by the exact value of a field, or by a regular expression that is found in it.";
    const CONFIG: &'static [Definition] = &[
        Definition::optional(
            "field.name",
            Of::Text,
            None,
            Importance::High,
            "The field name to filter by, with dots for nested ones. If empty, the whole key/value record will be filtered.",
        ),
        Definition::optional(
            "field.value",
            Of::Text,
            None,
            Importance::High,
            "Expected value to match. Either define this, or a regex pattern",
        ),
        Definition::optional(
            "field.value.pattern",
            Of::Text,
            None,
            Importance::High,
            "The pattern to match. Either define this, or an expected value",
        ),
        Definition::optional(
            "field.value.matches",
            Of::Boolean,
            Some("true"),
            Importance::Medium,
            "The filter mode, 'true' for matching or 'false' for non-matching",
        ),
    ];

    fn new(part: Part, mut settings: Settings, _formats: Formats) -> Result<Self, Problems> {
        let field = Path::dotted(&settings.text("field.name").unwrap_or_default());
        let keeps = settings.boolean("field.value.matches", true);
        let (value, found) = (settings.text("field.value"), settings.given("field.value.pattern").is_some());
        let wanted = match value {
            Some(value) if !found => Some(Wanted::Value(value)),
            None if found => pattern::of_setting(&mut settings, "field.value.pattern").map(Wanted::Pattern),
            _ => {
                let one = "Either field.value or field.value.pattern have to be set to apply filter transform";
                settings.problem("field.value", one);
                None
            }
        };
        match wanted {
            Some(wanted) => settings.finish(Self { part, field, wanted, keeps }),
            None => Err(settings.finish(()).err().unwrap_or_default()),
        }
    }

    fn apply<R: Record>(&mut self, record: &mut R) -> Result<bool, Fault> {
        let text = record.payload(self.part);
        let Some(text) = text.filter(|_| !splice::is_null(text)) else { return Ok(true) };
        let place = self
            .field
            .find(text)
            .map_err(|why| splice::fault(why, record.schema_id(self.part), "filter", splice::kind(Some(text))))?;
        let found = place.map(|at| &text[at]).filter(|value| *value != b"null");
        let matches = match (&self.wanted, found) {
            (_, None) => false,
            (Wanted::Value(wanted), Some(value)) => scalar(value).is_some_and(|text| same(value, &text, wanted)),
            (Wanted::Pattern(regex), Some(value)) => {
                let text = scalar(value).unwrap_or_else(|| String::from_utf8_lossy(value).into_owned());
                regex.is_match(&text).map_err(|_| pattern::too_slow("this value"))?
            }
        };
        Ok(matches == self.keeps)
    }
}

const RESOLUTIONS: [&str; 2] = ["milliseconds", "seconds"];

/// Makes a field the record's time.
#[derive(Debug)]
pub struct ExtractTimestamp {
    part: Part,
    field: Path,
    factor: i64,
}

impl Class for ExtractTimestamp {
    const NAME: &'static str = "ExtractTimestamp";
    const PACKAGE: &'static str = PACKAGE;
    const DOC: &'static str = "Aiven's: replaces the record's time by that of a field.";
    const CONFIG: &'static [Definition] = &[
        Definition::required("field.name", Of::Text, Importance::High, "The name of the field is to be used as the source of timestamp. The field must have INT64 or org.apache.kafka.connect.data.Timestamp type and must not be null.").non_empty(),
        Definition::optional("timestamp.resolution", Of::Text, Some("milliseconds"), Importance::Low, "The timestamp resolution used in field.name: milliseconds or seconds.").one_of(&RESOLUTIONS),
    ];

    fn new(part: Part, mut settings: Settings, _formats: Formats) -> Result<Self, Problems> {
        let field = Path::dotted(&settings.required_non_empty("field.name"));
        let factor = if settings.choice("timestamp.resolution", &RESOLUTIONS) == "seconds" { 1_000 } else { 1 };
        settings.finish(Self { part, field, factor })
    }

    fn apply<R: Record>(&mut self, record: &mut R) -> Result<bool, Fault> {
        let text = record.payload(self.part);
        let refuse = |why| splice::fault(why, record.schema_id(self.part), "timestamp", splice::kind(text));
        let place = text.map(|text| self.field.find(text)).transpose().map_err(refuse)?.flatten();
        let value = text.zip(place).map(|(text, at)| &text[at]).filter(|value| *value != b"null");
        let field = &self.field;
        let value = value.ok_or_else(|| Fault::data(format!("{field} field must be present and not null")))?;
        let number: Option<i64> = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
        let ms = number.and_then(|n| n.checked_mul(self.factor)).filter(|ms| *ms >= 0);
        let message =
            || format!("{field} field must be INT64 or org.apache.kafka.connect.data.Timestamp, not negative");
        record.set_timestamp(Some(ms.ok_or_else(|| Fault::data(message()))?));
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
