//! Files as people write them.
#![allow(clippy::unwrap_used)]

use super::*;

fn one(text: &str) -> Wanted {
    let mut all = parse("f", text).unwrap();
    assert_eq!(all.len(), 1);
    all.remove(0)
}

fn refused(text: &str) -> String {
    parse("f.yaml", text).unwrap_err().to_string()
}

#[test]
fn both_forms_in_both_languages_are_the_same_connector() {
    let texts = [
        r#"{"name": "a", "config": {"topics": "t", "tasks.max": 2, "flag": true}}"#,
        r#"{"name": "a", "topics": "t", "tasks.max": "2", "flag": true}"#,
        r#"{"name": "a", "config": {"name": "a", "topics": "t", "tasks.max": 2, "flag": true, "none": null}, "tasks": [{"connector": "a", "task": 0}], "type": "sink"}"#,
        "name: a\nconfig:\n  topics: t\n  tasks.max: 2\n  flag: true\n",
        "# a comment\nname: a\ntopics: t\ntasks.max: '2'\nflag: true\nnone: ~\n",
    ];
    let first = one(texts[0]);
    assert_eq!(first.config["tasks.max"], "2");
    for text in texts {
        let mut wanted = one(text);
        wanted.config.sort_keys();
        let mut expected = first.clone();
        expected.config.sort_keys();
        assert_eq!(wanted, expected, "{text}");
    }
}

#[test]
fn values_stay_as_they_were_written() {
    let yaml = one("name: a\nconfig:\n  v: 1.10\n  o: 0123\n  n: 123456789012345678901234567890\n  p: ${file:/x:y}\n");
    let json =
        one(r#"{"name":"a","config":{"v":1.10,"o":"0123","n":123456789012345678901234567890,"p":"${file:/x:y}"}}"#);
    for wanted in [yaml, json] {
        assert_eq!(wanted.config["v"], "1.10");
        assert_eq!(wanted.config["o"], "0123");
        assert_eq!(wanted.config["n"], "123456789012345678901234567890");
        assert_eq!(wanted.config["p"], "${file:/x:y}");
    }
}

#[test]
fn a_file_may_hold_several_connectors() {
    let names = |text: &str| parse("f", text).unwrap().into_iter().map(|w| w.name).collect::<Vec<_>>();
    assert_eq!(names("---\nname: a\nx: y\n---\nname: b\nx: y\n...\n"), ["a", "b"]);
    assert_eq!(names("- {name: a, x: y}\n- name: b\n  config: {x: y}\n"), ["a", "b"]);
    assert_eq!(names(r#"{"name":"a","x":"y"} {"name":"b","x":"y"}"#), ["a", "b"]);
    assert_eq!(names(r#"[{"name":"a","x":"y"},{"name":"b","x":"y"}]"#), ["a", "b"]);
    assert!(names("# nothing\n").is_empty());
}

#[test]
fn what_cannot_be_meant_is_refused_with_its_place() {
    assert!(refused("topics: t\n").contains("no name"));
    assert!(refused("name: a\nname: b\n").contains("f.yaml: "));
    assert!(refused(r#"{"name":"a","x":"1","x":"2"}"#).contains("x stands twice"));
    assert!(refused(r#"{"name":"a","config":{},"confg":"z"}"#).contains("`confg`"));
    assert!(refused(r#"{"name":"a","config":{"name":"b"}}"#).contains("config says b"));
    assert!(refused(r#"{"name":"a","topics":["t"]}"#).contains("a text"));
    assert!(refused(r#"{"name":"a","config":{"x":"y"}"#).contains("line 1"));
    assert!(refused("just words").contains("f.yaml"));
    let secret = refused("name: a\nconfig:\n  password: geheim\n   x: [\n");
    assert!(!secret.contains("geheim"), "{secret}");
    let second = refused("name: a\n---\nx: y\n");
    assert!(second.contains("document 2"), "{second}");
}
