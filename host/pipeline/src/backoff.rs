//! Kafka Connect's back-off: 300 ms, doubled with each attempt; above the cap a random value below it.
//!
//! Enters: a cap, how long has been tried, a deadline. Leaves: the next delay, or none when the deadline is passed.
//! Invariant: no delay passes the deadline; the same seed gives the same delays.

use std::time::Duration;

/// First delay. `errors.retry.delay.min` is not a setting in Kafka Connect either.
const FIRST_MS: u64 = 300;
/// No delay below this where the cap or a guest says zero: a retry must not spin.
const LEAST: Duration = Duration::from_millis(10);

/// Delays of one operation.
#[derive(Debug)]
pub(crate) struct Backoff {
    attempt: u32,
    random: Random,
}

/// `SplitMix64`: enough for jitter, and the same in every run of a simulation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// From anything that differs between tasks.
    pub(crate) fn seeded(of: &impl std::hash::Hash) -> Self {
        use std::hash::{DefaultHasher, Hasher};
        let mut hasher = DefaultHasher::new();
        of.hash(&mut hasher);
        Self(hasher.finish())
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound.max(1)
    }
}

impl Backoff {
    pub(crate) const fn new(random: Random) -> Self {
        Self { attempt: 0, random }
    }

    /// The next delay, no limit on how often.
    pub(crate) fn next(&mut self, cap: Duration) -> Duration {
        let cap_ms = u64::try_from(cap.as_millis()).unwrap_or(u64::MAX);
        let delay_ms = FIRST_MS.saturating_mul(1 << self.attempt.min(20));
        self.attempt = self.attempt.saturating_add(1);
        let delay_ms = if delay_ms > cap_ms { self.random.below(cap_ms) } else { delay_ms };
        Duration::from_millis(delay_ms).max(LEAST)
    }

    /// The next delay while `spent` is below `timeout` (`None` = no end); cut so that it ends at the deadline.
    pub(crate) fn next_within(
        &mut self,
        cap: Duration,
        spent: Duration,
        timeout: Option<Duration>,
    ) -> Option<Duration> {
        let Some(timeout) = timeout else { return Some(self.next(cap)) };
        let left = timeout.checked_sub(spent).filter(|left| !left.is_zero())?;
        Some(self.next(cap).min(left))
    }

    /// After a success.
    pub(crate) const fn reset(&mut self) {
        self.attempt = 0;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn delays_double_from_300_ms_until_the_cap() {
        let mut backoff = Backoff::new(Random::seeded(&1));
        let cap = Duration::from_mins(1);
        let delays: Vec<u64> = (0..8).map(|_| u64::try_from(backoff.next(cap).as_millis()).unwrap()).collect();
        assert_eq!(delays, [300, 600, 1200, 2400, 4800, 9600, 19200, 38400]);
    }

    #[test]
    fn above_the_cap_a_delay_is_random_below_it() {
        let mut backoff = Backoff::new(Random::seeded(&2));
        let cap = Duration::from_secs(1);
        backoff.next(cap);
        backoff.next(cap);
        let delays: Vec<Duration> = (0..20).map(|_| backoff.next(cap)).collect();
        assert!(delays.iter().all(|d| *d < cap));
        assert!(delays.windows(2).any(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn no_delay_passes_the_deadline() {
        let mut backoff = Backoff::new(Random::seeded(&3));
        let (cap, timeout) = (Duration::from_mins(1), Some(Duration::from_secs(1)));
        assert_eq!(backoff.next_within(cap, Duration::from_millis(900), timeout), Some(Duration::from_millis(100)));
        assert_eq!(backoff.next_within(cap, Duration::from_secs(1), timeout), None);
        assert_eq!(backoff.next_within(cap, Duration::ZERO, Some(Duration::ZERO)), None);
        assert!(backoff.next_within(cap, Duration::from_secs(9999), None).is_some());
    }
}
