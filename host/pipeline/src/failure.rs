//! Why a task is over.
//!
//! Enters: errors of guests, Kafka and the store. Leaves: a code, and a trace for the status. Invariant: no payloads, no
//! secrets; it says whether the guest's instance is still good, because only then may it be asked to agree to a commit.

use lockgate_convert::registry::Unready;
use lockgate_model::fault::{GuestError, KafkaFault, PluginFailure, Stage};
use lockgate_model::ledger::{AgreeError, Unassigned};
use lockgate_model::place::{TaskId, TopicPartition};
use lockgate_model::ports::StoreFault;

use crate::mailbox::{Mailbox, TaskState};

/// Ends a task.
#[derive(Debug, thiserror::Error)]
pub enum TaskFailure {
    /// A guest call failed in a way that costs the instance.
    #[error("{call} failed: {error}")]
    Guest {
        /// The call.
        call: &'static str,
        /// The error.
        #[source]
        error: GuestError,
    },
    /// A record failed and `errors.tolerance` is `none`.
    #[error(
        "Tolerance exceeded in error handler: a record failed in stage {} with class '{class}' \
         (errors.tolerance=all would skip it)\nCaused by: {message} [{code}]",
        stage.name()
    )]
    Tolerance {
        /// Where.
        stage: Stage,
        /// Class of the converter, transform or task.
        class: String,
        /// The row's code.
        code: String,
        /// The row's message.
        message: String,
    },
    /// A converter could not learn what it needs. No record is to blame, so none is skipped, whatever `errors.tolerance` says.
    #[error(
        "Tolerance exceeded in error handler: class '{class}' of stage {} could not go on \
         (errors.retry.timeout says how long that is tried)\nCaused by: {}",
        unready.stage.name(), unready.cause
    )]
    Unready {
        /// Class of the converter.
        class: String,
        /// What it waited for.
        unready: Unready,
    },
    /// Kafka refused for good.
    #[error("{doing} failed: {fault}")]
    Kafka {
        /// What was tried.
        doing: &'static str,
        /// The refusal.
        #[source]
        fault: KafkaFault,
    },
    /// The offset store refused for good.
    #[error("storing positions failed: {0}")]
    Store(#[from] StoreFault),
    /// The guest agreed to what it was not asked.
    #[error("the sink broke the contract: {0} [guest.protocol]")]
    Agree(#[from] AgreeError),
    /// The guest named a row that does not exist.
    #[error("{call} named row {row}, but the batch has only {rows} rows [guest.protocol]")]
    NoSuchRow {
        /// The call.
        call: &'static str,
        /// The row.
        row: u32,
        /// Rows of the batch.
        rows: usize,
    },
    /// The guest wanted to begin in a partition that it was not given.
    #[error("assigned answered with partition {place}, which was not assigned [guest.protocol]")]
    NotAssigned {
        /// The partition.
        place: TopicPartition,
    },
    /// A delivery did not come back, not even when told to give up.
    #[error("the guest did not come back within the drain deadline, nor when it was told to give up [task.drain]")]
    Stuck,
    /// An instance that had failed was needed again: a bug of the host.
    #[error("an instance that had failed before was called again [task.gone]")]
    Gone,
    /// The consumer broke its contract.
    #[error(transparent)]
    Unassigned(#[from] Unassigned),
}

/// A task's last word: that it was stopped, or why it failed.
pub(crate) fn conclude(mailbox: &Mailbox, id: &TaskId, failure: Option<TaskFailure>) {
    let Some(failure) = failure else { return mailbox.report(TaskState::Stopped) };
    let code = failure.code();
    tracing::error!(
        tenant = %id.tenant, connector = %id.connector, task = id.task, %code, error = %failure, "the task failed"
    );
    mailbox.failed(&code, failure.to_string(), failure.worth_restarting());
}

impl TaskFailure {
    pub(crate) const fn guest(call: &'static str, error: GuestError) -> Self {
        Self::Guest { call, error }
    }

    pub(crate) const fn kafka(doing: &'static str, fault: KafkaFault) -> Self {
        Self::Kafka { doing, fault }
    }

    /// Dotted, stable.
    pub fn code(&self) -> String {
        match self {
            Self::Guest { error: GuestError::Fault(fault), .. } => fault.code.clone(),
            Self::Guest { error: GuestError::Plugin(error), .. } => error.failure.code().to_owned(),
            Self::Tolerance { .. } => "task.tolerance".to_owned(),
            Self::Unready { unready, .. } => unready.cause.code.to_owned(),
            Self::Kafka { fault, .. } => format!("kafka.{}", fault.code),
            Self::Store(fault) => fault.code.clone(),
            Self::Agree(_) | Self::NoSuchRow { .. } | Self::NotAssigned { .. } => "guest.protocol".to_owned(),
            Self::Stuck => "task.drain".to_owned(),
            Self::Gone => "task.gone".to_owned(),
            Self::Unassigned(_) => "ledger.unassigned".to_owned(),
        }
    }

    /// True if the instance must not be called any more, not even to agree to a commit. A transform that failed leaves the
    /// sink as it is.
    pub fn costs_instance(&self) -> bool {
        match self {
            Self::Guest { call, .. } | Self::NoSuchRow { call, .. } => *call != "apply",
            Self::Agree(_) | Self::NotAssigned { .. } => true,
            _ => false,
        }
    }

    /// True if the same task may go well when it is started again: the guest broke down, or the world may have changed. What
    /// a person must mend first comes again.
    pub fn worth_restarting(&self) -> bool {
        match self {
            Self::Guest { error, .. } => error.worth_restarting(),
            Self::Unready { .. }
            | Self::Kafka { .. }
            | Self::Store(_)
            | Self::Stuck
            | Self::Gone
            | Self::Unassigned(_) => true,
            Self::Tolerance { .. } | Self::Agree(_) | Self::NoSuchRow { .. } | Self::NotAssigned { .. } => false,
        }
    }

    /// True if a new instance, opened in place, could do better: the guest broke, the world did not refuse.
    pub const fn is_restartable(&self) -> bool {
        match self {
            Self::Guest { error: GuestError::Plugin(error), .. } => {
                !matches!(error.failure, PluginFailure::Instantiate(_))
            }
            Self::Agree(_) | Self::NoSuchRow { .. } | Self::NotAssigned { .. } => true,
            _ => false,
        }
    }
}
