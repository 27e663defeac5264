//! What Ctrl-C and SIGTERM mean.
//!
//! Enters: signals. Leaves: one wish to stop, or the end. Invariant: the first signal asks for a clean stop, the second
//! one ends the process at once (exit status 130).

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Both signals, from the moment it is made.
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Begins to listen. Needs a runtime.
    pub fn listen() -> io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for one. Cancel safe.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    /// Runs what must be done on the way out; a further signal ends the process.
    pub async fn or_at_once<T>(&mut self, stopping: impl Future<Output = T>) -> T {
        tokio::select! {
            done = stopping => done,
            () = self.next() => {
                tracing::warn!("stopped at once; what was not committed comes again at the next start");
                std::process::exit(130);
            }
        }
    }
}
