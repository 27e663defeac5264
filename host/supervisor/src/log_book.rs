//! The last lines that each connector's guests logged.
//!
//! Enters: lines from guests (already escaped and rate-limited by the sandbox). Leaves: the tail, for
//! `GET /connectors/C/logs`, and the same lines to `tracing` with tenant, connector and task. Invariant: at most
//! [`LINES_MAX`] lines and [`BYTES_MAX`] bytes a connector; the oldest go first.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use lockgate_model::TaskId;
use tracing::Level;

use crate::view::LogLine;

/// Lines kept for one connector.
pub const LINES_MAX: usize = 1_000;
/// Bytes of messages kept for one connector.
pub const BYTES_MAX: usize = 256 * 1024;

/// One connector's ring.
#[derive(Debug, Default)]
struct Ring {
    lines: VecDeque<LogLine>,
    bytes: usize,
}

impl Ring {
    fn push(&mut self, line: LogLine) {
        self.bytes += line.message.len();
        self.lines.push_back(line);
        while self.lines.len() > LINES_MAX || self.bytes > BYTES_MAX {
            let Some(oldest) = self.lines.pop_front() else { break };
            self.bytes -= oldest.message.len();
        }
    }
}

/// All connectors' rings. Rings of deleted connectors go with [`LogBook::forget`].
#[derive(Debug, Default)]
pub(crate) struct LogBook {
    rings: Mutex<HashMap<String, Arc<Mutex<Ring>>>>,
}

impl LogBook {
    /// The pen of one task.
    pub(crate) fn pen(&self, id: &TaskId) -> Pen {
        Pen { id: id.clone(), ring: self.ring(&id.connector) }
    }

    /// The last `tail` lines, oldest first.
    pub(crate) fn tail(&self, connector: &str, tail: usize) -> Vec<LogLine> {
        let ring = self.ring(connector);
        let ring = ring.lock().unwrap_or_else(PoisonError::into_inner);
        let skip = ring.lines.len().saturating_sub(tail);
        ring.lines.iter().skip(skip).cloned().collect()
    }

    /// Drops what a deleted connector logged.
    pub(crate) fn forget(&self, connector: &str) {
        self.rings.lock().unwrap_or_else(PoisonError::into_inner).remove(connector);
    }

    fn ring(&self, connector: &str) -> Arc<Mutex<Ring>> {
        let mut rings = self.rings.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(rings.entry(connector.to_owned()).or_default())
    }
}

/// Where one task's lines go.
#[derive(Debug)]
pub(crate) struct Pen {
    id: TaskId,
    ring: Arc<Mutex<Ring>>,
}

impl Pen {
    /// Writes one line.
    pub(crate) fn write(&self, level: Level, message: &str) {
        self.trace(level, message);
        let timestamp_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis());
        let line = LogLine {
            timestamp_ms: i64::try_from(timestamp_ms).unwrap_or(i64::MAX),
            task: Some(self.id.task),
            level: level_name(level),
            message: message.to_owned(),
        };
        self.ring.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    fn trace(&self, level: Level, message: &str) {
        let TaskId { tenant, connector, task } = &self.id;
        macro_rules! line {
            ($level:expr) => {
                tracing::event!(target: "lockgate::guest", $level, %tenant, %connector, task, "{message}")
            };
        }
        match level {
            Level::ERROR => line!(Level::ERROR),
            Level::WARN => line!(Level::WARN),
            Level::INFO => line!(Level::INFO),
            Level::DEBUG => line!(Level::DEBUG),
            Level::TRACE => line!(Level::TRACE),
        }
    }
}

const fn level_name(level: Level) -> &'static str {
    match level {
        Level::ERROR => "ERROR",
        Level::WARN => "WARN",
        Level::INFO => "INFO",
        Level::DEBUG => "DEBUG",
        Level::TRACE => "TRACE",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book_with(lines: usize, bytes_each: usize) -> LogBook {
        let book = LogBook::default();
        let pen = book.pen(&TaskId { tenant: "t".into(), connector: "c".into(), task: 0 });
        for n in 0..lines {
            pen.write(Level::INFO, &format!("{n:0>bytes_each$}"));
        }
        book
    }

    #[test]
    fn the_tail_is_the_newest_lines_oldest_first() {
        let tail = book_with(5, 1).tail("c", 2);
        assert_eq!(tail.iter().map(|l| l.message.as_str()).collect::<Vec<_>>(), ["3", "4"]);
    }

    #[test]
    fn a_flood_keeps_no_more_than_the_bounds() {
        assert_eq!(book_with(LINES_MAX + 10, 1).tail("c", usize::MAX).len(), LINES_MAX);
        let kept = book_with(100, BYTES_MAX / 10).tail("c", usize::MAX);
        assert_eq!(kept.len(), 10);
    }

    #[test]
    fn another_connectors_lines_are_never_shown() {
        assert!(book_with(3, 1).tail("d", 10).is_empty());
    }
}
