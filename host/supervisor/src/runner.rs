//! One task from its building to its end, as a future for the set of tasks.
//!
//! Enters: a [`Start`] and a way to build what it names. Leaves: news while it runs, and an [`Exit`] that says how it
//! ended. Invariant: the last word comes with the exit, never by the channel, so nobody can hear of an end before its
//! reason.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use lockgate_config::{Hidden, RestartSpec};
use lockgate_pipeline::{Command, Mailbox, TaskHandle, TaskState, mailbox};
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;

use crate::build::Builder;
use crate::event::{Event, News, Order, Start};
use crate::secrets;

/// How a task ended.
#[derive(Debug)]
pub(crate) struct Exit {
    /// Why it failed, if it did.
    pub trace: Option<String>,
    /// How a fresh start could help.
    pub cure: Option<RestartSpec>,
}

/// The supervisor's grip on a task that is alive.
#[derive(Debug)]
pub(crate) struct Grip {
    pub incarnation: u64,
    /// `None` once it was told to stop in a hurry: a closed mailbox means stop.
    pub commands: Option<mpsc::Sender<Command>>,
    pub cancel: Arc<AtomicBool>,
    pub abort: AbortHandle,
}

impl Grip {
    /// Tells the task. A mailbox that is full belongs to a task that does not listen; a stop reaches it all the same,
    /// because the mailbox closes behind it.
    pub(crate) fn tell(&mut self, order: Order) {
        let command = match order {
            Order::Pause => Command::Pause,
            Order::Resume => Command::Resume,
            Order::Stop => Command::Stop,
        };
        if order == Order::Stop {
            self.cancel.store(true, Ordering::Relaxed);
        }
        let full = self.commands.as_ref().is_some_and(|c| c.try_send(command).is_err());
        if full && order == Order::Stop {
            self.commands = None;
        }
    }
}

/// A task to be: its grip's parts, and its future's.
pub(crate) struct Prepared {
    pub handle: TaskHandle,
    pub mailbox: Mailbox,
    pub cancel: Arc<AtomicBool>,
}

/// Makes the mailbox; a task that is to stand still finds that order in it.
pub(crate) fn prepare(paused: bool) -> Prepared {
    let (handle, mailbox) = mailbox();
    if paused {
        // The mailbox is new: there is room.
        let _ = handle.commands.try_send(Command::Pause);
    }
    Prepared { handle, mailbox, cancel: Arc::default() }
}

/// Builds and runs.
pub(crate) async fn run(
    mut start: Start,
    mailbox: Mailbox,
    mut status: watch::Receiver<lockgate_pipeline::TaskStatus>,
    cancel: Arc<AtomicBool>,
    builder: Arc<Builder>,
    events: mpsc::Sender<Event>,
) -> Exit {
    let (key, incarnation) = (start.key.clone(), start.incarnation);
    let opened = secrets::open(&builder.worker.providers, &builder.registry, &mut start).await;
    let hidden = Arc::new(opened.as_ref().map_or_else(|_| Hidden::default(), Clone::clone));
    let built = opened.and_then(|_| builder.build(start, Arc::clone(&hidden), mailbox, cancel));
    let (mut running, restart) = match built {
        Ok(built) => built,
        Err(trace) => {
            let trace = hidden.scrub(&trace).into_owned();
            tracing::error!(connector = %key.connector, task = key.task, "the task could not be built: {trace}");
            return Exit { trace: Some(trace), cure: None };
        }
    };
    loop {
        tokio::select! {
            () = &mut running => break,
            changed = status.changed() => {
                if changed.is_err() {
                    running.await;
                    break;
                }
                let state = status.borrow_and_update().state;
                let news = match state {
                    TaskState::Running => News::Running,
                    TaskState::Paused => News::Paused,
                    TaskState::Starting | TaskState::Failed | TaskState::Stopped => continue,
                };
                let event = Event::Task { key: key.clone(), incarnation, news };
                if events.send(event).await.is_err() {
                    break; // the supervisor is gone, and its tasks go with it
                }
            }
        }
    }
    let last = status.borrow().clone();
    let trace = (last.state == TaskState::Failed).then(|| last.trace.unwrap_or_else(|| "unknown".to_owned()));
    let trace = trace.map(|trace| hidden.scrub(&trace).into_owned());
    Exit { trace, cure: Some(restart).filter(|_| last.worth_restarting) }
}
