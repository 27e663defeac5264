//! What carries one batch of a sink task to its guest, and decides what became of each row.
//!
//! Enters: a batch, admitted. Leaves: the same hand and batch with an [`End`]: verdicts for the rows that are not simply
//! delivered. Invariant: a row is `Dead` only after its letter was acknowledged; while it waits it can be told to give up,
//! and then nothing of the batch counts.

use std::collections::HashSet;
use std::time::Duration;

use lockgate_model::batch::{Batch, Row};
use lockgate_model::fault::{FaultKind, GuestError, RowFault, Stage};
use lockgate_model::ledger::{Ticket, Verdict};
use lockgate_model::ports::{ApplyPort, Produce, SinkPort};
use tokio::time::Instant;

use crate::backoff::Backoff;
use crate::clock::{Interrupt, epoch_ms};
use crate::dead_letter::DeadLetter;
use crate::failure::TaskFailure;
use crate::passage::{Passage, Rules, Walked, check_rows};
use crate::rows::{self, count};
use crate::tolerance::{Coordinates, Failed, Tolerance, note};

/// Everything on the guest's side of a sink task. It is in one place at a time: with the task, or with a delivery.
pub(crate) struct Hand<K, T, P> {
    pub sink: K,
    pub passage: Passage<T>,
    pub letters: Option<DeadLetter<P>>,
    pub rules: Rules,
    /// The batch as it was consumed, as far as it will be needed.
    pub consumed: Batch,
    pub again: Batch,
}

/// What comes back.
pub(crate) struct Delivery<K, T, P> {
    pub hand: Hand<K, T, P>,
    pub batch: Batch,
    pub ticket: Ticket,
    pub end: End,
}

/// How a delivery ended.
pub(crate) enum End {
    /// Every row is settled: these so, all others delivered.
    Done(Vec<(u32, Verdict)>),
    /// Told to give up: nothing counts, the instance is still good.
    Interrupted,
    /// The task is over (or its instance). Where `open` is given, all rows but those are settled.
    Failed { failure: TaskFailure, settled: Vec<(u32, Verdict)>, open: Option<Vec<u32>> },
}

enum Put {
    /// Taken, but for these rows of the batch that was put.
    Taken(Vec<RowFault>),
    Interrupted,
}

const SINK_TASK: &str = "org.apache.kafka.connect.sink.SinkTask";

impl<K: SinkPort, T: ApplyPort, P: Produce> Hand<K, T, P> {
    /// Carries a batch. Only dropping it before its end costs the instance.
    pub(crate) async fn deliver(
        mut self,
        mut batch: Batch,
        ticket: Ticket,
        mut interrupt: Interrupt,
    ) -> Delivery<K, T, P> {
        let mut settled = Vec::new();
        let end = match self.carry(&mut batch, &mut settled, &mut interrupt).await {
            Ok(true) => End::Done(settled),
            Ok(false) => End::Interrupted,
            Err((failure, open)) => End::Failed { failure, settled, open },
        };
        Delivery { hand: self, batch, ticket, end }
    }

    async fn carry(
        &mut self,
        batch: &mut Batch,
        settled: &mut Vec<(u32, Verdict)>,
        interrupt: &mut Interrupt,
    ) -> Result<bool, (TaskFailure, Option<Vec<u32>>)> {
        let input = count(batch.len());
        let changes = !self.passage.is_identity();
        if changes {
            // Letters need the consumed bytes; log lines and accounting only the coordinates.
            let keep = if self.letters.is_some() { rows::copy } else { rows::copy_coordinates };
            keep(&mut self.consumed, batch);
        }
        let walked = self.passage.walk(batch, &self.rules, interrupt).await.map_err(|failure| (failure, None))?;
        let Walked::Through(failed) = walked else { return Ok(false) };
        if changes {
            settled.extend(self.passage.filtered(input, &failed).into_iter().map(|row| (row, Verdict::Filtered)));
        }
        if !self.judge(batch, &failed, settled, interrupt).await.map_err(|failure| (failure, None))? {
            return Ok(false);
        }
        if batch.is_empty() {
            return Ok(true);
        }
        let Put::Taken(bad) = self.put_all(batch, interrupt).await.map_err(|failure| (failure, None))? else {
            return Ok(false);
        };
        if bad.is_empty() {
            return Ok(true);
        }
        let Put::Taken(bad) = self.put_again(batch, bad, interrupt).await.map_err(|failure| (failure, None))? else {
            return Ok(false);
        };
        let mut failed: Vec<Failed> = bad
            .into_iter()
            .map(|fault| Failed::new(self.passage.origin(fault.row as usize), Stage::TaskPut, SINK_TASK.into(), fault))
            .collect();
        failed.sort_by_key(|f| f.origin);
        failed.dedup_by_key(|f| f.origin);
        let open = || Some(failed.iter().map(|f| f.origin).collect());
        self.judge(batch, &failed, settled, interrupt).await.map_err(|failure| (failure, open()))
    }

    /// Tolerance: all rows dead-lettered or skipped, or the first one dead-lettered and the task failed.
    async fn judge(
        &mut self,
        batch: &Batch,
        failed: &[Failed],
        settled: &mut Vec<(u32, Verdict)>,
        interrupt: &mut Interrupt,
    ) -> Result<bool, TaskFailure> {
        let Some(first) = failed.first() else { return Ok(true) };
        let tolerant = self.rules.policy.tolerance == Tolerance::All;
        // Without tolerance the first one ends the task; the others will be seen again after its restart.
        let failed = if tolerant { failed } else { &failed[..1] };
        let consumed = if self.passage.is_identity() { batch } else { &self.consumed };
        for item in failed {
            let at = consumed.rows.get(item.origin as usize).map(|row| coordinates(consumed, row));
            note(&self.rules.policy, &self.rules.id, &self.rules.metrics, item, at);
        }
        let verdict = match &mut self.letters {
            Some(letters) => {
                if !letters.send(consumed, failed, &self.rules, interrupt).await? {
                    return Ok(false);
                }
                Verdict::Dead
            }
            None => Verdict::Filtered,
        };
        if !tolerant {
            return Err(first.failure());
        }
        self.rules.metrics.total_records_skipped.add(failed.len() as u64);
        settled.extend(failed.iter().map(|item| (item.origin, verdict)));
        Ok(true)
    }

    /// The call, the same batch again for as long as the guest asks for patience (Kafka Connect: no limit).
    async fn put_all(&mut self, batch: &Batch, interrupt: &mut Interrupt) -> Result<Put, TaskFailure> {
        let mut backoff = Backoff::new(self.rules.random);
        loop {
            match self.put_once(batch).await? {
                Ok(bad) => return Ok(Put::Taken(bad)),
                Err(least) => {
                    self.rules.metrics.total_retries.add(1);
                    // A guest that names a delay knows better than the back-off.
                    let next = backoff.next(self.rules.policy.retry_delay_max);
                    let delay = if least.is_zero() { next } else { least };
                    if interrupt.is_raised() || !interrupt.sleep(delay).await {
                        return Ok(Put::Interrupted);
                    }
                }
            }
        }
    }

    /// One call: bad rows, or the delay that the guest asks for.
    async fn put_once(&mut self, batch: &Batch) -> Result<Result<Vec<RowFault>, Duration>, TaskFailure> {
        let began = Instant::now();
        let answer = self.sink.put(batch).await;
        let metrics = &self.rules.metrics;
        metrics.put_batch_time.observe(began.elapsed());
        let bad = match answer {
            Ok(bad) => bad,
            Err(GuestError::Fault(fault)) => match fault.kind {
                FaultKind::Retriable(delay) => {
                    let id = &self.rules.id;
                    metrics.pulse.guest.hindered(&fault);
                    metrics.total_record_failures.add(batch.len() as u64);
                    tracing::warn!(
                        tenant = %id.tenant, connector = %id.connector, task = id.task, %fault,
                        "the sink cannot take the batch yet; it gets it again"
                    );
                    return Ok(Err(delay));
                }
                FaultKind::Rows(bad) if !bad.is_empty() => bad,
                _ => return Err(TaskFailure::guest("put", GuestError::Fault(fault))),
            },
            Err(error) => return Err(TaskFailure::guest("put", error)),
        };
        check_rows("put", bad.iter().map(|f| f.row), batch.len())?;
        metrics.sink_record_send_total.add(batch.len() as u64);
        metrics.last_progress_timestamp.set(epoch_ms());
        Ok(Ok(bad))
    }

    /// Retries the rows that may succeed later, within `errors.retry.timeout`; answers the rows that did not.
    async fn put_again(
        &mut self,
        batch: &Batch,
        bad: Vec<RowFault>,
        interrupt: &mut Interrupt,
    ) -> Result<Put, TaskFailure> {
        let retries = self.rules.policy.retries();
        let mut known = HashSet::new();
        let bad = bad.into_iter().filter(|f| known.insert(f.row));
        let (mut open, mut lost): (Vec<_>, Vec<_>) = bad.partition(|f| f.retriable && retries);
        open.sort_by_key(|f| f.row);
        let mut backoff = Backoff::new(self.rules.random);
        let began = Instant::now();
        let mut least = Duration::ZERO;
        while !open.is_empty() {
            let (cap, timeout) = (self.rules.policy.retry_delay_max, self.rules.policy.retry_timeout);
            let Some(delay) = backoff.next_within(cap, began.elapsed(), timeout) else { break };
            if !interrupt.sleep(delay.max(least)).await {
                return Ok(Put::Interrupted);
            }
            self.rules.metrics.total_retries.add(open.len() as u64);
            let asked: Vec<u32> = open.iter().map(|f| f.row).collect();
            let mut again = std::mem::take(&mut self.again);
            rows::select(&mut again, batch, &asked);
            let answer = self.put_once(&again).await;
            self.again = again;
            match answer? {
                Err(delay) => least = delay,
                Ok(bad) => {
                    let back = bad.into_iter().map(|f| RowFault { row: asked[f.row as usize], ..f });
                    let (still, more): (Vec<_>, Vec<_>) = back.partition(|f| f.retriable);
                    lost.extend(more);
                    open = still;
                }
            }
        }
        lost.extend(open);
        Ok(Put::Taken(lost))
    }
}

fn coordinates<'a>(batch: &'a Batch, row: &Row) -> Coordinates<'a> {
    Coordinates {
        topic: batch.topic(row),
        partition: row.partition,
        offset: row.offset,
        timestamp: row.timestamp,
        log_append_time: row.flags & Row::LOG_APPEND_TIME != 0,
    }
}
