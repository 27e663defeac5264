//! The ledger: the one place that knows what may be committed.
//!
//! Enters: spans of admitted records and what became of them. Leaves: [`Committable`], [`Agreed`], [`SourcePositions`],
//! [`Durable`], which only this module can make. Invariant (L1): a position leaves here only if every record before it
//! was delivered, filtered on purpose, or dead-lettered and confirmed.

use crate::place::PartitionOffset;

/// Next offsets up to which everything is settled; made only by the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committable(Vec<PartitionOffset>);

/// Next offsets that the guest agreed to; made only by [`Committable::agree`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreed(Vec<PartitionOffset>);

impl Agreed {
    /// The offsets to commit.
    pub fn offsets(&self) -> &[PartitionOffset] {
        &self.0
    }
}
