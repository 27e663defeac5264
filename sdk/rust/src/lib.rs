//! Sources, sinks, transforms and predicates for Lockgate, in Rust.
//!
//! Enters: types that implement [`Source`], [`Sink`], [`Transform`] or [`Predicate`], named in one [`package!`]. Leaves:
//! a WebAssembly component (`cargo build --target wasm32-wasip2 --release`). Invariant: what a plugin writes cannot be
//! malformed at the border; a record is a view over the host's batch, and no byte is copied unless the plugin does.
//!
//! ```no_run
//! use lockgate_sdk::{Batch, Description, Fault, Options, Report, Sink, Task, log};
//!
//! #[derive(Options)]
//! struct Shout {
//!     /// What to shout.
//!     #[option(default = "hey", non_empty)]
//!     word: String,
//! }
//!
//! impl Sink for Shout {
//!     fn describe() -> Description {
//!         Description::new("com.example.Shout").options::<Self>()
//!     }
//!     fn open(mut task: Task) -> Result<Self, Fault> {
//!         let shout: Self = task.config.options()?;
//!         log::info!("will shout {}", shout.word);
//!         Ok(shout)
//!     }
//!     fn put(&mut self, batch: &Batch) -> Result<Report, Fault> {
//!         for record in batch.iter() {
//!             log::info!("{}-{}@{}", record.topic(), record.partition(), record.offset());
//!         }
//!         Ok(Report::all_taken())
//!     }
//! }
//!
//! lockgate_sdk::package! { name: "shout", version: "0.1.0", sinks: [Shout] }
//! # fn main() {}
//! ```

// What the derive macro writes names the crate.
extern crate self as lockgate_sdk;

mod batch;
#[doc(hidden)]
pub mod bindings;
mod builder;
mod config;
mod edit;
mod fault;
#[cfg(feature = "files")]
pub mod files;
mod form;
#[doc(hidden)]
pub mod guest;
mod host;
#[cfg(feature = "http")]
pub mod http;
mod options;
mod plugin;
mod row;
mod schemas;
mod sink;
mod source;
mod transform;
#[cfg(feature = "serde")]
mod typed;

pub use batch::{Batch, Header, Place, Record};
pub use builder::{BatchBuilder, Position, RecordBuilder, TopicId};
pub use config::{Config, ConfigType, Importance, Settings, Width};
pub use edit::Edit;
pub use fault::{Fault, FaultKind, Problem, RowFault};
pub use form::Form;
pub use host::{context, metrics, state};
pub use lockgate_sdk_derive::Options;
pub use log;
pub use options::{OptionValue, Options, Secret};
pub use plugin::{ConfigValue, Connector, Description, Encoding, Formats, Kind, Task, TaskSettings, advice};
pub use row::{HeaderRow, Row, Span};
pub use schemas::Schemas;
pub use sink::{Report, Sink, SinkEntry};
pub use source::{Change, Next, Source, SourceEntry};
pub use transform::{Flow, Predicate, PredicateEntry, Transform, TransformEntry};

/// Names the plugins of a package and exports them: once a crate, in a `cdylib`.
///
/// `name` and `version` come first, `documentation` may follow; then any of `sources`, `sinks`, `transforms` and
/// `predicates`, in any order. The world is that of the one kind that is there, or the mixed one.
#[macro_export]
macro_rules! package {
    (name: $name:expr, version: $version:expr, documentation: $doc:expr, $($rest:tt)*) => {
        $crate::__package! { [$name, $version, $doc] [] [] [] [] $($rest)* }
    };
    (name: $name:expr, version: $version:expr, $($rest:tt)*) => {
        $crate::__package! { [$name, $version, ""] [] [] [] [] $($rest)* }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __package {
    ($head:tt $so:tt $si:tt $tr:tt $pr:tt sources: $all:tt $(, $($rest:tt)*)?) => {
        $crate::__package! { $head $all $si $tr $pr $($($rest)*)? }
    };
    ($head:tt $so:tt $si:tt $tr:tt $pr:tt sinks: $all:tt $(, $($rest:tt)*)?) => {
        $crate::__package! { $head $so $all $tr $pr $($($rest)*)? }
    };
    ($head:tt $so:tt $si:tt $tr:tt $pr:tt transforms: $all:tt $(, $($rest:tt)*)?) => {
        $crate::__package! { $head $so $si $all $pr $($($rest)*)? }
    };
    ($head:tt $so:tt $si:tt $tr:tt $pr:tt predicates: $all:tt $(, $($rest:tt)*)?) => {
        $crate::__package! { $head $so $si $tr $all $($($rest)*)? }
    };
    ([$name:expr, $version:expr, $doc:expr]
     [$($so:ty),* $(,)?] [$($si:ty),* $(,)?] [$($tr:ty),* $(,)?] [$($pr:ty),* $(,)?]) => {
        const _: () = {
            struct ThePackage;
            impl $crate::guest::Package for ThePackage {
                const NAME: &'static str = $name;
                const VERSION: &'static str = $version;
                const DOCUMENTATION: &'static str = $doc;
                const SOURCES: &'static [$crate::SourceEntry] = &[$($crate::SourceEntry::of::<$so>()),*];
                const SINKS: &'static [$crate::SinkEntry] = &[$($crate::SinkEntry::of::<$si>()),*];
                const TRANSFORMS: &'static [$crate::TransformEntry] = &[$($crate::TransformEntry::of::<$tr>()),*];
                const PREDICATES: &'static [$crate::PredicateEntry] = &[$($crate::PredicateEntry::of::<$pr>()),*];
            }
            type TheExports = $crate::guest::Exports<ThePackage>;
            $crate::bindings::plugin::export_plugin!(TheExports with_types_in $crate::bindings::plugin);
            $crate::__export! { TheExports [$($so),*] [$($si),*] [$($tr,)* $($pr,)*] }
        };
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __export {
    ($exports:ident [$($so:ty),+] [] []) => {
        $crate::bindings::source::export_source!($exports with_types_in $crate::bindings::source);
        $crate::bindings::offsets::export_offsets!($exports with_types_in $crate::bindings::offsets);
    };
    ($exports:ident [] [$($si:ty),+] []) => {
        $crate::bindings::sink::export_sink!($exports with_types_in $crate::bindings::sink);
    };
    ($exports:ident [] [] [$($tr:ty),+ $(,)?]) => {
        $crate::bindings::transform::export_transform!($exports with_types_in $crate::bindings::transform);
    };
    ($exports:ident $so:tt $si:tt $tr:tt) => {
        $crate::bindings::source::export_source!($exports with_types_in $crate::bindings::source);
        $crate::bindings::offsets::export_offsets!($exports with_types_in $crate::bindings::offsets);
        $crate::bindings::sink::export_sink!($exports with_types_in $crate::bindings::sink);
        $crate::bindings::transform::export_transform!($exports with_types_in $crate::bindings::transform);
    };
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::Path;

    #[test]
    fn the_wit_is_the_same_as_the_contracts() {
        let here = std::env::var_os("CARGO_MANIFEST_DIR").unwrap();
        let here = Path::new(&here);
        let names = |dir: &Path| {
            let mut all: Vec<_> = dir.read_dir().unwrap().map(|e| e.unwrap().file_name()).collect();
            all.sort();
            all
        };
        let (ours, contract) = (here.join("wit"), here.join("../../wit/v0.1"));
        assert_eq!(names(&ours), names(&contract));
        for name in names(&ours) {
            let read = |dir: &Path| std::fs::read_to_string(dir.join(&name)).unwrap();
            assert!(read(&ours) == read(&contract), "sdk/rust/wit/{} differs from the contract", name.display());
        }
    }
}
