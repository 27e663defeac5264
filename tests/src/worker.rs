//! A worker as a user runs it: the real executable in a process of its own, spoken to over REST only.
//!
//! Enters: worker properties. Leaves: answers. Invariant: the same [`Worker`] can be killed and started again on what it
//! left behind; dropping it ends the process.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::http::{Answer, request, request_json};
use crate::places;
use crate::ports::free_port;
use crate::wait::{eventually, within};

/// How a worker is set up.
#[derive(Clone, Debug, Default)]
pub struct WorkerOptions {
    /// Properties beside the usual ones; they win.
    pub properties: Vec<(String, String)>,
    /// Environment of the process.
    pub environment: Vec<(String, String)>,
    /// True: a file that reaches the limit of its size ([`Worker::limit_files`]) is an error, not a signal.
    pub survives_file_limit: bool,
    /// Standalone mode with these connector files' contents; `None` = distributed.
    pub standalone: Option<Vec<Value>>,
}

impl WorkerOptions {
    /// With one more property.
    #[must_use]
    pub fn with(mut self, key: &str, value: &str) -> Self {
        self.properties.push((key.to_owned(), value.to_owned()));
        self
    }
}

/// A worker and its folder.
pub struct Worker {
    /// `127.0.0.1:port` of its REST API.
    pub address: String,
    /// Its folder: properties, log, files that connectors read and write.
    pub dir: TempDir,
    options: WorkerOptions,
    child: Option<Child>,
}

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A name that no other test of this or another run uses.
pub fn unique(name: &str) -> String {
    format!("{name}-{}-{}", std::process::id(), NEXT.fetch_add(1, Relaxed))
}

impl Worker {
    /// Starts a worker on a broker and waits until it is ready.
    pub fn start(bootstrap: &str) -> Self {
        Self::start_with(bootstrap, WorkerOptions::default())
    }

    /// Likewise, with options.
    pub fn start_with(bootstrap: &str, options: WorkerOptions) -> Self {
        let mut worker = Self::set_up(bootstrap, options);
        worker.launch();
        worker.wait_ready();
        worker
    }

    /// Writes the worker's files and starts nothing.
    pub fn set_up(bootstrap: &str, options: WorkerOptions) -> Self {
        let dir = tempfile::Builder::new().prefix("lockgate-test-").tempdir().unwrap();
        let address = format!("127.0.0.1:{}", free_port());
        let mut text = String::new();
        let mut properties = usual_properties(bootstrap, &address, dir.path());
        if options.standalone.is_none() {
            // Below `offset.storage.`, so Kafka Connect would give it to the topic.
            properties.retain(|(key, _)| key != "offset.storage.file.filename");
        }
        for (key, value) in &options.properties {
            properties.retain(|(k, _)| k != key);
            properties.push((key.clone(), value.clone()));
        }
        for (key, value) in properties {
            writeln!(text, "{key}={value}").unwrap();
        }
        fs::write(dir.path().join("worker.properties"), text).unwrap();
        link_quick_packages(&dir.path().join("bundled"));
        for (at, connector) in options.standalone.iter().flatten().enumerate() {
            fs::write(dir.path().join(format!("connector-{at}.json")), connector.to_string()).unwrap();
        }
        Self { address, dir, options, child: None }
    }

    /// Starts the process.
    pub fn launch(&mut self) {
        assert!(self.child.is_none(), "the worker runs already");
        let log = File::options().create(true).append(true).open(self.path("worker.log")).unwrap();
        let mut command = if self.options.survives_file_limit {
            let mut shell = Command::new("bash");
            shell.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(places::lockgate());
            shell
        } else {
            Command::new(places::lockgate())
        };
        let mode = if self.options.standalone.is_some() { "standalone" } else { "worker" };
        command.arg(mode).arg(self.path("worker.properties"));
        for at in 0..self.options.standalone.as_ref().map_or(0, Vec::len) {
            command.arg(self.path(&format!("connector-{at}.json")));
        }
        command.envs(self.options.environment.iter().map(|(k, v)| (k, v)));
        command.env("RUST_LOG", std::env::var("LOCKGATE_TEST_LOG").unwrap_or_else(|_| "info".to_owned()));
        command.current_dir(self.dir.path());
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        self.child = Some(command.spawn().unwrap());
    }

    /// Waits until `GET /health` says healthy.
    #[track_caller]
    pub fn wait_ready(&mut self) {
        eventually("the worker is healthy", || {
            if let Some(status) = self.child.as_mut().and_then(|c| c.try_wait().unwrap()) {
                panic!("the worker ended with {status}:\n{}", self.log_tail(30));
            }
            request(&self.address, "GET", "/health", &[], b"").ok().filter(|a| a.status == 200).map(drop)
        });
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// From now on no file of the worker gets longer than this (`None` = as long as it likes), as on a full disk.
    pub fn limit_files(&self, bytes: Option<u64>) {
        let limit = bytes.map_or_else(|| "unlimited".to_owned(), |b| b.to_string());
        let pid = self.pid().unwrap().to_string();
        let status =
            Command::new("prlimit").args(["--pid", &pid, &format!("--fsize={limit}:unlimited")]).status().unwrap();
        assert!(status.success(), "prlimit ended with {status}");
    }

    /// SIGTERM, then waits for the end.
    #[track_caller]
    pub fn stop(&mut self) -> ExitStatus {
        let mut child = self.child.take().expect("the worker runs");
        kill_process(pid(&child), Signal::TERM).unwrap();
        let status = within(Duration::from_secs(30), "the worker ends after SIGTERM", || child.try_wait().unwrap());
        let _ = child.wait();
        status
    }

    /// Waits until the process ends by itself.
    #[track_caller]
    pub fn wait_end(&mut self) -> ExitStatus {
        let mut child = self.child.take().expect("the worker runs");
        eventually("the worker ends", || child.try_wait().unwrap())
    }

    /// The process, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// A path in the worker's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A path in the worker's folder, as text for a connector's config.
    pub fn path_text(&self, name: &str) -> String {
        self.path(name).to_string_lossy().into_owned()
    }

    /// A property of the worker's file.
    pub fn property(&self, key: &str) -> String {
        let text = fs::read_to_string(self.path("worker.properties")).unwrap();
        let value = text.lines().find_map(|l| l.strip_prefix(key)?.strip_prefix('='));
        value.unwrap_or_default().to_owned()
    }

    /// Everything the worker has printed.
    pub fn log(&self) -> String {
        fs::read(self.path("worker.log")).map(|b| String::from_utf8_lossy(&b).into_owned()).unwrap_or_default()
    }

    fn log_tail(&self, lines: usize) -> String {
        let log = self.log();
        let all: Vec<&str> = log.lines().filter(|line| !line.contains(" lockgate::access: ")).collect();
        all[all.len().saturating_sub(lines)..].join("\n")
    }

    // --- REST ---

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

    /// PUT without a body.
    #[track_caller]
    pub fn put(&self, path: &str) -> Answer {
        self.call("PUT", path, &Value::Null)
    }

    /// POST without a body.
    #[track_caller]
    pub fn post(&self, path: &str) -> Answer {
        self.call("POST", path, &Value::Null)
    }

    /// DELETE.
    #[track_caller]
    pub fn delete(&self, path: &str) -> Answer {
        self.call("DELETE", path, &Value::Null)
    }

    /// Uploads a package.
    #[track_caller]
    pub fn upload(&self, wasm: &[u8]) -> Answer {
        request(&self.address, "POST", "/packages", &[("content-type", "application/wasm")], wasm).unwrap()
    }

    /// Resident memory of the process, in bytes.
    pub fn resident_bytes(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid().unwrap())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
    }

    /// Memory of the process with pages that several mappings share counted once, in bytes: images of guests are mapped by each
    /// instance, and resident memory counts them each time.
    pub fn proportional_bytes(&self) -> u64 {
        let rollup = fs::read_to_string(format!("/proc/{}/smaps_rollup", self.pid().unwrap())).unwrap();
        let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
    }

    /// Creates a connector; it must be taken.
    #[track_caller]
    pub fn create(&self, name: &str, config: Value) -> Value {
        self.call("POST", "/connectors", &json!({"name": name, "config": config})).expect(201).json()
    }

    /// Creates a connector and waits until it and all its tasks run.
    #[track_caller]
    pub fn create_running(&self, name: &str, config: Value) {
        self.create(name, config);
        self.wait_running(name);
    }

    /// Waits until the connector and at least one task run, and no task does anything else.
    #[track_caller]
    pub fn wait_running(&self, name: &str) {
        self.wait_state(name, "RUNNING", "RUNNING");
    }

    /// Waits for the states of the connector and of each of its tasks (at least one).
    #[track_caller]
    pub fn wait_state(&self, name: &str, connector: &str, task: &str) -> Value {
        let mut last = Value::Null;
        let reached = |last: &mut Value| {
            *last = self.get(&format!("/connectors/{name}/status")).json();
            let tasks = last["tasks"].as_array()?;
            let all = !tasks.is_empty() && tasks.iter().all(|t| t["state"] == task);
            (all && last["connector"]["state"] == connector).then(|| last.clone())
        };
        let end = std::time::Instant::now() + crate::wait::PATIENCE;
        loop {
            if let Some(status) = reached(&mut last) {
                return status;
            }
            if std::time::Instant::now() > end {
                panic!("{name} is not {connector} with tasks {task}:\n{last:#}\n{}", self.log_tail(40));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits until the first task has failed; its trace.
    #[track_caller]
    pub fn wait_failed(&self, name: &str) -> String {
        let status = self.wait_state(name, "RUNNING", "FAILED");
        status["tasks"][0]["trace"].as_str().unwrap_or_default().to_owned()
    }

    /// The value of a sample in `GET /metrics`: name and what its labels contain.
    pub fn metric(&self, name: &str, labels: &[&str]) -> Option<f64> {
        let text = self.get("/metrics").text();
        let mut hits = text.lines().filter(|l| !l.starts_with('#')).filter(|l| {
            let rest = l.strip_prefix(name);
            rest.is_some_and(|r| r.starts_with('{') || r.starts_with(' '))
                && labels.iter().all(|label| l.contains(label))
        });
        hits.next()?.rsplit(' ').next()?.parse().ok()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- the worker's log, at its end, without what the test asked ---\n{}", self.log_tail(150));
        }
        self.kill();
    }
}

fn pid(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap()
}

/// The bundled packages but those that take seconds to compile: workers start by the hundred here. A test of one of those uploads it.
fn link_quick_packages(folder: &Path) {
    const QUICK_BYTES_MAX: u64 = 10 << 20;
    fs::create_dir_all(folder).unwrap();
    for entry in fs::read_dir(places::packages()).unwrap().flatten() {
        if entry.metadata().unwrap().len() <= QUICK_BYTES_MAX {
            std::os::unix::fs::symlink(entry.path(), folder.join(entry.file_name())).unwrap();
        }
    }
}

fn usual_properties(bootstrap: &str, address: &str, dir: &Path) -> Vec<(String, String)> {
    let group = unique("worker");
    let folder = dir.to_string_lossy();
    let own = |name: &str| format!("{group}-{name}");
    let pairs = [
        ("bootstrap.servers", bootstrap.to_owned()),
        ("listeners", format!("http://{address}")),
        ("group.id", group.clone()),
        ("config.storage.topic", own("configs")),
        ("config.storage.replication.factor", "1".to_owned()),
        ("offset.storage.topic", own("offsets")),
        ("offset.storage.replication.factor", "1".to_owned()),
        ("offset.storage.partitions", "5".to_owned()),
        ("offset.storage.file.filename", dir.join("offsets.dat").to_string_lossy().into_owned()),
        ("status.storage.topic", own("status")),
        ("status.storage.replication.factor", "1".to_owned()),
        ("status.storage.partitions", "1".to_owned()),
        ("key.converter", "org.apache.kafka.connect.storage.StringConverter".to_owned()),
        ("value.converter", "org.apache.kafka.connect.storage.StringConverter".to_owned()),
        ("offset.flush.interval.ms", "500".to_owned()),
        // Soon noticed dead, so that a worker that was killed gives its partitions to the next one quickly.
        ("consumer.session.timeout.ms", "6000".to_owned()),
        ("consumer.heartbeat.interval.ms", "500".to_owned()),
        ("consumer.auto.offset.reset", "earliest".to_owned()),
        ("lockgate.cache.dir", places::compile_cache().to_string_lossy().into_owned()),
        ("lockgate.packages.dir", format!("{folder}/packages")),
        ("lockgate.packages.bundled", format!("{folder}/bundled")),
        ("lockgate.grants.read", folder.to_string()),
        ("lockgate.grants.write", folder.to_string()),
        ("lockgate.grants.http", "127.0.0.1".to_owned()),
        ("lockgate.grants.private", "127.0.0.0/8".to_owned()),
    ];
    pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()
}
