//! The start of a worker: engine, packages, memory, then the control loop.
//!
//! Enters: the worker's configuration. Leaves: a [`Handle`] at once, and a loop that runs until it is told to stop.
//! Invariant: calls are answered from the first moment on, with "still starting" while that is so; connectors start only
//! after all packages that this worker has are loaded.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lockgate_config::{Part, WorkerConfig};
use lockgate_registry::Registries;
use lockgate_wasm::{Engine, EngineError, EngineOptions, Limits, Policy};
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};

use crate::build::Builder;
use crate::clients::Producers;
use crate::control::{Control, Setup};
use crate::converters;
use crate::desk::{Desk, Stage};
use crate::handle::Handle;
use crate::jobs::Jobs;
use crate::offset_edits::OffsetDesk;
use crate::package_store::{PackageStore, is_named_by, package_files};
use crate::registry::{Installed, Standing};
use crate::reload::Reloads;
use crate::request::Request;
use crate::service::{Service, Wishes};
use crate::status_clerk::Clerk;
use crate::storage::{self, Opened, Statuses, StorageError};
use crate::topics_used::TopicsUsed;

/// Calls that may wait for the control loop.
pub const REQUESTS_MAX: usize = 256;

/// What a worker is started with.
#[derive(Debug)]
pub struct Options {
    /// Its configuration.
    pub worker: WorkerConfig,
    /// `host:port` under which it is known.
    pub worker_id: String,
    /// How the engine is set up.
    pub engine: EngineOptions,
}

/// The worker cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// `lockgate.grants.*`, all problems at once.
    #[error("the grants of this worker cannot be read: {}", .0.join("; "))]
    Grants(Vec<String>),
    /// The schema registries that connectors may name.
    #[error("{0}")]
    Registries(String),
    /// The worker's memory.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// The supervisor. It has no state of its own: see [`Supervisor::start`].
#[derive(Clone, Copy, Debug)]
pub struct Supervisor;

impl Supervisor {
    /// Starts a worker. The second part ends when the worker has drained after [`Handle::shut_down`], or could not start.
    ///
    /// # Errors
    /// What can be seen at once: the engine's options, the grants.
    pub fn start(options: Options) -> Result<(Handle, JoinHandle<Result<(), StartError>>), StartError> {
        let engine = Engine::new(options.engine.clone())?;
        let grants = &options.worker.grants;
        let [http, tcp, read, write, private] =
            [&grants.http, &grants.tcp, &grants.read, &grants.write, &grants.private].map(|list| list.join(","));
        let policy = Policy::parse(&http, &tcp, &read, &write, &private).map_err(StartError::Grants)?;
        let registries = converters::registries(&options.worker).map_err(StartError::Registries)?;
        let clerk = Arc::<Clerk>::default();
        let topics = Arc::new(TopicsUsed::new(options.worker.topic_tracking, Arc::clone(&clerk)));
        let desk = Arc::new(Desk::new(Arc::default(), Arc::default(), topics));
        let (requests, received) = mpsc::channel(REQUESTS_MAX);
        let handle = Handle::new(requests, Arc::clone(&desk));
        let (worker, worker_id) = (Arc::new(options.worker), options.worker_id);
        let registries = Arc::new(registries);
        let start = Start { worker, worker_id, engine, policy, registries, desk, clerk };
        Ok((handle, tokio::spawn(start.run(received))))
    }
}

struct Start {
    worker: Arc<WorkerConfig>,
    worker_id: String,
    engine: Engine,
    policy: Policy,
    registries: Arc<Registries>,
    desk: Arc<Desk>,
    clerk: Arc<Clerk>,
}

impl Start {
    async fn run(self, mut requests: mpsc::Receiver<Request>) -> Result<(), StartError> {
        let mut stop = self.desk.stopping();
        let opening = self.open();
        tokio::pin!(opening);
        let mut opened = loop {
            tokio::select! {
                opened = &mut opening => break opened?,
                Some(request) = requests.recv() => request.refuse_while_starting(&self.desk),
                stopped = stop.wait_for(|stop| *stop) => {
                    drop(stopped);
                    return Ok(());
                }
            }
        };
        for report in std::mem::take(&mut opened.vanished) {
            self.clerk.leave(report);
        }
        let (service, statuses) = self.service(opened, requests, stop);
        let clerk = Arc::clone(&service.clerk);
        self.desk.enter(Stage::Ready);
        tracing::info!(worker = self.worker_id, "the worker is ready");
        let mut writing = JoinSet::new();
        writing.spawn(async move { clerk.run(statuses).await });
        service.run().await;
        writing.shutdown().await;
        Ok(())
    }

    /// Wires the control loop.
    fn service(
        &self,
        opened: Opened,
        requests: mpsc::Receiver<Request>,
        stop: watch::Receiver<bool>,
    ) -> (Service, Statuses) {
        let Opened { desired, writer, statuses, offsets, cluster_id, topics, vanished: _ } = opened;
        self.desk.topics.remember(topics);
        if let Some(id) = cluster_id {
            self.desk.set_cluster_id(id);
        }
        let (offsets, wishes) = (Arc::new(offsets), Arc::<Wishes>::default());
        let reloads = Arc::new(Reloads::new(self.worker.providers.clone()));
        let tenant: Arc<str> = self.worker.tenant.as_str().into();
        let builder = Builder {
            worker: Arc::clone(&self.worker),
            registry: Arc::clone(&self.desk.registry),
            logs: Arc::clone(&self.desk.logs),
            topics: Arc::clone(&self.desk.topics),
            policy: self.policy.clone(),
            limits: limits(&self.worker),
            offsets: Arc::clone(&offsets),
            producers: Producers::default(),
            registries: Arc::clone(&self.registries),
            wishes: Arc::clone(&wishes),
            tenant,
            drain_deadline: share(self.worker.graceful_timeout, 75),
        };
        let jobs = Jobs {
            worker: Arc::clone(&self.worker),
            registry: Arc::clone(&self.desk.registry),
            engine: self.engine.clone(),
            store: PackageStore::new(self.worker.packages.uploaded.clone()),
            policy: self.policy.clone(),
            registries: Arc::clone(&self.registries),
            writer,
            offsets: OffsetDesk::new(Arc::clone(&self.worker), Arc::clone(&self.desk.registry), offsets),
            reloads: Arc::clone(&reloads),
        };
        let service = Service {
            control: Control::new(self.setup(), desired),
            requests,
            stop,
            desk: Arc::clone(&self.desk),
            jobs: Arc::new(jobs),
            builder: Arc::new(builder),
            clerk: Arc::clone(&self.clerk),
            wishes,
            reloads,
        };
        (service, statuses)
    }

    fn setup(&self) -> Setup {
        Setup {
            worker_id: self.worker_id.clone(),
            tenant: self.worker.tenant.as_str().into(),
            stop_within: share(self.worker.graceful_timeout, 90),
            stalled_after: self.worker.stalled_after,
            registry: Arc::clone(&self.desk.registry),
            converters: Part::ALL.map(|part| self.worker.converters.of(part).class.clone()),
        }
    }

    async fn open(&self) -> Result<Opened, StartError> {
        let desk = Arc::clone(&self.desk);
        let say = move |what| desk.enter(Stage::Starting(what));
        let memory = storage::open(&self.worker, &self.worker_id, &say);
        let (opened, ()) = tokio::join!(memory, self.load_packages());
        Ok(opened?)
    }

    /// Loads what came with the worker, then what was uploaded. One that cannot be loaded is said so and left out.
    async fn load_packages(&self) {
        let began = Instant::now();
        let (bundled, uploaded) = (self.worker.packages.bundled.clone(), self.worker.packages.uploaded.clone());
        let list = move || {
            let bundled = bundled.map(|dir| package_files(&dir)).unwrap_or_default();
            (bundled, PackageStore::new(uploaded).files())
        };
        let Ok((bundled, uploaded)) = tokio::task::spawn_blocking(list).await else { return };
        let bundled = bundled.into_iter().map(|path| (path, true));
        for (path, bundled) in bundled.chain(uploaded.into_iter().map(|path| (path, false))) {
            let file = path.clone();
            let Ok(bytes) = tokio::task::spawn_blocking(move || std::fs::read(file)).await else { return };
            self.load(path, bytes.map(bytes::Bytes::from), bundled).await;
        }
        let count = self.desk.registry.count();
        tracing::info!(count, ms = began.elapsed().as_millis(), "packages loaded");
    }

    async fn load(&self, path: PathBuf, bytes: std::io::Result<bytes::Bytes>, bundled: bool) {
        let shown = path.display();
        let bytes = match bytes {
            Ok(bytes) => bytes,
            Err(error) => return tracing::error!("package {shown} cannot be read: {error}"),
        };
        let package = match self.engine.load(bytes).await {
            Ok(package) => package,
            Err(error) => return tracing::error!(code = error.code(), "package {shown} cannot be loaded: {error}"),
        };
        let info = Arc::new(package.info().clone());
        if !bundled && !is_named_by(&path, &info.digest) {
            return tracing::error!("package {shown} is not what its name says and is left out");
        }
        if let Standing::Other { digest } = self.desk.registry.install(Installed { info, package, bundled }) {
            tracing::error!("package {shown} is left out: its name and version are taken by {digest}");
        }
    }
}

fn limits(worker: &WorkerConfig) -> Limits {
    let limits = &worker.limits;
    Limits {
        memory_bytes: limits.memory_bytes,
        cpu: limits.cpu,
        call: limits.call,
        open: limits.open,
        close: limits.close,
        log_bytes_per_second: limits.log_bytes_per_second,
        log_burst_bytes: limits.log_burst_bytes,
        connections_max: limits.connections_max,
        ..Limits::default()
    }
}

/// So many hundredths of a time.
fn share(time: Duration, hundredths: u32) -> Duration {
    time * hundredths / 100
}
