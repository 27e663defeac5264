//! What ought to be: the content of the config log, as a value.
//!
//! Enters: [`Change`]s, replayed from the log at start and applied again once a write is durable. Leaves: connectors with
//! their configuration, target state and committed task configurations. Invariant: pure; the same changes in the same
//! order give the same state, so a worker that was killed comes back to what its log says. A set of task configurations
//! is one change: when the records of a set count is the log's own rule, and stands there.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use crate::view::TargetState;

/// A configuration as it stands in the log.
pub(crate) type Config = IndexMap<String, String>;

/// One change of the config log: a record, or a set of task records with its commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// `connector-C`; `None` deletes.
    Connector { name: String, config: Option<Config> },
    /// `target-state-C`; `None` = back to running.
    Target { name: String, target: Option<TargetState> },
    /// `task-C-N` by number, and the `commit-C` that makes them count.
    Tasks { name: String, tasks: Vec<Config> },
}

/// One connector that ought to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// Raw configuration.
    pub config: Config,
    /// Target state.
    pub target: TargetState,
    /// Committed task configurations by number.
    pub tasks: Vec<Config>,
    /// The connector configuration for which `tasks` were made; `None` if they must be made again.
    pub made_for: Option<Config>,
}

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Desired {
    connectors: BTreeMap<String, Wanted>,
    /// Targets that came before their connector (`initial_state` is written first).
    early_targets: BTreeMap<String, TargetState>,
}

impl Desired {
    pub(crate) fn apply(&mut self, change: Change) {
        match change {
            Change::Connector { name, config: Some(config) } => self.set_config(name, config),
            Change::Connector { name, config: None } => drop(self.connectors.remove(&name)),
            Change::Target { name, target } => self.set_target(name, target),
            Change::Tasks { name, tasks } => {
                if let Some(wanted) = self.connectors.get_mut(&name) {
                    wanted.made_for = Some(wanted.config.clone());
                    wanted.tasks = tasks;
                }
            }
        }
    }

    /// Takes over what a log says of a connector. `tasks`: the committed set, with the configuration that was in force
    /// when it was committed; `None` if there is no usable one.
    pub(crate) fn restore(
        &mut self,
        name: String,
        config: Config,
        target: TargetState,
        tasks: Option<(Vec<Config>, Config)>,
    ) {
        let (tasks, made_for) = tasks.map_or((Vec::new(), None), |(tasks, applied)| (tasks, Some(applied)));
        self.connectors.insert(name, Wanted { config, target, tasks, made_for });
    }

    pub(crate) fn wanted(&self, name: &str) -> Option<&Wanted> {
        self.connectors.get(name)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &String> {
        self.connectors.keys()
    }

    fn set_config(&mut self, name: String, config: Config) {
        let target = self.early_targets.remove(&name);
        let wanted = self.connectors.entry(name).or_default();
        wanted.config = config;
        if let Some(target) = target {
            wanted.target = target;
        }
    }

    fn set_target(&mut self, name: String, target: Option<TargetState>) {
        match (self.connectors.get_mut(&name), target) {
            (Some(wanted), target) => wanted.target = target.unwrap_or_default(),
            (None, Some(target)) => drop(self.early_targets.insert(name, target)),
            (None, None) => drop(self.early_targets.remove(&name)),
        }
    }
}

impl Wanted {
    /// True if the log already says exactly this: then nothing is written and no task restarts.
    pub(crate) fn has_tasks(&self, made: &[Config]) -> bool {
        self.made_for.as_ref() == Some(&self.config) && self.tasks == made
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn config(value: &str) -> Config {
        Config::from([("k".to_owned(), value.to_owned())])
    }

    fn replay(changes: impl IntoIterator<Item = Change>) -> Desired {
        let mut desired = Desired::default();
        changes.into_iter().for_each(|c| desired.apply(c));
        desired
    }

    fn connector(value: &str) -> Change {
        Change::Connector { name: "c".to_owned(), config: Some(config(value)) }
    }

    fn tasks(value: &str) -> Change {
        Change::Tasks { name: "c".to_owned(), tasks: vec![config(value)] }
    }

    #[test]
    fn a_changed_config_wants_its_tasks_made_again_even_if_they_are_equal() {
        let mut desired = replay([connector("1"), tasks("a")]);
        assert!(desired.wanted("c").unwrap().has_tasks(&[config("a")]));
        desired.apply(connector("2"));
        assert!(!desired.wanted("c").unwrap().has_tasks(&[config("a")]));
    }

    #[test]
    fn an_initial_state_written_before_the_config_holds_and_a_config_does_not_touch_the_target() {
        let early = Change::Target { name: "c".to_owned(), target: Some(TargetState::Paused) };
        let mut desired = replay([early, connector("1")]);
        assert_eq!(desired.wanted("c").unwrap().target, TargetState::Paused);
        desired.apply(connector("2"));
        assert_eq!(desired.wanted("c").unwrap().target, TargetState::Paused);
    }

    #[test]
    fn a_deleted_connector_is_gone_and_a_late_set_of_its_tasks_changes_nothing() {
        let gone = [
            Change::Connector { name: "c".to_owned(), config: None },
            Change::Target { name: "c".to_owned(), target: None },
        ];
        let all = [connector("1")].into_iter().chain(gone).chain([tasks("a")]);
        assert_eq!(replay(all), Desired::default());
    }
}
