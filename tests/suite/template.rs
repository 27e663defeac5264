//! The first connector that the README leads to: `sdk/rust/template`, built as a user builds it.
//!
//! Enters: the component. Leaves: lines in a file, and the second version of it beside the first.

use lockgate_tests::{Kafka, Worker, eventually_equal, places};
use serde_json::json;

use crate::configs::lines;

#[test]
fn the_template_runs_as_the_readme_says() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("mine", 1);
    let answer = worker.upload(&places::guest("my-sink")).expect(201).json();
    assert_eq!(answer["name"], "my-sink");
    assert_eq!(answer["plugins"][0]["class"], "com.example.MySink");
    let class = "com.example.MySink";
    let file = worker.path_text("mine.txt");
    worker.create_running("mine", json!({"connector.class": class, "topics": topic.name, "file": file}));
    topic.write_records([(None, Some(b"k".to_vec()), Some(b"v".to_vec()))], &[]);
    let expected = vec![format!("{}\tk\tv", topic.name)];
    eventually_equal("the record is a line", &expected, || lines(&worker.path("mine.txt")));
    let logs = worker.get("/connectors/mine/logs?tail=5").expect(200).text();
    assert!(logs.contains("writing to"), "{logs}");
}

#[test]
fn without_a_grant_the_template_says_what_is_missing() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("ungranted", 1);
    worker.upload(&places::guest("my-sink")).expect(201);
    let class = "com.example.MySink";
    let config = json!({"connector.class": class, "topics": topic.name, "file": "/nowhere/granted/mine.txt"});
    let answer = worker.call("POST", "/connectors", &json!({"name": "mine", "config": config}));
    let reason = if answer.status == 201 { worker.wait_failed("mine") } else { answer.text() };
    assert!(reason.contains("/nowhere/granted"), "{reason}");
}
