//! The only door between a task and the supervisor: commands in, status out.
//!
//! Enters: [`Command`]s. Leaves: the latest [`TaskStatus`]. Invariant: both channels are bounded (8 commands, one status);
//! the task never waits for its supervisor, and a status that it gave is in force at once (L8).

use tokio::sync::{mpsc, watch};

/// What a task can be told. A closed channel means [`Command::Stop`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Commit what is taken, then stand still; the group membership is kept.
    Pause,
    /// Go on.
    Resume,
    /// Drain, commit, close.
    Stop,
}

/// Where a task is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskState {
    /// Opening its instance.
    Starting,
    /// At work.
    Running,
    /// Standing still on command.
    Paused,
    /// Over, by an error; `trace` says which.
    Failed,
    /// Over, on command.
    Stopped,
}

impl TaskState {
    /// True if the task will not change its state any more.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Failed | Self::Stopped)
    }
}

/// What a task says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskStatus {
    /// The state.
    pub state: TaskState,
    /// Why it failed, with causes and the guest's back-trace. Only with [`TaskState::Failed`].
    pub trace: Option<String>,
    /// Dotted code of the failure. Only with [`TaskState::Failed`].
    pub code: Option<String>,
    /// With [`TaskState::Failed`]: true if the task may go well when it is started again as it is.
    pub worth_restarting: bool,
}

impl TaskStatus {
    const fn of(state: TaskState) -> Self {
        Self { state, trace: None, code: None, worth_restarting: false }
    }
}

/// The supervisor's end.
#[derive(Debug)]
pub struct TaskHandle {
    /// Commands, 8 at most unread.
    pub commands: mpsc::Sender<Command>,
    /// The latest status.
    pub status: watch::Receiver<TaskStatus>,
}

/// The task's end.
#[derive(Debug)]
pub struct Mailbox {
    commands: mpsc::Receiver<Command>,
    status: watch::Sender<TaskStatus>,
}

/// Commands that may wait unread.
pub const COMMANDS_MAX: usize = 8;

/// Makes both ends; the status begins as [`TaskState::Starting`].
pub fn mailbox() -> (TaskHandle, Mailbox) {
    let (sender, commands) = mpsc::channel(COMMANDS_MAX);
    let (status, receiver) = watch::channel(TaskStatus::of(TaskState::Starting));
    (TaskHandle { commands: sender, status: receiver }, Mailbox { commands, status })
}

impl Mailbox {
    /// The next command; [`Command::Stop`] once all senders are gone. Cancel safe.
    pub(crate) async fn next(&mut self) -> Command {
        self.commands.recv().await.unwrap_or(Command::Stop)
    }

    /// Waits for a stop; other commands answer themselves by the state that is remembered: `true` = paused.
    pub(crate) async fn stopped(&mut self, paused: &mut bool) {
        loop {
            match self.next().await {
                Command::Stop => return,
                Command::Pause => *paused = true,
                Command::Resume => *paused = false,
            }
        }
    }

    /// Says where the task is.
    pub(crate) fn report(&self, state: TaskState) {
        self.status.send_if_modified(|status| {
            let changed = status.state != state;
            *status = TaskStatus::of(state);
            changed
        });
    }

    /// Says why the task is over.
    pub(crate) fn failed(&self, code: &str, trace: String, worth_restarting: bool) {
        let (code, trace) = (Some(code.to_owned()), Some(trace));
        self.status.send_replace(TaskStatus { state: TaskState::Failed, trace, code, worth_restarting });
    }
}
