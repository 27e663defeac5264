//! `kill -9` at any time: what was accepted is at the far end, in order per partition, and no commit is ever ahead.
//!
//! Enters: records, and a worker that dies in each acknowledgement window and at random moments. Leaves: the far end,
//! compared with what was accepted. Relies on L1, L2 and L3; shows that they hold in the whole, not only in the parts.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lockgate_tests::{Kafka, Receiver, Reply, Topic, Worker, WorkerOptions, eventually, eventually_equal};

use crate::configs::{file_sink, file_source, http_sink, lines, numbers, with};

/// Kills in a row, in each loop.
const KILLS: usize = 6;

/// The first arrival of each text, in order: what is left when repetitions are taken out.
fn first_arrivals(all: &[String]) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    all.iter().filter(|text| seen.insert(text.as_str())).cloned().collect()
}

/// A different moment in each round, spread over the first second and a half.
fn moment(round: usize) -> Duration {
    Duration::from_millis((round as u64 * 397 + 120) % 1500)
}

/// Lets the worker live for a moment that has nothing to do with what it does, then kills it.
fn kill_at_a_random_moment(worker: &mut Worker, round: usize) {
    std::thread::sleep(moment(round));
    worker.kill();
}

fn append(path: &Path, texts: &[String]) {
    let mut file = fs::File::options().create(true).append(true).open(path).unwrap();
    file.write_all((texts.join("\n") + "\n").as_bytes()).unwrap();
}

fn start_again(worker: &mut Worker) {
    worker.launch();
    worker.wait_ready();
}

#[test]
fn a_source_killed_at_random_loses_no_line_and_keeps_their_order() {
    let kafka = Kafka::shared();
    let mut worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("killed-source", 1);
    append(&worker.path("in.txt"), &numbers(0..1000));
    worker.create_running("in", file_source(&worker.path_text("in.txt"), &topic.name));
    for round in 0..KILLS {
        append(&worker.path("in.txt"), &numbers((round + 1) * 1000..(round + 2) * 1000));
        kill_at_a_random_moment(&mut worker, round);
        start_again(&mut worker);
    }
    let expected = numbers(0..(KILLS + 1) * 1000);
    eventually_equal("every line, in order of first arrival", &expected, || first_arrivals(&topic.texts()));
}

#[test]
fn a_sink_killed_at_random_loses_no_record_and_never_commits_ahead() {
    let kafka = Kafka::shared();
    let mut worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("killed-sink", 3);
    let send = |round: usize| {
        let records = numbers(round * 900..(round + 1) * 900).into_iter().enumerate();
        let placed = records.map(|(at, text)| (Some(i32::try_from(at % 3).unwrap()), None, Some(text.into_bytes())));
        topic.write_records(placed, &[]);
    };
    send(0);
    worker.create_running("out", file_sink(&topic.name, &worker.path_text("out.txt")));
    for round in 0..KILLS {
        send(round + 1);
        kill_at_a_random_moment(&mut worker, round);
        nothing_committed_is_missing(&topic, "connect-out", &lines(&worker.path("out.txt")));
        start_again(&mut worker);
    }
    let total = (KILLS + 1) * 900;
    eventually_equal("every record", &total, || first_arrivals(&lines(&worker.path("out.txt"))).len());
    order_of_each_partition_is_kept(&topic, &lines(&worker.path("out.txt")));
}

/// Every record below the committed offset of its partition is among what arrived.
fn nothing_committed_is_missing(topic: &Topic, group: &str, arrived: &[String]) {
    let arrived: std::collections::HashSet<&str> = arrived.iter().map(String::as_str).collect();
    let committed = topic.committed(group);
    let records = topic.read();
    let promised = records.iter().filter(|r| committed.get(&r.partition).is_some_and(|next| r.offset < *next));
    let missing: Vec<String> =
        promised.map(lockgate_tests::Record::text).filter(|t| !arrived.contains(t.as_str())).collect();
    assert!(missing.is_empty(), "committed but not at the far end: {missing:?} with {committed:?}");
}

/// First arrivals, partition by partition, are in the order of their offsets.
fn order_of_each_partition_is_kept(topic: &Topic, arrived: &[String]) {
    let mut expected: BTreeMap<i32, Vec<String>> = BTreeMap::new();
    let mut home: BTreeMap<String, i32> = BTreeMap::new();
    for record in topic.read() {
        home.insert(record.text(), record.partition);
        expected.entry(record.partition).or_default().push(record.text());
    }
    let mut seen: BTreeMap<i32, Vec<String>> = BTreeMap::new();
    for text in first_arrivals(arrived) {
        seen.entry(home[&text]).or_default().push(text);
    }
    assert_eq!(seen, expected);
}

/// A receiver that counts requests and lets a test know when the n-th came or was answered.
fn stalls_at(receiver: &Receiver, n: usize) -> Arc<AtomicUsize> {
    let count = Arc::new(AtomicUsize::new(0));
    let (seen, stalled) = (Arc::clone(&count), Mutex::new(false));
    receiver.answer_by(move |_| {
        let at = seen.fetch_add(1, Relaxed) + 1;
        let mut stalled = stalled.lock().unwrap();
        if at < n || *stalled {
            return None;
        }
        *stalled = true;
        Some(Reply::status(503).with("retry-after", "30")) // it was received, and is not accepted
    });
    count
}

#[test]
fn a_sink_killed_between_arrival_and_acceptance_delivers_the_record_again() {
    let kafka = Kafka::shared();
    let mut worker = Worker::start(&kafka.bootstrap);
    let (topic, receiver) = (kafka.topic("window-put", 1), Receiver::start());
    let count = stalls_at(&receiver, 5);
    topic.write(numbers(0..20).iter().map(String::as_str));
    worker.create_running("w", http_sink(&topic.name, &format!("http://{}/", receiver.address)));
    eventually("the fifth request has arrived", || (count.load(Relaxed) >= 5).then_some(()));
    worker.kill();
    start_again(&mut worker);
    eventually_equal("all accepted, in order", &numbers(0..20), || first_arrivals(&receiver.accepted()));
}

#[test]
fn a_sink_killed_between_acceptance_and_commit_repeats_rather_than_loses() {
    let kafka = Kafka::shared();
    // A commit a minute: everything below happens before the first one.
    let options = WorkerOptions::default().with("offset.flush.interval.ms", "60000");
    let mut worker = Worker::start_with(&kafka.bootstrap, options);
    let (topic, receiver) = (kafka.topic("window-commit", 1), Receiver::start());
    topic.write(numbers(0..20).iter().map(String::as_str));
    worker.create_running("w", http_sink(&topic.name, &format!("http://{}/", receiver.address)));
    eventually("all accepted", || (receiver.accepted().len() >= 20).then_some(()));
    worker.kill();
    assert!(topic.committed("connect-w").values().all(|next| *next == 0), "killed before the commit");
    start_again(&mut worker);
    eventually_equal("all of them came again", &[numbers(0..20), numbers(0..20)].concat(), || receiver.accepted());
}

#[test]
fn a_sink_killed_after_the_commit_repeats_nothing() {
    let kafka = Kafka::shared();
    let mut worker = Worker::start(&kafka.bootstrap);
    let (topic, receiver) = (kafka.topic("window-after", 1), Receiver::start());
    topic.write(numbers(0..20).iter().map(String::as_str));
    worker.create_running("w", http_sink(&topic.name, &format!("http://{}/", receiver.address)));
    eventually_equal("committed", &Some(20), || topic.committed("connect-w").get(&0).copied());
    worker.kill();
    topic.write(["20"]);
    start_again(&mut worker);
    eventually_equal("each once", &numbers(0..21), || receiver.accepted());
}

#[test]
fn a_source_killed_between_delivery_and_position_repeats_rather_than_loses() {
    let kafka = Kafka::shared();
    let options = WorkerOptions::default().with("offset.flush.interval.ms", "60000");
    let mut worker = Worker::start_with(&kafka.bootstrap, options);
    let topic = kafka.topic("window-position", 1);
    append(&worker.path("in.txt"), &numbers(0..50));
    worker.create_running("w", file_source(&worker.path_text("in.txt"), &topic.name));
    eventually_equal("delivered", &50, || topic.count());
    worker.kill();
    append(&worker.path("in.txt"), &numbers(50..60));
    start_again(&mut worker);
    eventually_equal("every line", &numbers(0..60), || first_arrivals(&topic.texts()));
}

#[test]
fn a_source_killed_after_its_position_is_stored_repeats_nothing() {
    let kafka = Kafka::shared();
    let mut worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("window-stored", 1);
    append(&worker.path("in.txt"), &numbers(0..50));
    worker.create_running("w", file_source(&worker.path_text("in.txt"), &topic.name));
    let labels = [r#"connector="w""#];
    eventually_equal("delivered", &50, || topic.count());
    let store = || kafka.topic_named(&worker.property("offset.storage.topic")).texts();
    // The connector's state lies beside its position, in whichever partition its key falls.
    let position = |text: &String| serde_json::from_str::<serde_json::Value>(text).ok()?["position"].as_i64();
    let stored = || store().iter().filter_map(position).max();
    let length = i64::try_from(fs::metadata(worker.path("in.txt")).unwrap().len()).unwrap();
    eventually_equal("the position is at the end of the file", &Some(length), stored);
    assert!(worker.metric("kafka_connect_source_task_metrics_source_record_write_total", &labels).is_some());
    worker.kill();
    append(&worker.path("in.txt"), &numbers(50..60));
    start_again(&mut worker);
    eventually_equal("each line once", &numbers(0..60), || topic.texts());
}

#[test]
fn a_dead_letter_survives_a_kill_before_its_record_counts_as_settled() {
    let kafka = Kafka::shared();
    let options = WorkerOptions::default().with("offset.flush.interval.ms", "60000");
    let mut worker = Worker::start_with(&kafka.bootstrap, options);
    let topic = kafka.topic("window-dead", 1);
    let dead = kafka.topic_named(&format!("{}-dead", topic.name));
    topic.write(["{}", "{bad", "{}"]);
    let settings = [
        ("value.converter", "org.apache.kafka.connect.json.JsonConverter"),
        ("value.converter.schemas.enable", "false"),
        ("errors.tolerance", "all"),
        ("errors.deadletterqueue.topic.name", dead.name.as_str()),
        ("errors.deadletterqueue.topic.replication.factor", "1"),
    ];
    worker.create_running("w", with(file_sink(&topic.name, &worker.path_text("out.txt")), &settings));
    eventually_equal("the dead letter", &1, || dead.count());
    worker.kill();
    start_again(&mut worker);
    eventually("it was written again, for nothing was committed", || (dead.count() >= 2).then_some(()));
    assert!(dead.texts().iter().all(|t| t == "{bad"));
}
