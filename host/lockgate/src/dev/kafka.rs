//! A real Kafka, brought along: one KRaft node on loopback as a child of this process.
//!
//! Enters: a directory, a port, the jars. Leaves: a broker that keeps its data between runs. Invariant: the broker dies
//! with this process however that ends, and is only stopped after the worker has drained. The command line is that of
//! `tests/kafka/kafka.sh`, where it is explained.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::DevError;
use crate::child;

/// How long a broker of an earlier run may take to end.
const PREDECESSOR: Duration = Duration::from_secs(20);
/// How long the broker may take to stop before it is killed. Data survives that too.
const STOP: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(50);
/// Lines of the broker's log that are shown when it ends by itself.
const LOG_TAIL: usize = 15;

/// What is needed to start it.
#[derive(Clone, Debug)]
pub struct KafkaOptions {
    /// Where its data, properties and log are.
    pub dir: PathBuf,
    /// Broker on this port of 127.0.0.1, controller on the next.
    pub port: u16,
    /// Where the jars are.
    pub jars: PathBuf,
}

/// The running broker.
#[derive(Debug)]
pub struct Kafka {
    child: Child,
    options: KafkaOptions,
}

impl Kafka {
    /// Starts it; formats its storage the first time. Call it from the main thread (see [`child::spawn`]).
    pub fn start(options: KafkaOptions) -> Result<Self, DevError> {
        let java = java()?;
        if !options.jars.join(".complete").exists() {
            return Err(DevError::Jars(options.jars));
        }
        let data = options.dir.join("data");
        fs::create_dir_all(&data).map_err(|e| DevError::io(&data, e))?;
        await_predecessor(&options.dir)?;
        for port in [options.port, options.port + 1] {
            let free = TcpListener::bind(("127.0.0.1", port)).map(drop);
            free.map_err(|cause| DevError::Port { port, flag: "--kafka-port", cause })?;
        }
        write(&options.dir.join("server.properties"), &server_properties(&options))?;
        write(&options.dir.join("log4j2.properties"), &log4j2_properties(&options.dir))?;
        if !data.join("meta.properties").exists() {
            format_storage(&java, &options)?;
        }
        let console = options.dir.join("console.log");
        let output = File::create(&console).map_err(|e| DevError::io(&console, e))?;
        let mut args = jvm(&options, &["-Xms64m", "-Xmx512m", "-XX:+UseSerialGC", "-Djava.awt.headless=true"]);
        args.extend(["kafka.Kafka".into(), options.dir.join("server.properties").into()]);
        let child = child::spawn(&java, &args, output).map_err(|e| DevError::io(&java, e))?;
        write(&options.dir.join("pid"), &child.id().to_string())?;
        Ok(Self { child, options })
    }

    /// Where clients find it.
    pub fn bootstrap(&self) -> String {
        format!("127.0.0.1:{}", self.options.port)
    }

    /// Resolves when the broker has ended by itself, with what it said last.
    pub async fn ended(&mut self) -> DevError {
        loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                return DevError::KafkaEnded { status: status.to_string(), tail: self.tail() };
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Asks it to stop and waits.
    pub async fn stop(mut self) -> io::Result<ExitStatus> {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::TERM); // it may be gone already
        }
        let deadline = Instant::now() + STOP;
        loop {
            if let Some(status) = self.child.try_wait()? {
                drop(fs::remove_file(self.options.dir.join("pid")));
                return Ok(status);
            }
            if Instant::now() > deadline {
                self.child.kill()?;
            }
            tokio::time::sleep(POLL).await;
        }
    }

    fn tail(&self) -> String {
        let read = |name: &str| fs::read_to_string(self.options.dir.join(name)).unwrap_or_default();
        let text = read("console.log") + &read("server.log");
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LOG_TAIL)..].join("\n")
    }
}

/// `JAVA_HOME`, else the path.
fn java() -> Result<PathBuf, DevError> {
    let home = std::env::var_os("JAVA_HOME").map(|home| Path::new(&home).join("bin/java"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let in_path = std::env::split_paths(&path).map(|dir| dir.join("java"));
    home.into_iter().chain(in_path).find(|program| program.is_file()).ok_or(DevError::Java)
}

fn jvm(options: &KafkaOptions, flags: &[&str]) -> Vec<OsString> {
    let mut args: Vec<OsString> = flags.iter().map(OsString::from).collect();
    let mut logging = OsString::from("-Dlog4j2.configurationFile=");
    logging.push(options.dir.join("log4j2.properties"));
    args.extend([logging, "-cp".into(), options.jars.join("*").into()]);
    args
}

fn format_storage(java: &Path, options: &KafkaOptions) -> Result<(), DevError> {
    let mut args = jvm(options, &["-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]);
    args.extend(["kafka.tools.StorageTool", "format", "--cluster-id"].map(OsString::from));
    args.extend([cluster_id().into(), "--config".into(), options.dir.join("server.properties").into()]);
    let output = Command::new(java).args(args).stdin(Stdio::null()).output().map_err(|e| DevError::io(java, e))?;
    if output.status.success() {
        return Ok(());
    }
    let tail = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Err(DevError::KafkaEnded { status: format!("format: {}", output.status), tail })
}

/// 22 characters of URL-safe base64. Random enough from the hasher's keys and the clock: it only has to differ from a
/// cluster that the same clients have seen.
fn cluster_id() -> String {
    use std::hash::{BuildHasher, RandomState};
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789AB";
    let keys = RandomState::new();
    (0..22_u8).map(|n| char::from(ALPHABET[(keys.hash_one((n, Instant::now())) % 64) as usize])).collect()
}

/// A broker whose parent was killed is on its way out and still holds the port.
fn await_predecessor(dir: &Path) -> Result<(), DevError> {
    let Some(pid) = fs::read_to_string(dir.join("pid")).ok().and_then(|text| text.trim().parse::<u32>().ok()) else {
        return Ok(());
    };
    let ours = || {
        let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let config = dir.join("server.properties");
        String::from_utf8_lossy(&command).contains(&*config.to_string_lossy())
    };
    let deadline = Instant::now() + PREDECESSOR;
    while ours() {
        if Instant::now() > deadline {
            return Err(DevError::Running { dir: dir.to_owned(), pid });
        }
        std::thread::sleep(POLL);
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), DevError> {
    fs::write(path, text).map_err(|e| DevError::io(path, e))
}

fn server_properties(options: &KafkaOptions) -> String {
    let (port, controller, data) = (options.port, options.port + 1, options.dir.join("data"));
    format!(
        "process.roles=broker,controller\n\
         node.id=1\n\
         controller.quorum.voters=1@127.0.0.1:{controller}\n\
         listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}\n\
         advertised.listeners=PLAINTEXT://127.0.0.1:{port}\n\
         listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT\n\
         inter.broker.listener.name=PLAINTEXT\n\
         controller.listener.names=CONTROLLER\n\
         log.dirs={}\n\
         default.replication.factor=1\n\
         offsets.topic.replication.factor=1\n\
         offsets.topic.num.partitions=5\n\
         transaction.state.log.replication.factor=1\n\
         transaction.state.log.min.isr=1\n\
         transaction.state.log.num.partitions=5\n\
         share.coordinator.state.topic.replication.factor=1\n\
         share.coordinator.state.topic.min.isr=1\n\
         share.coordinator.state.topic.num.partitions=1\n\
         group.initial.rebalance.delay.ms=0\n\
         log.cleaner.dedupe.buffer.size=16777216\n\
         num.network.threads=2\n\
         num.io.threads=4\n\
         num.recovery.threads.per.data.dir=2\n\
         controlled.shutdown.max.retries=1\n",
        data.display()
    )
}

fn log4j2_properties(dir: &Path) -> String {
    format!(
        "status=error\n\
         appender.file.type=File\n\
         appender.file.name=file\n\
         appender.file.fileName={}\n\
         appender.file.layout.type=PatternLayout\n\
         appender.file.layout.pattern=[%d] %p %m (%c)%n\n\
         rootLogger.level=info\n\
         rootLogger.appenderRef.file.ref=file\n",
        dir.join("server.log").display()
    )
}
