//! `ByLogicalTableRouter`: change events of many tables into one topic.
//!
//! Enters: records of any topic. Leaves: those whose topic matches under the new one, with the table in their key. Invariant:
//! the rest passes as it is; a topic's answers are worked out once.

use std::collections::HashMap;
use std::rc::Rc;

use fancy_regex::Regex;

use super::envelope;
use crate::class::{Class, Formats};
use crate::config::{Definition, Importance, Of, Problems, Settings};
use crate::pattern;
use crate::record::{Fault, Part, Record, announce};
use crate::route::{compile, java_replacement};
use crate::scan::{Malformed, Members, quoted};
use crate::schemas::known;
use crate::splice::{self, Writer};
use crate::tree::Tree;

const PURPOSE: &str = "Updating schema";
/// Topics, and schemas by topic, whose answers are kept.
const ANSWERS_MAX: usize = 10_000;
const ADJUSTMENTS: [&str; 2] = ["none", "avro"];

const CONFIG: &[Definition] = &[
    Definition::required(
        "topic.regex",
        Of::Text,
        Importance::Low,
        "The regex used for extracting the name of the logical table from the original topic name.",
    )
    .non_empty(),
    Definition::required(
        "topic.replacement",
        Of::Text,
        Importance::Low,
        "The replacement string used in conjunction with topic.regex. This will be used to create the new topic name.",
    )
    .non_empty(),
    Definition::optional(
        "key.enforce.uniqueness",
        Of::Boolean,
        Some("true"),
        Importance::Low,
        "Augment each record's key with a field denoting the source topic. This field distinguishes records coming from different physical tables which may otherwise have primary/unique key conflicts. If the source tables are guaranteed to have globally unique keys then this may be set to false to disable key rewriting.",
    ),
    Definition::optional(
        "key.field.name",
        Of::Text,
        Some("__dbz__physicalTableIdentifier"),
        Importance::Low,
        "Each record's key schema will be augmented with this field name. The purpose of this field is to distinguish the different physical tables that can now share a single topic. Make sure not to configure a field name that is at risk of conflict with existing key schema field names.",
    ),
    Definition::optional(
        "key.field.regex",
        Of::Text,
        None,
        Importance::Low,
        "The regex used for extracting the physical table identifier from the original topic name; without one it is the whole original topic name.",
    ),
    Definition::optional(
        "key.field.replacement",
        Of::Text,
        None,
        Importance::Low,
        "The replacement string used in conjunction with key.field.regex. This will be used to create the physical table identifier in the record's key.",
    ),
    Definition::optional(
        "schema.name.adjustment.mode",
        Of::Text,
        Some("none"),
        Importance::Low,
        "How schema names are adjusted: none, or avro, which replaces what Avro does not take by underscores.",
    )
    .one_of(&ADJUSTMENTS),
    Definition::optional(
        "logical.table.cache.size",
        Of::Int,
        Some("16"),
        Importance::Low,
        "Accepted; up to 10,000 answers are kept whatever is written here.",
    ),
];

/// A pattern that must match the whole, and what its first find is replaced by.
#[derive(Debug)]
struct Replace {
    find: Regex,
    whole: Regex,
    replacement: String,
}

impl Replace {
    fn answer(&self, text: &str) -> Result<Option<String>, Fault> {
        let slow = |_| pattern::too_slow("the topic's name");
        if !self.whole.is_match(text).map_err(slow)? {
            return Ok(None);
        }
        let Some(captures) = self.find.captures(text).map_err(slow)? else { return Ok(None) };
        let Some(found) = captures.get(0) else { return Ok(None) };
        let replaced = java_replacement(&self.replacement, &captures, &self.find)?;
        Ok(Some(format!("{}{replaced}{}", &text[..found.start()], &text[found.end()..])))
    }
}

/// Answers for a topic: the new one, none if it does not match, and what goes into the key, quoted.
#[derive(Debug)]
struct Answers {
    topic: Option<String>,
    table: String,
}

/// The transform.
#[derive(Debug)]
pub struct ByLogicalTableRouter {
    topic: Replace,
    table: Option<Replace>,
    field: Option<String>,
    avro: bool,
    answers: HashMap<String, Rc<Answers>>,
    schemas: HashMap<(bool, u32, String), u32>,
}

impl ByLogicalTableRouter {
    fn answers(&mut self, topic: &str) -> Result<Rc<Answers>, Fault> {
        if let Some(answers) = self.answers.get(topic) {
            return Ok(Rc::clone(answers));
        }
        let table = self.table.as_ref().map_or(Ok(None), |table| table.answer(topic))?;
        let table = quoted(&table.unwrap_or_else(|| topic.to_owned()));
        let made = Rc::new(Answers { topic: self.topic.answer(topic)?.filter(|t| !t.is_empty()), table });
        if self.answers.len() >= ANSWERS_MAX {
            self.answers.clear();
        }
        self.answers.insert(topic.to_owned(), Rc::clone(&made));
        Ok(made)
    }

    fn adjusted(&self, name: String) -> String {
        if !self.avro {
            return name;
        }
        let fits =
            |at: usize, c: char| c.is_ascii_alphabetic() || c == '_' || (at > 0 && (c.is_ascii_digit() || c == '.'));
        name.chars().enumerate().map(|(at, c)| if fits(at, c) { c } else { '_' }).collect()
    }

    fn schema<R: Record>(&mut self, record: &R, part: Part, topic: &str) -> Result<u32, Fault> {
        let id = record.schema_id(part);
        let key = (part == Part::Key, id, topic.to_owned());
        if let Some(id) = self.schemas.get(&key) {
            return Ok(*id);
        }
        let known = known(record, part)?;
        let renamed = if part == Part::Key {
            splice::require_struct(&known, PURPOSE)?;
            let mut fields = known.field_trees();
            if let Some(field) = &self.field {
                fields.push(Tree::scalar("string", false).named(field));
            }
            let mut tree = known.tree.without("default");
            tree.set("fields", Tree::Array(fields));
            tree.set("name", Tree::string(&self.adjusted(format!("{topic}.Key"))));
            Some(tree)
        } else if envelope::is_envelope(&known) {
            let row = self.adjusted(format!("{topic}.Value"));
            let mut fields = known.field_trees();
            for field in &mut fields {
                if matches!(field.text("field").as_deref(), Some("before" | "after")) {
                    field.set("name", Tree::string(&row));
                }
            }
            let mut tree = known.tree.without("default");
            tree.set("fields", Tree::Array(fields));
            tree.set("name", Tree::string(&self.adjusted(format!("{topic}.Envelope"))));
            Some(tree)
        } else {
            None
        };
        let made = renamed.map_or(Ok(id), |tree| announce(record, &tree.write()))?;
        if self.schemas.len() >= ANSWERS_MAX {
            self.schemas.clear();
        }
        self.schemas.insert(key, made);
        Ok(made)
    }

    fn extend_key<R: Record>(&self, record: &mut R, table: &str) -> Result<(), Fault> {
        let Some(field) = &self.field else { return Ok(()) };
        let schema = record.schema_id(Part::Key);
        let found = splice::kind(record.payload(Part::Key));
        let name = quoted(field);
        record.rewrite(Part::Key, |text, out| {
            let mut write = || -> Result<(), Malformed> {
                let mut members = Members::new(text)?;
                let mut writer = Writer::new(text, out);
                while let Some(member) = members.advance()? {
                    if member.is(text, field) { writer.skip() } else { writer.keep(&member) }
                }
                writer.put(&name, table.as_bytes());
                writer.finish();
                Ok(())
            };
            write().map_err(|why| splice::fault(why, schema, PURPOSE, found))
        })
    }
}

impl Class for ByLogicalTableRouter {
    const NAME: &'static str = "ByLogicalTableRouter";
    const PACKAGE: &'static str = super::PACKAGE;
    const ALIASES: &'static [&'static str] = &["io.debezium.transforms.ToLogicalTopicRouter"];
    const DOC: &'static str = "Debezium's router of shards: change events of tables whose topics match go to one topic, with the table's name in their key.";
    const CONFIG: &'static [Definition] = CONFIG;

    fn new(_part: Part, mut settings: Settings, _formats: Formats) -> Result<Self, Problems> {
        let mut replace = |regex: &str, replacement: &str, required: bool| {
            let pattern = if required { settings.required_non_empty(regex) } else { settings.given(regex)? };
            let text = if required {
                settings.required_non_empty(replacement)
            } else {
                settings.given(replacement).unwrap_or_default()
            };
            if text.is_empty() && !required {
                settings.problem(replacement, format!("{replacement} must be non-empty if {regex} is set."));
            }
            match compile(&pattern) {
                Ok((find, whole)) => Some(Replace { find, whole, replacement: text }),
                Err(why) => {
                    settings.problem(regex, why);
                    None
                }
            }
        };
        let (topic, table) = (
            replace("topic.regex", "topic.replacement", true),
            replace("key.field.regex", "key.field.replacement", false),
        );
        let field = settings.given("key.field.name").unwrap_or_else(|| "__dbz__physicalTableIdentifier".to_owned());
        let field = settings.boolean("key.enforce.uniqueness", true).then_some(field);
        let avro = settings.choice("schema.name.adjustment.mode", &ADJUSTMENTS) == "avro";
        let Some(topic) = topic else { return Err(settings.finish(()).err().unwrap_or_default()) };
        settings.finish(Self { topic, table, field, avro, answers: HashMap::new(), schemas: HashMap::new() })
    }

    fn apply<R: Record>(&mut self, record: &mut R) -> Result<bool, Fault> {
        let answers = self.answers(record.topic())?;
        let Some(topic) = answers.topic.as_deref() else { return Ok(true) };
        if !record.is_null(Part::Key) {
            let id = if record.schema_id(Part::Key) == 0 { 0 } else { self.schema(record, Part::Key, topic)? };
            self.extend_key(record, &answers.table)?;
            record.set_schema_id(Part::Key, id);
        }
        if !envelope::value_is_null(record) && record.schema_id(Part::Value) != 0 {
            let id = self.schema(record, Part::Value, topic)?;
            record.set_schema_id(Part::Value, id);
        }
        record.set_topic(topic);
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
