//! The world of a sink task: a topic, a consumer group, a target, a dead-letter queue.
//!
//! Enters: calls of the ports. Leaves: records, faults, rebalances by chance. Invariant: it checks the laws where they could
//! break: at each commit (L1), at each `put` (L2, L5), at each control call.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use lockgate_model::batch::{Batch, Row};
use lockgate_model::fault::{Fault, FaultKind, GuestError, KafkaFault, PluginError, PluginFailure, RowFault};
use lockgate_model::ledger::Agreed;
use lockgate_model::place::{PartitionOffset, Position, TopicPartition};
use lockgate_model::ports::{
    ApplyPort, BatchLimits, Fetch, Fetched, OpenApply, OpenSink, Produce, Receipt, SinkPort, TopicCreation,
};

use super::seeds::{Chance, fate};

mod chain;
mod consumer;
mod target;

pub use chain::{SimApplyDoor, SimLetters};
pub use consumer::SimFetch;
pub use target::SimSinkDoor;

/// What a seed decides once.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a decision of its own")]
pub struct Plan {
    pub partitions: u32,
    pub records: i64,
    pub limits: BatchLimits,
    pub chain: bool,
    /// The target keeps what it takes in memory until `prepare-commit`.
    pub buffers: bool,
    /// Some records can never be transformed or put.
    pub bad: bool,
    pub letters: bool,
}

/// What is going to become of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Good,
    Filtered,
    NeverApplied,
    NeverPut,
    LaterApplied,
    LaterPut,
    Split,
}

#[derive(Default)]
pub struct Facts {
    pub committed: BTreeMap<u32, i64>,
    pub durable: BTreeSet<(u32, i64)>,
    pub dead: BTreeSet<(u32, i64)>,
    /// How often each "later" record has failed.
    tries: BTreeMap<(u32, i64, bool), u64>,
    last_put: BTreeMap<u32, i64>,
    pub commits: u64,
    pub rebalances: u64,
}

#[derive(Clone)]
pub struct SinkWorld {
    pub chance: Chance,
    pub plan: Plan,
    logs: Arc<Vec<Vec<i64>>>,
    facts: Arc<Mutex<Facts>>,
    /// One call in about so many fails; 0 = calm.
    pub trouble: Arc<Mutex<u32>>,
}

impl SinkWorld {
    pub fn new(seed: u64) -> Self {
        let chance = Chance::new(seed);
        let plan = Plan {
            partitions: 1 + u32::try_from(chance.below(4)).unwrap(),
            records: 20 + i64::try_from(chance.below(150)).unwrap(),
            limits: BatchLimits { records_max: 1 + u32::try_from(chance.below(40)).unwrap(), bytes_max: 4096 },
            chain: chance.one_in(2),
            buffers: chance.one_in(2),
            bad: chance.one_in(2),
            letters: chance.one_in(2),
        };
        // Offsets have gaps, as compaction and transactions leave them.
        let log = |p: u32| {
            let mut next = 0;
            let mut offset = |i: i64| {
                next += if fate(u64::from(p), i.unsigned_abs()).is_multiple_of(5) { 3 } else { 1 };
                next
            };
            (0..plan.records).map(&mut offset).collect()
        };
        let logs = Arc::new((0..plan.partitions).map(log).collect());
        Self { chance, plan, logs, facts: Arc::default(), trouble: Arc::default() }
    }

    pub fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap()
    }

    pub fn fate(&self, p: u32, o: i64) -> Fate {
        match (fate(u64::from(p) + 77, o.unsigned_abs()) % 16, self.plan.chain, self.plan.bad) {
            (0, true, _) => Fate::Filtered,
            (1, true, true) => Fate::NeverApplied,
            (2, _, true) => Fate::NeverPut,
            (3, true, _) => Fate::LaterApplied,
            (4, _, _) => Fate::LaterPut,
            (5, true, _) => Fate::Split,
            _ => Fate::Good,
        }
    }

    /// One in `rarity` calls at full trouble.
    fn strikes(&self, rarity: u32) -> bool {
        let trouble = *self.trouble.lock().unwrap();
        trouble > 0 && self.chance.one_in(rarity * trouble)
    }

    async fn wait_ms(&self, below: u64) {
        let ms = self.chance.below(below);
        if ms > 0 {
            tokio::time::sleep(Duration::from_millis(ms)).await;
        }
    }

    /// A "later" record fails twice, then never again.
    fn fails_for_now(&self, p: u32, o: i64, put: bool) -> bool {
        let mut facts = self.facts();
        let tries = facts.tries.entry((p, o, put)).or_default();
        *tries += 1;
        *tries <= 2
    }

    pub fn end(&self, p: u32) -> i64 {
        self.logs[p as usize].last().map_or(0, |o| o + 1)
    }

    pub fn is_all_committed(&self) -> bool {
        let facts = self.facts();
        (0..self.plan.partitions).all(|p| facts.committed.get(&p) == Some(&self.end(p)))
    }

    /// L1.
    pub fn check_settled(&self, facts: &Facts, p: u32, next: i64) {
        for &o in self.logs[p as usize].iter().filter(|o| **o < next) {
            let dead = facts.dead.contains(&(p, o));
            let settled = facts.durable.contains(&(p, o)) || dead;
            let fine = match self.fate(p, o) {
                Fate::Filtered => true,
                Fate::NeverApplied | Fate::NeverPut => dead || !self.plan.letters,
                _ => settled,
            };
            assert!(
                fine,
                "L1: offset {next} of partition {p} is committed, but record {o} ({:?}) is not settled",
                self.fate(p, o)
            );
        }
    }
}

pub fn place(p: u32) -> TopicPartition {
    TopicPartition { topic: "t".into(), partition: p }
}

fn identity(batch: &Batch, row: &Row) -> (u32, i64) {
    let text = std::str::from_utf8(batch.bytes(row.value).unwrap()).unwrap();
    let (p, o) = text.split_once(':').unwrap();
    (p.parse().unwrap(), o.parse().unwrap())
}

pub fn kafka_fault() -> KafkaFault {
    KafkaFault { retriable: true, code: "transport".into(), message: "the broker is away".into() }
}

pub fn retriable(delay_ms: u64) -> GuestError {
    let kind = FaultKind::Retriable(Duration::from_millis(delay_ms));
    GuestError::Fault(Fault { kind, code: "sim.busy".into(), message: "later".into(), detail: String::new() })
}

pub fn trap(call: &'static str) -> GuestError {
    GuestError::Plugin(Box::new(PluginError {
        package: "sim".into(),
        version: "1".into(),
        class: "Sim".into(),
        call,
        failure: PluginFailure::Trap("unreachable".into()),
        backtrace: Vec::new(),
    }))
}

fn row_fault(row: usize, retriable: bool) -> RowFault {
    let (code, message) = ("sim.row".to_owned(), "this row".to_owned());
    RowFault { row: u32::try_from(row).unwrap(), step: 0, retriable, code, message }
}
