//! What may be read without asking the control loop: the plugins, the logs, how the worker is.
//!
//! Enters: the supervisor's rooms write here. Leaves: views for the handle. Invariant: nothing here waits; a lock is held
//! only to copy.

use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use lockgate_config::{Part, validate};
use lockgate_model::package::PluginKind;
use tokio::sync::watch;

use crate::converters;
use crate::error::{ErrorKind, SupervisorError};
use crate::log_book::LogBook;
use crate::package_view;
use crate::registry::{NotFound, Registry, built_in_version};
use crate::topics_used::TopicsUsed;
use crate::view::{ConfigKeyInfo, HealthState, LogLine, PackageView, PluginEntry, ServerInfo, WorkerHealth};

/// How far the start has got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Not yet; the text says what is waited for.
    Starting(String),
    /// Requests are handled.
    Ready,
}

/// Shared, read by many.
#[derive(Debug)]
pub(crate) struct Desk {
    pub registry: Arc<Registry>,
    pub logs: Arc<LogBook>,
    pub topics: Arc<TopicsUsed>,
    stage: RwLock<Stage>,
    cluster_id: OnceLock<String>,
    stop: watch::Sender<bool>,
}

impl Desk {
    pub(crate) fn new(registry: Arc<Registry>, logs: Arc<LogBook>, topics: Arc<TopicsUsed>) -> Self {
        let stage = RwLock::new(Stage::Starting("It has just begun.".to_owned()));
        Self { registry, logs, topics, stage, cluster_id: OnceLock::new(), stop: watch::Sender::new(false) }
    }

    pub(crate) fn enter(&self, stage: Stage) {
        *self.stage.write().unwrap_or_else(PoisonError::into_inner) = stage;
    }

    pub(crate) fn stage(&self) -> Stage {
        self.stage.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_cluster_id(&self, id: String) {
        drop(self.cluster_id.set(id)); // a cluster keeps its id
    }

    pub(crate) fn server_info(&self) -> ServerInfo {
        ServerInfo {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            commit: option_env!("LOCKGATE_COMMIT").unwrap_or("unknown").to_owned(),
            kafka_cluster_id: self.cluster_id.get().cloned(),
        }
    }

    pub(crate) fn health(&self, alive: bool) -> WorkerHealth {
        let (status, message) = match (self.stage(), alive) {
            (Stage::Starting(what), _) => (HealthState::Starting, format!("Worker is still starting up. {what}")),
            (Stage::Ready, true) => {
                (HealthState::Healthy, "Worker has completed startup and is ready to handle requests.".to_owned())
            }
            (Stage::Ready, false) => (
                HealthState::Unhealthy,
                "Worker was unable to handle this request and may be unable to handle other requests.".to_owned(),
            ),
        };
        WorkerHealth { status, message }
    }

    pub(crate) fn timeout_message(&self) -> String {
        match self.stage() {
            Stage::Starting(what) => format!("Request timed out. The worker is currently starting: {what}"),
            Stage::Ready => "Request timed out".to_owned(),
        }
    }

    pub(crate) fn plugins(&self, connectors_only: bool) -> Vec<PluginEntry> {
        let of_kind = |kind: PluginKind, plugin_type: &'static str| {
            let plugins = self.registry.all().into_iter().flat_map(move |package| {
                let version = package.info.version.clone();
                let plugins = package.info.plugins.iter().filter(|p| p.kind == kind).cloned().collect::<Vec<_>>();
                plugins.into_iter().map(move |p| (p.class.clone(), version.clone()))
            });
            let mut entries: Vec<_> =
                plugins.map(|(class, version)| PluginEntry { class, plugin_type, version: Some(version) }).collect();
            // Stable: of one class the newest comes first, as the registry has them.
            entries.sort_by(|a, b| a.class.cmp(&b.class));
            entries
        };
        let mut entries: Vec<PluginEntry> = of_kind(PluginKind::Sink, "sink");
        entries.extend(of_kind(PluginKind::Source, "source"));
        if !connectors_only {
            entries.extend(of_kind(PluginKind::Transform, "transformation"));
            entries.extend(of_kind(PluginKind::Predicate, "predicate"));
            entries.extend(converters::classes(Part::Value).iter().map(|class| built_in(class, "converter")));
            entries.extend(converters::classes(Part::Header).iter().map(|class| built_in(class, "header_converter")));
        }
        entries
    }

    pub(crate) fn plugin_config(
        &self,
        class: &str,
        version: Option<&str>,
    ) -> Result<Vec<ConfigKeyInfo>, SupervisorError> {
        let kinds = [PluginKind::Source, PluginKind::Sink, PluginKind::Transform, PluginKind::Predicate];
        let refused = |error: &NotFound| match error {
            NotFound::Class { class, .. } => {
                SupervisorError::new(ErrorKind::NotFound, "plugin.not-found", format!("Unknown plugin {class}."))
            }
            other => SupervisorError::new(ErrorKind::BadRequest, "plugin.version", other.to_string()),
        };
        if converters::classes(Part::Value).iter().chain(&converters::classes(Part::Header)).any(|known| known == class)
        {
            built_in_version(class, version).map_err(|e| refused(&e))?;
            return Ok(validate::converter_keys(class));
        }
        let found = self.registry.find(class, &kinds, version).map_err(|e| refused(&e))?;
        Ok(validate::listed_keys(&found.plugin, &found.installed.info.version))
    }

    pub(crate) fn packages(&self) -> Vec<PackageView> {
        self.registry.all().iter().map(|p| package_view::package(&p.info, p.bundled)).collect()
    }

    pub(crate) fn package(&self, name: &str) -> Result<Vec<PackageView>, SupervisorError> {
        let versions: Vec<PackageView> = self.packages().into_iter().filter(|p| p.name == name).collect();
        if versions.is_empty() {
            let message = format!("Package {name} not found");
            return Err(SupervisorError::new(ErrorKind::NotFound, "package.not-found", message));
        }
        Ok(versions)
    }

    pub(crate) fn logs(&self, name: &str, tail: usize) -> Vec<LogLine> {
        self.logs.tail(name, tail)
    }

    pub(crate) fn shut_down(&self) {
        self.stop.send_replace(true);
    }

    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.stop.subscribe()
    }
}

fn built_in(class: &str, plugin_type: &'static str) -> PluginEntry {
    PluginEntry { class: class.to_owned(), plugin_type, version: Some(env!("CARGO_PKG_VERSION").to_owned()) }
}
