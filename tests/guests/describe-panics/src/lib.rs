//! Panics in `describe`.
//!
//! Enters: an upload. Leaves: nothing good. Invariant: the host refuses the package and goes on.

use lockgate_sdk::{Batch, Description, Fault, Report, Sink, Task};

struct Quiet;

impl Sink for Quiet {
    fn describe() -> Description {
        panic!("describe panics")
    }
    fn open(_task: Task) -> Result<Self, Fault> {
        Ok(Self)
    }
    fn put(&mut self, _batch: &Batch) -> Result<Report, Fault> {
        Ok(Report::all_taken())
    }
}

lockgate_sdk::package! { name: "describe-panics", version: env!("CARGO_PKG_VERSION"), sinks: [Quiet] }
