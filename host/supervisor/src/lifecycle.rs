//! The life of a connector: launched, made, paused, restarted, gone.
//!
//! Enters: outcomes of jobs, from `control`. Leaves: reported states, further jobs, wishes for tasks. Invariant: tasks
//! follow the desired state, which follows the log; a connector that failed keeps the tasks that it has, as in Kafka
//! Connect.

use std::collections::BTreeSet;
use std::time::Instant;

use crate::control::{Connector, Control, answer};
use crate::desired::Change;
use crate::error::SupervisorError;
use crate::event::{Action, After, Also, Job, Made, MadeFor, Order, Report, Reported, TaskKey};
use crate::request::Reply;
use crate::view::{ConnectorStateInfo, PutOutcome, RestartOptions, State, TargetState};

impl Control {
    /// Brings a connector to its target state. True if a job holds the lane.
    pub(super) fn launch(&mut self, name: &str, made: MadeFor, _now: Instant) -> bool {
        let Some(wanted) = self.desired.wanted(name) else { return false };
        let (target, config) = (wanted.target, wanted.config.clone());
        match target {
            TargetState::Running => {
                self.starts.attempt();
                if !self.connectors.contains_key(name) {
                    self.set(name, State::Unassigned, None, None);
                }
                self.run(Job::Make { name: name.to_owned(), config, made });
                true
            }
            TargetState::Paused | TargetState::Stopped => {
                let state = if target == TargetState::Paused { State::Paused } else { State::Stopped };
                let version = self.setup.registry.version_of(&config);
                self.set(name, state, None, version);
                self.answer_restart(name, made);
                false
            }
        }
    }

    /// The plugin has said what tasks it wants. True if a job holds the lane.
    pub(super) fn made(&mut self, name: &str, outcome: Result<Made, String>, made: MadeFor, now: Instant) -> bool {
        let Some(wanted) = self.desired.wanted(name) else { return false };
        match outcome {
            Err(trace) => {
                self.starts.ended(false);
                self.fail(name, trace);
                self.reconcile(name, false, made.also, now);
                self.answer_restart(name, made);
                false
            }
            Ok(Made { version, tasks }) => {
                let current = wanted.has_tasks(&tasks);
                self.starts.ended(true);
                self.set(name, State::Running, None, Some(version));
                if current {
                    self.retries.over(name);
                    self.reconcile(name, false, made.also, now);
                    self.answer_restart(name, made);
                    return false;
                }
                let changes = vec![Change::Tasks { name: name.to_owned(), tasks }];
                self.run(Job::Write { name: name.to_owned(), changes, after: After::Tasks { made } });
                true
            }
        }
    }

    /// A write is durable, or failed. True if a job holds the lane.
    pub(super) fn written(
        &mut self,
        name: &str,
        outcome: Result<Vec<Change>, SupervisorError>,
        after: After,
        now: Instant,
    ) -> bool {
        let changes = match outcome {
            Ok(changes) => changes,
            Err(error) => {
                self.write_failed(name, &error, after, now);
                return false;
            }
        };
        // With an unchanged connector only those tasks restart whose own configuration is another.
        let same = self.desired.wanted(name).is_some_and(|w| w.made_for.as_ref() == Some(&w.config));
        for change in changes {
            self.desired.apply(change);
        }
        match after {
            After::Put { created, reply } => {
                answer(reply, self.info(name).map(|info| PutOutcome { created, info }));
                self.launch(name, MadeFor::default(), now)
            }
            After::Delete { reply } => {
                self.remove(name, now);
                answer(reply, Ok(()));
                false
            }
            After::Target { reply } => {
                let held = self.retarget(name, now);
                answer(reply, Ok(()));
                held
            }
            After::Tasks { made } => {
                self.retries.over(name);
                self.reconcile(name, !same, made.also, now);
                self.answer_restart(name, made);
                false
            }
        }
    }

    fn write_failed(&mut self, name: &str, error: &SupervisorError, after: After, now: Instant) {
        match after {
            After::Put { reply, .. } => answer(reply, Err(error.clone())),
            After::Delete { reply } | After::Target { reply } => answer(reply, Err(error.clone())),
            After::Tasks { made } => {
                // The connector itself is well, and so are the tasks that it has; its status says what they lack.
                tracing::warn!(connector = name, %error, "the task configurations have to wait");
                self.retries.failed(name, format!("the task configurations could not be stored: {error}"), now);
                self.answer_restart(name, made);
            }
        }
    }

    fn retarget(&mut self, name: &str, now: Instant) -> bool {
        let Some(target) = self.desired.wanted(name).map(|w| w.target) else { return false };
        let failed = self.connectors.get(name).is_some_and(|c| c.state == State::Failed);
        match target {
            TargetState::Stopped => {
                let version = self.connectors.get(name).and_then(|c| c.version.clone());
                self.set(name, State::Stopped, None, version);
                self.reconcile(name, false, Also::None, now);
                false
            }
            TargetState::Paused => {
                self.slots.tell(name, Order::Pause, &mut self.out);
                !failed && self.launch(name, MadeFor::default(), now)
            }
            TargetState::Running => {
                self.slots.tell(name, Order::Resume, &mut self.out);
                !failed && self.launch(name, MadeFor::default(), now)
            }
        }
    }

    fn remove(&mut self, name: &str, now: Instant) {
        self.reconcile(name, false, Also::None, now);
        self.connectors.remove(name);
        self.retries.over(name);
        self.out.push(Action::Report(Report { task: None, connector: name.to_owned(), state: None }));
        self.out.push(Action::ForgetLogs(name.to_owned()));
    }

    /// A guest wants its tasks made again: only heard while the connector runs.
    pub(super) fn reconfigure(&mut self, name: &str, now: Instant) -> bool {
        let running = self.connectors.get(name).is_some_and(|c| c.state == State::Running);
        if !running {
            self.retries.over(name);
        }
        running && self.launch(name, MadeFor::default(), now)
    }

    /// A package was installed. Tasks that crashed with another version of it than they would get now are tried again.
    pub(super) fn installed(&mut self, now: Instant) {
        let of = |name: &str| self.desired.wanted(name).and_then(|w| self.setup.registry.version_of(&w.config));
        let other = |(name, version): &(&str, Option<&str>)| of(name).is_some_and(|new| *version != Some(new.as_str()));
        let names: BTreeSet<String> = self.slots.quarantined().filter(other).map(|(name, _)| name.to_owned()).collect();
        for name in names {
            self.upgrade(name, now);
        }
    }

    /// A value behind the configuration changed: the connector and all its tasks start anew with it.
    pub(super) fn reload(&mut self, name: &str, now: Instant) -> bool {
        if self.desired.wanted(name).is_none() {
            return false;
        }
        tracing::info!(connector = name, "a value that its configuration refers to has changed: it is restarted");
        self.launch_with(name, Also::All, now)
    }

    pub(super) fn restart(
        &mut self,
        name: &str,
        options: RestartOptions,
        reply: Reply<ConnectorStateInfo>,
        now: Instant,
    ) -> bool {
        let Some(connector) = self.connectors.get(name) else {
            answer(reply, Err(SupervisorError::not_found(format!("Unknown connector: {name}"))));
            return false;
        };
        let RestartOptions { include_tasks, only_failed } = options;
        let also = match (include_tasks, only_failed) {
            (false, _) => Also::None,
            (true, true) => Also::Failed,
            (true, false) => Also::All,
        };
        let chosen = !only_failed || connector.state == State::Failed;
        let version = connector.version.clone();
        if !include_tasks && !only_failed {
            self.set(name, State::Restarting, None, version);
            return self.launch(name, MadeFor { also, reply: Some(reply) }, now);
        }
        answer(reply, self.planned(name, chosen, also));
        if chosen {
            self.set(name, State::Restarting, None, version);
            return self.launch_with(name, also, now);
        }
        self.reconcile(name, false, also, now);
        false
    }

    /// Launches; where nothing is to be made (paused, stopped), tasks restart at once.
    pub(super) fn launch_with(&mut self, name: &str, also: Also, now: Instant) -> bool {
        let held = self.launch(name, MadeFor { also, reply: None }, now);
        if !held {
            self.reconcile(name, false, also, now);
        }
        held
    }

    fn planned(&self, name: &str, chosen: bool, also: Also) -> Result<ConnectorStateInfo, SupervisorError> {
        let mut planned = self.status(name)?;
        planned.health = self.retries.of(name).map(crate::health::of_connector);
        if chosen {
            planned.connector.state = State::Restarting;
        }
        for task in &mut planned.tasks {
            if also == Also::All || (also == Also::Failed && task.state == State::Failed) {
                task.state = State::Restarting;
            }
        }
        Ok(planned)
    }

    pub(super) fn restart_task(&mut self, key: &TaskKey, now: Instant) -> Result<(), SupervisorError> {
        let name = &key.connector;
        let wanted = self.desired.wanted(name);
        let wanted = wanted.ok_or_else(|| SupervisorError::not_found(format!("Unknown connector: {name}")))?;
        if self.slots.restart(key, wanted, now, &mut self.out) {
            return Ok(());
        }
        Err(SupervisorError::not_found(format!("Unknown task: {name}-{}", key.task)))
    }

    pub(super) fn reconcile(&mut self, name: &str, changed: bool, also: Also, now: Instant) {
        self.slots.reconcile(name, self.desired.wanted(name), changed, also, now, &mut self.out);
    }

    pub(super) fn fail(&mut self, name: &str, trace: String) {
        if self.desired.wanted(name).is_some() {
            self.set(name, State::Failed, Some(trace), None);
        }
    }

    fn answer_restart(&mut self, name: &str, made: MadeFor) {
        if let Some(reply) = made.reply {
            answer(reply, self.status(name));
        }
    }

    fn set(&mut self, name: &str, state: State, trace: Option<String>, version: Option<String>) {
        let reported = Reported { state, trace: trace.clone(), version: version.clone() };
        self.connectors.insert(name.to_owned(), Connector { state, trace, version });
        self.out.push(Action::Report(Report { task: None, connector: name.to_owned(), state: Some(reported) }));
    }
}
