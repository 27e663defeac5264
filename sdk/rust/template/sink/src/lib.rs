//! A sink that appends records to a file as `topic<TAB>key<TAB>value`: change it into yours.
//!
//! Enters: batches. Leaves: lines. Invariant: an offset is agreed to once its lines are on the disk.

use std::fs::{File, OpenOptions};
use std::io::Write;

use lockgate_sdk::{Batch, Config, Description, Encoding, Fault, Place, Report, Sink, Task, log, metrics};

struct MySink {
    file: File,
    separator: String,
}

impl Sink for MySink {
    fn describe() -> Description {
        Description::new("com.example.MySink")
            .doc("Appends records to a file.")
            .encoding(Encoding::Json)
            .encoding(Encoding::Bytes)
            .asks_write("{file}")
            .config(
                Config::new()
                    .string("file")
                    .required()
                    .doc("Absolute path of the file.")
                    .string("separator")
                    .default("\t")
                    .doc("What stands between the columns."),
            )
    }

    fn open(mut task: Task) -> Result<Self, Fault> {
        let (path, separator) = (task.config.string("file"), task.config.string("separator"));
        task.config.finish()?;
        let file = OpenOptions::new().append(true).create(true).open(&path);
        let file = file.map_err(|e| Fault::fatal("my.open", format!("cannot open {path}: {e}")))?;
        log::info!("writing to {path}");
        Ok(Self { file, separator })
    }

    fn put(&mut self, batch: &Batch) -> Result<Report, Fault> {
        let (lines, report) = lines(batch, &self.separator);
        metrics::add("my_batches", 1.0);
        self.file.write_all(&lines).map_err(|e| Fault::retriable("my.write", e.to_string()))?;
        Ok(report)
    }

    fn prepare_commit(&mut self, offsets: Vec<Place>) -> Result<Vec<Place>, Fault> {
        self.file.sync_data().map_err(|e| Fault::retriable("my.sync", e.to_string()))?;
        Ok(offsets)
    }
}

/// The lines of a batch, and the records that have none.
fn lines(batch: &Batch, separator: &str) -> (Vec<u8>, Report) {
    let (mut lines, mut report) = (Vec::new(), Report::all_taken());
    for record in batch.iter() {
        let Some(value) = record.value() else {
            report.bad(record.index(), "my.tombstone", "this sink cannot delete");
            continue;
        };
        for column in [record.topic().as_bytes(), record.key().unwrap_or_default()] {
            lines.extend_from_slice(column);
            lines.extend_from_slice(separator.as_bytes());
        }
        lines.extend_from_slice(value);
        lines.push(b'\n');
    }
    (lines, report)
}

lockgate_sdk::package! { name: "my-sink", version: env!("CARGO_PKG_VERSION"), sinks: [MySink] }

#[cfg(test)]
mod tests {
    use lockgate_sdk::{BatchBuilder, Schemas};

    use super::*;

    #[test]
    fn records_become_lines_and_tombstones_are_named() {
        let mut records = BatchBuilder::new(&Schemas::default(), 10, 1000);
        let topic = records.topic("t");
        records.record(topic).key(Some(b"k")).value(Some(b"v")).push();
        records.record(topic).push();
        let (lines, report) = lines(&records.into_batch(), "|");
        assert_eq!(lines, b"t|k|v\n");
        assert_eq!(report.rows().len(), 1);
    }
}
