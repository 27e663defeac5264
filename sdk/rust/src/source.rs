//! Outside -> Kafka.
//!
//! Enters: stored positions, bounds of a poll. Leaves: batches with the positions that hold once they are delivered.
//! Invariant: records and positions leave in one answer, so the host cannot store one without the other.

use std::time::Duration;

use crate::bindings::base::lockgate::connect::{faults, tasks};
use crate::bindings::source::exports::lockgate::connect::source as raw;
use crate::builder::{BatchBuilder, Position};
use crate::config::Settings;
use crate::fault::Fault;
use crate::plugin::{ConfigValue, Connector, Description, Task, TaskSettings};
use crate::schemas::Schemas;

/// When to be polled again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// There is more: at once.
    Now,
    /// Nothing for now: after this long, at most a minute.
    After(Duration),
    /// Nothing ever again, as far as the plugin knows.
    Done,
}

/// What a client wants of one stored position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// JSON object as text. Of a partition that is stored it is the very text that is stored.
    pub partition: String,
    /// JSON object as text: where to go on. `None`: the position is to be forgotten.
    pub offset: Option<String>,
}

/// A source. One value is one task.
pub trait Source: Sized + 'static {
    /// What it says of itself.
    fn describe() -> Description;

    /// Checks settings across keys; types, constraints and missing values were checked before.
    fn validate(_config: &Settings) -> Vec<ConfigValue> {
        Vec::new()
    }

    /// Splits the work into at most `max` tasks. Without an implementation: one task with the connector's settings.
    fn tasks(connector: &Connector, _max: u32) -> Result<TaskSettings, Fault> {
        Ok(vec![connector.config.pairs().to_vec()])
    }

    /// Asked before a client's changes of the connector's offsets are stored, while it is STOPPED. `Ok(true)`: they make
    /// sense, and nothing is kept elsewhere that had to be altered, too. `Ok(false)`, as without an implementation: it
    /// cannot tell. A fault refuses all of them with its message; [`Fault::offsets`] calls the request wrong.
    fn alter_offsets(_connector: &Connector, _changes: &[Change]) -> Result<bool, Fault> {
        Ok(false)
    }

    /// Prepares reading. `positions` are all stored positions of the connector.
    fn open(task: Task, positions: &[Position]) -> Result<Self, Fault>;

    /// Writes the next records and their positions into `out`, until it is full or there are no more. May wait for up to
    /// a second for the first record.
    fn poll(&mut self, out: &mut BatchBuilder) -> Result<Next, Fault>;

    /// These positions are durable: the upstream may forget what came before.
    fn committed(&mut self, _positions: &[Position]) -> Result<(), Fault> {
        Ok(())
    }

    /// The task ends. 5 s are left.
    fn close(&mut self) -> Result<(), Fault> {
        Ok(())
    }
}

trait AnySource {
    fn poll(&mut self, out: &mut BatchBuilder) -> Result<Next, Fault>;
    fn committed(&mut self, positions: &[Position]) -> Result<(), Fault>;
    fn close(&mut self) -> Result<(), Fault>;
}

impl<T: Source> AnySource for T {
    fn poll(&mut self, out: &mut BatchBuilder) -> Result<Next, Fault> {
        Source::poll(self, out)
    }
    fn committed(&mut self, positions: &[Position]) -> Result<(), Fault> {
        Source::committed(self, positions)
    }
    fn close(&mut self) -> Result<(), Fault> {
        Source::close(self)
    }
}

type Open = fn(Task, &[Position]) -> Result<Box<dyn AnySource>, Fault>;

/// One source of a package; made by `package!`.
#[derive(Clone, Copy)]
pub struct SourceEntry {
    pub(crate) describe: fn() -> Description,
    pub(crate) validate: fn(&Settings) -> Vec<ConfigValue>,
    pub(crate) tasks: fn(&Connector, u32) -> Result<TaskSettings, Fault>,
    pub(crate) alter_offsets: fn(&Connector, &[Change]) -> Result<bool, Fault>,
    open: Open,
}

impl SourceEntry {
    /// The entry of a type.
    pub const fn of<T: Source>() -> Self {
        Self {
            describe: T::describe,
            validate: T::validate,
            tasks: T::tasks,
            alter_offsets: T::alter_offsets,
            open: |task, at| Ok(Box::new(T::open(task, at)?)),
        }
    }
}

/// The source of this instance.
#[derive(Default)]
pub(crate) struct Running {
    source: Option<Box<dyn AnySource>>,
    schemas: Schemas,
    rows_before: usize,
    data_before: usize,
}

impl Running {
    pub(crate) fn open(
        &mut self,
        entry: SourceEntry,
        task: tasks::TaskContext,
        at: Vec<raw::Position>,
    ) -> Result<(), faults::Fault> {
        let task = Task::of(task, (entry.describe)().config);
        self.source = Some((entry.open)(task, &positions(at)).map_err(Fault::raw)?);
        Ok(())
    }

    fn source(&mut self) -> Result<&mut Box<dyn AnySource>, faults::Fault> {
        self.source.as_mut().ok_or_else(|| Fault::fatal("guest.closed", "the source is not open").raw())
    }

    pub(crate) fn poll(&mut self, limits: raw::Limits) -> Result<raw::Polled, faults::Fault> {
        let mut out = BatchBuilder::new(&self.schemas, limits.records_max as usize, limits.bytes_max as usize);
        out.reserve(self.rows_before, self.data_before);
        let next = self.source()?.poll(&mut out).map_err(Fault::raw)?;
        let (records, positions) = out.finish();
        (self.rows_before, self.data_before) = (records.rows.len(), records.data.len());
        let position =
            |(p, after_row): (Position, u32)| raw::Position { partition: p.partition, offset: p.offset, after_row };
        let next = match next {
            Next::Now => raw::Next::Now,
            Next::After(wait) => raw::Next::After(u32::try_from(wait.as_millis()).unwrap_or(u32::MAX).min(60_000)),
            Next::Done => raw::Next::Done,
        };
        Ok(raw::Polled { records, positions: positions.into_iter().map(position).collect(), next })
    }

    pub(crate) fn committed(&mut self, at: Vec<raw::Position>) -> Result<(), faults::Fault> {
        self.source()?.committed(&positions(at)).map_err(Fault::raw)
    }

    pub(crate) fn close(&mut self) -> Result<(), faults::Fault> {
        self.source.take().map_or(Ok(()), |mut source| source.close().map_err(Fault::raw))
    }
}

fn positions(raw: Vec<raw::Position>) -> Vec<Position> {
    raw.into_iter().map(|p| Position { partition: p.partition, offset: p.offset }).collect()
}
