//! How fast JSON that passes through is checked.
//!
//! Enters: nothing. Leaves: bytes a second. Invariant: it is the code of a sink task whose plugin takes JSON, called as a task
//! calls it, a batch at a time; the median of a second of calls counts.

use std::time::{Duration, Instant};

use lockgate_convert::{Converter, Decode, Role};
use lockgate_model::{Batch, Encoding, Formats, Schemas};

use crate::cases::Values;
use crate::guest;
use crate::table::verdict;

/// Records of a batch.
const RECORDS: u32 = 500;
/// How long each size is measured.
const LONG: Duration = Duration::from_secs(1);

/// Rows of the table.
pub fn run() -> Vec<(String, String)> {
    [300, 1024, 10_240].map(|size| (format!("values of {size} B"), speed(size))).to_vec()
}

fn speed(size: usize) -> String {
    let json = || {
        let settings = [("schemas.enable".to_owned(), "false".to_owned())];
        let class = "org.apache.kafka.connect.json.JsonConverter";
        Converter::configure(class, &settings.into_iter().collect(), Role::Value).expect("a converter")
    };
    let formats = Formats { key: Encoding::Bytes, value: Encoding::Json, header: Encoding::Bytes };
    let mut decode = Decode::new(json(), json(), json(), formats);
    let mut batch: Batch = guest::batch(Schemas::default(), RECORDS, &Values::Json.of(size));
    let mut rates = Vec::new();
    let until = Instant::now() + LONG;
    while Instant::now() < until {
        let began = Instant::now();
        let failed = decode.batch(&mut batch);
        rates.push(batch.data.len() as f64 / began.elapsed().as_secs_f64() / 1e9);
        assert!(failed.is_empty(), "{failed:?}");
    }
    rates.sort_by(f64::total_cmp);
    let middle = rates[rates.len() / 2];
    // The verdict is of a maximum, so of the time.
    format!("{middle:.2} GB/s, {}", verdict(1.0 / middle, 1.0, "ns a byte"))
}
