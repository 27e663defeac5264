//! Writes statuses to the status log, behind everybody's back.
//!
//! Enters: reports, as they come. Leaves: records in the log. Invariant: of each connector and task only the newest report
//! waits, so the queue is bounded by their number; nobody waits for a status; a log that is away costs retries here and
//! nothing elsewhere. A newer report never waits for an older one of its kind (L8); those of different connectors and tasks
//! go out together, so that a worker with a thousand of them can say goodbye for all.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::Notify;

use crate::event::{Report, Reported};
use crate::storage::Statuses;

/// Reports that are written at a time.
const TOGETHER_MAX: usize = 256;
/// Wait after a write that failed.
const RETRY: Duration = Duration::from_secs(1);

/// The desk where reports are left.
#[derive(Debug, Default)]
pub(crate) struct Clerk {
    pending: Mutex<Pending>,
    left: Notify,
    written: Notify,
}

#[derive(Debug, Default)]
struct Pending {
    reports: BTreeMap<(String, Option<u32>), Option<Reported>>,
    writing: bool,
}

impl Clerk {
    /// Leaves a report; an older one of the same connector or task that still waits is superseded.
    pub(crate) fn leave(&self, report: Report) {
        let Report { connector, task, state } = report;
        self.pending.lock().unwrap_or_else(PoisonError::into_inner).reports.insert((connector, task), state);
        self.left.notify_one();
    }

    /// Writes for ever; to be dropped when the worker ends.
    pub(crate) async fn run(&self, statuses: Statuses) {
        loop {
            let reports = self.take();
            if reports.is_empty() {
                self.written.notify_waiters();
                self.left.notified().await;
                continue;
            }
            let outcomes = join_all(reports.iter().map(|report| statuses.write(report))).await;
            let mut refused = None;
            for (report, outcome) in reports.into_iter().zip(outcomes) {
                if let Err(error) = outcome {
                    self.put_back(report);
                    refused = Some(error);
                }
            }
            if let Some(error) = refused {
                tracing::warn!(%error, "statuses have to wait");
                tokio::time::sleep(RETRY).await;
            }
        }
    }

    /// Waits until everything is written, at most this long.
    pub(crate) async fn flush(&self, within: Duration) {
        let empty = async {
            loop {
                let written = self.written.notified();
                if self.is_idle() {
                    return;
                }
                written.await;
            }
        };
        drop(tokio::time::timeout(within, empty).await); // late statuses are written over at the next start
    }

    fn is_idle(&self) -> bool {
        let pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        pending.reports.is_empty() && !pending.writing
    }

    fn take(&self) -> Vec<Report> {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let count = pending.reports.len().min(TOGETHER_MAX);
        let next = std::iter::from_fn(|| pending.reports.pop_first()).take(count);
        let reports: Vec<Report> = next.map(|((connector, task), state)| Report { task, connector, state }).collect();
        pending.writing = !reports.is_empty();
        reports
    }

    fn put_back(&self, report: Report) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        pending.reports.entry((report.connector, report.task)).or_insert(report.state); // unless a newer one came
    }
}
