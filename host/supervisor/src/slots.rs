//! The actual tasks: one slot each, from its start to the end of its future.
//!
//! Enters: wishes (start, restart, retire), news, time. Leaves: actions. Invariant: of one task there is at most one
//! incarnation alive; the next starts only after the one before has ended or was dropped; an incarnation that is told to
//! stop has a deadline.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lockgate_config::RestartSpec;
use lockgate_model::TaskMetrics;
use lockgate_model::metrics::Kind;

use crate::desired::{Config, Wanted};
use crate::event::{Action, Also, News, Order, Report, Reported, Start, TaskKey};
use crate::health;
use crate::restarts::{CrashRecord, Repair};
use crate::starts::Starts;
use crate::view::{Health, State, TargetState, TaskState};

/// One task.
#[derive(Debug)]
pub(crate) struct Slot {
    pub state: State,
    pub trace: Option<String>,
    pub version: Option<String>,
    pub metrics: Arc<TaskMetrics>,
    incarnation: u64,
    phase: Phase,
    /// How a fresh start could help against what it failed of.
    cure: Option<RestartSpec>,
    crashes: CrashRecord,
    /// What happens to it by itself, if it failed.
    repair: Option<Repair>,
    /// Start again when it is over.
    again: bool,
    /// Remove when it is over.
    retired: bool,
    config: Config,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Live,
    Stopping { deadline: Instant, aborted: bool },
    Over,
}

/// All tasks of the worker.
#[derive(Debug)]
pub(crate) struct Slots {
    by_task: BTreeMap<TaskKey, Slot>,
    /// How long a task may take to stop before it is dropped.
    stop_within: Duration,
    incarnations: u64,
    pub starts: Starts,
}

impl Slots {
    pub(crate) fn new(stop_within: Duration) -> Self {
        Self { by_task: BTreeMap::new(), stop_within, incarnations: 0, starts: Starts::default() }
    }

    /// The tasks of a connector that are to be seen.
    pub(crate) fn of<'a>(&'a self, connector: &'a str) -> impl Iterator<Item = (u32, &'a Slot)> {
        let from = TaskKey::new(connector, 0);
        let own = self.by_task.range(from..).take_while(move |(key, _)| key.connector == connector);
        own.filter(|(_, slot)| !slot.retired).map(|(key, slot)| (key.task, slot))
    }

    /// True while a task of the connector, seen or retired, has not ended.
    pub(crate) fn is_alive(&self, connector: &str) -> bool {
        let own = self.by_task.range(TaskKey::new(connector, 0)..).take_while(|(key, _)| key.connector == connector);
        own.into_iter().any(|(_, slot)| slot.phase != Phase::Over)
    }

    /// All tasks that are to be seen.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&TaskKey, &Slot)> {
        self.by_task.iter().filter(|(_, slot)| !slot.retired)
    }

    /// Makes the tasks of a connector what `wanted` says: new ones start, those whose configuration changed (or that
    /// `also` names; with `changed`, all) restart, the rest is retired.
    pub(crate) fn reconcile(
        &mut self,
        connector: &str,
        wanted: Option<&Wanted>,
        changed: bool,
        also: Also,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let tasks = wanted.map_or(&[][..], |w| &w.tasks[..]);
        let own = self.by_task.range(TaskKey::new(connector, 0)..).take_while(|(key, _)| key.connector == connector);
        let numbers: Vec<u32> = own.map(|(key, _)| key.task).collect();
        for task in numbers.into_iter().filter(|n| *n as usize >= tasks.len()) {
            self.retire(&TaskKey::new(connector, task), now, out);
        }
        let Some(wanted) = wanted else { return };
        for (task, config) in (0..).zip(tasks) {
            let key = TaskKey::new(connector, task);
            let Some(slot) = self.by_task.get_mut(&key) else {
                self.by_task.insert(key.clone(), Slot::new(config.clone()));
                self.start(&key, wanted, out);
                continue;
            };
            let fresh = std::mem::take(&mut slot.retired);
            let chosen = match also {
                Also::None => false,
                Also::Failed => slot.state == State::Failed,
                Also::All => true,
            };
            if changed || fresh || chosen || slot.config != *config {
                slot.config.clone_from(config);
                self.restart(&key, wanted, now, out);
            }
        }
    }

    /// Restarts one task because somebody wants it. False if there is none.
    pub(crate) fn restart(&mut self, key: &TaskKey, wanted: &Wanted, now: Instant, out: &mut Vec<Action>) -> bool {
        let Some(slot) = self.by_task.get_mut(key).filter(|s| !s.retired) else { return false };
        slot.crashes.clear();
        self.begin_again(key, wanted, now, out)
    }

    /// Starts a task again by itself.
    pub(crate) fn revive(&mut self, key: &TaskKey, wanted: &Wanted, now: Instant, out: &mut Vec<Action>) {
        let Some(slot) = self.by_task.get_mut(key) else { return };
        slot.crashes.restarted(now);
        slot.metrics.automatic_restarts_total.add(1);
        tracing::info!(connector = %key.connector, task = key.task, "the task is started again (restart.policy)");
        self.begin_again(key, wanted, now, out);
    }

    /// Tasks whose automatic restart is due.
    pub(crate) fn due(&self, now: Instant) -> Vec<TaskKey> {
        let due = |slot: &Slot| matches!(slot.repair, Some(Repair::Due { at, .. }) if at <= now);
        self.by_task.iter().filter(|(_, slot)| due(slot)).map(|(key, _)| key.clone()).collect()
    }

    /// How many tasks of each connector are on their way out.
    pub(crate) fn leaving(&self) -> Vec<(String, u64)> {
        let mut leaving: Vec<(String, u64)> = Vec::new();
        for key in self.by_task.iter().filter(|(_, slot)| slot.retired).map(|(key, _)| key) {
            match leaving.last_mut() {
                Some((name, count)) if *name == key.connector => *count += 1,
                _ => leaving.push((key.connector.clone(), 1)),
            }
        }
        leaving
    }

    /// Connectors with tasks that were left alone after a crash loop, each with the version that crashed.
    pub(crate) fn quarantined(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.by_task.iter().filter_map(|(key, slot)| match &slot.repair {
            Some(Repair::Quarantined { version, .. }) => Some((key.connector.as_str(), version.as_deref())),
            _ => None,
        })
    }

    fn begin_again(&mut self, key: &TaskKey, wanted: &Wanted, now: Instant, out: &mut Vec<Action>) -> bool {
        let Some(slot) = self.by_task.get_mut(key).filter(|s| !s.retired) else { return false };
        slot.repair = None;
        slot.set(key, State::Restarting, out);
        if slot.phase == Phase::Over {
            self.start(key, wanted, out);
        } else {
            slot.again = true;
            slot.stop(key, now + self.stop_within, out);
        }
        true
    }

    /// Pauses or resumes the tasks of a connector.
    pub(crate) fn tell(&self, connector: &str, order: Order, out: &mut Vec<Action>) {
        for (task, slot) in self.of(connector).filter(|(_, s)| s.phase == Phase::Live) {
            let key = TaskKey::new(connector, task);
            out.push(Action::Tell { key, incarnation: slot.incarnation, order });
        }
    }

    /// Tells every task to stop, for good.
    pub(crate) fn stop_all(&mut self, now: Instant, out: &mut Vec<Action>) {
        for (key, slot) in &mut self.by_task {
            slot.again = false;
            slot.repair = None;
            slot.stop(key, now + self.stop_within, out);
        }
    }

    /// True once no task is alive.
    pub(crate) fn all_over(&self) -> bool {
        self.by_task.values().all(|s| s.phase == Phase::Over)
    }

    /// A task said something. `wanted` is its connector's; with `None` it is not started again.
    #[expect(clippy::too_many_arguments, reason = "one call, from the loop that knows all of them")]
    pub(crate) fn news(
        &mut self,
        key: &TaskKey,
        incarnation: u64,
        news: News,
        wanted: Option<&Wanted>,
        version: Option<String>,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let Some(slot) = self.by_task.get_mut(key).filter(|s| s.incarnation == incarnation) else { return };
        if slot.phase == Phase::Over {
            return;
        }
        match news {
            News::Running | News::Paused => {
                if !matches!(slot.state, State::Running | State::Paused) && slot.phase == Phase::Live {
                    self.starts.ended(true);
                }
                if slot.phase == Phase::Live {
                    slot.version = version;
                    slot.set(key, if news == News::Running { State::Running } else { State::Paused }, out);
                }
            }
            News::Failed { trace, cure } => {
                slot.cure = cure;
                if matches!(slot.state, State::Unassigned | State::Restarting) {
                    self.starts.ended(false);
                }
                slot.fail(key, trace, out);
            }
            News::Ended => self.ended(key, wanted, version, now, out),
        }
    }

    /// The next instant at which [`Slots::tick`] has something to do.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let pending = self.by_task.values().filter_map(|s| match (s.phase, &s.repair) {
            (Phase::Stopping { deadline, aborted: false }, _) => Some(deadline),
            (Phase::Over, Some(Repair::Due { at, .. })) => Some(*at),
            _ => None,
        });
        pending.min()
    }

    /// Drops tasks that did not stop in time.
    pub(crate) fn tick(&mut self, now: Instant, out: &mut Vec<Action>) {
        for (key, slot) in &mut self.by_task {
            if let Phase::Stopping { deadline, aborted } = &mut slot.phase
                && !*aborted
                && *deadline <= now
            {
                *aborted = true;
                out.push(Action::Abort { key: key.clone(), incarnation: slot.incarnation });
            }
        }
    }

    fn start(&mut self, key: &TaskKey, wanted: &Wanted, out: &mut Vec<Action>) {
        let Some(slot) = self.by_task.get_mut(key) else { return };
        self.incarnations += 1;
        self.starts.attempt();
        slot.incarnation = self.incarnations;
        slot.phase = Phase::Live;
        slot.again = false;
        if slot.state != State::Restarting {
            slot.state = State::Unassigned;
        }
        slot.trace = None;
        slot.cure = None;
        slot.metrics.pulse.reset();
        out.push(Action::Start(Start {
            key: key.clone(),
            incarnation: slot.incarnation,
            connector: wanted.config.clone(),
            task: slot.config.clone(),
            paused: wanted.target == TargetState::Paused,
            metrics: Arc::clone(&slot.metrics),
        }));
    }

    fn retire(&mut self, key: &TaskKey, now: Instant, out: &mut Vec<Action>) {
        let Some(slot) = self.by_task.get_mut(key) else { return };
        slot.again = false;
        slot.repair = None;
        if slot.phase == Phase::Over {
            self.by_task.remove(key);
        } else {
            slot.retired = true;
            slot.stop(key, now + self.stop_within, out);
        }
        out.push(Action::Report(Report { task: Some(key.task), connector: key.connector.clone(), state: None }));
    }

    fn ended(
        &mut self,
        key: &TaskKey,
        wanted: Option<&Wanted>,
        version: Option<String>,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let Some(slot) = self.by_task.get_mut(key) else { return };
        let asked = matches!(slot.phase, Phase::Stopping { .. });
        slot.phase = Phase::Over;
        if slot.retired {
            self.by_task.remove(key);
            return;
        }
        if let (true, Some(wanted)) = (slot.again, wanted) {
            return self.start(key, wanted, out);
        }
        if slot.state == State::Failed {
            let cure = slot.cure.filter(|_| !asked);
            slot.repair = cure.and_then(|spec| slot.crashes.judge(&spec, version, now));
            return;
        }
        if asked {
            slot.version = None;
            slot.set(key, State::Unassigned, out);
        } else {
            slot.fail(key, "the task ended without being told to".to_owned(), out);
        }
    }
}

impl Slot {
    fn new(config: Config) -> Self {
        Self {
            state: State::Unassigned,
            trace: None,
            version: None,
            metrics: Arc::default(),
            incarnation: 0,
            phase: Phase::Over,
            cure: None,
            crashes: CrashRecord::default(),
            repair: None,
            again: false,
            retired: false,
            config,
        }
    }

    /// The task's configuration in force.
    #[cfg(test)]
    pub(crate) const fn config(&self) -> &Config {
        &self.config
    }

    /// As REST shows it.
    pub(crate) fn view(&self, id: u32, worker_id: &str, stalled_after: Duration) -> TaskState {
        let (state, version, trace) = (self.state, self.version.clone(), self.trace.clone());
        let health = self.health(stalled_after);
        TaskState { id, state, worker_id: worker_id.to_owned(), version, trace, health }
    }

    /// What keeps it from getting on, if it should.
    pub(crate) fn health(&self, stalled_after: Duration) -> Option<Health> {
        match self.state {
            State::Failed => self.repair.as_ref().map(health::of_failed),
            State::Running | State::Unassigned | State::Restarting if self.phase == Phase::Live => {
                health::stalled(&self.metrics, stalled_after)
            }
            _ => None,
        }
    }

    fn stop(&mut self, key: &TaskKey, deadline: Instant, out: &mut Vec<Action>) {
        if self.phase != Phase::Live {
            return;
        }
        self.phase = Phase::Stopping { deadline, aborted: false };
        out.push(Action::Tell { key: key.clone(), incarnation: self.incarnation, order: Order::Stop });
    }

    fn fail(&mut self, key: &TaskKey, trace: String, out: &mut Vec<Action>) {
        self.trace = Some(trace);
        self.set(key, State::Failed, out);
    }

    fn set(&mut self, key: &TaskKey, state: State, out: &mut Vec<Action>) {
        self.state = state;
        self.metrics.states.enter(match state {
            State::Running => Kind::Running,
            State::Paused => Kind::Paused,
            _ => Kind::Other,
        });
        if state != State::Failed {
            self.trace = None;
        }
        if self.retired {
            return;
        }
        let reported = Reported { state, trace: self.trace.clone(), version: self.version.clone() };
        let (task, connector) = (Some(key.task), key.connector.clone());
        out.push(Action::Report(Report { task, connector, state: Some(reported) }));
    }
}

#[cfg(test)]
#[path = "slots/tests.rs"]
mod tests;
