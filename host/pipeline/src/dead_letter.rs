//! The dead-letter queue of a sink task.
//!
//! Enters: rows that failed, as they were consumed. Leaves: acknowledged records in the queue's topic. Invariant (L1): a
//! row counts as dead only after its letter is acknowledged; key, value, headers and timestamp are the consumed ones, Kafka
//! Connect's context headers stand behind them (KIP-298).

use std::fmt;
use std::sync::Arc;

use lockgate_model::batch::{Batch, HeaderRow, Row};
use lockgate_model::fault::{self, KafkaFault, Stage};
use lockgate_model::place::TaskId;
use lockgate_model::ports::{Produce, TopicCreation};

use crate::backoff::Backoff;
use crate::clock::Interrupt;
use crate::failure::TaskFailure;
use crate::passage::Rules;
use crate::rows::{copy_row, count};
use crate::tolerance::Failed;

/// `errors.deadletterqueue.*` of one sink.
#[derive(Debug)]
pub struct DeadLetter<P> {
    produce: P,
    topic: Arc<str>,
    creation: TopicCreation,
    context_headers: bool,
    scrub: Scrub,
    letters: Batch,
}

/// Takes out of a guest's text what must not be seen.
#[derive(Clone)]
pub struct Scrub(Arc<dyn Fn(&str) -> String + Send + Sync>);

impl Scrub {
    /// From a function of a text.
    pub fn new(scrub: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        Self(Arc::new(scrub))
    }
}

impl Default for Scrub {
    /// Nothing is hidden.
    fn default() -> Self {
        Self::new(str::to_owned)
    }
}

impl fmt::Debug for Scrub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scrub")
    }
}

impl<P: Produce> DeadLetter<P> {
    /// A queue: `errors.deadletterqueue.topic.name`, how its topic is made if it is missing (one partition, the given
    /// replication factor), and `errors.deadletterqueue.context.headers.enable`.
    pub fn new(produce: P, topic: Arc<str>, creation: TopicCreation, context_headers: bool) -> Self {
        Self { produce, topic, creation, context_headers, scrub: Scrub::default(), letters: Batch::default() }
    }

    /// Likewise, and what a guest says of a failure goes through `scrub` before it stands in a header.
    #[must_use]
    pub fn scrubbed(self, scrub: Scrub) -> Self {
        Self { scrub, ..self }
    }

    /// Makes sure that the topic exists.
    pub(crate) async fn ensure(&self) -> Result<(), KafkaFault> {
        self.produce.ensure_topic(&self.topic, &self.creation).await
    }

    /// Writes letters for rows of `consumed` and waits until all are acknowledged, as long as Kafka only asks for
    /// patience. False if it was told to give up first: then some letters may be there and will be written again.
    pub(crate) async fn send(
        &mut self,
        consumed: &Batch,
        failed: &[Failed],
        rules: &Rules,
        interrupt: &mut Interrupt,
    ) -> Result<bool, TaskFailure> {
        self.write(consumed, failed, &rules.id);
        rules.metrics.deadletterqueue_produce_requests.add(failed.len() as u64);
        let mut backoff = Backoff::new(rules.random);
        while !self.letters.is_empty() {
            let outcome = tokio::select! {
                biased;
                outcome = attempt(&self.produce, &self.letters) => outcome,
                () = interrupt.raised() => return Ok(false),
            };
            match outcome {
                Ok(failed) => self.keep_unsent(failed, rules)?,
                Err(fault) if fault.retriable => {
                    tracing::warn!(task = %rules.id, %fault, "a dead letter has to wait");
                }
                Err(fault) => return Err(TaskFailure::kafka("writing a dead letter", fault)),
            }
            if !self.letters.is_empty() && !interrupt.sleep(backoff.next(rules.policy.retry_delay_max)).await {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn keep_unsent(&mut self, failed: Vec<(u32, KafkaFault)>, rules: &Rules) -> Result<(), TaskFailure> {
        rules.metrics.deadletterqueue_produce_failures.add(failed.len() as u64);
        if let Some((_, fault)) = failed.iter().find(|(_, fault)| !fault.retriable) {
            return Err(TaskFailure::kafka("writing a dead letter", fault.clone()));
        }
        crate::rows::retain(&mut self.letters, &mut Vec::new(), |index, _| {
            failed.iter().any(|(row, _)| *row as usize == index)
        });
        Ok(())
    }

    fn write(&mut self, consumed: &Batch, failed: &[Failed], id: &TaskId) {
        self.letters.clear();
        self.letters.schemas.clone_from(&consumed.schemas);
        for (index, item) in (0_u32..).zip(failed) {
            let row = &consumed.rows[item.origin as usize];
            let mut letter = copy_row(&mut self.letters, consumed, row);
            if self.context_headers {
                self.append_context(item, consumed.topic(row), row, id);
            }
            letter.topic = self.letters.topic_index(&self.topic);
            letter.header_count = count(self.letters.headers.len()) - letter.header_first;
            (letter.offset, letter.partition, letter.flags) = (-1, Row::ANY_PARTITION, 0);
            (letter.key_schema, letter.value_schema, letter.source_row) = (0, 0, index);
            self.letters.rows.push(letter);
        }
    }

    fn append_context(&mut self, failed: &Failed, topic: &str, row: &Row, id: &TaskId) {
        let exception = exception_class(failed.stage, &failed.code);
        let message = (self.scrub.0)(&format!("{} [{}]", failed.message, failed.code));
        let trace = format!("{exception}: {message}\n\tat {}", failed.class);
        let context = [
            ("__connect.errors.topic", topic),
            ("__connect.errors.partition", &row.partition.to_string()),
            ("__connect.errors.offset", &row.offset.to_string()),
            ("__connect.errors.connector.name", &id.connector),
            ("__connect.errors.task.id", &id.task.to_string()),
            ("__connect.errors.stage", failed.stage.name()),
            ("__connect.errors.class.name", &failed.class),
            ("__connect.errors.exception.class.name", exception),
            ("__connect.errors.exception.message", &message),
            ("__connect.errors.exception.stacktrace", &trace),
        ];
        for (name, value) in context {
            let name_len = u16::try_from(name.len()).unwrap_or(u16::MAX);
            let name_offset = self.letters.push_bytes(Some(name.as_bytes())).offset;
            let value = self.letters.push_bytes(Some(value.as_bytes()));
            self.letters.headers.push(HeaderRow { name_offset, name_len, schema: 0, value });
        }
    }
}

/// What readers of dead-letter queues look for: the classes that Kafka Connect's own code throws in these stages.
fn exception_class(stage: Stage, code: &str) -> &'static str {
    match stage {
        Stage::KeyConverter | Stage::ValueConverter | Stage::HeaderConverter | Stage::Transformation => {
            fault::exception_class(code)
        }
        Stage::TaskPut | Stage::TaskPoll | Stage::KafkaProduce | Stage::KafkaConsume => {
            "org.apache.kafka.connect.errors.ConnectException"
        }
    }
}

async fn attempt<P: Produce>(produce: &P, letters: &Batch) -> Result<Vec<(u32, KafkaFault)>, KafkaFault> {
    let receipt = produce.produce(letters).await?;
    Ok(receipt.await.failed)
}
