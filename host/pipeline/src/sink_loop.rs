//! The loop of a sink task.
//!
//! Enters: events of the consumer, the end of a delivery, commands, timers. Leaves: actions. Invariant: the only `select!`
//! of a running sink task; the hand is either here or with the one delivery under way.

use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use lockgate_model::batch::Batch;
use lockgate_model::fault::KafkaFault;
use lockgate_model::ledger::{Load, SinkLedger, Verdict};
use lockgate_model::place::{PartitionOffset, Position, TopicPartition};
use lockgate_model::ports::{BatchLimits, Fetch, Fetched, OffsetStore, OpenApply, OpenSink, Produce};
use lockgate_model::pulse::Doing;
use tokio::time::Instant;

use crate::backoff::Backoff;
use crate::clock::{Interrupter, epoch_ms, interrupt, sleep_until};
use crate::failure::TaskFailure;
use crate::mailbox::{Command, Mailbox, TaskState};
use crate::sink_hand::{Delivery, End, Hand};
use crate::sink_state::{Action, Sight, SinkState};
use crate::sink_task::SinkTask;

/// What happened.
enum Event<K, T, P> {
    Command(Command),
    Delivered(Box<Delivery<K, T, P>>),
    Fetched(Result<Fetched, KafkaFault>),
    Tick,
}

/// Go on, or leave the loop well.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    On,
    Stop,
}

pub(crate) struct SinkLoop<F, S: OpenSink, A: OpenApply, P, St> {
    pub(crate) task: SinkTask<F, S, A, P, St>,
    pub(crate) mailbox: Mailbox,
    pub(crate) ledger: SinkLedger,
    pub(crate) state: SinkState,
    /// Here unless a delivery has it.
    pub(crate) hand: Option<Hand<S::Port, A::Port, P>>,
    pub(crate) flight: Option<Flight<S::Port, A::Port, P>>,
    /// The batch being built.
    pub(crate) filling: Batch,
    /// The other arena, while nothing is under way.
    pub(crate) spare: Batch,
    /// State entries that the store does not have yet.
    pub(crate) unsaved: Vec<Position>,
    pub(crate) backoff: Backoff,
    /// A stop that came while the loop was waiting for something else.
    pub(crate) stop_wanted: bool,
    /// A pause or resume that came then.
    pub(crate) late: Option<Command>,
    /// Partitions that are being revoked: nothing of them is read again.
    pub(crate) leaving: Vec<TopicPartition>,
    pub(crate) restarts: u32,
    fetch_after: Option<Instant>,
    fetch_backoff: Backoff,
    trouble: Trouble,
}

/// A delivery under way.
pub(crate) struct Flight<K, T, P> {
    pub(crate) future: BoxFuture<'static, Delivery<K, T, P>>,
    pub(crate) interrupter: Interrupter,
}

/// Trouble that the client reports is worth a line now and then.
#[derive(Debug, Default)]
struct Trouble {
    last: Option<Instant>,
    suppressed: u64,
}

/// Least time between two lines about a client's trouble.
const TROUBLE_EVERY: Duration = Duration::from_secs(10);
/// A consumer that answers "no records" at once is asked again after this.
const EMPTY_WAIT: Duration = Duration::from_millis(10);
/// Room for what a consumer had at hand when it was told to hold: bytes beyond the batch's bound.
const HELD_ROOM_BYTES: u32 = 64 * 1024;

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
    pub(crate) fn new(
        task: SinkTask<F, S, A, P, St>,
        hand: Hand<S::Port, A::Port, P>,
        mailbox: Mailbox,
        paused: bool,
    ) -> Self {
        let mut state = SinkState::new(task.limits, task.linger, task.flush_interval, Instant::now());
        if paused {
            state.pause();
        }
        Self {
            mailbox,
            ledger: SinkLedger::new(),
            state,
            flight: None,
            filling: Batch::new(task.schemas.clone()),
            spare: Batch::new(task.schemas.clone()),
            unsaved: Vec::new(),
            backoff: Backoff::new(hand.rules.random),
            stop_wanted: false,
            late: None,
            leaving: Vec::new(),
            restarts: 0,
            fetch_after: None,
            fetch_backoff: Backoff::new(hand.rules.random),
            trouble: Trouble::default(),
            hand: Some(hand),
            task,
        }
    }

    /// Until told to stop (the batch under way is drained, what is settled committed) or failed.
    pub(crate) async fn run(&mut self) -> Result<(), TaskFailure> {
        self.mailbox.report(if self.state.is_paused() { TaskState::Paused } else { TaskState::Running });
        if self.state.is_paused() {
            self.hold_fetch().await?;
        }
        loop {
            while !self.stop_wanted
                && let Some(action) = self.state.decide(self.sight())
            {
                self.act(action).await?;
            }
            let event = match self.late.take() {
                _ if self.stop_wanted => Event::Command(Command::Stop),
                Some(command) => Event::Command(command),
                None => self.event().await,
            };
            if self.handle(event).await? == Flow::Stop {
                return Ok(());
            }
        }
    }

    pub(crate) fn built(&self) -> Load {
        Load { records: self.filling.len() as u64, bytes: self.filling.data.len() as u64 }
    }

    fn sight(&self) -> Sight {
        Sight { now: Instant::now(), busy: self.flight.is_some(), built: self.built(), open: self.ledger.load() }
    }

    async fn event(&mut self) -> Event<S::Port, A::Port, P> {
        let limits = self.fetch_limits();
        let now = Instant::now();
        let resting = self.fetch_after.is_some_and(|at| at > now);
        let listens = self.state.listens(self.built()) && !resting;
        let rest = self.fetch_after.filter(|_| resting);
        let wake = [self.state.wake_at(self.flight.is_some()), rest].into_iter().flatten().min();
        let Self { mailbox, flight, task, filling, .. } = self;
        tokio::select! {
            biased;
            command = mailbox.next() => Event::Command(command),
            delivery = landed(flight) => Event::Delivered(Box::new(delivery)),
            fetched = task.fetch.next(filling, limits), if listens => Event::Fetched(fetched),
            () = sleep_until(wake) => Event::Tick,
        }
    }

    /// While it is held the consumer should have nothing more; what it still has at hand may come.
    fn fetch_limits(&self) -> BatchLimits {
        if !self.state.is_held() {
            return self.task.limits;
        }
        let (records, bytes) = (crate::rows::count(self.filling.len()), crate::rows::count(self.filling.data.len()));
        BatchLimits { records_max: records.saturating_add(1), bytes_max: bytes.saturating_add(HELD_ROOM_BYTES) }
    }

    async fn handle(&mut self, event: Event<S::Port, A::Port, P>) -> Result<Flow, TaskFailure> {
        match event {
            Event::Tick => Ok(Flow::On),
            Event::Command(command) => self.obey(command).await,
            Event::Delivered(delivery) => self.land(*delivery).await.map(|()| Flow::On),
            Event::Fetched(Ok(fetched)) => self.take(fetched).await.map(|()| Flow::On),
            Event::Fetched(Err(fault)) if fault.retriable => {
                self.report_trouble(&fault);
                self.fetch_after = Some(Instant::now() + self.fetch_backoff.next(Duration::from_secs(5)));
                Ok(Flow::On)
            }
            Event::Fetched(Err(fault)) => Err(TaskFailure::kafka("fetching", fault)),
        }
    }

    async fn obey(&mut self, command: Command) -> Result<Flow, TaskFailure> {
        match command {
            Command::Stop => {
                self.stop_wanted = true;
                self.drain_and_commit().await?;
                return Ok(Flow::Stop);
            }
            Command::Pause if !self.state.is_paused() => {
                self.state.pause();
                self.hold_fetch().await?;
                self.drain_and_commit().await?;
                self.mailbox.report(TaskState::Paused);
            }
            Command::Resume if self.state.is_paused() => {
                self.state.resume();
                self.release_fetch().await?;
                self.mailbox.report(TaskState::Running);
            }
            Command::Pause | Command::Resume => {}
        }
        Ok(Flow::On)
    }

    async fn take(&mut self, fetched: Fetched) -> Result<(), TaskFailure> {
        match fetched {
            Fetched::Records(0) if !self.filling.is_empty() => self.state.filled(),
            Fetched::Records(0) => self.fetch_after = Some(Instant::now() + EMPTY_WAIT),
            Fetched::Records(records) => {
                self.fetch_after = None;
                self.fetch_backoff.reset();
                self.state.fetched(Instant::now());
                self.task.metrics.sink_record_read_total.add(records as u64);
                self.task.metrics.pulse.kafka.end();
            }
            Fetched::Assigned(partitions) => self.assign(partitions).await?,
            Fetched::Revoked(partitions) => self.revoke(&partitions).await?,
            Fetched::Lost(partitions) => self.lose(&partitions).await?,
            Fetched::Trouble(fault) => self.report_trouble(&fault),
        }
        Ok(())
    }

    fn report_trouble(&mut self, fault: &KafkaFault) {
        self.task.metrics.pulse.kafka.hindered(fault);
        let now = Instant::now();
        if self.trouble.last.is_some_and(|last| now < last + TROUBLE_EVERY) {
            self.trouble.suppressed += 1;
            return;
        }
        let id = &self.task.id;
        tracing::warn!(
            tenant = %id.tenant, connector = %id.connector, task = id.task, %fault,
            suppressed = self.trouble.suppressed, "the consumer is in trouble and goes on by itself"
        );
        self.trouble = Trouble { last: Some(now), suppressed: 0 };
    }

    async fn act(&mut self, action: Action) -> Result<(), TaskFailure> {
        match action {
            Action::Deliver => self.launch(),
            Action::Commit => self.commit_when_due().await,
            Action::Hold => self.hold_fetch().await,
            Action::Release => self.release_fetch().await,
        }
    }

    /// Gives the built batch to the hand and begins the next in the other arena.
    fn launch(&mut self) -> Result<(), TaskFailure> {
        let Some(hand) = self.hand.take() else { return Ok(()) };
        let batch = std::mem::replace(&mut self.filling, std::mem::take(&mut self.spare));
        self.state.emptied();
        let ticket = match self.ledger.admit(&batch) {
            Ok(ticket) => ticket,
            Err(error) => {
                self.hand = Some(hand);
                return Err(error.into());
            }
        };
        let metrics = &self.task.metrics;
        metrics.batches_total.add(1);
        metrics.bytes_in_total.add(batch.data.len() as u64);
        let size = i64::try_from(batch.len()).unwrap_or(i64::MAX);
        metrics.batch_size.observe(batch.len() as u64);
        metrics.pulse.guest.begin(Doing::Delivering);
        metrics.sink_record_active_count.add(size);
        let (interrupter, interrupt) = interrupt();
        let future = hand.deliver(batch, ticket, interrupt).boxed();
        self.flight = Some(Flight { future, interrupter });
        Ok(())
    }

    /// A delivery is over: settles its rows, takes hand and arena back.
    pub(crate) async fn land(&mut self, delivery: Delivery<S::Port, A::Port, P>) -> Result<(), TaskFailure> {
        self.flight = None;
        self.task.metrics.pulse.guest.end();
        let Delivery { hand, mut batch, ticket, end } = delivery;
        self.hand = Some(hand);
        batch.clear();
        self.spare = batch;
        match end {
            End::Done(settled) => {
                for (row, verdict) in settled {
                    self.ledger.settle_row(&ticket, row, verdict);
                }
                self.ledger.settle(ticket, Verdict::Delivered);
                self.task.metrics.last_progress_timestamp.set(epoch_ms());
                Ok(())
            }
            End::Interrupted => {
                let back = self.ledger.abandon(ticket);
                self.go_back(&back).await
            }
            End::Failed { failure, settled, open } => {
                for (row, verdict) in settled {
                    self.ledger.settle_row(&ticket, row, verdict);
                }
                if let Some(open) = open {
                    self.ledger.settle_all_but(ticket, &open, Verdict::Delivered);
                } else {
                    let _stays_open = self.ledger.abandon(ticket);
                }
                self.restart_or(failure).await
            }
        }
    }

    /// Reads again from there; what was built of these partitions comes again.
    pub(crate) async fn go_back(&mut self, to: &[PartitionOffset]) -> Result<(), TaskFailure> {
        let stays = |item: &&PartitionOffset| !self.leaving.contains(&item.place);
        let to: Vec<PartitionOffset> = to.iter().filter(stays).cloned().collect();
        if to.is_empty() || self.stop_wanted {
            return Ok(());
        }
        self.drop_built(|place| to.iter().any(|item| item.place == *place));
        self.insist("seeking", |fetch| fetch.seek(&to)).await
    }
}

/// Resolves when the delivery under way is over; never, if there is none.
pub(crate) async fn landed<K, T, P>(flight: &mut Option<Flight<K, T, P>>) -> Delivery<K, T, P> {
    match flight {
        Some(flight) => (&mut flight.future).await,
        None => std::future::pending().await,
    }
}
