//! The ledger of a sink task.
//!
//! Enters: fetched batches at [`SinkLedger::admit`], verdicts at [`SinkLedger::settle`]. Leaves: [`Committable`]: per
//! partition the next offset behind the settled prefix. Invariant: it counts in spans (a run of rows of one partition);
//! offsets may have gaps (compaction, transaction markers); a ticket of a partition that was given up settles nothing.

use std::collections::{HashMap, VecDeque};

use super::pending::Pending;
use super::{Agreed, Committable, Load, Verdict};
use crate::batch::Batch;
use crate::place::{PartitionOffset, TopicPartition};

/// What is open and what is settled, per assigned partition.
#[derive(Debug, Default)]
pub struct SinkLedger {
    parts: Vec<Part>,
    index: HashMap<TopicPartition, usize>,
    /// Slots of `parts` that stand empty.
    free: Vec<usize>,
    next_epoch: u64,
    load: Load,
    tally: Tally,
    /// Grows with each rewind: tickets of an older era hold no bytes any more.
    era: u64,
}

/// Rows settled since the task began, by verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Rows delivered.
    pub delivered: u64,
    /// Rows filtered or skipped.
    pub filtered: u64,
    /// Rows dead-lettered.
    pub dead: u64,
}

impl Tally {
    const fn add(&mut self, verdict: Verdict, rows: u64) {
        match verdict {
            Verdict::Delivered => self.delivered += rows,
            Verdict::Filtered => self.filtered += rows,
            Verdict::Dead => self.dead += rows,
        }
    }
}

/// One assigned partition.
#[derive(Debug)]
struct Part {
    place: TopicPartition,
    /// Differs between any two assignments and after each rewind: tickets of another epoch are stale.
    epoch: u64,
    /// Where reading begins after a rewind: committed, or where the assignment began, or the first admitted. -1 = unknown.
    base: i64,
    /// Next offset behind the settled prefix, -1 = nothing settled since the assignment.
    settled: i64,
    /// Last committed, -1 = nothing since the assignment.
    committed: i64,
    /// Number of the first span of `spans`.
    first_span: u64,
    spans: VecDeque<Span>,
}

#[derive(Debug)]
struct Span {
    first: i64,
    count: u32,
    /// Offsets by index; `None` = dense from `first`.
    offsets: Option<Box<[i64]>>,
    pending: Pending,
}

impl Span {
    fn offset(&self, index: u32) -> i64 {
        self.offsets.as_ref().map_or(self.first + i64::from(index), |o| o[index as usize])
    }

    /// Next offset behind the settled front, if any of it is settled.
    fn settled_next(&self) -> Option<i64> {
        let front = self.pending.settled_front(self.count);
        (front > 0).then(|| self.offset(front - 1) + 1)
    }
}

/// The right to settle one admitted batch, once. Neither copied nor made anywhere else; a ticket that is dropped settles
/// nothing, so its records stay open.
#[derive(Debug)]
#[must_use = "a ticket that is not settled keeps its records open for ever"]
pub struct Ticket {
    runs: Vec<Run>,
    bytes: u64,
    era: u64,
}

#[derive(Debug)]
struct Run {
    slot: usize,
    epoch: u64,
    span: u64,
    row_first: u32,
    count: u32,
}

/// A batch held a record of a partition that is not assigned: a bug of the consumer. Code `ledger.unassigned`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the consumer handed out a record of {place}, which is not assigned to this task [ledger.unassigned]")]
pub struct Unassigned {
    /// The partition.
    pub place: TopicPartition,
}

impl SinkLedger {
    /// Empty.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes partitions on; offsets are where reading begins, -1 = not known yet. A partition that is assigned already
    /// starts anew: what was open of it is stale.
    pub fn assign(&mut self, partitions: &[PartitionOffset]) {
        for item in partitions {
            self.remove(&item.place);
            self.next_epoch += 1;
            let part = Part {
                place: item.place.clone(),
                epoch: self.next_epoch,
                base: item.next_offset,
                settled: -1,
                committed: -1,
                first_span: 0,
                spans: VecDeque::new(),
            };
            let slot = if let Some(slot) = self.free.pop() {
                self.parts[slot] = part;
                slot
            } else {
                self.parts.push(part);
                self.parts.len() - 1
            };
            self.index.insert(item.place.clone(), slot);
        }
    }

    /// Gives partitions up, revoked or lost: tickets that still hold records of them settle nothing there.
    pub fn revoke(&mut self, partitions: &[TopicPartition]) {
        for place in partitions {
            self.remove(place);
        }
    }

    fn remove(&mut self, place: &TopicPartition) {
        let Some(slot) = self.index.remove(place) else { return };
        self.next_epoch += 1;
        let part = &mut self.parts[slot];
        part.epoch = self.next_epoch;
        let open: u64 = part.spans.iter().map(|s| u64::from(s.pending.open(s.count))).sum();
        part.spans.clear();
        self.load.records -= open;
        self.free.push(slot);
    }

    /// Partitions that are assigned, in no particular order.
    pub fn partitions(&self) -> impl Iterator<Item = &TopicPartition> {
        self.index.keys()
    }

    /// True if the partition is assigned.
    pub fn is_assigned(&self, place: &TopicPartition) -> bool {
        self.index.contains_key(place)
    }

    /// What is admitted and not settled.
    pub const fn load(&self) -> Load {
        self.load
    }

    /// Admits all rows of a batch. Rows of a partition must come in the order of their offsets.
    pub fn admit(&mut self, batch: &Batch) -> Result<Ticket, Unassigned> {
        let rows = &batch.rows;
        let mut ticket = Ticket { runs: Vec::new(), bytes: batch.data.len() as u64, era: self.era };
        let mut start = 0;
        while start < rows.len() {
            let head = rows[start];
            let mut end = start + 1;
            let mut dense = true;
            while end < rows.len() && rows[end].partition == head.partition && rows[end].topic == head.topic {
                dense &= rows[end].offset == rows[end - 1].offset + 1;
                end += 1;
            }
            let place = TopicPartition { topic: batch.topic(&head).clone(), partition: head.partition };
            let Some(&slot) = self.index.get(&place) else {
                self.forget(&ticket);
                return Err(Unassigned { place });
            };
            let count = u32::try_from(end - start).unwrap_or(u32::MAX);
            let offsets = (!dense).then(|| rows[start..end].iter().map(|r| r.offset).collect());
            let part = &mut self.parts[slot];
            if part.base < 0 {
                part.base = head.offset;
            }
            let span = part.first_span + part.spans.len() as u64;
            part.spans.push_back(Span { first: head.offset, count, offsets, pending: Pending::All });
            let row_first = u32::try_from(start).unwrap_or(u32::MAX);
            ticket.runs.push(Run { slot, epoch: part.epoch, span, row_first, count });
            self.load.records += u64::from(count);
            start = end;
        }
        self.load.bytes += ticket.bytes;
        Ok(ticket)
    }

    /// Takes back the spans of a ticket that was never handed out.
    fn forget(&mut self, ticket: &Ticket) {
        for run in ticket.runs.iter().rev() {
            self.parts[run.slot].spans.pop_back();
            self.load.records -= u64::from(run.count);
        }
    }

    /// Settles one row before the rest of its batch. False if it was settled before or its partition was given up.
    pub fn settle_row(&mut self, ticket: &Ticket, row: u32, verdict: Verdict) -> bool {
        let at = ticket.runs.partition_point(|r| r.row_first <= row);
        let Some(run) = at.checked_sub(1).map(|i| &ticket.runs[i]) else { return false };
        let Some(part) = self.part(run) else { return false };
        let Some(index) = span_index(part, run.span) else { return false };
        let count = part.spans[index].count;
        if !part.spans[index].pending.settle_one(row - run.row_first, count) {
            return false;
        }
        part.advance();
        self.load.records -= 1;
        self.tally.add(verdict, 1);
        true
    }

    /// Settles all rows of the batch that are still open. Answers how many were; rows of partitions that were given up
    /// in the meantime do not count.
    pub fn settle(&mut self, ticket: Ticket, verdict: Verdict) -> u64 {
        let mut settled = 0;
        for run in &ticket.runs {
            let Some(part) = self.part(run) else { continue };
            let Some(index) = span_index(part, run.span) else { continue };
            let span = &mut part.spans[index];
            settled += u64::from(span.pending.settle_rest(span.count));
            part.advance();
        }
        self.load.records -= settled;
        self.release_bytes(&ticket);
        self.tally.add(verdict, settled);
        settled
    }

    /// Settles all rows of the batch but these, which stay open until a rewind: the task is about to end over them.
    pub fn settle_all_but(&mut self, ticket: Ticket, open: &[u32], verdict: Verdict) {
        let rows = ticket.runs.last().map_or(0, |run| run.row_first + run.count);
        for row in (0..rows).filter(|row| !open.contains(row)) {
            self.settle_row(&ticket, row, verdict);
        }
        self.release_bytes(&ticket);
    }

    /// Gives the batch back unsettled. The answer says where reading must go on so that nothing is missed; whatever was
    /// admitted behind it in these partitions is open no more either.
    pub fn abandon(&mut self, ticket: Ticket) -> Vec<PartitionOffset> {
        self.release_bytes(&ticket);
        let live = ticket.runs.iter().filter(|r| self.parts[r.slot].epoch == r.epoch);
        let mut slots: Vec<usize> = live.map(|r| r.slot).collect();
        slots.sort_unstable();
        slots.dedup();
        slots.into_iter().filter_map(|slot| self.reopen(slot, false)).collect()
    }

    /// Goes back to what is committed, in all partitions: after the instance died with what it had taken. The answer says
    /// where reading goes on; all tickets are stale. Partitions nothing was read from are not named.
    pub fn rewind(&mut self) -> Vec<PartitionOffset> {
        self.era += 1;
        self.load.bytes = 0;
        let mut slots: Vec<usize> = self.index.values().copied().collect();
        slots.sort_unstable();
        slots.into_iter().filter_map(|slot| self.reopen(slot, true)).collect()
    }

    fn release_bytes(&mut self, ticket: &Ticket) {
        if ticket.era == self.era {
            self.load.bytes -= ticket.bytes;
        }
    }

    fn reopen(&mut self, slot: usize, to_committed: bool) -> Option<PartitionOffset> {
        self.next_epoch += 1;
        let part = &mut self.parts[slot];
        part.epoch = self.next_epoch;
        let open: u64 = part.spans.iter().map(|s| u64::from(s.pending.open(s.count))).sum();
        part.spans.clear();
        self.load.records -= open;
        if to_committed {
            part.settled = part.committed;
        }
        let next_offset = if part.settled >= 0 { part.settled } else { part.base };
        (next_offset >= 0).then(|| PartitionOffset { place: part.place.clone(), next_offset })
    }

    /// The settled prefix of each partition where it is further than what was committed.
    pub fn committable(&self) -> Committable {
        self.committable_where(|_| true)
    }

    /// As [`SinkLedger::committable`], for some partitions only.
    pub fn committable_of(&self, partitions: &[TopicPartition]) -> Committable {
        self.committable_where(|place| partitions.contains(place))
    }

    fn committable_where(&self, wanted: impl Fn(&TopicPartition) -> bool) -> Committable {
        let mut slots: Vec<usize> = self.index.values().copied().collect();
        slots.sort_unstable();
        let parts = slots.into_iter().map(|slot| &self.parts[slot]);
        let due = parts.filter(|p| p.settled > p.committed && wanted(&p.place));
        Committable(due.map(|p| PartitionOffset { place: p.place.clone(), next_offset: p.settled }).collect())
    }

    /// These were committed. Partitions that were given up in the meantime are passed over.
    pub fn committed(&mut self, agreed: &Agreed) {
        for item in agreed.offsets() {
            let Some(&slot) = self.index.get(&item.place) else { continue };
            let part = &mut self.parts[slot];
            // A guest may agree to less than a rewind's base; never past what is settled.
            part.committed = part.committed.max(item.next_offset.min(part.settled));
        }
    }

    /// Rows settled so far, by verdict.
    pub const fn tally(&self) -> Tally {
        self.tally
    }

    /// Settled but not committed records cannot be counted without reading gaps; this is the distance in offsets.
    pub fn uncommitted(&self) -> i64 {
        let distance = |p: &Part| if p.settled < 0 { 0 } else { p.settled - p.committed.max(p.base).min(p.settled) };
        self.index.values().map(|&slot| distance(&self.parts[slot])).sum()
    }

    fn part(&mut self, run: &Run) -> Option<&mut Part> {
        let part = &mut self.parts[run.slot];
        (part.epoch == run.epoch).then_some(part)
    }
}

impl Part {
    /// Moves the settled prefix on and drops the spans behind it.
    fn advance(&mut self) {
        while let Some(span) = self.spans.front() {
            if let Some(next) = span.settled_next() {
                self.settled = self.settled.max(next);
            }
            if !matches!(span.pending, Pending::None) {
                return;
            }
            self.spans.pop_front();
            self.first_span += 1;
        }
    }
}

fn span_index(part: &Part, span: u64) -> Option<usize> {
    usize::try_from(span.checked_sub(part.first_span)?).ok().filter(|i| *i < part.spans.len())
}
