//! Work that waits or computes, done beside the control loop.
//!
//! Enters: a [`Job`]. Leaves: its [`Done`], or its answer. Invariant: nothing here touches the supervisor's state; a
//! client's upload is on disk before it is installed, and installed before it is answered.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use lockgate_config::{ConnectorSpec, RawConfig, Resolved, WorkerConfig, error::connect_message};
use lockgate_model::package::PluginInfo;
use lockgate_registry::Registries;
use lockgate_wasm::{Engine, PackageError, PackageErrorClass, Policy};

use crate::clients;
use crate::control::answer;
use crate::desired::Config;
use crate::error::{ErrorKind, SupervisorError};
use crate::event::{Done, Job, Made};
use crate::offset_edits::OffsetDesk;
use crate::package_store::PackageStore;
use crate::package_view;
use crate::registry::{Installed, Registry, Standing};
use crate::reload::Reloads;
use crate::request::ClientConfig;
use crate::secrets;
use crate::storage::Writer;
use crate::validate::{self, Known};
use crate::view::{ConfigInfos, Uploaded};

/// How long a plugin may take to say what tasks it wants, and to validate. The sandbox has its own, shorter bounds.
const PLUGIN_DEADLINE: Duration = Duration::from_mins(1);

/// What jobs work with.
pub(crate) struct Jobs {
    pub worker: Arc<WorkerConfig>,
    pub registry: Arc<Registry>,
    pub engine: Engine,
    pub store: PackageStore,
    pub policy: Policy,
    pub registries: Arc<Registries>,
    pub writer: Writer,
    pub offsets: OffsetDesk,
    pub reloads: Arc<Reloads>,
}

impl Jobs {
    pub(crate) async fn run(&self, job: Job) -> Done {
        match job {
            Job::Check { name, config, initial_state, reply } => {
                let outcome = self.check(&name, config).await;
                Done::Checked { name, outcome, initial_state, reply }
            }
            Job::Write { name, changes, after } => {
                let outcome = self.writer.write(&changes).await.map(|()| changes);
                Done::Written { name, outcome, after }
            }
            Job::Make { name, config, made } => {
                let making = tokio::time::timeout(PLUGIN_DEADLINE, self.make(&name, &config)).await;
                let late = || format!("the plugin did not say within {PLUGIN_DEADLINE:?} what tasks it wants");
                Done::Made { name, outcome: making.unwrap_or_else(|_| Err(late())), made }
            }
            Job::Validate { class, config, reply } => {
                answer(reply, self.validate(&class, &config).await);
                Done::Answered
            }
            Job::Upload { bytes, reply } => {
                let uploaded = self.upload(bytes).await;
                let created = uploaded.as_ref().is_ok_and(|uploaded| uploaded.created);
                answer(reply, uploaded);
                if created { Done::Installed } else { Done::Answered }
            }
            Job::DeletePackage { name, version, in_use, reply } => {
                let mut resolved = Vec::with_capacity(in_use.len());
                for config in &in_use {
                    resolved.push(secrets::resolve_stored(&self.worker.providers, config).await.settings());
                }
                answer(reply, self.delete_package(&name, &version, &resolved));
                Done::Answered
            }
            Job::PutLoggerLevel { namespace, level, reply } => {
                answer(reply, self.writer.put_logger_level(namespace, level).await);
                Done::Answered
            }
            Job::Offsets { name, config, reply } => {
                let config = secrets::resolve_stored(&self.worker.providers, &config).await.settings();
                answer(reply, self.offsets.read(&name, &config).await);
                Done::Answered
            }
            Job::EditOffsets { name, config, edit, reply } => {
                let resolved = secrets::resolve_stored(&self.worker.providers, &config).await;
                let edited = self.offsets.edit(&name, &resolved.settings(), edit).await;
                answer(reply, edited.map_err(|e| e.scrubbed(&resolved.hidden)));
                Done::Edited { name }
            }
        }
    }

    /// Kafka Connect's checks before a configuration is stored; the outcome is what is stored.
    async fn check(&self, name: &str, mut config: ClientConfig) -> Result<Config, SupervisorError> {
        match config.get("name") {
            Some(Some(inner)) if inner != name => {
                return Err(SupervisorError::invalid(format!(
                    "Connector name configuration ({inner}) doesn't match connector name in the URL ({name})"
                )));
            }
            Some(Some(_)) => {}
            _ => drop(config.insert("name".to_owned(), Some(name.to_owned()))),
        }
        let resolved = secrets::resolve(&self.worker.providers, config.clone()).await;
        let class = ConnectorSpec::class_of(&resolved.config)
            .map_err(|e| SupervisorError::invalid(first_message(&e)))?
            .to_owned();
        let infos = self.inspect(&class, &config, &resolved).await?;
        if infos.error_count > 0 {
            let errors: Vec<&str> = infos.errors().collect();
            return Err(SupervisorError::invalid(connect_message(errors.into_iter())));
        }
        Ok(config.into_iter().filter_map(|(key, value)| Some((key, value?))).collect())
    }

    async fn validate(&self, plugin: &str, config: &ClientConfig) -> Result<ConfigInfos, SupervisorError> {
        let resolved = secrets::resolve(&self.worker.providers, config.clone()).await;
        let class = match ConnectorSpec::class_of(&resolved.config) {
            Ok(class) => class,
            Err(e) => return Err(SupervisorError::invalid(first_message(&e))),
        };
        let bare = |text: &str| {
            let simple = text.rsplit('.').next().unwrap_or(text);
            simple.strip_suffix("Connector").unwrap_or(simple).to_owned()
        };
        let same = bare(class).ends_with(&bare(plugin)) || self.same_plugin(class, plugin);
        if !same {
            let message = format!("Included connector type {class} does not match request type {plugin}");
            return Err(SupervisorError::invalid(message));
        }
        self.inspect(class, config, &resolved).await
    }

    /// An alias and the class that it stands for are the same plugin.
    fn same_plugin(&self, class: &str, other: &str) -> bool {
        let find = |class: &str| self.registry.find(class, &crate::registry::CONNECTORS, None).ok();
        match (find(class), find(other)) {
            (Some(a), Some(b)) => a.plugin.class == b.plugin.class,
            _ => false,
        }
    }

    /// Judges the values, and tells of them by their references.
    async fn inspect(&self, class: &str, raw: &RawConfig, resolved: &Resolved) -> Result<ConfigInfos, SupervisorError> {
        let known = Known { registry: &self.registry, allowed: self.registries.allowed() };
        let inspection = validate::inspect(class, &resolved.config, &self.worker, known, &self.policy);
        let late = || SupervisorError::internal(format!("the plugin did not validate within {PLUGIN_DEADLINE:?}"));
        let mut infos = tokio::time::timeout(PLUGIN_DEADLINE, inspection).await.unwrap_or_else(|_| Err(late()))?;
        secrets::mask(&mut infos, raw, resolved);
        Ok(infos)
    }

    /// Task configurations, with references where the plugin was given values.
    async fn make(&self, name: &str, config: &Config) -> Result<Made, String> {
        let resolved = secrets::resolve_stored(&self.worker.providers, config).await;
        if let Some(problem) = resolved.problem() {
            return Err(problem);
        }
        let made = self.make_resolved(name, &resolved.settings()).await;
        let mut made = made.map_err(|text| resolved.hidden.scrub(&text).into_owned())?;
        let raw: RawConfig = config.iter().map(|(key, value)| (key.clone(), Some(value.clone()))).collect();
        made.tasks.iter_mut().for_each(|task| resolved.hidden.restore(&raw, task));
        self.reloads.watch(name, config, &resolved);
        Ok(made)
    }

    /// Asks the plugin for task configurations and completes them as Kafka Connect does.
    async fn make_resolved(&self, name: &str, config: &Config) -> Result<Made, String> {
        let found = self.registry.connector(config).map_err(|e| e.to_string())?;
        let spec = clients::parse(name, found.plugin.kind, config, &self.worker)?;
        let pairs: Vec<(String, String)> = config.clone().into_iter().collect();
        let class = &found.plugin.class;
        let package = &found.installed.package;
        let tasks =
            package.tasks(found.plugin.kind, class, name, &pairs, spec.tasks_max).await.map_err(|e| e.to_string())?;
        if tasks.len() > spec.tasks_max as usize {
            let (count, max) = (tasks.len(), spec.tasks_max);
            let text = format!(
                "The connector {name} has generated {count} tasks, which is greater than {max}, the maximum number of \
                 tasks it is configured to create."
            );
            if spec.tasks_max_enforce {
                return Err(format!(
                    "{text} This behaviour should be considered a bug and is disallowed. If necessary, it can be permitted \
                     by reconfiguring the connector with 'tasks.max.enforce' set to false; however, this option will be \
                     removed in a future release of Kafka Connect."
                ));
            }
            tracing::warn!(connector = name, "{text} Its plugin should keep to tasks.max.");
        }
        let complete = |task: Vec<(String, String)>| {
            let mut task: Config = task.into_iter().collect();
            task.insert("task.class".to_owned(), task_class(&found.plugin));
            for key in ["topics", "topics.regex"] {
                if let (Some(topics), true) = (config.get(key), spec.sink.is_some()) {
                    task.insert(key.to_owned(), topics.clone());
                }
            }
            task
        };
        let version = found.installed.info.version.clone();
        Ok(Made { version, tasks: tasks.into_iter().map(complete).collect() })
    }

    async fn upload(&self, bytes: Bytes) -> Result<Uploaded, SupervisorError> {
        let package = self.engine.load(bytes.clone()).await.map_err(|e| refused(&e))?;
        let info = Arc::new(package.info().clone());
        let view = |bundled| package_view::package(&info, bundled);
        match self.registry.standing(&info) {
            Standing::Same => {
                let there = self.registry.exact(&info.name, &info.version);
                return Ok(Uploaded { created: false, package: view(there.is_some_and(|p| p.bundled)) });
            }
            Standing::Other { digest } => return Err(taken(&info.name, &info.version, &digest)),
            Standing::New => {}
        }
        let (store, digest) = (self.store.clone(), info.digest.clone());
        let kept = tokio::task::spawn_blocking(move || store.keep(&digest, &bytes)).await; // keeps L3
        kept.map_err(|e| SupervisorError::internal(e.to_string()))??;
        let installed = Installed { info: Arc::clone(&info), package, bundled: false };
        match self.registry.install(installed) {
            Standing::Other { digest } => {
                // Somebody else was faster with other bytes; ours must not come back at the next start.
                self.store.forget(&info.digest)?;
                Err(taken(&info.name, &info.version, &digest))
            }
            standing => {
                tracing::info!(package = info.name, version = info.version, digest = info.digest, "package installed");
                Ok(Uploaded { created: standing == Standing::New, package: view(false) })
            }
        }
    }

    fn delete_package(&self, name: &str, version: &str, in_use: &[Config]) -> Result<(), SupervisorError> {
        let missing = || {
            let message = format!("Package {name} {version} not found");
            SupervisorError::new(ErrorKind::NotFound, "package.not-found", message)
        };
        let installed = self.registry.exact(name, version).ok_or_else(missing)?;
        let conflict = |message: String| Err(SupervisorError::new(ErrorKind::Conflict, "package.in-use", message));
        if installed.bundled {
            return conflict(format!("Package {name} {version} came with the worker and cannot be deleted"));
        }
        let digest = &installed.info.digest;
        let users = in_use.iter().filter(|config| validate::uses(&self.registry, &self.worker, config, digest));
        let users: Vec<&str> = users.filter_map(|c| c.get("name")).map(String::as_str).collect();
        if !users.is_empty() {
            return conflict(format!("Package {name} {version} is in use by {}", users.join(", ")));
        }
        self.store.forget(digest)?;
        self.registry.remove(name, version);
        tracing::info!(package = name, version, "package deleted");
        Ok(())
    }
}

fn first_message(errors: &lockgate_config::ConfigErrors) -> String {
    errors.0.first().map(|e| e.message.clone()).unwrap_or_default()
}

/// What Kafka Connect calls the task of a connector, so that it can go on with the task configurations written here.
fn task_class(plugin: &PluginInfo) -> String {
    let names = std::iter::once(&plugin.class).chain(&plugin.aliases);
    let java = names.filter(|name| name.contains('.')).find_map(|name| name.strip_suffix("Connector"));
    java.map_or_else(|| plugin.class.clone(), |stem| format!("{stem}Task"))
}

fn taken(name: &str, version: &str, digest: &str) -> SupervisorError {
    let message = format!(
        "Package {name} {version} is installed already with other bytes ({digest}); give the new build another version"
    );
    SupervisorError::new(ErrorKind::Conflict, "package.conflict", message)
}

fn refused(error: &PackageError) -> SupervisorError {
    let kind = match error.class() {
        PackageErrorClass::Malformed => ErrorKind::BadRequest,
        PackageErrorClass::TooLarge => ErrorKind::TooLarge,
        PackageErrorClass::Unacceptable => ErrorKind::Unprocessable,
        PackageErrorClass::Host => ErrorKind::Unavailable,
    };
    SupervisorError::new(kind, error.code(), error.to_string())
}
