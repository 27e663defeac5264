//! A producer whose client was ended by an error goes on with a new one, against a real broker.
//!
//! Enters: a broker (see `support`). Leaves: proof that nothing is lost, and that nothing overtakes. Invariant: no test
//! passes without a broker; none skips.

use std::collections::VecDeque;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use lockgate_kafka::{CompactedLog, LogOptions, Producer, Topics};
use lockgate_model::batch::Batch;
use lockgate_model::ports::{Fetch, Produce, Receipt};

use crate::support::{Reader, bootstrap, fresh, row, runtime, settings, topic};

/// Records of a batch; numbers ascend over all batches.
const ROWS: u64 = 50;
const BATCHES: u64 = 200;
/// Batches with the client at once.
const WINDOW: usize = 5;

fn batch(topic: &str, number: u64) -> Batch {
    let mut batch = Batch::default();
    for n in number * ROWS..(number + 1) * ROWS {
        row(&mut batch, topic, 0, Some(&n.to_le_bytes()));
    }
    batch
}

/// Writes as a source task does: some batches at once, and after a refusal everything from the first refused one again.
async fn write_all(producer: &Producer, topic: &str, mut between: impl FnMut(u64)) {
    let mut open: VecDeque<(u64, BoxFuture<'static, Receipt>)> = VecDeque::new();
    let mut next = 0;
    while next < BATCHES || !open.is_empty() {
        if next < BATCHES && open.len() < WINDOW {
            between(next);
            open.push_back((next, producer.produce(&batch(topic, next)).await.unwrap().boxed()));
            next += 1;
            continue;
        }
        let (number, receipt) = open.pop_front().unwrap();
        let failed = receipt.await.failed;
        assert!(failed.iter().all(|(_, fault)| fault.retriable), "{failed:?}");
        if !failed.is_empty() {
            for (_, receipt) in open.drain(..) {
                receipt.await;
            }
            next = number;
        }
    }
}

#[test]
fn a_producer_that_an_error_ended_goes_on_without_loss_and_nothing_overtakes() {
    runtime().block_on(async {
        let topic = topic(bootstrap(), "heal", 1).await;
        let producer = Producer::new(&settings(bootstrap(), &[])).unwrap();
        let other = producer.clone();
        let mut ended = 0;
        write_all(&producer, &topic, |number| {
            if number == 60 + ended {
                ended += 60;
                other.end_client();
            }
        })
        .await;
        assert!(ended >= 120, "the client was ended {ended} times sixty");
        assert_eq!(producer.fatal(), None);
        let mut reader = Reader::new(bootstrap(), &fresh("g"), Topics::List(vec![topic]), &[]);
        let mut highest = None;
        let mut seen = 0;
        while highest != Some(BATCHES * ROWS - 1) {
            reader.until(|r| r.read.len() > seen).await;
            for (_, offset, number) in &reader.read[seen..] {
                // A step back is allowed, a step over a number that was not there before is not.
                assert!(*number <= highest.map_or(0, |h| h + 1), "{number} at {offset} after {highest:?}");
                highest = highest.max(Some(*number));
            }
            seen = reader.read.len();
        }
        reader.consumer.close().await;
    });
}

#[test]
fn a_log_is_written_through_the_end_of_a_client() {
    runtime().block_on(async {
        let producer = Producer::new(&settings(bootstrap(), &[])).unwrap();
        let options = LogOptions {
            settings: settings(bootstrap(), &[]),
            topic: fresh("connect-heal"),
            partitions: 1,
            replication_factor: 1,
            config: Vec::new(),
            single_partition: true,
            producer: Some(producer.clone()),
            admin: None,
        };
        let (log, mut reader) = CompactedLog::open(options).await.unwrap();
        log.write(b"a", Some(b"1")).await.unwrap();
        producer.end_client();
        log.write(b"b", Some(b"2")).await.unwrap();
        let read = tokio::time::timeout(Duration::from_secs(30), reader.read_to_end()).await.unwrap().unwrap();
        let keys: Vec<_> = read.iter().map(|record| record.key.as_slice()).collect();
        assert_eq!(keys, [b"a", b"b"]);
    });
}
