//! The chain of the simulated sink task, and its dead-letter queue.
//!
//! Enters: calls of `ApplyPort` and `Produce`. Leaves: drops, splits and faults by chance. Invariant: a letter counts once
//! it is acknowledged.

use super::*;

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
