//! Desired against actual: the supervisor owns every connector, every task and every package of a worker.
//!
//! Enters: calls through a [`Handle`], the content of the config log at start, what tasks report. Leaves: running tasks,
//! records in the config and status logs, views. Invariant: every spawn of a task lives in one set that the control loop
//! owns; what a client was told is durable before it was told (L3); nothing that computes runs on the control loop.

pub mod error;
pub mod handle;
pub mod view;

mod desk;
mod request;

pub use error::{ErrorKind, SupervisorError};
pub use handle::Handle;
