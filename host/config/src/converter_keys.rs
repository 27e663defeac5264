//! Settings of the built-in converters, as Kafka Connect 4.3 defines them.
//!
//! Enters: a converter's class and what it converts. Leaves: definitions below the converter's prefix. Invariant: names,
//! types, defaults and places are Kafka Connect's; whether a value is good is the converter's own judgement.

pub(crate) mod registry;

use lockgate_model::package::{ConfigType, Importance, Width};

use ConfigType::{Boolean, Int, String as Text};
use Importance::{High, Low};

use crate::converters::Part;
use crate::definitions::{Known, Rule};

/// Definitions of a converter's keys; none for one that has none.
pub fn keys(part: Part, class: &str) -> Vec<Known> {
    let key = |name: &str| format!("{}.{name}", part.key());
    let kind = part.key().split('.').next().unwrap_or_default();
    let place = |known: Known, group: &str, order: i32, title: &str| known.shown(group, order, Width::Medium, title);
    let kinds = "What the converter converts; set by the worker.";
    let converter_type =
        Known::new(&key("converter.type"), Text, Some(kind), Low, kinds).one_of(&["key", "value", "header"]);
    let mut keys = vec![Known { order: -1, ..converter_type.named("converter.type") }];
    keys[0].definition.required = true;
    match class.rsplit('.').next().unwrap_or(class) {
        "SimpleHeaderConverter" => return Vec::new(),
        "StringConverter" => {
            let text = "The character set of strings.";
            let known = Known::new(&key("converter.encoding"), Text, Some("UTF-8"), High, text);
            keys.push(place(known, "", -1, "Encoding"));
        }
        "JsonConverter" => {
            let enable = "Whether each value carries its schema.";
            let cache = "Schemas that are kept; the converter here keeps what it needs.";
            let content = "A fixed schema for incoming values without one.";
            let decimal = "How decimals are written: BASE64 or NUMERIC.";
            let nulls = "Whether null becomes the default of the field.";
            let known = |name: &str, kind, default, importance, text: &str| {
                Known::new(&key(name), kind, default, importance, text)
            };
            let decimal = known("decimal.format", Text, Some("BASE64"), Low, decimal).one_of(&["NUMERIC", "BASE64"]);
            keys.extend([
                place(known("schemas.enable", Boolean, Some("true"), High, enable), "Schemas", 0, "Enable Schemas"),
                place(known("schemas.cache.size", Int, Some("1000"), High, cache), "Schemas", 1, "Schema Cache Size"),
                place(known("schema.content", Text, None, High, content), "Schemas", 2, "Schema Content"),
                place(decimal.rule(Rule::AnyCase), "Serialization", 0, "Decimal Format"),
                place(
                    known("replace.null.with.default", Boolean, Some("true"), Low, nulls),
                    "Serialization",
                    1,
                    "Replace null with default",
                ),
            ]);
        }
        name => keys.extend(registry::keys(name).into_iter().map(|known| {
            let (name, title) = (key(&known.definition.name), known.definition.name.clone());
            known.named_as(&name, &title)
        })),
    }
    keys
}
