//! Settings, records and positions as types, and what is said where they do not fit.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use super::*;
use crate::fault::FaultKind;
use crate::schemas::Schemas;
use crate::{Importance, Options, Secret};

#[expect(clippy::trivially_copy_pass_by_ref, reason = "a check gets a reference")]
fn even(size: &i32) -> Result<(), String> {
    if size % 2 == 0 { Ok(()) } else { Err(format!("{size} is odd")) }
}

#[derive(Debug, PartialEq, Options)]
struct Api {
    /// Where the items are,
    /// with their path.
    #[option(importance(Importance::Low))]
    base_url: String,
    #[option(default = "one", one_of("one", "array"))]
    mode: String,
    /// Items of a request.
    #[option(default = 10, between(1.0, 100.0), check = even)]
    size: i32,
    #[option(name = "poll.interval.ms", default = 5_000)]
    every: Duration,
    token: Option<Secret>,
    limit: Option<i64>,
    tags: Vec<String>,
    #[option(default = false)]
    strict: bool,
}

fn settings(pairs: &[(&str, &str)]) -> Settings {
    Settings::new(pairs.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect(), Api::config())
}

#[test]
fn a_struct_is_definitions_and_values_at_once() {
    let all: Vec<_> = Api::config().0.into_iter().map(|key| key.0).collect();
    let names: Vec<_> = all.iter().map(|key| key.name.as_str()).collect();
    assert_eq!(names, ["base.url", "mode", "size", "poll.interval.ms", "token", "limit", "tags", "strict"]);
    let required: Vec<_> = all.iter().filter(|key| key.required).map(|key| key.name.as_str()).collect();
    assert_eq!(required, ["base.url"]);
    assert_eq!(all[0].documentation, "Where the items are, with their path.");
    assert_eq!(all[0].importance, Importance::Low);
    assert_eq!(all[4].config_type, ConfigType::Password);
    let read: Api = settings(&[("base.url", "x"), ("size", "4"), ("token", "t"), ("tags", "a, b")]).options().unwrap();
    let expected = Api {
        base_url: "x".to_owned(),
        mode: "one".to_owned(),
        size: 4,
        every: Duration::from_secs(5),
        token: Some("t".to_owned().into()),
        limit: None,
        tags: vec!["a".to_owned(), "b".to_owned()],
        strict: false,
    };
    assert_eq!(read, expected);
    assert!(!format!("{read:?}").contains("\"t\""));
}

#[test]
fn every_problem_of_a_struct_is_said_at_once() {
    let pairs = [("mode", "two"), ("size", "7"), ("limit", "many"), ("strict", "perhaps")];
    let fault = settings(&pairs).options::<Api>().unwrap_err();
    let FaultKind::Config(problems) = fault.kind else { panic!("not a config fault") };
    let said: Vec<_> = problems.iter().map(|p| format!("{}: {}", p.key, p.problem)).collect();
    let expected = [
        "base.url: a value is missing; a text is needed",
        "mode: `two` is not one of one, array",
        "size: 7 is odd",
        "limit: `many` is not a whole number of 64 bits",
        "strict: `perhaps` is neither true nor false",
    ];
    assert_eq!(said, expected);
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Plain {
    #[serde(rename = "base.url")]
    url: String,
    size: u8,
    strict: bool,
    tags: Vec<String>,
}

#[test]
fn settings_are_read_by_serde_with_types_and_defaults() {
    let read: Plain = settings(&[("base.url", "5"), ("tags", "a")]).deserialize().unwrap();
    assert_eq!(read, Plain { url: "5".to_owned(), size: 10, strict: false, tags: vec!["a".to_owned()] });
    let fault = settings(&[("base.url", "5"), ("size", "top secret")]).deserialize::<Plain>().unwrap_err();
    assert!(fault.message.contains("expected u8") && !fault.message.contains("secret"), "{fault:?}");
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Order<'a> {
    id: u32,
    name: &'a str,
}

#[test]
fn records_are_read_and_written_as_types_and_say_where_they_do_not_fit() {
    let mut out = BatchBuilder::new(&Schemas::default(), 10, 1_000);
    let topic = out.topic("t");
    out.record(topic).value_of(&Order { id: 1, name: "ada" }).unwrap().push();
    out.record(topic).value(Some(br#"{"id":"4111 1111","name":"x"}"#)).push();
    out.record(topic).value(Some(br#"{"id":1"#)).push();
    out.record(topic).push();
    let batch = out.into_batch();
    let read: Vec<_> = batch.iter().map(|record| record.value_as::<Order<'_>>()).collect();
    assert_eq!(read[0], Ok(Some(Order { id: 1, name: "ada" })));
    let fault = read[1].as_ref().unwrap_err();
    assert_eq!((fault.row, fault.code.as_str()), (1, "json.type"));
    assert_eq!(fault.message, "the value does not fit: expected u32 at line 1 column 17");
    assert!(read[2].is_err());
    assert_eq!(read[3], Ok(None));
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Feed {
    url: String,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Cursor {
    id: u64,
}

#[test]
fn positions_are_found_by_what_they_mean() {
    let mut out = BatchBuilder::new(&Schemas::default(), 10, 1_000);
    let feed = |url: &str| Feed { url: url.to_owned() };
    out.position_of(&feed("a"), &Cursor { id: u64::MAX }).unwrap();
    let mut stored: Vec<Position> = out.positions().iter().map(|(position, _)| position.clone()).collect();
    assert_eq!(
        (stored[0].partition.as_str(), stored[0].offset.as_str()),
        (r#"{"url":"a"}"#, r#"{"id":18446744073709551615}"#)
    );
    stored.push(Position { partition: r#"{ "url" : "b" }"#.to_owned(), offset: r#"{"id":"x"}"#.to_owned() });
    assert_eq!(Position::find(&stored, &feed("a")), Ok(Some(Cursor { id: u64::MAX })));
    assert_eq!(Position::find::<_, Cursor>(&stored, &feed("c")), Ok(None));
    assert_eq!(Position::find::<_, Cursor>(&stored, &feed("b")).unwrap_err().code, "position.type");
}
