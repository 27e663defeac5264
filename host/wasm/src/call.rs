//! One call into a guest: its clocks, and what its end means.
//!
//! Enters: a future that runs guest code. Leaves: its value, or why the instance is lost. Invariant: only time in which the
//! guest held a thread counts as CPU; every call ends by its wall-clock deadline (L5), and yields at every tick (L6). A call
//! that ends before its first tick reads no clock of the CPU and sets no timer: that would cost more than a small batch.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::task::Poll;
use std::time::Duration;

use lockgate_model::fault::PluginFailure;
use wasmtime::{Trap, UpdateDeadline, WasmBacktrace};

/// Frames of a back-trace at most.
const FRAMES_MAX: usize = 64;
/// Bytes of one frame's text at most.
const FRAME_BYTES_MAX: usize = 300;

/// CPU time of the call at hand. Read by the epoch callback inside the guest, written around each poll outside of it.
#[derive(Debug)]
pub(crate) struct Meter {
    /// What is counted for the time before the first tick of a call.
    tick_ns: u64,
    limit_ns: AtomicU64,
    used_ns: AtomicU64,
    /// Clock of the polling thread when the poll at hand began.
    since_ns: AtomicU64,
    /// The call at hand has ticked: from then on it is measured.
    ticked: AtomicBool,
    exceeded: AtomicBool,
}

impl Meter {
    /// `tick` is the time between two epochs.
    pub(crate) fn new(tick: Duration) -> Self {
        let (zero, no) = (|| AtomicU64::new(0), || AtomicBool::new(false));
        let (limit_ns, used_ns, since_ns) = (zero(), zero(), zero());
        Self { tick_ns: nanos(tick), limit_ns, used_ns, since_ns, ticked: no(), exceeded: no() }
    }

    pub(crate) fn begin(&self, limit: Duration) {
        self.limit_ns.store(nanos(limit), Relaxed);
        self.used_ns.store(0, Relaxed);
        self.ticked.store(false, Relaxed);
        self.exceeded.store(false, Relaxed);
    }

    #[cfg(test)]
    fn used(&self) -> Duration {
        Duration::from_nanos(self.used_ns.load(Relaxed))
    }

    /// What the guest's epoch callback answers: yield to other tasks, or end here.
    pub(crate) fn tick(&self) -> UpdateDeadline {
        let running = if self.ticked.swap(true, Relaxed) {
            thread_cpu_ns().saturating_sub(self.since_ns.load(Relaxed))
        } else {
            // Nobody looked at the clock when it began: it counts as one tick, and is measured from here on.
            self.since_ns.store(thread_cpu_ns(), Relaxed);
            self.used_ns.fetch_add(self.tick_ns, Relaxed);
            0
        };
        if self.used_ns.load(Relaxed).saturating_add(running) > self.limit_ns.load(Relaxed) {
            self.exceeded.store(true, Relaxed);
            return UpdateDeadline::Interrupt;
        }
        UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now()))
    }

    /// Runs a call to its end or to its wall-clock deadline (`None`).
    pub(crate) async fn run<T>(&self, wall: Duration, call: impl Future<Output = T>) -> Option<T> {
        let mut call = pin!(call);
        // Most calls end here.
        if let Poll::Ready(value) = poll_fn(|context| Poll::Ready(call.as_mut().poll(context))).await {
            return Some(value);
        }
        let timed = poll_fn(|context| {
            if !self.ticked.load(Relaxed) {
                return call.as_mut().poll(context);
            }
            let since = thread_cpu_ns();
            self.since_ns.store(since, Relaxed);
            let polled = call.as_mut().poll(context);
            self.used_ns.fetch_add(thread_cpu_ns().saturating_sub(since), Relaxed);
            polled
        });
        tokio::time::timeout(wall, timed).await.ok()
    }

    pub(crate) fn exceeded(&self) -> bool {
        self.exceeded.load(Relaxed)
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// CPU time of this thread, nanoseconds.
#[allow(unsafe_code)]
fn thread_cpu_ns() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid, exclusive pointer for the length of the call, which writes nothing else.
    let failed = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) } != 0;
    if failed {
        return 0;
    }
    let (seconds, nanos) = (u64::try_from(time.tv_sec).unwrap_or(0), u64::try_from(time.tv_nsec).unwrap_or(0));
    seconds.saturating_mul(1_000_000_000).saturating_add(nanos)
}

/// What a call that ended with an engine error means. `refused` is what the limiter said no to during the call.
pub(crate) fn failure(error: &wasmtime::Error, refused: Option<String>, last_words: &str) -> PluginFailure {
    if let Some(what) = refused {
        return PluginFailure::Limit(what);
    }
    if let Some(exit) = error.downcast_ref::<wasmtime_wasi::I32Exit>() {
        return PluginFailure::Trap(with_words(&format!("the guest exited with status {}", exit.0), last_words));
    }
    if let Some(trap) = error.downcast_ref::<Trap>() {
        return match trap {
            Trap::AllocationTooLarge => PluginFailure::Limit(trap.to_string()),
            _ => PluginFailure::Trap(with_words(&trap.to_string(), last_words)),
        };
    }
    let mut text = error.root_cause().to_string();
    crate::abi::cut(&mut text, 1024);
    let limit = ["too much data is being copied", "resource table", "handle", "maximum concurrent", "limit"];
    if limit.iter().any(|part| text.contains(part)) {
        return PluginFailure::Limit(text);
    }
    let broken =
        ["utf-8", "utf8", "pointer", "discriminant", "list", "string", "variant", "alignment", "aligned", "char"];
    let lower = text.to_ascii_lowercase();
    if broken.iter().any(|part| lower.contains(part)) {
        return PluginFailure::Protocol(text);
    }
    PluginFailure::Trap(with_words(&text, last_words))
}

fn with_words(what: &str, last_words: &str) -> String {
    let clean = crate::volume::clean(last_words.replace('\n', " | ").as_bytes());
    if clean.is_empty() { what.to_owned() } else { format!("{what}; its last words: {clean}") }
}

/// The guest's frames, innermost first: function, file and line where the component has them.
pub(crate) fn backtrace(error: &wasmtime::Error) -> Vec<String> {
    let Some(trace) = error.downcast_ref::<WasmBacktrace>() else { return Vec::new() };
    let mut frames = Vec::new();
    for frame in trace.frames() {
        let name = frame.func_name().map(ToOwned::to_owned);
        let own = name.unwrap_or_else(|| format!("<function {}>", frame.func_index()));
        if frame.symbols().is_empty() {
            frames.push(demangle(&own));
        }
        for symbol in frame.symbols() {
            let name = demangle(symbol.name().unwrap_or(&own));
            frames.push(match (symbol.file(), symbol.line()) {
                (Some(file), Some(line)) => format!("{name} ({file}:{line})"),
                _ => name,
            });
        }
    }
    frames.truncate(FRAMES_MAX);
    for frame in &mut frames {
        *frame = crate::volume::clean(frame.as_bytes());
        crate::abi::cut(frame, FRAME_BYTES_MAX);
    }
    frames
}

/// Rust's names as they are written in the source; other names as they are.
fn demangle(name: &str) -> String {
    if let Ok(name) = rustc_demangle::try_demangle(name) {
        return format!("{name:#}");
    }
    if !name.contains("$LT$") {
        return name.to_owned();
    }
    // What the linker leaves of the older scheme.
    let signs =
        [("$LT$", "<"), ("$GT$", ">"), ("$u20$", " "), ("$RF$", "&"), ("$BP$", "*"), ("$C$", ","), ("..", "::")];
    let readable = signs.iter().fold(name.to_owned(), |name, (sign, meaning)| name.replace(sign, meaning));
    readable.strip_prefix('_').map(ToOwned::to_owned).unwrap_or(readable)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn rust_names_are_readable_and_others_left_alone() {
        assert_eq!(demangle("_ZN4core9panicking5panic17h0123456789abcdefE"), "core::panicking::panic");
        let v0 = "_RNvNtCs9pv848UzQwQ_4core9panicking9panic_fmt";
        assert!(demangle(v0).starts_with("core::panicking"), "{}", demangle(v0));
        assert_eq!(demangle("_$LT$T$u20$as$u20$sdk..sink..AnySink$GT$::put"), "<T as sdk::sink::AnySink>::put");
        for other in ["main", "_ZN", "_ZN99x", "_ZN3fooX", "put"] {
            assert_eq!(demangle(other), other);
        }
    }

    #[test]
    fn time_that_a_call_waits_is_not_cpu() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let meter = Meter::new(Duration::from_millis(2));
        meter.begin(Duration::from_millis(50));
        let waits = async { tokio::time::sleep(Duration::from_millis(200)).await };
        assert!(runtime.block_on(meter.run(Duration::from_secs(10), waits)).is_some());
        assert!(meter.used() < Duration::from_millis(50), "{:?}", meter.used());
        let never = std::future::pending::<()>();
        assert!(runtime.block_on(meter.run(Duration::from_millis(1), never)).is_none(), "the deadline ends it");
        let spins = async {
            while !matches!(meter.tick(), UpdateDeadline::Interrupt) {
                tokio::task::yield_now().await;
            }
        };
        runtime.block_on(meter.run(Duration::from_secs(10), spins)).unwrap();
        assert!(meter.exceeded());
    }

    #[test]
    fn a_call_without_a_tick_counts_nothing_and_the_first_tick_counts_as_one() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let meter = Meter::new(Duration::from_millis(2));
        meter.begin(Duration::from_secs(1));
        assert_eq!(runtime.block_on(meter.run(Duration::ZERO, async { 7 })), Some(7), "it was over at once");
        assert_eq!(meter.used(), Duration::ZERO);
        runtime.block_on(meter.run(Duration::from_secs(10), async { drop(meter.tick()) })).unwrap();
        assert_eq!(meter.used(), Duration::from_millis(2));
        meter.begin(Duration::from_millis(1));
        assert!(matches!(meter.tick(), UpdateDeadline::Interrupt), "a limit below one tick ends at the first");
    }
}
