//! Rows of the reference on hashes, joins and cases.
#![allow(clippy::unwrap_used)]

use super::{CaseTransform, ConcatFields, Hash};
use crate::record::Part;
use crate::testing::{apply, configure};

#[test]
fn texts_are_hashed() {
    let abc = [
        "900150983cd24fb0d6963f7d28e17f72",
        "a9993e364706816aba3e25717850c26c9cd0d89d",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    ];
    for (function, hash) in super::FUNCTIONS.into_iter().zip(abc) {
        let found = apply::<Hash>(&[("function", function), ("field.name", "a")], "", Some(r#"{"a":"abc","b":1}"#));
        assert_eq!(found, Ok((Some(format!(r#"{{"a":"{hash}","b":1}}"#)), String::new())));
        let whole = apply::<Hash>(&[("function", function)], r#"{"type":"string","optional":false}"#, Some("\"abc\""));
        assert_eq!(whole.unwrap().0, Some(format!("\"{hash}\"")));
    }
    let pairs = [("function", "md5"), ("field.name", "a")];
    for (value, schema) in [
        (Some(r#"{"a":null}"#), ""),
        (Some("{}"), ""),
        (None, ""),
        (Some(r#"{"a":5}"#), ""),
        (
            Some(r#"{"a":5}"#),
            r#"{"type":"struct","fields":[{"type":"int32","optional":false,"field":"a"}],"optional":false}"#,
        ),
    ] {
        assert!(apply::<Hash>(&pairs, schema, value).is_err(), "{value:?}");
    }
    let skip = [pairs[0], pairs[1], ("skip.missing.or.null", "true")];
    assert_eq!(apply::<Hash>(&skip, "", Some(r#"{"a":null}"#)).unwrap().0.as_deref(), Some(r#"{"a":null}"#));
    assert_eq!(apply::<Hash>(&skip, "", None).unwrap().0, None);
    assert!(
        configure::<Hash>(Part::Value, &[("function", "crc32")]).is_err()
            && configure::<Hash>(Part::Value, &[]).is_err()
    );
}

#[test]
fn fields_are_joined() {
    let pairs = [
        ("field.names", r#"["a","b.c","nope"]"#),
        ("output.field.name", "out"),
        ("delimiter", "-"),
        ("field.replace.missing", "*"),
    ];
    for (value, expected) in [
        (r#"{"a":"x","b":{"c":1.50}}"#, r#"{"a":"x","b":{"c":1.50},"out":"x-1.50-*"}"#),
        (r#"{"a":null,"out":"old"}"#, r#"{"a":null,"out":"*-*-*"}"#),
        ("{}", r#"{"out":"*-*-*"}"#),
    ] {
        assert_eq!(apply::<ConcatFields>(&pairs, "", Some(value)).unwrap().0.as_deref(), Some(expected));
    }
    let schema =
        r#"{"type":"struct","fields":[{"type":"string","optional":true,"field":"a"}],"optional":true,"name":"n"}"#;
    let (value, found) = apply::<ConcatFields>(&pairs, schema, Some(r#"{"a":"x"}"#)).unwrap();
    assert_eq!(value.as_deref(), Some(r#"{"a":"x","out":"x-*-*"}"#));
    assert_eq!(
        found,
        r#"{"type":"struct","fields":[{"type":"string","optional":true,"field":"a"},{"type":"string","optional":true,"field":"out"}],"optional":false}"#
    );
    let taken = [("field.names", "a"), ("output.field.name", "a")];
    assert!(apply::<ConcatFields>(&taken, schema, Some(r#"{"a":"x"}"#)).unwrap_err().contains("duplication a"));
    for value in [None, Some("null"), Some("[1]"), Some("5")] {
        assert!(apply::<ConcatFields>(&pairs, "", value).is_err(), "{value:?}");
    }
    assert_eq!(configure::<ConcatFields>(Part::Value, &[]).unwrap_err().len(), 2);
}

#[test]
fn fields_change_their_case() {
    for (case, value, expected) in [
        ("upper", r#"{"a":"aß","b":"x","c":"y"}"#, r#"{"a":"ASS","b":"X","c":"y"}"#),
        ("lower", r#"{"a":"AÄ","b":5}"#, r#"{"a":"aä","b":5}"#),
        ("lower", r#"{"a":null}"#, r#"{"a":null,"b":null}"#),
    ] {
        let found = apply::<CaseTransform>(&[("field.names", "a,b"), ("case", case)], "", Some(value));
        assert_eq!(found.unwrap().0.as_deref(), Some(expected));
    }
    let schema = r#"{"type":"struct","fields":[{"type":"string","optional":true,"field":"a"}],"optional":false}"#;
    let found =
        apply::<CaseTransform>(&[("field.names", "a,b"), ("case", "upper")], schema, Some(r#"{"a":"x"}"#)).unwrap();
    assert_eq!(found, (Some(r#"{"a":"X"}"#.to_owned()), schema.to_owned()));
    assert!(apply::<CaseTransform>(&[("field.names", "a"), ("case", "upper")], "", None).is_err());
    assert!(configure::<CaseTransform>(Part::Value, &[("field.names", "a"), ("case", "title")]).is_err());
}
