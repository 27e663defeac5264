//! Validation as Kafka Connect shows it: every key with its definition, its value and what is wrong with it.
//!
//! Enters: a raw configuration, the plugin's definitions and advice, a [`Catalog`] of other plugins. Leaves:
//! [`ConfigInfos`]. Invariant: `error_count` is zero exactly if [`crate::ConnectorSpec::parse`] accepts the configuration
//! and neither the plugin nor a converter objects. Values of passwords are `[hidden]`.

use std::sync::Arc;

use lockgate_model::package::{ConfigAdvice, ConfigType, Importance, PluginInfo, PluginKind, Width};
use serde::Serialize;

use crate::RawConfig;
use crate::connector;
use crate::converters::{self, ConverterSpec, Part};
use crate::definitions::{Known, framework, groups, of_plugin};
use crate::error::{ConfigError, HIDDEN};
use crate::nearest::nearest;
use crate::overrides::{self, Client};
use crate::reading::{Checked, Settings};
use crate::topic_creation::TopicCreationSpec;
use crate::value;
use crate::worker::WorkerConfig;

/// What validation must ask others.
pub trait Catalog {
    /// A plugin by class or alias.
    fn plugin(&self, kind: PluginKind, class: &str) -> Option<Arc<PluginInfo>>;
    /// Classes of a kind, for recommendations and for the nearest name.
    fn classes(&self, kind: PluginKind) -> Vec<String>;
    /// Tries a converter. Errors are (setting, problem); the setting is empty if the class is wrong.
    fn converter(&self, part: Part, converter: &ConverterSpec) -> Result<(), Vec<(String, String)>>;
    /// Whether the host lets connectors override this client setting at all.
    fn override_key(&self, client: Client, key: &str) -> Result<(), String>;
}

/// One key: Kafka Connect's `ConfigKeyInfo`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)] // the fields are the model's `ConfigDefinition`, under Kafka Connect's names
pub struct ConfigKeyInfo {
    pub name: String,
    #[serde(rename = "type")]
    pub config_type: ConfigType,
    pub required: bool,
    pub default_value: Option<String>,
    pub importance: Importance,
    pub documentation: Option<String>,
    pub group: Option<String>,
    pub order_in_group: i32,
    pub width: Width,
    pub display_name: String,
    pub dependents: Vec<String>,
}

/// One value: Kafka Connect's `ConfigValueInfo`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConfigValueInfo {
    /// The key.
    pub name: String,
    /// As parsed; null if absent or not parsable.
    pub value: Option<String>,
    /// What may be chosen.
    pub recommended_values: Vec<String>,
    /// What is wrong.
    pub errors: Vec<String>,
    /// False hides it.
    pub visible: bool,
}

/// A key with its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConfigInfo {
    /// Null for keys that nobody defines.
    pub definition: Option<ConfigKeyInfo>,
    /// The value.
    pub value: Option<ConfigValueInfo>,
}

/// The whole answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConfigInfos {
    /// `connector.class` as submitted.
    pub name: String,
    /// Error messages; for converters' and clients' keys, keys with errors.
    pub error_count: usize,
    /// Headings in order.
    pub groups: Vec<String>,
    /// Everything.
    pub configs: Vec<ConfigInfo>,
}

impl ConfigInfos {
    /// All error messages in order.
    pub fn errors(&self) -> impl Iterator<Item = &str> {
        self.configs.iter().filter_map(|c| c.value.as_ref()).flat_map(|v| v.errors.iter().map(String::as_str))
    }
}

impl From<&Known> for ConfigKeyInfo {
    fn from(known: &Known) -> Self {
        let definition = &known.definition;
        let filled = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let secret = definition.config_type == ConfigType::Password;
        let default = definition.default_value.as_ref().filter(|_| !definition.required);
        Self {
            name: definition.name.clone(),
            config_type: definition.config_type,
            required: definition.required,
            default_value: default.map(|text| if secret { HIDDEN.to_owned() } else { text.clone() }),
            importance: definition.importance,
            documentation: filled(&definition.documentation),
            group: filled(&definition.group),
            order_in_group: known.order,
            width: definition.width,
            display_name: filled(&definition.display_name).unwrap_or_else(|| definition.name.clone()),
            dependents: definition.dependents.clone(),
        }
    }
}

/// The definitions of a plugin's own keys, as `GET /connector-plugins/P/config` lists them.
pub fn plugin_keys(info: &PluginInfo) -> Vec<ConfigKeyInfo> {
    of_plugin("", info).iter().map(ConfigKeyInfo::from).collect()
}

/// Checks values against definitions: (name, value, errors) per key, in order.
pub fn check(known: &[Known], raw: &RawConfig) -> Vec<ConfigValueInfo> {
    let settings = Settings::read(known, raw);
    known.iter().filter_map(|k| Some(value_info(k, settings.all().get(&k.definition.name)?))).collect()
}

/// Validates a connector. `class` is the text that was submitted, `plugin` what it names, `advice` what the plugin's own
/// `validate` said.
pub fn connector(
    class: &str,
    plugin: &PluginInfo,
    raw: &RawConfig,
    worker: &WorkerConfig,
    advice: &[ConfigAdvice],
    catalog: &dyn Catalog,
) -> ConfigInfos {
    let mut settings = connector::read(plugin.kind, raw, worker);
    let (chain, chain_groups) = chain_keys(&settings, raw, plugin.kind, catalog);
    let own = of_plugin("", plugin);
    let mut known = framework(plugin.kind).to_vec();
    let is_new = |known: &[Known], key: &Known| known.iter().all(|k| k.definition.name != key.definition.name);
    for key in chain.into_iter().chain(own) {
        if is_new(&known, &key) {
            known.push(key);
        }
    }
    for key in &known {
        if !settings.all().contains_key(&key.definition.name) {
            settings.add(key, raw);
        }
    }
    blame_classes(&mut settings, catalog);
    connector::nulls(raw).for_each(|error| settings.blame(&error.key.clone(), error));
    let mut infos = ConfigInfos { name: class.to_owned(), error_count: 0, groups: Vec::new(), configs: Vec::new() };
    let undefined = undefined(&settings, &known, advice);
    let defined = known.iter().map(|key| defined(key, settings.all().get(&key.definition.name), advice, catalog));
    infos.configs = undefined.into_iter().chain(defined).collect();
    infos.error_count = infos.errors().count();
    let fixed = groups(plugin.kind).iter().map(|g| (*g).to_owned());
    let plugins = known.iter().map(|k| k.definition.group.clone()).filter(|g| !g.is_empty());
    for group in fixed.chain(chain_groups).chain(plugins) {
        if !infos.groups.contains(&group) {
            infos.groups.push(group);
        }
    }
    let clients = client_infos(raw, worker, catalog);
    let converters = converter_infos(raw, catalog);
    infos.error_count += clients.iter().chain(&converters).filter(|info| has_errors(info)).count();
    infos.configs.extend(clients);
    merge(&mut infos, converters);
    infos
}

fn has_errors(info: &ConfigInfo) -> bool {
    info.value.as_ref().is_some_and(|value| !value.errors.is_empty())
}

/// A converter whose class is wrong blames a key that is listed already.
fn merge(infos: &mut ConfigInfos, more: Vec<ConfigInfo>) {
    for info in more {
        let Some(value) = &info.value else { continue };
        let mut values = infos.configs.iter_mut().filter_map(|c| c.value.as_mut());
        match values.find(|known| known.name == value.name) {
            Some(known) => known.errors.extend(value.errors.iter().cloned()),
            None => infos.configs.push(info),
        }
    }
}

/// Keys of the chain (and of topic-creation groups), with their headings in order.
fn chain_keys(
    settings: &Settings,
    raw: &RawConfig,
    kind: PluginKind,
    catalog: &dyn Catalog,
) -> (Vec<Known>, Vec<String>) {
    let mut keys = Vec::new();
    if kind == PluginKind::Source {
        keys.extend(TopicCreationSpec::definitions(settings.list("topic.creation.groups"), raw));
    }
    let chains = [
        (PluginKind::Transform, "transforms", "Transforms", settings.list("transforms")),
        (PluginKind::Predicate, "predicates", "Predicates", settings.list("predicates")),
    ];
    for (kind, prefix, heading, aliases) in chains {
        for alias in aliases {
            let frame = crate::definitions::of_alias(kind, alias);
            let first = i32::try_from(frame.len()).unwrap_or(i32::MAX);
            keys.extend(frame);
            let class = settings.filled(&format!("{prefix}.{alias}.type"));
            let Some(info) = class.and_then(|class| catalog.plugin(kind, class)) else { continue };
            for (at, mut key) in of_plugin(&format!("{prefix}.{alias}."), &info).into_iter().enumerate() {
                key.definition.group = format!("{heading}: {alias}");
                key.order = first.saturating_add(i32::try_from(at).unwrap_or(i32::MAX));
                keys.push(key);
            }
        }
    }
    let headings = keys.iter().map(|key| key.definition.group.clone()).collect();
    (keys, headings)
}

/// Transforms and predicates whose class is not there.
fn blame_classes(settings: &mut Settings, catalog: &dyn Catalog) {
    let chains = [(PluginKind::Transform, "transforms"), (PluginKind::Predicate, "predicates")];
    for (kind, prefix) in chains {
        for alias in settings.list(prefix).to_vec() {
            let key = format!("{prefix}.{alias}.type");
            let Some(class) = settings.filled(&key).map(str::to_owned) else { continue };
            if catalog.plugin(kind, &class).is_none() {
                let classes = catalog.classes(kind);
                let near = nearest(&class, classes.iter().map(String::as_str)).map(str::to_owned);
                let reason = format!("Class {class} could not be found.");
                settings.blame(&key, ConfigError::invalid(&key, Some(&class), reason).near(near.as_deref()));
            }
        }
    }
}

fn undefined(settings: &Settings, known: &[Known], advice: &[ConfigAdvice]) -> Vec<ConfigInfo> {
    let is_known = |name: &str| known.iter().any(|k| k.definition.name == name);
    let blamed = settings.all().iter().filter(|(name, checked)| !checked.errors.is_empty() && !is_known(name));
    let blamed = blamed.map(|(name, checked)| (name.clone(), messages(checked)));
    let advised = advice.iter().filter(|a| !a.errors.is_empty() && !is_known(&a.name));
    let advised = advised.map(|a| (a.name.clone(), a.errors.clone()));
    blamed.chain(advised).map(|(name, errors)| bare(name, errors)).collect()
}

fn bare(name: String, errors: Vec<String>) -> ConfigInfo {
    let value = ConfigValueInfo { name, value: None, recommended_values: Vec::new(), errors, visible: true };
    ConfigInfo { definition: None, value: Some(value) }
}

fn messages(checked: &Checked) -> Vec<String> {
    checked.errors.iter().map(|error| error.message.clone()).collect()
}

fn defined(known: &Known, checked: Option<&Checked>, advice: &[ConfigAdvice], catalog: &dyn Catalog) -> ConfigInfo {
    let nothing = Checked { value: None, errors: Vec::new() };
    let mut value = value_info(known, checked.unwrap_or(&nothing));
    let name = &known.definition.name;
    for advice in advice.iter().filter(|a| a.name == *name) {
        value.errors.extend(advice.errors.iter().cloned());
        value.recommended_values.extend(advice.recommended.iter().cloned());
        value.visible &= advice.visible;
    }
    if let Some(kind) = chain_kind(known) {
        value.recommended_values = catalog.classes(kind);
    }
    ConfigInfo { definition: Some(known.into()), value: Some(value) }
}

/// The kind of plugin that `transforms.<alias>.type` and `predicates.<alias>.type` name.
fn chain_kind(known: &Known) -> Option<PluginKind> {
    let alias = known.definition.name.strip_suffix(".type")?;
    match alias.split_once('.')?.0 {
        "transforms" => Some(PluginKind::Transform),
        "predicates" => Some(PluginKind::Predicate),
        _ => None,
    }
}

fn value_info(known: &Known, checked: &Checked) -> ConfigValueInfo {
    let secret = known.definition.config_type == ConfigType::Password;
    let shown = checked.value.as_ref().map(|v| if secret { HIDDEN.to_owned() } else { value::render(v) });
    ConfigValueInfo {
        name: known.definition.name.clone(),
        value: shown,
        recommended_values: Vec::new(),
        errors: messages(checked),
        visible: true,
    }
}

fn client_infos(raw: &RawConfig, worker: &WorkerConfig, catalog: &dyn Catalog) -> Vec<ConfigInfo> {
    let refused = overrides::refused(&worker.override_policy, raw, &|client, key| catalog.override_key(client, key));
    refused.into_iter().map(|error| bare(error.key, vec![error.message])).collect()
}

fn converter_infos(raw: &RawConfig, catalog: &dyn Catalog) -> Vec<ConfigInfo> {
    let mut infos = Vec::new();
    for part in Part::ALL {
        let Some(Err(problems)) = converters::own(raw, part).map(|own| catalog.converter(part, &own)) else { continue };
        for (setting, problem) in problems {
            let dot = if setting.is_empty() { "" } else { "." };
            let key = format!("{}{dot}{setting}", part.key());
            let given = raw.get(&key).and_then(Option::as_deref).filter(|_| setting.is_empty());
            let text = given.map_or(problem.clone(), |v| ConfigError::invalid(&key, Some(v), &problem).message);
            infos.push(bare(key, vec![text]));
        }
    }
    infos
}

#[cfg(test)]
mod tests;
