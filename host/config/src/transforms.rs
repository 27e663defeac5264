//! `transforms` and `predicates`: the chain that records go through.
//!
//! Enters: a connector's configuration. Leaves: one [`TransformSpec`] per alias, in order, with its predicate resolved.
//! Invariant: every predicate that a transform names exists.

use indexmap::IndexMap;
use lockgate_model::package::PluginKind;

use crate::RawConfig;
use crate::definitions::{Known, framework, of_alias};
use crate::error::{ConfigError, ConfigErrors};
use crate::nearest::nearest;
use crate::reading::Settings;

/// A condition on a transform.
#[derive(Clone, PartialEq, Eq)]
pub struct PredicateSpec {
    /// Name in `predicates`.
    pub alias: String,
    /// Class as the user wrote it.
    pub class: String,
    /// Version or range, if given.
    pub version: Option<String>,
    /// Its own settings, prefix cut off.
    pub config: IndexMap<String, String>,
}

/// One transform.
#[derive(Clone, PartialEq, Eq)]
pub struct TransformSpec {
    /// Name in `transforms`.
    pub alias: String,
    /// Class as the user wrote it.
    pub class: String,
    /// Version or range, if given.
    pub version: Option<String>,
    /// Its own settings, prefix cut off; without `type`, `plugin.version`, `predicate`, `negate`.
    pub config: IndexMap<String, String>,
    /// Runs only where this holds.
    pub predicate: Option<PredicateSpec>,
    /// Runs only where the predicate does not hold.
    pub negate: bool,
}

impl std::fmt::Debug for PredicateSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PredicateSpec").field("alias", &self.alias).field("class", &self.class).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for TransformSpec {
    /// Without settings: they may hold secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("TransformSpec");
        shown.field("alias", &self.alias).field("class", &self.class).field("predicate", &self.predicate);
        shown.field("negate", &self.negate).finish_non_exhaustive()
    }
}

/// Definitions that all named aliases have.
pub fn definitions(transforms: &[String], predicates: &[String]) -> Vec<Known> {
    let of = |kind, aliases: &[String]| aliases.iter().flat_map(|alias| of_alias(kind, alias)).collect::<Vec<_>>();
    [of(PluginKind::Transform, transforms), of(PluginKind::Predicate, predicates)].concat()
}

/// Adds what only several keys together show: undefined predicates, `negate` without a predicate.
pub fn cross_check(settings: &mut Settings, raw: &RawConfig) {
    let predicates = settings.list("predicates").to_vec();
    for alias in settings.list("transforms").to_vec() {
        let key = format!("transforms.{alias}.predicate");
        let negate = format!("transforms.{alias}.negate");
        match settings.filled(&key).map(str::to_owned) {
            Some(wanted) if !predicates.contains(&wanted) => {
                let reason = format!("there is no predicate '{wanted}' in predicates=[{}]", predicates.join(", "));
                let near = nearest(&wanted, predicates.iter().map(String::as_str));
                settings.blame(&key, ConfigError::invalid(&key, Some(&wanted), reason).near(near));
            }
            None if raw.contains_key(&negate) => {
                let text = format!(
                    "Config '{negate}' was provided but there is no config '{key}' defining a predicate to be negated."
                );
                settings.blame(&negate, ConfigError::new(&negate, text));
            }
            _ => {}
        }
    }
}

/// The chain of a configuration that need not be a whole connector's: other keys are not looked at.
pub fn chain(raw: &RawConfig) -> Result<Vec<TransformSpec>, ConfigErrors> {
    let is_list = |known: &&Known| matches!(known.definition.name.as_str(), "transforms" | "predicates");
    let lists: Vec<Known> = framework(PluginKind::Sink).iter().filter(is_list).cloned().collect();
    let first = Settings::read(&lists, raw);
    let dynamic = definitions(first.list("transforms"), first.list("predicates"));
    let mut settings = Settings::read(lists.iter().chain(&dynamic), raw);
    cross_check(&mut settings, raw);
    ConfigErrors::check(settings.errors().cloned().collect())?;
    Ok(parse(&settings, raw))
}

/// The chain. Only to be called once there are no errors: then every class and predicate is there.
pub fn parse(settings: &Settings, raw: &RawConfig) -> Vec<TransformSpec> {
    let aliases = settings.list("transforms").iter();
    aliases.map(|alias| transform(alias, settings, raw)).collect()
}

fn transform(alias: &str, settings: &Settings, raw: &RawConfig) -> TransformSpec {
    let key = |part: &str| format!("transforms.{alias}.{part}");
    let text = |part: &str| settings.filled(&key(part)).map(str::to_owned);
    TransformSpec {
        alias: alias.to_owned(),
        class: text("type").unwrap_or_default(),
        version: text("plugin.version"),
        config: own_settings(raw, &key(""), &["type", "plugin.version", "predicate", "negate"]),
        predicate: text("predicate").map(|name| predicate(&name, settings, raw)),
        negate: settings.flag(&key("negate")),
    }
}

fn predicate(alias: &str, settings: &Settings, raw: &RawConfig) -> PredicateSpec {
    let key = |part: &str| format!("predicates.{alias}.{part}");
    let text = |part: &str| settings.filled(&key(part)).map(str::to_owned);
    PredicateSpec {
        alias: alias.to_owned(),
        class: text("type").unwrap_or_default(),
        version: text("plugin.version"),
        config: own_settings(raw, &key(""), &["type", "plugin.version"]),
    }
}

fn own_settings(raw: &RawConfig, prefix: &str, framework: &[&str]) -> IndexMap<String, String> {
    let below = raw.iter().filter_map(|(key, value)| Some((key.strip_prefix(prefix)?, value.clone()?)));
    below.filter(|(key, _)| !framework.contains(key)).map(|(key, value)| (key.to_owned(), value)).collect()
}
