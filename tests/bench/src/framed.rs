//! The bench's order in the formats of a schema registry.
//!
//! Enters: a size, a subject. Leaves: the payload, written by hand so that nothing of Lockgate makes its own input, and the frame
//! of the registered schema. Invariant: the fields are those of the JSON object.

use lockgate_tests::apicurio::Apicurio;
use serde_json::{Value, json};

use crate::cases::Values;
use crate::raw;

const NAME: &str = "Ada Lovelace";
const CARD: &str = "4111 1111 1111 1111";
const AMOUNT: f64 = 12.5;
const ID: u8 = 57;
/// Bytes of the fields beside the note, about.
const OTHERS: usize = 60;

/// Where the converter of these values finds its schemas; `None` = it has none.
pub fn registry(values: Values) -> Option<String> {
    matches!(values, Values::Avro | Values::Protobuf).then(|| Apicurio::shared().url())
}

/// Registers the schema; the five bytes before each value. Empty for values without.
pub fn prefix(values: Values, topic: &str) -> Vec<u8> {
    let schema = match values {
        Values::Avro => json!({"schema": avro_schema().to_string()}),
        Values::Protobuf => json!({"schema": PROTO, "schemaType": "PROTOBUF"}),
        _ => return Vec::new(),
    };
    let answer = Apicurio::shared().ask("POST", &format!("/subjects/{topic}-value/versions"), &schema);
    let id = answer["id"].as_u64().and_then(|id| u32::try_from(id).ok()).expect("an id");
    [&[0], &id.to_be_bytes()[..]].concat()
}

const PROTO: &str = "syntax = \"proto3\";\npackage bench;\nmessage Order {\n  int64 id = 1;\n  string name = 2;\n  string card = 3;\n  \
                     double amount = 4;\n  repeated string tags = 5;\n  string note = 6;\n}\n";

fn avro_schema() -> Value {
    let field = |name: &str, of: Value| json!({"name": name, "type": of});
    let fields = [
        field("id", json!("long")),
        field("name", json!("string")),
        field("card", json!("string")),
        field("amount", json!("double")),
        field("tags", json!({"type": "array", "items": "string"})),
        field("note", json!("string")),
    ];
    json!({"type": "record", "name": "Order", "namespace": "bench", "fields": fields})
}

fn note(size: usize) -> Vec<u8> {
    raw::payload(size.saturating_sub(OTHERS))
}

/// Avro: lengths and whole numbers are zig-zag.
pub fn avro(size: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let zigzag = |n: usize, out: &mut Vec<u8>| varint(n as u64 * 2, out);
    let text = |text: &[u8], out: &mut Vec<u8>| {
        zigzag(text.len(), out);
        out.extend_from_slice(text);
    };
    zigzag(ID.into(), &mut out);
    text(NAME.as_bytes(), &mut out);
    text(CARD.as_bytes(), &mut out);
    out.extend_from_slice(&AMOUNT.to_le_bytes());
    zigzag(2, &mut out);
    text(b"a", &mut out);
    text(b"b", &mut out);
    out.push(0);
    text(&note(size), &mut out);
    out
}

/// Protobuf, the message's index in front.
pub fn protobuf(size: usize) -> Vec<u8> {
    let mut out = vec![0, 1 << 3, ID];
    let text = |field: u8, text: &[u8], out: &mut Vec<u8>| {
        out.push(field << 3 | 2);
        varint(text.len() as u64, out);
        out.extend_from_slice(text);
    };
    text(2, NAME.as_bytes(), &mut out);
    text(3, CARD.as_bytes(), &mut out);
    out.push(4 << 3 | 1);
    out.extend_from_slice(&AMOUNT.to_le_bytes());
    text(5, b"a", &mut out);
    text(5, b"b", &mut out);
    text(6, &note(size), &mut out);
    out
}

fn varint(mut n: u64, out: &mut Vec<u8>) {
    while n >= 0x80 {
        // Its low seven bits.
        out.push((n & 0x7f) as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}
