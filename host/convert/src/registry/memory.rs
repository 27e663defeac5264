//! A registry in memory: what `mock://` URLs name, and what tests of formats use.
//!
//! Enters: offers. Leaves: ids from 1, versions from 1 in each subject. Invariant: the same text with the same references has
//! one id; nothing is checked for compatibility, nothing is ever deleted, at most [`MemoryRegistry::MAX`] schemas are kept.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Answer, Denied, Draft, Frame, Offer, Reference, Referenced, Registered, SchemaRegistry, Wait, Writing};
use crate::fault::DataFault;

/// Cheap to clone; all clones are one registry.
#[derive(Clone, Debug, Default)]
pub struct MemoryRegistry(Arc<Mutex<Table>>);

#[derive(Debug, Default)]
struct Table {
    schemas: Vec<Arc<Registered>>,
    /// Ids of the versions of each subject.
    subjects: HashMap<Arc<str>, Vec<u32>>,
}

impl MemoryRegistry {
    /// Schemas at most.
    pub const MAX: usize = 10_000;

    /// Registers a draft by hand; the answer is its id.
    ///
    /// # Errors
    /// The registry is full, or a reference is unknown.
    pub fn register(&self, subject: &str, draft: &Draft) -> Result<u32, DataFault> {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        table.register(&Arc::from(subject), draft).map(|schema| schema.id)
    }

    fn each<Q, A>(&self, asked: &[Q], answer: impl Fn(&mut Table, &Q) -> Result<A, DataFault>) -> Vec<Answer<A>> {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        asked.iter().map(|question| answer(&mut table, question).map_err(Denied::Refused)).collect()
    }
}

impl Table {
    fn register(&mut self, subject: &Arc<str>, draft: &Draft) -> Result<Arc<Registered>, DataFault> {
        let schema = match self.same(draft) {
            Some(schema) => schema,
            None if self.schemas.len() >= MemoryRegistry::MAX => {
                return Err(DataFault::new("registry.full", "the registry in memory is full"));
            }
            None => {
                let schema = Arc::new(Registered {
                    id: u32::try_from(self.schemas.len() + 1).unwrap_or(u32::MAX),
                    schema_type: draft.schema_type,
                    text: Arc::clone(&draft.text),
                    references: draft.references.clone(),
                    referenced: self.referenced(&draft.references)?,
                    version: None,
                });
                self.schemas.push(Arc::clone(&schema));
                schema
            }
        };
        let versions = self.subjects.entry(Arc::clone(subject)).or_default();
        if !versions.contains(&schema.id) {
            versions.push(schema.id);
        }
        Ok(schema)
    }

    fn same(&self, draft: &Draft) -> Option<Arc<Registered>> {
        let is_same = |schema: &&Arc<Registered>| {
            (schema.schema_type, &schema.text, &schema.references)
                == (draft.schema_type, &draft.text, &draft.references)
        };
        self.schemas.iter().find(is_same).cloned()
    }

    fn referenced(&self, references: &[Reference]) -> Result<Vec<Referenced>, DataFault> {
        let mut all: Vec<Referenced> = Vec::new();
        for Reference { name, subject, version } in references {
            let versions = self.subjects.get(subject.as_str());
            let id = usize::try_from(*version).ok().and_then(|version| versions?.get(version.checked_sub(1)?));
            let schema = self.by_id(id.copied().unwrap_or(0))?;
            all.extend(schema.referenced.iter().filter(|r| !all.contains(r)).cloned().collect::<Vec<_>>());
            all.push(Referenced { name: name.clone(), text: Arc::clone(&schema.text) });
        }
        Ok(all)
    }

    fn by_id(&self, id: u32) -> Result<Arc<Registered>, DataFault> {
        let index = usize::try_from(id).ok().and_then(|id| id.checked_sub(1));
        index.and_then(|index| self.schemas.get(index)).cloned().ok_or_else(unknown)
    }
}

fn unknown() -> DataFault {
    DataFault::new("registry.not-found", "Schema not found; error code: 40403")
}

impl SchemaRegistry for MemoryRegistry {
    fn find<'a>(&'a self, frames: &'a [Frame]) -> Wait<'a, Vec<Answer<Arc<Registered>>>> {
        let answers = self.each(frames, |table, frame| match frame {
            Frame::Id(id) => table.by_id(*id),
            Frame::Guid(_) => Err(unknown()),
        });
        Box::pin(std::future::ready(answers))
    }

    fn versions<'a>(&'a self, asked: &'a [(Arc<str>, Arc<Registered>)]) -> Wait<'a, Vec<Answer<Option<i32>>>> {
        let answers = self.each(asked, |table, (subject, schema)| {
            let at = table.subjects.get(subject).and_then(|ids| ids.iter().position(|id| *id == schema.id));
            Ok(at.and_then(|at| i32::try_from(at + 1).ok()))
        });
        Box::pin(std::future::ready(answers))
    }

    fn offer<'a>(&'a self, offers: &'a [Offer]) -> Wait<'a, Vec<Answer<Arc<Registered>>>> {
        let answers = self.each(offers, |table, offer| match offer.writing {
            Writing::Register => table.register(&offer.subject, &offer.draft),
            Writing::Id(id) => table.by_id(id),
            Writing::Guid(_) => Err(unknown()),
            Writing::Latest => {
                let newest = table.subjects.get(&offer.subject).and_then(|ids| ids.last());
                table.by_id(newest.copied().unwrap_or(0))
            }
            Writing::Lookup => {
                let schema = table.same(&offer.draft).ok_or_else(unknown)?;
                let has = table.subjects.get(&offer.subject).is_some_and(|ids| ids.contains(&schema.id));
                if has { Ok(schema) } else { Err(unknown()) }
            }
        });
        Box::pin(std::future::ready(answers))
    }
}
