//! From the upload of a package to a running connector, with an empty and with a filled compile cache.
//!
//! Enters: a guest of `tests/guests`. Leaves: milliseconds until the answer, and until RUNNING after it.

use std::time::Instant;

use lockgate_tests::{Kafka, Worker, WorkerOptions, places};
use serde_json::json;

/// The package that is uploaded.
const PACKAGE: &str = "reference";
/// Times each.
const TIMES: usize = 5;

/// Rows of the table.
pub fn run(kafka: &Kafka) -> Vec<(String, String)> {
    let package = places::guest(PACKAGE);
    let topic = kafka.topic("upload", 1);
    let kept = tempfile::tempdir().expect("a folder");
    let mut rows = vec![("package".to_owned(), format!("{} KiB", package.len() / 1024))];
    for warm in [false, true] {
        let (mut answers, mut runs) = (Vec::new(), Vec::new());
        for _ in 0..TIMES {
            let fresh = tempfile::tempdir().expect("a folder");
            let cache = if warm { kept.path() } else { fresh.path() };
            let options = WorkerOptions::default().with("lockgate.cache.dir", &cache.to_string_lossy());
            let worker = Worker::start_with(&kafka.bootstrap, options);
            let began = Instant::now();
            let view = worker.upload(&package).expect(201).json();
            answers.push(began.elapsed().as_secs_f64() * 1e3);
            let plugins = view["plugins"].as_array().cloned().unwrap_or_default();
            let class = plugins.iter().find(|p| p["type"] == "sink").map(|p| p["class"].clone());
            let began = Instant::now();
            worker.create("uploaded", json!({"connector.class": class, "topics": topic.name, "tasks.max": "1"}));
            worker.wait_running("uploaded");
            runs.push(began.elapsed().as_secs_f64() * 1e3);
        }
        if warm {
            answers.remove(0); // the one that filled the cache
        }
        let cache = if warm { "warm" } else { "cold" };
        rows.push((format!("{cache}: upload to answer"), spread(&answers)));
        rows.push((format!("{cache}: POST /connectors to RUNNING"), spread(&runs)));
    }
    rows
}

fn spread(all: &[f64]) -> String {
    let mut all = all.to_vec();
    all.sort_by(f64::total_cmp);
    format!("{:.0} ms ({:.0}-{:.0})", all[all.len() / 2], all[0], all[all.len() - 1])
}
