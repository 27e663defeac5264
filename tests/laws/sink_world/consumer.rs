//! The consumer of the simulated sink task.
//!
//! Enters: calls of `Fetch`. Leaves: records and rebalances by chance. Invariant: L1 is checked at each commit.

use super::*;

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
