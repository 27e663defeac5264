//! Batches across the border: lowered as they lie in memory, lifted with one copy, checked before anything is trusted.
//!
//! Enters: a [`Batch`], or what `poll` and `apply` answered. Leaves: the other form. Invariant: no work per record on the
//! way in; on the way out one pass over the rows; on an error the host's batch is as it was.

use std::collections::HashMap;
use std::mem;
use std::sync::Arc;

use bytemuck::Pod;
use lockgate_model::batch::{BatchError, check_topic, is_internal};
use lockgate_model::ports::BatchLimits;
use lockgate_model::{Batch, HeaderRow, Row, RowFault, Schemas, Span};

use super::exports::transform::Applied;
use super::fault;
use super::imports::batches::{BatchParam, BatchResult, SchemaParam, SchemaResult};

/// Ids from here on are the guest's.
const GUEST_IDS: u32 = 0x8000;
/// Arenas below this size are not worth compacting, bytes.
const COMPACT_FROM: usize = 64 << 10;

/// What one instance and the host have told each other: schemas, and topic names already at hand.
#[derive(Debug)]
pub(crate) struct Dictionary {
    schemas: Schemas,
    /// Host ids 1 to this are known to the guest.
    announced: usize,
    guest_ids: HashMap<u32, u16>,
    topics: Vec<Arc<str>>,
    spare: Spare,
}

/// Buffers of the batch before, used again.
#[derive(Debug, Default)]
struct Spare {
    rows: Vec<Row>,
    headers: Vec<HeaderRow>,
    data: Vec<u8>,
}

/// Parts of a lowered batch that need memory of their own; keep it while the call runs.
pub(crate) struct Lowered<'a> {
    batch: &'a Batch,
    topics: Vec<&'a str>,
    schemas: Vec<(u32, Arc<str>)>,
}

impl<'a> Lowered<'a> {
    pub(crate) fn schemas(&self) -> Vec<SchemaParam<'_>> {
        self.schemas.iter().map(|(id, definition)| SchemaParam { id: *id, definition }).collect()
    }

    pub(crate) fn param(&'a self, schemas: &'a [SchemaParam<'a>]) -> BatchParam<'a> {
        BatchParam {
            topics: &self.topics,
            schemas,
            rows: bytemuck::cast_slice(&self.batch.rows),
            headers: bytemuck::cast_slice(&self.batch.headers),
            data: &self.batch.data,
        }
    }
}

impl Dictionary {
    pub(crate) fn new(schemas: Schemas) -> Self {
        let (guest_ids, topics, spare) = (HashMap::new(), Vec::new(), Spare::default());
        Self { schemas, announced: 0, guest_ids, topics, spare }
    }

    /// Schemas that the guest has not seen count as seen from here on: a call that fails after this costs the instance, or
    /// is made again with the guest knowing them.
    pub(crate) fn lower<'a>(&mut self, batch: &'a Batch) -> Lowered<'a> {
        let known = self.schemas.len();
        let id = |n: usize| u32::try_from(n).unwrap_or(0);
        let new = (self.announced + 1..=known).filter_map(|n| Some((id(n), self.schemas.definition(id(n))?)));
        let schemas = new.collect();
        self.announced = known;
        Lowered { batch, topics: batch.topics.iter().map(|t| &**t).collect(), schemas }
    }

    /// What `poll` answered, into a batch that is emptied first.
    pub(crate) fn lift(&mut self, from: BatchResult, limits: BatchLimits, into: &mut Batch) -> Result<(), String> {
        into.clear();
        let lifted = self.lift_polled(from, limits, into);
        if lifted.is_err() {
            into.clear();
        }
        lifted
    }

    fn lift_polled(&mut self, from: BatchResult, limits: BatchLimits, into: &mut Batch) -> Result<(), String> {
        check_limits(&from, limits)?;
        self.learn(from.schemas)?;
        copy_rows("rows", &from.rows, &mut into.rows).map_err(|e| e.to_string())?;
        copy_rows("headers", &from.headers, &mut into.headers).map_err(|e| e.to_string())?;
        into.data = from.data;
        into.schemas = self.schemas.clone();
        for topic in from.topics {
            let topic = self.topic(topic)?;
            into.topics.push(topic);
        }
        for (index, row) in into.rows.iter_mut().enumerate() {
            row.offset = -1;
            row.source_row = u32::try_from(index).unwrap_or(u32::MAX);
        }
        self.translate(&mut into.rows, &mut into.headers)?;
        check_values(&into.rows)?;
        into.check().map_err(|e| e.to_string())
    }

    /// What `apply` answered, in place. On an error the batch is unchanged.
    pub(crate) fn apply(&mut self, applied: Applied, batch: &mut Batch) -> Result<Vec<RowFault>, String> {
        let failed = fault::lift_rows(applied.failed, batch.len())?;
        self.learn(applied.schemas)?;
        let mut rows = mem::take(&mut self.spare.rows);
        let mut headers = mem::take(&mut self.spare.headers);
        copy_rows("rows", &applied.rows, &mut rows).map_err(|e| e.to_string())?;
        copy_rows("headers", &applied.headers, &mut headers).map_err(|e| e.to_string())?;
        self.translate(&mut rows, &mut headers)?;
        check_values(&rows)?;
        check_origin(&mut rows, &batch.rows, &failed)?;
        let mut topics = Vec::with_capacity(applied.topics.len());
        for topic in applied.topics {
            let same = batch.topics.iter().find(|t| ***t == topic).map(Arc::clone);
            topics.push(same.map_or_else(|| self.routed(topic), Ok)?);
        }
        let kept = batch.data.len();
        if kept.saturating_add(applied.appended.len()) > u32::MAX as usize {
            return Err("the batch would grow beyond 4 GiB".to_owned());
        }
        batch.data.extend_from_slice(&applied.appended);
        mem::swap(&mut batch.rows, &mut rows);
        mem::swap(&mut batch.headers, &mut headers);
        mem::swap(&mut batch.topics, &mut topics);
        let schemas = mem::replace(&mut batch.schemas, self.schemas.clone());
        if let Err(e) = batch.check_rows() {
            batch.data.truncate(kept);
            (batch.rows, batch.headers, batch.topics, batch.schemas) = (rows, headers, topics, schemas);
            return Err(e.to_string());
        }
        (self.spare.rows, self.spare.headers) = (rows, headers);
        self.compact(batch);
        Ok(failed)
    }

    /// Copies what rows refer to into a new arena, if that is less than half of the old one.
    fn compact(&mut self, batch: &mut Batch) {
        let span = |s: Span| if s.is_null() { 0 } else { s.len as usize };
        let rows: usize = batch.rows.iter().map(|row| span(row.key) + span(row.value)).sum();
        let headers: usize = batch.headers.iter().map(|h| usize::from(h.name_len) + span(h.value)).sum();
        if batch.data.len() < COMPACT_FROM || (rows + headers).saturating_mul(2) >= batch.data.len() {
            return;
        }
        let data = mem::replace(&mut batch.data, mem::take(&mut self.spare.data));
        batch.data.clear();
        let target = &mut batch.data;
        let mut shift = |offset: &mut u32, len: usize| {
            let from = *offset as usize;
            // Shorter than the old arena, so it fits.
            *offset = u32::try_from(target.len()).unwrap_or(u32::MAX);
            target.extend_from_slice(&data[from..from + len]);
        };
        for row in &mut batch.rows {
            for part in [&mut row.key, &mut row.value] {
                if !part.is_null() {
                    shift(&mut part.offset, part.len as usize);
                }
            }
        }
        for header in &mut batch.headers {
            shift(&mut header.name_offset, usize::from(header.name_len));
            if !header.value.is_null() {
                shift(&mut header.value.offset, header.value.len as usize);
            }
        }
        self.spare.data = data;
    }

    /// Takes the guest's schemas into the task's table.
    fn learn(&mut self, schemas: Vec<SchemaResult>) -> Result<(), String> {
        for schema in schemas {
            if !(GUEST_IDS..=0xffff).contains(&schema.id) {
                return Err(format!("a guest announces schemas as 32768 to 65535, not as {}", schema.id));
            }
            let id = self.schemas.intern(&schema.definition).map_err(|e| e.to_string())?;
            if self.guest_ids.insert(schema.id, id).is_some_and(|before| before != id) {
                return Err(format!("schema {} was announced with another definition before", schema.id));
            }
        }
        Ok(())
    }

    /// Rewrites the guest's schema ids into the host's. Ids that nobody announced are refused by the batch's own check.
    fn translate(&self, rows: &mut [Row], headers: &mut [HeaderRow]) -> Result<(), String> {
        let host = |id: u32| {
            self.guest_ids.get(&id).copied().ok_or_else(|| format!("schema {id} was never announced by the guest"))
        };
        for row in rows {
            for id in [&mut row.key_schema, &mut row.value_schema] {
                if *id >= GUEST_IDS {
                    *id = u32::from(host(*id)?);
                }
            }
        }
        for header in headers {
            if u32::from(header.schema) >= GUEST_IDS {
                header.schema = host(u32::from(header.schema))?;
            }
        }
        Ok(())
    }

    /// The shared text of a topic name.
    fn topic(&mut self, name: String) -> Result<Arc<str>, String> {
        if let Some(known) = self.topics.iter().find(|t| ***t == name) {
            return Ok(Arc::clone(known));
        }
        check_topic(&name)?;
        Ok(self.remember(name))
    }

    /// Likewise of a name that a transform made. It may be no name for a topic, and then Kafka refuses the record; that a
    /// plugin writes to Kafka's own topics is refused here.
    fn routed(&mut self, name: String) -> Result<Arc<str>, String> {
        if let Some(known) = self.topics.iter().find(|t| ***t == name) {
            return Ok(Arc::clone(known));
        }
        if is_internal(&name) {
            return Err(format!("{name} is one of Kafka's own topics, which are not for plugins"));
        }
        Ok(self.remember(name))
    }

    fn remember(&mut self, name: String) -> Arc<str> {
        /// Names remembered at most; a guest that uses more pays an allocation for each.
        const NAMES_MAX: usize = 64;
        let topic: Arc<str> = name.into();
        if self.topics.len() < NAMES_MAX {
            self.topics.push(Arc::clone(&topic));
        }
        topic
    }
}

fn check_limits(from: &BatchResult, limits: BatchLimits) -> Result<(), String> {
    let rows = from.rows.len() / Row::BYTES;
    let rows_max = (limits.records_max as usize).saturating_mul(2).min(Batch::ROWS_MAX);
    if rows > rows_max {
        return Err(format!("{rows} records were given, but {} asked", limits.records_max));
    }
    let bytes_max = (limits.bytes_max as usize).saturating_mul(2);
    if from.data.len() > bytes_max && (rows > 1 || from.data.len() - bytes_max > largest_row(&from.rows)) {
        return Err(format!("{} bytes of data were given, but {} asked", from.data.len(), limits.bytes_max));
    }
    if from.topics.len() > Batch::ROWS_MAX || from.headers.len() / HeaderRow::BYTES > Batch::ROWS_MAX * 16 {
        return Err("the batch has too many topics or headers".to_owned());
    }
    Ok(())
}

/// Bytes of key and value of the only row: a record larger than the bound travels alone.
fn largest_row(rows: &[u8]) -> usize {
    let span = |s: Span| if s.is_null() { 0 } else { s.len as usize };
    let row = rows.get(..Row::BYTES).map(bytemuck::pod_read_unaligned::<Row>);
    row.map_or(0, |row| span(row.key).saturating_add(span(row.value)))
}

/// What a Kafka record cannot have, although it is a number.
fn check_values(rows: &[Row]) -> Result<(), String> {
    let partition_max = i32::MAX.unsigned_abs();
    for (index, row) in rows.iter().enumerate() {
        if row.partition > partition_max && row.partition != Row::ANY_PARTITION {
            return Err(format!("row {index}: there is no partition {}", row.partition));
        }
        if row.timestamp < -1 {
            return Err(format!("row {index}: the timestamp is {}", row.timestamp));
        }
    }
    Ok(())
}

/// Source rows are rows of the input, never decrease, and none of them failed. Offsets are the host's: they are put back.
fn check_origin(rows: &mut [Row], input: &[Row], failed: &[RowFault]) -> Result<(), String> {
    let (mut last, mut failed) = (0, failed.iter().map(|f| f.row).peekable());
    for (index, row) in rows.iter_mut().enumerate() {
        let source = row.source_row;
        let Some(origin) = input.get(source as usize) else {
            return Err(format!("row {index} comes from row {source}, but only {} were given", input.len()));
        };
        if source < last {
            return Err(format!("row {index} comes from row {source}, but the one before from {last}"));
        }
        while failed.next_if(|f| *f < source).is_some() {}
        if failed.peek() == Some(&source) {
            return Err(format!("row {source} failed, but row {index} comes from it"));
        }
        last = source;
        row.offset = origin.offset;
    }
    Ok(())
}

fn copy_rows<T: Pod>(field: &'static str, from: &[u8], into: &mut Vec<T>) -> Result<(), BatchError> {
    let unit = size_of::<T>();
    if !from.len().is_multiple_of(unit) {
        return Err(BatchError::Ragged { field, len: from.len(), unit });
    }
    into.clear();
    // Each row once, whatever its alignment; nothing is filled with zeros first.
    into.extend(from.chunks_exact(unit).map(bytemuck::pod_read_unaligned::<T>));
    Ok(())
}

#[cfg(test)]
mod tests;
