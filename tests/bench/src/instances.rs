//! How long a fresh instance takes: made, opened, dropped, on an engine set up as in production.
//!
//! Enters: the `blackhole` package. Leaves: microseconds. Invariant: one thread, one after the other, after a warm-up, so that the
//! pool's slots are warm as they are in a worker that restarts a task.

use std::time::Instant;

use lockgate_model::TaskId;
use lockgate_model::ports::OpenSink;
use lockgate_tests::places;
use lockgate_wasm::{Compiler, Engine, EngineOptions, TaskSpec};

use crate::table::verdict;

/// Instances measured.
const TIMES: usize = 2_000;

/// Rows of the table.
pub fn run() -> Vec<(String, String)> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let compiler = Compiler::Child { program: places::lockgate(), args: vec!["__compile".into()] };
        let options = EngineOptions { cache_dir: Some(places::compile_cache()), compiler, ..EngineOptions::default() };
        let engine = Engine::new(options).expect("an engine");
        let wasm = std::fs::read(places::packages().join("blackhole.wasm")).expect("the package");
        let package = engine.load(wasm.into()).await.expect("the package loads");
        let id = TaskId { tenant: "default".into(), connector: "bench".into(), task: 0 };
        let sink = package.sink(TaskSpec::new(id, "blackhole"));
        let mut times = Vec::with_capacity(TIMES);
        for at in 0..TIMES + 100 {
            let began = Instant::now();
            let instance = sink.open(&[]).await.expect("an instance");
            if at >= 100 {
                times.push(began.elapsed().as_secs_f64() * 1e6);
            }
            drop(instance);
        }
        times.sort_by(f64::total_cmp);
        let (median, p99) = (times[TIMES / 2], times[TIMES * 99 / 100]);
        vec![(
            "made and opened, median (p99)".to_owned(),
            format!("{median:.0} us ({p99:.0} us), {}", verdict(median, 50.0, "us")),
        )]
    })
}
