//! A real Kafka Connect worker for tests, started by `tests/kafka/kafka.sh`: the model that parity is judged by.
//!
//! Enters: a properties file, as it is or made here. Leaves: a worker (`ConnectDistributed`, with the file connectors) that
//! answers on its REST address. Invariant: it ends with the handle, and with this process however that ends.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::{Pid, test_kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::http::{Answer, request, request_json};
use crate::kafka::{Guard, kafka_script};
use crate::places;
use crate::ports::free_port;
use crate::wait::{PATIENCE, eventually_equal, within};
use crate::worker::unique;

/// A Connect worker.
pub struct Connect {
    /// `127.0.0.1:port` of its REST API.
    pub address: String,
    /// Its folder: properties, log, files that connectors read and write.
    pub dir: TempDir,
    file: PathBuf,
    guard: Option<Guard>,
}

impl Connect {
    /// Starts a worker with topics of its own, and waits until it is ready.
    pub fn start(bootstrap: &str) -> Self {
        Self::start_with(bootstrap, &[])
    }

    /// Likewise, with more or other properties.
    pub fn start_with(bootstrap: &str, properties: &[(&str, &str)]) -> Self {
        let dir = folder();
        let address = format!("127.0.0.1:{}", free_port());
        let group = unique("connect");
        let mut text = String::new();
        let listener = format!("http://{address}");
        let usual = [
            ("bootstrap.servers", bootstrap),
            ("listeners", &listener),
            ("group.id", &group),
            ("config.storage.topic", &format!("{group}-configs")),
            ("config.storage.replication.factor", "1"),
            ("offset.storage.topic", &format!("{group}-offsets")),
            ("offset.storage.replication.factor", "1"),
            ("offset.storage.partitions", "5"),
            ("status.storage.topic", &format!("{group}-status")),
            ("status.storage.replication.factor", "1"),
            ("status.storage.partitions", "1"),
            ("key.converter", "org.apache.kafka.connect.storage.StringConverter"),
            ("value.converter", "org.apache.kafka.connect.storage.StringConverter"),
            ("offset.flush.interval.ms", "500"),
        ];
        for (key, value) in usual.iter().filter(|(key, _)| properties.iter().all(|(k, _)| k != key)).chain(properties) {
            writeln!(text, "{key}={value}").unwrap();
        }
        let file = dir.path().join("worker.properties");
        fs::write(&file, text).unwrap();
        Self::launched(dir, &file)
    }

    /// Starts a worker with a properties file that another worker had, and waits until it is ready.
    pub fn start_on(file: &Path) -> Self {
        Self::launched(folder(), file)
    }

    fn launched(dir: TempDir, given: &Path) -> Self {
        let mut text = fs::read_to_string(given).unwrap();
        let listeners = text.lines().find_map(|l| l.strip_prefix("listeners=http://")).unwrap();
        let address = listeners.to_owned();
        // Looking into every class of the class path takes ten times as long as starting; the services name them all.
        text.push_str("\nplugin.discovery=service_load\n");
        let file = dir.path().join("connect.properties");
        fs::write(&file, text).unwrap();
        let guard = Guard::of(&dir.path().to_string_lossy());
        let mut connect = Self { address, dir, file, guard: Some(guard) };
        connect.launch();
        connect
    }

    /// Starts it again after [`Connect::stop`], and waits until it is ready.
    #[track_caller]
    pub fn launch(&mut self) {
        kafka_script(&["connect", &self.folder(), &self.file.to_string_lossy()]);
        let pid = Pid::from_raw(i32::try_from(self.pid()).unwrap()).unwrap();
        within(PATIENCE * 2, "Kafka Connect is healthy", || {
            assert!(test_kill_process(pid).is_ok(), "Kafka Connect has ended:\n{}", self.log_tail(60));
            request(&self.address, "GET", "/health", &[], b"").ok().filter(|a| a.status == 200).map(drop)
        });
    }

    /// Its process, while it runs.
    pub fn pid(&self) -> u32 {
        fs::read_to_string(self.path("connect/pid")).unwrap().trim().parse().unwrap()
    }

    /// SIGTERM, then waits for the end: its tasks have flushed their offsets.
    pub fn stop(&mut self) {
        kafka_script(&["stop", &self.folder()]);
    }

    /// A path in its folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Any request; JSON bodies are sent as such.
    #[track_caller]
    pub fn call(&self, method: &str, path: &str, body: &Value) -> Answer {
        match request_json(&self.address, method, path, body) {
            Ok(answer) => answer,
            Err(e) => panic!("{method} {path}: {e}\n{}", self.log_tail(30)),
        }
    }

    /// GET.
    #[track_caller]
    pub fn get(&self, path: &str) -> Answer {
        self.call("GET", path, &Value::Null)
    }

    /// Waits for the states of a connector and of its only task.
    #[track_caller]
    pub fn wait_state(&self, name: &str, connector: &str, task: &str) {
        eventually_equal(&format!("{name}'s states"), &(json!(connector), json!([task])), || {
            let status = self.get(&format!("/connectors/{name}/status")).json();
            let tasks = status["tasks"].as_array().into_iter().flatten().map(|t| t["state"].clone()).collect();
            (status["connector"]["state"].clone(), tasks)
        });
    }

    /// The end of what it has logged.
    pub fn log_tail(&self, lines: usize) -> String {
        let read = |name: &str| fs::read_to_string(self.path(name)).unwrap_or_default();
        let log = read("connect/console.log") + &read("connect/server.log");
        let all: Vec<&str> = log.lines().collect();
        all[all.len().saturating_sub(lines)..].join("\n")
    }

    fn folder(&self) -> String {
        self.dir.path().to_string_lossy().into_owned()
    }
}

impl Drop for Connect {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- Kafka Connect's log, at its end ---\n{}", self.log_tail(60));
        }
        drop(self.guard.take());
    }
}

/// Fetches what a worker needs, once.
///
/// # Errors
/// Why it is not to be had.
pub fn jars() -> Result<(), String> {
    let script = places::root().join("tests/kafka/kafka.sh");
    let output = Command::new(script).arg("connect-jars").stdin(Stdio::null()).output().map_err(|e| e.to_string())?;
    let said = String::from_utf8_lossy(&output.stderr);
    output.status.success().then_some(()).ok_or_else(|| said.lines().last().unwrap_or("no reason was given").to_owned())
}

fn folder() -> TempDir {
    tempfile::Builder::new().prefix("lockgate-connect-").tempdir().unwrap()
}
