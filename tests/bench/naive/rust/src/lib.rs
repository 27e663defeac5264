//! The sink and the source of the benchmark behind plain bindings.
//!
//! Enters: a list of records; a number. Leaves: a count; a list of records. Invariant: of each value the length and the
//! first byte are touched, no more.

wit_bindgen::generate!({ path: "../wit", world: "naive" });

use exports::bench::naive::{naive_sink, naive_source};

struct Naive;

impl naive_sink::Guest for Naive {
    fn put(batch: Vec<naive_sink::Row>) -> u32 {
        let touch = |row: &naive_sink::Row| row.value.as_ref().map_or(0, |v| v.len() as u32 + u32::from(v[0]));
        batch.iter().map(touch).fold(0, u32::wrapping_add)
    }
}

impl naive_source::Guest for Naive {
    fn poll(records: u32, size: u32) -> Vec<naive_source::Row> {
        let row = |at| naive_source::Row {
            topic: "bench".to_owned(),
            partition: 0,
            offset: i64::from(at),
            timestamp: 0,
            key: None,
            value: Some(vec![b'x'; size as usize]),
            headers: Vec::new(),
        };
        (0..records).map(row).collect()
    }
}

export!(Naive);
