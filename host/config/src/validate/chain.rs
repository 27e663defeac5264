//! Keys of transforms, predicates and topic-creation groups.
//!
//! Enters: the aliases of a configuration. Leaves: definitions below their prefixes, errors of their classes. Invariant: an
//! alias whose class is not there has its class and version only, as in Kafka Connect.

use lockgate_model::package::{Importance, PluginKind};

use crate::RawConfig;
use crate::definitions::{Known, of_alias, of_plugin};
use crate::error::ConfigError;
use crate::nearest::nearest;
use crate::reading::Settings;
use crate::topic_creation::TopicCreationSpec;

use super::{Catalog, Found};

/// Kind, prefix and heading.
const CHAINS: [(PluginKind, &str, &str); 2] =
    [(PluginKind::Transform, "transforms", "Transforms"), (PluginKind::Predicate, "predicates", "Predicates")];

/// All definitions, with their headings in order.
pub fn keys(
    settings: &Settings,
    raw: &RawConfig,
    kind: PluginKind,
    catalog: &dyn Catalog,
) -> (Vec<Known>, Vec<String>) {
    let mut keys = Vec::new();
    if kind == PluginKind::Source {
        keys.extend(TopicCreationSpec::definitions(settings.list("topic.creation.groups"), raw));
    }
    for (kind, prefix, heading) in CHAINS {
        for alias in settings.list(prefix) {
            keys.extend(of_one(kind, prefix, heading, alias, settings, catalog));
        }
    }
    let headings = keys.iter().map(|key| key.definition.group.clone()).collect();
    (keys, headings)
}

fn of_one(
    kind: PluginKind,
    prefix: &str,
    heading: &str,
    alias: &str,
    settings: &Settings,
    catalog: &dyn Catalog,
) -> Vec<Known> {
    let mut frame = of_alias(kind, alias);
    let implicit = frame.split_off(2);
    let Found::Plugin(info) = look_up(kind, prefix, alias, settings, catalog) else { return frame };
    let mut own = of_plugin(&format!("{prefix}.{alias}."), &info);
    // What the framework takes for itself masks keys of the same name.
    own.retain(|key| frame.iter().chain(&implicit).all(|k| k.definition.name != key.definition.name));
    own.extend(implicit);
    own.sort_by(|a, b| {
        let rank = |known: &Known| (!known.definition.required, importance(known.definition.importance));
        rank(a).cmp(&rank(b)).then_with(|| a.definition.name.cmp(&b.definition.name))
    });
    for (order, mut key) in (2..).zip(own) {
        key.definition.group = format!("{heading}: {alias}");
        key.order = order;
        frame.push(key);
    }
    frame
}

const fn importance(importance: Importance) -> u8 {
    match importance {
        Importance::High => 0,
        Importance::Medium => 1,
        Importance::Low => 2,
    }
}

fn look_up(kind: PluginKind, prefix: &str, alias: &str, settings: &Settings, catalog: &dyn Catalog) -> Found {
    let text = |name: &str| settings.filled(&format!("{prefix}.{alias}.{name}"));
    text("type").map_or(Found::NoClass, |class| catalog.find(kind, class, text("plugin.version")))
}

/// Transforms and predicates whose class is not there, or not in the version that was asked for.
pub fn blame_classes(settings: &mut Settings, catalog: &dyn Catalog) {
    for (kind, prefix, _) in CHAINS {
        for alias in settings.list(prefix).to_vec() {
            let key = format!("{prefix}.{alias}.type");
            let Some(class) = settings.filled(&key).map(str::to_owned) else { continue };
            match look_up(kind, prefix, &alias, settings, catalog) {
                Found::Plugin(_) => {}
                Found::NoClass => {
                    let classes = catalog.classes(kind);
                    let near = nearest(&class, classes.iter().map(String::as_str)).map(str::to_owned);
                    let reason = format!("Class {class} could not be found.");
                    settings.refuse(&key, ConfigError::invalid(&key, Some(&class), reason).near(near.as_deref()));
                }
                Found::NoVersion(text) => {
                    let version = format!("{prefix}.{alias}.plugin.version");
                    settings.blame(&key, ConfigError::new(&key, &text));
                    settings.blame(&version, ConfigError::new(&version, text));
                }
            }
        }
    }
}
