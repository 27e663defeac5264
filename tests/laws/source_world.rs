//! The world of a source task: an upstream that may forget what it was told is durable, a topic, a producer.
//!
//! Enters: calls of the ports. Leaves: records, positions, faults by chance. Invariant: it checks the laws where they could
//! break: at each stored position (L1), when the guest is told (L3), and over the topic (L2).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use lockgate_model::batch::{Batch, Row};
use lockgate_model::fault::{Fault, FaultKind, GuestError, KafkaFault, RowFault};
use lockgate_model::place::Position;
use lockgate_model::ports::{
    ApplyPort, BatchLimits, Next, OpenApply, OpenSource, Polled, Produce, Receipt, SourcePort, TopicCreation,
};

use super::seeds::{Chance, fate};
use super::sink_world::{kafka_fault, retriable, trap};
use super::store::Store;

mod chain;

pub use chain::SimFilterDoor;

/// What a seed decides once.
#[derive(Clone, Debug)]
pub struct Plan {
    pub partitions: u32,
    pub records: u64,
    pub limits: BatchLimits,
    pub chain: bool,
    pub bad: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Good,
    Filtered,
    NeverApplied,
    NeverProduced,
    LaterApplied,
}

#[derive(Default)]
pub struct Facts {
    /// What a reader of the topic sees, in order.
    pub topic: Vec<(u32, u64)>,
    tries: BTreeMap<(u32, u64), u64>,
    /// What the upstream was told: it forgets everything before.
    pub told: BTreeMap<u32, u64>,
    pub polled_max: usize,
}

#[derive(Clone)]
pub struct SourceWorld {
    pub chance: Chance,
    pub plan: Plan,
    pub store: Store,
    facts: Arc<Mutex<Facts>>,
    pub trouble: Arc<Mutex<u32>>,
    made: Arc<Mutex<BTreeSet<String>>>,
}

impl SourceWorld {
    pub fn new(seed: u64) -> Self {
        let chance = Chance::new(seed ^ 0x5eed);
        let plan = Plan {
            partitions: 1 + u32::try_from(chance.below(3)).unwrap(),
            records: 20 + chance.below(150),
            limits: BatchLimits { records_max: 1 + u32::try_from(chance.below(40)).unwrap(), bytes_max: 4096 },
            chain: chance.one_in(2),
            bad: chance.one_in(2),
        };
        let store = Store::new(chance.clone());
        let world = Self {
            chance,
            plan,
            store: store.clone(),
            facts: Arc::default(),
            trouble: Arc::default(),
            made: Arc::default(),
        };
        let watching = world.clone();
        *store.watch.lock().unwrap() = Some(Box::new(move |positions| watching.check_stored(positions)));
        world
    }

    pub fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap()
    }

    pub fn fate(&self, p: u32, seq: u64) -> Fate {
        match (fate(u64::from(p) + 99, seq) % 16, self.plan.chain, self.plan.bad) {
            (0 | 6 | 7, true, _) => Fate::Filtered,
            (1, true, true) => Fate::NeverApplied,
            (2, _, true) => Fate::NeverProduced,
            (3, true, _) => Fate::LaterApplied,
            _ => Fate::Good,
        }
    }

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

    pub fn is_needed(&self, p: u32, seq: u64) -> bool {
        matches!(self.fate(p, seq), Fate::Good | Fate::LaterApplied)
    }

    pub fn is_all_stored(&self) -> bool {
        (0..self.plan.partitions).all(|p| self.store.offset(&name(p)) == self.plan.records)
    }

    /// L1.
    fn check_stored(&self, positions: &[Position]) {
        let facts = self.facts();
        let there: BTreeSet<(u32, u64)> = facts.topic.iter().copied().collect();
        for position in positions {
            let (Some(p), Some(next)) = (number(&position.partition), position.offset.as_deref()) else { continue };
            for seq in 0..next.parse::<u64>().unwrap() {
                let fine = !self.is_needed(p, seq) || there.contains(&(p, seq));
                assert!(
                    fine,
                    "L1: position {next} of source partition {p} is stored, but record {seq} is not in the topic"
                );
            }
        }
    }

    /// L2: whoever reads to the end and keeps the last of each record has them in order.
    pub fn check_order(&self) {
        let facts = self.facts();
        let mut last: BTreeMap<(u32, u64), usize> = BTreeMap::new();
        last.extend(facts.topic.iter().enumerate().map(|(at, record)| (*record, at)));
        for p in 0..self.plan.partitions {
            // What stands behind the stored position will be written again.
            let stored = self.store.offset(&name(p));
            let ats: Vec<usize> = last.range((p, 0)..(p, stored)).map(|(_, at)| *at).collect();
            assert!(ats.is_sorted(), "L2: records of source partition {p} are out of order");
        }
    }
}

fn name(p: u32) -> String {
    format!("{{\"p\":{p}}}")
}

fn number(partition: &str) -> Option<u32> {
    partition.strip_prefix("{\"p\":")?.strip_suffix('}')?.parse().ok()
}

fn identity(batch: &Batch, row: &Row) -> (u32, u64) {
    let text = std::str::from_utf8(batch.bytes(row.value).unwrap()).unwrap();
    let (p, seq) = text.split_once(':').unwrap();
    (p.parse().unwrap(), seq.parse().unwrap())
}

// --- the upstream ---

pub struct SimSource {
    world: SourceWorld,
    next: BTreeMap<u32, u64>,
    over: bool,
}

#[derive(Clone)]
pub struct SimSourceDoor(pub SourceWorld);

impl OpenSource for SimSourceDoor {
    type Port = SimSource;

    async fn open(&self, positions: &[Position]) -> Result<SimSource, GuestError> {
        self.0.wait_ms(5).await;
        if self.0.strikes(5) {
            return Err(retriable(10));
        }
        let mut next: BTreeMap<u32, u64> = (0..self.0.plan.partitions).map(|p| (p, 0)).collect();
        for position in positions {
            if let (Some(p), Some(offset)) = (number(&position.partition), position.offset.as_deref()) {
                next.insert(p, offset.parse().unwrap());
            }
        }
        for (p, from) in &next {
            let told = self.0.facts().told.get(p).copied().unwrap_or(0);
            assert!(
                *from >= told,
                "L3: partition {p} begins at {from}, but the upstream has forgotten all before {told}"
            );
        }
        Ok(SimSource { world: self.0.clone(), next, over: false })
    }
}

impl SimSource {
    fn read(&mut self, into: &mut Batch, limits: BatchLimits) -> Vec<(Position, u32)> {
        let mut positions = Vec::new();
        let chance = self.world.chance.clone();
        for (&p, next) in &mut self.next {
            let some = chance.below(15).min(self.world.plan.records - *next);
            for _ in 0..some {
                if into.len() >= limits.records_max as usize {
                    break;
                }
                let value = into.push_bytes(Some(format!("{p}:{next}").as_bytes()));
                let topic = into.topic_index(&format!("topic{}", p % 2).into());
                let source_row = u32::try_from(into.len()).unwrap();
                into.rows.push(row(topic, value, source_row));
                *next += 1;
                // Some guests give a position per record, some one per batch.
                if chance.one_in(6) {
                    positions.push((position(p, *next), source_row));
                }
            }
        }
        let last = u32::try_from(into.len()).unwrap().wrapping_sub(1);
        positions.extend(self.next.iter().map(|(p, next)| (position(*p, *next), last)));
        positions
    }
}

fn position(p: u32, next: u64) -> Position {
    Position { partition: name(p).into(), offset: Some(next.to_string().into()) }
}

fn row(topic: u32, value: lockgate_model::Span, source_row: u32) -> Row {
    Row {
        offset: -1,
        timestamp: -1,
        partition: Row::ANY_PARTITION,
        topic,
        key: lockgate_model::Span::NULL,
        value,
        header_first: 0,
        header_count: 0,
        source_row,
        flags: 0,
        key_schema: 0,
        value_schema: 0,
    }
}

impl SourcePort for SimSource {
    async fn poll(&mut self, into: &mut Batch, limits: BatchLimits) -> Result<Polled, GuestError> {
        assert!(!self.over, "an instance was called after it had trapped");
        assert!(into.is_empty());
        self.world.wait_ms(if self.world.chance.one_in(10) { 1_000 } else { 20 }).await;
        if self.world.strikes(12) {
            return Err(retriable(self.world.chance.below(300)));
        }
        if self.world.strikes(50) {
            self.over = true;
            return Err(trap("poll"));
        }
        let positions = self.read(into, limits);
        let next = match self.world.chance.below(6) {
            0 => Next::After(u32::try_from(self.world.chance.below(2_000)).unwrap()),
            1 if into.is_empty() => Next::Done,
            _ if into.is_empty() => Next::After(100),
            _ => Next::Now,
        };
        Ok(Polled { positions, next })
    }

    async fn committed(&mut self, positions: &[Position]) -> Result<(), GuestError> {
        assert!(!self.over, "an instance was called after it had trapped");
        assert!(!positions.is_empty());
        for item in positions {
            let p = number(&item.partition).unwrap();
            let told: u64 = item.offset.as_deref().unwrap().parse().unwrap();
            let stored = self.world.store.offset(&item.partition);
            assert!(stored >= told, "L3: partition {p} was told {told}, but {stored} is stored");
            let mut facts = self.world.facts();
            let before = facts.told.insert(p, told).unwrap_or(0);
            assert!(told >= before, "partition {p} was told {told} after {before}");
        }
        self.world.wait_ms(10).await;
        if self.world.strikes(5) { Err(retriable(1)) } else { Ok(()) }
    }

    fn take_state(&mut self) -> Vec<Position> {
        Vec::new()
    }

    async fn close(self) -> Result<(), GuestError> {
        assert!(!self.over, "an instance was closed after it had trapped");
        Ok(())
    }
}

// --- the producer ---

impl Produce for SourceWorld {
    async fn produce(&self, batch: &Batch) -> Result<impl Future<Output = Receipt> + Send + 'static, KafkaFault> {
        self.wait_ms(5).await;
        if self.strikes(8) {
            return Err(kafka_fault());
        }
        let mut receipt = Receipt::default();
        {
            let made = self.made.lock().unwrap();
            let mut facts = self.facts();
            for (index, row) in (0_u32..).zip(&batch.rows) {
                assert!(made.contains(&**batch.topic(row)), "a record went to a topic that nobody made");
                let (p, seq) = identity(batch, row);
                if self.fate(p, seq) == Fate::NeverProduced {
                    let (code, message) = ("message-too-large".into(), "too large".into());
                    receipt.failed.push((index, KafkaFault { retriable: false, code, message }));
                } else if self.strikes(60) {
                    receipt.failed.push((index, kafka_fault()));
                } else {
                    facts.topic.push((p, seq));
                }
            }
            facts.polled_max = facts.polled_max.max(batch.len());
        }
        let world = self.clone();
        Ok(async move {
            world.wait_ms(400).await;
            receipt
        })
    }

    async fn ensure_topic(&self, topic: &str, _creation: &TopicCreation) -> Result<(), KafkaFault> {
        self.wait_ms(5).await;
        if self.strikes(4) {
            return Err(kafka_fault());
        }
        self.made.lock().unwrap().insert(topic.to_owned());
        Ok(())
    }
}
