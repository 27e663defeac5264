//! What tokens are, and where they go.
#![allow(clippy::unwrap_used)]

use super::Tokenize;
use crate::class::Class;
use crate::record::{Part, Record};
use crate::testing::{Fake, apply, configure};

const KEY: (&str, &str) = ("secret", "0123456789abcdef");

fn value(pairs: &[(&str, &str)], json: &str) -> Result<String, String> {
    apply::<Tokenize>(pairs, "", Some(json)).map(|(value, _)| value.unwrap())
}

#[test]
fn tokens_are_the_known_answers() {
    // Made with OpenSSL.
    for (pairs, expected) in [
        (vec![KEY], "9f70eb4f1d9f0194d58bc08c41ce2b3b2e4e580a424a246ce2484484122343df"),
        (vec![("algorithm", "sha256")], "71d4f55f72fa128dfb468a1a3901507c804b74316488744d769d7f4b16696476"),
    ] {
        let found = value(&pairs, "\"ann@example.com\"").unwrap();
        assert_eq!(found, format!("\"{expected}\""), "{pairs:?}");
    }
}

#[test]
fn settings_change_the_token_and_how_it_is_written() {
    let base = value(&[KEY], "\"x\"").unwrap();
    for pairs in [
        vec![KEY, ("salt", "s")],
        vec![("secret", "0123456789abcdeF")],
        vec![("algorithm", "sha256")],
        vec![("algorithm", "sha256"), ("salt", "s")],
        vec![KEY, ("encoding", "base64")],
    ] {
        assert_ne!(value(&pairs, "\"x\"").unwrap(), base, "{pairs:?}");
    }
    assert_eq!(value(&[KEY], "\"x\"").unwrap(), base);
    let short = value(&[KEY, ("length", "20"), ("format", "tok_${token}")], "\"x\"").unwrap();
    assert_eq!(short, format!("\"tok_{}\"", &base[1..21]));
    let url = value(&[KEY, ("encoding", "base64url")], "\"x\"").unwrap();
    assert!(url.len() == 45 && !url.contains(['+', '/', '=']), "{url}");
    let named = [KEY, ("fields", "a,b"), ("salt.with.field", "true")];
    let two = value(&named, r#"{"a":"x","b":"x"}"#).unwrap();
    let plain = value(&[KEY, ("fields", "a,b")], r#"{"a":"x","b":"x"}"#).unwrap();
    let tokens = |text: &str| text.split('"').filter(|t| t.len() == 64).map(str::to_owned).collect::<Vec<_>>();
    assert_ne!(tokens(&two)[0], tokens(&two)[1]);
    assert_eq!(tokens(&plain)[0], tokens(&plain)[1]);
}

#[test]
fn fields_are_found_through_objects_and_lists_and_others_stay() {
    let short = [KEY, ("length", "1"), ("format", "<${field}>${token}")];
    let with = |fields: &'static str| short.iter().copied().chain([("fields", fields)]).collect::<Vec<_>>();
    for (fields, json, expected) in [
        ("a", r#"{"a":"x","b":1}"#, r#"{"a":"<a>*","b":1}"#),
        ("a.b", r#"{"a":{"b":"x","c":2}}"#, r#"{"a":{"b":"<a.b>*","c":2}}"#),
        ("a.b", r#"{"a":[{"b":"x"},{"b":null},{"c":1}]}"#, r#"{"a":[{"b":"<a.b>*"},{"b":null},{"c":1}]}"#),
        ("a", r#"{"a":["x","y"]}"#, r#"{"a":"<a>*"}"#),
        ("a", r#"{"a":5,"z":0}"#, r#"{"a":"<a>*","z":0}"#),
        ("a,missing", r#"{"a":null}"#, r#"{"a":null}"#),
    ] {
        let found = value(&with(fields), json).unwrap();
        let shown: Vec<&str> = found.split('>').collect();
        let hidden =
            shown.iter().enumerate().map(|(at, s)| if at == 0 { (*s).to_owned() } else { format!("*{}", &s[1..]) });
        assert_eq!(hidden.collect::<Vec<_>>().join(">"), expected, "{fields}");
    }
    let fail = |fields| [KEY, ("fields", fields), ("missing", "fail")];
    for json in [r#"{"a":null}"#, "{}"] {
        assert!(value(&fail("a"), json).unwrap_err().contains("the field a"));
    }
    assert_eq!(value(&[KEY], "null"), Ok("null".to_owned()));
}

#[test]
fn the_schema_says_text_where_tokens_are() {
    let schema = r#"{"type":"struct","fields":[{"type":"int64","optional":true,"field":"a"},{"type":"string","optional":false,"field":"b"},{"type":"array","items":{"type":"struct","fields":[{"type":"int32","optional":false,"field":"c"}],"optional":false},"optional":false,"field":"l"}],"optional":false,"name":"n"}"#;
    let (_, found) =
        apply::<Tokenize>(&[KEY, ("fields", "a,b,l.c")], schema, Some(r#"{"a":1,"b":"x","l":[{"c":1}]}"#)).unwrap();
    assert_eq!(found, schema.replace(r#""int64""#, r#""string""#).replace(r#""int32""#, r#""string""#));
    let mut fake = Fake::new(Some("1"), "");
    fake.parts[0] = Some(b"5".to_vec());
    fake.ids[0] = fake.announce(r#"{"type":"int32","optional":true}"#);
    configure::<Tokenize>(Part::Key, &[KEY]).unwrap().apply(&mut fake).unwrap();
    assert_eq!(fake.schema(Part::Key), r#"{"type":"string","optional":true}"#);
}

#[test]
fn a_weak_secret_and_other_mistakes_are_refused_without_showing_it() {
    for (pairs, key) in [
        (vec![], "secret"),
        (vec![("secret", "hunter2")], "secret"),
        (vec![("secret", "hunter2hunter2hunter2"), ("algorithm", "sha256")], "secret"),
        (vec![KEY, ("format", "x")], "format"),
        (vec![KEY, ("encoding", "rot13")], "encoding"),
        (vec![KEY, ("length", "-1")], "length"),
    ] {
        let problems = configure::<Tokenize>(Part::Value, &pairs).unwrap_err();
        assert_eq!(problems[0].0, key, "{pairs:?}");
        assert!(!format!("{problems:?}").contains("hunter2"));
    }
    let class = configure::<Tokenize>(Part::Value, &[KEY]).unwrap();
    assert!(!format!("{class:?}").contains("0123456789"));
}
