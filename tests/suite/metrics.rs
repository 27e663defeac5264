//! `GET /metrics`: what a monitoring system reads is well formed, named as Kafka Connect's, and moves.
//!
//! Enters: a worker with a source and a sink at work. Leaves: promtool's opinion, figures that are right.

use std::io::Write;
use std::process::{Command, Stdio};

use lockgate_tests::{Kafka, Worker, eventually, eventually_equal};

use crate::configs::{blackhole, file_source, numbers, with};

/// What promtool finds in a page.
fn problems(page: &str) -> Vec<String> {
    let mut command = Command::new("promtool");
    command.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut promtool = command.spawn().expect("promtool is there: Debian's package prometheus");
    promtool.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    String::from_utf8(text).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn figures_are_those_of_kafka_connect_and_promtool_finds_nothing_but_its_milliseconds() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("measured", 1);
    std::fs::write(worker.path("in.txt"), numbers(0..500).join("\n") + "\n").unwrap();
    worker.create_running("in", file_source(&worker.path_text("in.txt"), &topic.name));
    let filter = "org.apache.kafka.connect.transforms.Filter";
    let chain = [
        ("transforms", "drop"),
        ("transforms.drop.type", filter),
        ("transforms.drop.predicate", "gone"),
        ("predicates", "gone"),
        ("predicates.gone.type", "org.apache.kafka.connect.transforms.predicates.RecordIsTombstone"),
    ];
    worker.create_running("measured", with(blackhole(&topic.name), &chain));
    let sink =
        |name: &str| worker.metric(&format!("kafka_connect_sink_task_metrics_{name}"), &["connector=\"measured\""]);
    let source =
        |name: &str| worker.metric(&format!("kafka_connect_source_task_metrics_{name}"), &["connector=\"in\""]);
    let task = |name: &str| {
        worker.metric(&format!("kafka_connect_connector_task_metrics_{name}"), &["connector=\"measured\""])
    };
    eventually_equal("all are sent", &Some(500.0), || sink("sink_record_send_total"));
    eventually_equal("all are committed", &Some(0.0), || sink("sink_record_active_count"));
    assert_eq!(source("source_record_write_total"), Some(500.0));
    assert!(source("source_record_poll_rate").is_some_and(|rate| rate > 1.0));
    assert!(source("source_record_active_count_max").is_some_and(|most| most >= 1.0));
    assert!(sink("put_batch_avg_time_ms") <= sink("put_batch_max_time_ms"));
    assert!(sink("offset_commit_seq_no") >= Some(1.0) && sink("offset_commit_skip_total") == Some(0.0));
    assert_eq!((task("offset_commit_success_percentage"), task("pause_ratio")), (Some(1.0), Some(0.0)));
    assert!(task("running_ratio").is_some_and(|share| share > 0.0 && share <= 1.0));
    assert!(task("batch_size_avg") <= task("batch_size_max"));
    worker.put("/connectors/measured/pause").expect(202);
    eventually("the pause counts", || task("pause_ratio").filter(|share| *share > 0.0));
    let info = task("info").is_some();
    let page = worker.get("/metrics").text();
    assert!(info && page.contains("value_converter_class=\"org.apache.kafka.connect.storage.StringConverter\""));
    let step =
        |kind: &str, labels: &[&str]| worker.metric(&format!("kafka_connect_connector_{kind}_metrics_info"), labels);
    assert_eq!(step("transform", &["transform=\"drop\"", filter, "task=\"0\""]), Some(1.0));
    assert_eq!(step("predicate", &["predicate=\"gone\"", "RecordIsTombstone"]), Some(1.0));
    let odd = |line: &String| !(line.starts_with("kafka_connect_") && line.contains("abbreviated unit"));
    let found: Vec<String> = problems(&page).into_iter().filter(odd).collect();
    assert!(found.is_empty(), "{found:#?}");
}
