//! A compacted topic as a log: the worker's memory in the cluster.
//!
//! Enters: keys and values to be written, the topic's records. Leaves: records in order per partition, from the beginning
//! and then as they come. Invariant: a write resolves only after all in-sync replicas have it (L3); reading to the end
//! means past every record that was there when reading began. Kafka Connect's topics, readable by it and written like it.

pub mod configs;
pub mod offsets;
mod reader;
pub mod statuses;

use std::sync::Arc;
use std::time::Duration;

use lockgate_model::batch::{Batch, Row};
use lockgate_model::fault::KafkaFault;
use lockgate_model::ports::{Produce, TopicCreation};

use crate::admin::Admin;
use crate::producer::{ENDED, Producer};
use crate::settings::Settings;
pub use reader::LogReader;

/// Where a log is and how it is made.
#[derive(Clone)]
pub struct LogOptions {
    /// Client settings by their Java names: the un-prefixed worker properties.
    pub settings: Settings,
    /// The topic.
    pub topic: String,
    /// Partitions of a topic that is made now; -1 = the broker's default.
    pub partitions: i32,
    /// Replicas of a topic that is made now; -1 = the broker's default.
    pub replication_factor: i16,
    /// More settings for a topic that is made now. `cleanup.policy` is always `compact`.
    pub config: Vec<(String, String)>,
    /// True where order over the whole topic matters (configs): an existing topic with more partitions is refused.
    pub single_partition: bool,
    /// A producer to share; `None` = one of its own.
    pub producer: Option<Producer>,
    /// An admin client to share; `None` = one of its own.
    pub admin: Option<Admin>,
}

/// One record of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRecord {
    /// Partition.
    pub partition: u32,
    /// Offset in the partition.
    pub offset: i64,
    /// Key; records without one are not part of a compacted log and are skipped.
    pub key: Vec<u8>,
    /// Value, `None` = removed.
    pub value: Option<Vec<u8>>,
}

/// A log cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// The topic could lose what is written. Code `log.not-compacted`.
    #[error(
        "topic {topic} has cleanup.policy={policy}, which would lose state: set it to compact, or name another topic \
         [log.not-compacted]"
    )]
    NotCompacted {
        /// The topic.
        topic: String,
        /// What it has.
        policy: String,
    },
    /// More partitions than order allows. Code `log.partitions`.
    #[error(
        "topic {topic} has {found} partitions, but must have exactly 1: make it anew or name another [log.partitions]"
    )]
    Partitions {
        /// The topic.
        topic: String,
        /// What it has.
        found: u32,
    },
    /// The broker did not take a write in time; it may still be written. Code `log.deadline`.
    #[error("topic {topic} did not acknowledge within {deadline:?} [log.deadline]")]
    Deadline {
        /// The topic.
        topic: String,
        /// The deadline.
        deadline: Duration,
    },
    /// The client.
    #[error("topic {topic}: {source}")]
    Kafka {
        /// The topic.
        topic: String,
        /// Its fault.
        source: KafkaFault,
    },
}

impl LogError {
    /// True if waiting helps.
    pub const fn is_retriable(&self) -> bool {
        match self {
            Self::NotCompacted { .. } | Self::Partitions { .. } => false,
            Self::Deadline { .. } => true,
            Self::Kafka { source, .. } => source.retriable,
        }
    }

    /// Dotted, stable.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotCompacted { .. } => "log.not-compacted",
            Self::Partitions { .. } => "log.partitions",
            Self::Deadline { .. } => "log.deadline",
            Self::Kafka { .. } => "log.kafka",
        }
    }
}

/// The writing side of a log. Cheap to clone.
#[derive(Clone)]
pub struct CompactedLog {
    topic: Arc<str>,
    producer: Producer,
}

impl CompactedLog {
    /// A write is acknowledged within this, or has failed.
    pub const WRITE_DEADLINE: Duration = Duration::from_secs(30);

    /// Opens a log: makes the topic if it is missing, checks it if it is there. The reader stands at the beginning.
    ///
    /// # Errors
    /// A topic that could lose state, a broker that does not answer.
    pub async fn open(options: LogOptions) -> Result<(Self, LogReader), LogError> {
        let topic = options.topic.clone();
        let kafka = |source| LogError::Kafka { topic: topic.clone(), source };
        let admin = match &options.admin {
            Some(admin) => admin.clone(),
            None => Admin::new(&options.settings).map_err(kafka)?,
        };
        let partitions = prepare(&admin, &options).await?;
        let producer = match options.producer {
            Some(producer) => producer,
            None => Producer::new(&options.settings).map_err(kafka)?,
        };
        let reader = LogReader::open(admin, &options.settings, &options.topic, partitions).map_err(kafka)?;
        Ok((Self { topic: options.topic.into(), producer }, reader))
    }

    /// The topic.
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// Writes one record; `None` removes the key.
    pub async fn write(&self, key: &[u8], value: Option<&[u8]>) -> Result<(), LogError> {
        self.write_all(&[(key, value)]).await
    }

    /// Writes records in this order (per partition); resolves when all are acknowledged.
    pub async fn write_all(&self, records: &[(&[u8], Option<&[u8]>)]) -> Result<(), LogError> {
        let written = async {
            loop {
                let receipt = self.producer.produce(&self.batch(records)).await?;
                match receipt.await.failed.into_iter().next() {
                    None => return Ok(()),
                    // Written again as a whole: the last record of a key counts.
                    Some((_, fault)) if fault.code == ENDED => tokio::task::yield_now().await,
                    Some((_, fault)) => return Err(fault),
                }
            }
        };
        let topic = || self.topic.as_ref().to_owned();
        match tokio::time::timeout(Self::WRITE_DEADLINE, written).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(source)) => Err(LogError::Kafka { topic: topic(), source }),
            Err(_) => Err(LogError::Deadline { topic: topic(), deadline: Self::WRITE_DEADLINE }),
        }
    }

    fn batch(&self, records: &[(&[u8], Option<&[u8]>)]) -> Batch {
        let mut batch = Batch::default();
        let topic = batch.topic_index(&self.topic);
        for (index, (key, value)) in (0_u32..).zip(records) {
            let (key, value) = (batch.push_bytes(Some(key)), batch.push_bytes(*value));
            batch.rows.push(Row {
                offset: -1,
                timestamp: -1,
                partition: Row::ANY_PARTITION,
                topic,
                key,
                value,
                header_first: 0,
                header_count: 0,
                source_row: index,
                flags: 0,
                key_schema: 0,
                value_schema: 0,
            });
        }
        batch
    }
}

/// What a broker says that has not heard of a topic yet.
pub(crate) const UNKNOWN_TOPIC: &str = "unknown-topic-or-part";

/// Makes or checks the topic; returns its number of partitions.
async fn prepare(admin: &Admin, options: &LogOptions) -> Result<u32, LogError> {
    let topic = &options.topic;
    let kafka = |source| LogError::Kafka { topic: topic.clone(), source };
    let mut config: Vec<_> = options.config.iter().filter(|(key, _)| key != "cleanup.policy").cloned().collect();
    config.push(("cleanup.policy".into(), "compact".into()));
    let partitions = if options.single_partition { 1 } else { options.partitions };
    let creation = TopicCreation { create: true, partitions, replication_factor: options.replication_factor, config };
    admin.ensure_topic(topic, &creation).await.map_err(kafka)?;
    let deadline = tokio::time::Instant::now() + CompactedLog::WRITE_DEADLINE;
    // A topic just made is not known to every broker at once.
    let (found, config) = loop {
        match admin.describe(topic).await {
            Ok(Some(found)) if found.partitions > 0 => match admin.topic_config(topic).await {
                Err(fault) if fault.code == UNKNOWN_TOPIC => {}
                config => break (found, config),
            },
            Err(fault) if fault.code != UNKNOWN_TOPIC => return Err(kafka(fault)),
            _ => {}
        }
        if tokio::time::Instant::now() >= deadline {
            return Err(LogError::Deadline { topic: topic.clone(), deadline: CompactedLog::WRITE_DEADLINE });
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    match config {
        Ok(config) => {
            let policy = config.get("cleanup.policy").cloned().unwrap_or_default();
            if policy != "compact" {
                return Err(LogError::NotCompacted { topic: topic.clone(), policy });
            }
        }
        // As in Kafka Connect: a principal that may not describe settings is not stopped by that.
        Err(fault) if fault.code.ends_with("authorization-failed") => {
            tracing::warn!(topic, "cleanup.policy cannot be checked: {}", fault.message);
        }
        Err(fault) => return Err(kafka(fault)),
    }
    if options.single_partition && found.partitions != 1 {
        return Err(LogError::Partitions { topic: topic.clone(), found: found.partitions });
    }
    Ok(found.partitions)
}
