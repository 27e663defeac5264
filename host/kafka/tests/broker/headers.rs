//! Records with and without headers side by side, through a real broker.
//!
//! Enters: a broker (see `support`). Leaves: proof that the consumer, which looks for headers only where there may be some,
//! misses none and invents none. Invariant: every shape stands next to every other one.
use crate::support::{Reader, bootstrap, fresh, row, runtime, settings, topic};
use lockgate_kafka::{Producer, Topics};
use lockgate_model::batch::{Batch, HeaderRow, Row, Span};
use lockgate_model::ports::{BatchLimits, Fetch, Fetched, Produce};

const RECORDS: usize = 3_000;

/// Value, key and number of headers of the n-th record. The periods have no common divisor, so that all neighbours occur.
fn shape(n: usize) -> (Option<&'static [u8]>, Option<&'static [u8]>, u32) {
    let value = [Some(&b"some value"[..]), None, Some(b""), Some(b"ends in zero\0"), Some(&[0; 300])][n % 5];
    let key = [None, Some(&b"key"[..]), Some(b"\0\0")][n % 3];
    (value, key, [0, 0, 1, 0, 3, 0, 2][n % 7])
}

fn batch_of(topic: &str) -> Batch {
    let mut batch = Batch::default();
    for n in 0..RECORDS {
        let (value, key, headers) = shape(n);
        row(&mut batch, topic, 0, value);
        let key = batch.push_bytes(key);
        let first = u32::try_from(batch.headers.len()).unwrap();
        for header in 0..headers {
            let name = batch.push_bytes(Some(format!("h{header}").as_bytes()));
            let value = if header == 1 { Span::NULL } else { batch.push_bytes(Some(&n.to_be_bytes())) };
            batch.headers.push(HeaderRow { name_offset: name.offset, name_len: 2, schema: 0, value });
        }
        let last: &mut Row = batch.rows.last_mut().unwrap();
        (last.key, last.header_first, last.header_count) = (key, first, headers);
    }
    batch
}

#[test]
fn no_header_is_missed_and_none_invented_whatever_stands_beside_a_record() {
    runtime().block_on(async {
        for codec in ["none", "lz4"] {
            let topic = topic(bootstrap(), "headers", 1).await;
            let producer = Producer::new(&settings(bootstrap(), &[("compression.type", codec)])).unwrap();
            assert_eq!(producer.produce(&batch_of(&topic)).await.unwrap().await.failed, vec![]);
            let mut consumer = Reader::new(bootstrap(), &fresh("g"), Topics::List(vec![topic]), &[]).consumer;
            let mut read = Batch::default();
            while read.rows.len() < RECORDS {
                let limits = BatchLimits { records_max: 5_000, ..BatchLimits::default() };
                if let Fetched::Assigned(at) = consumer.next(&mut read, limits).await.unwrap() {
                    consumer.start(&at).unwrap();
                }
            }
            read.check().unwrap();
            for (n, row) in read.rows.iter().enumerate() {
                let (value, key, count) = shape(n);
                assert_eq!((read.bytes(row.value), read.bytes(row.key)), (value, key), "{codec} {n}");
                let headers = read.headers_of(row);
                assert_eq!(headers.len(), count as usize, "{codec} {n}");
                for (at, header) in headers.iter().enumerate() {
                    assert_eq!(read.header_name(header), format!("h{at}").as_bytes(), "{codec} {n}");
                    let value = if at == 1 { None } else { Some(&n.to_be_bytes()[..]) };
                    assert_eq!(read.bytes(header.value), value, "{codec} {n}");
                }
            }
            consumer.close().await;
        }
    });
}
