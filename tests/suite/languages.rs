//! What a language may cost, as laws: bounded memory for many tasks of one package, and large packages beside running tasks.
//!
//! Enters: the reference guests. Leaves: memory of a worker process, records of its neighbours. The figures themselves
//! are in `tests/bench`.

use lockgate_tests::{Kafka, Worker, eventually, eventually_equal, places};
use serde_json::json;

use crate::contract::fixture::compiled;

/// Tasks of one connector.
const TASKS: u32 = 100;
/// What a worker with so many tasks of a script language may hold, MiB: half of what was promised, so that a loss is seen.
const OWN_MIB_MAX: u64 = 512;

fn a_hundred_tasks_fit(package: &str) {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    worker.upload(&compiled(places::guest(package))).expect(201);
    let topic = kafka.topic("hundred", 1);
    let config =
        json!({"connector.class": "ref.Source", "tasks.max": TASKS.to_string(), "topic": topic.name, "count": "20"});
    worker.create_running("hundred", config);
    eventually_equal("every task has written its records", &i64::from(TASKS * 20), || topic.count());
    let status = worker.get("/connectors/hundred/status").json();
    assert_eq!(status["tasks"].as_array().unwrap().len(), TASKS as usize);
    let (own, resident) = (worker.proportional_bytes() >> 20, worker.resident_bytes() >> 20);
    println!("{package}: {own} MiB for {TASKS} tasks, {resident} MiB with shared pages counted for each");
    assert!(own < OWN_MIB_MAX, "{package}: {own} MiB");
}

#[test]
fn a_hundred_python_tasks_fit_into_half_a_gibibyte() {
    a_hundred_tasks_fit("python");
}

#[test]
fn a_hundred_javascript_tasks_fit_into_half_a_gibibyte() {
    a_hundred_tasks_fit("js");
}

#[test]
fn a_hundred_tasks_with_fetch_fit_into_half_a_gibibyte() {
    a_hundred_tasks_fit("js-starlingmonkey");
}

/// The package with a section of so many bytes behind it that nobody reads.
fn padded(package: &[u8], size: usize) -> Vec<u8> {
    let mut length = size;
    let mut bytes = [package, &[0]].concat();
    // The section's length, LEB128, then a name of one byte.
    while length >= 0x80 {
        bytes.push(0x80 | u8::try_from(length & 0x7f).unwrap());
        length >>= 7;
    }
    bytes.push(u8::try_from(length).unwrap());
    let end = bytes.len() + size;
    bytes.extend([1, b'p']);
    bytes.resize(end, 0);
    bytes
}

#[test]
fn a_package_of_forty_megabytes_is_taken_while_others_run() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("beside-upload", 1);
    let source = json!({"connector.class": "datagen", "template": "orders", "rate": "200", "topic": topic.name, "tasks.max": "1"});
    worker.create_running("steady", source);
    let package = padded(&places::guest("reference"), 40 << 20);
    let view = worker.upload(&package).expect(201).json();
    assert_eq!(view["size_bytes"].as_u64(), Some(package.len() as u64), "{view}");
    let during = topic.count();
    eventually("the source goes on", || (topic.count() > during).then_some(()));
    worker.wait_running("steady");
    let sink = json!({"connector.class": "ref.Sink", "topics": topic.name, "tasks.max": "1", "mode": "quiet"});
    worker.create_running("large", sink);
}
