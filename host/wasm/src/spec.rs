//! What one task of one connector is run with.
//!
//! Enters: the supervisor's decisions. Leaves: [`TaskSpec`], from which instances are opened, the first one and fresh ones
//! after a trap. Invariant: a spec grants nothing and logs nowhere unless its owner said so.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use lockgate_model::{Formats, Schemas, TaskId, TaskMetrics};

use crate::far_end::FarEnd;
use crate::grants::Grants;

/// Severity of a guest's line, ascending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub enum LogLevel {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
}

/// Where a guest's lines go. Called on the task's own thread of control: return at once, never block.
pub trait GuestLog: Send + Sync {
    /// Takes one line: no line breaks, control characters escaped, at most 8 KiB, within the volume limit.
    fn line(&self, level: LogLevel, text: &str);

    /// The lowest level that is written anywhere. Default: info.
    fn lowest(&self) -> LogLevel {
        LogLevel::Info
    }
}

/// Drops every line.
#[derive(Debug, Default, Clone, Copy)]
pub struct NoLog;

impl GuestLog for NoLog {
    fn line(&self, _: LogLevel, _: &str) {}
}

/// Bounds of one task's instance (L5). Every bound that is reached ends the call with a typed error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// All linear memories of the instance together, bytes. Default 256 MiB. More than the engine's pool allows is cut.
    pub memory_bytes: usize,
    /// CPU time of one call. Default 1 s. Counted in epoch ticks in which the guest was running.
    pub cpu: Duration,
    /// Wall-clock time of one call, waiting for the network included. Default 30 s.
    pub call: Duration,
    /// Wall-clock and CPU time of `close`. Default 5 s.
    pub close: Duration,
    /// Wall-clock and CPU time of `open`, instantiation included. Default 30 s (script languages start slowly).
    pub open: Duration,
    /// Bytes that the guest may hand over in one call of the host or in one answer. Default 64 MiB.
    pub hostcall_bytes: usize,
    /// Resource handles (streams, sockets, requests) at the same time. Default 1,000.
    pub handles_max: usize,
    /// Log volume, bytes a second. Default 64 KiB.
    pub log_bytes_per_second: u32,
    /// Log volume that may come at once, bytes. Default 1 MiB.
    pub log_burst_bytes: u32,
    /// Outbound connections at the same time. Default 64.
    pub connections_max: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 256 << 20,
            cpu: Duration::from_secs(1),
            call: Duration::from_secs(30),
            close: Duration::from_secs(5),
            open: Duration::from_secs(30),
            hostcall_bytes: 64 << 20,
            handles_max: 1_000,
            log_bytes_per_second: 64 << 10,
            log_burst_bytes: 1 << 20,
            connections_max: 64,
        }
    }
}

/// One task, ready to be opened any number of times.
#[derive(Clone)]
pub struct TaskSpec {
    /// Whose it is.
    pub id: TaskId,
    /// Class (or alias) of the plugin. Segments: the first step's.
    pub class: String,
    /// The task's configuration, secrets resolved. Segments: empty.
    pub config: Vec<(String, String)>,
    /// Negotiated encodings.
    pub formats: Formats,
    /// The task's table of schemas, shared by its batches.
    pub schemas: Schemas,
    /// What it may reach.
    pub grants: Grants,
    /// What it may use.
    pub limits: Limits,
    /// Where its lines go.
    pub log: Arc<dyn GuestLog>,
    /// The figures of the task: time in the guest, dropped log lines, and the guest's own.
    pub metrics: Arc<TaskMetrics>,
    /// Set once the task is to stop; the guest sees it.
    pub cancel: Arc<AtomicBool>,
    /// Called when the guest asks that `tasks` be called again. Must not block.
    pub reconfigure: Arc<dyn Fn() + Send + Sync>,
    /// Who answers HTTP requests that are granted, in tests of plugins; `None` = the outside.
    pub far_end: Option<Arc<dyn FarEnd>>,
}

impl TaskSpec {
    /// A task that is granted nothing, logs nowhere and exchanges opaque bytes; set the fields that matter.
    pub fn new(id: TaskId, class: impl Into<String>) -> Self {
        Self {
            id,
            class: class.into(),
            config: Vec::new(),
            formats: Formats::BYTES,
            schemas: Schemas::default(),
            grants: Grants::default(),
            limits: Limits::default(),
            log: Arc::new(NoLog),
            metrics: Arc::default(),
            cancel: Arc::default(),
            reconfigure: Arc::new(|| ()),
            far_end: None,
        }
    }
}

impl fmt::Debug for TaskSpec {
    /// Without the configuration: it may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskSpec").field("id", &self.id).field("class", &self.class).finish_non_exhaustive()
    }
}

/// The predicate of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepPredicate {
    /// Name in the connector's `predicates`.
    pub alias: String,
    /// Class (or alias) of the predicate, from the same package.
    pub class: String,
    /// Its settings, prefix cut off.
    pub config: Vec<(String, String)>,
    /// True: the step runs where the predicate is false.
    pub negate: bool,
}

/// One transform of a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Name in the connector's `transforms`.
    pub alias: String,
    /// Class (or alias) of the transform.
    pub class: String,
    /// Its settings, prefix cut off.
    pub config: Vec<(String, String)>,
    /// Runs only where this holds; `None` = always.
    pub predicate: Option<StepPredicate>,
}
