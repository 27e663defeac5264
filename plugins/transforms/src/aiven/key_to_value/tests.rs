//! Rows of the reference on keys in values.
#![allow(clippy::unwrap_used)]

use super::KeyToValue;
use crate::class::Class;
use crate::record::{Part, Record};
use crate::testing::{Fake, configure};

const KEY: &str = r#"{"type":"struct","fields":[{"type":"int32","optional":false,"field":"id"},{"type":"string","optional":true,"field":"n"}],"optional":false}"#;
const VALUE: &str =
    r#"{"type":"struct","fields":[{"type":"string","optional":false,"field":"id"}],"optional":true,"name":"v"}"#;

fn run(pairs: &[(&str, &str)], key: &str, key_schema: &str, value: &str, schema: &str) -> Result<Fake, String> {
    let mut fake = Fake::new(Some(value), schema);
    fake.parts[0] = Some(key.as_bytes().to_vec());
    fake.ids[0] = if key_schema.is_empty() { 0 } else { fake.announce(key_schema) };
    let mut class = configure::<KeyToValue>(Part::Value, pairs).map_err(|p| format!("{p:?}"))?;
    class.apply(&mut fake.clone()).map_err(|f| f.message)?;
    class.apply(&mut fake).map_err(|f| f.message)?;
    Ok(fake)
}

#[test]
fn fields_of_the_key_are_added_or_replace_others() {
    let key = r#"{"id":1,"n":"x"}"#;
    for (pairs, expected) in [
        (vec![("key.fields", "id, n")], r#"{"id":1,"z":0,"n":"x"}"#),
        (vec![("key.fields", "id"), ("value.fields", "kid")], r#"{"id":"a","z":0,"kid":1}"#),
        (vec![("key.fields", "*")], r#"{"id":"a","z":0,"_key":{"id":1,"n":"x"}}"#),
        (vec![("key.fields", "*"), ("value.fields", "k")], r#"{"id":"a","z":0,"k":{"id":1,"n":"x"}}"#),
        (vec![("key.fields", "nope")], r#"{"id":"a","z":0,"nope":null}"#),
    ] {
        let fake = run(&pairs, key, "", r#"{"id":"a","z":0}"#, "").unwrap();
        assert_eq!(fake.text(Part::Value).as_deref(), Some(expected), "{pairs:?}");
        assert_eq!(fake.text(Part::Key).as_deref(), Some(key));
    }
}

#[test]
fn schemas_are_merged() {
    let fake = run(&[("key.fields", "id,n")], r#"{"id":1,"n":"x"}"#, KEY, r#"{"id":"a"}"#, VALUE).unwrap();
    assert_eq!(fake.text(Part::Value).as_deref(), Some(r#"{"id":1,"n":"x"}"#));
    assert_eq!(
        fake.schema(Part::Value),
        r#"{"type":"struct","fields":[{"type":"int32","optional":false,"field":"id"},{"type":"string","optional":true,"field":"n"}],"optional":true,"name":"v"}"#
    );
    let fake = run(&[("key.fields", "*")], "\"k\"", "", r#"{"id":"a"}"#, VALUE).unwrap();
    assert!(fake.schema(Part::Value).contains(r#"{"type":"string","optional":true,"field":"_key"}"#));
}

#[test]
fn what_cannot_be_copied_is_an_error() {
    for (pairs, key, key_schema, value, schema) in [
        (vec![("key.fields", "id")], "5", "", "{}", ""),
        (vec![("key.fields", "nope")], r#"{"id":1}"#, KEY, r#"{"id":"a"}"#, VALUE),
        (vec![("key.fields", "*")], r#"{"id":1}"#, "", r#"{"id":"a"}"#, VALUE),
        (vec![("key.fields", "*")], "null", "", r#"{"id":"a"}"#, VALUE),
        (vec![("key.fields", "*")], "1", "", "5", ""),
        (vec![("key.fields", "*")], "1", "", "null", ""),
        (vec![("key.fields", "a,b"), ("value.fields", "x,x")], "{}", "", "{}", ""),
        (vec![], "{}", "", "{}", ""),
    ] {
        assert!(run(&pairs, key, key_schema, value, schema).is_err(), "{pairs:?} {key}");
    }
}
