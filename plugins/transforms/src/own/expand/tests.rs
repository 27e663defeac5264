//! JSON in texts.
#![allow(clippy::unwrap_used)]

use super::ExpandJson;
use crate::record::Part;
use crate::testing::{apply, configure};

#[test]
fn texts_that_hold_json_become_objects() {
    for (fields, json, expected) in [
        ("a", r#"{"a":"{\"b\":[1,null]}","c":1}"#, r#"{"a":{"b":[1,null]},"c":1}"#),
        ("a,x.y", r#"{"a":"[1]","x":{"y":"{}"}}"#, r#"{"a":[1],"x":{"y":{}}}"#),
        ("", r#""{\"a\":1}""#, r#"{"a":1}"#),
        ("a", r#"{"a":"text"}"#, r#"{"a":"text"}"#),
        ("a", r#"{"a":"{\"b\":tru}"}"#, r#"{"a":"{\"b\":tru}"}"#),
        ("a", r#"{"a":"5"}"#, r#"{"a":"5"}"#),
        ("a", r#"{"a":null}"#, r#"{"a":null}"#),
        ("a,b", r#"{"b":{"c":1}}"#, r#"{"b":{"c":1}}"#),
    ] {
        let found = apply::<ExpandJson>(&[("sourceFields", fields)], "", Some(json));
        assert_eq!(found, Ok((Some(expected.to_owned()), String::new())), "{json}");
    }
    let fail = [("sourceFields", "a"), ("on.failure", "fail")];
    for json in [r#"{"a":"secret"}"#, r#"{"a":1}"#] {
        let message = apply::<ExpandJson>(&fail, "", Some(json)).unwrap_err();
        assert!(message.contains("the field a") && !message.contains("secret"), "{message}");
    }
    assert_eq!(apply::<ExpandJson>(&fail, "", None), Ok((None, String::new())));
}

#[test]
fn with_a_schema_the_field_gets_the_one_that_is_inferred() {
    let schema = r#"{"type":"struct","fields":[{"type":"string","optional":false,"field":"a"},{"type":"int32","optional":false,"field":"b"}],"optional":false,"name":"n"}"#;
    let pairs = [("sourceFields", "a")];
    let (value, found) =
        apply::<ExpandJson>(&pairs, schema, Some(r#"{"a":"{\"x\":1,\"y\":null,\"z\":{\"t\":true}}","b":2}"#)).unwrap();
    assert_eq!(value.as_deref(), Some(r#"{"a":{"x":1,"z":{"t":true}},"b":2}"#));
    assert_eq!(
        found,
        r#"{"type":"struct","fields":[{"type":"struct","fields":[{"type":"int32","optional":true,"field":"x"},{"type":"struct","fields":[{"type":"boolean","optional":true,"field":"t"}],"optional":true,"name":"z","field":"z"}],"optional":true,"field":"a"},{"type":"int32","optional":false,"field":"b"}],"optional":false,"name":"n"}"#
    );
    let bytes = [("sourceFields", "a"), ("null.behavior", "optional_bytes")];
    let (value, _) = apply::<ExpandJson>(&bytes, schema, Some(r#"{"a":"{\"y\":null}","b":2}"#)).unwrap();
    assert_eq!(value.as_deref(), Some(r#"{"a":{"y":null},"b":2}"#));
    let (value, found) = apply::<ExpandJson>(&pairs, schema, Some(r#"{"a":"[1,\"x\"]","b":2}"#)).unwrap();
    assert_eq!((value.as_deref(), found.as_str()), (Some(r#"{"a":"[1,\"x\"]","b":2}"#), schema));
    assert!(configure::<ExpandJson>(Part::Value, &[("on.failure", "x")]).is_err());
}
