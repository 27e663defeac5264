//! When a sink task does what.
//!
//! Enters: what happened, the time, how full the batch is that is being built. Leaves: one [`Action`] at a time. Invariant:
//! pure and synchronous; nothing new is delivered while the task is paused; a full window stops fetching, and fetching
//! begins again only below half.

use std::time::Duration;

use lockgate_model::ledger::{Load, Window};
use lockgate_model::ports::BatchLimits;
use tokio::time::Instant;

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Hand the built batch to the guest.
    Deliver,
    /// Ask the guest what may be committed, and commit it.
    Commit,
    /// Stop fetching; go on listening to the group.
    Hold,
    /// Fetch again.
    Release,
}

/// The timers and switches of one task.
#[derive(Debug)]
pub(crate) struct SinkState {
    limits: BatchLimits,
    linger: Duration,
    flush_interval: Duration,
    window: Window,
    pace: Pace,
    tap: Tap,
    /// When the first record of the batch that is being built came.
    first_at: Option<Instant>,
    /// The next record at hand does not fit into the batch.
    full: bool,
    flush_at: Instant,
}

/// Whether deliveries are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    Running,
    Paused,
}

/// Whether the consumer fetches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tap {
    Open,
    /// The window is full since then; not worth holding yet.
    Full(Instant),
    Held,
}

/// What the task knows at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sight {
    pub now: Instant,
    /// A delivery is under way.
    pub busy: bool,
    /// The batch being built.
    pub built: Load,
    /// Admitted and not settled.
    pub open: Load,
}

/// How long a full window may stand before the consumer is told. Pausing throws away what the client has fetched ahead, so it
/// pays only when the guest is slow, not between any two batches.
pub(crate) const HOLD_AFTER: Duration = Duration::from_millis(250);

impl SinkState {
    pub(crate) fn new(limits: BatchLimits, linger: Duration, flush_interval: Duration, now: Instant) -> Self {
        let window =
            Window { records_max: u64::from(limits.records_max) * 2, bytes_max: u64::from(limits.bytes_max) * 2 };
        let (pace, tap) = (Pace::Running, Tap::Open);
        let flush_at = now + flush_interval;
        Self { limits, linger, flush_interval, window, pace, tap, first_at: None, full: false, flush_at }
    }

    /// Records were appended to the batch.
    pub(crate) fn fetched(&mut self, now: Instant) {
        self.first_at.get_or_insert(now);
    }

    /// The next record at hand does not fit: nothing is gained by waiting.
    pub(crate) const fn filled(&mut self) {
        self.full = true;
    }

    /// The batch was handed over, or emptied.
    pub(crate) const fn emptied(&mut self) {
        self.full = false;
        self.first_at = None;
    }

    pub(crate) const fn pause(&mut self) {
        self.pace = Pace::Paused;
        self.tap = Tap::Held;
    }

    pub(crate) const fn resume(&mut self) {
        self.pace = Pace::Running;
        self.tap = Tap::Open;
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.pace == Pace::Paused
    }

    pub(crate) fn is_held(&self) -> bool {
        self.tap == Tap::Held
    }

    /// A commit was made, or put off until after `delay`.
    pub(crate) fn flushed(&mut self, now: Instant, delay: Option<Duration>) {
        self.flush_at = now + delay.unwrap_or(self.flush_interval).min(self.flush_interval);
    }

    /// True if the consumer should be asked for its next event. With a full batch it is asked only while it is held, for
    /// control events.
    pub(crate) fn listens(&self, built: Load) -> bool {
        self.is_held() || !self.is_built(built)
    }

    fn is_built(&self, built: Load) -> bool {
        self.full
            || built.records >= u64::from(self.limits.records_max)
            || built.bytes >= u64::from(self.limits.bytes_max)
    }

    /// The next thing to do, if any.
    pub(crate) fn decide(&mut self, sight: Sight) -> Option<Action> {
        let Sight { now, busy, built, open } = sight;
        if !busy && now >= self.flush_at {
            return Some(Action::Commit);
        }
        if self.pace == Pace::Paused {
            return None;
        }
        let lingered = self.first_at.is_some_and(|at| now >= at + self.linger);
        if !busy && built.records > 0 && (self.is_built(built) || lingered) {
            return Some(Action::Deliver);
        }
        let all = Load { records: built.records + open.records, bytes: built.bytes + open.bytes };
        let full = busy && (self.is_built(built) || self.window.is_full(all));
        match self.tap {
            Tap::Open if full => self.tap = Tap::Full(now),
            Tap::Full(_) if !full => self.tap = Tap::Open,
            Tap::Full(since) if now >= since + HOLD_AFTER => {
                self.tap = Tap::Held;
                return Some(Action::Hold);
            }
            Tap::Held if !busy || (!self.is_built(built) && self.window.is_half_empty(all)) => {
                self.tap = Tap::Open;
                return Some(Action::Release);
            }
            Tap::Open | Tap::Full(_) | Tap::Held => {}
        }
        None
    }

    /// When to look again if nothing happens.
    pub(crate) fn wake_at(&self, busy: bool) -> Option<Instant> {
        let flush = (!busy).then_some(self.flush_at);
        let linger = self.first_at.filter(|_| !busy && self.pace == Pace::Running).map(|at| at + self.linger);
        let hold = match self.tap {
            Tap::Full(since) => Some(since + HOLD_AFTER),
            Tap::Open | Tap::Held => None,
        };
        [flush, linger, hold].into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const LIMITS: BatchLimits = BatchLimits { records_max: 10, bytes_max: 1_000 };
    const SECOND: Duration = Duration::from_secs(1);

    fn state(now: Instant) -> SinkState {
        SinkState::new(LIMITS, Duration::from_millis(5), Duration::from_mins(1), now)
    }

    fn sight(now: Instant, busy: bool, built: u64) -> Sight {
        let open = if busy { Load { records: 10, bytes: 100 } } else { Load::default() };
        Sight { now, busy, built: Load { records: built, bytes: built * 10 }, open }
    }

    #[test]
    fn a_full_batch_goes_at_once_and_a_part_of_one_after_the_linger() {
        let now = Instant::now();
        let mut state = state(now);
        state.fetched(now);
        assert_eq!(state.decide(sight(now, false, 10)), Some(Action::Deliver));
        assert_eq!(state.decide(sight(now, false, 9)), None);
        assert_eq!(state.wake_at(false), Some(now + Duration::from_millis(5)));
        assert_eq!(state.decide(sight(now + Duration::from_millis(5), false, 9)), Some(Action::Deliver));
    }

    #[test]
    fn a_batch_that_the_next_record_does_not_fit_into_goes_at_once() {
        let now = Instant::now();
        let mut state = state(now);
        state.fetched(now);
        assert_eq!(state.decide(sight(now, false, 3)), None);
        state.filled();
        assert_eq!(state.decide(sight(now, false, 3)), Some(Action::Deliver));
        state.emptied();
        assert_eq!(state.decide(sight(now, false, 3)), None);
    }

    #[test]
    fn a_full_window_holds_the_consumer_only_when_the_guest_is_slow_and_releases_it_below_half() {
        let now = Instant::now();
        let mut state = state(now);
        assert_eq!(state.decide(sight(now, true, 10)), None);
        assert!(!state.listens(sight(now, true, 10).built), "a full batch is not offered to the consumer");
        assert_eq!(state.decide(sight(now + HOLD_AFTER, true, 10)), Some(Action::Hold));
        assert!(state.listens(sight(now, true, 10).built), "control events are heard while it is held");
        assert_eq!(state.decide(sight(now + SECOND, true, 10)), None);
        assert_eq!(state.decide(sight(now + SECOND, true, 0)), Some(Action::Release));
    }

    #[test]
    fn a_commit_waits_for_the_guest_and_comes_before_the_next_delivery() {
        let now = Instant::now();
        let mut state = state(now);
        let due = now + Duration::from_mins(1);
        assert_eq!(state.decide(sight(due, true, 0)), None);
        assert_eq!(state.decide(sight(due, false, 10)), Some(Action::Commit));
        state.flushed(due, None);
        assert_eq!(state.decide(sight(due, false, 10)), Some(Action::Deliver));
    }

    #[test]
    fn a_paused_task_delivers_nothing_and_still_listens() {
        let now = Instant::now();
        let mut state = state(now);
        state.pause();
        state.fetched(now);
        assert_eq!(state.decide(sight(now + SECOND, false, 10)), None);
        assert!(state.listens(sight(now, false, 10).built));
        state.resume();
        assert_eq!(state.decide(sight(now + SECOND, false, 10)), Some(Action::Deliver));
    }
}
