//! The contract of the WIT (`tests/guests/CONTRACT.md`), put to the same guest in each language.
//!
//! Enters: the reference guests. Leaves: one test for each case and language. Invariant: every case goes through
//! `host/wasm` as the pipeline does, so that it holds for what the host does with a guest, not only for the guest.

pub mod fixture;
mod kinds;
mod limits;
mod matrix;
mod outside;
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
    /// `tests/guests/js` on `QuickJS`.
    QuickJs,
    /// `tests/guests/js` on `StarlingMonkey`.
    StarlingMonkey,
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
            Self::QuickJs => "js",
            Self::StarlingMonkey => "js-starlingmonkey",
            Self::C => "c",
            Self::Go => "go",
        }
    }

    /// Name for people, as in `docs/languages.md`.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Rust => "Rust",
            Self::Python => "Python",
            Self::QuickJs => "JS (QuickJS)",
            Self::StarlingMonkey => "JS (StarlingMonkey)",
            Self::C => "C",
            Self::Go => "Go",
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
            Self::QuickJs => "reference-js",
            Self::StarlingMonkey => "reference-js-starlingmonkey",
            Self::C => "reference-c",
            Self::Go => "reference-go",
        }
    }
}

/// Cases, and the guests that they are put to.
pub type Cases = (&'static [Guest], &'static [&'static str]);

/// Makes a test of each case for each language.
macro_rules! in_each_language {
    ($($case:ident),* $(,)?) => {
        crate::contract::in_languages!(
            [rust Rust, python Python, javascript QuickJs, starlingmonkey StarlingMonkey, c C, go Go] [$($case),*]
        );
    };
}
pub(crate) use in_each_language;

/// Makes a test of each case for each of these languages, and lists them for `docs/languages.md`.
macro_rules! in_languages {
    ([$($module:ident $guest:ident),*] [$($case:ident),*]) => {
        /// What is asked here.
        pub const CASES: crate::contract::Cases = (&[$(crate::contract::Guest::$guest),*], &[$(stringify!($case)),*]);
        crate::contract::in_languages!(@ [$($module $guest),*] [$($case),*]);
    };
    (@ [$($module:ident $guest:ident),*] $cases:tt) => {
        $( crate::contract::in_languages!(@ $module $guest $cases); )*
    };
    (@ $module:ident $guest:ident [$($case:ident),*]) => {
        mod $module { $( #[test] fn $case() { super::$case(crate::contract::Guest::$guest); } )* }
    };
}
pub(crate) use in_languages;
