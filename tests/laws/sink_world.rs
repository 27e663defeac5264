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

// --- the consumer ---

pub struct SimFetch {
    world: SinkWorld,
    control: VecDeque<Fetched>,
    /// Position and whether it is paused.
    started: BTreeMap<u32, (i64, bool)>,
    to_start: BTreeSet<u32>,
    leaving: BTreeSet<u32>,
    lost: BTreeSet<u32>,
    away: BTreeSet<u32>,
}

impl SimFetch {
    /// A new member of the group, to which all partitions go.
    pub fn new(world: &SinkWorld) -> Self {
        let mut fetch = Self {
            world: world.clone(),
            control: VecDeque::new(),
            started: BTreeMap::new(),
            to_start: BTreeSet::new(),
            leaving: BTreeSet::new(),
            lost: BTreeSet::new(),
            away: (0..world.plan.partitions).collect(),
        };
        fetch.come_back();
        fetch
    }

    fn come_back(&mut self) {
        let away = std::mem::take(&mut self.away);
        let facts = self.world.facts();
        let at = |p: &u32| PartitionOffset { place: place(*p), next_offset: *facts.committed.get(p).unwrap_or(&-1) };
        self.control.push_back(Fetched::Assigned(away.iter().map(at).collect()));
        drop(facts);
        self.to_start = away;
    }

    fn rebalance(&mut self) {
        let settled = self.leaving.is_empty() && self.to_start.is_empty();
        if settled && !self.started.is_empty() && self.world.strikes(30) {
            let gone: Vec<u32> = self.started.keys().copied().filter(|_| self.world.chance.one_in(2)).collect();
            if gone.is_empty() {
                return;
            }
            self.world.facts().rebalances += 1;
            self.leaving = gone.iter().copied().collect();
            let places = gone.iter().map(|p| place(*p)).collect();
            if self.world.chance.one_in(3) {
                self.lost = self.leaving.clone();
                self.control.push_back(Fetched::Lost(places));
            } else {
                self.control.push_back(Fetched::Revoked(places));
            }
        } else if settled && !self.away.is_empty() && self.world.chance.one_in(5) {
            self.come_back();
        }
    }

    fn fill(&mut self, into: &mut Batch, limits: BatchLimits) -> usize {
        let mut filled = 0;
        let topic: Arc<str> = "t".into();
        let started = self.started.iter_mut().filter(|(p, (_, paused))| !paused && !self.leaving.contains(p));
        for (&p, (position, _)) in started {
            let some = 1 + self.world.chance.below(12);
            let from = *position;
            let ready = self.world.logs[p as usize].iter().filter(|o| **o >= from);
            for &offset in ready.take(usize::try_from(some).unwrap()) {
                if into.len() >= limits.records_max as usize || into.data.len() >= limits.bytes_max as usize {
                    return filled;
                }
                let value = into.push_bytes(Some(format!("{p}:{offset}").as_bytes()));
                let mut row = bytemuck_row();
                row.topic = into.topic_index(&topic);
                (row.offset, row.timestamp, row.partition, row.value) = (offset, offset * 10, p, value);
                row.source_row = u32::try_from(into.len()).unwrap();
                into.rows.push(row);
                *position = offset + 1;
                filled += 1;
            }
        }
        filled
    }

    /// L1, where it counts.
    fn record_commit(&self, agreed: &Agreed) {
        let mut facts = self.world.facts();
        for item in agreed.offsets() {
            let p = item.place.partition;
            assert!(
                self.started.contains_key(&p) && !self.lost.contains(&p),
                "committed partition {p}, which is not ours"
            );
            self.world.check_settled(&facts, p, item.next_offset);
            facts.committed.insert(p, item.next_offset);
        }
        facts.commits += 1;
    }

    fn move_to(&mut self, item: &PartitionOffset) {
        let p = item.place.partition;
        self.started.insert(p, (item.next_offset.max(0), false));
        self.world.facts().last_put.remove(&p);
    }
}

fn bytemuck_row() -> Row {
    Row {
        offset: 0,
        timestamp: 0,
        partition: 0,
        topic: 0,
        key: lockgate_model::Span::NULL,
        value: lockgate_model::Span::NULL,
        header_first: 0,
        header_count: 0,
        source_row: 0,
        flags: 0,
        key_schema: 0,
        value_schema: 0,
    }
}

impl Fetch for SimFetch {
    async fn next(&mut self, into: &mut Batch, limits: BatchLimits) -> Result<Fetched, KafkaFault> {
        let most = self.world.plan.limits.records_max as usize + 64;
        assert!(into.len() <= most, "L5: the batch being built has {} rows", into.len());
        loop {
            self.rebalance();
            if let Some(event) = self.control.pop_front() {
                return Ok(event);
            }
            if self.world.strikes(40) {
                return if self.world.chance.one_in(2) {
                    Ok(Fetched::Trouble(kafka_fault()))
                } else {
                    Err(kafka_fault())
                };
            }
            let filled = self.fill(into, limits);
            if filled > 0 {
                return Ok(Fetched::Records(filled));
            }
            tokio::time::sleep(Duration::from_millis(1 + self.world.chance.below(30))).await;
        }
    }

    fn start(&mut self, at: &[PartitionOffset]) -> Result<(), KafkaFault> {
        for item in at {
            let p = item.place.partition;
            assert!(self.to_start.remove(&p), "partition {p} was started without being assigned");
            self.move_to(item);
        }
        assert!(self.to_start.is_empty(), "partitions {:?} were never started", self.to_start);
        Ok(())
    }

    fn release(&mut self, partitions: &[TopicPartition]) -> Result<(), KafkaFault> {
        for item in partitions {
            let p = item.partition;
            assert!(self.leaving.remove(&p), "partition {p} was released without being revoked");
            self.started.remove(&p);
            self.away.insert(p);
        }
        self.lost.clear();
        Ok(())
    }

    fn pause(&mut self) -> Result<(), KafkaFault> {
        self.started.values_mut().for_each(|(_, paused)| *paused = true);
        Ok(())
    }

    fn resume(&mut self) -> Result<(), KafkaFault> {
        self.started.values_mut().for_each(|(_, paused)| *paused = false);
        Ok(())
    }

    fn seek(&mut self, to: &[PartitionOffset]) -> Result<(), KafkaFault> {
        for item in to {
            let p = item.place.partition;
            assert!(!self.leaving.contains(&p), "partition {p} was sought while it is given up");
            let paused = self.started.get(&p).is_some_and(|(_, paused)| *paused);
            assert!(self.started.contains_key(&p), "partition {p} was sought without being started");
            self.move_to(item);
            self.started.insert(p, (item.next_offset, paused));
        }
        Ok(())
    }

    async fn commit(&mut self, agreed: &Agreed) -> Result<(), KafkaFault> {
        self.world.wait_ms(20).await;
        let fails = self.world.strikes(4);
        if fails && self.world.chance.one_in(2) {
            return Err(kafka_fault());
        }
        self.record_commit(agreed);
        self.world.wait_ms(20).await;
        if fails { Err(kafka_fault()) } else { Ok(()) }
    }

    fn lag(&self) -> Option<i64> {
        None
    }

    async fn close(self) {}
}

// --- the target ---

pub struct SimSink {
    world: SinkWorld,
    over: bool,
    held: Vec<(u32, i64)>,
}

#[derive(Clone)]
pub struct SimSinkDoor(pub SinkWorld);

impl OpenSink for SimSinkDoor {
    type Port = SimSink;

    async fn open(&self, _state: &[Position]) -> Result<SimSink, GuestError> {
        self.0.wait_ms(5).await;
        if self.0.strikes(5) {
            return Err(retriable(10));
        }
        self.0.facts().last_put.clear();
        Ok(SimSink { world: self.0.clone(), over: false, held: Vec::new() })
    }
}

impl SimSink {
    fn begin(&self) {
        assert!(!self.over, "an instance was called after it had trapped");
    }

    fn take(&mut self, record: (u32, i64)) {
        if self.world.plan.buffers {
            self.held.push(record);
        } else {
            self.world.facts().durable.insert(record);
        }
    }

    /// L2, but for rows that the target itself asked to get later.
    fn check_order(&self, batch: &Batch, bad: &[RowFault]) {
        let mut facts = self.world.facts();
        for (index, row) in batch.rows.iter().enumerate() {
            let (p, o) = identity(batch, row);
            assert_eq!((p, o), (row.partition, row.offset), "a row lost its coordinates");
            if self.world.fate(p, o) == Fate::LaterPut {
                continue;
            }
            let last = facts.last_put.get(&p).copied().unwrap_or(-1);
            let again = self.world.fate(p, o) == Fate::Split && o == last;
            assert!(o > last || again, "L2: record {o} of partition {p} was put after {last}");
            assert!(bad.iter().all(|f| f.row as usize != index || !f.retriable));
            facts.last_put.insert(p, o);
        }
    }
}

impl SinkPort for SimSink {
    async fn assigned(&mut self, partitions: &[PartitionOffset]) -> Result<Vec<PartitionOffset>, GuestError> {
        self.begin();
        self.world.wait_ms(10).await;
        assert!(!partitions.is_empty());
        if self.world.strikes(8) {
            return Err(retriable(5));
        }
        // A target that keeps offsets itself may want records again.
        let again = partitions.iter().filter(|p| p.next_offset > 0 && self.world.strikes(3));
        Ok(again.map(|p| PartitionOffset { place: p.place.clone(), next_offset: p.next_offset - 1 }).collect())
    }

    async fn revoked(&mut self, partitions: &[TopicPartition]) -> Result<(), GuestError> {
        self.begin();
        self.world.wait_ms(10).await;
        self.held.retain(|(p, _)| partitions.iter().all(|item| item.partition != *p));
        Ok(())
    }

    async fn put(&mut self, batch: &Batch) -> Result<Vec<RowFault>, GuestError> {
        self.begin();
        assert!(!batch.is_empty(), "an empty batch was put");
        assert!(
            batch.len() <= 2 * (self.world.plan.limits.records_max as usize + 64),
            "L5: {} rows in one put",
            batch.len()
        );
        self.world.wait_ms(if self.world.chance.one_in(10) { 3_000 } else { 30 }).await;
        if self.world.strikes(10) {
            for row in batch.rows.iter().take(usize::try_from(self.world.chance.below(4)).unwrap()) {
                self.take(identity(batch, row));
            }
            return Err(retriable(self.world.chance.below(400)));
        }
        if self.world.strikes(40) {
            self.over = true;
            return Err(trap("put"));
        }
        let mut bad = Vec::new();
        for (index, row) in batch.rows.iter().enumerate() {
            let (p, o) = identity(batch, row);
            match self.world.fate(p, o) {
                Fate::NeverPut => bad.push(row_fault(index, false)),
                Fate::LaterPut if self.world.fails_for_now(p, o, true) => bad.push(row_fault(index, true)),
                _ => self.take((p, o)),
            }
        }
        self.check_order(batch, &bad);
        self.world.wait_ms(10).await;
        if self.world.chance.one_in(2) || bad.is_empty() {
            return Ok(bad);
        }
        let kind = FaultKind::Rows(bad);
        Err(GuestError::Fault(Fault { kind, code: "sim".into(), message: "rows".into(), detail: String::new() }))
    }

    async fn prepare_commit(&mut self, offsets: &[PartitionOffset]) -> Result<Vec<PartitionOffset>, GuestError> {
        self.begin();
        assert!(!offsets.is_empty());
        self.world.wait_ms(30).await;
        if self.world.strikes(8) {
            return Err(retriable(self.world.chance.below(200)));
        }
        if self.world.strikes(60) {
            self.over = true;
            return Err(trap("prepare-commit"));
        }
        let mut agreed = Vec::new();
        for item in offsets {
            let p = item.place.partition;
            let mut next_offset = item.next_offset;
            if self.world.strikes(4) {
                next_offset = i64::try_from(self.world.chance.below(next_offset.unsigned_abs() + 1)).unwrap();
            } else if self.world.strikes(6) {
                continue;
            }
            let durable: Vec<_> = self.held.extract_if(.., |(q, o)| *q == p && *o < next_offset).collect();
            self.world.facts().durable.extend(durable);
            agreed.push(PartitionOffset { place: item.place.clone(), next_offset });
        }
        self.world.wait_ms(10).await;
        Ok(agreed)
    }

    fn take_state(&mut self) -> Vec<Position> {
        if self.world.strikes(3) {
            return vec![Position { partition: "state".into(), offset: Some("1".into()) }];
        }
        Vec::new()
    }

    async fn close(self) -> Result<(), GuestError> {
        self.begin();
        Ok(())
    }
}

// --- the chain ---

pub struct SimApply {
    world: SinkWorld,
    over: bool,
}

pub struct SimApplyDoor {
    pub world: SinkWorld,
    pub steps: Vec<(Arc<str>, Arc<str>)>,
}

impl OpenApply for SimApplyDoor {
    type Port = SimApply;

    async fn open(&self) -> Result<SimApply, GuestError> {
        Ok(SimApply { world: self.world.clone(), over: false })
    }

    fn steps(&self) -> &[(Arc<str>, Arc<str>)] {
        &self.steps
    }
}

impl ApplyPort for SimApply {
    async fn apply(&mut self, batch: &mut Batch) -> Result<Vec<RowFault>, GuestError> {
        assert!(!self.over, "a transform was called after it had trapped");
        assert!(!batch.is_empty(), "an empty batch was transformed");
        self.world.wait_ms(5).await;
        if self.world.strikes(60) {
            self.over = true;
            return Err(trap("apply"));
        }
        let mut failed = Vec::new();
        let mut rows = Vec::new();
        for (index, row) in batch.rows.iter().enumerate() {
            let (p, o) = identity(batch, row);
            let row = Row { source_row: u32::try_from(index).unwrap(), ..*row };
            match self.world.fate(p, o) {
                Fate::Filtered => {}
                Fate::NeverApplied => failed.push(row_fault(index, false)),
                Fate::LaterApplied if self.world.fails_for_now(p, o, false) => failed.push(row_fault(index, true)),
                Fate::Split => rows.extend([row, row]),
                _ => rows.push(row),
            }
        }
        if !failed.is_empty() && self.world.strikes(3) {
            let kind = FaultKind::Rows(failed);
            return Err(GuestError::Fault(Fault {
                kind,
                code: "sim".into(),
                message: "rows".into(),
                detail: String::new(),
            }));
        }
        batch.rows = rows;
        Ok(failed)
    }

    async fn close(self) -> Result<(), GuestError> {
        assert!(!self.over);
        Ok(())
    }
}

// --- the dead-letter queue ---

#[derive(Clone)]
pub struct SimLetters {
    pub world: SinkWorld,
    pub made: Arc<Mutex<BTreeSet<String>>>,
}

impl Produce for SimLetters {
    async fn produce(&self, batch: &Batch) -> Result<impl Future<Output = Receipt> + Send + 'static, KafkaFault> {
        self.world.wait_ms(5).await;
        if self.world.strikes(6) {
            return Err(kafka_fault());
        }
        assert!(batch.topics.iter().any(|t| self.made.lock().unwrap().contains(&**t)), "the queue was not made first");
        let records: Vec<(u32, i64)> = batch.rows.iter().map(|row| identity(batch, row)).collect();
        let world = self.world.clone();
        Ok(async move {
            world.wait_ms(50).await;
            let mut receipt = Receipt::default();
            for (index, record) in (0_u32..).zip(records) {
                if world.strikes(4) {
                    receipt.failed.push((index, kafka_fault()));
                } else {
                    world.facts().dead.insert(record);
                }
            }
            receipt
        })
    }

    async fn ensure_topic(&self, topic: &str, _creation: &TopicCreation) -> Result<(), KafkaFault> {
        self.made.lock().unwrap().insert(topic.to_owned());
        Ok(())
    }
}
