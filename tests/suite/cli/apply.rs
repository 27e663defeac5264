//! A cluster that becomes equal to a folder.
//!
//! Enters: files of connectors. Leaves: connectors, and nothing touched that was as wanted.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use lockgate_tests::{Kafka, Worker};
use serde_json::json;

use super::{connector, ended, program};
use crate::configs::blackhole;

/// Two connectors in one file, in both forms; the settings of the second end with these.
fn two(topic: &str, settings: &str) -> String {
    let class = "connector.class: blackhole";
    format!("name: a\n{class}\ntopics: {topic}\n---\nname: c\nconfig:\n  {class}\n  topics: {topic}\n{settings}")
}

fn write(dir: &Path, name: &str, text: &str) {
    fs::create_dir_all(dir).unwrap();
    fs::write(dir.join(name), text).unwrap();
}

#[test]
fn a_cluster_becomes_equal_to_a_folder() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("folder", 1).name.clone();
    let (dir, path) = (worker.path("connectors"), worker.path_text("connectors"));
    let apply = |more: &[&str]| {
        let args: Vec<&str> = ["apply", "-f", &path].iter().chain(more).copied().collect();
        connector(&worker, &args)
    };
    write(&dir, "b.json", &json!({"name": "b", "config": blackhole(&topic)}).to_string());
    write(&dir, "two.yaml", &two(&topic, "  db.password: geheim\n  other.token: ${env:TOKEN}\n"));
    write(&dir, "notes.txt", "not a connector");
    let dry = apply(&["--dry-run"]).ends(0).out;
    assert!(dry.contains("+ a (new, from ") && dry.contains("    + topics: "), "{dry}");
    assert!(dry.contains("+ db.password: ********") && dry.contains("+ other.token: ${env:TOKEN}"), "{dry}");
    assert!(
        !dry.contains("geheim")
            && dry.ends_with("3 created, 0 updated, 0 unchanged, 0 deleted, 0 failed (dry run: nothing was changed)\n"),
        "{dry}"
    );
    assert_eq!(worker.get("/connectors").json(), json!([]));
    let first = apply(&["--wait"]).ends(0).out;
    assert!(first.starts_with("a created\nb created\nc created\n"), "by name: {first}");
    assert!(first.ends_with("3 created, 0 updated, 0 unchanged, 0 deleted, 0 failed\n"), "{first}");
    worker.wait_running("c");

    worker.create_running("stray", blackhole(&topic));
    fs::remove_file(dir.join("b.json")).unwrap();
    write(&dir, "two.yaml", &two(&topic, "  tasks.max: 2\n  db.password: anders\n"));
    let dry = apply(&["--dry-run", "--prune"]).ends(0).out;
    let expected = [
        "= a\n",
        "- b (deleted)\n",
        "~ c (changed, by ",
        "    - db.password: ********\n    + db.password: ********\n",
        "    - other.token: ${env:TOKEN}\n",
        "    + tasks.max: 2\n",
        "- stray (deleted)\n",
        "0 created, 1 updated, 1 unchanged, 2 deleted, 0 failed (dry run: nothing was changed)\n",
    ];
    expected.iter().for_each(|words| assert!(dry.contains(words), "{words:?} is not in:\n{dry}"));
    let report = apply(&["--prune", "-o", "json"]).ends(0).json();
    let actions: Vec<_> = report
        .as_array()
        .unwrap()
        .iter()
        .map(|l| (l["name"].as_str().unwrap(), l["action"].as_str().unwrap()))
        .collect();
    assert_eq!(actions, [("a", "unchanged"), ("b", "deleted"), ("c", "updated"), ("stray", "deleted")]);
    assert_eq!(worker.get("/connectors").json(), json!(["a", "c"]));
    assert_eq!(worker.get("/connectors/c/config").json()["tasks.max"], "2");
}

#[test]
fn connectors_that_are_as_wanted_do_not_restart() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("untouched", 1).name.clone();
    worker.create_running("a", blackhole(&topic));
    let starts = || {
        let text = worker.get("/metrics").text();
        let line = text.lines().find(|l| !l.starts_with('#') && l.contains("task_startup_attempts_total")).unwrap();
        line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()
    };
    let before = starts();
    write(&worker.path("connectors"), "a.json", &json!({"name": "a", "config": blackhole(&topic)}).to_string());
    let path = worker.path_text("connectors");
    let ran = connector(&worker, &["apply", "-f", &path, "--prune", "--wait"]).ends(0);
    assert_eq!(ran.out, "a unchanged\n0 created, 0 updated, 1 unchanged, 0 deleted, 0 failed\n");
    assert_eq!((starts(), before >= 1.0), (before, true));
}

#[test]
fn a_file_that_fails_stops_no_other_and_deletes_nothing() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("failing", 1).name.clone();
    let (dir, path) = (worker.path("connectors"), worker.path_text("connectors"));
    worker.create_running("old", blackhole(&topic));
    write(&dir, "a.json", "{\"name\": \"old\", ");
    write(&dir, "b.yaml", "name: wrong\nconnector.class: FileStreamSnk\n");
    write(&dir, "c.yaml", &format!("name: new\nconnector.class: blackhole\ntopics: {topic}\n"));
    let dry = connector(&worker, &["apply", "-f", &path, "--dry-run", "--prune"]).ends(5);
    assert!(dry.out.contains("1 created, 0 updated, 0 unchanged, 0 deleted, 2 failed"), "{}", dry.out);
    let ran = connector(&worker, &["apply", "-f", &path, "--prune"]).ends(5);
    assert!(
        ran.err.contains("a.json") && ran.err.contains("wrong: ") && ran.err.contains("nothing is pruned"),
        "{}",
        ran.err
    );
    assert_eq!(ran.out, "new created\n1 created, 0 updated, 0 unchanged, 0 deleted, 2 failed\n");
    assert_eq!(worker.get("/connectors").json(), json!(["new", "old"]), "a file that is broken deletes nothing");

    let piped = |text: &str, more: &[&str]| {
        let args: Vec<&str> = ["connector", "apply", "-f", "-"].iter().chain(more).copied().collect();
        let mut child = program(&worker.address, &args).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        ended(child)
    };
    let empty = piped("", &["--prune"]).ends(2);
    assert!(empty.err.contains("--allow-empty"), "{}", empty.err);
    let got = connector(&worker, &["get", "old", "-o", "yaml"]).ends(0).out;
    assert!(piped(&got, &[]).ends(0).out.starts_with("old unchanged\n"), "what `get` prints can be applied");
    assert!(piped("[]", &["--prune", "--allow-empty"]).ends(0).out.contains("2 deleted"));
    assert_eq!(worker.get("/connectors").json(), json!([]));
}
