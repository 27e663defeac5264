//! What programs of jq make of records.
#![allow(clippy::unwrap_used)]

use super::Jq;
use crate::class::Class;
use crate::record::Part;
use crate::testing::{Fake, configure};

fn record(value: Option<&str>) -> Fake {
    let mut fake = Fake::new(value, r#"{"type":"string","optional":true}"#);
    fake.parts[0] = Some(b"7".to_vec());
    fake.headers.push(("h".to_owned(), Some(b"1".to_vec()), 0));
    fake.headers.push(("h".to_owned(), Some(b"x y".to_vec()), 0));
    fake
}

/// The values of all records that leave, or the fault.
fn run(pairs: &[(&str, &str)], value: Option<&str>) -> Result<Vec<String>, String> {
    let mut class = configure::<Jq>(Part::Value, pairs).map_err(|p| format!("{p:?}"))?;
    let mut fake = record(value);
    class.apply(&mut fake.clone()).map_err(|f| f.message)?;
    let kept = class.apply(&mut fake).map_err(|f| f.message)?;
    let text = |fake: &Fake| fake.text(Part::Value).unwrap_or_else(|| "null".to_owned());
    let mut all: Vec<String> = fake.sent.iter().map(text).collect();
    all.extend(kept.then(|| text(&fake)));
    Ok(all)
}

#[test]
fn a_program_makes_the_new_value() {
    for (program, value, expected) in [
        (".", r#"{"a":1,"b":[1.10,"x"]}"#, r#"{"a":1,"b":[1.10,"x"]}"#),
        (
            "{id: .order.id, total: ([.items[].price] | add)}",
            r#"{"order":{"id":5},"items":[{"price":2},{"price":3}]}"#,
            r#"{"id":5,"total":5}"#,
        ),
        (".n + 1", r#"{"n":5000000000}"#, "5000000001"),
        ("del(.secret) | .name |= ascii_upcase", r#"{"secret":1,"name":"ann"}"#, r#"{"name":"ANN"}"#),
        (
            "{topic: $topic, key: $key, p: $partition, o: $offset, t: $timestamp, h: $headers.h, v: $value.a}",
            r#"{"a":true}"#,
            r#"{"topic":"t","key":7,"p":3,"o":42,"t":1582934400001,"h":"x y","v":true}"#,
        ),
        ("if .x then . else empty end", r#"{"x":true}"#, r#"{"x":true}"#),
        (".t | fromdateiso8601", r#"{"t":"2020-01-02T00:00:00Z"}"#, "1577923200"),
        (".a | test(\"^x\")", r#"{"a":"xy"}"#, "true"),
        ("\"\\u00e4\\u0001😀\"", "1", "\"ä\\u0001😀\""),
    ] {
        assert_eq!(run(&[("filter", program)], Some(value)), Ok(vec![expected.to_owned()]), "{program}");
    }
    let mut class = configure::<Jq>(Part::Value, &[("filter", "{a: .}")]).unwrap();
    let mut fake = record(Some("\"x\""));
    class.apply(&mut fake).unwrap();
    assert_eq!((fake.ids[1], fake.text(Part::Value).as_deref()), (0, Some(r#"{"a":"x"}"#)));
    let mut class = configure::<Jq>(Part::Key, &[("filter", ". * 2")]).unwrap();
    class.apply(&mut fake).unwrap();
    assert_eq!(fake.text(Part::Key).as_deref(), Some("14"));
}

#[test]
fn no_output_drops_and_several_are_what_the_settings_say() {
    let many = ("filter", ".[]");
    let list = Some("[1,null,3]");
    assert_eq!(run(&[("filter", "empty")], list), Ok(vec![]));
    assert!(run(&[many], list).unwrap_err().contains("more than one output"));
    for (outputs, expected) in [("split", vec!["1", "null", "3"]), ("array", vec!["[1,null,3]"]), ("first", vec!["1"])]
    {
        let expected: Vec<String> = expected.into_iter().map(str::to_owned).collect();
        assert_eq!(run(&[many, ("outputs", outputs)], list), Ok(expected));
    }
    assert_eq!(run(&[("filter", "empty"), ("outputs", "array")], list), Ok(vec!["[]".to_owned()]));
    assert!(run(&[("filter", "range(10001)"), ("outputs", "split")], list).unwrap_err().contains("more than 10000"));
    assert_eq!(run(&[("filter", "repeat(1)"), ("outputs", "first")], list), Ok(vec!["1".to_owned()]));
}

#[test]
fn tombstones_pass_unless_told_otherwise() {
    for (how, expected) in [("pass", vec!["null"]), ("drop", vec![]), ("apply", vec!["\"none\""])] {
        let expected: Vec<String> = expected.into_iter().map(str::to_owned).collect();
        assert_eq!(run(&[("filter", ". // \"none\""), ("tombstones", how)], None), Ok(expected), "{how}");
    }
    assert_eq!(run(&[("filter", "null")], Some("1")), Ok(vec!["null".to_owned()]));
}

#[test]
fn what_fails_names_the_cause_and_shows_no_value() {
    for (program, value, part) in [
        (".a.b", r#"{"a":"secret"}"#, "failed on this record"),
        ("error(.)", "\"secret\"", "failed on this record"),
        ("nan", "1", "cannot be written as JSON"),
        (".", "{\"a\"", "not valid JSON"),
    ] {
        let message = run(&[("filter", program)], Some(value)).unwrap_err();
        assert!(message.contains(part) && !message.contains("secret"), "{message}");
    }
    for (program, part) in [
        ("{a: ", "not a program of jq"),
        ("nope(.)", "undefined filter `nope`"),
        (".a | debug", "undefined filter `debug`"),
        ("env", "undefined filter `env`"),
        ("halt", "undefined filter `halt`"),
        ("$nope", "undefined variable `$nope`"),
        ("include \"x\"; .", "there are no modules"),
        ("", "non-empty"),
    ] {
        let problems = configure::<Jq>(Part::Value, &[("filter", program)]).unwrap_err();
        assert!(problems[0].0 == "filter" && problems[0].1.contains(part), "{program}: {problems:?}");
    }
    assert_eq!(
        configure::<Jq>(Part::Value, &[("filter", "."), ("outputs", "x"), ("tombstones", "y")]).unwrap_err().len(),
        2
    );
}
