//! What the figures of guests share: the engine they run in and the records they are given.
//!
//! Enters: a cache, a value. Leaves: an engine, a batch. Invariant: the engine is set up as in a worker; a batch holds what a task
//! would hand over, each record with bytes of its own.

use std::path::Path;

use lockgate_model::batch::{Row, Span};
use lockgate_model::{Batch, Schemas};
use lockgate_tests::places;
use lockgate_wasm::{Compiler, Engine, EngineOptions};

/// An engine that compiles in a child and keeps what it compiled in `cache`.
pub fn engine(cache: &Path) -> Engine {
    let compiler = Compiler::Child { program: places::lockgate(), args: vec!["__compile".into()] };
    let options = EngineOptions { cache_dir: Some(cache.to_owned()), compiler, ..EngineOptions::default() };
    Engine::new(options).expect("an engine")
}

/// A batch of `records` records of this value, without keys.
pub fn batch(schemas: Schemas, records: u32, value: &[u8]) -> Batch {
    let mut batch = Batch::new(schemas);
    let topic = batch.topic_index(&"bench".into());
    for source_row in 0..records {
        let value = batch.push_bytes(Some(value));
        batch.rows.push(Row {
            offset: i64::from(source_row),
            timestamp: 0,
            partition: 0,
            topic,
            key: Span::NULL,
            value,
            header_first: 0,
            header_count: 0,
            source_row,
            flags: 0,
            key_schema: 0,
            value_schema: 0,
        });
    }
    batch
}
