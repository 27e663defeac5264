//! The cases that are paired with the raw loop.
//!
//! Enters: nothing. Leaves: what flows, how much of it, and how the connector is set up.

use serde_json::{Value, json};

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
    /// Sinks: values are JSON objects of this size rather than letters.
    pub json: bool,
    /// The connector, without its topic; of a copy what both have.
    pub config: Value,
    /// What is wanted: CPU a record against the raw loop, at most; CPU seconds a million, at most; 0 = nothing is.
    pub ratio_max: f64,
    /// See `ratio_max`.
    pub cpu_max: f64,
}

/// All of them.
pub fn all() -> Vec<Case> {
    let bytes = json!({"connector.class": "blackhole", "value.converter": "org.apache.kafka.connect.converters.ByteArrayConverter"});
    let parsed = json!({
        "connector.class": "blackhole",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter.schemas.enable": "false",
    });
    let mut masked = parsed.clone();
    masked["transforms"] = "mask".into();
    masked["transforms.mask.type"] = "org.apache.kafka.connect.transforms.MaskField$Value".into();
    masked["transforms.mask.fields"] = "card".into();
    let lines = json!({"tasks.max": "1", "value.converter": "org.apache.kafka.connect.storage.StringConverter"});
    let sink = |name, count, size, ratio_max| Case {
        name,
        way: Way::Sink,
        count,
        size,
        json: false,
        config: bytes.clone(),
        ratio_max,
        cpu_max: 0.0,
    };
    let source = |name, count, size| Case {
        name,
        way: Way::Source,
        count,
        size,
        json: false,
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
        Case { json: true, config: parsed, ..sink("json-pass", 3_000_000, 300, 1.5) },
        Case { json: true, config: masked, cpu_max: 1.2, ..sink("json-mask", 3_000_000, 300, 0.0) },
        Case { way: Way::Copy, config: lines, ..sink("copy-100", 1_000_000, 100, 0.0) },
    ]
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

/// A JSON object of about this size with a field to mask in its middle.
pub fn json_value(size: usize) -> Vec<u8> {
    let head =
        r#"{"id":12345,"name":"Ada Lovelace","card":"4111 1111 1111 1111","amount":12.5,"tags":["a","b"],"note":""#;
    let fill = size.saturating_sub(head.len() + 2);
    let filler = String::from_utf8(crate::raw::payload(fill)).unwrap_or_default();
    format!("{head}{filler}\"}}").into_bytes()
}
