//! Aiven's transforms that look into payloads.
//!
//! Enters: keys and values. Leaves: fields hashed, joined, in another case, copied, taken as the record's time; records
//! filtered by a field. Invariant: what is not named is copied as it is.

pub mod filter;
pub mod key_to_value;
pub mod text;

/// What stands before the simple names.
pub const PACKAGE: &str = "io.aiven.kafka.connect.transforms.";
