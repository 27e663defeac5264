//! Worker settings as operators of Kafka Connect have them: their files, their environment, their keys.
//!
//! Enters: properties and variables. Leaves: a worker that runs, and one line of the log for each key that does nothing.

use lockgate_tests::{Kafka, Worker, WorkerOptions};

use crate::configs::blackhole;

#[test]
fn the_environment_wins_over_the_file_and_keys_without_effect_are_said_once() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("keys", 1);
    let mut options = WorkerOptions::default()
        .with("bootstrap.servers", "127.0.0.1:1")
        .with("plugin.path", "/usr/share/java")
        .with("scheduled.rebalance.max.delay.ms", "0")
        .with("producer.interceptor.classes", "com.acme.Spy")
        .with("offset.flush.intervall.ms", "9")
        .with("my.own.key", "hidden-value");
    options.environment.push(("CONNECT_BOOTSTRAP_SERVERS".to_owned(), kafka.bootstrap.clone()));
    options.environment.push(("CONNECT_TOPIC_TRACKING_ENABLE".to_owned(), "false".to_owned()));
    let worker = Worker::start_with(&kafka.bootstrap, options);
    worker.create_running("one", blackhole(&topic.name));
    worker.create_running("two", blackhole(&topic.name));
    let log = worker.log();
    let times = |text: &str| log.matches(text).count();
    for line in [
        "plugin.path: has no effect: plugins are packages",
        "scheduled.rebalance.max.delay.ms: has no effect: ",
        "producer.interceptor.classes: has no effect: ",
        "offset.flush.intervall.ms: is not known; did you mean `offset.flush.interval.ms`?",
        "my.own.key: is not known",
        "settings from the environment: bootstrap.servers, topic.tracking.enable",
    ] {
        assert_eq!(times(line), 1, "{line}\n{log}");
    }
    assert_eq!(times("hidden-value"), 0, "{log}");
}
