//! The loop of a source task.
//!
//! Enters: polled batches, receipts, stored positions, commands, timers. Leaves: actions. Invariant: the only `select!` of
//! a running source task; the guest is polled while the batch before is on its way to Kafka; windows bound both.

use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use lockgate_model::batch::Batch;
use lockgate_model::fault::GuestError;
use lockgate_model::ledger::{Durable, NotStored, SourceLedger, SourceTicket, Window as Bounds};
use lockgate_model::ports::{OffsetStore, OpenApply, OpenSource, Polled, Produce, Receipt};
use tokio::time::Instant;

use crate::backoff::Backoff;
use crate::clock::{Interrupter, sleep_until};
use crate::failure::TaskFailure;
use crate::mailbox::{Command, Mailbox, TaskState};
use crate::passage::Rules;
use crate::source_outlet::{Account, Outlet, Sending};
use crate::source_task::SourceTask;
use crate::source_window::Window;

/// What happened.
enum Event<G, T, P> {
    Command(Command),
    Polled(Box<Polling<G>>),
    Sent(Box<(Sending<T, P>, Option<Account>)>),
    Received(u64, Receipt),
    Stored(Result<Durable, NotStored>),
    Tick,
}

/// A batch at the outlet, and the account of what became of its rows.
type OnItsWay<A, P> = (Sending<A, P>, Option<Account>);

/// The end of a poll.
pub(crate) struct Polling<G> {
    pub(crate) port: G,
    pub(crate) batch: Batch,
    pub(crate) answer: Result<Polled, GuestError>,
    pub(crate) took: Duration,
}

/// What the task is up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Running,
    Paused,
    /// Nothing new; over when quiet, or at the deadline.
    Stopping(Instant),
}

pub(crate) type InFlight<T> = Option<BoxFuture<'static, T>>;

pub(crate) struct SourceLoop<S: OpenSource, A: OpenApply, P, St> {
    pub(crate) task: SourceTask<S, A, P, St>,
    pub(crate) mailbox: Mailbox,
    pub(crate) ledger: SourceLedger,
    pub(crate) mode: Mode,
    /// Here unless a poll has it.
    pub(crate) guest: Option<S::Port>,
    pub(crate) polling: InFlight<Polling<S::Port>>,
    /// A polled batch that waits for the outlet.
    pub(crate) waiting: Option<(Batch, SourceTicket)>,
    /// Here unless a batch is on its way through it.
    pub(crate) outlet: Option<Outlet<A::Port, P>>,
    pub(crate) sending: InFlight<OnItsWay<A::Port, P>>,
    pub(crate) interrupter: Option<Interrupter>,
    /// Ticket of the batch in `sending`; `None` while it is one that goes again.
    pub(crate) sending_ticket: Option<SourceTicket>,
    pub(crate) window: Window,
    pub(crate) receipts: FuturesUnordered<BoxFuture<'static, (u64, Receipt)>>,
    pub(crate) storing: InFlight<Result<Durable, NotStored>>,
    /// Stored, not told to the guest yet.
    pub(crate) durable: Vec<Durable>,
    /// Arenas that nobody uses.
    pub(crate) pool: Vec<Batch>,
    pub(crate) bounds: Bounds,
    pub(crate) next_number: u64,
    pub(crate) poll_at: Option<Instant>,
    pub(crate) flush_at: Instant,
    pub(crate) mend_at: Option<Instant>,
    pub(crate) poll_backoff: Backoff,
    pub(crate) store_backoff: Backoff,
    pub(crate) mend_backoff: Backoff,
    pub(crate) store_after: Option<Instant>,
    pub(crate) restarts: u32,
    pub(crate) rules: Rules,
}

/// Batches of polled and unacknowledged records, in units of the limits of one poll.
const WINDOW_BATCHES: u64 = 8;

impl<S, A, P, St> SourceLoop<S, A, P, St>
where
    S: OpenSource,
    S::Port: 'static,
    A: OpenApply,
    A::Port: 'static,
    P: Produce,
    St: OffsetStore,
{
    pub(crate) fn new(
        task: SourceTask<S, A, P, St>,
        port: S::Port,
        outlet: Outlet<A::Port, P>,
        mailbox: Mailbox,
        paused: bool,
    ) -> Self {
        let rules = outlet.rules.clone();
        let random = rules.random;
        let bounds = Bounds {
            records_max: u64::from(task.limits.records_max) * WINDOW_BATCHES,
            bytes_max: u64::from(task.limits.bytes_max) * WINDOW_BATCHES,
        };
        Self {
            mailbox,
            ledger: SourceLedger::new(),
            mode: if paused { Mode::Paused } else { Mode::Running },
            guest: Some(port),
            polling: None,
            waiting: None,
            outlet: Some(outlet),
            sending: None,
            interrupter: None,
            sending_ticket: None,
            window: Window::default(),
            receipts: FuturesUnordered::new(),
            storing: None,
            durable: Vec::new(),
            pool: Vec::new(),
            bounds,
            next_number: 0,
            poll_at: None,
            flush_at: Instant::now() + task.flush_interval,
            mend_at: None,
            poll_backoff: Backoff::new(random),
            store_backoff: Backoff::new(random),
            mend_backoff: Backoff::new(random),
            store_after: None,
            restarts: 0,
            rules,
            task,
        }
    }

    /// Until told to stop (everything under way is drained, its positions stored) or failed.
    pub(crate) async fn run(&mut self) -> Result<(), TaskFailure> {
        self.mailbox.report(if self.mode == Mode::Paused { TaskState::Paused } else { TaskState::Running });
        loop {
            let step = self.step().await;
            match step {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(failure) => self.restart_or(failure).await?,
            }
        }
    }

    /// Starts what can be started, then waits for one event. False = over.
    async fn step(&mut self) -> Result<bool, TaskFailure> {
        self.tell().await?;
        self.start_storing();
        self.start_sending();
        self.start_polling();
        if let Mode::Stopping(deadline) = self.mode {
            if self.is_quiet() {
                return Ok(false);
            }
            if Instant::now() >= deadline {
                tracing::warn!(task = %self.task.id, "not everything was acknowledged before the task had to stop");
                return Ok(false);
            }
        }
        let event = self.event().await;
        self.handle(event)?;
        Ok(true)
    }

    async fn event(&mut self) -> Event<S::Port, A::Port, P> {
        let wake = self.wake_at();
        let Self { mailbox, polling, sending, receipts, storing, .. } = self;
        tokio::select! {
            biased;
            command = mailbox.next() => Event::Command(command),
            // Receipts before new records, so that what is held can only shrink first.
            Some((number, receipt)) = receipts.next() => Event::Received(number, receipt),
            stored = ended(storing) => Event::Stored(stored),
            sent = ended(sending) => Event::Sent(Box::new(sent)),
            polled = ended(polling) => Event::Polled(Box::new(polled)),
            () = sleep_until(wake) => Event::Tick,
        }
    }

    fn handle(&mut self, event: Event<S::Port, A::Port, P>) -> Result<(), TaskFailure> {
        match event {
            Event::Tick => Ok(()),
            Event::Command(command) => {
                self.obey(command);
                Ok(())
            }
            Event::Polled(polling) => self.polled(*polling),
            Event::Sent(sent) => self.sent(sent.0, sent.1),
            Event::Received(number, receipt) => self.received(number, receipt),
            Event::Stored(outcome) => self.stored(outcome),
        }
    }

    pub(crate) fn obey(&mut self, command: Command) {
        match (command, self.mode) {
            (Command::Stop, Mode::Running | Mode::Paused) => {
                self.mode = Mode::Stopping(Instant::now() + self.task.drain_deadline);
            }
            (Command::Pause, Mode::Running) => {
                self.mode = Mode::Paused;
                self.flush_at = Instant::now();
                self.mailbox.report(TaskState::Paused);
            }
            (Command::Resume, Mode::Paused) => {
                self.mode = Mode::Running;
                self.mailbox.report(TaskState::Running);
            }
            _ => {}
        }
    }

    /// When to look again if nothing happens.
    fn wake_at(&self) -> Option<Instant> {
        let poll = self.poll_at.filter(|_| self.mode == Mode::Running && self.guest.is_some());
        let flush = (self.ledger.is_ready() && self.storing.is_none()).then_some(self.flush_at);
        let stop = if let Mode::Stopping(deadline) = self.mode { Some(deadline) } else { None };
        let mend = self.mend_at.filter(|_| self.window.is_mending());
        [poll, flush, stop, mend].into_iter().flatten().filter(|at| *at > Instant::now()).min()
    }

    pub(crate) fn is_drained(&self) -> bool {
        self.polling.is_none() && self.waiting.is_none() && self.sending.is_none() && self.window.is_empty()
    }

    fn is_quiet(&self) -> bool {
        self.is_drained() && !self.ledger.is_ready() && self.storing.is_none() && self.durable.is_empty()
    }

    pub(crate) const fn is_stopping(&self) -> bool {
        matches!(self.mode, Mode::Stopping(_))
    }
}

/// Resolves when it is over; never, if there is nothing.
pub(crate) async fn ended<T>(future: &mut InFlight<T>) -> T {
    match future {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}
