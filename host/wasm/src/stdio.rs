//! Standard output and error of a guest, as log lines.
//!
//! Enters: bytes in pieces of any size. Leaves: lines through the [`LogGate`]. Invariant: at most one line's worth of bytes
//! is held; writing never blocks and never fails.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

use crate::spec::LogLevel;
use crate::volume::{LINE_BYTES_MAX, LogGate};

/// Bytes that a guest may write in one go.
const WRITE_BYTES_MAX: usize = 64 << 10;
/// Bytes kept of a guest's last words.
const LAST_WORDS_MAX: usize = 512;

/// One of the two streams. Clones are the same stream.
#[derive(Clone)]
pub(crate) struct Stdio(Arc<Mutex<Lines>>);

struct Lines {
    gate: Arc<LogGate>,
    level: LogLevel,
    pending: Vec<u8>,
    /// The line at hand was cut already: skip to its end.
    skipping: bool,
    last_words: Vec<u8>,
}

impl Stdio {
    pub(crate) fn new(gate: Arc<LogGate>, level: LogLevel) -> Self {
        let lines = Lines { gate, level, pending: Vec::new(), skipping: false, last_words: Vec::new() };
        Self(Arc::new(Mutex::new(lines)))
    }

    fn push(&self, bytes: &[u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(bytes);
    }

    /// Writes out a line without an end.
    pub(crate) fn finish(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).finish();
    }

    /// The first bytes that were written since the last call of this: where a guest says why it dies.
    pub(crate) fn take_last_words(&self) -> String {
        let words = std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner).last_words);
        String::from_utf8_lossy(&words).trim().to_owned()
    }
}

impl Lines {
    fn push(&mut self, mut bytes: &[u8]) {
        let room = LAST_WORDS_MAX.saturating_sub(self.last_words.len());
        self.last_words.extend_from_slice(&bytes[..bytes.len().min(room)]);
        if self.pending.is_empty() && !self.skipping && self.gate.is_shut() {
            // A flood: count its lines without looking at them.
            let end = memchr::memrchr(b'\n', bytes).map_or(0, |at| at + 1);
            let (flood, rest) = bytes.split_at(end);
            self.gate.dropped(memchr::memchr_iter(b'\n', flood).count() as u64);
            bytes = rest;
        }
        while let Some(end) = memchr::memchr(b'\n', bytes) {
            self.keep(&bytes[..end]);
            self.finish();
            bytes = &bytes[end + 1..];
        }
        self.keep(bytes);
    }

    fn keep(&mut self, part: &[u8]) {
        if self.skipping {
            return;
        }
        // One byte more than a line may have, so that the gate marks it as cut.
        let room = (LINE_BYTES_MAX + 1).saturating_sub(self.pending.len());
        self.pending.extend_from_slice(&part[..part.len().min(room)]);
        if self.pending.len() > LINE_BYTES_MAX {
            self.finish();
            self.skipping = true;
        }
    }

    fn finish(&mut self) {
        if !std::mem::take(&mut self.skipping) && !self.pending.is_empty() {
            let line = self.pending.strip_suffix(b"\r").unwrap_or(&self.pending);
            self.gate.line(self.level, line);
        }
        self.pending.clear();
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.finish();
    }
}

impl IsTerminal for Stdio {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Stdio {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Stdio {
    async fn ready(&mut self) {}
}

impl OutputStream for Stdio {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.push(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_BYTES_MAX)
    }
}

impl AsyncWrite for Stdio {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.push(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::spec::{GuestLog, TaskSpec};
    use lockgate_model::TaskId;

    #[derive(Default)]
    struct Written(Mutex<Vec<String>>);

    impl GuestLog for Written {
        fn line(&self, _: LogLevel, text: &str) {
            self.0.lock().unwrap().push(text.to_owned());
        }
    }

    fn stdio(burst: u32) -> (Stdio, Arc<Written>, TaskSpec) {
        let written = Arc::new(Written::default());
        let id = TaskId { tenant: "t".into(), connector: "c".into(), task: 0 };
        let mut spec = TaskSpec::new(id, "c");
        spec.log = Arc::clone(&written) as Arc<dyn GuestLog>;
        (spec.limits.log_bytes_per_second, spec.limits.log_burst_bytes) = (0, burst);
        (Stdio::new(Arc::new(LogGate::new(&spec)), LogLevel::Info), written, spec)
    }

    #[test]
    fn pieces_become_lines_and_the_rest_comes_at_the_end() {
        let (stdio, written, _) = stdio(1 << 20);
        for piece in ["he", "llo\nwor", "ld\r\n\nlast"] {
            stdio.push(piece.as_bytes());
        }
        assert_eq!(*written.0.lock().unwrap(), ["hello", "world"]);
        stdio.finish();
        assert_eq!(written.0.lock().unwrap().last().unwrap(), "last");
        assert!(stdio.take_last_words().starts_with("hello\nworld"));
    }

    #[test]
    fn a_line_without_end_is_cut_once_and_held_no_longer() {
        let (stdio, written, _) = stdio(1 << 20);
        for _ in 0..1_000 {
            stdio.push(&[b'x'; 4096]);
        }
        stdio.push(b"tail\nnext\n");
        let lines = written.0.lock().unwrap();
        assert_eq!((lines.len(), lines[1].as_str()), (2, "next"));
        assert!(lines[0].len() <= LINE_BYTES_MAX);
    }

    #[test]
    fn a_flood_is_counted_to_the_line() {
        let (stdio, written, spec) = stdio(16 * 3);
        for _ in 0..100 {
            stdio.push(b"a\nb\n");
        }
        assert_eq!(written.0.lock().unwrap().len(), 3);
        assert_eq!(spec.metrics.log_lines_dropped_total.value(), 197);
    }
}
