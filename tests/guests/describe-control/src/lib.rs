//! Control characters, blanks and very long texts in names.
//!
//! Enters: an upload. Leaves: nothing good. Invariant: the host refuses the package and goes on.

use lockgate_sdk::{Batch, Description, Fault, Report, Sink, Task};

struct Quiet;

impl Sink for Quiet {
    fn describe() -> Description {
        let long = "x".repeat(100_000);
        Description::new("bad\n\u{1b}[31mclass\0").alias("").alias(&long).doc(&long.repeat(10))
    }
    fn open(_task: Task) -> Result<Self, Fault> {
        Ok(Self)
    }
    fn put(&mut self, _batch: &Batch) -> Result<Report, Fault> {
        Ok(Report::all_taken())
    }
}

lockgate_sdk::package! { name: "Bad Name\n\u{7f}", version: "one", sinks: [Quiet] }
