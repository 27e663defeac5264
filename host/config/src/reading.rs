//! One value against one definition: the only place where a text becomes a typed setting.
//!
//! Enters: definitions and a raw configuration. Leaves: [`Checked`] values with Kafka's error texts, or typed settings.
//! Invariant: validation and [`crate::ConnectorSpec`] get the same values and the same errors, because both read here.

use indexmap::IndexMap;
use lockgate_model::package::{ConfigType, Constraint};

use crate::RawConfig;
use crate::definitions::{Known, Rule};
use crate::error::{ConfigError, HIDDEN};
use crate::names;
use crate::value::{self, Value};

/// One key after its check.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    /// What it was read as; `None` = null, absent without default, or not parsable.
    pub value: Option<Value>,
    /// What is wrong.
    pub errors: Vec<ConfigError>,
}

/// The keys of some definitions, read from one configuration.
#[derive(Clone, Debug, Default)]
pub struct Settings(IndexMap<String, Checked>);

impl Settings {
    /// Reads all keys; nothing is refused yet.
    pub fn read<'a>(known: impl IntoIterator<Item = &'a Known>, raw: &RawConfig) -> Self {
        let checked = known.into_iter().map(|known| {
            let name = &known.definition.name;
            (name.clone(), check(known, raw.get(name)))
        });
        Self(checked.collect())
    }

    /// Everything that was read.
    pub const fn all(&self) -> &IndexMap<String, Checked> {
        &self.0
    }

    /// All errors, in the order of definition.
    pub fn errors(&self) -> impl Iterator<Item = &ConfigError> {
        self.0.values().flat_map(|checked| &checked.errors)
    }

    /// Reads one more key.
    pub fn add(&mut self, known: &Known, raw: &RawConfig) {
        let name = &known.definition.name;
        self.0.insert(name.clone(), check(known, raw.get(name)));
    }

    /// Adds an error that only several keys together show.
    pub fn blame(&mut self, key: &str, error: ConfigError) {
        let nothing = Checked { value: None, errors: Vec::new() };
        self.0.entry(key.to_owned()).or_insert(nothing).errors.push(error);
    }

    /// Adds an error that leaves no value, as one that could not be parsed.
    pub fn refuse(&mut self, key: &str, error: ConfigError) {
        self.blame(key, error);
        self.forget(key);
    }

    /// Takes a value away; its errors stay.
    pub fn forget(&mut self, key: &str) {
        if let Some(checked) = self.0.get_mut(key) {
            checked.value = None;
        }
    }

    /// Reads a key as if it were absent; its errors stay.
    pub fn fill(&mut self, known: &Known) {
        let name = &known.definition.name;
        let errors = self.0.get(name).map_or_else(Vec::new, |checked| checked.errors.clone());
        let value = check(known, None).value;
        self.0.insert(name.clone(), Checked { value, errors });
    }

    /// A text; `None` = null.
    pub fn text(&self, key: &str) -> Option<&str> {
        match self.value(key) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// A text that is not empty.
    pub fn filled(&self, key: &str) -> Option<&str> {
        self.text(key).filter(|text| !text.is_empty())
    }

    /// A list; null and what could not be read are empty.
    pub fn list(&self, key: &str) -> &[String] {
        match self.value(key) {
            Some(Value::List(items)) => items,
            _ => &[],
        }
    }

    /// A switch; null and what could not be read are off.
    pub fn flag(&self, key: &str) -> bool {
        matches!(self.value(key), Some(Value::Bool(true)))
    }

    /// A whole number.
    pub fn number(&self, key: &str) -> Option<i64> {
        match self.value(key) {
            Some(Value::Int(number)) => Some(*number),
            _ => None,
        }
    }

    /// A whole number that fits; null, what could not be read and what does not fit is zero (and has been reported).
    pub fn fits<T: TryFrom<i64> + Default>(&self, key: &str) -> T {
        self.number(key).and_then(|number| T::try_from(number).ok()).unwrap_or_default()
    }

    fn value(&self, key: &str) -> Option<&Value> {
        self.0.get(key).and_then(|checked| checked.value.as_ref())
    }
}

/// Checks one value: `None` = the key is absent, `Some(None)` = null.
pub fn check(known: &Known, given: Option<&Option<String>>) -> Checked {
    let definition = &known.definition;
    let name = &definition.name;
    let text = match given {
        Some(Some(text)) => Some(text.as_str()),
        Some(None) => None,
        None if definition.required => return Checked { value: None, errors: vec![ConfigError::missing(name)] },
        None => definition.default_value.as_deref(),
    };
    let mut errors = Vec::new();
    let value = text.and_then(|text| match value::parse(definition.config_type, text) {
        Ok(value) => Some(value),
        Err(reason) => {
            errors.push(invalid(known, Some(text), &reason));
            None
        }
    });
    let constrained = constrain(known, value.as_ref(), given.is_some());
    if let Err(reason) = constrained {
        let shown = value.as_ref().map(value::render_in_error);
        // Kafka's validator of lists words the whole message itself.
        errors.push(match known.rule {
            Rule::Unique => ConfigError::new(name, reason).allowing(allowed(known)),
            _ => invalid(known, shown.as_deref(), &reason),
        });
    }
    Checked { value, errors }
}

fn invalid(known: &Known, value: Option<&str>, reason: &str) -> ConfigError {
    let secret = known.definition.config_type == ConfigType::Password;
    let value = value.map(|value| if secret { HIDDEN } else { value });
    ConfigError::invalid(&known.definition.name, value, reason).allowing(allowed(known))
}

fn constrain(known: &Known, value: Option<&Value>, was_given: bool) -> Result<(), String> {
    let number = match value {
        Some(Value::Int(number)) => Some(precise(*number)),
        Some(Value::Double(number)) => Some(*number),
        _ => None,
    };
    match (&known.definition.constraint, value) {
        // Kafka's ranges look at what could not be read, too; a plugin's own say it once.
        (Constraint::Between(..), None) if was_given && known.echoes => {
            return Err("Value must be non-null".to_owned());
        }
        (Constraint::Between(min, max), Some(_)) => between(number, *min, *max)?,
        (Constraint::NonEmpty, Some(Value::Text(text))) if text.is_empty() => {
            return Err("String must be non-empty".to_owned());
        }
        (Constraint::NonEmpty, Some(Value::List(items))) if items.is_empty() => {
            return Err("List must have at least one entry".to_owned());
        }
        (Constraint::OneOf(allowed), Some(value)) => one_of(allowed, value, known.rule == Rule::AnyCase)?,
        _ => {}
    }
    value.map_or(Ok(()), |value| obey(known.rule, &known.definition.name, value))
}

/// Settings are far below 2^53, so nothing is lost where it matters.
#[allow(clippy::cast_precision_loss)]
const fn precise(number: i64) -> f64 {
    number as f64
}

fn between(number: Option<f64>, min: Option<f64>, max: Option<f64>) -> Result<(), String> {
    let Some(number) = number else { return Ok(()) };
    if let Some(min) = min.filter(|min| number < *min) {
        return Err(format!("Value must be at least {min}"));
    }
    if let Some(max) = max.filter(|max| number > *max) {
        return Err(format!("Value must be no more than {max}"));
    }
    Ok(())
}

fn one_of(allowed: &[String], value: &Value, any_case: bool) -> Result<(), String> {
    let is_allowed = |item: &str| allowed.iter().any(|a| a == item || (any_case && a.eq_ignore_ascii_case(item)));
    let fine = match value {
        Value::List(items) => items.iter().all(|item| is_allowed(item)),
        other => is_allowed(&value::render(other)),
    };
    let suffix = if any_case { " (case insensitive)" } else { "" };
    if fine { Ok(()) } else { Err(format!("String must be one of{suffix}: {}", allowed.join(", "))) }
}

fn obey(rule: Rule, name: &str, value: &Value) -> Result<(), String> {
    match (rule, value) {
        (Rule::Name, Value::Text(text)) => names::check(text),
        (Rule::Unique, Value::List(items)) => {
            let twice = items.iter().enumerate().any(|(at, item)| items[..at].contains(item));
            if twice { Err(format!("Configuration '{name}' values must not be duplicated.")) } else { Ok(()) }
        }
        (Rule::Aliases, Value::List(items)) => {
            let twice = items.iter().enumerate().any(|(at, item)| items[..at].contains(item));
            if twice { Err("Duplicate alias provided.".to_owned()) } else { Ok(()) }
        }
        (Rule::BrokerDefaultOrPositive, Value::Int(number)) if *number != -1 && *number < 1 => {
            Err("Value must be at least 1, or -1 to use the broker's default".to_owned())
        }
        (Rule::Regex, Value::Text(text)) => regex(text).map(drop),
        (Rule::RegexList, Value::List(items)) => items.iter().try_for_each(|item| regex(item).map(drop)),
        _ => Ok(()),
    }
}

/// A pattern that must match a whole topic name, as `java.util.regex.Matcher#matches` does.
pub fn regex(pattern: &str) -> Result<fancy_regex::Regex, String> {
    let whole = format!("^(?:{pattern})$");
    fancy_regex::RegexBuilder::new(&whole).backtrack_limit(BACKTRACK_MAX).build().map_err(|e| {
        // Positions in the text count from the beginning of what the user wrote.
        let own = fancy_regex::Regex::new(pattern).err();
        format!("Invalid regex: {}", own.unwrap_or(e))
    })
}

/// Steps of one match at most; a topic name has at most 249 bytes.
const BACKTRACK_MAX: usize = 100_000;

/// What a definition accepts, for people; `None` where that is anything of its type.
pub fn allowed(known: &Known) -> Option<String> {
    match (&known.definition.constraint, known.rule, known.definition.config_type) {
        (Constraint::OneOf(values), ..) => Some(values.join(", ")),
        (Constraint::Between(Some(min), Some(max)), ..) => Some(format!("{min} to {max}")),
        (Constraint::Between(Some(min), None), ..) => Some(format!("{min} or more")),
        (Constraint::Between(None, Some(max)), ..) => Some(format!("{max} or less")),
        (_, Rule::BrokerDefaultOrPositive, _) => Some("-1, or 1 or more".to_owned()),
        (_, Rule::Unique | Rule::Aliases, _) => Some("a list without duplicates".to_owned()),
        (_, Rule::Regex, _) => Some("a regular expression".to_owned()),
        (_, Rule::RegexList, _) => Some("a list of regular expressions".to_owned()),
        (_, Rule::Name, _) => Some("text without control characters".to_owned()),
        (Constraint::NonEmpty, ..) => Some("not empty".to_owned()),
        (_, _, ConfigType::Boolean) => Some("true, false".to_owned()),
        _ => None,
    }
}
