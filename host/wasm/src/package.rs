//! A loaded package: what it says of itself, and the way to its instances.
//!
//! Enters: a component that passed inspection and compilation. Leaves: descriptions, advice, task configurations, and tasks
//! that can be opened. Invariant: `describe`, `validate`, `tasks` and the consent to altered
//! offsets run in instances of their own, without any grant.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use lockgate_model::package::{ConfigAdvice, PackageInfo, PluginInfo, PluginKind};
use lockgate_model::{GuestError, TaskId};
use wasmtime::component::InstancePre;

use crate::abi::imports::tasks::ConnectorContext;
use crate::abi::info::{self, Facts};
use crate::abi::{exports, settings};
use crate::engine::Core;
use crate::error::PackageError;
use crate::instance::{Budget, HostState, Instance, Shared};
use crate::segment::Segment;
use crate::sink::Sink;
use crate::source::Source;
use crate::spec::{Limits, Step, TaskSpec};

/// CPU and wall-clock time of `describe`, `validate`, `tasks` and `alter`, instantiation included for script languages.
const ASK_DEADLINE: Duration = Duration::from_secs(5);

/// Tasks of one connector at most, whatever its plugin gives, unless it was asked for more.
const TASKS_MAX: usize = 1_000;

/// A loaded package. Instances keep it alive.
pub struct Package {
    core: Arc<Core>,
    pre: InstancePre<HostState>,
    plugin: exports::plugin::GuestIndices,
    pub(crate) source: Option<exports::source::GuestIndices>,
    pub(crate) sink: Option<exports::sink::GuestIndices>,
    pub(crate) transform: Option<exports::transform::GuestIndices>,
    pub(crate) offsets: Option<exports::offsets::GuestIndices>,
    info: Option<PackageInfo>,
    digest: String,
}

impl fmt::Debug for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Package").field("info", &self.info).finish_non_exhaustive()
    }
}

impl Package {
    /// Looks the exports up, checks their types and asks the package who it is.
    pub(crate) async fn describe(
        core: &Arc<Core>,
        pre: InstancePre<HostState>,
        facts: Facts,
    ) -> Result<Arc<Self>, PackageError> {
        let missing = |e: wasmtime::Error| PackageError::MissingExports(vec![format!("{e:#}")]);
        let plugin = exports::plugin::GuestIndices::new(&pre).map_err(missing)?;
        let indices = |wanted: bool| wanted.then_some(&pre);
        let source = indices(facts.source).map(exports::source::GuestIndices::new).transpose().map_err(missing)?;
        let sink = indices(facts.sink).map(exports::sink::GuestIndices::new).transpose().map_err(missing)?;
        let transform =
            indices(facts.transform).map(exports::transform::GuestIndices::new).transpose().map_err(missing)?;
        let offsets = indices(facts.offsets).map(exports::offsets::GuestIndices::new).transpose().map_err(missing)?;
        let digest = facts.digest.clone();
        let core = Arc::clone(core);
        let unknown = Arc::new(Self { core, pre, plugin, source, sink, transform, offsets, info: None, digest });
        let described = unknown.ask_info().await?;
        let info = info::lift(described, facts).map_err(PackageError::BadInfo)?;
        // Its instance is gone, so nobody else holds it.
        let mut package = Arc::into_inner(unknown)
            .ok_or_else(|| PackageError::Compile { message: "the package is still in use".to_owned(), host: true })?;
        package.info = Some(info);
        Ok(Arc::new(package))
    }

    async fn ask_info(self: &Arc<Self>) -> Result<exports::plugin::PackageInfo, PackageError> {
        let shared = self.asking("describe");
        let (mut instance, component) = Instance::new(&shared, &[]).await.map_err(PackageError::Describe)?;
        let wrong = |e: wasmtime::Error| PackageError::MissingExports(vec![format!("{e:#}")]);
        let guest = self.plugin.load(&mut instance.store, &component).map_err(wrong)?;
        // Loading checks the types of all functions: better now than at the first task.
        if let Some(source) = &self.source {
            source.load(&mut instance.store, &component).map_err(wrong)?;
        }
        if let Some(sink) = &self.sink {
            sink.load(&mut instance.store, &component).map_err(wrong)?;
        }
        if let Some(transform) = &self.transform {
            transform.load(&mut instance.store, &component).map_err(wrong)?;
        }
        if let Some(offsets) = &self.offsets {
            offsets.load(&mut instance.store, &component).map_err(wrong)?;
        }
        let call = instance.begin("describe", ASK).map_err(|e| PackageError::Describe(e.into()))?;
        let outcome = call.run(guest.call_describe(&mut instance.store)).await;
        instance.end(&call, outcome).map_err(|e| PackageError::Describe(e.into()))
    }

    /// What it says of itself.
    ///
    /// # Panics
    /// Never: a package without description is not handed out.
    pub fn info(&self) -> &PackageInfo {
        self.info.as_ref().expect("described before it was handed out")
    }

    /// The plugin of this class (or alias) and kind.
    pub fn plugin(&self, class: &str, kind: PluginKind) -> Option<&Arc<PluginInfo>> {
        let named = |p: &&Arc<PluginInfo>| p.kind == kind && (p.class == class || p.aliases.iter().any(|a| a == class));
        self.info().plugins.iter().find(named)
    }

    /// Asks a plugin about its configuration. Only keys that it has something to say about are in the answer.
    ///
    /// # Errors
    /// The plugin trapped or reached a limit.
    pub async fn validate(
        self: &Arc<Self>,
        class: &str,
        config: &[(String, String)],
    ) -> Result<Vec<ConfigAdvice>, GuestError> {
        let shared = self.asking(class);
        let (mut instance, component) = Instance::new(&shared, &[]).await?;
        let guest = self.plugin.load(&mut instance.store, &component);
        let guest = guest.map_err(|e| instance.protocol("validate", format!("{e:#}")))?;
        let call = instance.begin("validate", ASK)?;
        let config = settings(config);
        let outcome = call.run(guest.call_validate(&mut instance.store, &shared.spec.class, &config)).await;
        Ok(info::lift_advice(instance.end(&call, outcome)?))
    }

    /// Splits a connector's work into task configurations. A plugin is asked for at most `max`; whether more of them are
    /// taken is the caller's rule, up to 1,000.
    ///
    /// # Errors
    /// The plugin's fault, or it trapped, reached a limit or broke the contract. Only sources and sinks have tasks.
    pub async fn tasks(
        self: &Arc<Self>,
        kind: PluginKind,
        class: &str,
        connector: &str,
        config: &[(String, String)],
        max: u32,
    ) -> Result<Vec<Vec<(String, String)>>, GuestError> {
        let shared = self.asking(class);
        let (mut instance, component) = Instance::new(&shared, &[]).await?;
        let config = settings(config);
        let context = ConnectorContext { class: &shared.spec.class, connector, config: &config };
        let tasks = match (kind, &self.source, &self.sink) {
            (PluginKind::Source, Some(source), _) => {
                let guest = source.load(&mut instance.store, &component);
                let guest = guest.map_err(|e| instance.protocol("tasks", format!("{e:#}")))?;
                let call = instance.begin("tasks", ASK)?;
                let outcome = call.run(guest.call_tasks(&mut instance.store, context, max)).await;
                instance.answer(&call, outcome, 0)?
            }
            (PluginKind::Sink, _, Some(sink)) => {
                let guest = sink.load(&mut instance.store, &component);
                let guest = guest.map_err(|e| instance.protocol("tasks", format!("{e:#}")))?;
                let call = instance.begin("tasks", ASK)?;
                let outcome = call.run(guest.call_tasks(&mut instance.store, context, max)).await;
                instance.answer(&call, outcome, 0)?
            }
            _ => return Err(instance.protocol("tasks", format!("the package has no {kind:?}"))),
        };
        let bound = TASKS_MAX.max(max as usize);
        if tasks.is_empty() || tasks.len() > bound {
            let why = format!("{} task configurations were given, allowed are 1 to {bound}", tasks.len());
            return Err(instance.protocol("tasks", why));
        }
        Ok(tasks)
    }

    /// A source task.
    pub fn source(self: &Arc<Self>, spec: TaskSpec) -> Source {
        Source::new(Shared::new(self, spec))
    }

    /// A sink task.
    pub fn sink(self: &Arc<Self>, spec: TaskSpec) -> Sink {
        Sink::new(Shared::new(self, spec))
    }

    /// One segment of a chain.
    pub fn segment(self: &Arc<Self>, spec: TaskSpec, steps: Vec<Step>) -> Segment {
        Segment::new(Shared::new(self, spec), steps)
    }

    /// The guest's own class for a class or alias of any kind.
    pub(crate) fn class_of(&self, name: &str) -> Option<&str> {
        let plugins = &self.info.as_ref()?.plugins;
        let own = plugins.iter().find(|p| p.class == name);
        let found = own.or_else(|| plugins.iter().find(|p| p.aliases.iter().any(|a| a == name)));
        found.map(|p| p.class.as_str())
    }

    /// Name and version; before it described itself, its digest.
    pub(crate) fn known_as(&self) -> (String, String) {
        match &self.info {
            Some(info) => (info.name.clone(), info.version.clone()),
            None => (self.digest.clone(), "unknown".to_owned()),
        }
    }

    pub(crate) const fn core(&self) -> &Arc<Core> {
        &self.core
    }

    pub(crate) const fn pre(&self) -> &InstancePre<HostState> {
        &self.pre
    }

    /// A spec without grants, for questions.
    pub(crate) fn asking(self: &Arc<Self>, class: &str) -> Shared {
        let id = TaskId { tenant: "".into(), connector: "".into(), task: 0 };
        let mut spec = TaskSpec::new(id, class);
        spec.limits = Limits { open: ASK_DEADLINE, ..Limits::default() };
        Shared::new(self, spec)
    }
}

pub(crate) const ASK: Budget = Budget { cpu: ASK_DEADLINE, wall: ASK_DEADLINE };
