//! Validation as Kafka Connect answers it, from a worker that runs: shapes, order, and all errors at once.
//!
//! Enters: configurations. Leaves: `ConfigInfos`, held against what a real Kafka Connect 4.3.1 answered.

use lockgate_tests::{Kafka, Worker, eventually, places};
use serde_json::{Value, json};

use crate::configs::{converter, with};

fn of<'a>(infos: &'a Value, key: &str) -> &'a Value {
    let all = infos["configs"].as_array().unwrap();
    all.iter().find(|c| c["value"]["name"] == key).unwrap_or_else(|| panic!("{key} is missing: {infos:#}"))
}

#[test]
fn a_validation_has_the_keys_groups_and_errors_of_kafka_connect() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let config = json!({
        "connector.class": "FileStreamSink", "name": "a", "topics": "t", "file": "/x", "nullkey": null, "tasks.max": "abc",
        "transforms": "m,x", "transforms.m.type": "org.apache.kafka.connect.transforms.MaskField$Value",
        "transforms.m.fields": "a", "transforms.x.type": "Nope", "consumer.override.max.poll.records": "7",
        "producer.override.linger.ms": "3", "key.converter": converter("json"),
        "key.converter.schemas.enable": "false", "value.converter": "Nope",
    });
    let path = "/connector-plugins/FileStreamSink/config/validate";
    let infos = worker.call("PUT", path, &config).expect(200).json();
    let names: Vec<&str> =
        infos["configs"].as_array().unwrap().iter().filter_map(|c| c["value"]["name"].as_str()).collect();
    let first = ["nullkey", "name", "connector.class", "connector.plugin.version", "tasks.max", "tasks.max.enforce"];
    assert_eq!(names[..first.len()], first);
    assert!(of(&infos, "nullkey")["definition"].is_null());
    assert_eq!(
        of(&infos, "tasks.max")["value"]["errors"],
        json!([
            "Invalid value abc for configuration tasks.max: Not a number of type INT",
            "Invalid value null for configuration tasks.max: Value must be non-null"
        ])
    );
    let place = |key: &str| {
        let definition = &of(&infos, key)["definition"];
        ["group", "order_in_group", "importance", "width"].map(|field| definition[field].clone())
    };
    assert_eq!(place("transforms.m.type"), [json!("Transforms: m"), json!(0), json!("HIGH"), json!("LONG")]);
    assert_eq!(place("transforms.m.plugin.version"), [json!("Transforms: m"), json!(1), json!("HIGH"), json!("LONG")]);
    assert_eq!(place("transforms.m.fields"), [json!("Transforms: m"), json!(2), json!("HIGH"), json!("NONE")]);
    assert_eq!(of(&infos, "transforms.x.type")["value"]["value"], Value::Null);
    assert!(!names.contains(&"transforms.x.predicate"), "a class that is not there has no more keys");
    assert_eq!(of(&infos, "consumer.override.max.poll.records")["definition"]["type"], "INT");
    assert_eq!(of(&infos, "producer.override.linger.ms")["definition"]["display_name"], "linger.ms");
    assert_eq!(of(&infos, "key.converter.schemas.enable")["definition"]["group"], "Schemas");
    assert_eq!(
        of(&infos, "header.converter")["value"]["value"],
        "org.apache.kafka.connect.storage.SimpleHeaderConverter"
    );
    assert_eq!(of(&infos, "value.converter.plugin.version")["value"]["visible"], false);
    let groups = infos["groups"].as_array().unwrap();
    assert_eq!(groups[..4], ["Common", "Transforms", "Predicates", "Error Handling"].map(|g| json!(g)));

    let source = json!({
        "connector.class": "FileStreamSource", "name": "s", "topic": "t", "file": "/x", "exactly.once.support": "REQUIRED",
        "transaction.boundary": "connector", "transforms": "a,a",
    });
    let refused = worker.call("POST", "/connectors", &json!({"name": "s", "config": source})).expect(400);
    for text in [
        "This worker does not have exactly-once source support enabled.",
        "The connector does not support connector-defined transaction boundaries with the given configuration.",
        "Invalid value [a, a] for configuration transforms: Duplicate alias provided.",
        "Connector configuration is invalid and contains the following ",
    ] {
        assert!(refused.text().contains(text), "{text}: {}", refused.text());
    }
    worker.get("/connectors/s").expect(404);
}

#[test]
fn a_plugin_that_gives_more_tasks_than_asked_fails_its_connector_unless_that_is_not_enforced() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("crowd", 1);
    let package = worker.upload(&places::guest("lies")).expect(201).json();
    let plugins = package["plugins"].as_array().unwrap();
    let class = plugins.iter().find(|p| p["type"] == "sink").unwrap()["class"].clone();
    let create = |name: &str, enforce: &str, tasks: &str| {
        let config = json!({"connector.class": class, "topics": topic.name, "tasks.max": tasks, "lie": "tasks-many"});
        worker.create(name, with(config, &[("tasks.max.enforce", enforce)]));
    };
    let failed = |name: &str| {
        eventually("the connector fails", || {
            let status = worker.get(&format!("/connectors/{name}/status")).json();
            (status["connector"]["state"] == "FAILED").then(|| status["connector"]["trace"].to_string())
        })
    };
    create("crowd-enforced", "true", "1");
    let trace = failed("crowd-enforced");
    let text = "The connector crowd-enforced has generated 11 tasks, which is greater than 1, the maximum number of tasks it is \
                configured to create. ";
    assert!(trace.contains(text), "{trace}");
    create("crowd-free", "false", "1");
    let tasks = eventually("all its tasks run", || {
        let status = worker.get("/connectors/crowd-free/status").json();
        let tasks = status["tasks"].as_array()?.clone();
        tasks.iter().all(|task| task["state"] == "RUNNING").then_some(tasks.len()).filter(|count| *count > 0)
    });
    assert_eq!(tasks, 11);
    assert!(worker.log().contains("The connector crowd-free has generated 11 tasks"), "the worker warns");
    create("crowd-bounded", "false", "995");
    let trace = failed("crowd-bounded");
    assert!(trace.contains("1005 task configurations were given, allowed are 1 to 1000"), "{trace}");
}
