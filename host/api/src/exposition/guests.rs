//! What plugins count themselves: `lockgate_guest_<name>`, with the labels of their task.
//!
//! Enters: each task's own figures. Leaves: families in the page. Invariant: no name of the host begins with
//! `lockgate_guest_`, so that a plugin can neither replace nor imitate a figure of the host's; a name that tasks use
//! differently is one family without a type, so that none of them decides what another's figure is.

use std::borrow::Cow;
use std::collections::BTreeMap;

use lockgate_config::Secrets;
use lockgate_model::GuestFigure;
use lockgate_supervisor::view::{MetricsView, TaskMetricsView};

use super::{Page, labels, whole};

/// What every family of a plugin begins with, and nothing else.
const PREFIX: &str = "lockgate_guest_";
/// The host's count of what it did not take over.
const IGNORED: &str = "lockgate_task_ignored_guest_metrics_total";

/// One family: its type, if all agree, and its samples.
struct Family<'a> {
    kind: &'static str,
    samples: Vec<(&'a TaskMetricsView, f64)>,
}

pub(super) fn families(page: &mut Page, view: &MetricsView, secrets: &Secrets) {
    let mut families: BTreeMap<String, Family<'_>> = BTreeMap::new();
    let mut ignored = Vec::with_capacity(view.tasks.len());
    for task in &view.tasks {
        let own = task.metrics.guest.snapshot();
        // A name is the guest's to choose, so it could spell a value that nobody may see.
        let (shown, told): (Vec<_>, Vec<_>) =
            own.figures.into_iter().partition(|(name, _)| matches!(secrets.scrub(name), Cow::Borrowed(_)));
        ignored.push((task, own.ignored + told.len() as u64));
        for (name, figure) in shown {
            for (part, kind, value) in series(figure) {
                let family = families.entry(format!("{name}{part}"));
                let family = family.or_insert_with(|| Family { kind, samples: Vec::new() });
                if family.kind != kind {
                    family.kind = "untyped";
                }
                family.samples.push((task, value));
            }
        }
    }
    page.family(
        IGNORED,
        "counter",
        "Figures of a plugin that were not taken over: illegal or secret name, too many, not a number.",
    );
    for (task, count) in ignored {
        page.sample(IGNORED, &labels(task).pairs(), whole(count));
    }
    for (name, family) in &families {
        let name = format!("{PREFIX}{name}");
        page.family(&name, family.kind, "Counted by plugins.");
        for (task, value) in &family.samples {
            page.sample(&name, &labels(task).pairs(), *value);
        }
    }
}

/// The series of a figure: what is put behind its name, type, value.
fn series(figure: GuestFigure) -> impl Iterator<Item = (&'static str, &'static str, f64)> {
    let (first, second) = match figure {
        GuestFigure::Counter(value) => (("", "counter", value), None),
        GuestFigure::Gauge(value) => (("", "gauge", value), None),
        // What is observed may be negative, so its sum may fall.
        GuestFigure::Summary { count, sum } => (("_sum", "gauge", sum), Some(("_count", "counter", whole(count)))),
    };
    std::iter::once(first).chain(second)
}
