//! What ought to be: the content of the config log, as a value.
//!
//! Enters: [`Change`]s, replayed from the log at start and applied again once a write is durable. Leaves: connectors with
//! their configuration, target state and committed task configurations. Invariant: pure; the same changes in the same
//! order give the same state, so a worker that was killed comes back to what its log says. Rules: Kafka Connect's config
//! topic (task configurations count only from their commit on; an incomplete set counts as none).

use std::collections::BTreeMap;

use indexmap::IndexMap;

use crate::view::TargetState;

/// A configuration as it stands in the log.
pub(crate) type Config = IndexMap<String, String>;

/// One record of the config log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// `connector-C`; `None` deletes.
    Connector { name: String, config: Option<Config> },
    /// `target-state-C`; `None` = back to running.
    Target { name: String, target: Option<TargetState> },
    /// `task-C-N`: counts from the next commit on.
    Task { name: String, task: u32, config: Config },
    /// `commit-C`.
    Commit { name: String, tasks: u32 },
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
    /// Task configurations since the last commit.
    uncommitted: BTreeMap<String, BTreeMap<u32, Config>>,
}

impl Desired {
    pub(crate) fn apply(&mut self, change: Change) {
        match change {
            Change::Connector { name, config: Some(config) } => self.set_config(name, config),
            Change::Connector { name, config: None } => {
                self.connectors.remove(&name);
                self.uncommitted.remove(&name);
            }
            Change::Target { name, target } => self.set_target(name, target),
            Change::Task { name, task, config } => {
                self.uncommitted.entry(name).or_default().insert(task, config);
            }
            Change::Commit { name, tasks } => self.commit(&name, tasks),
        }
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

    fn commit(&mut self, name: &str, count: u32) {
        let mut fresh = self.uncommitted.remove(name).unwrap_or_default();
        let Some(wanted) = self.connectors.get_mut(name) else { return };
        let tasks: Vec<Config> = (0..count).map_while(|n| fresh.remove(&n)).collect();
        let complete = tasks.len() == count as usize;
        wanted.made_for = complete.then(|| wanted.config.clone());
        wanted.tasks = if complete { tasks } else { Vec::new() };
    }
}

impl Wanted {
    /// True if the log already says exactly this: then nothing is written and no task restarts.
    pub(crate) fn has_tasks(&self, made: &[Config]) -> bool {
        self.made_for.as_ref() == Some(&self.config) && self.tasks == made
    }
}

/// The records that bring in new task configurations.
pub(crate) fn task_changes(name: &str, tasks: Vec<Config>) -> Vec<Change> {
    let count = u32::try_from(tasks.len()).unwrap_or(u32::MAX);
    let numbered = (0..count).zip(tasks);
    let mut changes: Vec<Change> =
        numbered.map(|(task, config)| Change::Task { name: name.to_owned(), task, config }).collect();
    changes.push(Change::Commit { name: name.to_owned(), tasks: count });
    changes
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

    #[test]
    fn task_configs_count_only_from_their_commit_on() {
        let mut desired = replay([connector("1")]);
        let changes = task_changes("c", vec![config("a"), config("b")]);
        let (commit, tasks) = changes.split_last().unwrap();
        tasks.iter().cloned().for_each(|c| desired.apply(c));
        assert!(desired.wanted("c").unwrap().tasks.is_empty());
        desired.apply(commit.clone());
        assert_eq!(desired.wanted("c").unwrap().tasks, [config("a"), config("b")]);
    }

    #[test]
    fn an_incomplete_set_of_task_configs_counts_as_none() {
        let mut changes = task_changes("c", vec![config("a"), config("b")]);
        changes.remove(0);
        let desired = replay([connector("1")].into_iter().chain(changes));
        let wanted = desired.wanted("c").unwrap();
        assert!(wanted.tasks.is_empty() && wanted.made_for.is_none());
    }

    #[test]
    fn a_changed_config_wants_its_tasks_made_again_even_if_they_are_equal() {
        let mut desired = replay([connector("1")].into_iter().chain(task_changes("c", vec![config("a")])));
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
    fn a_deleted_connector_is_gone_and_its_late_commit_clears_leftovers() {
        let gone = [
            Change::Connector { name: "c".to_owned(), config: None },
            Change::Target { name: "c".to_owned(), target: None },
        ];
        let all = [connector("1")].into_iter().chain(gone).chain(task_changes("c", vec![config("a")]));
        assert_eq!(replay(all), Desired::default());
    }
}
