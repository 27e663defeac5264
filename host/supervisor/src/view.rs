//! What the supervisor shows to the outside: Kafka Connect's JSON shapes, and Lockgate's own beside them.
//!
//! Enters: snapshots of the supervisor's state. Leaves: values that serialise to exactly the field names and the order
//! that Kafka Connect's clients look for. Invariant: no secret is in here that was not in the user's own raw config;
//! values of `password` keys are `[hidden]` wherever a definition is known.

mod figures;
mod offsets;

use indexmap::IndexMap;
pub use lockgate_config::{ConfigInfo, ConfigInfos, ConfigKeyInfo, ConfigValueInfo};
use lockgate_model::package::PluginKind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use figures::{Ailment, ConnectorMetricsView, Health, MetricsView, StartsView, StepView, TaskMetricsView};
pub use offsets::{ConnectorOffset, JsonObject, OffsetChange, OffsetEdit};

/// `GET /`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ServerInfo {
    /// Version of Lockgate.
    pub version: String,
    /// Commit it was built from; `unknown` outside a release.
    pub commit: String,
    /// Id of the Kafka cluster; null until the broker was reached, and in standalone mode without a broker.
    pub kafka_cluster_id: Option<String>,
}

/// How the worker is; the text is `status` in `GET /health`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum HealthState {
    /// 200.
    Healthy,
    /// 503.
    Starting,
    /// 500.
    Unhealthy,
}

/// `GET /health`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WorkerHealth {
    /// How it is.
    pub status: HealthState,
    /// Connect's sentence, and what the worker is waiting for.
    pub message: String,
}

/// Desired state of a connector, as `initial_state` and in the config topic (where RUNNING is `STARTED`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum TargetState {
    /// Tasks run.
    #[default]
    Running,
    /// Tasks exist and do nothing.
    Paused,
    /// There are no tasks.
    Stopped,
}

impl TargetState {
    /// The name in the config topic (`state.v2`).
    pub const fn name(self) -> &'static str {
        match self {
            Self::Running => "STARTED",
            Self::Paused => "PAUSED",
            Self::Stopped => "STOPPED",
        }
    }

    /// Parses `initial_state` (`RUNNING`, `PAUSED`, `STOPPED`) or the config topic's `STARTED`, in any case.
    pub fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_uppercase().as_str() {
            "RUNNING" | "STARTED" => Some(Self::Running),
            "PAUSED" => Some(Self::Paused),
            "STOPPED" => Some(Self::Stopped),
            _ => None,
        }
    }
}

/// Reported state of a connector or task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum State {
    /// Nobody runs it.
    Unassigned,
    /// It runs.
    Running,
    /// It is paused.
    Paused,
    /// It failed; `trace` says why.
    Failed,
    /// It is being restarted.
    Restarting,
    /// Connectors only: stopped, without tasks.
    Stopped,
}

impl State {
    /// The name in REST and in the status topic.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unassigned => "UNASSIGNED",
            Self::Running => "RUNNING",
            Self::Paused => "PAUSED",
            Self::Failed => "FAILED",
            Self::Restarting => "RESTARTING",
            Self::Stopped => "STOPPED",
        }
    }
}

/// Kind of a connector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ConnectorType {
    /// Outside -> Kafka.
    Source,
    /// Kafka -> outside.
    Sink,
    /// The class is not installed here.
    Unknown,
}

/// What a client asks for with `POST /connectors`. The api has already trimmed the name and turned scalars into text.
#[derive(Clone, Debug, Default)]
pub struct CreateConnector {
    /// The name.
    pub name: String,
    /// The configuration; `None` = JSON null.
    pub config: IndexMap<String, Option<String>>,
    /// Where to begin; default RUNNING.
    pub initial_state: Option<TargetState>,
}

/// `{"connector": C, "task": N}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TaskRef {
    /// Connector name.
    pub connector: String,
    /// Task number.
    pub task: u32,
}

/// A connector: `GET /connectors/C`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ConnectorInfo {
    /// Name.
    pub name: String,
    /// Raw configuration.
    pub config: IndexMap<String, String>,
    /// Its tasks.
    pub tasks: Vec<TaskRef>,
    /// `source`, `sink` or `unknown`.
    #[serde(rename = "type")]
    pub connector_type: ConnectorType,
}

/// Outcome of `PUT /connectors/C/config`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutOutcome {
    /// True: 201 and a `Location`. False: 200.
    pub created: bool,
    /// The body.
    pub info: ConnectorInfo,
}

/// One task: `GET /connectors/C/tasks`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TaskInfo {
    /// Which.
    pub id: TaskRef,
    /// Its configuration.
    pub config: IndexMap<String, String>,
}

/// The connector part of a status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ConnectorState {
    /// State.
    pub state: State,
    /// `host:port` of the worker.
    pub worker_id: String,
    /// Version of the package; null when nothing runs.
    pub version: Option<String>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}

/// A task's status: `GET /connectors/C/tasks/N/status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TaskState {
    /// Task number.
    pub id: u32,
    /// State.
    pub state: State,
    /// `host:port` of the worker.
    pub worker_id: String,
    /// Version of the package; null when nothing runs.
    pub version: Option<String>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// What keeps it from getting on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health: Option<Health>,
}

/// `GET /connectors/C/status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ConnectorStateInfo {
    /// Name.
    pub name: String,
    /// The connector itself. Clients read it as a map of strings, so nothing else may be in it.
    pub connector: ConnectorState,
    /// What keeps the connector from getting on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health: Option<Health>,
    /// Its tasks by number.
    pub tasks: Vec<TaskState>,
    /// `source`, `sink` or `unknown`.
    #[serde(rename = "type")]
    pub connector_type: ConnectorType,
}

/// One connector of `GET /connectors?expand=`: what was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Expanded {
    /// `expand=info`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub info: Option<ConnectorInfo>,
    /// `expand=status`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<ConnectorStateInfo>,
}

/// Parameters of `POST /connectors/C/restart`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RestartOptions {
    /// Restart tasks too.
    pub include_tasks: bool,
    /// Only what is FAILED.
    pub only_failed: bool,
}

/// One line of `GET /connector-plugins`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PluginEntry {
    /// Class.
    pub class: String,
    /// `source`, `sink`, `transformation`, `predicate`, `converter`, `header_converter`.
    #[serde(rename = "type")]
    pub plugin_type: &'static str,
    /// Version of its package.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// A request for something outside the sandbox, as a package makes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RequestView {
    /// `http`, `tcp`, `read` or `write`.
    pub kind: String,
    /// Host, address or path; may name config keys in braces.
    pub target: String,
}

/// One plugin of a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PackagePlugin {
    /// Class.
    pub class: String,
    /// Kind.
    #[serde(rename = "type")]
    #[schemars(with = "String")]
    pub kind: PluginKind,
    /// Other names it answers to.
    pub aliases: Vec<String>,
    /// One sentence.
    pub documentation: String,
    /// Its config keys.
    pub config: Vec<ConfigKeyInfo>,
    /// `bytes`, `json`, `cbor`; the preferred one first.
    pub encodings: Vec<&'static str>,
    /// What it asks for.
    pub requests: Vec<RequestView>,
}

/// A package: `GET /packages/N/V`, and the answer to an upload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PackageView {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
    /// `sha256:...`.
    pub digest: String,
    /// One sentence.
    pub documentation: String,
    /// Bytes of the file.
    pub size_bytes: u64,
    /// True if it came with the worker and cannot be deleted.
    pub bundled: bool,
    /// Interfaces that it imports.
    pub imports: Vec<String>,
    /// Interfaces that it exports.
    pub exports: Vec<String>,
    /// Languages and tools that made it, as it says itself.
    pub toolchain: Vec<String>,
    /// Its plugins.
    pub plugins: Vec<PackagePlugin>,
}

/// Outcome of `POST /packages`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uploaded {
    /// True: 201. False: the same bytes were there already, 200.
    pub created: bool,
    /// The body.
    pub package: PackageView,
}

/// One line that a guest (or the host, about a guest) logged: `GET /connectors/C/logs`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LogLine {
    /// Epoch milliseconds.
    pub timestamp_ms: i64,
    /// Task number; null for the connector itself.
    pub task: Option<u32>,
    /// `TRACE`, `DEBUG`, `INFO`, `WARN`, `ERROR`.
    pub level: &'static str,
    /// The line, control characters escaped.
    pub message: String,
}
