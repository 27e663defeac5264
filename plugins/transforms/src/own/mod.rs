//! Transforms that have no original elsewhere under this name.
//!
//! Enters: records. Leaves: personal data as tokens, repeated records dropped, JSON in text as objects. Invariant: names
//! begin with `lockgate.`, and no secret is shown.

pub mod dedup;
pub mod expand;
pub mod tokenize;

/// What stands before the simple names.
pub const PACKAGE: &str = "lockgate.";
