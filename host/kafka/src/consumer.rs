//! The consumer of one sink task.
//!
//! Enters: subscription, control events, messages in librdkafka's buffers. Leaves: rows copied once into the batch's
//! arena, and the rebalance walk as [`Fetched`] events. Invariant: control and data are separate queues, so that a
//! rebalance never hides behind data; nothing is committed but what [`Agreed`] holds (L1); order per partition holds (L2).
//!
//! No thread of its own and no polling: both queues wake the task. The one timer is the keep-alive that tells the client
//! that its application is there, three times within `max.poll.interval.ms`.

mod assignment;
mod commit;
mod data;
mod leave;
mod pattern;

use std::time::Duration;

use lockgate_model::batch::Batch;
use lockgate_model::fault::KafkaFault;
use lockgate_model::ledger::Agreed;
use lockgate_model::place::{PartitionOffset, TopicPartition};
use lockgate_model::ports::{BatchLimits, Fetch, Fetched};
use lockgate_model::schemas::Schemas;
use rdkafka::bindings as sys;
use sys::rd_kafka_resp_err_t as Code;
use tokio::time::Instant;

use crate::fault::{fault, is_final_for_a_consumer, own};
use crate::native::{Conf, Event, Handle, Partitions, Queue, c_text, take_error};
use crate::settings::{ClientKind, Settings, client_settings};
use assignment::Assignment;
use data::Held;
use leave::Membership;

/// What a sink reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Topics {
    /// These.
    List(Vec<String>),
    /// All whose whole name matches this Java regular expression.
    Regex(String),
}

/// What a consumer is made of.
#[derive(Clone, Debug)]
pub struct ConsumerOptions {
    /// Client settings by their Java names.
    pub settings: Settings,
    /// `connect-<connector name>`, given by the caller.
    pub group_id: String,
    /// Shown in the broker's logs and quotas: `connector-consumer-<connector>-<task>`.
    pub client_id: String,
    /// What to read.
    pub topics: Topics,
    /// The task's schemas, for its batches.
    pub schemas: Schemas,
}

/// The consumer of one sink task. Dropped without [`Fetch::close`], it leaves the group on a thread of its own.
pub struct Consumer {
    membership: Membership,
    held: Held,
    assignment: Assignment,
    commits: commit::Commits,
    schemas: Schemas,
    paused: bool,
    trouble: Option<Trouble>,
    trouble_said: Option<Instant>,
    polled: Instant,
    keep_alive: Duration,
}

enum Trouble {
    Passing(KafkaFault),
    Final(KafkaFault),
}

/// Trouble is reported at most this often; in between it is logged at debug level.
const TROUBLE_EVERY: Duration = Duration::from_secs(5);

impl Consumer {
    /// Joins the group. Connects by itself; a broker that is away is [`Fetched::Trouble`] later, not an error here.
    ///
    /// # Errors
    /// A setting that the client refuses, a pattern that it cannot take.
    pub fn subscribe(options: ConsumerOptions) -> Result<Self, KafkaFault> {
        let (mut settings, ignored) = client_settings(ClientKind::Consumer, &options.settings)?;
        for item in ignored {
            tracing::debug!(key = item.key, reason = item.reason, "consumer setting without effect");
        }
        settings.push(("group.id".into(), options.group_id));
        settings.push(("client.id".into(), options.client_id));
        let of = |key: &str| settings.iter().find(|(k, _)| k == key).map(|(_, v)| v.as_str());
        let poll_ms: u64 = of("max.poll.interval.ms").and_then(|v| v.parse().ok()).unwrap_or(300_000);
        let latest = of("auto.offset.reset").unwrap_or("earliest").to_owned();
        let names = match options.topics {
            Topics::List(names) => names,
            Topics::Regex(pattern) => vec![pattern::posix(&pattern)?],
        };
        let mut subscription = Partitions::new();
        for name in &names {
            subscription.push(&c_text(name)?, -1, -1);
        }
        let conf = Conf::new(&settings)?;
        let events = sys::RD_KAFKA_EVENT_REBALANCE | sys::RD_KAFKA_EVENT_ERROR | sys::RD_KAFKA_EVENT_OFFSET_COMMIT;
        // SAFETY: the configuration is alive.
        unsafe { sys::rd_kafka_conf_set_events(conf.raw(), events) };
        let handle = Handle::new(sys::rd_kafka_type_t::RD_KAFKA_CONSUMER, conf)?;
        // SAFETY: the client and the list are alive. The first call sends the client's own errors to the main queue too.
        let code = unsafe {
            sys::rd_kafka_poll_set_consumer(handle.raw());
            sys::rd_kafka_subscribe(handle.raw(), subscription.raw())
        };
        if code != Code::RD_KAFKA_RESP_ERR_NO_ERROR {
            return Err(fault(code, None));
        }
        let main = Queue::of_consumer(&handle).ok_or_else(|| own(false, "client", "the consumer has no group"))?;
        let data = Queue::new(&handle);
        Ok(Self {
            held: Held::new(&data),
            commits: commit::Commits::new(&handle),
            assignment: Assignment::new(&handle, data, &latest),
            membership: Membership::new(handle, main),
            schemas: options.schemas,
            paused: false,
            trouble: None,
            trouble_said: None,
            polled: Instant::now(),
            keep_alive: Duration::from_millis((poll_ms / 3).clamp(500, 60_000)),
        })
    }

    /// The next control event, if there is one at hand.
    fn control(&mut self) -> Option<Result<Fetched, KafkaFault>> {
        // A rebalance that is not completed keeps everything after it waiting: the group does as well.
        if self.assignment.is_changing() {
            return None;
        }
        let due = self.membership.main.wake().lower() || self.polled.elapsed() >= self.keep_alive;
        if !due {
            return None;
        }
        self.polled = Instant::now();
        while let Some(event) = self.membership.main.event(0) {
            if let Some(answer) = self.on_event(&event) {
                self.membership.main.wake().raise();
                return Some(answer);
            }
            if self.assignment.is_changing() {
                self.membership.main.wake().raise();
                return None;
            }
        }
        None
    }

    fn on_event(&mut self, event: &Event) -> Option<Result<Fetched, KafkaFault>> {
        match event.kind() {
            sys::RD_KAFKA_EVENT_REBALANCE => match self.assignment.on_rebalance(event) {
                Ok(fetched) => {
                    self.held.keep_only(&self.assignment);
                    fetched.map(Ok)
                }
                Err(fault) => Some(Err(fault)),
            },
            sys::RD_KAFKA_EVENT_ERROR => {
                // SAFETY: the event is alive.
                let fatal = unsafe { sys::rd_kafka_event_error_is_fatal(event.raw()) } != 0;
                self.on_error(event.code(), event.fault(), fatal);
                self.say_trouble()
            }
            sys::RD_KAFKA_EVENT_FETCH => {
                // Data belongs to the data queue; what slipped through before forwarding is fetched again, not lost.
                self.assignment.refetch(event);
                None
            }
            _ => None,
        }
    }

    fn on_error(&mut self, code: Code, fault: KafkaFault, fatal: bool) {
        self.trouble = match self.trouble.take() {
            Some(Trouble::Final(first)) => Some(Trouble::Final(first)),
            _ if fatal || is_final_for_a_consumer(code) => {
                Some(Trouble::Final(KafkaFault { retriable: false, ..fault }))
            }
            _ => Some(Trouble::Passing(fault)),
        };
    }

    fn say_trouble(&mut self) -> Option<Result<Fetched, KafkaFault>> {
        match self.trouble.take()? {
            Trouble::Final(fault) => Some(Err(fault)),
            Trouble::Passing(fault) => {
                if self.trouble_said.is_some_and(|said| said.elapsed() < TROUBLE_EVERY) {
                    tracing::debug!(code = fault.code, "{}", fault.message);
                    return None;
                }
                self.trouble_said = Some(Instant::now());
                Some(Ok(Fetched::Trouble(fault)))
            }
        }
    }

    /// Moves records from the client into the batch.
    fn records(&mut self, into: &mut Batch, limits: BatchLimits) -> usize {
        let outcome = self.held.fill(into, limits, &mut self.assignment);
        if let Some((code, text)) = outcome.error {
            self.on_error(code, fault(code, Some(text)), false);
        }
        outcome.rows
    }

    /// Waits until one of the sources has something.
    async fn wait(&mut self) {
        let keep_alive = tokio::time::sleep_until(self.polled + self.keep_alive);
        let changing = self.assignment.is_changing();
        let (main, data, paused) = (&self.membership.main, self.held.queue(), self.paused);
        tokio::select! {
            () = main.wake().raised(), if !changing => main.wake().raise(),
            () = data.wake().raised(), if !paused => (),
            () = self.assignment.asked(), if self.assignment.is_asking() => (),
            () = keep_alive, if !changing => (),
        }
    }
}

impl Fetch for Consumer {
    async fn next(&mut self, into: &mut Batch, limits: BatchLimits) -> Result<Fetched, KafkaFault> {
        if into.is_empty() {
            into.schemas.clone_from(&self.schemas);
        }
        loop {
            if let Some(answer) = self.say_trouble() {
                return answer;
            }
            match self.assignment.take_asked() {
                Some(Ok(assigned)) => return Ok(assigned),
                Some(Err(fault)) if !fault.retriable => return Err(fault),
                Some(Err(fault)) => self.trouble = Some(Trouble::Passing(fault)),
                None => {}
            }
            if let Some(answer) = self.control() {
                return answer;
            }
            if !self.paused {
                let rows = self.records(into, limits);
                if rows > 0 || (self.held.has_more() && !into.is_empty()) {
                    return Ok(Fetched::Records(rows));
                }
            }
            if self.trouble.is_none() {
                self.wait().await;
            }
        }
    }

    fn start(&mut self, at: &[PartitionOffset]) -> Result<(), KafkaFault> {
        self.polled = Instant::now() - self.keep_alive;
        self.assignment.start(at)
    }

    fn release(&mut self, partitions: &[TopicPartition]) -> Result<(), KafkaFault> {
        let done = self.assignment.release(partitions);
        self.held.keep_only(&self.assignment);
        self.membership.main.wake().raise();
        done
    }

    fn pause(&mut self) -> Result<(), KafkaFault> {
        // What the client has fetched ahead is bounded (queued.max.messages.kbytes), so not taking is enough. Telling it
        // would throw that away and fetch it again.
        self.paused = true;
        Ok(())
    }

    fn resume(&mut self) -> Result<(), KafkaFault> {
        self.paused = false;
        Ok(())
    }

    fn seek(&mut self, to: &[PartitionOffset]) -> Result<(), KafkaFault> {
        let list = self.assignment.places_for_seek(to)?;
        for item in to {
            self.held.drop_partition(&item.place, &self.assignment);
        }
        // SAFETY: the client and the list are alive. Without a wait the client only raises the partitions' versions, so
        // that what it fetched before never comes out of the queue, and seeks on its own thread.
        take_error(unsafe { sys::rd_kafka_seek_partitions(self.membership.handle.raw(), list.raw(), 0) })
            .map_err(|(_, fault)| fault)
    }

    async fn commit(&mut self, agreed: &Agreed) -> Result<(), KafkaFault> {
        self.commits.commit(&mut self.assignment, agreed.offsets()).await
    }

    fn lag(&self) -> Option<i64> {
        self.assignment.lag()
    }

    async fn close(self) {
        let Self { membership, held, .. } = self;
        drop(held);
        membership.leave().await;
    }
}
