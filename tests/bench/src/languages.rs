//! What a guest costs in each language: a record in the call, the first call, an instance.
//!
//! Enters: the guests of `dist/bench` and two bundled packages. Leaves: rows of figures. Invariant: the engine, its settings
//! and its compiler are those of a worker; a batch is 500 records, handed over as a task hands it over, and a figure is
//! the median of a second of calls.

use std::future::Future;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lockgate_model::ports::{BatchLimits, OpenSink, OpenSource, SinkPort, SourcePort};
use lockgate_model::{Batch, Schemas, TaskId};
use lockgate_tests::places;
use lockgate_wasm::{Package, TaskSpec};

use crate::guest;
use crate::process::Usage;
use crate::table::verdict;

/// Records of a batch.
const RECORDS: u32 = 500;
/// How long each figure is taken.
const LONG: Duration = Duration::from_secs(1);
/// Instances that live at once for the memory of one.
const INSTANCES: usize = 10;

/// A language: its package, sink and source, and the nanoseconds a record that are wanted of the sink, at a size.
struct Language {
    name: &'static str,
    file: PathBuf,
    sink: &'static str,
    source: &'static str,
    wanted: Option<(usize, f64)>,
}

fn languages() -> Vec<Language> {
    let bench = |name, file, wanted| Language {
        name,
        file: places::bench_guests().join(file),
        sink: "bench.Sink",
        source: "bench.Source",
        wanted: Some(wanted),
    };
    vec![
        Language {
            name: "Rust",
            file: places::packages().join("blackhole.wasm"),
            sink: "blackhole",
            source: "",
            wanted: Some((100, 40.0)),
        },
        Language {
            name: "Rust",
            file: places::packages().join("datagen.wasm"),
            sink: "",
            source: "datagen",
            wanted: None,
        },
        bench("C", "bench_c.wasm", (100, 40.0)),
        bench("Go", "bench_go.wasm", (100, 300.0)),
        bench("Python", "bench_python.wasm", (1024, 1_500.0)),
        bench("JavaScript", "bench_js.wasm", (1024, 2_500.0)),
    ]
}

/// Rows of the table.
pub fn run() -> Vec<(String, String)> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let mut rows = Vec::new();
    for language in languages() {
        if language.file.exists() {
            runtime.block_on(measure(&language, &mut rows));
        } else {
            rows.push((language.name.to_owned(), "skipped: its package was not built".to_owned()));
        }
    }
    rows.extend(naive());
    rows
}

async fn measure(language: &Language, rows: &mut Vec<(String, String)>) {
    let wasm = std::fs::read(&language.file).expect("the package");
    let of =
        |what: &str| format!("{} ({}): {what}", language.name, language.file.file_stem().unwrap_or_default().display());
    rows.push((of("package"), format!("{} KiB", wasm.len() / 1024)));
    let cache = tempfile::tempdir().expect("a folder");
    let load = async || {
        let engine = guest::engine(cache.path());
        let began = Instant::now();
        let package = engine.load(wasm.clone().into()).await.expect("the package loads");
        (package, began.elapsed().as_secs_f64() * 1e3)
    };
    let (_, cold) = load().await;
    let mut cached: Vec<f64> = Vec::new();
    for _ in 0..5 {
        cached.push(load().await.1);
    }
    let (package, _) = load().await;
    rows.push((of("first load, with compiling"), format!("{cold:.0} ms")));
    rows.push((of("load from the cache"), verdict_of(middle(cached), 50.0, "ms")));
    if !language.sink.is_empty() {
        sinks(language, &package, &of, rows).await;
    }
    if !language.source.is_empty() {
        for size in [100, 1024] {
            let each = source(&package, language.source, size).await;
            rows.push((of(&format!("source, {size} B")), format!("{each:.0} ns a record")));
        }
    }
}

async fn sinks(
    language: &Language,
    package: &Arc<Package>,
    of: &impl Fn(&str) -> String,
    rows: &mut Vec<(String, String)>,
) {
    for size in [100, 1024] {
        let each = sink(package, language.sink, size).await;
        let figure = match language.wanted {
            Some((at, max)) if at == size => verdict_of(each, max, "ns a record"),
            _ => format!("{each:.0} ns a record"),
        };
        rows.push((of(&format!("sink, {size} B")), figure));
    }
    let batch = guest::batch(Schemas::default(), RECORDS, &[b'x'; 100]);
    let (mut instances, mut memory, mut first) = (Vec::new(), Vec::new(), 0.0);
    for _ in 0..INSTANCES {
        let before = Usage::of_this_process().rss_mib;
        let began = Instant::now();
        let mut instance = package.sink(spec(language.sink, &[])).open(&[]).await.expect("an instance");
        drop(instance.put(&batch).await.expect("a batch is taken"));
        first = began.elapsed().as_secs_f64() * 1e3;
        instances.push(instance);
        memory.push(Usage::of_this_process().rss_mib - before);
    }
    rows.push((of("instance made, opened, first batch"), format!("{first:.2} ms")));
    let last = memory[INSTANCES - 1];
    rows.push((of("memory of the first and of the tenth instance"), format!("{:.2} and {last:.2} MiB", memory[0])));
}

fn spec(class: &str, config: &[(&str, &str)]) -> TaskSpec {
    let id = TaskId { tenant: "default".into(), connector: "bench".into(), task: 0 };
    let mut spec = TaskSpec::new(id, class);
    spec.config = config.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    spec
}

/// Nanoseconds a record in `put`.
async fn sink(package: &Arc<Package>, class: &str, size: usize) -> f64 {
    let mut sink = package.sink(spec(class, &[])).open(&[]).await.expect("an instance");
    let batch = guest::batch(Schemas::default(), RECORDS, &vec![b'x'; size]);
    let mut times = Vec::new();
    let until = Instant::now() + LONG;
    while Instant::now() < until {
        times.push(timed(sink.put(&batch)).await / f64::from(RECORDS));
    }
    middle(times)
}

/// Nanoseconds a record in `poll`.
async fn source(package: &Arc<Package>, class: &str, size: usize) -> f64 {
    let text = size.to_string();
    let config = if class == "datagen" {
        vec![("topic", "bench"), ("template", "raw"), ("rate", "0"), ("size", &*text), ("count", "1000000000")]
    } else {
        vec![("size", &*text)]
    };
    let mut source = package.source(spec(class, &config)).open(&[]).await.expect("an instance");
    let mut into = Batch::new(Schemas::default());
    let limits = BatchLimits { records_max: 500, bytes_max: 1 << 20 };
    let mut times = Vec::new();
    let until = Instant::now() + LONG;
    while Instant::now() < until {
        into.clear();
        let took = timed(source.poll(&mut into, limits)).await;
        times.push(took / into.len().max(1) as f64);
    }
    middle(times)
}

/// Nanoseconds of a call that goes well.
async fn timed<T, E: std::fmt::Debug>(call: impl Future<Output = Result<T, E>>) -> f64 {
    let began = Instant::now();
    let answer = call.await;
    let took = began.elapsed().as_nanos() as f64;
    drop(answer.expect("the guest answers"));
    took
}

fn middle(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

fn verdict_of(seen: f64, max: f64, unit: &str) -> String {
    format!("{seen:.0} {unit}, {}", verdict(seen, max, unit))
}

/// The same behind plain bindings: measured by a program of the crate that has the engine.
fn naive() -> Vec<(String, String)> {
    let program = places::lockgate().with_file_name("examples").join("naive");
    let files = ["rust", "c", "go", "python", "js"].map(|l| places::bench_guests().join(format!("naive_{l}.wasm")));
    let there: Vec<_> = files.iter().filter(|file| file.exists()).collect();
    match Command::new(&program).args(there).output() {
        Err(why) => vec![("list of records".to_owned(), format!("skipped: {}: {why}", program.display()))],
        Ok(output) => String::from_utf8_lossy(&output.stdout)
            .lines()
            .filter_map(|line| line.split_once('\t'))
            .map(|(what, figure)| (what.to_owned(), figure.to_owned()))
            .collect(),
    }
}
