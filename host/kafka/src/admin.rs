//! Questions and changes to the cluster: its id, topics, their settings.
//!
//! Enters: topic names, how to make them. Leaves: descriptions, typed faults. Invariant: no call blocks a thread of the
//! async runtime, each has a deadline, and asking for a topic never creates it.

mod ends;
mod groups;
mod probe;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lockgate_model::fault::KafkaFault;
use lockgate_model::ports::TopicCreation;
use rdkafka::bindings as sys;
use sys::rd_kafka_resp_err_t as Code;

use crate::fault::{fault, own};
use crate::native::{Conf, Event, Handle, Queue, Topic, c_text, rust_text};
use crate::settings::{ClientKind, Settings, client_settings};
pub use groups::GroupFault;
use probe::Probe;

/// An admin client. Cheap to clone; clones are one client.
#[derive(Clone)]
pub struct Admin {
    handle: Arc<Handle>,
    conf: Arc<[(String, String)]>,
}

/// A topic that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicDescription {
    /// Its name.
    pub name: String,
    /// Number of partitions.
    pub partitions: u32,
    /// Replicas of its first partition.
    pub replication_factor: u32,
}

/// What [`Admin::ensure_topic`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ensured {
    /// It was made just now.
    Created,
    /// It was there.
    Existed,
    /// It is not there, and making it was not asked for.
    Missing,
}

impl Admin {
    /// Each call waits at most this long for the broker.
    pub const CALL_DEADLINE: Duration = Duration::from_secs(30);

    /// Starts a client; it connects by itself.
    ///
    /// # Errors
    /// A setting that the client refuses.
    pub fn new(settings: &Settings) -> Result<Self, KafkaFault> {
        let (mut conf, _) = client_settings(ClientKind::Admin, settings)?;
        // A client of the consumer kind never creates a topic by asking for it.
        conf.push(("allow.auto.create.topics".into(), "false".into()));
        Self::with(conf.into())
    }

    /// A client to ask about one group with. librdkafka 2.12 ends the process where a client without a group of its own is
    /// told that it asked the wrong coordinator, as it is while a coordinator loads.
    fn of_group(&self, group: &str) -> Result<Self, KafkaFault> {
        let own = std::iter::once(("group.id".to_owned(), group.to_owned()));
        Self::with(self.conf.iter().cloned().chain(own).collect())
    }

    fn with(conf: Arc<[(String, String)]>) -> Result<Self, KafkaFault> {
        let handle = Handle::new(sys::rd_kafka_type_t::RD_KAFKA_CONSUMER, Conf::new(&conf)?)?;
        Ok(Self { handle, conf })
    }

    /// The cluster's id.
    pub async fn cluster_id(&self) -> Result<String, KafkaFault> {
        self.blocking(|handle| {
            // SAFETY: the client is alive; the text is ours to free with the client's own function.
            let id = unsafe {
                let raw = sys::rd_kafka_clusterid(handle.raw(), wait_ms(Self::CALL_DEADLINE));
                let id = rust_text(raw);
                if !raw.is_null() {
                    sys::rd_kafka_mem_free(handle.raw(), raw.cast());
                }
                id
            };
            if id.is_empty() { Err(no_broker(Self::CALL_DEADLINE)) } else { Ok(id) }
        })
        .await
    }

    /// Waits until a broker answers, saying so in the log every few seconds.
    ///
    /// # Errors
    /// `no-broker` after `deadline`; what is final (a login that is refused, a certificate that is not trusted) at once.
    pub async fn wait_for_broker(&self, deadline: Duration) -> Result<(), KafkaFault> {
        let end = Instant::now() + deadline;
        let mut said = Instant::now();
        let probe = Arc::new(Probe::new(&self.conf)?);
        loop {
            let trying = Arc::clone(&probe);
            match self.blocking(move |_| trying.ask(Duration::from_secs(2))).await {
                Ok(()) => return Ok(()),
                Err(fault) if !fault.retriable => return Err(fault),
                Err(fault) if Instant::now() >= end => {
                    return Err(KafkaFault {
                        message: format!("{}; last: {}", no_broker(deadline).message, fault.message),
                        ..no_broker(deadline)
                    });
                }
                Err(fault) => {
                    if said.elapsed() >= SAY_EVERY {
                        said = Instant::now();
                        tracing::warn!("still waiting for a Kafka broker (bootstrap.servers): {}", fault.message);
                    }
                    tokio::time::sleep(Duration::from_millis(250)).await;
                }
            }
        }
    }

    /// A topic, `None` if there is none of that name.
    pub async fn describe(&self, topic: &str) -> Result<Option<TopicDescription>, KafkaFault> {
        let name = topic.to_owned();
        self.blocking(move |handle| metadata(handle, Some(&name), Self::CALL_DEADLINE)).await
    }

    /// The settings of a topic.
    pub async fn topic_config(&self, topic: &str) -> Result<BTreeMap<String, String>, KafkaFault> {
        let name = c_text(topic)?;
        self.blocking(move |handle| {
            let queue = Queue::new(handle);
            // SAFETY: everything given lives through the call, which copies it; the resource is ours to destroy.
            unsafe {
                let kind = sys::rd_kafka_ResourceType_t::RD_KAFKA_RESOURCE_TOPIC;
                let mut resource = sys::rd_kafka_ConfigResource_new(kind, name.as_ptr());
                sys::rd_kafka_DescribeConfigs(handle.raw(), &raw mut resource, 1, std::ptr::null(), queue.raw());
                sys::rd_kafka_ConfigResource_destroy(resource);
            }
            let event = answer(&queue)?;
            read_config(&event)
        })
        .await
    }

    /// Makes a topic. False if it was there already, also if somebody else was faster.
    pub async fn create_topic(&self, topic: &str, creation: &TopicCreation) -> Result<bool, KafkaFault> {
        let (name, creation) = (topic.to_owned(), creation.clone());
        self.blocking(move |handle| create(handle, &name, &creation)).await
    }

    /// Makes sure that a topic exists, if `creation` says so (KIP-158: created only if missing).
    pub async fn ensure_topic(&self, topic: &str, creation: &TopicCreation) -> Result<Ensured, KafkaFault> {
        if self.describe(topic).await?.is_some() {
            return Ok(Ensured::Existed);
        }
        if !creation.create {
            return Ok(Ensured::Missing);
        }
        let created = self.create_topic(topic, creation).await?;
        Ok(if created { Ensured::Created } else { Ensured::Existed })
    }

    async fn blocking<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Arc<Handle>) -> Result<T, KafkaFault> + Send + 'static,
    ) -> Result<T, KafkaFault> {
        let handle = Arc::clone(&self.handle);
        tokio::task::spawn_blocking(move || call(&handle))
            .await
            .unwrap_or_else(|panic| Err(own(false, "client", panic.to_string())))
    }
}

/// How often waiting for a broker is said.
const SAY_EVERY: Duration = Duration::from_secs(5);

fn create(handle: &Arc<Handle>, topic: &str, creation: &TopicCreation) -> Result<bool, KafkaFault> {
    let name = c_text(topic)?;
    let queue = Queue::new(handle);
    let mut why = [0; 512];
    let replicas = i32::from(creation.replication_factor);
    // SAFETY: everything given lives through the calls, which copy it; the new topic is ours to destroy.
    unsafe {
        let mut new =
            sys::rd_kafka_NewTopic_new(name.as_ptr(), creation.partitions, replicas, why.as_mut_ptr(), why.len());
        if new.is_null() {
            return Err(own(false, "invalid-topic", format!("{topic}: {}", rust_text(why.as_ptr()))));
        }
        for (key, value) in &creation.config {
            let (key, value) = (c_text(key)?, c_text(value)?);
            sys::rd_kafka_NewTopic_set_config(new, key.as_ptr(), value.as_ptr());
        }
        sys::rd_kafka_CreateTopics(handle.raw(), &raw mut new, 1, std::ptr::null(), queue.raw());
        sys::rd_kafka_NewTopic_destroy(new);
    }
    let event = answer(&queue)?;
    // SAFETY: the result and its topics live as long as the event.
    let (code, text) = unsafe {
        let result = sys::rd_kafka_event_CreateTopics_result(event.raw());
        let mut count = 0;
        let topics = sys::rd_kafka_CreateTopics_result_topics(result, &raw mut count);
        if count == 0 {
            return Err(own(true, "no-answer", format!("the broker did not say what became of topic {topic}")));
        }
        (sys::rd_kafka_topic_result_error(*topics), rust_text(sys::rd_kafka_topic_result_error_string(*topics)))
    };
    match code {
        Code::RD_KAFKA_RESP_ERR_NO_ERROR => Ok(true),
        Code::RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS => Ok(false),
        code => Err(fault(code, Some(format!("topic {topic} cannot be created: {text}")))),
    }
}

fn answer(queue: &Queue) -> Result<Event, KafkaFault> {
    let event = queue.event(wait_ms(Admin::CALL_DEADLINE)).ok_or_else(|| no_broker(Admin::CALL_DEADLINE))?;
    if event.code() == Code::RD_KAFKA_RESP_ERR_NO_ERROR { Ok(event) } else { Err(event.fault()) }
}

fn read_config(event: &Event) -> Result<BTreeMap<String, String>, KafkaFault> {
    // SAFETY: the result, its resources and entries live as long as the event.
    unsafe {
        let result = sys::rd_kafka_event_DescribeConfigs_result(event.raw());
        let mut count = 0;
        let resources = sys::rd_kafka_DescribeConfigs_result_resources(result, &raw mut count);
        if count == 0 {
            return Err(own(true, "no-answer", "the broker did not describe the topic"));
        }
        let code = sys::rd_kafka_ConfigResource_error(*resources);
        if code != Code::RD_KAFKA_RESP_ERR_NO_ERROR {
            return Err(fault(code, Some(rust_text(sys::rd_kafka_ConfigResource_error_string(*resources)))));
        }
        let entries = sys::rd_kafka_ConfigResource_configs(*resources, &raw mut count);
        Ok((0..count)
            .map(|index| {
                let entry = *entries.add(index);
                let name = rust_text(sys::rd_kafka_ConfigEntry_name(entry));
                (name, rust_text(sys::rd_kafka_ConfigEntry_value(entry)))
            })
            .collect())
    }
}

/// One topic, or only whether a broker answers.
fn metadata(handle: &Arc<Handle>, topic: Option<&str>, wait: Duration) -> Result<Option<TopicDescription>, KafkaFault> {
    let opened = topic.map(|name| Topic::new(handle, name)).transpose()?;
    let only = opened.as_ref().map_or(std::ptr::null_mut(), Topic::raw);
    let mut answer = std::ptr::null();
    // SAFETY: client and topic are alive; a successful answer is ours to destroy.
    unsafe {
        let code = sys::rd_kafka_metadata(handle.raw(), 0, only, &raw mut answer, wait_ms(wait));
        if code != Code::RD_KAFKA_RESP_ERR_NO_ERROR {
            return Err(fault(code, None));
        }
        let found = match (topic, (*answer).topic_cnt) {
            (Some(name), 1..) => describe_one(name, &*(*answer).topics),
            _ => Ok(None),
        };
        sys::rd_kafka_metadata_destroy(answer);
        found
    }
}

/// # Safety
/// `topic` is part of a metadata answer that is alive.
unsafe fn describe_one(
    name: &str,
    topic: &sys::rd_kafka_metadata_topic,
) -> Result<Option<TopicDescription>, KafkaFault> {
    match topic.err {
        Code::RD_KAFKA_RESP_ERR_NO_ERROR | Code::RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE => {
            let partitions = u32::try_from(topic.partition_cnt).unwrap_or(0);
            // SAFETY: there are `partition_cnt` partitions.
            let first = (partitions > 0).then(|| unsafe { (*topic.partitions).replica_cnt });
            let replication_factor = first.and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
            Ok(Some(TopicDescription { name: name.to_owned(), partitions, replication_factor }))
        }
        Code::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART | Code::RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC => Ok(None),
        code => Err(fault(code, None)),
    }
}

fn wait_ms(wait: Duration) -> i32 {
    i32::try_from(wait.as_millis()).unwrap_or(i32::MAX)
}

fn no_broker(waited: Duration) -> KafkaFault {
    own(true, "no-broker", format!("no Kafka broker answered within {waited:?}: check bootstrap.servers"))
}
