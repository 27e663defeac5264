//! Topics that are not there: made by `topic.creation.*` for sources, waited for by sinks.
//!
//! Enters: names of topics that nobody made. Leaves: topics as asked for, or a clear word.

use std::fs;

use lockgate_tests::worker::unique;
use lockgate_tests::{Kafka, Worker, eventually_equal};

use crate::configs::{file_sink, file_source, lines, with};

#[test]
fn a_source_makes_its_topic_by_the_rules_of_its_group() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic_named(&unique("made.big"));
    fs::write(worker.path("in.txt"), "one\n").unwrap();
    let settings = [
        ("topic.creation.groups", "big"),
        ("topic.creation.default.partitions", "1"),
        ("topic.creation.default.replication.factor", "1"),
        ("topic.creation.big.include", "made\\.big.*"),
        ("topic.creation.big.partitions", "3"),
    ];
    worker.create_running("make", with(file_source(&worker.path_text("in.txt"), &topic.name), &settings));
    eventually_equal("three partitions", &3, || topic.partitions());
    eventually_equal("the line", &vec!["one".to_owned()], || topic.texts());
}

#[test]
fn a_sink_on_a_topic_that_comes_later_gets_its_records() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic_named(&unique("late"));
    let quick = [
        ("consumer.override.metadata.max.age.ms", "500"),
        ("consumer.override.topic.metadata.refresh.interval.ms", "500"),
    ];
    worker.create_running("early", with(file_sink(&topic.name, &worker.path_text("out.txt")), &quick[..1]));
    let topic = if topic.exists() { topic } else { topic.create(1, 1) };
    topic.write(["here"]);
    eventually_equal("the record", &vec!["here".to_owned()], || lines(&worker.path("out.txt")));
}

#[test]
fn topics_that_match_a_pattern_are_found_when_they_come() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let prefix = unique("match");
    kafka.topic_named(&format!("{prefix}-a")).create(1, 1).write(["a"]);
    let mut config = file_sink("", &worker.path_text("out.txt"));
    config.as_object_mut().unwrap().remove("topics");
    let pattern = format!("{prefix}-.*");
    let settings = [("topics.regex", pattern.as_str()), ("consumer.override.metadata.max.age.ms", "500")];
    worker.create_running("pattern", with(config, &settings));
    eventually_equal("the first", &vec!["a".to_owned()], || lines(&worker.path("out.txt")));
    kafka.topic_named(&format!("{prefix}-b")).create(1, 1).write(["b"]);
    eventually_equal("the second", &vec!["a".to_owned(), "b".to_owned()], || lines(&worker.path("out.txt")));
}
