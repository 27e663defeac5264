//! The exports of a package: from the bindings' functions to the plugin of this instance.
//!
//! Enters: calls of the host. Leaves: calls of the plugin's traits. Invariant: one instance is one task, so each kind
//! has one slot; a class that the package does not have is a fault, never a panic.

use std::cell::RefCell;
use std::marker::PhantomData;

use crate::bindings::base::lockgate::connect::{batches, faults, tasks};
use crate::bindings::offsets::exports::lockgate::connect::offsets as raw_offsets;
use crate::bindings::plugin::exports::lockgate::connect::plugin as raw_plugin;
use crate::bindings::sink::exports::lockgate::connect::sink as raw_sink;
use crate::bindings::source::exports::lockgate::connect::source as raw_source;
use crate::bindings::transform::exports::lockgate::connect::transform as raw_transform;
use crate::config::Settings;
use crate::fault::Fault;
use crate::plugin::{Connector, Description, Kind};
use crate::sink::SinkEntry;
use crate::source::{Change, SourceEntry};
use crate::transform::{PredicateEntry, TransformEntry, find};
use crate::{host, sink, source, transform};

/// What `package!` implements.
pub trait Package: 'static {
    /// Name.
    const NAME: &'static str;
    /// Semantic version.
    const VERSION: &'static str;
    /// One sentence.
    const DOCUMENTATION: &'static str;
    /// Sources.
    const SOURCES: &'static [SourceEntry];
    /// Sinks.
    const SINKS: &'static [SinkEntry];
    /// Transforms.
    const TRANSFORMS: &'static [TransformEntry];
    /// Predicates.
    const PREDICATES: &'static [PredicateEntry];
}

/// The exports of a package.
pub struct Exports<P>(PhantomData<P>);

thread_local! {
    static SOURCE: RefCell<source::Running> = RefCell::default();
    static SINK: RefCell<sink::Running> = RefCell::default();
    static CHAIN: RefCell<transform::Running> = RefCell::default();
}

fn unknown(kind: &str, class: &str) -> faults::Fault {
    Fault::fatal("guest.class", format!("this package has no {kind} `{class}`")).raw()
}

fn connector(raw: tasks::ConnectorContext, description: Description) -> Connector {
    Connector { name: raw.connector, config: Settings::new(raw.config, description.config) }
}

impl<P: Package> raw_plugin::Guest for Exports<P> {
    fn describe() -> raw_plugin::PackageInfo {
        host::set_up();
        let sources = P::SOURCES.iter().map(|e| (e.describe)().raw(Kind::Source));
        let sinks = P::SINKS.iter().map(|e| (e.describe)().raw(Kind::Sink));
        let transforms = P::TRANSFORMS.iter().map(|e| (e.describe)().raw(Kind::Transform));
        let predicates = P::PREDICATES.iter().map(|e| (e.describe)().raw(Kind::Predicate));
        raw_plugin::PackageInfo {
            name: P::NAME.to_owned(),
            version: P::VERSION.to_owned(),
            documentation: P::DOCUMENTATION.to_owned(),
            plugins: sources.chain(sinks).chain(transforms).chain(predicates).collect(),
        }
    }

    fn validate(class: String, config: Vec<(String, String)>) -> Vec<raw_plugin::ConfigValue> {
        host::set_up();
        let settings = |d: Description, config| Settings::new(config, d.config);
        if let Some((e, d)) = find(P::SOURCES, |e| (e.describe)(), &class) {
            return (e.validate)(&settings(d, config));
        }
        if let Some((e, d)) = find(P::SINKS, |e| (e.describe)(), &class) {
            return (e.validate)(&settings(d, config));
        }
        if let Some((e, d)) = find(P::TRANSFORMS, |e| (e.describe)(), &class) {
            return (e.validate)(&settings(d, config));
        }
        find(P::PREDICATES, |e| (e.describe)(), &class)
            .map_or_else(Vec::new, |(e, d)| (e.validate)(&settings(d, config)))
    }
}

impl<P: Package> raw_source::Guest for Exports<P> {
    fn tasks(raw: tasks::ConnectorContext, max: u32) -> Result<Vec<tasks::Settings>, faults::Fault> {
        host::set_up();
        let (entry, description) =
            find(P::SOURCES, |e| (e.describe)(), &raw.class).ok_or_else(|| unknown("source", &raw.class))?;
        (entry.tasks)(&connector(raw, description), max).map_err(Fault::raw)
    }

    fn open(task: tasks::TaskContext, positions: Vec<raw_source::Position>) -> Result<(), faults::Fault> {
        host::set_up();
        let (entry, _) =
            find(P::SOURCES, |e| (e.describe)(), &task.class).ok_or_else(|| unknown("source", &task.class))?;
        SOURCE.with_borrow_mut(|running| running.open(entry, task, positions))
    }

    fn poll(limits: raw_source::Limits) -> Result<raw_source::Polled, faults::Fault> {
        SOURCE.with_borrow_mut(|running| running.poll(limits))
    }

    fn committed(positions: Vec<raw_source::Position>) -> Result<(), faults::Fault> {
        SOURCE.with_borrow_mut(|running| running.committed(positions))
    }

    fn close() -> Result<(), faults::Fault> {
        SOURCE.with_borrow_mut(source::Running::close)
    }
}

impl<P: Package> raw_offsets::Guest for Exports<P> {
    fn alter(raw: tasks::ConnectorContext, changes: Vec<raw_offsets::PositionChange>) -> Result<bool, faults::Fault> {
        host::set_up();
        let (entry, description) =
            find(P::SOURCES, |e| (e.describe)(), &raw.class).ok_or_else(|| unknown("source", &raw.class))?;
        let change = |c: raw_offsets::PositionChange| Change { partition: c.partition, offset: c.offset };
        let changes: Vec<Change> = changes.into_iter().map(change).collect();
        (entry.alter_offsets)(&connector(raw, description), &changes).map_err(Fault::raw)
    }
}

impl<P: Package> raw_sink::Guest for Exports<P> {
    fn tasks(raw: tasks::ConnectorContext, max: u32) -> Result<Vec<tasks::Settings>, faults::Fault> {
        host::set_up();
        let (entry, description) =
            find(P::SINKS, |e| (e.describe)(), &raw.class).ok_or_else(|| unknown("sink", &raw.class))?;
        (entry.tasks)(&connector(raw, description), max).map_err(Fault::raw)
    }

    fn open(task: tasks::TaskContext) -> Result<(), faults::Fault> {
        host::set_up();
        let (entry, _) = find(P::SINKS, |e| (e.describe)(), &task.class).ok_or_else(|| unknown("sink", &task.class))?;
        SINK.with_borrow_mut(|running| running.open(entry, task))
    }

    fn assigned(partitions: batches::PartitionOffsets) -> Result<batches::PartitionOffsets, faults::Fault> {
        SINK.with_borrow_mut(|running| running.assigned(&partitions))
    }

    fn revoked(partitions: batches::PartitionOffsets) -> Result<(), faults::Fault> {
        SINK.with_borrow_mut(|running| running.revoked(&partitions))
    }

    fn put(records: batches::Batch) -> Result<raw_sink::Report, faults::Fault> {
        SINK.with_borrow_mut(|running| running.put(records))
    }

    fn prepare_commit(offsets: batches::PartitionOffsets) -> Result<batches::PartitionOffsets, faults::Fault> {
        SINK.with_borrow_mut(|running| running.prepare_commit(&offsets))
    }

    fn close() -> Result<(), faults::Fault> {
        SINK.with_borrow_mut(sink::Running::close)
    }
}

impl<P: Package> raw_transform::Guest for Exports<P> {
    fn open(task: tasks::TaskContext, steps: Vec<raw_transform::Step>) -> Result<(), faults::Fault> {
        host::set_up();
        let opened = CHAIN.with_borrow_mut(|running| running.open(P::TRANSFORMS, P::PREDICATES, &task, steps));
        opened.map_err(Fault::raw)
    }

    fn apply(records: batches::Batch) -> Result<raw_transform::Applied, faults::Fault> {
        Ok(CHAIN.with_borrow_mut(|running| running.apply(records)))
    }

    fn close() -> Result<(), faults::Fault> {
        CHAIN.with_borrow_mut(transform::Running::close);
        Ok(())
    }
}
