//! Where the worker's memory lives: Kafka's compacted topics, or (standalone) this process and one file.
//!
//! Enters: the worker's configuration. Leaves: the state that the log holds, and the writing ends. Invariant (L3): a write
//! resolves once it is durable; in standalone mode connectors are as durable as the files they were given in.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use lockgate_config::{Distributed, InternalTopic, Mode, WorkerConfig};
use lockgate_kafka::{Admin, LogError, LogOptions, OffsetLog, Producer, Settings};
use lockgate_model::Position;
use lockgate_model::ports::{OffsetStore, StoreFault};

use crate::clients;
use crate::desired::{Change, Desired};
use crate::error::SupervisorError;
use crate::event::Report;
use crate::kafka_logs::{Configs, StatusTopic, vanished};
use crate::offset_file::{FileOffsetStore, OffsetFileError};
use crate::topics_used::TopicNote;

/// How often a broker that is away is said to be away, and asked again.
const BROKER_WAIT: Duration = Duration::from_secs(3);

/// What was opened.
pub(crate) struct Opened {
    pub desired: Desired,
    pub writer: Writer,
    pub statuses: Statuses,
    /// To be written first: statuses of what is not there any more are removed.
    pub vanished: Vec<Report>,
    pub offsets: Offsets,
    pub cluster_id: Option<String>,
    /// Topics that connectors have used.
    pub topics: BTreeMap<String, BTreeSet<String>>,
}

/// The worker's memory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The offset file of standalone mode.
    #[error(transparent)]
    OffsetFile(#[from] OffsetFileError),
    /// An internal topic.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A client setting that the client refuses, or a broker that refuses us for good.
    #[error("the Kafka client cannot be used: {0}")]
    Client(lockgate_model::KafkaFault),
}

/// Opens it. Waits for a broker as long as it takes; `say` hears what is waited for.
pub(crate) async fn open(
    worker: &WorkerConfig,
    worker_id: &str,
    say: &(dyn Fn(String) + Send + Sync),
) -> Result<Opened, StorageError> {
    let ways = clients::ways(worker).map_err(StorageError::Client)?;
    match &worker.mode {
        Mode::Standalone { offset_file } => {
            let path = offset_file.clone();
            let opened = tokio::task::spawn_blocking(move || FileOffsetStore::open(path)).await;
            let file = opened.unwrap_or_else(|e| std::panic::resume_unwind(e.into_panic()))?;
            Ok(Opened {
                desired: Desired::default(),
                writer: Writer::Memory,
                statuses: Statuses::Memory,
                vanished: Vec::new(),
                offsets: Offsets::File(file),
                cluster_id: None,
                topics: BTreeMap::new(),
            })
        }
        Mode::Distributed(distributed) => loop {
            match open_logs(worker, distributed, &ways, worker_id, say).await {
                Err(StorageError::Log(error)) if error.is_retriable() => {
                    tracing::warn!(%error, "an internal topic cannot be read yet");
                    say(format!("It waits for an internal topic: {error}"));
                    tokio::time::sleep(BROKER_WAIT).await;
                }
                other => return other,
            }
        },
    }
}

async fn open_logs(
    worker: &WorkerConfig,
    distributed: &Distributed,
    ways: &[Settings],
    worker_id: &str,
    say: &(dyn Fn(String) + Send + Sync),
) -> Result<Opened, StorageError> {
    let settings = clients::base(worker);
    let admin = Admin::new(&settings).map_err(StorageError::Client)?;
    await_broker(&admin, &worker.bootstrap_servers, say).await?;
    // Clients of connectors that log in otherwise: a refused login is told now, not when their first record waits.
    for way in ways.iter().skip(1) {
        let servers = way.get("bootstrap.servers").map_or("", String::as_str);
        await_broker(&Admin::new(way).map_err(StorageError::Client)?, servers, say).await?;
    }
    let cluster_id = admin.cluster_id().await.map_err(StorageError::Client)?;
    say("It reads its internal topics.".to_owned());
    let producer = Producer::new(&settings).map_err(StorageError::Client)?;
    let options = |topic: &InternalTopic, single| log_options(&settings, &producer, &admin, topic, single);
    let (configs, offsets, statuses) = tokio::try_join!(
        Configs::open(options(&distributed.config_topic, true)),
        OffsetLog::open(options(&distributed.offset_topic, false)),
        StatusTopic::open(options(&distributed.status_topic, false), worker_id),
    )?;
    let ((desired, configs), (known, statuses)) = (configs, statuses);
    let vanished = vanished(&known, &desired);
    let names = |topics: BTreeMap<String, _>| topics.into_keys().collect();
    let topics = known.topics.into_iter().map(|(connector, topics)| (connector, names(topics))).collect();
    Ok(Opened {
        desired,
        writer: Writer::Kafka(configs),
        statuses: Statuses::Kafka(statuses),
        vanished,
        offsets: Offsets::Kafka(offsets),
        cluster_id: Some(cluster_id),
        topics,
    })
}

async fn await_broker(admin: &Admin, servers: &str, say: &(dyn Fn(String) + Send + Sync)) -> Result<(), StorageError> {
    loop {
        match admin.wait_for_broker(BROKER_WAIT).await {
            Ok(()) => return Ok(()),
            Err(fault) if fault.retriable => {
                tracing::warn!("waiting for Kafka at {servers} (bootstrap.servers): {}", fault.message);
                say(format!("It waits for Kafka at {servers} (bootstrap.servers)."));
            }
            Err(fault) => return Err(StorageError::Client(fault)),
        }
    }
}

fn log_options(
    settings: &Settings,
    producer: &Producer,
    admin: &Admin,
    topic: &InternalTopic,
    single_partition: bool,
) -> LogOptions {
    LogOptions {
        settings: settings.clone(),
        topic: topic.name.clone(),
        partitions: if single_partition { 1 } else { topic.partitions },
        replication_factor: topic.replication_factor,
        config: topic.settings.iter().map(|(k, v)| (k.clone(), v.clone())).collect(),
        single_partition,
        producer: Some(producer.clone()),
        admin: Some(admin.clone()),
    }
}

/// The writing end of the config log.
pub(crate) enum Writer {
    Memory,
    Kafka(Configs),
}

impl Writer {
    /// Writes in order; resolves once all of it is durable.
    pub(crate) async fn write(&self, changes: &[Change]) -> Result<(), SupervisorError> {
        match self {
            Self::Memory => Ok(()),
            Self::Kafka(configs) => configs.write(changes).await.map_err(|error| unwritten(&error)),
        }
    }

    /// Writes a level for the loggers of all workers.
    pub(crate) async fn put_logger_level(&self, namespace: String, level: String) -> Result<(), SupervisorError> {
        match self {
            Self::Memory => Ok(()),
            Self::Kafka(configs) => {
                configs.write_logger_level(namespace, level).await.map_err(|error| unwritten(&error))
            }
        }
    }
}

fn unwritten(error: &LogError) -> SupervisorError {
    SupervisorError::internal(format!("Failed to write to the config topic: {error}"))
}

/// The writing end of the status log.
pub(crate) enum Statuses {
    Memory,
    Kafka(StatusTopic),
}

impl Statuses {
    pub(crate) async fn write(&self, report: &Report) -> Result<(), LogError> {
        match self {
            Self::Memory => Ok(()),
            Self::Kafka(topic) => topic.write(report).await,
        }
    }

    pub(crate) async fn write_topic(&self, note: &TopicNote) -> Result<(), LogError> {
        match self {
            Self::Memory => Ok(()),
            Self::Kafka(topic) => topic.write_topic(note).await,
        }
    }
}

/// Source positions.
pub(crate) enum Offsets {
    File(FileOffsetStore),
    Kafka(OffsetLog),
}

impl OffsetStore for Offsets {
    async fn load(&self, connector: &str) -> Result<Vec<Position>, StoreFault> {
        match self {
            Self::File(file) => file.load(connector).await,
            Self::Kafka(log) => log.load(connector).await,
        }
    }

    async fn store(&self, connector: &str, positions: &[Position]) -> Result<(), StoreFault> {
        match self {
            Self::File(file) => file.store(connector, positions).await,
            Self::Kafka(log) => log.store(connector, positions).await,
        }
    }
}
