//! Reading rows of the reference, and what no input may do.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use indexmap::IndexMap;
use lockgate_model::batch::{Batch, Encoding, Formats, HeaderRow, Row, Span};
use lockgate_model::fault::Stage;
use lockgate_model::schemas::Schemas;
use proptest::prelude::*;

use super::Decode;
use crate::converter::{Converter, Role};

fn converter(class: &str, settings: &[(&str, &str)], role: Role) -> Converter {
    let settings: IndexMap<String, String> = settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Converter::configure(class, &settings, role).unwrap()
}

fn batch(values: &[Option<&[u8]>]) -> Batch {
    let mut batch = Batch::new(Schemas::default());
    let topic = batch.topic_index(&Arc::from("t"));
    for value in values {
        let value = batch.push_bytes(*value);
        batch.rows.push(Row { topic, key: Span::NULL, value, ..bytemuck::Zeroable::zeroed() });
    }
    batch
}

/// Decodes one value; payload, schema text or code of the fault.
fn decode(class: &str, settings: &[(&str, &str)], bytes: Option<&[u8]>) -> Result<(Option<String>, String), String> {
    decode_as(Encoding::Json, class, settings, bytes)
}

fn decode_as(
    encoding: Encoding,
    class: &str,
    settings: &[(&str, &str)],
    bytes: Option<&[u8]>,
) -> Result<(Option<String>, String), String> {
    let key = converter("ByteArrayConverter", &[], Role::Key);
    let header = converter("SimpleHeaderConverter", &[], Role::Header);
    let formats = Formats { value: encoding, ..Formats::BYTES };
    let mut decode = Decode::new(key, converter(class, settings, Role::Value), header, formats);
    let mut batch = batch(&[bytes]);
    let failed = decode.batch(&mut batch);
    if let Some((stage, fault)) = failed.first() {
        assert_eq!(*stage, Stage::ValueConverter);
        return Err(format!("{}: {}", fault.code, fault.message));
    }
    assert!(batch.check().is_ok());
    let row = batch.rows[0];
    let payload = batch.bytes(row.value).map(|b| String::from_utf8_lossy(b).into_owned());
    let schema = batch.schemas.definition(row.value_schema).map_or(String::new(), |s| s.to_string());
    Ok((payload, schema))
}

const PLAIN: &[(&str, &str)] = &[("schemas.enable", "false")];

#[test]
fn plain_json_is_checked_and_passed_through() {
    let table: [(&str, Option<&str>); 10] = [
        (r#"{"a":1}"#, Some(r#"{"a":1}"#)),
        (" [1 , 2 ] ", Some("[1 , 2 ]")),
        (r#"{"a":1} trailing"#, Some(r#"{"a":1}"#)),
        (r#"{"schema":null,"payload":1}"#, Some(r#"{"schema":null,"payload":1}"#)),
        ("\u{feff}5", Some("5")),
        ("null", None),
        ("", None),
        (r#"{"a":007,"b":[-01.50]}"#, Some(r#"{"a":7,"b":[-1.50]}"#)),
        ("99999999999999999999", Some("99999999999999999999")),
        (r#"{"a":1,"a":2}"#, Some(r#"{"a":1,"a":2}"#)),
    ];
    for (text, payload) in table {
        let decoded = decode("JsonConverter", PLAIN, Some(text.as_bytes()));
        assert_eq!(decoded, Ok((payload.map(str::to_owned), String::new())), "{text}");
    }
    assert_eq!(decode("JsonConverter", PLAIN, None), Ok((None, String::new())));
}

#[test]
fn malformed_json_is_a_fault_without_its_contents() {
    let deep = "[".repeat(1001);
    let long = "1".repeat(1001);
    for text in [
        "{",
        "{\"secret",
        "[1,]",
        "{\"a\":1,}",
        "{'a':1}",
        "NaN",
        "-",
        "1.",
        "1e",
        "tru",
        "nulll",
        "// c\n1",
        "secret",
        "\"\u{1}\"",
        "\"\\x\"",
        "\"\\u12\"",
        "  ",
        "{\"a\" 1}",
        "{1:2}",
        "[1 2]",
        "01x",
        &deep,
        &long,
    ] {
        let fault = decode("JsonConverter", PLAIN, Some(text.as_bytes())).unwrap_err();
        assert!(fault.starts_with("json.syntax: ") && !fault.contains("secret"), "{text}: {fault}");
    }
    assert!(decode("JsonConverter", PLAIN, Some(b"\"\xff\"")).unwrap_err().starts_with("json.utf8"));
    let fits = format!("{}{}", "[".repeat(1000), "]".repeat(1000));
    assert!(decode("JsonConverter", PLAIN, Some(fits.as_bytes())).is_ok());
}

fn envelope(schema: &str, payload: &str) -> String {
    format!(r#"{{"schema":{schema},"payload":{payload}}}"#)
}

const PERSON: &str = r#"{"type":"struct","fields":[{"type":"string","optional":false,"field":"name"},{"type":"int32","optional":true,"field":"age"},{"type":"int8","optional":false,"default":7,"field":"n"}],"optional":false,"name":"Person","version":3}"#;

#[test]
fn an_envelope_gives_its_payload_and_schema() {
    let exact = r#"{"name":"x","age":null,"n":1}"#;
    let table = [
        (PERSON, exact, exact),
        (PERSON, r#"{"n":1,"age":2,"name":"x"}"#, r#"{"n":1,"age":2,"name":"x"}"#),
        (PERSON, r#"{"name":"x","n":null}"#, r#"{"name":"x","age":null,"n":7}"#),
        (PERSON, r#"{"name":"x","age":1.0,"extra":[{}],"n":1}"#, r#"{"name":"x","age":1,"n":1}"#),
        (PERSON, r#"{"name":"x","name":"y","age":3,"n":1}"#, r#"{"name":"y","age":3,"n":1}"#),
        (r#"{"type":"bytes","optional":false}"#, r#""AJw=""#, r#""AJw=""#),
        (r#"{"type":"double","optional":false}"#, r#""NaN""#, r#""NaN""#),
        (
            r#"{"type":"map","keys":{"type":"int32","optional":false},"values":{"type":"string","optional":true},"optional":false}"#,
            r#"[[1,"a"],[2,null]]"#,
            r#"[[1,"a"],[2,null]]"#,
        ),
        (r#"{"type":"array","items":{"type":"int64","optional":false},"optional":false}"#, "[1, 2]", "[1, 2]"),
        (
            r#"{"type":"bytes","optional":false,"name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2"}}"#,
            "1.56",
            r#""AJw=""#,
        ),
        (
            r#"{"type":"int32","optional":false,"name":"org.apache.kafka.connect.data.Time","version":1}"#,
            "86400000",
            "86400000",
        ),
        (r#"{"type":"int32","optional":false}"#, "007", "7"),
    ];
    for (schema, payload, expected) in table {
        let decoded = decode("JsonConverter", &[], Some(envelope(schema, payload).as_bytes()));
        assert_eq!(decoded, Ok((Some(expected.to_owned()), schema.to_owned())), "{payload}");
        let swapped = format!(r#"{{ "payload" : {payload} , "schema" : {schema} }} x"#);
        let decoded = decode("JsonConverter", &[], Some(swapped.as_bytes()));
        assert_eq!(decoded, Ok((Some(expected.to_owned()), schema.to_owned())), "{payload}");
    }
    let optional = r#"{"type":"string","optional":true}"#;
    let null = decode("JsonConverter", &[], Some(envelope(optional, "null").as_bytes()));
    assert_eq!(null, Ok((None, optional.to_owned())));
    let schemaless = decode("JsonConverter", &[], Some(envelope("null", "{\"a\":1}").as_bytes()));
    assert_eq!(schemaless, Ok((Some("{\"a\":1}".to_owned()), String::new())));
    assert_eq!(decode("JsonConverter", &[], None), Ok((None, String::new())));
}

#[test]
fn what_does_not_fit_is_a_fault() {
    let int8 = r#"{"type":"int8","optional":false}"#;
    let table = [
        ("", "json.envelope"),
        ("5", "json.envelope"),
        (r#"{"a":1}"#, "json.envelope"),
        (r#"{"schema":null}"#, "json.envelope"),
        (r#"{"schema":null,"payload":1,"more":1}"#, "json.envelope"),
        (&envelope("{}", "1"), "schema.invalid"),
        (&envelope(r#"{"type":"INT8"}"#, "1"), "schema.invalid"),
        (&envelope(r#"{"type":"array"}"#, "[]"), "schema.invalid"),
        (&envelope(r#"{"type":"struct","fields":{}}"#, "{}"), "schema.invalid"),
        (&envelope(r#"{"type":"struct","fields":[{"type":"int8"}]}"#, "{}"), "schema.invalid"),
        (&envelope(r#"{"type":"int8","default":null}"#, "1"), "schema.invalid"),
        (&envelope(r#"{"type":"int8","parameters":{"a":1}}"#, "1"), "schema.invalid"),
        (&envelope(r#"{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal"}"#, "1"), "schema.invalid"),
        (&envelope(int8, "null"), "schema.mismatch: Invalid null value for required INT8 field"),
        (&envelope(int8, "128"), "schema.mismatch"),
        (&envelope(int8, "1.5"), "schema.mismatch"),
        (&envelope(int8, "\"1\""), "schema.mismatch"),
        (&envelope(int8, "1e400"), "schema.mismatch"),
        (&envelope(r#"{"type":"float"}"#, "1e39"), "schema.mismatch"),
        (&envelope(r#"{"type":"bytes"}"#, "\"a\""), "schema.mismatch"),
        (
            &envelope(r#"{"type":"map","keys":{"type":"string"},"values":{"type":"int8"}}"#, "[]"),
            "schema.mismatch: Maps with string",
        ),
        (&envelope(r#"{"type":"int32","name":"org.apache.kafka.connect.data.Time"}"#, "86400001"), "schema.mismatch"),
        (&envelope(PERSON, "{}"), "schema.mismatch: Invalid null value for required STRING field"),
        (&envelope(PERSON, "[]"), "schema.mismatch: Structs should be encoded as JSON objects"),
        (&envelope(int8, "1").replace('}', ""), "json.syntax"),
    ];
    for (text, code) in table {
        let fault = decode("JsonConverter", &[], Some(text.as_bytes())).unwrap_err();
        assert!(fault.starts_with(code), "{text}: {fault}");
    }
}

#[test]
fn a_payload_of_the_same_schema_is_not_copied() {
    let texts: Vec<String> = (0..5).map(|n| envelope(PERSON, &format!(r#"{{"name":"x","age":{n},"n":1}}"#))).collect();
    let values: Vec<Option<&[u8]>> = texts.iter().map(|t| Some(t.as_bytes())).collect();
    let mut batch = batch(&values);
    let size = batch.data.len();
    let json = converter("JsonConverter", &[], Role::Value);
    let simple = converter("SimpleHeaderConverter", &[], Role::Header);
    let formats = Formats { value: Encoding::Json, ..Formats::BYTES };
    let mut decode = Decode::new(json.clone(), json, simple, formats);
    assert!(decode.batch(&mut batch).is_empty());
    assert_eq!(batch.data.len(), size);
    assert_eq!(batch.schemas.len(), 1);
    assert_eq!(batch.bytes(batch.rows[4].value).unwrap(), br#"{"name":"x","age":4,"n":1}"#);
    assert!(batch.rows.iter().all(|row| row.value_schema == 1));
}

#[test]
fn a_configured_schema_takes_bare_payloads() {
    let settings = [("schema.content", PERSON)];
    let decoded = decode("JsonConverter", &settings, Some(br#"{"name":"x"}"#));
    assert_eq!(decoded, Ok((Some(r#"{"name":"x","age":null,"n":7}"#.to_owned()), PERSON.to_owned())));
    assert!(decode("JsonConverter", &settings, Some(b"{}")).is_err());
}

#[test]
fn the_other_converters_read_their_bytes() {
    let opt = |of: &str| format!(r#"{{"type":"{of}","optional":true}}"#);
    let table: [(&str, &[u8], &str, &str); 9] = [
        ("StringConverter", "a\"\u{1f600}\n/".as_bytes(), r#""a\"\uD83D\uDE00\n/""#, "string"),
        ("StringConverter", b"\xff", "\"\u{fffd}\"", "string"),
        ("ByteArrayConverter", &[0, 0x9c], "\"AJw=\"", "bytes"),
        ("BooleanConverter", &[1], "true", "boolean"),
        ("ShortConverter", &[0xff, 0xfe], "-2", "int16"),
        ("IntegerConverter", &[0, 0, 1, 0], "256", "int32"),
        ("LongConverter", &[0, 0, 0, 0, 0, 0, 0, 5], "5", "int64"),
        ("FloatConverter", &0.1_f32.to_be_bytes(), "0.1", "float"),
        ("DoubleConverter", &1e7_f64.to_be_bytes(), "1.0E7", "double"),
    ];
    for (class, bytes, payload, schema) in table {
        assert_eq!(decode(class, &[], Some(bytes)), Ok((Some(payload.to_owned()), opt(schema))), "{class}");
        assert_eq!(decode(class, &[], None), Ok((None, opt(schema))), "{class}");
    }
    for class in ["BooleanConverter", "ShortConverter", "IntegerConverter", "LongConverter", "FloatConverter"] {
        assert!(decode(class, &[], Some(b"123")).unwrap_err().starts_with("primitive.size"));
    }
    assert!(decode("BooleanConverter", &[], Some(&[2])).is_err());
    let utf16 = [("converter.encoding", "UTF-16")];
    assert_eq!(decode("StringConverter", &utf16, Some(&[0xfe, 0xff, 0, 0xe4])).unwrap().0.unwrap(), "\"ä\"");
}

#[test]
fn headers_are_typed_and_fail_on_their_own_stage() {
    let mut batch = batch(&[Some(b"1"), Some(b"2")]);
    for (index, text) in ["42", "x"].into_iter().enumerate() {
        let name = batch.push_bytes(Some(b"h"));
        let value = batch.push_bytes(Some(text.as_bytes()));
        batch.headers.push(HeaderRow { name_offset: name.offset, name_len: 1, schema: 0, value });
        batch.rows[index].header_first = u32::try_from(index).unwrap();
        batch.rows[index].header_count = 1;
    }
    let bytes = converter("ByteArrayConverter", &[], Role::Key);
    let formats = Formats { header: Encoding::Json, ..Formats::BYTES };
    let simple = converter("SimpleHeaderConverter", &[], Role::Header);
    assert!(Decode::new(bytes.clone(), bytes.clone(), simple, formats).batch(&mut batch).is_empty());
    assert_eq!(batch.bytes(batch.headers[0].value).unwrap(), b"42");
    let schema = batch.schemas.definition(u32::from(batch.headers[0].schema)).unwrap();
    assert_eq!(&*schema, r#"{"type":"int8","optional":false}"#);
    assert_eq!(batch.bytes(batch.headers[1].value).unwrap(), b"\"x\"");
    let integer = converter("IntegerConverter", &[], Role::Header);
    let failed = Decode::new(bytes.clone(), bytes.clone(), integer, formats).batch(&mut batch);
    assert_eq!(
        failed.iter().map(|(stage, f)| (*stage, f.row)).collect::<Vec<_>>(),
        [(Stage::HeaderConverter, 0), (Stage::HeaderConverter, 1)]
    );
    assert!(Decode::new(bytes.clone(), bytes.clone(), bytes, Formats::BYTES).is_identity());
}

#[test]
fn the_deepest_document_fits_the_stack() {
    let text = format!("{}{}", "[".repeat(1000), "]".repeat(1000));
    assert!(decode_as(Encoding::Cbor, "JsonConverter", PLAIN, Some(text.as_bytes())).is_ok());
    let schema =
        (0..490).fold(r#"{"type":"int8"}"#.to_owned(), |inner, _| format!(r#"{{"type":"array","items":{inner}}}"#));
    let nested = envelope(&schema, &format!("{}007{}", "[".repeat(490), "]".repeat(490)));
    assert!(decode("JsonConverter", &[], Some(nested.as_bytes())).is_ok());
    let cbor = [&[0x81_u8; 1000][..], &[1]].concat();
    assert!(crate::value::Value::from_cbor(&cbor, None).is_ok());
    assert!(crate::value::Value::from_cbor(&vec![0x81; 1_000_000], None).is_err());
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64), text in "[\\[\\]{}\",:0-9eE.+truefalsn\\\\u-]{0,40}") {
        for input in [&bytes[..], text.as_bytes(), envelope(PERSON, &text).as_bytes(), envelope(&text, "1").as_bytes()] {
            for class in ["JsonConverter", "StringConverter", "IntegerConverter"] {
                drop(decode(class, &[], Some(input)));
                drop(decode_as(Encoding::Cbor, class, PLAIN, Some(input)));
            }
            drop(decode("JsonConverter", PLAIN, Some(input)));
            drop(crate::value::Value::from_cbor(input, None));
            drop(crate::values::parse(&String::from_utf8_lossy(input)));
        }
    }

    #[test]
    fn the_scanner_takes_what_the_tree_takes(text in "[\\[\\]{}\",:0-9eE.a\\\\u -]{0,24}") {
        let scanned = decode("JsonConverter", PLAIN, Some(text.as_bytes())).is_ok();
        let parsed = crate::json::Json::parse(text.as_bytes()).is_ok() || text.is_empty();
        prop_assert_eq!(scanned, parsed);
    }
}
