//! Rows of the reference on `ValueToKey`.
#![allow(clippy::unwrap_used)]

use super::ValueToKey;
use crate::class::Class as _;
use crate::record::Part;
use crate::testing::{Fake, configure};

#[test]
fn the_key_has_the_fields_in_the_order_of_the_setting() {
    let mut transform = configure::<ValueToKey>(Part::Value, &[("fields", "b,a,z")]).unwrap();
    let mut record = Fake::new(Some(r#"{"a":1,"b":{"c":2}}"#), "");
    transform.apply(&mut record).unwrap();
    assert_eq!(record.text(Part::Key).unwrap(), r#"{"b":{"c":2},"a":1,"z":null}"#);
    assert_eq!(record.text(Part::Value).unwrap(), r#"{"a":1,"b":{"c":2}}"#);
}

#[test]
fn with_a_schema_fields_keep_theirs_and_missing_ones_are_faults() {
    let schema = r#"{"type":"struct","fields":[{"type":"int8","optional":true,"default":7,"field":"a"},{"type":"int8","optional":false,"field":"b"}],"optional":false,"name":"N"}"#;
    let mut record = Fake::new(Some(r#"{"a":null,"b":2}"#), schema);
    configure::<ValueToKey>(Part::Value, &[("fields", "a")]).unwrap().apply(&mut record).unwrap();
    assert_eq!(record.text(Part::Key).unwrap(), r#"{"a":7}"#);
    let key =
        r#"{"type":"struct","fields":[{"type":"int8","optional":true,"default":7,"field":"a"}],"optional":false}"#;
    assert_eq!(record.schema(Part::Key), key);
    assert!(configure::<ValueToKey>(Part::Value, &[("fields", "z")]).unwrap().apply(&mut record).is_err());
    for value in [None, Some("[]"), Some("null")] {
        let mut transform = configure::<ValueToKey>(Part::Value, &[("fields", "a")]).unwrap();
        assert!(transform.apply(&mut Fake::new(value, "")).is_err());
    }
}
