//! Kafka Connect beside Lockgate: the same requests to both, and what differs in the answers.
//!
//! Enters: `requests.jsonl` (what is asked) and `differences.jsonl` (what may differ, and why). Leaves: every difference that
//! nobody wanted, and every wanted difference that is none any more. Invariant: nothing is left out of a comparison but
//! what [`compare`] names.

mod compare;
pub mod lines;
mod script;
mod walk;
mod wanted;

pub use compare::{Difference, differences};
pub use script::{Places, steps};
pub use walk::walk;
pub use wanted::judge;

/// True if `text` is what `pattern` says; `*` stands for any run of characters.
pub fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, after)) => text
            .strip_prefix(before)
            .is_some_and(|rest| (0..=rest.len()).any(|at| rest.is_char_boundary(at) && fits(after, &rest[at..]))),
    }
}
