//! What a registry converter has learned of the schemas in its topics.
//!
//! Enters: places (a topic, a schema there) with what was made of them, or why nothing can be. Leaves: the index of what
//! serves a place. Invariant: the next datum is served without hashing when it is of the place of the last; what was refused
//! is asked for again in the next batch.

use std::collections::HashMap;
use std::hash::Hash;
use std::ops::IndexMut;
use std::sync::Arc;

use crate::fault::{DataFault, Result};

/// A schema in a topic.
pub(super) type Place<K> = (Arc<str>, K);

/// What serves each place, in the order of arrival.
#[derive(Debug)]
pub(super) struct Compiled<K, T> {
    known: Vec<(Place<K>, T)>,
    places: HashMap<Place<K>, usize>,
    /// The one that was used last: the next datum has the same as a rule.
    last: usize,
    refused: HashMap<Place<K>, DataFault>,
}

impl<K: Copy + Eq + Hash, T> Compiled<K, T> {
    pub(super) fn new() -> Self {
        Self { known: Vec::new(), places: HashMap::new(), last: 0, refused: HashMap::new() }
    }

    /// Begins a batch: refusals are forgotten, and everything once there is more than `most`. Says whether that was so.
    pub(super) fn begin(&mut self, most: usize) -> bool {
        self.refused.clear();
        let full = self.known.len() > most;
        if full {
            self.known.clear();
            self.places.clear();
        }
        full
    }

    /// The index of what serves a place, or why nothing does; `unasked` where the registry was not asked.
    pub(super) fn find(&mut self, topic: &Arc<str>, key: K, unasked: impl FnOnce() -> DataFault) -> Result<usize> {
        if let Some(((last, of), _)) = self.known.get(self.last)
            && *of == key
            && Arc::ptr_eq(last, topic)
        {
            return Ok(self.last);
        }
        let place = (Arc::clone(topic), key);
        if let Some(index) = self.places.get(&place) {
            self.last = *index;
            return Ok(*index);
        }
        Err(self.refused.get(&place).cloned().unwrap_or_else(unasked))
    }

    /// Whether nothing serves a place yet.
    pub(super) fn lacks(&mut self, topic: &Arc<str>, key: K) -> bool {
        self.find(topic, key, || DataFault::new("registry.unknown", "")).is_err()
    }

    pub(super) fn learn(&mut self, place: Place<K>, made: Result<T>) {
        match made {
            Ok(made) => {
                self.places.insert(place.clone(), self.known.len());
                self.known.push((place, made));
            }
            Err(fault) => self.refuse(place, fault),
        }
    }

    pub(super) fn refuse(&mut self, place: Place<K>, fault: DataFault) {
        self.refused.insert(place, fault);
    }

    /// Refuses all these, because there is no registry.
    pub(super) fn no_registry(&mut self, places: impl IntoIterator<Item = Place<K>>) {
        let fault = DataFault::new("registry.none", "the converter was not connected to a registry");
        self.refused.extend(places.into_iter().map(|place| (place, fault.clone())));
    }

    /// What [`Self::find`] found.
    pub(super) fn at(&mut self, index: usize) -> &mut T {
        &mut self.known.index_mut(index).1
    }
}
