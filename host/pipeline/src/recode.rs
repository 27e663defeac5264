//! Conversion of payloads as the pipeline sees it.
//!
//! Enters: a batch. Leaves: the same batch with other payload bytes, and the rows that failed. Invariant: rows keep their
//! number and order; a failed row is left as it was.

use lockgate_convert::registry::{Unready, Wait};
use lockgate_model::batch::Batch;
use lockgate_model::fault::{RowFault, Stage};

/// Topic bytes to payloads, payloads to topic bytes, or one plugin's encodings to another's.
pub trait Recode: Send + Sync {
    /// What must be known before [`Self::batch`] can convert this batch: awaited first, and again while it fails. `None` =
    /// nothing, the rule for all that need no schema registry. The future may be dropped.
    fn prepare(&mut self, batch: &Batch) -> Option<Wait<'_, Result<(), Unready>>> {
        let _ = batch;
        None
    }

    /// Converts in place; each failed row is named once, with the stage where it failed.
    fn batch(&mut self, batch: &mut Batch) -> Vec<(Stage, RowFault)>;

    /// True if no batch is ever changed, so that the call may be left out.
    fn is_identity(&self) -> bool {
        false
    }

    /// Class of the converter of a stage, for dead letters and the log.
    fn class(&self, stage: Stage) -> &str {
        let _ = stage;
        Default::default()
    }
}

/// Converts nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Untouched;

impl Recode for Untouched {
    fn batch(&mut self, _batch: &mut Batch) -> Vec<(Stage, RowFault)> {
        Vec::new()
    }

    fn is_identity(&self) -> bool {
        true
    }
}

impl Recode for lockgate_convert::Decode {
    fn prepare(&mut self, batch: &Batch) -> Option<Wait<'_, Result<(), Unready>>> {
        self.prepare(batch)
    }

    fn batch(&mut self, batch: &mut Batch) -> Vec<(Stage, RowFault)> {
        self.batch(batch)
    }

    fn class(&self, stage: Stage) -> &str {
        self.class(stage)
    }

    fn is_identity(&self) -> bool {
        self.is_identity()
    }
}

impl Recode for lockgate_convert::Encode {
    fn prepare(&mut self, batch: &Batch) -> Option<Wait<'_, Result<(), Unready>>> {
        self.prepare(batch)
    }

    fn batch(&mut self, batch: &mut Batch) -> Vec<(Stage, RowFault)> {
        self.batch(batch)
    }

    fn class(&self, stage: Stage) -> &str {
        self.class(stage)
    }

    fn is_identity(&self) -> bool {
        self.is_identity()
    }
}

impl Recode for lockgate_convert::Recode {
    fn batch(&mut self, batch: &mut Batch) -> Vec<(Stage, RowFault)> {
        self.batch(batch)
    }
}
