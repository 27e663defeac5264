//! The Kafka side against a real broker: what cannot be believed from anything less.
//!
//! Enters: a broker (see `support`). Leaves: proof of order, no loss, the rebalance walk, Connect's bytes. Invariant: no
//! test passes without a broker; none skips.
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::HashSet;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use lockgate_kafka::partitioner::partition;
use lockgate_kafka::{
    Admin, CompactedLog, ConfigEvent, ConfigLog, LogError, LogOptions, OffsetLog, Producer, Status, StatusKey,
    StatusLog, TargetState, Topics,
};
use lockgate_model::batch::{Batch, HeaderRow, Row, Span};
use lockgate_model::place::{PartitionOffset, Position, TopicPartition};
use lockgate_model::ports::{BatchLimits, Fetch, Fetched, OffsetStore, Produce, TopicCreation};
use support::{Broker, Reader, bootstrap, check_order, fresh, produce, row, runtime, settings, topic};

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

fn check_rebalance(assignor: &str, expected: &[&str]) {
    runtime().block_on(async {
        let topic = topic(bootstrap(), "rebalance", 4).await;
        let group = fresh("g");
        let producer = Producer::new(&settings(bootstrap(), &[])).unwrap();
        let more = [("partition.assignment.strategy", assignor), ("heartbeat.interval.ms", "300")];
        produce(&producer, &topic, 4, 0..1_000, 100).await;
        let list = || Topics::List(vec![topic.clone()]);
        let mut first = Reader::new(bootstrap(), &group, list(), &more);
        first.until(|r| r.read.len() >= 1_000).await;
        let mut second = Reader::new(bootstrap(), &group, list(), &more);
        let both = async {
            loop {
                tokio::select! {
                    event = first.step() => drop(event.unwrap()),
                    event = second.step() => drop(event.unwrap()),
                }
                if first.assigned.len() == 2 && second.assigned.len() == 2 {
                    return;
                }
            }
        };
        tokio::time::timeout(Duration::from_mins(1), both).await.unwrap();
        assert_eq!(first.walk, expected, "{assignor}");
        produce(&producer, &topic, 4, 1_000..2_000, 100).await;
        first.until(|r| r.read.len() >= 1_500).await;
        second.until(|r| r.read.len() >= 500).await;
        // What the first had settled was committed while it was revoked, so the second sees none of it again.
        assert!(second.read.iter().all(|(_, _, number)| *number >= 1_000));
        check_order(&second.read);
        second.commit().await.unwrap();
        second.close().await;
        first.until(|r| r.assigned.len() == 4).await;
        produce(&producer, &topic, 4, 2_000..3_000, 100).await;
        first.until(|r| r.read.len() >= 2_500).await;
        assert_eq!(first.read.len(), 2_500);
        first.close().await;
    });
}

#[test]
fn a_cooperative_rebalance_moves_only_what_moves() {
    check_rebalance("org.apache.kafka.clients.consumer.CooperativeStickyAssignor", &["assigned 4", "revoked 2"]);
}

#[test]
fn an_eager_rebalance_gives_up_everything_and_begins_at_what_was_committed() {
    check_rebalance("range", &["assigned 4", "revoked 4", "assigned 2"]);
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

fn log(topic: &str, partitions: i32) -> LogOptions {
    LogOptions {
        settings: settings(bootstrap(), &[]),
        topic: topic.to_owned(),
        partitions,
        replication_factor: 1,
        config: Vec::new(),
        single_partition: false,
        producer: None,
        admin: None,
    }
}

#[test]
fn positions_are_stored_with_connects_bytes_on_javas_partition() {
    runtime().block_on(async {
        let name = fresh("connect-offsets");
        let offsets = OffsetLog::open(log(&name, 25)).await.unwrap();
        let position = |p: &str, o: Option<&str>| Position { partition: p.into(), offset: o.map(Into::into) };
        let first = [
            position(r#"{"filename":"/data/in.txt"}"#, Some(r#"{"position":341}"#)),
            position(r#"{"table": "b", "a": 1}"#, Some(r#"{"id":7}"#)),
        ];
        offsets.store("src", &first).await.unwrap();
        offsets.store("other", &[position("{}", Some("{}"))]).await.unwrap();
        let loaded = offsets.load("src").await.unwrap();
        assert_eq!(loaded.len(), 2);
        assert!(loaded.contains(&first[0]));
        offsets.store("src", &[position(r#"{"table":"b","a":1}"#, None)]).await.unwrap();
        let again = OffsetLog::open(log(&name, 25)).await.unwrap();
        assert_eq!(again.load("src").await.unwrap(), [first[0].clone()]);
        assert_eq!(again.load("nobody").await.unwrap(), []);

        let out = Command::new("kcat")
            .args(["-C", "-b", bootstrap(), "-t", &name, "-e", "-q", "-Z", "-f", "%p|%k|%s\n"])
            .output()
            .unwrap();
        let lines: HashSet<String> = String::from_utf8(out.stdout).unwrap().lines().map(ToOwned::to_owned).collect();
        for (key, value) in [
            (r#"["src",{"filename":"/data/in.txt"}]"#, r#"{"position":341}"#),
            (r#"["src",{"table":"b","a":1}]"#, r#"{"id":7}"#),
            (r#"["src",{"table":"b","a":1}]"#, "NULL"),
            (r#"["other",{}]"#, "{}"),
        ] {
            let line = format!("{}|{key}|{value}", partition(key.as_bytes(), 25));
            assert!(lines.contains(&line), "{line} not in {lines:?}");
        }
    });
}

#[test]
fn configs_written_by_one_worker_are_the_state_of_another() {
    runtime().block_on(async {
        let name = fresh("connect-configs");
        let mut one = ConfigLog::open(log(&name, -1)).await.unwrap();
        let mut two = ConfigLog::open(log(&name, -1)).await.unwrap();
        let config: IndexMap<String, Option<String>> = IndexMap::from([("name".to_owned(), Some("a".to_owned()))]);
        let writer = one.writer();
        writer.put_connector("a", &config, Some(TargetState::Paused)).await.unwrap();
        writer.put_tasks("a", &[config.clone(), config.clone()]).await.unwrap();
        one.refresh().await.unwrap();
        assert_eq!(one.state().connectors["a"].tasks.configs.len(), 2);
        assert_eq!(one.state().connectors["a"].target, TargetState::Paused);
        let events = [two.next().await.unwrap(), two.next().await.unwrap()];
        assert_eq!(events, [ConfigEvent::Connector("a".into()), ConfigEvent::Tasks("a".into())]);
        assert_eq!(one.state(), two.state());
        writer.delete_connector("a").await.unwrap();
        assert_eq!(two.next().await.unwrap(), ConfigEvent::Removed("a".into()));
        let three = ConfigLog::open(log(&name, -1)).await.unwrap();
        assert!(three.state().connectors.is_empty());

        let mut statuses = StatusLog::open(log(&fresh("connect-status"), 5)).await.unwrap();
        let status = Status {
            state: "FAILED".into(),
            trace: Some("boom".into()),
            worker_id: "w:1".into(),
            generation: 1,
            version: None,
        };
        statuses.writer().put(&StatusKey::Task("a".into(), 0), Some(&status)).await.unwrap();
        statuses.refresh().await.unwrap();
        assert_eq!(statuses.state().tasks[&("a".into(), 0)], status);
    });
}

#[test]
fn topics_that_could_lose_state_are_refused_in_words() {
    runtime().block_on(async {
        let name = topic(bootstrap(), "plain", 1).await;
        let Err(error) = CompactedLog::open(log(&name, 1)).await else { panic!("{name} was taken") };
        assert!(matches!(error, LogError::NotCompacted { .. }), "{error}");
        let name = fresh("wide");
        let config = vec![("cleanup.policy".to_owned(), "compact".to_owned())];
        let creation = TopicCreation { create: true, partitions: 2, replication_factor: 1, config };
        let admin = Admin::new(&settings(bootstrap(), &[])).unwrap();
        admin.ensure_topic(&name, &creation).await.unwrap();
        let Err(error) = ConfigLog::open(log(&name, 1)).await else { panic!("{name} was taken") };
        assert!(matches!(error, LogError::Partitions { found: 2, .. }), "{error}");
        assert!(admin.describe(&fresh("missing")).await.unwrap().is_none());
        assert_eq!(admin.cluster_id().await.unwrap().len(), 22);
        admin.wait_for_broker(Duration::from_secs(5)).await.unwrap();
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
