//! The worker's log: text on standard error.
//!
//! Enters: `RUST_LOG`. Leaves: a subscriber for the life of the process. Invariant: without `RUST_LOG` only Lockgate's own
//! lines from `info` on, and errors of others; tenant, connector and task stand in each line that has them.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

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
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    if let Some(problem) = problem {
        tracing::warn!("RUST_LOG is not understood: {problem}");
    }
}
