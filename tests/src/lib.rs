//! What the suite stands on: a real Kafka, a real worker process, a client of its REST API, the far ends.
//!
//! Enters: what `make test` has built (the worker, `dist/packages`, `dist/guests`). Leaves: handles that end what they
//! started when they are dropped. Invariant: everything waits for a condition with a deadline, never for a time.
#![allow(clippy::unwrap_used, clippy::missing_panics_doc)] // a test that cannot go on ends by panicking

pub mod apicurio;
pub mod connect;
pub mod far_end;
pub mod golden;
pub mod http;
pub mod kafka;
pub mod places;
pub mod ports;
pub mod receiver;
pub mod redis;
pub mod wait;
pub mod worker;

pub use apicurio::{Apicurio, Way};
pub use connect::Connect;
pub use far_end::{Record, Topic};
pub use http::Answer;
pub use kafka::Kafka;
pub use ports::{free_port, free_ports};
pub use receiver::{Receiver, Reply};
pub use wait::{eventually, eventually_equal, within};
pub use worker::{Worker, WorkerOptions};
