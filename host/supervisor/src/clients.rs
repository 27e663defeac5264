//! Settings of a task's Kafka clients: the worker's, then what the connector may override.
//!
//! Enters: worker and connector configuration. Leaves: client settings by Java names, shared producers. Invariant: order
//! of precedence as in Kafka Connect: built-in default, worker `producer.` / `consumer.` / `admin.`, connector override;
//! where the cluster is and how to log in comes from the worker alone.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use lockgate_config::{Client, ConnectorSpec, RawConfig, WorkerConfig};
use lockgate_kafka::{ClientKind, Producer, Settings, check_settings, overrides};
use lockgate_model::KafkaFault;
use lockgate_model::package::PluginKind;

use crate::desired::Config;

/// Types a stored configuration.
pub(crate) fn parse(
    name: &str,
    kind: PluginKind,
    config: &Config,
    worker: &WorkerConfig,
) -> Result<ConnectorSpec, String> {
    let raw: RawConfig = config.iter().map(|(k, v)| (k.clone(), Some(v.clone()))).collect();
    ConnectorSpec::parse(name, kind, &raw, worker, &override_key).map_err(|e| e.to_string())
}

/// Whether the host lets connectors override this client setting at all.
pub(crate) fn override_key(client: Client, key: &str) -> Result<(), String> {
    let kind = match client {
        Client::Producer => ClientKind::Producer,
        Client::Consumer => ClientKind::Consumer,
        Client::Admin => ClientKind::Admin,
    };
    // The group belongs to the connector, not to the client: KIP-458 lets it be chosen.
    if client == Client::Consumer && key == "group.id" {
        return Ok(());
    }
    overrides::check(kind, key).map_err(|e| e.to_string())
}

/// A sink task's consumer.
pub(crate) fn consumer(worker: &WorkerConfig, spec: &ConnectorSpec) -> Settings {
    let mut settings = base(worker);
    settings.insert("auto.offset.reset".to_owned(), "earliest".to_owned());
    settings.extend(worker.clients.consumer.clone());
    settings.extend(spec.consumer.clone());
    settings.insert("enable.auto.commit".to_owned(), "false".to_owned()); // keeps L1
    settings
}

/// A source's producer, or that of dead letters.
pub(crate) fn producer(worker: &WorkerConfig, spec: &ConnectorSpec) -> Settings {
    let mut settings = base(worker);
    settings.extend(worker.clients.producer.clone());
    settings.extend(spec.producer.clone());
    settings
}

/// Whether clients can be made of the worker's settings, with each of the prefixes: how they log in and whom they trust.
/// Leaves the settings of each way to the cluster, the worker's own first.
pub(crate) fn ways(worker: &WorkerConfig) -> Result<Vec<Settings>, KafkaFault> {
    let clients = &worker.clients;
    let mut ways = vec![base(worker)];
    for (kind, more) in [
        (ClientKind::Producer, &clients.producer),
        (ClientKind::Consumer, &clients.consumer),
        (ClientKind::Admin, &clients.admin),
    ] {
        check_settings(kind, &base(worker))?;
        let all: Settings = base(worker).into_iter().chain(more.clone()).collect();
        check_settings(kind, &all)?;
        let is_way = |key: &String| WAY.iter().any(|part| key.starts_with(part));
        if more.keys().any(is_way) {
            ways.push(all.into_iter().filter(|(key, _)| is_way(key)).collect());
        }
    }
    Ok(ways)
}

/// What says where the cluster is and how to log in there.
const WAY: [&str; 4] = ["bootstrap.", "security.", "sasl.", "ssl."];

/// The client that asks about groups.
pub(crate) fn admin(worker: &WorkerConfig) -> Settings {
    let mut settings = base(worker);
    settings.extend(worker.clients.admin.clone());
    settings
}

/// Un-prefixed settings: where the cluster is, security.
pub(crate) fn base(worker: &WorkerConfig) -> Settings {
    let mut settings: Settings = worker.clients.common.clone();
    settings.insert("bootstrap.servers".to_owned(), worker.bootstrap_servers.clone());
    settings
}

/// Producers that are shared by all tasks with equal settings. One that failed for good is replaced.
#[derive(Default)]
pub(crate) struct Producers {
    open: Mutex<HashMap<BTreeMap<String, String>, Producer>>,
}

impl Producers {
    pub(crate) fn of(&self, settings: Settings) -> Result<Producer, KafkaFault> {
        let key: BTreeMap<String, String> = settings.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(producer) = open.get(&key).filter(|p| p.fatal().is_none()) {
            return Ok(producer.clone());
        }
        let producer = Producer::new(&settings)?;
        open.insert(key, producer.clone());
        Ok(producer)
    }
}
