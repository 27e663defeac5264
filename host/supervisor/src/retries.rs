//! Task configurations that could not be stored, and when that is tried again.
//!
//! Enters: failures, time. Leaves: names that are due, and what their status says meanwhile. Invariant: it is tried for ever, as
//! in Kafka Connect, 250 ms after the first failure and then twice as long each time, up to a minute; what succeeded, or is
//! not wanted any more, is forgotten.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Kafka Connect's back-off of a failed reconfiguration.
const FIRST: Duration = Duration::from_millis(250);
/// Its longest delay.
const LONGEST: Duration = Duration::from_mins(1);

/// All of them, by connector.
#[derive(Debug, Default)]
pub(crate) struct Retries(BTreeMap<String, Retry>);

/// One of them.
#[derive(Debug)]
pub(crate) struct Retry {
    /// Since when it fails.
    pub since: Instant,
    /// Why it failed last.
    pub why: String,
    attempts: u32,
    at: Instant,
}

impl Retry {
    fn delay(&self) -> Duration {
        (FIRST * 2_u32.saturating_pow(self.attempts.saturating_sub(1).min(16))).min(LONGEST)
    }
}

impl Retries {
    /// It failed, perhaps again.
    pub(crate) fn failed(&mut self, name: &str, why: String, now: Instant) {
        let entry = self.0.entry(name.to_owned());
        let retry = entry.or_insert_with(|| Retry { since: now, why: String::new(), attempts: 0, at: now });
        retry.attempts = retry.attempts.saturating_add(1);
        retry.why = why;
        retry.at = now + retry.delay();
    }

    /// It went well, or nobody wants it any more.
    pub(crate) fn over(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// Those to be tried now. One that is not heard of again comes again after its delay.
    pub(crate) fn due(&mut self, now: Instant) -> Vec<String> {
        let mut due = Vec::new();
        for (name, retry) in self.0.iter_mut().filter(|(_, retry)| retry.at <= now) {
            retry.at = now + retry.delay();
            due.push(name.clone());
        }
        due
    }

    pub(crate) fn of(&self, name: &str) -> Option<&Retry> {
        self.0.get(name)
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.0.values().map(|retry| retry.at).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_tried_again_after_a_delay_that_doubles_up_to_a_minute_until_it_is_over() {
        let (mut retries, mut now) = (Retries::default(), Instant::now());
        for expected_ms in [250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000] {
            retries.failed("c", "no broker".to_owned(), now);
            let delay = Duration::from_millis(expected_ms);
            assert_eq!(retries.next_deadline(), Some(now + delay));
            assert!(retries.due(now + delay / 2).is_empty());
            now += delay;
            assert_eq!(retries.due(now), ["c"]);
        }
        retries.over("c");
        assert!(retries.next_deadline().is_none() && retries.of("c").is_none());
    }
}
