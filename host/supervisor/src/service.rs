//! The control loop: sources into events, events into [`Control`], its actions into work.
//!
//! Enters: calls, outcomes, news, time. Leaves: running jobs and tasks. Invariant: this loop never waits for anything but
//! the next event; every job and task is in a set that it owns, and goes with it.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt;
use tokio::sync::{mpsc, watch};
use tokio::task::{Id, JoinError, JoinSet};

use crate::build::Builder;
use crate::control::Control;
use crate::desk::Desk;
use crate::event::{Action, Done, Event, Job, News, Start, TaskKey};
use crate::jobs::Jobs;
use crate::reload::Reloads;
use crate::request::Request;
use crate::runner::{Exit, Grip, prepare, run};
use crate::status_clerk::Clerk;

/// News of tasks that may wait for the loop.
const NEWS_MAX: usize = 1_024;
/// Time for the last statuses at the end.
const FLUSH_WITHIN: Duration = Duration::from_millis(300);
/// What jobs and aborted tasks get to fall over, after everything that has a deadline.
const GRACE: Duration = Duration::from_millis(200);

/// Guests that asked for new task configurations: each connector once.
#[derive(Debug, Default)]
pub(crate) struct Wishes {
    names: std::sync::Mutex<std::collections::BTreeSet<String>>,
    asked: tokio::sync::Notify,
}

impl Wishes {
    pub(crate) fn ask(&self, connector: &str) {
        self.names.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(connector.to_owned());
        self.asked.notify_one();
    }

    async fn next(&self) -> String {
        loop {
            let name = self.names.lock().unwrap_or_else(std::sync::PoisonError::into_inner).pop_first();
            match name {
                Some(name) => return name,
                None => self.asked.notified().await,
            }
        }
    }
}

/// The loop and all that it owns.
pub(crate) struct Service {
    pub control: Control,
    pub requests: mpsc::Receiver<Request>,
    pub stop: watch::Receiver<bool>,
    pub desk: Arc<Desk>,
    pub jobs: Arc<Jobs>,
    pub builder: Arc<Builder>,
    pub clerk: Arc<Clerk>,
    pub wishes: Arc<Wishes>,
    pub reloads: Arc<Reloads>,
}

/// What is under way.
struct Crew {
    jobs: JoinSet<Done>,
    tasks: JoinSet<Exit>,
    /// Whose a task of the runtime is, for one that panicked or was dropped.
    names: HashMap<Id, (TaskKey, u64)>,
    grips: HashMap<TaskKey, Grip>,
    news: mpsc::Sender<Event>,
}

impl Service {
    /// Runs until it is told to stop and everything is drained.
    pub(crate) async fn run(mut self) {
        let (news, mut heard) = mpsc::channel(NEWS_MAX);
        let mut crew =
            Crew { jobs: JoinSet::new(), tasks: JoinSet::new(), names: HashMap::new(), grips: HashMap::new(), news };
        let actions = self.control.recover(Instant::now());
        self.perform(&mut crew, actions);
        let mut give_up: Option<Instant> = None;
        let mut reloaded = next_reload(&self.reloads);
        while !(self.control.is_drained() && crew.tasks.is_empty()) {
            let deadline = [self.control.next_deadline(), give_up].into_iter().flatten().min();
            let event = tokio::select! {
                Some(request) = self.requests.recv() => Event::Request(request),
                Some(done) = crew.jobs.join_next() => Event::Done(done.unwrap_or(Done::Answered)),
                Some(exit) = crew.tasks.join_next_with_id() => {
                    for event in ended(&mut crew, exit) {
                        let actions = self.control.handle(event, Instant::now());
                        self.perform(&mut crew, actions);
                    }
                    continue;
                }
                Some(event) = heard.recv() => event,
                name = self.wishes.next() => Event::Reconfigure(name),
                name = &mut reloaded => {
                    reloaded = next_reload(&self.reloads);
                    Event::Reload(name)
                }
                () = stop_asked(&mut self.stop), if give_up.is_none() => {
                    give_up = Some(Instant::now() + self.control.stop_within() + GRACE);
                    Event::Shutdown
                }
                () = sleep_until(deadline) => Event::Tick,
            };
            let actions = self.control.handle(event, Instant::now());
            self.perform(&mut crew, actions);
            if give_up.is_some_and(|at| at <= Instant::now()) {
                tracing::warn!(
                    "some tasks did not stop in time; what they had not committed comes again at the next start"
                );
                break;
            }
        }
        crew.jobs.shutdown().await;
        crew.tasks.abort_all();
        self.clerk.flush(FLUSH_WITHIN).await;
    }

    fn perform(&self, crew: &mut Crew, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Run(job) => self.start_job(crew, job),
                Action::Start(start) => self.start_task(crew, start),
                Action::Tell { key, incarnation, order } => {
                    if let Some(grip) = crew.grips.get_mut(&key).filter(|g| g.incarnation == incarnation) {
                        grip.tell(order);
                    }
                }
                Action::Abort { key, incarnation } => {
                    if let Some(grip) = crew.grips.get(&key).filter(|g| g.incarnation == incarnation) {
                        tracing::warn!(connector = %key.connector, task = key.task, "the task did not stop in time and is dropped");
                        grip.abort.abort();
                    }
                }
                Action::Report(report) => self.clerk.leave(report),
                Action::ForgetLogs(name) => {
                    self.desk.logs.forget(&name);
                    self.reloads.forget(&name);
                    self.desk.topics.forget(&name);
                }
            }
        }
    }

    fn start_job(&self, crew: &mut Crew, job: Job) {
        let (lane, jobs) = (job.lane().map(str::to_owned), Arc::clone(&self.jobs));
        let work = async move { AssertUnwindSafe(jobs.run(job)).catch_unwind().await.unwrap_or(Done::Died { lane }) };
        crew.jobs.spawn(work);
    }

    fn start_task(&self, crew: &mut Crew, start: Start) {
        let (key, incarnation) = (start.key.clone(), start.incarnation);
        let prepared = prepare(start.paused);
        let (builder, news) = (Arc::clone(&self.builder), crew.news.clone());
        let cancel = Arc::clone(&prepared.cancel);
        let future = run(start, prepared.mailbox, prepared.handle.status, Arc::clone(&cancel), builder, news);
        let abort = crew.tasks.spawn(future);
        crew.names.insert(abort.id(), (key.clone(), incarnation));
        crew.grips.insert(key, Grip { incarnation, commands: Some(prepared.handle.commands), cancel, abort });
    }
}

/// What the end of a task's future means: its last word, then its end.
fn ended(crew: &mut Crew, exit: Result<(Id, Exit), JoinError>) -> Vec<Event> {
    let (id, Exit { trace, cure }) = match exit {
        Ok((id, exit)) => (id, exit),
        Err(error) if error.is_panic() => {
            let trace = Some("the host panicked in this task; this is a defect of Lockgate".to_owned());
            (error.id(), Exit { trace, cure: None })
        }
        Err(error) => (error.id(), Exit { trace: None, cure: None }),
    };
    let Some((key, incarnation)) = crew.names.remove(&id) else { return Vec::new() };
    if crew.grips.get(&key).is_some_and(|g| g.incarnation == incarnation) {
        crew.grips.remove(&key);
    }
    let failed = trace.map(|trace| Event::Task { key: key.clone(), incarnation, news: News::Failed { trace, cure } });
    let end = Event::Task { key: key.clone(), incarnation, news: News::Ended };
    failed.into_iter().chain([end]).collect()
}

/// Kept from one round of the loop to the next: looking a value up takes longer than a round.
fn next_reload(reloads: &Arc<Reloads>) -> futures::future::BoxFuture<'static, String> {
    let reloads = Arc::clone(reloads);
    Box::pin(async move { reloads.next().await })
}

async fn stop_asked(stop: &mut watch::Receiver<bool>) {
    // The sender lives in the desk, which this loop holds.
    drop(stop.wait_for(|stop| *stop).await);
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}
