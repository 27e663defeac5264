//! What is a repetition, and for how long.
#![allow(clippy::unwrap_used)]

use super::Deduplicate;
use crate::class::Class;
use crate::record::Part;
use crate::testing::{Fake, configure};

/// A record of key, value, time and offset.
fn record(key: &str, value: &str, at: i64, offset: i64) -> Fake {
    let mut fake = Fake::new(Some(value), "");
    fake.parts[0] = (!key.is_empty()).then(|| key.as_bytes().to_vec());
    (fake.timestamp, fake.offset) = (Some(at), Some(offset));
    fake
}

fn class(pairs: &[(&str, &str)]) -> Deduplicate {
    configure(Part::Value, pairs).unwrap()
}

#[test]
fn the_first_of_a_key_passes_and_the_rest_of_the_window_is_dropped() {
    let mut class = class(&[("window.ms", "100")]);
    for (key, at, offset, expected) in [
        ("a", 0, 0, true),
        ("a", 50, 1, false),
        ("b", 60, 2, true),
        ("a", 99, 3, false),
        ("a", 100, 4, true),
        ("a", 150, 5, false),
        // Late, but not so late that it is another window.
        ("a", 20, 6, false),
        ("", 150, 7, true),
        ("", 150, 8, true),
    ] {
        assert_eq!(class.apply(&mut record(key, "1", at, offset)), Ok(expected), "{key} at {at}");
    }
}

#[test]
fn a_record_that_is_read_once_more_is_no_repetition() {
    let mut class = class(&[]);
    for (offset, expected) in [(7, true), (8, false), (7, true), (8, false)] {
        assert_eq!(class.apply(&mut record("a", "1", 0, offset)), Ok(expected), "{offset}");
    }
    // Records of a source have no offset.
    let source = || Fake { offset: None, ..record("s", "1", 0, 0) };
    assert_eq!((class.apply(&mut source()), class.apply(&mut source())), (Ok(true), Ok(false)));
}

#[test]
fn no_more_is_remembered_than_the_count_says() {
    let mut class = class(&[("window.records", "2"), ("window.ms", "0")]);
    for (key, offset, expected) in [
        ("a", 0, true),
        ("b", 1, true),
        ("a", 2, false),
        ("c", 3, true),
        ("a", 4, true),
        ("c", 5, false),
        ("b", 6, true),
    ] {
        assert_eq!(class.apply(&mut record(key, "1", 0, offset)), Ok(expected), "{key}");
        assert!(class.seen.len() <= 2 && class.order.len() <= 2, "{class:?}");
    }
    let mut long = configure::<Deduplicate>(Part::Value, &[("window.ms", "10")]).unwrap();
    for at in 0..10_000 {
        long.apply(&mut record(&at.to_string(), "1", at, at)).unwrap();
    }
    assert!(long.seen.len() <= 10 && long.order.len() <= 10);
}

#[test]
fn what_is_compared_is_a_matter_of_settings() {
    let value = r#"{"id":1,"c":{"d":"x"},"at":9}"#;
    let same = r#"{"at":10,"id":1,"c":{"d":"x"}}"#;
    let other = r#"{"id":1,"c":{"d":"y"}}"#;
    for (pairs, second, expected) in [
        (vec![("by", "value")], value, false),
        (vec![("by", "value")], same, true),
        (vec![("by", "fields"), ("fields", "id, c.d")], same, false),
        (vec![("by", "fields"), ("fields", "id, c.d")], other, true),
        (vec![("by", "fields"), ("fields", "id")], other, false),
        (vec![("by", "fields"), ("fields", "nope")], same, true),
        (vec![("by", "fields"), ("fields", "nope"), ("nulls", "drop")], same, false),
    ] {
        let mut class = class(&pairs);
        class.apply(&mut record("a", value, 0, 0)).unwrap();
        assert_eq!(class.apply(&mut record("b", second, 0, 1)), Ok(expected), "{pairs:?}");
    }
    for (by_topic, expected) in [("true", true), ("false", false)] {
        let mut class = class(&[("by.topic", by_topic)]);
        class.apply(&mut record("a", "1", 0, 0)).unwrap();
        let mut elsewhere = Fake { topic: "u".to_owned(), ..record("a", "1", 0, 1) };
        assert_eq!(class.apply(&mut elsewhere), Ok(expected));
    }
    for pairs in [
        vec![("by", "fields")],
        vec![("fields", "a")],
        vec![("window.records", "0")],
        vec![("window.records", "99999999")],
        vec![("window.ms", "x")],
    ] {
        assert!(configure::<Deduplicate>(Part::Value, &pairs).is_err(), "{pairs:?}");
    }
}
