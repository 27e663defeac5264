//! What each converter makes of a record, seen in a file behind a sink and in the topic behind a source.
//!
//! Enters: bytes as other clients write them. Leaves: text as Kafka Connect's file connectors would have it.

use std::fs;

use lockgate_tests::{Kafka, Worker, eventually_equal};
use serde_json::Value;

use crate::configs::{converter, file_sink, file_source, lines, with};

#[test]
fn each_converter_reads_what_other_clients_wrote() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let envelope = br#"{"schema":{"type":"int32","optional":false},"payload":42}"#;
    let cases: [(&str, &str, &[u8], &str); 7] = [
        ("string", "true", b"plain", "plain"),
        ("json", "true", envelope, "42"),
        ("json", "false", b"[1,2]", "[1,2]"),
        ("Integer", "true", &42_i32.to_be_bytes(), "42"),
        ("Long", "true", &(-7_i64).to_be_bytes(), "-7"),
        ("Double", "true", &1.5_f64.to_be_bytes(), "1.5"),
        ("Short", "true", &300_i16.to_be_bytes(), "300"),
    ];
    for (at, (name, schemas, bytes, text)) in cases.iter().enumerate() {
        let topic = kafka.topic("converted", 1);
        topic.write_records([(None, None, Some(bytes.to_vec()))], &[]);
        let out = format!("out-{at}.txt");
        let settings =
            [("value.converter", converter(name)), ("value.converter.schemas.enable", (*schemas).to_owned())];
        let settings: Vec<(&str, &str)> = settings.iter().map(|(k, v)| (*k, v.as_str())).collect();
        worker.create_running(&format!("read-{at}"), with(file_sink(&topic.name, &worker.path_text(&out)), &settings));
        eventually_equal(&format!("{name} schemas {schemas}"), &vec![(*text).to_owned()], || lines(&worker.path(&out)));
    }
}

#[test]
fn a_source_writes_what_its_converter_says() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    fs::write(worker.path("in.txt"), "a \"b\"\n").unwrap();
    let write = |name: &str, settings: &[(&str, &str)]| {
        let topic = kafka.topic("written", 1);
        worker.create_running(name, with(file_source(&worker.path_text("in.txt"), &topic.name), settings));
        eventually_equal(name, &1, || topic.count());
        topic.texts().remove(0)
    };
    let json = converter("json");
    assert_eq!(write("w-string", &[("value.converter", &converter("string"))]), "a \"b\"");
    let bare = write("w-bare", &[("value.converter", &json), ("value.converter.schemas.enable", "false")]);
    assert_eq!(bare, r#""a \"b\"""#);
    let with_schema: Value = serde_json::from_str(&write(
        "w-schema",
        &[("value.converter", &json), ("value.converter.schemas.enable", "true")],
    ))
    .unwrap();
    assert_eq!(with_schema["payload"], "a \"b\"");
    assert_eq!(with_schema["schema"]["type"], "string");
}

#[test]
fn bytes_that_nobody_looks_into_arrive_as_they_were() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("opaque", 1);
    // No valid JSON in this order of keys would survive a parser: it must not be parsed.
    let odd = "{ \"b\" : 1.0e0,\t\"a\":[ ] }";
    topic.write([odd]);
    let settings = [("value.converter", converter("bytes"))];
    let settings: Vec<(&str, &str)> = settings.iter().map(|(k, v)| (*k, v.as_str())).collect();
    worker.create_running("through", with(file_sink(&topic.name, &worker.path_text("out.txt")), &settings));
    eventually_equal("byte for byte", &vec![odd.to_owned()], || lines(&worker.path("out.txt")));
}
