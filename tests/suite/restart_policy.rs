//! Automatic restarts: a task that fails comes back by itself where that is wanted, and a crash loop ends.
//!
//! Enters: the guest `misbehaves`, which panics after some calls. Leaves: states, figures, what ends a quarantine.

use lockgate_tests::{Kafka, Worker, eventually, eventually_equal, places};
use serde_json::{Value, json};

use crate::configs::{misbehaving_source, with};

/// A source that gives some batches and then panics, each time it is started.
fn panics_after(polls: &str) -> Value {
    with(misbehaving_source(), &[("do", "panic"), ("at", "poll"), ("after", polls)])
}

fn restarting(config: Value, attempts: &str) -> Value {
    let bounds = [
        ("restart.policy", "on-failure"),
        ("restart.delay.ms", "50"),
        ("restart.delay.max.ms", "100"),
        ("restart.max.attempts", attempts),
    ];
    with(config, &bounds)
}

fn worker(kafka: &Kafka) -> Worker {
    let worker = Worker::start(&kafka.bootstrap);
    worker.upload(&places::guest("misbehaves")).expect(201);
    worker
}

fn task(worker: &Worker, name: &str) -> Value {
    worker.get(&format!("/connectors/{name}/status")).json()["tasks"][0].clone()
}

fn restarts(worker: &Worker, name: &str) -> f64 {
    worker.metric("lockgate_task_automatic_restarts_total", &[&format!("connector=\"{name}\"")]).unwrap_or(0.0)
}

fn wait_quarantined(worker: &Worker, name: &str) -> Value {
    eventually("it is quarantined", || {
        let task = task(worker, name);
        (task["state"] == "FAILED" && task["health"]["state"] == "quarantined").then_some(task)
    })
}

#[test]
fn a_task_that_fails_now_and_then_goes_on_by_itself() {
    let kafka = Kafka::shared();
    let worker = worker(kafka);
    worker.create("c", restarting(panics_after("20"), "1000"));
    eventually("it was started again three times", || (restarts(&worker, "c") >= 3.0).then_some(()));
    worker.wait_running("c");
}

#[test]
fn a_crash_loop_is_quarantined_until_somebody_takes_care_of_it() {
    let kafka = Kafka::shared();
    let worker = worker(kafka);
    worker.create("c", restarting(panics_after("0"), "2"));
    let failed = wait_quarantined(&worker, "c");
    assert_eq!(restarts(&worker, "c"), 2.0);
    assert!(failed["trace"].as_str().unwrap().contains("poll failed"), "{failed}");
    let reason = failed["health"]["reason"].as_str().unwrap();
    assert!(reason.contains("restarted 2 times") && reason.contains("restart.max.attempts"), "{reason}");
    assert_eq!(worker.metric("lockgate_task_quarantined", &["connector=\"c\""]), Some(1.0));

    worker.post("/connectors/c/tasks/0/restart").expect(204);
    eventually_equal("it had two more", &4.0, || restarts(&worker, "c"));
    wait_quarantined(&worker, "c");

    worker.call("PUT", "/connectors/c/config", &restarting(panics_after("1000000"), "2")).expect(200);
    worker.wait_running("c");
    assert!(task(&worker, "c")["health"].is_null());
}

#[test]
fn another_version_of_the_package_ends_a_quarantine() {
    let kafka = Kafka::shared();
    let worker = worker(kafka);
    worker.create("c", restarting(panics_after("0"), "1"));
    wait_quarantined(&worker, "c");
    let packages = worker.get("/packages").json();
    let installed = packages.as_array().unwrap().iter().find(|p| p["name"] == "misbehaves").unwrap();
    let version = installed["version"].as_str().unwrap();
    let newer = format!("{}9", &version[..version.len() - 1]);
    let mut package = places::guest("misbehaves");
    for at in 0..package.len() - version.len() {
        if package[at..].starts_with(version.as_bytes()) {
            package[at..at + version.len()].copy_from_slice(newer.as_bytes());
        }
    }
    worker.upload(&package).expect(201);
    eventually_equal("it is tried with the new one", &2.0, || restarts(&worker, "c"));
    wait_quarantined(&worker, "c");
    let trace = task(&worker, "c")["trace"].as_str().unwrap().to_owned();
    assert!(trace.contains(&format!("misbehaves {newer}")), "{trace}");
}

#[test]
fn without_a_policy_or_where_it_cannot_help_a_failed_task_stays_failed() {
    let kafka = Kafka::shared();
    let worker = worker(kafka);
    worker.create("never", panics_after("0"));
    worker.wait_failed("never");
    assert!(task(&worker, "never")["health"].is_null());
    worker.upload(&places::guest("lies")).expect(201);
    let lie = json!({"connector.class": "lies.Source", "tasks.max": "1", "lie": "span"});
    worker.create("liar", restarting(lie, "5"));
    worker.wait_failed("liar");
    assert!(task(&worker, "liar")["health"].is_null(), "a broken contract stays broken");
    assert_eq!((restarts(&worker, "never"), restarts(&worker, "liar")), (0.0, 0.0));
}
