//! States: what is written of them, what a status says beside them, and what asks for new tasks.
//!
//! Enters: pauses, restarts, receivers that refuse, groups that wait, guests that change their mind. Leaves: records of the
//! status topic, statuses that are true.

use std::fs::File;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use lockgate_tests::{Kafka, Receiver, Reply, Topic, Worker, WorkerOptions, eventually, eventually_equal, places};
use serde_json::{Value, json};

use crate::configs::{blackhole, file_sink, http_sink, misbehaving_source, with};

/// The values of a key of the status topic, in order; a tombstone is null.
fn written(statuses: &Topic, key: &str) -> Vec<Value> {
    let of_key = statuses.read().into_iter().filter(|record| record.key_text() == key);
    of_key.map(|record| serde_json::from_str(&record.text()).unwrap_or(Value::Null)).collect()
}

fn states(statuses: &Topic, key: &str) -> Vec<String> {
    written(statuses, key).iter().map(|v| v["state"].as_str().unwrap_or("-").to_owned()).collect()
}

#[test]
fn every_state_is_written_in_kafka_connects_form() {
    let kafka = Kafka::shared();
    let mut worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("told", 1);
    let statuses = kafka.topic_named(&worker.property("status.storage.topic"));
    worker.create_running("told", blackhole(&topic.name));
    let last = |key: &str| states(&statuses, key).pop().unwrap_or_default();
    let both = |state: &str| {
        for key in ["status-connector-told", "status-task-told-0"] {
            eventually_equal(key, &state.to_owned(), || last(key));
        }
    };
    both("RUNNING");
    let record = written(&statuses, "status-task-told-0").pop().unwrap();
    let fields: Vec<&String> = record.as_object().unwrap().keys().collect();
    assert_eq!(fields.len(), 5, "{record}");
    assert_eq!((&record["worker_id"], &record["generation"]), (&json!(worker.address), &json!(1)));
    assert!(record["trace"].is_null() && record["version"].is_string(), "{record}");
    worker.put("/connectors/told/pause").expect(202);
    both("PAUSED");
    worker.put("/connectors/told/resume").expect(202);
    both("RUNNING");
    let planned = worker.post("/connectors/told/restart?includeTasks=true").expect(202).json();
    assert_eq!(
        (&planned["connector"]["state"], &planned["tasks"][0]["state"]),
        (&json!("RESTARTING"), &json!("RESTARTING"))
    );
    // A state that is over before it was written may be left out; the last one may not.
    both("RUNNING");
    worker.stop();
    both("UNASSIGNED");
}

#[test]
fn statuses_of_connectors_that_are_gone_are_removed_at_the_start() {
    let kafka = Kafka::shared();
    let mut worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("ghost", 1);
    worker.create_running("stays", blackhole(&topic.name));
    worker.stop();
    let statuses = kafka.topic_named(&worker.property("status.storage.topic"));
    let ghost = r#"{"state":"RUNNING","trace":null,"worker_id":"other:8083","generation":1,"version":null}"#;
    let keys = ["status-connector-ghost", "status-task-ghost-0", "status-task-stays-7"];
    statuses.write_records(keys.map(|key| (None, Some(key.into()), Some(ghost.into()))), &[]);
    worker.launch();
    worker.wait_ready();
    for key in keys {
        eventually_equal(key, &Some(Value::Null), || written(&statuses, key).pop());
    }
    worker.wait_running("stays");
}

/// A worker that notices after a second.
fn watchful(kafka: &Kafka) -> Worker {
    let options = WorkerOptions::default().with("lockgate.stalled.after.ms", "1000");
    Worker::start_with(&kafka.bootstrap, options)
}

fn health(worker: &Worker, name: &str) -> Value {
    worker.get(&format!("/connectors/{name}/status")).json()["tasks"][0]["health"].clone()
}

#[test]
fn a_task_that_does_not_get_on_says_so_and_why_until_it_does() {
    let kafka = Kafka::shared();
    let worker = watchful(kafka);
    let topic = kafka.topic("stalled", 1);
    let receiver = Receiver::start();
    receiver.answer_by(|_| Some(Reply::status(503)));
    let url = format!("http://{}/", receiver.address);
    worker.create_running("s", with(http_sink(&topic.name, &url), &[("errors.retry.delay.max.ms", "100")]));
    assert!(health(&worker, "s").is_null(), "there is nothing to do");
    topic.write(["one"]);
    let sick = eventually("the status says that it is stalled", || Some(health(&worker, "s")).filter(|h| !h.is_null()));
    assert_eq!(sick["state"], "stalled");
    assert!(sick["reason"].as_str().unwrap().contains("503"), "{sick}");
    assert!(sick["since_ms"].as_i64().unwrap() > 1_600_000_000_000, "{sick}");
    let status = worker.get("/connectors/s/status").json();
    assert_eq!(status["tasks"][0]["state"], "RUNNING", "Kafka Connect's state stays what it is");
    let figure = || worker.metric("lockgate_task_stalled", &["connector=\"s\""]);
    assert_eq!(figure(), Some(1.0));
    receiver.answer_by(|_| None);
    eventually_equal("it clears itself", &Value::Null, || health(&worker, "s"));
    assert_eq!(figure(), Some(0.0));
}

#[test]
fn a_call_that_does_not_come_back_is_seen_before_its_deadline() {
    let kafka = Kafka::shared();
    let worker = watchful(kafka);
    worker.upload(&places::guest("misbehaves")).expect(201);
    worker.create("s", with(misbehaving_source(), &[("do", "sleep"), ("at", "poll")]));
    let sick = eventually("the status says that it is stalled", || Some(health(&worker, "s")).filter(|h| !h.is_null()));
    let reason = sick["reason"].as_str().unwrap();
    assert!(reason.contains("poll") && reason.contains("has not come back"), "{sick}");
}

/// A member of a group that has stopped answering, without leaving.
struct Frozen(Child);

impl Frozen {
    fn member(kafka: &Kafka, group: &str, topic: &str, worker: &Worker) -> Self {
        let path = worker.path("kcat.log");
        let log = File::create(&path).unwrap();
        let mut command = Command::new("kcat");
        command.args(["-b", &kafka.bootstrap, "-X", "session.timeout.ms=45000", "-G", group, topic]);
        let frozen = Self(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap());
        eventually("it has joined", || std::fs::read_to_string(&path).ok().filter(|log| log.contains("assigned")));
        frozen.signal("-STOP");
        frozen
    }

    fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.0.id().to_string()]).status().unwrap().success());
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_stop_does_not_wait_for_a_group_that_waits_for_somebody_else() {
    let kafka = Kafka::shared();
    let mut worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("frozen", 1);
    topic.write(["one"]);
    let _frozen = Frozen::member(kafka, "connect-j", &topic.name, &worker);
    worker.create("j", file_sink(&topic.name, &worker.path_text("out.txt")));
    eventually("it waits for the other member", || {
        let state = worker.get("/connectors/j/status").json()["tasks"][0]["state"].clone();
        if state == "FAILED" {
            // The broker may refuse a member while the other one is half in.
            worker.post("/connectors/j/tasks/0/restart");
        }
        (state == "RUNNING").then_some(())
    });
    assert_eq!(worker.metric("kafka_connect_sink_task_metrics_partition_count", &["connector=\"j\""]), Some(0.0));
    let began = Instant::now();
    assert!(worker.stop().success());
    assert!(began.elapsed() < Duration::from_secs(5), "the stop took {:?}", began.elapsed());
    assert!(!worker.log().contains("did not stop in time"), "{}", worker.log());
}

fn wavering(target: &str) -> Value {
    let deed = [("tasks.max", "2"), ("do", "reconfigure"), ("at", "poll"), ("after", "100"), ("target", target)];
    with(misbehaving_source(), &deed)
}

#[test]
fn a_connector_that_asks_for_new_tasks_gets_them_and_only_those_that_changed_restart() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    worker.upload(&places::guest("misbehaves")).expect(201);
    worker.create_running("w", wavering("changes"));
    let made = || worker.get("/connectors/w/tasks").json()[0]["config"]["made"].as_str().map(str::to_owned);
    let first = made().unwrap();
    eventually("the first task has another configuration", || made().filter(|now| *now != first));
    let started = "kafka_connect_connect_worker_metrics_task_startup_attempts_total";
    eventually("a third start of a task", || worker.metric(started, &[]).filter(|starts| *starts >= 3.0));
    let statuses = kafka.topic_named(&worker.property("status.storage.topic"));
    assert!(!states(&statuses, "status-task-w-1").contains(&"RESTARTING".to_owned()), "the second was not");
}

#[test]
fn a_connector_that_asks_for_the_same_tasks_again_keeps_those_that_it_has() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    worker.upload(&places::guest("misbehaves")).expect(201);
    worker.create_running("w", wavering(""));
    let figure = |name: &str| worker.metric(&format!("kafka_connect_connect_worker_metrics_{name}"), &[]).unwrap();
    let starts = figure("task_startup_attempts_total");
    let asked = figure("connector_startup_attempts_total") + 3.0;
    eventually("it was asked three times more", || (figure("connector_startup_attempts_total") >= asked).then_some(()));
    assert_eq!(figure("task_startup_attempts_total"), starts);
}
