//! Debezium's `Filter` and `ContentBasedRouter`, with CEL.
//!
//! Enters: records. Leaves: those whose condition is true; those whose expression names a topic under that topic. Invariant:
//! a record whose topic `topic.regex` does not match is not evaluated.

use fancy_regex::Regex;

use crate::class::{Class, Formats};
use crate::config::{Definition, Importance, Of, Problems, Settings};
use crate::expression::Expression;
use crate::language;
use crate::record::{Fault, Part, Record};

use cel::Value;

const PACKAGE: &str = "io.debezium.transforms.";
const NULLS: [&str; 3] = ["keep", "drop", "evaluate"];

const LANGUAGE: Definition = Definition::required("language", Of::Text, Importance::Medium, "An expression language used to evaluate the expression: cel. Debezium's jsr223.groovy and jsr223.graal.js are refused with the expression in CEL.").non_empty();
const TOPIC_REGEX: Definition = Definition::optional(
    "topic.regex",
    Of::Text,
    None,
    Importance::Low,
    "A regex used for selecting the topics to which the transformation should be applied; others pass.",
);
const NULL_MODE: Definition = Definition::optional("null.handling.mode", Of::Text, Some("keep"), Importance::Medium, "How to handle records with null value. Options are: keep - records are passed (the default), drop - records are removed, evaluate - the null records are passed for evaluation.").one_of(&NULLS);

/// What both have.
#[derive(Debug)]
struct Scripted {
    expression: Expression,
    topics: Option<Regex>,
    nulls: &'static str,
}

/// What becomes of a record before its expression is asked.
enum Before {
    Decided(bool),
    Ask,
}

impl Scripted {
    fn new(mut settings: Settings, key: &str) -> Result<Self, Problems> {
        let (language, text) = (settings.required("language"), settings.required_non_empty(key));
        let expression = Expression::new(&text);
        if !language.is_empty() && !language::is_cel(&language) {
            settings.problem("language", language::refusal(&language, &text, |cel| Expression::new(cel).is_ok()));
        } else if let Err(why) = &expression
            && !text.is_empty()
        {
            settings.problem(key, why.clone());
        }
        let topics = match settings.given("topic.regex").as_deref().map(whole) {
            None => None,
            Some(Ok(regex)) => Some(regex),
            Some(Err(why)) => {
                settings.problem("topic.regex", format!("Invalid regex: {why}"));
                None
            }
        };
        let nulls = settings.choice("null.handling.mode", &NULLS);
        match expression {
            Ok(expression) => settings.finish(Self { expression, topics, nulls }),
            Err(_) => Err(settings.finish(()).err().unwrap_or_default()),
        }
    }

    fn before<R: Record>(&self, record: &R) -> Result<Before, Fault> {
        if let Some(topics) = &self.topics {
            let matches = topics.is_match(record.topic()).map_err(|_| Fault {
                code: "transform.regex",
                message: "the regular expression takes too many steps on the topic's name; simplify it".to_owned(),
            })?;
            if !matches {
                return Ok(Before::Decided(true));
            }
        }
        let null = record.is_null(Part::Value);
        Ok(match self.nulls {
            "keep" if null => Before::Decided(true),
            "drop" if null => Before::Decided(false),
            _ => Before::Ask,
        })
    }
}

/// The pattern, which has to match all of a name.
fn whole(pattern: &str) -> Result<Regex, String> {
    Regex::new(&format!(r"\A(?:{pattern})\z")).map_err(|why| why.to_string())
}

fn wrong(what: &str, wanted: &str, found: &Value) -> Fault {
    let message = format!("the {what} must give {wanted}, it gave {}", found.type_of());
    Fault { code: "transform.expression", message }
}

/// Keeps records whose condition is true.
#[derive(Debug)]
pub struct Filter(Scripted);

impl Class for Filter {
    const NAME: &'static str = "Filter";
    const PACKAGE: &'static str = PACKAGE;
    const SHORT: bool = false;
    const DOC: &'static str = "Debezium's filter: keeps records for which an expression of CEL is true.";
    const CONFIG: &'static [Definition] = &[
        Definition::required("condition", Of::Text, Importance::Medium, "An expression determining whether the record should be filtered out. When evaluated to true the record is kept.").non_empty(),
        LANGUAGE,
        TOPIC_REGEX,
        NULL_MODE,
    ];

    fn new(_part: Part, settings: Settings, _formats: Formats) -> Result<Self, Problems> {
        Scripted::new(settings, "condition").map(Self)
    }

    fn apply<R: Record>(&mut self, record: &mut R) -> Result<bool, Fault> {
        match self.0.before(record)? {
            Before::Decided(kept) => Ok(kept),
            Before::Ask => match self.0.expression.run(record)? {
                Value::Bool(kept) => Ok(kept),
                other => Err(wrong("condition", "true or false", &other)),
            },
        }
    }
}

/// Names the topic of a record.
#[derive(Debug)]
pub struct ContentBasedRouter(Scripted);

impl Class for ContentBasedRouter {
    const NAME: &'static str = "ContentBasedRouter";
    const PACKAGE: &'static str = PACKAGE;
    const DOC: &'static str =
        "Debezium's content-based router: an expression of CEL names the topic of a record, or null to leave it.";
    const CONFIG: &'static [Definition] = &[
        Definition::required("topic.expression", Of::Text, Importance::Medium, "An expression determining the new name of the topic the record should use. When null the record is delivered to the original topic.").non_empty(),
        LANGUAGE,
        TOPIC_REGEX,
        NULL_MODE,
    ];

    fn new(_part: Part, settings: Settings, _formats: Formats) -> Result<Self, Problems> {
        Scripted::new(settings, "topic.expression").map(Self)
    }

    fn apply<R: Record>(&mut self, record: &mut R) -> Result<bool, Fault> {
        match self.0.before(record)? {
            Before::Decided(kept) => return Ok(kept),
            Before::Ask => {}
        }
        match self.0.expression.run(record)? {
            Value::Null => Ok(true),
            Value::String(topic) if !topic.is_empty() => {
                record.set_topic(&topic);
                Ok(true)
            }
            other => Err(wrong("topic expression", "the name of a topic or null", &other)),
        }
    }
}

#[cfg(test)]
mod tests;
