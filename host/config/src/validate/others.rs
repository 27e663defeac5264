//! Keys that belong to others: a connector's Kafka clients, its converters.
//!
//! Enters: what a connector overrides, the converters that it names. Leaves: infos under the keys' full names. Invariant:
//! the value of a setting that may not be overridden is not shown: it may be a credential.

use lockgate_model::package::ConfigType;

use crate::RawConfig;
use crate::client_keys::client_key;
use crate::converter_keys;
use crate::converters::{self, ConverterSpec, Part};
use crate::error::{ConfigError, HIDDEN};
use crate::overrides::{self, Client};
use crate::reading::check;
use crate::worker::WorkerConfig;

use super::{Catalog, ConfigInfo, ConfigValueInfo, bare, value_info};

/// One info for each client setting that is overridden.
pub fn clients(raw: &RawConfig, worker: &WorkerConfig, catalog: &dyn Catalog) -> Vec<ConfigInfo> {
    let allowed = |client, key: &str| catalog.override_key(client, key);
    let refused = overrides::refused(&worker.override_policy, raw, &allowed);
    let mut infos = Vec::new();
    for client in Client::ALL {
        for (key, value) in overrides::of(client, raw) {
            let name = format!("{}{key}", client.prefix());
            let known = client_key(client, &key);
            let mut info = if let Some(known) = &known {
                let mut shown = value_info(known, &check(known, Some(&Some(value))));
                // Kafka Connect's text names the setting as the client does.
                shown.errors.iter_mut().for_each(|text| *text = text.replace(&name, &key));
                ConfigInfo { definition: Some(known.into()), value: Some(shown) }
            } else {
                let mut info = bare(name.clone(), Vec::new());
                info.value.iter_mut().for_each(|shown| shown.value = Some(value.clone()));
                info
            };
            if let (Some(error), Some(value)) = (refused.iter().find(|e| e.key == name), &mut info.value) {
                (value.value, value.errors) = (None, vec![error.message.clone()]);
            }
            infos.push(info);
        }
    }
    infos
}

/// Infos of all settings of the converters that the connector names itself.
pub fn converters(raw: &RawConfig, catalog: &dyn Catalog) -> Vec<ConfigInfo> {
    let named = Part::ALL.into_iter().filter_map(|part| Some((part, converters::own(raw, part)?)));
    named.flat_map(|(part, own)| converter(part, &own, raw, catalog)).collect()
}

fn converter(part: Part, own: &ConverterSpec, raw: &RawConfig, catalog: &dyn Catalog) -> Vec<ConfigInfo> {
    let problems = catalog.converter(part, own).err().unwrap_or_default();
    let is_class = |(setting, _): &&(String, String)| setting.is_empty();
    if let Some((_, problem)) = problems.iter().find(is_class) {
        let given = raw.get(part.key()).and_then(Option::as_deref);
        return vec![bare(part.key().to_owned(), vec![ConfigError::invalid(part.key(), given, problem).message])];
    }
    let prefix = format!("{}.", part.key());
    // Kafka Connect's text names the setting as the converter does. What is missing has no value to tell.
    let of = |name: &str, given: Option<&str>, secret: bool| {
        let own = problems.iter().filter(|(setting, _)| setting == name);
        let given = given.map(|given| if secret { HIDDEN } else { given });
        own.map(|(_, reason)| {
            given.map_or_else(|| reason.clone(), |v| ConfigError::invalid(name, Some(v), reason).message)
        })
        .collect()
    };
    let keys = converter_keys::keys(part, &own.class);
    let mut infos: Vec<ConfigInfo> = Vec::new();
    for known in &keys {
        let name = &known.definition.name;
        let short = name.strip_prefix(&prefix).unwrap_or(name);
        let given =
            raw.get(name).or(known.definition.default_value.is_some().then_some(&known.definition.default_value));
        let secret = known.definition.config_type == ConfigType::Password;
        let errors: Vec<String> = of(short, raw.get(name).and_then(Option::as_deref), secret);
        let mut value: ConfigValueInfo = value_info(known, &check(known, given));
        if !errors.is_empty() {
            (value.value, value.errors) = (None, errors); // the converter has judged itself
        }
        infos.push(ConfigInfo { definition: Some(known.into()), value: Some(value) });
    }
    let is_listed = |setting: &str| keys.iter().any(|known| known.definition.name == format!("{prefix}{setting}"));
    let strange = problems.iter().filter(|(setting, _)| !is_listed(setting));
    infos.extend(strange.map(|(setting, problem)| bare(format!("{prefix}{setting}"), vec![problem.clone()])));
    infos
}
