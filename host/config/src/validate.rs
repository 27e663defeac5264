//! Validation as Kafka Connect shows it: every key with its definition, its value and what is wrong with it.
//!
//! Enters: a raw configuration, the plugin's definitions and advice, a [`Catalog`] of other plugins. Leaves:
//! [`ConfigInfos`]. Invariant: `error_count` is zero exactly if [`crate::ConnectorSpec::parse`] accepts the configuration
//! and neither the plugin nor a converter objects. Values of passwords are `[hidden]`.

mod chain;
mod others;
mod shown;

use std::sync::Arc;

use lockgate_model::package::{ConfigAdvice, ConfigType, Importance, PluginInfo, PluginKind, Width};
use schemars::JsonSchema;
use serde::Serialize;

use crate::RawConfig;
use crate::connector;
use crate::converters::{ConverterSpec, Part};
use crate::definitions::{Known, framework, groups, of_plugin};
use crate::error::{ConfigError, HIDDEN};
use crate::overrides::Client;
use crate::reading::{Checked, Settings};
use crate::value;
use crate::worker::WorkerConfig;

use shown::Shown;

/// What a class is asked for.
#[derive(Clone, Debug)]
pub enum Found {
    /// It is there.
    Plugin(Arc<PluginInfo>),
    /// Nothing answers to this name.
    NoClass,
    /// It is there, but not in a version that was asked for: Kafka Connect's text.
    NoVersion(String),
}

/// What validation must ask others.
pub trait Catalog {
    /// A plugin by class or alias, in a version or range (`None` = the newest).
    fn find(&self, kind: PluginKind, class: &str, version: Option<&str>) -> Found;
    /// Classes of a kind, for recommendations and for the nearest name.
    fn classes(&self, kind: PluginKind) -> Vec<String>;
    /// Installed versions of a class, newest first.
    fn versions(&self, kind: PluginKind, class: &str) -> Vec<String>;
    /// Tries a converter. Errors are (setting, problem); the setting is empty if the class is wrong.
    fn converter(&self, part: Part, converter: &ConverterSpec) -> Result<(), Vec<(String, String)>>;
    /// Classes of converters.
    fn converter_classes(&self, part: Part) -> Vec<String>;
    /// The version of the built-in converters, if it is one that was asked for; else Kafka Connect's text.
    fn converter_version(&self, class: &str, version: Option<&str>) -> Result<String, String>;
    /// Whether the host lets connectors override this client setting at all.
    fn override_key(&self, client: Client, key: &str) -> Result<(), String>;
}

/// One key: Kafka Connect's `ConfigKeyInfo`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[allow(missing_docs)] // the fields are the model's `ConfigDefinition`, under Kafka Connect's names
pub struct ConfigKeyInfo {
    pub name: String,
    #[serde(rename = "type")]
    #[schemars(with = "String")]
    pub config_type: ConfigType,
    pub required: bool,
    pub default_value: Option<String>,
    #[schemars(with = "String")]
    pub importance: Importance,
    pub documentation: Option<String>,
    pub group: Option<String>,
    pub order_in_group: i32,
    #[schemars(with = "String")]
    pub width: Width,
    pub display_name: String,
    pub dependents: Vec<String>,
}

/// One value: Kafka Connect's `ConfigValueInfo`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ConfigInfo {
    /// Null for keys that nobody defines.
    pub definition: Option<ConfigKeyInfo>,
    /// The value.
    pub value: Option<ConfigValueInfo>,
}

/// The whole answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
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

/// The definitions of a plugin's own keys.
pub fn plugin_keys(info: &PluginInfo) -> Vec<ConfigKeyInfo> {
    of_plugin("", info).iter().map(ConfigKeyInfo::from).collect()
}

/// All keys that `GET /connector-plugins/P/config` lists for a plugin: its own, then those that the framework reads for
/// it. `version` is that of its package, which a connector gets unless it asks for another.
pub fn listed_keys(info: &PluginInfo, version: &str) -> Vec<ConfigKeyInfo> {
    let mut keys = plugin_keys(info);
    for known in framework(info.kind) {
        if keys.iter().any(|own| own.name == known.definition.name) {
            continue;
        }
        let mut key = ConfigKeyInfo::from(known);
        if key.name == "connector.plugin.version" {
            key.default_value = Some(version.to_owned());
        }
        keys.push(key);
    }
    keys
}

/// Likewise for a converter, by its full class name.
pub fn converter_keys(class: &str) -> Vec<ConfigKeyInfo> {
    let part = Part::Value;
    let mut keys: Vec<_> = crate::converter_keys::keys(part, class).iter().map(ConfigKeyInfo::from).collect();
    for key in &mut keys {
        key.name = key.name.strip_prefix(part.key()).map_or_else(String::new, |name| name[1..].to_owned());
    }
    keys
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
    let (chain, chain_groups) = chain::keys(&settings, raw, plugin.kind, catalog);
    let mut known = framework(plugin.kind).to_vec();
    let is_new = |known: &[Known], key: &Known| known.iter().all(|k| k.definition.name != key.definition.name);
    for key in chain.into_iter().chain(of_plugin("", plugin)) {
        if is_new(&known, &key) {
            known.push(key);
        }
    }
    for key in &known {
        if !settings.all().contains_key(&key.definition.name) {
            settings.add(key, raw);
        }
    }
    let shown = Shown::fill(&mut known, &mut settings, plugin.kind, raw, worker, catalog);
    chain::blame_classes(&mut settings, catalog);
    connector::nulls(raw).for_each(|error| settings.blame(&error.key.clone(), error));
    let mut infos = infos(class, &settings, &known, advice, &shown);
    let fixed = groups(plugin.kind).iter().map(|g| (*g).to_owned());
    let plugins = known.iter().map(|k| k.definition.group.clone()).filter(|g| !g.is_empty());
    infos.add_groups(fixed.chain(chain_groups).chain(plugins));
    let more = others::clients(raw, worker, catalog).into_iter().chain(others::converters(raw, catalog));
    more.for_each(|info| infos.merge(info));
    infos
}

/// What Kafka Connect answers where the class is there, but not in the version that was asked for: the keys of every
/// connector, with the error on the class and on the version.
pub fn wrong_version(
    class: &str,
    kind: PluginKind,
    raw: &RawConfig,
    worker: &WorkerConfig,
    error: &str,
    catalog: &dyn Catalog,
) -> ConfigInfos {
    let mut known = crate::connector_keys::common();
    let mut settings = Settings::read(&known, raw);
    for key in ["connector.class", "connector.plugin.version"] {
        settings.blame(key, ConfigError::new(key, error));
    }
    let shown = Shown::fill(&mut known, &mut settings, kind, raw, worker, catalog);
    let mut infos = infos(class, &settings, &known, &[], &shown);
    infos.configs.retain(|info| info.definition.is_some());
    infos.add_groups(["Common", "Transforms", "Predicates", "Error Handling"].map(str::to_owned).into_iter());
    infos
}

fn infos(class: &str, settings: &Settings, known: &[Known], advice: &[ConfigAdvice], shown: &Shown) -> ConfigInfos {
    let undefined = undefined(settings, known, advice);
    let defined = known.iter().map(|key| defined(key, settings.all().get(&key.definition.name), advice, shown));
    let configs = undefined.into_iter().chain(defined).collect();
    let mut infos = ConfigInfos { name: class.to_owned(), error_count: 0, groups: Vec::new(), configs };
    infos.error_count = infos.errors().count();
    infos
}

impl ConfigInfos {
    fn add_groups(&mut self, groups: impl Iterator<Item = String>) {
        for group in groups {
            if !self.groups.contains(&group) {
                self.groups.push(group);
            }
        }
    }

    /// Adds a key of a client or converter: counted once, however many errors it has, as in Kafka Connect. A converter whose
    /// class is wrong blames a key that is listed already.
    fn merge(&mut self, info: ConfigInfo) {
        let Some(value) = &info.value else { return };
        self.error_count += usize::from(!value.errors.is_empty());
        let mut values = self.configs.iter_mut().filter_map(|c| c.value.as_mut());
        if let Some(known) = values.find(|known| known.name == value.name) {
            return known.errors.extend(value.errors.iter().cloned());
        }
        let group = info.definition.as_ref().and_then(|definition| definition.group.clone());
        self.add_groups(group.into_iter());
        self.configs.push(info);
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

fn defined(known: &Known, checked: Option<&Checked>, advice: &[ConfigAdvice], shown: &Shown) -> ConfigInfo {
    let nothing = Checked { value: None, errors: Vec::new() };
    let mut value = value_info(known, checked.unwrap_or(&nothing));
    let name = &known.definition.name;
    value.recommended_values = shown.recommended(name);
    value.visible = !shown.is_invisible(name);
    for advice in advice.iter().filter(|a| a.name == *name) {
        value.errors.extend(advice.errors.iter().cloned());
        value.recommended_values.extend(advice.recommended.iter().cloned());
        value.visible &= advice.visible;
    }
    ConfigInfo { definition: Some(known.into()), value: Some(value) }
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

#[cfg(test)]
mod tests;
