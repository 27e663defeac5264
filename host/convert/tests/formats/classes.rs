//! Names and settings of the registry converters for Protobuf and JSON Schema, and records of other clients.
//!
//! Enters: classes, settings, registered schemas with references. Leaves: payloads, or what is wrong. Invariant: all problems of
//! the settings are named at once, by their keys.

use indexmap::IndexMap;
use lockgate_convert::registry::{Draft, MemoryRegistry, Reference, SchemaType};
use lockgate_convert::{ConvertConfigError, Converter, Role};
use lockgate_model::batch::Encoding;

use crate::rig::{Rig, decoded, encoded};
use crate::seeds::{framed, register};

const URL: (&str, &str) = ("schema.registry.url", "mock://formats");

fn configured(class: &str, settings: &[(&str, &str)]) -> Result<String, Vec<String>> {
    let settings: IndexMap<String, String> = settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    match Converter::configure(class, &settings, Role::Value) {
        Ok(converter) => Ok(converter.class()),
        Err(ConvertConfigError::Settings(problems)) => Err(problems.into_iter().map(|(key, _)| key).collect()),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn classes_have_full_simple_and_short_names() {
    for full in ["io.confluent.connect.protobuf.ProtobufConverter", "io.confluent.connect.json.JsonSchemaConverter"] {
        let simple = full.rsplit('.').next().unwrap();
        for name in [full, simple, simple.strip_suffix("Converter").unwrap()] {
            assert_eq!(configured(name, &[URL]).unwrap(), full, "{name}");
        }
    }
}

#[test]
fn settings_that_cannot_be_are_named_all_at_once() {
    let flags = [
        "enhanced.protobuf.schema.support",
        "scrub.invalid.names",
        "int.for.enums",
        "optional.for.nullables",
        "optional.for.proto2",
        "wrapper.for.nullables",
        "wrapper.for.raw.primitives",
        "generate.struct.for.nulls",
        "generate.index.for.unions",
        "flatten.unions",
        "generalized.sum.type.support",
    ];
    let wrong: Vec<(&str, &str)> = flags.iter().map(|flag| (*flag, "maybe")).collect();
    let mut found = configured("ProtobufConverter", &wrong).unwrap_err();
    assert_eq!(found.pop().as_deref(), Some("schema.registry.url"));
    assert_eq!(found, flags);
    let right: Vec<(&str, &str)> = flags.iter().map(|flag| (*flag, "true")).chain([URL]).collect();
    assert!(configured("ProtobufConverter", &right).is_ok());
    let wrong =
        [URL, ("use.optional.for.nonrequired", "1"), ("json.fail.invalid.schema", "yes"), ("decimal.format", "HEX")];
    let found = configured("JsonSchemaConverter", &wrong).unwrap_err();
    assert_eq!(found, ["use.optional.for.nonrequired", "json.fail.invalid.schema", "decimal.format"]);
}

fn referring(registry: &MemoryRegistry, schema_type: SchemaType, text: &str, name: &str, other: &str) -> u32 {
    let draft = |text: &str, references| Draft { schema_type, text: text.into(), references, record: None };
    registry.register("other", &draft(other, Vec::new())).unwrap();
    let reference = Reference { name: name.to_owned(), subject: "other".to_owned(), version: 1 };
    registry.register("t-value", &draft(text, vec![reference])).unwrap()
}

#[test]
fn records_of_others_are_read_with_their_references_and_indexes() {
    let rig = Rig::new("ProtobufConverter", &[]);
    let text = "syntax = \"proto3\"; package shop; import \"money.proto\"; message Unused {} \
        message Order { message Item { string name = 1; Money price = 2; } }";
    let money = "syntax = \"proto3\"; package shop; message Money { int64 cents = 1; }";
    let id = referring(&rig.registry, SchemaType::Protobuf, text, "money.proto", money);
    let mut decode = rig.decode(Encoding::Json);
    let mut read = |bytes: &[u8]| decoded(&mut decode, Some(&framed(id, bytes)));
    let (payload, schema) = read(&[4, 2, 0, 0x0a, 1, b'x', 0x12, 2, 0x08, 5, 0x78, 1]).unwrap();
    assert_eq!(payload.unwrap(), br#"{"name":"x","price":{"cents":5}}"#);
    assert!(schema.contains("\"name\":\"Item\",\"version\":1"), "{schema}");
    assert_eq!(read(&[0]).unwrap().0.unwrap(), b"{}");
    for (bytes, code) in [
        (&[4, 2, 0, 0x0a, 5, b'x'][..], "protobuf.syntax"),
        (&[6, 2, 0][..], "protobuf.index"),
        (&[2, 8][..], "protobuf.index"),
        (&[][..], "protobuf.index"),
        (&[4, 2, 0, 0x0a, 1, 0xff][..], "protobuf.utf8"),
    ] {
        let fault = read(bytes).unwrap_err();
        assert!(fault.starts_with(code), "{fault}");
    }

    let rig = Rig::new("JsonSchemaConverter", &[]);
    let text = r#"{"type":"object","title":"R","properties":{"a":{"$ref":"other.json"}}}"#;
    let id = referring(&rig.registry, SchemaType::Json, text, "other.json", r#"{"type":"integer"}"#);
    let (payload, schema) = decoded(&mut rig.decode(Encoding::Json), Some(&framed(id, b"{\"a\":1}"))).unwrap();
    assert_eq!(payload.unwrap(), b"{\"a\":1}");
    assert!(schema.ends_with("\"optional\":false,\"name\":\"R\",\"version\":1}"), "{schema}");
}

#[test]
fn the_newest_schema_of_a_subject_is_written_with_where_that_is_asked() {
    let latest = [("auto.register.schemas", "false"), ("use.latest.version", "true")];
    let rig = Rig::new("ProtobufConverter", &latest);
    let id = register(
        &rig.registry,
        SchemaType::Protobuf,
        "syntax = \"proto3\"; message Any { message R { int64 a = 9; } }",
    );
    let schema = r#"{"type":"struct","name":"Any.R","fields":[{"type":"int32","field":"a"}]}"#;
    let bytes = encoded(&mut rig.encode(Encoding::Json), Some(b"{\"a\":1}"), schema).unwrap().unwrap();
    assert_eq!(bytes, framed(id, &[4, 0, 0, 0x48, 1]));
    let other = r#"{"type":"struct","name":"Any.R","fields":[{"type":"int32","field":"b"}]}"#;
    let fault = encoded(&mut rig.encode(Encoding::Json), Some(b"{\"b\":1}"), other).unwrap_err();
    assert!(fault.contains("Cannot find field with name b"), "{fault}");
}
