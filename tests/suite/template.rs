//! The first connectors that the READMEs of the SDKs lead to: `sdk/*/template`, each built as a user builds it.
//!
//! Enters: the components. Leaves: lines in a file, records from a web server, records by the clock.

use lockgate_tests::{Kafka, Receiver, Reply, Worker, eventually, eventually_equal, places};
use serde_json::json;

use crate::configs::lines;

#[test]
fn the_template_runs_as_the_readme_says() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("mine", 1);
    let answer = worker.upload(&places::guest("my-sink")).expect(201).json();
    assert_eq!(answer["name"], "my-sink");
    assert_eq!(answer["plugins"][0]["class"], "com.example.MySink");
    let class = "com.example.MySink";
    let file = worker.path_text("mine.txt");
    worker.create_running("mine", json!({"connector.class": class, "topics": topic.name, "file": file}));
    topic.write_records([(None, Some(b"k".to_vec()), Some(b"v".to_vec()))], &[]);
    let expected = vec![format!("{}\tk\tv", topic.name)];
    eventually_equal("the record is a line", &expected, || lines(&worker.path("mine.txt")));
    let logs = worker.get("/connectors/mine/logs?tail=5").expect(200).text();
    assert!(logs.contains("writing to"), "{logs}");
}

#[test]
fn without_a_grant_the_template_says_what_is_missing() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("ungranted", 1);
    worker.upload(&places::guest("my-sink")).expect(201);
    let class = "com.example.MySink";
    let config = json!({"connector.class": class, "topics": topic.name, "file": "/nowhere/granted/mine.txt"});
    let answer = worker.call("POST", "/connectors", &json!({"name": "mine", "config": config}));
    let reason = if answer.status == 201 { worker.wait_failed("mine") } else { answer.text() };
    assert!(reason.contains("/nowhere/granted"), "{reason}");
}

#[test]
fn the_python_template_reads_a_web_api_and_goes_on_where_it_was() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("py", 1);
    let api = Receiver::start();
    api.answer_by(|request| {
        let after: u64 = request.path.rsplit('=').next()?.parse().ok()?;
        let items: Vec<_> = (after + 1..=5).take(2).map(|id| json!({"id": id, "text": format!("żółw {id}")})).collect();
        Some(Reply { body: json!(items).to_string(), ..Reply::status(200) })
    });
    worker.upload(&places::guest("my-source")).expect(201);
    let url = format!("http://{}/items", api.address);
    let class = "com.example.MySource";
    let config = json!({"connector.class": class, "topic": topic.name, "url": url, "poll.interval.ms": "100",
        "value.converter": "org.apache.kafka.connect.converters.ByteArrayConverter"});
    worker.create_running("api", config);
    let expected: Vec<String> = (1..=5).map(|id| format!(r#"{{"id":{id},"text":"żółw {id}"}}"#)).collect();
    eventually_equal("all items are records", &expected, || topic.texts());
    let offset = json!({"id": 5});
    eventually_equal("the position is stored", &offset, || {
        worker.get("/connectors/api/offsets").json()["offsets"][0]["offset"].clone()
    });
    let asked = |path: &str| api.received().iter().filter(|r| r.path.ends_with(path)).count();
    assert_eq!(asked("after=0"), 1);
    worker.put("/connectors/api/stop").expect(204);
    eventually("the task is gone", || {
        let status = worker.get("/connectors/api/status").json();
        status["tasks"].as_array().is_some_and(Vec::is_empty).then_some(())
    });
    let before = asked("after=5");
    worker.put("/connectors/api/resume").expect(202);
    eventually("it asks on after the last item", || (asked("after=5") > before).then_some(()));
    assert_eq!((topic.texts(), asked("after=0")), (expected, 1));
}

#[test]
fn the_javascript_template_writes_records_by_the_clock() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("js", 1);
    worker.upload(&places::guest("my-heartbeat")).expect(201);
    let class = "com.example.MyHeartbeat";
    let config = json!({"connector.class": class, "topic": topic.name, "interval.ms": "10", "text": "żółw",
        "value.converter": "org.apache.kafka.connect.converters.ByteArrayConverter"});
    worker.create_running("beats", config);
    let texts = eventually("three beats", || Some(topic.texts()).filter(|texts| texts.len() >= 3));
    let numbers: Vec<u64> = texts
        .iter()
        .map(|text| serde_json::from_str::<serde_json::Value>(text).unwrap())
        .inspect(|beat| assert_eq!(beat["text"], "żółw"))
        .map(|beat| beat["beat"].as_u64().unwrap())
        .collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
}
