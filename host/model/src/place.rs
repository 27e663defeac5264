//! Where a record is and where a task has got to.
//!
//! Enters and leaves: plain values. Invariant: an offset here is always a *next* offset (last + 1) unless its name says
//! otherwise.

use std::fmt;
use std::sync::Arc;

/// A partition of a topic.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicPartition {
    /// Topic name.
    pub topic: Arc<str>,
    /// Partition number.
    pub partition: u32,
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)
    }
}

/// A place in a partition.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PartitionOffset {
    /// The partition.
    pub place: TopicPartition,
    /// The next offset to read, -1 = none known.
    pub next_offset: i64,
}

/// How far a source has read one source partition. Both texts are JSON objects; the partition's bytes are its identity.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Position {
    /// Source partition.
    pub partition: Arc<str>,
    /// Source offset; `None` removes what was stored.
    pub offset: Option<Arc<str>>,
}

/// A task of a connector of a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskId {
    /// Tenant; `default` where there is only one.
    pub tenant: Arc<str>,
    /// Connector name.
    pub connector: Arc<str>,
    /// Task number, from 0.
    pub task: u32,
}

impl fmt::Display for TaskId {
    /// Kafka Connect's form: `connector-task`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.connector, self.task)
    }
}
