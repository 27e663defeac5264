//! Topics out of records: `ExtractTopic` of Aiven and of Confluent, `ExtractTopicFromSchemaName`.
//!
//! Enters: a record. Leaves: the same under the topic that a field, a header or a schema's name gives. Invariant: payloads are
//! not changed.

use std::collections::HashMap;

use fancy_regex::Regex;

use crate::class::{Class, Formats};
use crate::config::{Definition, Importance, Of, Problems, Settings};
use crate::lookup::{Path, scalar};
use crate::pattern;
use crate::record::{Fault, Part, Record};
use crate::schemas::{Plans, known};
use crate::splice;

const SKIP: Definition = Definition::optional(
    "skip.missing.or.null",
    Of::Boolean,
    Some("false"),
    Importance::Low,
    "In case the source of the new topic name is null or missing, should a record be silently passed without transformation.",
);

/// Where a topic's name is found.
#[derive(Debug)]
struct Source {
    part: Part,
    path: Path,
    skip: bool,
    /// For the schemas that were seen: what is wrong with them.
    plans: Plans<Option<String>>,
}

impl Source {
    fn name(&self) -> &'static str {
        if self.part == Part::Key { "key" } else { "value" }
    }

    /// What is wrong with a schema.
    fn check<R: Record>(&self, record: &R) -> Result<Option<String>, Fault> {
        let known = known(record, self.part)?;
        if !self.path.is_whole() && !known.is_struct() {
            return Ok(Some(format!(
                "{} schema type must be STRUCT if field name is specified: {}",
                self.name(),
                known.of
            )));
        }
        let plain = |of: &str| !matches!(of, "struct" | "map" | "array" | "bytes");
        Ok(self.path.schema(&known).filter(|field| !plain(&field.of)).map(|field| {
            format!("{} of {} cannot be the name of a topic: it is of type {}", self.path, self.name(), field.of)
        }))
    }

    fn apply<R: Record>(&mut self, record: &mut R) -> Result<bool, Fault> {
        let schema = record.schema_id(self.part);
        if schema != 0 {
            let wrong = if let Some(wrong) = self.plans.find(schema) {
                wrong
            } else {
                let wrong = self.check(record)?;
                self.plans.keep(schema, wrong)
            };
            if let Some(wrong) = &*wrong {
                return Err(Fault::data(wrong.clone()));
            }
        }
        let text = record.payload(self.part);
        let refuse = |why| splice::fault(why, schema, "topic extraction", splice::kind(text));
        let place = text.map(|text| self.path.find(text)).transpose().map_err(refuse)?.flatten();
        let value = text.zip(place).map(|(text, at)| &text[at]).filter(|value| *value != b"null");
        let what =
            if self.path.is_whole() { self.name().to_owned() } else { format!("{} in {}", self.path, self.name()) };
        let topic = match value {
            None => None,
            Some(value) => {
                let Some(topic) = scalar(value) else {
                    let kind = splice::kind(Some(value));
                    return Err(Fault::data(format!("{what} cannot be the name of a topic: it is of type {kind}")));
                };
                Some(topic).filter(|topic| !topic.is_empty())
            }
        };
        match topic {
            Some(topic) => record.set_topic(&topic),
            None if self.skip => {}
            None => return Err(Fault::data(format!("{what} can't be missing, null or empty"))),
        }
        Ok(true)
    }
}

/// Aiven's.
#[derive(Debug)]
pub struct ExtractTopic(Source);

impl Class for ExtractTopic {
    const NAME: &'static str = "ExtractTopic";
    const PACKAGE: &'static str = "io.aiven.kafka.connect.transforms.";
    const SHORT: bool = false;
    const DOC: &'static str = "Aiven's: takes the topic's name from a field, or from the whole key or value.";
    const CONFIG: &'static [Definition] = &[
        Definition::optional(
            "field.name",
            Of::Text,
            None,
            Importance::High,
            "The name of the field which should be used as the topic name, with dots for nested ones. If null or empty, the entire key or value is used (and assumed to be a string).",
        ),
        SKIP,
    ];

    fn new(part: Part, mut settings: Settings, _formats: Formats) -> Result<Self, Problems> {
        let path = Path::dotted(&settings.text("field.name").unwrap_or_default());
        let skip = settings.boolean("skip.missing.or.null", false);
        settings.finish(Self(Source { part, path, skip, plans: Plans::default() }))
    }

    fn apply<R: Record>(&mut self, record: &mut R) -> Result<bool, Fault> {
        self.0.apply(record)
    }
}

const FORMATS: [&str; 2] = ["PLAIN", "JSON_PATH"];

/// Confluent's, of key and value.
#[derive(Debug)]
pub struct ExtractTopicByField(Source);

impl Class for ExtractTopicByField {
    const NAME: &'static str = "ExtractTopic";
    const PACKAGE: &'static str = "io.confluent.connect.transforms.";
    const SHORT: bool = false;
    const DOC: &'static str = "Confluent's: takes the topic's name from a field, or from the whole key or value.";
    const CONFIG: &'static [Definition] = &[
        Definition::optional("field", Of::Text, Some(""), Importance::Medium, "Field name to use as the topic name. If left blank, the entire key or value is used (and assumed to be a string)."),
        Definition::optional("field.format", Of::Text, Some("PLAIN"), Importance::Medium, "Specify field path format. Currently two formats are supported: JSON_PATH and PLAIN. If set to JSON_PATH, the field is interpreted as a JSON path ($.outer.inner); if set to PLAIN, as one name.").one_of(&FORMATS),
        SKIP,
    ];

    fn new(part: Part, mut settings: Settings, _formats: Formats) -> Result<Self, Problems> {
        let (format, field) = (settings.choice("field.format", &FORMATS), settings.text("field").unwrap_or_default());
        let path = if format == "PLAIN" || field.is_empty() {
            Path::single(&field)
        } else {
            Path::json_path(&field).unwrap_or_else(|why| {
                settings.problem("field", why);
                Path::default()
            })
        };
        let skip = settings.boolean("skip.missing.or.null", false);
        settings.finish(Self(Source { part, path, skip, plans: Plans::default() }))
    }

    fn apply<R: Record>(&mut self, record: &mut R) -> Result<bool, Fault> {
        self.0.apply(record)
    }
}

/// Confluent's, of headers.
#[derive(Debug)]
pub struct ExtractTopicFromHeader {
    header: String,
    skip: bool,
}

impl Class for ExtractTopicFromHeader {
    const NAME: &'static str = "ExtractTopic$Header";
    const PACKAGE: &'static str = "io.confluent.connect.transforms.";
    const DOC: &'static str = "Confluent's: takes the topic's name from the last header of a name.";
    const CONFIG: &'static [Definition] = &[
        Definition::required("field", Of::Text, Importance::Medium, "Header name to use as the topic name.")
            .non_empty(),
        SKIP,
    ];
    const LOOKS: bool = false;

    fn new(_part: Part, mut settings: Settings, _formats: Formats) -> Result<Self, Problems> {
        let (header, skip) = (settings.required_non_empty("field"), settings.boolean("skip.missing.or.null", false));
        settings.finish(Self { header, skip })
    }

    fn apply<R: Record>(&mut self, record: &mut R) -> Result<bool, Fault> {
        let mut topic = None;
        record.visit_headers(&mut |name, value, _| {
            if name == self.header {
                topic = value
                    .filter(|value| *value != b"null")
                    .map(|value| scalar(value).unwrap_or_else(|| String::from_utf8_lossy(value).into_owned()));
            }
        });
        match topic.filter(|topic| !topic.is_empty()) {
            Some(topic) => record.set_topic(&topic),
            None if self.skip => {}
            None => return Err(Fault::data(format!("the header {} can't be missing, null or empty", self.header))),
        }
        Ok(true)
    }
}

/// Aiven's, by the name of the value's schema.
#[derive(Debug)]
pub struct ExtractTopicFromSchemaName {
    topics: HashMap<String, String>,
    regex: Option<Regex>,
    plans: Plans<String>,
}

impl ExtractTopicFromSchemaName {
    fn topic<R: Record>(&self, record: &R) -> Result<String, Fault> {
        let name = known(record, Part::Value)?.tree.text("name");
        let name = name.ok_or_else(|| Fault::data("value schema name can't be null"))?;
        if let Some(topic) = self.topics.get(&name) {
            return Ok(topic.clone());
        }
        let slow = |_| pattern::too_slow("the schema's name");
        if let Some(regex) = self.regex.as_ref().filter(|regex| regex.captures_len() == 2)
            && let Some(found) = regex.captures(&name).map_err(slow)?.and_then(|captures| captures.get(1))
        {
            return Ok(found.as_str().to_owned());
        }
        Ok(name)
    }
}

impl Class for ExtractTopicFromSchemaName {
    const NAME: &'static str = "ExtractTopicFromSchemaName$Value";
    const PACKAGE: &'static str = "io.aiven.kafka.connect.transforms.";
    const DOC: &'static str = "Aiven's: makes the name of the value's schema the topic, by a map or the first group of a regular expression if given.";
    const CONFIG: &'static [Definition] = &[
        Definition::optional(
            "schema.name.topic-map",
            Of::Text,
            None,
            Importance::Low,
            "Map of schema name (key), new topic name (value) in String format \"key1:value1,key2:value2\"",
        ),
        Definition::optional(
            "schema.name.regex",
            Of::Text,
            None,
            Importance::Low,
            "Regular expression that is used to find the first desired new topic value from value schema name (for example (?:[.\\t]|^)([^.\\t]*)$ which parses the name after last .",
        ),
    ];
    const LOOKS: bool = false;

    fn new(_part: Part, mut settings: Settings, _formats: Formats) -> Result<Self, Problems> {
        let mut topics = HashMap::new();
        for entry in settings.list("schema.name.topic-map") {
            match entry.split_once(':') {
                Some((name, topic)) if !name.is_empty() && !topic.is_empty() => {
                    topics.insert(name.to_owned(), topic.to_owned());
                }
                _ => settings.problem("schema.name.topic-map", format!("`{entry}` is not of the form schema:topic")),
            }
        }
        let regex = pattern::of_setting(&mut settings, "schema.name.regex");
        if regex.is_some() && !topics.is_empty() {
            let both = "schema.name.topic-map and schema.name.regex should not be defined together.";
            settings.problem("schema.name.regex", both);
        }
        settings.finish(Self { topics, regex, plans: Plans::default() })
    }

    fn apply<R: Record>(&mut self, record: &mut R) -> Result<bool, Fault> {
        let schema = record.schema_id(Part::Value);
        if schema == 0 {
            return Err(Fault::data("value schema name can't be null"));
        }
        let topic = if let Some(topic) = self.plans.find(schema) {
            topic
        } else {
            let topic = self.topic(record)?;
            self.plans.keep(schema, topic)
        };
        record.set_topic(&topic);
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
