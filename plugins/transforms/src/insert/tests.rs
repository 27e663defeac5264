//! Rows of the reference on `InsertField`.
#![allow(clippy::unwrap_used)]

use super::InsertField;
use crate::class::Class as _;
use crate::record::Part;
use crate::testing::{Fake, apply, configure};

const ALL: &[(&str, &str)] = &[
    ("topic.field", "t!"),
    ("partition.field", "p?"),
    ("offset.field", "o"),
    ("timestamp.field", "ts"),
    ("static.field", "s"),
    ("static.value", "5"),
];

#[test]
fn new_members_stand_behind_the_old_ones_in_kafkas_order() {
    let inserted = apply::<InsertField>(ALL, "", Some(r#"{"a":1 }"#)).unwrap();
    assert_eq!(inserted.0.unwrap(), r#"{"a":1,"t":"t","p":3,"o":42,"ts":1582934400001,"s":"5"}"#);
    assert_eq!(apply::<InsertField>(&ALL[..1], "", Some("{}")).unwrap().0.unwrap(), r#"{"t":"t"}"#);
    let overwritten = apply::<InsertField>(&ALL[..2], "", Some(r#"{"t":1,"a":[],"p":2}"#)).unwrap();
    assert_eq!(overwritten.0.unwrap(), r#"{"a":[],"t":"t","p":3}"#);
}

#[test]
fn the_schema_gains_fields_and_loses_optional_and_default() {
    let schema = r#"{"type":"struct","fields":[{"type":"int8","optional":false,"field":"a"}],"optional":true,"name":"N","version":2,"default":null}"#;
    let (value, schema) = apply::<InsertField>(ALL, schema, Some(r#"{"a":1}"#)).unwrap();
    assert_eq!(value.unwrap(), r#"{"a":1,"t":"t","p":3,"o":42,"ts":1582934400001,"s":"5"}"#);
    let expected = [
        r#"{"type":"struct","fields":[{"type":"int8","optional":false,"field":"a"},"#,
        r#"{"type":"string","optional":false,"field":"t"},{"type":"int32","optional":true,"field":"p"},"#,
        r#"{"type":"int64","optional":true,"field":"o"},"#,
        r#"{"type":"int64","optional":true,"name":"org.apache.kafka.connect.data.Timestamp","version":1,"field":"ts"},"#,
        r#"{"type":"string","optional":true,"field":"s"}],"optional":false,"name":"N","version":2}"#,
    ];
    assert_eq!(schema, expected.concat());
    let taken = r#"{"type":"struct","fields":[{"type":"string","optional":true,"field":"t"}],"optional":false}"#;
    assert!(apply::<InsertField>(&ALL[..1], taken, Some(r#"{"t":"x"}"#)).is_err());
}

#[test]
fn what_a_record_lacks_is_left_out_or_null() {
    let mut record = Fake::new(Some("{}"), "");
    (record.partition, record.timestamp, record.offset) = (None, None, None);
    let mut sourced = configure::<InsertField>(Part::Value, &[ALL[1], ALL[3]]).unwrap();
    sourced.apply(&mut record).unwrap();
    assert_eq!(record.text(Part::Value).unwrap(), "{}");
    let mut record =
        Fake { timestamp: None, ..Fake::new(Some("{}"), r#"{"type":"struct","fields":[],"optional":false}"#) };
    sourced.apply(&mut record).unwrap();
    assert_eq!(record.text(Part::Value).unwrap(), r#"{"p":3,"ts":null}"#);
    record.offset = None;
    assert!(configure::<InsertField>(Part::Value, &[ALL[2]]).unwrap().apply(&mut record).is_err());
}

#[test]
fn null_passes_untouched_and_other_kinds_are_faults() {
    let schema = r#"{"type":"struct","fields":[],"optional":true}"#;
    assert_eq!(apply::<InsertField>(ALL, schema, None), Ok((None, schema.to_owned())));
    assert_eq!(apply::<InsertField>(ALL, "", Some("null")), Ok((Some("null".to_owned()), String::new())));
    let fault = apply::<InsertField>(ALL, "", Some("5")).unwrap_err();
    assert_eq!(fault, "Only Map objects supported in absence of schema for [field insertion], found: number");
}

#[test]
fn something_has_to_be_configured() {
    assert!(configure::<InsertField>(Part::Value, &[]).is_err());
    assert!(configure::<InsertField>(Part::Value, &[("static.field", "s")]).is_err());
    assert!(configure::<InsertField>(Part::Value, &[("static.value", "s")]).is_err());
}
