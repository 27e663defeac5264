//! Config definitions, and reading settings by them.
//!
//! Enters: definitions that a plugin writes once, and the user's settings as text. Leaves: typed values, with defaults
//! filled in, or every problem at once. Invariant: a value that was read is of its type and inside its constraint.

use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use crate::bindings::plugin::exports::lockgate::connect::plugin as raw;
use crate::fault::{Fault, Problem};
use crate::options::Options;

pub use raw::{ConfigType, Importance, Width};

/// One config key.
#[derive(Clone, Debug)]
pub(crate) struct Key(pub(crate) raw::ConfigDefinition);

/// Config definitions of one plugin, in the order they are shown. Each typed method begins a key; what follows
/// (`required`, `default`, `doc`, ...) belongs to that key.
#[derive(Clone, Debug, Default)]
pub struct Config(pub(crate) Vec<Key>);

macro_rules! key_types {
    ($($(#[$doc:meta])* $method:ident $kind:ident;)*) => {
        $($(#[$doc])*
        #[must_use]
        pub fn $method(self, name: &str) -> Self {
            self.key(name, ConfigType::$kind)
        })*
    };
}

impl Config {
    /// No keys.
    pub fn new() -> Self {
        Self(Vec::new())
    }

    key_types! {
        /// Begins a key that is `true` or `false`.
        boolean Boolean;
        /// Begins a key that is a text.
        string String;
        /// Begins a key that is a 32-bit number.
        int Int;
        /// Begins a key that is a 16-bit number.
        short Short;
        /// Begins a key that is a 64-bit number.
        long Long;
        /// Begins a key that is a floating-point number.
        double Double;
        /// Begins a key that is a list of texts, separated by commas.
        list List;
        /// Begins a key that is the name of a class.
        class Class;
        /// Begins a key that is a secret: masked wherever it is shown.
        password Password;
    }

    fn key(mut self, name: &str, config_type: ConfigType) -> Self {
        self.0.push(Key(raw::ConfigDefinition {
            name: name.to_owned(),
            config_type,
            required: false,
            default_value: None,
            constraint: raw::Constraint::Any,
            importance: Importance::Medium,
            documentation: String::new(),
            group: String::new(),
            display_name: String::new(),
            width: Width::None,
            dependents: Vec::new(),
        }));
        self
    }

    fn last(mut self, change: impl FnOnce(&mut raw::ConfigDefinition)) -> Self {
        if let Some(key) = self.0.last_mut() {
            change(&mut key.0);
        }
        self
    }

    /// The user must give a value.
    #[must_use]
    pub fn required(self) -> Self {
        self.last(|k| (k.required, k.importance) = (true, Importance::High))
    }

    /// The value where the user gives none.
    #[must_use]
    pub fn default(self, value: impl Display) -> Self {
        self.last(|k| k.default_value = Some(value.to_string()))
    }

    /// One or two sentences: meaning, unit, effect.
    #[must_use]
    pub fn doc(self, text: &str) -> Self {
        self.last(|k| text.clone_into(&mut k.documentation))
    }

    /// Not empty: a text with a character, a list with an entry.
    #[must_use]
    pub fn non_empty(self) -> Self {
        self.last(|k| k.constraint = raw::Constraint::NonEmpty)
    }

    /// One of these, exactly.
    #[must_use]
    pub fn one_of(self, allowed: &[&str]) -> Self {
        self.last(|k| k.constraint = raw::Constraint::OneOf(allowed.iter().map(|&a| a.to_owned()).collect()))
    }

    /// A number in this range, both ends included.
    #[must_use]
    pub fn between(self, low: f64, high: f64) -> Self {
        self.last(|k| k.constraint = raw::Constraint::Between((Some(low), Some(high))))
    }

    /// A number not below this.
    #[must_use]
    pub fn at_least(self, low: f64) -> Self {
        self.last(|k| k.constraint = raw::Constraint::Between((Some(low), None)))
    }

    /// How much a user should care; medium without.
    #[must_use]
    pub fn importance(self, importance: Importance) -> Self {
        self.last(|k| k.importance = importance)
    }

    /// Heading under which the key is shown.
    #[must_use]
    pub fn group(self, heading: &str) -> Self {
        self.last(|k| heading.clone_into(&mut k.group))
    }

    /// Name for people.
    #[must_use]
    pub fn display(self, name: &str) -> Self {
        self.last(|k| name.clone_into(&mut k.display_name))
    }

    /// Hint for user interfaces.
    #[must_use]
    pub fn width(self, width: Width) -> Self {
        self.last(|k| k.width = width)
    }

    /// Keys whose validity depends on this one.
    #[must_use]
    pub fn dependents(self, keys: &[&str]) -> Self {
        self.last(|k| k.dependents = keys.iter().map(|&d| d.to_owned()).collect())
    }

    fn definition(&self, name: &str) -> Option<&raw::ConfigDefinition> {
        self.0.iter().map(|k| &k.0).find(|k| k.name == name)
    }
}

/// The user's settings, read by the plugin's definitions. A typed getter collects its problem and goes on with a
/// stand-in, so that [`Settings::finish`] reports all problems at once.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    pairs: Vec<(String, String)>,
    definitions: Config,
    problems: Vec<Problem>,
}

impl Settings {
    /// Settings over definitions.
    pub fn new(pairs: Vec<(String, String)>, definitions: Config) -> Self {
        Self { pairs, definitions, problems: Vec::new() }
    }

    /// What the user wrote for a key.
    pub fn raw(&self, key: &str) -> Option<&str> {
        self.pairs.iter().find(|(k, _)| k == key).map(|(_, v)| v.as_str())
    }

    /// What the user wrote for a key, or its default; none where there is neither.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.raw(key).or_else(|| self.definitions.definition(key)?.default_value.as_deref())
    }

    /// Every setting, also those that no definition names.
    pub fn pairs(&self) -> &[(String, String)] {
        &self.pairs
    }

    /// The definitions that the settings are read by.
    #[cfg(feature = "serde")]
    pub(crate) fn definitions(&self) -> impl Iterator<Item = &raw::ConfigDefinition> {
        self.definitions.0.iter().map(|key| &key.0)
    }

    /// All settings as a struct, or every problem at once.
    ///
    /// # Errors
    /// Of kind config.
    pub fn options<T: Options>(&mut self) -> Result<T, Fault> {
        let options = T::read(self);
        self.finish().map(|()| options)
    }

    /// Reports a problem of the plugin's own.
    pub fn problem(&mut self, key: &str, problem: impl Into<String>) {
        self.problems.push(Problem::new(key, problem));
    }

    /// A text. Missing is a problem.
    pub fn string(&mut self, key: &str) -> String {
        self.parsed(key, "a text")
    }

    /// A text, or none.
    pub fn optional(&self, key: &str) -> Option<String> {
        self.text(key).map(str::to_owned)
    }

    /// `true` or `false`, in any case, as Kafka Connect takes it.
    pub fn boolean(&mut self, key: &str) -> bool {
        let lower = self.text(key).map(|v| v.trim().to_ascii_lowercase());
        match lower.as_deref() {
            Some("true") => true,
            Some("false") => false,
            Some(other) => {
                let problem = format!("`{other}` is neither true nor false");
                self.problem(key, problem);
                false
            }
            None => {
                self.problem(key, "a value is missing; true or false is allowed");
                false
            }
        }
    }

    /// A 32-bit number.
    pub fn int(&mut self, key: &str) -> i32 {
        self.number(key, "a whole number of 32 bits")
    }

    /// A 64-bit number.
    pub fn long(&mut self, key: &str) -> i64 {
        self.number(key, "a whole number of 64 bits")
    }

    /// A number.
    pub fn double(&mut self, key: &str) -> f64 {
        self.number(key, "a number")
    }

    /// A number that is not negative, to count with.
    pub fn count(&mut self, key: &str) -> usize {
        self.number(key, "a whole number, not negative")
    }

    /// A number of milliseconds.
    pub fn millis(&mut self, key: &str) -> Duration {
        Duration::from_millis(self.number(key, "a number of milliseconds, not negative"))
    }

    /// A list; without a value it is empty.
    pub fn list(&self, key: &str) -> Vec<String> {
        let text = self.text(key).unwrap_or_default();
        text.split(',').map(str::trim).filter(|entry| !entry.is_empty()).map(str::to_owned).collect()
    }

    /// One of the texts of its definition's `one_of`.
    pub fn choice(&mut self, key: &str) -> String {
        let value = self.string(key);
        let allowed = match self.definitions.definition(key).map(|d| &d.constraint) {
            Some(raw::Constraint::OneOf(allowed)) if !allowed.contains(&value) => allowed.join(", "),
            _ => return value,
        };
        self.problem(key, format!("`{value}` is not one of {allowed}"));
        value
    }

    /// Ends reading: all problems at once.
    pub fn finish(&mut self) -> Result<(), Fault> {
        if self.problems.is_empty() { Ok(()) } else { Err(Fault::config(std::mem::take(&mut self.problems))) }
    }

    fn parsed<T: FromStr + Default>(&mut self, key: &str, wanted: &str) -> T {
        let Some(text) = self.text(key) else {
            self.problem(key, format!("a value is missing; {wanted} is needed"));
            return T::default();
        };
        if let Ok(value) = text.parse() {
            return value;
        }
        let problem = format!("`{text}` is not {wanted}");
        self.problem(key, problem);
        T::default()
    }

    fn number<T: FromStr + Default + Copy + Display>(&mut self, key: &str, wanted: &str) -> T {
        let before = self.problems.len();
        let value: T = self.parsed(key, wanted);
        if self.problems.len() > before {
            return value;
        }
        let Some(raw::Constraint::Between((low, high))) = self.definitions.definition(key).map(|d| &d.constraint)
        else {
            return value;
        };
        let (low, high) = (*low, *high);
        let as_float: f64 = value.to_string().parse().unwrap_or(f64::NAN);
        if low.is_some_and(|l| as_float < l) || high.is_some_and(|h| as_float > h) {
            let bound = |b: Option<f64>| b.map_or_else(|| "any".to_owned(), |b| b.to_string());
            self.problem(key, format!("{value} is out of range: {} to {} is allowed", bound(low), bound(high)));
        }
        value
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::fault::FaultKind;

    fn settings(pairs: &[(&str, &str)]) -> Settings {
        let config = Config::new()
            .string("file")
            .required()
            .int("batch.size")
            .default(2000)
            .between(1.0, 10_000.0)
            .string("mode")
            .default("one")
            .one_of(&["one", "array"])
            .boolean("flag")
            .default(false)
            .list("names");
        Settings::new(pairs.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect(), config)
    }

    #[test]
    fn defaults_stand_in_for_missing_values() {
        let mut s = settings(&[("file", "/tmp/x"), ("names", "a, b,,c")]);
        assert_eq!(
            (s.string("file").as_str(), s.int("batch.size"), s.choice("mode").as_str()),
            ("/tmp/x", 2000, "one")
        );
        assert_eq!(s.list("names"), ["a", "b", "c"]);
        assert!(!s.boolean("flag"));
        assert_eq!(s.finish(), Ok(()));
    }

    #[test]
    fn all_problems_come_at_once_and_name_key_value_and_what_is_allowed() {
        let mut s = settings(&[("batch.size", "0"), ("mode", "two"), ("flag", "maybe")]);
        let _ = (s.string("file"), s.int("batch.size"), s.choice("mode"), s.boolean("flag"));
        let fault = s.finish().unwrap_err();
        let FaultKind::Config(problems) = fault.kind else { panic!("not a config fault") };
        let texts: Vec<String> = problems.iter().map(|p| format!("{}: {}", p.key, p.problem)).collect();
        assert_eq!(
            texts,
            [
                "file: a value is missing; a text is needed",
                "batch.size: 0 is out of range: 1 to 10000 is allowed",
                "mode: `two` is not one of one, array",
                "flag: `maybe` is neither true nor false",
            ]
        );
    }
}
