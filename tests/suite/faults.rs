//! Brokers that are away, disks that are full: nothing is lost, nothing fails that need not, and it goes on by itself.
//!
//! Enters: faults made on purpose. Leaves: clear lines while they last, everything at the far end afterwards.

use std::fs;
use std::time::{Duration, Instant};

use lockgate_tests::{Kafka, Worker, WorkerOptions, eventually, eventually_equal, places, wait, within};

use crate::configs::{file_sink, file_source, lines, numbers};

/// How long a task may take to go on once the broker is back.
const RECOVERY: Duration = Duration::from_secs(10);

#[test]
fn a_worker_waits_for_a_broker_that_is_not_there_yet_and_says_so() {
    let kafka = Kafka::not_yet_started();
    let mut worker = Worker::set_up(&kafka.bootstrap, WorkerOptions::default());
    worker.launch();
    let address = kafka.bootstrap.clone();
    let says = || worker.log().lines().filter(|l| l.contains(&address) && l.to_lowercase().contains("wait")).count();
    eventually("a clear line, and after some seconds another", || (says() >= 2).then_some(()));
    kafka.start_again();
    worker.wait_ready();
    let topic = kafka.topic("after", 1);
    topic.write(["here"]);
    worker.create_running("s", file_sink(&topic.name, &worker.path_text("out.txt")));
    eventually_equal("the record", &vec!["here".to_owned()], || lines(&worker.path("out.txt")));
}

#[test]
fn a_broker_that_goes_away_and_comes_back_costs_nothing_but_time() {
    let kafka = Kafka::start(1, &[]);
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("through", 1);
    let input = worker.path("in.txt");
    let grow = |n: usize| fs::write(&input, numbers(0..n).join("\n") + "\n").unwrap();
    grow(1000);
    worker.create_running("in", file_source(&worker.path_text("in.txt"), &topic.name));
    worker.create_running("out", file_sink(&topic.name, &worker.path_text("out.txt")));
    eventually_equal("the first thousand", &1000, || lines(&worker.path("out.txt")).len());
    kafka.kill();
    grow(3000);
    let away = Duration::from_secs(if places::long() { 120 } else { 20 });
    let end = Instant::now() + away;
    within(away + wait::PATIENCE, "the broker is away for a while, and no task fails", || {
        for name in ["in", "out"] {
            let tasks = worker.get(&format!("/connectors/{name}/status")).json()["tasks"].clone();
            assert!(tasks.as_array().unwrap().iter().all(|t| t["state"] == "RUNNING"), "{name}: {tasks}");
        }
        (Instant::now() > end).then_some(())
    });
    kafka.start_again();
    let mut distinct = Vec::new();
    within(RECOVERY, "records flow again soon after the broker is back", || {
        distinct = lines(&worker.path("out.txt"));
        (distinct.len() > 1000).then_some(())
    });
    let first = || {
        let mut seen = std::collections::HashSet::new();
        lines(&worker.path("out.txt")).into_iter().filter(|l| seen.insert(l.clone())).collect::<Vec<_>>()
    };
    eventually_equal("every line, in order", &numbers(0..3000), first);
}

#[test]
fn one_of_three_brokers_may_die_without_a_record_lost() {
    let kafka = Kafka::start(3, &[]);
    let settings = ["config", "offset", "status"].map(|t| (format!("{t}.storage.replication.factor"), "3".to_owned()));
    let options = WorkerOptions { properties: settings.to_vec(), ..WorkerOptions::default() };
    let worker = Worker::start_with(&kafka.bootstrap_all(), options);
    let topic = kafka.topic("replicated", 3);
    let input = worker.path("in.txt");
    fs::write(&input, numbers(0..1000).join("\n") + "\n").unwrap();
    worker.create_running("in", file_source(&worker.path_text("in.txt"), &topic.name));
    worker.create_running("out", file_sink(&topic.name, &worker.path_text("out.txt")));
    let distinct = || lines(&worker.path("out.txt")).into_iter().collect::<std::collections::HashSet<_>>().len();
    eventually_equal("the first thousand", &1000, distinct);
    kafka.kill_node(2);
    fs::write(&input, numbers(0..3000).join("\n") + "\n").unwrap();
    eventually_equal("all of them", &3000, distinct);
    worker.wait_running("in");
    worker.wait_running("out");
}

#[test]
fn a_full_disk_under_a_file_sink_is_said_clearly_and_loses_nothing() {
    let kafka = Kafka::shared();
    let options = WorkerOptions { survives_file_limit: true, ..WorkerOptions::default() };
    let worker = Worker::start_with(&kafka.bootstrap, options);
    let topic = kafka.topic("full", 1);
    let record = |n: usize| format!("{n}:{}", "x".repeat(1000));
    let sent: Vec<String> = (0..4000).map(record).collect();
    worker.limit_files(Some(2 << 20));
    topic.write(sent.iter().map(String::as_str));
    worker.create_running("full", file_sink(&topic.name, &worker.path_text("out.txt")));
    eventually("the log says which file, and why", || {
        let log = worker.log();
        log.lines()
            .any(|l| l.contains("out.txt") && (l.contains("no space left") || l.contains("cannot write")))
            .then_some(())
    });
    let written = lines(&worker.path("out.txt")).len();
    let committed = topic.committed("connect-full").get(&0).copied().unwrap_or(0);
    assert!(committed <= i64::try_from(written).unwrap(), "{committed} committed, {written} written");
    worker.limit_files(None);
    let whole = |line: &String| line.len() > 1000 && line.split(':').count() == 2;
    let seen = || {
        let mut once = std::collections::HashSet::new();
        lines(&worker.path("out.txt")).into_iter().filter(whole).filter(|l| once.insert(l.clone())).count()
    };
    eventually_equal("everything is in the file once there is room", &4000, seen);
}

#[test]
fn a_full_disk_under_the_package_store_refuses_the_upload_and_keeps_the_worker_well() {
    let kafka = Kafka::shared();
    let cache = tempfile::tempdir().unwrap();
    let options = WorkerOptions { survives_file_limit: true, ..WorkerOptions::default() }
        .with("lockgate.cache.dir", &cache.path().to_string_lossy());
    let worker = Worker::start_with(&kafka.bootstrap, options);
    let package = places::guest(crate::uploads::GOOD);
    // Less than the package, more than the worker's log, which lies on the same disk.
    worker.limit_files(Some(100 << 10));
    let answer = worker.upload(&package);
    assert!(answer.status >= 500, "{}: {}", answer.status, answer.text());
    assert!(answer.json()["message"].as_str().is_some_and(|m| m.len() > 20), "it says why: {}", answer.text());
    worker.get("/health").expect(200);
    worker.limit_files(None);
    worker.upload(&package).expect(201);
}
