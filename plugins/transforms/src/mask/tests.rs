//! Rows of the reference on `MaskField`.
#![allow(clippy::unwrap_used)]

use super::MaskField;
use crate::record::Part;
use crate::testing::{apply, configure};

fn check(pairs: &[(&str, &str)], value: &str, expected: &str) {
    assert_eq!(apply::<MaskField>(pairs, "", Some(value)), Ok((Some(expected.to_owned()), String::new())), "{value}");
}

#[test]
fn without_a_schema_the_kind_decides() {
    let fields = [("fields", "a, b")];
    check(&fields, r#"{"a":"secret","x":1,"b":12}"#, r#"{"a":"","x":1,"b":0}"#);
    check(&fields, r#" { "a" : -1.5 , "b" : true } "#, r#"{"a":0.0,"b":false}"#);
    check(&fields, r#"{"a":{"b":1},"b":[1,{"b":2}],"c":{"a":1}}"#, r#"{"a":{},"b":[],"c":{"a":1}}"#);
    check(&fields, r#"{"a":null,"b":1e3}"#, r#"{"a":null,"b":0.0}"#);
    check(&fields, r#"{"\u0061":1,"b":"x\"y"}"#, r#"{"\u0061":0,"b":""}"#);
    check(&fields, r#"{"a":1,"a":2,"b":3}"#, r#"{"a":0,"a":0,"b":0}"#);
}

#[test]
fn a_missing_field_is_added_as_null() {
    check(&[("fields", "a,b")], r#"{"b":1}"#, r#"{"b":0,"a":null}"#);
    check(&[("fields", "a,b")], "{}", r#"{"a":null,"b":null}"#);
    check(&[("fields", "a,b")], r#"{"x":1}"#, r#"{"x":1,"a":null,"b":null}"#);
}

#[test]
fn a_replacement_fits_the_kind_or_is_a_fault() {
    let with = |r| [("fields", "a"), ("replacement", r)];
    check(&with(" x\"y "), r#"{"a":"s"}"#, r#"{"a":"x\"y"}"#);
    check(&with("12.7"), r#"{"a":5}"#, r#"{"a":12}"#);
    check(&with("12.5"), r#"{"a":1.5}"#, r#"{"a":12.5}"#);
    check(&with("7"), r#"{"a":null}"#, r#"{"a":null}"#);
    for value in [r#"{"a":1}"#, r#"{"a":1.5}"#, r#"{"a":true}"#, r#"{"a":[]}"#, r#"{"a":{}}"#] {
        let fault = apply::<MaskField>(&with("x"), "", Some(value)).unwrap_err();
        assert!(!fault.contains(value), "{fault}");
    }
}

#[test]
fn what_is_no_object_is_a_fault() {
    for (value, found) in
        [(None, "null"), (Some("null"), "null"), (Some("[1]"), "array"), (Some("\"secret\""), "string")]
    {
        let fault = apply::<MaskField>(&[("fields", "a")], "", value).unwrap_err();
        assert_eq!(fault, format!("Only Map objects supported in absence of schema for [mask fields], found: {found}"));
    }
    let fault = apply::<MaskField>(&[("fields", "a")], r#"{"type":"string"}"#, Some("\"x\"")).unwrap_err();
    assert_eq!(fault, "Only Struct objects supported for [mask fields], found: string");
    assert!(apply::<MaskField>(&[("fields", "a")], "", Some("{\"a\":")).is_err());
}

#[test]
fn with_a_schema_the_type_decides() {
    let schema =
        |of: &str| format!(r#"{{"type":"struct","fields":[{{{of},"optional":true,"field":"a"}}],"optional":false}}"#);
    let logical = |of: &str, name: &str| {
        format!(r#""type":"{of}","name":"org.apache.kafka.connect.data.{name}","parameters":{{"scale":"2"}}"#)
    };
    let table = [
        (r#""type":"int8""#.to_owned(), "5", Some("0"), Some("44")),
        (r#""type":"int64""#.to_owned(), "5", Some("0"), Some("300")),
        (r#""type":"double""#.to_owned(), "5.5", Some("0.0"), Some("300.0")),
        (r#""type":"string""#.to_owned(), "\"x\"", Some("\"\""), Some("\"300\"")),
        (r#""type":"boolean""#.to_owned(), "true", Some("false"), None),
        (r#""type":"array","items":{"type":"int8"}"#.to_owned(), "[1]", Some("[]"), None),
        (
            r#""type":"map","keys":{"type":"string"},"values":{"type":"int8"}"#.to_owned(),
            r#"{"k":1}"#,
            Some("{}"),
            None,
        ),
        (r#""type":"map","keys":{"type":"int8"},"values":{"type":"int8"}"#.to_owned(), "[[1,1]]", Some("[]"), None),
        (r#""type":"bytes""#.to_owned(), "\"AA==\"", None, None),
        (r#""type":"int8","default":3"#.to_owned(), "null", Some("0"), Some("44")),
        (r#""type":"int8""#.to_owned(), "null", Some("null"), Some("null")),
        (logical("int64", "Timestamp"), "5", Some("0"), None),
        (logical("bytes", "Decimal"), "\"AJw=\"", Some("\"AA==\""), Some("\"dTA=\"")),
    ];
    for (of, value, zero, replaced) in table {
        let (schema, text) = (schema(&of), format!(r#"{{"a":{value}}}"#));
        for (pairs, expected) in
            [(&[("fields", "a,zz")][..], zero), (&[("fields", "a"), ("replacement", "300")], replaced)]
        {
            let masked = apply::<MaskField>(pairs, &schema, Some(&text));
            let expected = expected.map(|e| (Some(format!(r#"{{"a":{e}}}"#)), schema.clone()));
            assert_eq!(masked.ok(), expected, "{of} {pairs:?}");
        }
    }
}

#[test]
fn all_problems_of_the_settings_come_at_once() {
    let problems = configure::<MaskField>(Part::Key, &[("replacement", " "), ("replace.null.with.default", "maybe")]);
    assert_eq!(problems.unwrap_err().len(), 3);
    assert!(configure::<MaskField>(Part::Key, &[("fields", "a,,b")]).is_err());
    assert!(configure::<MaskField>(Part::Key, &[("fields", "a,a"), ("unknown", "x")]).is_ok());
}
