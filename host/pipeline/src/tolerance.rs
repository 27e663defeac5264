//! Kafka Connect's `errors.*` settings, typed, and what they say about a row that failed.
//!
//! Enters: row faults with stage and class. Leaves: retry after a delay, or skip, dead letter, failure. Invariant: this is
//! the only place that decides; log lines hold coordinates, never payloads.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use lockgate_model::fault::{RowFault, Stage};
use lockgate_model::metrics::TaskMetrics;
use lockgate_model::place::TaskId;

use crate::clock::epoch_ms;
use crate::failure::TaskFailure;

/// `errors.tolerance`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tolerance {
    /// A record that fails ends the task. The default.
    #[default]
    None,
    /// A record that fails is skipped (sinks with a dead-letter queue: dead-lettered).
    All,
}

/// `errors.*` of one connector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorPolicy {
    /// `errors.retry.timeout`, how long a retriable row fault is retried. Default zero (not at all); `None` = for ever.
    pub retry_timeout: Option<Duration>,
    /// `errors.retry.delay.max.ms`, cap of the back-off. Default 60 s.
    pub retry_delay_max: Duration,
    /// `errors.tolerance`.
    pub tolerance: Tolerance,
    /// `errors.log.enable`. Default false.
    pub log_enable: bool,
    /// `errors.log.include.messages`: coordinates of the record in the log line. Default false.
    pub log_include_messages: bool,
}

impl Default for ErrorPolicy {
    fn default() -> Self {
        Self {
            retry_timeout: Some(Duration::ZERO),
            retry_delay_max: Duration::from_mins(1),
            tolerance: Tolerance::None,
            log_enable: false,
            log_include_messages: false,
        }
    }
}

impl ErrorPolicy {
    /// True if retriable row faults are retried at all.
    pub(crate) const fn retries(&self) -> bool {
        match self.retry_timeout {
            None => true,
            Some(timeout) => !timeout.is_zero(),
        }
    }
}

/// A row that failed for good (or whose retries are used up).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failed {
    /// Index of the row in the batch as it was consumed or polled.
    pub origin: u32,
    pub stage: Stage,
    /// Class of the converter, transform or task.
    pub class: Arc<str>,
    pub code: String,
    pub message: String,
}

impl Failed {
    pub(crate) fn new(origin: u32, stage: Stage, class: Arc<str>, fault: RowFault) -> Self {
        Self { origin, stage, class, code: fault.code, message: fault.message }
    }

    pub(crate) fn failure(&self) -> TaskFailure {
        TaskFailure::Tolerance {
            stage: self.stage,
            class: self.class.to_string(),
            code: self.code.clone(),
            message: self.message.clone(),
        }
    }
}

/// Where a record is, for a log line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Coordinates<'a> {
    pub topic: &'a str,
    pub partition: u32,
    pub offset: i64,
    pub timestamp: i64,
    pub log_append_time: bool,
}

/// Counts a failed operation, and writes Kafka Connect's log line where it is asked for. `consumed`: sinks only.
pub(crate) fn note(
    policy: &ErrorPolicy,
    id: &TaskId,
    metrics: &TaskMetrics,
    failed: &Failed,
    consumed: Option<Coordinates<'_>>,
) {
    metrics.total_record_failures.add(1);
    metrics.total_record_errors.add(1);
    metrics.last_error_timestamp.set(epoch_ms());
    if !policy.log_enable {
        return;
    }
    metrics.total_errors_logged.add(1);
    let line = log_line(policy, id, failed, consumed);
    tracing::error!(
        tenant = %id.tenant, connector = %id.connector, task = id.task, code = %failed.code, error = %failed.message,
        "{line}"
    );
}

fn log_line(policy: &ErrorPolicy, id: &TaskId, failed: &Failed, consumed: Option<Coordinates<'_>>) -> String {
    let (stage, class) = (failed.stage.name(), &failed.class);
    let mut line = format!("Error encountered in task {id}. Executing stage '{stage}' with class '{class}'");
    if let (true, Some(at)) = (policy.log_include_messages, consumed) {
        let kind = if at.log_append_time { "LogAppendTime" } else { "CreateTime" };
        let _ = write!(
            line,
            ", where consumed record is {{topic='{}', partition={}, offset={}, timestamp={}, timestampType={kind}}}",
            at.topic, at.partition, at.offset, at.timestamp,
        );
    }
    line.push('.');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_line_has_connects_words_and_only_coordinates() {
        let id = TaskId { tenant: "default".into(), connector: "orders".into(), task: 2 };
        let fault = RowFault { row: 0, step: 0, retriable: false, code: "json.syntax".into(), message: "m".into() };
        let failed = Failed::new(0, Stage::ValueConverter, "K".into(), fault);
        let at = Coordinates { topic: "t", partition: 1, offset: 7, timestamp: 9, log_append_time: false };
        let policy = ErrorPolicy { log_include_messages: true, ..ErrorPolicy::default() };
        assert_eq!(
            log_line(&policy, &id, &failed, Some(at)),
            "Error encountered in task orders-2. Executing stage 'VALUE_CONVERTER' with class 'K', where consumed record \
             is {topic='t', partition=1, offset=7, timestamp=9, timestampType=CreateTime}."
        );
        assert_eq!(
            log_line(&ErrorPolicy::default(), &id, &failed, Some(at)),
            "Error encountered in task orders-2. Executing stage 'VALUE_CONVERTER' with class 'K'."
        );
    }
}
