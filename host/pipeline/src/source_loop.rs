//! The loop of a source task.
//!
//! Enters: polled batches, receipts, stored positions, commands, timers. Leaves: actions. Invariant: the only `select!` of
//! a running source task; the guest is polled while the batch before is on its way to Kafka; windows bound both.

use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use lockgate_model::batch::Batch;
use lockgate_model::fault::{GuestError, KafkaFault, RowFault, Stage};
use lockgate_model::ledger::{Durable, NotStored, SourceLedger, SourceTicket, Window as Bounds};
use lockgate_model::ports::{Next, OffsetStore, OpenApply, OpenSource, Polled, Produce, Receipt, SourcePort};
use tokio::time::Instant;

use crate::backoff::Backoff;
use crate::clock::{Interrupter, epoch_ms, interrupt, sleep_until};
use crate::failure::TaskFailure;
use crate::mailbox::{Command, Mailbox, TaskState};
use crate::passage::Rules;
use crate::rows::count;
use crate::source_outlet::{Account, Outlet, Sending, Sent, judge};
use crate::source_task::SourceTask;
use crate::source_window::{Kept, Window};
use crate::tolerance::Failed;

/// What happened.
enum Event<G, T, P> {
    Command(Command),
    Polled(Box<Polling<G>>),
    Sent(Box<(Sending<T, P>, Option<Account>)>),
    Received(u64, Receipt),
    Stored(Result<Durable, NotStored>),
    Tick,
}

/// The end of a poll.
pub(crate) struct Polling<G> {
    port: G,
    batch: Batch,
    answer: Result<Polled, GuestError>,
    took: Duration,
}

/// What the task is up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Running,
    Paused,
    /// Nothing new; over when quiet, or at the deadline.
    Stopping(Instant),
}

type InFlight<T> = Option<BoxFuture<'static, T>>;

pub(crate) struct SourceLoop<S: OpenSource, A: OpenApply, P, St> {
    pub(crate) task: SourceTask<S, A, P, St>,
    pub(crate) mailbox: Mailbox,
    ledger: SourceLedger,
    mode: Mode,
    /// Here unless a poll has it.
    guest: Option<S::Port>,
    polling: InFlight<Polling<S::Port>>,
    /// A polled batch that waits for the outlet.
    waiting: Option<(Batch, SourceTicket)>,
    /// Here unless a batch is on its way through it.
    outlet: Option<Outlet<A::Port, P>>,
    sending: InFlight<(Sending<A::Port, P>, Option<Account>)>,
    interrupter: Option<Interrupter>,
    /// Ticket of the batch in `sending`; `None` while it is one that goes again.
    sending_ticket: Option<SourceTicket>,
    window: Window,
    receipts: FuturesUnordered<BoxFuture<'static, (u64, Receipt)>>,
    storing: InFlight<Result<Durable, NotStored>>,
    /// Stored, not told to the guest yet.
    durable: Vec<Durable>,
    /// Arenas that nobody uses.
    pool: Vec<Batch>,
    bounds: Bounds,
    next_number: u64,
    poll_at: Option<Instant>,
    flush_at: Instant,
    mend_at: Option<Instant>,
    poll_backoff: Backoff,
    store_backoff: Backoff,
    mend_backoff: Backoff,
    store_after: Option<Instant>,
    pub(crate) restarts: u32,
    rules: Rules,
}

/// Kafka Connect has no such hint; the WIT says "once a minute".
const DONE_EVERY: Duration = Duration::from_secs(60);
/// The longest that a guest may ask to be left alone, `source.next`.
const AFTER_MAX: Duration = Duration::from_secs(60);
/// How long the last store of positions may take when the task ends.
pub(crate) const LAST_STORE_MAX: Duration = Duration::from_secs(5);
/// Arenas kept for later polls.
const POOL_MAX: usize = 3;
/// Batches of polled and unacknowledged records, in units of the limits of one poll.
const WINDOW_BATCHES: u64 = 8;
/// Cap of the back-off of produce retries.
const MEND_MAX: Duration = Duration::from_secs(5);

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

    fn obey(&mut self, command: Command) {
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

    fn is_drained(&self) -> bool {
        self.polling.is_none() && self.waiting.is_none() && self.sending.is_none() && self.window.is_empty()
    }

    fn is_quiet(&self) -> bool {
        self.is_drained() && !self.ledger.is_ready() && self.storing.is_none() && self.durable.is_empty()
    }

    pub(crate) const fn is_stopping(&self) -> bool {
        matches!(self.mode, Mode::Stopping(_))
    }

    // --- end of an instance ---

    /// Ends what is under way on the guests' side: a batch on its way through the outlet is told to give up.
    pub(crate) async fn call_off(&mut self) {
        self.polling = None;
        if let Some(interrupter) = &self.interrupter {
            interrupter.set(true);
        }
        if self.sending.is_some() {
            if let Ok((sending, _)) = tokio::time::timeout(LAST_STORE_MAX, ended(&mut self.sending)).await {
                self.outlet = Some(sending.outlet);
            }
            self.sending = None;
        }
        self.interrupter = None;
    }

    /// Stores what is ready, without a timer.
    pub(crate) async fn store_now(&mut self) -> Result<(), TaskFailure> {
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
    pub(crate) fn forget(&mut self) {
        self.ledger.restart();
        self.window.clear();
        self.receipts.clear();
        (self.waiting, self.sending_ticket, self.poll_at, self.mend_at) = (None, None, None, None);
        self.durable.clear();
        self.guest = None;
    }

    /// Goes on with new instances.
    pub(crate) fn renew(&mut self, port: S::Port, segments: Vec<(A::Port, crate::chain::Steps)>) {
        self.guest = Some(port);
        if let Some(outlet) = &mut self.outlet {
            outlet.passage.renew(segments);
        }
    }

    /// Sleeps; true if a stop came instead.
    pub(crate) async fn stopped_within(&mut self, delay: Duration) -> bool {
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

    pub(crate) fn into_parts(self) -> (Option<S::Port>, Option<Outlet<A::Port, P>>, Mailbox) {
        (self.guest, self.outlet, self.mailbox)
    }

    // --- poll ---

    fn start_polling(&mut self) {
        let now = Instant::now();
        let due = self.poll_at.is_none_or(|at| now >= at);
        let room = self.waiting.is_none() && !self.window.is_full() && !self.bounds.is_full(self.ledger.load());
        if self.mode != Mode::Running || !due || !room {
            return;
        }
        let Some(mut port) = self.guest.take() else { return };
        self.poll_at = None;
        let mut batch = self.pool.pop().unwrap_or_else(|| Batch::new(self.task.schemas.clone()));
        let limits = self.task.limits;
        let poll = async move {
            let began = Instant::now();
            let answer = port.poll(&mut batch, limits).await;
            Polling { port, batch, answer, took: began.elapsed() }
        };
        self.polling = Some(poll.boxed());
    }

    fn polled(&mut self, polling: Polling<S::Port>) -> Result<(), TaskFailure> {
        self.polling = None;
        let Polling { mut port, mut batch, answer, took } = polling;
        let metrics = std::sync::Arc::clone(&self.task.metrics);
        metrics.guest_time.observe(took);
        metrics.last_progress_timestamp.set(epoch_ms());
        let polled = match answer {
            Ok(polled) => polled,
            Err(error) => {
                self.guest = Some(port);
                batch.clear();
                self.give_arena(batch);
                let failure = TaskFailure::guest("poll", error);
                let delay = failure.patience(&mut self.poll_backoff, self.task.tolerance.retry_delay_max)?;
                metrics.total_retries.add(1);
                self.poll_at = Some(Instant::now() + delay);
                return Ok(());
            }
        };
        self.poll_backoff.reset();
        self.poll_at = match polled.next {
            Next::Now => None,
            Next::After(ms) => Some(Instant::now() + Duration::from_millis(u64::from(ms)).min(AFTER_MAX)),
            Next::Done => Some(Instant::now() + DONE_EVERY),
        };
        if !batch.is_empty() {
            metrics.poll_batch_time.observe(took);
            metrics.source_record_poll_total.add(batch.len() as u64);
            metrics.batches_total.add(1);
            metrics.bytes_out_total.add(batch.data.len() as u64);
            let size = i64::try_from(batch.len()).unwrap_or(i64::MAX);
            metrics.batch_size_max.set(metrics.batch_size_max.value().max(size));
        }
        let state = port.take_state();
        self.guest = Some(port);
        let ticket = self.ledger.admit(count(batch.len()), batch.data.len() as u64, polled.positions, state);
        if batch.is_empty() {
            self.ledger.settle(ticket);
            self.give_arena(batch);
        } else {
            self.waiting = Some((batch, ticket));
        }
        self.count_active();
        Ok(())
    }

    fn give_arena(&mut self, mut batch: Batch) {
        batch.clear();
        if self.pool.len() < POOL_MAX {
            self.pool.push(batch);
        }
    }

    fn count_active(&self) {
        let active = i64::try_from(self.ledger.load().records).unwrap_or(i64::MAX);
        self.task.metrics.source_record_active_count.set(active);
    }

    // --- send ---

    fn start_sending(&mut self) {
        if self.outlet.is_none() {
            return;
        }
        if self.window.is_mending() {
            self.start_mending();
        } else if let Some((batch, ticket)) = self.waiting.take() {
            let Some(outlet) = self.outlet.take() else { return };
            let (interrupter, interrupt) = interrupt();
            let number = self.next_number;
            self.next_number += 1;
            self.sending_ticket = Some(ticket);
            self.interrupter = Some(interrupter);
            let send = outlet.send(number, batch, interrupt);
            self.sending = Some(send.map(|(sending, account)| (sending, Some(account))).boxed());
        }
    }

    fn start_mending(&mut self) {
        self.window.mend();
        let Some(at) = self.mend_at else {
            self.mend_at = Some(Instant::now() + self.mend_backoff.next(MEND_MAX));
            return;
        };
        if Instant::now() < at {
            return;
        }
        let Some((number, batch)) = self.window.next_to_mend() else { return };
        let Some(outlet) = self.outlet.take() else { return };
        self.task.metrics.total_retries.add(batch.len() as u64);
        let (interrupter, interrupt) = interrupt();
        self.interrupter = Some(interrupter);
        self.sending = Some(outlet.resend(number, batch, interrupt).map(|sending| (sending, None)).boxed());
    }

    fn sent(&mut self, sending: Sending<A::Port, P>, account: Option<Account>) -> Result<(), TaskFailure> {
        self.sending = None;
        self.interrupter = None;
        let Sending { outlet, number, batch, end } = sending;
        self.outlet = Some(outlet);
        let Sent::Produced(receipt) = end? else { return Ok(()) };
        let awaited = receipt.is_some();
        if let Some(receipt) = receipt {
            self.receipts.push(receipt.map(move |receipt| (number, receipt)).boxed());
        }
        match (account, self.sending_ticket.take()) {
            (Some(account), Some(ticket)) => {
                for row in &account.settled {
                    self.ledger.settle_row(&ticket, *row);
                }
                if awaited {
                    self.window.push(Kept::new(number, batch, account.origins, ticket));
                } else {
                    self.ledger.settle(ticket);
                    self.give_arena(batch);
                }
            }
            _ => {
                self.window.resent(number, batch, awaited);
                if !self.window.is_mending() {
                    self.mend_at = None;
                }
                self.settle_done();
            }
        }
        self.count_active();
        Ok(())
    }

    fn received(&mut self, number: u64, receipt: Receipt) -> Result<(), TaskFailure> {
        let failed = receipt.failed.len();
        let Some((kept, never)) = self.window.receive(number, receipt) else { return Ok(()) };
        let produced = kept.batch.len();
        let given_up: Vec<Failed> = never.into_iter().map(|(row, fault)| refused(kept.origin(row), fault)).collect();
        self.task.metrics.source_record_write_total.add((produced.saturating_sub(failed)) as u64);
        self.task.metrics.last_progress_timestamp.set(epoch_ms());
        judge(&self.rules, &given_up)?;
        if !self.window.is_mending() {
            self.mend_backoff.reset();
        }
        self.settle_done();
        self.count_active();
        Ok(())
    }

    /// Settles batches from the oldest on, as far as they are done.
    fn settle_done(&mut self) {
        while let Some(kept) = self.window.pop_done() {
            if let Some(ticket) = kept.ticket {
                self.ledger.settle(ticket);
            }
            self.give_arena(kept.batch);
        }
    }

    // --- positions ---

    fn start_storing(&mut self) {
        let early = match self.mode {
            Mode::Running => false,
            Mode::Paused | Mode::Stopping(_) => self.is_drained(),
        };
        let due = early || Instant::now() >= self.flush_at;
        let may = self.store_after.is_none_or(|at| Instant::now() >= at);
        if !due || !may || self.storing.is_some() {
            return;
        }
        let Some(positions) = self.ledger.take() else { return };
        self.flush_at = Instant::now() + self.task.flush_interval;
        let (store, id) = (std::sync::Arc::clone(&self.task.store), self.task.id.clone());
        let metrics = std::sync::Arc::clone(&self.task.metrics);
        let storing = async move {
            let began = Instant::now();
            let outcome = positions.persist(&*store, &id.connector).await;
            metrics.offset_commit_time.observe(began.elapsed());
            outcome
        };
        self.storing = Some(storing.boxed());
    }

    fn stored(&mut self, outcome: Result<Durable, NotStored>) -> Result<(), TaskFailure> {
        self.storing = None;
        let metrics = &self.task.metrics;
        match outcome {
            Ok(durable) => {
                metrics.offset_commit_completion_total.add(1);
                self.store_backoff.reset();
                self.store_after = None;
                self.durable.push(durable);
                Ok(())
            }
            Err(NotStored { positions, fault }) => {
                metrics.offset_commit_failure_total.add(1);
                self.ledger.put_back(positions);
                if !fault.retriable {
                    return Err(fault.into());
                }
                tracing::warn!(task = %self.task.id, %fault, "positions have to wait");
                let at = Instant::now() + self.store_backoff.next(self.task.flush_interval);
                self.flush_at = at;
                self.store_after = Some(at);
                Ok(())
            }
        }
    }

    /// Tells the guest what is durable, while it is here.
    async fn tell(&mut self) -> Result<(), TaskFailure> {
        let Some(port) = &mut self.guest else { return Ok(()) };
        for durable in self.durable.drain(..) {
            if durable.positions().is_empty() {
                continue;
            }
            match port.committed(durable.positions()).await {
                Ok(()) => {}
                Err(GuestError::Fault(fault)) => {
                    tracing::warn!(task = %self.task.id, %fault, "the source could not take note of stored positions");
                }
                Err(error) => return Err(TaskFailure::guest("committed", error)),
            }
        }
        Ok(())
    }
}

fn refused(origin: u32, fault: KafkaFault) -> Failed {
    let KafkaFault { retriable, code, message } = fault;
    let fault = RowFault { row: origin, step: 0, retriable, code: format!("kafka.{code}"), message };
    Failed::new(origin, Stage::KafkaProduce, "org.apache.kafka.connect.source.SourceTask".into(), fault)
}

/// Resolves when it is over; never, if there is nothing.
async fn ended<T>(future: &mut InFlight<T>) -> T {
    match future {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}
