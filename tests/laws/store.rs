//! An offset store in memory.
//!
//! Enters: positions. Leaves: the same, durable. Invariant: some writes fail, and some of those are there all the same.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lockgate_model::place::Position;
use lockgate_model::ports::{OffsetStore, StoreFault};

use super::seeds::Chance;

type Watch = Box<dyn Fn(&[Position]) + Send + Sync>;

#[derive(Clone)]
pub struct Store {
    pub chance: Chance,
    pub entries: Arc<Mutex<BTreeMap<Arc<str>, Position>>>,
    /// One write in so many fails; 0 = none.
    pub trouble: Arc<Mutex<u32>>,
    /// Looks at every write before it is durable.
    pub watch: Arc<Mutex<Option<Watch>>>,
}

impl Store {
    pub fn new(chance: Chance) -> Self {
        Self { chance, entries: Arc::default(), trouble: Arc::default(), watch: Arc::default() }
    }

    pub fn offset(&self, partition: &str) -> u64 {
        let entries = self.entries.lock().unwrap();
        entries.get(partition).and_then(|p| p.offset.as_deref().and_then(|o| o.parse().ok())).unwrap_or(0)
    }

    fn write(&self, positions: &[Position]) {
        if let Some(watch) = &*self.watch.lock().unwrap() {
            watch(positions);
        }
        let mut entries = self.entries.lock().unwrap();
        for position in positions {
            entries.insert(position.partition.clone(), position.clone());
        }
    }
}

fn fault() -> StoreFault {
    StoreFault { retriable: true, code: "store.sim".into(), message: "the store is away".into() }
}

impl OffsetStore for Store {
    async fn load(&self, _connector: &str) -> Result<Vec<Position>, StoreFault> {
        tokio::time::sleep(Duration::from_millis(self.chance.below(5))).await;
        let trouble = *self.trouble.lock().unwrap();
        if self.chance.one_in(trouble) {
            return Err(fault());
        }
        Ok(self.entries.lock().unwrap().values().cloned().collect())
    }

    async fn store(&self, _connector: &str, positions: &[Position]) -> Result<(), StoreFault> {
        let trouble = *self.trouble.lock().unwrap();
        tokio::time::sleep(Duration::from_millis(self.chance.below(20))).await;
        if self.chance.one_in(trouble) {
            if self.chance.one_in(2) {
                self.write(positions);
            }
            return Err(fault());
        }
        self.write(positions);
        tokio::time::sleep(Duration::from_millis(self.chance.below(20))).await;
        Ok(())
    }
}
