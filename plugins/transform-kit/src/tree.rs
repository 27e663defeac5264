//! JSON schemas as a tree that can be edited.
//!
//! Enters: schema text from the host. Leaves: schema text again, keys in their order. Invariant: what is not edited keeps
//! its text.

use crate::scan::{Malformed, Members, blank_end, elements, quoted, value_end};

/// A JSON value whose scalars stay text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tree {
    /// A scalar, as written.
    Raw(String),
    /// An object, in order.
    Object(Vec<(String, Tree)>),
    /// An array.
    Array(Vec<Tree>),
}

impl Tree {
    /// Reads a text.
    pub fn parse(text: &[u8]) -> Result<Self, Malformed> {
        let at = blank_end(text, 0);
        let text = &text[at..value_end(text, at)?];
        Ok(match text.first() {
            Some(b'{') => {
                let mut members = Members::new(text)?;
                let mut fields = Vec::new();
                while let Some(member) = members.advance()? {
                    fields.push((member.name(text).into_owned(), Self::parse(&text[member.value..member.end])?));
                }
                Self::Object(fields)
            }
            Some(b'[') => {
                let items = elements(text)?.into_iter().map(|(from, to)| Self::parse(&text[from..to]));
                Self::Array(items.collect::<Result<_, _>>()?)
            }
            _ => Self::Raw(String::from_utf8_lossy(text).into_owned()),
        })
    }

    /// A string.
    pub fn string(text: &str) -> Self {
        Self::Raw(quoted(text))
    }

    /// A boolean.
    pub fn boolean(value: bool) -> Self {
        Self::Raw(value.to_string())
    }

    /// `{"type":...,"optional":...}`
    pub fn scalar(of: &str, optional: bool) -> Self {
        Self::Object(vec![("type".to_owned(), Self::string(of)), ("optional".to_owned(), Self::boolean(optional))])
    }

    /// A required struct of these fields, each with its `field` key.
    pub fn record(fields: Vec<Self>) -> Self {
        Self::Object(vec![
            ("type".to_owned(), Self::string("struct")),
            ("fields".to_owned(), Self::Array(fields)),
            ("optional".to_owned(), Self::boolean(false)),
        ])
    }

    /// The member of that name.
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(fields) => fields.iter().rev().find(|(k, _)| k == name).map(|(_, v)| v),
            _ => None,
        }
    }

    /// The text of a string member.
    pub fn text(&self, name: &str) -> Option<String> {
        match self.get(name) {
            Some(Self::Raw(raw)) if raw.starts_with('"') => {
                Some(crate::scan::unescape(&raw.as_bytes()[1..raw.len() - 1]).into_owned())
            }
            _ => None,
        }
    }

    /// True if the member is the literal `true`.
    pub fn is_true(&self, name: &str) -> bool {
        matches!(self.get(name), Some(Self::Raw(raw)) if raw == "true")
    }

    /// Sets a member where Kafka would write it: `field` last, `name` and `version` before what follows them.
    pub fn set(&mut self, name: &str, value: Self) {
        const ORDER: [&str; 11] = [
            "type",
            "items",
            "keys",
            "values",
            "fields",
            "optional",
            "name",
            "version",
            "doc",
            "parameters",
            "default",
        ];
        let Self::Object(members) = self else { return };
        if let Some(member) = members.iter_mut().find(|(k, _)| k == name) {
            member.1 = value;
            return;
        }
        let rank = |name: &str| ORDER.iter().position(|k| *k == name).unwrap_or(ORDER.len());
        let place = members.iter().position(|(k, _)| rank(k) > rank(name)).unwrap_or(members.len());
        members.insert(place, (name.to_owned(), value));
    }

    /// Removes a member.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        if let Self::Object(members) = &mut self {
            members.retain(|(k, _)| k != name);
        }
        self
    }

    /// With the name of the struct field that has this schema.
    #[must_use]
    pub fn named(mut self, field: &str) -> Self {
        self = self.without("field");
        self.set("field", Self::string(field));
        self
    }

    /// The text, compact.
    pub fn write(&self) -> String {
        let mut out = String::new();
        self.write_into(&mut out);
        out
    }

    fn write_into(&self, out: &mut String) {
        match self {
            Self::Raw(raw) => out.push_str(raw),
            Self::Object(members) => {
                for (index, (name, value)) in members.iter().enumerate() {
                    out.push(if index == 0 { '{' } else { ',' });
                    out.push_str(&quoted(name));
                    out.push(':');
                    value.write_into(out);
                }
                out.push_str(if members.is_empty() { "{}" } else { "}" });
            }
            Self::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    out.push(if index == 0 { '[' } else { ',' });
                    item.write_into(out);
                }
                out.push_str(if items.is_empty() { "[]" } else { "]" });
            }
        }
    }
}
