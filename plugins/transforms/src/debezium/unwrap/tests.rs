//! Rows of the reference on Debezium's unwrap.
#![allow(clippy::unwrap_used)]

use super::ExtractNewRecordState;
use crate::class::{Class, Encoding, Formats};
use crate::record::{Part, Record};
use crate::testing::{Fake, configure, settings};

const ROW: &str = r#"{"type":"struct","fields":[{"type":"int32","optional":false,"field":"id"},{"type":"string","optional":true,"field":"name"}],"optional":true,"name":"srv.t.Value","field":"NAME"}"#;
const SOURCE: &str = r#"{"type":"struct","fields":[{"type":"string","optional":false,"field":"table"},{"type":"int64","optional":true,"field":"lsn"},{"type":"string","optional":false,"field":"version"}],"optional":false,"name":"io.debezium.Source","field":"source"}"#;
const TRANSACTION: &str = r#"{"type":"struct","fields":[{"type":"string","optional":false,"field":"id"}],"optional":true,"field":"transaction"}"#;

fn schema() -> String {
    let row = |name: &str| ROW.replace("NAME", name);
    format!(
        r#"{{"type":"struct","fields":[{},{},{SOURCE},{TRANSACTION},{{"type":"string","optional":false,"field":"op"}},{{"type":"int64","optional":true,"field":"ts_ms"}}],"optional":false,"name":"srv.t.Envelope"}}"#,
        row("before"),
        row("after")
    )
}

fn event(op: &str, before: &str, after: &str) -> String {
    format!(
        r#"{{"before":{before},"after":{after},"source":{{"table":"t","lsn":9,"version":"3"}},"transaction":null,"op":"{op}","ts_ms":77}}"#
    )
}

const ANN: &str = r#"{"id":1,"name":"Ann"}"#;
const BEN: &str = r#"{"id":1,"name":"Ben"}"#;

/// Value and names of the schema's fields; `dropped`, or the fault.
fn unwrap(pairs: &[(&str, &str)], value: Option<&str>, schema: &str) -> (String, Fake) {
    let mut fake = Fake::new(value, schema);
    let mut class = configure::<ExtractNewRecordState>(Part::Value, pairs).unwrap();
    let first = class.apply(&mut fake.clone());
    let second = class.apply(&mut fake);
    assert_eq!(first, second);
    let outcome = match second {
        Ok(true) => fake.text(Part::Value).unwrap_or_else(|| "null".to_owned()),
        Ok(false) => "dropped".to_owned(),
        Err(fault) => fault.message,
    };
    (outcome, fake)
}

#[test]
fn deletes_and_tombstones_are_handled_as_the_mode_says() {
    let rewritten = r#"{"id":1,"name":"Ann","__deleted":"true"}"#;
    let marked = r#"{"id":1,"name":"Ben","__deleted":"false"}"#;
    let mode = "delete.tombstone.handling.mode";
    let old = "delete.handling.mode";
    for (pairs, update, delete, tombstone) in [
        (vec![], BEN, "null", "dropped"),
        (vec![(mode, "tombstone")], BEN, "null", "dropped"),
        (vec![(mode, "drop")], BEN, "dropped", "dropped"),
        (vec![(mode, "REWRITE")], marked, rewritten, "dropped"),
        (vec![(mode, "rewrite-with-tombstone")], marked, rewritten, "null"),
        (vec![(mode, "delete-to-tombstone")], BEN, "null", "dropped"),
        (vec![(old, "none")], BEN, "null", "dropped"),
        (vec![(old, "none"), ("drop.tombstones", "false")], BEN, "null", "null"),
        (vec![(old, "rewrite")], marked, rewritten, "dropped"),
        (vec![("drop.tombstones", "false")], BEN, "dropped", "null"),
        (vec![(mode, "drop"), (old, "none")], BEN, "dropped", "dropped"),
    ] {
        for schema in [schema(), String::new()] {
            let (updated, _) = unwrap(&pairs, Some(&event("u", ANN, BEN)), &schema);
            let (deleted, _) = unwrap(&pairs, Some(&event("d", ANN, "null")), &schema);
            let (buried, _) = unwrap(&pairs, None, "");
            assert_eq!((updated.as_str(), deleted.as_str(), buried.as_str()), (update, delete, tombstone), "{pairs:?}");
        }
    }
}

#[test]
fn a_deleted_row_keeps_its_schema_unless_it_is_to_be_a_tombstone() {
    let value = event("d", ANN, "null");
    let (_, fake) = unwrap(&[], Some(&value), &schema());
    assert!(fake.schema(Part::Value).contains(r#""optional":true,"name":"srv.t.Value"}"#));
    let (_, fake) = unwrap(&[("delete.tombstone.handling.mode", "delete-to-tombstone")], Some(&value), &schema());
    assert_eq!(fake.schema_id(Part::Value), 0);
}

#[test]
fn the_rows_schema_is_required_and_has_the_added_fields() {
    let pairs = [("add.fields", "op,source.lsn:SEQ,table,id,missing"), ("delete.tombstone.handling.mode", "rewrite")];
    let (value, fake) = unwrap(&pairs, Some(&event("c", "null", BEN)), &schema());
    assert_eq!(value, r#"{"id":1,"name":"Ben","__deleted":"false","__op":"c","__SEQ":9,"__table":"t","__id":null}"#);
    assert_eq!(
        fake.schema(Part::Value),
        r#"{"type":"struct","fields":[{"type":"int32","optional":false,"field":"id"},{"type":"string","optional":true,"field":"name"},{"type":"string","optional":true,"field":"__deleted"},{"type":"string","optional":true,"field":"__op"},{"type":"int64","optional":true,"field":"__SEQ"},{"type":"string","optional":true,"field":"__table"},{"type":"string","optional":true,"field":"__id"}],"optional":false,"name":"srv.t.Value"}"#
    );
    let (value, _) =
        unwrap(&[("add.fields", "op,source.lsn,nope"), ("add.fields.prefix", "")], Some(&event("c", "null", BEN)), "");
    assert_eq!(value, r#"{"id":1,"name":"Ben","op":"c","source_lsn":9}"#);
    let (fault, _) =
        unwrap(&[("add.fields", "op:name"), ("add.fields.prefix", "")], Some(&event("c", "null", BEN)), &schema());
    assert!(fault.contains("duplication name"), "{fault}");
}

#[test]
fn nulls_of_a_row_that_is_marked_become_defaults_if_that_is_wanted() {
    let mode = ("delete.tombstone.handling.mode", "rewrite");
    let with_default = schema().replace(
        r#"{"type":"string","optional":true,"field":"name"}"#,
        r#"{"type":"string","optional":true,"default":"Eve","field":"name"}"#,
    );
    let row = r#"{"id":1,"name":null}"#;
    for (pairs, expected) in [
        (vec![mode], r#"{"id":1,"name":"Eve","__deleted":"false"}"#),
        (vec![mode, ("replace.null.with.default", "false")], r#"{"id":1,"name":null,"__deleted":"false"}"#),
        (vec![("add.fields", "op")], r#"{"id":1,"name":null,"__op":"c"}"#),
        (vec![], row),
    ] {
        assert_eq!(unwrap(&pairs, Some(&event("c", "null", row)), &with_default).0, expected, "{pairs:?}");
    }
}

#[test]
fn headers_are_added_and_a_tombstone_says_only_that_it_is_a_delete() {
    let pairs =
        [("add.headers", "op,source.lsn:n,id,missing"), ("delete.handling.mode", "none"), ("drop.tombstones", "false")];
    let (_, fake) = unwrap(&pairs, Some(&event("u", ANN, BEN)), &schema());
    let headers: Vec<_> = (0..fake.headers.len()).map(|at| fake.header(at)).collect();
    let optional = |of: &str| format!(r#"{{"type":"{of}","optional":true}}"#);
    assert_eq!(
        headers,
        [
            ("__op".to_owned(), Some("\"u\"".to_owned()), optional("string")),
            ("__n".to_owned(), Some("9".to_owned()), optional("int64")),
            ("__id".to_owned(), None, optional("string")),
        ]
    );
    let (_, fake) = unwrap(&pairs, None, "");
    assert_eq!(fake.headers.len(), 1);
    assert_eq!(fake.header(0).1.as_deref(), Some("\"d\""));
    let formats = Formats { key: Encoding::Json, value: Encoding::Json, header: Encoding::Bytes };
    let mut class = ExtractNewRecordState::new(Part::Value, settings(&[("add.headers", "op")]), formats).unwrap();
    let mut fake = Fake::new(Some(&event("u", ANN, BEN)), "");
    class.apply(&mut fake).unwrap();
    assert_eq!(fake.header(0).1.as_deref(), Some("u"));
}

#[test]
fn a_column_names_the_topic() {
    let route = [("route.by.field", "name")];
    for (value, schema, topic) in [
        (event("u", ANN, BEN), schema(), "Ben"),
        (event("d", ANN, "null"), schema(), "Ann"),
        (event("c", "null", r#"{"id":1,"name":null}"#), schema(), "t"),
        (event("c", "null", r#"{"id":1}"#), String::new(), "t"),
    ] {
        let (_, fake) = unwrap(&route, Some(&value), &schema);
        assert_eq!(fake.topic, topic, "{value}");
    }
    let (fault, _) = unwrap(&[("route.by.field", "nope")], Some(&event("u", ANN, BEN)), &schema());
    assert_eq!(fault, "nope is not a valid field name");
    let (fault, _) = unwrap(&[("route.by.field", "id")], Some(&event("u", ANN, BEN)), &schema());
    assert_eq!(fault, "Field 'id' is not of type STRING");
}

#[test]
fn a_header_names_fields_to_drop() {
    for (pairs, list, schema, expected, key) in [
        (vec![], r#"["id","name"]"#, schema(), r#"{"id":1}"#, r#"{"id":1,"name":"k"}"#),
        (
            vec![("drop.fields.keep.schema.compatible", "false")],
            r#"["id"]"#,
            schema(),
            r#"{"name":"Ben"}"#,
            r#"{"id":1,"name":"k"}"#,
        ),
        (vec![("drop.fields.from.key", "true")], r#"["name"]"#, String::new(), r#"{"id":1}"#, r#"{"id":1}"#),
        (vec![], "[]", schema(), BEN, r#"{"id":1,"name":"k"}"#),
    ] {
        let mut fake = Fake::new(Some(&event("u", ANN, BEN)), &schema);
        fake.parts[0] = Some(br#"{"id":1,"name":"k"}"#.to_vec());
        fake.headers.push(("drop".to_owned(), Some(list.as_bytes().to_vec()), 0));
        let pairs: Vec<_> = pairs.into_iter().chain([("drop.fields.header.name", "drop")]).collect();
        let mut class = configure::<ExtractNewRecordState>(Part::Value, &pairs).unwrap();
        assert_eq!(class.apply(&mut fake), Ok(true));
        assert_eq!(fake.text(Part::Value).as_deref(), Some(expected), "{pairs:?}");
        assert_eq!(fake.text(Part::Key).as_deref(), Some(key), "{pairs:?}");
        // The key of a delete loses the same.
        let (value, parts) = (event("d", ANN, "null"), [Some(br#"{"id":1,"name":"k"}"#.to_vec()), None]);
        let mut delete = Fake { parts, headers: fake.headers.clone(), ..Fake::new(Some(&value), &schema) };
        delete.parts[1] = Some(value.into_bytes());
        assert_eq!(class.apply(&mut delete), Ok(true));
        assert_eq!((delete.text(Part::Key).as_deref(), delete.text(Part::Value)), (Some(key), None), "{pairs:?}");
    }
}

#[test]
fn what_is_no_change_event_passes_and_a_truncate_is_dropped() {
    let heartbeat = r#"{"type":"struct","fields":[{"type":"int64","optional":false,"field":"ts_ms"}],"optional":false,"name":"io.debezium.Heartbeat"}"#;
    for (value, schema) in
        [(r#"{"ts_ms":1}"#, heartbeat), (r#"{"op":"u","after":{}}"#, ""), ("[1]", ""), ("\"text\"", "")]
    {
        assert_eq!(unwrap(&[("delete.tombstone.handling.mode", "rewrite")], Some(value), schema).0, value);
    }
    assert_eq!(unwrap(&[], Some(&event("t", "null", "null")), &schema()).0, "dropped");
    // A delete without its old row is still a delete, but there is nothing to rewrite.
    assert_eq!(unwrap(&[], Some(&event("d", "null", "null")), &schema()).0, "null");
    let rewrite = [("delete.tombstone.handling.mode", "rewrite")];
    assert_eq!(unwrap(&rewrite, Some(&event("d", "null", "null")), &schema()).0, "dropped");
    assert!(unwrap(&[], Some("{\"op\""), "").0.contains("not valid JSON"));
}

#[test]
fn wrong_settings_are_all_named() {
    let wrong = [("delete.tombstone.handling.mode", "x"), ("add.fields", "a:b:c"), ("drop.fields.from.key", "maybe")];
    let problems = configure::<ExtractNewRecordState>(Part::Value, &wrong).unwrap_err();
    let keys: Vec<&str> = problems.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["delete.tombstone.handling.mode", "add.fields", "drop.fields.from.key"]);
}
