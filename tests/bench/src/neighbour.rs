//! A guest that spins beside one that works: what the working one notices.
//!
//! Enters: the guest `misbehaves` of `tests/guests`. Leaves: batch times of a sink alone and beside it. Invariant: a batch time is the
//! longest between two looks at the metrics, so the percentile is of windows of 50 ms, which is stricter than of batches.

use std::time::{Duration, Instant};

use lockgate_tests::{Kafka, Worker, WorkerOptions, places};
use serde_json::json;

/// How long each side is watched.
const WATCH: Duration = Duration::from_secs(15);
/// One window.
const WINDOW: Duration = Duration::from_millis(50);
/// One scheduling slice: what a spinning guest may hold a thread for.
const SLICE_MS: f64 = 4.0;

/// Rows of the table.
pub fn run(kafka: &Kafka) -> Vec<(String, String)> {
    let worker = Worker::start_with(&kafka.bootstrap, WorkerOptions::default().with("lockgate.limits.cpu.ms", "60000"));
    let topic = kafka.topic("steady", 1);
    let source = json!({"connector.class": "datagen", "template": "orders", "rate": "2000", "topic": topic.name, "tasks.max": "1"});
    worker.create_running("steady", source);
    worker.create_running("healthy", json!({"connector.class": "blackhole", "topics": topic.name, "tasks.max": "1"}));
    let alone = watch(&worker);
    worker.upload(&places::guest(crate::neighbour::SPINNER)).expect(201);
    worker.create(
        "spinning",
        json!({"connector.class": "bad.Sink", "do": "spin", "at": "put", "topics": topic.name, "tasks.max": "1"}),
    );
    let beside = watch(&worker);
    let state = worker.get("/connectors/spinning/status").json()["tasks"][0]["state"].clone();
    let allowed = alone.0 * 1.2 + SLICE_MS;
    vec![
        ("alone: p99, records/s".to_owned(), format!("{:.2} ms, {:.0}", alone.0, alone.1)),
        (format!("beside a spinning guest ({state}): p99, records/s"), format!("{:.2} ms, {:.0}", beside.0, beside.1)),
        (
            "allowed (1.2 x alone + one slice)".to_owned(),
            format!("{allowed:.2} ms: {}", if beside.0 <= allowed { "met" } else { "MISSED" }),
        ),
    ]
}

/// The guest that never returns from `put`.
const SPINNER: &str = "misbehaves";

fn watch(worker: &Worker) -> (f64, f64) {
    let labels = ["connector=\"healthy\""];
    let sent = || worker.metric("kafka_connect_sink_task_metrics_sink_record_send_total", &labels).unwrap_or(0.0);
    let longest = || worker.metric("lockgate_task_put_batch_longest_seconds", &labels).unwrap_or(0.0) * 1e3;
    let (from, began, mut windows) = (sent(), Instant::now(), Vec::new());
    longest(); // a reading opens a new window
    while began.elapsed() < WATCH {
        std::thread::sleep(WINDOW);
        windows.push(longest());
    }
    let rate = (sent() - from) / began.elapsed().as_secs_f64();
    windows.sort_by(f64::total_cmp);
    (windows[windows.len() * 99 / 100], rate)
}
