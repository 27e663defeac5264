//! The bundled package `feed-python`, end to end: feeds and REST APIs on loopback become records, once each.
//!
//! Enters: what a web server answers. Leaves: records in Kafka. Invariant: neither a task that starts anew nor a server that does loses
//! an entry or writes one twice.

use std::sync::{Arc, Mutex};

use lockgate_tests::{Kafka, Receiver, Reply, Topic, Worker, WorkerOptions, eventually, eventually_equal, places};
use serde_json::{Value, json};

use crate::contract::fixture::compiled;

/// A web server with a feed that grows; answers 304 where nothing is new.
fn feed() -> (Receiver, Arc<Mutex<Vec<u32>>>) {
    let (server, entries) = (Receiver::start(), Arc::new(Mutex::new(vec![1, 2])));
    let own = Arc::clone(&entries);
    server.answer_by(move |request| {
        let entries = own.lock().unwrap();
        let tag = format!("\"{}\"", entries.len());
        if request.headers.iter().any(|(name, value)| name == "if-none-match" && *value == tag) {
            return Some(Reply::status(304));
        }
        let items = entries
            .iter()
            .rev()
            .map(|n| format!("<item><guid isPermaLink=\"false\">{n}</guid><title>żółw {n}</title></item>"));
        let body =
            format!("<rss version=\"2.0\"><channel><title>News</title>{}</channel></rss>", items.collect::<String>());
        Some(Reply { body, ..Reply::status(200) }.with("etag", &tag))
    });
    (server, entries)
}

fn worker() -> Worker {
    let worker = Worker::start(&Kafka::shared().bootstrap);
    worker.upload(&compiled(places::bundled("feed-python"))).expect(201);
    worker
}

fn config(class: &str, topic: &Topic, more: Value) -> Value {
    let mut config = json!({"connector.class": class, "topic": topic.name, "tasks.max": "1", "poll.interval.ms": "50",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter", "value.converter.schemas.enable": "false"});
    more.as_object().into_iter().flatten().for_each(|(key, value)| config[key] = value.clone());
    config
}

fn keys(topic: &Topic) -> Vec<String> {
    topic.read().iter().map(lockgate_tests::Record::key_text).collect()
}

fn stop_and_resume(worker: &Worker, name: &str) {
    worker.put(&format!("/connectors/{name}/stop")).expect(204);
    eventually("the task is gone", || {
        let status = worker.get(&format!("/connectors/{name}/status")).json();
        status["tasks"].as_array().is_some_and(Vec::is_empty).then_some(())
    });
    worker.put(&format!("/connectors/{name}/resume")).expect(202);
}

#[test]
fn entries_of_a_feed_are_records_once_across_restarts_of_task_and_server() {
    let (worker, topic) = (worker(), Kafka::shared().topic("news", 1));
    let (mut server, entries) = feed();
    let url = format!("http://{}/feed", server.address);
    worker.create_running("news", config("lockgate.FeedSource", &topic, json!({"feed.urls": url})));
    eventually_equal("what the feed has, the oldest first", &vec!["1".to_owned(), "2".to_owned()], || keys(&topic));
    let first: Value = serde_json::from_str(&topic.texts()[0]).unwrap();
    assert_eq!((&first["title"], &first["feed"]["title"]), (&json!("żółw 1"), &json!("News")));
    eventually("it asks for changes only", || server.received().iter().any(|r| r.status == 304).then_some(()));
    stop_and_resume(&worker, "news");
    entries.lock().unwrap().push(3);
    eventually_equal("what is new", &3, || keys(&topic).len());
    server.stop();
    entries.lock().unwrap().push(4);
    eventually("the log says that it is away", || {
        worker
            .get("/connectors/news/logs?tail=50")
            .text()
            .contains("cannot")
            .then_some(())
            .or_else(|| worker.log().contains("http.transport").then_some(()))
    });
    server.restart();
    let all: Vec<String> = (1..=4).map(|n| n.to_string()).collect();
    eventually_equal("nothing is lost and nothing twice", &all, || keys(&topic));
    worker.wait_running("news");
}

/// Items 1 to `count` of an API, three a page; the cursor is the number of the last item.
fn api(count: u32, script: Vec<Reply>) -> Receiver {
    let server = Receiver::start();
    server.answer_next(script);
    server.answer_by(move |request| {
        let after: u32 = request.path.split("after=").nth(1).map_or(0, |text| text.parse().unwrap());
        let items: Vec<Value> =
            (after + 1..=count).take(3).map(|id| json!({"id": id, "name": format!("żółw {id}")})).collect();
        let next = items.last().map(|item| item["id"].to_string());
        Some(Reply { body: json!({"items": items, "next": next}).to_string(), ..Reply::status(200) })
    });
    server
}

fn paged(server: &Receiver, topic: &Topic) -> Value {
    let url = format!("http://{}/items", server.address);
    config(
        "lockgate.RestSource",
        topic,
        json!({"rest.urls": url, "rest.items": "items", "rest.id": "id",
        "rest.pagination": "cursor", "rest.cursor": "next", "rest.cursor.param": "after"}),
    )
}

#[test]
fn pages_of_an_api_are_read_to_the_end_through_a_rate_limit_and_on_from_the_cursor() {
    let (worker, topic) = (worker(), Kafka::shared().topic("items", 1));
    let busy = Reply::status(429).with("retry-after", "1");
    let server = api(7, vec![busy, Reply::status(500)]);
    worker.create_running("items", paged(&server, &topic));
    let all: Vec<String> = (1..=7).map(|n| n.to_string()).collect();
    eventually_equal("every item", &all, || keys(&topic));
    let cursor = json!("7");
    eventually_equal("the cursor is stored", &cursor, || {
        worker.get("/connectors/items/offsets").json()["offsets"][0]["offset"]["at"].clone()
    });
    let before = server.received().len();
    stop_and_resume(&worker, "items");
    eventually("it asks on", || (server.received().len() > before + 1).then_some(()));
    assert!(server.received()[before + 1..].iter().all(|r| r.path.ends_with("after=7")), "{:?}", server.received());
    assert_eq!(keys(&topic), all);
}

#[test]
fn an_answer_that_is_no_feed_fails_the_task_with_its_name() {
    let (worker, topic) = (worker(), Kafka::shared().topic("broken", 1));
    let server = Receiver::start();
    server.answer_by(|_| {
        Some(Reply { body: "<rss version=\"2.0\"><channel><title>x</channel>".to_owned(), ..Reply::status(200) })
    });
    let url = format!("http://{}/feed?key=se-cret", server.address);
    worker.create("broken", config("lockgate.FeedSource", &topic, json!({"feed.urls": url})));
    let trace = worker.wait_failed("broken");
    assert!(trace.contains("feed.xml") && trace.contains("line 1, column"), "{trace}");
    assert!(!trace.contains("se-cret"), "{trace}");
}

#[test]
fn a_feed_on_a_host_that_is_not_granted_is_refused_with_the_property_that_would() {
    let options = WorkerOptions::default().with("lockgate.grants.http", "example.com");
    let worker = Worker::start_with(&Kafka::shared().bootstrap, options);
    worker.upload(&compiled(places::bundled("feed-python"))).expect(201);
    let topic = Kafka::shared().topic("refused", 1);
    let (server, _) = feed();
    let url = format!("http://{}/feed", server.address);
    let config = config("lockgate.FeedSource", &topic, json!({"feed.urls": url}));
    let answer = worker.call("POST", "/connectors", &json!({"name": "refused", "config": config}));
    let reason = if answer.status == 201 { worker.wait_failed("refused") } else { answer.text() };
    assert!(reason.contains(&server.address) && reason.contains("lockgate.grants.http"), "{reason}");
    assert!(server.received().is_empty());
}
