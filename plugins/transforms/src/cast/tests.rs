//! Rows of the reference on `Cast`.
#![allow(clippy::unwrap_used)]

use super::Cast;
use crate::record::Part;
use crate::testing::{apply, configure};

#[test]
fn casts_are_javas() {
    let table = [
        ("int8", "", "300", Some("44")),
        ("int8", "", "300.7", Some("44")),
        ("int64", "", "1e300", Some("9223372036854775807")),
        ("int32", "", "\"12\"", Some("12")),
        ("int8", "", "\"300\"", None),
        ("int8", "", "\" 1\"", None),
        ("int32", "", "true", Some("1")),
        ("float32", "", "0.1", Some("0.1")),
        ("float64", "", "10000000", Some("1.0E7")),
        ("float64", "", "\" 1.5d \"", Some("1.5")),
        ("float64", "", "\"NaN\"", Some("\"NaN\"")),
        ("boolean", "", "0.5", Some("false")),
        ("boolean", "", "\"TRUE\"", Some("true")),
        ("boolean", "", "\"yes\"", Some("false")),
        ("string", "", "100.0", Some("\"100.0\"")),
        ("string", "", "7", Some("\"7\"")),
        ("string", "", "[1]", None),
        ("int8", "", "null", Some("null")),
        ("float64", r#""type":"float""#, "1.2", Some("1.2000000476837158")),
        ("string", r#""type":"bytes""#, "\"AJw=\"", Some("\"AJw=\"")),
        ("int8", r#""type":"bytes""#, "\"AJw=\"", None),
        (
            "string",
            r#""type":"int64","name":"org.apache.kafka.connect.data.Timestamp""#,
            "86400000",
            Some("\"1970-01-02\""),
        ),
        ("int32", r#""type":"int32","name":"org.apache.kafka.connect.data.Date""#, "3", Some("3")),
        (
            "string",
            r#""type":"bytes","name":"org.apache.kafka.connect.data.Decimal","parameters":{"scale":"2"}"#,
            "\"AJw=\"",
            Some("\"1.56\""),
        ),
        (
            "int8",
            r#""type":"bytes","name":"org.apache.kafka.connect.data.Decimal","parameters":{"scale":"2"}"#,
            "\"AJw=\"",
            Some("1"),
        ),
        ("int8", r#""type":"string","default":"9""#, "null", Some("9")),
    ];
    for (target, of, value, expected) in table {
        let schema = if of.is_empty() {
            String::new()
        } else {
            format!(r#"{{"type":"struct","fields":[{{{of},"optional":true,"field":"a"}}],"optional":true}}"#)
        };
        let cast =
            apply::<Cast>(&[("spec", &format!("a: {target}"))], &schema, Some(&format!(r#"{{"a":{value},"b":1}}"#)));
        assert_eq!(
            cast.ok().map(|c| c.0.unwrap()),
            expected.map(|e| format!(r#"{{"a":{e},"b":1}}"#)),
            "{target} {of} {value}"
        );
    }
}

#[test]
fn schemas_follow_and_missing_fields_are_added_as_null_without_one() {
    let schema = r#"{"type":"struct","fields":[{"type":"string","optional":true,"default":"9","name":"N","field":"a"}],"optional":true,"name":"S"}"#;
    let expected = r#"{"type":"struct","fields":[{"type":"int8","optional":true,"default":9,"field":"a"}],"optional":true,"name":"S"}"#;
    let cast = apply::<Cast>(&[("spec", "a:string,a:int8")], schema, Some(r#"{"a":"5"}"#));
    assert_eq!(cast, Ok((Some(r#"{"a":5}"#.to_owned()), expected.to_owned())));
    assert_eq!(apply::<Cast>(&[("spec", "z:int8")], "", Some("{}")).unwrap().0.unwrap(), r#"{"z":null}"#);
    let whole = apply::<Cast>(&[("spec", "STRING")], r#"{"type":"int8","optional":true,"doc":"d"}"#, Some(" 5"));
    assert_eq!(whole, Ok((Some("\"5\"".to_owned()), r#"{"type":"string","optional":true,"doc":"d"}"#.to_owned())));
    assert_eq!(apply::<Cast>(&[("spec", "int8")], schema, None), Ok((None, schema.to_owned())));
    for spec in ["", "a:map", "a:b:c", "int8,a:int8", "x"] {
        assert!(configure::<Cast>(Part::Value, &[("spec", spec)]).is_err(), "{spec}");
    }
}
