//! Protobuf and JSON Schema with a real schema registry.
//!
//! Enters: records as connectors and other clients write them. Leaves: what is in the topic, in the registry, behind a sink,
//! and in the dead letters.

use lockgate_tests::{Apicurio, Kafka, Topic, Worker, eventually_equal};
use serde_json::{Value, json};

use crate::configs::{LINES_AS_STRUCTS, file_sink, file_source, lines, with};

const PROTOBUF: &str = "io.confluent.connect.protobuf.ProtobufConverter";
const JSON_SCHEMA: &str = "io.confluent.connect.json.JsonSchemaConverter";

fn converted(config: Value, class: &str, url: &str) -> Value {
    with(config, &[("value.converter", class), ("value.converter.schema.registry.url", url)])
}

fn framed(id: u32, payload: &[u8]) -> Vec<u8> {
    [&[0], &id.to_be_bytes()[..], payload].concat()
}

fn write(topic: &Topic, values: &[Vec<u8>]) {
    topic.write_records(values.iter().map(|value| (None, None, Some(value.clone()))), &[]);
}

/// Registers a text as another client does; its id.
fn register(subject: &str, schema_type: &str, text: &str, references: &Value) -> u32 {
    let body = json!({"schema": text, "schemaType": schema_type, "references": references});
    let answer = Apicurio::shared().ask("POST", &format!("/subjects/{subject}/versions"), &body);
    u32::try_from(answer["id"].as_u64().unwrap()).unwrap()
}

/// Two lines through a source and a sink of that converter: the topic's second value behind its frame, and what the registry
/// has for it.
fn there_and_back(class: &str, name: &str) -> (Vec<u8>, Value) {
    let (kafka, registry) = (Kafka::shared(), Apicurio::shared());
    let worker = Worker::start(&kafka.bootstrap);
    std::fs::write(worker.path("in.txt"), "one\nzwö\n").unwrap();
    let topic = kafka.topic(name, 1);
    let source = with(file_source(&worker.path_text("in.txt"), &topic.name), &LINES_AS_STRUCTS);
    worker.create_running(&format!("write-{name}"), converted(source, class, &registry.url()));
    eventually_equal("records in the topic", &2, || topic.count());
    let sink = file_sink(&topic.name, &worker.path_text("out.txt"));
    worker.create_running(&format!("read-{name}"), converted(sink, class, &registry.url()));
    let expected = vec![r#"{"line":"one"}"#.to_owned(), r#"{"line":"zwö"}"#.to_owned()];
    eventually_equal("lines behind the sink", &expected, || lines(&worker.path("out.txt")));

    let bytes = topic.read()[1].value.clone().unwrap();
    assert_eq!(bytes[0], 0);
    let id = u32::from_be_bytes(bytes[1..5].try_into().unwrap());
    let latest = registry.ask("GET", &format!("/subjects/{}-value/versions/latest", topic.name), &Value::Null);
    assert_eq!(latest["id"], json!(id));
    (bytes[5..].to_vec(), latest)
}

#[test]
fn protobuf_goes_through_a_source_the_registry_and_a_sink() {
    let (bytes, registered) = there_and_back(PROTOBUF, "protobuf");
    assert_eq!(bytes, [&[0, 0x0a, 4][..], "zwö".as_bytes()].concat(), "the first message, its first field");
    assert_eq!(registered["schemaType"], "PROTOBUF");
    let text = registered["schema"].as_str().unwrap();
    assert!(text.contains("package shop;") && text.contains("message Line {\n  string line = 1;\n}"), "{text}");
}

#[test]
fn json_schema_goes_through_a_source_the_registry_and_a_sink() {
    let (bytes, registered) = there_and_back(JSON_SCHEMA, "json-schema");
    assert_eq!(String::from_utf8(bytes).unwrap(), r#"{"line":"zwö"}"#);
    assert_eq!(registered["schemaType"], "JSON");
    let schema: Value = serde_json::from_str(registered["schema"].as_str().unwrap()).unwrap();
    assert_eq!((&schema["title"], &schema["type"]), (&json!("shop.Line"), &json!("object")), "{schema}");
}

/// A sink of the topic that tolerates bad records: what is behind it, and why records became dead letters.
fn sorted(class: &str, more: &[(&str, &str)], topic: &Topic, good: &[&str], bad: usize) -> Vec<String> {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let dead = kafka.topic_named(&format!("{}-dead", topic.name));
    let letters = [
        ("errors.tolerance", "all"),
        ("errors.deadletterqueue.topic.name", dead.name.as_str()),
        ("errors.deadletterqueue.topic.replication.factor", "1"),
        ("errors.deadletterqueue.context.headers.enable", "true"),
    ];
    let config = with(with(file_sink(&topic.name, &worker.path_text("out.txt")), &letters), more);
    let name = format!("sort-{}", topic.name);
    worker.create_running(&name, converted(config, class, &Apicurio::shared().url()));
    let good: Vec<String> = good.iter().map(|line| (*line).to_owned()).collect();
    eventually_equal("good ones are delivered", &good, || lines(&worker.path("out.txt")));
    eventually_equal("bad ones are dead letters", &bad, || {
        if dead.exists() { usize::try_from(dead.count()).unwrap() } else { 0 }
    });
    let reason =
        |record: &lockgate_tests::Record| record.header("__connect.errors.exception.message").map(str::to_owned);
    dead.read().iter().filter_map(reason).collect()
}

#[test]
fn protobuf_of_others_is_read_by_its_index_and_references_and_the_rest_are_dead_letters() {
    let topic = Kafka::shared().topic("protobuf-others", 1);
    let shared = format!("{}-shared", topic.name);
    let money = "syntax = \"proto3\"; package shop; message Money { int64 cents = 1; }";
    register(&shared, "PROTOBUF", money, &json!([]));
    let text = "syntax = \"proto3\"; package shop; import \"money.proto\"; message Unused {} \
        message Order { message Item { string name = 1; Money price = 2; repeated int32 sizes = 3; } }";
    let references = json!([{"name": "money.proto", "subject": shared, "version": 1}]);
    let id = register(&format!("{}-value", topic.name), "PROTOBUF", text, &references);
    let item = [4, 2, 0, 0x0a, 1, b'x', 0x12, 2, 0x08, 5, 0x1a, 2, 1, 2, 0x78, 1];
    write(
        &topic,
        &[
            framed(id, &[&item[..3], &[0x0a, 5, b'x'][..]].concat()),
            framed(id, &[6, 2, 0]),
            framed(id, &[2, 8]),
            framed(id, &[4, 2, 0, 0x0a, 1, 0xff]),
            framed(id, &item),
        ],
    );
    let reasons = sorted(PROTOBUF, &[], &topic, &[r#"{"name":"x","price":{"cents":5},"sizes":[1,2]}"#], 4);
    for why in ["a length beyond the end", "index behind the schema id is missing", "does not have", "not UTF-8"] {
        assert!(reasons.iter().any(|reason| reason.contains(why)), "{why} in {reasons:?}");
    }
}

#[test]
fn json_that_its_schema_does_not_allow_is_a_dead_letter_where_that_is_asked() {
    let topic = Kafka::shared().topic("json-schema-others", 1);
    let schema = r#"{"type":"object","properties":{"n":{"type":"integer","maximum":5},"s":{"type":"string"}}}"#;
    let id = register(&format!("{}-value", topic.name), "JSON", schema, &json!([]));
    write(
        &topic,
        &[
            framed(id, br#"{"n":6,"s":"x"}"#),
            framed(id, br#"{"n":"5","s":"x"}"#),
            framed(id, br#"{"n":"#),
            framed(id, br#"{"n":5,"s":"x","more":1}"#),
        ],
    );
    let settings = [("value.converter.json.fail.invalid.schema", "true")];
    let reasons = sorted(JSON_SCHEMA, &settings, &topic, &[r#"{"n":5,"s":"x"}"#], 3);
    for why in ["/n breaks /properties/n/maximum", "/n breaks /properties/n/type", "invalid JSON"] {
        assert!(reasons.iter().any(|reason| reason.contains(why)), "{why} in {reasons:?}");
    }
}
