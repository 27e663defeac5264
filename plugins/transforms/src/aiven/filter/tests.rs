//! Rows of the reference on filters and times.
#![allow(clippy::unwrap_used)]

use super::{ExtractTimestamp, FilterByFieldValue};
use crate::class::Class;
use crate::record::Part;
use crate::testing::{Fake, configure};

#[test]
fn records_are_kept_by_value_or_pattern() {
    for (pairs, value, expected) in [
        (vec![("field.name", "a"), ("field.value", "x")], r#"{"a":"x"}"#, true),
        (vec![("field.name", "a"), ("field.value", "x")], r#"{"a":"y"}"#, false),
        (vec![("field.name", "a"), ("field.value", "x"), ("field.value.matches", "false")], r#"{"a":"x"}"#, false),
        (vec![("field.name", "a"), ("field.value", "x"), ("field.value.matches", "false")], "{}", true),
        (vec![("field.name", "a"), ("field.value", "5")], r#"{"a":5}"#, true),
        (vec![("field.name", "a"), ("field.value", "5")], r#"{"a":5.0}"#, true),
        (vec![("field.name", "a"), ("field.value", "5.0")], r#"{"a":"5"}"#, false),
        (vec![("field.name", "a"), ("field.value", "true")], r#"{"a":true}"#, true),
        (vec![("field.name", "a.b"), ("field.value", "x")], r#"{"a":{"b":"x"}}"#, true),
        (vec![("field.name", "a"), ("field.value.pattern", "^x.z")], r#"{"a":"xyzzy"}"#, true),
        (vec![("field.name", "a"), ("field.value.pattern", "q")], r#"{"a":"xyzzy"}"#, false),
        (vec![("field.name", "a"), ("field.value.pattern", ".*")], r#"{"a":null}"#, false),
        (vec![("field.value", "x")], r#""x""#, true),
        (vec![("field.value", "x")], "null", true),
    ] {
        let mut class = configure::<FilterByFieldValue>(Part::Value, &pairs).unwrap();
        assert_eq!(class.apply(&mut Fake::new(Some(value), "")), Ok(expected), "{pairs:?} {value}");
    }
    for pairs in [vec![], vec![("field.value", "a"), ("field.value.pattern", "a")], vec![("field.value.pattern", "(")]]
    {
        assert!(configure::<FilterByFieldValue>(Part::Value, &pairs).is_err(), "{pairs:?}");
    }
}

#[test]
fn a_field_is_the_records_time() {
    for (pairs, value, expected) in [
        (vec![("field.name", "a")], r#"{"a":1565049600000}"#, Some(1_565_049_600_000)),
        (
            vec![("field.name", "a.b"), ("timestamp.resolution", "seconds")],
            r#"{"a":{"b":1565049600}}"#,
            Some(1_565_049_600_000),
        ),
        (vec![("field.name", "a")], r#"{"a":null}"#, None),
        (vec![("field.name", "a")], "{}", None),
        (vec![("field.name", "a")], r#"{"a":"5"}"#, None),
        (vec![("field.name", "a")], r#"{"a":1.5}"#, None),
        (vec![("field.name", "a")], r#"{"a":-1}"#, None),
        (vec![("field.name", "a"), ("timestamp.resolution", "seconds")], r#"{"a":9223372036854775807}"#, None),
    ] {
        let mut class = configure::<ExtractTimestamp>(Part::Value, &pairs).unwrap();
        let mut fake = Fake::new(Some(value), "");
        match expected {
            Some(ms) => assert_eq!((class.apply(&mut fake), fake.timestamp), (Ok(true), Some(ms))),
            None => assert!(class.apply(&mut fake).is_err(), "{value}"),
        }
    }
    assert!(configure::<ExtractTimestamp>(Part::Value, &[("field.name", "")]).is_err());
}
