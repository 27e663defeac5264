//! What goes wrong: exit codes, messages, hints.
//!
//! Enters: command lines that cannot succeed. Leaves: codes that tell the kinds of failure apart, the server's own words.

use lockgate_tests::{Kafka, Receiver, Reply, Worker};

use super::{at, connector, ended, program};
use crate::configs::{file_sink, json_values};
use crate::ran::Ran;

#[test]
fn each_kind_of_failure_has_its_exit_code_and_a_hint() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("codes", 1);
    let topics = format!("topics={}", topic.name);
    let run = |args: &[&str]| connector(&worker, args);
    let says = |ran: Ran, code: i32, words: &[&str]| {
        let ran = ran.ends(code);
        assert!(words.iter().all(|word| ran.err.contains(word)), "{words:?} are not all in:\n{}", ran.err);
        assert!(ran.out.is_empty(), "{}", ran.out);
    };
    says(run(&["frobnicate"]), 2, &["frobnicate"]);
    says(run(&["create"]), 2, &["--file"]);
    says(
        run(&["status", "nobody"]),
        3,
        &["No status found for connector nobody", "hint: `lockgate connector list`", "exit code 3"],
    );
    run(&["create", "c", "connector.class=blackhole", &topics, "--state", "stopped", "--wait"]).ends(0);
    says(run(&["create", "c", "connector.class=blackhole", &topics]), 4, &["Connector c already exists", "apply"]);
    let invalid = run(&["create", "d", "connector.class=FileStreamSnk", &topics]);
    says(invalid, 5, &["FileStreamSnk", "exit code 5 (invalid)"]);
    says(run(&["delete", "nobody", "c", "no-one"]).keeping(), 3, &["nobody", "no-one"]);
    worker.get("/connectors/c").expect(404);
    says(at("127.0.0.1:1", &["cluster", "info"]), 6, &["http://127.0.0.1:1", "LOCKGATE_SERVER"]);
    topic.write(["not JSON"]);
    worker.create("f", json_values(file_sink(&topic.name, &worker.path_text("out.txt"))));
    worker.wait_failed("f");
    says(run(&["resume", "f", "--wait"]).keeping(), 9, &["f FAILED: ", "status f --trace"]);
    let traced = run(&["status", "f", "--trace"]).ends(0).out;
    assert!(traced.contains("f: RUNNING (task FAILED)") && traced.contains("\ntask 0:\n  "), "{traced}");
}

#[test]
fn credentials_are_sent_and_refusals_by_servers_of_any_kind_understood() {
    let server = Receiver::start();
    let run = |args: &[&str]| at(&server.address, args);
    server.answer_by(|request| {
        let said = request.headers.iter().find(|(name, _)| name == "authorization").map(|(_, v)| v.as_str());
        match said {
            Some("Bearer t0ken" | "Basic YTpi") if request.path.ends_with("/status") => {
                let body = r#"{"name":"a","connector":{"state":"UNASSIGNED","worker_id":"\u001b[2Jw"},"tasks":[]}"#;
                Some(Reply { body: body.to_owned(), ..Reply::status(200) })
            }
            Some("Bearer moved") => Some(Reply::status(307).with("location", "http://elsewhere/")),
            Some("Bearer page") => Some(Reply { body: "<html>Bad Gateway".to_owned(), ..Reply::status(502) }),
            _ => Some(Reply {
                body: r#"{"error_code":401,"message":"User cannot access the resource."}"#.to_owned(),
                ..Reply::status(401)
            }),
        }
    });
    let refused = run(&["connector", "list"]).ends(7);
    assert!(refused.err.contains("User cannot access") && refused.err.contains("--token"), "{}", refused.err);
    let shown = run(&["connector", "status", "a", "--token", "t0ken"]).ends(0).out;
    assert!(shown.contains("a: UNASSIGNED") && !shown.contains('\u{1b}'), "{shown:?}");
    run(&["connector", "status", "a", "--user", "a:b"]).ends(0);
    let by_env =
        program(&server.address, &["connector", "status", "a", "--user", "a"]).env("LOCKGATE_PASSWORD", "b").spawn();
    ended(by_env.unwrap()).ends(0);
    run(&["connector", "status", "a", "--user", "a:b", "--token", "t0ken"]).ends(2);
    let late = run(&["connector", "pause", "a", "--token", "t0ken"]).ends(7);
    assert!(!late.err.contains("t0ken"), "{}", late.err);
    let moved = run(&["cluster", "info", "--token", "moved"]).ends(1);
    assert!(moved.err.contains("http://elsewhere/"), "{}", moved.err);
    assert!(run(&["cluster", "info", "--token", "page"]).ends(1).err.contains("HTTP 502 <html>Bad Gateway"));
    server.answer_by(|request| {
        let body = if request.method == "GET" {
            r#"{"connector":{"state":"RUNNING"},"tasks":[{"id":0,"state":"UNASSIGNED"}]}"#
        } else {
            ""
        };
        Some(Reply { body: body.to_owned(), ..Reply::status(202) })
    });
    let late = run(&["connector", "resume", "a", "--wait", "--deadline", "300ms"]).ends(8);
    assert!(late.err.contains("a is not RUNNING after 300ms") && late.err.contains("[UNASSIGNED]"), "{}", late.err);
}
