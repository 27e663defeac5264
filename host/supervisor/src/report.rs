//! What the control loop shows: views made from its state.
//!
//! Enters: the state, borrowed. Leaves: views, or Kafka Connect's texts for what is not there. Invariant: reads only, and shows
//! what tasks said last, not what was last written (L8).

use std::sync::Arc;

use indexmap::IndexMap;

use crate::control::Control;
use crate::desired::Wanted;
use crate::error::SupervisorError;
use crate::health;
use crate::view::{
    ConnectorInfo, ConnectorMetricsView, ConnectorState, ConnectorStateInfo, ConnectorType, Expanded, Health,
    MetricsView, State, StepView, TargetState, TaskInfo, TaskMetricsView, TaskRef,
};
use lockgate_config::{Part, value};
use lockgate_model::TaskId;
use lockgate_model::package::PluginKind;

impl Control {
    pub(super) fn info(&self, name: &str) -> Result<ConnectorInfo, SupervisorError> {
        let wanted = self.desired.wanted(name).ok_or_else(|| not_found(name))?;
        let task = |(task, _)| TaskRef { connector: name.to_owned(), task };
        Ok(ConnectorInfo {
            name: name.to_owned(),
            config: wanted.config.clone(),
            tasks: (0..).zip(&wanted.tasks).map(task).collect(),
            connector_type: self.connector_type(&wanted.config),
        })
    }

    /// Every connector, with what is asked for; in one go, so that many are shown as they are at one moment.
    pub(super) fn expanded(&self, info: bool, status: bool) -> IndexMap<String, Expanded> {
        let one = |name: &String| Expanded {
            info: info.then(|| self.info(name).ok()).flatten(),
            status: status.then(|| self.status(name).ok()).flatten(),
        };
        // One that has only just been written has no status yet, and is left out.
        let whole = |one: &Expanded| one.info.is_some() == info && one.status.is_some() == status;
        self.desired.names().map(|name| (name.clone(), one(name))).filter(|(_, one)| whole(one)).collect()
    }

    pub(super) fn status(&self, name: &str) -> Result<ConnectorStateInfo, SupervisorError> {
        let missing = || SupervisorError::not_found(format!("No status found for connector {name}"));
        let connector = self.connectors.get(name).ok_or_else(missing)?;
        let wanted = self.desired.wanted(name).ok_or_else(missing)?;
        let worker_id = &self.setup.worker_id;
        Ok(ConnectorStateInfo {
            name: name.to_owned(),
            connector: ConnectorState {
                state: connector.state,
                worker_id: worker_id.clone(),
                version: connector.version.clone(),
                trace: connector.trace.clone(),
            },
            health: self.health(name, connector.state, wanted),
            tasks: self.slots.of(name).map(|(n, slot)| slot.view(n, worker_id, self.setup.stalled_after)).collect(),
            connector_type: self.connector_type(&wanted.config),
        })
    }

    /// What keeps a connector from getting on: its tasks could not be stored, or are still being made for what it was last
    /// told. The second ends in the very step in which the states of the tasks begin to be those of the new ones.
    fn health(&self, name: &str, state: State, wanted: &Wanted) -> Option<Health> {
        let stuck = self.retries.of(name).map(health::of_connector);
        let busy = self.lanes.get(name).map(|lane| lane.since).filter(|_| wanted.target == TargetState::Running);
        let behind = wanted.made_for.as_ref() != Some(&wanted.config);
        let applies = busy.filter(|_| behind || matches!(state, State::Unassigned | State::Restarting));
        stuck.or_else(|| applies.map(health::of_change))
    }

    pub(super) fn tasks(&self, name: &str) -> Result<Vec<TaskInfo>, SupervisorError> {
        let wanted = self.desired.wanted(name).ok_or_else(|| not_found(name))?;
        let info = |(task, config): (u32, &crate::desired::Config)| TaskInfo {
            id: TaskRef { connector: name.to_owned(), task },
            config: config.clone(),
        };
        Ok((0..).zip(&wanted.tasks).map(info).collect())
    }

    pub(super) fn metrics(&self) -> MetricsView {
        let type_of =
            |name: &str| self.desired.wanted(name).map_or(ConnectorType::Unknown, |w| self.connector_type(&w.config));
        let connectors = self.connectors.iter().map(|(name, connector)| ConnectorMetricsView {
            name: name.clone(),
            connector_type: type_of(name),
            class: self.desired.wanted(name).and_then(|w| w.config.get("connector.class").cloned()).unwrap_or_default(),
            version: connector.version.clone(),
            state: connector.state,
            converters: self.converters_of(name),
            steps: self.steps_of(name),
        });
        let tasks = self.slots.all().map(|(key, slot)| TaskMetricsView {
            id: self.task_id(&key.connector, key.task),
            connector_type: type_of(&key.connector),
            state: slot.state,
            health: slot.health(self.setup.stalled_after),
            metrics: Arc::clone(&slot.metrics),
        });
        MetricsView {
            connectors: connectors.collect(),
            tasks: tasks.collect(),
            leaving: self.slots.leaving(),
            connector_starts: self.starts.view(),
            task_starts: self.slots.starts.view(),
            leader: format!("http://{}/", self.setup.worker_id),
            generation: crate::kafka_logs::GENERATION,
            package_count: self.setup.registry.count(),
        }
    }

    /// Classes of a connector's converters: its own, or the worker's.
    fn converters_of(&self, name: &str) -> [String; 3] {
        let config = self.desired.wanted(name).map(|w| &w.config);
        let own = |part: Part| config.and_then(|config| config.get(part.key())).cloned();
        let mut workers = self.setup.converters.iter();
        Part::ALL.map(|part| {
            let default = workers.next().cloned().unwrap_or_default();
            own(part).unwrap_or(default)
        })
    }

    /// Transforms and the predicates that guard them; those that are not installed are left out.
    fn steps_of(&self, name: &str) -> Vec<StepView> {
        let Some(config) = self.desired.wanted(name).map(|w| &w.config) else { return Vec::new() };
        let text = |key: String| config.get(&key).map_or("", String::as_str);
        let step = |kind: PluginKind, prefix: &str, alias: &str| {
            let version = Some(text(format!("{prefix}.{alias}.plugin.version"))).filter(|v| !v.is_empty());
            let found = self.setup.registry.find(text(format!("{prefix}.{alias}.type")), &[kind], version).ok()?;
            let (class, version) = (found.plugin.class.clone(), found.installed.info.version.clone());
            Some(StepView { alias: alias.to_owned(), class, version, is_predicate: kind == PluginKind::Predicate })
        };
        let aliases = value::list(text("transforms".to_owned()));
        let guards = aliases.iter().map(|alias| text(format!("transforms.{alias}.predicate")));
        let guards = guards.filter(|alias| !alias.is_empty()).map(|p| step(PluginKind::Predicate, "predicates", p));
        let transforms = aliases.iter().map(|alias| step(PluginKind::Transform, "transforms", alias));
        transforms.chain(guards).flatten().collect()
    }

    fn task_id(&self, connector: &str, task: u32) -> TaskId {
        TaskId { tenant: Arc::clone(&self.setup.tenant), connector: connector.into(), task }
    }
}

fn not_found(name: &str) -> SupervisorError {
    SupervisorError::not_found(format!("Connector {name} not found"))
}
