//! Rows of the reference in both directions, round trips, and what no input may do.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use indexmap::IndexMap;
use lockgate_model::batch::Encoding;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::AvroOptions;
use crate::fault::DataFault;
use crate::registry::{Format, Referenced, Registered, SchemaType};
use crate::registry_options::Settings;
use crate::schema::{Attributes, DATE, DECIMAL, Field, Schema, TIME, TIMESTAMP, Type};
use crate::value::{Decimal, Value};

fn format(settings: &[(&str, &str)]) -> Arc<dyn Format> {
    let given: IndexMap<String, String> = settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    AvroOptions::parse(&mut Settings::new(&given))
}

fn registered(text: &str) -> Registered {
    Registered {
        id: 1,
        schema_type: SchemaType::Avro,
        text: text.into(),
        references: Vec::new(),
        referenced: Vec::new(),
        version: None,
    }
}

/// Connect's schema of an Avro one, as the text of the envelope.
fn to_connect(settings: &[(&str, &str)], text: &str) -> Result<String, String> {
    read(settings, &registered(text), &[0; 64]).map(|(schema, _)| schema)
}

/// Schema and JSON payload of data.
fn read(settings: &[(&str, &str)], schema: &Registered, bytes: &[u8]) -> Result<(String, String), String> {
    let text = |fault: DataFault| format!("{}: {}", fault.code, fault.message);
    let mut reader = format(settings).reader(schema).map_err(text)?;
    let mut out = Vec::new();
    let read = reader.read(bytes, Encoding::Json, &mut out).map_err(text)?;
    Ok((read.schema.map_or(String::new(), |s| s.to_json()), String::from_utf8(out).unwrap()))
}

fn draft(settings: &[(&str, &str)], schema: &str) -> Result<Json, String> {
    let schema = Schema::parse(schema).unwrap();
    let draft = format(settings).draft(Some(&schema)).map_err(|fault| fault.message)?;
    Ok(serde_json::from_str(&draft.text).unwrap())
}

/// Writes a payload with its own draft; the bytes behind the frame.
fn write(settings: &[(&str, &str)], schema: Option<&str>, payload: &str) -> Result<(String, Vec<u8>), String> {
    let schema = schema.map(|text| Arc::new(Schema::parse(text).unwrap()));
    let format = format(settings);
    let text = |fault: DataFault| fault.message;
    let draft = format.draft(schema.as_deref()).map_err(text)?;
    let value = Value::from_json(payload.as_bytes(), schema.as_deref()).map_err(text)?;
    let mut out = Vec::new();
    let mut writer = format.writer(schema.as_ref(), &registered(&draft.text)).map_err(text)?;
    writer.write(&value, &mut out).map_err(text)?;
    Ok((draft.text.to_string(), out))
}

const GENERAL: &[(&str, &str)] = &[("generalized.sum.type.support", "true")];
const ENHANCED: &[(&str, &str)] = &[("enhanced.avro.schema.support", "true")];

#[test]
fn connect_types_become_avro_types_with_their_annotations() {
    let table = [
        (r#"{"type":"int8"}"#, json!({"type":"int","connect.type":"int8"})),
        (r#"{"type":"int16"}"#, json!({"type":"int","connect.type":"int16"})),
        (r#"{"type":"int32"}"#, json!("int")),
        (r#"{"type":"int64"}"#, json!("long")),
        (r#"{"type":"float"}"#, json!("float")),
        (r#"{"type":"double"}"#, json!("double")),
        (r#"{"type":"boolean"}"#, json!("boolean")),
        (r#"{"type":"string"}"#, json!("string")),
        (r#"{"type":"bytes"}"#, json!("bytes")),
        (r#"{"type":"string","optional":true}"#, json!(["null", "string"])),
        (
            r#"{"type":"string","optional":true,"default":"a"}"#,
            json!([{"type":"string","connect.default":"a"}, "null"]),
        ),
        (
            r#"{"type":"string","name":"N","version":3,"doc":"D","parameters":{"p":"q"}}"#,
            json!({"type":"string","connect.doc":"D","connect.version":3,"connect.parameters":{"p":"q"},"connect.name":"N"}),
        ),
        (r#"{"type":"array","items":{"type":"int32"}}"#, json!({"type":"array","items":"int"})),
        (r#"{"type":"map","keys":{"type":"string"},"values":{"type":"int64"}}"#, json!({"type":"map","values":"long"})),
        (
            r#"{"type":"map","keys":{"type":"int32"},"values":{"type":"int64"}}"#,
            json!({"type":"array","items":{"type":"record","name":"MapEntry","namespace":"io.confluent.connect.avro",
                "fields":[{"name":"key","type":"int"},{"name":"value","type":"long"}]}}),
        ),
        (
            r#"{"type":"map","keys":{"type":"int32"},"values":{"type":"int64"},"name":"a.M"}"#,
            json!({"type":"array","items":{"type":"record","name":"M","namespace":"a",
                "fields":[{"name":"key","type":"int"},{"name":"value","type":"long"}],"connect.internal.type":"MapEntry"},
                "connect.name":"a.M"}),
        ),
        (
            r#"{"type":"struct","fields":[{"type":"int32","field":"a"},{"type":"string","optional":true,"field":"b"},
                {"type":"int64","default":7,"field":"c"}]}"#,
            json!({"type":"record","name":"ConnectDefault","namespace":"io.confluent.connect.avro","fields":[
                {"name":"a","type":"int"},{"name":"b","type":["null","string"],"default":null},
                {"name":"c","type":{"type":"long","connect.default":7},"default":7}]}),
        ),
        (
            r#"{"type":"struct","name":"a.b.C","fields":[{"type":"struct","name":"a.b.D","fields":[],"field":"d"},
                {"type":"struct","name":"a.b.D","optional":true,"fields":[],"field":"e"}]}"#,
            json!({"type":"record","name":"C","namespace":"a.b","fields":[
                {"name":"d","type":{"type":"record","name":"D","fields":[],"connect.name":"a.b.D"}},
                {"name":"e","type":["null","D"],"default":null}],"connect.name":"a.b.C"}),
        ),
    ];
    for (schema, avro) in table {
        assert_eq!(draft(&[], schema), Ok(avro), "{schema}");
    }
}

#[test]
fn logical_types_become_avros() {
    let table = [
        (
            r#"{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2"}}"#,
            r#"{"type":"bytes","scale":2,"precision":64,"connect.version":1,"connect.parameters":{"scale":"2"},"connect.name":"org.apache.kafka.connect.data.Decimal","logicalType":"decimal"}"#,
        ),
        (
            r#"{"type":"int32","name":"org.apache.kafka.connect.data.Date","version":1}"#,
            r#"{"type":"int","connect.version":1,"connect.name":"org.apache.kafka.connect.data.Date","logicalType":"date"}"#,
        ),
        (
            r#"{"type":"int32","name":"org.apache.kafka.connect.data.Time","version":1}"#,
            r#"{"type":"int","connect.version":1,"connect.name":"org.apache.kafka.connect.data.Time","logicalType":"time-millis"}"#,
        ),
        (
            r#"{"type":"int64","name":"org.apache.kafka.connect.data.Timestamp","version":1}"#,
            r#"{"type":"long","connect.version":1,"connect.name":"org.apache.kafka.connect.data.Timestamp","logicalType":"timestamp-millis"}"#,
        ),
    ];
    for (schema, avro) in table {
        let schema = Schema::parse(schema).unwrap();
        // The text itself: a registry that compares texts gives the same id as for other converters.
        assert_eq!(&*format(&[]).draft(Some(&schema)).unwrap().text, avro);
        let back = to_connect(&[], avro).unwrap();
        assert_eq!(Schema::parse(&back).unwrap(), schema, "{avro}");
    }
}

#[test]
fn avro_types_become_connect_types() {
    let table = [
        (r#""int""#, r#"{"type":"int32","optional":false}"#),
        ("string", r#"{"type":"string","optional":false}"#),
        (r#"{"type":"int","connect.type":"int16"}"#, r#"{"type":"int16","optional":false}"#),
        (r#"["null","long"]"#, r#"{"type":"int64","optional":true}"#),
        (r#"[{"type":"string","connect.default":"x"},"null"]"#, r#"{"type":"string","optional":true,"default":"x"}"#),
        (r#"["string"]"#, r#"{"type":"string","optional":false}"#),
        (r#"{"type":"long","logicalType":"timestamp-micros"}"#, r#"{"type":"int64","optional":false}"#),
        (r#"{"type":"long","logicalType":"local-timestamp-millis"}"#, r#"{"type":"int64","optional":false}"#),
        (r#"{"type":"string","logicalType":"uuid"}"#, r#"{"type":"string","optional":false}"#),
        (
            r#"{"type":"bytes","logicalType":"decimal","precision":9}"#,
            r#"{"type":"bytes","optional":false,"name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"0","connect.decimal.precision":"9"}}"#,
        ),
        (
            r#"{"type":"fixed","name":"a.F","size":4}"#,
            r#"{"type":"bytes","optional":false,"name":"a.F","parameters":{"connect.fixed.size":"4"}}"#,
        ),
        (
            r#"{"type":"enum","name":"a.E","symbols":["X","Y"],"doc":"d","default":"X"}"#,
            r#"{"type":"string","optional":false,"name":"a.E","parameters":{"io.confluent.connect.avro.enum.doc.E":"d","io.confluent.connect.avro.enum.default.E":"X","io.confluent.connect.avro.Enum":"a.E","io.confluent.connect.avro.Enum.X":"X","io.confluent.connect.avro.Enum.Y":"Y"}}"#,
        ),
        (
            r#"{"type":"record","name":"R","namespace":"n","doc":"rd","avro.java.x":"y","fields":[{"name":"f","type":"int","doc":"fd","default":5}]}"#,
            r#"{"type":"struct","fields":[{"type":"int32","optional":false,"parameters":{"io.confluent.connect.avro.field.default":"true"},"default":5,"field":"f"}],"optional":false,"name":"n.R","parameters":{"io.confluent.connect.avro.record.doc":"rd","io.confluent.connect.avro.field.doc.f":"fd","avro.java.x":"y"}}"#,
        ),
        (
            r#"{"type":"record","name":"ConnectDefault2","namespace":"io.confluent.connect.avro","fields":[]}"#,
            r#"{"type":"struct","fields":[],"optional":false}"#,
        ),
        (
            r#"["null","int",{"type":"record","name":"a.R","fields":[]}]"#,
            r#"{"type":"struct","fields":[{"type":"int32","optional":true,"field":"int"},{"type":"struct","fields":[],"optional":true,"name":"a.R","field":"R"}],"optional":true,"name":"io.confluent.connect.avro.Union"}"#,
        ),
    ];
    for (avro, schema) in table {
        assert_eq!(to_connect(&[], avro).as_deref(), Ok(schema), "{avro}");
    }
    let sum = r#"["null","int",{"type":"record","name":"a.R","fields":[]}]"#;
    assert!(to_connect(ENHANCED, sum).unwrap().contains(r#""field":"a.R""#));
    let general = to_connect(GENERAL, sum).unwrap();
    assert!(general.contains(r#""field":"connect_union_field_1""#) && general.contains(r#""name":"connect_union_0""#));
    let general = to_connect(GENERAL, r#"{"type":"enum","name":"E","symbols":["X","Y"]}"#).unwrap();
    assert!(general.contains(r#""org.apache.kafka.connect.data.Enum.Y":"1""#), "{general}");
}

#[test]
fn what_connect_cannot_say_is_refused_with_a_reason() {
    for (avro, why) in [
        (r#""null""#, "Standalone null schemas are not supported"),
        (r#"{"type":"int","connect.type":"int99"}"#, "annotation for Avro int field"),
        (r#"{"type":"string","connect.version":"one"}"#, "Invalid Connect version"),
        (r#"{"type":"string","connect.parameters":{"a":1}}"#, "parameter values to be strings"),
        (r#"{"type":"int","logicalType":"date","connect.version":2}"#, "Mismatched versions"),
        (r#"{"type":"int","logicalType":"date","connect.name":"Other"}"#, "Mismatched names"),
        (r#"["int","null",{"type":"int"}]"#, "Multiple union schemas map to the Connect union field name"),
        (r#"{"type":"record","name":"R"}"#, "a record without fields"),
        (r#"{"type":"array","items":"Unknown"}"#, "`Unknown` is not defined"),
        (r#"{"type":"array"}"#, "`items` is missing"),
        ("{", "no valid Avro schema"),
    ] {
        let found = to_connect(&[], avro).unwrap_err();
        assert!(found.contains(why), "{avro}: {found}");
    }
    let deep = "[".repeat(5000);
    assert!(to_connect(&[], &deep).is_err());
}

#[test]
fn the_version_is_the_annotation_or_the_registrys() {
    let version = |text: &str, version| {
        let schema = Registered { version, ..registered(text) };
        Schema::parse(&read(&[], &schema, &[0; 9]).unwrap().0).unwrap().attributes().version
    };
    assert_eq!(version(r#""int""#, Some(7)), Some(7));
    assert_eq!(version(r#"{"type":"int","connect.version":2}"#, Some(7)), Some(2));
    assert_eq!(version(r#""int""#, None), None);
}

#[test]
fn data_is_written_as_the_specification_says_and_read_back() {
    let date = r#"{"type":"int32","name":"org.apache.kafka.connect.data.Date","version":1}"#;
    let decimal =
        r#"{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2"}}"#;
    let table: [(&str, &str, &[u8]); 17] = [
        (r#"{"type":"int32"}"#, "-1", &[1]),
        (r#"{"type":"int8"}"#, "-128", &[0xff, 1]),
        (r#"{"type":"int64"}"#, "-9223372036854775808", &[255, 255, 255, 255, 255, 255, 255, 255, 255, 1]),
        (r#"{"type":"boolean"}"#, "true", &[1]),
        (r#"{"type":"float"}"#, "1.5", &[0, 0, 0xc0, 0x3f]),
        (r#"{"type":"double"}"#, r#""NaN""#, &[0, 0, 0, 0, 0, 0, 0xf8, 0x7f]),
        (r#"{"type":"string"}"#, r#""aé""#, &[6, b'a', 0xc3, 0xa9]),
        // Bytes alone have no length in front.
        (r#"{"type":"bytes"}"#, r#""AQI=""#, &[1, 2]),
        (r#"{"type":"bytes","optional":true}"#, r#""AQI=""#, &[2, 4, 1, 2]),
        (decimal, r#""AJw=""#, &[0, 0x9c]),
        (date, "19000", &[0xf0, 0xa8, 2]),
        (r#"{"type":"array","items":{"type":"int32","optional":true}}"#, "[1,null]", &[4, 2, 2, 0, 0]),
        (r#"{"type":"array","items":{"type":"int32"}}"#, "[]", &[0]),
        (r#"{"type":"map","keys":{"type":"string"},"values":{"type":"int32"}}"#, r#"{"a":1}"#, &[2, 2, b'a', 2, 0]),
        (r#"{"type":"map","keys":{"type":"int32"},"values":{"type":"int32"}}"#, "[[1,2],[3,4]]", &[4, 2, 4, 6, 8, 0]),
        (
            r#"{"type":"map","keys":{"type":"string","optional":true},"values":{"type":"int32"}}"#,
            r#"{"a":1}"#,
            &[2, 2, 2, b'a', 2, 0],
        ),
        (
            r#"{"type":"struct","fields":[{"type":"int32","field":"a"},{"type":"string","optional":true,"field":"b"}]}"#,
            r#"{"a":3,"b":null}"#,
            &[6, 0],
        ),
    ];
    for (schema, payload, bytes) in table {
        let (text, written) = write(&[], Some(schema), payload).unwrap();
        assert_eq!(written, bytes, "{schema}");
        let (back, read) = read(&[], &registered(&text), bytes).unwrap();
        assert_eq!(read, payload, "{schema}");
        let again = Schema::parse(&back).unwrap();
        assert_eq!(again, Schema::parse(schema).unwrap(), "{text}");
    }
}

#[test]
fn unions_enums_and_fixed_make_the_round_trip() {
    let record = r#"{"type":"record","name":"a.R","fields":[
        {"name":"u","type":["null","int",{"type":"enum","name":"a.E","symbols":["X","Y"]},{"type":"record","name":"a.S","fields":[{"name":"s","type":"string"}]}]},
        {"name":"f","type":{"type":"fixed","name":"a.F","size":2}},
        {"name":"d","type":{"type":"fixed","name":"a.D","size":3,"logicalType":"decimal","precision":5,"scale":1}}]}"#;
    let bytes = [4, 2, 9, 8, 0xff, 0xff, 0x85];
    for settings in [ENHANCED, GENERAL] {
        let (schema, payload) = read(settings, &registered(record), &bytes).unwrap();
        assert!(payload.contains(r#":"Y""#) && payload.ends_with(r#""f":"CQg=","d":"hQ=="}"#), "{payload}");
        let (text, written) = write(settings, Some(&schema), &payload).unwrap();
        assert_eq!(written, bytes, "{text}");
        assert!(text.contains(r#""type":"enum""#) && text.contains(r#""type":"fixed""#), "{text}");
    }
    // Without that support enums are plain text afterwards.
    let (schema, payload) =
        read(&[], &registered(r#"{"type":"enum","name":"a.E","symbols":["X","Y"]}"#), &[2]).unwrap();
    assert_eq!(payload, r#""Y""#);
    let (text, written) = write(&[], Some(&schema), &payload).unwrap();
    assert_eq!((text.starts_with(r#"{"type":"string""#), written.as_slice()), (true, &[2, b'Y'][..]));
}

#[test]
fn data_without_a_schema_travels_as_anything() {
    for payload in [r#"{"a":[1,"x",null,true,1.5],"b":{}}"#, "7", r#""text""#, "[]"] {
        let (text, bytes) = write(&[], None, payload).unwrap();
        let (schema, back) = read(&[], &registered(&text), &bytes).unwrap();
        let same = |text: &str| serde_json::from_str::<Json>(text).unwrap();
        assert_eq!((schema.as_str(), same(&back)), ("", same(payload)), "{back}");
        let mut cbor = Vec::new();
        format(&[]).reader(&registered(&text)).unwrap().read(&bytes, Encoding::Cbor, &mut cbor).unwrap();
        assert_eq!(Value::from_cbor(&cbor, None).unwrap(), Value::from_json(payload.as_bytes(), None).unwrap());
    }
}

#[test]
fn a_recursive_record_is_read_without_a_schema() {
    let list =
        r#"{"type":"record","name":"L","fields":[{"name":"v","type":"int"},{"name":"next","type":["null","L"]}]}"#;
    let (schema, payload) = read(&[], &registered(list), &[2, 2, 4, 0]).unwrap();
    assert_eq!((schema.as_str(), payload.as_str()), ("", r#"{"v":1,"next":{"v":2,"next":null}}"#));
    let endless = [2; 10_000];
    assert!(read(&[], &registered(list), &endless).unwrap_err().contains("deeper than 200 levels"));
}

#[test]
fn references_are_types_of_the_schema() {
    let mut schema = registered(r#"{"type":"record","name":"a.R","fields":[{"name":"s","type":"a.S"}]}"#);
    let text = r#"{"type":"record","name":"a.S","fields":[{"name":"i","type":"int"}]}"#;
    schema.referenced.push(Referenced { name: "a.S".into(), text: text.into() });
    assert_eq!(read(&[], &schema, &[8]).unwrap().1, r#"{"s":{"i":4}}"#);
}

#[test]
fn another_registered_schema_takes_fields_by_name_and_fills_in_defaults() {
    let own = Arc::new(
        Schema::parse(r#"{"type":"struct","fields":[{"type":"int32","field":"a"},{"type":"string","field":"b"}]}"#)
            .unwrap(),
    );
    let value = Value::Struct(vec![Value::Int32(1), Value::String("x".into())]);
    let with = |fields: &str| {
        let text = format!(r#"{{"type":"record","name":"R","fields":[{fields}]}}"#);
        let mut writer = format(&[]).writer(Some(&own), &registered(&text)).map_err(|fault| fault.code)?;
        let mut out = Vec::new();
        writer.write(&value, &mut out).unwrap();
        Ok::<_, &str>(out)
    };
    let more =
        r#"{"name":"b","type":["null","string"]},{"name":"c","type":"int","default":-1},{"name":"a","type":"long"}"#;
    assert_eq!(with(more), Ok(vec![2, 2, b'x', 1, 2]));
    assert_eq!(with(r#"{"name":"c","type":"int"}"#), Err("registry.incompatible"));
    assert_eq!(with(r#"{"name":"a","type":"string"}"#), Err("registry.incompatible"));
}

#[test]
fn names_that_avro_does_not_take_are_scrubbed_where_asked() {
    let schema = r#"{"type":"struct","name":"my-ns.2nd","fields":[{"type":"int32","field":"a-b"}]}"#;
    let (text, bytes) = write(&[("scrub.invalid.names", "true")], Some(schema), r#"{"a-b":1}"#).unwrap();
    assert!(text.contains(r#""name":"x2nd","namespace":"my_ns""#) && text.contains(r#""name":"a_b""#), "{text}");
    assert_eq!(bytes, [2]);
}

#[test]
fn metadata_is_left_out_where_asked() {
    let schema = r#"{"type":"int8","name":"N","doc":"D","default":1}"#;
    assert_eq!(draft(&[("connect.meta.data", "false")], schema), Ok(json!("int")));
    let discarded = draft(&[("discard.type.doc.default", "true")], schema).unwrap();
    assert_eq!(discarded, json!({"type":"int","connect.name":"N","connect.type":"int8"}));
    let optional = r#"{"type":"map","keys":{"type":"string","optional":true},"values":{"type":"int32"}}"#;
    assert_eq!(draft(&[("allow.optional.map.keys", "true")], optional), Ok(json!({"type":"map","values":"int"})));
}

#[test]
fn two_schemas_of_one_name_are_refused_and_unnamed_ones_are_numbered() {
    let two = r#"{"type":"struct","fields":[{"type":"struct","name":"X","fields":[],"field":"a"},
        {"type":"struct","name":"X","doc":"other","fields":[],"field":"b"}]}"#;
    assert!(draft(&[], two).unwrap_err().contains("Can't redefine: X"));
    let unnamed = r#"{"type":"struct","fields":[{"type":"struct","fields":[{"type":"int32","field":"i"}],"field":"a"},
        {"type":"struct","fields":[{"type":"int32","field":"i"}],"field":"b"}]}"#;
    let text = draft(&[], unnamed).unwrap().to_string();
    assert!(text.contains("ConnectDefault2") && !text.contains("ConnectDefault3"), "{text}");
}

#[test]
fn malformed_data_is_a_fault_with_a_reason() {
    let table: [(&str, &[u8], &str); 12] = [
        (r#""int""#, &[], "unexpected end"),
        (r#""int""#, &[0x80, 0x80], "unexpected end"),
        (r#""int""#, &[0xff; 11], "more than ten bytes"),
        (r#""int""#, &[0xff, 0xff, 0xff, 0xff, 0xff, 1], "more than 32 bits"),
        (r#""string""#, &[10, b'a'], "a length passes the end"),
        (r#""string""#, &[1], "a length is negative"),
        (r#""string""#, &[4, 0xc3, 0x28], "not UTF-8"),
        (r#"["null","int"]"#, &[8], "no such branch"),
        (r#"{"type":"enum","name":"E","symbols":["A"]}"#, &[2], "no such symbol"),
        (r#"{"type":"int","logicalType":"time-millis"}"#, &[1], "a time of day is negative"),
        (
            r#"{"type":"array","items":"int"}"#,
            &[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
            "unexpected end",
        ),
        // No item takes a byte, so only their number says that this is absurd.
        (
            r#"{"type":"array","items":{"type":"record","name":"E","fields":[]}}"#,
            &[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
            "items without bytes",
        ),
    ];
    for (schema, bytes, why) in table {
        let found = read(&[], &registered(schema), bytes).unwrap_err();
        assert!(found.starts_with("avro.data") && found.contains(why), "{schema}: {found}");
    }
}

/// Schemas of every kind, a few levels deep, and a value for each.
fn typed() -> impl Strategy<Value = (Schema, Value)> {
    let logical = |of, name: &str, parameters: Vec<(String, String)>| {
        let attributes =
            Attributes { name: Some(name.to_owned()), version: Some(1), parameters, ..Attributes::default() };
        Schema::new(of, attributes).unwrap()
    };
    let scale = vec![("scale".to_owned(), "3".to_owned())];
    let (decimal, date) = (logical(Type::Bytes, DECIMAL, scale), logical(Type::Int32, DATE, Vec::new()));
    let (time, timestamp) = (logical(Type::Int32, TIME, Vec::new()), logical(Type::Int64, TIMESTAMP, Vec::new()));
    let of = |of: Type| move |value: Value| (Schema::required(of.clone()), value);
    let named = |schema: Schema| move |value: Value| (schema.clone(), value);
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::Boolean).prop_map(of(Type::Boolean)),
        any::<i8>().prop_map(Value::Int8).prop_map(of(Type::Int8)),
        any::<i16>().prop_map(Value::Int16).prop_map(of(Type::Int16)),
        any::<i32>().prop_map(Value::Int32).prop_map(of(Type::Int32)),
        any::<i64>().prop_map(Value::Int64).prop_map(of(Type::Int64)),
        any::<f32>().prop_filter("equal", |x| !x.is_nan()).prop_map(Value::Float32).prop_map(of(Type::Float32)),
        any::<f64>().prop_filter("equal", |x| !x.is_nan()).prop_map(Value::Float64).prop_map(of(Type::Float64)),
        ".*".prop_map(Value::String).prop_map(of(Type::String)),
        prop::collection::vec(any::<u8>(), 0..9).prop_map(Value::Bytes).prop_map(of(Type::Bytes)),
        prop::collection::vec(any::<u8>(), 1..20)
            .prop_map(|bytes| Value::Decimal(Decimal::from_bytes(&bytes, 3).unwrap()))
            .prop_map(named(decimal)),
        any::<i32>().prop_map(Value::Date).prop_map(named(date)),
        (0..=86_400_000).prop_map(Value::Time).prop_map(named(time)),
        any::<i64>().prop_map(Value::Timestamp).prop_map(named(timestamp)),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|(schema, value)| {
                (Schema::required(Type::Array(Some(Arc::new(schema)))), Value::Array(vec![value; 2]))
            }),
            (inner.clone(), "[a-z]{1,4}").prop_map(|((schema, value), key)| {
                let keys = Arc::new(Schema::required(Type::String));
                let map = Value::Map(vec![(Value::String(key), value)]);
                (Schema::required(Type::Map(Some(keys), Some(Arc::new(schema)))), map)
            }),
            (inner.clone(), any::<i32>()).prop_map(|((schema, value), key)| {
                let keys = Arc::new(Schema::required(Type::Int32));
                let map = Value::Map(vec![(Value::Int32(key), value)]);
                (Schema::required(Type::Map(Some(keys), Some(Arc::new(schema)))), map)
            }),
            (prop::collection::vec((inner, any::<bool>()), 0..4), any::<u32>()).prop_map(|(fields, name)| {
                let values = fields.iter().map(|((_, v), null)| if *null { Value::Null } else { v.clone() }).collect();
                let field = |(at, ((schema, _), null)): (usize, ((Schema, Value), bool))| {
                    let attributes = Attributes { optional: null, ..schema.attributes().clone() };
                    let schema = Arc::new(Schema::new(schema.of().clone(), attributes).unwrap());
                    Field { name: format!("f{at}"), schema }
                };
                let fields = fields.into_iter().enumerate().map(field).collect();
                let attributes = Attributes { name: Some(format!("gen.S{name}")), ..Attributes::default() };
                (Schema::new(Type::Struct(fields), attributes).unwrap(), Value::Struct(values))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_value_comes_back_with_its_schema((schema, value) in typed()) {
        let schema = Arc::new(schema);
        let format = format(&[]);
        let draft = format.draft(Some(&schema)).unwrap();
        let registered = registered(&draft.text);
        let mut bytes = Vec::new();
        format.writer(Some(&schema), &registered).unwrap().write(&value, &mut bytes).unwrap();
        for encoding in [Encoding::Json, Encoding::Cbor] {
            let mut payload = Vec::new();
            let read = format.reader(&registered).unwrap().read(&bytes, encoding, &mut payload).unwrap();
            prop_assert_eq!(read.schema.as_deref(), Some(&*schema));
            let back = match encoding {
                Encoding::Cbor => Value::from_cbor(&payload, Some(&schema)),
                _ => Value::from_json(&payload, Some(&schema)),
            };
            prop_assert_eq!(back.as_ref(), Ok(&value));
            let mut same = Vec::new();
            if encoding == Encoding::Json {
                value.to_json(Some(&schema), &mut same).unwrap();
                prop_assert_eq!(String::from_utf8(payload), String::from_utf8(same));
            }
        }
        // A datum that was cut short is a fault or another value, never a panic.
        for end in 0..bytes.len() {
            let _ = format.reader(&registered).unwrap().read(&bytes[..end], Encoding::Json, &mut Vec::new());
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..64), cbor in any::<bool>()) {
        let schemas = [
            r#"{"type":"record","name":"a.R","fields":[{"name":"u","type":["null","int","string",{"type":"array","items":"a.R"}]},
                {"name":"m","type":{"type":"map","values":["null","double"]}},{"name":"t","type":{"type":"int","logicalType":"time-millis"}}]}"#,
            r#"{"type":"array","items":{"type":"record","name":"E","connect.internal.type":"MapEntry","fields":[
                {"name":"key","type":["null","string"]},{"name":"value","type":{"type":"fixed","name":"F","size":3,"logicalType":"decimal"}}]}}"#,
            super::names::ANYTHING_TEXT,
        ];
        for text in schemas {
            let encoding = if cbor { Encoding::Cbor } else { Encoding::Json };
            let mut out = Vec::new();
            let read = format(&[]).reader(&registered(text)).unwrap().read(&bytes, encoding, &mut out);
            if read.is_ok() && !cbor {
                prop_assert!(serde_json::from_slice::<Json>(&out).is_ok(), "{}", String::from_utf8_lossy(&out));
            }
        }
    }

    #[test]
    fn no_schema_text_makes_it_panic(text in r#"[\[\]{}",:a-z0-9 ]{0,80}"#) {
        let _ = to_connect(&[], &text);
    }
}
