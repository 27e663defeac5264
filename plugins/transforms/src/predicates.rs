//! `HasHeaderKey`, `RecordIsTombstone` and `TopicNameMatches`.
//!
//! Enters: a record as earlier steps left it. Leaves: true or false. Invariant: nothing of a payload is read but whether it
//! is null.

use fancy_regex::Regex;
use lockgate_sdk as sdk;
use lockgate_sdk::{ConfigValue, Description, Edit, Predicate, RowFault, Task};

use crate::class::Encoding;
use crate::config::{Definition, Importance, Of, Problems, Settings};
use crate::glue;
use crate::record::{Part, Record};
use crate::route::compile;

pub(crate) const PACKAGE: &str = "org.apache.kafka.connect.transforms.predicates.";

pub(crate) const HAS_HEADER: &[Definition] =
    &[Definition::required("name", Of::Text, Importance::Medium, "The header name.").non_empty()];

pub(crate) const TOPIC_MATCHES: &[Definition] = &[Definition::required(
    "pattern",
    Of::Text,
    Importance::Medium,
    "A Java regular expression for matching against the name of a record's topic.",
)
.non_empty()];

fn describe(name: &str, doc: &str, config: &[Definition]) -> Description {
    let described = Description::new(&format!("{PACKAGE}{name}")).alias(name).doc(doc);
    glue::any_encoding(described.config(glue::config(config)))
}

/// At least one header has this name.
#[derive(Debug)]
pub struct HasHeaderKey {
    name: String,
}

impl HasHeaderKey {
    /// From its settings.
    pub fn configure(mut settings: Settings) -> Result<Self, Problems> {
        let name = settings.required_non_empty("name");
        settings.finish(Self { name })
    }

    /// True where it holds.
    pub fn holds<R: Record>(&self, record: &R) -> bool {
        record.has_header(&self.name)
    }
}

impl Predicate for HasHeaderKey {
    fn describe() -> Description {
        describe("HasHeaderKey", "True for records with at least one header with the configured name.", HAS_HEADER)
    }

    fn open(task: Task) -> Result<Self, sdk::Fault> {
        Self::configure(glue::settings(&task)).map_err(glue::refused)
    }

    fn test(&mut self, record: &Edit<'_>) -> Result<bool, RowFault> {
        Ok(self.holds(record))
    }
}

/// The value is null, whatever its schema.
#[derive(Debug)]
pub struct RecordIsTombstone {
    /// Values are JSON, where null can be spelled out.
    pub json: bool,
}

impl RecordIsTombstone {
    /// True where it holds.
    pub fn holds<R: Record>(&self, record: &R) -> bool {
        !record.has(Part::Value) || (self.json && record.is_null(Part::Value))
    }
}

impl Predicate for RecordIsTombstone {
    fn describe() -> Description {
        describe("RecordIsTombstone", "True for records which are tombstones (i.e. have null value).", &[])
    }

    fn open(task: Task) -> Result<Self, sdk::Fault> {
        Ok(Self { json: task.formats.value == Encoding::Json })
    }

    fn test(&mut self, record: &Edit<'_>) -> Result<bool, RowFault> {
        Ok(self.holds(record))
    }
}

/// The topic's name matches as a whole.
#[derive(Debug)]
pub struct TopicNameMatches {
    whole: Regex,
    last: Option<(String, bool)>,
}

impl TopicNameMatches {
    /// From its settings.
    pub fn configure(mut settings: Settings) -> Result<Self, Problems> {
        let pattern = settings.required_non_empty("pattern");
        match compile(&pattern) {
            Ok((_, whole)) => settings.finish(Self { whole, last: None }),
            Err(why) => {
                settings.problem("pattern", format!("Invalid value {pattern} for configuration pattern: {why}"));
                Err(settings.finish(()).err().unwrap_or_default())
            }
        }
    }

    /// True where it holds; a pattern that takes too many steps is an error.
    pub fn holds<R: Record>(&mut self, record: &R) -> Result<bool, String> {
        if let Some((topic, answer)) = &self.last
            && topic == record.topic()
        {
            return Ok(*answer);
        }
        let answer = self.whole.is_match(record.topic()).map_err(|e| e.to_string())?;
        self.last = Some((record.topic().to_owned(), answer));
        Ok(answer)
    }
}

impl Predicate for TopicNameMatches {
    fn describe() -> Description {
        let doc = "True for records with a topic name that matches the configured regular expression.";
        describe("TopicNameMatches", doc, TOPIC_MATCHES)
    }

    fn validate(config: &sdk::Settings) -> Vec<ConfigValue> {
        let own = Settings::new(config.pairs().iter().cloned());
        Self::configure(own).map_or_else(glue::advice, |_| Vec::new())
    }

    fn open(task: Task) -> Result<Self, sdk::Fault> {
        Self::configure(glue::settings(&task)).map_err(glue::refused)
    }

    fn test(&mut self, record: &Edit<'_>) -> Result<bool, RowFault> {
        self.holds(record).map_err(|why| RowFault::new(0, "transform.regex", why))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{HasHeaderKey, RecordIsTombstone, TopicNameMatches};
    use crate::record::Record as _;
    use crate::testing::{Fake, settings};

    #[test]
    fn a_header_is_found_by_its_exact_name() {
        let mut record = Fake::new(None, "");
        let predicate = HasHeaderKey::configure(settings(&[("name", " h ")])).unwrap();
        assert!(!predicate.holds(&record));
        record.add_header("H", None, 0);
        assert!(!predicate.holds(&record));
        record.add_header("h", None, 0);
        assert!(predicate.holds(&record));
        assert_eq!(HasHeaderKey::configure(settings(&[])).unwrap_err().len(), 1);
        assert_eq!(HasHeaderKey::configure(settings(&[("name", " ")])).unwrap_err().len(), 1);
    }

    #[test]
    fn null_is_a_tombstone_however_it_is_written() {
        for (value, json, expected) in
            [(None, false, true), (Some("null"), true, true), (Some("null"), false, false), (Some("{}"), true, false)]
        {
            assert_eq!(RecordIsTombstone { json }.holds(&Fake::new(value, "")), expected);
        }
    }

    #[test]
    fn patterns_are_javas_and_match_the_whole_name() {
        let mut record = Fake::new(None, "");
        for (pattern, topic, expected) in [
            ("a|ab", "ab", true),
            ("a", "ab", false),
            ("(?!internal).*", "internal-x", false),
            ("(?!internal).*", "x", true),
            (r"(\w+)-\1", "x-x", true),
            (r"\p{Alpha}++", "abc", true),
            (r"[\p{Upper}_]*\d\W\P{Alpha}\s?\b.*", "A_1-2-x", true),
            ("(?i)ABC", "abc", true),
            (".{3}", "abc", true),
        ] {
            let mut predicate = TopicNameMatches::configure(settings(&[("pattern", pattern)])).unwrap();
            record.set_topic(topic);
            assert_eq!((predicate.holds(&record), predicate.holds(&record)), (Ok(expected), Ok(expected)), "{pattern}");
        }
        assert!(TopicNameMatches::configure(settings(&[("pattern", "(")])).is_err());
        record.set_topic(&format!("{}!", "a".repeat(200)));
        let mut slow = TopicNameMatches::configure(settings(&[("pattern", r"(?=(a+)+$)\1")])).unwrap();
        assert!(matches!(slow.holds(&record), Ok(false) | Err(_)));
    }
}
