//! What a list of records costs as an interface: the other side of the comparison in `tests/bench`.
//!
//! Enters: components of the world `naive`. Leaves: `name<TAB>figure` lines, nanoseconds a record. Invariant: the engine is set
//! up as that of a worker where it matters (epochs, optimisation); a batch is 500 records, and a figure is the median of
//! a second of calls, lowering and lifting included.
#![allow(unsafe_code, missing_docs, clippy::pedantic, clippy::unwrap_used)]

use std::path::Path;
use std::time::{Duration, Instant};

use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Config, Engine, Store};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

wasmtime::component::bindgen!({
    path: "../../tests/bench/naive/wit",
    world: "naive",
    exports: { default: async },
});

use exports::bench::naive::naive_sink::Row;

const RECORDS: usize = 500;
const LONG: Duration = Duration::from_secs(1);

struct Host(WasiCtx, ResourceTable);

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.0, table: &mut self.1 }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> wasmtime::Result<()> {
    let mut config = Config::new();
    config.epoch_interruption(true).concurrency_support(false);
    let engine = Engine::new(&config)?;
    let mut linker = Linker::new(&engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    for file in std::env::args().skip(1) {
        let name =
            Path::new(&file).file_stem().unwrap_or_default().to_string_lossy().replace("naive_", "list of records, ");
        let component = Component::from_file(&engine, &file)?;
        for size in [100_usize, 1024] {
            match measure(&engine, &linker, &component, size).await {
                Ok((sink, source)) => {
                    println!("{name}: sink, {size} B\t{sink:.0} ns a record");
                    println!("{name}: source, {size} B\t{source:.0} ns a record");
                }
                Err(why) => println!("{name}: {size} B\tfailed: {why:#}"),
            }
        }
    }
    Ok(())
}

async fn measure(
    engine: &Engine,
    linker: &Linker<Host>,
    component: &Component,
    size: usize,
) -> wasmtime::Result<(f64, f64)> {
    let mut store = Store::new(engine, Host(WasiCtx::builder().build(), ResourceTable::new()));
    store.set_epoch_deadline(u64::MAX / 2);
    let naive = Naive::instantiate_async(&mut store, component, linker).await?;
    let row = |at| Row {
        topic: "bench".to_owned(),
        partition: 0,
        offset: at,
        timestamp: 0,
        key: None,
        value: Some(vec![b'x'; size]),
        headers: Vec::new(),
    };
    let batch: Vec<Row> = (0..RECORDS as i64).map(row).collect();
    let (mut sinks, mut sources) = (Vec::new(), Vec::new());
    let until = Instant::now() + LONG;
    while Instant::now() < until {
        let began = Instant::now();
        naive.bench_naive_naive_sink().call_put(&mut store, &batch).await?;
        sinks.push(began.elapsed().as_nanos() as f64 / RECORDS as f64);
    }
    let until = Instant::now() + LONG;
    while Instant::now() < until {
        let began = Instant::now();
        let made = naive.bench_naive_naive_source().call_poll(&mut store, RECORDS as u32, size as u32).await?;
        sources.push(began.elapsed().as_nanos() as f64 / made.len() as f64);
    }
    Ok((middle(sinks), middle(sources)))
}

fn middle(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}
