//! What a package says of itself, in the host's words: `wit/v0.1/plugin.wit` without its bindings.
//!
//! Enters: a component's `describe`. Leaves: definitions for validation, REST and grants. Invariant: checked (names,
//! counts, sizes) by `wasm` before it is built.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::batch::Encoding;

/// One kind of plugin; the text is Kafka Connect's `type` in the plugin list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PluginKind {
    /// Outside -> Kafka.
    Source,
    /// Kafka -> outside.
    Sink,
    /// `transformation` in Kafka Connect.
    #[serde(rename = "transformation")]
    Transform,
    /// Decides whether a transform runs.
    Predicate,
}

/// Kafka Connect's config types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs)]
pub enum ConfigType {
    Boolean,
    String,
    Int,
    Short,
    Long,
    Double,
    List,
    Class,
    Password,
}

/// Importance of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs)]
pub enum Importance {
    High,
    Medium,
    Low,
}

/// Hint for user interfaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs)]
pub enum Width {
    None,
    Short,
    Medium,
    Long,
}

/// What the host checks beyond the type.
#[derive(Clone, Debug, PartialEq)]
pub enum Constraint {
    /// Nothing.
    Any,
    /// A text that is not empty, or a list with an entry.
    NonEmpty,
    /// One of these.
    OneOf(Vec<String>),
    /// A number in this range, ends included.
    Between(Option<f64>, Option<f64>),
}

/// One config key.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfigDefinition {
    /// The key, without prefix.
    pub name: String,
    /// Its type.
    pub config_type: ConfigType,
    /// True if there is no default.
    pub required: bool,
    /// The default as text; `None` = null.
    pub default_value: Option<String>,
    /// What the host checks.
    pub constraint: Constraint,
    /// How much a user should care.
    pub importance: Importance,
    /// Meaning, unit, effect.
    pub documentation: String,
    /// Heading; empty = none.
    pub group: String,
    /// Name for people; empty = the key.
    pub display_name: String,
    /// Hint for user interfaces.
    pub width: Width,
    /// Keys whose validity depends on this one.
    pub dependents: Vec<String>,
}

/// What a plugin asks for outside the sandbox. Texts may name config keys in braces.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Request {
    /// Outbound HTTP.
    Http(String),
    /// Outbound TCP.
    Tcp(String),
    /// Read a file or directory.
    Read(String),
    /// Read, create and write.
    Write(String),
}

/// One plugin.
#[derive(Clone, Debug, PartialEq)]
pub struct PluginInfo {
    /// Its class.
    pub class: String,
    /// What it is.
    pub kind: PluginKind,
    /// Other names it answers to.
    pub aliases: Vec<String>,
    /// One sentence.
    pub documentation: String,
    /// Its config keys.
    pub config: Vec<ConfigDefinition>,
    /// Encodings, the preferred one first; never empty.
    pub encodings: Vec<Encoding>,
    /// What it asks for.
    pub requests: Vec<Request>,
}

/// A package: one component with one or more plugins.
#[derive(Clone, Debug, PartialEq)]
pub struct PackageInfo {
    /// Name.
    pub name: String,
    /// Semantic version.
    pub version: String,
    /// `sha256:` and 64 hexadecimal digits of the `.wasm` bytes.
    pub digest: String,
    /// One sentence.
    pub documentation: String,
    /// Bytes of the `.wasm` file.
    pub size_bytes: u64,
    /// Its plugins.
    pub plugins: Vec<Arc<PluginInfo>>,
    /// Interfaces that the component imports, `namespace:package/name@version`, sorted.
    pub imports: Vec<String>,
    /// Interfaces that it exports, likewise.
    pub exports: Vec<String>,
    /// Languages and tools that made it, as its `producers` sections say: a claim, not a fact. Languages first.
    pub toolchain: Vec<String>,
}

/// What a plugin says of one key at validation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigAdvice {
    /// The key.
    pub name: String,
    /// Values a user may choose from.
    pub recommended: Vec<String>,
    /// What is wrong.
    pub errors: Vec<String>,
    /// False hides the key.
    pub visible: bool,
}
