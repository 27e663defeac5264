//! Validation of a connector: the framework's keys, the plugin's keys, the plugin's own opinion, and its grants.
//!
//! Enters: a raw configuration. Leaves: Kafka Connect's `ConfigInfos` with everything that is wrong at once. Invariant:
//! what passes here can be built, apart from what only Kafka or the outside can refuse.

use indexmap::IndexMap;
use lockgate_config::validate::{self, Catalog, Found};
use lockgate_config::{Client, ConfigInfos, ConverterSpec, Part, RawConfig, WorkerConfig, value};
use lockgate_model::package::{ConfigAdvice, PluginInfo, PluginKind};
use lockgate_registry::Allowed;
use lockgate_wasm::Policy;

use crate::converters;
use crate::error::{ErrorKind, SupervisorError};
use crate::registry::{NotFound, Registry, built_in_version};
use crate::{chain, clients, grants};

/// Everything that can be said about a configuration. Error: a class that is not there at all.
pub(crate) async fn inspect(
    class: &str,
    raw: &RawConfig,
    worker: &WorkerConfig,
    known: Known<'_>,
    policy: &Policy,
) -> Result<ConfigInfos, SupervisorError> {
    let registry = known.registry;
    let version = raw.get("connector.plugin.version").and_then(Option::as_deref);
    let found = match registry.find(class, &crate::registry::CONNECTORS, version) {
        Ok(found) => found,
        Err(error @ NotFound::Class { .. }) => {
            return Err(SupervisorError::new(ErrorKind::BadRequest, "connector.class", error.to_string()));
        }
        // Kafka Connect stops here, with the error on the class and on the version.
        Err(error) => {
            let kind = registry.any_kind(class).unwrap_or(PluginKind::Source);
            return Ok(validate::wrong_version(class, kind, raw, worker, &error.to_string(), &known));
        }
    };
    let plugin = &found.plugin;
    let given: Vec<(String, String)> = raw.iter().filter_map(|(k, v)| Some((k.clone(), v.clone()?))).collect();
    let first = validate::connector(class, plugin, raw, worker, &[], &known);
    let mut advice = refused_grants(policy, plugin, &given);
    // A plugin is only asked about a configuration whose types and required values are right.
    if first.error_count == 0 {
        match found.installed.package.validate(&plugin.class, &given).await {
            Ok(said) => advice.extend(said),
            Err(error) => advice.push(problem("connector.class", format!("the plugin cannot validate: {error}"))),
        }
        let refused = chain_problems(raw, plugin.kind, worker, registry, policy);
        if refused.is_empty() {
            advice.extend(chain_advice(raw, registry).await);
        }
        advice.extend(refused);
    }
    if advice.is_empty() {
        return Ok(first);
    }
    Ok(validate::connector(class, plugin, raw, worker, &advice, &known))
}

/// True if a connector's configuration needs the package of this digest.
pub(crate) fn uses(
    registry: &Registry,
    worker: &WorkerConfig,
    config: &IndexMap<String, String>,
    digest: &str,
) -> bool {
    let Ok(found) = registry.connector(config) else { return false };
    if found.installed.info.digest == digest {
        return true;
    }
    let name = config.get("name").map_or("", String::as_str);
    let spec = clients::parse(name, found.plugin.kind, config, worker);
    let plans = spec.and_then(|spec| chain::plan(&spec.transforms, registry));
    plans.is_ok_and(|plans| plans.iter().any(|plan| plan.package.info().digest == digest))
}

fn refused_grants(policy: &Policy, plugin: &PluginInfo, config: &[(String, String)]) -> Vec<ConfigAdvice> {
    let config = grants::with_defaults(plugin, config);
    let refusals = grants::refusals(policy, &plugin.requests, &config);
    refusals.into_iter().map(|(key, text)| problem(key.as_deref().unwrap_or("connector.class"), text)).collect()
}

fn chain_problems(
    raw: &RawConfig,
    kind: PluginKind,
    worker: &WorkerConfig,
    registry: &Registry,
    policy: &Policy,
) -> Vec<ConfigAdvice> {
    let config = raw.iter().filter_map(|(k, v)| Some((k.clone(), v.clone()?))).collect();
    let name = raw.get("name").and_then(Option::as_deref).unwrap_or_default();
    let planned = clients::parse(name, kind, &config, worker).and_then(|spec| chain::plan(&spec.transforms, registry));
    match planned {
        Err(text) => vec![problem("transforms", text)],
        Ok(plans) => {
            let refused = plans.iter().flat_map(|plan| grants::refusals(policy, &plan.requests, &plan.config));
            refused.map(|(_, text)| problem("transforms", text)).collect()
        }
    }
}

/// What transforms and predicates have to say about their own settings, predicates that nobody uses included.
async fn chain_advice(raw: &RawConfig, registry: &Registry) -> Vec<ConfigAdvice> {
    let text = |key: &str| raw.get(key).and_then(Option::as_deref).unwrap_or_default();
    let mut advice = Vec::new();
    for (kind, prefix, frame) in CHAINS {
        for alias in value::list(text(prefix)) {
            let own = format!("{prefix}.{alias}.");
            let version = Some(text(&format!("{own}plugin.version"))).filter(|v| !v.is_empty());
            let Ok(found) = registry.find(text(&format!("{own}type")), &[kind], version) else { continue };
            let below = raw.iter().filter_map(|(k, v)| Some((k.strip_prefix(&own)?.to_owned(), v.clone()?)));
            let config: Vec<_> = below.filter(|(key, _)| !frame.contains(&key.as_str())).collect();
            match found.installed.package.validate(&found.plugin.class, &config).await {
                Ok(said) => advice.extend(said.into_iter().map(|a| ConfigAdvice { name: own.clone() + &a.name, ..a })),
                Err(error) => {
                    advice.push(problem(&format!("{own}type"), format!("the plugin cannot validate: {error}")));
                }
            }
        }
    }
    advice
}

/// Kinds of a chain: where their aliases stand, and what the framework takes for itself of their settings.
const CHAINS: [(PluginKind, &str, &[&str]); 2] = [
    (PluginKind::Transform, "transforms", &["type", "plugin.version", "predicate", "negate"]),
    (PluginKind::Predicate, "predicates", &["type", "plugin.version"]),
];

fn problem(key: &str, text: String) -> ConfigAdvice {
    ConfigAdvice { name: key.to_owned(), recommended: Vec::new(), errors: vec![text], visible: true }
}

/// What validation asks others.
pub(crate) struct Known<'a> {
    /// The plugins of the worker.
    pub registry: &'a Registry,
    /// The schema registries that connectors may name.
    pub allowed: &'a Allowed,
}

impl Catalog for Known<'_> {
    fn find(&self, kind: PluginKind, class: &str, version: Option<&str>) -> Found {
        match self.registry.find(class, &[kind], version) {
            Ok(found) => Found::Plugin(found.plugin),
            Err(NotFound::Class { .. }) => Found::NoClass,
            Err(error) => Found::NoVersion(error.to_string()),
        }
    }

    fn classes(&self, kind: PluginKind) -> Vec<String> {
        self.registry.classes(&[kind])
    }

    fn versions(&self, kind: PluginKind, class: &str) -> Vec<String> {
        self.registry.versions(class, &[kind])
    }

    fn converter_classes(&self, part: Part) -> Vec<String> {
        converters::classes(part)
    }

    fn converter_version(&self, class: &str, version: Option<&str>) -> Result<String, String> {
        built_in_version(class, version).map_err(|error| error.to_string())
    }

    fn converter(&self, part: Part, converter: &ConverterSpec) -> Result<(), Vec<(String, String)>> {
        converters::check(converter, part, self.allowed)
    }

    fn override_key(&self, client: Client, key: &str) -> Result<(), String> {
        clients::override_key(client, key)
    }
}
