//! Records that cannot be delivered: Kafka Connect's `errors.*` settings, each stage, read back by another client.
//!
//! Enters: bad records. Leaves: dead letters, skips and failures, as Kafka Connect would have them.

use std::process::Command;

use lockgate_tests::{Kafka, Receiver, Reply, Topic, Worker, eventually_equal};
use serde_json::Value;

use crate::configs::{file_sink, http_sink, json_values, lines, numbers, with};

/// Every second record is no JSON.
fn half_bad(topic: &Topic) {
    let values = (0..20).map(|n| if n % 2 == 0 { format!(r#"{{"n":{n}}}"#) } else { format!("{{broken {n}") });
    let values: Vec<String> = values.collect();
    topic.write_records(
        values.iter().map(|v| (None, Some(b"key".to_vec()), Some(v.clone().into_bytes()))),
        &[("trace", "t-1")],
    );
}

fn letters_to(dead: &str) -> Vec<(&str, &str)> {
    vec![
        ("errors.tolerance", "all"),
        ("errors.deadletterqueue.topic.name", dead),
        ("errors.deadletterqueue.topic.replication.factor", "1"),
        ("errors.deadletterqueue.context.headers.enable", "true"),
    ]
}

#[test]
fn a_record_that_cannot_be_converted_becomes_a_dead_letter_with_connects_headers() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("half-bad", 1);
    half_bad(&topic);
    let dead = kafka.topic_named(&format!("{}-dead", topic.name));
    let config = json_values(file_sink(&topic.name, &worker.path_text("out.txt")));
    worker.create_running("tolerant", with(config, &letters_to(&dead.name)));
    eventually_equal("good ones are delivered", &10, || lines(&worker.path("out.txt")).len());
    eventually_equal("bad ones are dead letters", &10, || dead.count());
    eventually_equal("all are settled", &Some(20), || topic.committed("connect-tolerant").get(&0).copied());

    // Read by a client that has nothing to do with this code base.
    let output = Command::new("kcat")
        .args(["-b", &kafka.bootstrap, "-C", "-t", &dead.name, "-o", "beginning", "-e", "-q", "-J"])
        .output()
        .unwrap();
    let letters: Vec<Value> =
        String::from_utf8(output.stdout).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(letters.len(), 10);
    for (letter, n) in letters.iter().zip((1..20).step_by(2)) {
        assert_eq!(letter["payload"], format!("{{broken {n}"));
        assert_eq!(letter["key"], "key");
        let pairs: Vec<&str> = letter["headers"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let header = |name: &str| pairs.chunks(2).find(|p| p[0] == name).map(|p| p[1]);
        assert_eq!(header("trace"), Some("t-1"), "the record's own headers stay");
        assert_eq!(header("__connect.errors.topic"), Some(topic.name.as_str()));
        assert_eq!(header("__connect.errors.partition"), Some("0"));
        assert_eq!(header("__connect.errors.offset"), Some(n.to_string().as_str()));
        assert_eq!(header("__connect.errors.connector.name"), Some("tolerant"));
        assert_eq!(header("__connect.errors.task.id"), Some("0"));
        assert_eq!(header("__connect.errors.stage"), Some("VALUE_CONVERTER"));
        assert_eq!(header("__connect.errors.class.name"), Some("org.apache.kafka.connect.json.JsonConverter"));
        assert!(header("__connect.errors.exception.class.name").is_some());
        assert!(header("__connect.errors.exception.message").is_some());
        assert!(header("__connect.errors.exception.stacktrace").is_some());
    }
}

#[test]
fn whatever_is_wrong_with_json_is_a_dead_letter_and_no_record_is_lost() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("odd-json", 1);
    let of = |of: &str, payload: &str| format!(r#"{{"schema":{{"type":"{of}"}},"payload":{payload}}}"#).into_bytes();
    let bad: [(Vec<u8>, &str); 9] = [
        (br#"{"schema":{"type":"string"},"payl"#.to_vec(), "serialization error"),
        (b"{\"schema\":{\"type\":\"string\"},\"payload\":\"\xff\"}".to_vec(), "UTF-8"),
        (of("double", "NaN"), "serialization error"),
        (of("double", "1e400"), "FLOAT64"),
        (of("int8", "300"), "INT8"),
        (of("int64", "9223372036854775808"), "INT64"),
        ("[".repeat(100_000).into_bytes(), "deep"),
        (of("decimal", "1"), "schema type"),
        (br#"{"n":1}"#.to_vec(), "schema"),
    ];
    let good = of("int64", "7");
    let values = bad.iter().flat_map(|(bytes, _)| [bytes.clone(), good.clone()]);
    topic.write_records(values.map(|value| (None, None, Some(value))), &[]);
    let dead = kafka.topic_named(&format!("{}-dead", topic.name));
    let json = [("value.converter", "JsonConverter"), ("value.converter.schemas.enable", "true")];
    let config = with(file_sink(&topic.name, &worker.path_text("out.txt")), &json);
    worker.create_running("odd", with(config, &letters_to(&dead.name)));
    eventually_equal("good ones are delivered", &vec!["7".to_owned(); 9], || lines(&worker.path("out.txt")));
    eventually_equal("bad ones are dead letters", &9, || if dead.exists() { dead.count() } else { 0 });
    eventually_equal("all are settled", &Some(18), || topic.committed("connect-odd").get(&0).copied());
    for (letter, (bytes, why)) in dead.read().iter().zip(&bad) {
        assert_eq!(letter.value.as_ref(), Some(bytes));
        let reason = letter.header("__connect.errors.exception.message").unwrap();
        assert!(reason.contains(why), "{why}: {reason}");
    }
}

#[test]
fn without_tolerance_a_bad_record_fails_the_task_and_stays_uncommitted() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("strict", 1);
    half_bad(&topic);
    worker.create("strict", json_values(file_sink(&topic.name, &worker.path_text("out.txt"))));
    let trace = worker.wait_failed("strict");
    assert!(trace.contains("Tolerance exceeded") || trace.contains("VALUE_CONVERTER"), "{trace}");
    let committed = topic.committed("connect-strict").get(&0).copied().unwrap_or(0);
    assert!(committed <= 1, "record 1 is bad, yet {committed} is committed");
}

#[test]
fn a_record_that_a_transform_cannot_take_names_the_transform_in_its_dead_letter() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("flat", 1);
    topic.write([r#"{"card":"1"}"#, "[1]", r#"{"card":"2"}"#]);
    let dead = kafka.topic_named(&format!("{}-dead", topic.name));
    let mut settings = letters_to(&dead.name);
    let class = "org.apache.kafka.connect.transforms.MaskField$Value";
    settings.extend([("transforms", "mask"), ("transforms.mask.type", class), ("transforms.mask.fields", "card")]);
    worker
        .create_running("masking", with(json_values(file_sink(&topic.name, &worker.path_text("out.txt"))), &settings));
    eventually_equal("the two that fit", &2, || lines(&worker.path("out.txt")).len());
    eventually_equal("the one that does not", &1, || dead.count());
    let letter = dead.read().remove(0);
    assert_eq!(letter.text(), "[1]");
    assert_eq!(letter.header("__connect.errors.stage"), Some("TRANSFORMATION"));
    assert_eq!(letter.header("__connect.errors.class.name"), Some(class));
}

#[test]
fn a_record_that_the_far_end_refuses_becomes_a_dead_letter_and_the_others_arrive() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let (topic, receiver) = (kafka.topic("refused", 1), Receiver::start());
    receiver.answer_by(|request| (request.body == "3").then(|| Reply::status(422)));
    topic.write(numbers(0..6).iter().map(String::as_str));
    let dead = kafka.topic_named(&format!("{}-dead", topic.name));
    let config = http_sink(&topic.name, &format!("http://{}/", receiver.address));
    worker.create_running("picky", with(config, &letters_to(&dead.name)));
    eventually_equal("all others", &5, || receiver.accepted().len());
    eventually_equal("the refused one", &vec!["3".to_owned()], || dead.texts());
    let letter = dead.read().remove(0);
    assert_eq!(letter.header("__connect.errors.stage"), Some("TASK_PUT"));
    assert!(letter.header("__connect.errors.exception.message").is_some_and(|m| m.contains("422")), "{letter:?}");
}

#[test]
fn records_are_skipped_and_logged_where_the_user_said_so() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("skipped", 1);
    half_bad(&topic);
    let settings =
        [("errors.tolerance", "all"), ("errors.log.enable", "true"), ("errors.log.include.messages", "true")];
    worker.create_running("skip", with(json_values(file_sink(&topic.name, &worker.path_text("out.txt"))), &settings));
    eventually_equal("all are settled", &Some(20), || topic.committed("connect-skip").get(&0).copied());
    assert_eq!(lines(&worker.path("out.txt")).len(), 10);
    let log = worker.log();
    assert!(log.contains("Error encountered in task skip-0. Executing stage 'VALUE_CONVERTER'"), "Connect's line");
    assert!(!log.contains("{broken"), "no payload of a record in the log");
}
