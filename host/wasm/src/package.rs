//! stub
use std::sync::Arc;

use lockgate_model::package::{ConfigAdvice, PackageInfo, PluginInfo, PluginKind};
use lockgate_model::GuestError;

use crate::{Segment, Sink, Source, Step, TaskSpec};

/// A loaded package.
pub struct Package {
    info: PackageInfo,
}

impl Package {
    /// What it says of itself.
    pub fn info(&self) -> &PackageInfo {
        &self.info
    }

    /// The plugin of this class (or alias) and kind.
    pub fn plugin(&self, class: &str, kind: PluginKind) -> Option<&Arc<PluginInfo>> {
        let named = |p: &&Arc<PluginInfo>| p.kind == kind && (p.class == class || p.aliases.iter().any(|a| a == class));
        self.info.plugins.iter().find(named)
    }

    /// Asks the plugin about its configuration.
    pub async fn validate(&self, class: &str, config: &[(String, String)]) -> Result<Vec<ConfigAdvice>, GuestError> {
        unimplemented!("{class}{}", config.len())
    }

    /// Splits the connector's work into task configurations.
    pub async fn tasks(
        &self,
        kind: PluginKind,
        class: &str,
        connector: &str,
        config: &[(String, String)],
        max: u32,
    ) -> Result<Vec<Vec<(String, String)>>, GuestError> {
        unimplemented!("{kind:?}{class}{connector}{max}{}", config.len())
    }

    /// A source task.
    pub fn source(self: &Arc<Self>, spec: TaskSpec) -> Source {
        Source { package: Arc::clone(self), spec }
    }

    /// A sink task.
    pub fn sink(self: &Arc<Self>, spec: TaskSpec) -> Sink {
        Sink { package: Arc::clone(self), spec }
    }

    /// One segment of a chain.
    pub fn segment(self: &Arc<Self>, spec: TaskSpec, steps: Vec<Step>) -> Segment {
        let names = steps.iter().map(|s| (s.alias.as_str().into(), s.class.as_str().into())).collect();
        Segment { package: Arc::clone(self), spec, steps, names }
    }
}
