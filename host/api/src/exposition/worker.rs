//! Figures of the worker: what it hosts, how starts went, rebalances, and its connectors' tasks by state.
//!
//! Enters: a [`MetricsView`]. Leaves: families in the page. Invariant: the tasks are walked once, not once for each connector.

use std::collections::BTreeMap;

use lockgate_supervisor::view::{MetricsView, StartsView, State};

use super::{Page, whole};

const WORKER: &str = "kafka_connect_connect_worker_metrics";
const REBALANCE: &str = "kafka_connect_connect_worker_rebalance_metrics";

pub(super) fn families(page: &mut Page, view: &MetricsView) {
    page.single(
        &format!("{WORKER}_connector_count"),
        "gauge",
        "Connectors on this worker.",
        whole(count(&view.connectors)),
    );
    page.single(&format!("{WORKER}_task_count"), "gauge", "Tasks on this worker.", whole(count(&view.tasks)));
    for (word, starts) in [("connector", view.connector_starts), ("task", view.task_starts)] {
        startups(page, word, starts);
    }
    page.single("lockgate_packages", "gauge", "Packages that are loaded.", whole(view.package_count as u64));
    rebalance(page, view);
    task_counts(page, view);
}

fn count<T>(all: &[T]) -> u64 {
    all.len() as u64
}

fn startups(page: &mut Page, word: &str, starts: StartsView) {
    let totals = [
        ("attempts", starts.attempts, "were tried"),
        ("success", starts.successes, "went well"),
        ("failure", starts.failures, "failed"),
    ];
    for (what, value, help) in totals {
        let name = format!("{WORKER}_{word}_startup_{what}_total");
        page.single(&name, "counter", &format!("Starts of {word}s that {help}."), whole(value));
    }
    for (what, share) in [("success", starts.success_share), ("failure", starts.failure_share)] {
        let name = format!("{WORKER}_{word}_startup_{what}_percentage");
        page.single(
            &name,
            "gauge",
            &format!("Share of starts of {word}s within the last minute: {what}, 0 to 1."),
            share,
        );
    }
}

/// A worker that shares its work with none never rebalances: it is its own leader in its only generation.
fn rebalance(page: &mut Page, view: &MetricsView) {
    let name = format!("{REBALANCE}_info");
    page.family(&name, "gauge", "Protocol of the group and its leader; always 1.");
    page.sample(&name, &[("connect_protocol", "sessioned"), ("leader_name", &view.leader)], 1.0);
    page.single(&format!("{REBALANCE}_epoch"), "gauge", "Generation of the group.", f64::from(view.generation));
    page.single(&format!("{REBALANCE}_completed_rebalances_total"), "counter", "Rebalances of this worker.", 0.0);
    page.single(&format!("{REBALANCE}_rebalancing"), "gauge", "1 while the worker rebalances.", 0.0);
    let times = [
        ("rebalance_max_time_ms", "Longest rebalance, milliseconds.", f64::NAN),
        ("rebalance_avg_time_ms", "Mean time of a rebalance, milliseconds.", f64::NAN),
        (
            "time_since_last_rebalance_ms",
            "Milliseconds since the last rebalance; infinite before the first.",
            f64::INFINITY,
        ),
    ];
    for (attribute, help, value) in times {
        page.single(&format!("{REBALANCE}_{attribute}"), "gauge", help, value);
    }
}

/// Words of the states in Kafka Connect's attribute names.
const WORDS: [&str; 7] = ["total", "running", "paused", "failed", "unassigned", "restarting", "destroyed"];

/// Tasks of each connector by state.
fn task_counts(page: &mut Page, view: &MetricsView) {
    let mut counts: BTreeMap<&str, [u64; 7]> = view.connectors.iter().map(|c| (c.name.as_str(), [0; 7])).collect();
    for task in &view.tasks {
        let Some(of) = counts.get_mut(&*task.id.connector) else { continue };
        of[0] += 1;
        let at = match task.state {
            State::Running => 1,
            State::Paused => 2,
            State::Failed => 3,
            State::Unassigned | State::Stopped => 4,
            State::Restarting => 5,
        };
        of[at] += 1;
    }
    for (name, leaving) in &view.leaving {
        if let Some(of) = counts.get_mut(name.as_str()) {
            of[6] = *leaving;
        }
    }
    let blocks: Vec<(String, [u64; 7])> =
        counts.into_iter().map(|(name, of)| (super::block(&[("connector", name)]), of)).collect();
    for (at, word) in WORDS.iter().enumerate() {
        let name = format!("{WORKER}_connector_{word}_task_count");
        page.family(&name, "gauge", &format!("Tasks of a connector on this worker: {word}."));
        for (block, of) in &blocks {
            page.line(&name, block, whole(of[at]));
        }
    }
}
