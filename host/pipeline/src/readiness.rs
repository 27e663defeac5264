//! The wait for what a converter has to know before it can convert a batch.
//!
//! Enters: a converter and a batch. Leaves: a converter that is ready, or why the task cannot go on. Invariant: no record is
//! skipped because a schema registry is away: the task waits by `errors.retry.*`, then fails with nothing of the batch settled.

use lockgate_model::batch::Batch;
use tokio::time::Instant;

use crate::backoff::Backoff;
use crate::clock::Interrupt;
use crate::failure::TaskFailure;
use crate::passage::Rules;
use crate::recode::Recode;
use crate::tolerance::ErrorPolicy;

/// Lets a converter learn what this batch needs, repeated within `errors.retry.timeout`. False = told to give up.
pub(crate) async fn ready(
    recode: &mut dyn Recode,
    batch: &Batch,
    rules: &Rules,
    interrupt: &mut Interrupt,
) -> Result<bool, TaskFailure> {
    let mut backoff = Backoff::new(rules.random);
    let began = Instant::now();
    let mut said = false;
    loop {
        let Some(wait) = recode.prepare(batch) else { return Ok(true) };
        let outcome = tokio::select! {
            biased;
            () = interrupt.raised() => return Ok(false),
            outcome = wait => outcome,
        };
        let Err(unready) = outcome else { return Ok(true) };
        let ErrorPolicy { retry_delay_max, retry_timeout, .. } = rules.policy;
        let Some(delay) = backoff.next_within(retry_delay_max, began.elapsed(), retry_timeout) else {
            return Err(TaskFailure::Unready { class: recode.class(unready.stage).to_owned(), unready });
        };
        if !std::mem::replace(&mut said, true) {
            let (id, cause) = (&rules.id, &unready.cause);
            tracing::warn!(
                tenant = %id.tenant, connector = %id.connector, task = id.task, code = cause.code, error = %cause.message,
                "a converter waits for its schema registry"
            );
        }
        rules.metrics.total_retries.add(1);
        if !interrupt.sleep(delay).await {
            return Ok(false);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use lockgate_convert::registry::{Unavailable, Unready, Wait};
    use lockgate_model::fault::{RowFault, Stage};
    use lockgate_model::place::TaskId;

    use super::*;
    use crate::backoff::Random;
    use crate::clock::interrupt;
    use crate::tolerance::Tolerance;

    /// Its registry is away for so many questions.
    struct Away(u32);

    impl Recode for Away {
        fn prepare(&mut self, _: &Batch) -> Option<Wait<'_, Result<(), Unready>>> {
            let left = self.0;
            self.0 = left.saturating_sub(1);
            let cause = Unavailable { code: "registry.busy", message: "later".to_owned() };
            let outcome = if left == 0 { Ok(()) } else { Err(Unready { stage: Stage::ValueConverter, cause }) };
            Some(Box::pin(std::future::ready(outcome)))
        }

        fn batch(&mut self, _: &mut Batch) -> Vec<(Stage, RowFault)> {
            Vec::new()
        }

        fn class(&self, _: Stage) -> &'static str {
            "AvroConverter"
        }
    }

    fn rules(patience: Duration) -> Rules {
        let policy = ErrorPolicy { retry_timeout: Some(patience), tolerance: Tolerance::All, ..ErrorPolicy::default() };
        let id = TaskId { tenant: "default".into(), connector: "c".into(), task: 0 };
        Rules { id, policy, metrics: std::sync::Arc::default(), random: Random::seeded(&1) }
    }

    #[tokio::test(start_paused = true)]
    async fn a_registry_that_comes_back_in_time_costs_only_time() {
        let (_keep, mut interrupt) = interrupt();
        let rules = rules(Duration::from_secs(10));
        assert!(ready(&mut Away(3), &Batch::default(), &rules, &mut interrupt).await.unwrap());
        assert_eq!(rules.metrics.total_retries.value(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_registry_that_stays_away_fails_the_task_even_where_bad_records_are_skipped() {
        let (_keep, mut interrupt) = interrupt();
        for patience in [Duration::ZERO, Duration::from_secs(2)] {
            let outcome = ready(&mut Away(1000), &Batch::default(), &rules(patience), &mut interrupt).await;
            let failure = outcome.unwrap_err();
            assert_eq!((failure.code().as_str(), failure.worth_restarting()), ("registry.busy", true));
            assert!(failure.to_string().contains("AvroConverter") && !failure.costs_instance());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_has_to_stop_does_not_wait_for_a_registry() {
        let (interrupter, mut interrupt) = interrupt();
        interrupter.set(true);
        let patient = rules(Duration::from_hours(1));
        assert!(!ready(&mut Away(1000), &Batch::default(), &patient, &mut interrupt).await.unwrap());
    }
}
