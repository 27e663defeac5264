//! Writes statuses to the status log, behind everybody's back.
//!
//! Enters: reports, as they come. Leaves: records in the log. Invariant: of each connector and task only the newest report
//! waits, so the queue is bounded by their number; nobody waits for a status; a log that is away costs retries here and
//! nothing elsewhere. A newer report never waits for an older one (L8).

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::event::{Report, Reported};
use crate::storage::Statuses;

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
            let Some(report) = self.take() else {
                self.written.notify_waiters();
                self.left.notified().await;
                continue;
            };
            if let Err(error) = statuses.write(&report).await {
                tracing::warn!(connector = %report.connector, %error, "a status has to wait");
                self.put_back(report);
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

    fn take(&self) -> Option<Report> {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let first = pending.reports.pop_first();
        pending.writing = first.is_some();
        first.map(|((connector, task), state)| Report { task, connector, state })
    }

    fn put_back(&self, report: Report) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        pending.reports.entry((report.connector, report.task)).or_insert(report.state); // unless a newer one came
    }
}
