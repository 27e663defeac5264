//! Kafka Connect's internal topics are this worker's: a group is handed over and handed back.
//!
//! Enters: a real Kafka Connect worker with the file connectors. Leaves: proof that each of the two goes on where the other
//! stopped, with its connectors, offsets and target states. Invariant: no line is lost, none is written twice.

use std::fs;
use std::io::Write as _;

use lockgate_tests::{Connect, Kafka, Topic, Worker, WorkerOptions, eventually_equal};
use serde_json::{Value, json};

use crate::configs::{file_sink, file_source, lines, numbers, with};

/// Adds lines to the source's file, as whoever writes it would.
fn append(worker: &Worker, range: std::ops::Range<usize>) {
    let mut file = fs::File::options().create(true).append(true).open(worker.path("in.txt")).unwrap();
    file.write_all((numbers(range).join("\n") + "\n").as_bytes()).unwrap();
}

/// Each number once, in order, in the topic and in the sink's file.
#[track_caller]
fn all_here(topic: &Topic, worker: &Worker, until: usize) {
    eventually_equal("each line once in the topic", &numbers(0..until), || topic.texts());
    eventually_equal("each line once in the file", &numbers(0..until), || lines(&worker.path("out.txt")));
}

/// Waits until the sink's group has committed everything, so that nothing is read again.
#[track_caller]
fn all_committed(topic: &Topic, until: i64) {
    eventually_equal("the sink's offsets", &Some(until), || topic.committed("connect-sink").get(&0).copied());
}

#[test]
fn a_connect_group_is_handed_over_and_handed_back_on_its_own_topics() {
    let kafka = Kafka::start(1, &[]);
    let topic = kafka.topic("lines", 1);
    let mut worker = Worker::set_up(&kafka.bootstrap, WorkerOptions::default());
    let source = file_source(&worker.path_text("in.txt"), &topic.name);
    let sink = file_sink(&topic.name, &worker.path_text("out.txt"));
    append(&worker, 0..100);

    let mut connect = Connect::start_on(&worker.path("worker.properties"));
    for (name, config) in [("source", &source), ("sink", &sink)] {
        connect.call("POST", "/connectors", &json!({"name": name, "config": config})).expect(201);
        connect.wait_state(name, "RUNNING", "RUNNING");
    }
    all_here(&topic, &worker, 100);
    connect.stop();
    all_committed(&topic, 100);

    append(&worker, 100..200);
    worker.launch();
    worker.wait_ready();
    worker.wait_running("source");
    worker.wait_running("sink");
    all_here(&topic, &worker, 200);
    let config = worker.get("/connectors/source/config").expect(200).json();
    let mut expected = source.clone();
    expected["name"] = json!("source");
    assert_eq!(config, expected);
    let changed = with(source, &[("errors.log.enable", "true"), ("name", "source")]);
    worker.call("PUT", "/connectors/source/config", &changed).expect(200);
    worker.wait_running("source");
    append(&worker, 200..300);
    all_here(&topic, &worker, 300);
    worker.put("/connectors/sink/pause").expect(202);
    worker.wait_state("sink", "PAUSED", "PAUSED");
    assert!(worker.stop().success());
    all_committed(&topic, 300);

    append(&worker, 300..400);
    connect.launch();
    connect.wait_state("source", "RUNNING", "RUNNING");
    assert_eq!(connect.get("/connectors/source/config").json(), changed);
    connect.wait_state("sink", "PAUSED", "PAUSED");
    eventually_equal("each line once in the topic", &numbers(0..400), || topic.texts());
    assert_eq!(lines(&worker.path("out.txt")), numbers(0..300));
    connect.call("PUT", "/connectors/sink/resume", &Value::Null).expect(202);
    all_here(&topic, &worker, 400);
}
