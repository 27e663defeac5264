//! Rows of the reference on `ExtractField` and `HoistField`.
#![allow(clippy::unwrap_used)]

use super::{ExtractField, HoistField, path};
use crate::record::Part;
use crate::testing::{apply, configure};

const NESTED: &str = r#"{"type":"struct","fields":[{"type":"struct","fields":[{"type":"int8","optional":true,"default":7,"field":"c"}],"optional":true,"name":"B","field":"b"},{"type":"string","optional":false,"field":"a"}],"optional":true}"#;

/// Settings, schema, value; the outcome and its schema.
type Case<'a> = (&'a [(&'a str, &'a str)], &'a str, Option<&'a str>, Option<&'a str>, &'a str);

#[test]
fn a_field_is_taken_out_with_its_schema() {
    let table: [Case; 10] = [
        (&[("field", "a")], "", Some(r#"{"a": [1] }"#), Some("[1]"), ""),
        (&[("field", "z")], "", Some(r#"{"a":1}"#), None, ""),
        (&[("field", "a")], "", Some(r#"{"a":null}"#), None, ""),
        (&[("field", "a")], "", None, None, ""),
        (
            &[("field", "a")],
            NESTED,
            Some(r#"{"b":null,"a":"x"}"#),
            Some("\"x\""),
            r#"{"type":"string","optional":false}"#,
        ),
        (&[("field", "a")], NESTED, None, None, r#"{"type":"string","optional":false}"#),
        (
            &[("field", "b.c"), ("field.syntax.version", "v2")],
            NESTED,
            Some(r#"{"b":{"c":5},"a":"x"}"#),
            Some("5"),
            r#"{"type":"int8","optional":true,"default":7}"#,
        ),
        (
            &[("field", "b.c"), ("field.syntax.version", "V2")],
            NESTED,
            Some(r#"{"b":{"c":null},"a":"x"}"#),
            Some("7"),
            r#"{"type":"int8","optional":true,"default":7}"#,
        ),
        (&[("field", "a.b"), ("field.syntax.version", "V2")], "", Some(r#"{"a":null}"#), None, ""),
        (&[("field", "a.b")], "", Some(r#"{"a.b":1}"#), Some("1"), ""),
    ];
    for (pairs, schema, value, expected, expected_schema) in table {
        let extracted = apply::<ExtractField>(pairs, schema, value);
        assert_eq!(extracted, Ok((expected.map(str::to_owned), expected_schema.to_owned())), "{pairs:?} {value:?}");
    }
    assert_eq!(apply::<ExtractField>(&[("field", "z")], NESTED, Some("{}")).unwrap_err(), "Unknown field: z");
    let v2 = [("field", "a.b"), ("field.syntax.version", "V2")];
    assert!(apply::<ExtractField>(&v2, "", Some(r#"{"a":5}"#)).is_err());
    assert!(configure::<ExtractField>(Part::Value, &[("field.syntax.version", "V3")]).unwrap_err().len() == 2);
}

#[test]
fn paths_follow_the_second_syntax() {
    let table: [(&str, &[&str]); 7] = [
        ("a.b", &["a", "b"]),
        ("`a.b`.c", &["a.b", "c"]),
        ("a`b.c", &["a`b", "c"]),
        ("`a`b`.c", &["a`b", "c"]),
        (r"`a\`.b`.c", &["a`.b", "c"]),
        ("", &[]),
        ("..", &["", "", ""]),
    ];
    for (text, steps) in table {
        assert_eq!(path(text).unwrap(), steps, "{text}");
    }
    assert!(path("`a.b").is_err());
}

#[test]
fn a_payload_is_hoisted_into_an_object() {
    let field = [("field", "line")];
    assert_eq!(apply::<HoistField>(&field, "", Some("\"x\"")).unwrap().0.unwrap(), r#"{"line":"x"}"#);
    assert_eq!(apply::<HoistField>(&field, "", None).unwrap().0.unwrap(), r#"{"line":null}"#);
    let hoisted = apply::<HoistField>(&field, r#"{"type":"string","optional":false}"#, Some("\"x\""));
    let schema = r#"{"type":"struct","fields":[{"type":"string","optional":false,"field":"line"}],"optional":false}"#;
    assert_eq!(hoisted, Ok((Some(r#"{"line":"x"}"#.to_owned()), schema.to_owned())));
    assert!(apply::<HoistField>(&field, r#"{"type":"string","optional":false}"#, None).is_err());
    assert!(apply::<HoistField>(&field, r#"{"type":"string","optional":true}"#, None).is_ok());
}
