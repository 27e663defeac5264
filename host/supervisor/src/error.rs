//! Why the supervisor refuses or cannot do something.
//!
//! Enters: refusals of every room below. Leaves: one error with a kind (the api turns it into a status code) and a text
//! (Kafka Connect's own where it has one). Invariant: no secret in a text.

use lockgate_config::Hidden;

/// What an error means to a client; the api maps it to a status code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// 400: the request or the configuration is wrong.
    BadRequest,
    /// 403: switched off on this worker.
    Forbidden,
    /// 404: no such connector, task, plugin or package.
    NotFound,
    /// 409: it exists already, or something else is under way.
    Conflict,
    /// 413: more bytes than a package may have.
    TooLarge,
    /// 422: bytes that are not a package of a known world. (Kafka Connect has no such route and no such code.)
    Unprocessable,
    /// 503: the worker is starting or stopping.
    Unavailable,
    /// 504 in spirit, 500 on the wire as in Kafka Connect: the operation did not end in time and may still run.
    Timeout,
    /// 507: no space to keep it.
    Storage,
    /// 500.
    Internal,
}

/// An error of the supervisor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SupervisorError {
    kind: ErrorKind,
    code: String,
    message: String,
}

impl SupervisorError {
    /// A new error; `code` is dotted and stable.
    pub fn new(kind: ErrorKind, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { kind, code: code.into(), message: message.into() }
    }

    /// What it means to a client.
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Dotted, stable, for machines: `connector.not-found`, `package.conflict`, ...
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The text for the client.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Without values that must not be seen.
    pub(crate) fn scrubbed(mut self, hidden: &Hidden) -> Self {
        self.message = hidden.scrub(&self.message).into_owned();
        self
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::NotFound, "connector.not-found", message)
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::BadRequest, "connector.config", message)
    }

    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Conflict, "connector.conflict", message)
    }

    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Internal, "worker.internal", message)
    }

    pub(crate) fn stopping() -> Self {
        Self::new(ErrorKind::Unavailable, "worker.stopping", "The worker is stopping.")
    }

    pub(crate) fn starting(waiting_for: &str) -> Self {
        Self::new(ErrorKind::Unavailable, "worker.starting", format!("Worker is still starting up. {waiting_for}"))
    }
}
