//! What a source task does at each step: poll, send, settle, store.
//!
//! Enters: the ends of what was under way. Leaves: the next thing under way. Invariant: one poll, one sending, one store
//! at a time; batches leave in the order in which they were polled (L2); a store holds only what is settled (L1).

use std::time::Duration;

use futures::FutureExt;
use lockgate_model::batch::Batch;
use lockgate_model::fault::{GuestError, KafkaFault, RowFault, Stage};
use lockgate_model::ledger::{Durable, NotStored};
use lockgate_model::ports::{Next, OffsetStore, OpenApply, OpenSource, Produce, Receipt, SourcePort};
use lockgate_model::pulse::Doing;
use tokio::time::Instant;

use crate::clock::{epoch_ms, interrupt};
use crate::failure::TaskFailure;
use crate::rows::count;
use crate::source_loop::{Mode, Polling, SourceLoop};
use crate::source_outlet::{Account, Sending, Sent, judge};
use crate::source_window::Kept;
use crate::tolerance::Failed;

/// Kafka Connect has no such hint; the WIT says "once a minute".
const DONE_EVERY: Duration = Duration::from_mins(1);
/// The longest that a guest may ask to be left alone, `source.next`.
const AFTER_MAX: Duration = Duration::from_mins(1);
/// Arenas kept for later polls.
const POOL_MAX: usize = 3;
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
    // --- poll ---

    pub(crate) fn start_polling(&mut self) {
        let now = Instant::now();
        self.task.metrics.pulse.turns_within(DONE_EVERY);
        let due = self.poll_at.is_none_or(|at| now >= at);
        let room = self.waiting.is_none() && !self.window.is_full() && !self.bounds.is_full(self.ledger.load());
        if self.mode != Mode::Running || !due || !room {
            return;
        }
        let Some(mut port) = self.guest.take() else { return };
        self.poll_at = None;
        self.task.metrics.pulse.guest.begin(Doing::Polling);
        let mut batch = self.pool.pop().unwrap_or_else(|| Batch::new(self.task.schemas.clone()));
        let limits = self.task.limits;
        let poll = async move {
            let began = Instant::now();
            let answer = port.poll(&mut batch, limits).await;
            Polling { port, batch, answer, took: began.elapsed() }
        };
        self.polling = Some(poll.boxed());
    }

    pub(crate) fn polled(&mut self, polling: Polling<S::Port>) -> Result<(), TaskFailure> {
        self.polling = None;
        let Polling { mut port, mut batch, answer, took } = polling;
        let metrics = std::sync::Arc::clone(&self.task.metrics);
        metrics.last_progress_timestamp.set(epoch_ms());
        let polled = match answer {
            Ok(polled) => polled,
            Err(error) => {
                self.guest = Some(port);
                batch.clear();
                self.give_arena(batch);
                let failure = TaskFailure::guest("poll", error);
                metrics.pulse.guest.hindered(&failure);
                let delay = failure.patience(&mut self.poll_backoff, self.task.tolerance.retry_delay_max)?;
                metrics.total_retries.add(1);
                self.poll_at = Some(Instant::now() + delay);
                return Ok(());
            }
        };
        self.poll_backoff.reset();
        metrics.pulse.guest.end();
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
            metrics.batch_size.observe(batch.len() as u64);
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
        if self.window.is_empty() && self.sending.is_none() {
            self.task.metrics.pulse.kafka.end();
        }
    }

    // --- send ---

    pub(crate) fn start_sending(&mut self) {
        if self.outlet.is_none() {
            return;
        }
        if self.window.is_mending() {
            self.start_mending();
        } else if let Some((batch, ticket)) = self.waiting.take() {
            let Some(outlet) = self.outlet.take() else { return };
            let (interrupter, interrupt) = interrupt();
            self.task.metrics.pulse.kafka.begin(Doing::Producing);
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

    pub(crate) fn sent(&mut self, sending: Sending<A::Port, P>, account: Option<Account>) -> Result<(), TaskFailure> {
        self.sending = None;
        self.interrupter = None;
        let Sending { outlet, number, batch, end } = sending;
        self.outlet = Some(outlet);
        let Sent::Produced(receipt) = end? else { return Ok(()) };
        let awaited = receipt.is_some();
        if let Some(receipt) = receipt {
            self.receipts.push(receipt.map(move |receipt| (number, receipt)).boxed());
        }
        if let (Some(account), Some(ticket)) = (account, self.sending_ticket.take()) {
            for row in &account.settled {
                self.ledger.settle_row(&ticket, *row);
            }
            if awaited {
                self.window.push(Kept::new(number, batch, account.origins, ticket));
            } else {
                self.ledger.settle(ticket);
                self.give_arena(batch);
            }
        } else {
            self.window.resent(number, batch, awaited);
            if !self.window.is_mending() {
                self.mend_at = None;
            }
            self.settle_done();
        }
        self.count_active();
        Ok(())
    }

    pub(crate) fn received(&mut self, number: u64, receipt: Receipt) -> Result<(), TaskFailure> {
        let failed = receipt.failed.len();
        match receipt.failed.first() {
            Some((_, fault)) => self.task.metrics.pulse.kafka.hindered(fault),
            None => self.task.metrics.pulse.kafka.step(),
        }
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

    pub(crate) fn start_storing(&mut self) {
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
        self.task.metrics.pulse.store.begin(Doing::Committing);
        self.task.metrics.offset_commit_seq_no.add(1);
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

    pub(crate) fn stored(&mut self, outcome: Result<Durable, NotStored>) -> Result<(), TaskFailure> {
        self.storing = None;
        let metrics = &self.task.metrics;
        match outcome {
            Ok(durable) => {
                metrics.offset_commit_completion_total.add(1);
                metrics.offset_commits.count(true);
                metrics.pulse.store.end();
                self.store_backoff.reset();
                self.store_after = None;
                self.durable.push(durable);
                Ok(())
            }
            Err(NotStored { positions, fault }) => {
                metrics.offset_commit_failure_total.add(1);
                metrics.offset_commits.count(false);
                metrics.pulse.store.hindered(&fault);
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
    pub(crate) async fn tell(&mut self) -> Result<(), TaskFailure> {
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
