//! A guest on the bench: its package, a task's spec, what it logs.
//!
//! Enters: class and settings. Leaves: open instances and their lines. Invariant: one engine and one compile per guest for the
//! whole run, through the same child process as in production.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use lockgate_model::batch::{HeaderRow, Row};
use lockgate_model::{
    Batch, Encoding, Fault, Formats, GuestError, PartitionOffset, PluginError, Schemas, TaskId, TopicPartition,
};
use lockgate_tests::places;
use lockgate_wasm::{CompileLimits, Compiler, Engine, EngineOptions, GuestLog, LogLevel, Package, TaskSpec};
use tokio::runtime::Runtime;

use super::Guest;

/// Runs a future on the runtime that all tests share.
pub fn run<T>(future: impl Future<Output = T>) -> T {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new().unwrap()).block_on(future)
}

/// The engine that all tests share.
pub fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let compiler = Compiler::Child { program: places::lockgate(), args: vec!["__compile".into()] };
        // A machine that does ten things at once takes its time.
        let compile = CompileLimits { wall: Duration::from_mins(10), ..CompileLimits::default() };
        let cache_dir = Some(places::compile_cache());
        let options = EngineOptions { cache_dir, compiler, compile, ..EngineOptions::default() };
        run(async { Engine::new(options) }).unwrap()
    })
}

/// A package of `dist/guests`, loaded once.
pub fn package(name: &'static str) -> Arc<Package> {
    type Loaded = Mutex<HashMap<&'static str, Arc<Package>>>;
    static LOADED: OnceLock<Loaded> = OnceLock::new();
    let mut loaded = LOADED.get_or_init(Loaded::default).lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let load = || run(engine().load(places::guest(name).into())).unwrap();
    Arc::clone(loaded.entry(name).or_insert_with(load))
}

/// The same bytes, compiled into the cache that all workers here share: an upload then takes no longer than a request may.
pub fn compiled(bytes: Vec<u8>) -> Vec<u8> {
    run(engine().load(bytes.clone().into())).unwrap();
    bytes
}

/// Keeps a guest's lines.
#[derive(Default)]
pub struct Lines(Mutex<Vec<(LogLevel, String)>>);

impl GuestLog for Lines {
    fn line(&self, level: LogLevel, text: &str) {
        self.0.lock().unwrap().push((level, text.to_owned()));
    }
}

impl Lines {
    /// The lines of the contract so far (those that begin with `ref:`), without that prefix.
    pub fn texts(&self) -> Vec<String> {
        let lines = self.0.lock().unwrap();
        lines.iter().filter_map(|(_, text)| text.strip_prefix("ref: ").map(str::to_owned)).collect()
    }

    /// Every line, of the contract or not.
    pub fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().iter().map(|(_, text)| text.clone()).collect()
    }

    /// Bytes of all lines.
    pub fn bytes(&self) -> u64 {
        self.0.lock().unwrap().iter().map(|(_, text)| text.len() as u64).sum()
    }

    /// Likewise, and forgets them.
    pub fn take(&self) -> Vec<String> {
        let texts = self.texts();
        self.0.lock().unwrap().clear();
        texts
    }
}

/// A task of a guest.
pub struct Task {
    /// The package.
    pub package: Arc<Package>,
    /// The spec; change what a case needs before opening.
    pub spec: TaskSpec,
    /// The lines.
    pub lines: Arc<Lines>,
}

/// A task `c/7` of a class of a guest.
pub fn task(guest: Guest, class: &str, settings: &[(&str, &str)]) -> Task {
    task_of(guest.file(), class, settings)
}

/// Likewise, of any package of `dist/guests`.
pub fn task_of(name: &'static str, class: &str, settings: &[(&str, &str)]) -> Task {
    let id = TaskId { tenant: "default".into(), connector: "c".into(), task: 7 };
    let lines = Arc::new(Lines::default());
    let mut spec = TaskSpec::new(id, class);
    spec.config = settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    spec.log = Arc::clone(&lines) as Arc<dyn GuestLog>;
    Task { package: package(name), spec, lines }
}

impl Task {
    /// With JSON for keys, values and headers.
    pub fn json(mut self) -> Self {
        self.spec.formats = Formats { key: Encoding::Json, value: Encoding::Json, header: Encoding::Json };
        self
    }

    /// What the guest has counted under a name.
    pub fn counted(&self, name: &str) -> f64 {
        use lockgate_model::GuestFigure;
        let figures = self.spec.metrics.guest.snapshot().figures;
        match figures.iter().find(|(n, _)| n == name) {
            Some((_, GuestFigure::Counter(value) | GuestFigure::Gauge(value))) => *value,
            other => panic!("no counter or gauge {name}: {other:?}"),
        }
    }
}

/// The fault in an error.
#[track_caller]
pub fn fault<T>(result: Result<T, GuestError>) -> Fault {
    match result {
        Err(GuestError::Fault(fault)) => fault,
        Err(other) => panic!("not a fault: {other}"),
        Ok(_) => panic!("no error at all"),
    }
}

/// The failure of an instance in an error.
#[track_caller]
pub fn failure<T>(result: Result<T, GuestError>) -> PluginError {
    match result {
        Err(GuestError::Plugin(error)) => *error,
        Err(other) => panic!("not a failure of the instance: {other}"),
        Ok(_) => panic!("no error at all"),
    }
}

/// True if the error, or for languages that are not compiled a log line of the task, names the function that panicked; there
/// with its line: `ref_panics_here (app.py:12)`.
pub fn says_where(task: &Task, error: &PluginError, guest: Guest) -> bool {
    if guest.is_compiled() {
        return error.backtrace.iter().any(|frame| frame.contains("ref_panics_here"));
    }
    let numbered = |rest: &str| rest.split([':', ')']).any(|part| part.parse::<u32>().is_ok());
    task.lines.all().iter().any(|line| line.split_once("ref_panics_here (").is_some_and(|(_, rest)| numbered(rest)))
}

/// A place.
pub fn at(topic: &str, partition: u32, next_offset: i64) -> PartitionOffset {
    PartitionOffset { place: TopicPartition { topic: topic.into(), partition }, next_offset }
}

/// A record to put into a batch.
#[derive(Clone, Debug)]
pub struct Given<'a> {
    /// Topic.
    pub topic: &'a str,
    /// Partition.
    pub partition: u32,
    /// Offset.
    pub offset: i64,
    /// Timestamp.
    pub timestamp: i64,
    /// Key.
    pub key: Option<&'a [u8]>,
    /// Value.
    pub value: Option<&'a [u8]>,
    /// Headers.
    pub headers: Vec<(&'a str, Option<&'a [u8]>)>,
    /// Definition of the value's schema.
    pub schema: Option<&'a str>,
}

/// A record of topic `t`, partition 0, with this offset and value.
pub fn record(offset: i64, value: &str) -> Given<'_> {
    Given {
        topic: "t",
        partition: 0,
        offset,
        timestamp: -1,
        key: None,
        value: Some(value.as_bytes()),
        headers: vec![],
        schema: None,
    }
}

/// A batch of these records, over a task's schemas.
pub fn batch(schemas: &Schemas, records: &[Given<'_>]) -> Batch {
    let mut batch = Batch::new(schemas.clone());
    for (index, record) in records.iter().enumerate() {
        let topic = batch.topic_index(&record.topic.into());
        let key = batch.push_bytes(record.key);
        let value = batch.push_bytes(record.value);
        let header_first = u32::try_from(batch.headers.len()).unwrap();
        for (name, value) in &record.headers {
            let name = batch.push_bytes(Some(name.as_bytes()));
            let value = batch.push_bytes(*value);
            let name_len = u16::try_from(name.len).unwrap();
            batch.headers.push(HeaderRow { name_offset: name.offset, name_len, schema: 0, value });
        }
        batch.rows.push(Row {
            offset: record.offset,
            timestamp: record.timestamp,
            partition: record.partition,
            topic,
            key,
            value,
            header_first,
            header_count: u32::try_from(record.headers.len()).unwrap(),
            source_row: u32::try_from(index).unwrap(),
            flags: 0,
            key_schema: 0,
            value_schema: record.schema.map_or(0, |s| u32::from(schemas.intern(s).unwrap())),
        });
    }
    batch.check().unwrap();
    batch
}

/// A row as texts: topic, key, value, headers.
pub type Seen = (String, Option<String>, Option<String>, Vec<(String, Option<String>)>);

/// What a batch holds.
pub fn seen(batch: &Batch) -> Vec<Seen> {
    let text = |bytes: Option<&[u8]>| bytes.map(|b| String::from_utf8_lossy(b).into_owned());
    let row = |row: &Row| {
        let headers = batch.headers_of(row).iter();
        let headers =
            headers.map(|h| (text(Some(batch.header_name(h))).unwrap(), text(batch.bytes(h.value)))).collect();
        (batch.topic(row).to_string(), text(batch.bytes(row.key)), text(batch.bytes(row.value)), headers)
    };
    batch.rows.iter().map(row).collect()
}
