//! What a language costs beside its records: compiling, a cached package made ready, and memory for the first, tenth and hundredth
//! task of one package.
//!
//! Enters: the reference guests. Leaves: rows for each. Invariant: each language has an engine of its own, set up as in production;
//! memory is what this process gained, pages that instances share counted once, so the order of languages does not matter.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use lockgate_model::TaskId;
use lockgate_model::ports::{OpenSink, SinkPort};
use lockgate_tests::{Kafka, Worker, WorkerOptions, places};
use lockgate_wasm::{Package, TaskSpec};
use serde_json::json;

use crate::guest;
use crate::process::{Usage, proportional_mib};
use crate::table::verdict;

/// File in `dist/guests` and its name for people, the cheapest first.
const GUESTS: [(&str, &str); 6] = [
    ("reference", "Rust"),
    ("c", "C"),
    ("js", "JavaScript, QuickJS"),
    ("go", "Go"),
    ("js-starlingmonkey", "JavaScript, StarlingMonkey"),
    ("python", "Python"),
];
/// Instances held at the same time.
const INSTANCES: usize = 100;
/// Times that a cached package is made ready.
const TIMES: usize = 9;
/// Between two looks at a compiling child.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Milliseconds for a cached package.
const READY_MS_MAX: f64 = 50.0;
/// MiB for a hundred tasks.
const HUNDRED_MIB_MAX: f64 = 1024.0;

/// Rows of the table.
pub fn run(kafka: &Kafka) -> Vec<(String, String)> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let mut rows = Vec::new();
    for (file, title) in GUESTS {
        rows.push((title.to_owned(), runtime.block_on(cost(file))));
    }
    for (file, title) in GUESTS.into_iter().filter(|(file, _)| ["js", "js-starlingmonkey", "python"].contains(file)) {
        rows.push((format!("{title}: a worker with {INSTANCES} tasks"), worker(kafka, file)));
    }
    rows.push(large(kafka));
    rows
}

async fn cost(file: &str) -> String {
    let cache = tempfile::tempdir().expect("a folder");
    let wasm = bytes::Bytes::from(places::guest(file));
    let children = Children::watch(std::process::id());
    let began = Instant::now();
    drop(guest::engine(cache.path()).load(wasm.clone()).await.expect("the package compiles"));
    let (cold, peak) = (began.elapsed().as_secs_f64(), children.end());
    let mut ready = Vec::with_capacity(TIMES);
    for _ in 0..TIMES {
        let fresh = guest::engine(cache.path());
        let began = Instant::now();
        drop(fresh.load(wasm.clone()).await.expect("the package loads"));
        ready.push(began.elapsed().as_secs_f64() * 1e3);
    }
    ready.sort_by(f64::total_cmp);
    let ready = ready[TIMES / 2];
    let package = guest::engine(cache.path()).load(wasm.clone()).await.expect("the package loads");
    let held = hold(&package).await;
    format!(
        "{:.1} MB; compiled in {cold:.1} s with {peak:.0} MiB; cached: ready in {ready:.0} ms ({}); memory of instance 1, 2-10, 11-100: {}",
        wasm.len() as f64 / 1e6,
        verdict(ready, READY_MS_MAX, "ms"),
        held,
    )
}

/// Memory that open sinks add, each after a batch.
async fn hold(package: &Arc<Package>) -> String {
    let mut held = Vec::with_capacity(INSTANCES);
    let own = || proportional_mib(std::process::id());
    let mut at = vec![own()];
    for number in 0..INSTANCES {
        let id =
            TaskId { tenant: "default".into(), connector: "bench".into(), task: u32::try_from(number).unwrap_or(0) };
        let mut spec = TaskSpec::new(id, "ref.Sink");
        spec.config = vec![("mode".to_owned(), "quiet".to_owned())];
        let records = guest::batch(spec.schemas.clone(), 100, &[b'x'; 100]);
        let mut sink = package.sink(spec).open(&[]).await.expect("an instance");
        sink.put(&records).await.expect("a batch is taken");
        held.push(sink);
        if [1, 10, INSTANCES].contains(&held.len()) {
            at.push(own());
        }
    }
    let per = |from: usize, to: usize, count: f64| (at[to] - at[from]) / count;
    format!("{:.1}, {:.2}, {:.2} MiB", per(0, 1, 1.0), per(1, 2, 9.0), per(2, 3, 90.0))
}

/// A worker with a hundred tasks of one package, each with its records delivered.
fn worker(kafka: &Kafka, file: &str) -> String {
    let worker = Worker::start(&kafka.bootstrap);
    let before = worker.proportional_bytes() >> 20;
    worker.upload(&places::guest(file)).expect(201);
    let topic = kafka.topic("hundred", 1);
    let tasks = i64::try_from(INSTANCES).unwrap_or(0);
    let began = Instant::now();
    let config =
        json!({"connector.class": "ref.Source", "tasks.max": tasks.to_string(), "topic": topic.name, "count": "20"});
    worker.create_running("hundred", config);
    let running = began.elapsed().as_secs_f64();
    lockgate_tests::eventually("every task has written its records", || (topic.count() == tasks * 20).then_some(()));
    let (own, resident) = (worker.proportional_bytes() >> 20, worker.resident_bytes() >> 20);
    let met = verdict(own as f64, HUNDRED_MIB_MAX, "MiB");
    format!(
        "{before} MiB without it, {own} MiB with it ({met}), {resident} MiB with shared pages counted for each; all RUNNING after {running:.1} s"
    )
}

/// A package of 40 MB of code: how long it takes, in how much memory, and what a running task notices.
fn large(kafka: &Kafka) -> (String, String) {
    let worker = Worker::start_with(&kafka.bootstrap, WorkerOptions::default());
    let topic = kafka.topic("beside", 1);
    let source = json!({"connector.class": "datagen", "template": "orders", "rate": "2000", "topic": topic.name, "tasks.max": "1"});
    worker.create_running("steady", source);
    let rate = |watch: Duration, done: &dyn Fn() -> bool| {
        let (from, began) = (topic.count(), Instant::now());
        while began.elapsed() < watch && !done() {
            std::thread::sleep(LOOK_EVERY);
        }
        (topic.count() - from) as f64 / began.elapsed().as_secs_f64()
    };
    let alone = rate(Duration::from_secs(10), &|| false);
    let package = with_more_code(&places::guest("js-starlingmonkey"), 40_000_000);
    let children = Children::watch(worker.pid().expect("the worker runs"));
    let began = Instant::now();
    let uploaded = AtomicBool::new(false);
    let (beside, status) = std::thread::scope(|scope| {
        let upload = scope.spawn(|| {
            let answer = worker.upload(&package);
            uploaded.store(true, Relaxed);
            answer.status
        });
        let beside = rate(Duration::from_mins(5), &|| uploaded.load(Relaxed));
        (beside, upload.join().expect("the upload ends"))
    });
    let (seconds, peak) = (began.elapsed().as_secs_f64(), children.end());
    let what = format!("upload of {:.0} MB of code (answer {status})", package.len() as f64 / 1e6);
    let figure = format!(
        "{seconds:.0} s, compiler at most {peak:.0} MiB, worker {} MiB; a source beside it {beside:.0} records/s, alone {alone:.0}",
        worker.resident_bytes() >> 20
    );
    (what, figure)
}

/// The component with its own largest module again and again behind it, never instantiated but compiled, up to about so many bytes.
fn with_more_code(package: &[u8], size: usize) -> Vec<u8> {
    let module = largest_module(package);
    let mut bytes = package.to_vec();
    while bytes.len() + module.len() <= size {
        bytes.extend_from_slice(module);
    }
    bytes
}

/// The longest section of id 1 (a core module), with its head.
fn largest_module(package: &[u8]) -> &[u8] {
    let (mut at, mut largest) = (8, &package[..0]);
    while at < package.len() {
        let (start, mut length, mut shift) = (at, 0_usize, 0);
        at += 1;
        loop {
            let byte = package[at];
            at += 1;
            length |= usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                break;
            }
        }
        at += length;
        if package[start] == 1 && at - start > largest.len() {
            largest = &package[start..at];
        }
    }
    largest
}

/// Watches the children of a process.
struct Children {
    ended: Arc<AtomicBool>,
    watching: std::thread::JoinHandle<f64>,
}

impl Children {
    fn watch(parent: u32) -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&ended);
        let watching = std::thread::spawn(move || {
            let mut peak: f64 = 0.0;
            while !stop.load(Relaxed) {
                let largest = children(parent).into_iter().map(|pid| Usage::of(pid).peak_rss_mib).fold(0.0, f64::max);
                peak = peak.max(largest);
                std::thread::sleep(LOOK_EVERY);
            }
            peak
        });
        Self { ended, watching }
    }

    /// The highest resident memory of any of them, MiB.
    fn end(self) -> f64 {
        self.ended.store(true, Relaxed);
        self.watching.join().unwrap_or(0.0)
    }
}

fn children(parent: u32) -> Vec<u32> {
    let tasks = std::fs::read_dir(format!("/proc/{parent}/task")).into_iter().flatten().flatten();
    let texts = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    texts.flat_map(|text| text.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<u32>>()).collect()
}
