//! The sandbox: the only room that knows the wasm engine.
//!
//! Enters: `.wasm` bytes, task specs, batches. Leaves: packages, open instances behind the ports of `model`, typed errors.
//! Invariant: a guest reaches nothing that it was not granted, uses no more than its limits, and what it answers is
//! checked before it is trusted.

mod abi;
mod artifact;
mod cache;
mod call;
mod compile;
mod consent;
mod egress;
mod engine;
mod epoch;
mod error;
mod far_end;
mod grants;
mod guest_state;
mod imports;
mod inspect;
mod instance;
mod limiter;
mod options;
mod outgoing;
mod package;
mod pattern;
mod pre_release;
mod request_body;
mod segment;
mod sink;
mod source;
mod spec;
mod stdio;
mod trust;
mod volume;
mod wasi;

pub use compile::compile_main;
pub use engine::Engine;
pub use error::{EngineError, PackageError, PackageErrorClass};
pub use far_end::{FarEnd, HttpAnswer, HttpFault, HttpRequest, Scripted};
pub use grants::{Directory, Grants, Policy, Refused};
pub use lockgate_model::address::{AddressClass, Range, classify};
pub use options::{CompileLimits, Compiler, EngineOptions, PoolSizes, UploadLimits};
pub use package::Package;
pub use pattern::HostPattern;
pub use pre_release::with_pre_release;
pub use segment::{Segment, SegmentInstance};
pub use sink::{Sink, SinkInstance};
pub use source::{Source, SourceInstance};
pub use spec::{GuestLog, Limits, LogLevel, NoLog, Step, StepPredicate, TaskSpec};
