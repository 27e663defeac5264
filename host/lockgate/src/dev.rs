//! `lockgate dev`: a Kafka, a worker, a receiver and two pipelines, all on loopback, all gone with Ctrl-C.
//!
//! Enters: a directory, three ports. Leaves: records that flow. Invariant: the worker drains before Kafka is told to stop;
//! what is in the directory is enough to go on from, after a clean stop without a loss or a repetition, after a crash
//! without a loss. Plugins are granted these directories and the receiver, nothing else.

mod kafka;
mod pipelines;
mod receiver;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use lockgate_config::{WorkerConfig, properties};
use lockgate_supervisor::{Handle, SupervisorError};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::Dev;
use crate::places;
use crate::signals::Signals;
use crate::standalone::ready;
use crate::worker::{Worker, WorkerError};
use kafka::{Kafka, KafkaOptions};
use pipelines::Places;

/// The version whose jars `make run` fetches.
const KAFKA_VERSION: &str = "4.3.1";

/// `lockgate dev` cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum DevError {
    /// A file or directory.
    #[error("{}: {cause}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// A port.
    #[error("port {port} is taken ({cause}); choose another one with {flag}")]
    Port {
        /// Which.
        port: u16,
        /// The flag that chooses it.
        flag: &'static str,
        /// Why.
        cause: io::Error,
    },
    /// No Java.
    #[error(
        "there is no Java: install one (apt install openjdk-17-jre-headless) or set JAVA_HOME; `make run` does it all"
    )]
    Java,
    /// No jars.
    #[error("Kafka's jars are not in {}: `make run` fetches them, or name their directory with --kafka-jars", .0.display())]
    Jars(PathBuf),
    /// No packages.
    #[error("there are no bundled packages in {}: `make plugins` builds them, or name a directory with --packages", .0.display())]
    Packages(PathBuf),
    /// Another one.
    #[error("another lockgate dev runs in {} (its Kafka has process id {pid}): stop it, or choose another --dir", dir.display())]
    Running {
        /// Where.
        dir: PathBuf,
        /// Its broker.
        pid: u32,
    },
    /// The broker.
    #[error("Kafka ended ({status}). It said last:\n{tail}")]
    KafkaEnded {
        /// How.
        status: String,
        /// Its last lines.
        tail: String,
    },
    /// The worker.
    #[error(transparent)]
    Worker(#[from] WorkerError),
    /// A pipeline.
    #[error("a pipeline cannot be created: {0}")]
    Pipeline(#[from] SupervisorError),
    /// Signals.
    #[error("the operating system refuses: {0}")]
    System(#[from] io::Error),
}

impl DevError {
    fn io(path: &Path, cause: io::Error) -> Self {
        Self::Io { path: path.to_owned(), cause }
    }
}

/// Runs until a signal.
pub async fn run(options: Dev) -> Result<(), DevError> {
    let began = Instant::now();
    let mut signals = Signals::listen()?;
    fs::create_dir_all(&options.dir).map_err(|e| DevError::io(&options.dir, e))?;
    let dir = options.dir.canonicalize().map_err(|e| DevError::io(&options.dir, e))?;
    let places = Places::below(&dir, options.receiver_port);
    prepare(&places)?;
    let packages = packages(&options)?;
    let receiver = bind(options.receiver_port, "--receiver-port").await?;
    drop(bind(options.rest_port, "--rest-port").await?);
    let jars = options.kafka_jars.clone().unwrap_or_else(default_jars);
    let mut kafka = Kafka::start(KafkaOptions { dir: dir.join("kafka"), port: options.kafka_port, jars })?;
    let mut receiving = JoinSet::new();
    receiving.spawn(receiver::serve(receiver, places.received.clone()));
    let config = worker_config(&dir, &options, &packages, &places, &kafka.bootstrap())?;
    let mut worker = Worker::start(config).await?;
    let handle = worker.handle.clone();
    let stopped = tokio::select! {
        started = start_pipelines(&handle, &places, began, options.rest_port) => match started {
            Ok(()) => tokio::select! {
                () = signals.next() => Ok(()),
                error = kafka.ended() => Err(error),
                ended = worker.ended() => return Ok(ended?),
            },
            Err(error) => Err(error),
        },
        () = signals.next() => Ok(()),
        error = kafka.ended() => Err(error),
    };
    eprintln!("stopping; once more Ctrl-C stops at once");
    let stopping = async {
        let began = Instant::now();
        let drained = worker.stop().await;
        receiving.shutdown().await;
        let worker_ms = began.elapsed().as_millis();
        kafka.stop().await?;
        tracing::info!(worker_ms, total_ms = began.elapsed().as_millis(), "everything has stopped");
        Ok::<(), DevError>(drained?)
    };
    signals.or_at_once(stopping).await?;
    stopped
}

async fn start_pipelines(handle: &Handle, places: &Places, began: Instant, rest_port: u16) -> Result<(), DevError> {
    ready(handle).await;
    pipelines::create(handle, places).await?;
    announce(places, began.elapsed(), rest_port);
    Ok(())
}

fn announce(places: &Places, took: Duration, rest_port: u16) {
    let rest = format!("http://127.0.0.1:{rest_port}");
    let program = std::env::current_exe().map_or_else(|_| "lockgate".to_owned(), |path| path.display().to_string());
    let (input, output, received) = (places.input.display(), places.output.display(), places.received.display());
    println!(
        "
Lockgate runs (after {:.1} s), with Kafka on loopback and two pipelines:

  orders  (made up, 5 a second)  -> topic orders -> {output}
  lines   ({input}) -> topic lines -> http://{} -> {received}

REST is at {rest}. Things to try in another terminal:

  '{program}' connector list --server {rest}
  curl -s '{rest}/connectors?expand=status'
  echo 'hello from me' >> '{input}'; sleep 1; tail -n 1 '{received}'
  '{program}' package new --lang rust --kind sink my-sink        # a plugin of your own: docs/authoring.md

Ctrl-C stops all of it; starting again goes on where it stopped.
",
        took.as_secs_f64(),
        places.receiver,
    );
}

/// Directories and the sample input.
fn prepare(places: &Places) -> Result<(), DevError> {
    for path in [&places.input, &places.output, &places.received] {
        let parent = path.parent().unwrap_or(path);
        fs::create_dir_all(parent).map_err(|e| DevError::io(parent, e))?;
    }
    if !places.input.exists() {
        fs::write(&places.input, pipelines::SAMPLE).map_err(|e| DevError::io(&places.input, e))?;
    }
    Ok(())
}

/// The given ones, else those that are found.
fn packages(options: &Dev) -> Result<PathBuf, DevError> {
    let candidates = options.packages.clone().map_or_else(places::packages, |given| vec![given]);
    let found = candidates.iter().find(|dir| places::holds_packages(dir)).cloned();
    let found = found.ok_or_else(|| DevError::Packages(candidates[0].clone()))?;
    found.canonicalize().map_err(|e| DevError::io(&found, e))
}

fn default_jars() -> PathBuf {
    places::cache().join(format!("kafka-{KAFKA_VERSION}"))
}

async fn bind(port: u16, flag: &'static str) -> Result<TcpListener, DevError> {
    TcpListener::bind(("127.0.0.1", port)).await.map_err(|cause| DevError::Port { port, flag, cause })
}

/// Writes the worker's properties where a user can read them, and reads them back as any worker would.
fn worker_config(
    dir: &Path,
    options: &Dev,
    packages: &Path,
    places: &Places,
    bootstrap: &str,
) -> Result<WorkerConfig, DevError> {
    let parent = |path: &Path| path.parent().unwrap_or(path).display().to_string();
    let entries = [
        ("bootstrap.servers", bootstrap.to_owned()),
        ("group.id", "lockgate-dev".to_owned()),
        ("listeners", format!("http://127.0.0.1:{}", options.rest_port)),
        ("rest.advertised.host.name", "127.0.0.1".to_owned()),
        ("key.converter", "org.apache.kafka.connect.storage.StringConverter".to_owned()),
        ("value.converter", "org.apache.kafka.connect.json.JsonConverter".to_owned()),
        ("value.converter.schemas.enable", "false".to_owned()),
        ("config.storage.topic", "lockgate-configs".to_owned()),
        ("config.storage.replication.factor", "1".to_owned()),
        ("offset.storage.topic", "lockgate-offsets".to_owned()),
        ("offset.storage.replication.factor", "1".to_owned()),
        ("offset.storage.partitions", "5".to_owned()),
        ("status.storage.topic", "lockgate-status".to_owned()),
        ("status.storage.replication.factor", "1".to_owned()),
        ("offset.flush.interval.ms", "5000".to_owned()),
        ("task.shutdown.graceful.timeout.ms", "3000".to_owned()),
        ("lockgate.packages.bundled", packages.display().to_string()),
        ("lockgate.packages.dir", dir.join("packages").display().to_string()),
        ("lockgate.cache.dir", places::cache().join("compiled").display().to_string()),
        ("lockgate.grants.read", parent(&places.input)),
        ("lockgate.grants.write", parent(&places.output)),
        ("lockgate.grants.http", places.receiver.clone()),
    ];
    let text = properties::write(entries.iter().map(|(key, value)| (*key, value.as_str())));
    let path = dir.join("worker.properties");
    fs::write(&path, &text).map_err(|e| DevError::io(&path, e))?;
    let read = properties::parse(&text).map_err(|cause| WorkerError::Properties { path: path.clone(), cause })?;
    Ok(WorkerConfig::distributed(&read).map_err(|cause| WorkerError::Config { path, cause })?)
}
