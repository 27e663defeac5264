//! Records to lines of a file.
//!
//! Enters: batches. Leaves: the values as lines at the end of the file. Invariant: the file ends with a whole line after
//! each call, whatever failed in it; offsets are agreed to once the lines are on the disk (`sync_data`).

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};

use lockgate_sdk::{
    Batch, Config, Connector, Description, Encoding, Fault, Place, Report, Sink, Task, TaskSettings, log, state,
};

/// Bytes looked at when searching the end of the last whole line.
const TAIL_BYTES: u64 = 64 * 1024;

pub struct FileStreamSink {
    path: String,
    json: bool,
    file: File,
    /// A write failed: its stream is closed for good, so the file is opened again before the next one.
    failed: bool,
    /// The length to cut back to before anything else is written.
    torn: Option<u64>,
    lines: Vec<u8>,
    dirty: bool,
}

impl Sink for FileStreamSink {
    fn describe() -> Description {
        Description::new("org.apache.kafka.connect.file.FileStreamSinkConnector")
            .alias("FileStreamSink")
            .alias("FileStreamSinkConnector")
            .alias("file-sink")
            .doc("The value of each record becomes a line at the end of a file.")
            .encoding(Encoding::Bytes)
            .encoding(Encoding::Json)
            .asks_write("{file}")
            .config(
                Config::new()
                    .string("file")
                    .required()
                    .non_empty()
                    .doc("Absolute path of the file to append to. It is created where it is not there."),
            )
    }

    /// One task: a single writer, so that a half-written line can be taken back.
    fn tasks(connector: &Connector, _max: u32) -> Result<TaskSettings, Fault> {
        Ok(vec![connector.config.pairs().to_vec()])
    }

    fn open(mut task: Task) -> Result<Self, Fault> {
        let path = task.config.string("file");
        if !path.starts_with('/') {
            task.config.problem("file", format!("`{path}` is not an absolute path"));
        }
        task.config.finish()?;
        let file = open_file(&path)?;
        let json = task.formats.value == Encoding::Json;
        let mut sink = Self { path, json, file, failed: false, torn: None, lines: Vec::new(), dirty: false };
        sink.mend()?;
        state::set("file", sink.path.as_bytes())?;
        Ok(sink)
    }

    fn put(&mut self, batch: &Batch) -> Result<Report, Fault> {
        let mut report = Report::all_taken();
        self.lines.clear();
        for record in batch.iter() {
            match record.value() {
                None => self.lines.extend_from_slice(b"null"),
                Some(value) if self.json && value.first() == Some(&b'"') => {
                    match serde_json::from_slice::<String>(value) {
                        Ok(text) => self.lines.extend_from_slice(text.as_bytes()),
                        Err(e) => {
                            report.bad(record.index(), "json.syntax", format!("the value is not a JSON string: {e}"));
                            continue;
                        }
                    }
                }
                Some(value) => self.lines.extend_from_slice(value),
            }
            self.lines.push(b'\n');
        }
        self.append()?;
        Ok(report)
    }

    fn prepare_commit(&mut self, offsets: Vec<Place>) -> Result<Vec<Place>, Fault> {
        self.sync()?;
        Ok(offsets)
    }

    fn close(&mut self) -> Result<(), Fault> {
        self.sync()
    }
}

impl FileStreamSink {
    /// The file may end in half a line. If it is this task's own (a crash while writing), that record comes again: cut
    /// it off. If the file is new to the task, its owner's last line only lacks a newline: add it.
    fn mend(&mut self) -> Result<(), Fault> {
        let size = self.size()?;
        let from = size.saturating_sub(TAIL_BYTES);
        let mut tail = Vec::new();
        let read =
            self.file.seek(SeekFrom::Start(from)).and_then(|_| (&self.file).take(TAIL_BYTES).read_to_end(&mut tail));
        read.map_err(|e| fault(&self.path, "read", &e))?;
        if tail.last().is_none_or(|b| *b == b'\n') {
            return Ok(());
        }
        let line = tail.iter().rposition(|b| *b == b'\n').map(|at| from + at as u64 + 1);
        let ours = state::get("file").as_deref() == Some(self.path.as_bytes());
        match line.or((from == 0).then_some(0)) {
            Some(end) if ours => {
                log::warn!("{}: cutting off {} bytes of a line that was not finished", self.path, size - end);
                self.file.set_len(end).map_err(|e| fault(&self.path, "cut", &e))
            }
            _ => self.file.write_all(b"\n").map_err(|e| fault(&self.path, "write", &e)),
        }
    }

    fn append(&mut self) -> Result<(), Fault> {
        if self.failed {
            self.file = open_file(&self.path)?;
            self.failed = false;
        }
        if let Some(length) = self.torn {
            self.file.set_len(length).map_err(|e| fault(&self.path, "cut", &e))?;
            self.torn = None;
        }
        let good = self.size()?;
        self.dirty = true;
        let Err(error) = self.file.write_all(&self.lines) else { return Ok(()) };
        self.failed = true;
        if self.file.set_len(good).is_err() {
            self.torn = Some(good);
        }
        Err(fault(&self.path, "write", &error))
    }

    fn sync(&mut self) -> Result<(), Fault> {
        if self.dirty {
            self.file.sync_data().map_err(|e| fault(&self.path, "sync", &e))?;
            self.dirty = false;
        }
        Ok(())
    }

    fn size(&self) -> Result<u64, Fault> {
        Ok(self.file.metadata().map_err(|e| fault(&self.path, "read", &e))?.len())
    }
}

fn open_file(path: &str) -> Result<File, Fault> {
    OpenOptions::new().read(true).append(true).create(true).open(path).map_err(|e| fault(path, "open", &e))
}

fn fault(path: &str, what: &str, error: &std::io::Error) -> Fault {
    let code = format!("file.{what}");
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            let message = format!("no space left for {path}: nothing of this batch is in the file; free space");
            Fault::retriable("file.full", message).detail(error.to_string())
        }
        ErrorKind::NotFound | ErrorKind::PermissionDenied | ErrorKind::IsADirectory => {
            let advice = "check that its directory is there and granted for writing";
            Fault::fatal(&code, format!("cannot {what} {path}: {error}; {advice}"))
        }
        _ => Fault::retriable(&code, format!("cannot {what} {path}: {error}")),
    }
}
