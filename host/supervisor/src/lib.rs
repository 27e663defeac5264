//! Desired against actual: the supervisor owns every connector, every task and every package of a worker.
//!
//! Enters: calls through a [`Handle`], the content of the config log at start, what tasks report. Leaves: running tasks,
//! records in the config and status logs, views. Invariant: every spawn of a task lives in one set that the control loop
//! owns; what a client was told is durable before it was told (L3); nothing that computes runs on the control loop.

pub mod error;
pub mod handle;
pub mod offset_file;
pub mod view;

mod build;
mod chain;
mod clients;
mod control;
mod converters;
mod desired;
mod desk;
mod encodings;
mod event;
mod grants;
mod health;
mod jobs;
mod kafka_logs;
mod lifecycle;
mod log_book;
mod offset_edits;
mod package_store;
pub mod package_view;
pub mod preview;
mod registry;
pub mod rehearsal;
mod reload;
mod report;
mod request;
mod restarts;
mod retries;
mod runner;
mod secrets;
mod service;
mod slots;
mod starts;
mod status_clerk;
mod storage;
mod supervisor;
mod topics_used;
mod validate;
mod version;

pub use error::{ErrorKind, SupervisorError};
pub use handle::Handle;
pub use offset_file::FileOffsetStore;
pub use storage::StorageError;
pub use supervisor::{Options, StartError, Supervisor};
