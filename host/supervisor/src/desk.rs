//! What may be read without asking the control loop: the plugins, the logs, how the worker is.
//!
//! Enters: the supervisor's rooms write here. Leaves: views for the handle. Invariant: nothing here waits; a lock is held
//! only to copy.

use std::sync::{OnceLock, RwLock};

use tokio::sync::watch;

use crate::error::{ErrorKind, SupervisorError};
use crate::view::{ConfigKeyInfo, HealthState, LogLine, PackageView, PluginEntry, ServerInfo, WorkerHealth};

/// How far the start has got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Starting(String),
    Ready,
}

/// Shared, read by many.
#[derive(Debug)]
pub(crate) struct Desk {
    stage: RwLock<Stage>,
    cluster_id: OnceLock<String>,
    stop: watch::Sender<bool>,
}

impl Desk {
    pub(crate) fn server_info(&self) -> ServerInfo {
        ServerInfo {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            commit: option_env!("LOCKGATE_COMMIT").unwrap_or("unknown").to_owned(),
            kafka_cluster_id: self.cluster_id.get().cloned(),
        }
    }

    pub(crate) fn stage(&self) -> Stage {
        self.stage.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
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

    pub(crate) fn plugins(&self, _connectors_only: bool) -> Vec<PluginEntry> {
        Vec::new()
    }

    pub(crate) fn plugin_config(
        &self,
        class: &str,
        _version: Option<&str>,
    ) -> Result<Vec<ConfigKeyInfo>, SupervisorError> {
        Err(SupervisorError::new(ErrorKind::NotFound, "plugin.not-found", format!("Unknown plugin {class}.")))
    }

    pub(crate) fn packages(&self) -> Vec<PackageView> {
        Vec::new()
    }

    pub(crate) fn package(&self, name: &str) -> Result<Vec<PackageView>, SupervisorError> {
        Err(SupervisorError::new(ErrorKind::NotFound, "package.not-found", format!("Package {name} not found")))
    }

    pub(crate) fn logs(&self, _name: &str, _tail: usize) -> Vec<LogLine> {
        Vec::new()
    }

    pub(crate) fn shut_down(&self) {
        self.stop.send_replace(true);
    }
}
