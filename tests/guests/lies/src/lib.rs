//! Answers that break the contract of the border, one for each `lie`; raw bindings, because the SDK cannot lie.
//!
//! Enters: `lie` in the settings. Leaves: a malformed answer. Invariant: with `lie` = `none` every answer is right.

mod batches;

use std::cell::RefCell;

use lockgate_sdk::bindings::base::lockgate::connect::batches::{Batch, Encoding, PartitionOffsets, Schema};
use lockgate_sdk::bindings::base::lockgate::connect::faults::{Fault, FaultKind, RowFault};
use lockgate_sdk::bindings::base::lockgate::connect::tasks::{ConnectorContext, Settings, TaskContext};
use lockgate_sdk::bindings::plugin::exports::lockgate::connect::plugin;
use lockgate_sdk::bindings::sink::exports::lockgate::connect::sink;
use lockgate_sdk::bindings::source::exports::lockgate::connect::source;
use lockgate_sdk::bindings::transform::exports::lockgate::connect::transform;

struct Lies;

thread_local! {
    static LIE: RefCell<String> = const { RefCell::new(String::new()) };
}

fn lie() -> String {
    LIE.with_borrow(Clone::clone)
}

fn remember(config: &[(String, String)]) {
    let found = config.iter().find(|(key, _)| key == "lie").map(|(_, value)| value.clone());
    LIE.set(found.unwrap_or_else(|| "none".to_owned()));
}

fn split(connector: &ConnectorContext, max: u32) -> Vec<Settings> {
    remember(&connector.config);
    match lie().as_str() {
        "tasks-none" => Vec::new(),
        "tasks-many" => vec![connector.config.clone(); max as usize + 10],
        _ => vec![connector.config.clone()],
    }
}

fn row_fault(row: u32) -> RowFault {
    RowFault { row, step: 7, retriable: false, code: "c".repeat(10_000), message: "m".repeat(100_000) }
}

impl plugin::Guest for Lies {
    fn describe() -> plugin::PackageInfo {
        let info = |class: &str, kind| plugin::PluginInfo {
            class: class.to_owned(),
            kind,
            aliases: Vec::new(),
            documentation: String::new(),
            config: Vec::new(),
            encodings: vec![Encoding::Bytes],
            requests: Vec::new(),
        };
        plugin::PackageInfo {
            name: "lies".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            documentation: String::new(),
            plugins: vec![
                info("lies.Source", plugin::Kind::Source),
                info("lies.Sink", plugin::Kind::Sink),
                info("lies.Transform", plugin::Kind::Transform),
            ],
        }
    }

    fn validate(_class: String, _config: Settings) -> Vec<plugin::ConfigValue> {
        Vec::new()
    }
}

impl source::Guest for Lies {
    fn tasks(connector: ConnectorContext, max: u32) -> Result<Vec<Settings>, Fault> {
        Ok(split(&connector, max))
    }

    fn open(task: TaskContext, _positions: Vec<source::Position>) -> Result<(), Fault> {
        remember(&task.config);
        Ok(())
    }

    fn poll(limits: source::Limits) -> Result<source::Polled, Fault> {
        let records = batches::lying(&lie(), limits.records_max);
        let position = |partition: &str, offset: &str, after_row| source::Position {
            partition: partition.to_owned(),
            offset: offset.to_owned(),
            after_row,
        };
        let positions = match lie().as_str() {
            "position-nonsense" => vec![position("not json", "{\"n\":", 0)],
            "position-array" => vec![position("[]", "[1]", 0)],
            "position-nested" => vec![position("{}", "{\"a\":{\"b\":1}}", 0)],
            "position-row" => vec![position("{\"p\":1}", "{\"n\":1}", 1_000_000)],
            "position-huge" => vec![position("{\"p\":1}", &format!("{{\"n\":\"{}\"}}", "x".repeat(5 << 20)), 0)],
            "position-many" => vec![position("{\"p\":1}", "{\"n\":1}", 0); 1_000_000],
            _ => vec![position("{\"p\":1}", "{\"n\":1}", 0)],
        };
        let next = if lie() == "next-never" { source::Next::After(u32::MAX) } else { source::Next::After(10) };
        Ok(source::Polled { records, positions, next })
    }

    fn committed(_positions: Vec<source::Position>) -> Result<(), Fault> {
        Ok(())
    }

    fn close() -> Result<(), Fault> {
        Ok(())
    }
}

impl sink::Guest for Lies {
    fn tasks(connector: ConnectorContext, max: u32) -> Result<Vec<Settings>, Fault> {
        Ok(split(&connector, max))
    }

    fn open(task: TaskContext) -> Result<(), Fault> {
        remember(&task.config);
        Ok(())
    }

    fn assigned(mut partitions: PartitionOffsets) -> Result<PartitionOffsets, Fault> {
        match lie().as_str() {
            "assigned-other" => partitions.topics.iter_mut().for_each(|t| t.push_str("-other")),
            "assigned-ragged" => partitions.rows.push(0),
            _ => partitions.rows.clear(),
        }
        Ok(partitions)
    }

    fn revoked(_partitions: PartitionOffsets) -> Result<(), Fault> {
        Ok(())
    }

    fn put(records: Batch) -> Result<sink::Report, Fault> {
        let count = u32::try_from(records.rows.len() / 64).unwrap_or(u32::MAX);
        let fault =
            |kind| Fault { kind, code: String::new(), message: "m".repeat(1 << 20), detail: "d".repeat(1 << 20) };
        match lie().as_str() {
            "bad-row-outside" => Ok(sink::Report { bad: vec![row_fault(count)] }),
            "bad-row-twice" => Ok(sink::Report { bad: vec![row_fault(0), row_fault(0)] }),
            "bad-rows-many" => Ok(sink::Report { bad: (0..1_000_000).map(|_| row_fault(0)).take(2_000).collect() }),
            "fault-rows-none" => Err(fault(FaultKind::Rows(Vec::new()))),
            "fault-long" => Err(fault(FaultKind::Fatal)),
            "fault-wait" => Err(fault(FaultKind::Retriable(u32::MAX))),
            _ => Ok(sink::Report { bad: Vec::new() }),
        }
    }

    fn prepare_commit(mut offsets: PartitionOffsets) -> Result<PartitionOffsets, Fault> {
        let (rows, _) = offsets.rows.as_chunks_mut::<16>();
        match lie().as_str() {
            "agree-more" => rows.iter_mut().for_each(|row| {
                let more = i64::from_le_bytes([row[8], row[9], row[10], row[11], row[12], row[13], row[14], row[15]]);
                row[8..].copy_from_slice(&(more + 1_000).to_le_bytes());
            }),
            "agree-negative" => rows.iter_mut().for_each(|row| row[8..].copy_from_slice(&(-5i64).to_le_bytes())),
            "agree-partition" => rows.iter_mut().for_each(|row| row[4..8].copy_from_slice(&99u32.to_le_bytes())),
            "agree-topic" => offsets.topics.iter_mut().for_each(|t| t.push_str("-other")),
            "agree-index" => rows.iter_mut().for_each(|row| row[..4].copy_from_slice(&1_000u32.to_le_bytes())),
            "agree-twice" => offsets.rows.extend_from_within(..),
            "agree-ragged" => offsets.rows.push(0),
            _ => {}
        }
        Ok(offsets)
    }

    fn close() -> Result<(), Fault> {
        Ok(())
    }
}

impl transform::Guest for Lies {
    fn open(_task: TaskContext, steps: Vec<transform::Step>) -> Result<(), Fault> {
        remember(steps.first().map_or(&[], |step| &step.config));
        Ok(())
    }

    fn apply(records: Batch) -> Result<transform::Applied, Fault> {
        let data = u32::try_from(records.data.len()).unwrap_or(u32::MAX);
        let Batch { topics, mut rows, headers, .. } = records;
        let count = u32::try_from(rows.len() / 64).unwrap_or(u32::MAX);
        let mut failed = Vec::new();
        let mut schemas = Vec::new();
        let mut set = |at: usize, value: u32| {
            rows.as_chunks_mut::<64>()
                .0
                .iter_mut()
                .for_each(|row| row[at..at + 4].copy_from_slice(&value.to_le_bytes()));
        };
        match lie().as_str() {
            "span" => [(32, data), (36, 100)].iter().for_each(|&(at, value)| set(at, value)),
            "span-overflow" => [(32, u32::MAX - 1), (36, u32::MAX - 1)].iter().for_each(|&(at, value)| set(at, value)),
            "topic" => set(20, 77),
            "headers" => [(40, 1_000_000), (44, 5)].iter().for_each(|&(at, value)| set(at, value)),
            "source-row" => set(48, count),
            "source-order" => {
                let reversed: Vec<u8> = rows.as_chunks::<64>().0.iter().rev().flatten().copied().collect();
                rows = reversed;
            }
            "flags" => set(52, 0x8000_0000),
            "schema" => set(60, 0xfffe),
            "schema-owner" => schemas.push(Schema { id: 5, definition: "{\"type\":\"string\"}".to_owned() }),
            "failed-and-kept" => failed.push(row_fault(0)),
            "failed-outside" => failed.push(row_fault(count)),
            "ragged" => rows.truncate(rows.len() - 1),
            "rows-many" => rows = rows[..64].repeat(10_000_000 / 64),
            _ => {}
        }
        Ok(transform::Applied { topics, schemas, rows, headers, appended: Vec::new(), failed })
    }

    fn close() -> Result<(), Fault> {
        Ok(())
    }
}

lockgate_sdk::bindings::plugin::export_plugin!(Lies with_types_in lockgate_sdk::bindings::plugin);
lockgate_sdk::bindings::source::export_source!(Lies with_types_in lockgate_sdk::bindings::source);
lockgate_sdk::bindings::sink::export_sink!(Lies with_types_in lockgate_sdk::bindings::sink);
lockgate_sdk::bindings::transform::export_transform!(Lies with_types_in lockgate_sdk::bindings::transform);
