//! From a configuration to a task that runs.
//!
//! Enters: a [`Start`]. Leaves: the task's future, or the reason why it cannot be built, as its trace. Invariant: every
//! grant comes from the worker's policy; every client setting comes from the worker or passed its override policy; the
//! spec is read again here, so a log written by another version cannot bring in what validation would refuse.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use futures::future::BoxFuture;
use lockgate_config::{ConnectorSpec, DeadLetterSpec, Hidden, Part, RestartSpec, SinkSpec, Topics, WorkerConfig};
use lockgate_convert::{Decode, Encode, Recode};
use lockgate_kafka::{Consumer, ConsumerOptions, Producer};
use lockgate_model::ports::{BatchLimits, TopicCreation};
use lockgate_model::{Schemas, TaskId};
use lockgate_pipeline::{
    DeadLetter, ErrorPolicy, Mailbox, Scrub, SinkTask, SourceTask, Tolerance, TopicRules, Untouched,
};
use lockgate_registry::Registries;
use lockgate_wasm::{GuestLog, Limits, LogLevel, Policy, TaskSpec};

use crate::chain::{self, Plan};
use crate::clients::{self, Producers};
use crate::converters;
use crate::encodings::{Trio, follow, lead};
use crate::event::Start;
use crate::grants;
use crate::log_book::{LogBook, Pen};
use crate::registry::{Found, Registry};
use crate::service::Wishes;
use crate::storage::Offsets;
use crate::topics_used::TopicsUsed;

/// A task that was built.
pub(crate) type Running = BoxFuture<'static, ()>;

/// Everything that building needs of the worker.
pub(crate) struct Builder {
    pub worker: Arc<WorkerConfig>,
    pub registry: Arc<Registry>,
    pub logs: Arc<LogBook>,
    pub topics: Arc<TopicsUsed>,
    pub policy: Policy,
    pub limits: Limits,
    pub offsets: Arc<Offsets>,
    pub producers: Producers,
    pub registries: Arc<Registries>,
    pub wishes: Arc<Wishes>,
    pub tenant: Arc<str>,
    /// How long a task may drain; well within the time in which it must stop.
    pub drain_deadline: Duration,
}

type Package = Arc<lockgate_wasm::Package>;

/// What sinks and sources have in common.
struct Parts {
    id: TaskId,
    spec: ConnectorSpec,
    found: Found<Package>,
    task: TaskSpec,
    plans: Vec<Plan>,
    trio: Trio,
    start: Start,
    hidden: Arc<Hidden>,
}

impl Builder {
    /// Builds a task. It begins to run when its future is polled. With it comes what its connector says of automatic
    /// restarts.
    pub(crate) fn build(
        &self,
        start: Start,
        hidden: Arc<Hidden>,
        mailbox: Mailbox,
        cancel: Arc<AtomicBool>,
    ) -> Result<(Running, RestartSpec), String> {
        let parts = self.parts(start, hidden, cancel)?;
        let restart = parts.spec.restart;
        let running = match parts.spec.sink.clone() {
            Some(sink) => self.sink(parts, sink, mailbox),
            None => self.source(parts, mailbox),
        };
        Ok((running?, restart))
    }

    fn parts(&self, start: Start, hidden: Arc<Hidden>, cancel: Arc<AtomicBool>) -> Result<Parts, String> {
        let name = start.key.connector.as_str();
        let found = self.registry.connector(&start.connector).map_err(|e| e.to_string())?;
        let spec = clients::parse(name, found.plugin.kind, &start.connector, &self.worker)?;
        let id = TaskId { tenant: Arc::clone(&self.tenant), connector: name.into(), task: start.key.task };
        let named = &spec.converters;
        let trio = Trio {
            key: converters::connected(&named.key, Part::Key, &self.registries)?,
            value: converters::connected(&named.value, Part::Value, &self.registries)?,
            header: converters::connected(&named.header, Part::Header, &self.registries)?,
        };
        let plans = chain::plan(&spec.transforms, &self.registry)?;
        let config: Vec<(String, String)> = start.task.clone().into_iter().collect();
        let (wishes, connector) = (Arc::clone(&self.wishes), name.to_owned());
        let mut task = TaskSpec::new(id.clone(), found.plugin.class.clone());
        let settings = grants::with_defaults(&found.plugin, &config);
        task.grants = grants::effective(&self.policy, &found.plugin.requests, &settings)?;
        task.config = config;
        task.limits = self.limits.clone();
        task.log = Arc::new(GuestPen { pen: self.logs.pen(&id), hidden: Arc::clone(&hidden) });
        task.metrics = Arc::clone(&start.metrics);
        task.cancel = cancel;
        task.reconfigure = Arc::new(move || wishes.ask(&connector));
        Ok(Parts { id, spec, found, task, plans, trio, start, hidden })
    }

    fn sink(&self, parts: Parts, sink: SinkSpec, mailbox: Mailbox) -> Result<Running, String> {
        let Parts { id, spec, found, mut task, plans, trio, start, hidden } = parts;
        let schemas = task.schemas.clone();
        let spoken = &found.plugin.encodings;
        let first = plans.first().map_or(&spoken[..], |plan| &plan.spoken[..]);
        let entry = trio.formats(first);
        let (chain, exit) = chain::links(plans, &task, entry, &self.policy)?;
        task.formats = if chain.is_empty() { entry } else { follow(exit, spoken) };
        let adapt = Recode::new(exit, task.formats);
        let fetch = self.consumer(&spec, &sink, start.key.task, schemas.clone())?;
        let running = SinkTask {
            fetch: self.topics.watch(&id, fetch),
            id,
            decode: Box::new(Decode::new(trio.key, trio.value, trio.header, entry)),
            adapt: if adapt.is_identity() { Box::new(Untouched) } else { Box::new(adapt) },
            chain,
            tolerance: tolerance(&spec),
            dead_letter: sink.dead_letter.map(|dead| self.dead_letter(&spec, dead, hidden)).transpose()?,
            limits: batch_limits(&spec),
            linger: spec.batch.linger,
            flush_interval: self.worker.flush_interval,
            drain_deadline: self.drain_deadline,
            restarts_max: 0,
            schemas,
            metrics: start.metrics,
            store: Arc::clone(&self.offsets),
            sink: found.installed.package.sink(task),
        };
        Ok(Box::pin(running.run(mailbox)))
    }

    fn source(&self, parts: Parts, mailbox: Mailbox) -> Result<Running, String> {
        let Parts { id, spec, found, mut task, plans, trio, start, .. } = parts;
        let schemas = task.schemas.clone();
        let given = &found.plugin.encodings;
        task.formats = plans.first().map_or_else(|| trio.formats(given), |plan| lead(given, &plan.spoken));
        let (chain, exit) = chain::links(plans, &task, task.formats, &self.policy)?;
        let creation = spec.source.as_ref().and_then(|s| s.topic_creation.clone());
        let left_to_the_broker =
            TopicCreation { create: false, partitions: -1, replication_factor: -1, config: Vec::new() };
        let topic_creation: TopicRules =
            Arc::new(move |topic| creation.as_ref().map_or_else(|| left_to_the_broker.clone(), |c| c.of_topic(topic)));
        let produce = self.topics.watch(&id, self.producer(&spec)?);
        let running = SourceTask {
            id,
            chain,
            encode: Box::new(Encode::new(trio.key, trio.value, trio.header, exit)),
            produce: Arc::new(produce),
            store: Arc::clone(&self.offsets),
            topic_creation,
            tolerance: tolerance(&spec),
            limits: batch_limits(&spec),
            flush_interval: self.worker.flush_interval,
            drain_deadline: self.drain_deadline,
            restarts_max: 0,
            schemas,
            metrics: start.metrics,
            source: found.installed.package.source(task),
        };
        Ok(Box::pin(running.run(mailbox)))
    }

    fn consumer(&self, spec: &ConnectorSpec, sink: &SinkSpec, task: u32, schemas: Schemas) -> Result<Consumer, String> {
        let settings = clients::consumer(&self.worker, spec);
        let own = |key: &str, default: String| settings.get(key).cloned().unwrap_or(default);
        let options = ConsumerOptions {
            group_id: own("group.id", format!("connect-{}", spec.name)),
            client_id: own("client.id", format!("connector-consumer-{}-{task}", spec.name)),
            topics: match &sink.topics {
                Topics::List(names) => lockgate_kafka::Topics::List(names.clone()),
                Topics::Regex(pattern) => lockgate_kafka::Topics::Regex(pattern.clone()),
            },
            settings,
            schemas,
        };
        Consumer::subscribe(options).map_err(|e| format!("the consumer could not be made: {e}"))
    }

    fn producer(&self, spec: &ConnectorSpec) -> Result<Producer, String> {
        let settings = clients::producer(&self.worker, spec);
        self.producers.of(settings).map_err(|e| format!("the producer could not be made: {e}"))
    }

    fn dead_letter(
        &self,
        spec: &ConnectorSpec,
        dead: DeadLetterSpec,
        hidden: Arc<Hidden>,
    ) -> Result<DeadLetter<Producer>, String> {
        let replication_factor = dead.replication_factor;
        let creation = TopicCreation { create: true, partitions: 1, replication_factor, config: Vec::new() };
        let scrub = Scrub::new(move |text| hidden.scrub(text).into_owned());
        let letters = DeadLetter::new(self.producer(spec)?, dead.topic.as_str().into(), creation, dead.context_headers);
        Ok(letters.scrubbed(scrub))
    }
}

fn batch_limits(spec: &ConnectorSpec) -> BatchLimits {
    BatchLimits { records_max: spec.batch.records_max, bytes_max: spec.batch.bytes_max }
}

fn tolerance(spec: &ConnectorSpec) -> ErrorPolicy {
    let errors = &spec.errors;
    ErrorPolicy {
        retry_timeout: errors.retry_timeout,
        retry_delay_max: errors.retry_delay_max,
        tolerance: if errors.tolerate_all { Tolerance::All } else { Tolerance::None },
        log_enable: errors.log,
        log_include_messages: errors.log_messages,
    }
}

/// A guest's pen: the log book's, behind the sandbox's trait.
struct GuestPen {
    pen: Pen,
    /// What a guest was told and must not say.
    hidden: Arc<Hidden>,
}

impl GuestLog for GuestPen {
    fn line(&self, level: LogLevel, text: &str) {
        let level = match level {
            LogLevel::Trace => tracing::Level::TRACE,
            LogLevel::Debug => tracing::Level::DEBUG,
            LogLevel::Info => tracing::Level::INFO,
            LogLevel::Warn => tracing::Level::WARN,
            LogLevel::Error => tracing::Level::ERROR,
        };
        self.pen.write(level, &self.hidden.scrub(text));
    }
}
