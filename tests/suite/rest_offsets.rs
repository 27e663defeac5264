//! Offsets and topics of connectors over REST: shown, altered, reset, tracked.
//!
//! Enters: connectors that moved records. Leaves: what Kafka Connect's clients are told, and where the connector goes on.

use lockgate_tests::worker::WorkerOptions;
use lockgate_tests::{Answer, Kafka, Worker, eventually, eventually_equal};
use serde_json::{Value, json};

use crate::configs::{file_sink, file_source, lines, numbers};

fn message(answer: &Answer) -> String {
    answer.json()["message"].as_str().unwrap_or_default().to_owned()
}

fn not_stopped(name: &str) -> String {
    format!(
        "Connectors must be in the STOPPED state before their offsets can be modified. This can be done for the specified \
         connector by issuing a 'PUT' request to the '/connectors/{name}/stop' endpoint"
    )
}

#[test]
fn a_sinks_offsets_are_its_groups_and_change_only_while_it_is_stopped() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("group-offsets", 1);
    topic.write(numbers(0..5).iter().map(String::as_str));
    let out = worker.path_text("out.txt");
    worker.create_running("altered", file_sink(&topic.name, &out));
    let partition = json!({"kafka_topic": topic.name, "kafka_partition": 0});
    let committed = |offset: u64| json!({"offsets": [{"partition": partition, "offset": {"kafka_offset": offset}}]});
    let offsets = || worker.get("/connectors/altered/offsets").expect(200).json();
    eventually_equal("five are committed", &committed(5), offsets);
    let patch = |body: &Value| worker.call("PATCH", "/connectors/altered/offsets", body);
    assert_eq!(message(&patch(&committed(2)).expect(400)), not_stopped("altered"));
    assert_eq!(message(&worker.delete("/connectors/altered/offsets").expect(400)), not_stopped("altered"));

    worker.put("/connectors/altered/stop").expect(204);
    let elsewhere = "However, if this connector manages offsets externally, they will need to be manually altered";
    let altered = message(&patch(&committed(3)).expect(200));
    assert!(altered.starts_with("The Connect framework-managed offsets for this connector have been altered"));
    assert!(altered.contains(elsewhere), "{altered}");
    assert_eq!(offsets(), committed(3));
    let refusals = [
        (json!({}), "Partitions / offsets need to be provided for an alter offsets request"),
        (json!({"offsets": []}), "Partitions / offsets need to be provided for an alter offsets request"),
        (json!({"offsets": [{"partition": {"a": 1}, "offset": null}]}), "must contain the keys 'kafka_topic' and"),
        (
            json!({"offsets": [{"partition": partition, "offset": {"kafka_offset": "x"}}]}),
            "'x'. Offset values for sink",
        ),
        (json!({"offsets": [{"partition": partition, "offset": {"kafka_offset": -1}}]}), "must be 0 or more"),
        (
            json!({"offsets": [{"partition": {"kafka_topic": topic.name, "kafka_partition": 7}, "offset": {"kafka_offset": 0}}]}),
            "partition 7",
        ),
        (json!({"offsets": [{"partition": partition, "offset": null, "colour": 1}]}), "unknown field"),
    ];
    for (body, words) in refusals {
        let text = message(&patch(&body).expect(400));
        assert!(text.contains(words), "{words}: {text}");
    }
    worker.put("/connectors/altered/resume").expect(202);
    worker.wait_running("altered");
    let again = [numbers(0..5), numbers(3..5)].concat();
    eventually("two come again", || (lines(out.as_ref()) == again).then_some(()));

    worker.put("/connectors/altered/stop").expect(204);
    let null = json!({"offsets": [{"partition": partition, "offset": null}]});
    patch(&null).expect(200);
    assert_eq!(offsets(), json!({"offsets": []}));
    let reset = message(&worker.delete("/connectors/altered/offsets").expect(200));
    assert!(reset.starts_with("The Connect framework-managed offsets for this connector have been reset successfully"));
    worker.delete("/connectors/altered/offsets").expect(200);
    worker.delete("/connectors/nobody/offsets").expect(404);
    assert_eq!(message(&worker.get("/connectors/nobody/offsets").expect(404)), "Connector nobody not found");
}

#[test]
fn a_sources_offsets_can_be_set_back_and_forgotten() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("source-offsets", 1);
    let file = worker.path_text("in.txt");
    std::fs::write(&file, "a\nb\nc\n").unwrap();
    worker.create_running("source", file_source(&file, &topic.name));
    let offsets = || worker.get("/connectors/source/offsets").expect(200).json();
    let all = eventually("three lines are stored", || {
        let seen = offsets();
        (seen["offsets"][0]["offset"]["position"] == 6).then_some(seen)
    });
    let entry = all["offsets"][0].clone();
    worker.call("PATCH", "/connectors/source/offsets", &all).expect(400);
    worker.put("/connectors/source/stop").expect(204);
    let other = json!({"partition": {"filename": "/elsewhere"}, "offset": {"position": 1}});
    let refusals = [
        (json!({"place": 1}), "Offset objects should either be null or contain the key 'position'"),
        (json!({"position": "4"}), "The value for the 'position' key in the offset is expected to be a Long value"),
        (json!({"position": -1}), "The value for the 'position' key in the offset should be a non-negative value"),
    ];
    for (offset, words) in refusals {
        let body = json!({"offsets": [other, {"partition": entry["partition"], "offset": offset}]});
        let refused = worker.call("PATCH", "/connectors/source/offsets", &body).expect(400);
        assert_eq!(refused.json(), json!({"error_code": 400, "message": words}), "the plugin's own words");
        assert_eq!(offsets(), all, "nothing is changed, not even what made sense");
    }
    let body = json!({"offsets": [{"partition": entry["partition"], "offset": {"position": 4}}]});
    let altered = worker.call("PATCH", "/connectors/source/offsets", &body).expect(200);
    assert_eq!(message(&altered), "The offsets for this connector have been altered successfully");
    assert_eq!(offsets()["offsets"][0]["offset"]["position"], 4);
    worker.put("/connectors/source/resume").expect(202);
    worker.wait_running("source");
    let values = |n: usize| eventually("records", || Some(topic.texts()).filter(|v| v.len() == n));
    assert_eq!(values(4), ["a", "b", "c", "c"]);

    worker.put("/connectors/source/stop").expect(204);
    let nested = json!({"offsets": [{"partition": {"filename": {"a": 1}}, "offset": null}]});
    let text = message(&worker.call("PATCH", "/connectors/source/offsets", &nested).expect(400));
    assert!(text.starts_with("Offsets may only contain primitive types as values"), "{text}");
    let reset = worker.delete("/connectors/source/offsets").expect(200);
    assert_eq!(message(&reset), "The offsets for this connector have been reset successfully");
    assert_eq!(offsets(), json!({"offsets": []}));
}

#[test]
fn a_source_that_is_not_asked_may_keep_offsets_elsewhere() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("unasked-offsets", 1);
    worker.upload(&lockgate_tests::places::guest("c")).expect(201);
    worker.create_running("unasked", json!({"connector.class": "ref.Source", "topic": topic.name, "tasks.max": "1"}));
    let offsets = || worker.get("/connectors/unasked/offsets").expect(200).json();
    let entry = eventually("a position is stored", || Some(offsets()["offsets"][0].clone()).filter(|e| !e.is_null()));
    worker.put("/connectors/unasked/stop").expect(204);
    let said = |done: &str| {
        format!(
            "The Connect framework-managed offsets for this connector have been {done} successfully. However, if this \
             connector manages offsets externally, they will need to be manually {done} in the system that the connector \
             uses."
        )
    };
    let wanted = json!({"offsets": [{"partition": entry["partition"], "offset": {"n": "5"}}]});
    let altered = worker.call("PATCH", "/connectors/unasked/offsets", &wanted).expect(200);
    assert_eq!(message(&altered), said("altered"));
    assert_eq!(offsets(), wanted);
    assert_eq!(message(&worker.delete("/connectors/unasked/offsets").expect(200)), said("reset"));
    assert_eq!(offsets(), json!({"offsets": []}));
}

#[test]
fn topics_that_a_connector_used_are_known_until_they_are_reset() {
    let kafka = Kafka::shared();
    let mut worker = Worker::start(&kafka.bootstrap);
    let (used, unused) = (kafka.topic("used", 1), kafka.topic("unused", 1));
    used.write(numbers(0..1).iter().map(String::as_str));
    let topics = format!("{},{}", used.name, unused.name);
    worker.create_running("known", file_sink(&topics, &worker.path_text("out.txt")));
    let seen = |worker: &Worker| worker.get("/connectors/known/topics").expect(200).json();
    let one = json!({"known": {"topics": [used.name]}});
    eventually_equal("the topic with a record is known", &one, || seen(&worker));
    // Known is what was fetched. Until it is committed it may come again, and be known again.
    let offsets = |worker: &Worker| worker.get("/connectors/known/offsets").expect(200).json()["offsets"].clone();
    eventually("the record is committed", || (offsets(&worker) != json!([])).then_some(()));
    worker.stop();
    worker.launch();
    worker.wait_ready();
    worker.wait_running("known");
    assert_eq!(seen(&worker), one, "it is known after a restart");
    worker.put("/connectors/known/topics/reset").expect(202);
    assert_eq!(seen(&worker), json!({"known": {"topics": []}}));
    unused.write(numbers(0..1).iter().map(String::as_str));
    let other = json!({"known": {"topics": [unused.name]}});
    eventually_equal("tracking goes on", &other, || seen(&worker));
    worker.get("/connectors/nobody/topics").expect(404);
}

#[test]
fn topic_tracking_and_its_reset_can_be_switched_off() {
    let kafka = Kafka::shared();
    let off = Worker::start_with(&kafka.bootstrap, WorkerOptions::default().with("topic.tracking.enable", "false"));
    assert_eq!(message(&off.get("/connectors/kept/topics").expect(403)), "Topic tracking is disabled.");
    assert_eq!(message(&off.put("/connectors/kept/topics/reset").expect(403)), "Topic tracking is disabled.");
    let kept =
        Worker::start_with(&kafka.bootstrap, WorkerOptions::default().with("topic.tracking.allow.reset", "false"));
    let topic = kafka.topic("kept", 1);
    kept.create_running("kept", crate::configs::blackhole(&topic.name));
    kept.get("/connectors/kept/topics").expect(200);
    assert_eq!(message(&kept.put("/connectors/kept/topics/reset").expect(403)), "Topic tracking reset is disabled.");
}
