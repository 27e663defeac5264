//! Payloads of one encoding to payloads of another, between plugins of one chain.
//!
//! Enters: a batch in the encodings of one plugin. Leaves: the same batch in those of the next. Invariant: rows that
//! failed are left as they were.

use lockgate_model::batch::{Batch, Formats};
use lockgate_model::fault::{RowFault, Stage};

/// Translates the batches of one task.
#[derive(Debug)]
pub struct Recode {}

impl Recode {
    /// From the encodings of one plugin to those of the next.
    pub fn new(_from: Formats, _to: Formats) -> Self {
        Self {}
    }

    /// Converts in place. The rows named in the answer failed at that stage and are left as they were.
    pub fn batch(&mut self, _batch: &mut Batch) -> Vec<(Stage, RowFault)> {
        Vec::new()
    }
}
