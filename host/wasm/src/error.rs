//! Why an engine cannot start or a package is refused.
//!
//! Enters: findings of inspection, compiler and `describe`. Leaves: one enum per boundary with a dotted code. Invariant:
//! texts say what is wrong and what to do, and are bounded.

use std::path::PathBuf;

use lockgate_model::GuestError;

/// The engine cannot start.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The options contradict each other or the machine. Code `engine.config`.
    #[error("the wasm engine cannot be set up: {0} [engine.config]")]
    Config(String),
    /// The cache directory cannot be used. Code `engine.cache`.
    #[error("the cache directory {} cannot be used: {cause}; choose another lockgate.cache.dir [engine.cache]", dir.display())]
    CacheDir {
        /// The directory.
        dir: PathBuf,
        /// Why.
        cause: String,
    },
    /// The worker's own certificates cannot be used. Code `engine.trust`.
    #[error("the certificates in {} cannot be used: {cause} (lockgate.http.ca.file) [engine.trust]", file.display())]
    Trust {
        /// The file.
        file: PathBuf,
        /// Why.
        cause: String,
    },
    /// The epoch thread cannot be started. Code `engine.thread`.
    #[error("the epoch ticker cannot be started: {0} [engine.thread]")]
    Thread(std::io::Error),
}

/// Whose fault it is that a package was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PackageErrorClass {
    /// The bytes are not an acceptable package (HTTP 400).
    Malformed,
    /// Too many bytes (HTTP 413).
    TooLarge,
    /// A package, but one that this host does not take (HTTP 422).
    Unacceptable,
    /// The host could not do its part (HTTP 503); the same upload may succeed later.
    Host,
}

/// A package is refused. Nothing of it was kept.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PackageError {
    /// Code `package.empty`.
    #[error("the upload is empty; send the .wasm file as the body [package.empty]")]
    Empty,
    /// Code `package.too-large`.
    #[error("the package has {size} bytes, but at most {max} are allowed [package.too-large]")]
    TooLarge {
        /// Bytes sent.
        size: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// Code `package.not-wasm`.
    #[error(
        "this is not WebAssembly but looks like {looks_like}; send the binary component (.wasm) [package.not-wasm]"
    )]
    NotWasm {
        /// A guess, in words.
        looks_like: String,
    },
    /// Code `package.core-module`.
    #[error(
        "this is a core module, not a component; build for wasm32-wasip2, or wrap it with `wasm-tools component new` \
         [package.core-module]"
    )]
    CoreModule,
    /// Code `package.truncated`.
    #[error("the component ends at byte {at} in the middle of something; send the whole file [package.truncated]")]
    Truncated {
        /// Where.
        at: usize,
    },
    /// Not valid WebAssembly. Code `package.invalid`.
    #[error("the component is not valid: {message} (at byte {at}) [package.invalid]")]
    Invalid {
        /// The validator's words.
        message: String,
        /// Where.
        at: usize,
    },
    /// Code `package.unknown-imports`.
    #[error(
        "the component imports what this host does not offer: {}; it offers lockgate:connect 0.1 and WASI 0.2 \
         [package.unknown-imports]", .0.join(", ")
    )]
    UnknownImports(Vec<String>),
    /// Code `package.unknown-version`.
    #[error("the component is built for lockgate:connect {found}, this host knows {}; rebuild it, or upgrade the host \
        [package.unknown-version]", known.join(", "))]
    UnknownVersion {
        /// What it wants.
        found: String,
        /// What there is.
        known: Vec<String>,
    },
    /// Code `package.missing-exports`.
    #[error("the component does not export {}; build it for one of the worlds of lockgate:connect \
        [package.missing-exports]", .0.join(", "))]
    MissingExports(Vec<String>),
    /// Code `package.compile`.
    #[error("the component could not be compiled: {message} [package.compile]")]
    Compile {
        /// What happened, limits by name.
        message: String,
        /// True: a limit or the host stood in the way, not the package.
        host: bool,
    },
    /// `describe` failed. Code `package.describe`.
    #[error("the package does not describe itself: {0} [package.describe]")]
    Describe(GuestError),
    /// `describe` answered nonsense; all problems at once. Code `package.bad-info`.
    #[error("the package describes itself wrongly: {} [package.bad-info]", .0.join("; "))]
    BadInfo(Vec<String>),
}

impl PackageError {
    /// Dotted, stable.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Empty => "package.empty",
            Self::TooLarge { .. } => "package.too-large",
            Self::NotWasm { .. } => "package.not-wasm",
            Self::CoreModule => "package.core-module",
            Self::Truncated { .. } => "package.truncated",
            Self::Invalid { .. } => "package.invalid",
            Self::UnknownImports(_) => "package.unknown-imports",
            Self::UnknownVersion { .. } => "package.unknown-version",
            Self::MissingExports(_) => "package.missing-exports",
            Self::Compile { .. } => "package.compile",
            Self::Describe(_) => "package.describe",
            Self::BadInfo(_) => "package.bad-info",
        }
    }

    /// Whose fault it is, for the status code of an upload.
    pub const fn class(&self) -> PackageErrorClass {
        match self {
            Self::Empty | Self::NotWasm { .. } | Self::CoreModule | Self::Truncated { .. } | Self::Invalid { .. } => {
                PackageErrorClass::Malformed
            }
            Self::TooLarge { .. } => PackageErrorClass::TooLarge,
            Self::Compile { host: true, .. } => PackageErrorClass::Host,
            _ => PackageErrorClass::Unacceptable,
        }
    }
}
