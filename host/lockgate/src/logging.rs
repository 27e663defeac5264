//! The worker's log: text on standard error.
//!
//! Enters: `RUST_LOG`, changes of levels while it runs. Leaves: a subscriber for the life of the process. Invariant: without
//! `RUST_LOG` only Lockgate's own lines from `info` on, and errors of others; tenant, connector and task stand in each line
//! that has them; no value that a config provider gave stands in any line, whoever wrote it.

use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, OnceLock};

use lockgate_api::{Loggers, ROOT};
use lockgate_config::Secrets;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Registry;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::reload::{self, Handle};
use tracing_subscriber::util::SubscriberInitExt as _;

/// What is logged where `RUST_LOG` says nothing. The Kafka client repeats itself many times a second while a broker is
/// away; the rooms above say it once.
const DEFAULT: &str = "error,lockgate=info,lockgate_kafka::client=error";

/// Targets that can be seen in `GET /admin/loggers` from the start, besides those that were asked for.
const KNOWN: [&str; 9] = [
    "lockgate",
    "lockgate::access",
    "lockgate_api",
    "lockgate_kafka",
    "lockgate_kafka::client",
    "lockgate_pipeline",
    "lockgate_supervisor",
    "lockgate_wasm",
    "lockgate_supervisor::log_book",
];

static LEVELS: OnceLock<(Targets, Handle<Targets, Registry>)> = OnceLock::new();

/// Installs the subscriber. A `RUST_LOG` that cannot be read is said so and passed over.
pub fn install() {
    let asked = std::env::var("RUST_LOG").ok().filter(|text| !text.trim().is_empty());
    let read = asked.as_deref().unwrap_or(DEFAULT).parse::<Targets>();
    let problem = read.as_ref().err().map(ToString::to_string);
    let levels = read.unwrap_or_else(|_| DEFAULT.parse().unwrap_or_default());
    let (filter, handle) = reload::Layer::new(levels.clone());
    let text = tracing_subscriber::fmt::layer().with_writer(Scrubbed).with_ansi(std::io::stderr().is_terminal());
    tracing_subscriber::registry().with(text.with_filter(filter)).init();
    drop(LEVELS.set((levels, handle))); // one subscriber a process
    if let Some(problem) = problem {
        tracing::warn!("RUST_LOG is not understood: {problem}");
    }
}

/// Values that no line may hold.
static SECRETS: OnceLock<Secrets> = OnceLock::new();

/// From now on these values are hidden, those that come in later too.
pub fn hide(secrets: Secrets) {
    drop(SECRETS.set(secrets)); // a process has one worker
}

/// Standard error without secrets.
struct Scrubbed;

impl MakeWriter<'_> for Scrubbed {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        Self
    }
}

impl Write for Scrubbed {
    /// One call is one line: the subscriber writes whole events.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut out = io::stderr().lock();
        match SECRETS.get() {
            None => out.write_all(line)?,
            Some(secrets) => out.write_all(secrets.scrub(&String::from_utf8_lossy(line)).as_bytes())?,
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// The loggers of the process, for `/admin/loggers`. Without [`install`] changes have no effect.
pub fn loggers() -> Loggers {
    let levels = LEVELS.get().map(|(levels, _)| levels.clone()).unwrap_or_default();
    let root = levels.default_level().unwrap_or(LevelFilter::OFF);
    let asked: Vec<(String, LevelFilter)> = levels.into_iter().collect();
    let of = |name: &str| {
        let best = asked.iter().filter(|(target, _)| name.starts_with(target.as_str())).max_by_key(|(t, _)| t.len());
        best.map_or(root, |(_, level)| *level)
    };
    let known = KNOWN.into_iter().map(|name| (name.to_owned(), of(name)));
    let all = known.chain(asked.iter().cloned()).chain([(ROOT.to_owned(), root)]);
    Loggers::new(all.collect::<Vec<_>>(), Arc::new(apply))
}

fn apply(levels: &[(String, LevelFilter)]) {
    let root = levels.iter().find(|(name, _)| name == ROOT).map_or(LevelFilter::OFF, |(_, level)| *level);
    let named = levels.iter().filter(|(name, _)| name != ROOT).cloned();
    let targets = Targets::new().with_default(root).with_targets(named);
    if let Some((_, handle)) = LEVELS.get()
        && let Err(error) = handle.reload(targets)
    {
        tracing::error!(%error, "the levels of the log could not be changed");
    }
}
