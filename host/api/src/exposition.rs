//! `GET /metrics`: Prometheus' text format 0.0.4.
//!
//! Enters: counters of the supervisor. Leaves: text. Invariant: each metric has one HELP and TYPE line and its samples
//! behind them. Names are `kafka_connect_<group>_<attribute>`, as dashboards for Kafka Connect's JMX exporter have them;
//! Lockgate's own begin with `lockgate_`, those of plugins with `lockgate_guest_`, as nothing else does. The work for a page
//! grows with the number of its lines and with nothing else.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use lockgate_config::Secrets;
use lockgate_model::TaskMetrics;
use lockgate_supervisor::view::{Ailment, ConnectorType, MetricsView, TaskMetricsView};

/// The type of the format.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Reads a figure of a task.
type Read = fn(&TaskMetrics) -> f64;

/// One metric of a task.
struct TaskMetric {
    name: &'static str,
    kind: &'static str,
    help: &'static str,
    of: Option<ConnectorType>,
    read: Read,
}

/// A task, and its labels as they stand in each of its lines.
struct Shown<'a> {
    task: &'a TaskMetricsView,
    block: String,
}

/// The whole exposition.
pub fn text(view: &MetricsView, secrets: &Secrets) -> String {
    let shown = |task| Shown { task, block: block(&labels(task).pairs()) };
    let tasks: Vec<Shown<'_>> = view.tasks.iter().map(shown).collect();
    let mut page = Page(String::with_capacity((16 << 10) + tasks.len() * (8 << 10)));
    worker::families(&mut page, view);
    connectors(&mut page, view);
    task_info(&mut page, view, &tasks);
    steps::families(&mut page, view);
    for metric in TASK_METRICS {
        page.family(metric.name, metric.kind, metric.help);
        for Shown { task, block } in &tasks {
            if metric.of.is_none_or(|kind| kind == task.connector_type) {
                page.line(metric.name, block, (metric.read)(&task.metrics));
            }
        }
    }
    for (name, help, read) in SUMMARIES {
        page.family(name, "summary", help);
        let (sum, count) = (format!("{name}_sum"), format!("{name}_count"));
        for Shown { task, block } in &tasks {
            let times = read(&task.metrics);
            page.line(&sum, block, whole(times.sum_us()) / 1e6);
            page.line(&count, block, whole(times.count()));
        }
    }
    ailments(&mut page, &tasks);
    guests::families(&mut page, view, secrets);
    page.0
}

fn connectors(page: &mut Page, view: &MetricsView) {
    let name = "kafka_connect_connector_metrics_info";
    page.family(name, "gauge", "Class, type and version of a connector; always 1.");
    for connector in &view.connectors {
        let version = connector.version.as_deref().unwrap_or_default();
        let labels = [
            ("connector", connector.name.as_str()),
            ("connector_class", &connector.class),
            ("connector_type", type_name(connector.connector_type)),
            ("connector_version", version),
        ];
        page.sample(name, &labels, 1.0);
    }
    let name = "kafka_connect_connector_metrics_status";
    page.family(name, "gauge", "The state of a connector, as a label; always 1.");
    for connector in &view.connectors {
        let status = connector.state.name().to_lowercase();
        page.sample(name, &[("connector", &connector.name), ("status", &status)], 1.0);
    }
}

/// What Kafka Connect has as text attributes of a task.
fn task_info(page: &mut Page, view: &MetricsView, tasks: &[Shown<'_>]) {
    let name = "kafka_connect_connector_task_metrics_status";
    page.family(name, "gauge", "The state of a task, as a label; always 1.");
    for Shown { task, .. } in tasks {
        let (number, status) = (task.id.task.to_string(), task.state.name().to_lowercase());
        page.sample(name, &[("connector", &task.id.connector), ("task", &number), ("status", &status)], 1.0);
    }
    let name = "kafka_connect_connector_task_metrics_info";
    page.family(name, "gauge", "Classes and versions of a task and its converters; always 1.");
    let by_name: BTreeMap<&str, _> = view.connectors.iter().map(|c| (c.name.as_str(), c)).collect();
    for Shown { task, .. } in tasks {
        let Some(connector) = by_name.get(&*task.id.connector) else { continue };
        let number = task.id.task.to_string();
        let version = connector.version.as_deref().unwrap_or_default();
        let [key, value, header] = &connector.converters;
        let built_in = env!("CARGO_PKG_VERSION");
        let labels = [
            ("connector", connector.name.as_str()),
            ("task", &number),
            ("connector_class", &connector.class),
            ("connector_type", type_name(connector.connector_type)),
            ("connector_version", version),
            ("task_class", &connector.class),
            ("task_version", version),
            ("key_converter_class", key),
            ("key_converter_version", built_in),
            ("value_converter_class", value),
            ("value_converter_version", built_in),
            ("header_converter_class", header),
            ("header_converter_version", built_in),
        ];
        page.sample(name, &labels, 1.0);
    }
}

/// Tasks that do not get on, for alerts.
fn ailments(page: &mut Page, tasks: &[Shown<'_>]) {
    let all = [
        (Ailment::Stalled, "lockgate_task_stalled", "1 while a task that should get on makes no progress."),
        (
            Ailment::Restarting,
            "lockgate_task_restart_pending",
            "1 while a failed task waits for its automatic restart.",
        ),
        (Ailment::Quarantined, "lockgate_task_quarantined", "1 while a task is left alone after a crash loop."),
    ];
    for (ailment, name, help) in all {
        page.family(name, "gauge", help);
        for Shown { task, block } in tasks {
            let has = task.health.as_ref().is_some_and(|health| health.state == ailment);
            page.line(name, block, f64::from(u8::from(has)));
        }
    }
}

const fn type_name(kind: ConnectorType) -> &'static str {
    match kind {
        ConnectorType::Source => "source",
        ConnectorType::Sink => "sink",
        ConnectorType::Unknown => "unknown",
    }
}

/// Connector and task number: the labels of every figure of a task.
struct TaskLabels(String, String);

fn labels(task: &TaskMetricsView) -> TaskLabels {
    TaskLabels(task.id.connector.to_string(), task.id.task.to_string())
}

impl TaskLabels {
    fn pairs(&self) -> [(&str, &str); 2] {
        [("connector", &self.0), ("task", &self.1)]
    }
}

/// The text so far.
struct Page(String);

impl Page {
    /// HELP and TYPE. Where Kafka Connect's name breaks a rule for names of its type, there is no type, as with the JMX
    /// exporter.
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let odd = match kind {
            "counter" => !name.ends_with("_total"),
            "gauge" => name.ends_with("_count") || name.ends_with("_total"),
            _ => false,
        };
        let kind = if odd { "untyped" } else { kind };
        _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn single(&mut self, name: &str, kind: &str, help: &str, value: f64) {
        self.family(name, kind, help);
        self.line(name, "", value);
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        self.line(name, &block(labels), value);
    }

    fn line(&mut self, name: &str, block: &str, value: f64) {
        self.0.push_str(name);
        self.0.push_str(block);
        _ = match value {
            f64::INFINITY => writeln!(self.0, " +Inf"),
            value => writeln!(self.0, " {value}"),
        };
    }
}

/// Labels in braces, escaped.
fn block(labels: &[(&str, &str)]) -> String {
    let mut block = String::new();
    for (index, (label, text)) in labels.iter().enumerate() {
        let open = if index == 0 { '{' } else { ',' };
        let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        _ = write!(block, "{open}{label}=\"{text}\"");
    }
    if !labels.is_empty() {
        block.push('}');
    }
    block
}

/// Totals beyond 2^53 lose their last digits, as Prometheus' own doubles do.
#[allow(clippy::cast_precision_loss)]
const fn whole(value: u64) -> f64 {
    value as f64
}

#[allow(clippy::cast_precision_loss)]
const fn signed(value: i64) -> f64 {
    value as f64
}

mod guests;
mod steps;
mod tables;
mod worker;
use tables::{SUMMARIES, TASK_METRICS};

#[cfg(test)]
mod tests;
