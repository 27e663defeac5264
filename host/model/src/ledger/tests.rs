//! The ledger against a naive model that knows each record.
//!
//! Enters: random admissions, verdicts, revocations, rewinds. Leaves: nothing, or the law that broke. Invariant: the model
//! is too simple to be wrong: a map from (partition, offset) to open or settled.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::batch::{Batch, Row, Span};
use crate::place::Position;

fn place(p: u32) -> TopicPartition {
    TopicPartition { topic: "t".into(), partition: p }
}

fn at(p: u32, next_offset: i64) -> PartitionOffset {
    PartitionOffset { place: place(p), next_offset }
}

fn batch(records: &[(u32, i64)]) -> Batch {
    let mut batch = Batch::default();
    let topic = batch.topic_index(&"t".into());
    for (index, (partition, offset)) in (0_u32..).zip(records) {
        batch.rows.push(Row {
            offset: *offset,
            timestamp: -1,
            partition: *partition,
            topic,
            key: Span::NULL,
            value: Span::NULL,
            header_first: 0,
            header_count: 0,
            source_row: index,
            flags: 0,
            key_schema: 0,
            value_schema: 0,
        });
    }
    batch.data.extend(records.iter().map(|_| 0));
    batch
}

fn committable(ledger: &SinkLedger) -> Vec<(u32, i64)> {
    let mut all: Vec<_> = ledger.committable().offsets().iter().map(|o| (o.place.partition, o.next_offset)).collect();
    all.sort_unstable();
    all
}

/// Every record by itself.
#[derive(Default)]
struct Naive {
    records: BTreeMap<(u32, i64), bool>,
    committed: BTreeMap<u32, i64>,
}

impl Naive {
    fn settled_next(&self, p: u32) -> Option<i64> {
        let of_partition = self.records.range((p, i64::MIN)..=(p, i64::MAX));
        of_partition.take_while(|(_, settled)| **settled).last().map(|((_, o), _)| o + 1)
    }

    fn committable(&self) -> Vec<(u32, i64)> {
        let next = |p: u32| self.settled_next(p).filter(|n| *n > self.committed.get(&p).copied().unwrap_or(-1));
        (0..PARTITIONS).filter_map(|p| next(p).map(|n| (p, n))).collect()
    }

    fn open(&self) -> u64 {
        self.records.values().filter(|settled| !**settled).count() as u64
    }

    fn forget(&mut self, p: u32, keep_below: i64) {
        self.records.retain(|(q, o), _| *q != p || *o < keep_below);
    }
}

const PARTITIONS: u32 = 3;

#[derive(Clone, Debug)]
enum Step {
    /// (partition, gap before the offset) of each record.
    Admit(Vec<(u32, i64)>),
    SettleRow(usize, u32),
    Settle(usize),
    AllBut(usize, Vec<u32>),
    Abandon(usize),
    Revoke(u32),
    Commit(i64),
    Rewind,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => prop::collection::vec((0..PARTITIONS, prop_oneof![3 => Just(0_i64), 1 => 1..4_i64]), 1..80).prop_map(Step::Admit),
        6 => (0..4_usize, 0..80_u32).prop_map(|(t, r)| Step::SettleRow(t, r)),
        4 => (0..4_usize).prop_map(Step::Settle),
        1 => ((0..4_usize), prop::collection::vec(0..80_u32, 0..4)).prop_map(|(t, rows)| Step::AllBut(t, rows)),
        1 => (0..4_usize).prop_map(Step::Abandon),
        1 => (0..PARTITIONS).prop_map(Step::Revoke),
        2 => (0..3_i64).prop_map(Step::Commit),
        1 => Just(Step::Rewind),
    ]
}

type Admitted = (Ticket, Vec<(u32, i64)>, [u32; PARTITIONS as usize]);

/// Ledger and model side by side.
struct Pair {
    ledger: SinkLedger,
    naive: Naive,
    next: [i64; PARTITIONS as usize],
    /// Tickets with their records and, per partition, the generation in which they were admitted.
    tickets: Vec<Admitted>,
    generation: [u32; PARTITIONS as usize],
}

impl Pair {
    fn new() -> Self {
        let mut ledger = SinkLedger::new();
        ledger.assign(&(0..PARTITIONS).map(|p| at(p, -1)).collect::<Vec<_>>());
        Self { ledger, naive: Naive::default(), next: [0; 3], tickets: Vec::new(), generation: [0; 3] }
    }

    fn is_live(&self, ticket: usize, p: u32) -> bool {
        self.tickets[ticket].2[p as usize] == self.generation[p as usize]
    }

    fn apply(&mut self, step: Step) {
        match step {
            Step::Admit(records) => self.admit(&records),
            Step::SettleRow(ticket, row) if ticket < self.tickets.len() => {
                let Some(&(p, o)) = self.tickets[ticket].1.get(row as usize) else { return };
                let open = self.is_live(ticket, p) && self.naive.records.get(&(p, o)) == Some(&false);
                assert_eq!(self.ledger.settle_row(&self.tickets[ticket].0, row, Verdict::Filtered), open);
                if open {
                    self.naive.records.insert((p, o), true);
                }
            }
            Step::Settle(ticket) if ticket < self.tickets.len() => self.settle(ticket, None),
            Step::AllBut(ticket, rows) if ticket < self.tickets.len() => self.settle(ticket, Some(&rows)),
            Step::Abandon(ticket) if ticket < self.tickets.len() => self.abandon(ticket),
            Step::Revoke(p) => {
                self.ledger.revoke(&[place(p)]);
                self.ledger.assign(&[at(p, -1)]);
                self.generation[p as usize] += 1;
                self.naive.forget(p, i64::MIN);
                self.naive.committed.remove(&p);
            }
            Step::Commit(less) => self.commit(less),
            Step::Rewind => {
                let back = self.ledger.rewind();
                for p in 0..PARTITIONS {
                    self.generation[p as usize] += 1;
                    let committed = self.naive.committed.get(&p).copied();
                    self.naive.forget(p, committed.unwrap_or(i64::MIN));
                    let told = back.iter().find(|b| b.place.partition == p).map(|b| b.next_offset);
                    assert!(committed.is_none() || told == committed);
                    self.next[p as usize] = told.unwrap_or(self.next[p as usize]);
                }
            }
            _ => {}
        }
    }

    fn admit(&mut self, wanted: &[(u32, i64)]) {
        let records: Vec<(u32, i64)> = wanted
            .iter()
            .map(|(p, gap)| {
                let next = &mut self.next[*p as usize];
                *next += gap + 1;
                (*p, *next - 1)
            })
            .collect();
        let ticket = self.ledger.admit(&batch(&records)).unwrap();
        self.naive.records.extend(records.iter().map(|record| (*record, false)));
        self.tickets.push((ticket, records, self.generation));
    }

    fn settle(&mut self, index: usize, but: Option<&[u32]>) {
        let live: Vec<bool> = (0..PARTITIONS).map(|p| self.is_live(index, p)).collect();
        let (ticket, records, _) = self.tickets.remove(index);
        for (row, (p, o)) in (0_u32..).zip(&records) {
            if live[*p as usize] && !but.is_some_and(|but| but.contains(&row)) {
                self.naive.records.insert((*p, *o), true);
            }
        }
        match but {
            None => drop(self.ledger.settle(ticket, Verdict::Delivered)),
            Some(but) => self.ledger.settle_all_but(ticket, but, Verdict::Delivered),
        }
    }

    fn abandon(&mut self, index: usize) {
        let live: Vec<bool> = (0..PARTITIONS).map(|p| self.is_live(index, p)).collect();
        let (ticket, records, _) = self.tickets.remove(index);
        let back = self.ledger.abandon(ticket);
        for p in (0..PARTITIONS).filter(|p| live[*p as usize] && records.iter().any(|(q, _)| q == p)) {
            let told = back.iter().find(|b| b.place.partition == p).unwrap().next_offset;
            // What was committed may lie in a gap behind the last settled record.
            let settled = self.naive.settled_next(p).max(self.naive.committed.get(&p).copied());
            assert!(settled.is_none_or(|next| told == next), "partition {p} goes on at {told}, settled is {settled:?}");
            self.generation[p as usize] += 1;
            self.naive.forget(p, told);
            self.next[p as usize] = told;
        }
    }

    fn commit(&mut self, less: i64) {
        let question = self.ledger.committable();
        let answer: Vec<_> = question
            .offsets()
            .iter()
            .map(|o| PartitionOffset { next_offset: o.next_offset - less, ..o.clone() })
            .collect();
        let agreed = question.agree(&answer).unwrap();
        self.ledger.committed(&agreed);
        for item in agreed.offsets() {
            let committed = self.naive.committed.entry(item.place.partition).or_insert(-1);
            *committed = (*committed).max(item.next_offset);
        }
    }
}

proptest! {
    #[test]
    fn the_sink_ledger_agrees_with_a_model_of_single_records(steps in prop::collection::vec(step(), 1..60)) {
        let mut pair = Pair::new();
        for step in steps {
            pair.apply(step);
            prop_assert_eq!(committable(&pair.ledger), pair.naive.committable());
            prop_assert_eq!(pair.ledger.load().records, pair.naive.open());
        }
        while !pair.tickets.is_empty() {
            pair.settle(0, None);
        }
        prop_assert_eq!(pair.ledger.load().bytes, 0);
    }

    #[test]
    fn a_source_position_waits_for_every_row_before_it(
        batches in prop::collection::vec((0..20_u32, prop::collection::vec((0..3_u32, 0..22_u32), 0..4)), 1..8),
        order in prop::collection::vec((0..8_usize, 0..20_u32), 0..200),
    ) {
        let mut ledger = SourceLedger::new();
        let mut open: Vec<Vec<bool>> = Vec::new();
        let mut waiting: Vec<(usize, u32, Position)> = Vec::new();
        let mut tickets = Vec::new();
        for (number, (rows, positions)) in batches.into_iter().enumerate() {
            let mut rising: Vec<u32> = positions.iter().map(|(_, row)| *row).collect();
            rising.sort_unstable();
            let named = positions.iter().zip(&rising).enumerate().map(|(i, ((p, _), row))| {
                let offset: Arc<str> = format!("{number}-{i}").into();
                let after = if *row >= 20 { u32::MAX } else { *row };
                (Position { partition: p.to_string().into(), offset: Some(offset) }, after)
            });
            // "With no row" comes first, as it waits for the least.
            let mut named: Vec<_> = named.collect();
            named.sort_by_key(|(_, after)| after.wrapping_add(1));
            waiting.extend(named.iter().map(|(p, after)| (number, after.wrapping_add(1).min(rows), p.clone())));
            open.push(vec![true; rows as usize]);
            tickets.push(ledger.admit(rows, u64::from(rows), named, Vec::new()));
        }
        for (ticket, row) in order {
            let Some(rows) = open.get_mut(ticket) else { continue };
            let was_open = rows.get(row as usize).copied().unwrap_or(false);
            prop_assert_eq!(ledger.settle_row(&tickets[ticket], row), was_open);
            if was_open {
                rows[row as usize] = false;
            }
        }
        let ready = |(number, rows, _): &&(usize, u32, Position)| {
            open[..*number].iter().flatten().all(|o| !o) && open[*number][..*rows as usize].iter().all(|o| !o)
        };
        let mut expected: BTreeMap<Arc<str>, Position> = BTreeMap::new();
        waiting.iter().filter(ready).for_each(|(_, _, p)| drop(expected.insert(p.partition.clone(), p.clone())));
        let taken = ledger.take();
        let stored: BTreeMap<Arc<str>, Position> = match taken {
            None => BTreeMap::new(),
            Some(positions) => positions.list().into_iter().map(|p| (p.partition.clone(), p)).collect(),
        };
        prop_assert_eq!(stored, expected);
        prop_assert_eq!(ledger.load().records, open.iter().flatten().filter(|o| **o).count() as u64);
        for ticket in tickets {
            ledger.settle(ticket);
        }
        prop_assert_eq!(ledger.load(), Load::default());
    }
}

#[test]
fn a_guest_that_agrees_to_more_or_to_others_is_refused() {
    let ask = || Committable(vec![at(0, 5), at(1, 7)]);
    assert_eq!(ask().agree(&[at(0, 5), at(1, 6)]).unwrap().offsets(), [at(0, 5), at(1, 6)]);
    assert!(ask().agree(&[]).unwrap().is_empty());
    assert!(ask().agree(&[at(0, -1)]).unwrap().is_empty());
    assert!(matches!(ask().agree(&[at(0, 6)]), Err(AgreeError::TooFar { answered: 6, asked: 5, .. })));
    assert!(matches!(ask().agree(&[at(2, 1)]), Err(AgreeError::NotAsked { .. })));
    assert!(matches!(ask().agree(&[at(0, 1), at(0, 1)]), Err(AgreeError::Twice { .. })));
}

#[test]
fn a_record_of_a_partition_that_is_not_assigned_is_refused_whole() {
    let mut ledger = SinkLedger::new();
    ledger.assign(&[at(0, 0)]);
    assert_eq!(ledger.admit(&batch(&[(0, 0), (1, 0)])).unwrap_err().place, place(1));
    assert_eq!(ledger.load(), Load::default());
    let ticket = ledger.admit(&batch(&[(0, 0)])).unwrap();
    ledger.settle(ticket, Verdict::Delivered);
    assert_eq!(committable(&ledger), [(0, 1)]);
}

#[test]
fn positions_that_could_not_be_stored_come_back_and_newer_ones_win() {
    let position = |o: &str| Position { partition: "p".into(), offset: Some(o.into()) };
    let mut ledger = SourceLedger::new();
    let _empty = ledger.admit(0, 0, vec![(position("1"), u32::MAX)], vec![]);
    let old = ledger.take().unwrap();
    let _empty = ledger.admit(0, 0, vec![(position("2"), 0)], vec![]);
    ledger.put_back(old);
    assert_eq!(ledger.take().unwrap().list(), [position("2")]);
    assert!(ledger.take().is_none());
}
