//! What only the running worker knows of a key: the version that would be taken, what may be chosen, whether it is shown.
//!
//! Enters: definitions and checked values. Leaves: defaults as Kafka Connect shows them, recommended values. Invariant:
//! only what is shown changes here; what a configuration means does not depend on it.

use std::collections::{HashMap, HashSet};

use lockgate_model::package::PluginKind;

use crate::RawConfig;
use crate::converters::{self, ConverterSpec, Part};
use crate::definitions::Known;
use crate::error::ConfigError;
use crate::reading::Settings;
use crate::worker::WorkerConfig;

use super::Catalog;

/// Of all keys.
#[derive(Debug, Default)]
pub struct Shown {
    recommended: HashMap<String, Vec<String>>,
    invisible: HashSet<String>,
}

impl Shown {
    /// Fills in the defaults of versions and converters.
    pub fn fill(
        known: &mut [Known],
        settings: &mut Settings,
        kind: PluginKind,
        raw: &RawConfig,
        worker: &WorkerConfig,
        catalog: &dyn Catalog,
    ) -> Self {
        let mut shown = Self::default();
        let class = settings.filled("connector.class").unwrap_or_default().to_owned();
        let versions = catalog.versions(kind, &class);
        shown.version("connector.plugin.version", versions, known, settings, raw);
        for part in Part::ALL {
            shown.converter(part, known, settings, raw, worker, catalog);
        }
        for (kind, prefix) in [(PluginKind::Transform, "transforms"), (PluginKind::Predicate, "predicates")] {
            for alias in settings.list(prefix).to_vec() {
                let key = format!("{prefix}.{alias}.type");
                let class = settings.filled(&key).unwrap_or_default().to_owned();
                shown.recommended.insert(key, catalog.classes(kind));
                let versions = catalog.versions(kind, &class);
                shown.version(&format!("{prefix}.{alias}.plugin.version"), versions, known, settings, raw);
            }
        }
        shown
    }

    /// What may be chosen.
    pub fn recommended(&self, key: &str) -> Vec<String> {
        self.recommended.get(key).cloned().unwrap_or_default()
    }

    /// True if Kafka Connect hides it.
    pub fn is_invisible(&self, key: &str) -> bool {
        self.invisible.contains(key)
    }

    fn version(
        &mut self,
        key: &str,
        versions: Vec<String>,
        known: &mut [Known],
        settings: &mut Settings,
        raw: &RawConfig,
    ) {
        set_default(key, versions.first().cloned(), known, settings, raw);
        self.recommended.insert(key.to_owned(), versions);
    }

    fn converter(
        &mut self,
        part: Part,
        known: &mut [Known],
        settings: &mut Settings,
        raw: &RawConfig,
        worker: &WorkerConfig,
        catalog: &dyn Catalog,
    ) {
        let (key, version) = (part.key(), format!("{}.plugin.version", part.key()));
        let inherited: &ConverterSpec = worker.converters.of(part);
        let spec = converters::own(raw, part).unwrap_or_else(|| inherited.clone());
        set_default(key, Some(inherited.class.clone()), known, settings, raw);
        self.recommended.insert(key.to_owned(), catalog.converter_classes(part));
        let problems = catalog.converter(part, &spec).err().unwrap_or_default();
        if problems.iter().any(|(setting, _)| setting.is_empty()) {
            settings.forget(key);
            self.invisible.insert(version);
            return;
        }
        let installed = catalog.converter_version(&spec.class, None).into_iter().collect();
        self.version(&version, installed, known, settings, raw);
        let wish = settings.filled(&version).map(str::to_owned);
        if let Err(text) = catalog.converter_version(&spec.class, wish.as_deref()) {
            for key in [key, version.as_str()] {
                settings.blame(key, ConfigError::new(key, &text));
            }
        }
    }
}

fn set_default(key: &str, default: Option<String>, known: &mut [Known], settings: &mut Settings, raw: &RawConfig) {
    let Some(known) = known.iter_mut().find(|known| known.definition.name == key) else { return };
    known.definition.default_value = default;
    if raw.get(key).is_none_or(|given| given.as_deref().is_none_or(str::is_empty)) {
        settings.fill(known);
    }
}
