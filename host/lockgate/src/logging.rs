//! The worker's log: text on standard error.
//!
//! Enters: `RUST_LOG`. Leaves: a subscriber for the life of the process. Invariant: without `RUST_LOG` only Lockgate's own
//! lines from `info` on, and errors of others; tenant, connector and task stand in each line that has them; no value that a
//! config provider gave stands in any line, whoever wrote it.

use std::io::{self, IsTerminal, Write};
use std::sync::OnceLock;

use lockgate_config::Secrets;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// What is logged where `RUST_LOG` says nothing. The Kafka client repeats itself many times a second while a broker is
/// away; the rooms above say it once.
const DEFAULT: &str = "error,lockgate=info,lockgate_kafka::client=error";

/// Installs the subscriber. A `RUST_LOG` that cannot be read is said so and passed over.
pub fn install() {
    let asked = std::env::var("RUST_LOG").ok().filter(|text| !text.trim().is_empty());
    let read = EnvFilter::try_new(asked.as_deref().unwrap_or(DEFAULT));
    let problem = read.as_ref().err().map(ToString::to_string);
    let filter = read.unwrap_or_else(|_| EnvFilter::new(DEFAULT));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(Scrubbed)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    if let Some(problem) = problem {
        tracing::warn!("RUST_LOG is not understood: {problem}");
    }
}

/// Values that no line may hold.
static SECRETS: OnceLock<Secrets> = OnceLock::new();

/// From now on these values are hidden, those that come in later too.
pub fn hide(secrets: Secrets) {
    drop(SECRETS.set(secrets)); // a process has one worker
}

/// Standard error without secrets.
struct Scrubbed;

impl MakeWriter<'_> for Scrubbed {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        Self
    }
}

impl Write for Scrubbed {
    /// One call is one line: the subscriber writes whole events.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut out = io::stderr().lock();
        match SECRETS.get() {
            None => out.write_all(line)?,
            Some(secrets) => out.write_all(secrets.scrub(&String::from_utf8_lossy(line)).as_bytes())?,
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
