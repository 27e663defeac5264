//! The schemas that the records of one task refer to by id.
//!
//! Enters: schema definitions (the `schema` part of Kafka Connect's JSON envelope, compact JSON text). Leaves: ids from 1
//! to 0x7fff. Invariant: an id keeps its meaning for the life of the task; equal text has one id; ids are dense from 1.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

/// Cheap to clone; all clones are one table.
#[derive(Clone, Debug, Default)]
pub struct Schemas(Arc<RwLock<Table>>);

#[derive(Debug, Default)]
struct Table {
    by_id: Vec<Arc<str>>,
    by_text: HashMap<Arc<str>, u16>,
}

/// The table is full: a task may refer to at most [`Schemas::MAX`] schemas. Code `schema.too-many`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the task's records have more than {} different schemas; restart the task to forget old ones", Schemas::MAX)]
pub struct TooManySchemas;

impl Schemas {
    /// Schemas at most in one task.
    pub const MAX: usize = 0x7fff;

    /// The id of a definition, given out if it is new.
    pub fn intern(&self, definition: &str) -> Result<u16, TooManySchemas> {
        if let Some(id) = self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner).by_text.get(definition) {
            return Ok(*id);
        }
        let mut table = self.0.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(id) = table.by_text.get(definition) {
            return Ok(*id);
        }
        if table.by_id.len() >= Self::MAX {
            return Err(TooManySchemas);
        }
        let text: Arc<str> = definition.into();
        table.by_id.push(Arc::clone(&text));
        let id = u16::try_from(table.by_id.len()).map_err(|_| TooManySchemas)?;
        table.by_text.insert(text, id);
        Ok(id)
    }

    /// The definition of an id.
    pub fn definition(&self, id: u32) -> Option<Arc<str>> {
        let index = usize::try_from(id).ok()?.checked_sub(1)?;
        self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner).by_id.get(index).cloned()
    }

    /// How many ids were given out: ids are 1 to this.
    pub fn len(&self) -> usize {
        self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner).by_id.len()
    }

    /// True if no record has a schema yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
