//! Batches there and back, and guests that lie.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::abi::imports::faults;

const ASKED: BatchLimits = BatchLimits { records_max: 10, bytes_max: 1000 };

fn row(topic: u32, value: Span) -> Row {
    Row {
        offset: 7,
        timestamp: -1,
        partition: 0,
        topic,
        key: Span::NULL,
        value,
        header_first: 0,
        header_count: 0,
        source_row: 0,
        flags: 0,
        key_schema: 0,
        value_schema: 0,
    }
}

fn bytes<T: Pod>(rows: &[T]) -> Vec<u8> {
    bytemuck::cast_slice(rows).to_vec()
}

fn polled(rows: &[Row], data: &[u8]) -> BatchResult {
    let topics = vec!["t".to_owned()];
    BatchResult { topics, schemas: Vec::new(), rows: bytes(rows), headers: Vec::new(), data: data.to_vec() }
}

fn lift(from: BatchResult) -> Result<Batch, String> {
    let mut into = Batch::default();
    Dictionary::new(Schemas::default()).lift(from, ASKED, &mut into).map(|()| into)
}

fn input(values: &[&str]) -> Batch {
    let mut batch = Batch::default();
    let topic = batch.topic_index(&"in".into());
    for (index, value) in (0_u32..).zip(values) {
        let value = batch.push_bytes(Some(value.as_bytes()));
        batch.rows.push(Row { offset: 100 + i64::from(index), source_row: index, ..row(topic, value) });
    }
    batch
}

fn applied(rows: &[Row], appended: &[u8]) -> Applied {
    Applied {
        topics: vec!["in".to_owned(), "out".to_owned()],
        schemas: Vec::new(),
        rows: bytes(rows),
        headers: Vec::new(),
        appended: appended.to_vec(),
        failed: Vec::new(),
    }
}

fn failed(row: u32) -> faults::RowFault {
    faults::RowFault { row, step: 1, retriable: false, code: "c".into(), message: "m".into() }
}

#[test]
fn a_batch_is_lowered_as_it_lies_and_schemas_are_announced_once() {
    let schemas = Schemas::default();
    schemas.intern("{\"type\":\"string\"}").unwrap();
    let mut dictionary = Dictionary::new(schemas.clone());
    let batch = input(&["a", "bc"]);
    let lowered = dictionary.lower(&batch);
    let announced = lowered.schemas();
    let param = lowered.param(&announced);
    assert_eq!((param.topics, param.rows.len(), param.data), (&["in"][..], 128, &b"abc"[..]));
    assert_eq!((param.schemas[0].id, param.schemas.len()), (1, 1));
    assert!(std::ptr::eq(param.data.as_ptr(), batch.data.as_ptr()), "no copy");
    assert!(dictionary.lower(&batch).schemas.is_empty());
    schemas.intern("{\"type\":\"int32\"}").unwrap();
    assert_eq!(dictionary.lower(&batch).schemas[0].0, 2);
}

#[test]
fn a_polled_batch_is_taken_over() {
    let mut from = polled(&[row(0, Span { offset: 0, len: 2 }), row(0, Span::NULL)], b"ab");
    from.rows[48..52].copy_from_slice(&9_u32.to_le_bytes());
    let batch = lift(from).unwrap();
    assert_eq!((batch.len(), batch.rows[0].offset, batch.rows[0].source_row, batch.rows[1].source_row), (2, -1, 0, 1));
    assert_eq!(batch.bytes(batch.rows[0].value), Some(&b"ab"[..]));
}

#[test]
fn lies_of_a_poll_are_refused_and_leave_an_empty_batch() {
    let good = row(0, Span::NULL);
    let with = |change: fn(&mut BatchResult)| {
        let mut from = polled(&[good], b"ab");
        change(&mut from);
        lift(from).unwrap_err()
    };
    assert!(with(|b| b.rows.truncate(63)).contains("multiple of 64"));
    assert!(with(|b| b.headers.push(0)).contains("multiple of 16"));
    assert!(with(|b| b.topics.clear()).contains("topic"));
    assert!(with(|b| b.topics[0] = "..".into()).contains("topic name"));
    assert!(with(|b| b.topics[0] = "__consumer_offsets".into()).contains("Kafka's own"));
    assert!(lift(polled(&[row(0, Span { offset: 1, len: 2 })], b"ab")).unwrap_err().contains("spans"));
    assert!(lift(polled(&[row(0, Span { offset: u32::MAX, len: u32::MAX - 1 })], b"ab")).is_err());
    assert!(lift(polled(&[Row { partition: 1 << 31, ..good }], b"")).unwrap_err().contains("partition"));
    assert!(lift(polled(&[Row { timestamp: -2, ..good }], b"")).unwrap_err().contains("timestamp"));
    assert!(lift(polled(&[Row { flags: 4, ..good }], b"")).unwrap_err().contains("flags"));
    assert!(lift(polled(&[Row { header_count: 1, ..good }], b"")).unwrap_err().contains("header"));
    assert!(lift(polled(&[Row { value_schema: 1, ..good }], b"")).unwrap_err().contains("schema"));
    assert!(lift(polled(&[Row { value_schema: 0x8001, ..good }], b"")).unwrap_err().contains("never announced"));
    assert!(lift(polled(&vec![good; 21], b"")).unwrap_err().contains("21 records"));
    assert!(lift(polled(&[good; 2], &[0; 2001])).unwrap_err().contains("2001 bytes"));
    let large = row(0, Span { offset: 0, len: 20_000 });
    assert!(lift(polled(&[large], &vec![0; 20_000])).is_ok(), "a larger record travels alone");
    assert!(lift(polled(&[good], &vec![0; 20_000])).unwrap_err().contains("20000 bytes"), "but not bytes of no record");
    let mut into = input(&["left over"]);
    let mut dictionary = Dictionary::new(Schemas::default());
    assert!(dictionary.lift(polled(&[row(3, Span::NULL)], b"x"), ASKED, &mut into).is_err());
    assert!(into.is_empty());
}

#[test]
fn schemas_of_the_guest_get_ids_of_the_task() {
    let schemas = Schemas::default();
    schemas.intern("host").unwrap();
    let mut dictionary = Dictionary::new(schemas.clone());
    let schema = |id, definition: &str| SchemaResult { id, definition: definition.to_owned() };
    let mut from = polled(&[Row { key_schema: 0x8005, value_schema: 1, ..row(0, Span::NULL) }], b"");
    from.schemas = vec![schema(0x8005, "guest")];
    let mut into = Batch::default();
    dictionary.lift(from, ASKED, &mut into).unwrap();
    assert_eq!((into.rows[0].key_schema, into.rows[0].value_schema), (2, 1));
    assert_eq!(into.schemas.definition(2).as_deref(), Some("guest"));
    let later = polled(&[Row { key_schema: 0x8005, ..row(0, Span::NULL) }], b"");
    dictionary.lift(later, ASKED, &mut into).unwrap();
    assert_eq!(into.rows[0].key_schema, 2, "known from before");
    for bad in [schema(5, "x"), schema(0, "x"), schema(0x1_0000, "x"), schema(0x8005, "changed")] {
        let mut from = polled(&[], b"");
        from.schemas = vec![bad];
        assert!(dictionary.lift(from, ASKED, &mut into).is_err());
    }
}

#[test]
fn an_outcome_is_applied_in_place() {
    let mut batch = input(&["one", "two", "three"]);
    let kept = Row { source_row: 0, offset: -1, ..row(0, batch.rows[0].value) };
    let added = Row { source_row: 2, offset: 5, ..row(1, Span { offset: 11, len: 3 }) };
    let mut answer = applied(&[kept, added, added], b"NEW");
    answer.failed = vec![failed(1)];
    let mut dictionary = Dictionary::new(Schemas::default());
    let bad = dictionary.apply(answer, &mut batch).unwrap();
    assert_eq!((bad.len(), bad[0].row, bad[0].step), (1, 1, 1));
    let values: Vec<_> = batch.rows.iter().map(|r| batch.bytes(r.value).unwrap().to_vec()).collect();
    assert_eq!(values, [b"one".to_vec(), b"NEW".to_vec(), b"NEW".to_vec()]);
    let offsets: Vec<_> = batch.rows.iter().map(|r| (r.offset, r.source_row)).collect();
    assert_eq!(offsets, [(100, 0), (102, 2), (102, 2)], "offsets are the host's");
    assert_eq!(&**batch.topic(&batch.rows[1]), "out");
}

#[test]
fn lies_of_an_outcome_leave_the_batch_as_it_was() {
    let at = |source_row, span| Row { source_row, ..row(0, span) };
    let null = Span::NULL;
    let mut wrong_fault = applied(&[], b"");
    wrong_fault.failed = vec![failed(3)];
    let mut both = applied(&[at(1, null)], b"");
    both.failed = vec![failed(1)];
    let mut bad_topic = applied(&[at(0, null)], b"");
    bad_topic.topics[1] = "__consumer_offsets".to_owned();
    let lies = [
        applied(&[at(3, null)], b""),
        applied(&[at(1, null), at(0, null)], b""),
        applied(&[at(0, Span { offset: 10, len: 5 })], b"xy"),
        applied(&[Row { topic: 2, ..at(0, null) }], b""),
        wrong_fault,
        both,
        bad_topic,
    ];
    for lie in lies {
        let mut batch = input(&["one", "two", "three"]);
        let before = batch.clone();
        assert!(Dictionary::new(Schemas::default()).apply(lie, &mut batch).is_err());
        assert_eq!((&batch.rows, &batch.data, &batch.topics), (&before.rows, &before.data, &before.topics));
    }
}

#[test]
fn a_mostly_dead_arena_is_compacted() {
    let large = "x".repeat(COMPACT_FROM);
    let mut batch = input(&[&large, "keep"]);
    let header = HeaderRow { name_offset: 0, name_len: 2, schema: 0, value: batch.rows[1].value };
    let mut answer = applied(&[Row { source_row: 1, header_count: 1, ..row(0, batch.rows[1].value) }], b"");
    answer.headers = bytes(&[header]);
    Dictionary::new(Schemas::default()).apply(answer, &mut batch).unwrap();
    assert_eq!(batch.data, b"keepxxkeep");
    assert_eq!(batch.header_name(&batch.headers[0]), b"xx");
    assert_eq!((batch.bytes(batch.rows[0].value), batch.check()), (Some(&b"keep"[..]), Ok(())));
}
