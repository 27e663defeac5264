//! References of connectors, resolved where they are used and hidden where something is said.
//!
//! Enters: raw configurations. Leaves: configurations with values for the sandbox alone, and texts without them. Invariant:
//! what is stored, answered, logged or reported holds references; values live in a job or a task and go with it.

use lockgate_config::error::HIDDEN;
use lockgate_config::{ConfigInfo, ConfigInfos, ConfigValueInfo, Hidden, Providers, RawConfig, Resolved};
use lockgate_model::package::{ConfigType, PluginInfo, PluginKind};

use crate::desired::Config;
use crate::event::Start;
use crate::registry::Registry;

/// Resolves a configuration; files are read beside the runtime's threads.
pub(crate) async fn resolve(providers: &Providers, raw: RawConfig) -> Resolved {
    if !providers.concern(raw.values().flatten()) {
        return providers.resolve(&raw); // reads nothing
    }
    let providers = providers.clone();
    let resolving = tokio::task::spawn_blocking(move || providers.resolve(&raw));
    resolving.await.unwrap_or_else(|defect| std::panic::resume_unwind(defect.into_panic()))
}

/// Likewise, of a stored configuration.
pub(crate) async fn resolve_stored(providers: &Providers, config: &Config) -> Resolved {
    resolve(providers, config.iter().map(|(key, value)| (key.clone(), Some(value.clone()))).collect()).await
}

/// Puts values into what a task is started with. The answer hides them, and the passwords that were written out.
pub(crate) async fn open(providers: &Providers, registry: &Registry, start: &mut Start) -> Result<Hidden, String> {
    let connector = resolve_stored(providers, &start.connector).await;
    let task = resolve_stored(providers, &start.task).await;
    if let Some(problem) = connector.problem().or_else(|| task.problem()) {
        return Err(problem);
    }
    (start.connector, start.task) = (connector.settings(), task.settings());
    let mut hidden = connector.hidden.and(&task.hidden);
    for value in passwords(registry, &start.connector) {
        hidden.hide(value);
    }
    Ok(hidden)
}

/// Values of the password settings of the connector's plugin and of its transforms.
fn passwords<'a>(registry: &Registry, config: &'a Config) -> Vec<&'a String> {
    let of = |prefix: &str, plugin: &PluginInfo| -> Vec<&'a String> {
        let secret = plugin.config.iter().filter(|definition| definition.config_type == ConfigType::Password);
        secret.filter_map(|definition| config.get(&format!("{prefix}{}", definition.name))).collect()
    };
    let mut found = registry.connector(config).map_or_else(|_| Vec::new(), |found| of("", &found.plugin));
    for alias in config.get("transforms").into_iter().flat_map(|list| list.split(',')).map(str::trim) {
        let prefix = format!("transforms.{alias}.");
        let class = config.get(&format!("{prefix}type")).map_or("", String::as_str);
        if let Ok(transform) = registry.find(class, &[PluginKind::Transform], None) {
            found.extend(of(&prefix, &transform.plugin));
        }
    }
    found
}

/// Makes a validation of the resolved configuration one of the raw: references instead of values, and an error for each
/// reference that could not be resolved.
pub(crate) fn mask(infos: &mut ConfigInfos, raw: &RawConfig, resolved: &Resolved) {
    for value in infos.configs.iter_mut().filter_map(|info| info.value.as_mut()) {
        if resolved.keys.contains(&value.name) && value.value.as_deref().is_some_and(|shown| shown != HIDDEN) {
            value.value = raw.get(&value.name).cloned().flatten();
        }
        for text in value.errors.iter_mut().chain(&mut value.recommended_values) {
            *text = resolved.hidden.scrub(text).into_owned();
        }
    }
    for error in &resolved.errors {
        infos.error_count += 1;
        let mut values = infos.configs.iter_mut().filter_map(|info| info.value.as_mut());
        match values.find(|value| value.name == error.key) {
            Some(value) => value.errors.push(error.message.clone()),
            None => infos.configs.insert(0, unknown(&error.key, raw, &error.message)),
        }
    }
}

fn unknown(key: &str, raw: &RawConfig, error: &str) -> ConfigInfo {
    let value = ConfigValueInfo {
        name: key.to_owned(),
        value: raw.get(key).cloned().flatten(),
        recommended_values: Vec::new(),
        errors: vec![error.to_owned()],
        visible: true,
    };
    ConfigInfo { definition: None, value: Some(value) }
}
