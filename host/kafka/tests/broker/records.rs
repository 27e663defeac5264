//! Records on their way: what is written comes back, in order, whatever happens to the broker.
//!
//! Enters: batches. Leaves: what a consumer read. Invariant: order of each partition, no loss.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use lockgate_kafka::{Admin, Producer, Topics};
use lockgate_model::batch::{Batch, HeaderRow, Row, Span};
use lockgate_model::place::{PartitionOffset, TopicPartition};
use lockgate_model::ports::{BatchLimits, Fetch, Fetched, Produce};

use crate::support::{Broker, Reader, bootstrap, check_order, fresh, produce, row, runtime, settings, topic};

#[test]
fn every_record_comes_back_in_order_under_every_codec() {
    runtime().block_on(async {
        for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
            let topic = topic(bootstrap(), codec, 3).await;
            let producer = Producer::new(&settings(bootstrap(), &[("compression.type", codec)])).unwrap();
            produce(&producer, &topic, 3, 0..40_000, 100).await;
            let mut reader = Reader::new(bootstrap(), &fresh("g"), Topics::List(vec![topic]), &[]);
            reader.until(|r| r.read.len() >= 40_000).await;
            check_order(&reader.read);
            assert_eq!(reader.read.iter().map(|r| r.2).collect::<HashSet<_>>().len(), 40_000, "{codec}");
            assert!(reader.consumer.lag().is_some());
            reader.close().await;
        }
    });
}

#[test]
fn nulls_empty_values_headers_keys_and_timestamps_come_back_as_they_went() {
    runtime().block_on(async {
        let topic = topic(bootstrap(), "shape", 1).await;
        let producer = Producer::new(&settings(bootstrap(), &[])).unwrap();
        let mut batch = Batch::default();
        row(&mut batch, &topic, 0, None);
        row(&mut batch, &topic, 0, Some(b""));
        row(&mut batch, &topic, Row::ANY_PARTITION, Some(b"v"));
        let key = batch.push_bytes(Some(b"k"));
        let (name, value) = (batch.push_bytes(Some(b"h1")), batch.push_bytes(Some(b"\x00x")));
        batch.headers.push(HeaderRow { name_offset: name.offset, name_len: 2, schema: 0, value });
        batch.headers.push(HeaderRow { name_offset: name.offset, name_len: 1, schema: 0, value: Span::NULL });
        let last = &mut batch.rows[2];
        (last.key, last.timestamp, last.header_first, last.header_count) = (key, 1_234_567_890_123, 0, 2);
        let receipt = producer.produce(&batch).await.unwrap().await;
        assert_eq!(receipt.failed, vec![]);

        let mut consumer = Reader::new(bootstrap(), &fresh("g"), Topics::Regex(format!("{topic}|\\d+x")), &[]).consumer;
        let mut read = Batch::default();
        while read.rows.len() < 3 {
            if let Fetched::Assigned(at) = consumer.next(&mut read, BatchLimits::default()).await.unwrap() {
                consumer.start(&at).unwrap();
            }
        }
        read.check().unwrap();
        assert_eq!(read.bytes(read.rows[0].value), None);
        assert_eq!(read.bytes(read.rows[1].value), Some(&b""[..]));
        assert_eq!(read.bytes(read.rows[1].key), None);
        let row = read.rows[2];
        assert_eq!((read.bytes(row.key), row.timestamp, row.offset), (Some(&b"k"[..]), 1_234_567_890_123, 2));
        let headers: Vec<_> =
            read.headers_of(&row).iter().map(|h| (read.header_name(h), read.bytes(h.value))).collect();
        assert_eq!(headers, [(&b"h1"[..], Some(&b"\x00x"[..])), (b"h", None)]);
        consumer.close().await;
    });
}

#[test]
fn a_record_that_is_too_large_fails_alone_and_for_good() {
    runtime().block_on(async {
        let topic = topic(bootstrap(), "large", 1).await;
        let producer = Producer::new(&settings(bootstrap(), &[])).unwrap();
        let mut batch = Batch::default();
        row(&mut batch, &topic, 0, Some(b"small"));
        row(&mut batch, &topic, 0, Some(&vec![b'x'; 2_000_000]));
        row(&mut batch, &topic, 0, Some(b"small"));
        let failed = producer.produce(&batch).await.unwrap().await.failed;
        assert_eq!(failed.len(), 1);
        let (row, fault) = &failed[0];
        assert_eq!((*row, fault.code.as_str(), fault.retriable), (1, "msg-size-too-large", false));
    });
}

#[test]
fn bounds_of_a_batch_hold_and_nothing_is_lost_between_calls() {
    runtime().block_on(async {
        let topic = topic(bootstrap(), "bounds", 1).await;
        let producer = Producer::new(&settings(bootstrap(), &[])).unwrap();
        produce(&producer, &topic, 1, 0..1_000, 1_000).await;
        let mut reader = Reader::new(bootstrap(), &fresh("g"), Topics::List(vec![topic]), &[]);
        reader.until(|r| !r.assigned.is_empty()).await;
        let limits = BatchLimits { records_max: 50, bytes_max: 10_500 };
        let mut offsets = Vec::new();
        while offsets.len() < 1_000 {
            let mut batch = Batch::default();
            if let Fetched::Records(rows) = reader.consumer.next(&mut batch, limits).await.unwrap() {
                assert!(rows == batch.rows.len() && rows <= 10 && batch.data.len() <= 10_500);
                offsets.extend(batch.rows.iter().map(|r| r.offset));
            }
        }
        assert_eq!(offsets, (0..1_000).collect::<Vec<_>>());
        reader.close().await;
    });
}

#[test]
fn seeking_back_drops_what_was_at_hand() {
    runtime().block_on(async {
        let topic = topic(bootstrap(), "seek", 1).await;
        let producer = Producer::new(&settings(bootstrap(), &[])).unwrap();
        produce(&producer, &topic, 1, 0..10_000, 100).await;
        let mut reader = Reader::new(bootstrap(), &fresh("g"), Topics::List(vec![topic.clone()]), &[]);
        let place = TopicPartition { topic: topic.as_str().into(), partition: 0 };
        reader.until(|r| !r.read.is_empty()).await;
        for (to, expected) in [(7_000, 7_000), (10, 10), (9_999, 9_999), (-1, 0)] {
            // A small bound leaves messages in the consumer's hands.
            let limits = BatchLimits { records_max: 500, bytes_max: 1_000 };
            reader.batch.clear();
            let _ =
                tokio::time::timeout(Duration::from_millis(200), reader.consumer.next(&mut reader.batch, limits)).await;
            reader.consumer.seek(&[PartitionOffset { place: place.clone(), next_offset: to }]).unwrap();
            reader.batch.clear();
            while reader.batch.is_empty() {
                reader.consumer.next(&mut reader.batch, limits).await.unwrap();
            }
            assert_eq!(reader.batch.rows[0].offset, expected);
        }
        reader.close().await;
    });
}

#[test]
fn a_new_consumer_resumes_at_what_was_committed() {
    runtime().block_on(async {
        let topic = topic(bootstrap(), "resume", 2).await;
        let group = fresh("connect-a");
        let producer = Producer::new(&settings(bootstrap(), &[])).unwrap();
        produce(&producer, &topic, 2, 0..1_000, 100).await;
        let mut first = Reader::new(bootstrap(), &group, Topics::List(vec![topic.clone()]), &[]);
        first.until(|r| r.read.len() >= 1_000).await;
        first.commit().await.unwrap();
        assert_eq!(first.consumer.lag(), Some(0));
        first.close().await;
        produce(&producer, &topic, 2, 1_000..1_100, 100).await;
        let mut second = Reader::new(bootstrap(), &group, Topics::List(vec![topic]), &[]);
        let assigned = second.step().await.unwrap();
        let Fetched::Assigned(offsets) = assigned else { panic!("{assigned:?}") };
        assert!(offsets.iter().all(|o| o.next_offset == 500), "{offsets:?}");
        second.until(|r| r.read.len() >= 100).await;
        assert!(second.read.iter().all(|(_, _, number)| *number >= 1_000));
        second.consumer.pause().unwrap();
        produce(&producer, &topic_of(&second), 2, 1_100..1_200, 100).await;
        let paused = tokio::time::timeout(Duration::from_millis(500), second.step()).await;
        assert!(paused.is_err(), "{paused:?}");
        second.consumer.resume().unwrap();
        second.until(|r| r.read.len() >= 200).await;
        second.close().await;
    });
}

fn topic_of(reader: &Reader) -> Arc<str> {
    Arc::clone(&reader.assigned[0].topic)
}

#[test]
fn a_broker_away_for_a_while_loses_nothing_and_ends_nothing() {
    let broker = Arc::new(Broker::start());
    runtime().block_on(async {
        let address = broker.bootstrap.clone();
        let topic = topic(&address, "away", 2).await;
        let producer = Producer::new(&settings(&address, &[])).unwrap();
        let mut reader = Reader::new(&address, &fresh("g"), Topics::List(vec![topic.clone()]), &[]);
        produce(&producer, &topic, 2, 0..1_000, 100).await;
        reader.until(|r| r.read.len() >= 1_000).await;
        reader.commit().await.unwrap();
        let owner = Arc::clone(&broker);
        // Nothing of what follows can be written before the broker is back.
        broker.stop();
        let outage = tokio::task::spawn_blocking(move || {
            // The length of the outage is what is tested.
            std::thread::sleep(Duration::from_secs(20));
            owner.start_again();
        });
        let writing = tokio::spawn(async move {
            produce(&producer, &topic, 2, 1_000..20_000, 100).await;
        });
        let all = async {
            while reader.read.len() < 20_000 {
                reader.step().await.unwrap();
            }
        };
        tokio::time::timeout(Duration::from_secs(90), all).await.unwrap();
        writing.await.unwrap();
        outage.await.unwrap();
        check_order(&reader.read);
        assert_eq!(reader.read.iter().map(|r| r.2).collect::<HashSet<_>>().len(), 20_000);
        assert!((1..=30).contains(&reader.trouble), "{}", reader.trouble);
        reader.commit().await.unwrap();
        reader.close().await;
    });
}

#[test]
fn nobody_at_the_address_is_an_error_with_a_deadline_and_a_hint() {
    runtime().block_on(async {
        let admin = Admin::new(&settings("127.0.0.1:9", &[])).unwrap();
        let fault = admin.wait_for_broker(Duration::from_millis(500)).await.unwrap_err();
        assert!(fault.retriable);
        assert!(fault.message.contains("bootstrap.servers"), "{}", fault.message);
    });
}
