//! What the supervisor shows of its work in figures, and of what does not get on.
//!
//! Enters: snapshots of its state. Leaves: values for `GET /metrics` and for statuses. Invariant: no label or reason holds
//! anything of a record, and no secret.

use std::sync::Arc;

use lockgate_model::{TaskId, TaskMetrics};
use schemars::JsonSchema;
use serde::Serialize;

use super::{ConnectorType, State};

/// How something that should get on does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Ailment {
    /// It runs and makes no progress.
    Stalled,
    /// Its tasks do not follow its newest configuration yet: their states may be those of the former ones.
    Applying,
    /// Its task configurations are not stored yet; that is tried again.
    Retrying,
    /// It failed and will be started again by itself (`restart.policy`).
    Restarting,
    /// It failed again and again and is left alone.
    Quarantined,
}

/// What a status says beside Kafka Connect's state; absent while all is well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Health {
    /// What is wrong.
    pub state: Ailment,
    /// Why, in words; no payload, no secret.
    pub reason: String,
    /// Since when, epoch milliseconds.
    pub since_ms: i64,
}

/// One task's figures, live: the api reads the counters when it writes the exposition.
#[derive(Clone, Debug)]
pub struct TaskMetricsView {
    /// Which task.
    pub id: TaskId,
    /// Source or sink.
    pub connector_type: ConnectorType,
    /// Its state.
    pub state: State,
    /// What keeps it from getting on.
    pub health: Option<Health>,
    /// Its counters.
    pub metrics: Arc<TaskMetrics>,
}

/// One connector's figures.
#[derive(Clone, Debug)]
pub struct ConnectorMetricsView {
    /// Name.
    pub name: String,
    /// Source, sink or unknown.
    pub connector_type: ConnectorType,
    /// Its class as configured.
    pub class: String,
    /// Version of its package.
    pub version: Option<String>,
    /// Its state.
    pub state: State,
    /// Classes of its converters: key, value, header.
    pub converters: [String; 3],
    /// Its chain.
    pub steps: Vec<StepView>,
}

/// A transform of a connector, or a predicate that guards one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StepView {
    /// Its name in the connector's configuration.
    pub alias: String,
    /// Its class.
    pub class: String,
    /// Version of its package.
    pub version: String,
    /// Predicate, not transform.
    pub is_predicate: bool,
}

/// Starts of connectors or tasks.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StartsView {
    /// Tried.
    pub attempts: u64,
    /// Went well.
    pub successes: u64,
    /// Failed.
    pub failures: u64,
    /// Share of those within the last minute that went well, 0 to 1; 0 when there were none.
    pub success_share: f64,
    /// Likewise of those that failed.
    pub failure_share: f64,
}

/// Everything for `GET /metrics`.
#[derive(Clone, Debug, Default)]
pub struct MetricsView {
    /// Connectors on this worker.
    pub connectors: Vec<ConnectorMetricsView>,
    /// Tasks on this worker.
    pub tasks: Vec<TaskMetricsView>,
    /// How many tasks of a connector are on their way out; those of which none are, are absent.
    pub leaving: Vec<(String, u64)>,
    /// Starts of connectors.
    pub connector_starts: StartsView,
    /// Starts of tasks.
    pub task_starts: StartsView,
    /// URL of the leader of the group.
    pub leader: String,
    /// Generation of the group.
    pub generation: i32,
    /// Packages that are loaded.
    pub package_count: usize,
}
