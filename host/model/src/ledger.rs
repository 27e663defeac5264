//! The ledger: the one place that knows what may be committed.
//!
//! Enters: spans of admitted records and what became of them. Leaves: [`Committable`], [`Agreed`], [`SourcePositions`],
//! [`Durable`], which only this module can make. Invariant (L1): a position leaves here only if every record before it
//! was delivered, filtered on purpose, or dead-lettered and confirmed.

// A ticket is spent by being passed: taking it by value is the point.
#![allow(clippy::needless_pass_by_value)]

mod pending;
mod sink;
mod source;
#[cfg(test)]
mod tests;

pub use sink::{SinkLedger, Tally, Ticket, Unassigned};
pub use source::{Durable, NotStored, SourceLedger, SourcePositions, SourceTicket};

use crate::place::{PartitionOffset, TopicPartition};

/// What became of a record. All three let the committable position pass it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The other side has it (sinks: took it; what it keeps is asked at [`Committable::agree`]).
    Delivered,
    /// Dropped on purpose: by a transform, or skipped under `errors.tolerance=all` without a dead-letter queue.
    Filtered,
    /// In the dead-letter queue, acknowledged.
    Dead,
}

/// Bounds of what is admitted and not yet settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Records. Default 1,000 (two batches).
    pub records_max: u64,
    /// Bytes. Default 512 KiB.
    pub bytes_max: u64,
}

impl Default for Window {
    fn default() -> Self {
        Self { records_max: 1_000, bytes_max: 512 * 1024 }
    }
}

/// What is admitted and not yet settled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Records.
    pub records: u64,
    /// Bytes of the batches that hold them; a batch counts whole until it is settled.
    pub bytes: u64,
}

impl Window {
    /// True if nothing more should be admitted.
    pub const fn is_full(self, load: Load) -> bool {
        load.records >= self.records_max || load.bytes >= self.bytes_max
    }

    /// True if admission should begin again after it had stopped.
    pub const fn is_half_empty(self, load: Load) -> bool {
        load.records * 2 <= self.records_max && load.bytes * 2 <= self.bytes_max
    }
}

/// Next offsets up to which everything is settled; made only by [`SinkLedger::committable`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committable(Vec<PartitionOffset>);

impl Committable {
    /// What the guest is asked about. Never empty partitions twice, never an offset of -1.
    pub fn offsets(&self) -> &[PartitionOffset] {
        &self.0
    }

    /// True if there is nothing new to commit.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Checks the guest's answer: a subset of the partitions asked, none of them further than asked. -1 and partitions
    /// left out mean "nothing of this one". WIT: `sink.prepare-commit`.
    pub fn agree(self, answer: &[PartitionOffset]) -> Result<Agreed, AgreeError> {
        let mut agreed: Vec<PartitionOffset> = Vec::with_capacity(answer.len());
        for item in answer {
            let Some(asked) = self.0.iter().find(|a| a.place == item.place) else {
                return Err(AgreeError::NotAsked { place: item.place.clone() });
            };
            if item.next_offset > asked.next_offset {
                let (place, answered) = (item.place.clone(), item.next_offset);
                return Err(AgreeError::TooFar { place, asked: asked.next_offset, answered });
            }
            if agreed.iter().any(|a| a.place == item.place) {
                return Err(AgreeError::Twice { place: item.place.clone() });
            }
            if item.next_offset >= 0 {
                agreed.push(item.clone());
            }
        }
        Ok(Agreed(agreed))
    }
}

/// Next offsets that the guest agreed to; made only by [`Committable::agree`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreed(Vec<PartitionOffset>);

impl Agreed {
    /// The offsets to commit.
    pub fn offsets(&self) -> &[PartitionOffset] {
        &self.0
    }

    /// True if the guest agreed to nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A guest agreed to what it was not asked. Code `guest.protocol`: the instance is thrown away, nothing is committed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AgreeError {
    /// A partition that was not in the question.
    #[error("prepare-commit answered with partition {place}, which was not asked")]
    NotAsked {
        /// The partition.
        place: TopicPartition,
    },
    /// An offset beyond the question.
    #[error("prepare-commit agreed to offset {answered} of {place}, but only {asked} was asked")]
    TooFar {
        /// The partition.
        place: TopicPartition,
        /// What the host asked.
        asked: i64,
        /// What the guest said.
        answered: i64,
    },
    /// The same partition twice.
    #[error("prepare-commit answered twice for partition {place}")]
    Twice {
        /// The partition.
        place: TopicPartition,
    },
}
