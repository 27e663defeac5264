//! Debezium's transforms: change events, outbox tables, shards.
//!
//! Enters: records with change events of Debezium's connectors, with or without schema. Leaves: rows, routed messages, one
//! topic for many tables. Invariant: what is no change event passes as it is.

pub mod envelope;
pub mod logical;
pub mod outbox;
pub mod partition;
mod placement;
pub mod unwrap;

/// What stands before the simple names.
pub const PACKAGE: &str = "io.debezium.transforms.";
