//! The one thing that the api (and the binary) holds of the supervisor.
//!
//! Enters: calls of REST handlers. Leaves: views, or a [`SupervisorError`] with Kafka Connect's text. Invariant: channels
//! stay private; every call has a deadline ([`REQUEST_TIMEOUT`]); dropping a call's future does not undo what was begun.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use indexmap::IndexMap;
use tokio::sync::{mpsc, oneshot};

use crate::desk::Desk;
use crate::error::{ErrorKind, SupervisorError};
use crate::offset_edits::DRAINING;
use crate::preview::{RecordKind, Subject, Trial, Workbench};
use crate::request::{Reply, Request};
use crate::view::{
    ConfigInfos, ConfigKeyInfo, ConnectorInfo, ConnectorOffset, ConnectorStateInfo, CreateConnector, Expanded, LogLine,
    MetricsView, OffsetEdit, PackageView, PluginEntry, PutOutcome, RestartOptions, ServerInfo, TargetState, TaskInfo,
    TaskState, Uploaded, WorkerHealth,
};

/// How long a call waits, as in Kafka Connect. The operation may still end later.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(90);

/// How long `health` waits for the control loop, as in Kafka Connect.
pub const HEALTH_TIMEOUT: Duration = Duration::from_secs(10);

/// How long an edit of offsets waits for the last task of a stopped connector.
const DRAIN_PATIENCE: Duration = Duration::from_secs(15);
/// Between two tries.
const DRAIN_PAUSE: Duration = Duration::from_millis(50);

/// Cheap to clone; all clones speak to one supervisor.
#[derive(Clone, Debug)]
pub struct Handle {
    requests: mpsc::Sender<Request>,
    desk: Arc<Desk>,
}

type Outcome<T> = Result<T, SupervisorError>;

impl Handle {
    pub(crate) fn new(requests: mpsc::Sender<Request>, desk: Arc<Desk>) -> Self {
        Self { requests, desk }
    }

    /// `GET /`.
    pub fn worker(&self) -> ServerInfo {
        self.desk.server_info()
    }

    /// `GET /health`: goes through the control loop, so it says whether that is alive. Never fails; waits up to 10 s.
    pub async fn health(&self) -> WorkerHealth {
        let alive = self.ask_within(HEALTH_TIMEOUT, |reply| Request::Ping { reply }).await.is_ok();
        self.desk.health(alive)
    }

    /// Names of all connectors, sorted.
    pub async fn connectors(&self) -> Outcome<Vec<String>> {
        self.ask(|reply| Request::List { reply }).await
    }

    /// All connectors by name, each with what is asked for.
    pub async fn expanded(&self, info: bool, status: bool) -> Outcome<IndexMap<String, Expanded>> {
        self.ask(|reply| Request::Expand { info, status, reply }).await
    }

    /// Creates a connector: validated, written to the config topic, then answered; tasks start right after.
    ///
    /// Errors: `BadRequest` with all config errors in Connect's text, `Conflict` if the name is taken.
    pub async fn create(&self, connector: CreateConnector) -> Outcome<ConnectorInfo> {
        let CreateConnector { name, config, initial_state } = connector;
        let create_only = true;
        self.ask(|reply| Request::PutConfig { name, config, initial_state, create_only, reply }).await.map(|o| o.info)
    }

    /// Sets a connector's configuration, creating it where it is absent. Tasks restart with the new one.
    pub async fn put_config(&self, name: &str, config: IndexMap<String, Option<String>>) -> Outcome<PutOutcome> {
        let name = name.to_owned();
        let (initial_state, create_only) = (None, false);
        self.ask(|reply| Request::PutConfig { name, config, initial_state, create_only, reply }).await
    }

    /// Merges into a connector's configuration: a value sets, `None` removes.
    pub async fn patch_config(&self, name: &str, patch: IndexMap<String, Option<String>>) -> Outcome<ConnectorInfo> {
        let name = name.to_owned();
        self.ask(|reply| Request::PatchConfig { name, patch, reply }).await.map(|o| o.info)
    }

    /// `GET /connectors/C`.
    pub async fn info(&self, name: &str) -> Outcome<ConnectorInfo> {
        let name = name.to_owned();
        self.ask(|reply| Request::Info { name, reply }).await
    }

    /// `GET /connectors/C/config`: raw.
    pub async fn config(&self, name: &str) -> Outcome<IndexMap<String, String>> {
        self.info(name).await.map(|info| info.config)
    }

    /// `GET /connectors/C/status`.
    pub async fn status(&self, name: &str) -> Outcome<ConnectorStateInfo> {
        let name = name.to_owned();
        self.ask(|reply| Request::Status { name, reply }).await
    }

    /// `GET /connectors/C/tasks`.
    pub async fn tasks(&self, name: &str) -> Outcome<Vec<TaskInfo>> {
        let name = name.to_owned();
        self.ask(|reply| Request::Tasks { name, reply }).await
    }

    /// `GET /connectors/C/tasks/N/status`.
    pub async fn task_status(&self, name: &str, task: u32) -> Outcome<TaskState> {
        let status = self.status(name).await.map_err(|e| match e.kind() {
            ErrorKind::NotFound => SupervisorError::not_found(format!("No status found for task {name}-{task}")),
            _ => e,
        })?;
        let found = status.tasks.into_iter().find(|t| t.id == task);
        found.ok_or_else(|| SupervisorError::not_found(format!("No status found for task {name}-{task}")))
    }

    /// Removes a connector; its offsets stay. Answers when the removal is durable; tasks drain after that.
    pub async fn delete(&self, name: &str) -> Outcome<()> {
        let name = name.to_owned();
        self.ask(|reply| Request::Delete { name, reply }).await
    }

    /// Desired state PAUSED.
    pub async fn pause(&self, name: &str) -> Outcome<()> {
        self.set_target(name, TargetState::Paused).await
    }

    /// Desired state RUNNING.
    pub async fn resume(&self, name: &str) -> Outcome<()> {
        self.set_target(name, TargetState::Running).await
    }

    /// Desired state STOPPED: no tasks.
    pub async fn stop(&self, name: &str) -> Outcome<()> {
        self.set_target(name, TargetState::Stopped).await
    }

    /// Plain restart: the connector alone; its task configurations are generated again. Answers when that is done.
    pub async fn restart(&self, name: &str) -> Outcome<()> {
        let (name, options) = (name.to_owned(), RestartOptions::default());
        self.ask(|reply| Request::Restart { name, options, reply }).await.map(drop)
    }

    /// Restart with `includeTasks` or `onlyFailed`: answers at once with the planned states.
    pub async fn restart_with(&self, name: &str, options: RestartOptions) -> Outcome<ConnectorStateInfo> {
        let name = name.to_owned();
        self.ask(|reply| Request::Restart { name, options, reply }).await
    }

    /// Restarts one task.
    pub async fn restart_task(&self, name: &str, task: u32) -> Outcome<()> {
        let name = name.to_owned();
        self.ask(|reply| Request::RestartTask { name, task, reply }).await
    }

    /// Offsets: of a source from the offset store, of a sink what its consumer group has committed.
    pub async fn offsets(&self, name: &str) -> Outcome<Vec<ConnectorOffset>> {
        let name = name.to_owned();
        self.ask(|reply| Request::Offsets { name, reply }).await
    }

    /// Changes or forgets offsets of a STOPPED connector; waits until its last task has ended. The sentence for the client.
    ///
    /// Errors: `BadRequest` while it is not STOPPED, or for offsets that make no sense; `Internal` while others read with
    /// the sink's group.
    pub async fn edit_offsets(&self, name: &str, edit: OffsetEdit) -> Outcome<String> {
        let end = Instant::now() + DRAIN_PATIENCE;
        loop {
            let (name, edit) = (name.to_owned(), edit.clone());
            match self.ask(|reply| Request::EditOffsets { name, edit, reply }).await {
                Err(error) if error.code() == DRAINING && Instant::now() < end => {
                    tokio::time::sleep(DRAIN_PAUSE).await;
                }
                other => return other,
            }
        }
    }

    /// Topics that the connector has used, by name. `Forbidden` if tracking is off.
    pub async fn topics(&self, name: &str) -> Outcome<Vec<String>> {
        let topics = self.desk.topics.of(name)?;
        self.info(name).await?;
        Ok(topics)
    }

    /// Forgets the topics that the connector has used. `Forbidden` if tracking or its reset is off.
    pub async fn reset_topics(&self, name: &str) -> Outcome<()> {
        self.desk.topics.of(name)?;
        self.info(name).await?;
        self.desk.topics.reset(name)
    }

    /// `GET /connector-plugins`: sinks, sources, and unless `connectors_only` transforms, predicates and converters.
    pub fn plugins(&self, connectors_only: bool) -> Vec<PluginEntry> {
        self.desk.plugins(connectors_only)
    }

    /// Config definitions of a plugin by class or alias: its own keys, as Connect does. `version`: exact; `None` = newest.
    pub fn plugin_config(&self, class: &str, version: Option<&str>) -> Outcome<Vec<ConfigKeyInfo>> {
        self.desk.plugin_config(class, version)
    }

    /// Validates a connector configuration; errors are in the answer. `class` is the path's plugin name.
    pub async fn validate(&self, class: &str, config: IndexMap<String, Option<String>>) -> Outcome<ConfigInfos> {
        let class = class.to_owned();
        self.ask(|reply| Request::Validate { class, config, reply }).await
    }

    /// Takes a package: checked, compiled, kept durably, then answered.
    ///
    /// Errors: `Unprocessable` (what the bytes are instead), `TooLarge`, `Conflict` (same name and version, other
    /// bytes), `Storage`.
    pub async fn upload(&self, bytes: Bytes) -> Outcome<Uploaded> {
        self.ask(|reply| Request::Upload { bytes, reply }).await
    }

    /// `POST /transforms/preview`: a chain, or a predicate, with the packages of this worker. Guests are granted nothing of
    /// the outside, and references in the configuration are not resolved.
    pub async fn preview(
        &self,
        subject: &Subject,
        config: &IndexMap<String, Option<String>>,
        kind: RecordKind,
    ) -> Trial {
        Workbench::of_worker(Arc::clone(&self.desk.registry)).trial(subject, config, kind).await
    }

    /// All packages by name, the newest version first.
    pub fn packages(&self) -> Vec<PackageView> {
        self.desk.packages()
    }

    /// All installed versions of a package, the newest first; `NotFound` if there is none.
    pub fn package(&self, name: &str) -> Outcome<Vec<PackageView>> {
        self.desk.package(name)
    }

    /// Removes one version. `Conflict` while a connector uses it or if it is bundled.
    pub async fn delete_package(&self, name: &str, version: &str) -> Outcome<()> {
        let (name, version) = (name.to_owned(), version.to_owned());
        self.ask(|reply| Request::DeletePackage { name, version, reply }).await
    }

    /// The last `tail` lines that the connector's guests logged, oldest first. Empty if it never logged; `NotFound` if
    /// there is no such connector.
    pub async fn logs(&self, name: &str, tail: usize) -> Outcome<Vec<LogLine>> {
        self.info(name).await?;
        Ok(self.desk.logs(name, tail))
    }

    /// Writes a level of the whole cluster's loggers to the config topic (KIP-976); resolves once the broker has it. Without
    /// topics (standalone) there is nothing to write.
    pub async fn put_logger_level(&self, namespace: &str, level: &str) -> Outcome<()> {
        let (namespace, level) = (namespace.to_owned(), level.to_owned());
        self.ask(|reply| Request::PutLoggerLevel { namespace, level, reply }).await
    }

    /// Everything for `GET /metrics`.
    pub async fn metrics(&self) -> Outcome<MetricsView> {
        self.ask(|reply| Request::Metrics { reply }).await
    }

    /// Asks the supervisor to drain all tasks and end. Idempotent; the join handle of the supervisor says when.
    pub fn shut_down(&self) {
        self.desk.shut_down();
    }

    async fn set_target(&self, name: &str, target: TargetState) -> Outcome<()> {
        let name = name.to_owned();
        self.ask(|reply| Request::SetTarget { name, target, reply }).await
    }

    async fn ask<T>(&self, request: impl FnOnce(Reply<T>) -> Request) -> Outcome<T> {
        self.ask_within(REQUEST_TIMEOUT, request).await
    }

    async fn ask_within<T>(&self, deadline: Duration, request: impl FnOnce(Reply<T>) -> Request) -> Outcome<T> {
        let (reply, answer) = oneshot::channel();
        let asked = async {
            self.requests.send(request(reply)).await.map_err(|_| SupervisorError::stopping())?;
            answer.await.map_err(|_| SupervisorError::stopping())?
        };
        let late = || SupervisorError::new(ErrorKind::Timeout, "worker.timeout", self.desk.timeout_message());
        tokio::time::timeout(deadline, asked).await.map_err(|_| late())?
    }
}
