//! Batches of a source task that are with Kafka's client.
//!
//! Enters: produced batches, receipts. Leaves: batches that are done, in order; batches to be produced again. Invariant
//! (L2): when Kafka refuses a row for now, nothing new is sent until everything under way has its receipt; then that row
//! and everything behind it is produced again, in order. A reader sees a step back, never two records swapped.

use std::collections::VecDeque;

use lockgate_model::batch::Batch;
use lockgate_model::fault::KafkaFault;
use lockgate_model::ledger::SourceTicket;
use lockgate_model::ports::Receipt;

use crate::rows;

/// One batch under way. It is kept until all before it are done.
pub(crate) struct Kept {
    pub number: u64,
    pub batch: Batch,
    pub origins: Option<Vec<u32>>,
    /// Spent when its rows are settled.
    pub ticket: Option<SourceTicket>,
    stage: Stage,
    /// Rows that Kafka refused for good: not sent again.
    dropped: Vec<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Its receipt is awaited.
    Under,
    /// All rows acknowledged, or given up on.
    Done,
    /// Kafka refused this row for now; it and all behind it will be produced again.
    Refused(u32),
    /// What is left in the batch is to be produced again.
    Again,
}

/// Batches under way, oldest first.
#[derive(Default)]
pub(crate) struct Window {
    kept: VecDeque<Kept>,
}

/// Batches of one task that may be with the client at once.
pub(crate) const BATCHES_MAX: usize = 8;

impl Kept {
    pub(crate) const fn new(number: u64, batch: Batch, origins: Option<Vec<u32>>, ticket: SourceTicket) -> Self {
        Self { number, batch, origins, ticket: Some(ticket), stage: Stage::Under, dropped: Vec::new() }
    }

    pub(crate) fn origin(&self, row: u32) -> u32 {
        self.origins.as_ref().map_or(row, |origins| origins.get(row as usize).copied().unwrap_or(u32::MAX))
    }

    /// Keeps what is to be produced again: rows from `first` on, without those that Kafka will never take.
    fn cut(&mut self, first: u32) {
        let dropped = std::mem::take(&mut self.dropped);
        let mut origins = self.origins.take().unwrap_or_else(|| (0..rows::count(self.batch.len())).collect());
        rows::retain(&mut self.batch, &mut origins, |index, _| {
            let row = rows::count(index);
            row >= first && !dropped.contains(&row)
        });
        self.origins = Some(origins);
        self.stage = Stage::Again;
    }
}

impl Window {
    pub(crate) fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.kept.len() >= BATCHES_MAX
    }

    /// True while nothing new may be sent.
    pub(crate) fn is_mending(&self) -> bool {
        self.kept.iter().any(|kept| matches!(kept.stage, Stage::Refused(_) | Stage::Again))
    }

    /// A batch was given to the client.
    pub(crate) fn push(&mut self, kept: Kept) {
        self.kept.push_back(kept);
    }

    /// A receipt came: the batch, and the rows that Kafka refused for good.
    pub(crate) fn receive(&mut self, number: u64, receipt: Receipt) -> Option<(&mut Kept, Vec<(u32, KafkaFault)>)> {
        let kept = self.kept.iter_mut().find(|kept| kept.number == number)?;
        let (later, never): (Vec<_>, Vec<_>) = receipt.failed.into_iter().partition(|(_, fault)| fault.retriable);
        kept.dropped.extend(never.iter().map(|(row, _)| *row));
        kept.stage = later.iter().map(|(row, _)| *row).min().map_or(Stage::Done, Stage::Refused);
        Some((kept, never))
    }

    /// Once no receipt is awaited: marks the first refused row and everything behind it.
    pub(crate) fn mend(&mut self) {
        let awaited = self.kept.iter().any(|kept| kept.stage == Stage::Under);
        let begun = self.kept.iter().any(|kept| kept.stage == Stage::Again);
        if awaited || begun {
            return;
        }
        let Some(start) = self.kept.iter().position(|kept| matches!(kept.stage, Stage::Refused(_))) else { return };
        for (behind, kept) in self.kept.range_mut(start..).enumerate() {
            // Behind the first refused row everything goes again, also what was acknowledged.
            let first = if let (0, Stage::Refused(first)) = (behind, kept.stage) { first } else { 0 };
            kept.cut(first);
        }
    }

    /// The next batch to be produced again; it is given back with [`Window::resent`].
    pub(crate) fn next_to_mend(&mut self) -> Option<(u64, Batch)> {
        let kept = self.kept.iter_mut().find(|kept| kept.stage == Stage::Again)?;
        Some((kept.number, std::mem::take(&mut kept.batch)))
    }

    /// A batch was given to the client again; `awaited` = a receipt will come.
    pub(crate) fn resent(&mut self, number: u64, batch: Batch, awaited: bool) {
        if let Some(kept) = self.kept.iter_mut().find(|kept| kept.number == number) {
            kept.batch = batch;
            kept.stage = if awaited { Stage::Under } else { Stage::Done };
        }
    }

    /// The oldest batch, if it is done.
    pub(crate) fn pop_done(&mut self) -> Option<Kept> {
        self.kept.pop_front_if(|kept| kept.stage == Stage::Done)
    }

    /// Forgets everything: the task starts again at the stored positions.
    pub(crate) fn clear(&mut self) {
        self.kept.clear();
    }
}
