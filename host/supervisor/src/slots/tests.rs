//! Enters: wishes and news in the order that hurts. Leaves: what the slots made of them.
#![allow(clippy::unwrap_used)]

use super::*;

const WITHIN: Duration = Duration::from_secs(5);

fn wanted(tasks: &[&str]) -> Wanted {
    let config = |v: &&str| Config::from([("k".to_owned(), (*v).to_owned())]);
    Wanted { tasks: tasks.iter().map(config).collect(), ..Wanted::default() }
}

struct Bench {
    slots: Slots,
    now: Instant,
    out: Vec<Action>,
}

impl Bench {
    fn running(tasks: &[&str]) -> Self {
        let mut bench = Self { slots: Slots::new(WITHIN), now: Instant::now(), out: Vec::new() };
        bench.reconcile(&wanted(tasks), false);
        for task in 0..u32::try_from(tasks.len()).unwrap() {
            bench.news(task, News::Running, &wanted(tasks));
        }
        bench.out.clear();
        bench
    }

    fn reconcile(&mut self, wanted: &Wanted, changed: bool) {
        self.slots.reconcile("c", Some(wanted), changed, Also::None, self.now, &mut self.out);
    }

    fn news(&mut self, task: u32, news: News, wanted: &Wanted) {
        let key = TaskKey::new("c", task);
        let incarnation = self.slots.by_task[&key].incarnation;
        self.slots.news(&key, incarnation, news, Some(wanted), Some("1.0.0".to_owned()), self.now, &mut self.out);
    }

    fn state(&self, task: u32) -> State {
        self.slots.by_task[&TaskKey::new("c", task)].state
    }

    fn starts(&self) -> Vec<u32> {
        self.out.iter().filter_map(|a| if let Action::Start(s) = a { Some(s.key.task) } else { None }).collect()
    }
}

#[test]
fn a_changed_config_starts_the_next_incarnation_only_after_the_last_has_ended() {
    let mut bench = Bench::running(&["a"]);
    let new = wanted(&["b"]);
    bench.reconcile(&new, true);
    assert_eq!((bench.state(0), bench.starts()), (State::Restarting, vec![]));
    bench.news(0, News::Ended, &new);
    assert_eq!(bench.starts(), [0]);
    bench.news(0, News::Running, &new);
    assert_eq!(bench.state(0), State::Running);
    assert_eq!(bench.slots.of("c").next().unwrap().1.config()["k"], "b");
}

#[test]
fn fewer_tasks_retire_the_rest_and_a_retired_task_is_not_seen() {
    let mut bench = Bench::running(&["a", "b"]);
    bench.reconcile(&wanted(&["a"]), false);
    assert_eq!(bench.slots.of("c").map(|(n, _)| n).collect::<Vec<_>>(), [0]);
    bench.news(1, News::Ended, &wanted(&["a"]));
    assert_eq!(bench.slots.by_task.len(), 1);
}

#[test]
fn a_task_that_is_wanted_again_while_it_retires_starts_after_its_end() {
    let mut bench = Bench::running(&["a"]);
    bench.reconcile(&wanted(&[]), false);
    bench.reconcile(&wanted(&["b"]), false);
    assert!(bench.starts().is_empty());
    bench.news(0, News::Ended, &wanted(&["b"]));
    assert_eq!(bench.starts(), [0]);
}

#[test]
fn a_failed_task_stays_failed_with_its_trace_until_it_is_restarted() {
    let mut bench = Bench::running(&["a"]);
    let all = wanted(&["a"]);
    bench.news(0, News::Failed { trace: "why".to_owned(), cure: None }, &all);
    bench.news(0, News::Ended, &all);
    bench.reconcile(&all, false);
    assert_eq!((bench.state(0), bench.starts()), (State::Failed, vec![]));
    assert!(bench.slots.restart(&TaskKey::new("c", 0), &all, bench.now, &mut bench.out));
    assert_eq!((bench.state(0), bench.starts()), (State::Restarting, vec![0]));
}

#[test]
fn a_task_that_does_not_stop_in_time_is_dropped_once() {
    let mut bench = Bench::running(&["a"]);
    bench.slots.stop_all(bench.now, &mut bench.out);
    assert_eq!(bench.slots.next_deadline(), Some(bench.now + WITHIN));
    bench.slots.tick(bench.now + WITHIN / 2, &mut bench.out);
    let aborts = |b: &Bench| b.out.iter().filter(|a| matches!(a, Action::Abort { .. })).count();
    assert_eq!(aborts(&bench), 0);
    bench.slots.tick(bench.now + WITHIN, &mut bench.out);
    bench.slots.tick(bench.now + WITHIN, &mut bench.out);
    assert_eq!((aborts(&bench), bench.slots.next_deadline(), bench.slots.all_over()), (1, None, false));
    bench.news(0, News::Ended, &wanted(&["a"]));
    assert!(bench.slots.all_over() && bench.state(0) == State::Unassigned);
}

#[test]
fn news_of_an_incarnation_that_is_no_more_changes_nothing() {
    let mut bench = Bench::running(&["a"]);
    let key = TaskKey::new("c", 0);
    let old = bench.slots.by_task[&key].incarnation;
    let all = wanted(&["a"]);
    bench.slots.restart(&key, &all, bench.now, &mut bench.out);
    bench.news(0, News::Ended, &all);
    bench.slots.news(
        &key,
        old,
        News::Failed { trace: "late".to_owned(), cure: None },
        Some(&all),
        None,
        bench.now,
        &mut bench.out,
    );
    assert_eq!(bench.state(0), State::Restarting);
}

#[test]
fn a_task_that_ends_unasked_has_failed() {
    let mut bench = Bench::running(&["a"]);
    bench.news(0, News::Ended, &wanted(&["a"]));
    assert_eq!(bench.state(0), State::Failed);
}

#[test]
fn only_the_tasks_whose_own_configuration_changed_restart_unless_the_connectors_did() {
    let mut bench = Bench::running(&["a", "b"]);
    let new = wanted(&["a", "c"]);
    bench.reconcile(&new, false);
    assert_eq!((bench.state(0), bench.state(1)), (State::Running, State::Restarting));
    bench.reconcile(&new, true);
    assert_eq!(bench.state(0), State::Restarting);
}

const CURE: RestartSpec = RestartSpec {
    policy: lockgate_config::RestartPolicy::OnFailure,
    delay: Duration::from_secs(1),
    delay_max: Duration::from_mins(1),
    attempts_max: 2,
    window: Duration::from_mins(10),
};

impl Bench {
    fn crash(&mut self, all: &Wanted) {
        self.out.clear();
        self.news(0, News::Failed { trace: "trap".to_owned(), cure: Some(CURE) }, all);
        self.news(0, News::Ended, all);
    }

    /// Waits for what is due and lets it begin.
    fn wait(&mut self, all: &Wanted) -> Vec<u32> {
        self.now = self.slots.next_deadline().unwrap();
        for key in self.slots.due(self.now) {
            self.slots.revive(&key, all, self.now, &mut self.out);
        }
        self.starts()
    }

    fn ailment(&self) -> Option<crate::view::Ailment> {
        let (_, slot) = self.slots.of("c").next().unwrap();
        slot.health(Duration::from_mins(1)).map(|health| health.state)
    }
}

#[test]
fn a_task_that_crashes_again_and_again_is_left_alone_until_somebody_restarts_it() {
    use crate::view::Ailment::{Quarantined, Restarting};
    let mut bench = Bench::running(&["a"]);
    let all = wanted(&["a"]);
    for _ in 0..2 {
        bench.crash(&all);
        assert_eq!((bench.state(0), bench.ailment()), (State::Failed, Some(Restarting)));
        assert_eq!(bench.wait(&all), [0]);
    }
    bench.crash(&all);
    assert_eq!((bench.state(0), bench.ailment()), (State::Failed, Some(Quarantined)));
    assert_eq!(bench.slots.next_deadline(), None);
    assert_eq!(bench.slots.quarantined().collect::<Vec<_>>(), [("c", Some("1.0.0"))]);
    assert!(bench.slots.restart(&TaskKey::new("c", 0), &all, bench.now, &mut bench.out));
    assert_eq!(bench.slots.quarantined().count(), 0);
    bench.crash(&all);
    assert_eq!(bench.ailment(), Some(Restarting), "its record is clean again");
}

#[test]
fn what_a_fresh_start_cannot_help_stays_failed() {
    let mut bench = Bench::running(&["a"]);
    let all = wanted(&["a"]);
    bench.news(0, News::Failed { trace: "config".to_owned(), cure: None }, &all);
    bench.news(0, News::Ended, &all);
    assert_eq!((bench.slots.next_deadline(), bench.ailment()), (None, None));
}
