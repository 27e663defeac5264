//! The far end in Kafka: a topic that is written and read with a client of its own, not the worker's.
//!
//! Enters: records. Leaves: all records of a topic up to its end at that moment, in offset order per partition. Invariant:
//! `write` returns once all in-sync replicas have everything; `read` reads to the end and no further.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::executor::block_on;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Header, Headers, Message, OwnedHeaders};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::wait::{PATIENCE, eventually};

/// One record as a client sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Partition.
    pub partition: i32,
    /// Offset.
    pub offset: i64,
    /// Key bytes.
    pub key: Option<Vec<u8>>,
    /// Value bytes.
    pub value: Option<Vec<u8>>,
    /// Headers in order; null values are empty text.
    pub headers: Vec<(String, String)>,
    /// Milliseconds since the epoch.
    pub timestamp: Option<i64>,
}

impl Record {
    /// The value as text; empty for null.
    pub fn text(&self) -> String {
        self.value.as_deref().map(String::from_utf8_lossy).unwrap_or_default().into_owned()
    }

    /// The key as text; empty for null.
    pub fn key_text(&self) -> String {
        self.key.as_deref().map(String::from_utf8_lossy).unwrap_or_default().into_owned()
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

/// A topic of one broker.
#[derive(Clone)]
pub struct Topic {
    /// Its name.
    pub name: String,
    bootstrap: String,
}

impl Topic {
    /// A topic that may or may not exist.
    pub fn named(bootstrap: &str, name: &str) -> Self {
        Self { name: name.to_owned(), bootstrap: bootstrap.to_owned() }
    }

    /// Creates it.
    #[must_use]
    pub fn create(self, partitions: i32, replication: i32) -> Self {
        let admin: AdminClient<DefaultClientContext> = self.client().create().unwrap();
        let topic = NewTopic::new(&self.name, partitions, TopicReplication::Fixed(replication));
        let options = AdminOptions::new().operation_timeout(Some(PATIENCE)).request_timeout(Some(PATIENCE));
        block_on(admin.create_topics([&topic], &options)).unwrap().remove(0).unwrap();
        eventually("the new topic has leaders", || (self.partitions() == partitions).then_some(()));
        self
    }

    /// True if the broker knows it.
    pub fn exists(&self) -> bool {
        self.partitions() > 0
    }

    /// Number of partitions with a leader; 0 if the topic does not exist.
    pub fn partitions(&self) -> i32 {
        let consumer: BaseConsumer = self.client().set("allow.auto.create.topics", "false").create().unwrap();
        let Ok(metadata) = consumer.fetch_metadata(Some(&self.name), Duration::from_secs(10)) else { return 0 };
        let topic = metadata.topics().iter().find(|t| t.name() == self.name);
        let led = topic.map_or(0, |t| t.partitions().iter().filter(|p| p.leader() >= 0).count());
        i32::try_from(led).unwrap()
    }

    /// Writes values without keys.
    pub fn write<'a>(&self, values: impl IntoIterator<Item = &'a str>) {
        self.write_records(values.into_iter().map(|v| (None, None, Some(v.as_bytes().to_vec()))), &[]);
    }

    /// Writes `(partition, key, value)` records, each with these headers; returns when all are acknowledged.
    pub fn write_records(
        &self,
        records: impl IntoIterator<Item = (Option<i32>, Option<Vec<u8>>, Option<Vec<u8>>)>,
        headers: &[(&str, &str)],
    ) {
        let producer: ThreadedProducer<DefaultProducerContext> =
            self.client().set("enable.idempotence", "true").set("linger.ms", "5").create().unwrap();
        for (partition, key, value) in records {
            let all = headers
                .iter()
                .fold(OwnedHeaders::new(), |all, (key, value)| all.insert(Header { key, value: Some(*value) }));
            let mut record = BaseRecord::<[u8], [u8]>::to(&self.name).headers(all);
            record.key = key.as_deref();
            record.payload = value.as_deref();
            record.partition = partition;
            while let Err((_, back)) = producer.send(record) {
                record = back; // the queue is full
                std::thread::yield_now();
            }
        }
        producer.flush(PATIENCE).unwrap();
        assert_eq!(producer.in_flight_count(), 0);
    }

    /// First and next offset of each partition, by the broker.
    pub fn ends(&self) -> BTreeMap<i32, (i64, i64)> {
        let consumer: BaseConsumer = self.client().create().unwrap();
        let ends = (0..self.partitions()).map(|p| (p, consumer.fetch_watermarks(&self.name, p, PATIENCE).unwrap()));
        ends.collect()
    }

    /// Number of records.
    pub fn count(&self) -> i64 {
        self.ends().values().map(|(first, next)| next - first).sum()
    }

    /// All records up to the end, partition after partition.
    pub fn read(&self) -> Vec<Record> {
        let ends = self.ends();
        let consumer: BaseConsumer = self
            .client()
            .set("group.id", "far-end")
            .set("enable.auto.commit", "false")
            .set("enable.partition.eof", "true")
            .create()
            .unwrap();
        let mut places = TopicPartitionList::new();
        for partition in ends.keys() {
            places.add_partition_offset(&self.name, *partition, Offset::Beginning).unwrap();
        }
        consumer.assign(&places).unwrap();
        let mut open: Vec<i32> = ends.iter().filter(|(_, (first, next))| next > first).map(|(p, _)| *p).collect();
        let mut records = Vec::new();
        let end = std::time::Instant::now() + PATIENCE;
        while !open.is_empty() {
            assert!(std::time::Instant::now() < end, "reading {} to its end: {open:?} left", self.name);
            match consumer.poll(Duration::from_millis(200)) {
                Some(Ok(message)) => {
                    let (partition, next) = (message.partition(), message.offset() + 1);
                    if next <= ends[&partition].1 {
                        records.push(owned(&message));
                    }
                    if next >= ends[&partition].1 {
                        open.retain(|o| *o != partition);
                    }
                }
                Some(Err(rdkafka::error::KafkaError::PartitionEOF(p))) => open.retain(|o| *o != p),
                Some(Err(_)) | None => {}
            }
        }
        records.sort_by_key(|r| (r.partition, r.offset));
        records
    }

    /// Values as text, in order per partition.
    pub fn texts(&self) -> Vec<String> {
        self.read().iter().map(Record::text).collect()
    }

    /// The offsets that a group has committed here, by partition.
    pub fn committed(&self, group: &str) -> BTreeMap<i32, i64> {
        let consumer: BaseConsumer = self.client().set("group.id", group).create().unwrap();
        let mut asked = TopicPartitionList::new();
        asked.add_partition_range(&self.name, 0, self.partitions() - 1);
        let Ok(answer) = consumer.committed_offsets(asked, Duration::from_secs(20)) else { return BTreeMap::new() };
        let known = answer.elements().into_iter().filter_map(|e| Some((e.partition(), e.offset().to_raw()?)));
        known.filter(|(_, offset)| *offset >= 0).collect()
    }

    fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.bootstrap).set("broker.address.family", "v4");
        config
    }
}

fn owned(message: &impl Message) -> Record {
    let headers = message.headers().into_iter().flat_map(|h| (0..h.count()).map(move |i| h.get(i)));
    Record {
        partition: message.partition(),
        offset: message.offset(),
        key: message.key().map(<[u8]>::to_vec),
        value: message.payload().map(<[u8]>::to_vec),
        headers: headers
            .map(|h| (h.key.to_owned(), String::from_utf8_lossy(h.value.unwrap_or_default()).into_owned()))
            .collect(),
        timestamp: message.timestamp().to_millis(),
    }
}
