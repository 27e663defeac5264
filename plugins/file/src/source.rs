//! Lines of a file to records, followed like `tail -F`.
//!
//! Enters: a file that grows, is cut, is replaced, or is not there yet. Leaves: a record for each line that has its
//! newline. Invariant: the position is the first byte of the next line, in the file that stands there; a position that
//! belongs to another file is recognised by the file's first bytes and not used.

use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::time::{Duration, SystemTime};

use lockgate_sdk::{
    BatchBuilder, Change, Config, Connector, Description, Encoding, Fault, Importance, Next, Position, Source, Task,
    files, log, state,
};

use crate::lines::Lines;

/// Bytes read at once.
const READ_BYTES: usize = 64 * 1024;
/// How long to wait where there is nothing new.
const IDLE: Duration = Duration::from_millis(250);
/// First bytes of a file that tell it from another.
const HEAD_BYTES: usize = 1024;
/// As Kafka Connect's: values are text.
const SCHEMA: &str = r#"{"type":"string","optional":false}"#;

pub struct FileStreamSource {
    path: String,
    topic: String,
    batch_size: usize,
    line_bytes_max: usize,
    json: bool,
    file: Option<File>,
    identity: Option<u128>,
    /// First byte of the next line.
    position: u64,
    lines: Lines,
    head: Vec<u8>,
    saved_head: String,
    /// Another file stands there; true once this one has given nothing in a further poll.
    replaced: bool,
    said_missing: bool,
}

impl Source for FileStreamSource {
    fn describe() -> Description {
        Description::new("org.apache.kafka.connect.file.FileStreamSourceConnector")
            .alias("FileStreamSource")
            .alias("FileStreamSourceConnector")
            .alias("file-source")
            .doc("Each line of a file becomes a record; the file is followed as it grows, is cut or is replaced.")
            .encoding(Encoding::Bytes)
            .encoding(Encoding::Json)
            .asks_read("{file}")
            .config(
                Config::new()
                    .string("file")
                    .required()
                    .non_empty()
                    .doc("Absolute path of the file to read. It may come into being later.")
                    .string("topic")
                    .required()
                    .non_empty()
                    .doc("Topic that the lines go to.")
                    .int("batch.size")
                    .default(2000)
                    .between(1.0, 65_536.0)
                    .importance(Importance::Low)
                    .doc("Lines at most in one batch.")
                    .int("line.bytes.max")
                    .default(1_048_576)
                    .between(1.0, 67_108_864.0)
                    .importance(Importance::Low)
                    .doc("Bytes at most in one line; a longer one fails the task."),
            )
    }

    /// All that is known is in the stored positions. Whether the file has that byte is seen when it is opened.
    fn alter_offsets(_: &Connector, changes: &[Change]) -> Result<bool, Fault> {
        changes.iter().try_for_each(|change| makes_sense(change).map_err(Fault::offsets))?;
        Ok(true)
    }

    fn open(mut task: Task, positions: &[Position]) -> Result<Self, Fault> {
        let c = &mut task.config;
        let (path, topic) = (c.string("file"), c.string("topic"));
        let (batch_size, line_bytes_max) = (c.count("batch.size"), c.count("line.bytes.max"));
        if !path.starts_with('/') {
            c.problem("file", format!("`{path}` is not an absolute path"));
        }
        c.finish()?;
        let partition = partition(&path);
        let stored = positions.iter().find(|p| p.partition == partition);
        let position = stored.map_or(Ok(0), |p| stored_position(&p.offset))?;
        let saved_head = state::get("head").and_then(|h| String::from_utf8(h).ok()).unwrap_or_default();
        Ok(Self {
            path,
            topic,
            batch_size,
            line_bytes_max,
            json: task.formats.value == Encoding::Json,
            file: None,
            identity: None,
            position,
            lines: Lines::default(),
            head: Vec::new(),
            saved_head,
            replaced: false,
            said_missing: false,
        })
    }

    fn poll(&mut self, out: &mut BatchBuilder) -> Result<Next, Fault> {
        if self.file.is_none() && !self.begin()? {
            return Ok(Next::After(IDLE * 4));
        }
        let before = self.position;
        let more = self.read(out)?;
        let mut moved = self.position != before;
        if !more && out.is_empty() {
            moved |= self.end_of_file(out);
        }
        if moved {
            out.position(partition(&self.path), format!(r#"{{"position":{}}}"#, self.position));
            self.save_head()?;
        }
        Ok(if more || moved { Next::Now } else { Next::After(IDLE) })
    }
}

impl FileStreamSource {
    /// Opens the file at the position; false where it is not there.
    fn begin(&mut self) -> Result<bool, Fault> {
        let before = files::identity(&self.path);
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            Err(e) if e.kind() == ErrorKind::NotFound => {
                if !std::mem::replace(&mut self.said_missing, true) {
                    log::warn!("{} is not there; waiting for it", self.path);
                }
                return Ok(false);
            }
            Err(e) => return Err(self.fault("open", &e)),
        };
        if files::identity(&self.path) != before {
            return Ok(false);
        }
        let mut head = vec![0; HEAD_BYTES];
        let mut len = 0;
        while len < HEAD_BYTES {
            match file.read(&mut head[len..]).map_err(|e| self.fault("read", &e))? {
                0 => break,
                n => len += n,
            }
        }
        head.truncate(len);
        let size = file.metadata().map_err(|e| self.fault("read", &e))?.len();
        if size < self.position {
            log::warn!("{} has {size} bytes, less than the position {}; starting anew", self.path, self.position);
            self.position = 0;
        } else if self.position > 0 && !same_head(&self.saved_head, &head) {
            log::warn!("{} is another file than before; starting at its beginning", self.path);
            self.position = 0;
        }
        file.seek(SeekFrom::Start(self.position)).map_err(|e| self.fault("seek", &e))?;
        self.lines.clear();
        (self.file, self.identity, self.head) = (Some(file), before, head);
        (self.replaced, self.said_missing) = (false, false);
        Ok(true)
    }

    /// Reads lines until the batch is full (true) or the file has no more (false).
    fn read(&mut self, out: &mut BatchBuilder) -> Result<bool, Fault> {
        let topic = out.topic(&self.topic);
        let schema = out.schema(SCHEMA);
        let now = now_ms();
        let read_to = self.position + self.lines.waiting() as u64;
        let Some(file) = self.file.as_mut() else { return Ok(false) };
        // A WASI stream that has met the end gives nothing more, though the file grows: seeking opens a new one.
        if let Err(e) = file.seek(SeekFrom::Start(read_to)) {
            return Err(self.fault("seek", &e));
        }
        loop {
            while out.len() < self.batch_size && !out.is_full() {
                let Some((line, len)) = self.lines.next_line() else { break };
                write(out, topic, schema, now, self.json, line);
                self.position += len as u64;
            }
            if out.len() >= self.batch_size || out.is_full() {
                return Ok(true);
            }
            if self.lines.waiting() > self.line_bytes_max {
                let (path, at, max) = (&self.path, self.position, self.line_bytes_max);
                let message = format!("{path}: the line at byte {at} is longer than line.bytes.max = {max}");
                return Err(Fault::fatal("file.line", message));
            }
            match self.lines.fill(READ_BYTES, |room| file.read(room)) {
                Ok(0) => return Ok(false),
                Ok(_) => {}
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(self.fault("read", &e)),
            }
        }
    }

    /// Nothing new: was the file cut, or replaced? True if the position changed.
    fn end_of_file(&mut self, out: &mut BatchBuilder) -> bool {
        let read_to = self.position + self.lines.waiting() as u64;
        let size = self.file.as_ref().and_then(|f| f.metadata().ok()).map_or(read_to, |m| m.len());
        if size < read_to {
            log::warn!("{} was cut to {size} bytes, less than the position {read_to}; starting anew", self.path);
            self.restart();
            return true;
        }
        let there = files::identity(&self.path);
        if there.is_none() || there == self.identity {
            self.replaced = false;
            return false;
        }
        if !std::mem::replace(&mut self.replaced, true) {
            // Its writer may still hold the old file: one more look before leaving it.
            return false;
        }
        log::info!("{} was replaced; the old file is read to its end at byte {read_to}", self.path);
        if self.lines.waiting() > 0 {
            let (topic, schema) = (out.topic(&self.topic), out.schema(SCHEMA));
            if let Some((line, _)) = self.lines.rest() {
                write(out, topic, schema, now_ms(), self.json, line);
            }
        }
        self.restart();
        true
    }

    fn restart(&mut self) {
        (self.file, self.position, self.replaced) = (None, 0, false);
        self.lines.clear();
        self.head.clear();
    }

    /// Remembers the first bytes of the file, as far as they were sent: stored together with the position.
    fn save_head(&mut self) -> Result<(), Fault> {
        let len = usize::try_from(self.position).unwrap_or(HEAD_BYTES).min(HEAD_BYTES);
        if self.head.len() < len && self.file.is_some() {
            // The file was shorter when it was opened.
            let Some(mut file) = File::open(&self.path).ok().filter(|_| files::identity(&self.path) == self.identity)
            else {
                return Ok(());
            };
            self.head.resize(len, 0);
            if file.read_exact(&mut self.head).is_err() {
                self.head.clear();
                return Ok(());
            }
        }
        let text = head_text(&self.head[..len.min(self.head.len())]);
        if text != self.saved_head {
            state::set("head", text.as_bytes())?;
            self.saved_head = text;
        }
        Ok(())
    }

    fn fault(&self, what: &str, error: &std::io::Error) -> Fault {
        let code = format!("file.{what}");
        let message = format!("cannot {what} {}: {error}", self.path);
        match error.kind() {
            ErrorKind::PermissionDenied | ErrorKind::IsADirectory | ErrorKind::InvalidInput => {
                Fault::fatal(&code, message)
            }
            _ => Fault::retriable(&code, message),
        }
    }
}

fn write(out: &mut BatchBuilder, topic: lockgate_sdk::TopicId, schema: u32, now: i64, json: bool, line: &[u8]) {
    // As in Kafka Connect, bytes that are not UTF-8 become replacement characters.
    let text = String::from_utf8_lossy(line);
    let record = out.record(topic).timestamp(now).value_schema(schema);
    if json {
        record.value(Some(serde_json::Value::from(&*text).to_string().as_bytes())).push();
    } else {
        record.value(Some(text.as_bytes())).push();
    }
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// As Kafka Connect writes it, without blanks.
fn partition(path: &str) -> String {
    format!(r#"{{"filename":{}}}"#, serde_json::Value::from(path))
}

fn stored_position(offset: &str) -> Result<u64, Fault> {
    let parsed: Option<serde_json::Value> = serde_json::from_str(offset).ok();
    parsed.as_ref().and_then(|o| o.get("position")?.as_u64()).ok_or_else(|| {
        Fault::fatal("file.position", format!("the stored offset {offset} has no `position` that is a number"))
    })
}

/// The checks and words of Kafka Connect's own file source. Anything may be forgotten.
fn makes_sense(change: &Change) -> Result<(), &'static str> {
    let Some(offset) = &change.offset else { return Ok(()) };
    let object = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap_or_default();
    let (partition, offset) = (object(&change.partition), object(offset));
    let position =
        offset.get("position").ok_or("Offset objects should either be null or contain the key 'position'")?;
    let Some(position) = position.as_i64() else {
        return Err("The value for the 'position' key in the offset is expected to be a Long value");
    };
    if position < 0 {
        return Err("The value for the 'position' key in the offset should be a non-negative value");
    }
    if partition.get("filename").is_none() {
        return Err("Partition objects should contain the key 'filename'");
    }
    Ok(())
}

/// `length:hash` (FNV-1a, 64 bits).
fn head_text(head: &[u8]) -> String {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    format!("{}:{:016x}", head.len(), head.iter().fold(0xcbf2_9ce4_8422_2325, step))
}

/// True if the file begins as the saved one did, or nothing was saved.
fn same_head(saved: &str, head: &[u8]) -> bool {
    let len = saved.split_once(':').and_then(|(len, _)| len.parse::<usize>().ok());
    len.is_none_or(|len| len <= head.len() && head_text(&head[..len]) == saved)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn another_file_is_told_by_its_first_bytes() {
        let saved = head_text(b"hello");
        assert!(same_head(&saved, b"hello world") && same_head("", b"x"));
        assert!(!same_head(&saved, b"hell") && !same_head(&saved, b"HELLO world"));
    }

    #[test]
    fn a_change_that_makes_no_sense_is_refused_in_kafka_connects_words() {
        let said = |partition: &str, offset: Option<&str>| {
            makes_sense(&Change { partition: partition.to_owned(), offset: offset.map(str::to_owned) })
        };
        let file = r#"{"filename":"/a"}"#;
        assert_eq!(said(file, Some(r#"{"position":0}"#)), Ok(()));
        assert_eq!(said(r#"{"any":1}"#, None), Ok(()), "anything may be forgotten");
        let refused = |partition, offset, words: &str| {
            let text = said(partition, Some(offset)).unwrap_err();
            assert!(text.contains(words), "{text}");
        };
        refused(file, r#"{"place":1}"#, "either be null or contain the key 'position'");
        refused(file, r#"{"position":"4"}"#, "expected to be a Long value");
        refused(file, r#"{"position":1.5}"#, "expected to be a Long value");
        refused(file, r#"{"position":-1}"#, "should be a non-negative value");
        refused(r#"{"file":"/a"}"#, r#"{"position":1}"#, "should contain the key 'filename'");
    }

    #[test]
    fn partition_and_offset_are_kafka_connects() {
        assert_eq!(partition("/a \"b\""), r#"{"filename":"/a \"b\""}"#);
        assert_eq!(stored_position(r#"{"position":42}"#), Ok(42));
        assert_eq!(stored_position(r#"{"n":42}"#).unwrap_err().code, "file.position");
    }
}
