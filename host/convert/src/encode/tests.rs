//! Writing rows of the reference, and round trips.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use indexmap::IndexMap;
use lockgate_model::batch::{Batch, Encoding, Formats, Row, Span};
use lockgate_model::schemas::Schemas;
use proptest::prelude::*;

use super::Encode;
use crate::converter::{Converter, Role};
use crate::recode::Recode;
use crate::schema::{Attributes, DECIMAL, Field, Schema, Type};
use crate::value::{Decimal, Value};

fn converter(class: &str, settings: &[(&str, &str)]) -> Converter {
    let settings: IndexMap<String, String> = settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Converter::configure(class, &settings, Role::Header).unwrap()
}

fn batch(payload: Option<&[u8]>, schema: &str) -> Batch {
    let mut batch = Batch::new(Schemas::default());
    let topic = batch.topic_index(&Arc::from("t"));
    let value = batch.push_bytes(payload);
    let value_schema = if schema.is_empty() { 0 } else { u32::from(batch.schemas.intern(schema).unwrap()) };
    batch.rows.push(Row { topic, key: Span::NULL, value, value_schema, ..bytemuck::Zeroable::zeroed() });
    batch
}

fn encode(
    class: &str,
    settings: &[(&str, &str)],
    encoding: Encoding,
    schema: &str,
    payload: Option<&[u8]>,
) -> Result<Option<Vec<u8>>, String> {
    let bytes = converter("ByteArrayConverter", &[]);
    let formats = Formats { value: encoding, ..Formats::BYTES };
    let mut encode = Encode::new(bytes.clone(), converter(class, settings), bytes, formats);
    let mut batch = batch(payload, schema);
    let failed = encode.batch(&mut batch);
    if let Some((_, fault)) = failed.first() {
        return Err(format!("{}: {}", fault.code, fault.message));
    }
    assert_eq!(batch.rows[0].value_schema, 0);
    Ok(batch.bytes(batch.rows[0].value).map(<[u8]>::to_vec))
}

fn check(
    class: &str,
    settings: &[(&str, &str)],
    encoding: Encoding,
    schema: &str,
    payload: Option<&str>,
    bytes: Option<&str>,
) {
    let encoded = encode(class, settings, encoding, schema, payload.map(str::as_bytes));
    assert_eq!(encoded, Ok(bytes.map(|b| b.as_bytes().to_vec())), "{class} {schema} {payload:?}");
}

const PLAIN: &[(&str, &str)] = &[("schemas.enable", "false")];
const STRING: &str = r#"{"type":"string","optional":false}"#;
const OPTIONAL: &str = r#"{"type":"string","optional":true}"#;
const DEFAULT: &str = r#"{"type":"string","optional":true,"default":"d"}"#;
const MONEY: &str = r#"{"type":"bytes","optional":false,"name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2"}}"#;

#[test]
fn lines_of_text_go_through_every_converter() {
    let line = Some("a \"b\"");
    check("StringConverter", &[], Encoding::Bytes, STRING, line, line);
    check("StringConverter", &[], Encoding::Bytes, "", line, line);
    check("JsonConverter", PLAIN, Encoding::Bytes, STRING, line, Some(r#""a \"b\"""#));
    let wrapped = format!(r#"{{"schema":{STRING},"payload":"a \"b\""}}"#);
    check("JsonConverter", &[], Encoding::Bytes, STRING, line, Some(&wrapped));
    check("ByteArrayConverter", &[], Encoding::Bytes, "", line, line);
    let refused = encode("ByteArrayConverter", &[], Encoding::Bytes, STRING, Some(b"a")).unwrap_err();
    assert_eq!(refused, "schema.mismatch: Invalid schema type for ByteArrayConverter: STRING");
    check("JsonConverter", PLAIN, Encoding::Bytes, "", Some("abc"), Some("\"YWJj\""));
    check("StringConverter", &[("converter.encoding", "US-ASCII")], Encoding::Bytes, STRING, Some("ä"), Some("?"));
}

#[test]
fn null_with_a_schema_is_no_tombstone() {
    for settings in [PLAIN, &[]] {
        check("JsonConverter", settings, Encoding::Json, "", None, None);
        check("JsonConverter", settings, Encoding::Json, "", Some(" null"), None);
    }
    check("JsonConverter", PLAIN, Encoding::Json, OPTIONAL, None, Some("null"));
    check("JsonConverter", PLAIN, Encoding::Json, DEFAULT, None, Some("\"d\""));
    check(
        "JsonConverter",
        &[("schemas.enable", "false"), ("replace.null.with.default", "false")],
        Encoding::Json,
        DEFAULT,
        None,
        Some("null"),
    );
    check(
        "JsonConverter",
        &[],
        Encoding::Json,
        OPTIONAL,
        None,
        Some(&format!(r#"{{"schema":{OPTIONAL},"payload":null}}"#)),
    );
    for (replace, value) in [("true", "\"d\""), ("false", "null")] {
        let settings = [("schemas.enable", "false"), ("replace.null.with.default", replace)];
        check("JsonConverter", &settings, Encoding::Json, DEFAULT, Some("null"), Some(value));
        let cbor = encode("JsonConverter", &settings, Encoding::Cbor, DEFAULT, Some(&[0xf6])).unwrap();
        assert_eq!(cbor.as_deref(), Some(value.as_bytes()), "{replace}");
    }
    assert!(encode("JsonConverter", PLAIN, Encoding::Json, STRING, None).is_err());
    for class in ["ByteArrayConverter", "BooleanConverter"] {
        check(class, &[], Encoding::Json, "", None, None);
        assert!(encode(class, &[], Encoding::Json, OPTIONAL, None).is_err(), "{class} looks at the schema of a null");
    }
    for class in ["StringConverter", "IntegerConverter", "SimpleHeaderConverter"] {
        check(class, &[], Encoding::Json, "", None, None);
        check(class, &[], Encoding::Json, OPTIONAL, None, None);
    }
}

#[test]
fn text_of_a_struct_leaves_out_what_is_null_whatever_its_default() {
    let of = |optional: bool| {
        format!(
            r#"{{"type":"struct","optional":false,"fields":[{{"type":"int8","optional":{optional},"default":3,"field":"a"}}]}}"#
        )
    };
    check("StringConverter", &[], Encoding::Json, &of(true), Some(r#"{"a":null}"#), Some("Struct{}"));
    check("StringConverter", &[], Encoding::Json, &of(true), Some(r#"{"a":4}"#), Some("Struct{a=4}"));
    check("StringConverter", &[], Encoding::Json, &of(false), Some(r#"{"a":null}"#), Some("Struct{a=3}"));
}

#[test]
fn json_payloads_get_their_envelope() {
    check("JsonConverter", PLAIN, Encoding::Json, "", Some(" {\"a\": 01} "), Some("{\"a\":1}"));
    check("JsonConverter", PLAIN, Encoding::Json, "", Some(" {\"a\": 1} "), Some("{\"a\": 1}"));
    check("JsonConverter", &[], Encoding::Json, "", Some("[1]"), Some(r#"{"schema":null,"payload":[1]}"#));
    check("JsonConverter", PLAIN, Encoding::Json, MONEY, Some("\"AJw=\""), Some("\"AJw=\""));
    check(
        "JsonConverter",
        &[("schemas.enable", "false"), ("decimal.format", "NUMERIC")],
        Encoding::Json,
        MONEY,
        Some("\"AJw=\""),
        Some("1.56"),
    );
    for bad in ["{", "1 2", "\"\u{1}\"", ""] {
        assert!(encode("JsonConverter", PLAIN, Encoding::Json, "", Some(bad.as_bytes())).is_err(), "{bad}");
    }
    assert!(encode("JsonConverter", PLAIN, Encoding::Json, STRING, Some(b"5")).is_err());
}

#[test]
fn the_other_converters_write_their_bytes() {
    let of = |of: &str| format!(r#"{{"type":"{of}","optional":false}}"#);
    let table: [(&str, &str, &str, Option<&[u8]>); 15] = [
        ("BooleanConverter", "boolean", "true", Some(&[1])),
        ("BooleanConverter", "string", "\"true\"", None),
        ("ShortConverter", "int16", "-2", Some(&[0xff, 0xfe])),
        ("IntegerConverter", "int32", "256", Some(&[0, 0, 1, 0])),
        ("IntegerConverter", "int64", "256", None),
        ("IntegerConverter", "", "256", None),
        ("LongConverter", "", "256", Some(&[0, 0, 0, 0, 0, 0, 1, 0])),
        ("FloatConverter", "", "0.5", None),
        ("LongConverter", "int64", "5", Some(&[0, 0, 0, 0, 0, 0, 0, 5])),
        ("FloatConverter", "float", "0.5", Some(&[0x3f, 0, 0, 0])),
        ("DoubleConverter", "double", "0.5", Some(&[0x3f, 0xe0, 0, 0, 0, 0, 0, 0])),
        ("DoubleConverter", "", "\"x\"", None),
        ("ByteArrayConverter", "bytes", "\"AJw=\"", Some(&[0, 0x9c])),
        ("ByteArrayConverter", "int8", "1", None),
        ("ByteArrayConverter", "", "\"AJw=\"", None),
    ];
    for (class, schema, payload, bytes) in table {
        let schema = if schema.is_empty() { String::new() } else { of(schema) };
        let encoded = encode(class, &[], Encoding::Json, &schema, Some(payload.as_bytes()));
        assert_eq!(encoded.ok().flatten().as_deref(), bytes, "{class} {schema} {payload}");
    }
}

#[test]
fn string_converter_prints_as_java() {
    let point = r#"{"type":"struct","fields":[{"type":"int8","optional":true,"field":"a"},{"type":"array","items":{"type":"double","optional":false},"optional":true,"field":"b"},{"type":"string","optional":true,"field":"c"}],"optional":false}"#;
    check(
        "StringConverter",
        &[],
        Encoding::Json,
        point,
        Some(r#"{"a":1,"b":[1.0,1e7],"c":null}"#),
        Some("Struct{a=1,b=[1.0, 1.0E7]}"),
    );
    check("StringConverter", &[], Encoding::Json, "", Some(r#"{"a":1,"b":"x"}"#), Some("{a=1, b=x}"));
    check("StringConverter", &[], Encoding::Json, "", Some("\"x\""), Some("x"));
    check(
        "SimpleHeaderConverter",
        &[],
        Encoding::Json,
        point,
        Some(r#"{"a":1,"b":null,"c":"q"}"#),
        Some(r#"{"a":1,"b":null,"c":"q"}"#),
    );
    check("SimpleHeaderConverter", &[], Encoding::Json, "", Some(r#"["x",1]"#), Some(r#"["x",1]"#));
}

#[test]
fn recoding_carries_text_and_json_across_encodings() {
    let to = |payload: &[u8], schema: &str, from: Encoding, to: Encoding| {
        let mut batch = batch(Some(payload), schema);
        let formats = |value| Formats { value, ..Formats::BYTES };
        assert!(Recode::new(formats(from), formats(to)).batch(&mut batch).is_empty());
        let schema = batch.schemas.definition(batch.rows[0].value_schema).map_or(String::new(), |s| s.to_string());
        (batch.bytes(batch.rows[0].value).unwrap().to_vec(), schema)
    };
    assert_eq!(to(b"a", STRING, Encoding::Bytes, Encoding::Json), (b"\"a\"".to_vec(), STRING.to_owned()));
    assert_eq!(to(b"\"a\"", STRING, Encoding::Json, Encoding::Bytes), (b"a".to_vec(), STRING.to_owned()));
    assert_eq!(to(b"{\"a\":1}", "", Encoding::Json, Encoding::Bytes), (b"{\"a\":1}".to_vec(), String::new()));
    assert_eq!(to(b"{\"a\":1}", "", Encoding::Json, Encoding::Cbor), (b"\xa1\x61a\x01".to_vec(), String::new()));
    assert_eq!(
        to(b"a", "", Encoding::Bytes, Encoding::Json),
        (b"\"YQ==\"".to_vec(), r#"{"type":"bytes","optional":true}"#.to_owned())
    );
}

/// A schema with a value that fits it.
fn typed(depth: u32) -> BoxedStrategy<(Schema, Value)> {
    let of = |of: Type| move |value| (Schema::required(of.clone()), value);
    let money = |scale: i32| Attributes {
        name: Some(DECIMAL.to_owned()),
        parameters: vec![("scale".to_owned(), scale.to_string())],
        ..Attributes::default()
    };
    let scalar = prop_oneof![
        any::<bool>().prop_map(Value::Boolean).prop_map(of(Type::Boolean)),
        any::<i8>().prop_map(Value::Int8).prop_map(of(Type::Int8)),
        any::<i16>().prop_map(Value::Int16).prop_map(of(Type::Int16)),
        any::<i32>().prop_map(Value::Int32).prop_map(of(Type::Int32)),
        any::<i64>().prop_map(Value::Int64).prop_map(of(Type::Int64)),
        any::<f32>().prop_filter("equal", |x| !x.is_nan()).prop_map(Value::Float32).prop_map(of(Type::Float32)),
        any::<f64>().prop_filter("equal", |x| !x.is_nan()).prop_map(Value::Float64).prop_map(of(Type::Float64)),
        any::<String>().prop_map(Value::String).prop_map(of(Type::String)),
        any::<Vec<u8>>().prop_map(Value::Bytes).prop_map(of(Type::Bytes)),
        Just((Schema::optional(Type::Int8), Value::Null)),
        (proptest::collection::vec(any::<u8>(), 1..20), -9..9_i32).prop_map(move |(bytes, scale)| {
            (
                Schema::new(Type::Bytes, money(scale)).unwrap(),
                Value::Decimal(Decimal::from_bytes(&bytes, scale).unwrap()),
            )
        }),
    ];
    if depth == 0 {
        return scalar.boxed();
    }
    let inner = typed(depth - 1);
    prop_oneof![
        2 => scalar,
        1 => inner.clone().prop_map(|(schema, value)| {
            (Schema::required(Type::Array(Some(Arc::new(schema)))), Value::Array(vec![value.clone(), value]))
        }),
        1 => (any::<String>(), inner.clone()).prop_map(|(key, (schema, value))| {
            let keys = Schema::required(Type::String);
            let of = Type::Map(Some(Arc::new(keys)), Some(Arc::new(schema)));
            (Schema::required(of), Value::Map(vec![(Value::String(key), value)]))
        }),
        1 => (any::<i32>(), inner.clone()).prop_map(|(key, (schema, value))| {
            let of = Type::Map(Some(Arc::new(Schema::required(Type::Int32))), Some(Arc::new(schema)));
            (Schema::optional(of), Value::Map(vec![(Value::Int32(key), value)]))
        }),
        2 => proptest::collection::vec(inner, 0..4).prop_map(|items| {
            let (fields, values): (Vec<_>, Vec<_>) = items.into_iter().enumerate()
                .map(|(i, (schema, value))| (Field { name: format!("f\"{i}"), schema: Arc::new(schema) }, value)).unzip();
            (Schema::required(Type::Struct(fields)), Value::Struct(values))
        }),
    ]
    .boxed()
}

proptest! {
    #[test]
    fn what_is_written_is_read_back_equal((schema, value) in typed(3)) {
        let text = schema.to_json();
        prop_assert_eq!(&Schema::parse(&text).unwrap(), &schema);
        let (mut json, mut cbor) = (Vec::new(), Vec::new());
        value.to_json(Some(&schema), &mut json).unwrap();
        prop_assert_eq!(&Value::from_json(&json, Some(&schema)).unwrap(), &value);
        value.to_cbor(Some(&schema), &mut cbor).unwrap();
        prop_assert_eq!(&Value::from_cbor(&cbor, Some(&schema)).unwrap(), &value);
        let bytes = encode("JsonConverter", &[], Encoding::Json, &text, Some(&json)).unwrap().unwrap();
        prop_assert_eq!(bytes, [format!("{{\"schema\":{text},\"payload\":").into_bytes(), json, b"}".to_vec()].concat());
    }
}
