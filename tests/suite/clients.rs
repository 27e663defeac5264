//! Clients of Kafka Connect from the registries, unchanged, against a worker.
//!
//! Enters: `tests/parity/clients`. Leaves: one test for each language. Invariant: each program walks through a connector's
//! whole life and passes against a real Kafka Connect as well; what is judged is the worker.

use std::process::{Command, Stdio};

use lockgate_tests::{Kafka, Worker, places};

#[test]
fn a_go_client_walks_through_a_connectors_life() {
    walk("go");
}

#[test]
fn three_python_clients_walk_through_a_connectors_life() {
    walk("python");
}

#[test]
fn a_java_client_walks_through_a_connectors_life() {
    walk("java");
}

fn walk(client: &str) {
    let kafka = Kafka::shared();
    let topic = kafka.topic("walked", 1);
    let worker = Worker::start(&kafka.bootstrap);
    let output = Command::new(places::root().join("tests/parity/clients.sh"))
        .args([client, &format!("http://{}", worker.address), &topic.name])
        .arg(worker.dir.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{client}:\n{}\n{}", said(&output.stdout), said(&output.stderr));
    assert_eq!(worker.get("/connectors").text(), "[]", "the walk ends with a delete");
}
