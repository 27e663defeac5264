//! Records flow: sources, sinks and transforms end to end, counted at the far end.
//!
//! Enters: files, topics, a web server. Leaves: what arrived there, compared with what was sent.

use std::fs;
use std::time::{Duration, Instant};

use lockgate_tests::{Kafka, Receiver, Reply, Worker, WorkerOptions, eventually, eventually_equal};
use serde_json::Value;

use crate::configs::{blackhole, file_sink, file_source, http_sink, json_values, lines, numbers, with};

#[test]
fn records_that_datagen_makes_reach_a_file() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("orders", 1);
    let source = serde_json::json!({
        "connector.class": "datagen", "tasks.max": "1", "topic": topic.name, "template": "orders", "count": "2000", "rate": "0", "seed": "7",
    });
    worker.create_running("gen", json_values(source));
    worker.create_running("out", file_sink(&topic.name, &worker.path_text("out.txt")));
    eventually_equal("all records are in the topic", &2000, || topic.count());
    eventually_equal("all records are in the file", &2000, || lines(&worker.path("out.txt")).len());
    let sent = topic.texts();
    assert_eq!(lines(&worker.path("out.txt")), sent);
    assert!(sent.iter().all(|r| serde_json::from_str::<Value>(r).is_ok_and(|v| v.is_object())), "{}", sent[0]);
}

#[test]
fn lines_of_a_file_reach_a_web_server_in_their_order() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let (topic, receiver) = (kafka.topic("lines", 1), Receiver::start());
    let sent = numbers(0..300);
    fs::write(worker.path("in.txt"), sent.join("\n") + "\n").unwrap();
    worker.create_running("read", file_source(&worker.path_text("in.txt"), &topic.name));
    worker.create_running("post", http_sink(&topic.name, &format!("http://{}/in", receiver.address)));
    eventually_equal("all lines were posted", &sent, || receiver.accepted());
    assert!(receiver.received().iter().all(|r| r.method == "POST" && r.path == "/in"));
}

#[test]
fn tasks_begin_at_once_however_many_partitions_the_offsets_topic_has() {
    let kafka = Kafka::shared();
    let options = WorkerOptions::default().with("offset.storage.partitions", "50");
    let worker = Worker::start_with(&kafka.bootstrap, options);
    let topic = kafka.topic("prompt", 1);
    let began = Instant::now();
    worker.create_running("take", blackhole(&topic.name));
    // One question for each partition, each behind a long poll, is half a second each.
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[test]
fn a_line_is_sent_once_it_is_complete() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("partial", 1);
    fs::write(worker.path("in.txt"), "one\ntw").unwrap();
    worker.create_running("read", file_source(&worker.path_text("in.txt"), &topic.name));
    eventually_equal("the whole line", &vec!["one".to_owned()], || topic.texts());
    fs::write(worker.path("in.txt"), "one\ntwo\n").unwrap();
    eventually_equal("both lines", &vec!["one".to_owned(), "two".to_owned()], || topic.texts());
}

#[test]
fn a_web_server_that_is_busy_gets_everything_in_the_end_and_in_order() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let (topic, receiver) = (kafka.topic("busy", 1), Receiver::start());
    receiver.answer_next([Reply::status(503), Reply::status(429).with("retry-after", "1"), Reply::status(500)]);
    let sent = numbers(0..20);
    topic.write(sent.iter().map(String::as_str));
    worker.create_running("post", http_sink(&topic.name, &format!("http://{}/", receiver.address)));
    eventually_equal("everything was taken", &sent, || receiver.accepted());
}

#[test]
fn a_masked_field_is_masked_and_everything_else_stays() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("cards", 1);
    let records =
        (0..100).map(|n| format!(r#"{{"id":{n},"card":"4111 1111","note":"größe \"q\"","nested":{{"card":"x"}}}}"#));
    let sent: Vec<String> = records.collect();
    topic.write(sent.iter().map(String::as_str));
    let config = with(
        json_values(file_sink(&topic.name, &worker.path_text("out.txt"))),
        &[
            ("transforms", "mask"),
            ("transforms.mask.type", "org.apache.kafka.connect.transforms.MaskField$Value"),
            ("transforms.mask.fields", "card"),
        ],
    );
    worker.create_running("mask", config);
    eventually_equal("all lines", &100, || lines(&worker.path("out.txt")).len());
    for (line, original) in lines(&worker.path("out.txt")).iter().zip(&sent) {
        let mut expected: Value = serde_json::from_str(original).unwrap();
        expected["card"] = "".into();
        assert_eq!(serde_json::from_str::<Value>(line).unwrap(), expected);
    }
}

#[test]
fn a_predicate_decides_which_records_a_filter_drops() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("tombstones", 1);
    let value = |n: usize| (!n.is_multiple_of(3)).then(|| n.to_string().into_bytes());
    topic.write_records((0..90).map(|n| (None, Some(b"k".to_vec()), value(n))), &[]);
    let config = with(
        file_sink(&topic.name, &worker.path_text("out.txt")),
        &[
            ("transforms", "drop"),
            ("transforms.drop.type", "org.apache.kafka.connect.transforms.Filter"),
            ("transforms.drop.predicate", "empty"),
            ("predicates", "empty"),
            ("predicates.empty.type", "org.apache.kafka.connect.transforms.predicates.RecordIsTombstone"),
        ],
    );
    worker.create_running("filter", config);
    let kept: Vec<String> = (0..90).filter(|n| n % 3 != 0).map(|n| n.to_string()).collect();
    eventually_equal("the rest", &kept, || lines(&worker.path("out.txt")));
    eventually_equal("dropped on purpose is settled", &Some(90), || topic.committed("connect-filter").get(&0).copied());
}

#[test]
fn change_events_become_rows_in_a_chain_of_two_packages() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("changes", 1);
    let event = |n: usize| {
        let op = if n.is_multiple_of(2) { "c" } else { "r" };
        format!(
            r#"{{"before":null,"after":{{"n":{n},"mail":"a@b.c"}},"source":{{"table":"t"}},"op":"{op}","ts_ms":1}}"#
        )
    };
    let sent: Vec<String> = (0..40).map(event).collect();
    topic.write(sent.iter().map(String::as_str));
    let config = with(
        json_values(file_sink(&topic.name, &worker.path_text("out.txt"))),
        &[
            ("transforms", "fresh,row,hide"),
            ("transforms.fresh.type", "io.debezium.transforms.Filter"),
            ("transforms.fresh.language", "cel"),
            ("transforms.fresh.condition", "value.op != 'r'"),
            ("transforms.row.type", "io.debezium.transforms.ExtractNewRecordState"),
            ("transforms.row.add.fields", "table"),
            ("transforms.hide.type", "lockgate.Tokenize$Value"),
            ("transforms.hide.fields", "mail"),
            ("transforms.hide.secret", "an example, not a secret"),
        ],
    );
    worker.create_running("change-rows", config);
    eventually_equal("every second event", &20, || lines(&worker.path("out.txt")).len());
    for (index, line) in lines(&worker.path("out.txt")).iter().enumerate() {
        let row: Value = serde_json::from_str(line).unwrap();
        assert_eq!((&row["n"], &row["__table"]), (&Value::from(2 * index), &Value::from("t")), "{line}");
        assert!(row["mail"].as_str().is_some_and(|token| token.len() == 64), "{line}");
    }
    eventually_equal("dropped on purpose is settled", &Some(40), || {
        topic.committed("connect-change-rows").get(&0).copied()
    });
}

#[test]
fn two_tasks_share_the_partitions_and_keep_the_order_of_each() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let (topic, receiver) = (kafka.topic("shared", 4), Receiver::start());
    topic.write_records((0..400).map(|n| (Some(n % 4), None, Some(format!("{}:{}", n % 4, n / 4).into_bytes()))), &[]);
    let config = with(http_sink(&topic.name, &format!("http://{}/", receiver.address)), &[("tasks.max", "2")]);
    worker.create_running("two", config);
    assert_eq!(worker.get("/connectors/two/tasks").json().as_array().map(Vec::len), Some(2));
    eventually_equal("everything arrived", &400, || receiver.accepted().len());
    for partition in 0..4 {
        let mine = format!("{partition}:");
        let seen: Vec<String> =
            receiver.accepted().into_iter().filter_map(|b| b.strip_prefix(&mine).map(str::to_owned)).collect();
        assert_eq!(seen, numbers(0..100), "partition {partition}");
    }
}

#[test]
fn what_a_task_did_is_in_the_metrics() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("counted", 1);
    topic.write(numbers(0..500).iter().map(String::as_str));
    worker.create_running("count", blackhole(&topic.name));
    let labels = [r#"connector="count""#, r#"task="0""#];
    eventually_equal("records are counted", &Some(500.0), || {
        worker.metric("kafka_connect_sink_task_metrics_sink_record_send_total", &labels)
    });
    let lag = || worker.metric("kafka_connect_sink_task_metrics_sink_record_lag_max", &labels);
    eventually("the lag goes to zero", || lag().filter(|lag| *lag == 0.0));
}
