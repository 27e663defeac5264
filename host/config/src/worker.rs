//! A worker's configuration, typed.
//!
//! Enters: the entries of a properties file. Leaves: a [`WorkerConfig`], or every error at once. Invariant: each entry is
//! used, passed to a client or converter, or reported in [`WorkerConfig::warnings`]; none is dropped in silence.

mod warnings;

use std::path::PathBuf;
use std::time::Duration;

use indexmap::IndexMap;

use crate::RawConfig;
use crate::converters::{ConverterSpec, Converters, Part};
use crate::definitions::Known;
use crate::error::{ConfigError, ConfigErrors, Warning};
use crate::nearest::nearest;
use crate::overrides::OverridePolicy;
use crate::providers::{self, Providers};
use crate::reading::Settings;
use crate::rest::{RestSettings, rest};
use crate::restart::RestartSpec;
use crate::sandbox::SandboxSettings;
use crate::worker_keys::{distributed, standalone, used};

/// An internal topic of distributed mode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InternalTopic {
    /// Its name.
    pub name: String,
    /// Partitions if it must be made; -1 = the broker's default.
    pub partitions: i32,
    /// Replicas if it must be made; -1 = the broker's default.
    pub replication_factor: i16,
    /// Topic settings if it must be made.
    pub settings: IndexMap<String, String>,
}

/// What only distributed mode has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Distributed {
    /// `group.id`.
    pub group_id: String,
    /// `config.storage.*`; always one partition.
    pub config_topic: InternalTopic,
    /// `offset.storage.*`.
    pub offset_topic: InternalTopic,
    /// `status.storage.*`.
    pub status_topic: InternalTopic,
}

/// How the worker runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// State in Kafka.
    Distributed(Box<Distributed>),
    /// State in a file: `offset.storage.file.filename`.
    Standalone {
        /// The file of offsets.
        offset_file: PathBuf,
    },
}

/// Settings of Kafka clients, Java names. `Debug` shows keys only.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ClientSettings {
    /// Un-prefixed: the worker's own clients (internal topics). With `bootstrap.servers`.
    pub common: IndexMap<String, String>,
    /// `producer.*`, prefix cut off.
    pub producer: IndexMap<String, String>,
    /// `consumer.*`, prefix cut off.
    pub consumer: IndexMap<String, String>,
    /// `admin.*`, prefix cut off.
    pub admin: IndexMap<String, String>,
}

impl std::fmt::Debug for ClientSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let keys = |map: &IndexMap<String, String>| map.keys().cloned().collect::<Vec<_>>();
        let mut shown = f.debug_struct("ClientSettings");
        shown.field("common", &keys(&self.common)).field("producer", &keys(&self.producer));
        shown.field("consumer", &keys(&self.consumer)).field("admin", &keys(&self.admin)).finish()
    }
}

/// Directories of packages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageSettings {
    /// `lockgate.cache.dir`: compiled code.
    pub cache: PathBuf,
    /// `lockgate.packages.dir`: uploaded packages.
    pub uploaded: PathBuf,
    /// `lockgate.packages.bundled`.
    pub bundled: Option<PathBuf>,
}

/// `lockgate.limits.*` of one task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitSettings {
    /// Memory of an instance, bytes.
    pub memory_bytes: usize,
    /// CPU time of a call.
    pub cpu: Duration,
    /// Wall-clock time of a call.
    pub call: Duration,
    /// Time of `open`.
    pub open: Duration,
    /// Time of `close`.
    pub close: Duration,
    /// Log volume, bytes a second.
    pub log_bytes_per_second: u32,
    /// Log volume at once, bytes.
    pub log_burst_bytes: u32,
    /// Outbound connections.
    pub connections_max: u32,
}

/// `lockgate.grants.*`, as lists; `wasm::Policy` parses the entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GrantSettings {
    /// Hosts for HTTP.
    pub http: Vec<String>,
    /// Endpoints for TCP.
    pub tcp: Vec<String>,
    /// Directories to read.
    pub read: Vec<String>,
    /// Directories to write.
    pub write: Vec<String>,
    /// Private address ranges.
    pub private: Vec<String>,
}

/// `topic.tracking.*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopicTracking {
    /// `topic.tracking.enable`.
    pub enable: bool,
    /// `topic.tracking.allow.reset`.
    pub allow_reset: bool,
}

/// A worker, checked.
#[derive(Clone, Debug)]
pub struct WorkerConfig {
    /// How it runs.
    pub mode: Mode,
    /// `bootstrap.servers`, comma list.
    pub bootstrap_servers: String,
    /// Converters for connectors that name none.
    pub converters: Converters,
    /// `offset.flush.interval.ms`.
    pub flush_interval: Duration,
    /// `offset.flush.timeout.ms`.
    pub flush_timeout: Duration,
    /// `task.shutdown.graceful.timeout.ms`, for all tasks together.
    pub graceful_timeout: Duration,
    /// `lockgate.stalled.after.ms`: a task that should get on and does not for so long is shown as stalled.
    pub stalled_after: Duration,
    /// Client settings.
    pub clients: ClientSettings,
    /// What connectors may override.
    pub override_policy: OverridePolicy,
    /// `topic.creation.enable`.
    pub topic_creation_enable: bool,
    /// Topics that connectors used.
    pub topic_tracking: TopicTracking,
    /// Automatic restarts of connectors that say nothing about them.
    pub restart: RestartSpec,
    /// REST.
    pub rest: RestSettings,
    /// Packages.
    pub packages: PackageSettings,
    /// Bounds of tasks.
    pub limits: LimitSettings,
    /// What tasks may reach.
    pub grants: GrantSettings,
    /// `lockgate.registry.allowed.urls`: schema registries that connectors may name.
    pub registry_allowed_urls: Vec<String>,
    /// `lockgate.registry.allowed.paths`: folders whose PEM files connectors may name.
    pub registry_allowed_paths: Vec<String>,
    /// The sandbox as a whole.
    pub sandbox: SandboxSettings,
    /// `lockgate.tenant`.
    pub tenant: String,
    /// `config.providers`.
    pub providers: Providers,
    /// Entries without effect, with reasons; to be logged once at start.
    pub warnings: Vec<Warning>,
}

impl WorkerConfig {
    /// Reads the settings of a distributed worker.
    pub fn distributed(entries: &IndexMap<String, String>) -> Result<Self, ConfigErrors> {
        let known = [used(), distributed()].concat();
        Self::read(entries, &known, |settings, raw| {
            Mode::Distributed(Box::new(Distributed {
                group_id: settings.text("group.id").unwrap_or_default().to_owned(),
                config_topic: internal_topic("config", settings, raw),
                offset_topic: internal_topic("offset", settings, raw),
                status_topic: internal_topic("status", settings, raw),
            }))
        })
    }

    /// Reads the settings of a standalone worker.
    pub fn standalone(entries: &IndexMap<String, String>) -> Result<Self, ConfigErrors> {
        let known = [used(), standalone()].concat();
        Self::read(entries, &known, |settings, _| Mode::Standalone {
            offset_file: settings.text("offset.storage.file.filename").unwrap_or_default().into(),
        })
    }

    /// `group.id`; `None` in standalone mode.
    pub fn group_id(&self) -> Option<&str> {
        match &self.mode {
            Mode::Distributed(distributed) => Some(&distributed.group_id),
            Mode::Standalone { .. } => None,
        }
    }

    fn read(
        entries: &IndexMap<String, String>,
        known: &[Known],
        mode: impl FnOnce(&Settings, &RawConfig) -> Mode,
    ) -> Result<Self, ConfigErrors> {
        let mut errors = Vec::new();
        let tenant = entries.get("lockgate.tenant").map_or("default", |name| name.trim());
        let providers = Providers::read(entries, tenant, &mut errors);
        let given = providers.resolve(&referring(entries));
        errors.extend(given.errors.iter().cloned());
        let mut raw: RawConfig = entries.iter().map(|(key, value)| (key.clone(), Some(value.clone()))).collect();
        raw.extend(given.config.clone());
        let entries: &IndexMap<String, String> =
            &raw.iter().filter_map(|(key, value)| Some((key.clone(), value.clone()?))).collect();
        let settings = Settings::read(known, &raw);
        errors.extend(settings.errors().cloned());
        let names = || known.iter().map(|k| k.definition.name.as_str());
        for error in errors.iter_mut().filter(|error| error.nearest.is_none()) {
            let near = nearest(&error.key, entries.keys().map(String::as_str).filter(|key| names().all(|n| n != *key)));
            error.nearest = near.filter(|_| error.value.is_none()).map(str::to_owned);
        }
        let rest = rest(&settings, &raw, &mut errors);
        let override_policy = override_policy(&settings, &mut errors);
        ConfigErrors::check(errors.into_iter().map(|error| error.scrubbed(&given.hidden)).collect())?;
        let list = |key: &str| settings.list(key).to_vec();
        let millis = |key: &str| Duration::from_millis(settings.fits(key));
        Ok(Self {
            mode: mode(&settings, &raw),
            bootstrap_servers: settings.list("bootstrap.servers").join(","),
            converters: converters(&settings, &raw),
            flush_interval: millis("offset.flush.interval.ms"),
            flush_timeout: millis("offset.flush.timeout.ms"),
            graceful_timeout: millis("task.shutdown.graceful.timeout.ms"),
            stalled_after: millis("lockgate.stalled.after.ms"),
            clients: clients(entries),
            override_policy: override_policy.unwrap_or(OverridePolicy::None),
            topic_creation_enable: settings.flag("topic.creation.enable"),
            topic_tracking: TopicTracking {
                enable: settings.flag("topic.tracking.enable"),
                allow_reset: settings.flag("topic.tracking.allow.reset"),
            },
            restart: RestartSpec::of_worker(&settings),
            rest,
            packages: packages(&settings),
            limits: limits(&settings),
            sandbox: SandboxSettings::read(&settings),
            registry_allowed_urls: list("lockgate.registry.allowed.urls"),
            registry_allowed_paths: list("lockgate.registry.allowed.paths"),
            grants: GrantSettings {
                http: list("lockgate.grants.http"),
                tcp: list("lockgate.grants.tcp"),
                read: list("lockgate.grants.read"),
                write: list("lockgate.grants.write"),
                private: list("lockgate.grants.private"),
            },
            tenant: settings.text("lockgate.tenant").unwrap_or_default().to_owned(),
            warnings: [warnings::of(entries, known), providers.warnings()].concat(),
            providers,
        })
    }
}

/// What may hold references: all but the settings of the providers themselves.
fn referring(entries: &IndexMap<String, String>) -> RawConfig {
    let others = entries.iter().filter(|(key, _)| !key.starts_with(providers::KEY));
    others.map(|(key, value)| (key.clone(), Some(value.clone()))).collect()
}

fn internal_topic(name: &str, settings: &Settings, raw: &RawConfig) -> InternalTopic {
    let key = |part: &str| format!("{name}.storage.{part}");
    let prefix = key("");
    let below = raw.iter().filter_map(|(key, value)| Some((key.strip_prefix(&prefix)?, value.clone()?)));
    let framework = ["topic", "partitions", "replication.factor", "cleanup.policy", "file.filename"];
    let extra = below.filter(|(key, _)| !framework.contains(key)).map(|(key, value)| (key.to_owned(), value));
    InternalTopic {
        name: settings.text(&key("topic")).unwrap_or_default().to_owned(),
        partitions: settings.number(&key("partitions")).and_then(|n| i32::try_from(n).ok()).unwrap_or(1),
        replication_factor: settings.fits(&key("replication.factor")),
        settings: extra.collect(),
    }
}

fn converters(settings: &Settings, raw: &RawConfig) -> Converters {
    let of = |part: Part| {
        let named = crate::converters::own(raw, part);
        let class = settings.text(part.key()).unwrap_or_default().to_owned();
        let mut spec = named.unwrap_or(ConverterSpec { class, settings: IndexMap::new(), own: false });
        spec.own = false;
        spec
    };
    Converters { key: of(Part::Key), value: of(Part::Value), header: of(Part::Header) }
}

fn override_policy(settings: &Settings, errors: &mut Vec<ConfigError>) -> Option<OverridePolicy> {
    let key = "connector.client.config.override.policy";
    let name = settings.text(key).unwrap_or_default();
    let policy = OverridePolicy::parse(name, settings.list("connector.client.config.override.allowlist").to_vec());
    if policy.is_none() {
        let allowed = Some("All, None, Principal, Allowlist".to_owned());
        let reason = format!("Class {name} could not be found.");
        errors.push(ConfigError::invalid(key, Some(name), reason).allowing(allowed));
    }
    policy
}

fn packages(settings: &Settings) -> PackageSettings {
    let path = |key: &str| settings.filled(key).map(PathBuf::from);
    PackageSettings {
        cache: path("lockgate.cache.dir").unwrap_or_default(),
        uploaded: path("lockgate.packages.dir").unwrap_or_default(),
        bundled: path("lockgate.packages.bundled"),
    }
}

fn limits(settings: &Settings) -> LimitSettings {
    let key = |name: &str| format!("lockgate.limits.{name}");
    let millis = |name: &str| Duration::from_millis(settings.fits(&key(name)));
    LimitSettings {
        memory_bytes: settings.fits::<usize>(&key("memory.mb")) << 20,
        cpu: millis("cpu.ms"),
        call: millis("call.ms"),
        open: millis("open.ms"),
        close: millis("close.ms"),
        log_bytes_per_second: settings.fits(&key("log.bytes.per.second")),
        log_burst_bytes: settings.fits(&key("log.burst.bytes")),
        connections_max: settings.fits(&key("connections.max")),
    }
}

fn clients(entries: &IndexMap<String, String>) -> ClientSettings {
    let below = |prefix: &str| -> IndexMap<String, String> {
        let pairs =
            entries.iter().filter_map(|(key, value)| Some((key.strip_prefix(prefix)?.to_owned(), value.clone())));
        pairs.collect()
    };
    let common = entries.iter().filter(|(key, _)| *key == "bootstrap.servers" || warnings::is_client_key(key));
    ClientSettings {
        common: common.map(|(key, value)| (key.clone(), value.clone())).collect(),
        producer: below("producer."),
        consumer: below("consumer."),
        admin: below("admin."),
    }
}

#[cfg(test)]
mod tests;
