//! A sink that counts: for benchmarks, and to see what a pipeline carries without a target.
//!
//! Enters: batches. Leaves: the counters `blackhole_records` and `blackhole_bytes`. Invariant: every record's key and
//! value is touched (length and first byte), so that a benchmark measures delivery and not the skipping of it.

use std::hint::black_box;

use lockgate_sdk::{Batch, Description, Encoding, Fault, Report, Sink, Task, metrics};

struct Blackhole {
    touched: u64,
}

impl Sink for Blackhole {
    fn describe() -> Description {
        Description::new("lockgate.BlackholeSink")
            .alias("BlackholeSink")
            .alias("blackhole")
            .doc("Takes every record, counts records and bytes, and keeps nothing.")
            .encoding(Encoding::Bytes)
            .encoding(Encoding::Json)
            .encoding(Encoding::Cbor)
    }

    fn open(_task: Task) -> Result<Self, Fault> {
        Ok(Self { touched: 0 })
    }

    fn put(&mut self, batch: &Batch) -> Result<Report, Fault> {
        let touch =
            |bytes: Option<&[u8]>| bytes.map_or(0, |b| b.len() as u64 + u64::from(b.first().copied().unwrap_or(0)));
        let touched: u64 = batch.iter().map(|r| touch(r.key()) + touch(r.value())).sum();
        self.touched = black_box(self.touched.wrapping_add(touched));
        metrics::add("blackhole_records", count(batch.len()));
        metrics::add("blackhole_bytes", count(batch.data_len()));
        Ok(Report::all_taken())
    }
}

/// The same for plugins that want types: everything is converted to CBOR before it is dropped.
struct Typed(Blackhole);

impl Sink for Typed {
    fn describe() -> Description {
        Description::new("lockgate.CborBlackholeSink")
            .alias("CborBlackholeSink")
            .alias("blackhole-cbor")
            .doc("As blackhole, but takes records as CBOR only: what a plugin costs that wants typed values.")
            .encoding(Encoding::Cbor)
    }

    fn open(task: Task) -> Result<Self, Fault> {
        Blackhole::open(task).map(Self)
    }

    fn put(&mut self, batch: &Batch) -> Result<Report, Fault> {
        self.0.put(batch)
    }
}

/// A batch is far below 2^32.
fn count(value: usize) -> f64 {
    f64::from(u32::try_from(value).unwrap_or(u32::MAX))
}

lockgate_sdk::package! {
    name: "blackhole",
    version: env!("CARGO_PKG_VERSION"),
    documentation: "A sink that counts and keeps nothing.",
    sinks: [Blackhole, Typed],
}
