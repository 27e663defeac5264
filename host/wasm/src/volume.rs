//! How much a guest may say.
//!
//! Enters: lines of any content. Leaves: lines without control characters, at most 8 KiB each, within the task's rate.
//! Invariant: what is dropped is counted, and the next line that passes says how much it was.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use lockgate_model::TaskMetrics;

use crate::spec::{GuestLog, LogLevel, TaskSpec};

/// Bytes of one line at most; the rest of the line is cut.
pub(crate) const LINE_BYTES_MAX: usize = 8 << 10;

/// The way of all lines of one task, over all its instances.
pub(crate) struct LogGate {
    log: Arc<dyn GuestLog>,
    metrics: Arc<TaskMetrics>,
    bucket: Mutex<Bucket>,
}

impl LogGate {
    pub(crate) fn new(spec: &TaskSpec) -> Self {
        let bucket = Bucket::new(spec.limits.log_bytes_per_second, spec.limits.log_burst_bytes, Instant::now());
        Self { log: Arc::clone(&spec.log), metrics: Arc::clone(&spec.metrics), bucket: Mutex::new(bucket) }
    }

    pub(crate) fn lowest(&self) -> LogLevel {
        self.log.lowest()
    }

    /// One line, or several: line breaks separate them.
    pub(crate) fn write(&self, level: LogLevel, text: &str) {
        if level < self.log.lowest() {
            return;
        }
        for line in text.lines() {
            self.line(level, line.as_bytes());
        }
    }

    /// One line as bytes.
    pub(crate) fn line(&self, level: LogLevel, line: &[u8]) {
        if level < self.log.lowest() {
            return;
        }
        let text = clean(line);
        let taken = self.bucket.lock().unwrap_or_else(PoisonError::into_inner).take(text.len(), Instant::now());
        let Some(dropped) = taken else {
            self.metrics.log_lines_dropped_total.add(1);
            return;
        };
        if dropped > 0 {
            self.log.line(LogLevel::Warn, &format!("{dropped} lines were dropped here: over the task's log volume"));
        }
        self.log.line(level, &text);
    }

    /// Lines that were thrown away before they became lines.
    pub(crate) fn dropped(&self, lines: u64) {
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner).dropped += lines;
        self.metrics.log_lines_dropped_total.add(lines);
    }

    /// True if not even a short line would pass now.
    pub(crate) fn is_shut(&self) -> bool {
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner).is_empty(Instant::now())
    }
}

/// A token bucket over bytes.
#[derive(Debug)]
struct Bucket {
    per_second: f64,
    burst: f64,
    tokens: f64,
    filled: Instant,
    dropped: u64,
}

impl Bucket {
    fn new(per_second: u32, burst: u32, now: Instant) -> Self {
        let (per_second, burst) = (f64::from(per_second), f64::from(burst));
        Self { per_second, burst, tokens: burst, filled: now, dropped: 0 }
    }

    /// Takes a line of so many bytes: `None` if it must be dropped, else the number of lines dropped before it.
    fn take(&mut self, bytes: usize, now: Instant) -> Option<u64> {
        self.fill(now);
        // An empty line costs as well.
        let cost = f64::from(u32::try_from(bytes.max(16)).unwrap_or(u32::MAX));
        if self.tokens < cost {
            self.dropped += 1;
            return None;
        }
        self.tokens -= cost;
        Some(std::mem::take(&mut self.dropped))
    }

    fn is_empty(&mut self, now: Instant) -> bool {
        self.fill(now);
        self.tokens < 16.0
    }

    fn fill(&mut self, now: Instant) {
        let gained = now.saturating_duration_since(self.filled).as_secs_f64() * self.per_second;
        self.tokens = (self.tokens + gained).min(self.burst);
        self.filled = now;
    }
}

/// UTF-8 with invalid bytes replaced, control characters escaped, cut to [`LINE_BYTES_MAX`].
pub(crate) fn clean(line: &[u8]) -> String {
    let cut = line.len() > LINE_BYTES_MAX;
    let text = String::from_utf8_lossy(&line[..line.len().min(LINE_BYTES_MAX)]);
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\t' => out.push(c),
            // Besides C0 and C1: separators that terminals or log readers take for line breaks, and direction overrides.
            c if c.is_control()
                || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') =>
            {
                out.extend(c.escape_default());
            }
            c => out.push(c),
        }
    }
    if cut {
        out.push('…');
    }
    crate::abi::cut(&mut out, LINE_BYTES_MAX);
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use lockgate_model::TaskId;
    use std::time::Duration;

    #[derive(Default)]
    struct Lines(Mutex<Vec<(LogLevel, String)>>);

    impl GuestLog for Lines {
        fn line(&self, level: LogLevel, text: &str) {
            self.0.lock().unwrap().push((level, text.to_owned()));
        }
    }

    fn gate(per_second: u32, burst: u32) -> (LogGate, Arc<Lines>) {
        let lines = Arc::new(Lines::default());
        let id = TaskId { tenant: "t".into(), connector: "c".into(), task: 0 };
        let mut spec = TaskSpec::new(id, "c");
        spec.log = Arc::clone(&lines) as Arc<dyn GuestLog>;
        (spec.limits.log_bytes_per_second, spec.limits.log_burst_bytes) = (per_second, burst);
        (LogGate::new(&spec), lines)
    }

    #[test]
    fn terminal_escapes_and_bad_utf8_are_made_harmless() {
        assert_eq!(clean(b"\x1b[31mred\x07\r"), "\\u{1b}[31mred\\u{7}\\r");
        assert_eq!(clean(b"a\xff\xfeb\tc"), "a\u{fffd}\u{fffd}b\tc");
        assert_eq!(clean("\u{202e}evil\u{9b}".as_bytes()), "\\u{202e}evil\\u{9b}");
        let long = clean(&vec![b'x'; LINE_BYTES_MAX * 3]);
        assert!(long.len() <= LINE_BYTES_MAX && long.starts_with("xxx"));
        assert!(clean(&vec![0; LINE_BYTES_MAX]).len() <= LINE_BYTES_MAX, "escapes count as well");
    }

    #[test]
    fn lines_over_the_burst_are_dropped_and_counted() {
        let (gate, lines) = gate(0, 100);
        for _ in 0..10 {
            gate.write(LogLevel::Info, "0123456789012345678901234567890123456789");
        }
        gate.write(LogLevel::Debug, "below the lowest level: neither written nor counted");
        assert_eq!(lines.0.lock().unwrap().len(), 2);
        assert_eq!(gate.metrics.log_lines_dropped_total.value(), 8);
        assert!(!gate.is_shut(), "20 bytes are left");
    }

    #[test]
    fn a_bucket_fills_up_again_to_its_burst_and_reports_what_was_dropped() {
        let start = Instant::now();
        let mut bucket = Bucket::new(100, 50, start);
        assert_eq!(bucket.take(50, start), Some(0));
        assert_eq!((bucket.take(20, start), bucket.take(20, start)), (None, None));
        assert_eq!(bucket.take(20, start + Duration::from_millis(300)), Some(2));
        let later = start + Duration::from_mins(1);
        assert_eq!((bucket.take(51, later), bucket.take(50, later)), (None, Some(1)));
    }
}
