//! A source task: a guest to Kafka.
//!
//! Enters: the ports, settings, commands. Leaves: produced records, stored positions, a status. Invariant: a position is
//! stored only when everything before it is acknowledged or filtered; the guest hears of it only after that (L1, L3).

use std::sync::Arc;
use std::time::Duration;

use lockgate_model::metrics::TaskMetrics;
use lockgate_model::place::TaskId;
use lockgate_model::ports::{BatchLimits, OffsetStore, OpenApply, OpenSource, Produce, TopicCreation};
use lockgate_model::pulse::Doing;
use lockgate_model::schemas::Schemas;

use crate::backoff::{Backoff, Random};
use crate::chain::{self, Chain, Steps};
use crate::failure::{self, TaskFailure};
use crate::mailbox::Mailbox;
use crate::passage::{Passage, Rules};
use crate::recode::Recode;
use crate::sink_task::Opened;
use crate::source_loop::SourceLoop;
use crate::source_outlet::Outlet;
use crate::tolerance::ErrorPolicy;

/// `topic.creation.*`: how a topic of this name is made if it is missing.
pub type TopicRules = Arc<dyn Fn(&str) -> TopicCreation + Send + Sync>;

/// A source task, ready to run.
pub struct SourceTask<S, A, P, St> {
    /// Which task it is.
    pub id: TaskId,
    /// Opens its guest.
    pub source: S,
    /// Its transforms.
    pub chain: Chain<A>,
    /// What the chain (or the guest) gives to topic bytes; [`crate::Untouched`] where they are the same.
    pub encode: Box<dyn Recode>,
    /// The shared producer.
    pub produce: Arc<P>,
    /// Where positions and the guest's state are kept.
    pub store: Arc<St>,
    /// Asked once per topic.
    pub topic_creation: TopicRules,
    /// `errors.*`.
    pub tolerance: ErrorPolicy,
    /// Bounds of one poll: `batch.max.records`, `batch.max.bytes`.
    pub limits: BatchLimits,
    /// Time between stores of positions. `offset.flush.interval.ms`, default 60 s.
    pub flush_interval: Duration,
    /// How long a stop waits for what is under way. Default 30 s.
    pub drain_deadline: Duration,
    /// How often a guest that trapped, passed a limit or broke its contract is replaced in place, from the stored
    /// positions. Default 0: the task fails, as in Kafka Connect.
    pub restarts_max: u32,
    /// The task's schemas, shared with encode and guest.
    pub schemas: Schemas,
    /// Its figures.
    pub metrics: Arc<TaskMetrics>,
}

impl<S, A, P, St> SourceTask<S, A, P, St>
where
    S: OpenSource,
    S::Port: 'static,
    A: OpenApply,
    A::Port: 'static,
    P: Produce,
    St: OffsetStore,
{
    /// Runs until it is told to stop or fails; the last status says which. Dropping the future at any point is a crash:
    /// the next run begins at the stored positions.
    pub async fn run(mut self, mut mailbox: Mailbox) {
        let mut paused = false;
        let id = self.id.clone();
        let failure = match self.open(&mut mailbox, &mut paused).await {
            Ok(Opened::Open((port, outlet))) => {
                let mut running = SourceLoop::new(self, port, outlet, mailbox, paused);
                let failure = running.run().await.err();
                mailbox = running.end(failure.as_ref()).await;
                failure
            }
            Ok(Opened::Stopped) => None,
            Err(failure) => Some(failure),
        };
        failure::conclude(&mailbox, &id, failure);
    }

    async fn open(
        &mut self,
        mailbox: &mut Mailbox,
        paused: &mut bool,
    ) -> Result<Opened<(S::Port, Outlet<A::Port, P>)>, TaskFailure> {
        let rules = Rules {
            id: self.id.clone(),
            policy: self.tolerance.clone(),
            metrics: Arc::clone(&self.metrics),
            random: Random::seeded(&self.id),
        };
        let mut backoff = Backoff::new(rules.random);
        rules.metrics.pulse.guest.begin(Doing::Opening);
        loop {
            let opening = open_guests(&self.id, &*self.store, &self.source, &self.chain.segments);
            let outcome = tokio::select! {
                biased;
                () = mailbox.stopped(paused) => return Ok(Opened::Stopped),
                outcome = opening => outcome,
            };
            let trouble = match outcome {
                Ok((port, segments)) => {
                    rules.metrics.pulse.guest.end();
                    let encode = std::mem::replace(&mut self.encode, Box::new(crate::Untouched));
                    let passage = Passage::new(None, segments, self.chain.take_recodes(), Some(encode));
                    let (produce, topics) = (Arc::clone(&self.produce), Arc::clone(&self.topic_creation));
                    return Ok(Opened::Open((port, Outlet::new(passage, produce, topics, rules))));
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
}

/// Opens the guest of a source at the stored positions, and those of its transforms.
pub(crate) async fn open_guests<S: OpenSource, A: OpenApply, St: OffsetStore>(
    id: &TaskId,
    store: &St,
    source: &S,
    segments: &[A],
) -> Result<(S::Port, Vec<(A::Port, Steps)>), TaskFailure> {
    let positions = store.load(&id.connector).await?;
    let segments = chain::open(segments).await.map_err(|error| TaskFailure::guest("open", error))?;
    let port = source.open(&positions).await.map_err(|error| TaskFailure::guest("open", error))?;
    Ok((port, segments))
}
