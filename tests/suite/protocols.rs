//! Sinks under the broker-side group protocol (KIP-848), by the worker's properties or by an override.
//!
//! Enters: settings that only the older protocol knows stand beside it, as in many workers' properties. Leaves: all records,
//! committed.

use lockgate_tests::{Kafka, Topic, Worker, WorkerOptions, eventually_equal};
use serde_json::json;

use crate::configs::{file_sink, lines, numbers, with};

#[track_caller]
fn all_read_and_committed(worker: &Worker, topic: &Topic, name: &str) {
    let read = || {
        let mut read = lines(&worker.path(&format!("{name}.txt")));
        read.sort_by_key(|line| line.parse::<usize>().unwrap());
        read
    };
    eventually_equal("all records once", &numbers(0..100), read);
    let committed = || topic.committed(&format!("connect-{name}")).values().sum::<i64>();
    eventually_equal("all offsets committed", &100, committed);
}

#[test]
fn sinks_read_and_commit_under_the_brokers_own_group_protocol() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("protocols", 4);
    topic.write(numbers(0..100).iter().map(String::as_str));
    let all =
        Worker::start_with(&kafka.bootstrap, WorkerOptions::default().with("consumer.group.protocol", "consumer"));
    let by_worker = lockgate_tests::worker::unique("by-worker");
    let mut config = file_sink(&topic.name, &all.path_text(&format!("{by_worker}.txt")));
    config["tasks.max"] = json!("2");
    all.create_running(&by_worker, config);
    all_read_and_committed(&all, &topic, &by_worker);

    let one = Worker::start(&kafka.bootstrap);
    let by_override = lockgate_tests::worker::unique("by-override");
    let config = file_sink(&topic.name, &one.path_text(&format!("{by_override}.txt")));
    one.create_running(&by_override, with(config, &[("consumer.override.group.protocol", "consumer")]));
    all_read_and_committed(&one, &topic, &by_override);
}
