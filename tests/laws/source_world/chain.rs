//! The chain of the simulated source task.
//!
//! Enters: calls of `ApplyPort`. Leaves: drops and faults by chance. Invariant: a dead instance is never called.

use super::*;

pub struct SimFilter {
    world: SourceWorld,
    over: bool,
}

pub struct SimFilterDoor {
    pub world: SourceWorld,
    pub steps: Vec<(Arc<str>, Arc<str>)>,
}

impl OpenApply for SimFilterDoor {
    type Port = SimFilter;

    async fn open(&self) -> Result<SimFilter, GuestError> {
        Ok(SimFilter { world: self.world.clone(), over: false })
    }

    fn steps(&self) -> &[(Arc<str>, Arc<str>)] {
        &self.steps
    }
}

impl ApplyPort for SimFilter {
    async fn apply(&mut self, batch: &mut Batch) -> Result<Vec<RowFault>, GuestError> {
        assert!(!self.over && !batch.is_empty());
        self.world.wait_ms(5).await;
        if self.world.strikes(60) {
            self.over = true;
            return Err(trap("apply"));
        }
        let (mut failed, mut rows) = (Vec::new(), Vec::new());
        for (index, row) in (0_u32..).zip(&batch.rows) {
            let (p, seq) = identity(batch, row);
            let fault =
                |retriable| RowFault { row: index, step: 0, retriable, code: "sim".into(), message: "m".into() };
            match self.world.fate(p, seq) {
                Fate::Filtered => {}
                Fate::NeverApplied => failed.push(fault(false)),
                Fate::LaterApplied => {
                    let mut facts = self.world.facts();
                    let tries = facts.tries.entry((p, seq)).or_default();
                    *tries += 1;
                    if *tries < 3 { failed.push(fault(true)) } else { rows.push(Row { source_row: index, ..*row }) }
                }
                Fate::Good | Fate::NeverProduced => rows.push(Row { source_row: index, ..*row }),
            }
        }
        if !failed.is_empty() && self.world.strikes(3) {
            let kind = FaultKind::Rows(failed);
            return Err(GuestError::Fault(Fault {
                kind,
                code: "sim".into(),
                message: "m".into(),
                detail: String::new(),
            }));
        }
        batch.rows = rows;
        Ok(failed)
    }

    async fn close(self) -> Result<(), GuestError> {
        Ok(())
    }
}
