//! A sink task: Kafka to a guest.
//!
//! Enters: the ports, settings, commands. Leaves: deliveries, commits, a status. Invariant: one loop, `select` -> event ->
//! action; one batch is with the guest while the next is being built; what the guest did not agree to is never committed.

use std::sync::Arc;
use std::time::Duration;

use lockgate_model::batch::Batch;
use lockgate_model::fault::{FaultKind, GuestError};
use lockgate_model::metrics::TaskMetrics;
use lockgate_model::place::TaskId;
use lockgate_model::ports::{BatchLimits, Fetch, OffsetStore, OpenApply, OpenSink, Produce};
use lockgate_model::pulse::Doing;
use lockgate_model::schemas::Schemas;

use crate::backoff::{Backoff, Random};
use crate::chain::{self, Chain, Steps};
use crate::dead_letter::DeadLetter;
use crate::failure::{self, TaskFailure};
use crate::mailbox::Mailbox;
use crate::passage::{Passage, Rules};
use crate::recode::Recode;
use crate::sink_hand::Hand;
use crate::sink_loop::SinkLoop;
use crate::tolerance::ErrorPolicy;

/// A sink task, ready to run.
pub struct SinkTask<F, S, A, P, St> {
    /// Which task it is.
    pub id: TaskId,
    /// Its consumer.
    pub fetch: F,
    /// Opens its guest.
    pub sink: S,
    /// Its transforms.
    pub chain: Chain<A>,
    /// Topic bytes to what the chain (or the guest) takes; [`crate::Untouched`] where they are the same.
    pub decode: Box<dyn Recode>,
    /// What the chain gives to what the guest takes; [`crate::Untouched`] where they are the same.
    pub adapt: Box<dyn Recode>,
    /// `errors.*`.
    pub tolerance: ErrorPolicy,
    /// `errors.deadletterqueue.*`; `None` = no queue.
    pub dead_letter: Option<DeadLetter<P>>,
    /// Bounds of a batch: `batch.max.records`, `batch.max.bytes`.
    pub limits: BatchLimits,
    /// How long a record may wait for others. `batch.linger.ms`, default 5 ms.
    pub linger: Duration,
    /// Time between commits. `offset.flush.interval.ms`, default 60 s.
    pub flush_interval: Duration,
    /// How long a stop or a revocation waits for the batch that is with the guest before retries are given up. Default
    /// 30 s; well below the consumer's `max.poll.interval.ms`.
    pub drain_deadline: Duration,
    /// How often a guest that trapped, passed a limit or broke its contract is replaced in place, from the last commit.
    /// Default 0: the task fails, as in Kafka Connect.
    pub restarts_max: u32,
    /// The task's schemas, shared with decode and guest.
    pub schemas: Schemas,
    /// Its figures.
    pub metrics: Arc<TaskMetrics>,
    /// Where the guest's state is kept.
    pub store: Arc<St>,
}

/// How the opening of a task ended.
pub(crate) enum Opened<T> {
    Open(T),
    Stopped,
}

impl<F, S, A, P, St> SinkTask<F, S, A, P, St>
where
    F: Fetch,
    S: OpenSink,
    S::Port: 'static,
    A: OpenApply,
    A::Port: 'static,
    P: Produce,
    St: OffsetStore,
{
    /// Runs until it is told to stop or fails; the last status says which. Dropping the future at any point is a crash:
    /// nothing that is not committed counts.
    pub async fn run(mut self, mut mailbox: Mailbox) {
        let mut paused = false;
        let opened = self.open(&mut mailbox, &mut paused).await;
        let id = self.id.clone();
        let failure = match opened {
            Ok(Opened::Open(hand)) => {
                let mut running = SinkLoop::new(self, hand, mailbox, paused);
                let outcome = running.run().await;
                let failure = outcome.err();
                mailbox = running.end(failure.as_ref()).await;
                failure
            }
            Ok(Opened::Stopped) => {
                leave(&id, self.fetch).await;
                None
            }
            Err(failure) => {
                leave(&id, self.fetch).await;
                Some(failure)
            }
        };
        failure::conclude(&mailbox, &id, failure);
    }

    async fn open(
        &mut self,
        mailbox: &mut Mailbox,
        paused: &mut bool,
    ) -> Result<Opened<Hand<S::Port, A::Port, P>>, TaskFailure> {
        let rules = Rules {
            id: self.id.clone(),
            policy: self.tolerance.clone(),
            metrics: Arc::clone(&self.metrics),
            random: Random::seeded(&self.id),
        };
        let mut backoff = Backoff::new(rules.random);
        rules.metrics.pulse.guest.begin(Doing::Opening);
        loop {
            let SinkTask { id, store, sink, chain, dead_letter, .. } = &*self;
            let opening = first_guests(id, &**store, sink, &chain.segments, dead_letter.as_ref());
            let outcome = tokio::select! {
                biased;
                () = mailbox.stopped(paused) => return Ok(Opened::Stopped),
                outcome = opening => outcome,
            };
            let trouble = match outcome {
                Ok((sink, ports)) => {
                    rules.metrics.pulse.guest.end();
                    rules.metrics.pulse.turns_within(self.flush_interval);
                    let (first, between, last) = self.recodes();
                    let passage = Passage::new(first, ports, between, last);
                    let (consumed, again) = (Batch::default(), Batch::default());
                    let letters = self.dead_letter.take();
                    return Ok(Opened::Open(Hand { sink, passage, letters, rules, consumed, again }));
                }
                Err(trouble) => trouble,
            };
            rules.metrics.pulse.guest.hindered(&trouble);
            let delay = trouble.patience(&mut backoff, rules.policy.retry_delay_max)?;
            tokio::select! {
                biased;
                () = mailbox.stopped(paused) => return Ok(Opened::Stopped),
                () = tokio::time::sleep(delay) => {}
            }
        }
    }

    #[allow(clippy::type_complexity)]
    fn recodes(&mut self) -> (Option<Box<dyn Recode>>, Vec<Option<Box<dyn Recode>>>, Option<Box<dyn Recode>>) {
        let decode = std::mem::replace(&mut self.decode, Box::new(crate::Untouched));
        let adapt = std::mem::replace(&mut self.adapt, Box::new(crate::Untouched));
        (Some(decode), self.chain.take_recodes(), Some(adapt))
    }
}

/// How long leaving the group may take before the task goes on without having left. A group that is waiting for another
/// member holds the answer back for as long as that member's time-out; nothing depends on the answer any more, because
/// everything is committed.
const LEAVE_MAX: Duration = Duration::from_millis(500);

/// Leaves the group, within a bound: the client goes on leaving by itself.
pub(crate) async fn leave<F: Fetch>(id: &TaskId, fetch: F) {
    if tokio::time::timeout(LEAVE_MAX, fetch.close()).await.is_err() {
        tracing::debug!(task = %id, "the group has not let the consumer go yet; it leaves on its own");
    }
}

/// What a task needs before its first record.
async fn first_guests<S: OpenSink, A: OpenApply, P: Produce, St: OffsetStore>(
    id: &TaskId,
    store: &St,
    sink: &S,
    segments: &[A],
    letters: Option<&DeadLetter<P>>,
) -> Result<(S::Port, Vec<(A::Port, Steps)>), TaskFailure> {
    if let Some(letters) = letters {
        let made = letters.ensure().await;
        made.map_err(|fault| TaskFailure::kafka("making the dead-letter topic", fault))?;
    }
    open_guests(id, store, sink, segments).await
}

/// Opens the guest of a sink and of its transforms.
pub(crate) async fn open_guests<S: OpenSink, A: OpenApply, St: OffsetStore>(
    id: &TaskId,
    store: &St,
    sink: &S,
    segments: &[A],
) -> Result<(S::Port, Vec<(A::Port, Steps)>), TaskFailure> {
    let state = store.load(&id.connector).await?;
    let ports = chain::open(segments).await.map_err(|error| TaskFailure::guest("open", error))?;
    let sink = sink.open(&state).await.map_err(|error| TaskFailure::guest("open", error))?;
    Ok((sink, ports))
}

impl TaskFailure {
    /// How long to wait before the same is tried again; the failure itself if waiting does not help.
    pub(crate) fn patience(self, backoff: &mut Backoff, cap: Duration) -> Result<Duration, Self> {
        let least = match &self {
            Self::Kafka { fault, .. } if fault.retriable => Duration::ZERO,
            Self::Store(fault) if fault.retriable => Duration::ZERO,
            Self::Guest { error: GuestError::Fault(fault), .. } => match fault.kind {
                FaultKind::Retriable(delay) => delay,
                _ => return Err(self),
            },
            _ => return Err(self),
        };
        tracing::warn!(error = %self, "will be tried again");
        Ok(backoff.next(cap).max(least))
    }
}
