//! Changes of members, and the bytes that come of them.
#![allow(clippy::unwrap_used)]
use lockgate_sdk::Form as _;

use super::{Object, Open};

/// The text after a change, written behind other bytes.
fn after(text: &str, change: impl FnOnce(&mut Open<'_>)) -> String {
    let mut object = Object::default();
    // What the object before left behind is forgotten.
    object.read(Some(br#"{"old":1,"older":2}"#)).unwrap();
    object.open(br#"{"old":1,"older":2}"#).push("\"left\"", b"0");
    object.read(Some(text.as_bytes())).unwrap();
    change(&mut object.open(text.as_bytes()));
    if !object.changed() {
        return "unchanged".to_owned();
    }
    let mut out = b"before ".to_vec();
    object.write(text.as_bytes(), &mut out);
    String::from_utf8(out).unwrap().strip_prefix("before ").unwrap().to_owned()
}

#[test]
fn what_nobody_changes_is_not_written() {
    assert_eq!(after(r#"{"a":1}"#, |object| assert_eq!(object.find("b"), None)), "unchanged");
    assert_eq!(after(r#"{"a":1}"#, |object| object.retain(|_, _| true)), "unchanged");
}

#[test]
fn members_that_stay_keep_the_white_space_between_them() {
    let text = r#" { "a" : 1 , "b" : 2 , "c" : 3 , "d" : 4 } "#;
    assert_eq!(after(text, |o| o.set(0, b"x")), r#"{"a":x,"b" : 2 , "c" : 3 , "d" : 4}"#);
    assert_eq!(after(text, |o| o.set(2, b"x")), r#"{"a" : 1 , "b" : 2 , "c":x,"d" : 4}"#);
    assert_eq!(after(text, |o| o.rename(1, "\"z\"")), r#"{"a" : 1,"z":2 , "c" : 3 , "d" : 4}"#);
    assert_eq!(after(text, |o| o.retain(|o, at| !o.is(at, "b"))), r#"{"a" : 1,"c" : 3 , "d" : 4}"#);
    assert_eq!(after(text, |o| o.retain(|o, at| !o.is(at, "a"))), r#"{"b" : 2 , "c" : 3 , "d" : 4}"#);
    assert_eq!(after(text, |o| o.retain(|_, _| false)), "{}");
    assert_eq!(after("{ }", |o| o.push("\"n\"", b"[1]")), r#"{"n":[1]}"#);
    assert_eq!(after(text, |o| o.push("\"n\"", b"5")), r#"{"a" : 1 , "b" : 2 , "c" : 3 , "d" : 4,"n":5}"#);
}

#[test]
fn a_member_may_be_changed_more_than_once_and_both_ways() {
    let text = r#"{"a":1,"b":2}"#;
    let twice = |object: &mut Open<'_>| {
        object.rename(0, "\"x\"");
        object.set(0, b"10");
        object.rename(0, "\"y\\\"\"");
        let ten_times = |old: &[u8], out: &mut Vec<u8>| {
            out.extend_from_slice(&[old, b"0"].concat());
            Ok(())
        };
        object.convert(0, ten_times).unwrap();
        assert!(object.is(0, "y\"") && object.value(0) == b"100" && object.find("a").is_none());
    };
    assert_eq!(after(text, twice), r#"{"y\"":100,"b":2}"#);
    let added = |object: &mut Open<'_>| {
        object.push("\"c\"", b"3");
        object.rename(2, "\"d\"");
        object.set(1, b"two");
        object.retain(|object, at| !object.is(at, "a"));
        assert_eq!((object.len(), object.is_empty()), (2, false));
    };
    assert_eq!(after(text, added), r#"{"b":two,"d":3}"#);
}

#[test]
fn names_are_compared_by_what_they_mean_and_of_repeated_ones_the_last_is_found() {
    let text = r#"{"\u0061":1,"b":2,"a":3}"#;
    assert_eq!(after(text, |o| assert_eq!((o.find("a"), o.find("\\u0061")), (Some(2), None))), "unchanged");
    let all = |object: &mut Open<'_>| {
        let names = ["a", "n"].map(str::to_owned);
        object
            .convert_all(&names, true, |index, old, out| {
                assert_eq!(index, 0);
                out.extend_from_slice(&[b"<", old, b">"].concat());
                Ok(())
            })
            .unwrap();
    };
    assert_eq!(after(text, all), r#"{"\u0061":<1>,"b":2,"a":<3>}"#);
    assert_eq!(after(r#"{"b":2}"#, |o| o.add_missing(&["a", "b"].map(str::to_owned))), r#"{"b":2,"a":null}"#);
}

#[test]
fn what_is_no_object_is_not_read() {
    for text in [None, Some(&b"[]"[..]), Some(b"null"), Some(b"{\"a\":"), Some(b"")] {
        assert!(Object::default().read(text).is_err());
    }
}
