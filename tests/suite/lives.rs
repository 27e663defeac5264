//! The life of a connector and of a worker: pause, resume, stop, restart, delete; ends that are clean.
//!
//! Enters: commands over REST, signals. Leaves: what the far end holds afterwards: nothing lost, nothing twice.

use std::fs;
use std::io::Write;
use std::time::{Duration, Instant};

use lockgate_tests::{Kafka, Worker, WorkerOptions, eventually, eventually_equal};

use crate::configs::{file_sink, file_source, lines, numbers};

#[test]
fn a_paused_sink_takes_nothing_and_goes_on_where_it_was() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("paused", 1);
    worker.create_running("p", file_sink(&topic.name, &worker.path_text("out.txt")));
    topic.write(["before"]);
    eventually_equal("the first", &vec!["before".to_owned()], || lines(&worker.path("out.txt")));
    worker.put("/connectors/p/pause").expect(202);
    worker.wait_state("p", "PAUSED", "PAUSED");
    topic.write(["meanwhile"]);
    // A second connector on the same topic shows that there was time enough to take it.
    worker.create_running("witness", file_sink(&topic.name, &worker.path_text("witness.txt")));
    eventually_equal("the witness has both", &2, || lines(&worker.path("witness.txt")).len());
    assert_eq!(lines(&worker.path("out.txt")), ["before"]);
    worker.put("/connectors/p/resume").expect(202);
    worker.wait_running("p");
    eventually_equal("both, once", &vec!["before".to_owned(), "meanwhile".to_owned()], || {
        lines(&worker.path("out.txt"))
    });
}

#[test]
fn a_stopped_connector_has_no_tasks_until_it_is_resumed() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("stopped", 1);
    worker.create_running("s", file_sink(&topic.name, &worker.path_text("out.txt")));
    worker.put("/connectors/s/stop").expect(204);
    eventually("no tasks", || {
        let status = worker.get("/connectors/s/status").json();
        (status["connector"]["state"] == "STOPPED" && status["tasks"].as_array().is_some_and(Vec::is_empty))
            .then_some(())
    });
    worker.put("/connectors/s/resume").expect(202);
    worker.wait_running("s");
}

#[test]
fn a_restarted_connector_and_task_repeat_nothing() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("restarted", 1);
    worker.create_running("r", file_sink(&topic.name, &worker.path_text("out.txt")));
    for (round, path) in ["/restart?includeTasks=true", "/tasks/0/restart", "/restart"].iter().enumerate() {
        topic.write([round.to_string().as_str()]);
        eventually_equal("up to here", &numbers(0..round + 1), || lines(&worker.path("out.txt")));
        let status = worker.post(&format!("/connectors/r{path}")).status;
        assert!(status == 202 || status == 204, "{path}: {status}");
        worker.wait_running("r");
    }
    topic.write(["3"]);
    eventually_equal("everything once", &numbers(0..4), || lines(&worker.path("out.txt")));
}

#[test]
fn a_deleted_connector_that_comes_back_goes_on_from_its_offsets() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("deleted", 1);
    let config = || file_sink(&topic.name, &worker.path_text("out.txt"));
    worker.create_running("d", config());
    topic.write(["1"]);
    eventually_equal("the first", &Some(1), || topic.committed("connect-d").get(&0).copied());
    worker.delete("/connectors/d").expect(204);
    worker.get("/connectors/d").expect(404);
    topic.write(["2"]);
    eventually("it can be created again", || {
        let body = serde_json::json!({"name": "d", "config": config()});
        (worker.call("POST", "/connectors", &body).status == 201).then_some(())
    });
    eventually_equal("each once", &vec!["1".to_owned(), "2".to_owned()], || lines(&worker.path("out.txt")));
}

#[test]
fn a_changed_config_takes_effect_without_losing_a_record() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("changed", 1);
    worker.create_running("changed", file_sink(&topic.name, &worker.path_text("one.txt")));
    topic.write(numbers(0..50).iter().map(String::as_str));
    eventually_equal("the first half", &50, || lines(&worker.path("one.txt")).len());
    worker.call("PUT", "/connectors/changed/config", &file_sink(&topic.name, &worker.path_text("two.txt"))).expect(200);
    topic.write(numbers(50..100).iter().map(String::as_str));
    let both = || [lines(&worker.path("one.txt")), lines(&worker.path("two.txt"))].concat();
    eventually_equal("both files together", &numbers(0..100), both);
}

#[test]
fn after_a_clean_stop_nothing_is_lost_and_nothing_is_repeated() {
    let kafka = Kafka::shared();
    let mut worker =
        Worker::start_with(&kafka.bootstrap, WorkerOptions::default().with("offset.flush.interval.ms", "60000"));
    let topic = kafka.topic("clean", 1);
    let write = |worker: &Worker, from: usize| {
        let mut file = fs::File::options().create(true).append(true).open(worker.path("in.txt")).unwrap();
        numbers(from..from + 1000).iter().for_each(|n| writeln!(file, "{n}").unwrap());
    };
    write(&worker, 0);
    worker.create_running("in", file_source(&worker.path_text("in.txt"), &topic.name));
    worker.create_running("again", file_sink(&topic.name, &worker.path_text("out.txt")));
    for round in 1..=3 {
        eventually_equal("the file so far", &(round * 1000), || lines(&worker.path("out.txt")).len());
        let began = Instant::now();
        let status = worker.stop();
        assert!(status.success(), "{status}");
        assert!(began.elapsed() < Duration::from_secs(5), "a clean stop took {:?}", began.elapsed());
        write(&worker, round * 1000);
        worker.launch();
        worker.wait_ready();
        worker.wait_running("again");
    }
    eventually_equal("every line once, in order", &numbers(0..4000), || lines(&worker.path("out.txt")));
    assert_eq!(topic.texts(), numbers(0..4000));
}

#[test]
fn connectors_states_and_packages_are_there_again_after_a_restart() {
    let kafka = Kafka::shared();
    let mut worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("again", 1);
    for name in ["runs", "rests", "stands"] {
        worker.create_running(name, file_sink(&topic.name, &worker.path_text(name)));
    }
    worker.put("/connectors/rests/pause").expect(202);
    worker.put("/connectors/stands/stop").expect(204);
    worker.wait_state("rests", "PAUSED", "PAUSED");
    worker.stop();
    worker.launch();
    worker.wait_ready();
    worker.wait_running("runs");
    worker.wait_state("rests", "PAUSED", "PAUSED");
    assert_eq!(worker.get("/connectors/stands/status").expect(200).json()["connector"]["state"], "STOPPED");
}
