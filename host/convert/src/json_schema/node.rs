//! Which kind of schema a JSON Schema object is.
//!
//! Enters: a schema's tree. Leaves: a [`Loaded`] one. Invariant: keywords that say several things at once become an allOf of
//! those things, as in the library of the registries' own converter; what is said of data alone (`not`, `if`) is passed over.

use super::documents::{Place, text};
use crate::json::Json;

/// A schema with the place of its attributes.
#[derive(Clone, Debug)]
pub(crate) struct Loaded<'d, 'a> {
    pub(crate) place: Place<'d, 'a>,
    /// False for one of several things that one object says: title, default and `connect.*` belong to all of them.
    pub(crate) own: bool,
    pub(crate) node: Node<'d, 'a>,
}

/// What is said of the type.
#[derive(Clone, Debug)]
pub(crate) enum Node<'d, 'a> {
    Boolean,
    Number {
        integer: bool,
    },
    Text,
    /// `enum`, `const`: the values.
    Values(Vec<&'d Json<'a>>, Values),
    Combined(Criterion, Vec<Loaded<'d, 'a>>),
    Array,
    Object,
    Reference(&'d str),
    /// Anything.
    Empty,
    Null,
    /// Nothing: `false`.
    Never,
}

/// Which keyword listed values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Values {
    Enum,
    Const,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Criterion {
    /// oneOf and anyOf.
    One,
    All,
}

const OBJECT: [&str; 9] = [
    "properties",
    "required",
    "minProperties",
    "maxProperties",
    "dependencies",
    "patternProperties",
    "additionalProperties",
    "propertyNames",
    "dependentRequired",
];
const ARRAY: [&str; 7] = ["items", "additionalItems", "minItems", "maxItems", "uniqueItems", "contains", "prefixItems"];
const NUMBER: [&str; 5] = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"];
const TEXT: [&str; 4] = ["minLength", "maxLength", "pattern", "format"];

/// Finds out what a schema says.
pub(crate) fn load<'d, 'a>(place: Place<'d, 'a>) -> Loaded<'d, 'a> {
    let json = place.json;
    let own = |node| Loaded { place, own: true, node };
    if let Json::Boolean(permits) = json {
        return own(if *permits { Node::Empty } else { Node::Never });
    }
    if let Some(reference) = text(json, "$ref") {
        return own(Node::Reference(reference));
    }
    let mut said = Vec::new();
    match json.field("enum") {
        Some(Json::Array(values)) => said.push(Node::Values(values.iter().collect(), Values::Enum)),
        _ => said.extend(json.field("const").map(|value| Node::Values(vec![value], Values::Const))),
    }
    for (key, criterion) in [("oneOf", Criterion::One), ("anyOf", Criterion::One), ("allOf", Criterion::All)] {
        if let Some(Json::Array(inner)) = json.field(key) {
            let inner = inner.iter().map(|json| load(place.at(json))).collect();
            said.push(Node::Combined(criterion, inner));
        }
    }
    said.extend(of_type(place));
    let part = |node| Loaded { place, own: false, node };
    match (said.pop(), said.is_empty()) {
        (None, _) => own(Node::Empty),
        (Some(node), true) => own(node),
        (Some(node), false) => {
            said.push(node);
            own(Node::Combined(Criterion::All, said.into_iter().map(part).collect()))
        }
    }
}

/// What `type` says, or keywords that only one type has.
fn of_type<'d, 'a>(place: Place<'d, 'a>) -> Option<Node<'d, 'a>> {
    let json = place.json;
    let has = |keys: &[&str]| keys.iter().any(|key| json.field(key).is_some());
    match json.field("type") {
        Some(Json::String(name)) => Some(of_name(name)),
        Some(Json::Array(names)) => {
            let name = |json: &'d Json<'a>| if let Json::String(name) = json { Some(of_name(name)) } else { None };
            let mut nodes: Vec<_> = names.iter().filter_map(name).collect();
            if nodes.len() == 1 {
                return nodes.pop();
            }
            let part = |node| Loaded { place, own: false, node };
            Some(Node::Combined(Criterion::One, nodes.into_iter().map(part).collect()))
        }
        _ if has(&OBJECT) => Some(Node::Object),
        _ if has(&ARRAY) => Some(Node::Array),
        _ if has(&NUMBER) => Some(Node::Number { integer: false }),
        _ if has(&TEXT) => Some(Node::Text),
        _ => None,
    }
}

fn of_name<'d, 'a>(name: &str) -> Node<'d, 'a> {
    match name {
        "boolean" => Node::Boolean,
        "integer" => Node::Number { integer: true },
        "number" => Node::Number { integer: false },
        "string" => Node::Text,
        "array" => Node::Array,
        "object" => Node::Object,
        "null" => Node::Null,
        _ => Node::Never,
    }
}
