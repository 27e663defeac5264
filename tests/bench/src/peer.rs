//! The same chain in a real Kafka Connect, on the same topic.
//!
//! Enters: cases of sinks. Leaves: rows of figures of both, or one row that says why there are none. Invariant: both write
//! with the connector that both have, `FileStreamSink`, into a file that is counted and removed; a run has ended when its last
//! offset is committed at the broker; Kafka Connect runs twice, because its machine compiles as it goes, and the better run counts.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::time::{Duration, Instant};

use lockgate_tests::{Connect, Kafka, Topic, Worker, within};
use serde_json::{Value, json};

use crate::cases::Case;
use crate::process::Usage;
use crate::series::fill;

/// Runs of each side.
const RUNS: usize = 2;
/// The longest that one run may take.
const RUN_DEADLINE: Duration = Duration::from_secs(300);

/// Runs the cases here and there.
pub fn run(kafka: &Kafka, cases: &[Case]) -> Vec<(String, String)> {
    if let Err(why) = lockgate_tests::connect::jars() {
        return vec![("skipped".to_owned(), why)];
    }
    let (connect, worker) = (Connect::start(&kafka.bootstrap), Worker::start(&kafka.bootstrap));
    cases.iter().flat_map(|case| both(kafka, &connect, &worker, case)).collect()
}

fn both(kafka: &Kafka, connect: &Connect, worker: &Worker, case: &Case) -> Vec<(String, String)> {
    let topic = fill(kafka, case);
    let mut config = case.config.clone();
    config["topics"] = topic.name.clone().into();
    config["tasks.max"] = "1".into();
    let mut best = [f64::INFINITY, f64::INFINITY];
    let mut rates = [0.0_f64, 0.0];
    for at in 0..RUNS {
        let name = |who: &str| format!("{}-{who}-{at}", case.name);
        let file = worker.path_text("lines.txt");
        config["file"] = file.clone().into();
        config["connector.class"] = "org.apache.kafka.connect.file.FileStreamSinkConnector".into();
        let theirs = timed(&topic, case, &name("peer"), connect.pid(), |name| {
            let body = json!({"name": name, "config": config});
            connect.call("POST", "/connectors", &body).expect(201);
        });
        connect.call("DELETE", &format!("/connectors/{}", name("peer")), &Value::Null).expect(204);
        counted(&file, case.count);
        let pid = worker.pid().expect("the worker runs");
        let ours = timed(&topic, case, &name("lockgate"), pid, |name| drop(worker.create(name, config.clone())));
        worker.delete(&format!("/connectors/{}", name("lockgate"))).expect(204);
        counted(&file, case.count);
        for (side, (rate, cpu)) in [theirs, ours].into_iter().enumerate() {
            best[side] = best[side].min(cpu);
            rates[side] = rates[side].max(rate);
        }
    }
    let row = |who: &str, side: usize| {
        (format!("{}: {who}", case.name), format!("{:.0} k records/s, {:.3} CPU s/M", rates[side] / 1e3, best[side]))
    };
    vec![
        row("Kafka Connect", 0),
        row("Lockgate", 1),
        (format!("{}: Kafka Connect's CPU in Lockgate's", case.name), format!("{:.1}", best[0] / best[1])),
    ]
}

/// Each record is a line, once; then the file goes.
fn counted(file: &str, count: u64) {
    let lines = BufReader::with_capacity(1 << 20, File::open(file).expect("the file is there")).split(b'\n').count();
    assert_eq!(u64::try_from(lines).ok(), Some(count), "lines in {file}");
    fs::remove_file(file).expect("the file is ours");
}

/// Records a second from creation to the last commit, and CPU seconds a million.
fn timed(topic: &Topic, case: &Case, name: &str, pid: u32, create: impl FnOnce(&str)) -> (f64, f64) {
    let (before, began) = (Usage::of(pid), Instant::now());
    create(name);
    let group = format!("connect-{name}");
    within(RUN_DEADLINE, "everything is committed", || {
        (topic.committed(&group).get(&0).copied() == i64::try_from(case.count).ok()).then_some(())
    });
    let (after, count) = (Usage::of(pid), case.count as f64);
    (count / began.elapsed().as_secs_f64(), (after.cpu_seconds - before.cpu_seconds) / count * 1e6)
}
