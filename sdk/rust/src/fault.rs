//! Typed errors of a plugin.
//!
//! Enters: what went wrong, said by the plugin. Leaves: a fault of `wit/faults.wit`. Invariant: the plugin only says
//! what it is; whether to retry, skip, dead-letter or stop is the host's choice, by the connector's `errors.*` settings.

use std::fmt;
use std::time::Duration;

use crate::bindings::base::lockgate::connect::faults;

/// One row of a batch that cannot be handled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowFault {
    /// Index in the batch; transforms leave it to the chain.
    pub row: u32,
    /// True if the same row may succeed later without a change.
    pub retriable: bool,
    /// Short and stable, for machines, dotted: `json.syntax`.
    pub code: String,
    /// For people. Never a secret.
    pub message: String,
    pub(crate) step: u32,
}

impl RowFault {
    /// A row that can never be handled.
    pub fn new(row: usize, code: &str, message: impl Into<String>) -> Self {
        let row = u32::try_from(row).unwrap_or(u32::MAX);
        Self { row, retriable: false, code: code.to_owned(), message: message.into(), step: 0 }
    }

    /// The same row may succeed later.
    #[must_use]
    pub fn retriable(mut self) -> Self {
        self.retriable = true;
        self
    }

    pub(crate) fn raw(self) -> faults::RowFault {
        let Self { row, retriable, code, message, step } = self;
        faults::RowFault { row, step, retriable, code, message }
    }
}

/// One config key that cannot be accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The key as the user wrote it.
    pub key: String,
    /// What is wrong with the value and what is allowed.
    pub problem: String,
}

impl Problem {
    /// A problem with one key.
    pub fn new(key: &str, problem: impl Into<String>) -> Self {
        Self { key: key.to_owned(), problem: problem.into() }
    }
}

/// What the host may do about a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// Call again, with the same input, after at least this long; zero = the host's own back-off.
    Retriable(Duration),
    /// These rows are bad, all others of the call were handled.
    Rows(Vec<RowFault>),
    /// Stop the task; a person must look.
    Fatal,
    /// The configuration is wrong; all problems at once.
    Config(Vec<Problem>),
}

/// The error of every call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What the host may do about it.
    pub kind: FaultKind,
    /// Short and stable, for machines, dotted.
    pub code: String,
    /// One sentence for people: what is wrong, where, what to do.
    pub message: String,
    /// More for people; may be empty.
    pub detail: String,
}

impl Fault {
    fn new(kind: FaultKind, code: &str, message: impl Into<String>) -> Self {
        Self { kind, code: code.to_owned(), message: message.into(), detail: String::new() }
    }

    /// The same call may succeed later.
    pub fn retriable(code: &str, message: impl Into<String>) -> Self {
        Self::new(FaultKind::Retriable(Duration::ZERO), code, message)
    }

    /// The task must stop.
    pub fn fatal(code: &str, message: impl Into<String>) -> Self {
        Self::new(FaultKind::Fatal, code, message)
    }

    /// The configuration is wrong.
    pub fn config(problems: Vec<Problem>) -> Self {
        let keys: Vec<&str> = problems.iter().map(|p| p.key.as_str()).collect();
        let message = format!("the configuration is not valid: {}", keys.join(", "));
        Self::new(FaultKind::Config(problems), "config.invalid", message)
    }

    /// What a client asks of stored offsets makes no sense; it is told in these words.
    pub fn offsets(message: impl Into<String>) -> Self {
        Self::new(FaultKind::Config(Vec::new()), "offsets.invalid", message)
    }

    /// These rows are bad, all others of the call were handled.
    pub fn rows(rows: Vec<RowFault>) -> Self {
        let message = format!("{} records cannot be handled", rows.len());
        Self::new(FaultKind::Rows(rows), "rows.bad", message)
    }

    /// At least this long before the next try. Only for retriable faults; others stay as they are.
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        if let FaultKind::Retriable(old) = &mut self.kind {
            *old = delay;
        }
        self
    }

    /// More for people: a cause chain, an answer's body.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    pub(crate) fn raw(self) -> faults::Fault {
        let kind = match self.kind {
            FaultKind::Retriable(delay) => {
                faults::FaultKind::Retriable(u32::try_from(delay.as_millis()).unwrap_or(u32::MAX))
            }
            FaultKind::Rows(rows) => faults::FaultKind::Rows(rows.into_iter().map(RowFault::raw).collect()),
            FaultKind::Fatal => faults::FaultKind::Fatal,
            FaultKind::Config(all) => faults::FaultKind::Config(
                all.into_iter().map(|p| faults::ConfigProblem { key: p.key, problem: p.problem }).collect(),
            ),
        };
        faults::Fault { kind, code: self.code, message: self.message, detail: self.detail }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)?;
        if let FaultKind::Config(all) = &self.kind {
            for p in all {
                write!(f, "; {}: {}", p.key, p.problem)?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Fault {}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        Self::config(vec![problem])
    }
}
