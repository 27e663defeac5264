//! Rows of the reference on Debezium's outbox.
#![allow(clippy::unwrap_used)]

use super::EventRouter;
use crate::class::Class;
use crate::record::{Part, Record};
use crate::testing::{Fake, configure};

const COLUMNS: [(&str, &str, &str); 9] = [
    ("id", "string", ""),
    ("aggregatetype", "string", ""),
    ("aggregateid", "string", ""),
    ("type", "string", ""),
    ("payload", "string", ""),
    ("created", "int64", "io.debezium.time.MicroTimestamp"),
    ("part", "int32", ""),
    ("version", "int32", ""),
    ("plain", "int64", ""),
];

fn schema() -> String {
    let column = |(name, of, logical): &(&str, &str, &str)| {
        let logical = if logical.is_empty() { String::new() } else { format!(r#","name":"{logical}""#) };
        format!(r#"{{"type":"{of}","optional":true{logical},"field":"{name}"}}"#)
    };
    let columns: Vec<String> = COLUMNS.iter().map(column).collect();
    format!(
        r#"{{"type":"struct","fields":[{{"type":"struct","fields":[{}],"optional":true,"name":"srv.outbox.Value","field":"after"}},{{"type":"string","optional":false,"field":"op"}},{{"type":"int64","optional":true,"field":"ts_ms"}}],"optional":false,"name":"srv.outbox.Envelope"}}"#,
        columns.join(",")
    )
}

fn event(op: &str, payload: &str) -> String {
    format!(
        r#"{{"after":{{"id":"e1","aggregatetype":"order","aggregateid":"o7","type":"made","payload":{payload},"created":1700000000000001,"part":2,"version":4,"plain":5}},"source":{{}},"op":"{op}","ts_ms":77}}"#
    )
}

fn route(pairs: &[(&str, &str)], value: &str, schema: &str) -> Result<Option<Fake>, String> {
    let mut fake = Fake::new(Some(value), schema);
    fake.parts[0] = Some(b"\"old\"".to_vec());
    let mut class = configure::<EventRouter>(Part::Value, pairs).map_err(|p| format!("{p:?}"))?;
    class.apply(&mut fake.clone()).map_err(|f| f.message)?;
    let kept = class.apply(&mut fake).map_err(|f| f.message)?;
    Ok(kept.then_some(fake))
}

#[test]
fn an_insert_becomes_a_message() {
    for schema in [schema(), String::new()] {
        let fake = route(&[], &event("c", r#""hi""#), &schema).unwrap().unwrap();
        assert_eq!(fake.topic, "outbox.event.order");
        assert_eq!(fake.text(Part::Key).as_deref(), Some("\"o7\""));
        assert_eq!(fake.text(Part::Value).as_deref(), Some("\"hi\""));
        assert_eq!((fake.timestamp, fake.partition), (Some(77), None));
        let (name, value, header) = fake.header(0);
        assert_eq!((name.as_str(), value.as_deref()), ("id", Some("\"e1\"")));
        if schema.is_empty() {
            assert_eq!((fake.ids, header.as_str()), ([0, 0], ""));
        } else {
            let string = r#"{"type":"string","optional":true}"#;
            assert_eq!(
                (fake.schema(Part::Key), fake.schema(Part::Value), header),
                (string.into(), string.into(), string.into())
            );
        }
    }
}

#[test]
fn only_inserts_leave_and_updates_are_treated_as_asked() {
    let tombstone = Fake::new(None, "");
    assert_eq!(configure::<EventRouter>(Part::Value, &[]).unwrap().apply(&mut tombstone.clone()), Ok(false));
    for (op, behaviour, expected) in [
        ("c", "warn", Ok(true)),
        ("r", "warn", Ok(true)),
        ("d", "fatal", Ok(false)),
        ("u", "warn", Ok(false)),
        ("u", "error", Ok(false)),
        ("u", "fatal", Err(())),
    ] {
        let found = route(&[("table.op.invalid.behavior", behaviour)], &event(op, "\"x\""), &schema());
        assert_eq!(found.map(|f| f.is_some()).map_err(|_| ()), expected, "{op} {behaviour}");
    }
    let passed = route(&[], r#"{"x":1}"#, "").unwrap().unwrap();
    assert_eq!((passed.topic.as_str(), passed.text(Part::Value).as_deref()), ("t", Some(r#"{"x":1}"#)));
    assert!(route(&[], &event("t", "null").replace("\"after\":{", "\"after\":null,\"x\":{"), &schema()).is_err());
}

#[test]
fn columns_are_placed_in_headers_the_envelope_and_the_partition() {
    let pairs = [
        (
            "table.fields.additional.placement",
            "type:header:eventType,version:envelope, part:partition ,type:envelope:kind",
        ),
        ("table.field.event.schema.version", "version"),
    ];
    let fake = route(&pairs, &event("c", "\"x\""), &schema()).unwrap().unwrap();
    assert_eq!(fake.text(Part::Value).as_deref(), Some(r#"{"payload":"x","version":4,"kind":"made"}"#));
    assert_eq!(
        fake.schema(Part::Value),
        r#"{"type":"struct","fields":[{"type":"string","optional":true,"field":"payload"},{"type":"int32","optional":true,"field":"version"},{"type":"string","optional":true,"field":"kind"}],"optional":false,"name":"srv.outbox.order.Value","version":4}"#
    );
    assert_eq!(fake.partition, Some(2));
    assert_eq!(fake.header(1).0, "eventType");
    let missing = [("table.fields.additional.placement", "nope:header")];
    assert_eq!(route(&missing, &event("c", "\"x\""), &schema()).unwrap_err(), "Unable to find field nope in event");
    let forgiven = [missing[0], ("table.fields.additional.error.on.missing", "false")];
    assert_eq!(route(&forgiven, &event("c", "\"x\""), &schema()).unwrap().unwrap().headers.len(), 1);
}

#[test]
fn the_time_is_that_of_a_column_or_of_the_event() {
    for (column, expected) in
        [("created", Ok(1_700_000_000_000)), ("plain", Err("INT64")), ("nope", Err("nope")), ("id", Err("string"))]
    {
        let found = route(&[("table.field.event.timestamp", column)], &event("c", "\"x\""), &schema());
        match expected {
            Ok(ms) => assert_eq!(found.unwrap().unwrap().timestamp, Some(ms)),
            Err(part) => {
                let message = found.map(|_| ()).unwrap_err().to_lowercase();
                assert!(message.contains(&part.to_lowercase()), "{message}");
            }
        }
    }
    let null = event("c", "\"x\"").replace("1700000000000001", "null");
    let fake = route(&[("table.field.event.timestamp", "created")], &null, &schema()).unwrap().unwrap();
    assert_eq!(fake.timestamp, Some(77));
}

#[test]
fn json_text_is_expanded_with_the_schema_that_is_inferred() {
    let expand = ("table.expand.json.payload", "true");
    let bytes = ("table.json.payload.null.behavior", "optional_bytes");
    let text = r#""{\"a\":1,\"b\":null,\"c\":{\"d\":\"x\"}}""#;
    for (pairs, payload, schema, expected) in [
        (vec![expand], text, schema(), r#"{"a":1,"c":{"d":"x"}}"#),
        (vec![expand, bytes], text, schema(), r#"{"a":1,"b":null,"c":{"d":"x"}}"#),
        (vec![expand], text, String::new(), r#"{"a":1,"b":null,"c":{"d":"x"}}"#),
        (vec![expand], r#""[1,2]""#, schema(), "[1,2]"),
        (vec![expand], r#""[1,\"x\"]""#, schema(), r#""[1,\"x\"]""#),
        (vec![expand], r#""{\"a\":tru}""#, schema(), r#""{\"a\":tru}""#),
        (vec![expand], r#""text""#, schema(), r#""text""#),
        (vec![], text, schema(), text),
    ] {
        let fake = route(&pairs, &event("c", payload), &schema).unwrap().unwrap();
        assert_eq!(fake.text(Part::Value).as_deref(), Some(expected), "{pairs:?} {payload}");
    }
    let fake = route(&[expand], &event("c", text), &schema()).unwrap().unwrap();
    assert!(fake.schema(Part::Value).contains(r#""name":"payload.c""#), "{}", fake.schema(Part::Value));
}

#[test]
fn an_empty_payload_is_a_tombstone_if_asked_for() {
    let asked = ("route.tombstone.on.empty.payload", "true");
    for (pairs, payload, expected) in [
        (vec![asked], "null", None),
        (vec![asked], "\"  \"", None),
        (vec![asked], "\"x\"", Some("\"x\"")),
        (vec![], "\" \"", Some("\" \"")),
        (vec![], "null", None),
    ] {
        let fake = route(&pairs, &event("c", payload), &schema()).unwrap().unwrap();
        assert_eq!(fake.text(Part::Value).as_deref(), expected, "{pairs:?}");
        assert_eq!(fake.schema_id(Part::Value) == 0, pairs == [asked] && expected.is_none());
    }
}

#[test]
fn names_of_columns_topics_and_wrong_settings() {
    let pairs = [
        ("table.field.event.id", "type"),
        ("table.field.event.key", "plain"),
        ("table.field.event.payload", "version"),
        ("route.by.field", "type"),
        ("route.topic.regex", "(.)(.*)"),
        ("route.topic.replacement", "$2.$1"),
    ];
    let fake = route(&pairs, &event("c", "\"x\""), &schema()).unwrap().unwrap();
    assert_eq!((fake.topic.as_str(), fake.text(Part::Key).as_deref()), ("ade.m", Some("5")));
    assert_eq!((fake.text(Part::Value).as_deref(), fake.header(0).1.as_deref()), (Some("4"), Some("\"made\"")));
    for (key, value, part) in [
        ("table.field.event.payload", "nope", "payload field nope"),
        ("table.field.event.id", "nope", "event-id field nope"),
        ("table.field.event.key", "nope", "nope is not a valid"),
        ("route.by.field", "nope", "`route.by.field`"),
    ] {
        let message = route(&[(key, value)], &event("c", "\"x\""), &schema()).map(|_| ()).unwrap_err();
        assert!(message.contains(part), "{message}");
    }
    for (key, value) in [
        ("table.fields.additional.placement", "a"),
        ("table.fields.additional.placement", "a:nowhere"),
        ("table.op.invalid.behavior", "x"),
        ("route.topic.regex", "("),
    ] {
        let problems = configure::<EventRouter>(Part::Value, &[(key, value)]).unwrap_err();
        assert_eq!(problems[0].0, key);
    }
}
