//! Rows of the reference on `TimestampConverter`.
#![allow(clippy::unwrap_used)]

use super::TimestampConverter;
use crate::record::Part;
use crate::testing::{apply, configure};

const LEAP: &str = "1582981200123";

#[test]
fn a_time_takes_every_form() {
    let logical = |of: &str, name: &str| {
        format!(r#"{{"type":"{of}","optional":true,"name":"org.apache.kafka.connect.data.{name}","version":1}}"#)
    };
    let plain = |of: &str| format!(r#"{{"type":"{of}","optional":true}}"#);
    let format = ("format", "yyyy-MM-dd HH:mm");
    let seconds = ("unix.precision", "seconds");
    let table = [
        (vec![("target.type", "string"), format], plain("int64"), LEAP, "\"2020-02-29 13:00\"", plain("string")),
        (
            vec![("target.type", "unix"), format],
            plain("string"),
            "\"2020-02-29 13:00\"",
            "1582981200000",
            plain("int64"),
        ),
        (vec![("target.type", "Date")], logical("int64", "Timestamp"), LEAP, "18321", logical("int32", "Date")),
        (vec![("target.type", "Time")], logical("int64", "Timestamp"), LEAP, "46800123", logical("int32", "Time")),
        (vec![("target.type", "Timestamp")], logical("int32", "Date"), "1", "86400000", logical("int64", "Timestamp")),
        (vec![("target.type", "Date")], logical("int64", "Timestamp"), "-1", "-1", logical("int32", "Date")),
        (vec![("target.type", "unix"), seconds], logical("int64", "Timestamp"), "-1", "0", plain("int64")),
        (vec![("target.type", "Timestamp"), seconds], plain("int64"), "5", "5000", logical("int64", "Timestamp")),
        (
            vec![("target.type", "unix"), ("unix.precision", "nanoseconds")],
            logical("int64", "Timestamp"),
            "9223372036854775807",
            "9223372036854775807",
            plain("int64"),
        ),
        (
            vec![("target.type", "Timestamp"), ("unix.precision", "microseconds")],
            plain("int64"),
            "-1999",
            "-1",
            logical("int64", "Timestamp"),
        ),
    ];
    for (pairs, schema, value, expected, outcome) in table {
        assert_eq!(
            apply::<TimestampConverter>(&pairs, &schema, Some(value)),
            Ok((Some(expected.to_owned()), outcome.clone())),
            "{pairs:?}"
        );
        assert_eq!(apply::<TimestampConverter>(&pairs, &schema, None), Ok((None, outcome)));
        let field = [&pairs[..], &[("field", "t")]].concat();
        let object = apply::<TimestampConverter>(&field, "", Some(&format!(r#"{{"a":1,"t":{value}}}"#)));
        if !schema.contains("name") {
            assert_eq!(object, Ok((Some(format!(r#"{{"a":1,"t":{expected}}}"#)), String::new())));
        }
    }
}

#[test]
fn fields_keep_only_their_optional_flag() {
    let schema = r#"{"type":"struct","fields":[{"type":"int64","optional":true,"default":0,"doc":"d","field":"t"}],"optional":true,"name":"N"}"#;
    let outcome = r#"{"type":"struct","fields":[{"type":"int32","optional":true,"name":"org.apache.kafka.connect.data.Date","version":1,"field":"t"}],"optional":true,"name":"N"}"#;
    let pairs = [("field", "t"), ("target.type", "Date")];
    for (value, days) in [("86400000", "1"), ("null", "0")] {
        let converted = apply::<TimestampConverter>(&pairs, schema, Some(&format!(r#"{{"t":{value}}}"#)));
        assert_eq!(converted, Ok((Some(format!(r#"{{"t":{days}}}"#)), outcome.to_owned())));
    }
    assert_eq!(apply::<TimestampConverter>(&pairs, "", Some("{}")).unwrap().0.unwrap(), r#"{"t":null}"#);
}

#[test]
fn what_is_no_time_is_a_fault_and_settings_are_checked() {
    for value in ["\"x\"", "1.5", "true", "{}"] {
        assert!(apply::<TimestampConverter>(&[("target.type", "unix")], "", Some(value)).is_err(), "{value}");
    }
    assert!(apply::<TimestampConverter>(&[("target.type", "unix")], r#"{"type":"int32"}"#, Some("5")).is_err());
    let bad = [("target.type", "date"), ("format", "b"), ("unix.precision", "hours")];
    assert_eq!(configure::<TimestampConverter>(Part::Value, &bad).unwrap_err().len(), 3);
    assert!(configure::<TimestampConverter>(Part::Value, &[("target.type", "string")]).is_err());
}
