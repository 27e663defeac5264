//! One case, run in turn with the raw loop: raw, Lockgate, Lockgate, raw, and again.
//!
//! Enters: a case. Leaves: all its runs. Invariant: a run counts once all its records are at the far end; the order of the runs
//! alternates, so that neither side has the quieter machine.

use std::process::Command;
use std::time::{Duration, Instant};

use lockgate_tests::{Kafka, Topic, Worker, eventually_equal, within};
use serde_json::{Value, json};

use crate::cases::{Case, Way};
use crate::framed;
use crate::process::Usage;

/// Rounds of four runs.
const ROUNDS: usize = 2;
/// The longest that one run may take.
const RUN_DEADLINE: Duration = Duration::from_secs(300);
/// Between two looks at a counter; the error of a run's time.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// The producer's settings, the same on both sides (`host/kafka`'s defaults).
const LINGER_MS: &str = "5";
/// See [`LINGER_MS`].
const BATCH_BYTES: &str = "1000000";

/// One run of one side.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// Records a second.
    pub rate: f64,
    /// CPU seconds a million records.
    pub cpu: f64,
    /// Peak resident memory of the process so far.
    pub peak_rss_mib: f64,
}

/// All runs of a case.
#[derive(Debug)]
pub struct Series {
    /// The case.
    pub case: Case,
    /// The raw loop's, in pairs of one round.
    pub raw: Vec<Run>,
    /// Lockgate's, in pairs of one round.
    pub lockgate: Vec<Run>,
}

/// Runs a case.
pub fn run(kafka: &Kafka, case: &Case) -> Series {
    eprintln!("{}: {} records of {} B", case.name, case.count, case.size);
    let worker = Worker::start(&kafka.bootstrap);
    let mut case = case.clone();
    if let Some(url) = framed::registry(case.values) {
        case.config["value.converter.schema.registry.url"] = url.into();
    }
    let case = &case;
    let full = (case.way != Way::Source).then(|| fill(kafka, case));
    let mut series = Series { case: case.clone(), raw: Vec::new(), lockgate: Vec::new() };
    for round in 0..ROUNDS {
        for (at, ours) in [false, true, true, false].into_iter().enumerate() {
            let run = match (&full, ours) {
                (Some(topic), false) if case.way == Way::Copy => raw_copy(kafka, topic, case),
                (Some(topic), true) if case.way == Way::Copy => copy(kafka, &worker, topic, case, round * 4 + at),
                (Some(topic), false) => raw_sink(&kafka.bootstrap, topic, case),
                (Some(topic), true) => sink(&worker, topic, case, round * 4 + at),
                (None, false) => raw_source(&kafka.bootstrap, &kafka.topic("raw", 1), case),
                (None, true) => source(&worker, &kafka.topic("made", 1), case, round * 4 + at),
            };
            let side = if ours { "lockgate" } else { "raw" };
            eprintln!("  {side:8} {:>9.0} records/s {:>6.3} CPU s/M {:>6.1} MiB", run.rate, run.cpu, run.peak_rss_mib);
            if ours { &mut series.lockgate } else { &mut series.raw }.push(run);
        }
    }
    series
}

pub fn fill(kafka: &Kafka, case: &Case) -> Topic {
    let topic = kafka.topic("full", 1);
    let mut value = framed::prefix(case.values, &topic.name);
    value.extend(case.values.of(case.size));
    topic.write_records((0..case.count).map(|_| (Some(0), None, Some(value.clone()))), &[]);
    assert_eq!(topic.count(), i64::try_from(case.count).unwrap_or(-1));
    topic
}

fn sink(worker: &Worker, topic: &Topic, case: &Case, at: usize) -> Run {
    let name = format!("sink-{at}");
    let mut config = case.config.clone();
    config["topics"] = topic.name.clone().into();
    config["tasks.max"] = "1".into();
    let pid = worker.pid().expect("the worker runs");
    let labels = [format!("connector=\"{name}\"")];
    let label: Vec<&str> = labels.iter().map(String::as_str).collect();
    let sent = || worker.metric("kafka_connect_sink_task_metrics_sink_record_send_total", &label).unwrap_or(0.0);
    let before = Usage::of(pid);
    worker.create(&name, config);
    let count = case.count as f64;
    let (rate, after) = timed(sent, count, pid);
    let next = i64::try_from(case.count).ok();
    eventually_equal("everything is committed", &next, || topic.committed(&format!("connect-{name}")).get(&0).copied());
    assert!((sent() - count).abs() < 0.5, "{name} put {} records", sent());
    worker.delete(&format!("/connectors/{name}")).expect(204);
    Run { rate, cpu: (after.cpu_seconds - before.cpu_seconds) / count * 1e6, peak_rss_mib: after.peak_rss_mib }
}

fn source(worker: &Worker, topic: &Topic, case: &Case, at: usize) -> Run {
    let name = format!("source-{at}");
    let mut config = case.config.clone();
    config["topic"] = topic.name.clone().into();
    config["tasks.max"] = "1".into();
    let pid = worker.pid().expect("the worker runs");
    let before = Usage::of(pid);
    worker.create(&name, config);
    let count = case.count as f64;
    let (rate, after) = timed(|| topic.count() as f64, count, pid);
    assert_eq!(topic.count(), i64::try_from(case.count).unwrap_or(-1), "{name}");
    worker.delete(&format!("/connectors/{name}")).expect(204);
    Run { rate, cpu: (after.cpu_seconds - before.cpu_seconds) / count * 1e6, peak_rss_mib: after.peak_rss_mib }
}

fn copy(kafka: &Kafka, worker: &Worker, from: &Topic, case: &Case, at: usize) -> Run {
    let (topic, file) = (kafka.topic("copied", 1), worker.path_text(&format!("copy-{at}.txt")));
    let with = |more: Value| {
        let mut config = case.config.clone();
        more.as_object().into_iter().flatten().for_each(|(key, value)| config[key] = value.clone());
        config
    };
    std::fs::write(&file, "").expect("a file");
    let (out, back) = (format!("out-{at}"), format!("back-{at}"));
    let pid = worker.pid().expect("the worker runs");
    let before = Usage::of(pid);
    worker.create(&out, with(json!({"connector.class": "FileStreamSink", "topics": from.name, "file": file})));
    worker.create(&back, with(json!({"connector.class": "FileStreamSource", "topic": topic.name, "file": file})));
    let count = case.count as f64;
    let (rate, after) = timed(|| topic.count() as f64, count, pid);
    assert_eq!(topic.count(), i64::try_from(case.count).unwrap_or(-1), "{back}");
    for name in [out, back] {
        worker.delete(&format!("/connectors/{name}")).expect(204);
    }
    std::fs::remove_file(&file).expect("the file is there");
    Run { rate, cpu: (after.cpu_seconds - before.cpu_seconds) / count * 1e6, peak_rss_mib: after.peak_rss_mib }
}

/// Waits until a counter has reached its end. The rate is that from the first look at which it was above zero.
fn timed(counter: impl Fn() -> f64, end: f64, pid: u32) -> (f64, Usage) {
    let mut first: Option<(Instant, f64)> = None;
    let deadline = Instant::now() + RUN_DEADLINE;
    loop {
        let (now, value) = (Instant::now(), counter());
        match first {
            None if value > 0.0 => first = Some((now, value)),
            Some((since, from)) if value >= end => {
                let seconds = now.duration_since(since).as_secs_f64().max(LOOK_EVERY.as_secs_f64());
                return ((value - from) / seconds, Usage::of(pid));
            }
            _ => {}
        }
        assert!(now < deadline, "{value} of {end} records after {RUN_DEADLINE:?}");
        std::thread::sleep(LOOK_EVERY);
    }
}

fn raw_sink(bootstrap: &str, topic: &Topic, case: &Case) -> Run {
    measured(&["consume", bootstrap, &topic.name, "1", &case.count.to_string()])
}

fn raw_source(bootstrap: &str, topic: &Topic, case: &Case) -> Run {
    let (count, size) = (case.count.to_string(), case.size.to_string());
    let run = measured(&["produce", bootstrap, &topic.name, &count, &size, LINGER_MS, BATCH_BYTES]);
    within(RUN_DEADLINE, "all records are in the topic", || {
        (topic.count() == i64::try_from(case.count).ok()?).then_some(())
    });
    run
}

/// Both raw loops one after the other: their CPU together, the rate of the slower one.
fn raw_copy(kafka: &Kafka, topic: &Topic, case: &Case) -> Run {
    let (read, written) =
        (raw_sink(&kafka.bootstrap, topic, case), raw_source(&kafka.bootstrap, &kafka.topic("raw", 1), case));
    Run {
        rate: read.rate.min(written.rate),
        cpu: read.cpu + written.cpu,
        peak_rss_mib: read.peak_rss_mib.max(written.peak_rss_mib),
    }
}

/// Runs a raw loop in a process of its own.
pub fn child(arguments: &[&str]) -> Value {
    let me = std::env::current_exe().expect("this program");
    let output = Command::new(me).arg("__raw").args(arguments).output().expect("the raw loop runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("the raw loop prints JSON")
}

fn measured(arguments: &[&str]) -> Run {
    let report = child(arguments);
    let of = |key: &str| report[key].as_f64().unwrap_or(f64::NAN);
    Run {
        rate: of("records") / of("seconds"),
        cpu: of("cpu_seconds") / of("records") * 1e6,
        peak_rss_mib: of("peak_rss_mib"),
    }
}
