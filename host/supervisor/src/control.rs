//! What the supervisor decides: one event in, actions out.
//!
//! Enters: [`Event`]s, one at a time. Leaves: [`Action`]s and answers to clients. Invariant: sync and free of I/O; each
//! connector has one *lane*, in which at most one job is under way and at most [`LANE_MAX`] calls wait; a client hears
//! yes only after the write behind it is durable (L3); no call goes without an answer.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use lockgate_model::package::PluginKind;

use crate::desired::{Change, Config, Desired};
use crate::error::SupervisorError;
use crate::event::{Action, After, Done, Event, Job, Report, Reported, TaskKey};
use crate::registry::Registry;
use crate::request::{ClientConfig, Reply, Request};
use crate::retries::Retries;
use crate::slots::Slots;
use crate::view::{ConnectorType, PutOutcome, State, TargetState};

/// Calls that may wait for one connector; beyond that a call is refused with 409.
pub const LANE_MAX: usize = 16;

/// What the state machine must know of the worker.
#[derive(Debug)]
pub(crate) struct Setup {
    /// `host:port` under which the worker is known.
    pub worker_id: String,
    pub tenant: Arc<str>,
    /// How long a task may take to stop.
    pub stop_within: Duration,
    /// After which a task that makes no progress is shown as stalled.
    pub stalled_after: Duration,
    pub registry: Arc<Registry>,
    /// Classes of the worker's converters: key, value, header.
    pub converters: [String; 3],
}

/// The state of the worker.
#[derive(Debug)]
pub(crate) struct Control {
    pub(super) setup: Setup,
    pub(super) desired: Desired,
    pub(super) connectors: BTreeMap<String, Connector>,
    pub(super) slots: Slots,
    pub(super) starts: crate::starts::Starts,
    pub(super) out: Vec<Action>,
    pub(super) retries: Retries,
    pub(super) lanes: BTreeMap<String, Lane>,
    stopping: bool,
}

/// A connector as it is.
#[derive(Debug)]
pub(crate) struct Connector {
    pub state: State,
    pub trace: Option<String>,
    pub version: Option<String>,
}

/// Present while a job holds it.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) since: Instant,
    waiting: VecDeque<Waiting>,
}

#[derive(Debug)]
enum Waiting {
    Call(Request),
    Reconfigure,
    /// Another version of the package is there.
    Upgrade,
    Reload,
}

impl Control {
    pub(crate) fn new(setup: Setup, desired: Desired) -> Self {
        Self {
            slots: Slots::new(setup.stop_within),
            setup,
            desired,
            connectors: BTreeMap::new(),
            starts: crate::starts::Starts::default(),
            out: Vec::new(),
            retries: Retries::default(),
            lanes: BTreeMap::new(),
            stopping: false,
        }
    }

    /// Starts everything that the log wants: tasks with their committed configurations at once, and each plugin is asked
    /// whether they are still what it wants.
    pub(crate) fn recover(&mut self, now: Instant) -> Vec<Action> {
        let names: Vec<String> = self.desired.names().cloned().collect();
        for name in names {
            self.lanes.insert(name.clone(), Lane { since: now, waiting: VecDeque::new() });
            self.reconcile(&name, false, crate::event::Also::None, now);
            if !self.launch(&name, crate::event::MadeFor::default(), now) {
                self.next_in_lane(&name, now);
            }
        }
        std::mem::take(&mut self.out)
    }

    /// Takes one event.
    pub(crate) fn handle(&mut self, event: Event, now: Instant) -> Vec<Action> {
        match event {
            Event::Request(request) => self.request(request, now),
            Event::Done(done) => self.done(done, now),
            Event::Task { key, incarnation, news } => {
                let wanted = if self.stopping { None } else { self.desired.wanted(&key.connector) };
                let version = self.connectors.get(&key.connector).and_then(|c| c.version.clone());
                let version = version.or_else(|| wanted.and_then(|w| self.setup.registry.version_of(&w.config)));
                self.slots.news(&key, incarnation, news, wanted, version, now, &mut self.out);
            }
            Event::Reconfigure(name) => self.enqueue(name, Waiting::Reconfigure, now),
            Event::Reload(name) => self.enqueue(name, Waiting::Reload, now),
            Event::Tick => self.tick(now),
            Event::Shutdown => self.shut_down(now),
        }
        std::mem::take(&mut self.out)
    }

    /// The next instant at which a tick is wanted.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let retry = self.retries.next_deadline().filter(|_| !self.stopping);
        [self.slots.next_deadline(), retry].into_iter().flatten().min()
    }

    fn tick(&mut self, now: Instant) {
        self.slots.tick(now, &mut self.out);
        if !self.stopping {
            for key in self.slots.due(now) {
                if let Some(wanted) = self.desired.wanted(&key.connector) {
                    self.slots.revive(&key, wanted, now, &mut self.out);
                }
            }
            for name in self.retries.due(now) {
                self.enqueue(name, Waiting::Reconfigure, now);
            }
        }
    }

    /// How long a task may take to stop.
    pub(crate) const fn stop_within(&self) -> Duration {
        self.setup.stop_within
    }

    /// True once everything is drained after a shutdown.
    pub(crate) fn is_drained(&self) -> bool {
        self.stopping && self.slots.all_over()
    }

    fn request(&mut self, request: Request, now: Instant) {
        if self.stopping {
            return drop(request); // closes the answer, which the handle reads as "the worker is stopping"
        }
        match request {
            Request::Ping { reply } => answer(reply, Ok(())),
            Request::List { reply } => answer(reply, Ok(self.desired.names().cloned().collect())),
            Request::Expand { info, status, reply } => answer(reply, Ok(self.expanded(info, status))),
            Request::Info { name, reply } => answer(reply, self.info(&name)),
            Request::Status { name, reply } => answer(reply, self.status(&name)),
            Request::Tasks { name, reply } => answer(reply, self.tasks(&name)),
            Request::Metrics { reply } => answer(reply, Ok(self.metrics())),
            Request::Validate { class, config, reply } => self.run(Job::Validate { class, config, reply }),
            Request::Upload { bytes, reply } => self.run(Job::Upload { bytes, reply }),
            Request::PutLoggerLevel { namespace, level, reply } => {
                self.run(Job::PutLoggerLevel { namespace, level, reply });
            }
            Request::Offsets { name, reply } => self.offsets(name, reply),
            Request::DeletePackage { name, version, reply } => {
                let configs = self.desired.names().filter_map(|n| self.desired.wanted(n)).map(|w| w.config.clone());
                let in_use = configs.collect();
                self.run(Job::DeletePackage { name, version, in_use, reply });
            }
            Request::PutConfig { ref name, .. }
            | Request::PatchConfig { ref name, .. }
            | Request::Delete { ref name, .. }
            | Request::SetTarget { ref name, .. }
            | Request::Restart { ref name, .. }
            | Request::RestartTask { ref name, .. }
            | Request::EditOffsets { ref name, .. } => {
                let name = name.clone();
                self.enqueue(name, Waiting::Call(request), now);
            }
        }
    }

    fn offsets(&mut self, name: String, reply: Reply<Vec<crate::view::ConnectorOffset>>) {
        match self.desired.wanted(&name).map(|wanted| wanted.config.clone()) {
            Some(config) => self.run(Job::Offsets { name, config, reply }),
            None => answer(reply, Err(SupervisorError::not_found(format!("Connector {name} not found")))),
        }
    }

    pub(super) fn upgrade(&mut self, name: String, now: Instant) {
        self.enqueue(name, Waiting::Upgrade, now);
    }

    // --- lanes ---

    fn enqueue(&mut self, name: String, waiting: Waiting, now: Instant) {
        if let Some(lane) = self.lanes.get_mut(&name) {
            if lane.waiting.len() < LANE_MAX {
                return lane.waiting.push_back(waiting);
            }
            if let Waiting::Call(request) = waiting {
                request.refuse(SupervisorError::conflict(format!(
                    "Cannot complete request because {LANE_MAX} other operations on connector {name} are waiting"
                )));
            }
            return;
        }
        self.lanes.insert(name.clone(), Lane { since: now, waiting: VecDeque::new() });
        if !self.begin(waiting, &name, now) {
            self.next_in_lane(&name, now);
        }
    }

    /// The lane is free: begin what waits, until something holds it again.
    pub(super) fn next_in_lane(&mut self, name: &str, now: Instant) {
        while let Some(lane) = self.lanes.get_mut(name) {
            let Some(waiting) = lane.waiting.pop_front() else {
                self.lanes.remove(name);
                return;
            };
            if self.begin(waiting, name, now) {
                return;
            }
        }
    }

    /// True if a job now holds the lane.
    fn begin(&mut self, waiting: Waiting, name: &str, now: Instant) -> bool {
        let known = self.desired.wanted(name).is_some();
        let request = match waiting {
            Waiting::Reconfigure => return self.reconfigure(name, now),
            Waiting::Upgrade => return known && self.launch_with(name, crate::event::Also::Failed, now),
            Waiting::Reload => return self.reload(name, now),
            Waiting::Call(request) => request,
        };
        match request {
            Request::PutConfig { name, config, initial_state, create_only, reply } => {
                if create_only && known {
                    let taken = SupervisorError::conflict(format!("Connector {name} already exists"));
                    answer(reply, Err(taken));
                    return false;
                }
                self.run(Job::Check { name, config, initial_state, reply });
            }
            Request::PatchConfig { name, patch, reply } => match self.patched(&name, patch) {
                Err(error) => {
                    answer(reply, Err(error));
                    return false;
                }
                Ok(config) => self.run(Job::Check { name, config, initial_state: None, reply }),
            },
            Request::Delete { name, reply } if known => {
                let gone = Change::Connector { name: name.clone(), config: None };
                let changes = vec![gone, Change::Target { name: name.clone(), target: None }];
                self.run(Job::Write { name, changes, after: After::Delete { reply } });
            }
            Request::Delete { name, reply } => {
                answer(reply, Err(SupervisorError::not_found(format!("Connector {name} not found"))));
                return false;
            }
            Request::SetTarget { name, target, reply } if known => self.write_target(name, target, reply),
            Request::SetTarget { name, reply, .. } => {
                answer(reply, Err(SupervisorError::not_found(format!("Unknown connector {name}"))));
                return false;
            }
            Request::Restart { name, options, reply } => return self.restart(&name, options, reply, now),
            Request::RestartTask { name, task, reply } => {
                let restarted = self.restart_task(&TaskKey { connector: name, task }, now);
                answer(reply, restarted);
                return false;
            }
            Request::EditOffsets { name, edit, reply } => match self.editable(&name) {
                Ok(config) => self.run(Job::EditOffsets { name, config, edit, reply }),
                Err(error) => {
                    answer(reply, Err(error));
                    return false;
                }
            },
            _ => return false, // the rest never waits in a lane
        }
        true
    }

    fn patched(&self, name: &str, patch: ClientConfig) -> Result<ClientConfig, SupervisorError> {
        let missing = || SupervisorError::not_found(format!("Connector {name} not found"));
        let old = &self.desired.wanted(name).ok_or_else(missing)?.config;
        let mut config: ClientConfig = old.iter().map(|(k, v)| (k.clone(), Some(v.clone()))).collect();
        for (key, value) in patch {
            match value {
                Some(_) => drop(config.insert(key, value)),
                None => drop(config.shift_remove(&key)),
            }
        }
        Ok(config)
    }

    fn write_target(&mut self, name: String, target: TargetState, reply: Reply<()>) {
        let mut changes = Vec::new();
        if target == TargetState::Stopped {
            changes.push(Change::Tasks { name: name.clone(), tasks: Vec::new() });
        }
        changes.push(Change::Target { name: name.clone(), target: Some(target) });
        self.run(Job::Write { name, changes, after: After::Target { reply } });
    }

    // --- outcomes of jobs ---

    fn done(&mut self, done: Done, now: Instant) {
        let (name, held) = match done {
            Done::Answered | Done::Died { lane: None } => return,
            Done::Installed => return self.installed(now),
            Done::Died { lane: Some(name) } => {
                self.fail(&name, "an operation of the worker panicked; this is a defect of Lockgate".to_owned());
                (name, false)
            }
            Done::Edited { name } => (name, false),
            Done::Checked { name, outcome, initial_state, reply } => {
                let held = self.checked(&name, outcome, initial_state, reply);
                (name, held)
            }
            Done::Written { name, outcome, after } => {
                let held = self.written(&name, outcome, after, now);
                (name, held)
            }
            Done::Made { name, outcome, made } => {
                let held = self.made(&name, outcome, made, now);
                (name, held)
            }
        };
        if !held {
            self.next_in_lane(&name, now);
        }
    }

    fn checked(
        &mut self,
        name: &str,
        outcome: Result<Config, SupervisorError>,
        initial_state: Option<TargetState>,
        reply: Reply<PutOutcome>,
    ) -> bool {
        let config = match outcome {
            Ok(config) => config,
            Err(error) => {
                answer(reply, Err(error));
                return false;
            }
        };
        let created = self.desired.wanted(name).is_none();
        let target = initial_state.filter(|_| created).map(Some);
        let target = target.map(|target| Change::Target { name: name.to_owned(), target });
        let config = Change::Connector { name: name.to_owned(), config: Some(config) };
        let changes = target.into_iter().chain([config]).collect();
        self.run(Job::Write { name: name.to_owned(), changes, after: After::Put { created, reply } });
        true
    }

    fn shut_down(&mut self, now: Instant) {
        self.stopping = true;
        self.lanes.clear();
        self.slots.stop_all(now, &mut self.out);
        for (name, connector) in &self.connectors {
            let state = Some(Reported { state: State::Unassigned, trace: None, version: connector.version.clone() });
            self.out.push(Action::Report(Report { task: None, connector: name.clone(), state }));
        }
    }

    // --- small words ---

    pub(super) fn run(&mut self, job: Job) {
        self.out.push(Action::Run(job));
    }

    pub(super) fn connector_type(&self, config: &Config) -> ConnectorType {
        match self.setup.registry.kind_of(config) {
            Some(PluginKind::Source) => ConnectorType::Source,
            Some(PluginKind::Sink) => ConnectorType::Sink,
            _ => ConnectorType::Unknown,
        }
    }
}

/// Answers; a client that has gone away is no matter.
pub(crate) fn answer<T>(reply: Reply<T>, with: Result<T, SupervisorError>) {
    drop(reply.send(with));
}

#[cfg(test)]
#[path = "control/tests.rs"]
mod tests;
