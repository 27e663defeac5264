//! The bundled package `webhook-ts`, end to end: records become messages to a webhook on loopback.
//!
//! Enters: records. Leaves: requests that a web server kept. Invariant: what was answered with 2xx is not sent again while the task
//! lives, and neither a busy nor a restarted server costs a message.

use lockgate_tests::{Kafka, Receiver, Reply, Topic, Worker, WorkerOptions, eventually, eventually_equal, places};
use serde_json::{Value, json};

use crate::contract::fixture::compiled;

/// The path of a webhook is what lets one write to it.
const SECRET: &str = "T0000-se-cret";

fn worker() -> Worker {
    let worker = Worker::start(&Kafka::shared().bootstrap);
    worker.upload(&compiled(places::bundled("webhook-ts"))).expect(201);
    worker
}

fn config(server: &Receiver, topic: &Topic, more: Value) -> Value {
    let mut config = json!({"connector.class": "lockgate.WebhookSink", "topics": topic.name, "tasks.max": "1",
        "webhook.url": format!("http://{}/services/{SECRET}", server.address), "webhook.template": "{value.n}",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter", "value.converter.schemas.enable": "false"});
    more.as_object().into_iter().flatten().for_each(|(key, value)| config[key] = value.clone());
    config
}

fn write(topic: &Topic, numbers: std::ops::Range<u32>) {
    let values: Vec<String> = numbers.map(|n| json!({"n": n}).to_string()).collect();
    topic.write(values.iter().map(String::as_str));
}

/// The lines of all messages that were taken.
fn said(server: &Receiver) -> Vec<String> {
    let bodies = server.accepted();
    let texts =
        bodies.iter().map(|body| serde_json::from_str::<Value>(body).unwrap()["text"].as_str().unwrap().to_owned());
    texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect()
}

fn numbers(all: std::ops::Range<u32>) -> Vec<String> {
    all.map(|n| n.to_string()).collect()
}

fn committed(topic: &Topic, name: &str) -> Option<i64> {
    topic.committed(&format!("connect-{name}")).get(&0).copied()
}

#[test]
fn a_rate_limit_and_a_restart_of_the_server_cost_no_message() {
    let (worker, topic) = (worker(), Kafka::shared().topic("alerts", 1));
    let mut server = Receiver::start();
    server.answer_next([Reply::status(200), Reply::status(429).with("retry-after", "1"), Reply::status(503)]);
    worker.create_running("alerts", config(&server, &topic, json!({"webhook.batch.max": "2"})));
    write(&topic, 0..5);
    eventually_equal("every record is said once", &numbers(0..5), || said(&server));
    eventually_equal("and committed", &Some(5), || committed(&topic, "alerts"));
    server.stop();
    write(&topic, 5..8);
    eventually("the log says that it is away", || worker.log().contains("webhook.connect").then_some(()));
    server.restart();
    eventually_equal("nothing is lost and nothing twice", &numbers(0..8), || said(&server));
    worker.wait_running("alerts");
    let everything =
        [worker.log(), worker.get("/connectors/alerts/logs?tail=200").text(), worker.get("/metrics").text()];
    assert!(everything.iter().all(|text| !text.contains(SECRET)), "the URL stands in a log");
}

#[test]
fn a_refused_record_goes_to_the_dead_letters_and_a_restarted_task_goes_on_behind() {
    let kafka = Kafka::shared();
    let (worker, topic, dead) = (worker(), kafka.topic("picky", 1), kafka.topic("picky-dead", 1));
    let server = Receiver::start();
    server.answer_by(|request| {
        let body = "invalid_payload".to_owned();
        request.body.contains('3').then(|| Reply { body, ..Reply::status(400) })
    });
    let tolerant = json!({"errors.tolerance": "all", "errors.deadletterqueue.topic.name": dead.name,
        "errors.deadletterqueue.topic.replication.factor": "1", "errors.deadletterqueue.context.headers.enable": "true"});
    worker.create_running("picky", config(&server, &topic, tolerant));
    write(&topic, 0..6);
    let good: Vec<String> = [0, 1, 2, 4, 5].map(|n: u32| n.to_string()).into();
    eventually_equal("all but one are said", &good, || said(&server));
    eventually_equal("the one is a dead letter", &vec![json!({"n": 3}).to_string()], || dead.texts());
    let why = dead.read()[0].headers.iter().map(|(_, value)| value.clone()).collect::<String>();
    assert!(why.contains("webhook.status.400") && why.contains("invalid_payload"), "{why}");
    eventually_equal("committed", &Some(6), || committed(&topic, "picky"));
    worker.post("/connectors/picky/restart?includeTasks=true").expect(202);
    write(&topic, 6..8);
    eventually_equal("on from there", &7, || said(&server).len());
    assert_eq!(said(&server)[5..], numbers(6..8));
}

#[test]
fn a_webhook_that_is_not_granted_is_refused_without_showing_its_secret() {
    let options = WorkerOptions::default().with("lockgate.grants.http", "hooks.slack.com");
    let worker = Worker::start_with(&Kafka::shared().bootstrap, options);
    worker.upload(&compiled(places::bundled("webhook-ts"))).expect(201);
    let (server, topic) = (Receiver::start(), Kafka::shared().topic("refused-hook", 1));
    let config = config(&server, &topic, json!({}));
    let answer = worker.call("POST", "/connectors", &json!({"name": "refused", "config": config}));
    let reason = if answer.status == 201 { worker.wait_failed("refused") } else { answer.text() };
    assert!(reason.contains(&server.address) && reason.contains("lockgate.grants.http"), "{reason}");
    assert!(!reason.contains(SECRET) && !worker.log().contains(SECRET), "{reason}");
}

#[test]
fn a_webhook_that_is_gone_fails_the_task_and_keeps_the_offset() {
    let (worker, topic) = (worker(), Kafka::shared().topic("gone-hook", 1));
    let server = Receiver::start();
    server.answer_by(|_| Some(Reply { body: "no_service".to_owned(), ..Reply::status(404) }));
    worker.create_running("gone", config(&server, &topic, json!({"errors.tolerance": "all"})));
    write(&topic, 0..2);
    let trace = worker.wait_failed("gone");
    assert!(trace.contains("webhook.refused") && trace.contains("no_service") && !trace.contains(SECRET), "{trace}");
    assert_eq!(committed(&topic, "gone").unwrap_or(0), 0);
}
