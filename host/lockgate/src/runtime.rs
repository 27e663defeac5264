//! The async runtime.
//!
//! Enters: the future of a command. Leaves: its outcome. Invariant: the future runs on the main thread, which lives as
//! long as the process: children that die with their parent thread die with the process. Work that blocks has a bound.

use std::time::Duration;

/// Threads for work that blocks (files, the Kafka client's blocking calls).
const BLOCKING_THREADS_MAX: usize = 64;
/// How long an idle one of them stays.
const BLOCKING_IDLE: Duration = Duration::from_secs(2);
/// How long the end waits for work that blocks.
const END: Duration = Duration::from_millis(100);

/// Runs a command.
///
/// # Panics
/// If the runtime cannot be made: no threads, no descriptors.
pub fn block_on<T>(command: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS_MAX)
        .thread_keep_alive(BLOCKING_IDLE)
        .thread_name("lockgate")
        .build()
        .unwrap_or_else(|error| panic!("the async runtime cannot be started: {error}"));
    let outcome = runtime.block_on(command);
    runtime.shutdown_timeout(END);
    outcome
}
