//! Which transforms and predicates a task has: Kafka Connect's text attributes (KIP-877's tags, since 4.1).
//!
//! Enters: the chains of connectors. Leaves: a line for each step of each task. Invariant: a predicate that guards several
//! transforms is one line.

use std::collections::{BTreeMap, BTreeSet};

use lockgate_supervisor::view::{MetricsView, StepView};

use super::{Page, labels};

pub(super) fn families(page: &mut Page, view: &MetricsView) {
    let by_name: BTreeMap<&str, _> = view.connectors.iter().map(|c| (c.name.as_str(), c)).collect();
    for (kind, is_predicate) in [("transform", false), ("predicate", true)] {
        let name = format!("kafka_connect_connector_{kind}_metrics_info");
        page.family(&name, "gauge", &format!("Class and version of a {kind} of a task; always 1."));
        let (class, version) = (format!("{kind}_class"), format!("{kind}_version"));
        for task in &view.tasks {
            let Some(connector) = by_name.get(&*task.id.connector) else { continue };
            let steps: BTreeSet<&StepView> =
                connector.steps.iter().filter(|s| s.is_predicate == is_predicate).collect();
            let own = labels(task);
            for step in steps {
                let [connector, task] = own.pairs();
                let labels = [connector, task, (kind, &step.alias), (&class, &step.class), (&version, &step.version)];
                page.sample(&name, &labels, 1.0);
            }
        }
    }
}
