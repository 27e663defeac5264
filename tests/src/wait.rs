//! Waiting for a condition, the only way the suite waits.
//!
//! Enters: a question and a deadline. Leaves: the answer, or a panic that says what was waited for and what was seen last.

use std::fmt::Debug;
use std::time::{Duration, Instant};

/// Time between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The usual patience: enough for a machine that does ten things at once.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Asks until there is an answer, for at most [`PATIENCE`].
#[track_caller]
pub fn eventually<T>(what: &str, question: impl FnMut() -> Option<T>) -> T {
    within(PATIENCE, what, question)
}

/// Asks until there is an answer, for at most `patience`.
#[track_caller]
pub fn within<T>(patience: Duration, what: &str, mut question: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + patience;
    loop {
        if let Some(answer) = question() {
            return answer;
        }
        assert!(Instant::now() < end, "not within {patience:?}: {what}");
        std::thread::sleep(LOOK_EVERY);
    }
}

/// Looks until a value is what it should be; says what it was last.
#[track_caller]
pub fn eventually_equal<T: PartialEq + Debug>(what: &str, expected: &T, mut look: impl FnMut() -> T) {
    let end = Instant::now() + PATIENCE;
    loop {
        let seen = look();
        if seen == *expected {
            return;
        }
        assert!(Instant::now() < end, "not within {PATIENCE:?}: {what}\n expected {expected:?}\n     seen {seen:?}");
        std::thread::sleep(LOOK_EVERY);
    }
}
