//! A worker: supervisor, REST, signals.
//!
//! Enters: properties. Leaves: a worker that runs until a signal stops it. Invariant: tasks drain before REST falls
//! silent; the first signal stops within `task.shutdown.graceful.timeout.ms`, the second at once.

use std::path::{Path, PathBuf};
use std::time::Duration;

use lockgate_api::Bound;
use lockgate_config::{AdminListeners, ConfigErrors, Listener, PropertiesError, RestSettings, Scheme, WorkerConfig};
use lockgate_supervisor::{Handle, Options, StartError, Supervisor};
use lockgate_wasm::{CompileLimits, Compiler, EngineOptions, UploadLimits};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinHandle};

use crate::logging;
use crate::settings;
use crate::signals::Signals;

/// The worker cannot start, or ended by itself.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// A file cannot be read.
    #[error("{} cannot be read: {cause}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// A properties file cannot be parsed.
    #[error("{}: {cause}", path.display())]
    Properties {
        /// The file.
        path: PathBuf,
        /// Where and why.
        cause: PropertiesError,
    },
    /// Its settings.
    #[error("{}: {cause}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// All problems.
        cause: ConfigErrors,
    },
    /// A port.
    #[error("cannot listen on {address} (listeners): {cause}")]
    Listen {
        /// Where.
        address: String,
        /// Why.
        cause: std::io::Error,
    },
    /// Users and tokens of the REST API.
    #[error(transparent)]
    Auth(#[from] lockgate_api::AuthError),
    /// Certificates of an https listener.
    #[error(transparent)]
    Tls(#[from] lockgate_api::TlsError),
    /// The supervisor.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A defect of the host.
    #[error("the worker ended by a defect: {0}")]
    Defect(#[from] JoinError),
    /// Signals, the program's own path.
    #[error("the operating system refuses: {0}")]
    System(#[from] std::io::Error),
    /// A connector of `standalone`.
    #[error("{}: {message}", path.display())]
    Connector {
        /// Its file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
}

/// `lockgate worker`.
pub async fn distributed(path: &Path) -> Result<(), WorkerError> {
    let entries = settings::read(path)?;
    let config = |cause| WorkerError::Config { path: path.to_owned(), cause };
    let worker = Worker::start(WorkerConfig::distributed(&entries).map_err(config)?).await?;
    worker.run_until_signal(Signals::listen()?).await
}

/// How long open calls may go on once the supervisor has ended: their answers are there.
const REST_GRACE: Duration = Duration::from_millis(500);

/// A running worker.
pub struct Worker {
    /// What it can be asked.
    pub handle: Handle,
    supervisor: JoinHandle<Result<(), StartError>>,
    rest: JoinHandle<std::io::Result<()>>,
    stop_rest: watch::Sender<bool>,
}

impl Worker {
    /// Binds its listeners and starts.
    pub async fn start(config: WorkerConfig) -> Result<Self, WorkerError> {
        logging::hide(config.providers.secrets());
        settings::report(&config);
        let listeners = bind_all(&config.rest).await?;
        let port = listeners.first().and_then(|l| l.listener.local_addr().ok()).map_or(8083, |a| a.port());
        let worker_id = worker_id(&config, port);
        let rest = lockgate_api::ApiOptions {
            rest: config.rest.clone(),
            tenant: config.tenant.clone(),
            loggers: logging::loggers(),
            secrets: config.providers.secrets(),
        };
        let engine = engine(&config)?;
        let (handle, supervisor) = Supervisor::start(Options { worker: config, worker_id, engine })?;
        let (stop_rest, stopped) = watch::channel(false);
        let router = lockgate_api::router(handle.clone(), rest)?;
        let served = lockgate_api::serve(listeners, router, stop_asked(stopped));
        Ok(Self { handle, supervisor, rest: tokio::spawn(served), stop_rest })
    }

    /// Runs until a signal, then stops cleanly.
    pub async fn run_until_signal(mut self, mut signals: Signals) -> Result<(), WorkerError> {
        tokio::select! {
            () = signals.next() => {}
            ended = &mut self.supervisor => return Ok(ended??),
        }
        tracing::info!("stopping; a second signal stops at once");
        signals.or_at_once(self.stop()).await
    }

    /// Resolves if it ends by itself.
    pub async fn ended(&mut self) -> Result<(), WorkerError> {
        Ok((&mut self.supervisor).await??)
    }

    /// Drains all tasks, then REST.
    pub async fn stop(mut self) -> Result<(), WorkerError> {
        self.handle.shut_down();
        let ended = self.supervisor.await;
        self.stop_rest.send_replace(true);
        match tokio::time::timeout(REST_GRACE, &mut self.rest).await {
            Ok(served) => served??,
            Err(_) => self.rest.abort(), // calls that are open now have lost their worker
        }
        tracing::info!("stopped");
        Ok(ended??)
    }
}

async fn stop_asked(mut stopped: watch::Receiver<bool>) {
    // A sender that is gone means stop, too.
    drop(stopped.wait_for(|stop| *stop).await);
}

/// Binds `listeners`, then `admin.listeners`.
async fn bind_all(rest: &RestSettings) -> Result<Vec<Bound>, WorkerError> {
    let mut bound = Vec::new();
    let none = Vec::new();
    let (admin, admin_tls) = match &rest.admin {
        AdminListeners::Own { listeners, tls } => (listeners, tls.as_ref()),
        AdminListeners::Main | AdminListeners::Disabled => (&none, None),
    };
    for (listeners, tls, is_admin) in [(&rest.listeners, rest.tls.as_ref(), false), (admin, admin_tls, true)] {
        let acceptor = tls.map(lockgate_api::acceptor).transpose()?;
        for listener in listeners {
            let tls = acceptor.clone().filter(|_| listener.scheme == Scheme::Https);
            bound.push(Bound { listener: bind(listener).await?, tls, is_admin });
        }
    }
    Ok(bound)
}

async fn bind(listener: &Listener) -> Result<TcpListener, WorkerError> {
    let host = if listener.host.is_empty() { "0.0.0.0" } else { &listener.host };
    let address =
        if host.contains(':') { format!("[{host}]:{}", listener.port) } else { format!("{host}:{}", listener.port) };
    TcpListener::bind(&address).await.map_err(|cause| WorkerError::Listen { address, cause })
}

/// `host:port` of the advertised address.
fn worker_id(config: &WorkerConfig, bound_port: u16) -> String {
    let any = |host: &str| host.is_empty() || host == "0.0.0.0" || host == "::";
    let listening = config.rest.listeners.first().map(|l| l.host.clone()).filter(|host| !any(host));
    let own = || rustix::system::uname().nodename().to_string_lossy().into_owned();
    let host = config.rest.advertised_host.clone().or(listening).unwrap_or_else(own);
    format!("{host}:{}", config.rest.advertised_port.unwrap_or(bound_port))
}

fn engine(config: &WorkerConfig) -> Result<EngineOptions, WorkerError> {
    let sandbox = &config.sandbox;
    Ok(EngineOptions {
        cache_dir: Some(config.packages.cache.clone()),
        compiler: Compiler::Child { program: std::env::current_exe()?, args: vec!["__compile".into()] },
        compile: CompileLimits {
            memory_bytes: sandbox.compile_memory_bytes,
            cpu: sandbox.compile_cpu,
            wall: sandbox.compile_wall,
            ..CompileLimits::default()
        },
        http_ca: sandbox.http_ca.clone(),
        upload: UploadLimits { package_bytes: config.rest.package_bytes_max },
        ..EngineOptions::default()
    })
}
