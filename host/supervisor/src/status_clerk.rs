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
use lockgate_kafka::LogError;
use tokio::sync::Notify;

use crate::event::{Report, Reported};
use crate::storage::Statuses;
use crate::topics_used::TopicNote;

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
    /// By connector and topic.
    topics: BTreeMap<(String, String), Option<(u32, i64)>>,
    writing: bool,
}

/// One record to be written.
#[derive(Debug)]
enum Entry {
    Status(Report),
    Topic(TopicNote),
}

impl Entry {
    async fn write(&self, statuses: &Statuses) -> Result<(), LogError> {
        match self {
            Self::Status(report) => statuses.write(report).await,
            Self::Topic(note) => statuses.write_topic(note).await,
        }
    }
}

impl Clerk {
    /// Leaves a report; an older one of the same connector or task that still waits is superseded.
    pub(crate) fn leave(&self, report: Report) {
        let Report { connector, task, state } = report;
        self.pending.lock().unwrap_or_else(PoisonError::into_inner).reports.insert((connector, task), state);
        self.left.notify_one();
    }

    /// Leaves a note about a topic; an older one of the same topic that still waits is superseded.
    pub(crate) fn leave_topic(&self, note: TopicNote) {
        let TopicNote { connector, topic, first } = note;
        self.pending.lock().unwrap_or_else(PoisonError::into_inner).topics.insert((connector, topic), first);
        self.left.notify_one();
    }

    /// Writes for ever; to be dropped when the worker ends.
    pub(crate) async fn run(&self, statuses: Statuses) {
        loop {
            let entries = self.take();
            if entries.is_empty() {
                self.written.notify_waiters();
                self.left.notified().await;
                continue;
            }
            let outcomes = join_all(entries.iter().map(|entry| entry.write(&statuses))).await;
            let mut refused = None;
            for (entry, outcome) in entries.into_iter().zip(outcomes) {
                if let Err(error) = outcome {
                    self.put_back(entry);
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
        pending.reports.is_empty() && pending.topics.is_empty() && !pending.writing
    }

    fn take(&self) -> Vec<Entry> {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let mut entries = Vec::new();
        while entries.len() < TOGETHER_MAX {
            let report = pending.reports.pop_first();
            let report = report.map(|((connector, task), state)| Entry::Status(Report { task, connector, state }));
            let entry = report.or_else(|| {
                let ((connector, topic), first) = pending.topics.pop_first()?;
                Some(Entry::Topic(TopicNote { connector, topic, first }))
            });
            let Some(entry) = entry else { break };
            entries.push(entry);
        }
        pending.writing = !entries.is_empty();
        entries
    }

    fn put_back(&self, entry: Entry) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        // Unless a newer one came.
        match entry {
            Entry::Status(report) => {
                pending.reports.entry((report.connector, report.task)).or_insert(report.state);
            }
            Entry::Topic(note) => {
                pending.topics.entry((note.connector, note.topic)).or_insert(note.first);
            }
        }
    }
}
