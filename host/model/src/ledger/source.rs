//! The ledger of a source task.
//!
//! Enters: polled batches with their positions, receipts as verdicts. Leaves: [`SourcePositions`] to persist, then
//! [`Durable`] to tell the guest. Invariant (L1, L3): a position leaves only when every row polled before it and rows 0
//! to its `after_row` are settled; nobody hears of it before the store has it. Rows do not say which source partition
//! they belong to, so an open row holds back every later position, not only those of its own partition.

use std::collections::VecDeque;

use indexmap::IndexMap;

use super::Load;
use super::pending::Pending;
use crate::place::Position;
use crate::ports::{OffsetStore, StoreFault};

/// What is open and which positions are ready, for one source task.
#[derive(Debug, Default)]
pub struct SourceLedger {
    first_entry: u64,
    entries: VecDeque<Entry>,
    ready: Bundle,
    load: Load,
    era: u64,
}

#[derive(Debug)]
struct Entry {
    rows: u32,
    pending: Pending,
    /// Number of settled rows from the front that each position waits for; ascending is not required.
    positions: Vec<(Position, u32)>,
    /// State entries of the guest: stored when the whole batch is settled, never told to the guest.
    state: Vec<Position>,
}

/// The latest position of each source partition, in the order in which they became ready.
#[derive(Debug, Default)]
struct Bundle {
    positions: IndexMap<std::sync::Arc<str>, Position>,
    state: IndexMap<std::sync::Arc<str>, Position>,
}

impl Bundle {
    fn put(map: &mut IndexMap<std::sync::Arc<str>, Position>, position: Position) {
        map.shift_remove(&position.partition);
        map.insert(position.partition.clone(), position);
    }

    fn is_empty(&self) -> bool {
        self.positions.is_empty() && self.state.is_empty()
    }
}

/// The right to settle one polled batch, once. A ticket that is dropped settles nothing.
#[derive(Debug)]
#[must_use = "a ticket that is not settled holds back all later positions"]
pub struct SourceTicket {
    era: u64,
    entry: u64,
    bytes: u64,
}

/// Positions whose records are all settled, to be made durable. Made only by [`SourceLedger::take`].
#[derive(Debug)]
#[must_use = "positions that are not persisted have to be given back to the ledger"]
pub struct SourcePositions {
    era: u64,
    bundle: Bundle,
}

/// Positions that the store has. Made only by [`SourcePositions::persist`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Durable(Vec<Position>);

/// The store did not take them; the positions come back for [`SourceLedger::put_back`].
#[derive(Debug)]
pub struct NotStored {
    /// What was to be stored.
    pub positions: SourcePositions,
    /// Why not.
    pub fault: StoreFault,
}

impl SourceLedger {
    /// Empty.
    pub fn new() -> Self {
        Self::default()
    }

    /// What is admitted and not settled.
    pub const fn load(&self) -> Load {
        self.load
    }

    /// Admits what a poll gave: number of rows, bytes of its arena, positions with their `after_row` (`u32::MAX` = with
    /// no row; past the end counts as the last row), and what the guest wrote to its state meanwhile.
    pub fn admit(
        &mut self,
        rows: u32,
        bytes: u64,
        positions: Vec<(Position, u32)>,
        state: Vec<Position>,
    ) -> SourceTicket {
        let wait_for = |after_row: u32| if after_row == u32::MAX { 0 } else { after_row.saturating_add(1).min(rows) };
        let positions = positions.into_iter().map(|(p, after_row)| (p, wait_for(after_row))).collect();
        let pending = if rows == 0 { Pending::None } else { Pending::All };
        let entry = self.first_entry + self.entries.len() as u64;
        self.entries.push_back(Entry { rows, pending, positions, state });
        self.load.records += u64::from(rows);
        self.load.bytes += bytes;
        self.advance();
        SourceTicket { era: self.era, entry, bytes }
    }

    /// Settles one row before the rest of its batch: acknowledged, filtered, or skipped. False if it was settled before.
    pub fn settle_row(&mut self, ticket: &SourceTicket, row: u32) -> bool {
        let Some(entry) = self.entry(ticket) else { return false };
        let rows = entry.rows;
        if !entry.pending.settle_one(row, rows) {
            return false;
        }
        self.load.records -= 1;
        self.advance();
        true
    }

    /// Settles all rows of the batch that are still open; answers how many.
    pub fn settle(&mut self, ticket: SourceTicket) -> u64 {
        if ticket.era == self.era {
            self.load.bytes -= ticket.bytes;
        }
        let Some(entry) = self.entry(&ticket) else { return 0 };
        let rows = entry.rows;
        let settled = u64::from(entry.pending.settle_rest(rows));
        self.load.records -= settled;
        self.advance();
        settled
    }

    /// True if [`SourceLedger::take`] would give something.
    pub fn is_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// The settled positions since the last call, the latest of each source partition.
    pub fn take(&mut self) -> Option<SourcePositions> {
        let bundle = std::mem::take(&mut self.ready);
        (!bundle.is_empty()).then_some(SourcePositions { era: self.era, bundle })
    }

    /// Gives back what could not be stored; positions that became ready meanwhile are newer and win.
    pub fn put_back(&mut self, back: SourcePositions) {
        if back.era != self.era {
            return;
        }
        let newer = std::mem::replace(&mut self.ready, back.bundle);
        newer.positions.into_values().for_each(|p| Bundle::put(&mut self.ready.positions, p));
        newer.state.into_values().for_each(|p| Bundle::put(&mut self.ready.state, p));
    }

    /// Forgets everything that is not durable: the instance died and a new one starts at the stored positions. Tickets and
    /// positions of before are stale.
    pub fn restart(&mut self) {
        *self = Self { era: self.era + 1, ..Self::default() };
    }

    fn entry(&mut self, ticket: &SourceTicket) -> Option<&mut Entry> {
        if ticket.era != self.era {
            return None;
        }
        let index = usize::try_from(ticket.entry.checked_sub(self.first_entry)?).ok()?;
        self.entries.get_mut(index)
    }

    /// Moves over what is settled, from the front; stops at the first batch with an open row.
    fn advance(&mut self) {
        while let Some(entry) = self.entries.front_mut() {
            let front = entry.pending.settled_front(entry.rows);
            let mut waiting = Vec::new();
            for (position, wait_for) in entry.positions.drain(..) {
                // In reading order per partition: one that waits holds back the later ones of its batch.
                if wait_for <= front && waiting.is_empty() {
                    Bundle::put(&mut self.ready.positions, position);
                } else {
                    waiting.push((position, wait_for));
                }
            }
            entry.positions = waiting;
            if !matches!(entry.pending, Pending::None) {
                return;
            }
            for item in entry.state.drain(..) {
                Bundle::put(&mut self.ready.state, item);
            }
            self.entries.pop_front();
            self.first_entry += 1;
        }
    }
}

impl SourcePositions {
    #[cfg(test)]
    pub(super) fn list(self) -> Vec<Position> {
        self.bundle.positions.into_values().collect()
    }

    /// Writes them, the guest's state entries with them, in one call of the store.
    pub async fn persist<S: OffsetStore>(self, store: &S, connector: &str) -> Result<Durable, NotStored> {
        let all: Vec<Position> = self.bundle.state.values().chain(self.bundle.positions.values()).cloned().collect();
        match store.store(connector, &all).await {
            Ok(()) => Ok(Durable(self.bundle.positions.into_values().collect())),
            Err(fault) => Err(NotStored { positions: self, fault }),
        }
    }
}

impl Durable {
    /// What the guest may be told, in the order in which the positions became ready. May be empty (state only).
    pub fn positions(&self) -> &[Position] {
        &self.0
    }
}
