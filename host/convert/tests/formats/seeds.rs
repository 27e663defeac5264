//! Good inputs for each decoder, which mutations start from.
//!
//! Enters: nothing. Leaves: texts of schemas and data written with them. Invariant: each is accepted as it stands.

use lockgate_convert::registry::{Draft, MemoryRegistry, SchemaType};

pub const AVRO: &str = r#"{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"b","type":["null","string"]},
    {"name":"c","type":{"type":"array","items":"double"}},{"name":"d","type":{"type":"map","values":"bytes"}},
    {"name":"e","type":{"type":"enum","name":"E","symbols":["X","Y"]}},{"name":"f","type":{"type":"fixed","name":"F","size":4}},
    {"name":"g","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}},{"name":"h","type":["int","string","R2"]}]}"#;

pub const PROTOBUF: &str = r#"syntax = "proto3";
import "google/protobuf/timestamp.proto";
import "google/type/date.proto";
import "confluent/type/decimal.proto";
message M {
  int32 a = 1; sint64 b = 2; string c = 3; repeated fixed32 d = 4; map<string, N> e = 5; N f = 6;
  oneof o { bool g = 7; bytes h = 8; } E i = 9; google.protobuf.Timestamp j = 10; google.type.Date k = 11;
  confluent.type.Decimal l = 12; repeated N m = 13; optional double n = 14; M o2 = 15;
}
message N { string x = 1; repeated sint32 y = 2; }
enum E { ZERO = 0; ONE = 1; }
"#;

pub const JSON_SCHEMA: &str = r##"{"type":"object","title":"R","properties":{"a":{"type":"integer","connect.type":"int32"},
    "b":{"oneOf":[{"type":"null"},{"type":"string"}]},"c":{"type":"array","items":{"type":"number"}},
    "d":{"type":"object","connect.type":"map","additionalProperties":{"type":"integer"}},"e":{"enum":["x",1,null]},
    "f":{"anyOf":[{"type":"integer"},{"type":"object","properties":{"p":{"type":"boolean"}}}]},"g":{},"h":{"$ref":"#"}}}"##;

pub const CONNECT: &str = r#"{"type":"struct","fields":[{"type":"int32","field":"a"},{"type":"string","optional":true,"field":"b"},
    {"type":"array","items":{"type":"double"},"field":"c"},{"type":"map","keys":{"type":"int64"},"values":{"type":"bytes"},"field":"d"},
    {"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","parameters":{"scale":"2"},"field":"e"}]}"#;

pub const JSON: &str = r#"{"a":1,"b":"x\u00e4\ud83d\ude00","c":[1.5,-2e10,3],"d":{"k":7},"e":"x","f":{"p":true},"g":[null,{}],"h":{"a":2}}"#;

/// A registry that has one schema of each format, with ids 1, 2 and 3.
pub fn registry() -> MemoryRegistry {
    let registry = MemoryRegistry::default();
    for (schema_type, text) in [
        (SchemaType::Avro, avro()),
        (SchemaType::Protobuf, PROTOBUF.to_owned()),
        (SchemaType::Json, JSON_SCHEMA.to_owned()),
    ] {
        register(&registry, schema_type, &text);
    }
    registry
}

/// The id of a text, good or not.
pub fn register(registry: &MemoryRegistry, schema_type: SchemaType, text: &str) -> u32 {
    let draft = Draft { schema_type, text: text.into(), references: Vec::new(), record: None };
    registry.register("t-value", &draft).unwrap()
}

/// The last type is one of the seed's own fields' names, so that the text is good.
fn avro() -> String {
    AVRO.replace("\"R2\"", "{\"type\":\"record\",\"name\":\"R2\",\"fields\":[]}")
}

/// A frame and what stands behind it.
pub fn framed(id: u32, payload: &[u8]) -> Vec<u8> {
    [&[0], id.to_be_bytes().as_slice(), payload].concat()
}

/// Protobuf: the message's index, then a message with most fields.
pub fn protobuf() -> Vec<u8> {
    let message: &[u8] = &[
        0x00, 0x08, 0x96, 0x01, 0x10, 0x03, 0x1a, 0x02, b'h', b'i', 0x22, 0x08, 1, 0, 0, 0, 2, 0, 0, 0, 0x2a, 0x07,
        0x0a, 0x01, b'k', 0x12, 0x02, 0x12, 0x00, 0x32, 0x05, 0x0a, 0x01, b'x', 0x12, 0x00, 0x42, 0x02, 0xff, 0x00,
        0x48, 0x01, 0x52, 0x02, 0x08, 0x05, 0x5a, 0x07, 0x08, 0xe8, 0x0f, 0x10, 0x01, 0x18, 0x02, 0x62, 0x05, 0x0a,
        0x01, 0x07, 0x10, 0x01, 0x6a, 0x00, 0x71, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f, 0x7a, 0x02, 0x08, 0x01,
    ];
    framed(2, message)
}

/// Avro: a record with all fields.
pub fn avro_data() -> Vec<u8> {
    let record: &[u8] = &[
        0x02, 0x02, 0x04, b'h', b'i', 0x02, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f, 0x00, 0x02, 0x02, b'k', 0x02, 0xff, 0x00,
        0x02, 1, 2, 3, 4, 0x04, 0x00, 0x9c, 0x02, 0x02, b's',
    ];
    framed(1, record)
}

/// CBOR: a map with values of all kinds.
pub fn cbor() -> Vec<u8> {
    vec![
        0xa5, 0x61, b'a', 0x18, 0x64, 0x61, b'b', 0x62, b'h', b'i', 0x61, b'c', 0x82, 0xfb, 0x3f, 0xf8, 0, 0, 0, 0, 0,
        0, 0xfa, 0x3f, 0xc0, 0, 0, 0x61, b'd', 0xa1, 0x01, 0x41, 0xff, 0x61, b'e', 0xc4, 0x82, 0x21, 0x18, 0x9c,
    ]
}
