//! Confluent's `Filter`: records by a condition in `JSONPath`.
//!
//! Enters: records. Leaves: those that match, or those that do not. Invariant: what a condition names and the record lacks is
//! neither a match nor none: `missing.or.null.behavior` decides.

use fancy_regex::Regex;
use serde_json::Value;
use serde_json_path::JsonPath;

use crate::class::{Class, Formats};
use crate::config::{Definition, Importance, Of, Problems, Settings};
use crate::record::{Fault, Part, Record};
use crate::splice;

const TYPES: [&str; 2] = ["include", "exclude"];
const MISSING: [&str; 3] = ["fail", "include", "exclude"];

const CONFIG: &[Definition] = &[
    Definition::required("filter.condition", Of::Text, Importance::High, "Specifies the criteria used to match records to be included or excluded, in the predicate notation of JSONPath (RFC 9535): $[?(@.status == 'active')], $.order[?(@.total > 5 && @.kind != 'test')], $[?(search(@.name, '^A'))].").non_empty(),
    Definition::required("filter.type", Of::Text, Importance::High, "Specifies the action to perform with records that match the filter.condition predicate. Use include to pass through all records that match the predicate and drop all records that do not satisfy the predicate, or use exclude to drop all records that match the predicate.").one_of(&TYPES),
    Definition::optional("missing.or.null.behavior", Of::Text, Some("fail"), Importance::Medium, "Specify how to handle missing or null fields of the condition: fail is an error of the record, include passes the record through, exclude drops it.").one_of(&MISSING),
];

/// The transform.
#[derive(Debug)]
pub struct Filter {
    part: Part,
    condition: Condition,
    includes: bool,
    missing: &'static str,
}

/// Names between dots or in brackets: `.a['b']`.
fn names(path: &str) -> Option<Vec<String>> {
    let name = Regex::new(r"\G(?:\.(\w+)|\['([^']*)'\])").ok()?;
    let (mut names, mut at) = (Vec::new(), 0);
    while at < path.len() {
        let found = name.captures_from_pos(path, at).ok()??;
        at = found.get(0)?.end();
        names.push(found.get(1).or_else(|| found.get(2))?.as_str().to_owned());
    }
    Some(names)
}

/// What stands before the predicate, the predicate, and the fields that it names.
#[derive(Debug)]
struct Condition {
    outer: Vec<String>,
    predicate: JsonPath,
    fields: Vec<Vec<String>>,
}

fn parse(condition: &str) -> Result<Condition, String> {
    let wrong = |why: &str| format!("not a condition: {why}; write it as $[?(@.field == 'value')] or $.outer[?(...)]");
    let rest = condition.trim().strip_prefix('$').ok_or_else(|| wrong("it does not begin with $"))?;
    let at = rest.find("[?").ok_or_else(|| wrong("it has no predicate"))?;
    let outer = names(&rest[..at]).ok_or_else(|| wrong("only names may stand before the predicate"))?;
    if rest.contains("=~") {
        return Err(wrong("regular expressions are written search(@.field, 'pattern') here, not =~"));
    }
    let predicate = JsonPath::parse(&format!("${}", &rest[at..])).map_err(|why| wrong(&why.to_string()))?;
    let named = Regex::new(r"@((?:\.\w+|\['[^']*'\])*)").map_err(|why| why.to_string())?;
    let mut fields = Vec::new();
    for found in named.captures_iter(&rest[at..]) {
        let path = found.ok().and_then(|found| names(found.get(1)?.as_str()));
        fields.extend(path.filter(|path| !path.is_empty()));
    }
    Ok(Condition { outer, predicate, fields })
}

/// The value below these names, if it is there and not null.
fn below<'a>(value: &'a Value, names: &[String]) -> Option<&'a Value> {
    names.iter().try_fold(value, |value, name| value.get(name)).filter(|value| !value.is_null())
}

impl Filter {
    /// None where a field that the condition names is missing or null.
    fn matches(&self, text: &[u8]) -> Result<Option<bool>, Fault> {
        let syntax = |_| Fault { code: "json.syntax", message: "the payload is not valid JSON".to_owned() };
        let value: Value = serde_json::from_slice(text).map_err(syntax)?;
        let Some(node) = below(&value, &self.condition.outer) else { return Ok(None) };
        if let Value::Array(_) = node {
            return Ok(Some(!self.condition.predicate.query(node).is_empty()));
        }
        if self.condition.fields.iter().any(|field| below(node, field).is_none()) {
            return Ok(None);
        }
        // A predicate looks at elements; an object is looked at as the one element of a list.
        let list = Value::Array(vec![node.clone()]);
        Ok(Some(!self.condition.predicate.query(&list).is_empty()))
    }
}

impl Class for Filter {
    const NAME: &'static str = "Filter";
    const PACKAGE: &'static str = "io.confluent.connect.transforms.";
    const SHORT: bool = false;
    const DOC: &'static str = "Confluent's: keeps or drops records that match a condition in JSONPath.";
    const CONFIG: &'static [Definition] = CONFIG;

    fn new(part: Part, mut settings: Settings, _formats: Formats) -> Result<Self, Problems> {
        let condition = settings.required_non_empty("filter.condition");
        settings.required("filter.type");
        let includes = settings.choice("filter.type", &TYPES) == "include";
        let missing = settings.choice("missing.or.null.behavior", &MISSING);
        match parse(&condition) {
            Ok(condition) => settings.finish(Self { part, condition, includes, missing }),
            Err(why) => {
                if !condition.is_empty() {
                    settings.problem("filter.condition", why);
                }
                Err(settings.finish(()).err().unwrap_or_default())
            }
        }
    }

    fn apply<R: Record>(&mut self, record: &mut R) -> Result<bool, Fault> {
        let text = record.payload(self.part);
        let found = match text.filter(|_| !splice::is_null(text)) {
            Some(text) => self.matches(text)?,
            None => None,
        };
        match (found, self.missing) {
            (Some(found), _) => Ok(found == self.includes),
            (None, "include") => Ok(true),
            (None, "exclude") => Ok(false),
            (None, _) => Err(Fault::data("a field of filter.condition is missing or null")),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::Filter;
    use crate::class::Class;
    use crate::record::Part;
    use crate::testing::{Fake, configure};

    const ORDER: &str = r#"{"kind":"order","order":{"total":7,"tags":["a"],"note":null},"items":[{"n":1},{"n":5}]}"#;

    #[test]
    fn records_are_kept_or_dropped_by_their_condition() {
        for (condition, expected) in [
            ("$[?(@.kind == 'order')]", true),
            ("$[?(@.kind=='x')]", false),
            ("$[?@.kind != 'x' && @.order.total > 5]", true),
            ("$.order[?(@.total < 5 || @.total == 7)]", true),
            ("$['order'][?(@['total'] >= 8)]", false),
            ("$.items[?(@.n > 4)]", true),
            ("$.items[?(@.n > 5)]", false),
            ("$[?(search(@.kind, '^ord'))]", true),
            ("$[?(length(@.order.tags) == 1)]", true),
        ] {
            for (how, kept) in [("include", expected), ("exclude", !expected)] {
                let pairs = [("filter.condition", condition), ("filter.type", how)];
                let mut class = configure::<Filter>(Part::Value, &pairs).unwrap();
                assert_eq!(class.apply(&mut Fake::new(Some(ORDER), "")), Ok(kept), "{condition} {how}");
            }
        }
    }

    #[test]
    fn what_is_missing_or_null_is_decided_by_its_own_setting() {
        for (condition, value) in [
            ("$[?(@.nope == 1)]", Some(ORDER)),
            ("$.nope[?(@.a == 1)]", Some(ORDER)),
            ("$.order[?(@.note == 'x')]", Some(ORDER)),
            ("$[?(@.kind == 'order')]", None),
        ] {
            for (how, expected) in [("fail", None), ("include", Some(true)), ("exclude", Some(false))] {
                let pairs =
                    [("filter.condition", condition), ("filter.type", "include"), ("missing.or.null.behavior", how)];
                let mut class = configure::<Filter>(Part::Value, &pairs).unwrap();
                assert_eq!(class.apply(&mut Fake::new(value, "")).ok(), expected, "{condition} {how}");
            }
        }
    }

    #[test]
    fn wrong_conditions_say_how_to_write_them() {
        for (condition, part) in [
            ("@.a == 1", "begin with $"),
            ("$.a", "no predicate"),
            ("$..a[?(@.b == 1)]", "only names"),
            ("$[?(@.a =~ /x/)]", "search(@.field"),
            ("$[?(@.a ==)]", "not a condition"),
            ("", "non-empty"),
        ] {
            let pairs = [("filter.condition", condition), ("filter.type", "include")];
            let problems = configure::<Filter>(Part::Value, &pairs).unwrap_err();
            assert!(problems[0].0 == "filter.condition" && problems[0].1.contains(part), "{condition}: {problems:?}");
        }
        assert_eq!(configure::<Filter>(Part::Value, &[]).unwrap_err().len(), 2);
        let broken =
            configure::<Filter>(Part::Value, &[("filter.condition", "$[?(@.a == 1)]"), ("filter.type", "include")]);
        assert!(
            broken.unwrap().apply(&mut Fake::new(Some("{\"a\""), "")).unwrap_err().message.contains("not valid JSON")
        );
    }
}
