//! Chains, predicates and converters tried on records that are nowhere: `lockgate transform`, `lockgate convert`,
//! `POST /transforms/preview`.
//!
//! Enters: settings and records in JSON. Leaves: one answer for each record, in order. Invariant: planning, guests, sandbox
//! and the way of a record are a task's own; a configuration that is refused answers every record; nothing is produced,
//! consumed or kept, and references to secrets stay references.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use lockgate_config::RawConfig;
use lockgate_model::TaskId;
use lockgate_wasm::{Engine, EngineError, EngineOptions, Package, PackageError, Policy, TaskSpec};

use crate::package_store::read_directory;
use crate::registry::{Installed, Registry};

mod chain;
mod conversion;
pub(crate) mod notation;
mod trial;

pub use conversion::{Conversion, Direction, Place};
pub use trial::Trial;

/// Records of one call of a chain at most.
pub const BATCH_RECORDS: usize = 500;
/// Bytes of the lines of one call at most; a longer line goes alone.
pub const BATCH_BYTES: usize = 256 << 10;

/// Which side of Kafka the records are on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RecordKind {
    /// On the way to Kafka: no offset yet, perhaps no partition.
    Source,
    /// From Kafka.
    #[default]
    Sink,
}

/// What is tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The `transforms` of the configuration.
    Chain,
    /// One of its `predicates` by alias; none: the only one. If there is no such alias it is a class, and the configuration
    /// is its settings.
    Predicate(Option<String>),
}

/// Why nothing can be tried.
#[derive(Debug, thiserror::Error)]
pub enum PreviewError {
    /// The engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A file.
    #[error("package {} cannot be read: {cause}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// A package.
    #[error("package {} cannot be loaded: {cause}", path.display())]
    Load {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: PackageError,
    },
}

/// Packages, and what their guests may use.
#[derive(Clone)]
pub struct Workbench {
    registry: Arc<Registry>,
    policy: Policy,
    /// What every chain is opened with, apart from its plugins.
    task: TaskSpec,
    /// Bundled packages not loaded yet: most chains need one of them.
    more: Option<(Engine, Vec<(PathBuf, bytes::Bytes)>)>,
}

impl std::fmt::Debug for Workbench {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Workbench").field("packages", &self.registry.count()).finish_non_exhaustive()
    }
}

impl Workbench {
    /// With the packages of a directory and some files. Guests are granted nothing of the outside.
    ///
    /// # Errors
    /// The engine cannot start; a file cannot be read or is no package.
    pub async fn open(
        engine: EngineOptions,
        bundled: Option<&Path>,
        packages: &[PathBuf],
    ) -> Result<Self, PreviewError> {
        let engine = Engine::new(engine)?;
        let registry = Arc::<Registry>::default();
        for path in packages {
            let bytes = std::fs::read(path).map_err(|cause| PreviewError::Read { path: path.clone(), cause })?;
            load(&engine, &registry, path, bytes.into(), false).await?;
        }
        let mut more = Vec::new();
        for (path, bytes) in bundled.map(read_directory).unwrap_or_default() {
            more.push((path.clone(), bytes.map_err(|cause| PreviewError::Read { path, cause })?));
        }
        // Taken from the end.
        more.sort_by_key(|(path, _)| path.file_stem().is_some_and(|stem| stem == "transforms"));
        Ok(Self { registry, policy: Policy::default(), task: unheard(), more: Some((engine, more)) })
    }

    /// With the packages of a worker.
    pub(crate) fn of_worker(registry: Arc<Registry>) -> Self {
        Self { registry, policy: Policy::default(), task: unheard(), more: None }
    }

    /// With one package, and what its guests may reach, use and say.
    pub(crate) fn of_package(package: &Arc<Package>, policy: Policy, task: TaskSpec) -> Self {
        let registry = Arc::<Registry>::default();
        let info = Arc::new(package.info().clone());
        registry.install(Installed { info, package: Arc::clone(package), bundled: false });
        Self { registry, policy, task, more: None }
    }

    /// A chain or predicate, configured. What is wrong with its settings is the answer to every record.
    pub async fn trial(&mut self, subject: &Subject, config: &RawConfig, kind: RecordKind) -> Trial {
        loop {
            let planned = chain::plan(subject, config, &self.registry);
            if planned.is_ok() || !self.load_one_more().await {
                return Trial::open(planned, self.policy.clone(), self.task.clone(), kind).await;
            }
        }
    }

    /// False if there are no more. One that cannot be loaded is as one that is not there, as for a worker.
    async fn load_one_more(&mut self) -> bool {
        let Some((engine, more)) = &mut self.more else { return false };
        let Some((path, bytes)) = more.pop() else { return false };
        if let Err(error) = load(engine, &self.registry, &path, bytes, true).await {
            tracing::error!("{error}");
        }
        true
    }
}

/// A task that logs nowhere.
fn unheard() -> TaskSpec {
    TaskSpec::new(TaskId { tenant: "preview".into(), connector: "preview".into(), task: 0 }, "preview")
}

async fn load(
    engine: &Engine,
    registry: &Registry,
    path: &Path,
    bytes: bytes::Bytes,
    bundled: bool,
) -> Result<(), PreviewError> {
    let package = engine.load(bytes).await.map_err(|cause| PreviewError::Load { path: path.to_owned(), cause })?;
    let info = Arc::new(package.info().clone());
    registry.install(Installed { info, package, bundled });
    Ok(())
}
