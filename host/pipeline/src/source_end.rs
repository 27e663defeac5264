//! The end of a source task's instance: in place by a new one, or for good.
//!
//! Enters: a failure, or a stop. Leaves: an open instance at the stored positions, or nothing. Invariant: what is settled is
//! stored before anything else, so that as little as possible is repeated; nothing unsettled is stored.

use std::time::Duration;

use lockgate_model::ports::{ApplyPort, OffsetStore, OpenApply, OpenSource, Produce, SourcePort};
use tokio::time::timeout;

use crate::backoff::{Backoff, Random};
use crate::failure::TaskFailure;
use crate::mailbox::Command;
use crate::mailbox::Mailbox;
use crate::source_loop::{Mode, SourceLoop, ended};
use crate::source_outlet::Outlet;
use crate::source_task::open_guests;

/// How long the last store of positions may take when the task ends.
const LAST_STORE_MAX: Duration = Duration::from_secs(5);

impl<S, A, P, St> SourceLoop<S, A, P, St>
where
    S: OpenSource,
    S::Port: 'static,
    A: OpenApply,
    A::Port: ApplyPort + 'static,
    P: Produce,
    St: OffsetStore,
{
    /// A new instance from the stored positions, if that is allowed and could help; else the failure. Records that are
    /// with Kafka's client may come twice.
    pub(crate) async fn restart_or(&mut self, failure: TaskFailure) -> Result<(), TaskFailure> {
        if !failure.is_restartable() || self.restarts >= self.task.restarts_max || self.is_stopping() {
            return Err(failure);
        }
        self.restarts += 1;
        self.task.metrics.instance_restarts_total.add(1);
        tracing::warn!(task = %self.task.id, error = %failure, restart = self.restarts, "a new instance is opened");
        self.call_off().await;
        self.store_last().await;
        self.forget();
        let mut backoff = Backoff::new(Random::seeded(&self.task.id));
        let (port, segments) = loop {
            let task = &self.task;
            match open_guests(&task.id, &*task.store, &task.source, &task.chain.segments).await {
                Ok(open) => break open,
                Err(failure) => {
                    let delay = failure.patience(&mut backoff, self.task.tolerance.retry_delay_max)?;
                    if self.stopped_within(delay).await {
                        return Ok(());
                    }
                }
            }
        };
        self.renew(port, segments);
        Ok(())
    }

    /// The end: stores what is settled if that was not done, closes the instances that may still be called.
    pub(crate) async fn end(mut self, failure: Option<&TaskFailure>) -> Mailbox {
        let good = failure.is_none_or(|failure| !failure.costs_instance());
        self.call_off().await;
        self.store_last().await;
        let (guest, outlet, mailbox) = self.into_parts();
        if let Some(outlet) = outlet {
            outlet.passage.close().await;
        }
        if let Some(guest) = guest.filter(|_| good)
            && let Err(error) = guest.close().await
        {
            tracing::warn!(%error, "the source did not close well");
        }
        mailbox
    }

    /// Positions that are ready, and those on their way: once, within a deadline.
    async fn store_last(&mut self) {
        match timeout(LAST_STORE_MAX, self.store_now()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(task = %self.task.id, %error, "the last positions were not stored"),
            Err(_) => tracing::warn!(task = %self.task.id, "storing the last positions did not end in time"),
        }
    }

    /// Ends what is under way on the guests' side: a batch on its way through the outlet is told to give up.
    async fn call_off(&mut self) {
        self.polling = None;
        if let Some(interrupter) = &self.interrupter {
            interrupter.set(true);
        }
        if self.sending.is_some() {
            if let Ok((sending, _)) = timeout(LAST_STORE_MAX, ended(&mut self.sending)).await {
                self.outlet = Some(sending.outlet);
            }
            self.sending = None;
        }
        self.interrupter = None;
    }

    /// Stores what is ready, without a timer.
    async fn store_now(&mut self) -> Result<(), TaskFailure> {
        if let Some(storing) = self.storing.take() {
            let outcome = storing.await;
            self.stored(outcome)?;
        }
        if let Some(positions) = self.ledger.take() {
            let outcome = positions.persist(&*self.task.store, &self.task.id.connector).await;
            self.stored(outcome)?;
        }
        Ok(())
    }

    /// Forgets everything that is not stored.
    fn forget(&mut self) {
        self.ledger.restart();
        self.window.clear();
        self.receipts.clear();
        (self.waiting, self.sending_ticket, self.poll_at, self.mend_at) = (None, None, None, None);
        self.durable.clear();
        self.guest = None;
    }

    /// Goes on with new instances.
    fn renew(&mut self, port: S::Port, segments: Vec<(A::Port, crate::chain::Steps)>) {
        self.guest = Some(port);
        if let Some(outlet) = &mut self.outlet {
            outlet.passage.renew(segments);
        }
    }

    /// Sleeps; true if a stop came instead.
    async fn stopped_within(&mut self, delay: Duration) -> bool {
        let mut paused = self.mode == Mode::Paused;
        let stopped = tokio::select! {
            biased;
            () = self.mailbox.stopped(&mut paused) => true,
            () = tokio::time::sleep(delay) => false,
        };
        match (stopped, paused) {
            (true, _) => self.obey(Command::Stop),
            (false, true) => self.obey(Command::Pause),
            (false, false) => self.obey(Command::Resume),
        }
        stopped
    }

    #[expect(clippy::type_complexity, reason = "read once, just above")]
    fn into_parts(self) -> (Option<S::Port>, Option<Outlet<A::Port, P>>, Mailbox) {
        (self.guest, self.outlet, self.mailbox)
    }
}
