//! What was expected against what came.
//!
//! Enters: a value with matchers, and the value that came. Leaves: every difference with its path. Invariant: pure; objects are
//! compared by the members that are named, unless the comparison is exact; lists always whole and in order.

use fancy_regex::Regex;
use serde_json::{Map, Value};

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Where: `records[1].value.id`.
    pub path: String,
    /// What was expected there.
    pub expected: String,
    /// What came.
    pub actual: String,
}

/// Characters of a value that are shown.
const SHOWN: usize = 2_000;

/// All differences.
pub(super) fn differences(path: &str, expected: &Value, actual: &Value, exact: bool) -> Vec<Difference> {
    let mut found = Vec::new();
    Walk { found: &mut found, exact }.value(path, expected, Some(actual));
    found
}

/// True if there is no difference.
pub(super) fn fits(expected: &Value, actual: &Value) -> bool {
    differences("", expected, actual, false).is_empty()
}

struct Walk<'a> {
    found: &'a mut Vec<Difference>,
    exact: bool,
}

impl Walk<'_> {
    fn differs(&mut self, path: &str, expected: impl Into<String>, actual: Option<&Value>) {
        let actual = actual.map_or_else(|| "nothing".to_owned(), show);
        self.found.push(Difference { path: path.to_owned(), expected: expected.into(), actual });
    }

    fn value(&mut self, path: &str, expected: &Value, actual: Option<&Value>) {
        if let Some((matcher, operand)) = matcher(expected) {
            return self.matcher(path, matcher, operand, actual);
        }
        let Some(actual) = actual else {
            // Null is expected of what must not be there.
            if !expected.is_null() {
                self.differs(path, show(expected), None);
            }
            return;
        };
        match (expected, actual) {
            (Value::Object(wanted), Value::Object(there)) => self.object(path, wanted, there),
            (Value::Array(wanted), Value::Array(there)) => self.list(path, wanted, there),
            // Text that holds JSON.
            (Value::Object(_) | Value::Array(_), Value::String(text)) => match serde_json::from_str::<Value>(text) {
                Ok(inner) if inner.is_object() || inner.is_array() => self.value(path, expected, Some(&inner)),
                _ => self.differs(path, show(expected), Some(actual)),
            },
            (Value::String(wanted), Value::String(there)) if wildcard(wanted, there) => {}
            (Value::Number(wanted), Value::Number(there))
                if wanted.as_f64() == there.as_f64() && same(wanted, there) => {}
            _ if expected == actual => {}
            _ => self.differs(path, show(expected), Some(actual)),
        }
    }

    fn object(&mut self, path: &str, wanted: &Map<String, Value>, there: &Map<String, Value>) {
        for (key, value) in wanted {
            let before = self.found.len();
            self.value(&member(path, key), value, there.get(key));
            if !there.contains_key(key) {
                // What is there instead often says why.
                let instead = format!("nothing, but {}", show(&Value::Object(there.clone())));
                self.found[before..].iter_mut().for_each(|difference| difference.actual.clone_from(&instead));
            }
        }
        if self.exact {
            for (key, value) in there.iter().filter(|(key, value)| !wanted.contains_key(*key) && !value.is_null()) {
                self.differs(&member(path, key), "nothing", Some(value));
            }
        }
    }

    fn list(&mut self, path: &str, wanted: &[Value], there: &[Value]) {
        if wanted.len() != there.len() {
            let expected = format!("{} entries: {}", wanted.len(), show(&Value::from(wanted)));
            let actual = format!("{} entries: {}", there.len(), show(&Value::from(there)));
            self.found.push(Difference { path: path.to_owned(), expected, actual });
            return;
        }
        for (at, (wanted, there)) in wanted.iter().zip(there).enumerate() {
            self.value(&format!("{path}[{at}]"), wanted, Some(there));
        }
    }

    fn matcher(&mut self, path: &str, matcher: &str, operand: &Value, actual: Option<&Value>) {
        let holds = match (matcher, actual) {
            ("$any", actual) => operand.as_bool() == Some(actual.is_some_and(|a| !a.is_null())),
            ("$not", actual) => !actual.is_some_and(|actual| fits(operand, actual)),
            ("$exact", actual) => {
                let before = std::mem::replace(&mut self.exact, true);
                self.value(path, operand, actual);
                self.exact = before;
                return;
            }
            ("$contains", Some(Value::String(text))) => operand.as_str().is_some_and(|part| text.contains(part)),
            ("$contains", Some(Value::Array(all))) => all.iter().any(|one| fits(operand, one)),
            ("$matches", Some(Value::String(text))) => match Regex::new(operand.as_str().unwrap_or_default()) {
                Ok(pattern) => pattern.is_match(text).unwrap_or(false),
                Err(error) => return self.differs(path, format!("a regular expression: {error}"), actual),
            },
            ("$base64", Some(Value::Object(there))) => there.get("$base64") == Some(operand),
            _ => false,
        };
        if !holds {
            self.differs(path, format!("{matcher} {}", show(operand)), actual);
        }
    }
}

const MATCHERS: [&str; 6] = ["$any", "$not", "$exact", "$contains", "$matches", "$base64"];

/// The matcher that an object of one such member is.
fn matcher(expected: &Value) -> Option<(&'static str, &Value)> {
    let object = expected.as_object().filter(|object| object.len() == 1)?;
    let (key, operand) = object.iter().next()?;
    MATCHERS.into_iter().find(|matcher| matcher == key).map(|matcher| (matcher, operand))
}

/// Equal, where `***` stands for anything.
fn wildcard(wanted: &str, there: &str) -> bool {
    let Some((first, rest)) = wanted.split_once("***") else { return wanted == there };
    let Some(mut left) = there.strip_prefix(first) else { return false };
    let parts: Vec<&str> = rest.split("***").collect();
    let (last, middle) = parts.split_last().map_or(("", &[][..]), |(last, middle)| (*last, middle));
    for part in middle {
        let Some(at) = left.find(part) else { return false };
        left = &left[at + part.len()..];
    }
    left.len() >= last.len() && left.ends_with(last)
}

/// 1 and 1.0 are the same, large whole numbers only if all digits are.
fn same(a: &serde_json::Number, b: &serde_json::Number) -> bool {
    match (a.as_i64(), b.as_i64()) {
        (Some(a), Some(b)) => a == b,
        _ => true,
    }
}

fn member(path: &str, key: &str) -> String {
    let plain = !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '$');
    match (plain, path.is_empty()) {
        (true, true) => key.to_owned(),
        (true, false) => format!("{path}.{key}"),
        (false, _) => format!("{path}[{key:?}]"),
    }
}

/// A value on one line, bounded.
pub(super) fn show(value: &Value) -> String {
    let mut text = value.to_string();
    if text.len() > SHOWN {
        let end = (0..=SHOWN).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
        text.push_str("..");
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn paths(expected: &Value, actual: &Value, exact: bool) -> Vec<String> {
        differences("", expected, actual, exact).into_iter().map(|d| d.path).collect()
    }

    #[test]
    fn objects_are_compared_by_what_is_named_and_lists_whole() {
        let actual = json!({"a": 1, "b": {"c": [1, 2]}, "n": null});
        assert!(paths(&json!({"a": 1.0, "b": {"c": [1, 2]}, "x": null}), &actual, false).is_empty());
        assert_eq!(paths(&json!({"b": {"c": [1, 3]}, "a": "1"}), &actual, false), ["b.c[1]", "a"]);
        assert_eq!(paths(&json!({"b": {"c": [1]}}), &actual, false), ["b.c"]);
        assert_eq!(paths(&json!({"b": {}}), &actual, true), ["b.c", "a"], "exact names what is too much");
        assert_eq!(paths(&json!({"a": {"$exact": 1}, "b": {"$exact": {}}}), &actual, false), ["b.c"]);
        assert_eq!(paths(&json!(9_007_199_254_740_993_i64), &json!(9_007_199_254_740_992_i64), false), [""]);
    }

    #[test]
    fn matchers_hold_or_say_what_they_wanted() {
        let actual = json!({"text": "cannot open /x: denied", "list": [{"a": 1}, {"a": 2}]});
        for holds in [
            json!({"text": {"$contains": "denied"}}),
            json!({"text": {"$matches": "^cannot open /\\w: "}}),
            json!({"text": "cannot *** denied"}),
            json!({"text": {"$any": true}, "other": {"$any": false}}),
            json!({"text": {"$not": "x"}, "other": {"$not": 1}}),
            json!({"list": {"$contains": {"a": 2}}}),
        ] {
            assert!(fits(&holds, &actual), "{holds}");
        }
        for fails in [
            json!({"text": {"$contains": "granted"}}),
            json!({"text": {"$matches": "("}}),
            json!({"text": {"$any": false}}),
            json!({"text": "cannot *** allowed"}),
            json!({"other": {"$any": true}}),
            json!({"list": {"$contains": {"a": 3}}}),
            json!({"text": {"$not": {"$contains": "denied"}}}),
        ] {
            assert!(!fits(&fails, &actual), "{fails}");
        }
    }

    #[test]
    fn a_member_that_is_not_there_is_answered_by_what_is() {
        let found = differences("records[0]", &json!({"value": 1}), &json!({"error": "why"}), false);
        assert_eq!(
            (found[0].path.as_str(), found[0].actual.as_str()),
            ("records[0].value", "nothing, but {\"error\":\"why\"}")
        );
    }

    #[test]
    fn text_that_holds_json_is_compared_as_json() {
        assert!(fits(&json!({"id": 1}), &json!("{\"id\":1,\"more\":2}")));
        assert!(!fits(&json!({"id": 1}), &json!("id 1")));
        assert!(!fits(&json!(1), &json!("1")), "a number is no text");
    }
}
