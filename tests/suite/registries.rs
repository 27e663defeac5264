//! Converters with a schema registry, against a real one.
//!
//! Enters: records as connectors and other clients write them. Leaves: what is in the topic, in the registry, behind a sink,
//! and what becomes of records when the registry does not know them or is away.

use lockgate_tests::{Apicurio, Kafka, Topic, Way, Worker, WorkerOptions, eventually, eventually_equal};
use serde_json::{Value, json};

use crate::configs::{LINES_AS_STRUCTS, file_sink, file_source, lines, with};

const AVRO: &str = "io.confluent.connect.avro.AvroConverter";

fn avro(config: Value, url: &str) -> Value {
    with(config, &[("value.converter", AVRO), ("value.converter.schema.registry.url", url)])
}

/// A record as another client frames it: zero, four bytes of id, Avro.
fn framed(id: u32, avro: &[u8]) -> Vec<u8> {
    [&[0], &id.to_be_bytes()[..], avro].concat()
}

/// Writes values without keys.
fn write(topic: &Topic, values: &[Vec<u8>]) {
    topic.write_records(values.iter().map(|value| (None, None, Some(value.clone()))), &[]);
}

/// Registers a record of one number for a topic, and writes such records.
fn numbers_in(topic: &Topic, numbers: std::ops::Range<u8>) -> u32 {
    let schema =
        json!({"type": "record", "name": "Number", "namespace": "t", "fields": [{"name": "n", "type": "int"}]});
    let id = Apicurio::shared().register(&format!("{}-value", topic.name), &schema);
    // Small numbers are one byte, twice their value.
    write(topic, &numbers.map(|n| framed(id, &[2 * n])).collect::<Vec<_>>());
    id
}

fn numbers(range: std::ops::Range<u8>) -> Vec<String> {
    range.map(|n| format!(r#"{{"n":{n}}}"#)).collect()
}

#[test]
fn a_source_registers_what_it_writes_and_a_sink_reads_it_back() {
    let (kafka, registry) = (Kafka::shared(), Apicurio::shared());
    let worker = Worker::start(&kafka.bootstrap);
    std::fs::write(worker.path("in.txt"), "one\nzwö\n").unwrap();
    let topic = kafka.topic("avro", 1);
    let source = with(file_source(&worker.path_text("in.txt"), &topic.name), &LINES_AS_STRUCTS);
    worker.create_running("write-avro", avro(source, &registry.url()));
    eventually_equal("records in the topic", &2, || topic.count());

    // What is there was read without any code of this repository: frame, schema by its id, text by its length.
    let records = topic.read();
    let bytes = records[1].value.clone().unwrap();
    let id = u32::from_be_bytes(bytes[1..5].try_into().unwrap());
    assert_eq!(bytes[0], 0);
    assert_eq!(bytes[5..], [&[8][..], "zwö".as_bytes()].concat(), "{bytes:?}");
    let schema = registry.schema(id);
    assert_eq!((&schema["name"], &schema["namespace"]), (&json!("Line"), &json!("shop")), "{schema}");
    let latest = registry.ask("GET", &format!("/subjects/{}-value/versions/latest", topic.name), &Value::Null);
    assert_eq!(latest["id"], json!(id));

    let sink = file_sink(&topic.name, &worker.path_text("out.txt"));
    worker.create_running("read-avro", avro(sink, &registry.url()));
    let expected = vec![r#"{"line":"one"}"#.to_owned(), r#"{"line":"zwö"}"#.to_owned()];
    eventually_equal("lines behind the sink", &expected, || lines(&worker.path("out.txt")));
}

#[test]
fn records_that_the_registry_knows_no_schema_for_become_dead_letters() {
    let (kafka, registry) = (Kafka::shared(), Apicurio::shared());
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("avro-bad", 1);
    let id = numbers_in(&topic, 0..2);
    let bad = [framed(999_999, &[4]), b"{}".to_vec(), vec![0, 0], framed(id, &[0x80]), framed(id, &[4])];
    write(&topic, &bad);
    let dead = kafka.topic_named(&format!("{}-dead", topic.name));
    let letters = [
        ("errors.tolerance", "all"),
        ("errors.deadletterqueue.topic.name", dead.name.as_str()),
        ("errors.deadletterqueue.topic.replication.factor", "1"),
        ("errors.deadletterqueue.context.headers.enable", "true"),
    ];
    let config = with(file_sink(&topic.name, &worker.path_text("out.txt")), &letters);
    worker.create_running("avro-dead", avro(config, &registry.url()));
    eventually_equal("good ones are delivered", &numbers(0..3), || lines(&worker.path("out.txt")));
    eventually_equal("bad ones are dead letters", &4, || if dead.exists() { dead.count() } else { 0 });
    let reasons: Vec<String> =
        dead.read().iter().filter_map(|r| r.header("__connect.errors.exception.message").map(str::to_owned)).collect();
    for why in ["40403", "Unknown magic byte", "end within the schema id", "unexpected end"] {
        assert!(reasons.iter().any(|reason| reason.contains(why)), "{why} in {reasons:?}");
    }
}

#[test]
fn while_the_registry_is_away_records_wait_and_none_is_skipped() {
    let (kafka, registry) = (Kafka::shared(), Apicurio::shared());
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("avro-away", 1);
    numbers_in(&topic, 0..5);
    let way = Way::to(&registry.address, false);
    let sink = |out: &str| {
        let config = file_sink(&topic.name, &worker.path_text(out));
        avro(with(config, &[("errors.tolerance", "all"), ("value.converter.max.retries", "0")]), &way.url())
    };
    // Without patience the task fails, even one that tolerates bad records: these are not bad.
    worker.create("avro-hasty", sink("hasty.txt"));
    let trace = worker.wait_failed("avro-hasty");
    assert!(trace.contains("registry.unreachable") && trace.contains("VALUE_CONVERTER"), "{trace}");
    assert_eq!(topic.committed("connect-avro-hasty").get(&0), None, "nothing is committed");

    let patient =
        with(sink("patient.txt"), &[("errors.retry.timeout", "120000"), ("errors.retry.delay.max.ms", "500")]);
    let before = way.refused();
    worker.create_running("avro-patient", patient);
    eventually("the patient one has asked twice", || (way.refused() >= before + 2).then_some(()));
    way.set(true);
    eventually_equal("all records came", &numbers(0..5), || lines(&worker.path("patient.txt")));
    worker.post("/connectors/avro-hasty/restart?includeTasks=true&onlyFailed=true");
    eventually_equal("and for the other one, once it is restarted", &numbers(0..5), || {
        lines(&worker.path("hasty.txt"))
    });
}

#[test]
fn a_registry_or_a_file_that_the_worker_does_not_allow_is_an_error_of_validation() {
    let kafka = Kafka::shared();
    let options = WorkerOptions::default().with("lockgate.registry.allowed.urls", "registry.example, *.corp:8081");
    let worker = Worker::start_with(&kafka.bootstrap, options);
    let errors = |settings: &[(&str, &str)]| {
        let config =
            with(file_sink("t", &worker.path_text("out.txt")), &[("value.converter", "AvroConverter"), ("name", "v")]);
        let path = "/connector-plugins/FileStreamSink/config/validate";
        let answer = worker.call("PUT", path, &with(config, settings)).expect(200).json();
        let wrong = answer["configs"].as_array().unwrap().iter().filter(|c| c["value"]["errors"] != json!([]));
        wrong.map(|c| format!("{}: {}", c["value"]["name"].as_str().unwrap(), c["value"]["errors"])).collect::<Vec<_>>()
    };
    let url = "value.converter.schema.registry.url";
    assert_eq!(errors(&[(url, "http://registry.example:8081,https://a.corp:8081")]), Vec::<String>::new());
    let refused = errors(&[(url, "http://user:secret@127.0.0.1:8081")]);
    assert!(refused.len() == 1 && refused[0].contains("lockgate.registry.allowed.urls"), "{refused:?}");
    assert!(!refused[0].contains("secret"), "{refused:?}");
    let ours = format!("{}/ca.pem", worker.path_text(""));
    std::fs::write(worker.path("ca.pem"), "pem").unwrap();
    let file =
        errors(&[(url, "https://a.corp:8081"), ("value.converter.schema.registry.ssl.truststore.location", &ours)]);
    assert!(file.len() == 1 && file[0].contains("lockgate.registry.allowed.paths"), "{file:?}");
    let missing = errors(&[]);
    assert!(missing.len() == 1 && missing[0].starts_with(url), "{missing:?}");
    let wrong = errors(&[(url, "http://registry.example"), ("value.converter.auto.register.schemas", "maybe")]);
    assert!(wrong.len() == 1 && wrong[0].contains("auto.register.schemas"), "{wrong:?}");
}
