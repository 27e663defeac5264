//! One walk over a batch: key, value and headers of each row, each through its own conversion.
//!
//! Enters: a batch and three conversions. Leaves: the batch with spans and schema ids replaced, and the rows that failed.
//! Invariant: a row is changed wholly or not at all; a part that is an identity is not looked at.

use std::sync::Arc;

use lockgate_model::batch::{Batch, HeaderRow, Row, Span};
use lockgate_model::fault::{RowFault, Stage};
use lockgate_model::schemas::Schemas;

use crate::fault::{DataFault, Result};
use crate::framed::Prepare;
use crate::registry::{Unready, Wait};

/// The conversion of one part of a record.
pub(crate) trait Part {
    /// True if nothing is ever changed.
    fn is_identity(&self) -> bool;

    /// The new span and schema id of a datum. New bytes are appended to `data`.
    fn convert(&mut self, data: &mut Vec<u8>, span: Span, schema: u32, site: Site<'_>) -> Result<(Span, u16)>;

    /// The step before a batch, where a registry has to be asked.
    fn prepares(&mut self) -> Option<&mut dyn Prepare> {
        None
    }
}

/// Where a datum stands.
#[derive(Clone, Copy)]
pub(crate) struct Site<'a> {
    /// The task's table.
    pub(crate) schemas: &'a Schemas,
    /// The record's topic.
    pub(crate) topic: &'a Arc<str>,
    /// The record, as it came.
    pub(crate) row: &'a Row,
    /// Headers of the batch, as they came.
    pub(crate) headers: &'a [HeaderRow],
}

/// The conversions of a record.
#[derive(Debug)]
pub(crate) struct Parts<P> {
    key: P,
    value: P,
    header: P,
    /// Class names of the converters of key, value and header, for dead letters.
    classes: [String; 3],
    scratch: Vec<(Span, u16)>,
}

impl<P: Part> Parts<P> {
    pub(crate) fn new(key: P, value: P, header: P, classes: [String; 3]) -> Self {
        Self { key, value, header, classes, scratch: Vec::new() }
    }

    /// Class of the converter of a stage; empty for stages that convert nothing.
    pub(crate) fn class(&self, stage: Stage) -> &str {
        let [key, value, header] = &self.classes;
        match stage {
            Stage::KeyConverter => key,
            Stage::ValueConverter => value,
            Stage::HeaderConverter => header,
            _ => "",
        }
    }

    pub(crate) fn is_identity(&self) -> bool {
        [&self.key, &self.value, &self.header].iter().all(|part| part.is_identity())
    }

    pub(crate) fn batch(&mut self, batch: &mut Batch) -> Vec<(Stage, RowFault)> {
        let mut failed = Vec::new();
        if self.is_identity() {
            return failed;
        }
        for index in 0..batch.rows.len() {
            if let Err((stage, fault)) = self.row(batch, index) {
                failed.push((stage, fault.of_row(index)));
            }
        }
        failed
    }

    /// What must be asked before this batch can be converted; `None` = nothing, and nothing was allocated to find out. The
    /// future does not borrow the batch.
    pub(crate) fn prepare(&mut self, batch: &Batch) -> Option<Wait<'_, std::result::Result<(), Unready>>> {
        let key = self.key.prepares().and_then(|part| part.collect(batch).then_some(part));
        let value = self.value.prepares().and_then(|part| part.collect(batch).then_some(part));
        if key.is_none() && value.is_none() {
            return None;
        }
        Some(Box::pin(async move {
            for (stage, part) in [(Stage::KeyConverter, key), (Stage::ValueConverter, value)] {
                if let Some(part) = part {
                    part.ask().await.map_err(|cause| Unready { stage, cause })?;
                }
            }
            Ok(())
        }))
    }

    fn row(&mut self, batch: &mut Batch, index: usize) -> std::result::Result<(), (Stage, DataFault)> {
        let mut row = batch.rows[index];
        let before = row;
        let Batch { schemas, headers, data, topics, .. } = batch;
        let nowhere = || (Stage::ValueConverter, DataFault::new("batch.topic", "the record has no topic"));
        let topic = topics.get(row.topic as usize).ok_or_else(nowhere)?;
        let site = |headers| Site { schemas, topic, row: &before, headers };
        if !self.key.is_identity() {
            let done = self.key.convert(data, row.key, row.key_schema, site(headers));
            let (span, schema) = done.map_err(|fault| (Stage::KeyConverter, fault))?;
            (row.key, row.key_schema) = (span, u32::from(schema));
        }
        if !self.value.is_identity() {
            let done = self.value.convert(data, row.value, row.value_schema, site(headers));
            let (span, schema) = done.map_err(|fault| (Stage::ValueConverter, fault))?;
            (row.value, row.value_schema) = (span, u32::from(schema));
        }
        if row.header_count > 0 && !self.header.is_identity() {
            let range = row.header_first as usize..row.header_first as usize + row.header_count as usize;
            self.scratch.clear();
            for header in &headers[range.clone()] {
                let done = self.header.convert(data, header.value, u32::from(header.schema), site(headers));
                self.scratch.push(done.map_err(|fault| (Stage::HeaderConverter, fault))?);
            }
            for (header, (span, schema)) in headers[range].iter_mut().zip(&self.scratch) {
                (header.value, header.schema) = (*span, *schema);
            }
        }
        batch.rows[index] = row;
        Ok(())
    }
}
