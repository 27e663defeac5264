//! Whether a task that failed is started again by itself.
//!
//! Enters: `lockgate.restart.*` of the worker, `restart.*` of a connector. Leaves: [`RestartSpec`]. Invariant: a connector's
//! own key wins over the worker's; the first delay is never longer than the longest.

use std::time::Duration;

use crate::reading::Settings;

/// What is done when a task fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestartPolicy {
    /// Nothing, as in Kafka Connect: somebody restarts it.
    None,
    /// It is started again after a delay.
    OnFailure,
}

/// Automatic restarts of one connector's tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestartSpec {
    /// `restart.policy`.
    pub policy: RestartPolicy,
    /// `restart.delay.ms`: before the first restart; doubled each time.
    pub delay: Duration,
    /// `restart.delay.max.ms`.
    pub delay_max: Duration,
    /// `restart.max.attempts`: restarts within the window after which the task is left FAILED (a crash loop).
    pub attempts_max: u32,
    /// `restart.window.ms`: a task that ran for so long has a clean record again.
    pub window: Duration,
}

impl RestartSpec {
    /// Of a worker.
    pub fn of_worker(settings: &Settings) -> Self {
        let number = |key: &str| settings.fits::<u64>(&format!("lockgate.{key}"));
        Self::build(settings.text("lockgate.restart.policy"), number)
    }

    /// Of a connector: what it does not say is the worker's.
    pub fn of_connector(settings: &Settings, worker: &Self) -> Self {
        let policy = settings.filled("restart.policy");
        let own = |key: &str, inherited: u64| {
            settings.number(key).and_then(|number| u64::try_from(number).ok()).unwrap_or(inherited)
        };
        let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let spec = Self::build(policy, |key| match key {
            "restart.delay.ms" => own(key, millis(worker.delay)),
            "restart.delay.max.ms" => own(key, millis(worker.delay_max)),
            "restart.max.attempts" => own(key, u64::from(worker.attempts_max)),
            _ => own(key, millis(worker.window)),
        });
        if policy.is_some() { spec } else { Self { policy: worker.policy, ..spec } }
    }

    fn build(policy: Option<&str>, number: impl Fn(&str) -> u64) -> Self {
        let on_failure = policy.is_some_and(|policy| policy.eq_ignore_ascii_case("on-failure"));
        let delay_max = Duration::from_millis(number("restart.delay.max.ms"));
        Self {
            policy: if on_failure { RestartPolicy::OnFailure } else { RestartPolicy::None },
            delay: Duration::from_millis(number("restart.delay.ms")).min(delay_max),
            delay_max,
            attempts_max: u32::try_from(number("restart.max.attempts")).unwrap_or(u32::MAX),
            window: Duration::from_millis(number("restart.window.ms")),
        }
    }
}
