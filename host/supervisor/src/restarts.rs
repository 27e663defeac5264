//! Whether and when a task that failed is started again by itself (`restart.policy`).
//!
//! Enters: failures that a fresh start can help, time. Leaves: a delay, or the word that this is a crash loop. Invariant: at most
//! `restart.max.attempts` automatic restarts within `restart.window.ms`; what a person starts again has a clean record.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use lockgate_config::{RestartPolicy, RestartSpec};

/// When a task was restarted by itself lately.
#[derive(Debug, Default)]
pub(crate) struct CrashRecord(VecDeque<Instant>);

/// What becomes of a task that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Repair {
    /// It is started again then: for the how manieth time within the window.
    Due { at: Instant, since: Instant, attempt: u32, of: u32 },
    /// It crashes again and again, and is left alone.
    Quarantined {
        since: Instant,
        attempts: u32,
        window: Duration,
        /// Of the package that it crashed with.
        version: Option<String>,
    },
}

impl CrashRecord {
    /// It failed: what now? `None` = nothing happens by itself.
    pub(crate) fn judge(&mut self, spec: &RestartSpec, version: Option<String>, now: Instant) -> Option<Repair> {
        if spec.policy == RestartPolicy::None {
            return None;
        }
        while self.0.front().is_some_and(|at| now.duration_since(*at) > spec.window) {
            self.0.pop_front();
        }
        let before = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        if before >= spec.attempts_max {
            return Some(Repair::Quarantined { since: now, attempts: before, window: spec.window, version });
        }
        let delay = spec.delay.saturating_mul(2_u32.saturating_pow(before)).min(spec.delay_max);
        Some(Repair::Due { at: now + delay, since: now, attempt: before + 1, of: spec.attempts_max })
    }

    /// It was started again by itself.
    pub(crate) fn restarted(&mut self, now: Instant) {
        self.0.push_back(now);
    }

    /// Somebody took care of it.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const SPEC: RestartSpec = RestartSpec {
        policy: RestartPolicy::OnFailure,
        delay: SECOND,
        delay_max: Duration::from_secs(3),
        attempts_max: 4,
        window: Duration::from_mins(10),
    };

    fn delay(record: &mut CrashRecord, now: Instant) -> Option<Duration> {
        match record.judge(&SPEC, None, now)? {
            Repair::Due { at, .. } => Some(at - now),
            Repair::Quarantined { .. } => None,
        }
    }

    #[test]
    fn delays_double_up_to_their_limit_and_then_it_is_a_crash_loop() {
        let (mut record, mut now) = (CrashRecord::default(), Instant::now());
        for expected in [1, 2, 3, 3] {
            let delay = delay(&mut record, now).unwrap();
            assert_eq!(delay, SECOND * expected);
            now += delay;
            record.restarted(now);
        }
        let repair = record.judge(&SPEC, Some("1.0.0".to_owned()), now).unwrap();
        let version = Some("1.0.0".to_owned());
        assert_eq!(repair, Repair::Quarantined { since: now, attempts: 4, window: SPEC.window, version });
        record.clear();
        assert_eq!(delay(&mut record, now), Some(SECOND));
    }

    #[test]
    fn a_task_that_ran_for_the_window_has_a_clean_record() {
        let (mut record, now) = (CrashRecord::default(), Instant::now());
        for n in 0..4 {
            record.restarted(now + SECOND * n);
        }
        assert_eq!(delay(&mut record, now + SPEC.window + SECOND * 4), Some(SECOND));
    }

    #[test]
    fn without_a_policy_nothing_happens_by_itself() {
        let spec = RestartSpec { policy: RestartPolicy::None, ..SPEC };
        assert_eq!(CrashRecord::default().judge(&spec, None, Instant::now()), None);
    }
}
