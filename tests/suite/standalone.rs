//! Standalone mode: connectors from files, offsets in a file, no topics for either.
//!
//! Enters: a worker file and connector files. Leaves: the same flow of records as with a config topic.

use std::fs;

use lockgate_tests::{Kafka, Worker, WorkerOptions, eventually_equal};
use serde_json::json;

use crate::configs::{file_source, numbers};

#[test]
fn a_standalone_worker_keeps_its_offsets_in_a_file() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("alone", 1);
    let dir = tempfile::tempdir().unwrap();
    let input = dir.path().join("in.txt");
    fs::write(&input, numbers(0..100).join("\n") + "\n").unwrap();
    let mut config = file_source(&input.to_string_lossy(), &topic.name);
    config["name"] = json!("alone");
    let options = WorkerOptions { standalone: Some(vec![config]), ..WorkerOptions::default() }
        .with("lockgate.grants.read", &dir.path().to_string_lossy());
    let mut worker = Worker::start_with(&kafka.bootstrap, options);
    worker.wait_running("alone");
    eventually_equal("the first hundred", &100, || topic.count());
    assert!(worker.stop().success());
    assert!(worker.path("offsets.dat").exists(), "the offsets are in the file that the properties name");
    fs::write(&input, numbers(0..200).join("\n") + "\n").unwrap();
    worker.launch();
    worker.wait_ready();
    eventually_equal("each line once", &numbers(0..200), || topic.texts());
}
