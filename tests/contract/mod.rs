//! The contract of the WIT (`tests/guests/CONTRACT.md`), put to the same guest in each language.
//!
//! Enters: the reference guests. Leaves: one test for each case and language. Invariant: every case goes through
//! `host/wasm` as the pipeline does, so that it holds for what the host does with a guest, not only for the guest.

pub mod fixture;
mod kinds;
mod sinks;
mod soak;
mod sources;
mod templates;
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
    /// `tests/guests/c`, through `sdk/c`.
    C,
    /// `tests/guests/go`, through `sdk/go`.
    Go,
}

impl Guest {
    /// Name of its file in `dist/guests`.
    pub const fn file(self) -> &'static str {
        match self {
            Self::Rust => "reference",
            Self::Python => "python",
            Self::JavaScript => "js",
            Self::C => "c",
            Self::Go => "go",
        }
    }

    /// True where a trap's back-trace names the guest's own functions: those of an interpreter name the interpreter's.
    pub const fn is_compiled(self) -> bool {
        matches!(self, Self::Rust | Self::C | Self::Go)
    }

    /// Name of the package.
    pub const fn package(self) -> &'static str {
        match self {
            Self::Rust => "reference",
            Self::Python => "reference-python",
            Self::JavaScript => "reference-js",
            Self::C => "reference-c",
            Self::Go => "reference-go",
        }
    }
}

/// Makes a test of each case for each language.
macro_rules! in_each_language {
    ($($case:ident),* $(,)?) => {
        mod rust { $( #[test] fn $case() { super::$case(crate::contract::Guest::Rust); } )* }
        mod python { $( #[test] fn $case() { super::$case(crate::contract::Guest::Python); } )* }
        mod javascript { $( #[test] fn $case() { super::$case(crate::contract::Guest::JavaScript); } )* }
        mod c { $( #[test] fn $case() { super::$case(crate::contract::Guest::C); } )* }
        mod go { $( #[test] fn $case() { super::$case(crate::contract::Guest::Go); } )* }
    };
}
pub(crate) use in_each_language;
