//! Measures this crate against the bare client: CPU seconds of the process per million records, records per second, memory.
//!
//! Enters: `measure (fill|raw|fetch|produce|idle) BOOTSTRAP TOPIC COUNT [SIZE]`. Leaves: one line of figures. One measurement a process,
//! because CPU is counted for the whole process.
#![allow(unsafe_code, clippy::unwrap_used, clippy::cast_precision_loss, missing_docs)]

use std::ffi::CString;
use std::ptr;
use std::time::{Duration, Instant};

use lockgate_kafka::{Consumer, ConsumerOptions, Producer, Settings, Topics};
use lockgate_model::batch::{Batch, Row, Span};
use lockgate_model::ports::{BatchLimits, Fetch, Fetched, Produce};
use lockgate_model::schemas::Schemas;
use rdkafka::bindings as sys;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, what, bootstrap, topic, count, rest @ ..] = arguments.as_slice() else {
        panic!("measure (fill|raw|fetch|produce|idle) BOOTSTRAP TOPIC COUNT [SIZE]")
    };
    let count: usize = count.parse().unwrap();
    let size: usize = rest.first().map_or(100, |s| s.parse().unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (cpu, begun) = (cpu_s(), Instant::now());
    match what.as_str() {
        "raw" => raw(bootstrap, topic, count),
        "fetch" => runtime.block_on(fetch(bootstrap, topic, count)),
        "fill" | "produce" => runtime.block_on(produce(bootstrap, topic, count, size)),
        "idle" => runtime.block_on(idle(bootstrap, topic, count)),
        other => panic!("{other}?"),
    }
    let (cpu, wall) = (cpu_s() - cpu, begun.elapsed().as_secs_f64());
    let millions = count as f64 / 1e6;
    println!("{what} {count}: {:.2} CPU s/M, {:.0} records/s, {}", cpu / millions, count as f64 / wall, memory());
}

fn cpu_s() -> f64 {
    // SAFETY: the structure is plain memory, filled by the call.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &raw mut usage);
        usage
    };
    let seconds = |t: libc::timeval| t.tv_sec as f64 + t.tv_usec as f64 / 1e6;
    seconds(usage.ru_utime) + seconds(usage.ru_stime)
}

fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let of =
        |key: &str| status.lines().find(|l| l.starts_with(key)).unwrap_or_default().replace(char::is_whitespace, "");
    format!("{} {} {}", of("VmRSS"), of("VmHWM"), of("Threads"))
}

fn settings(bootstrap: &str) -> Settings {
    Settings::from([("bootstrap.servers".to_owned(), bootstrap.to_owned())])
}

fn consumer(bootstrap: &str, topic: &str) -> Consumer {
    Consumer::subscribe(ConsumerOptions {
        settings: settings(bootstrap),
        group_id: format!("measure-{}-{:?}", std::process::id(), Instant::now()),
        client_id: "measure".into(),
        topics: Topics::List(vec![topic.to_owned()]),
        schemas: Schemas::default(),
    })
    .unwrap()
}

async fn fetch(bootstrap: &str, topic: &str, count: usize) {
    let mut consumer = consumer(bootstrap, topic);
    let (mut batch, mut read, mut bytes) = (Batch::default(), 0, 0);
    while read < count {
        batch.clear();
        match consumer.next(&mut batch, BatchLimits::default()).await.unwrap() {
            Fetched::Records(rows) => {
                read += rows;
                bytes += batch.data.len();
            }
            Fetched::Assigned(at) => consumer.start(&at).unwrap(),
            other => println!("{other:?}"),
        }
    }
    assert!(bytes > 0);
}

/// The bare loop: the client's batch call, messages destroyed unread.
fn raw(bootstrap: &str, topic: &str, count: usize) {
    let group = format!("raw-{}", std::process::id());
    // SAFETY: the calls as their documentation wants them; everything lives to the end of the process.
    unsafe {
        let conf = sys::rd_kafka_conf_new();
        for (key, value) in [
            ("bootstrap.servers", bootstrap),
            ("group.id", group.as_str()),
            ("auto.offset.reset", "earliest"),
            ("enable.auto.commit", "false"),
        ] {
            let (key, value) = (CString::new(key).unwrap(), CString::new(value).unwrap());
            sys::rd_kafka_conf_set(conf, key.as_ptr(), value.as_ptr(), ptr::null_mut(), 0);
        }
        let rk = sys::rd_kafka_new(sys::rd_kafka_type_t::RD_KAFKA_CONSUMER, conf, ptr::null_mut(), 0);
        sys::rd_kafka_poll_set_consumer(rk);
        let list = sys::rd_kafka_topic_partition_list_new(1);
        let name = CString::new(topic).unwrap();
        sys::rd_kafka_topic_partition_list_add(list, name.as_ptr(), -1);
        sys::rd_kafka_subscribe(rk, list);
        let queue = sys::rd_kafka_queue_get_consumer(rk);
        let mut messages = [ptr::null_mut(); 500];
        let mut read = 0;
        while read < count {
            let taken = sys::rd_kafka_consume_batch_queue(queue, 100, messages.as_mut_ptr(), messages.len());
            for message in &messages[..usize::try_from(taken).unwrap_or(0)] {
                sys::rd_kafka_message_destroy(*message);
                read += 1;
            }
        }
    }
}

async fn produce(bootstrap: &str, topic: &str, count: usize, size: usize) {
    let producer = Producer::new(&settings(bootstrap)).unwrap();
    let mut batch = Batch::default();
    let topic = batch.topic_index(&topic.into());
    let value = vec![b'x'; size];
    for index in 0..500 {
        let value = batch.push_bytes(Some(&value));
        batch.rows.push(Row {
            offset: -1,
            timestamp: -1,
            partition: Row::ANY_PARTITION,
            topic,
            key: Span::NULL,
            value,
            header_first: 0,
            header_count: 0,
            source_row: index,
            flags: 0,
            key_schema: 0,
            value_schema: 0,
        });
    }
    let mut receipts = std::collections::VecDeque::new();
    for _ in 0..count / 500 {
        receipts.push_back(producer.produce(&batch).await.unwrap());
        if receipts.len() > 100 {
            let receipt: lockgate_model::ports::Receipt = receipts.pop_front().unwrap().await;
            assert!(receipt.failed.is_empty(), "{:?}", receipt.failed.first());
        }
    }
    for receipt in receipts {
        assert!(receipt.await.failed.is_empty());
    }
}

/// Many idle consumers, each in its own group: what one more costs.
async fn idle(bootstrap: &str, topic: &str, count: usize) {
    println!("before: {}", memory());
    let mut consumers: Vec<Consumer> = Vec::new();
    for number in 0..count {
        let mut one = consumer(bootstrap, topic);
        let mut batch = Batch::default();
        loop {
            if let Fetched::Assigned(mut at) = one.next(&mut batch, BatchLimits::default()).await.unwrap() {
                for place in &mut at {
                    place.next_offset = -1;
                }
                one.start(&at).unwrap();
                break;
            }
        }
        consumers.push(one);
        if number == 0 {
            println!("one: {}", memory());
        }
    }
    let cpu = cpu_s();
    tokio::time::sleep(Duration::from_secs(10)).await;
    println!("{count}: {}, idle CPU {:.2} % of a core", memory(), (cpu_s() - cpu) * 10.0);
}
