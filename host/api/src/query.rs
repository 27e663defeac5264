//! Query strings.
//!
//! Enters: the raw query. Leaves: values by name. Invariant: unknown parameters are ignored, as in Kafka Connect.

use crate::path::decode;

/// Parameters in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Parses; what cannot be decoded is taken as it stands.
    pub fn parse(raw: &str) -> Self {
        let decoded = |text: &str| decode(text, true).unwrap_or_else(|_| text.to_owned());
        let pairs = raw.split('&').filter(|pair| !pair.is_empty());
        Self(
            pairs
                .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
                .map(|(k, v)| (decoded(k), decoded(v)))
                .collect(),
        )
    }

    /// The first value of a parameter.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// `true` in any case is true; anything else is false, as Java parses it. An empty value is the default.
    pub fn flag(&self, name: &str, default: bool) -> bool {
        self.value(name).filter(|value| !value.is_empty()).map_or(default, |value| value.eq_ignore_ascii_case("true"))
    }

    /// True if the parameter has this value, among others.
    pub fn has(&self, name: &str, value: &str) -> bool {
        self.0.iter().any(|(key, given)| key == name && given == value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_javas_and_parameters_may_repeat() {
        let query = Query::parse("expand=info&expand=status&a=TRUE&b=yes&c&tail=%31+");
        assert!(query.has("expand", "info") && query.has("expand", "status") && !query.has("expand", "x"));
        assert!(query.flag("a", false) && !query.flag("b", true) && query.flag("c", true) && query.flag("d", true));
        assert_eq!(query.value("tail"), Some("1 "));
        assert_eq!(Query::parse(""), Query::default());
    }
}
