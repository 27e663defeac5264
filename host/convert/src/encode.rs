//! Payloads to topic bytes, for sources.
//!
//! Enters: a batch as a source or its transforms left it. Leaves: the same batch with key, value and header spans repointed
//! at topic bytes, schema ids zero, and a list of the rows that failed (left in place, the caller removes them).
//! Invariant: bytes that are topic bytes already are not copied.

use lockgate_model::batch::{Batch, Formats};
use lockgate_model::fault::{RowFault, Stage};

use crate::converter::Converter;
use crate::outgoing::Outgoing;
use crate::rows::Parts;

/// Encodes the batches of one task.
#[derive(Debug)]
pub struct Encode(Parts<Outgoing>);

impl Encode {
    /// For these converters and the encodings negotiated with the plugin.
    pub fn new(key: Converter, value: Converter, header: Converter, formats: Formats) -> Self {
        let classes = [key.class(), value.class(), header.class()];
        Self(Parts::new(
            Outgoing::new(key, formats.key),
            Outgoing::new(value, formats.value),
            Outgoing::new(header, formats.header),
            classes,
        ))
    }

    /// Class of the converter of a stage, in full; empty for stages that convert nothing.
    pub fn class(&self, stage: Stage) -> &str {
        self.0.class(stage)
    }

    /// True if no batch is ever changed by this, so that the call may be left out.
    pub fn is_identity(&self) -> bool {
        self.0.is_identity()
    }

    /// Converts in place. The rows named in the answer failed at that stage and are left as they were; a row is named at
    /// most once, for the first part that failed, in ascending order.
    pub fn batch(&mut self, batch: &mut Batch) -> Vec<(Stage, RowFault)> {
        self.0.batch(batch)
    }
}

#[cfg(test)]
mod tests;
