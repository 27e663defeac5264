//! Answers that are kept.
//!
//! Enters: answers. Leaves: the same again. Invariant: at most [`ENTRIES_MAX`] of each kind; a full table is emptied, which
//! costs questions, never a wrong answer: ids and versions keep their meaning for ever.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

/// Answers of one kind at most.
const ENTRIES_MAX: usize = 1000;

#[derive(Debug)]
pub(crate) struct Cache<K, V>(Mutex<HashMap<K, V>>);

impl<K: Hash + Eq, V: Clone> Cache<K, V> {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(HashMap::new()))
    }

    pub(crate) fn find(&self, key: &K) -> Option<V> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    pub(crate) fn keep(&self, key: K, value: V) {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if table.len() >= ENTRIES_MAX {
            table.clear();
        }
        table.insert(key, value);
    }
}
