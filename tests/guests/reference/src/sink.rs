//! The sink of the contract: a log line for each record.
//!
//! Enters: batches and offsets. Leaves: log lines, bad rows, agreed offsets. Invariant: what a record demands is seen
//! before any line is logged.

use std::fmt::Write;
use std::time::Duration;

use lockgate_sdk::{
    Batch, ConfigValue, Connector, Description, Encoding, Fault, Place, Record, Report, RowFault, Settings, Sink, Task,
    TaskSettings, context, log, metrics,
};

use crate::outside::Outside;

pub struct Reference {
    mode: String,
    outside: Outside,
    value: Encoding,
    refused_put: bool,
    refused_commit: bool,
}

impl Sink for Reference {
    fn describe() -> Description {
        crate::description("ref.Sink").alias("reference-sink").asks_http("{url}").asks_tcp("{tcp}")
    }

    fn validate(config: &Settings) -> Vec<ConfigValue> {
        crate::validate(config)
    }

    fn tasks(connector: &Connector, max: u32) -> Result<TaskSettings, Fault> {
        crate::tasks(connector, max)
    }

    fn open(task: Task) -> Result<Self, Fault> {
        let mode = crate::open("ref.Sink", &task)?;
        if mode == "state" {
            log::info!("ref: total {}", crate::total());
        }
        let outside = Outside::of(&task);
        Ok(Self { mode, outside, value: task.formats.value, refused_put: false, refused_commit: false })
    }

    fn assigned(&mut self, partitions: &[Place]) -> Result<Vec<Place>, Fault> {
        for p in partitions {
            log::info!("ref: assigned {}-{}@{}", p.topic, p.partition, p.offset);
        }
        let from_start = |p: &Place| Place { offset: 0, ..p.clone() };
        Ok(if self.mode == "resume" { partitions.iter().map(from_start).collect() } else { Vec::new() })
    }

    fn revoked(&mut self, partitions: &[Place]) -> Result<(), Fault> {
        for p in partitions {
            log::info!("ref: revoked {}-{}@{}", p.topic, p.partition, p.offset);
        }
        Ok(())
    }

    fn put(&mut self, batch: &Batch) -> Result<Report, Fault> {
        self.demands(batch)?;
        let mut report = Report::all_taken();
        match self.mode.as_str() {
            "http" => self.outside.http(batch, &mut report)?,
            "tcp" => self.outside.tcp(batch)?,
            _ => {}
        }
        let mut line = String::new();
        for record in batch.iter() {
            if self.mode != "quiet" {
                line.clear();
                describe(&mut line, &record);
                log::info!("{line}");
            }
            for (name, retriable) in [("ref.bad", false), ("ref.bad.retriable", true)] {
                if let Some(value) = record.header(name) {
                    let why = String::from_utf8_lossy(value.unwrap_or_default());
                    let fault = RowFault::new(record.index(), "ref.bad", format!("marked bad: {why}"));
                    report.push(if retriable { fault.retriable() } else { fault });
                }
            }
        }
        metrics::add("ref_records", crate::as_float(batch.len() as u64));
        metrics::add("ref_bytes", crate::as_float(batch.data_len() as u64));
        metrics::add("ref_puts", 1.0);
        if self.mode == "state" {
            crate::add_to_total(batch.len())?;
        }
        Ok(report)
    }

    fn prepare_commit(&mut self, mut offsets: Vec<Place>) -> Result<Vec<Place>, Fault> {
        if self.mode == "commit-retriable" && !self.refused_commit {
            self.refused_commit = true;
            return Err(Fault::retriable("ref.commit", "not yet").after(Duration::from_millis(50)));
        }
        for p in &offsets {
            log::info!("ref: commit {}-{}@{}", p.topic, p.partition, p.offset);
        }
        match self.mode.as_str() {
            "agree-less" => offsets.iter_mut().for_each(|p| p.offset = (p.offset - 1).max(0)),
            "agree-none" => offsets.clear(),
            _ => {}
        }
        Ok(offsets)
    }

    fn close(&mut self) -> Result<(), Fault> {
        log::info!("ref: close ref.Sink");
        Ok(())
    }
}

impl Reference {
    fn demands(&mut self, batch: &Batch) -> Result<(), Fault> {
        for record in batch.iter() {
            let value = record.value().unwrap_or_default();
            let is = |text: &str| value == crate::quoted(self.value, text).as_bytes();
            if is("ref:fatal") {
                return Err(Fault::fatal("ref.put", "fatal on demand"));
            } else if is("ref:rows") {
                return Err(Fault::rows(vec![RowFault::new(record.index(), "ref.rows", "row on demand")]));
            } else if is("ref:panic") {
                crate::ref_panics_here();
            } else if is("ref:spin") {
                spin();
            } else if is("ref:grow") {
                grow();
            } else if is("ref:wait") {
                log::info!("ref: waiting");
                while !context::cancelled() {}
            } else if is("ref:retriable") && !self.refused_put {
                self.refused_put = true;
                return Err(Fault::retriable("ref.put", "not yet").after(Duration::from_millis(50)));
            }
        }
        Ok(())
    }
}

fn spin() -> ! {
    let mut turns = 0_u64;
    loop {
        turns = std::hint::black_box(turns.wrapping_add(1));
    }
}

fn grow() -> ! {
    let mut kept = Vec::new();
    loop {
        kept.push(std::hint::black_box(vec![1_u8; 1 << 20]));
    }
}

fn describe(line: &mut String, record: &Record<'_>) {
    let timestamp = record.timestamp().unwrap_or(-1);
    // Writing to a String cannot fail.
    let _ = write!(line, "ref: {}-{}@{} ts={timestamp} key=", record.topic(), record.partition(), record.offset());
    hex(line, record.key());
    line.push_str(" value=");
    hex(line, record.value());
    line.push_str(" headers=[");
    for (at, header) in record.headers().enumerate() {
        let _ = write!(line, "{}{}=", if at == 0 { "" } else { "," }, header.name);
        hex(line, header.value);
    }
    let (key, value) = (record.key_schema(), record.value_schema());
    let _ = write!(line, "] ks={} vs={}", key.as_deref().unwrap_or("-"), value.as_deref().unwrap_or("-"));
}

fn hex(line: &mut String, bytes: Option<&[u8]>) {
    let Some(bytes) = bytes else { return line.push_str("null") };
    for byte in bytes {
        let _ = write!(line, "{byte:02x}");
    }
}
