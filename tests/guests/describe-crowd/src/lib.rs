//! Ten thousand plugins of the same class.
//!
//! Enters: an upload. Leaves: nothing good. Invariant: the host refuses the package and goes on.

use lockgate_sdk::guest::{Exports, Package};
use lockgate_sdk::{
    Batch, Description, Fault, PredicateEntry, Report, Sink, SinkEntry, SourceEntry, Task, TransformEntry,
};

struct Quiet;

impl Sink for Quiet {
    fn describe() -> Description {
        Description::new("crowd.Sink").alias("crowd")
    }
    fn open(_task: Task) -> Result<Self, Fault> {
        Ok(Self)
    }
    fn put(&mut self, _batch: &Batch) -> Result<Report, Fault> {
        Ok(Report::all_taken())
    }
}

struct Crowd;

impl Package for Crowd {
    const NAME: &'static str = "describe-crowd";
    const VERSION: &'static str = "1.2.3";
    const DOCUMENTATION: &'static str = "";
    const SOURCES: &'static [SourceEntry] = &[];
    #[allow(clippy::large_stack_arrays)] // promoted to a static
    const SINKS: &'static [SinkEntry] = &[SinkEntry::of::<Quiet>(); 10_000];
    const TRANSFORMS: &'static [TransformEntry] = &[];
    const PREDICATES: &'static [PredicateEntry] = &[];
}

type CrowdExports = Exports<Crowd>;
lockgate_sdk::bindings::plugin::export_plugin!(CrowdExports with_types_in lockgate_sdk::bindings::plugin);
lockgate_sdk::bindings::sink::export_sink!(CrowdExports with_types_in lockgate_sdk::bindings::sink);
