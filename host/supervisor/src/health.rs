//! What a status says beside Kafka Connect's state: that something should get on, and does not.
//!
//! Enters: what a task waits for, what the supervisor plans for it. Leaves: one [`Health`] with its reason, or none: all is well.
//! Invariant (L8): derived from progress at the moment of the question, so that it clears itself.

use std::time::{Duration, Instant};

use lockgate_model::TaskMetrics;
use lockgate_model::pulse::{Doing, Waiting, epoch_ms};

use crate::restarts::Repair;
use crate::retries::Retry;
use crate::view::{Ailment, Health};

/// A task that runs, or is about to: what has been keeping it for longer than `after`.
pub(crate) fn stalled(metrics: &TaskMetrics, after: Duration) -> Option<Health> {
    stalled_at(metrics, after, epoch_ms())
}

fn stalled_at(metrics: &TaskMetrics, after: Duration, now_ms: i64) -> Option<Health> {
    let after_ms = i64::try_from(after.as_millis()).unwrap_or(i64::MAX);
    let late = |since_ms: i64| now_ms.saturating_sub(since_ms) >= after_ms;
    let stalled = |reason: String, since_ms: i64| Some(Health { state: Ailment::Stalled, reason, since_ms });
    let pulse = &metrics.pulse;
    let waits = [&pulse.guest, &pulse.kafka, &pulse.store].into_iter().filter_map(|track| track.waiting(now_ms));
    if let Some(wait) = waits.filter(|wait| late(wait.since_ms)).min_by_key(|wait| wait.since_ms) {
        return stalled(words(&wait, now_ms), wait.since_ms);
    }
    let progress_ms = metrics.last_progress_timestamp.value();
    let lag = metrics.sink_record_lag.value();
    if let Some((since_ms, more)) = pulse.lag_grows(lag, progress_ms).filter(|(since_ms, _)| late(*since_ms)) {
        let time = span(now_ms - since_ms);
        return stalled(format!("no record has come for {time}, while the lag grew by {more} to {lag}"), since_ms);
    }
    let missed_ms = pulse.turn_missed(now_ms).filter(|by_ms| late(*by_ms))?;
    stalled(format!("the task has given no sign of life for {}", span(now_ms - missed_ms)), missed_ms)
}

fn words(wait: &Waiting, now_ms: i64) -> String {
    let Waiting { doing, since_ms, obstacle } = wait;
    let mut text = format!("{} for {}", doing.words(), span(now_ms - since_ms));
    if let Some(obstacle) = obstacle {
        text.push_str(": ");
        text.push_str(&obstacle.text);
    } else if *doing == Doing::Delivering || *doing == Doing::Polling {
        text.push_str(", and the call has not come back");
    }
    text
}

/// A task that failed: what happens to it by itself.
pub(crate) fn of_failed(repair: &Repair) -> Health {
    let now = Instant::now();
    match repair {
        Repair::Due { at, since, attempt, of } => {
            let wait = at.saturating_duration_since(now).as_secs_f64();
            let reason = format!("automatic restart {attempt} of {of} is due in {wait:.1} s (restart.policy)");
            Health { state: Ailment::Restarting, reason, since_ms: epoch_of(*since, now) }
        }
        Repair::Quarantined { since, attempts, window, .. } => {
            let reason = format!(
                "it was restarted {attempts} times within {} s (restart.max.attempts, restart.window.ms) and failed each \
                 time; it is left alone until it is restarted by hand, its configuration changes or another version of \
                 its package is installed",
                window.as_secs()
            );
            Health { state: Ailment::Quarantined, reason, since_ms: epoch_of(*since, now) }
        }
    }
}

/// A connector whose task configurations are not stored yet.
pub(crate) fn of_connector(retry: &Retry) -> Health {
    let since_ms = epoch_of(retry.since, Instant::now());
    Health { state: Ailment::Retrying, reason: format!("{}; it is tried again", retry.why), since_ms }
}

/// A connector whose tasks do not follow its configuration yet.
pub(crate) fn of_change(since: Instant) -> Health {
    let reason = "its tasks are being made for what it was last told".to_owned();
    Health { state: Ailment::Applying, reason, since_ms: epoch_of(since, Instant::now()) }
}

fn epoch_of(then: Instant, now: Instant) -> i64 {
    let ago = now.saturating_duration_since(then).as_millis();
    epoch_ms().saturating_sub(i64::try_from(ago).unwrap_or(i64::MAX))
}

fn span(ms: i64) -> String {
    format!("{} s", ms.max(0) / 1_000)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const AFTER: Duration = Duration::from_mins(1);

    fn look(metrics: &TaskMetrics, seconds: i64) -> Option<Health> {
        stalled_at(metrics, AFTER, epoch_ms() + seconds * 1_000)
    }

    #[test]
    fn a_call_that_does_not_come_back_is_seen_after_its_time_and_clears_itself() {
        let metrics = TaskMetrics::default();
        metrics.pulse.guest.begin(Doing::Delivering);
        assert_eq!(look(&metrics, 30), None);
        let health = look(&metrics, 70).unwrap();
        assert_eq!(health.state, Ailment::Stalled);
        assert!(health.reason.contains("a batch has been with the plugin for 7"), "{}", health.reason);
        metrics.pulse.guest.end();
        assert_eq!(look(&metrics, 70), None);
    }

    #[test]
    fn what_stands_in_the_way_is_said() {
        let metrics = TaskMetrics::default();
        metrics.pulse.kafka.begin(Doing::Producing);
        metrics.pulse.kafka.hindered(&"no broker");
        let reason = look(&metrics, 100).unwrap().reason;
        assert!(reason.contains("acknowledgement") && reason.ends_with(": no broker"), "{reason}");
    }

    #[test]
    fn a_growing_lag_and_a_loop_that_stands_still_are_seen() {
        let metrics = TaskMetrics::default();
        metrics.pulse.lag_seen(5, 0);
        metrics.sink_record_lag.set(12);
        let reason = look(&metrics, 61).unwrap().reason;
        assert!(reason.contains("grew by 7 to 12"), "{reason}");
        metrics.sink_record_lag.set(5);
        metrics.pulse.turns_within(Duration::from_secs(10));
        assert_eq!(look(&metrics, 65), None);
        assert!(look(&metrics, 75).unwrap().reason.contains("no sign of life"));
    }
}
