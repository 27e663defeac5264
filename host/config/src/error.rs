//! What is wrong with a configuration, all of it at once.
//!
//! Enters: findings. Leaves: texts in Kafka Connect's patterns, with what is allowed and the nearest known key. Invariant:
//! the value of a password never stands in a text.

use std::fmt;

use crate::hidden::Hidden;

/// Shown instead of a secret.
pub const HIDDEN: &str = "[hidden]";

/// A text whose URLs name nobody: `http://user:password@host` becomes `http://[hidden]@host` (RFC 3986, 3.2.1).
fn without_logins(text: &str) -> String {
    let mut parts = text.split("://");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let authority = part.find(['/', '?', '#', ',', ' ']).map_or(part, |end| &part[..end]);
        out.push_str("://");
        match authority.rfind('@') {
            Some(at) => {
                out.push_str(HIDDEN);
                out.push_str(&part[at..]);
            }
            None => out.push_str(part),
        }
    }
    out
}

/// One problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The key it is about; empty if it is about the whole configuration.
    pub key: String,
    /// The value as given, [`HIDDEN`] for secrets; `None` if there was none.
    pub value: Option<String>,
    /// Kafka Connect's text where it has one.
    pub message: String,
    /// What would be accepted, if that can be said.
    pub allowed: Option<String>,
    /// A key that looks like the one that was meant.
    pub nearest: Option<String>,
}

impl ConfigError {
    /// `Invalid value V for configuration K: reason`.
    pub fn invalid(key: &str, value: Option<&str>, reason: impl fmt::Display) -> Self {
        let value = value.map(without_logins);
        let shown = value.as_deref().unwrap_or("null");
        let message = format!("Invalid value {shown} for configuration {key}: {reason}");
        Self { value, ..Self::new(key, message) }
    }

    /// `Missing required configuration "K" which has no default value.`
    pub fn missing(key: &str) -> Self {
        Self::new(key, format!("Missing required configuration \"{key}\" which has no default value."))
    }

    /// A text of its own.
    pub fn new(key: &str, message: impl Into<String>) -> Self {
        Self { key: key.to_owned(), value: None, message: message.into(), allowed: None, nearest: None }
    }

    /// Adds what would be accepted.
    #[must_use]
    pub fn allowing(mut self, allowed: Option<String>) -> Self {
        self.allowed = allowed;
        self
    }

    /// Without values that must not be seen.
    #[must_use]
    pub fn scrubbed(mut self, hidden: &Hidden) -> Self {
        self.message = hidden.scrub(&self.message).into_owned();
        self.value = self.value.map(|value| hidden.scrub(&value).into_owned());
        self
    }

    /// Adds the key that was probably meant.
    #[must_use]
    pub fn near(mut self, nearest: Option<&str>) -> Self {
        self.nearest = nearest.map(str::to_owned);
        self
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(allowed) = &self.allowed {
            write!(f, " (allowed: {allowed})")?;
        }
        if let Some(nearest) = &self.nearest {
            write!(f, " (there is `{nearest}`; did you mean that?)")?;
        }
        Ok(())
    }
}

/// All problems of one configuration; never empty. Code `config.invalid`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ConfigErrors(pub Vec<ConfigError>);

impl ConfigErrors {
    /// `Ok` if there is nothing to report.
    pub fn check(errors: Vec<ConfigError>) -> Result<(), Self> {
        if errors.is_empty() { Ok(()) } else { Err(Self(errors)) }
    }

    /// Dotted and stable.
    pub const fn code(&self) -> &'static str {
        "config.invalid"
    }

    /// The text that Kafka Connect answers to POST and PUT with.
    pub fn connect_message(&self) -> String {
        connect_message(self.0.iter().map(|e| e.message.as_str()))
    }
}

/// Kafka Connect's text about an invalid configuration, from its error messages in order.
pub fn connect_message<'a>(messages: impl ExactSizeIterator<Item = &'a str>) -> String {
    let mut text =
        format!("Connector configuration is invalid and contains the following {} error(s):", messages.len());
    for message in messages {
        text.push('\n');
        text.push_str(message);
    }
    text.push_str("\nYou can also find the above list of errors at the endpoint ");
    text.push_str("`/connector-plugins/{connectorType}/config/validate`");
    text
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the configuration has {} error(s):", self.0.len())?;
        self.0.iter().try_for_each(|error| write!(f, "\n  {error}"))
    }
}

/// Something that is accepted but will not do what its author may think.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The key.
    pub key: String,
    /// Why it has no effect, and what to do.
    pub message: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_that_is_refused_is_shown_without_its_login() {
        let shown = |value| ConfigError::invalid("url", Some(value), "no").message;
        let urls = "http://ann:p@ss@a.example:1/x@y,https://b.example,c@d http://e@f?g";
        let clean = "http://[hidden]@a.example:1/x@y,https://b.example,c@d http://[hidden]@f?g";
        assert_eq!(shown(urls), format!("Invalid value {clean} for configuration url: no"));
        assert_eq!(shown("me@home"), "Invalid value me@home for configuration url: no");
    }
}
