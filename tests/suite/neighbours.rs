//! One worker, a guest that misbehaves and one that does not: what the other one notices, and what the status says.
//!
//! Enters: the guests `misbehaves` and `lies`, uploaded. Leaves: FAILED with a reason for the one, records for the other.

use std::time::{Duration, Instant};

use lockgate_tests::{Kafka, Worker, WorkerOptions, eventually, eventually_equal, places};
use serde_json::{Value, json};

use crate::configs::{blackhole, file_sink, lines, numbers, with};

fn bad_sink(topic: &str, what: &str) -> Value {
    json!({"connector.class": "bad.Sink", "topics": topic, "tasks.max": "1", "do": what, "at": "put"})
}

#[test]
fn a_guest_that_fails_is_failed_with_its_reason_and_its_neighbour_goes_on() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    worker.upload(&places::guest("misbehaves")).expect(201);
    let topic = kafka.topic("shared-fate", 1);
    worker.create_running("good", file_sink(&topic.name, &worker.path_text("out.txt")));
    topic.write(["0"]);
    let cases = [
        ("spin", "plugin.cpu"),
        ("panic", "plugin.trap"),
        ("allocate", "plugin."),
        ("recurse", "plugin.trap"),
        ("exit", "plugin.trap"),
    ];
    for (at, (what, code)) in cases.into_iter().enumerate() {
        let name = format!("bad-{what}");
        worker.create(&name, bad_sink(&topic.name, what));
        let trace = worker.wait_failed(&name);
        for words in [code, "misbehaves", "bad.Sink", "put"] {
            assert!(trace.contains(words), "{what}: `{words}` is missing in: {trace}");
        }
        assert_eq!(
            topic.committed(&format!("connect-{name}")).get(&0).copied().unwrap_or(0),
            0,
            "{what}: nothing was taken"
        );
        topic.write([(at + 1).to_string().as_str()]);
        eventually_equal("the neighbour has everything", &numbers(0..at + 2), || lines(&worker.path("out.txt")));
    }
    worker.wait_running("good");
}

#[test]
fn a_guest_that_agrees_to_more_than_it_was_given_commits_nothing() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    worker.upload(&places::guest("lies")).expect(201);
    let topic = kafka.topic("agreed", 1);
    topic.write(numbers(0..10).iter().map(String::as_str));
    for lie in ["agree-more", "agree-partition", "agree-topic", "agree-negative", "agree-twice"] {
        let name = format!("liar-{lie}");
        worker
            .create(&name, json!({"connector.class": "lies.Sink", "topics": topic.name, "tasks.max": "1", "lie": lie}));
        if lie == "agree-negative" || lie == "agree-twice" {
            // Less than asked is no lie that could lose anything; what matters is that no more is committed.
            eventually("it has taken the records", || {
                worker.metric("kafka_connect_sink_task_metrics_sink_record_send_total", &[&name]).filter(|n| *n >= 10.0)
            });
        } else {
            assert!(worker.wait_failed(&name).contains("guest.protocol"), "{lie}");
        }
        let committed = topic.committed(&format!("connect-{name}")).get(&0).copied().unwrap_or(0);
        assert!(committed <= 10, "{lie}: {committed}");
    }
}

#[test]
fn a_spinning_neighbour_takes_no_more_than_its_share_of_time() {
    let kafka = Kafka::shared();
    let worker = Worker::start_with(&kafka.bootstrap, WorkerOptions::default().with("lockgate.limits.cpu.ms", "20000"));
    worker.upload(&places::guest("misbehaves")).expect(201);
    let topic = kafka.topic("beside", 1);
    worker.create_running("healthy", blackhole(&topic.name));
    let labels = [r#"connector="healthy""#];
    let sent = || worker.metric("kafka_connect_sink_task_metrics_sink_record_send_total", &labels).unwrap_or(0.0);
    let mut written = 0.0;
    let mut round_trips = || {
        let mut times: Vec<Duration> = (0..30)
            .map(|_| {
                let began = Instant::now();
                topic.write(["x"]);
                written += 1.0;
                eventually("the record was put", || (sent() >= written).then_some(()));
                began.elapsed()
            })
            .collect();
        times.sort();
        times[times.len() * 9 / 10]
    };
    let alone = round_trips();
    let other = kafka.topic("spun", 1);
    other.write(["x"]);
    for at in 0..3 {
        worker.create(&format!("spins-{at}"), bad_sink(&other.name, "spin"));
    }
    let began = Instant::now();
    let beside = round_trips();
    // A functional bound; the figure itself is in tests/bench. Without yielding this would be twenty seconds.
    assert!(
        beside < alone * 5 + Duration::from_millis(500),
        "alone {alone:?}, beside three spinning guests {beside:?}"
    );
    assert!(began.elapsed() < Duration::from_secs(60));
    worker.get("/health").expect(200);
}

#[test]
fn a_guests_lines_are_found_by_its_connector() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    worker.upload(&places::guest("reference")).expect(201);
    let topic = kafka.topic("spoken", 1);
    worker.create_running("speaks", json!({"connector.class": "ref.Sink", "topics": topic.name, "tasks.max": "1"}));
    topic.write(["said"]);
    let logs = |tail: u32| worker.get(&format!("/connectors/speaks/logs?tail={tail}")).expect(200).text();
    eventually("its line about the record", || logs(50).contains(&format!("{}-0@0", topic.name)).then_some(()));
    assert!(logs(1).matches("ref:").count() <= 1, "{}", logs(1));
    assert!(worker.log().contains("speaks"), "they are in the worker's log as well");
    let counted = worker.metric("lockgate_guest_ref_records", &[r#"connector="speaks""#, r#"task="0""#]);
    assert_eq!(counted, Some(1.0), "and what it counts is in the metrics");
}

#[test]
fn a_package_that_is_fixed_runs_beside_the_broken_one() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("fixed", 1);
    topic.write(["x"]);
    worker.upload(&places::guest("misbehaves")).expect(201);
    worker.create("it", bad_sink(&topic.name, "panic"));
    worker.wait_failed("it");
    let healed = with(bad_sink(&topic.name, "nothing"), &[("at", "never")]);
    worker.call("PUT", "/connectors/it/config", &healed).expect(200);
    worker.wait_running("it");
    eventually_equal("the record is taken at last", &Some(1), || topic.committed("connect-it").get(&0).copied());
}
