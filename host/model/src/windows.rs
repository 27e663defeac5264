//! Rates, means and maxima over Kafka's sampling window: two samples of 30 s.
//!
//! Enters: one observation per batch. Leaves: what the last 30 to 60 s held. Invariant: relaxed atomics, never a lock. Two
//! recorders that open a sample in the same instant may lose one observation of it; totals never lose any.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Length of one sample, milliseconds: `metrics.sample.window.ms` of Kafka.
pub const SAMPLE_MS: u64 = 30_000;

/// Milliseconds of this process; never goes back.
fn clock_ms() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    u64::try_from(START.get_or_init(Instant::now).elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// The sample under way, and the one before.
#[derive(Debug, Default)]
pub struct Window([Sample; 2]);

#[derive(Debug, Default)]
struct Sample {
    /// Which stretch of 30 s it is of, from 1; 0 = none yet.
    period: AtomicU64,
    count: AtomicU64,
    sum: AtomicU64,
    max: AtomicU64,
}

/// What a window holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Observations.
    pub count: u64,
    /// Their sum.
    pub sum: u64,
    /// The largest.
    pub max: u64,
    /// Milliseconds that the sum is of: since the start of the oldest sample, at least one sample's length.
    pub span_ms: u64,
}

impl Window {
    /// Takes an observation.
    pub fn observe(&self, value: u64) {
        self.observe_at(clock_ms(), value);
    }

    /// What it holds now.
    pub fn held(&self) -> Held {
        self.held_at(clock_ms())
    }

    fn observe_at(&self, now_ms: u64, value: u64) {
        let period = now_ms / SAMPLE_MS + 1;
        let sample = &self.0[usize::from(period % 2 == 1)];
        if sample.period.load(Relaxed) != period {
            for cell in [&sample.count, &sample.sum, &sample.max] {
                cell.store(0, Relaxed);
            }
            sample.period.store(period, Relaxed);
        }
        sample.count.fetch_add(1, Relaxed);
        sample.sum.fetch_add(value, Relaxed);
        sample.max.fetch_max(value, Relaxed);
    }

    fn held_at(&self, now_ms: u64) -> Held {
        let period = now_ms / SAMPLE_MS + 1;
        let mut held = Held::default();
        let mut oldest = period;
        for sample in &self.0 {
            let of = sample.period.load(Relaxed);
            if of == 0 || of + 1 < period {
                continue;
            }
            oldest = oldest.min(of);
            held.count += sample.count.load(Relaxed);
            held.sum += sample.sum.load(Relaxed);
            held.max = held.max.max(sample.max.load(Relaxed));
        }
        held.span_ms = now_ms.saturating_sub((oldest - 1) * SAMPLE_MS).max(SAMPLE_MS);
        held
    }
}

#[allow(clippy::cast_precision_loss)] // beyond 2^53 the last digits go, as in Kafka's own doubles
impl Held {
    /// Sum per second; 0 when empty, as in Kafka.
    pub fn rate(self) -> f64 {
        self.sum as f64 / (self.span_ms as f64 / 1e3)
    }

    /// Mean; NaN when empty, as in Kafka.
    pub fn mean(self) -> f64 {
        self.sum as f64 / self.count as f64
    }

    /// Largest; NaN when empty, as in Kafka.
    pub fn largest(self) -> f64 {
        if self.count == 0 { f64::NAN } else { self.max as f64 }
    }
}

/// A running total, and its rate.
#[derive(Debug, Default)]
pub struct Meter {
    total: AtomicU64,
    window: Window,
}

impl Meter {
    /// Adds.
    pub fn add(&self, n: u64) {
        self.total.fetch_add(n, Relaxed);
        self.window.observe(n);
    }

    /// The total.
    pub fn value(&self) -> u64 {
        self.total.load(Relaxed)
    }

    /// Per second over the window.
    pub fn rate(&self) -> f64 {
        self.window.held().rate()
    }
}

/// Count and sum of durations since the start; mean and maximum over the window.
#[derive(Debug, Default)]
pub struct Times {
    count: AtomicU64,
    sum_us: AtomicU64,
    longest_us: AtomicU64,
    window: Window,
}

impl Times {
    /// Observes one.
    pub fn observe(&self, time: Duration) {
        let us = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.count.fetch_add(1, Relaxed);
        self.sum_us.fetch_add(us, Relaxed);
        self.longest_us.fetch_max(us, Relaxed);
        self.window.observe(us);
    }

    /// How many.
    pub fn count(&self) -> u64 {
        self.count.load(Relaxed)
    }

    /// Their sum, microseconds.
    pub fn sum_us(&self) -> u64 {
        self.sum_us.load(Relaxed)
    }

    /// The longest since the last call of this, microseconds.
    pub fn take_longest_us(&self) -> u64 {
        self.longest_us.swap(0, Relaxed)
    }

    /// The window, microseconds.
    pub fn held_us(&self) -> Held {
        self.window.held()
    }
}

/// A value that goes up and down, with its mean and maximum over the window.
#[derive(Debug, Default)]
pub struct Level {
    value: AtomicI64,
    window: Window,
}

impl Level {
    /// Sets.
    pub fn set(&self, n: i64) {
        self.value.store(n, Relaxed);
        self.window.observe(u64::try_from(n).unwrap_or(0));
    }

    /// Adds (or takes away).
    pub fn add(&self, n: i64) {
        let value = self.value.fetch_add(n, Relaxed).saturating_add(n);
        self.window.observe(u64::try_from(value).unwrap_or(0));
    }

    /// The value.
    pub fn value(&self) -> i64 {
        self.value.load(Relaxed)
    }

    /// The window.
    pub fn held(&self) -> Held {
        self.window.held()
    }
}

/// How often something went well.
#[derive(Debug, Default)]
pub struct Shares {
    well: Window,
    badly: Window,
}

impl Shares {
    /// It went well, or not.
    pub fn count(&self, well: bool) {
        (if well { &self.well } else { &self.badly }).observe(1);
    }

    /// Shares of what went well and of what did not, 0 to 1; both 0 when empty, as in Kafka.
    #[allow(clippy::cast_precision_loss)]
    pub fn of(&self) -> (f64, f64) {
        let (well, badly) = (self.well.held().count as f64, self.badly.held().count as f64);
        if well + badly == 0.0 { (0.0, 0.0) } else { (well / (well + badly), badly / (well + badly)) }
    }
}

/// What a [`StateClock`] tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Neither.
    Other,
    /// RUNNING.
    Running,
    /// PAUSED.
    Paused,
}

/// For which share of its life a task was running or paused. One writer.
#[derive(Debug, Default)]
pub struct StateClock {
    kind: AtomicU8,
    /// When it was told first, and last; plus one, 0 = never.
    born_ms: AtomicU64,
    since_ms: AtomicU64,
    running_ms: AtomicU64,
    paused_ms: AtomicU64,
}

impl StateClock {
    /// A state begins.
    pub fn enter(&self, kind: Kind) {
        self.enter_at(clock_ms() + 1, kind);
    }

    /// Shares of the life so far: running, paused; 0 before it began.
    pub fn shares(&self) -> (f64, f64) {
        self.shares_at(clock_ms() + 1)
    }

    fn enter_at(&self, now_ms: u64, kind: Kind) {
        let passed = now_ms.saturating_sub(self.since_ms.load(Relaxed));
        if self.born_ms.load(Relaxed) == 0 {
            self.born_ms.store(now_ms, Relaxed);
        } else if let Some(total) = self.total(self.kind.load(Relaxed)) {
            total.fetch_add(passed, Relaxed);
        }
        self.kind.store(kind as u8, Relaxed);
        self.since_ms.store(now_ms, Relaxed);
    }

    const fn total(&self, kind: u8) -> Option<&AtomicU64> {
        if kind == Kind::Running as u8 {
            Some(&self.running_ms)
        } else if kind == Kind::Paused as u8 {
            Some(&self.paused_ms)
        } else {
            None
        }
    }

    #[allow(clippy::cast_precision_loss)]
    fn shares_at(&self, now_ms: u64) -> (f64, f64) {
        let born = self.born_ms.load(Relaxed);
        let life = now_ms.saturating_sub(born);
        if born == 0 || life == 0 {
            return (0.0, 0.0);
        }
        let (kind, open) = (self.kind.load(Relaxed), now_ms.saturating_sub(self.since_ms.load(Relaxed)));
        let of = |which: Kind, total: &AtomicU64| {
            let open = if kind == which as u8 { open } else { 0 };
            (total.load(Relaxed) + open) as f64 / life as f64
        };
        (of(Kind::Running, &self.running_ms), of(Kind::Paused, &self.paused_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_forgets_what_is_older_than_two_samples() {
        let window = Window::default();
        assert!(window.held_at(5).mean().is_nan() && window.held_at(5).largest().is_nan());
        window.observe_at(1_000, 10);
        window.observe_at(29_000, 30);
        window.observe_at(31_000, 2);
        assert_eq!(window.held_at(40_000), Held { count: 3, sum: 42, max: 30, span_ms: 40_000 });
        assert_eq!(window.held_at(61_000), Held { count: 1, sum: 2, max: 2, span_ms: 31_000 });
        assert_eq!(window.held_at(95_000).count, 0);
        window.observe_at(95_000, 7);
        assert_eq!(window.held_at(95_000), Held { count: 1, sum: 7, max: 7, span_ms: SAMPLE_MS });
    }

    #[test]
    fn a_rate_is_per_second_of_at_least_one_sample_as_in_kafka() {
        let window = Window::default();
        window.observe_at(60_000, 300);
        assert!((window.held_at(61_000).rate() - 10.0).abs() < 1e-9, "a young window counts as a whole sample");
        assert!((window.held_at(119_000).rate() - 300.0 / 59.0).abs() < 1e-9);
        assert!(window.held_at(200_000).rate().abs() < 1e-9);
    }

    #[test]
    fn shares_are_of_what_happened_in_the_window() {
        let shares = Shares::default();
        assert_eq!(shares.of(), (0.0, 0.0));
        for well in [true, true, true, false] {
            shares.count(well);
        }
        assert_eq!(shares.of(), (0.75, 0.25));
    }

    #[test]
    fn a_state_clock_divides_a_life() {
        let clock = StateClock::default();
        assert_eq!(clock.shares_at(7), (0.0, 0.0));
        for (at, kind) in [(100, Kind::Other), (200, Kind::Running), (300, Kind::Paused), (400, Kind::Running)] {
            clock.enter_at(at, kind);
        }
        assert_eq!(clock.shares_at(500), (0.5, 0.25));
    }

    #[test]
    fn a_level_remembers_how_high_it_was() {
        let level = Level::default();
        level.add(5);
        level.add(-4);
        level.set(3);
        assert_eq!((level.value(), level.held().max, level.held().count), (3, 5, 3));
    }
}
