//! What a [`crate::Handle`] can ask of the control loop: the closed list.
//!
//! Enters: one value per call. Leaves: exactly one answer through its `reply`. Invariant: a request that is dropped
//! answers by closing its channel, which the handle reads as "the worker is stopping".

use bytes::Bytes;
use indexmap::IndexMap;
use tokio::sync::oneshot;

use crate::desk::{Desk, Stage};
use crate::error::SupervisorError;
use crate::view::{
    ConfigInfos, ConnectorInfo, ConnectorOffset, ConnectorStateInfo, Expanded, MetricsView, OffsetEdit, PutOutcome,
    RestartOptions, TargetState, TaskInfo, Uploaded,
};

/// Where an answer goes.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, SupervisorError>>;

/// A configuration as a client sends it; `None` = JSON null.
pub(crate) type ClientConfig = IndexMap<String, Option<String>>;

/// One call.
#[derive(Debug)]
pub(crate) enum Request {
    Ping {
        reply: Reply<()>,
    },
    List {
        reply: Reply<Vec<String>>,
    },
    PutConfig {
        name: String,
        config: ClientConfig,
        initial_state: Option<TargetState>,
        create_only: bool,
        reply: Reply<PutOutcome>,
    },
    PatchConfig {
        name: String,
        patch: ClientConfig,
        reply: Reply<PutOutcome>,
    },
    Expand {
        info: bool,
        status: bool,
        reply: Reply<IndexMap<String, Expanded>>,
    },
    Info {
        name: String,
        reply: Reply<ConnectorInfo>,
    },
    Status {
        name: String,
        reply: Reply<ConnectorStateInfo>,
    },
    Tasks {
        name: String,
        reply: Reply<Vec<TaskInfo>>,
    },
    Delete {
        name: String,
        reply: Reply<()>,
    },
    SetTarget {
        name: String,
        target: TargetState,
        reply: Reply<()>,
    },
    Restart {
        name: String,
        options: RestartOptions,
        reply: Reply<ConnectorStateInfo>,
    },
    RestartTask {
        name: String,
        task: u32,
        reply: Reply<()>,
    },
    Offsets {
        name: String,
        reply: Reply<Vec<ConnectorOffset>>,
    },
    EditOffsets {
        name: String,
        edit: OffsetEdit,
        reply: Reply<String>,
    },
    Validate {
        class: String,
        config: ClientConfig,
        reply: Reply<ConfigInfos>,
    },
    Upload {
        bytes: Bytes,
        reply: Reply<Uploaded>,
    },
    DeletePackage {
        name: String,
        version: String,
        reply: Reply<()>,
    },
    PutLoggerLevel {
        namespace: String,
        level: String,
        reply: Reply<()>,
    },
    Metrics {
        reply: Reply<MetricsView>,
    },
}

impl Request {
    /// Answers a call that waits in a connector's lane, or would have.
    pub(crate) fn refuse(self, error: SupervisorError) {
        match self {
            Self::List { reply } => drop(reply.send(Err(error))),
            Self::PutConfig { reply, .. } | Self::PatchConfig { reply, .. } => drop(reply.send(Err(error))),
            Self::Expand { reply, .. } => drop(reply.send(Err(error))),
            Self::Info { reply, .. } => drop(reply.send(Err(error))),
            Self::Status { reply, .. } | Self::Restart { reply, .. } => drop(reply.send(Err(error))),
            Self::Tasks { reply, .. } => drop(reply.send(Err(error))),
            Self::Ping { reply }
            | Self::Delete { reply, .. }
            | Self::SetTarget { reply, .. }
            | Self::RestartTask { reply, .. }
            | Self::DeletePackage { reply, .. }
            | Self::PutLoggerLevel { reply, .. } => drop(reply.send(Err(error))),
            Self::Offsets { reply, .. } => drop(reply.send(Err(error))),
            Self::EditOffsets { reply, .. } => drop(reply.send(Err(error))),
            Self::Validate { reply, .. } => drop(reply.send(Err(error))),
            Self::Upload { reply, .. } => drop(reply.send(Err(error))),
            Self::Metrics { reply } => drop(reply.send(Err(error))),
        }
    }

    /// Answers while the worker starts: a ping says that somebody listens, the rest has to come again.
    pub(crate) fn refuse_while_starting(self, desk: &Desk) {
        match self {
            Self::Ping { reply } => drop(reply.send(Ok(()))),
            other => {
                let waiting = match desk.stage() {
                    Stage::Starting(what) => what,
                    Stage::Ready => String::new(),
                };
                other.refuse(SupervisorError::starting(&waiting));
            }
        }
    }
}
