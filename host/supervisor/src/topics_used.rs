//! Which topics each connector uses: `GET /connectors/C/topics`.
//!
//! Enters: batches on their way from and to Kafka, seen through [`Watched`]. Leaves: the set of topics of each connector,
//! and records for the status topic. Invariant: what is watched is passed on as it is; a batch whose topics are all
//! known costs one comparison a topic. Rules: KIP-558.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use lockgate_config::TopicTracking;
use lockgate_kafka::{Consumer, Producer};
use lockgate_model::batch::Batch;
use lockgate_model::ledger::Agreed;
use lockgate_model::place::{PartitionOffset, TopicPartition};
use lockgate_model::ports::{BatchLimits, Fetch, Fetched, Produce, Receipt, TopicCreation};
use lockgate_model::{KafkaFault, TaskId};

use crate::error::{ErrorKind, SupervisorError};
use crate::status_clerk::Clerk;

/// One record for the status topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TopicNote {
    pub connector: String,
    pub topic: String,
    /// The task that used it first, and when (epoch ms); `None` = forgotten.
    pub first: Option<(u32, i64)>,
}

/// All connectors' topics.
#[derive(Debug)]
pub(crate) struct TopicsUsed {
    tracking: TopicTracking,
    used: Mutex<BTreeMap<String, BTreeSet<String>>>,
    /// Moves with every reset, so that watchers tell again what they saw.
    resets: AtomicU64,
    clerk: Arc<Clerk>,
}

impl TopicsUsed {
    pub(crate) fn new(tracking: TopicTracking, clerk: Arc<Clerk>) -> Self {
        Self { tracking, used: Mutex::default(), resets: AtomicU64::new(0), clerk }
    }

    /// What the status topic knew at the start.
    pub(crate) fn remember(&self, topics: BTreeMap<String, BTreeSet<String>>) {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = topics;
    }

    /// The topics of a connector by name. Error: tracking is off.
    pub(crate) fn of(&self, connector: &str) -> Result<Vec<String>, SupervisorError> {
        if !self.tracking.enable {
            return Err(forbidden("Topic tracking is disabled."));
        }
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(used.get(connector).into_iter().flatten().cloned().collect())
    }

    /// `PUT /connectors/C/topics/reset`.
    pub(crate) fn reset(&self, connector: &str) -> Result<(), SupervisorError> {
        if !self.tracking.enable {
            return Err(forbidden("Topic tracking is disabled."));
        }
        if !self.tracking.allow_reset {
            return Err(forbidden("Topic tracking reset is disabled."));
        }
        self.forget(connector);
        Ok(())
    }

    /// Forgets a connector's topics, here and in the status topic.
    pub(crate) fn forget(&self, connector: &str) {
        let gone = self.used.lock().unwrap_or_else(PoisonError::into_inner).remove(connector);
        self.resets.fetch_add(1, Ordering::Relaxed);
        for topic in gone.into_iter().flatten() {
            self.clerk.leave_topic(TopicNote { connector: connector.to_owned(), topic, first: None });
        }
    }

    /// Watches one end of a task.
    pub(crate) fn watch<T>(self: &Arc<Self>, id: &TaskId, end: T) -> Watched<T> {
        Watched { end, id: id.clone(), seen: Mutex::default(), topics: Arc::clone(self) }
    }

    fn note(&self, id: &TaskId, topic: &str) {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let topics = used.entry(id.connector.to_string()).or_default();
        if topics.insert(topic.to_owned()) {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
            let first = Some((id.task, i64::try_from(now).unwrap_or(i64::MAX)));
            let (connector, topic) = (id.connector.to_string(), topic.to_owned());
            self.clerk.leave_topic(TopicNote { connector, topic, first });
        }
    }
}

fn forbidden(text: &str) -> SupervisorError {
    SupervisorError::new(ErrorKind::Forbidden, "topics.tracking", text)
}

/// What one task has told already; of the number of resets that stands beside it.
#[derive(Debug, Default)]
struct Seen {
    resets: u64,
    topics: BTreeSet<Arc<str>>,
}

/// A consumer or producer that is watched.
#[derive(Debug)]
pub(crate) struct Watched<T> {
    end: T,
    id: TaskId,
    seen: Mutex<Seen>,
    topics: Arc<TopicsUsed>,
}

impl<T> Watched<T> {
    fn look(&self, batch: &Batch) {
        if !self.topics.tracking.enable {
            return;
        }
        let resets = self.topics.resets.load(Ordering::Relaxed);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.resets != resets {
            *seen = Seen { resets, topics: BTreeSet::new() };
        }
        if batch.topics.iter().all(|topic| seen.topics.contains(topic)) {
            return;
        }
        // A transform may leave names in the dictionary that no row has any more.
        let in_rows: BTreeSet<u32> = batch.rows.iter().map(|row| row.topic).collect();
        for topic in in_rows.into_iter().filter_map(|index| batch.topics.get(index as usize)) {
            if seen.topics.insert(Arc::clone(topic)) {
                self.topics.note(&self.id, topic);
            }
        }
    }
}

impl Fetch for Watched<Consumer> {
    async fn next(&mut self, into: &mut Batch, limits: BatchLimits) -> Result<Fetched, KafkaFault> {
        let fetched = self.end.next(into, limits).await?;
        if matches!(fetched, Fetched::Records(_)) {
            self.look(into);
        }
        Ok(fetched)
    }

    fn start(&mut self, at: &[PartitionOffset]) -> Result<(), KafkaFault> {
        self.end.start(at)
    }

    fn release(&mut self, partitions: &[TopicPartition]) -> Result<(), KafkaFault> {
        self.end.release(partitions)
    }

    fn pause(&mut self) -> Result<(), KafkaFault> {
        self.end.pause()
    }

    fn resume(&mut self) -> Result<(), KafkaFault> {
        self.end.resume()
    }

    fn seek(&mut self, to: &[PartitionOffset]) -> Result<(), KafkaFault> {
        self.end.seek(to)
    }

    async fn commit(&mut self, agreed: &Agreed) -> Result<(), KafkaFault> {
        self.end.commit(agreed).await
    }

    fn lag(&self) -> Option<i64> {
        self.end.lag()
    }

    async fn close(self) {
        self.end.close().await;
    }
}

impl Produce for Watched<Producer> {
    async fn produce(&self, batch: &Batch) -> Result<impl Future<Output = Receipt> + Send + 'static, KafkaFault> {
        self.look(batch);
        self.end.produce(batch).await
    }

    async fn ensure_topic(&self, topic: &str, creation: &TopicCreation) -> Result<(), KafkaFault> {
        self.end.ensure_topic(topic, creation).await
    }
}
