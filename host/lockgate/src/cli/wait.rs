//! Waiting for a connector.
//!
//! Enters: names and a deadline. Leaves: connectors in the state that was waited for, or why not. Invariant: while a status says
//! `applying`, its states are those of former tasks and count for nothing. FAILED must last a while before it ends the
//! waiting; so must RUNNING after a change of a Kafka Connect, which does not say whose states it shows.

use std::thread::sleep;
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::Value;

use super::failure::Failure;
use super::remote::{Remote, path};
use super::screen::Screen;
use super::table::{clean, short};

/// How often a state is asked for.
const EVERY: Duration = Duration::from_millis(100);
/// How long FAILED is believed to be a thing of the past.
const FAILED_FOR: Duration = Duration::from_secs(2);

/// How long a state must last after a connector of Kafka Connect was changed.
const CHANGED: Duration = Duration::from_millis(500);

/// Options of commands that can wait.
#[derive(Args, Debug)]
pub struct Wait {
    /// Waits until it has happened: the connector and all its tasks are RUNNING (or PAUSED, STOPPED, if that was asked for)
    #[arg(long)]
    wait: bool,
    /// How long to wait at most, for example 30s or 2m
    #[arg(long, default_value = "60s", value_parser = humantime::parse_duration, value_name = "DURATION")]
    deadline: Duration,
}

impl Wait {
    /// Waits for a state of all names, if waiting was asked for; the deadline is that of all together.
    pub fn reach(
        &self,
        remote: &Remote,
        names: &[String],
        state: &'static str,
        screen: &mut Screen,
    ) -> Result<(), Failure> {
        let end = Instant::now() + self.deadline;
        let aim = Aim { state: Some(state), lasting: Duration::ZERO, end };
        super::for_each(names, |name| if self.wait { self.one(remote, name, &aim, screen) } else { Ok(()) })
    }

    /// Likewise, for whatever state the connector is meant to have after a change.
    pub fn settled(&self, remote: &Remote, names: &[String], screen: &mut Screen) -> Result<(), Failure> {
        // A worker of Kafka Connect has no packages, and does not say that a change is under way.
        let tells = !self.wait || remote.find("/packages")?.is_some();
        let lasting = if tells { Duration::ZERO } else { CHANGED };
        let aim = Aim { state: None, lasting, end: Instant::now() + self.deadline };
        super::for_each(names, |name| if self.wait { self.one(remote, name, &aim, screen) } else { Ok(()) })
    }

    fn one(&self, remote: &Remote, name: &str, aim: &Aim, screen: &mut Screen) -> Result<(), Failure> {
        let (mut failed_since, mut reached_since) = (None, None);
        loop {
            // A connector that was just created may have no status yet.
            let status = match remote.find(&path(&["connectors", name, "status"]))? {
                Some(answer) => answer.json()?,
                None => Value::Null,
            };
            let now = Instant::now();
            let status = if applies(&status) { Value::Null } else { status };
            match reached(&status, aim.state) {
                Some(reached) => {
                    if now.duration_since(*reached_since.get_or_insert(now)) >= aim.lasting {
                        return screen.tell(&format!("{} {reached}", clean(name)));
                    }
                }
                None => reached_since = None,
            }
            match trace(&status) {
                Some(trace) => {
                    if now.duration_since(*failed_since.get_or_insert(now)) >= FAILED_FOR {
                        return Err(Failure::Failed { name: name.to_owned(), trace });
                    }
                }
                None => failed_since = None,
            }
            if now >= aim.end {
                let (wanted, after) = (aim.state.unwrap_or("RUNNING"), self.deadline);
                return Err(Failure::Late { name: name.to_owned(), wanted, after, seen: seen(&status) });
            }
            sleep(EVERY.min(aim.end.saturating_duration_since(now)));
        }
    }
}

/// What is waited for.
struct Aim {
    /// `None`: any state in which nothing goes on.
    state: Option<&'static str>,
    /// How long it must have lasted.
    lasting: Duration,
    /// When to give up.
    end: Instant,
}

/// The state, if all of it has the state that was waited for; without one, any state in which nothing goes on.
fn reached(status: &Value, wanted: Option<&'static str>) -> Option<&'static str> {
    let is = |state: &str| {
        let tasks = status["tasks"].as_array()?;
        let settled = status["connector"]["state"] == state && tasks.iter().all(|task| task["state"] == state);
        // A connector that runs has tasks, in a moment.
        (settled && (state != "RUNNING" || !tasks.is_empty())).then_some(())
    };
    match wanted {
        Some(state) => is(state).map(|()| state),
        None => ["RUNNING", "PAUSED", "STOPPED"].into_iter().find(|state| is(state).is_some()),
    }
}

/// True while the tasks are not yet those of the newest configuration.
fn applies(status: &Value) -> bool {
    status["health"]["state"] == "applying"
}

fn trace(status: &Value) -> Option<String> {
    let tasks = status["tasks"].as_array().into_iter().flatten();
    let failed = std::iter::once(&status["connector"]).chain(tasks).find(|part| part["state"] == "FAILED")?;
    Some(short(failed["trace"].as_str().unwrap_or("no trace")))
}

fn seen(status: &Value) -> String {
    let state = |part: &Value| part["state"].as_str().unwrap_or("without a status").to_owned();
    let tasks: Vec<String> = status["tasks"].as_array().into_iter().flatten().map(state).collect();
    format!("the connector is {}, its tasks are [{}]", state(&status["connector"]), tasks.join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn status(connector: &str, tasks: &[&str]) -> Value {
        let tasks: Vec<Value> = tasks.iter().map(|state| json!({"state": state, "trace": "why\nat"})).collect();
        json!({"connector": {"state": connector}, "tasks": tasks})
    }

    #[test]
    fn a_connector_runs_when_it_has_tasks_and_all_of_them_run() {
        assert_eq!(reached(&status("RUNNING", &[]), Some("RUNNING")), None);
        assert_eq!(reached(&status("RUNNING", &["RUNNING", "UNASSIGNED"]), Some("RUNNING")), None);
        assert_eq!(reached(&status("RUNNING", &["RUNNING"]), None), Some("RUNNING"));
        assert_eq!(reached(&status("STOPPED", &[]), None), Some("STOPPED"));
        assert_eq!(reached(&Value::Null, None), None);
    }

    #[test]
    fn states_of_former_tasks_count_for_nothing() {
        let mut status = status("RUNNING", &["RUNNING"]);
        assert!(!applies(&status));
        status["health"] = json!({"state": "retrying"});
        assert!(!applies(&status));
        status["health"]["state"] = json!("applying");
        assert!(applies(&status));
    }

    #[test]
    fn a_failure_is_that_of_the_connector_or_of_any_task() {
        assert_eq!(trace(&status("RUNNING", &["RUNNING", "FAILED"])).as_deref(), Some("why"));
        assert_eq!(trace(&status("RUNNING", &["RUNNING"])), None);
    }
}
