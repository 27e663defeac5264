//! Enters: calls and outcomes, without a runtime. Leaves: answers, actions, states.
#![allow(clippy::unwrap_used)]

use tokio::sync::oneshot;

use super::*;
use crate::error::ErrorKind;
use crate::event::{After, Made, News, Order};
use crate::view::{ConnectorStateInfo, RestartOptions};

type Answer<T> = oneshot::Receiver<Result<T, SupervisorError>>;

struct Bench {
    control: Control,
    now: Instant,
    jobs: Vec<Job>,
    starts: Vec<(TaskKey, u64, bool)>,
    told: Vec<(u32, Order)>,
}

fn config(value: &str) -> Config {
    Config::from([("k".to_owned(), value.to_owned())])
}

fn heard<T>(answer: &mut Answer<T>) -> Result<T, SupervisorError> {
    answer.try_recv().expect("answered")
}

fn well(job: Job, value: &str, made: &[&str]) -> Done {
    match job {
        Job::Check { name, initial_state, reply, .. } => {
            Done::Checked { name, outcome: Ok(config(value)), initial_state, reply }
        }
        Job::Write { name, changes, after } => Done::Written { name, outcome: Ok(changes), after },
        Job::Make { name, made: why, .. } => {
            let tasks = made.iter().map(|t| config(t)).collect();
            Done::Made { name, outcome: Ok(Made { version: "1.0.0".to_owned(), tasks }), made: why }
        }
        _ => Done::Answered,
    }
}

impl Bench {
    fn new() -> Self {
        let setup = Setup {
            worker_id: "127.0.0.1:8083".to_owned(),
            tenant: "default".into(),
            stop_within: Duration::from_secs(5),
            stalled_after: Duration::from_mins(1),
            registry: Arc::default(),
            converters: Default::default(),
        };
        let control = Control::new(setup, Desired::default());
        Self { control, now: Instant::now(), jobs: Vec::new(), starts: Vec::new(), told: Vec::new() }
    }

    fn take(&mut self, event: Event) {
        for action in self.control.handle(event, self.now) {
            match action {
                Action::Run(job) => self.jobs.push(job),
                Action::Start(start) => self.starts.push((start.key, start.incarnation, start.paused)),
                Action::Tell { key, order, .. } => self.told.push((key.task, order)),
                Action::Abort { .. } | Action::Report(_) | Action::ForgetLogs(_) => {}
            }
        }
    }

    fn ask<T>(&mut self, request: impl FnOnce(Reply<T>) -> Request) -> Answer<T> {
        let (reply, answer) = oneshot::channel();
        self.take(Event::Request(request(reply)));
        answer
    }

    fn put(&mut self, create_only: bool) -> Answer<PutOutcome> {
        let name = "c".to_owned();
        let config = ClientConfig::new();
        self.ask(|reply| Request::PutConfig { name, config, initial_state: None, create_only, reply })
    }

    fn target(&mut self, target: TargetState) -> Answer<()> {
        self.ask(|reply| Request::SetTarget { name: "c".to_owned(), target, reply })
    }

    /// Does all jobs that are under way as they would go well; `made` are the task configurations that the plugin wants.
    fn work(&mut self, value: &str, made: &[&str]) {
        while let Some(job) = self.jobs.pop() {
            self.take(Event::Done(well(job, value, made)));
        }
    }

    /// Likewise, but task configurations cannot be stored.
    fn work_without_storing_tasks(&mut self, value: &str, made: &[&str]) {
        while let Some(job) = self.jobs.pop() {
            let done = match job {
                Job::Write { name, after: after @ After::Tasks { .. }, .. } => {
                    Done::Written { name, outcome: Err(SupervisorError::internal("no broker")), after }
                }
                job => well(job, value, made),
            };
            self.take(Event::Done(done));
        }
    }

    fn all_say(&mut self, news: &News) {
        for (key, incarnation, _) in std::mem::take(&mut self.starts) {
            self.take(Event::Task { key, incarnation, news: news.clone() });
        }
    }

    fn running(tasks: &[&str]) -> Self {
        let mut bench = Self::new();
        let mut answer = bench.put(true);
        bench.work("1", tasks);
        assert!(heard(&mut answer).unwrap().created);
        bench.all_say(&News::Running);
        bench
    }

    fn status(&mut self) -> Result<ConnectorStateInfo, SupervisorError> {
        let mut answer = self.ask(|reply| Request::Status { name: "c".to_owned(), reply });
        heard(&mut answer)
    }

    fn states(&mut self) -> (State, Vec<State>) {
        let status = self.status().unwrap();
        (status.connector.state, status.tasks.iter().map(|t| t.state).collect())
    }
}

#[test]
fn create_answers_only_after_the_config_is_durable_and_then_its_tasks_start() {
    let mut bench = Bench::new();
    let mut answer = bench.put(true);
    assert!(matches!(bench.jobs[..], [Job::Check { .. }]));
    let Some(Job::Check { name, reply, .. }) = bench.jobs.pop() else { panic!() };
    bench.take(Event::Done(Done::Checked { name, outcome: Ok(config("1")), initial_state: None, reply }));
    assert!(answer.try_recv().is_err(), "nothing is durable yet");
    bench.work("1", &["a", "b"]);
    let outcome = heard(&mut answer).unwrap();
    assert!(outcome.created && outcome.info.tasks.is_empty() && outcome.info.config == config("1"));
    assert_eq!((bench.starts.len(), bench.states()), (2, (State::Running, vec![State::Unassigned; 2])));
    bench.all_say(&News::Running);
    assert_eq!(bench.states(), (State::Running, vec![State::Running; 2]));
}

#[test]
fn a_second_create_waits_for_the_first_and_is_then_refused() {
    let mut bench = Bench::new();
    let (mut first, mut second) = (bench.put(true), bench.put(true));
    assert_eq!(bench.jobs.len(), 1);
    bench.work("1", &["a"]);
    assert!(heard(&mut first).is_ok());
    let error = heard(&mut second).unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::Conflict, "Connector c already exists"));
}

#[test]
fn a_full_lane_refuses_with_conflict_and_every_call_is_answered() {
    let mut bench = Bench::new();
    let mut answers: Vec<_> = (0..LANE_MAX + 2).map(|_| bench.put(false)).collect();
    assert_eq!(heard(answers.last_mut().unwrap()).unwrap_err().kind(), ErrorKind::Conflict);
    answers.pop();
    bench.work("1", &["a"]);
    assert!(answers.iter_mut().all(|a| heard(a).is_ok()));
}

#[test]
fn an_equal_config_that_is_put_again_restarts_nothing_and_a_new_one_restarts_all_tasks() {
    let mut bench = Bench::running(&["a"]);
    let mut same = bench.put(false);
    bench.work("1", &["a"]);
    assert!(!heard(&mut same).unwrap().created && bench.told.is_empty());
    bench.put(false);
    bench.work("2", &["a"]);
    assert_eq!(bench.told, [(0, Order::Stop)]);
    assert_eq!(bench.states().1, [State::Restarting]);
}

#[test]
fn pause_and_resume_tell_the_tasks_and_stop_removes_them() {
    let mut bench = Bench::running(&["a"]);
    bench.target(TargetState::Paused);
    bench.work("1", &["a"]);
    assert_eq!(bench.states().0, State::Paused);
    bench.target(TargetState::Running);
    bench.work("1", &["a"]);
    let mut stop = bench.target(TargetState::Stopped);
    bench.work("1", &["a"]);
    assert!(heard(&mut stop).is_ok());
    assert_eq!(bench.told, [(0, Order::Pause), (0, Order::Resume), (0, Order::Stop)]);
    assert_eq!(bench.states(), (State::Stopped, vec![]));
}

#[test]
fn a_connector_resumed_after_stop_gets_its_tasks_again_once_the_old_ones_have_ended() {
    let mut bench = Bench::running(&["a"]);
    bench.target(TargetState::Stopped);
    bench.work("1", &["a"]);
    bench.target(TargetState::Running);
    bench.work("1", &["a"]);
    assert!(bench.starts.is_empty(), "the old incarnation still drains");
    bench.take(Event::Task { key: TaskKey::new("c", 0), incarnation: 1, news: News::Ended });
    assert_eq!(bench.starts.len(), 1);
}

#[test]
fn unknown_connectors_get_connects_texts() {
    let mut bench = Bench::new();
    let name = || "c".to_owned();
    let text = |error: SupervisorError| (error.kind(), error.message().to_owned());
    let not_found = |m: &str| (ErrorKind::NotFound, m.to_owned());
    assert_eq!(text(bench.status().unwrap_err()), not_found("No status found for connector c"));
    let mut info = bench.ask(|reply| Request::Info { name: name(), reply });
    assert_eq!(text(heard(&mut info).unwrap_err()), not_found("Connector c not found"));
    let mut pause = bench.target(TargetState::Paused);
    assert_eq!(text(heard(&mut pause).unwrap_err()), not_found("Unknown connector c"));
    let options = RestartOptions::default();
    let mut restart = bench.ask(|reply| Request::Restart { name: name(), options, reply });
    assert_eq!(text(heard(&mut restart).unwrap_err()), not_found("Unknown connector: c"));
    let mut known = Bench::running(&["a"]);
    let mut task = known.ask(|reply| Request::RestartTask { name: name(), task: 7, reply });
    assert_eq!(text(heard(&mut task).unwrap_err()), not_found("Unknown task: c-7"));
}

#[test]
fn a_plugin_that_cannot_make_tasks_fails_the_connector_and_a_restart_tries_again() {
    let mut bench = Bench::new();
    bench.put(true);
    while let Some(job) = bench.jobs.pop() {
        match job {
            Job::Make { name, made, .. } => {
                bench.take(Event::Done(Done::Made { name, outcome: Err("no such host".to_owned()), made }));
            }
            other => {
                bench.jobs.push(other);
                let Some(job) = bench.jobs.pop() else { return };
                let done = match job {
                    Job::Check { name, initial_state, reply, .. } => {
                        Done::Checked { name, outcome: Ok(config("1")), initial_state, reply }
                    }
                    Job::Write { name, changes, after } => Done::Written { name, outcome: Ok(changes), after },
                    _ => Done::Answered,
                };
                bench.take(Event::Done(done));
            }
        }
    }
    let status = bench.status().unwrap();
    assert_eq!((status.connector.state, status.connector.trace.as_deref()), (State::Failed, Some("no such host")));
    let options = RestartOptions::default();
    let mut restart = bench.ask(|reply| Request::Restart { name: "c".to_owned(), options, reply });
    bench.work("1", &["a"]);
    assert_eq!(heard(&mut restart).unwrap().connector.state, State::Running);
}

#[test]
fn a_deleted_connector_answers_nothing_more_and_its_tasks_are_stopped() {
    let mut bench = Bench::running(&["a"]);
    let mut delete = bench.ask(|reply| Request::Delete { name: "c".to_owned(), reply });
    bench.work("1", &["a"]);
    assert!(heard(&mut delete).is_ok() && bench.status().is_err());
    assert_eq!(bench.told, [(0, Order::Stop)]);
}

#[test]
fn a_log_that_cannot_be_written_is_the_clients_error_and_changes_nothing() {
    let mut bench = Bench::running(&["a"]);
    let mut delete = bench.ask(|reply| Request::Delete { name: "c".to_owned(), reply });
    let Some(Job::Write { name, after, .. }) = bench.jobs.pop() else { panic!() };
    assert!(matches!(after, After::Delete { .. }));
    let outcome = Err(SupervisorError::internal("the config topic is away"));
    bench.take(Event::Done(Done::Written { name, outcome, after }));
    assert!(heard(&mut delete).is_err() && bench.states() == (State::Running, vec![State::Running]));
}

#[test]
fn a_job_that_panics_frees_its_lane() {
    let mut bench = Bench::running(&["a"]);
    bench.put(false);
    bench.jobs.clear();
    bench.take(Event::Done(Done::Died { lane: Some("c".to_owned()) }));
    let mut again = bench.put(false);
    bench.work("2", &["a"]);
    assert!(heard(&mut again).is_ok());
}

#[test]
fn a_shutdown_is_drained_once_the_last_task_has_ended_and_refuses_new_calls() {
    let mut bench = Bench::running(&["a"]);
    bench.take(Event::Shutdown);
    assert!(!bench.control.is_drained());
    let mut late = bench.put(false);
    assert!(late.try_recv().is_err() && bench.jobs.is_empty());
    bench.take(Event::Task { key: TaskKey::new("c", 0), incarnation: 1, news: News::Ended });
    assert!(bench.control.is_drained() && bench.starts.is_empty());
}

#[test]
fn after_a_crash_tasks_start_at_once_from_the_log_and_a_paused_connector_stays_paused() {
    for (target, paused) in [(TargetState::Running, false), (TargetState::Paused, true)] {
        let mut bench = Bench::new();
        let name = "c".to_owned();
        let first = [
            Change::Target { name: name.clone(), target: Some(target) },
            Change::Connector { name, config: Some(config("1")) },
        ];
        let tasks = Change::Tasks { name: "c".to_owned(), tasks: vec![config("a")] };
        first.into_iter().chain([tasks]).for_each(|change| bench.control.desired.apply(change));
        let starts: Vec<bool> = bench
            .control
            .recover(bench.now)
            .into_iter()
            .filter_map(|a| if let Action::Start(start) = a { Some(start.paused) } else { None })
            .collect();
        assert_eq!(starts, [paused]);
        assert_eq!(bench.states().0 == State::Paused, paused);
    }
}

#[test]
fn task_configurations_that_could_not_be_stored_are_tried_again_and_the_status_says_so() {
    let mut bench = Bench::new();
    let _answer = bench.put(true);
    bench.work_without_storing_tasks("1", &["a"]);
    assert_eq!(bench.states(), (State::Running, vec![]));
    let health = bench.status().unwrap().health.unwrap();
    assert_eq!(health.state, crate::view::Ailment::Retrying);
    assert!(health.reason.contains("no broker"), "{}", health.reason);
    for _ in 0..2 {
        bench.now = bench.control.next_deadline().unwrap();
        bench.take(Event::Tick);
        bench.work_without_storing_tasks("1", &["a"]);
    }
    bench.now = bench.control.next_deadline().unwrap();
    bench.take(Event::Tick);
    bench.work("1", &["a"]);
    bench.all_say(&News::Running);
    assert_eq!(bench.states(), (State::Running, vec![State::Running]));
    assert!(bench.status().unwrap().health.is_none() && bench.control.next_deadline().is_none());
}
