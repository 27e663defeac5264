//! A real Apache Kafka for tests, started by `tests/kafka/kafka.sh`.
//!
//! Enters: nothing but a machine with Java (the script fetches the rest). Leaves: a broker that can be killed and started
//! again with its data. Invariant: it ends with the handle, and with this process however that ends.

use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::far_end::Topic;
use crate::places;
use crate::ports::free_ports;
use crate::worker::unique;

/// Ports of one cluster, at most.
pub const PORTS: u16 = 6;

/// One cluster of one or three nodes.
pub struct Kafka {
    /// `127.0.0.1:port`.
    pub bootstrap: String,
    dir: Option<TempDir>,
    port: u16,
    nodes: u8,
    how: &'static str,
    settings: Vec<String>,
    guard: Option<Guard>,
}

impl Kafka {
    /// The broker that all tests of a run share. `LOCKGATE_TEST_BOOTSTRAP` names one that runs already.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Kafka> = OnceLock::new();
        SHARED.get_or_init(|| match std::env::var("LOCKGATE_TEST_BOOTSTRAP") {
            Ok(bootstrap) => {
                Self { bootstrap, dir: None, port: 0, nodes: 1, how: "", settings: Vec::new(), guard: None }
            }
            Err(_) => Self::start(1, &[]),
        })
    }

    /// A cluster of its own: one node or three, with more broker settings (`KEY=VALUE`).
    pub fn start(nodes: u8, settings: &[&str]) -> Self {
        let how = if nodes == 1 { "start" } else { "start3" };
        let kafka = Self::set_up(nodes, how, settings);
        kafka.start_again();
        kafka
    }

    /// One node that also wants logins, see [`Kafka::listener`]; its usual address wants none.
    pub fn start_secure() -> Self {
        let kafka = Self::set_up(1, "start-secure", &[]);
        kafka.start_again();
        kafka
    }

    /// A cluster that is not running: its address is known, nothing answers there yet.
    pub fn not_yet_started() -> Self {
        Self::set_up(1, "start", &[])
    }

    fn set_up(nodes: u8, how: &'static str, settings: &[&str]) -> Self {
        let dir = tempfile::Builder::new().prefix("lockgate-kafka-").tempdir().unwrap();
        let port = free_ports(PORTS);
        let settings = settings.iter().map(|s| (*s).to_owned()).collect();
        let mut kafka =
            Self { bootstrap: format!("127.0.0.1:{port}"), dir: Some(dir), port, nodes, how, settings, guard: None };
        kafka.set_guard();
        kafka
    }

    /// A listener of a node that wants logins: 2 = `SASL_PLAINTEXT`, 3 = `SASL_SSL`, 4 = SSL with client certificates.
    pub fn listener(&self, after: u16) -> String {
        format!("127.0.0.1:{}", self.port + after)
    }

    /// A PEM file of a node that wants logins.
    pub fn pem(&self, name: &str) -> String {
        format!("{}/tls/{name}", self.folder())
    }

    /// `kill -9`, all nodes.
    pub fn kill(&self) {
        self.script(&["kill", &self.folder()]);
    }

    /// `kill -9`, one node of several (from 1).
    pub fn kill_node(&self, node: u8) {
        let file = std::path::Path::new(&self.folder()).join(node.to_string()).join("pid");
        let pid = std::fs::read_to_string(file).unwrap();
        let status = Command::new("kill").args(["-9", pid.trim()]).status().unwrap();
        assert!(status.success(), "kill ended with {status}");
    }

    /// All brokers of the cluster.
    pub fn bootstrap_all(&self) -> String {
        let ports = (0..u16::from(self.nodes)).map(|n| format!("127.0.0.1:{}", self.port + 2 * n));
        ports.collect::<Vec<_>>().join(",")
    }

    /// Starts on the data that is there.
    pub fn start_again(&self) {
        let (folder, port) = (self.folder(), self.port.to_string());
        let mut arguments = vec![self.how, &folder, &port];
        arguments.extend(self.settings.iter().map(String::as_str));
        self.script(&arguments);
    }

    /// A new topic with a name of its own.
    pub fn topic(&self, name: &str, partitions: i32) -> Topic {
        Topic::named(&self.bootstrap, &unique(name)).create(partitions, if self.nodes == 1 { 1 } else { 3 })
    }

    /// A topic by its exact name, created or not.
    pub fn topic_named(&self, name: &str) -> Topic {
        Topic::named(&self.bootstrap, name)
    }

    fn folder(&self) -> String {
        self.dir.as_ref().map(|d| d.path().to_string_lossy().into_owned()).expect("a broker of our own")
    }

    fn script(&self, arguments: &[&str]) {
        kafka_script(arguments);
    }

    /// A process that ends the broker when its input ends: when this handle is dropped, or this process is gone.
    fn set_guard(&mut self) {
        self.guard = Some(Guard::of(&self.folder()));
    }
}

/// Runs `tests/kafka/kafka.sh`; it must go well.
pub fn kafka_script(arguments: &[&str]) {
    let status = Command::new(places::root().join("tests/kafka/kafka.sh"))
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "kafka.sh {arguments:?} ended with {status}");
}

/// The folder of Kafka Connect's jars, fetched if they are not there.
pub fn connect_jars() -> PathBuf {
    let script = Command::new(places::root().join("tests/kafka/kafka.sh")).arg("connect-jars").output().unwrap();
    assert!(script.status.success(), "{}", String::from_utf8_lossy(&script.stderr));
    PathBuf::from(String::from_utf8(script.stdout).unwrap().trim())
}

/// A process that kills what `kafka.sh` started in a folder, and removes the folder, when its input ends: when this handle
/// is dropped, or this process is gone.
pub struct Guard {
    child: Child,
    input: Option<ChildStdin>,
}

impl Guard {
    /// Guards a folder of `kafka.sh`.
    pub fn of(folder: &str) -> Self {
        Self::of_script(&places::root().join("tests/kafka/kafka.sh"), folder)
    }

    /// Guards a folder of another script that knows `kill DIR`.
    pub fn of_script(script: &std::path::Path, folder: &str) -> Self {
        let mut child = Command::new("bash")
            .args(["-c", "cat >/dev/null; \"$0\" kill \"$1\"; rm -rf \"$1\""])
            .arg(script)
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let input = child.stdin.take();
        Self { child, input }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
    }
}
