//! The one thing that a step does.
//!
//! Enters: a step as it was written. Leaves: its action. Invariant: a step has exactly one.

use serde_json::{Map, Value};

use super::scenario::{CommitSpec, PlaceSpec, PollSpec, Step, TasksSpec};

/// What a step does.
#[derive(Clone, Copy, Debug)]
pub(super) enum Action<'a> {
    Validate,
    Tasks(TasksSpec),
    Open,
    Assigned(&'a [PlaceSpec]),
    Put(&'a [Map<String, Value>]),
    Commit(&'a CommitSpec),
    Revoked(&'a CommitSpec),
    Poll(PollSpec),
    Apply(&'a [Map<String, Value>]),
    Retry,
    Crash,
    Restart,
    Cancel,
    Close,
}

impl Action<'_> {
    /// As it is written.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Validate => "validate",
            Self::Tasks(_) => "tasks",
            Self::Open => "open",
            Self::Assigned(_) => "assigned",
            Self::Put(_) => "put",
            Self::Commit(_) => "commit",
            Self::Revoked(_) => "revoked",
            Self::Poll(_) => "poll",
            Self::Apply(_) => "apply",
            Self::Retry => "retry",
            Self::Crash => "crash",
            Self::Restart => "restart",
            Self::Cancel => "cancel",
            Self::Close => "close",
        }
    }
}

impl Step {
    /// Its action; an error if there is none, or more than one.
    pub(super) fn action(&self) -> Result<Action<'_>, String> {
        let all = [
            self.validate.map(|_| Action::Validate),
            self.tasks.map(Action::Tasks),
            self.open.map(|_| Action::Open),
            self.assigned.as_deref().map(Action::Assigned),
            self.put.as_deref().map(Action::Put),
            self.commit.as_ref().map(Action::Commit),
            self.revoked.as_ref().map(Action::Revoked),
            self.poll.map(Action::Poll),
            self.apply.as_deref().map(Action::Apply),
            self.retry.map(|_| Action::Retry),
            self.crash.map(|_| Action::Crash),
            self.restart.map(|_| Action::Restart),
            self.cancel.map(|_| Action::Cancel),
            self.close.map(|_| Action::Close),
        ];
        let found: Vec<Action<'_>> = all.into_iter().flatten().collect();
        match found[..] {
            [one] => Ok(one),
            [] => Err(
                "it does nothing: give it one of validate, tasks, open, assigned, put, commit, revoked, poll, apply, \
                       retry, crash, restart, cancel, close"
                    .to_owned(),
            ),
            _ => {
                let names: Vec<&str> = found.iter().map(Action::name).collect();
                Err(format!("it does several things ({}): make a step of each", names.join(", ")))
            }
        }
    }
}
