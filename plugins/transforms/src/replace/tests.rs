//! Rows of the reference on `ReplaceField`.
#![allow(clippy::unwrap_used)]

use super::ReplaceField;
use crate::record::Part;
use crate::testing::{apply, configure};

#[test]
fn filters_see_old_names_and_exclude_beats_include() {
    let value = r#"{"a":1, "b":[2] ,"c":"x","d":null}"#;
    let table: [(&[(&str, &str)], &str); 9] = [
        (&[], r#"{"a":1, "b":[2] ,"c":"x","d":null}"#),
        (&[("exclude", "a")], r#"{"b":[2] ,"c":"x","d":null}"#),
        (&[("exclude", "b,d")], r#"{"a":1,"c":"x"}"#),
        (&[("include", "a,c")], r#"{"a":1,"c":"x"}"#),
        (&[("include", "a,b"), ("exclude", "b")], r#"{"a":1}"#),
        (&[("renames", "a:z,c:y")], r#"{"z":1, "b":[2],"y":"x","d":null}"#),
        (&[("renames", "a:b,b:a")], r#"{"b":1,"a":[2] ,"c":"x","d":null}"#),
        (&[("renames", "a:c")], r#"{"c":1, "b":[2],"d":null}"#),
        (&[("exclude", "a,b,c,d")], "{}"),
    ];
    for (pairs, expected) in table {
        let replaced = apply::<ReplaceField>(pairs, "", Some(value));
        assert_eq!(replaced, Ok((Some(expected.to_owned()), String::new())), "{pairs:?}");
    }
}

#[test]
fn the_schema_follows() {
    let schema = r#"{"type":"struct","fields":[{"type":"int8","optional":false,"field":"a"},{"type":"string","optional":true,"doc":"d","field":"b"}],"optional":true,"name":"N"}"#;
    let replaced = apply::<ReplaceField>(&[("exclude", "a"), ("renames", "b:c")], schema, Some(r#"{"a":1,"b":"x"}"#));
    let expected = r#"{"type":"struct","fields":[{"type":"string","optional":true,"doc":"d","field":"c"}],"optional":false,"name":"N"}"#;
    assert_eq!(replaced, Ok((Some(r#"{"c":"x"}"#.to_owned()), expected.to_owned())));
    assert!(apply::<ReplaceField>(&[("renames", "b:a")], schema, Some(r#"{"a":1,"b":"x"}"#)).is_err());
    assert_eq!(apply::<ReplaceField>(&[], schema, None), Ok((None, schema.to_owned())));
}

#[test]
fn renames_are_pairs() {
    for renames in ["a", "a:b:c", "a:"] {
        assert!(configure::<ReplaceField>(Part::Value, &[("renames", renames)]).is_err(), "{renames}");
    }
    let renamed = apply::<ReplaceField>(&[("renames", ":b,a:x,a:c")], "", Some(r#"{"":1,"a":2}"#));
    assert_eq!(renamed, Ok((Some(r#"{"b":1,"c":2}"#.to_owned()), String::new())));
}
