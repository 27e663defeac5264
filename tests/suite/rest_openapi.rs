//! The OpenAPI document, held against what is answered.
//!
//! Enters: the document, answers of every kind. Leaves: a panic for an answer that is not documented, or is another shape.

use lockgate_tests::{Answer, Kafka, Worker};
use serde_json::{Value, json};

use crate::configs::blackhole;

/// Where a value is not what its schema says; empty if it is.
fn differences(root: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = root.pointer(reference.trim_start_matches('#')).unwrap_or_else(|| panic!("{reference}"));
        return differences(root, target, value, at);
    }
    for key in ["anyOf", "oneOf"] {
        if let Some(options) = schema[key].as_array() {
            let fits = options.iter().any(|option| differences(root, option, value, at).is_empty());
            return if fits { Vec::new() } else { vec![format!("{at}: {value} fits none of {key}")] };
        }
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(n) if n.is_i64() || n.is_u64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
        _ => vec![kind],
    };
    if !types.contains(&kind) {
        return vec![format!("{at}: {kind} instead of {types:?}")];
    }
    if let Some(allowed) = schema["enum"].as_array().filter(|allowed| !allowed.contains(value)) {
        return vec![format!("{at}: {value} is none of {allowed:?}")];
    }
    let mut found = Vec::new();
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        found.extend(differences(root, &schema["items"], item, &format!("{at}/{index}")));
    }
    for required in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if value.get(required).is_none() {
            found.push(format!("{at}: {required} is missing"));
        }
    }
    for (key, item) in value.as_object().into_iter().flatten() {
        let place = format!("{at}/{key}");
        match (schema["properties"].get(key), schema.get("additionalProperties")) {
            (Some(property), _) => found.extend(differences(root, property, item, &place)),
            (None, Some(more)) => found.extend(differences(root, more, item, &place)),
            (None, None) if schema.get("properties").is_some() => found.push(format!("{place} is not documented")),
            (None, None) => {}
        }
    }
    found
}

/// The answer must be one that the document has for this operation.
#[track_caller]
fn conforms(document: &Value, method: &str, template: &str, answer: &Answer) {
    let at = format!("{method} {template} -> {}", answer.status);
    let operation = &document["paths"][template][method.to_lowercase()];
    let documented = &operation["responses"][answer.status.to_string()];
    assert!(documented.is_object(), "{at} is not documented: {}", answer.text());
    let Some(content) = documented.get("content") else {
        assert!(answer.body.is_empty() && answer.header("content-type").is_none(), "{at}: {}", answer.text());
        return;
    };
    let kind = answer.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default().to_owned();
    let media = &content[&kind];
    assert!(media.is_object(), "{at} is {kind}");
    if kind == "application/json" {
        let found = differences(document, &media["schema"], &answer.json(), "");
        assert!(found.is_empty(), "{at}: {found:#?}\n{}", answer.text());
    }
}

/// Method, template, path, which body, and the code that must come.
type Case = (&'static str, &'static str, &'static str, &'static str, u16);

/// In order: each finds what those before have left.
const CASES: &[Case] = &[
    ("GET", "/", "/", "", 200),
    ("GET", "/health", "/health", "", 200),
    ("GET", "/metrics", "/metrics", "", 200),
    ("GET", "/openapi.json", "/openapi.json", "", 200),
    ("GET", "/connectors", "/connectors", "", 200),
    ("GET", "/connectors", "/connectors?expand=info&expand=status", "", 200),
    ("GET", "/connectors", "/connectors?expand=nothing", "", 200),
    ("GET", "/connectors/{connector}", "/connectors/c", "", 200),
    ("GET", "/connectors/{connector}", "/connectors/x", "", 404),
    ("GET", "/connectors/{connector}/config", "/connectors/c/config", "", 200),
    ("PUT", "/connectors/{connector}/config", "/connectors/c/config", "config", 200),
    ("PUT", "/connectors/{connector}/config", "/connectors/d/config", "config", 201),
    ("PUT", "/connectors/{connector}/config", "/connectors/c/config", "bad", 400),
    ("PATCH", "/connectors/{connector}/config", "/connectors/c/config", "more", 200),
    ("PATCH", "/connectors/{connector}/config", "/connectors/c/config", "renamed", 400),
    ("GET", "/connectors/{connector}/status", "/connectors/c/status", "", 200),
    ("GET", "/connectors/{connector}/tasks", "/connectors/d/tasks", "", 200),
    ("GET", "/connectors/{connector}/tasks/{task}/status", "/connectors/c/tasks/0/status", "", 200),
    ("POST", "/connectors/{connector}/tasks/{task}/restart", "/connectors/c/tasks/0/restart", "", 204),
    ("POST", "/connectors/{connector}/restart", "/connectors/c/restart", "", 204),
    ("POST", "/connectors/{connector}/restart", "/connectors/c/restart?includeTasks=true", "", 202),
    ("POST", "/connectors/{connector}/restart", "/connectors/c/restart?onlyFailed=true", "", 202),
    ("GET", "/connectors/{connector}/offsets", "/connectors/c/offsets", "", 200),
    ("GET", "/connectors/{connector}/topics", "/connectors/c/topics", "", 200),
    ("PUT", "/connectors/{connector}/topics/reset", "/connectors/c/topics/reset", "", 202),
    ("GET", "/connectors/{connector}/logs", "/connectors/c/logs", "", 200),
    ("GET", "/connectors/{connector}/logs", "/connectors/c/logs?tail=x", "", 400),
    ("PUT", "/connectors/{connector}/pause", "/connectors/c/pause", "", 202),
    ("PUT", "/connectors/{connector}/resume", "/connectors/c/resume", "", 202),
    ("PUT", "/connectors/{connector}/stop", "/connectors/c/stop", "", 204),
    ("PATCH", "/connectors/{connector}/offsets", "/connectors/c/offsets", "offsets", 200),
    ("DELETE", "/connectors/{connector}/offsets", "/connectors/c/offsets", "", 200),
    ("GET", "/connector-plugins", "/connector-plugins?connectorsOnly=false", "", 200),
    ("GET", "/connector-plugins/{plugin}/config", "/connector-plugins/FileStreamSink/config", "", 200),
    ("GET", "/connector-plugins/{plugin}/config", "/connector-plugins/x/config", "", 404),
    ("PUT", "/connector-plugins/{plugin}/config/validate", "/connector-plugins/blackhole/config/validate", "bad", 200),
    ("GET", "/admin/loggers", "/admin/loggers", "", 200),
    ("GET", "/admin/loggers/{logger}", "/admin/loggers/root", "", 200),
    ("PUT", "/admin/loggers/{logger}", "/admin/loggers/x", "level", 200),
    ("GET", "/packages", "/packages", "", 200),
    ("POST", "/packages", "/packages", "", 400),
    ("GET", "/packages/{package}", "/packages/nothing", "", 404),
    ("DELETE", "/connectors/{connector}", "/connectors/c", "", 204),
    ("DELETE", "/connectors/{connector}", "/connectors/c", "", 404),
];

#[test]
fn what_is_answered_is_what_the_openapi_document_says() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("documented", 1);
    let document = worker.get("/openapi.json").expect(200).json();
    assert_eq!(document["openapi"], "3.1.0");
    let create = json!({"name": "c", "config": blackhole(&topic.name)});
    let call = |method: &str, template: &str, path: &str, body: &Value| {
        let answer = worker.call(method, path, body);
        conforms(&document, method, template, &answer);
        answer.status
    };
    assert_eq!(call("POST", "/connectors", "/connectors", &create), 201);
    worker.wait_running("c");
    assert_eq!(call("POST", "/connectors", "/connectors", &create), 409);
    assert_eq!(call("POST", "/connectors", "/connectors", &json!([])), 400);
    let body = |name: &str| match name {
        "config" => blackhole(&topic.name),
        "bad" => json!({"connector.class": "blackhole", "tasks.max": "many"}),
        "more" => json!({"x.y": "1"}),
        "renamed" => json!({"name": "z"}),
        "level" => json!({"level": "WARN"}),
        "offsets" => {
            let partition = json!({"kafka_topic": topic.name, "kafka_partition": 0});
            json!({"offsets": [{"partition": partition, "offset": {"kafka_offset": 1}}]})
        }
        _ => Value::Null,
    };
    for (method, template, path, given, status) in CASES {
        assert_eq!(call(method, template, path, &body(given)), *status, "{method} {path}");
    }
}
