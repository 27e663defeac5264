//! The target of the simulated sink task.
//!
//! Enters: calls of `SinkPort`. Leaves: faults by chance. Invariant: L2 and L5 are checked at each `put`.

use super::*;

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
