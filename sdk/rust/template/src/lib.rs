//! A sink that appends records to a file as `topic<TAB>key<TAB>value`: copy this crate and change it.
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
        let (mut report, mut lines) = (Report::all_taken(), Vec::new());
        for record in batch.iter() {
            let Some(value) = record.value() else {
                report.bad(record.index(), "my.tombstone", "this sink cannot delete");
                continue;
            };
            for column in [record.topic().as_bytes(), record.key().unwrap_or_default()] {
                lines.extend_from_slice(column);
                lines.extend_from_slice(self.separator.as_bytes());
            }
            lines.extend_from_slice(value);
            lines.push(b'\n');
        }
        metrics::add("my_batches", 1.0);
        self.file.write_all(&lines).map_err(|e| Fault::retriable("my.write", e.to_string()))?;
        Ok(report)
    }

    fn prepare_commit(&mut self, offsets: Vec<Place>) -> Result<Vec<Place>, Fault> {
        self.file.sync_data().map_err(|e| Fault::retriable("my.sync", e.to_string()))?;
        Ok(offsets)
    }
}

lockgate_sdk::package! { name: "my-sink", version: env!("CARGO_PKG_VERSION"), sinks: [MySink] }
