//! The clock that makes guests yield, so that none takes more than its share of time (L6).
//!
//! Enters: nothing. Leaves: epoch ticks while some guest is running. Invariant: an idle worker ticks not at all, and the
//! thread ends with the engine, which it holds only weakly.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread::{self, Thread};
use std::time::Duration;

/// Ticks without a call after which the thread goes to sleep: waking it costs more than a few idle ticks.
const IDLE_TICKS_MAX: u32 = 16;

/// Owner of the thread. Dropping it ends the thread.
#[derive(Debug)]
pub(crate) struct Ticker {
    shared: Arc<Shared>,
    thread: Thread,
}

#[derive(Debug, Default)]
struct Shared {
    active: AtomicUsize,
    asleep: AtomicBool,
    stop: AtomicBool,
}

/// While it lives, the clock ticks.
#[derive(Debug)]
pub(crate) struct Active(Arc<Shared>);

impl Drop for Active {
    fn drop(&mut self) {
        self.0.active.fetch_sub(1, SeqCst);
    }
}

impl Ticker {
    /// Starts the thread.
    pub(crate) fn start(engine: &wasmtime::Engine, tick: Duration) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let (weak, own) = (engine.weak(), Arc::clone(&shared));
        let advance = move || weak.upgrade().map(|engine| engine.increment_epoch()).is_some();
        let builder = thread::Builder::new().name("wasm-epoch".to_owned()).stack_size(64 << 10);
        let handle = builder.spawn(move || run(&own, tick, advance))?;
        Ok(Self { shared, thread: handle.thread().clone() })
    }

    /// Counts a call in.
    pub(crate) fn enter(&self) -> Active {
        self.shared.active.fetch_add(1, SeqCst);
        // Either this sees the thread asleep, or the thread sees the call before it sleeps: all accesses are in one order.
        if self.shared.asleep.load(SeqCst) {
            self.thread.unpark();
        }
        Active(Arc::clone(&self.shared))
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.stop.store(true, SeqCst);
        self.thread.unpark();
    }
}

fn run(shared: &Shared, tick: Duration, advance: impl Fn() -> bool) {
    let mut idle = 0;
    while !shared.stop.load(SeqCst) {
        if shared.active.load(SeqCst) > 0 {
            idle = 0;
        } else {
            idle += 1;
        }
        if idle > IDLE_TICKS_MAX {
            shared.asleep.store(true, SeqCst);
            if shared.active.load(SeqCst) == 0 && !shared.stop.load(SeqCst) {
                thread::park();
            }
            shared.asleep.store(false, SeqCst);
            continue;
        }
        thread::sleep(tick);
        if !advance() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicU32;
    use std::time::Instant;

    fn wait_until(what: impl Fn() -> bool) -> bool {
        let deadline = Instant::now() + Duration::from_secs(10);
        while Instant::now() < deadline {
            if what() {
                return true;
            }
            thread::yield_now();
        }
        false
    }

    #[test]
    fn the_clock_sleeps_while_nothing_runs_and_ends_with_its_owner() {
        let shared = Arc::new(Shared::default());
        let ticks = Arc::new(AtomicU32::new(0));
        let (own, count) = (Arc::clone(&shared), Arc::clone(&ticks));
        let advance = move || {
            count.fetch_add(1, SeqCst);
            true
        };
        let handle = thread::spawn(move || run(&own, Duration::from_millis(1), advance));
        let ticker = Ticker { shared: Arc::clone(&shared), thread: handle.thread().clone() };
        assert!(wait_until(|| shared.asleep.load(SeqCst)), "it falls asleep");
        let before = ticks.load(SeqCst);
        let active = ticker.enter();
        assert!(wait_until(|| ticks.load(SeqCst) > before + IDLE_TICKS_MAX + 5), "it ticks while a call runs");
        drop(active);
        assert!(wait_until(|| shared.asleep.load(SeqCst)), "it falls asleep again");
        drop(ticker);
        assert!(wait_until(|| handle.is_finished()), "it ends");
    }
}
