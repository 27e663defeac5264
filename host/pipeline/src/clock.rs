//! Time as tasks use it.
//!
//! Enters: nothing. Leaves: epoch milliseconds for gauges, sleeps that may be for ever, a wish to hurry. Invariant:
//! deadlines use tokio's clock, which tests can stop; the wall clock is only ever reported.

use std::time::Duration;

pub(crate) use lockgate_model::pulse::epoch_ms;
use tokio::sync::watch;
use tokio::time::Instant;

/// Sleeps until then; `None` = for ever.
pub(crate) async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// Tells work in flight to give up waiting: it ends at its next wait, with what it has.
#[derive(Debug)]
pub(crate) struct Interrupter(watch::Sender<bool>);

/// The other end.
#[derive(Clone, Debug)]
pub(crate) struct Interrupt(watch::Receiver<bool>);

pub(crate) fn interrupt() -> (Interrupter, Interrupt) {
    let (sender, receiver) = watch::channel(false);
    (Interrupter(sender), Interrupt(receiver))
}

impl Interrupter {
    pub(crate) fn set(&self, on: bool) {
        self.0.send_replace(on);
    }
}

impl Interrupt {
    /// Sleeps; false if it was told to give up.
    pub(crate) async fn sleep(&mut self, delay: Duration) -> bool {
        tokio::select! {
            biased;
            () = raised(&mut self.0) => false,
            () = tokio::time::sleep(delay) => true,
        }
    }

    /// Resolves when told to give up.
    pub(crate) async fn raised(&mut self) {
        raised(&mut self.0).await;
    }

    pub(crate) fn is_raised(&self) -> bool {
        *self.0.borrow()
    }
}

async fn raised(receiver: &mut watch::Receiver<bool>) {
    // A sender that is gone means that nobody waits for this work any more; then only dropping ends it.
    if receiver.wait_for(|on| *on).await.is_err() {
        std::future::pending::<()>().await;
    }
}
