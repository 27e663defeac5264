//! The cases that are paired with the raw loop.
//!
//! Enters: nothing. Leaves: what flows, how much of it, and how the connector is set up.

use serde_json::{Value, json};

use crate::framed;

/// Which way records go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Topic -> plugin that takes everything; beside the raw consumer.
    Sink,
    /// Plugin that makes records -> topic; beside the raw producer.
    Source,
    /// Topic -> file sink -> file -> file source -> another topic; beside the raw consumer and the raw producer, added up.
    Copy,
}

/// What a topic is filled with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    /// Letters.
    Letters,
    /// JSON objects.
    Json,
    /// JSON objects in Kafka Connect's envelope; the size is that of the payload.
    Envelope,
    /// Avro behind the frame of a schema registry.
    Avro,
    /// Protobuf likewise.
    Protobuf,
}

/// One case.
#[derive(Clone, Debug)]
pub struct Case {
    /// Name, for the command line and the table.
    pub name: &'static str,
    /// Which way.
    pub way: Way,
    /// Records in one run.
    pub count: u64,
    /// Bytes of a value.
    pub size: usize,
    /// Sinks: what the values in the topic are.
    pub values: Values,
    /// The connector, without its topic; of a copy what both have.
    pub config: Value,
    /// What is wanted: CPU a record against the raw loop, at most; CPU seconds a million, at most; 0 = nothing is.
    pub ratio_max: f64,
    /// See `ratio_max`.
    pub cpu_max: f64,
}

/// Those that are also run in a real Kafka Connect.
pub const PEER: [&str; 3] = ["json-pass", "json-mask", "json-five"];

/// All of them.
pub fn all() -> Vec<Case> {
    let bytes = json!({"connector.class": "blackhole", "value.converter": "org.apache.kafka.connect.converters.ByteArrayConverter"});
    let parsed = json!({
        "connector.class": "blackhole",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter.schemas.enable": "false",
    });
    let with = |base: &Value, more: Value| {
        let mut config = base.clone();
        more.as_object().into_iter().flatten().for_each(|(key, value)| config[key] = value.clone());
        config
    };
    let masked = with(&parsed, chain(1));
    let five = with(&parsed, chain(5));
    let typed = with(&parsed, json!({"connector.class": "blackhole-cbor"}));
    let enveloped = with(&parsed, json!({"value.converter.schemas.enable": "true"}));
    let enveloped_mask = with(&enveloped, chain(1));
    let avro = with(&masked, json!({"value.converter": "io.confluent.connect.avro.AvroConverter"}));
    let protobuf = with(&masked, json!({"value.converter": "io.confluent.connect.protobuf.ProtobufConverter"}));
    let lines = json!({"tasks.max": "1", "value.converter": "org.apache.kafka.connect.storage.StringConverter"});
    let sink = |name, count, size, ratio_max| Case {
        name,
        way: Way::Sink,
        count,
        size,
        values: Values::Letters,
        config: bytes.clone(),
        ratio_max,
        cpu_max: 0.0,
    };
    let source = |name, count, size| Case {
        name,
        way: Way::Source,
        count,
        size,
        values: Values::Letters,
        config: generator(count, size),
        ratio_max: 1.4,
        cpu_max: 0.0,
    };
    vec![
        sink("sink-100", 6_000_000, 100, 1.5),
        sink("sink-1k", 2_000_000, 1024, 1.25),
        sink("sink-10k", 100_000, 10_240, 0.0),
        source("source-100", 2_000_000, 100),
        source("source-1k", 400_000, 1024),
        Case { values: Values::Json, config: parsed, ..sink("json-pass", 3_000_000, 300, 1.5) },
        Case { values: Values::Json, config: masked, cpu_max: 1.2, ..sink("json-mask", 3_000_000, 300, 0.0) },
        Case { values: Values::Json, config: five, cpu_max: 2.5, ..sink("json-five", 2_000_000, 300, 0.0) },
        Case { values: Values::Json, config: typed, ..sink("json-cbor", 2_000_000, 300, 0.0) },
        Case { values: Values::Envelope, config: enveloped, ..sink("envelope-pass", 1_000_000, 300, 0.0) },
        Case { values: Values::Envelope, config: enveloped_mask, ..sink("envelope-mask", 1_000_000, 300, 0.0) },
        Case { values: Values::Avro, config: avro, cpu_max: 2.0, ..sink("avro-mask", 2_000_000, 300, 0.0) },
        Case { values: Values::Protobuf, config: protobuf, cpu_max: 2.0, ..sink("protobuf-mask", 2_000_000, 300, 0.0) },
        Case { way: Way::Copy, config: lines, ..sink("copy-100", 1_000_000, 100, 0.0) },
    ]
}

/// The first of five transforms of the bundled package, as a connector's keys.
pub fn chain(length: usize) -> Value {
    let apache = "org.apache.kafka.connect.transforms.";
    let all = [
        ("mask", "MaskField$Value", json!({"fields": "card"})),
        ("rename", "ReplaceField$Value", json!({"renames": "name:customer"})),
        ("cast", "Cast$Value", json!({"spec": "id:string"})),
        ("stamp", "InsertField$Value", json!({"static.field": "source", "static.value": "bench"})),
        ("drop", "ReplaceField$Value", json!({"exclude": "tags"})),
    ];
    let names: Vec<&str> = all.iter().take(length).map(|(name, ..)| *name).collect();
    let mut keys = json!({"transforms": names.join(",")});
    for (name, class, settings) in all.iter().take(length) {
        keys[format!("transforms.{name}.type")] = format!("{apache}{class}").into();
        for (key, value) in settings.as_object().into_iter().flatten() {
            keys[format!("transforms.{name}.{key}")] = value.clone();
        }
    }
    keys
}

/// A source that makes records of one size as fast as it can.
fn generator(count: u64, size: usize) -> Value {
    json!({
        "connector.class": "datagen",
        "template": "raw",
        "rate": "0",
        "size": size.to_string(),
        "count": count.to_string(),
        "value.converter": "org.apache.kafka.connect.converters.ByteArrayConverter",
    })
}

impl Values {
    /// One value.
    pub fn of(self, size: usize) -> Vec<u8> {
        match self {
            Self::Letters => crate::raw::payload(size),
            Self::Json => json_value(size),
            Self::Avro => framed::avro(size),
            Self::Protobuf => framed::protobuf(size),
            Self::Envelope => {
                let payload: Value = serde_json::from_slice(&json_value(size)).unwrap_or_default();
                json!({"schema": schema(), "payload": payload}).to_string().into_bytes()
            }
        }
    }
}

/// The schema of [`json_value`], as an envelope has it.
fn schema() -> Value {
    let field = |name: &str, of: &str| json!({"type": of, "optional": false, "field": name});
    let tags =
        json!({"type": "array", "items": {"type": "string", "optional": false}, "optional": false, "field": "tags"});
    let fields = [
        field("id", "int64"),
        field("name", "string"),
        field("card", "string"),
        field("amount", "double"),
        tags,
        field("note", "string"),
    ];
    json!({"type": "struct", "fields": fields, "optional": false, "name": "bench.Order"})
}

/// A JSON object of about this size with a field to mask in its middle.
fn json_value(size: usize) -> Vec<u8> {
    let head =
        r#"{"id":12345,"name":"Ada Lovelace","card":"4111 1111 1111 1111","amount":12.5,"tags":["a","b"],"note":""#;
    let fill = size.saturating_sub(head.len() + 2);
    let filler = String::from_utf8(crate::raw::payload(fill)).unwrap_or_default();
    format!("{head}{filler}\"}}").into_bytes()
}
