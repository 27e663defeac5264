//! lockgate-config: properties and JSON in, typed specs out.
//!
//! Enters: the text of a worker's properties file, a connector's configuration. Leaves: [`WorkerConfig`],
//! [`ConnectorSpec`], [`ConfigInfos`]. Invariant: all problems are reported at once, in Kafka Connect's words, and what was
//! accepted is what validation accepted: both read the same definitions. No I/O but that of [`providers`], no secrets in errors.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod client_keys;
mod converter_keys;
mod converters;
pub mod definitions;
pub mod environment;
pub mod error;
mod hidden;
mod names;
pub mod nearest;
pub mod overrides;
pub mod properties;
pub mod providers;
pub mod reading;
pub mod reference;
pub mod topic_creation;
pub mod transforms;
pub mod validate;
pub mod value;

mod connector;
mod connector_keys;
mod rest;
mod restart;
mod sandbox;
mod worker;
mod worker_keys;

pub use connector::{BatchBounds, ConnectorSpec, DeadLetterSpec, ErrorsSpec, SinkSpec, SourceSpec, Topics};
pub use converters::{ConverterSpec, Converters, Part};
pub use error::{ConfigError, ConfigErrors, Warning};
pub use hidden::{Hidden, Secrets};
pub use nearest::nearest;
pub use overrides::{Client, OverridePolicy};
pub use properties::PropertiesError;
pub use providers::{Providers, Resolved};
pub use rest::{
    AdminListeners, ClientAuth, HeaderAction, Identity, Listener, Pem, ResponseHeader, RestAuth, RestSettings, Scheme,
    Tls,
};
pub use restart::{RestartPolicy, RestartSpec};
pub use sandbox::SandboxSettings;
pub use topic_creation::{TopicCreationSpec, TopicGroup};
pub use transforms::{PredicateSpec, TransformSpec};
pub use validate::{Catalog, ConfigInfo, ConfigInfos, ConfigKeyInfo, ConfigValueInfo, Found};
pub use worker::{
    ClientSettings, Distributed, GrantSettings, InternalTopic, LimitSettings, Mode, PackageSettings, TopicTracking,
    WorkerConfig,
};

/// A connector's configuration as it came: a value may be null.
pub type RawConfig = indexmap::IndexMap<String, Option<String>>;
