//! The raw loops: the least that a client can do with the same library, the same broker and the same topic.
//!
//! Enters: a topic and a number of records. Leaves: one line of JSON with seconds, CPU seconds and peak memory of this process.
//! Invariant: run in a process of its own (`lockgate-bench __raw ...`), so that its CPU is counted as the worker's is.
#![allow(unsafe_code)] // the batch call of the consumer queue has no safe wrapper

use std::time::{Duration, Instant};

use rdkafka::bindings as c;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use serde_json::{Value, json};

use crate::process::Usage;

/// Messages taken from the queue at once; the worker's batches have the same bound.
const BATCH: usize = 500;

/// `__raw consume <bootstrap> <topic> <partitions> <count>`: takes the records and looks at their lengths.
pub fn consume(bootstrap: &str, topic: &str, partitions: i32, count: u64) -> Value {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", bootstrap)
        .set("broker.address.family", "v4")
        .set("group.id", "raw-loop")
        .set("enable.auto.commit", "false")
        .create()
        .expect("a consumer");
    let mut places = TopicPartitionList::new();
    for partition in 0..partitions {
        places.add_partition_offset(topic, partition, Offset::Beginning).expect("a partition");
    }
    let before = Usage::of_this_process();
    consumer.assign(&places).expect("assigned");
    // SAFETY: the client outlives the queue, which is destroyed below.
    let queue = unsafe { c::rd_kafka_queue_get_consumer(consumer.client().native_ptr()) };
    let mut first = None;
    let (mut records, mut bytes) = (0_u64, 0_u64);
    let mut messages = [std::ptr::null_mut::<c::rd_kafka_message_t>(); BATCH];
    while records < count {
        // SAFETY: `messages` has room for BATCH pointers, of which the call fills the first n.
        let n = unsafe { c::rd_kafka_consume_batch_queue(queue, 1000, messages.as_mut_ptr(), BATCH) };
        first = first.or_else(|| (n > 0).then(Instant::now));
        for message in &messages[..usize::try_from(n).unwrap_or(0)] {
            // SAFETY: each of the first n pointers is a message that is ours until destroyed here, once.
            unsafe {
                if (**message).err == c::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
                    records += 1;
                    bytes += (**message).len as u64;
                }
                c::rd_kafka_message_destroy(*message);
            }
        }
    }
    let seconds = first.map_or(Duration::ZERO, |first| first.elapsed());
    let used = Usage::of_this_process();
    // SAFETY: destroyed once, before the client.
    unsafe { c::rd_kafka_queue_destroy(queue) };
    report(records, bytes, seconds, &before, &used)
}

/// `__raw produce <bootstrap> <topic> <count> <bytes> <linger ms> <batch bytes>`: acks=all, idempotent, every report served.
pub fn produce(bootstrap: &str, topic: &str, count: u64, size: usize, linger_ms: &str, batch_bytes: &str) -> Value {
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", bootstrap)
        .set("broker.address.family", "v4")
        .set("acks", "all")
        .set("enable.idempotence", "true")
        .set("linger.ms", linger_ms)
        .set("batch.size", batch_bytes)
        .create()
        .expect("a producer");
    let value = payload(size);
    let before = Usage::of_this_process();
    let began = Instant::now();
    for sent in 0..count {
        let mut record = BaseRecord::<[u8], [u8]>::to(topic).payload(&value);
        while let Err((_, back)) = producer.send(record) {
            record = back; // the queue is full: serve reports until there is room
            producer.poll(Duration::from_millis(5));
        }
        if sent % BATCH as u64 == 0 {
            producer.poll(Duration::ZERO);
        }
    }
    while producer.in_flight_count() > 0 {
        producer.poll(Duration::from_millis(5));
    }
    let seconds = began.elapsed();
    report(count, count * size as u64, seconds, &before, &Usage::of_this_process())
}

/// `__raw idle <bootstrap> <topic> <clients>`: subscribed consumers that get nothing, for their memory.
pub fn idle(bootstrap: &str, topic: &str, clients: usize) -> Value {
    let before = Usage::of_this_process();
    let began = Instant::now();
    let consumers: Vec<BaseConsumer> = (0..clients)
        .map(|at| {
            let consumer: BaseConsumer = ClientConfig::new()
                .set("bootstrap.servers", bootstrap)
                .set("broker.address.family", "v4")
                .set("group.id", format!("raw-idle-{}-{at}", std::process::id()))
                .create()
                .expect("a consumer");
            consumer.subscribe(&[topic]).expect("subscribed");
            consumer
        })
        .collect();
    while consumers.iter().any(|c| c.assignment().is_ok_and(|a| a.count() == 0)) {
        consumers.iter().for_each(|c| drop(c.poll(Duration::from_millis(1))));
    }
    report(0, 0, began.elapsed(), &before, &Usage::of_this_process())
}

/// Bytes that do not compress to nothing.
pub fn payload(size: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let step = |state: &mut u64| {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        b'a' + u8::try_from(*state % 26).unwrap_or(0)
    };
    (0..size).map(|_| step(&mut state)).collect()
}

fn report(records: u64, bytes: u64, took: Duration, before: &Usage, after: &Usage) -> Value {
    json!({
        "records": records,
        "bytes": bytes,
        "seconds": took.as_secs_f64(),
        "cpu_seconds": after.cpu_seconds - before.cpu_seconds,
        "rss_mib": after.rss_mib,
        "peak_rss_mib": after.peak_rss_mib,
    })
}
