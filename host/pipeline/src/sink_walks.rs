//! The walks of a sink task: commit, assignment, revocation, loss, drain.
//!
//! Enters: control events and due timers. Leaves: commits, released partitions. Invariant (L1): state entries, then the
//! commit; a commit holds only what the guest agreed to; lost partitions are never committed. Each walk is bounded by
//! the drain deadline, the guest's own call deadlines and the client's commit deadline.

use std::time::Duration;

use lockgate_model::fault::{FaultKind, GuestError, KafkaFault};
use lockgate_model::ledger::{Agreed, Committable};
use lockgate_model::place::{PartitionOffset, TopicPartition};
use lockgate_model::ports::{Fetch, OffsetStore, OpenApply, OpenSink, Produce, SinkPort};
use lockgate_model::pulse::Doing;
use tokio::time::{Instant, timeout, timeout_at};

use crate::backoff::Backoff;
use crate::clock::epoch_ms;
use crate::failure::TaskFailure;
use crate::sink_loop::{SinkLoop, landed};

/// How long a delivery that was told to give up may take to come back: the longest call that a guest may make.
const GIVE_UP_MAX: Duration = Duration::from_mins(1);
/// The same at a stop, where the supervisor is waiting.
const GIVE_UP_AT_STOP_MAX: Duration = Duration::from_secs(5);
/// How often a refused call of the consumer (start, seek, pause) is made before the task fails.
const INSIST_MAX: u32 = 8;
/// How long the last commit of a failing task may take.
const LAST_COMMIT_MAX: Duration = Duration::from_secs(10);

/// How a commit ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Committed {
    /// Everything agreed is committed (or there was nothing).
    Done,
    /// Not now; what was settled stays committable. With the delay that the guest asks for.
    Later(Duration),
}

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
    // --- commit ---

    pub(crate) async fn commit_when_due(&mut self) -> Result<(), TaskFailure> {
        self.watch();
        let committed = self.commit().await?;
        let later = match committed {
            Committed::Done => {
                self.backoff.reset();
                None
            }
            Committed::Later(least) => {
                Some(self.backoff.next(self.task.tolerance.retry_delay_max).max(least).max(Duration::from_millis(1)))
            }
        };
        self.state.flushed(Instant::now(), later);
        Ok(())
    }

    /// What a status must know of a task even if nothing comes: that its loop turns, and whether records wait in Kafka.
    fn watch(&self) {
        let metrics = &self.task.metrics;
        metrics.pulse.turns_within(self.task.flush_interval);
        if let Some(lag) = self.task.fetch.lag() {
            metrics.sink_record_lag.set(lag);
            metrics.pulse.lag_seen(lag, metrics.last_progress_timestamp.value());
        }
    }

    /// Commits what the guest agrees to. An instance that fails over it is replaced, where that is allowed, and everything
    /// since the last commit comes again.
    async fn commit(&mut self) -> Result<Committed, TaskFailure> {
        match self.commit_once().await {
            Err(failure) => self.restart_or(failure).await.map(|()| Committed::Done),
            done => done,
        }
    }

    /// Asks, checks, stores state, commits. Without a hand there is nobody to ask, and nothing is committed.
    async fn commit_once(&mut self) -> Result<Committed, TaskFailure> {
        let committable = self.ledger.committable();
        if committable.is_empty() || self.hand.is_none() {
            self.task.metrics.pulse.store.end();
            return Ok(Committed::Done);
        }
        let began = Instant::now();
        let metrics = std::sync::Arc::clone(&self.task.metrics);
        metrics.offset_commit_seq_no.add(1);
        metrics.pulse.store.begin(Doing::Committing);
        let failed = |delay| {
            metrics.offset_commit_failure_total.add(1);
            metrics.offset_commits.count(false);
            Ok(Committed::Later(delay))
        };
        let agreed = match self.agree(committable).await? {
            Ok(agreed) => agreed,
            Err(delay) => return failed(delay),
        };
        if !self.save_state().await? {
            return failed(Duration::ZERO);
        }
        if agreed.is_empty() {
            metrics.pulse.store.end();
            return Ok(Committed::Done);
        }
        if let Err(fault) = self.task.fetch.commit(&agreed).await {
            // The group has moved on, or the broker is away: what was not committed is delivered again, nothing is lost.
            metrics.offset_commit_skip_total.add(u64::from(is_too_late(&fault)));
            metrics.pulse.store.hindered(&fault);
            tracing::warn!(task = %self.task.id, %fault, "offsets were not committed; it is tried again");
            return failed(Duration::ZERO);
        }
        metrics.pulse.store.end();
        metrics.offset_commits.count(true);
        self.ledger.committed(&agreed);
        metrics.offset_commit_time.observe(began.elapsed());
        metrics.offset_commit_completion_total.add(1);
        metrics.last_progress_timestamp.set(epoch_ms());
        metrics.sink_record_active_count.set(self.ledger.uncommitted());
        self.watch();
        Ok(Committed::Done)
    }

    async fn agree(&mut self, committable: Committable) -> Result<Result<Agreed, Duration>, TaskFailure> {
        let Some(hand) = &mut self.hand else { return Ok(Err(Duration::ZERO)) };
        match hand.sink.prepare_commit(committable.offsets()).await {
            Ok(answer) => Ok(Ok(committable.agree(&answer)?)),
            Err(GuestError::Fault(fault)) if matches!(fault.kind, FaultKind::Retriable(_)) => {
                self.task.metrics.pulse.store.hindered(&fault);
                tracing::warn!(task = %self.task.id, %fault, "the sink is not ready to commit; it is asked again");
                let FaultKind::Retriable(delay) = fault.kind else { return Ok(Err(Duration::ZERO)) };
                Ok(Err(delay))
            }
            Err(error) => Err(TaskFailure::guest("prepare-commit", error)),
        }
    }

    /// True if the store has everything that the guest wrote.
    async fn save_state(&mut self) -> Result<bool, TaskFailure> {
        if let Some(hand) = &mut self.hand {
            self.unsaved.extend(hand.sink.take_state());
        }
        if self.unsaved.is_empty() {
            return Ok(true);
        }
        match self.task.store.store(&self.task.id.connector, &self.unsaved).await {
            Ok(()) => {
                self.unsaved.clear();
                Ok(true)
            }
            Err(fault) if fault.retriable => {
                self.task.metrics.pulse.store.hindered(&fault);
                tracing::warn!(task = %self.task.id, %fault, "the sink's state has to wait");
                Ok(false)
            }
            Err(fault) => Err(fault.into()),
        }
    }

    /// Commits until it is done or the deadline has passed.
    async fn commit_by(&mut self, deadline: Instant) -> Result<(), TaskFailure> {
        let mut backoff = Backoff::new(crate::backoff::Random::seeded(&self.task.id));
        while let Committed::Later(least) = self.commit().await? {
            let next = Instant::now() + backoff.next(Duration::from_secs(1)).max(least);
            if next > deadline {
                tracing::warn!(task = %self.task.id, "gave up committing; these records will be delivered again");
                return Ok(());
            }
            tokio::time::sleep_until(next).await;
        }
        Ok(())
    }

    /// The commit of a task that failed while its instance is good. False if it is not good any more.
    pub(crate) async fn commit_last(&mut self) -> bool {
        match timeout(LAST_COMMIT_MAX, self.commit_once()).await {
            Ok(Ok(_)) => true,
            Ok(Err(error)) => {
                tracing::warn!(task = %self.task.id, %error, "the last commit failed");
                !error.costs_instance()
            }
            Err(_) => {
                tracing::warn!(task = %self.task.id, "the last commit did not end in time");
                false
            }
        }
    }

    // --- drain ---

    /// Waits for the delivery under way, then commits: for a pause and a stop.
    pub(crate) async fn drain_and_commit(&mut self) -> Result<(), TaskFailure> {
        let deadline = Instant::now() + self.task.drain_deadline;
        self.drain(deadline).await?;
        self.commit_by(deadline.max(Instant::now() + Duration::from_secs(1))).await?;
        self.state.flushed(Instant::now(), None);
        Ok(())
    }

    /// Waits until the hand is back. After the deadline the delivery is told to give up; one that does not even come back
    /// then costs its instance: a stop goes on without it, anything else fails the task.
    async fn drain(&mut self, deadline: Instant) -> Result<(), TaskFailure> {
        if self.flight.is_none() {
            return Ok(());
        }
        let delivery = if let Ok(delivery) = timeout_at(deadline, landed(&mut self.flight)).await {
            Some(delivery)
        } else {
            if let Some(flight) = &self.flight {
                flight.interrupter.set(true);
            }
            let give_up = if self.stop_wanted { GIVE_UP_AT_STOP_MAX } else { GIVE_UP_MAX };
            timeout(give_up, landed(&mut self.flight)).await.ok()
        };
        if let Some(delivery) = delivery {
            return self.land(delivery).await;
        }
        self.flight = None;
        if self.stop_wanted { Ok(()) } else { Err(TaskFailure::Stuck) }
    }

    // --- rebalance ---

    pub(crate) async fn assign(&mut self, partitions: Vec<PartitionOffset>) -> Result<(), TaskFailure> {
        self.drain(Instant::now() + self.task.drain_deadline).await?;
        self.task.metrics.pulse.kafka.end();
        self.task.metrics.pulse.guest.begin(Doing::Assigning);
        let begin = self.ask_begin(&partitions).await?;
        self.task.metrics.pulse.guest.end();
        let at: Vec<PartitionOffset> = partitions
            .into_iter()
            .map(|p| begin.iter().find(|b| b.place == p.place && b.next_offset >= 0).cloned().unwrap_or(p))
            .collect();
        self.ledger.assign(&at);
        self.insist("starting partitions", |fetch| fetch.start(&at)).await?;
        if self.state.is_held() {
            self.hold_fetch().await?;
        }
        self.count_partitions();
        Ok(())
    }

    /// After a new instance was opened: tells it what it has. It may want to begin elsewhere.
    pub(crate) async fn introduce(&mut self, back: &[PartitionOffset]) -> Result<(), TaskFailure> {
        let known = |place: &TopicPartition| back.iter().find(|b| b.place == *place).map_or(-1, |b| b.next_offset);
        let all: Vec<PartitionOffset> =
            self.ledger.partitions().map(|p| PartitionOffset { place: p.clone(), next_offset: known(p) }).collect();
        if all.is_empty() {
            return Ok(());
        }
        let begin: Vec<PartitionOffset> =
            self.ask_begin(&all).await?.into_iter().filter(|b| b.next_offset >= 0).collect();
        self.ledger.assign(&begin);
        self.go_back(&begin).await
    }

    /// `assigned`, again for as long as the guest asks for patience and nobody stops the task.
    async fn ask_begin(&mut self, partitions: &[PartitionOffset]) -> Result<Vec<PartitionOffset>, TaskFailure> {
        let mut backoff = Backoff::new(crate::backoff::Random::seeded(&self.task.id));
        loop {
            let Some(hand) = &mut self.hand else { return Ok(Vec::new()) };
            let failure = match hand.sink.assigned(partitions).await {
                Ok(begin) => {
                    let foreign = begin.iter().find(|b| partitions.iter().all(|p| p.place != b.place));
                    return match foreign {
                        None => Ok(begin),
                        Some(b) => Err(TaskFailure::NotAssigned { place: b.place.clone() }),
                    };
                }
                Err(error) => TaskFailure::guest("assigned", error),
            };
            self.task.metrics.pulse.guest.hindered(&failure);
            let delay = failure.patience(&mut backoff, self.task.tolerance.retry_delay_max)?;
            if self.stopped_within(delay).await {
                return Ok(Vec::new());
            }
        }
    }

    pub(crate) async fn revoke(&mut self, partitions: &[TopicPartition]) -> Result<(), TaskFailure> {
        // Stop admitting: what was built of them but not admitted is for the next owner.
        self.drop_built(|place| partitions.contains(place));
        self.leaving = partitions.to_vec();
        let deadline = Instant::now() + self.task.drain_deadline;
        self.drain(deadline).await?;
        self.commit_by(deadline.max(Instant::now() + Duration::from_secs(1))).await?;
        self.give_up(partitions).await
    }

    pub(crate) async fn lose(&mut self, partitions: &[TopicPartition]) -> Result<(), TaskFailure> {
        self.drop_built(|place| partitions.contains(place));
        // From here on nothing settles for them, so nothing of them can be committed.
        self.ledger.revoke(partitions);
        self.drain(Instant::now() + self.task.drain_deadline).await?;
        self.give_up(partitions).await
    }

    async fn give_up(&mut self, partitions: &[TopicPartition]) -> Result<(), TaskFailure> {
        self.ledger.revoke(partitions);
        self.leaving.clear();
        if let Some(hand) = &mut self.hand {
            match hand.sink.revoked(partitions).await {
                Err(GuestError::Fault(fault)) if matches!(fault.kind, FaultKind::Retriable(_)) => {
                    tracing::warn!(task = %self.task.id, %fault, "the sink could not take note of a revocation");
                }
                answer => answer.map_err(|error| TaskFailure::guest("revoked", error))?,
            }
        }
        self.insist("releasing partitions", |fetch| fetch.release(partitions)).await?;
        self.count_partitions();
        Ok(())
    }

    fn count_partitions(&self) {
        let count = i64::try_from(self.ledger.partitions().count()).unwrap_or(i64::MAX);
        self.task.metrics.partition_count.set(count);
    }

    /// Takes rows out of the batch that is being built.
    pub(crate) fn drop_built(&mut self, gone: impl Fn(&TopicPartition) -> bool) {
        let topics = &self.filling.topics.clone();
        crate::rows::retain(&mut self.filling, &mut Vec::new(), |_, row| {
            let topic = std::sync::Arc::clone(&topics[row.topic as usize]);
            !gone(&TopicPartition { topic, partition: row.partition })
        });
        if self.filling.is_empty() {
            self.filling.clear();
            self.state.emptied();
        }
    }

    // --- fetch ---

    pub(crate) async fn hold_fetch(&mut self) -> Result<(), TaskFailure> {
        self.insist("pausing partitions", Fetch::pause).await
    }

    pub(crate) async fn release_fetch(&mut self) -> Result<(), TaskFailure> {
        self.insist("resuming partitions", Fetch::resume).await
    }

    /// Makes a call of the consumer, again while it asks for patience.
    pub(crate) async fn insist(
        &mut self,
        doing: &'static str,
        mut call: impl FnMut(&mut F) -> Result<(), KafkaFault>,
    ) -> Result<(), TaskFailure> {
        let mut backoff = Backoff::new(crate::backoff::Random::seeded(&self.task.id));
        for attempt in 1.. {
            match call(&mut self.task.fetch) {
                Ok(()) => break,
                Err(fault) if fault.retriable && attempt < INSIST_MAX => {
                    tokio::time::sleep(backoff.next(Duration::from_secs(5))).await;
                }
                Err(fault) => return Err(TaskFailure::kafka(doing, fault)),
            }
        }
        Ok(())
    }
}

/// The group has moved on since the commit was begun: its answer comes too late.
fn is_too_late(fault: &KafkaFault) -> bool {
    ["illegal-generation", "unknown-member-id", "rebalance-in-progress", "fenced-instance-id", "stale-member-epoch"]
        .contains(&fault.code.as_str())
}
