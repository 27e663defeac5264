//! Values that must not be seen: what references were resolved to.
//!
//! Enters: references with their values. Leaves: texts in which the values are [`HIDDEN`], configurations in which they are
//! references again. Invariant: a value of at least [`HIDDEN_BYTES_MIN`] bytes does not get through; shorter ones, switches and
//! small numbers would blot out ordinary words.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use indexmap::{IndexMap, IndexSet};

use crate::RawConfig;
use crate::error::HIDDEN;

/// Bytes of a value from which on it is looked for in texts.
pub const HIDDEN_BYTES_MIN: usize = 4;
/// Values that a worker looks for in its own log at most; the oldest go first.
pub const SECRETS_MAX: usize = 4_096;

/// The values behind the references of one configuration.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Hidden {
    /// Reference (`${file:/x:key}`) and value; longest value first.
    pairs: Vec<(String, String)>,
    /// Every form in which a value may stand in a text; longest first.
    forms: Vec<String>,
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.pairs.iter().map(|(reference, _)| reference)).finish()
    }
}

impl Hidden {
    /// From references and their values.
    pub fn new(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut pairs: Vec<(String, String)> = pairs.into_iter().collect();
        pairs.sort_by(|a, b| b.1.len().cmp(&a.1.len()).then_with(|| a.cmp(b)));
        pairs.dedup();
        let mut hidden = Self { pairs: Vec::new(), forms: Vec::new() };
        for (_, value) in &pairs {
            hidden.hide(value);
        }
        Self { pairs, ..hidden }
    }

    /// Looks for one more value, which no reference stands for: a password that was written out.
    pub fn hide(&mut self, value: &str) {
        self.forms.extend(forms(value));
        self.forms.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        self.forms.dedup();
    }

    /// Puts both together.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let mut both = Self::new(self.pairs.iter().chain(&other.pairs).cloned());
        for form in self.forms.iter().chain(&other.forms) {
            both.hide(form);
        }
        both
    }

    /// The text without the values.
    pub fn scrub<'a>(&self, text: &'a str) -> Cow<'a, str> {
        scrub(self.forms.iter().map(String::as_str), text)
    }

    /// Puts references back into a configuration that was made from the resolved one: a key whose raw value held a
    /// reference gets that value back (as in Kafka Connect), and a value that was built from a resolved one gets the
    /// reference in its place, so that what is stored never holds the value.
    pub fn restore(&self, raw: &RawConfig, made: &mut IndexMap<String, String>) {
        for (key, value) in made {
            match raw.get(key) {
                Some(Some(text)) if self.pairs.iter().any(|(reference, _)| text.contains(reference.as_str())) => {
                    value.clone_from(text);
                }
                _ => {
                    for (reference, secret) in self.pairs.iter().filter(|(_, s)| s.len() >= RESTORED_BYTES_MIN) {
                        if value.contains(secret.as_str()) {
                            *value = value.replace(secret.as_str(), reference);
                        }
                    }
                }
            }
        }
    }

    /// True if both would resolve to the same.
    pub fn same_values(&self, other: &Self) -> bool {
        self.pairs == other.pairs
    }

    fn values(&self) -> impl Iterator<Item = &String> {
        self.forms.iter()
    }
}

/// Bytes of a value from which on a reference takes its place where a plugin used it under another key. A shorter one may
/// stand there by chance.
const RESTORED_BYTES_MIN: usize = 6;

/// A value, as it may stand in a text: itself, escaped, and the longer lines of a text of several lines.
fn forms(value: &str) -> Vec<String> {
    let trimmed = value.trim();
    let mut forms = vec![trimmed.to_owned(), trimmed.escape_debug().to_string()];
    if trimmed.contains('\n') {
        forms.extend(trimmed.lines().map(|line| line.trim().to_owned()).filter(|line| line.len() >= LINE_BYTES_MIN));
    }
    forms.retain(|form| form.len() >= HIDDEN_BYTES_MIN && !is_ordinary(form));
    forms
}

/// A switch or a small number: it stands in every second line, and hiding it would hide what is said.
fn is_ordinary(value: &str) -> bool {
    matches!(value, "true" | "false" | "none" | "null")
        || (value.len() < 6 && value.bytes().all(|b| b.is_ascii_digit()))
}

/// Bytes of a line of a secret of several lines from which on the line alone is a secret.
const LINE_BYTES_MIN: usize = 8;

fn scrub<'v, 'a>(values: impl Iterator<Item = &'v str>, text: &'a str) -> Cow<'a, str> {
    let mut text = Cow::Borrowed(text);
    for value in values {
        if text.contains(value) {
            text = Cow::Owned(text.replace(value, HIDDEN));
        }
    }
    text
}

/// All values that a worker has resolved, shared by all its parts; for its own log.
#[derive(Clone, Default)]
pub struct Secrets(Arc<RwLock<IndexSet<String>>>);

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets([hidden])")
    }
}

impl Secrets {
    /// Remembers values. At most [`SECRETS_MAX`]: the oldest are forgotten first.
    pub fn add(&self, hidden: &Hidden) {
        let is_known = |known: &IndexSet<String>| hidden.values().all(|value| known.contains(value));
        if is_known(&self.0.read().unwrap_or_else(PoisonError::into_inner)) {
            return;
        }
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.extend(hidden.values().cloned());
        while known.len() > SECRETS_MAX {
            known.shift_remove_index(0);
        }
    }

    /// The text without them.
    pub fn scrub<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        scrub(known.iter().map(String::as_str), text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hidden(pairs: &[(&str, &str)]) -> Hidden {
        Hidden::new(pairs.iter().map(|(r, v)| ((*r).to_owned(), (*v).to_owned())))
    }

    #[test]
    fn values_are_hidden_whole_escaped_and_line_by_line() {
        let hidden =
            hidden(&[("${a:b}", "hunter2"), ("${a:c}", "hunter2-long"), ("${a:d}", "first line\nsecond line\n")]);
        assert_eq!(hidden.scrub("no hunter2-long, hunter2!"), "no [hidden], [hidden]!");
        assert_eq!(hidden.scrub("first line\\nsecond line"), "[hidden]");
        assert_eq!(hidden.scrub("it said second line"), "it said [hidden]");
        assert_eq!(hidden.scrub("nothing of it"), "nothing of it");
        assert_eq!(Hidden::new([("${e:T}".to_owned(), "true".to_owned())]).scrub("it is true"), "it is true");
        assert!(!format!("{hidden:?}").contains("hunter2"));
    }

    #[test]
    fn what_a_plugin_built_from_a_value_is_stored_with_the_reference() {
        let hidden = hidden(&[("${file:/x:pw}", "hunter2"), ("${env:N}", "1")]);
        let raw: RawConfig = [("password", "${file:/x:pw}"), ("tasks.max", "${env:N}")]
            .map(|(k, v)| (k.to_owned(), Some(v.to_owned())))
            .into();
        let made = [("password", "hunter2"), ("url", "jdbc://me:hunter2@db1"), ("tasks.max", "1"), ("id", "1")];
        let mut made = IndexMap::from(made.map(|(k, v)| (k.to_owned(), v.to_owned())));
        hidden.restore(&raw, &mut made);
        let expected = [
            ("password", "${file:/x:pw}"),
            ("url", "jdbc://me:${file:/x:pw}@db1"),
            ("tasks.max", "${env:N}"),
            ("id", "1"),
        ];
        assert_eq!(made, IndexMap::from(expected.map(|(k, v)| (k.to_owned(), v.to_owned()))));
    }

    #[test]
    fn a_worker_remembers_the_newest_values_up_to_its_bound() {
        let secrets = Secrets::default();
        for n in 0..=SECRETS_MAX {
            secrets.add(&hidden(&[("${a:b}", &format!("value-{n:06}"))]));
        }
        assert_eq!(secrets.scrub("value-000000 value-000001 value-004096"), "value-000000 [hidden] [hidden]");
    }
}
