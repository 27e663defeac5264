//! A chain on records that are nowhere: converters and transforms as a task has them, without Kafka on either side.
//!
//! Enters: the chain of a task, what stands before and behind it, batches. Leaves: each batch's outcome, and every record
//! that failed with its reason. Invariant: the way is a task's own ([`Passage`]); a record that fails costs only itself, and
//! nothing is retried.

use std::sync::Arc;

use lockgate_model::batch::Batch;
use lockgate_model::fault::{GuestError, Stage};
use lockgate_model::metrics::TaskMetrics;
use lockgate_model::place::TaskId;
use lockgate_model::ports::OpenApply;

use crate::backoff::Random;
use crate::chain::{self, Chain};
use crate::clock::{Interrupt, Interrupter, interrupt};
use crate::failure::TaskFailure;
use crate::passage::{Passage, Rules, Walked};
use crate::recode::Recode;
use crate::tolerance::{ErrorPolicy, Tolerance};

/// A chain that is open.
pub struct Rehearsal<A: OpenApply> {
    segments: Vec<A>,
    passage: Passage<A::Port>,
    rules: Rules,
    interrupt: Interrupt,
    /// Nobody interrupts a rehearsal; it ends by being dropped.
    _quiet: Interrupter,
}

/// A record that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Its row in the batch that came in.
    pub row: u32,
    /// Where.
    pub stage: Stage,
    /// Dotted, stable.
    pub code: String,
    /// For people.
    pub message: String,
}

/// What became of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// For each row of the outcome the row that it comes from.
    pub origins: Vec<u32>,
    /// Rows that failed, in order. A row that is in neither was dropped on purpose.
    pub failed: Vec<Refusal>,
}

impl<A: OpenApply> std::fmt::Debug for Rehearsal<A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rehearsal").field("segments", &self.segments.len()).finish_non_exhaustive()
    }
}

impl<A: OpenApply> Rehearsal<A> {
    /// Opens the guests of a chain.
    ///
    /// # Errors
    /// What a guest says of its settings, or why it cannot run.
    pub async fn open(
        id: TaskId,
        mut chain: Chain<A>,
        before: Box<dyn Recode>,
        behind: Box<dyn Recode>,
    ) -> Result<Self, GuestError> {
        let ports = chain::open(&chain.segments).await?;
        let passage = Passage::new(Some(before), ports, chain.take_recodes(), Some(behind));
        let policy = ErrorPolicy { tolerance: Tolerance::All, ..ErrorPolicy::default() };
        let (random, metrics) = (Random::seeded(&id), Arc::new(TaskMetrics::default()));
        let (quiet, interrupt) = interrupt();
        let rules = Rules { id, policy, metrics, random };
        Ok(Self { segments: chain.segments, passage, rules, interrupt, _quiet: quiet })
    }

    /// Takes a batch all the way; it then holds the outcome.
    ///
    /// # Errors
    /// The chain as a whole failed: open it anew with [`Self::renew`] before the next call.
    pub async fn run(&mut self, batch: &mut Batch) -> Result<Outcome, TaskFailure> {
        let walked = self.passage.walk(batch, &self.rules, &mut self.interrupt).await?;
        let Walked::Through(failed) = walked else { return Err(TaskFailure::Stuck) };
        let origins = (0..batch.len()).map(|row| self.passage.origin(row)).collect();
        let refusal =
            |f: crate::tolerance::Failed| Refusal { row: f.origin, stage: f.stage, code: f.code, message: f.message };
        Ok(Outcome { origins, failed: failed.into_iter().map(refusal).collect() })
    }

    /// Puts new instances in place of those that failed.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn renew(&mut self) -> Result<(), GuestError> {
        self.passage.renew(chain::open(&self.segments).await?);
        Ok(())
    }

    /// Ends the guests, each within its deadline.
    pub async fn close(self) {
        self.passage.close().await;
    }
}
