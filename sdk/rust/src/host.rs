//! What the host offers beside data: log lines, metrics, state, context.
//!
//! Enters: calls of the plugin. Leaves: host calls. Invariant: none of them is needed for each record; a log line below
//! the lowest level is not built.

use crate::bindings::base::lockgate::connect as raw;

/// The plugin's own metrics, shown beside the host's. Names: `[a-z][a-z0-9_]*`.
pub mod metrics {
    use super::raw;

    /// Adds to a counter.
    pub fn add(name: &str, value: f64) {
        raw::metrics::add(name, value);
    }

    /// Sets a gauge.
    pub fn set(name: &str, value: f64) {
        raw::metrics::set(name, value);
    }

    /// Observes a value, in the unit that the name ends with (`_seconds`, `_bytes`).
    pub fn observe(name: &str, value: f64) {
        raw::metrics::observe(name, value);
    }
}

/// A small key-value store of the task, stored with its positions.
pub mod state {
    use super::raw;
    use crate::fault::Fault;

    /// The value, or none.
    pub fn get(key: &str) -> Option<Vec<u8>> {
        raw::state::get(key)
    }

    /// Sets a value. Keys up to 256 bytes, values up to 64 KiB, 1 MiB and 1,000 keys a task; beyond: a fatal fault.
    pub fn set(key: &str, value: &[u8]) -> Result<(), Fault> {
        raw::state::set(key, value).map_err(|why| Fault::fatal("state.set", why))
    }

    /// Removes a key.
    pub fn remove(key: &str) {
        raw::state::remove(key);
    }
}

/// Where the plugin is, and what it may ask of the host.
pub mod context {
    use super::raw;

    /// True once the task is to stop: return soon.
    pub fn cancelled() -> bool {
        raw::context::cancelled()
    }

    /// Asks the host to call `tasks` again and restart the connector's tasks with the answer.
    pub fn request_reconfiguration() {
        raw::context::request_reconfiguration();
    }

    /// The stored offsets of these source partitions, in order. Sources only.
    pub fn positions(partitions: &[String]) -> Vec<Option<String>> {
        raw::context::positions(partitions)
    }
}

struct Lines;

static LINES: Lines = Lines;

impl log::Log for Lines {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            raw::log::write(level(record.level()), &record.args().to_string());
        }
    }

    fn flush(&self) {}
}

fn level(level: log::Level) -> raw::log::Level {
    match level {
        log::Level::Error => raw::log::Level::Error,
        log::Level::Warn => raw::log::Level::Warn,
        log::Level::Info => raw::log::Level::Info,
        log::Level::Debug => raw::log::Level::Debug,
        log::Level::Trace => raw::log::Level::Trace,
    }
}

fn filter(lowest: raw::log::Level) -> log::LevelFilter {
    match lowest {
        raw::log::Level::Trace => log::LevelFilter::Trace,
        raw::log::Level::Debug => log::LevelFilter::Debug,
        raw::log::Level::Info => log::LevelFilter::Info,
        raw::log::Level::Warn => log::LevelFilter::Warn,
        raw::log::Level::Error => log::LevelFilter::Error,
    }
}

/// Sets up logging and the panic message, once an instance. A panic ends in a trap whose back-trace the host shows; the
/// message would be lost without the hook.
pub(crate) fn set_up() {
    if log::set_logger(&LINES).is_err() {
        return;
    }
    log::set_max_level(filter(raw::log::lowest()));
    std::panic::set_hook(Box::new(|panic| {
        let message = panic.to_string();
        raw::log::write(raw::log::Level::Error, &message);
        eprintln!("{message}");
    }));
}
