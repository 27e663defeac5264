//! The contract of the WIT (`tests/guests/CONTRACT.md`), put to the same guest in Rust, Python and JavaScript.
//!
//! Enters: the three reference guests. Leaves: one test for each case and language. Invariant: every case goes through
//! `host/wasm` as the pipeline does, so that it holds for what the host does with a guest, not only for the guest.

pub mod fixture;
mod kinds;
mod sinks;
mod sources;
mod transforms;

/// One language's guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Guest {
    /// `tests/guests/reference`.
    Rust,
    /// `tests/guests/python`.
    Python,
    /// `tests/guests/js`.
    JavaScript,
}

impl Guest {
    /// Name of its file in `dist/guests`.
    pub const fn file(self) -> &'static str {
        match self {
            Self::Rust => "reference",
            Self::Python => "python",
            Self::JavaScript => "js",
        }
    }

    /// Name of the package.
    pub const fn package(self) -> &'static str {
        match self {
            Self::Rust => "reference",
            Self::Python => "reference-python",
            Self::JavaScript => "reference-js",
        }
    }
}

/// Makes a test of each case for each language.
macro_rules! in_each_language {
    ($($case:ident),* $(,)?) => {
        mod rust { $( #[test] fn $case() { super::$case(crate::contract::Guest::Rust); } )* }
        mod python { $( #[test] fn $case() { super::$case(crate::contract::Guest::Python); } )* }
        mod javascript { $( #[test] fn $case() { super::$case(crate::contract::Guest::JavaScript); } )* }
    };
}
pub(crate) use in_each_language;
