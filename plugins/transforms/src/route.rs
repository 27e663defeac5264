//! `RegexRouter`, `TimestampRouter` and `Filter`.
//!
//! Enters: a record. Leaves: the same under another topic, or not at all. Invariant: neither key nor value is looked at; a
//! topic's answer is worked out once.

use std::collections::HashMap;

use fancy_regex::Regex;

use crate::class::{Class, Formats};
use crate::config::{Definition, Importance, Of, Problems, Settings};
use crate::dates;
use crate::java_regex;
use crate::record::{Fault, Part, Record};

/// Settings of `RegexRouter`.
const REGEX: &[Definition] = &[
    Definition::required("regex", Of::Text, Importance::High, "Regular expression to use for matching."),
    Definition::required("replacement", Of::Text, Importance::High, "Replacement string."),
];

/// Settings of `TimestampRouter`.
const TIMESTAMP: &[Definition] = &[
    Definition::optional(
        "topic.format",
        Of::Text,
        Some("${topic}-${timestamp}"),
        Importance::High,
        "Format string which can contain ${topic} and ${timestamp} as placeholders for the topic and timestamp, respectively.",
    ),
    Definition::optional(
        "timestamp.format",
        Of::Text,
        Some("yyyyMMdd"),
        Importance::High,
        "Format string for the timestamp that is compatible with java.text.SimpleDateFormat.",
    ),
];

/// Topics whose answer is kept.
const TOPICS_MAX: usize = 10_000;

/// The pattern, and the pattern that has to match the whole text. Names of topics are ASCII, and so are Java's classes.
pub(crate) fn compile(pattern: &str) -> Result<(Regex, Regex), String> {
    let translated = java_regex::translate(pattern).map_err(|why| format!("Invalid regex: {why}"))?;
    let end = if java_regex::has_comments(pattern) { "\n" } else { "" };
    let build = |pattern: &str| Regex::new(pattern).map_err(|e| format!("Invalid regex: {e}"));
    Ok((build(&translated)?, build(&format!(r"\A(?:{translated}{end})\z"))?))
}

fn too_slow(_: fancy_regex::Error) -> Fault {
    let message = "the regular expression takes too many steps on the topic's name; simplify it".to_owned();
    Fault { code: "transform.regex", message }
}

/// Renames topics that match as a whole.
#[derive(Debug)]
pub struct RegexRouter {
    find: Regex,
    whole: Regex,
    replacement: String,
    answers: HashMap<String, String>,
}

impl RegexRouter {
    fn configure(mut settings: Settings) -> Result<Self, Problems> {
        let (pattern, replacement) = (settings.required("regex"), settings.required("replacement"));
        let compiled = compile(&pattern);
        let Ok((find, whole)) = compiled else {
            settings.problem("regex", compiled.err().unwrap_or_default());
            return Err(settings.finish(()).err().unwrap_or_default());
        };
        settings.finish(Self { find, whole, replacement, answers: HashMap::new() })
    }

    fn route(&self, topic: &str) -> Result<String, Fault> {
        if !self.whole.is_match(topic).map_err(too_slow)? {
            return Ok(topic.to_owned());
        }
        // The whole must match, then what the pattern finds first is replaced; that may be less.
        let Some(captures) = self.find.captures(topic).map_err(too_slow)? else { return Ok(topic.to_owned()) };
        let Some(found) = captures.get(0) else { return Ok(topic.to_owned()) };
        let replaced = java_replacement(&self.replacement, &captures, &self.find)?;
        Ok(format!("{}{replaced}{}", &topic[..found.start()], &topic[found.end()..]))
    }
}

/// `$1`, `${name}`, `\$`; `$11` is group 1 and "1" where there is no group 11.
pub(crate) fn java_replacement(
    template: &str,
    captures: &fancy_regex::Captures<'_>,
    find: &Regex,
) -> Result<String, Fault> {
    let groups = find.captures_len();
    let illegal = |what: &str| Fault { code: "transform.argument", message: format!("Illegal replacement: {what}") };
    let mut out = String::new();
    let mut rest = template;
    while let Some(at) = rest.find(['\\', '$']) {
        out.push_str(&rest[..at]);
        let escape = rest.as_bytes()[at] == b'\\';
        rest = &rest[at + 1..];
        let Some(next) = rest.chars().next() else { return Err(illegal("it ends with a character to be escaped")) };
        if escape {
            out.push(next);
            rest = &rest[next.len_utf8()..];
        } else if let Some(name) = rest.strip_prefix('{') {
            let (name, after) = name.split_once('}').ok_or_else(|| illegal("a named group is not closed"))?;
            if !find.capture_names().flatten().any(|known| known == name) {
                return Err(illegal(&format!("No group with name {{{name}}}")));
            }
            out.push_str(captures.name(name).map_or("", |m| m.as_str()));
            rest = after;
        } else {
            let digit = next.to_digit(10).ok_or_else(|| illegal("$ without a group"))?;
            let mut group = digit as usize;
            rest = &rest[1..];
            if group >= groups {
                return Err(Fault { code: "transform.bounds", message: format!("No group {group}") });
            }
            while let Some(digit) = rest.chars().next().and_then(|c| c.to_digit(10)) {
                let longer = group * 10 + digit as usize;
                if longer >= groups {
                    break;
                }
                group = longer;
                rest = &rest[1..];
            }
            out.push_str(captures.get(group).map_or("", |m| m.as_str()));
        }
    }
    out.push_str(rest);
    Ok(out)
}

impl Class for RegexRouter {
    const NAME: &'static str = "RegexRouter";
    const DOC: &'static str = "Update the record topic using the configured regular expression and replacement string.";
    const CONFIG: &'static [Definition] = REGEX;
    const LOOKS: bool = false;

    fn new(_part: Part, settings: Settings, _formats: Formats) -> Result<Self, Problems> {
        Self::configure(settings)
    }

    fn apply<R: Record>(&mut self, record: &mut R) -> Result<bool, Fault> {
        if let Some(answer) = self.answers.get(record.topic()) {
            if answer != record.topic() {
                record.set_topic(answer);
            }
            return Ok(true);
        }
        let (topic, answer) = (record.topic().to_owned(), self.route(record.topic())?);
        record.set_topic(&answer);
        if self.answers.len() >= TOPICS_MAX {
            self.answers.clear();
        }
        self.answers.insert(topic, answer);
        Ok(true)
    }
}

/// Puts the record's time into its topic.
#[derive(Debug)]
pub struct TimestampRouter {
    topic_format: String,
    format: Result<dates::Format, String>,
}

impl Class for TimestampRouter {
    const NAME: &'static str = "TimestampRouter";
    const DOC: &'static str =
        "Update the record's topic field as a function of the original topic value and the record timestamp.";
    const CONFIG: &'static [Definition] = TIMESTAMP;
    const LOOKS: bool = false;

    fn new(_part: Part, settings: Settings, _formats: Formats) -> Result<Self, Problems> {
        let topic_format = settings.text("topic.format").unwrap_or_else(|| "${topic}-${timestamp}".to_owned());
        let pattern = settings.text("timestamp.format").unwrap_or_else(|| "yyyyMMdd".to_owned());
        settings.finish(Self { topic_format, format: dates::Format::new(&pattern) })
    }

    fn apply<R: Record>(&mut self, record: &mut R) -> Result<bool, Fault> {
        let Some(timestamp) = record.timestamp() else {
            return Err(Fault::data(format!("Timestamp missing on record of topic {}", record.topic())));
        };
        // Kafka Connect looks at the pattern with the first record, not before.
        let format = self.format.as_ref();
        let format = format.map_err(|why| Fault { code: "transform.argument", message: why.clone() })?;
        // One after the other, as Kafka Connect does: a topic that is named `${timestamp}` is expanded too.
        let named = self.topic_format.replace("${topic}", record.topic());
        record.set_topic(&named.replace("${timestamp}", &format.print(timestamp)));
        Ok(true)
    }
}

/// Drops every record that gets to it.
#[derive(Debug)]
pub struct Filter;

impl Class for Filter {
    const NAME: &'static str = "Filter";
    const DOC: &'static str = "Drops all records, filtering them from subsequent transformations in the chain. Meant to be used with a predicate.";
    const CONFIG: &'static [Definition] = &[];
    const LOOKS: bool = false;

    fn new(_part: Part, _settings: Settings, _formats: Formats) -> Result<Self, Problems> {
        Ok(Self)
    }

    fn apply<R: Record>(&mut self, _record: &mut R) -> Result<bool, Fault> {
        Ok(false)
    }
}

#[cfg(test)]
mod tests;
