//! What is counted for one task, under Kafka Connect's names where it has them.
//!
//! Enters: one update per batch from the data floor. Leaves: a snapshot for `GET /metrics`. Invariant: relaxed atomics,
//! never a lock (but for the guest's own figures), never a label from record content.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};

pub use crate::windows::{Held, Kind, Level, Meter, Shares, StateClock, Times, Window};

use crate::guest_metrics::GuestMetrics;
use crate::pulse::Pulse;

/// A running total. Starts at zero.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds.
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Relaxed);
    }
    /// The total.
    pub fn value(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// A value that goes up and down.
#[derive(Debug, Default)]
pub struct Gauge(AtomicI64);

impl Gauge {
    /// Sets.
    pub fn set(&self, n: i64) {
        self.0.store(n, Relaxed);
    }
    /// Adds (or takes away).
    pub fn add(&self, n: i64) {
        self.0.fetch_add(n, Relaxed);
    }
    /// The value.
    pub fn value(&self) -> i64 {
        self.0.load(Relaxed)
    }
}

/// One task's figures. Names in the exposition: reference of Kafka Connect's metrics, prefixed `kafka_connect_`.
#[derive(Debug, Default)]
#[allow(missing_docs)] // each field is the attribute of the same name
pub struct TaskMetrics {
    pub source_record_poll_total: Meter,
    pub source_record_write_total: Meter,
    pub source_record_active_count: Level,
    pub poll_batch_time: Times,
    pub sink_record_read_total: Meter,
    pub sink_record_send_total: Meter,
    pub sink_record_active_count: Level,
    pub put_batch_time: Times,
    pub partition_count: Gauge,
    /// Records between the committed position and the end of the assigned partitions.
    pub sink_record_lag: Gauge,
    pub bytes_in_total: Counter,
    pub bytes_out_total: Counter,
    pub batches_total: Counter,
    /// Records of each batch.
    pub batch_size: Window,
    pub offset_commit_time: Times,
    /// Commits that went well, and that did not.
    pub offset_commits: Shares,
    /// Number of the last commit that was begun.
    pub offset_commit_seq_no: Counter,
    pub offset_commit_completion_total: Meter,
    /// Commits that came too late: the group had given the partitions to somebody else.
    pub offset_commit_skip_total: Meter,
    pub offset_commit_failure_total: Counter,
    pub total_record_failures: Counter,
    pub total_record_errors: Counter,
    pub total_records_skipped: Counter,
    pub total_retries: Counter,
    pub total_errors_logged: Counter,
    pub deadletterqueue_produce_requests: Counter,
    pub deadletterqueue_produce_failures: Counter,
    /// Epoch milliseconds, 0 = never.
    pub last_error_timestamp: Gauge,
    /// Times a new instance was opened after a trap or limit.
    pub instance_restarts_total: Counter,
    /// Times the task was started again by itself (`restart.policy`).
    pub automatic_restarts_total: Counter,
    /// Time inside the guest, all calls.
    pub guest_time: Times,
    pub log_lines_dropped_total: Counter,
    /// Epoch milliseconds of the last step forward (a batch put, a poll answered, a commit), 0 = never.
    pub last_progress_timestamp: Gauge,
    /// The guests' own figures.
    pub guest: GuestMetrics,
    /// Shares of its life in which it was running and paused.
    pub states: StateClock,
    /// What it is waiting for.
    pub pulse: Pulse,
}
