//! The REST API: Kafka Connect's codes, shapes and texts, kept as files in `tests/e2e/golden`.
//!
//! Enters: requests as Connect's clients send them. Leaves: answers, compared after ids and addresses were taken out.

use lockgate_tests::golden::check_golden;
use lockgate_tests::http::request;
use lockgate_tests::{Kafka, Worker, eventually};
use serde_json::{Value, json};

use crate::configs::{blackhole, file_sink, with};

fn message(answer: &lockgate_tests::Answer) -> String {
    answer.json()["message"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn the_worker_says_who_it_is_and_how_it_is() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let root = worker.get("/").expect(200).json();
    assert!(
        root["version"].is_string() && root["commit"].is_string() && root["kafka_cluster_id"].is_string(),
        "{root}"
    );
    let health = worker.get("/health").expect(200).json();
    assert_eq!(health["status"], "healthy");
    assert_eq!(health["message"], "Worker has completed startup and is ready to handle requests.");
    worker.get("/metrics").expect(200);
}

#[test]
fn a_connectors_life_over_rest_is_that_of_kafka_connect() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("life", 1);
    let filters = [(worker.address.as_str(), "WORKER"), (topic.name.as_str(), "TOPIC")];
    let golden = |name: &str, value: &Value| check_golden(name, &without_version(value), &filters);

    assert_eq!(worker.get("/connectors").expect(200).json(), json!([]));
    let created =
        worker.call("POST", "/connectors", &json!({"name": " life ", "config": blackhole(&topic.name)})).expect(201);
    assert!(created.header("location").is_some_and(|l| l.ends_with("/connectors/life")), "{:?}", created.headers);
    worker.wait_running("life");
    golden("connector", &worker.get("/connectors/life").expect(200).json());
    golden("config", &worker.get("/connectors/life/config").expect(200).json());
    golden("status", &worker.get("/connectors/life/status").expect(200).json());
    golden("tasks", &worker.get("/connectors/life/tasks").expect(200).json());
    golden("task-status", &worker.get("/connectors/life/tasks/0/status").expect(200).json());
    golden("expanded", &worker.get("/connectors?expand=info&expand=status").expect(200).json());
    assert_eq!(worker.get("/connectors/").expect(200).json(), json!(["life"]));

    let put =
        worker.call("PUT", "/connectors/life/config", &with(blackhole(&topic.name), &[("tasks.max", "2")])).expect(200);
    assert_eq!(put.json()["config"]["tasks.max"], "2");
    let numbers = json!({"connector.class": "blackhole", "topics": topic.name, "tasks.max": 1});
    let scalars = worker.call("PUT", "/connectors/second/config", &numbers).expect(201);
    assert_eq!(scalars.json()["config"]["tasks.max"], "1", "numbers become text");

    worker.put("/connectors/life/pause").expect(202);
    worker.put("/connectors/life/resume").expect(202);
    worker.put("/connectors/life/stop").expect(204);
    worker.put("/connectors/life/resume").expect(202);
    worker.wait_running("life");
    worker.post("/connectors/life/restart").expect(204);
    worker.post("/connectors/life/restart?includeTasks=true").expect(202);
    worker.wait_running("life");
    worker.post("/connectors/life/tasks/0/restart").expect(204);
    worker.delete("/connectors/life").expect(204);
    worker.get("/connectors/life").expect(404);
}

/// Versions of packages change; that there is one is what matters.
fn without_version(value: &Value) -> Value {
    match value {
        Value::Object(map) => map
            .iter()
            .map(|(k, v)| {
                (k.clone(), if k == "version" && v.is_string() { json!("VERSION") } else { without_version(v) })
            })
            .collect(),
        Value::Array(items) => items.iter().map(without_version).collect(),
        other => other.clone(),
    }
}

#[test]
fn what_is_not_there_is_said_in_connects_words() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("words", 1);
    worker.create_running("c", blackhole(&topic.name));
    let cases = [
        ("GET", "/connectors/x", 404, "Connector x not found"),
        ("GET", "/connectors/x/config", 404, "Connector x not found"),
        ("GET", "/connectors/x/tasks", 404, "Connector x not found"),
        ("GET", "/connectors/x/status", 404, "No status found for connector x"),
        ("GET", "/connectors/c/tasks/9/status", 404, "No status found for task c-9"),
        ("PUT", "/connectors/x/pause", 404, "Unknown connector x"),
        ("PUT", "/connectors/x/resume", 404, "Unknown connector x"),
        ("PUT", "/connectors/x/stop", 404, "Unknown connector x"),
        ("POST", "/connectors/x/restart", 404, "Unknown connector: x"),
        ("POST", "/connectors/x/tasks/0/restart", 404, "Unknown connector: x"),
        ("POST", "/connectors/c/tasks/9/restart", 404, "Unknown task: c-9"),
        ("DELETE", "/connectors/x", 404, "Connector x not found"),
        ("GET", "/connector-plugins/x/config", 404, "Unknown plugin x."),
        ("GET", "/nothing/here", 404, "HTTP 404 Not Found"),
        ("PATCH", "/health", 405, "HTTP 405 Method Not Allowed"),
    ];
    for (method, path, status, text) in cases {
        let answer = worker.call(method, path, &Value::Null);
        assert_eq!((answer.status, message(&answer).as_str()), (status, text), "{method} {path}");
        assert_eq!(answer.json()["error_code"], status, "{method} {path}");
    }
}

#[test]
fn a_name_is_taken_once_and_must_be_the_one_in_the_config() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("names", 1);
    let create =
        |name: &str, config: Value| worker.call("POST", "/connectors", &json!({"name": name, "config": config}));
    create("one", blackhole(&topic.name)).expect(201);
    assert_eq!(message(&create("one", blackhole(&topic.name)).expect(409)), "Connector one already exists");
    let other = create("two", with(blackhole(&topic.name), &[("name", "three")])).expect(400);
    let words = "Connector name configuration (three) doesn't match connector name in the URL (two)";
    assert!(message(&other).contains(words), "{}", other.text());
    create("", blackhole(&topic.name)).expect(400);
    create("with\u{7}bell", blackhole(&topic.name)).expect(400);
    create("größe & co", blackhole(&topic.name)).expect(201);
    worker.get("/connectors/gr%C3%B6%C3%9Fe%20&%20co/status").expect(200);
}

#[test]
fn all_errors_of_a_config_come_at_once_with_the_nearest_key() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let bad = json!({
        "connector.class": "FileStreamSink", "tasks.max": "many", "errors.tolerance": "some", "topic": "orders",
        "transforms": "a", "transforms.a.type": "NoSuchTransform", "producer.override.sasl.jaas.config": "com.sun.Jndi",
        "consumer.override.bootstrap.servers": "evil:9092",
    });
    let answer = worker.call("POST", "/connectors", &json!({"name": "bad", "config": bad})).expect(400);
    let text = message(&answer);
    assert!(text.starts_with("Connector configuration is invalid and contains the following "), "{text}");
    assert!(text.ends_with("You can also find the above list of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`"), "{text}");
    let expected = [
        "Invalid value many for configuration tasks.max",
        "errors.tolerance",
        "Must configure one of topics or topics.regex",
        "NoSuchTransform",
        "sasl.jaas.config",
        "bootstrap.servers",
    ];
    for words in expected {
        assert!(text.contains(words), "`{words}` is missing in: {text}");
    }
    worker.get("/connectors/bad").expect(404);
    let none = worker.call("POST", "/connectors", &json!({"name": "none", "config": {"topics": "t"}})).expect(400);
    assert!(message(&none).contains("contains no connector type"), "{}", none.text());
    let unknown = json!({"connector.class": "FileStreamSnk", "topics": "t", "file": "f"});
    let unknown = worker.call("POST", "/connectors", &json!({"name": "u", "config": unknown})).expect(400);
    assert!(message(&unknown).contains("FileStreamSink"), "it names what there is: {}", unknown.text());
}

#[test]
fn validation_lists_every_key_with_its_errors() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let body = json!({"connector.class": "FileStreamSink", "tasks.max": "0", "topics": "a,a", "name": "v"});
    let path = "/connector-plugins/FileStreamSink/config/validate";
    let infos = worker.call("PUT", path, &body).expect(200).json();
    assert_eq!(infos["name"], "FileStreamSink");
    assert!(infos["error_count"].as_u64().is_some_and(|n| n >= 2), "{infos}");
    assert_eq!(infos["groups"][0], "Common");
    let of =
        |key: &str| infos["configs"].as_array().unwrap().iter().find(|c| c["value"]["name"] == key).cloned().unwrap();
    assert!(!of("tasks.max")["value"]["errors"].as_array().unwrap().is_empty());
    assert!(of("topics")["value"]["errors"][0].as_str().is_some_and(|e| e.contains("duplicated")), "{}", of("topics"));
    let filters = [("1.0.0", "VERSION")];
    check_golden("definition-of-tasks-max", &of("tasks.max")["definition"], &filters);
    check_golden("definition-of-topics", &of("topics")["definition"], &filters);
    let wrong = worker.call("PUT", "/connector-plugins/FileStreamSource/config/validate", &body).expect(400);
    let words = "Included connector type FileStreamSink does not match request type FileStreamSource";
    assert!(message(&wrong).contains(words), "{}", wrong.text());
}

#[test]
fn plugins_are_listed_under_their_own_and_under_connects_names() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let connectors = worker.get("/connector-plugins").expect(200).json();
    let all = worker.get("/connector-plugins?connectorsOnly=false").expect(200).json();
    let (connectors, all) = (connectors.as_array().unwrap(), all.as_array().unwrap());
    assert!(connectors.iter().all(|p| p["type"] == "source" || p["type"] == "sink"), "{connectors:?}");
    assert!(all.len() > connectors.len());
    assert!(all.iter().all(|p| p["class"].is_string() && p["type"].is_string()), "{all:?}");
    let of_others =
        ["ExtractNewRecordState", "outbox.EventRouter", "Filter"].map(|name| format!("io.debezium.transforms.{name}"));
    let own = ["Deduplicate", "Tokenize$Value", "ExpandJson$Key", "Jq$Value"].map(|name| format!("lockgate.{name}"));
    for class in of_others.iter().chain(&own) {
        assert!(all.iter().any(|p| p["class"] == **class && p["type"] == "transformation"), "{class}");
    }
    let keys = worker
        .get("/connector-plugins/org.apache.kafka.connect.file.FileStreamSinkConnector/config")
        .expect(200)
        .json();
    assert!(keys.as_array().unwrap().iter().any(|k| k["name"] == "file"), "{keys}");
}

#[test]
fn guests_lines_are_found_by_connector_and_never_hold_a_password() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("logged", 1);
    let secret = "s3cr3t-of-nobody-else";
    let url = format!("http://{}/x", lockgate_tests::worker::unique("127.0.0.1"));
    let config = with(crate::configs::http_sink(&topic.name, &url), &[("http.auth.token", secret)]);
    worker.call("POST", "/connectors", &json!({"name": "quiet", "config": config}));
    worker.create_running("log", file_sink(&topic.name, &worker.path_text("out.txt")));
    let lines = worker.get("/connectors/log/logs?tail=10").expect(200).json();
    assert!(lines.is_array() || lines["lines"].is_array(), "{lines}");
    worker.get("/connectors/nobody/logs").expect(404);
    assert!(!worker.log().contains(secret), "a secret of a connector is in the worker's log");
    assert!(!worker.get("/metrics").text().contains(secret));
}

#[test]
fn nonsense_is_refused_quickly_and_harms_nobody() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let json_type = [("content-type", "application/json")];
    let deep = "[".repeat(100_000);
    let doubled = r#"{"name":"a","name":"b","config":{}}"#;
    for body in ["", "{", "null", "[]", "\u{fffe}", deep.as_str(), doubled, r#"{"name":"a","config":{"x":{"y":1}}}"#] {
        let answer = request(&worker.address, "POST", "/connectors", &json_type, body.as_bytes()).unwrap();
        assert!(answer.status >= 400, "{body:.40}: {}", answer.status);
        assert!(answer.json()["error_code"].is_number(), "{body:.40}: {}", answer.text());
    }
    let invalid = request(&worker.address, "POST", "/connectors", &json_type, &[0xff, 0xfe]).unwrap();
    assert!(invalid.status >= 400);
    let other_type = request(&worker.address, "POST", "/connectors", &[("content-type", "text/plain")], b"{}").unwrap();
    assert_eq!(other_type.status, 415);
    eventually("the worker is well", || (worker.get("/health").status == 200).then_some(()));
    assert_eq!(worker.get("/connectors").json(), json!([]));
}
