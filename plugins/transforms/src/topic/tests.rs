//! Rows of the reference on topics out of records.
#![allow(clippy::unwrap_used)]

use super::{ExtractTopic, ExtractTopicByField, ExtractTopicFromHeader, ExtractTopicFromSchemaName};
use crate::class::Class;
use crate::record::Part;
use crate::testing::{Fake, configure};

const SCHEMA: &str = r#"{"type":"struct","fields":[{"type":"string","optional":true,"field":"a"},{"type":"array","items":{"type":"int32","optional":false},"optional":false,"field":"l"}],"optional":false,"name":"com.example.Order"}"#;

fn route<T: Class>(pairs: &[(&str, &str)], value: Option<&str>, schema: &str) -> Result<String, String> {
    let mut fake = Fake::new(value, schema);
    fake.headers.push(("h".to_owned(), Some(b"\"first\"".to_vec()), 0));
    fake.headers.push(("h".to_owned(), Some(b"\"last\"".to_vec()), 0));
    fake.headers.push(("raw".to_owned(), Some(b"text".to_vec()), 0));
    fake.headers.push(("none".to_owned(), None, 0));
    let mut class = configure::<T>(Part::Value, pairs).map_err(|p| format!("{p:?}"))?;
    class.apply(&mut fake.clone()).map_err(|f| f.message)?;
    class.apply(&mut fake).map_err(|f| f.message)?;
    Ok(fake.topic)
}

#[test]
fn fields_and_whole_payloads_name_the_topic() {
    for (field, value, expected) in [
        ("a", r#"{"a":"x"}"#, Ok("x")),
        ("a", r#"{"a":5}"#, Ok("5")),
        ("a", r#"{"a":true}"#, Ok("true")),
        ("a.b", r#"{"a":{"b":"x"}}"#, Ok("x")),
        ("", r#""x""#, Ok("x")),
        ("", "1.5", Ok("1.5")),
        ("a", r#"{"a":null}"#, Err("a in value can't be missing, null or empty")),
        ("a", r#"{"a":""}"#, Err("can't be missing")),
        ("a", "{}", Err("can't be missing")),
        ("a", "5", Err("can't be missing")),
        ("a", r#"{"a":[1]}"#, Err("it is of type array")),
        ("", "null", Err("value can't be missing")),
    ] {
        let found = route::<ExtractTopic>(&[("field.name", field)], Some(value), "");
        match expected {
            Ok(topic) => assert_eq!(found, Ok(topic.to_owned()), "{value}"),
            Err(part) => assert!(found.clone().unwrap_err().contains(part), "{found:?}"),
        }
    }
    let skip = [("field.name", "a"), ("skip.missing.or.null", "true")];
    for value in [None, Some("{}"), Some(r#"{"a":null}"#)] {
        assert_eq!(route::<ExtractTopic>(&skip, value, ""), Ok("t".to_owned()));
    }
    assert_eq!(route::<ExtractTopic>(&[("field.name", "a")], Some(r#"{"a":"x","l":[]}"#), SCHEMA), Ok("x".to_owned()));
    assert!(
        route::<ExtractTopic>(&[("field.name", "l")], Some(r#"{"a":"x","l":[]}"#), SCHEMA)
            .unwrap_err()
            .contains("of type array")
    );
    let int = r#"{"type":"int32","optional":false}"#;
    assert!(route::<ExtractTopic>(&[("field.name", "a")], Some("5"), int).unwrap_err().contains("must be STRUCT"));
    assert_eq!(route::<ExtractTopic>(&[], Some("5"), int), Ok("5".to_owned()));
}

#[test]
fn confluents_reads_plain_names_and_paths_of_json() {
    for (pairs, value, expected) in [
        (vec![("field", "a.b")], r#"{"a.b":"x"}"#, "x"),
        (vec![("field", "$.a.b"), ("field.format", "JSON_PATH")], r#"{"a":{"b":"x"}}"#, "x"),
        (vec![("field", "$['a']['b']"), ("field.format", "json_path")], r#"{"a":{"b":"x"}}"#, "x"),
        (vec![], r#""x""#, "x"),
        (vec![("field", "n"), ("skip.missing.or.null", "true")], "{}", "t"),
    ] {
        assert_eq!(route::<ExtractTopicByField>(&pairs, Some(value), ""), Ok(expected.to_owned()), "{pairs:?}");
    }
    assert!(
        route::<ExtractTopicByField>(&[("field", "$..a"), ("field.format", "JSON_PATH")], None, "")
            .unwrap_err()
            .contains("does not name one field")
    );
}

#[test]
fn the_last_header_names_the_topic() {
    for (pairs, expected) in [
        (vec![("field", "h")], Ok("last")),
        (vec![("field", "raw")], Ok("text")),
        (vec![("field", "none")], Err(())),
        (vec![("field", "nope")], Err(())),
        (vec![("field", "nope"), ("skip.missing.or.null", "true")], Ok("t")),
        (vec![], Err(())),
    ] {
        let found = route::<ExtractTopicFromHeader>(&pairs, Some("1"), "");
        assert_eq!(found.map_err(|_| ()), expected.map(str::to_owned), "{pairs:?}");
    }
}

#[test]
fn the_schemas_name_is_the_topic() {
    let value = Some(r#"{"a":"x","l":[]}"#);
    for (pairs, expected) in [
        (vec![], "com.example.Order"),
        (vec![("schema.name.topic-map", "com.example.Order:orders,b:c")], "orders"),
        (vec![("schema.name.topic-map", "a:b")], "com.example.Order"),
        (vec![("schema.name.regex", "(?:[.\\t]|^)([^.\\t]*)$")], "Order"),
        (vec![("schema.name.regex", "nope(x)")], "com.example.Order"),
        (vec![("schema.name.regex", "(com).(example)")], "com.example.Order"),
    ] {
        assert_eq!(route::<ExtractTopicFromSchemaName>(&pairs, value, SCHEMA), Ok(expected.to_owned()), "{pairs:?}");
    }
    for (pairs, schema) in [
        (vec![], ""),
        (vec![], r#"{"type":"string","optional":false}"#),
        (vec![("schema.name.topic-map", "a")], SCHEMA),
        (vec![("schema.name.regex", "(")], SCHEMA),
        (vec![("schema.name.topic-map", "a:b"), ("schema.name.regex", "a")], SCHEMA),
    ] {
        assert!(route::<ExtractTopicFromSchemaName>(&pairs, value, schema).is_err(), "{pairs:?}");
    }
}
