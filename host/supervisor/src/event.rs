//! The closed lists of the control loop: what can happen to it, and what it can want done.
//!
//! Enters: calls, outcomes of jobs, news of tasks, time. Leaves: actions, which only `service` performs. Invariant: values
//! only; deciding (in `control`) and doing (in `service`) meet nowhere else.

use std::sync::Arc;

use bytes::Bytes;
use lockgate_config::RestartSpec;
use lockgate_model::TaskMetrics;

use crate::desired::{Change, Config};
use crate::error::SupervisorError;
use crate::request::{ClientConfig, Reply, Request};
use crate::view::{
    ConfigInfos, ConnectorOffset, ConnectorStateInfo, OffsetEdit, PutOutcome, State, TargetState, Uploaded,
};

/// A task of a connector.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct TaskKey {
    pub connector: String,
    pub task: u32,
}

impl TaskKey {
    pub(crate) fn new(connector: &str, task: u32) -> Self {
        Self { connector: connector.to_owned(), task }
    }
}

/// What can happen.
#[derive(Debug)]
pub(crate) enum Event {
    /// A client calls.
    Request(Request),
    /// A job is done.
    Done(Done),
    /// A task says something. Of an incarnation that is no more it is ignored.
    Task { key: TaskKey, incarnation: u64, news: News },
    /// A guest asks that its connector's tasks be made again.
    Reconfigure(String),
    /// A value behind a connector's configuration has changed.
    Reload(String),
    /// A deadline may have passed.
    Tick,
    /// Drain and end.
    Shutdown,
}

/// What a task says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// It is at work.
    Running,
    /// It stands still.
    Paused,
    /// It failed; it will end by itself.
    Failed {
        trace: String,
        /// How a fresh start could help; `None` if it could not.
        cure: Option<RestartSpec>,
    },
    /// Its future is gone.
    Ended,
}

/// What a task is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Pause,
    Resume,
    Stop,
}

/// What is to be done.
#[derive(Debug)]
pub(crate) enum Action {
    /// Work that waits or computes: in the set of jobs.
    Run(Job),
    /// Build a task and run it: in the set of tasks.
    Start(Start),
    /// Tell a task.
    Tell { key: TaskKey, incarnation: u64, order: Order },
    /// Drop a task where it stands.
    Abort { key: TaskKey, incarnation: u64 },
    /// Write a status.
    Report(Report),
    /// Drop the log lines of a deleted connector.
    ForgetLogs(String),
}

/// A task to be started.
#[derive(Debug)]
pub(crate) struct Start {
    pub key: TaskKey,
    pub incarnation: u64,
    /// The connector's raw configuration.
    pub connector: Config,
    /// The task's.
    pub task: Config,
    /// Stand still until told to go.
    pub paused: bool,
    pub metrics: Arc<TaskMetrics>,
}

/// One record for the status log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Report {
    /// `None` = the connector itself.
    pub task: Option<u32>,
    pub connector: String,
    /// `None` = a tombstone.
    pub state: Option<Reported>,
}

/// What a status says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reported {
    pub state: State,
    pub trace: Option<String>,
    pub version: Option<String>,
}

/// Work that waits or computes. Those with a `name` hold that connector's lane until their [`Done`].
#[derive(Debug)]
pub(crate) enum Job {
    /// Is this configuration good? Answers with all errors.
    Check { name: String, config: ClientConfig, initial_state: Option<TargetState>, reply: Reply<PutOutcome> },
    /// Write to the config log.
    Write { name: String, changes: Vec<Change>, after: After },
    /// Ask the plugin for task configurations.
    Make { name: String, config: Config, made: MadeFor },
    /// `PUT /connector-plugins/P/config/validate`.
    Validate { class: String, config: ClientConfig, reply: Reply<ConfigInfos> },
    /// `POST /packages`.
    Upload { bytes: Bytes, reply: Reply<Uploaded> },
    /// `DELETE /packages/N/V`; the configurations of all connectors say what is in use.
    DeletePackage { name: String, version: String, in_use: Vec<Config>, reply: Reply<()> },
    /// `PUT /admin/loggers/L?scope=cluster`.
    PutLoggerLevel { namespace: String, level: String, reply: Reply<()> },
    /// `GET /connectors/C/offsets`.
    Offsets { name: String, config: Config, reply: Reply<Vec<ConnectorOffset>> },
    /// `PATCH` and `DELETE /connectors/C/offsets`.
    EditOffsets { name: String, config: Config, edit: OffsetEdit, reply: Reply<String> },
}

impl Job {
    /// The lane that it holds.
    pub(crate) fn lane(&self) -> Option<&str> {
        match self {
            Self::Check { name, .. }
            | Self::Write { name, .. }
            | Self::Make { name, .. }
            | Self::EditOffsets { name, .. } => Some(name),
            _ => None,
        }
    }
}

/// Which tasks restart beside those whose configuration changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Also {
    #[default]
    None,
    Failed,
    All,
}

/// Why task configurations are made.
#[derive(Debug, Default)]
pub(crate) struct MadeFor {
    pub also: Also,
    /// A plain restart answers when it is done.
    pub reply: Option<Reply<ConnectorStateInfo>>,
}

/// What follows a durable write.
#[derive(Debug)]
pub(crate) enum After {
    Put { created: bool, reply: Reply<PutOutcome> },
    Delete { reply: Reply<()> },
    Target { reply: Reply<()> },
    Tasks { made: MadeFor },
}

/// A job's outcome.
#[derive(Debug)]
pub(crate) enum Done {
    Checked {
        name: String,
        outcome: Result<Config, SupervisorError>,
        initial_state: Option<TargetState>,
        reply: Reply<PutOutcome>,
    },
    Written {
        name: String,
        outcome: Result<Vec<Change>, SupervisorError>,
        after: After,
    },
    Made {
        name: String,
        outcome: Result<Made, String>,
        made: MadeFor,
    },
    /// Answered by the job itself.
    Answered,
    /// Answered by the job itself: a package is there that was not.
    Installed,
    /// Likewise, and the lane of this connector is free.
    Edited {
        name: String,
    },
    /// It panicked: a bug of the host. The lane must not stay closed for ever.
    Died {
        lane: Option<String>,
    },
}

/// Task configurations, fresh from the plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Made {
    /// Version of the package.
    pub version: String,
    pub tasks: Vec<Config>,
}
