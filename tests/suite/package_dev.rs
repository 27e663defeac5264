//! `lockgate package dev`: a project that changes, in a worker that runs.
//!
//! Enters: a project in C, edits of it. Leaves: records of each build. Invariant: each wait is for something that must come.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lockgate_tests::{Kafka, Worker, eventually_equal, places, within};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

/// A build in C and its way into the worker, on a machine that does much else.
const BUILD_WITHIN: Duration = Duration::from_secs(180);

/// The command while it runs, and what it has said.
struct Session {
    child: Child,
    said: Arc<Mutex<Vec<String>>>,
}

impl Session {
    fn start(worker: &Worker, project: &Path, arguments: &[&str]) -> Self {
        let mut child = Command::new(places::lockgate())
            .env("LOCKGATE_SERVER", format!("http://{}", worker.address))
            .args(["package", "dev"])
            .arg(project)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let said = Arc::<Mutex<Vec<String>>>::default();
        let pipes: [Box<dyn std::io::Read + Send>; 2] =
            [Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
        for pipe in pipes {
            // Ends with the pipe, that is with the child.
            let said = Arc::clone(&said);
            std::thread::spawn(move || {
                BufReader::new(pipe).lines().map_while(Result::ok).for_each(|line| said.lock().unwrap().push(line));
            });
        }
        Self { child, said }
    }

    fn says(&self, part: &str) {
        within(BUILD_WITHIN, &format!("`{part}` is said"), || {
            self.said.lock().unwrap().iter().any(|line| line.contains(part)).then_some(())
        });
    }

    /// Ctrl-C.
    fn end(&mut self) {
        kill_process(Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap(), Signal::INT).unwrap();
        let status = within(BUILD_WITHIN, "it ends after Ctrl-C", || self.child.try_wait().unwrap());
        assert!(status.success(), "{status}\n{}", self.said.lock().unwrap().join("\n"));
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.said.lock().unwrap().join("\n"));
        }
        drop(self.child.kill()); // it may have ended
        drop(self.child.wait());
    }
}

/// Versions of the package that the worker has.
fn versions(worker: &Worker, package: &str) -> Vec<String> {
    let all = worker.get("/packages").json();
    let own = all.as_array().unwrap().iter().filter(|p| p["name"] == package);
    own.map(|p| p["version"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_change_of_the_source_flows_and_a_broken_one_keeps_the_former_build_running() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("developed", 1);
    let dir = tempfile::tempdir().unwrap();
    let project = dir.path().join("developed");
    fs::create_dir_all(&project).unwrap();
    let template = places::root().join("sdk/c/template/c/source");
    for name in ["my_source.c", "Makefile"] {
        fs::copy(template.join(name), project.join(name)).unwrap();
    }
    let connector = json!({
        "name": "developed", "topic": topic.name, "interval.ms": "50",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter", "value.converter.schemas.enable": "false",
    });
    fs::write(project.join("connector.json"), connector.to_string()).unwrap();
    let source = project.join("my_source.c");
    let first = fs::read_to_string(&source).unwrap();
    let change = |by: &str| {
        first.replace(
            "\"{\\\"beat\\\":%ld}\", source->beat)",
            &format!("\"{{\\\"beat\\\":%ld,\\\"by\\\":\\\"{by}\\\"}}\", source->beat)"),
        )
    };
    assert_ne!(change("x"), first, "the template has the text that is changed");
    let mut session = Session::start(&worker, &project, &["--kafka", &kafka.bootstrap]);
    session.says("developed runs");
    session.says(&format!("{}-0@0", topic.name));
    let last = || topic.texts().last().map(|text| serde_json::from_str::<Value>(text).unwrap());
    let by = |who: &str| {
        within(BUILD_WITHIN, who, || last().filter(|record| record["by"] == who));
    };
    fs::write(&source, change("second")).unwrap();
    by("second");
    fs::write(&source, change("third") + "\nthis is not C\n").unwrap();
    session.says("keeps running");
    let before = topic.texts().len();
    within(BUILD_WITHIN, "the former build goes on", || (topic.texts().len() > before + 3).then_some(()));
    by("second");
    fs::write(&source, change("fourth")).unwrap();
    by("fourth");
    let beats: Vec<u64> = topic
        .texts()
        .iter()
        .map(|text| serde_json::from_str::<Value>(text).unwrap()["beat"].as_u64().unwrap())
        .collect();
    let mut distinct = beats.clone();
    distinct.dedup();
    assert_eq!(
        distinct,
        (1..=*distinct.last().unwrap()).collect::<Vec<_>>(),
        "each build went on where the former was"
    );
    eventually_equal("former builds are gone", &1, || versions(&worker, "my-source").len());
    assert!(versions(&worker, "my-source")[0].starts_with("0.1.0-dev."));
    session.end();
    assert_eq!((worker.get("/connectors").json(), versions(&worker, "my-source")), (json!([]), Vec::<String>::new()));
}
