//! Kafka -> outside.
//!
//! Enters: batches, and offsets about to be committed. Leaves: bad rows, and offsets agreed to. Invariant: what `put`
//! took without naming it bad is either delivered or will be when `prepare_commit` agrees to its offset.

use crate::batch::{Batch, Place, partition_offsets, places};
use crate::bindings::base::lockgate::connect::{batches, faults, tasks};
use crate::bindings::sink::exports::lockgate::connect::sink as raw;
use crate::config::Settings;
use crate::fault::{Fault, RowFault};
use crate::plugin::{ConfigValue, Connector, Description, Task, TaskSettings};
use crate::schemas::Schemas;

/// Rows of a batch that cannot be delivered. All others are taken.
#[derive(Debug, Default)]
pub struct Report {
    bad: Vec<RowFault>,
}

impl Report {
    /// Everything is taken.
    pub fn all_taken() -> Self {
        Self::default()
    }

    /// Names a bad row.
    pub fn bad(&mut self, row: usize, code: &str, message: impl Into<String>) {
        self.push(RowFault::new(row, code, message));
    }

    /// Names a bad row.
    pub fn push(&mut self, fault: RowFault) {
        self.bad.push(fault);
    }

    /// The bad rows so far.
    pub fn rows(&self) -> &[RowFault] {
        &self.bad
    }
}

/// A sink. One value is one task.
pub trait Sink: Sized + 'static {
    /// What it says of itself.
    fn describe() -> Description;

    /// Checks settings across keys; types, constraints and missing values were checked before.
    fn validate(_config: &Settings) -> Vec<ConfigValue> {
        Vec::new()
    }

    /// Splits the work into at most `max` tasks. Without an implementation: `max` tasks with the connector's settings,
    /// which share the topics' partitions.
    fn tasks(connector: &Connector, max: u32) -> Result<TaskSettings, Fault> {
        Ok(vec![connector.config.pairs().to_vec(); max.max(1) as usize])
    }

    /// Prepares writing.
    fn open(task: Task) -> Result<Self, Fault>;

    /// These partitions are now this task's. A sink that keeps offsets in its target answers with those where it wants
    /// to begin elsewhere.
    fn assigned(&mut self, _partitions: &[Place]) -> Result<Vec<Place>, Fault> {
        Ok(Vec::new())
    }

    /// These partitions are no longer this task's.
    fn revoked(&mut self, _partitions: &[Place]) -> Result<(), Fault> {
        Ok(())
    }

    /// Takes a batch.
    fn put(&mut self, batch: &Batch) -> Result<Report, Fault>;

    /// The host is about to commit these next offsets. Make what was taken durable and answer with what is: the same or
    /// less. Without an implementation: all of it, right for sinks whose `put` delivers.
    fn prepare_commit(&mut self, offsets: Vec<Place>) -> Result<Vec<Place>, Fault> {
        Ok(offsets)
    }

    /// The task ends. 5 s are left.
    fn close(&mut self) -> Result<(), Fault> {
        Ok(())
    }
}

trait AnySink {
    fn assigned(&mut self, partitions: &[Place]) -> Result<Vec<Place>, Fault>;
    fn revoked(&mut self, partitions: &[Place]) -> Result<(), Fault>;
    fn put(&mut self, batch: &Batch) -> Result<Report, Fault>;
    fn prepare_commit(&mut self, offsets: Vec<Place>) -> Result<Vec<Place>, Fault>;
    fn close(&mut self) -> Result<(), Fault>;
}

impl<T: Sink> AnySink for T {
    fn assigned(&mut self, partitions: &[Place]) -> Result<Vec<Place>, Fault> {
        Sink::assigned(self, partitions)
    }
    fn revoked(&mut self, partitions: &[Place]) -> Result<(), Fault> {
        Sink::revoked(self, partitions)
    }
    fn put(&mut self, batch: &Batch) -> Result<Report, Fault> {
        Sink::put(self, batch)
    }
    fn prepare_commit(&mut self, offsets: Vec<Place>) -> Result<Vec<Place>, Fault> {
        Sink::prepare_commit(self, offsets)
    }
    fn close(&mut self) -> Result<(), Fault> {
        Sink::close(self)
    }
}

/// One sink of a package; made by `package!`.
#[derive(Clone, Copy)]
pub struct SinkEntry {
    pub(crate) describe: fn() -> Description,
    pub(crate) validate: fn(&Settings) -> Vec<ConfigValue>,
    pub(crate) tasks: fn(&Connector, u32) -> Result<TaskSettings, Fault>,
    open: fn(Task) -> Result<Box<dyn AnySink>, Fault>,
}

impl SinkEntry {
    /// The entry of a type.
    pub const fn of<T: Sink>() -> Self {
        Self { describe: T::describe, validate: T::validate, tasks: T::tasks, open: |t| Ok(Box::new(T::open(t)?)) }
    }
}

/// The sink of this instance.
#[derive(Default)]
pub(crate) struct Running {
    sink: Option<Box<dyn AnySink>>,
    schemas: Schemas,
}

impl Running {
    pub(crate) fn open(&mut self, entry: SinkEntry, task: tasks::TaskContext) -> Result<(), faults::Fault> {
        let task = Task::of(task, (entry.describe)().config);
        self.sink = Some((entry.open)(task).map_err(Fault::raw)?);
        Ok(())
    }

    fn sink(&mut self) -> Result<&mut Box<dyn AnySink>, faults::Fault> {
        self.sink.as_mut().ok_or_else(|| Fault::fatal("guest.closed", "the sink is not open").raw())
    }

    pub(crate) fn assigned(
        &mut self,
        at: &batches::PartitionOffsets,
    ) -> Result<batches::PartitionOffsets, faults::Fault> {
        let wanted = self.sink()?.assigned(&places(at)).map_err(Fault::raw)?;
        Ok(partition_offsets(&wanted))
    }

    pub(crate) fn revoked(&mut self, at: &batches::PartitionOffsets) -> Result<(), faults::Fault> {
        self.sink()?.revoked(&places(at)).map_err(Fault::raw)
    }

    pub(crate) fn put(&mut self, records: batches::Batch) -> Result<raw::Report, faults::Fault> {
        let batch = Batch::new(records, &self.schemas);
        let report = self.sink()?.put(&batch).map_err(Fault::raw)?;
        Ok(raw::Report { bad: report.bad.into_iter().map(RowFault::raw).collect() })
    }

    pub(crate) fn prepare_commit(
        &mut self,
        offsets: &batches::PartitionOffsets,
    ) -> Result<batches::PartitionOffsets, faults::Fault> {
        let agreed = self.sink()?.prepare_commit(places(offsets)).map_err(Fault::raw)?;
        Ok(partition_offsets(&agreed))
    }

    pub(crate) fn close(&mut self) -> Result<(), faults::Fault> {
        self.sink.take().map_or(Ok(()), |mut sink| sink.close().map_err(Fault::raw))
    }
}
