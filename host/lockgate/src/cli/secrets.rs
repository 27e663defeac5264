//! What is not shown on a screen.
//!
//! Enters: a setting of a connector. Leaves: its value, or stars. Invariant: the value of a key that its plugin calls a
//! password, or whose name says so, is never printed in a table or a difference; a placeholder is no secret, it stays.

use std::collections::{HashMap, HashSet};

use super::failure::Failure;
use super::remote::{Remote, encode};

/// What stands for a value.
pub const MASK: &str = "********";

/// Words in the name of a key that hold secrets, compared in lower case.
const WORDS: [&str; 12] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "credential",
    "jaas",
    "apikey",
    "api.key",
    "access.key",
    "private.key",
    "authorization",
];

/// Keys that plugins define as passwords, by class, asked for once.
#[derive(Debug, Default)]
pub struct Secrets {
    classes: HashMap<String, HashSet<String>>,
}

impl Secrets {
    /// The value of a key of a connector of this class, if it may be seen.
    pub fn shown<'a>(&mut self, remote: &Remote, class: &str, key: &str, value: &'a str) -> Result<&'a str, Failure> {
        if is_placeholder(value) {
            return Ok(value);
        }
        let hidden = says_secret(key) || self.of(remote, class)?.contains(key);
        Ok(if hidden { MASK } else { value })
    }

    fn of(&mut self, remote: &Remote, class: &str) -> Result<&HashSet<String>, Failure> {
        if !self.classes.contains_key(class) {
            let keys = passwords(remote, class)?;
            self.classes.insert(class.to_owned(), keys);
        }
        Ok(&self.classes[class])
    }
}

/// Nothing for a class that is not installed: it has no definitions.
fn passwords(remote: &Remote, class: &str) -> Result<HashSet<String>, Failure> {
    if class.is_empty() {
        return Ok(HashSet::new());
    }
    let Some(answer) = remote.find(&format!("/connector-plugins/{}/config", encode(class)))? else {
        return Ok(HashSet::new());
    };
    let keys = answer.json()?;
    let keys = keys.as_array().into_iter().flatten().filter(|key| key["type"] == "PASSWORD");
    Ok(keys.filter_map(|key| key["name"].as_str()).map(str::to_owned).collect())
}

fn says_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    WORDS.iter().any(|word| key.contains(word))
}

/// True for `${provider:path:key}` and nothing else beside it.
fn is_placeholder(value: &str) -> bool {
    let inner = value.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    inner.is_some_and(|inner| !inner.contains(['{', '}']) && inner.contains(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_say_so_are_secrets_and_placeholders_are_not() {
        for key in
            ["database.password", "producer.override.sasl.jaas.config", "http.headers.Authorization", "s3.secret"]
        {
            assert!(says_secret(key), "{key}");
        }
        assert!(!says_secret("topics") && !says_secret("key.converter"));
        assert!(is_placeholder("${file:/etc/secrets:db}") && is_placeholder("${env:KEY}"));
        assert!(!is_placeholder("x${env:KEY}") && !is_placeholder("${env:A}pw${env:B}") && !is_placeholder("${pw}"));
    }
}
