//! What a guest may ask of the host: `wit/v0.1/host.wit`.
//!
//! Enters: calls of the guest. Leaves: lines, figures, state, names. Invariant: no call blocks, each is bounded.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use lockgate_model::{Position, TaskMetrics};
use wasmtime::component::HasData;

use crate::abi::imports::{batches, context, faults, log, metrics, state, tasks};
use crate::guest_state::GuestState;
use crate::spec::{LogLevel, TaskSpec};
use crate::volume::LogGate;

/// Partitions that one call may ask for.
const PARTITIONS_MAX: usize = 10_000;

/// The host as one instance sees it.
pub(crate) struct GuestHost {
    pub(crate) gate: Arc<LogGate>,
    pub(crate) state: GuestState,
    metrics: Arc<TaskMetrics>,
    cancel: Arc<AtomicBool>,
    reconfigure: Arc<dyn Fn() + Send + Sync>,
    positions: HashMap<Arc<str>, Arc<str>>,
}

impl GuestHost {
    /// `positions` are those of sources, without state.
    pub(crate) fn new(spec: &TaskSpec, gate: Arc<LogGate>, state: GuestState, positions: &[Position]) -> Self {
        let mut host = Self {
            gate,
            state,
            metrics: Arc::clone(&spec.metrics),
            cancel: Arc::clone(&spec.cancel),
            reconfigure: Arc::clone(&spec.reconfigure),
            positions: HashMap::new(),
        };
        host.stored(positions);
        host
    }

    /// Notes what is stored now.
    pub(crate) fn stored(&mut self, positions: &[Position]) {
        for position in positions {
            match &position.offset {
                Some(offset) => drop(self.positions.insert(Arc::clone(&position.partition), Arc::clone(offset))),
                None => drop(self.positions.remove(&position.partition)),
            }
        }
    }
}

impl HasData for GuestHost {
    type Data<'a> = &'a mut Self;
}

impl log::Host for GuestHost {
    fn write(&mut self, level: log::Level, message: String) {
        let level = match level {
            log::Level::Trace => LogLevel::Trace,
            log::Level::Debug => LogLevel::Debug,
            log::Level::Info => LogLevel::Info,
            log::Level::Warn => LogLevel::Warn,
            log::Level::Error => LogLevel::Error,
        };
        self.gate.write(level, &message);
    }

    fn lowest(&mut self) -> log::Level {
        match self.gate.lowest() {
            LogLevel::Trace => log::Level::Trace,
            LogLevel::Debug => log::Level::Debug,
            LogLevel::Info => log::Level::Info,
            LogLevel::Warn => log::Level::Warn,
            LogLevel::Error => log::Level::Error,
        }
    }
}

impl metrics::Host for GuestHost {
    fn add(&mut self, name: String, value: f64) {
        self.metrics.guest.add(&name, value);
    }

    fn set(&mut self, name: String, value: f64) {
        self.metrics.guest.set(&name, value);
    }

    fn observe(&mut self, name: String, value: f64) {
        self.metrics.guest.observe(&name, value);
    }
}

impl state::Host for GuestHost {
    fn get(&mut self, key: String) -> Option<Vec<u8>> {
        self.state.get(&key).cloned()
    }

    fn set(&mut self, key: String, value: Vec<u8>) -> Result<(), String> {
        self.state.set(key, value)
    }

    fn remove(&mut self, key: String) {
        self.state.remove(&key);
    }
}

impl context::Host for GuestHost {
    fn cancelled(&mut self) -> bool {
        self.cancel.load(Relaxed)
    }

    fn request_reconfiguration(&mut self) {
        (self.reconfigure)();
    }

    fn positions(&mut self, mut partitions: Vec<String>) -> Vec<Option<String>> {
        let asked = partitions.len();
        partitions.truncate(PARTITIONS_MAX);
        let stored = |partition: String| self.positions.get(partition.as_str()).map(ToString::to_string);
        let mut answer: Vec<_> = partitions.into_iter().map(stored).collect();
        answer.resize(asked, None);
        answer
    }
}

impl batches::Host for GuestHost {}
impl faults::Host for GuestHost {}
impl tasks::Host for GuestHost {}
