//! The laws, run against in-memory ports: `tests/laws`.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "../../../tests/laws/mod.rs"]
mod laws;
