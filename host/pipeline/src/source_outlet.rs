//! The way of a polled batch to Kafka's client.
//!
//! Enters: a batch as the guest gave it. Leaves: a receipt to wait for, and the rows that need none (filtered, skipped).
//! Invariant: batches leave in the order in which they came; a topic is made sure of before its first record.

use std::collections::HashSet;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use lockgate_model::batch::Batch;
use lockgate_model::ports::{ApplyPort, Produce, Receipt};

use crate::backoff::Backoff;
use crate::clock::Interrupt;
use crate::failure::TaskFailure;
use crate::passage::{Passage, Rules, Walked};
use crate::rows::count;
use crate::source_task::TopicRules;
use crate::tolerance::{Failed, Tolerance, note};

pub(crate) struct Outlet<T, P> {
    pub passage: Passage<T>,
    produce: Arc<P>,
    topics: TopicRules,
    sure_of: HashSet<Arc<str>>,
    pub rules: Rules,
}

/// What comes back with the outlet.
pub(crate) struct Sending<T, P> {
    pub outlet: Outlet<T, P>,
    /// Number of the batch in the task.
    pub number: u64,
    pub batch: Batch,
    pub end: Result<Sent, TaskFailure>,
}

pub(crate) enum Sent {
    /// With the client; `None` = no row was left to send.
    Produced(Option<BoxFuture<'static, Receipt>>),
    /// Told to give up.
    Interrupted,
}

/// What the chain made of a batch.
pub(crate) struct Account {
    /// Origin of each row that was produced; `None` = each is its own.
    pub origins: Option<Vec<u32>>,
    /// Rows that need no receipt.
    pub settled: Vec<u32>,
}

impl<T: ApplyPort, P: Produce> Outlet<T, P> {
    pub(crate) fn new(passage: Passage<T>, produce: Arc<P>, topics: TopicRules, rules: Rules) -> Self {
        Self { passage, produce, topics, sure_of: HashSet::new(), rules }
    }

    /// Chain, encode, produce.
    pub(crate) async fn send(
        mut self,
        number: u64,
        mut batch: Batch,
        mut interrupt: Interrupt,
    ) -> (Sending<T, P>, Account) {
        let mut account = Account { origins: None, settled: Vec::new() };
        let end = match self.convert(&mut batch, &mut account, &mut interrupt).await {
            Ok(true) => self.offer(&batch, &mut interrupt).await,
            Ok(false) => Ok(Sent::Interrupted),
            Err(failure) => Err(failure),
        };
        (Sending { outlet: self, number, batch, end }, account)
    }

    /// Produces rows again that Kafka did not take.
    pub(crate) async fn resend(mut self, number: u64, batch: Batch, mut interrupt: Interrupt) -> Sending<T, P> {
        // The topic may have been deleted in the meantime.
        self.sure_of.clear();
        let end = self.offer(&batch, &mut interrupt).await;
        Sending { outlet: self, number, batch, end }
    }

    async fn convert(
        &mut self,
        batch: &mut Batch,
        account: &mut Account,
        interrupt: &mut Interrupt,
    ) -> Result<bool, TaskFailure> {
        if self.passage.is_identity() {
            return Ok(true);
        }
        let input = count(batch.len());
        let Walked::Through(failed) = self.passage.walk(batch, &self.rules, interrupt).await? else {
            return Ok(false);
        };
        judge(&self.rules, &failed)?;
        account.settled = self.passage.filtered(input, &failed);
        account.settled.extend(failed.iter().map(|f| f.origin));
        account.origins = self.passage.take_origins();
        Ok(true)
    }

    /// Topics, then rows, for as long as Kafka only asks for patience.
    async fn offer(&mut self, batch: &Batch, interrupt: &mut Interrupt) -> Result<Sent, TaskFailure> {
        if batch.is_empty() {
            return Ok(Sent::Produced(None));
        }
        let mut backoff = Backoff::new(self.rules.random);
        loop {
            let outcome = tokio::select! {
                biased;
                outcome = self.attempt(batch) => outcome,
                () = interrupt.raised() => return Ok(Sent::Interrupted),
            };
            let failure = match outcome {
                Ok(receipt) => return Ok(Sent::Produced(Some(receipt))),
                Err(failure) => failure,
            };
            self.rules.metrics.total_retries.add(1);
            self.rules.metrics.pulse.kafka.hindered(&failure);
            let delay = failure.patience(&mut backoff, self.rules.policy.retry_delay_max)?;
            if !interrupt.sleep(delay).await {
                return Ok(Sent::Interrupted);
            }
        }
    }

    async fn attempt(&mut self, batch: &Batch) -> Result<BoxFuture<'static, Receipt>, TaskFailure> {
        for index in self.new_topics(batch) {
            let topic = &batch.topics[index];
            let made = self.produce.ensure_topic(topic, &(self.topics)(topic)).await;
            made.map_err(|fault| TaskFailure::kafka("making a topic", fault))?;
            self.sure_of.insert(Arc::clone(topic));
        }
        let receipt = self.produce.produce(batch).await;
        Ok(receipt.map_err(|fault| TaskFailure::kafka("producing", fault))?.boxed())
    }

    /// Topics that rows go to and that nobody has asked for yet.
    fn new_topics(&self, batch: &Batch) -> Vec<usize> {
        let is_new = |index: &usize| !self.sure_of.contains(&batch.topics[*index]);
        let is_used = |index: &usize| batch.rows.iter().any(|row| row.topic as usize == *index);
        (0..batch.topics.len()).filter(|index| is_new(index) && is_used(index)).collect()
    }
}

/// Tolerance for sources: skip, or fail. There is no dead-letter queue for them.
pub(crate) fn judge(rules: &Rules, failed: &[Failed]) -> Result<(), TaskFailure> {
    let Some(first) = failed.first() else { return Ok(()) };
    let tolerant = rules.policy.tolerance == Tolerance::All;
    for item in if tolerant { failed } else { &failed[..1] } {
        note(&rules.policy, &rules.id, &rules.metrics, item, None);
    }
    if !tolerant {
        return Err(first.failure());
    }
    rules.metrics.total_records_skipped.add(failed.len() as u64);
    Ok(())
}
