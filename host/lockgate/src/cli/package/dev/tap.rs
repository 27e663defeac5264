//! Records of topics, as they come.
//!
//! Enters: names of topics. Leaves: a line for each record that was written since the session began. Invariant: it reads in a
//! group of its own and commits nothing; what nobody can read any more is counted and not kept.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lockgate_kafka::{Consumer, ConsumerOptions, Topics};
use lockgate_model::ports::{BatchLimits, Fetch, Fetched};
use lockgate_model::{Batch, Schemas};
use tokio::task::JoinSet;

use crate::cli::failure::Failure;
use crate::cli::screen::Screen;
use crate::cli::table::clean;

/// Records that wait to be shown, at most; more are counted.
const LINES_MAX: usize = 1_000;
/// Records shown at once.
const SHOWN_MAX: usize = 20;
/// Characters of a key or value that are shown.
const TEXT_CHARS: usize = 200;
/// How often the wanted topics are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The tail of some topics.
pub(super) struct Tap {
    wanted: Arc<Mutex<Vec<String>>>,
    lines: Receiver<String>,
    dropped: u64,
}

impl Tap {
    /// Reads what [`Tap::follow`] names, in a task of this set.
    pub(super) fn start(brokers: &str, tasks: &mut JoinSet<()>) -> Self {
        let (send, lines) = sync_channel(LINES_MAX);
        let wanted = Arc::<Mutex<Vec<String>>>::default();
        tasks.spawn(follow(brokers.to_owned(), Arc::clone(&wanted), send));
        Self { wanted, lines, dropped: 0 }
    }

    /// These topics from now on.
    pub(super) fn follow(&self, topics: &[String]) {
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        if *wanted != topics {
            *wanted = topics.to_vec();
        }
    }

    /// Shows what came, a few of many.
    pub(super) fn show(&mut self, screen: &mut Screen) -> Result<(), Failure> {
        let mut shown = 0;
        for line in self.lines.try_iter() {
            if shown < SHOWN_MAX {
                screen.tell(&line)?;
                shown += 1;
            } else {
                self.dropped += 1;
            }
        }
        match std::mem::take(&mut self.dropped) {
            0 => Ok(()),
            more => screen.tell(&format!("  .. and {more} more records")),
        }
    }
}

async fn follow(brokers: String, wanted: Arc<Mutex<Vec<String>>>, lines: SyncSender<String>) {
    let begin = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    let begin = i64::try_from(begin).unwrap_or(i64::MAX);
    let (mut topics, mut consumer): (Vec<String>, Option<Consumer>) = (Vec::new(), None);
    let mut batch = Batch::new(Schemas::default());
    loop {
        let now = wanted.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if now != topics {
            topics = now;
            consumer = subscribe(&brokers, &topics);
        }
        let Some(reading) = consumer.as_mut() else {
            tokio::time::sleep(LOOK_EVERY).await;
            continue;
        };
        let Ok(next) = tokio::time::timeout(LOOK_EVERY, reading.next(&mut batch, BatchLimits::default())).await else {
            continue;
        };
        match next {
            Ok(Fetched::Records(_)) => {
                for row in batch.rows.iter().filter(|row| row.timestamp >= begin) {
                    let line = format!(
                        "{}-{}@{}  {}  {}",
                        clean(batch.topic(row)),
                        row.partition,
                        row.offset,
                        shown(batch.bytes(row.key)),
                        shown(batch.bytes(row.value))
                    );
                    if let Err(TrySendError::Disconnected(_)) = lines.try_send(line) {
                        return;
                    }
                }
                batch.clear();
            }
            Ok(Fetched::Assigned(places)) => drop(reading.start(&places)),
            Ok(Fetched::Revoked(places) | Fetched::Lost(places)) => drop(reading.release(&places)),
            Ok(Fetched::Trouble(fault)) => {
                let _ = lines.try_send(format!("records cannot be shown for now: {fault} (--kafka names the brokers)"));
            }
            Err(fault) => {
                let _ = lines.try_send(format!("records cannot be shown: {fault}"));
                consumer = None;
            }
        }
    }
}

fn subscribe(brokers: &str, topics: &[String]) -> Option<Consumer> {
    if topics.is_empty() {
        return None;
    }
    let name = format!("lockgate-package-dev-{}", std::process::id());
    let settings = [("bootstrap.servers", brokers), ("auto.offset.reset", "earliest")];
    let options = ConsumerOptions {
        settings: settings.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
        group_id: name.clone(),
        client_id: name,
        topics: Topics::List(topics.to_vec()),
        schemas: Schemas::default(),
    };
    Consumer::subscribe(options).ok()
}

fn shown(bytes: Option<&[u8]>) -> String {
    let Some(bytes) = bytes else { return "null".to_owned() };
    let text: String = String::from_utf8_lossy(bytes).chars().take(TEXT_CHARS).collect();
    let cut = if text.len() < bytes.len() { ".." } else { "" };
    format!("{}{cut}", clean(&text))
}
