//! The ports: what the path of a record needs from Kafka and from guests, as traits. `kafka` and `wasm` implement them,
//! `pipeline` is generic over them, the simulation implements them in memory.
//!
//! Enters and leaves: [`Batch`], positions, typed errors. Invariant: nothing here names a client library or an engine.
//! Every future here may be dropped; where that loses something, the method says so.

use std::future::Future;
use std::sync::Arc;

use crate::batch::Batch;
use crate::fault::{GuestError, KafkaFault, RowFault};
use crate::ledger::Agreed;
use crate::place::{PartitionOffset, Position, TopicPartition};

/// Bounds of one batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchLimits {
    /// Rows at most. Default 500.
    pub records_max: u32,
    /// Bytes of the arena at most; a larger record travels alone. Default 256 KiB.
    pub bytes_max: u32,
}

impl Default for BatchLimits {
    fn default() -> Self {
        Self { records_max: 500, bytes_max: 256 * 1024 }
    }
}

/// What the consumer of a sink task has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// This many rows were appended to the batch; 0 = the next record at hand does not fit into what is left of it.
    Records(usize),
    /// New partitions, with the offset where fetching would begin (-1 = by `auto.offset.reset`). Nothing is fetched from
    /// them until [`Fetch::start`].
    Assigned(Vec<PartitionOffset>),
    /// These partitions are to be given up: drain, commit, then [`Fetch::release`]. The group waits for that.
    Revoked(Vec<TopicPartition>),
    /// These partitions are gone already: drop what is in flight, commit nothing of them, then [`Fetch::release`].
    Lost(Vec<TopicPartition>),
    /// The client reported trouble that it will get over by itself (broker away). Log it, go on.
    Trouble(KafkaFault),
}

/// The consumer of one sink task.
pub trait Fetch: Send {
    /// Waits for the next event. For [`Fetched::Records`] rows are appended to `into`, in offset order per partition, until
    /// a bound of `limits` (counted over the whole batch) is reached or nothing more is at hand. Control events are
    /// never mixed into a batch: they come alone. Cancel safe. An error is final for this consumer.
    fn next(
        &mut self,
        into: &mut Batch,
        limits: BatchLimits,
    ) -> impl Future<Output = Result<Fetched, KafkaFault>> + Send;

    /// Completes an assignment: begin at these offsets (-1 = where [`Fetched::Assigned`] said).
    fn start(&mut self, at: &[PartitionOffset]) -> Result<(), KafkaFault>;

    /// Completes a revocation or loss. Records of these partitions never come again from this assignment.
    fn release(&mut self, partitions: &[TopicPartition]) -> Result<(), KafkaFault>;

    /// Stops fetching from all assigned partitions (heartbeats go on). Idempotent.
    fn pause(&mut self) -> Result<(), KafkaFault>;

    /// Undoes [`Fetch::pause`]. Idempotent.
    fn resume(&mut self) -> Result<(), KafkaFault>;

    /// Goes back (or forward): the next records of these partitions are those from the given offsets; everything
    /// already at hand for them is dropped.
    fn seek(&mut self, to: &[PartitionOffset]) -> Result<(), KafkaFault>;

    /// Commits. Retried inside while the fault is retriable, up to the client's own deadline (10 s).
    fn commit(&mut self, agreed: &Agreed) -> impl Future<Output = Result<(), KafkaFault>> + Send;

    /// Records between what was last committed and the end of the partitions, where known.
    fn lag(&self) -> Option<i64>;

    /// Leaves the group. What was not committed is not.
    fn close(self) -> impl Future<Output = ()> + Send;
}

/// What became of a produced batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    /// Rows that Kafka did not take, with the reason. All others are acknowledged by all in-sync replicas.
    pub failed: Vec<(u32, KafkaFault)>,
}

/// A producer, shared between tasks: idempotent, acks=all.
pub trait Produce: Send + Sync + 'static {
    /// Queues all rows of the batch in order, waiting while the client's queue is full. The future that comes back
    /// resolves when every row is acknowledged or has failed for good; dropping it does not take the records back.
    fn produce(
        &self,
        batch: &Batch,
    ) -> impl Future<Output = Result<impl Future<Output = Receipt> + Send + 'static, KafkaFault>> + Send;

    /// Makes sure a topic exists before records for it are queued (`topic.creation.*`, dead-letter queue).
    fn ensure_topic(
        &self,
        topic: &str,
        creation: &TopicCreation,
    ) -> impl Future<Output = Result<(), KafkaFault>> + Send;
}

/// How a missing topic is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicCreation {
    /// False: only check; a missing topic is left to the broker (`auto.create.topics.enable`) or an error.
    pub create: bool,
    /// -1 = the broker's default.
    pub partitions: i32,
    /// -1 = the broker's default.
    pub replication_factor: i16,
    /// Topic settings.
    pub config: Vec<(String, String)>,
}

/// Where source positions and guests' state live.
pub trait OffsetStore: Send + Sync + 'static {
    /// All positions of a connector, read to the end of the store.
    fn load(&self, connector: &str) -> impl Future<Output = Result<Vec<Position>, StoreFault>> + Send;

    /// Writes positions; resolves when they are durable. All or an error; after an error some may be durable (the same
    /// positions are written again).
    fn store(&self, connector: &str, positions: &[Position]) -> impl Future<Output = Result<(), StoreFault>> + Send;
}

/// The offset store could not do it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} [{code}]")]
pub struct StoreFault {
    /// True if waiting helps.
    pub retriable: bool,
    /// Dotted, stable: `store.disk-full`, `store.kafka`, ...
    pub code: String,
    /// For people.
    pub message: String,
}

/// When a source wants to be polled again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// At once.
    Now,
    /// After this many milliseconds, at most 60,000.
    After(u32),
    /// Nothing ever again, as far as the guest knows: once a minute.
    Done,
}

/// What a poll gave.
#[derive(Clone, Debug)]
pub struct Polled {
    /// Positions, each valid once rows 0 to its `after_row` are delivered (`u32::MAX` = with no row).
    pub positions: Vec<(Position, u32)>,
    /// When to poll again.
    pub next: Next,
}

/// An open source instance. After any error other than a retriable fault it must not be called again.
pub trait SourcePort: Send {
    /// Polls; rows replace the content of `into`. Dropping the future costs the instance.
    fn poll(
        &mut self,
        into: &mut Batch,
        limits: BatchLimits,
    ) -> impl Future<Output = Result<Polled, GuestError>> + Send;
    /// Positions are durable.
    fn committed(&mut self, positions: &[Position]) -> impl Future<Output = Result<(), GuestError>> + Send;
    /// State entries that the guest wrote since the last call of this, as positions to be stored with its next ones.
    fn take_state(&mut self) -> Vec<Position>;
    /// Ends the instance, within its close deadline.
    fn close(self) -> impl Future<Output = Result<(), GuestError>> + Send;
}

/// An open sink instance. After any error other than a retriable fault it must not be called again.
pub trait SinkPort: Send {
    /// New partitions; the answer says where to begin instead, if anywhere.
    fn assigned(
        &mut self,
        partitions: &[PartitionOffset],
    ) -> impl Future<Output = Result<Vec<PartitionOffset>, GuestError>> + Send;
    /// Partitions are gone.
    fn revoked(&mut self, partitions: &[TopicPartition]) -> impl Future<Output = Result<(), GuestError>> + Send;
    /// Takes a batch; the answer names the bad rows. Dropping the future costs the instance.
    fn put(&mut self, batch: &Batch) -> impl Future<Output = Result<Vec<RowFault>, GuestError>> + Send;
    /// Asks what may be committed of `offsets`. The host checks the answer with [`crate::ledger::Committable::agree`].
    fn prepare_commit(
        &mut self,
        offsets: &[PartitionOffset],
    ) -> impl Future<Output = Result<Vec<PartitionOffset>, GuestError>> + Send;
    /// State entries, as for sources.
    fn take_state(&mut self) -> Vec<Position>;
    /// Ends the instance, within its close deadline.
    fn close(self) -> impl Future<Output = Result<(), GuestError>> + Send;
}

/// An open transform segment. After any error other than a retriable fault it must not be called again.
pub trait ApplyPort: Send {
    /// Takes the batch through the segment, in place: afterwards it holds the outcome, rows carry in `source_row` the
    /// index in the batch that was given, in ascending order. The answer names the rows that failed (they are not in the
    /// outcome). On an error the batch is unchanged.
    fn apply(&mut self, batch: &mut Batch) -> impl Future<Output = Result<Vec<RowFault>, GuestError>> + Send;
    /// Ends the instance, within its close deadline.
    fn close(self) -> impl Future<Output = Result<(), GuestError>> + Send;
}

/// Opens instances: the first one, and a fresh one after a trap.
pub trait OpenSource: Send + Sync {
    /// What it opens.
    type Port: SourcePort;
    /// Opens an instance at these positions.
    fn open(&self, positions: &[Position]) -> impl Future<Output = Result<Self::Port, GuestError>> + Send;
}

/// As [`OpenSource`], for sinks.
pub trait OpenSink: Send + Sync {
    /// What it opens.
    type Port: SinkPort;
    /// Opens an instance.
    fn open(&self, state: &[Position]) -> impl Future<Output = Result<Self::Port, GuestError>> + Send;
}

/// As [`OpenSource`], for one segment of a chain.
pub trait OpenApply: Send + Sync {
    /// What it opens.
    type Port: ApplyPort;
    /// Opens an instance.
    fn open(&self) -> impl Future<Output = Result<Self::Port, GuestError>> + Send;
    /// Alias and class of each step, for errors and dead letters.
    fn steps(&self) -> &[(Arc<str>, Arc<str>)];
}
