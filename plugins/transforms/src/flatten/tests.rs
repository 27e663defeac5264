//! Rows of the reference on `Flatten`.
#![allow(clippy::unwrap_used)]

use super::Flatten;
use crate::testing::apply;

#[test]
fn names_are_joined() {
    let value = r#"{"a":1,"b":{"c":{"d":"x"},"e":[{"f":1}],"g":{}},"h":null}"#;
    let flat = apply::<Flatten>(&[], "", Some(value)).unwrap().0.unwrap();
    assert_eq!(flat, r#"{"a":1,"b.c.d":"x","b.e":[{"f":1}],"h":null}"#);
    let flat = apply::<Flatten>(&[("delimiter", "_")], "", Some(value)).unwrap().0.unwrap();
    assert_eq!(flat, r#"{"a":1,"b_c_d":"x","b_e":[{"f":1}],"h":null}"#);
    assert_eq!(apply::<Flatten>(&[], "", Some("null")).unwrap().0.unwrap(), "null");
    assert!(apply::<Flatten>(&[], "", Some("[]")).is_err());
}

#[test]
fn structs_become_one_and_leaves_inherit_optional() {
    let schema = r#"{"type":"struct","fields":[{"type":"struct","fields":[{"type":"int8","optional":false,"field":"x"},{"type":"int8","optional":false,"default":7,"field":"y"}],"optional":true,"field":"b"},{"type":"string","optional":false,"field":"a"}],"optional":false,"name":"N"}"#;
    let flat = r#"{"type":"struct","fields":[{"type":"int8","optional":true,"field":"b.x"},{"type":"int8","optional":true,"default":7,"field":"b.y"},{"type":"string","optional":false,"field":"a"}],"optional":false,"name":"N"}"#;
    for (value, expected) in [
        (r#"{"a":"s","b":{"y":2,"x":1}}"#, r#"{"b.x":1,"b.y":2,"a":"s"}"#),
        (r#"{"a":"s","b":{"y":null,"x":1}}"#, r#"{"b.x":1,"b.y":7,"a":"s"}"#),
        // The converter fills in the default, by its own setting.
        (r#"{"b":null,"a":"s"}"#, r#"{"b.x":null,"b.y":null,"a":"s"}"#),
    ] {
        assert_eq!(apply::<Flatten>(&[], schema, Some(value)), Ok((Some(expected.to_owned()), flat.to_owned())));
    }
    let map =
        r#"{"type":"struct","fields":[{"type":"map","keys":{"type":"string"},"values":{"type":"int8"},"field":"m"}]}"#;
    assert!(apply::<Flatten>(&[], map, Some(r#"{"m":{}}"#)).is_err());
    let twice = r#"{"type":"struct","fields":[{"type":"int8","field":"a.b"},{"type":"struct","fields":[{"type":"int8","field":"b"}],"field":"a"}]}"#;
    assert!(apply::<Flatten>(&[], twice, Some("{}")).is_err());
}
