//! The wire format both ways, against a registry in memory: what is asked, what is kept, what becomes of bad frames.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use futures::executor::block_on;
use indexmap::IndexMap;
use lockgate_model::batch::{Batch, Encoding, Formats, HeaderRow, Row, Span};
use lockgate_model::schemas::Schemas;

use crate::converter::{Converter, Role};
use crate::decode::Decode;
use crate::encode::Encode;
use crate::registry::{
    Answer, Denied, Draft, Frame, MemoryRegistry, Offer, Registered, SchemaRegistry, SchemaType, Unavailable, Wait,
};

/// A registry that counts questions and can be away.
#[derive(Debug, Default)]
struct Counted {
    inner: MemoryRegistry,
    asked: AtomicUsize,
    away: AtomicBool,
}

impl Counted {
    fn answers<T>(&self, count: usize) -> Option<Vec<Answer<T>>> {
        self.asked.fetch_add(1, SeqCst);
        let why = || Denied::Unavailable(Unavailable { code: "registry.unreachable", message: "away".to_owned() });
        self.away.load(SeqCst).then(|| (0..count).map(|_| Err(why())).collect())
    }

    fn asked(&self) -> usize {
        self.asked.load(SeqCst)
    }
}

impl SchemaRegistry for Counted {
    fn find<'a>(&'a self, frames: &'a [Frame]) -> Wait<'a, Vec<Answer<Arc<Registered>>>> {
        match self.answers(frames.len()) {
            Some(away) => Box::pin(std::future::ready(away)),
            None => self.inner.find(frames),
        }
    }

    fn versions<'a>(&'a self, asked: &'a [(Arc<str>, Arc<Registered>)]) -> Wait<'a, Vec<Answer<Option<i32>>>> {
        self.inner.versions(asked)
    }

    fn offer<'a>(&'a self, offers: &'a [Offer]) -> Wait<'a, Vec<Answer<Arc<Registered>>>> {
        match self.answers(offers.len()) {
            Some(away) => Box::pin(std::future::ready(away)),
            None => self.inner.offer(offers),
        }
    }
}

fn converter(registry: &Arc<Counted>, settings: &[(&str, &str)]) -> Converter {
    let all = [("schema.registry.url", "mock://t")];
    let all: IndexMap<String, String> =
        all.iter().chain(settings).map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Converter::configure("AvroConverter", &all, Role::Value).unwrap().connected(Arc::clone(registry) as _)
}

fn others() -> [Converter; 2] {
    let none = IndexMap::new();
    [Role::Key, Role::Header].map(|role| Converter::configure("ByteArrayConverter", &none, role).unwrap())
}

const FORMATS: Formats = Formats { value: Encoding::Json, ..Formats::BYTES };

fn decoder(registry: &Arc<Counted>, settings: &[(&str, &str)]) -> Decode {
    let [key, header] = others();
    Decode::new(key, converter(registry, settings), header, FORMATS)
}

fn encoder(registry: &Arc<Counted>, settings: &[(&str, &str)]) -> Encode {
    let [key, header] = others();
    Encode::new(key, converter(registry, settings), header, FORMATS)
}

/// Rows of (topic, value, schema).
fn batch(rows: &[(&str, Option<&[u8]>, &str)]) -> Batch {
    let mut batch = Batch::new(Schemas::default());
    for (topic, value, schema) in rows {
        let topic = batch.topic_index(&Arc::from(*topic));
        let value = batch.push_bytes(*value);
        let value_schema = if schema.is_empty() { 0 } else { u32::from(batch.schemas.intern(schema).unwrap()) };
        batch.rows.push(Row { topic, key: Span::NULL, value, value_schema, ..bytemuck::Zeroable::zeroed() });
    }
    batch
}

fn values(batch: &Batch) -> Vec<Option<Vec<u8>>> {
    batch.rows.iter().map(|row| batch.bytes(row.value).map(<[u8]>::to_vec)).collect()
}

fn register(registry: &Counted, subject: &str, text: &str) -> u32 {
    let draft = Draft { schema_type: SchemaType::Avro, text: text.into(), references: Vec::new(), record: None };
    registry.inner.register(subject, &draft).unwrap()
}

fn decode(decode: &mut Decode, batch: &mut Batch) -> Vec<(u32, String)> {
    if let Some(wait) = decode.prepare(batch) {
        block_on(wait).unwrap();
    }
    decode.batch(batch).into_iter().map(|(_, fault)| (fault.row, fault.code)).collect()
}

#[test]
fn a_batch_asks_once_for_all_and_the_next_one_not_at_all() {
    let registry = Arc::<Counted>::default();
    let (int, text) = (register(&registry, "t-value", "\"int\""), register(&registry, "t-value", "\"string\""));
    assert_eq!((int, text), (1, 2));
    let mut decoder = decoder(&registry, &[]);
    let rows: [(&str, Option<&[u8]>, &str); 5] = [
        ("t", Some(&[0, 0, 0, 0, 1, 4]), ""),
        ("t", Some(&[0, 0, 0, 0, 2, 2, b'x']), ""),
        ("t", None, ""),
        ("t", Some(&[]), ""),
        ("t", Some(&[0, 0, 0, 0, 1, 6]), ""),
    ];
    // One task, one table of schemas.
    let table = Schemas::default();
    for _ in 0..2 {
        let mut batch = batch(&rows);
        batch.schemas = table.clone();
        assert_eq!(decode(&mut decoder, &mut batch), []);
        let expected = [Some("2"), Some("\"x\""), None, None, Some("3")].map(|v| v.map(|v| v.as_bytes().to_vec()));
        assert_eq!(values(&batch), expected);
        let version = |row: usize| batch.schemas.definition(batch.rows[row].value_schema).unwrap();
        assert_eq!(&*version(0), r#"{"type":"int32","optional":false,"version":1}"#);
        assert_eq!(&*version(1), r#"{"type":"string","optional":false,"version":2}"#);
        assert_eq!(registry.asked(), 1);
    }
    assert!(decoder.prepare(&batch(&rows)).is_none());
}

#[test]
fn bad_frames_are_faults_of_their_rows_only() {
    let registry = Arc::<Counted>::default();
    register(&registry, "t-value", "\"int\"");
    register(&registry, "t-value", "\"null\"");
    let mut decoder = decoder(&registry, &[]);
    let rows: [(&str, Option<&[u8]>, &str); 6] = [
        ("t", Some(b"{}"), ""),
        ("t", Some(&[0, 0, 0]), ""),
        ("t", Some(&[0, 0, 0, 0, 77, 1]), ""),
        ("t", Some(&[0, 0, 0, 0, 2, 1]), ""),
        ("t", Some(&[0, 0, 0, 0, 1]), ""),
        ("t", Some(&[0, 0, 0, 0, 1, 2]), ""),
    ];
    let mut batch = batch(&rows);
    let codes = decode(&mut decoder, &mut batch);
    let expected = ["registry.magic", "registry.truncated", "registry.not-found", "schema.invalid", "avro.data"]
        .map(str::to_owned);
    assert_eq!(codes, (0..5).zip(expected).collect::<Vec<_>>());
    assert_eq!(values(&batch)[5].as_deref(), Some(&b"1"[..]));
}

#[test]
fn while_the_registry_is_away_a_batch_is_not_ready_and_later_it_is() {
    let registry = Arc::<Counted>::default();
    register(&registry, "t-value", "\"int\"");
    registry.away.store(true, SeqCst);
    let mut decoder = decoder(&registry, &[]);
    let mut batch = batch(&[("t", Some(&[0, 0, 0, 0, 1, 4]), "")]);
    for _ in 0..2 {
        let unready = block_on(decoder.prepare(&batch).unwrap()).unwrap_err();
        assert_eq!(unready.cause.code, "registry.unreachable");
    }
    registry.away.store(false, SeqCst);
    assert_eq!(decode(&mut decoder, &mut batch), []);
    assert_eq!(values(&batch)[0].as_deref(), Some(&b"2"[..]));
}

#[test]
fn what_is_kept_is_bounded_and_a_batch_beyond_the_bound_is_whole() {
    let registry = Arc::<Counted>::default();
    let texts = ["\"int\"", "\"long\"", "[\"null\",\"int\"]", "\"boolean\""];
    for text in texts {
        assert!(register(&registry, "t-value", text) > 0);
    }
    let mut decoder = decoder(&registry, &[("schemas.cache.config", "1")]);
    for _ in 0..3 {
        let mut batch = batch(&[
            ("t", Some(&[0, 0, 0, 0, 1, 4]), ""),
            ("t", Some(&[0, 0, 0, 0, 2, 4]), ""),
            ("t", Some(&[0, 0, 0, 0, 3, 0]), ""),
            ("t", Some(&[0, 0, 0, 0, 4, 1]), ""),
        ]);
        assert_eq!(decode(&mut decoder, &mut batch), []);
        let texts: Vec<Option<String>> =
            values(&batch).into_iter().map(|v| v.map(|v| String::from_utf8(v).unwrap())).collect();
        assert_eq!(texts, [Some("2".to_owned()), Some("2".to_owned()), None, Some("true".to_owned())]);
    }
    assert_eq!(registry.asked(), 3);
}

fn encode(encoder: &mut Encode, batch: &mut Batch) -> Vec<(u32, String)> {
    if let Some(wait) = encoder.prepare(batch) {
        block_on(wait).unwrap();
    }
    encoder.batch(batch).into_iter().map(|(_, fault)| (fault.row, fault.code)).collect()
}

const INT: &str = r#"{"type":"int32"}"#;
const RECORD: &str = r#"{"type":"struct","name":"a.R","fields":[{"type":"int32","field":"i"}]}"#;

#[test]
fn writing_registers_each_schema_once_for_each_subject() {
    let registry = Arc::<Counted>::default();
    let mut encoder = encoder(&registry, &[]);
    for _ in 0..2 {
        let mut batch = batch(&[
            ("t", Some(b"1"), INT),
            ("u", Some(b"2"), INT),
            ("t", Some(br#"{"i":3}"#), RECORD),
            ("t", None, ""),
        ]);
        assert_eq!(encode(&mut encoder, &mut batch), []);
        let got = values(&batch);
        assert!(got[0].as_ref().unwrap().ends_with(&[2]) && got[1].as_ref().unwrap().ends_with(&[4]));
        assert_eq!(got[0].as_ref().unwrap()[..5], got[1].as_ref().unwrap()[..5], "one schema, one id");
        assert_ne!(got[0].as_ref().unwrap()[..5], got[2].as_ref().unwrap()[..5]);
        assert_eq!(got[3], None);
        assert_eq!(registry.asked(), 1);
    }
    let mut decoder = decoder(&registry, &[]);
    let mut written = batch(&[("t", Some(b"1"), INT)]);
    encode(&mut encoder, &mut written);
    assert_eq!(decode(&mut decoder, &mut written), []);
    assert_eq!(values(&written)[0].as_deref(), Some(&b"1"[..]));
}

#[test]
fn a_required_null_is_refused_and_an_optional_one_has_no_bytes() {
    let registry = Arc::<Counted>::default();
    let mut encoder = encoder(&registry, &[]);
    let mut batch = batch(&[("t", None, INT), ("t", None, r#"{"type":"int32","optional":true}"#)]);
    assert_eq!(encode(&mut encoder, &mut batch), [(0, "schema.mismatch".to_owned())]);
    assert_eq!((values(&batch)[1].clone(), registry.asked()), (None, 0));
}

#[test]
fn how_schemas_are_found_follows_the_settings() {
    let registry = Arc::<Counted>::default();
    let long = register(&registry, "t-value", "\"long\"");
    let write = |settings: &[(&str, &str)], schema: &str, payload: &str| {
        let all: Vec<_> = [("auto.register.schemas", "false")].iter().chain(settings).copied().collect();
        let mut batch = batch(&[("t", Some(payload.as_bytes()), schema)]);
        let failed = encode(&mut encoder(&registry, &all), &mut batch);
        failed.first().map_or_else(|| Ok(values(&batch).remove(0).unwrap()), |(_, code)| Err(code.clone()))
    };
    let id = u8::try_from(long).unwrap();
    assert_eq!(write(&[], INT, "1"), Err("registry.not-found".to_owned()));
    assert_eq!(write(&[], r#"{"type":"int64"}"#, "1"), Ok(vec![0, 0, 0, 0, id, 2]));
    assert_eq!(write(&[("use.latest.version", "true")], INT, "1"), Ok(vec![0, 0, 0, 0, id, 2]));
    assert_eq!(write(&[("use.schema.id", "1")], INT, "1"), Ok(vec![0, 0, 0, 0, id, 2]));
    assert_eq!(
        write(&[("use.latest.version", "true")], r#"{"type":"string"}"#, "\"x\""),
        Err("registry.incompatible".to_owned())
    );
}

#[test]
fn subjects_are_named_by_topic_or_record() {
    let name = |strategy: &str, schema: &str, payload: &str| {
        let registry = Arc::<Counted>::default();
        let strategy = format!("io.confluent.kafka.serializers.subject.{strategy}");
        let mut batch = batch(&[("t", Some(payload.as_bytes()), schema)]);
        let failed = encode(&mut encoder(&registry, &[("value.subject.name.strategy", &strategy)]), &mut batch);
        if let Some((_, code)) = failed.first() {
            return Err(code.clone());
        }
        let all = ["t-value", "a.R", "t-a.R"].map(str::to_owned);
        let registered = block_on(registry.inner.find(&[Frame::Id(1)])).remove(0).unwrap();
        let has = |subject: &String| {
            let asked = [(Arc::from(subject.as_str()), Arc::clone(&registered))];
            block_on(registry.inner.versions(&asked)).remove(0).unwrap().is_some()
        };
        Ok(all.into_iter().filter(has).collect::<Vec<_>>().join(","))
    };
    let record = r#"{"i":3}"#;
    assert_eq!(name("TopicNameStrategy", RECORD, record), Ok("t-value".to_owned()));
    assert_eq!(name("RecordNameStrategy", RECORD, record), Ok("a.R".to_owned()));
    assert_eq!(name("TopicRecordNameStrategy", RECORD, record), Ok("t-a.R".to_owned()));
    assert_eq!(name("RecordNameStrategy", INT, "1"), Err("registry.subject".to_owned()));
}

#[test]
fn a_guid_or_an_id_in_a_header_comes_before_a_prefix() {
    let registry = Arc::<Counted>::default();
    let id = register(&registry, "t-value", "\"int\"");
    let with_header = |header: &[u8], value: &[u8]| {
        let mut batch = batch(&[("t", Some(value), "")]);
        let name = batch.push_bytes(Some(b"__value_schema_id"));
        let value = batch.push_bytes(Some(header));
        let name_len = u16::try_from(name.len).unwrap();
        batch.headers.push(HeaderRow { name_offset: name.offset, name_len, schema: 0, value });
        batch.rows[0].header_count = 1;
        batch
    };
    let mut decoder = decoder(&registry, &[]);
    let mut by_id = with_header(&[&[0], &id.to_be_bytes()[..]].concat(), &[8]);
    assert_eq!(decode(&mut decoder, &mut by_id), []);
    assert_eq!(values(&by_id)[0].as_deref(), Some(&b"4"[..]));
    let mut by_guid = with_header(&[1; 17], &[8]);
    // This registry knows no GUIDs, and the bytes were not taken for a prefix.
    assert_eq!(decode(&mut decoder, &mut by_guid), [(0, "registry.not-found".to_owned())]);
}
