//! Settings of transforms and predicates: what there is, and reading them.
//!
//! Enters: keys and values as the user wrote them. Leaves: typed values and every problem at once. Invariant: the rules of
//! text are Kafka Connect's: strings are trimmed, lists split at commas, booleans in any case, unknown keys ignored.

use std::collections::HashMap;

/// Type of a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// true or false
    Boolean,
    /// Text.
    Text,
    /// A whole number of 32 bits.
    Int,
    /// A whole number of 64 bits.
    Long,
    /// Text that is masked wherever it is shown.
    Password,
    /// Comma-separated.
    List,
}

/// How much a user should care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Importance {
    /// HIGH
    High,
    /// MEDIUM
    Medium,
    /// LOW
    Low,
}

/// What the host checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Constraint {
    /// Nothing.
    Any,
    /// Not empty.
    NonEmpty,
    /// One of these.
    OneOf(&'static [&'static str]),
    /// A number not below this.
    AtLeast(u32),
}

/// One setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Definition {
    /// Key.
    pub name: &'static str,
    /// Type.
    pub of: Of,
    /// There is no default.
    pub required: bool,
    /// Default, none = null.
    pub default: Option<&'static str>,
    /// Constraint.
    pub constraint: Constraint,
    /// Importance.
    pub importance: Importance,
    /// One or two sentences.
    pub documentation: &'static str,
}

impl Definition {
    /// A setting without a default.
    pub const fn required(name: &'static str, of: Of, importance: Importance, documentation: &'static str) -> Self {
        Self { name, of, required: true, default: None, constraint: Constraint::Any, importance, documentation }
    }

    /// A setting with a default.
    pub const fn optional(
        name: &'static str,
        of: Of,
        default: Option<&'static str>,
        importance: Importance,
        documentation: &'static str,
    ) -> Self {
        Self { name, of, required: false, default, constraint: Constraint::Any, importance, documentation }
    }

    /// Not empty.
    #[must_use]
    pub const fn non_empty(mut self) -> Self {
        self.constraint = Constraint::NonEmpty;
        self
    }

    /// A number not below this.
    #[must_use]
    pub const fn at_least(mut self, low: u32) -> Self {
        self.constraint = Constraint::AtLeast(low);
        self
    }

    /// One of these.
    #[must_use]
    pub const fn one_of(mut self, values: &'static [&'static str]) -> Self {
        self.constraint = Constraint::OneOf(values);
        self
    }
}

/// `replace.null.with.default`, the same for all that have it.
pub const REPLACE_NULL: Definition = Definition::optional(
    "replace.null.with.default",
    Of::Boolean,
    Some("true"),
    Importance::Medium,
    "Whether fields that are null and have a default value in their schema are replaced by that default.",
);

/// Reads settings and gathers problems.
#[derive(Debug, Default)]
pub struct Settings {
    map: HashMap<String, String>,
    problems: Vec<(String, String)>,
}

/// The problem of a setting that must be given and was not: the host finds it as well.
pub const MISSING: &str = "Missing required configuration which has no default value.";

/// Key and problem, for each setting that cannot be accepted.
pub type Problems = Vec<(String, String)>;

impl Settings {
    /// From pairs, the last of a repeated key wins.
    pub fn new(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { map: pairs.into_iter().collect(), problems: Vec::new() }
    }

    /// Notes a problem.
    pub fn problem(&mut self, key: &str, problem: impl Into<String>) {
        self.problems.push((key.to_owned(), problem.into()));
    }

    /// Trimmed text.
    pub fn text(&self, key: &str) -> Option<String> {
        self.map.get(key).map(|v| v.trim().to_owned())
    }

    /// Text as it was written, blanks included: for secrets.
    pub fn raw(&self, key: &str) -> Option<String> {
        self.map.get(key).cloned()
    }

    /// Text that must be given.
    pub fn required(&mut self, key: &str) -> String {
        self.text(key).unwrap_or_else(|| {
            self.problem(key, MISSING);
            String::new()
        })
    }

    /// Text that must not be empty.
    pub fn required_non_empty(&mut self, key: &str) -> String {
        let text = self.required(key);
        if text.is_empty() && self.map.contains_key(key) {
            self.problem(key, "String must be non-empty");
        }
        text
    }

    /// A boolean.
    pub fn boolean(&mut self, key: &str, default: bool) -> bool {
        match self.text(key) {
            None => default,
            Some(text) if text.eq_ignore_ascii_case("true") => true,
            Some(text) if text.eq_ignore_ascii_case("false") => false,
            Some(_) => {
                self.problem(key, "Expected value to be either true or false");
                default
            }
        }
    }

    /// A whole number of 32 bits.
    pub fn int(&mut self, key: &str) -> Option<i32> {
        let text = self.text(key)?;
        let parsed = text.parse().ok();
        if parsed.is_none() {
            self.problem(key, "Not a number of type INT");
        }
        parsed
    }

    /// A number of 64 bits, not below `low`; `default` without one.
    pub fn count(&mut self, key: &str, default: u64, low: u64) -> u64 {
        let Some(text) = self.text(key) else { return default };
        let parsed = text.parse().ok().filter(|n| *n >= low);
        if parsed.is_none() {
            self.problem(key, format!("Invalid value {text} for configuration {key}: Value must be at least {low}"));
        }
        parsed.unwrap_or(default)
    }

    /// Text that is not empty.
    pub fn given(&self, key: &str) -> Option<String> {
        self.text(key).filter(|text| !text.is_empty())
    }

    /// One of these in any case, as written here; the first without a value.
    pub fn choice(&mut self, key: &str, allowed: &[&'static str]) -> &'static str {
        let first = allowed.first().copied().unwrap_or_default();
        let Some(text) = self.given(key) else { return first };
        let found = allowed.iter().find(|choice| choice.eq_ignore_ascii_case(&text));
        if found.is_none() {
            self.problem(key, format!("`{text}` is not one of {}", allowed.join(", ")));
        }
        found.copied().unwrap_or(first)
    }

    /// A list, as written.
    pub fn list(&self, key: &str) -> Vec<String> {
        match self.text(key) {
            Some(text) if !text.is_empty() => text.split(',').map(|item| item.trim().to_owned()).collect(),
            _ => Vec::new(),
        }
    }

    /// A list without repeats; empty elements are refused.
    pub fn names(&mut self, key: &str) -> Vec<String> {
        let mut names = Vec::new();
        for name in self.list(key) {
            if name.is_empty() {
                self.problem(key, "Configuration values must not be empty.");
            } else if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// A list that must be given, with at least one entry.
    pub fn required_names(&mut self, key: &str) -> Vec<String> {
        let names = self.names(key);
        self.check_list(key, names.is_empty());
        names
    }

    /// A list that must be given, repeats kept.
    pub fn required_list(&mut self, key: &str) -> Vec<String> {
        let list = self.list(key);
        self.check_list(key, list.is_empty());
        list
    }

    fn check_list(&mut self, key: &str, empty: bool) {
        if !self.map.contains_key(key) {
            self.problem(key, MISSING);
        } else if empty {
            self.problem(key, "Empty list");
        }
    }

    /// The value, if there was no problem.
    pub fn finish<T>(self, value: T) -> Result<T, Problems> {
        if self.problems.is_empty() { Ok(value) } else { Err(self.problems) }
    }
}
