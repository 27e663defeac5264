//! Connector configurations that several tests start from.
//!
//! Enters: names of topics and files. Leaves: JSON as a user would post it.

use serde_json::{Value, json};

/// Kafka Connect's converter of this short name.
pub fn converter(short: &str) -> String {
    match short {
        "json" => "org.apache.kafka.connect.json.JsonConverter".to_owned(),
        "bytes" => "org.apache.kafka.connect.converters.ByteArrayConverter".to_owned(),
        "string" => "org.apache.kafka.connect.storage.StringConverter".to_owned(),
        other => format!("org.apache.kafka.connect.converters.{other}Converter"),
    }
}

/// Lines of a file -> topic.
pub fn file_source(file: &str, topic: &str) -> Value {
    json!({"connector.class": "FileStreamSource", "tasks.max": "1", "file": file, "topic": topic})
}

/// Topic -> lines of a file.
pub fn file_sink(topic: &str, file: &str) -> Value {
    json!({"connector.class": "FileStreamSink", "tasks.max": "1", "topics": topic, "file": file})
}

/// Topic -> a web server, one request a record.
pub fn http_sink(topic: &str, url: &str) -> Value {
    json!({"connector.class": "http", "tasks.max": "1", "topics": topic, "http.url": url})
}

/// Topic -> nowhere.
pub fn blackhole(topic: &str) -> Value {
    json!({"connector.class": "blackhole", "tasks.max": "1", "topics": topic})
}

/// The guest that misbehaves, behaving. Its topic is made where it is missing.
pub fn misbehaving_source() -> Value {
    json!({"connector.class": "bad.Source", "tasks.max": "1", "topic.creation.default.partitions": "1",
        "topic.creation.default.replication.factor": "1"})
}

/// Values without schemas.
pub fn json_values(mut config: Value) -> Value {
    config["value.converter"] = converter("json").into();
    config["value.converter.schemas.enable"] = "false".into();
    config
}

/// With one more setting.
pub fn with(mut config: Value, settings: &[(&str, &str)]) -> Value {
    for (key, value) in settings {
        config[*key] = (*value).into();
    }
    config
}

/// `n` lines, each its number.
pub fn numbers(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|n| n.to_string()).collect()
}

/// Whole lines of a file; none if it is not there.
pub fn lines(path: &std::path::Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let whole = text.rfind('\n').map_or(0, |end| end + 1);
    text[..whole].lines().map(str::to_owned).collect()
}

/// Makes a struct `shop.Line` with a field `line` of each line.
pub const LINES_AS_STRUCTS: [(&str, &str); 5] = [
    ("transforms", "box,name"),
    ("transforms.box.type", "org.apache.kafka.connect.transforms.HoistField$Value"),
    ("transforms.box.field", "line"),
    ("transforms.name.type", "org.apache.kafka.connect.transforms.SetSchemaMetadata$Value"),
    ("transforms.name.schema.name", "shop.Line"),
];
