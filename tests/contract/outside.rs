//! HTTP and TCP: what a guest says outside, what it hears, and what it cannot reach.
//!
//! Enters: batches, servers on loopback. Leaves: what CONTRACT.md says under "Outside". Invariant: without a grant nothing
//! leaves, and the log says what was refused.

pub mod http;
pub mod tcp;

use std::time::Duration;

use lockgate_model::ports::{OpenSink, SinkPort};
use lockgate_wasm::{Limits, Policy};

use super::Guest;
use super::fixture::{Task, run, task};

/// An open sink with a mode and its target; the worker grants it these hosts for HTTP and for TCP.
fn open(guest: Guest, settings: &[(&str, &str)], hosts: (&str, &str)) -> (Task, impl SinkPort + use<>) {
    open_within(Limits::default().call, guest, settings, hosts)
}

/// Likewise, with this deadline for each call.
fn open_within(
    deadline: Duration,
    guest: Guest,
    settings: &[(&str, &str)],
    hosts: (&str, &str),
) -> (Task, impl SinkPort + use<>) {
    let mut task = task(guest, "ref.Sink", settings);
    task.spec.limits.call = deadline;
    // The first use of a large engine on a busy machine.
    task.spec.limits.cpu = Duration::from_secs(10);
    let plugins = &task.package.info().plugins;
    let requests = &plugins.iter().find(|plugin| plugin.class == "ref.Sink").unwrap().requests;
    let policy = Policy::parse(hosts.0, hosts.1, "", "", "").unwrap();
    (task.spec.grants, _) = policy.effective(requests, &task.spec.config);
    let sink = run(task.package.sink(task.spec.clone()).open(&[])).unwrap();
    task.lines.take();
    (task, sink)
}

/// A port of loopback where nobody listens.
fn nobody() -> String {
    format!("127.0.0.1:{}", lockgate_tests::free_port())
}

fn says(task: &Task, words: &str) -> bool {
    task.lines.all().iter().any(|line| line.contains(words))
}
