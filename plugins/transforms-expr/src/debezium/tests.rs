//! Rows of the reference on Debezium's filter and router.
#![allow(clippy::unwrap_used)]

use super::{ContentBasedRouter, Filter};
use crate::class::Class;
use crate::record::{Part, Record};
use crate::testing::{Fake, configure};

const EVENT: &str = r#"{"op":"u","before":{"id":2},"after":{"id":2,"name":"Ann","tags":["a","b"],"price":1.5}}"#;

fn record(value: Option<&str>) -> Fake {
    let mut fake = Fake::new(value, "");
    fake.parts[0] = Some(br#"{"id":7}"#.to_vec());
    fake.headers.push(("h".to_owned(), Some(b"\"x\"".to_vec()), 0));
    fake.headers.push(("n".to_owned(), Some(b"5".to_vec()), 0));
    fake.headers.push(("raw".to_owned(), Some(b"plain text".to_vec()), 0));
    fake
}

fn filter(pairs: &[(&str, &str)], value: Option<&str>) -> Result<bool, String> {
    let pairs: Vec<_> = [("language", "cel")].into_iter().chain(pairs.iter().copied()).collect();
    let mut class = configure::<Filter>(Part::Value, &pairs).map_err(|p| format!("{p:?}"))?;
    let first = class.apply(&mut record(value));
    let second = class.apply(&mut record(value));
    assert_eq!(first, second);
    second.map_err(|f| f.message)
}

#[test]
fn a_condition_sees_the_whole_record() {
    for (condition, expected) in [
        ("value.op == 'u' && value.before.id == 2", true),
        ("value.op == 'd'", false),
        ("value.after.price > 1", true),
        ("value.after.price < 1.5", false),
        ("'a' in value.after.tags", true),
        ("value.after.tags.exists(t, t == 'b')", true),
        ("value.after.tags.all(t, t.size() == 2)", false),
        ("has(value.missing) && value.missing == 1", false),
        ("value.after.name.matches('^A.*')", true),
        ("value.after.name.lowerAscii() == 'ann'", true),
        ("key.id == 7 && topic == 't' && partition == 3 && offset == 42", true),
        ("timestamp > 1500000000000", true),
        ("headers.h == 'x' && headers.n == 5 && headers.raw == 'plain text'", true),
        ("valueSchema == null", true),
    ] {
        assert_eq!(filter(&[("condition", condition)], Some(EVENT)), Ok(expected), "{condition}");
    }
    let schema = r#"{"type":"struct","fields":[],"optional":false,"name":"srv.t.Envelope","version":2}"#;
    let mut class = configure::<Filter>(
        Part::Value,
        &[
            ("language", "cel"),
            (
                "condition",
                "valueSchema.name == 'srv.t.Envelope' && valueSchema.version == 2 && valueSchema.type == 'struct'",
            ),
        ],
    )
    .unwrap();
    assert_eq!(class.apply(&mut Fake::new(Some("{}"), schema)), Ok(true));
}

#[test]
fn nulls_and_other_topics_pass_unless_told_otherwise() {
    let condition = ("condition", "value != null && value.op == 'x'");
    for (pairs, value, expected) in [
        (vec![condition], None, true),
        (vec![condition, ("null.handling.mode", "keep")], None, true),
        (vec![condition, ("null.handling.mode", "drop")], None, false),
        (vec![condition, ("null.handling.mode", "evaluate")], None, false),
        (vec![condition], Some(EVENT), false),
        (vec![condition, ("topic.regex", "other.*")], Some(EVENT), true),
        (vec![condition, ("topic.regex", "t|other")], Some(EVENT), false),
    ] {
        assert_eq!(filter(&pairs, value), Ok(expected), "{pairs:?}");
    }
}

#[test]
fn a_record_that_cannot_be_judged_is_an_error_that_shows_no_value() {
    for (condition, value, expected) in [
        ("value.missing == 1", EVENT, "no such field: missing"),
        ("value.op", EVENT, "must give true or false, it gave string"),
        ("value.op > 5", EVENT, ""),
        ("value.after.id / 0 == 1", EVENT, "division by zero"),
        ("value.op == 'u'", "{\"op\"", "not valid JSON"),
        ("value.after.tags[7] == 'x'", EVENT, "out of bounds"),
    ] {
        let message = filter(&[("condition", condition)], Some(value)).unwrap_err();
        assert!(message.contains(expected) && !message.contains("Ann"), "{condition}: {message}");
    }
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(filter(&[("condition", "value.size() == 1")], Some(&deep)).is_err());
}

#[test]
fn wrong_settings_say_what_to_write() {
    let refused = |pairs: &[(&str, &str)]| configure::<Filter>(Part::Value, pairs).unwrap_err();
    let problems = refused(&[("language", "jsr223.groovy"), ("condition", "value.op.equals('u')")]);
    assert_eq!(problems[0].0, "language");
    assert!(problems[0].1.ends_with("in CEL the expression is probably: value.op == 'u'"), "{}", problems[0].1);
    for (condition, part) in
        [("value.op ==", "not an expression of CEL"), ("record.op == 'u'", "`record` is not known"), ("", "non-empty")]
    {
        let problems = refused(&[("language", "cel"), ("condition", condition)]);
        assert!(problems[0].0 == "condition" && problems[0].1.contains(part), "{problems:?}");
    }
    assert_eq!(refused(&[]).len(), 2);
    assert_eq!(refused(&[("language", "cel"), ("condition", "true"), ("topic.regex", "(")])[0].0, "topic.regex");
    assert_eq!(
        refused(&[("language", "cel"), ("condition", "true"), ("null.handling.mode", "x")])[0].0,
        "null.handling.mode"
    );
}

#[test]
fn an_expression_names_the_topic() {
    for (expression, expected) in [
        ("value.op == 'u' ? 'updates' : null", Ok("updates")),
        ("value.op == 'd' ? 'deletes' : null", Ok("t")),
        ("topic + '.' + value.after.name", Ok("t.Ann")),
        ("value.after.id", Err("it gave int")),
        ("''", Err("it gave string")),
    ] {
        let pairs = [("language", "cel"), ("topic.expression", expression)];
        let mut class = configure::<ContentBasedRouter>(Part::Value, &pairs).unwrap();
        let mut fake = record(Some(EVENT));
        match (class.apply(&mut fake), expected) {
            (Ok(true), Ok(topic)) => assert_eq!(fake.topic(), topic, "{expression}"),
            (Err(fault), Err(part)) => assert!(fault.message.contains(part), "{}", fault.message),
            other => panic!("{expression}: {other:?}"),
        }
        assert_eq!(fake.text(Part::Value).as_deref(), Some(EVENT));
    }
}
