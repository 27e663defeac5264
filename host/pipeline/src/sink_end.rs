//! The end of a sink task's instance: in place by a new one, or for good.
//!
//! Enters: a failure, or a stop. Leaves: an open instance at the last commit, or nothing. Invariant (L1): an instance that
//! failed is neither asked to agree nor closed; what it had taken since the last commit comes again.

use std::time::Duration;

use lockgate_model::ports::{Fetch, OffsetStore, OpenApply, OpenSink, Produce, SinkPort};

use crate::backoff::{Backoff, Random};
use crate::failure::TaskFailure;
use crate::mailbox::{Command, Mailbox};
use crate::sink_loop::SinkLoop;
use crate::sink_task::{SinkTask, leave, open_guests};

impl<F, S, A, P, St> SinkLoop<F, S, A, P, St>
where
    F: Fetch,
    S: OpenSink,
    S::Port: 'static,
    A: OpenApply,
    A::Port: 'static,
    P: Produce,
    St: OffsetStore,
{
    /// A new instance from the last commit, if that is allowed and could help; else the failure.
    pub(crate) async fn restart_or(&mut self, failure: TaskFailure) -> Result<(), TaskFailure> {
        if !failure.is_restartable() || self.restarts >= self.task.restarts_max || self.stop_wanted {
            return Err(failure);
        }
        self.restarts += 1;
        self.task.metrics.instance_restarts_total.add(1);
        tracing::warn!(task = %self.task.id, error = %failure, restart = self.restarts, "a new instance is opened");
        // The hand is not here while its instance is dead, so nothing can call it.
        let mut hand = self.hand.take();
        let mut backoff = Backoff::new(Random::seeded(&self.task.id));
        let (sink, segments) = loop {
            let SinkTask { id, store, sink, chain, .. } = &self.task;
            match open_guests(id, &**store, sink, &chain.segments).await {
                Ok(open) => break open,
                Err(failure) => {
                    let delay = failure.patience(&mut backoff, self.task.tolerance.retry_delay_max)?;
                    if self.stopped_within(delay).await {
                        return Ok(());
                    }
                }
            }
        };
        if let Some(hand) = &mut hand {
            hand.sink = sink;
            hand.passage.renew(segments);
        }
        self.hand = hand;
        self.unsaved.clear();
        let back = self.ledger.rewind();
        self.go_back(&back).await?;
        self.introduce(&back).await
    }

    /// Sleeps; true if a stop came instead. Pause and resume are obeyed afterwards.
    pub(crate) async fn stopped_within(&mut self, delay: Duration) -> bool {
        let was_paused = self.state.is_paused();
        let mut paused = was_paused;
        let stopped = tokio::select! {
            biased;
            () = self.mailbox.stopped(&mut paused) => true,
            () = tokio::time::sleep(delay) => false,
        };
        self.stop_wanted |= stopped;
        if paused != was_paused {
            self.late = Some(if paused { Command::Pause } else { Command::Resume });
        }
        stopped
    }

    /// The end: commits if that was not done and the instance may still be asked, closes it, leaves the group.
    pub(crate) async fn end(mut self, failure: Option<&TaskFailure>) -> Mailbox {
        let good = match failure {
            None => true,
            Some(failure) => !failure.costs_instance() && self.commit_last().await,
        };
        self.flight = None;
        self.task.metrics.partition_count.set(0);
        if let Some(hand) = self.hand.take() {
            hand.passage.close().await;
            let closed = if good { hand.sink.close().await } else { Ok(()) };
            if let Err(error) = closed {
                tracing::warn!(task = %self.task.id, %error, "the sink did not close well");
            }
        }
        leave(&self.task.id, self.task.fetch).await;
        self.mailbox
    }
}
