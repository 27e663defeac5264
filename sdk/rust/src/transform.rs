//! Kafka -> Kafka, in between: transforms, predicates and the walk of a batch through a chain of them.
//!
//! Enters: the steps, batches. Leaves: rows kept, changed, split; what failed, with its step. Invariant: each row passes
//! the steps in order, source rows never decrease, and a row that failed is not in the outcome.

use crate::batch::Batch;
use crate::bindings::base::lockgate::connect::{batches, tasks};
use crate::bindings::transform::exports::lockgate::connect::transform as raw;
use crate::config::Settings;
use crate::edit::{Edit, Outcome};
use crate::fault::{Fault, RowFault};
use crate::form::Held;
use crate::plugin::{ConfigValue, Description, Task};
use crate::row::Row;
use crate::schemas::Schemas;

/// What becomes of a record after a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// It goes on, as the step left it.
    Keep,
    /// It is dropped on purpose.
    Drop,
}

/// A transform. One value is one step of a chain.
pub trait Transform: Sized + 'static {
    /// What it says of itself.
    fn describe() -> Description;

    /// Checks settings across keys; types, constraints and missing values were checked before.
    fn validate(_config: &Settings) -> Vec<ConfigValue> {
        Vec::new()
    }

    /// Prepares the step; `task.config` holds its settings.
    fn open(task: Task) -> Result<Self, Fault>;

    /// Takes one record. An error names what is wrong with it; its row number is filled in.
    fn apply(&mut self, record: &mut Edit<'_>) -> Result<Flow, RowFault>;
}

/// A predicate: decides whether a step runs for a record.
pub trait Predicate: Sized + 'static {
    /// What it says of itself.
    fn describe() -> Description;

    /// Checks settings across keys.
    fn validate(_config: &Settings) -> Vec<ConfigValue> {
        Vec::new()
    }

    /// Prepares the predicate; `task.config` holds its settings.
    fn open(task: Task) -> Result<Self, Fault>;

    /// True where it holds for the record as earlier steps left it.
    fn test(&mut self, record: &Edit<'_>) -> Result<bool, RowFault>;
}

trait AnyTransform {
    fn apply(&mut self, record: &mut Edit<'_>) -> Result<Flow, RowFault>;
}

impl<T: Transform> AnyTransform for T {
    fn apply(&mut self, record: &mut Edit<'_>) -> Result<Flow, RowFault> {
        Transform::apply(self, record)
    }
}

trait AnyPredicate {
    fn test(&mut self, record: &Edit<'_>) -> Result<bool, RowFault>;
}

impl<T: Predicate> AnyPredicate for T {
    fn test(&mut self, record: &Edit<'_>) -> Result<bool, RowFault> {
        Predicate::test(self, record)
    }
}

/// One transform of a package; made by `package!`.
#[derive(Clone, Copy)]
pub struct TransformEntry {
    pub(crate) describe: fn() -> Description,
    pub(crate) validate: fn(&Settings) -> Vec<ConfigValue>,
    open: fn(Task) -> Result<Box<dyn AnyTransform>, Fault>,
}

impl TransformEntry {
    /// The entry of a type.
    pub const fn of<T: Transform>() -> Self {
        Self { describe: T::describe, validate: T::validate, open: |task| Ok(Box::new(T::open(task)?)) }
    }
}

/// One predicate of a package; made by `package!`.
#[derive(Clone, Copy)]
pub struct PredicateEntry {
    pub(crate) describe: fn() -> Description,
    pub(crate) validate: fn(&Settings) -> Vec<ConfigValue>,
    open: fn(Task) -> Result<Box<dyn AnyPredicate>, Fault>,
}

impl PredicateEntry {
    /// The entry of a type.
    pub const fn of<T: Predicate>() -> Self {
        Self { describe: T::describe, validate: T::validate, open: |task| Ok(Box::new(T::open(task)?)) }
    }
}

struct Step {
    transform: Box<dyn AnyTransform>,
    /// The predicate, and the answer that keeps the step from running.
    unless: Option<(Box<dyn AnyPredicate>, bool)>,
}

/// The chain of this instance.
#[derive(Default)]
pub(crate) struct Running {
    steps: Vec<Step>,
    schemas: Schemas,
    scratch: Vec<u8>,
    forms: [Held; 2],
}

/// Finds a plugin by class or alias.
pub(crate) fn find<T: Copy>(all: &[T], describe: fn(&T) -> Description, class: &str) -> Option<(T, Description)> {
    let described = all.iter().map(|entry| (*entry, describe(entry)));
    described.into_iter().find(|(_, d)| d.class == class || d.aliases.iter().any(|a| a == class))
}

impl Running {
    pub(crate) fn open(
        &mut self,
        transforms: &[TransformEntry],
        predicates: &[PredicateEntry],
        task: &tasks::TaskContext,
        steps: Vec<raw::Step>,
    ) -> Result<(), Fault> {
        let task_for = |config: Vec<(String, String)>, description: Description| Task {
            connector: task.connector.clone(),
            number: task.task,
            config: Settings::new(config, description.config),
            formats: task.formats,
        };
        let mut opened = Vec::with_capacity(steps.len());
        for step in steps {
            let (entry, description) = find(transforms, |e| (e.describe)(), &step.class).ok_or_else(|| {
                Fault::fatal("guest.class", format!("this package has no transform `{}`", step.class))
            })?;
            let transform = (entry.open)(task_for(step.config, description))?;
            let unless = step.predicate.map(|p| {
                let (entry, description) = find(predicates, |e| (e.describe)(), &p.class).ok_or_else(|| {
                    Fault::fatal("guest.class", format!("this package has no predicate `{}`", p.class))
                })?;
                Ok::<_, Fault>(((entry.open)(task_for(p.config, description))?, p.negate))
            });
            opened.push(Step { transform, unless: unless.transpose()? });
        }
        self.steps = opened;
        Ok(())
    }

    pub(crate) fn apply(&mut self, records: batches::Batch) -> raw::Applied {
        let mut batch = Batch::new(records, &self.schemas);
        let mut out = Outcome {
            topics: std::mem::take(&mut batch.topics),
            rows: Vec::with_capacity(batch.rows.len()),
            headers: Vec::with_capacity(batch.headers.len()),
            appended: Vec::new(),
            scratch: std::mem::take(&mut self.scratch),
            forms: std::mem::take(&mut self.forms),
        };
        let mut failed = Vec::new();
        let (rows, _) = batch.rows.as_chunks::<{ Row::BYTES }>();
        for (index, bytes) in rows.iter().enumerate() {
            let mut row = Row::read(bytes);
            row.source_row = u32::try_from(index).unwrap_or(u32::MAX);
            let before = (out.rows.len(), out.headers.len(), out.appended.len());
            if let Err(mut fault) = self.walk(0, row, false, &batch, &mut out) {
                out.rows.truncate(before.0);
                out.headers.truncate(before.1);
                out.appended.truncate(before.2);
                fault.row = row.source_row;
                failed.push(fault.raw());
            }
        }
        self.scratch = std::mem::take(&mut out.scratch);
        self.forms = std::mem::take(&mut out.forms);
        let Outcome { topics, rows, headers, appended, .. } = out;
        raw::Applied { topics, schemas: self.schemas.unannounced(), rows, headers, appended, failed }
    }

    /// Takes one row through the steps from `first` on.
    fn walk(
        &mut self,
        first: usize,
        row: Row,
        own_headers: bool,
        batch: &Batch,
        out: &mut Outcome,
    ) -> Result<(), RowFault> {
        let mut edit = Edit::new(batch, out, row, own_headers);
        for at in first..self.steps.len() {
            let step = &mut self.steps[at];
            let number = u32::try_from(at).unwrap_or(u32::MAX);
            let named = |fault: RowFault| RowFault { step: number, ..fault };
            if let Some((predicate, skips_on)) = &mut step.unless
                && predicate.test(&edit).map_err(named)? == *skips_on
            {
                continue;
            }
            let flow = step.transform.apply(&mut edit).map_err(named)?;
            if !edit.split.is_empty() {
                // The copies use the same forms.
                edit.settle_all();
            }
            for (row, own) in std::mem::take(&mut edit.split) {
                self.walk(at + 1, row, own, batch, edit.out)?;
            }
            if flow == Flow::Drop {
                return Ok(());
            }
        }
        edit.emit();
        Ok(())
    }

    pub(crate) fn close(&mut self) {
        self.steps.clear();
    }
}

#[cfg(test)]
mod tests;
