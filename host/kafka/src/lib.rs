//! The only crate with a Kafka client: fetching, producing, topics, and the compacted logs that the worker lives on.
//!
//! Enters: client settings by their Java names, batches, records of the internal topics. Leaves: batches, receipts,
//! [`KafkaFault`](lockgate_model::fault::KafkaFault)s sorted by what to do. Invariant: nothing is committed, acknowledged
//! or reported as durable before the broker said so (L1, L3); no type of the client library leaves this crate.
//!
//! Built on librdkafka by FFI, because its batch call costs half of what polling message by message costs.

#![allow(unsafe_code, reason = "librdkafka by FFI; every block says why it is sound")]

mod admin;
mod consumer;
mod fault;
mod log;
mod native;
pub mod overrides;
mod producer;
pub mod settings;

pub use admin::{Admin, Ensured, GroupFault, TopicDescription};
pub use consumer::{Consumer, ConsumerOptions, Topics};
pub use log::configs::{
    ConfigEvent, ConfigLog, ConfigState, ConfigWriter, ConnectorEntry, LoggerLevel, RestartRequest, SessionKey,
    TargetState, TaskConfigs,
};
pub use log::offsets::OffsetLog;
pub use log::statuses::{Status, StatusKey, StatusLog, StatusState, StatusWriter, TopicStatus};
pub use log::{CompactedLog, LogError, LogOptions, LogReader, LogRecord};
pub use producer::Producer;
pub use producer::partitioner;
pub use settings::{ClientKind, Ignored, Settings, check as check_settings, librdkafka_settings};
