//! Several versions of one package: each connector runs on the one that it asked for (KIP-891).
//!
//! Enters: the reference guest, and the same with another version in its description. Leaves: versions in statuses, in
//! what validation recommends, and in refusals.

use lockgate_tests::{Kafka, Worker, places};
use serde_json::{Value, json};

use crate::configs::with;

const OLD: &str = "1.2.3";
const NEW: &str = "1.3.0";

/// The package under another version: its description holds the text once or more, of equal length.
fn under_version(package: &[u8], version: &str) -> Vec<u8> {
    assert_eq!(OLD.len(), version.len());
    let mut bytes = package.to_vec();
    let places: Vec<usize> =
        (0..bytes.len() - OLD.len()).filter(|at| bytes[*at..].starts_with(OLD.as_bytes())).collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at..at + version.len()].copy_from_slice(version.as_bytes());
    }
    bytes
}

#[test]
fn each_connector_runs_on_the_version_that_it_asked_for() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("versions", 1);
    let package = places::guest("reference");
    assert_eq!(worker.upload(&package).expect(201).json()["version"], OLD);
    assert_eq!(worker.upload(&under_version(&package, NEW)).expect(201).json()["version"], NEW);
    let config = json!({"connector.class": "ref.Sink", "topics": topic.name, "mode": "quiet"});
    let wishes = [
        ("newest", "", NEW),
        ("latest", "latest", NEW),
        ("exact", OLD, OLD),
        ("range", "[1.0,1.3)", OLD),
        ("open", "[1.2.3,)", NEW),
    ];
    for (name, wish, expected) in wishes {
        let wished = [("connector.plugin.version", wish)];
        let config = if wish.is_empty() { config.clone() } else { with(config.clone(), &wished) };
        worker.create_running(name, config);
        let status = worker.get(&format!("/connectors/{name}/status")).expect(200).json();
        assert_eq!(status["connector"]["version"], expected, "{name}: {status}");
        assert_eq!(status["tasks"][0]["version"], expected, "{name}: {status}");
    }

    let path = "/connector-plugins/ref.Sink/config/validate";
    let none = with(config.clone(), &[("connector.plugin.version", "[2.0,)"), ("name", "none")]);
    let text =
        format!("Plugin ref.Sink not found that matches the version range [2.0,), available versions: [{NEW}, {OLD}]");
    let refused = worker.call("POST", "/connectors", &json!({"name": "none", "config": none})).expect(400);
    assert!(refused.text().contains(&text), "{}", refused.text());
    let infos = worker.call("PUT", path, &none).expect(200).json();
    assert_eq!(infos["error_count"], 2);
    let value = |infos: &Value, key: &str| {
        let all = infos["configs"].as_array().unwrap();
        all.iter().map(|c| c["value"].clone()).find(|v| v["name"] == key).unwrap_or_else(|| panic!("{key}: {infos}"))
    };
    for key in ["connector.class", "connector.plugin.version"] {
        assert_eq!(value(&infos, key)["errors"], json!([text]), "{infos}");
    }
    assert_eq!(value(&infos, "connector.plugin.version")["recommended_values"], json!([NEW, OLD]));

    let chained = with(
        config,
        &[
            ("name", "chained"),
            ("transforms", "t"),
            ("transforms.t.type", "ref.Transform"),
            ("transforms.t.plugin.version", OLD),
            ("key.converter", "org.apache.kafka.connect.storage.StringConverter"),
            ("key.converter.plugin.version", "[99,)"),
        ],
    );
    let infos = worker.call("PUT", path, &chained).expect(200).json();
    assert_eq!(value(&infos, "transforms.t.plugin.version")["errors"], json!([]));
    assert_eq!(value(&infos, "transforms.t.plugin.version")["recommended_values"], json!([NEW, OLD]));
    let errors = value(&infos, "key.converter.plugin.version")["errors"].to_string();
    assert!(errors.contains("not found that matches the version range [99,), available versions: ["), "{infos}");
}
