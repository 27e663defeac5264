//! What a plugin says of itself, and what it is opened with.
//!
//! Enters: a description in the plugin's own words; names and settings from the host. Leaves: `package-info` and typed
//! contexts. Invariant: a description is built from constants alone, so it is the same each time.

use crate::bindings::base::lockgate::connect::tasks;
use crate::bindings::plugin::exports::lockgate::connect::plugin as raw;
use crate::config::{Config, Settings};

pub use crate::bindings::base::lockgate::connect::batches::{Encoding, Formats};
pub use raw::{ConfigValue, Kind};

/// A plugin's description.
#[derive(Clone, Debug)]
pub struct Description {
    pub(crate) class: String,
    pub(crate) aliases: Vec<String>,
    pub(crate) documentation: String,
    pub(crate) config: Config,
    pub(crate) encodings: Vec<Encoding>,
    pub(crate) requests: Vec<raw::Request>,
}

impl Description {
    /// A plugin of this class: what users write as `connector.class` or `transforms.x.type`. Without further words it
    /// has no config keys, asks for nothing and takes or gives opaque bytes.
    pub fn new(class: &str) -> Self {
        Self {
            class: class.to_owned(),
            aliases: Vec::new(),
            documentation: String::new(),
            config: Config::new(),
            encodings: Vec::new(),
            requests: Vec::new(),
        }
    }

    /// Another name that it answers to.
    #[must_use]
    pub fn alias(mut self, name: &str) -> Self {
        self.aliases.push(name.to_owned());
        self
    }

    /// One sentence.
    #[must_use]
    pub fn doc(mut self, text: &str) -> Self {
        text.clone_into(&mut self.documentation);
        self
    }

    /// Its config keys.
    #[must_use]
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// The settings it takes, as a struct.
    #[must_use]
    pub fn options<T: crate::Options>(self) -> Self {
        self.config(T::config())
    }

    /// An encoding that it takes or gives; name the preferred one first.
    #[must_use]
    pub fn encoding(mut self, encoding: Encoding) -> Self {
        self.encodings.push(encoding);
        self
    }

    /// Asks for outbound HTTP: `host`, `host:port`, `*.domain:port` or a URL; may name config keys: `{http.url}`.
    #[must_use]
    pub fn asks_http(mut self, target: &str) -> Self {
        self.requests.push(raw::Request::Http(target.to_owned()));
        self
    }

    /// Asks for outbound TCP: `host:port`; may name config keys.
    #[must_use]
    pub fn asks_tcp(mut self, target: &str) -> Self {
        self.requests.push(raw::Request::Tcp(target.to_owned()));
        self
    }

    /// Asks to read a file or directory; may name config keys: `{file}`.
    #[must_use]
    pub fn asks_read(mut self, path: &str) -> Self {
        self.requests.push(raw::Request::Read(path.to_owned()));
        self
    }

    /// Asks to read, create and write files; may name config keys.
    #[must_use]
    pub fn asks_write(mut self, path: &str) -> Self {
        self.requests.push(raw::Request::Write(path.to_owned()));
        self
    }

    pub(crate) fn raw(self, kind: Kind) -> raw::PluginInfo {
        let encodings = if self.encodings.is_empty() { vec![Encoding::Bytes] } else { self.encodings };
        raw::PluginInfo {
            class: self.class,
            kind,
            aliases: self.aliases,
            documentation: self.documentation,
            config: self.config.0.into_iter().map(|k| k.0).collect(),
            encodings,
            requests: self.requests,
        }
    }
}

/// Advice about one config key, for `validate`.
pub fn advice(key: &str) -> ConfigValue {
    ConfigValue { name: key.to_owned(), recommended: Vec::new(), errors: Vec::new(), visible: true }
}

/// One connector, before it has tasks.
#[derive(Clone, Debug)]
pub struct Connector {
    /// Its name.
    pub name: String,
    /// Its configuration.
    pub config: Settings,
}

/// One task.
#[derive(Clone, Debug)]
pub struct Task {
    /// Name of the connector.
    pub connector: String,
    /// Number of the task, from 0.
    pub number: u32,
    /// What `tasks` returned for this task; for steps of a chain the step's own settings.
    pub config: Settings,
    /// The encodings that this task gets and gives.
    pub formats: Formats,
}

impl Task {
    pub(crate) fn of(raw: tasks::TaskContext, definitions: Config) -> Self {
        let config = Settings::new(raw.config, definitions);
        Self { connector: raw.connector, number: raw.task, config, formats: raw.formats }
    }
}

/// The settings of each task, as `tasks` returns them.
pub type TaskSettings = Vec<Vec<(String, String)>>;
