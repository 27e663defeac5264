//! `lockgate dev`, what a newcomer sees first: a Kafka of its own, two pipelines, a clean end, a second start.
//!
//! Enters: a folder and free ports. Leaves: records at both far ends, each once over two lives.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use lockgate_tests::free_port;
use lockgate_tests::http::request;
use lockgate_tests::{Topic, eventually, places, within};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::configs::lines;

/// Ctrl-C to the end of the process. The promise is 5 s on a machine that does nothing else.
const STOP_WITHIN: Duration = Duration::from_secs(15);

struct Dev {
    dir: tempfile::TempDir,
    rest: u16,
    kafka: u16,
    receiver: u16,
    child: Option<Child>,
}

impl Dev {
    fn start(&mut self) {
        let log = std::fs::File::options().create(true).append(true).open(self.dir.path().join("dev.log")).unwrap();
        let child = Command::new(places::lockgate())
            .args(["dev", "--dir"])
            .arg(self.dir.path().join("dev"))
            .args(["--rest-port", &self.rest.to_string(), "--kafka-port", &self.kafka.to_string()])
            .args(["--receiver-port", &self.receiver.to_string(), "--packages"])
            .arg(places::packages())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.child = Some(child);
        within(Duration::from_secs(120), "both pipelines run", || {
            let all = self.get("/connectors?expand=status")?;
            let tasks: Vec<&Value> = all.as_object()?.values().map(|c| &c["status"]["tasks"][0]["state"]).collect();
            (tasks.len() >= 4 && tasks.iter().all(|state| **state == "RUNNING")).then_some(())
        });
    }

    /// Ctrl-C.
    fn stop(&mut self) {
        let mut child = self.child.take().unwrap();
        kill_process(Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap(), Signal::INT).unwrap();
        let status = within(STOP_WITHIN, "it ends after Ctrl-C", || child.try_wait().unwrap());
        assert!(status.success(), "{status}\n{}", self.log());
    }

    fn get(&self, path: &str) -> Option<Value> {
        let answer = request(&format!("127.0.0.1:{}", self.rest), "GET", path, &[], b"").ok()?;
        (answer.status == 200).then(|| answer.json())
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("dev.log")).unwrap_or_default()
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.log());
        }
        if let Some(mut child) = self.child.take() {
            // Politely, so that it ends its Kafka.
            let _ = kill_process(Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap(), Signal::TERM);
            let _ = child.wait();
        }
    }
}

#[test]
fn a_newcomer_sees_records_flow_and_nothing_is_lost_or_repeated_over_two_lives() {
    let kafka = lockgate_tests::free_ports(lockgate_tests::kafka::PORTS);
    let dir = tempfile::tempdir().unwrap();
    let mut dev = Dev { dir, rest: free_port(), kafka, receiver: free_port(), child: None };
    dev.start();
    let all = dev.get("/connectors?expand=info").unwrap();
    let configs: Vec<Value> = all.as_object().unwrap().values().map(|c| c["info"]["config"].clone()).collect();
    let is_sink = |c: &&Value| c["topics"].is_string() && c["file"].is_string();
    let sink = configs.iter().find(is_sink).expect("a file sink among the pipelines");
    let output = std::path::PathBuf::from(sink["file"].as_str().unwrap());
    let topic = Topic::named(&format!("127.0.0.1:{kafka}"), sink["topics"].as_str().unwrap());
    let mut seen = 0;
    for _ in 0..2 {
        eventually("more lines", || (lines(&output).len() > seen + 10).then_some(()));
        seen = lines(&output).len();
        dev.stop();
        dev.start();
    }
    eventually("lines of the last life", || (lines(&output).len() > seen + 5).then_some(()));
    let written = lines(&output);
    let sent = topic.texts();
    assert!(sent.len() >= written.len());
    assert_eq!(written, sent[..written.len()], "the file is the topic, record by record");
    let distinct: std::collections::HashSet<&String> = sent.iter().collect();
    assert_eq!(distinct.len(), sent.len(), "no record was made twice");
    dev.stop();
}
