//! Source positions in one file: the offset store of standalone mode.
//!
//! Enters: positions of connectors. Leaves: the same after a restart. Invariant (L3): `store` answers once the file with
//! the new positions has replaced the old one on disk (written aside, synced, renamed, directory synced); a crash at any
//! instant leaves the old content or the new, never a mixture.
//!
//! The file is JSON lines: first `{"format":"lockgate-offsets","version":1}`, then one object a position,
//! `{"connector":C,"partition":P,"offset":O}`, where P and O are the JSON texts as strings, because their bytes are the
//! identity. Kafka Connect's own file is a Java-serialised map; it is refused rather than overwritten.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use lockgate_model::Position;
use lockgate_model::ports::{OffsetStore, StoreFault};
use serde::{Deserialize, Serialize};

/// First bytes of a Java object stream.
const JAVA_MAGIC: [u8; 2] = [0xac, 0xed];
const FORMAT: &str = "lockgate-offsets";
const VERSION: u32 = 1;

/// Cheap to clone; all clones are one file.
#[derive(Clone, Debug)]
pub struct FileOffsetStore {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    /// Held only inside a blocking task, together with the write that it guards.
    positions: Mutex<Positions>,
}

type Positions = BTreeMap<(String, Arc<str>), Arc<str>>;

#[derive(Serialize, Deserialize)]
struct Header {
    format: String,
    version: u32,
}

#[derive(Serialize, Deserialize)]
struct Line {
    connector: String,
    partition: Arc<str>,
    offset: Arc<str>,
}

/// The offset file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OffsetFileError {
    /// Code `store.java-file`.
    #[error(
        "{} was written by Kafka Connect on the JVM (a Java-serialised map); name another file in \
         offset.storage.file.filename, the source offsets begin anew there [store.java-file]", .0.display()
    )]
    Java(PathBuf),
    /// Code `store.format`.
    #[error("{} line {line} is not what this store writes: {why}; move the file away to begin anew [store.format]", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// Line from 1.
        line: usize,
        /// What is wrong.
        why: String,
    },
    /// Code `store.io`.
    #[error("the offset file {} cannot be used: {cause} (offset.storage.file.filename) [store.io]", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
}

impl FileOffsetStore {
    /// Opens the file, or begins a new one where there is none. Blocks for the length of one read.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, OffsetFileError> {
        let path = path.into();
        let io = |cause| OffsetFileError::Io { path: path.clone(), cause };
        let positions = match fs::read(&path) {
            Ok(bytes) => parse(&path, &bytes)?,
            Err(e) if e.kind() == io::ErrorKind::NotFound => Positions::new(),
            Err(cause) => return Err(io(cause)),
        };
        // Found out now rather than at the first commit.
        write_whole(&path, &positions).map_err(io)?;
        Ok(Self { inner: Arc::new(Inner { path, positions: Mutex::new(positions) }) })
    }
}

impl OffsetStore for FileOffsetStore {
    async fn load(&self, connector: &str) -> Result<Vec<Position>, StoreFault> {
        let (inner, connector) = (Arc::clone(&self.inner), connector.to_owned());
        blocking(move || {
            let positions = inner.positions.lock().unwrap_or_else(PoisonError::into_inner);
            let own = positions.iter().filter(|((c, _), _)| *c == connector);
            Ok(own.map(|((_, p), o)| Position { partition: Arc::clone(p), offset: Some(Arc::clone(o)) }).collect())
        })
        .await
    }

    async fn store(&self, connector: &str, positions: &[Position]) -> Result<(), StoreFault> {
        let (inner, connector, new) = (Arc::clone(&self.inner), connector.to_owned(), positions.to_vec());
        blocking(move || inner.store(&connector, new)).await
    }
}

impl Inner {
    fn store(&self, connector: &str, new: Vec<Position>) -> Result<(), StoreFault> {
        let mut positions = self.positions.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = positions.clone();
        for Position { partition, offset } in new {
            let key = (connector.to_owned(), partition);
            match offset {
                Some(offset) => drop(next.insert(key, offset)),
                None => drop(next.remove(&key)),
            }
        }
        write_whole(&self.path, &next).map_err(|e| fault(&self.path, &e))?;
        *positions = next; // keeps L3: memory follows the disk
        Ok(())
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreFault> + Send + 'static,
) -> Result<T, StoreFault> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|e| {
        let message = format!("the offset store ended: {e}");
        Err(StoreFault { retriable: false, code: "store.ended".to_owned(), message })
    })
}

fn fault(path: &Path, error: &io::Error) -> StoreFault {
    let full = error.kind() == io::ErrorKind::StorageFull;
    let code = if full { "store.disk-full" } else { "store.io" };
    let message = format!("the offset file {} cannot be written: {error}", path.display());
    StoreFault { retriable: true, code: code.to_owned(), message }
}

fn parse(path: &Path, bytes: &[u8]) -> Result<Positions, OffsetFileError> {
    if bytes.starts_with(&JAVA_MAGIC) {
        return Err(OffsetFileError::Java(path.to_owned()));
    }
    let bad = |line: usize, why: String| OffsetFileError::Format { path: path.to_owned(), line, why };
    let text = std::str::from_utf8(bytes).map_err(|e| bad(1, e.to_string()))?;
    let mut positions = Positions::new();
    for (index, line) in text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()) {
        let number = index + 1;
        if index == 0 {
            let header: Header = serde_json::from_str(line).map_err(|e| bad(number, e.to_string()))?;
            if header.format != FORMAT || header.version != VERSION {
                return Err(bad(number, format!("format {} version {}", header.format, header.version)));
            }
            continue;
        }
        let line: Line = serde_json::from_str(line).map_err(|e| bad(number, e.to_string()))?;
        positions.insert((line.connector, line.partition), line.offset);
    }
    Ok(positions)
}

fn write_whole(path: &Path, positions: &Positions) -> io::Result<()> {
    let mut text = serde_json::to_string(&Header { format: FORMAT.to_owned(), version: VERSION })?;
    text.push('\n');
    for ((connector, partition), offset) in positions {
        let (partition, offset) = (Arc::clone(partition), Arc::clone(offset));
        text += &serde_json::to_string(&Line { connector: connector.clone(), partition, offset })?;
        text.push('\n');
    }
    replace_file(path, text.as_bytes())
}

/// Puts new content in the place of a file, durably: aside, sync, rename, sync of the directory.
pub(crate) fn replace_file(path: &Path, content: &[u8]) -> io::Result<()> {
    let directory = path.parent().filter(|d| !d.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(directory)?;
    let name = path.file_name().ok_or_else(|| io::Error::other("the path names no file"))?;
    let aside = directory.join(format!(".{}.{}.tmp", name.to_string_lossy(), std::process::id()));
    let written = File::create(&aside).and_then(|mut file| {
        file.write_all(content)?;
        file.sync_all()
    });
    written.and_then(|()| fs::rename(&aside, path)).inspect_err(|_| drop(fs::remove_file(&aside)))?;
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn position(partition: &str, offset: Option<&str>) -> Position {
        Position { partition: partition.into(), offset: offset.map(Into::into) }
    }

    #[tokio::test]
    async fn positions_are_there_after_a_restart_and_a_null_removes_them() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("offsets");
        let store = FileOffsetStore::open(&path).unwrap();
        let (a, b) = (position(r#"{"f":"a"}"#, Some(r#"{"p":1}"#)), position(r#"{"f":"b"}"#, Some(r#"{"p":2}"#)));
        store.store("c", &[a.clone(), b.clone()]).await.unwrap();
        store.store("other", std::slice::from_ref(&a)).await.unwrap();
        store.store("c", &[position(r#"{"f":"a"}"#, None)]).await.unwrap();
        let again = FileOffsetStore::open(&path).unwrap();
        assert_eq!(again.load("c").await.unwrap(), [b]);
        assert_eq!(again.load("other").await.unwrap(), [a]);
    }

    #[tokio::test]
    async fn a_write_that_dies_halfway_leaves_the_old_positions() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("offsets");
        let store = FileOffsetStore::open(&path).unwrap();
        let old = position("{}", Some(r#"{"p":1}"#));
        store.store("c", std::slice::from_ref(&old)).await.unwrap();
        // What a crash between writing aside and renaming leaves behind.
        fs::write(dir.path().join(".offsets.1.tmp"), br#"{"format":"lockg"#).unwrap();
        assert_eq!(FileOffsetStore::open(&path).unwrap().load("c").await.unwrap(), [old]);
    }

    #[tokio::test]
    async fn a_failed_write_is_an_error_and_changes_nothing_in_memory() {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().join("home");
        let store = FileOffsetStore::open(home.join("offsets")).unwrap();
        store.store("c", &[position("{}", Some("1"))]).await.unwrap();
        fs::remove_dir_all(&home).unwrap();
        fs::write(&home, "a file where the directory was").unwrap();
        let error = store.store("c", &[position("{}", Some("2"))]).await.unwrap_err();
        assert!(error.retriable && error.code == "store.io", "{error:?}");
        assert_eq!(store.load("c").await.unwrap()[0].offset.as_deref(), Some("1"));
    }

    #[test]
    fn a_java_file_and_a_torn_file_are_refused_and_not_touched() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("offsets");
        for (bytes, expected) in
            [(&b"\xac\xed\x00\x05sr"[..], "Java"), (&b"{\"format\":\"other\",\"version\":1}\n"[..], "format other")]
        {
            fs::write(&path, bytes).unwrap();
            let error = FileOffsetStore::open(&path).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
            assert_eq!(fs::read(&path).unwrap(), bytes);
        }
    }
}
