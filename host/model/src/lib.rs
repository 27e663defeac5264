//! The nouns of Lockgate, the ports between its rooms, and the ledger.
//!
//! Enters: nothing. Leaves: types. Invariant: pure; no I/O, no async runtime, no knowledge of Kafka clients, wasm engines
//! or HTTP. The wrong order of delivery and commit does not type-check here (L1, L3): see [`ledger`].

pub mod address;
pub mod batch;
pub mod fault;
pub mod guest_metrics;
pub mod ledger;
pub mod metrics;
pub mod package;
pub mod place;
pub mod ports;
pub mod pulse;
pub mod schemas;
pub mod windows;

pub use batch::{Batch, BatchError, Encoding, Formats, HeaderRow, Row, Span};
pub use fault::{Fault, FaultKind, GuestError, KafkaFault, PluginError, RowFault, Stage};
pub use guest_metrics::{GuestFigure, GuestMetrics, GuestMetricsSnapshot};
pub use metrics::TaskMetrics;
pub use place::{PartitionOffset, Position, TaskId, TopicPartition};
pub use schemas::Schemas;
