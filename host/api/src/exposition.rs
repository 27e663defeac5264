//! `GET /metrics`: Prometheus' text format 0.0.4.
//!
//! Enters: counters of the supervisor. Leaves: text. Invariant: each metric has one HELP and TYPE line and its samples
//! behind them. Names are `kafka_connect_<group>_<attribute>`, as dashboards for Kafka Connect's JMX exporter have them;
//! Lockgate's own begin with `lockgate_`, those of plugins with `lockgate_guest_`, as nothing else does.

use std::fmt::Write as _;

use lockgate_model::TaskMetrics;
use lockgate_model::metrics::Times;
use lockgate_supervisor::view::{ConnectorType, MetricsView, State, TaskMetricsView};

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

/// The whole exposition.
pub fn text(view: &MetricsView) -> String {
    let mut page = Page(String::with_capacity(16 << 10));
    worker(&mut page, view);
    connectors(&mut page, view);
    task_counts(&mut page, view);
    statuses(&mut page, view);
    for metric in TASK_METRICS {
        page.family(metric.name, metric.kind, metric.help);
        let tasks = view.tasks.iter().filter(|task| metric.of.is_none_or(|kind| kind == task.connector_type));
        for task in tasks {
            page.sample(metric.name, &labels(task).pairs(), (metric.read)(&task.metrics));
        }
    }
    for (name, help, read) in SUMMARIES {
        page.family(name, "summary", help);
        for task in &view.tasks {
            let times = read(&task.metrics);
            page.sample(&format!("{name}_sum"), &labels(task).pairs(), micros(times.sum_us.value()) / 1e6);
            page.sample(&format!("{name}_count"), &labels(task).pairs(), whole(times.count.value()));
        }
    }
    guests::families(&mut page, view);
    page.0
}

fn worker(page: &mut Page, view: &MetricsView) {
    let group = "kafka_connect_connect_worker_metrics";
    let gauges = [
        ("connector_count", "Connectors on this worker.", view.connectors.len()),
        ("task_count", "Tasks on this worker.", view.tasks.len()),
    ];
    for (attribute, help, value) in gauges {
        page.single(&format!("{group}_{attribute}"), "gauge", help, whole(value as u64));
    }
    let totals = [
        ("connector_startup_attempts", "Starts of connectors that were tried.", view.connector_startup_attempts_total),
        ("connector_startup_success", "Starts of connectors that went well.", view.connector_startup_success_total),
        ("connector_startup_failure", "Starts of connectors that failed.", view.connector_startup_failure_total),
        ("task_startup_attempts", "Starts of tasks that were tried.", view.task_startup_attempts_total),
        ("task_startup_success", "Starts of tasks that went well.", view.task_startup_success_total),
        ("task_startup_failure", "Starts of tasks that failed.", view.task_startup_failure_total),
    ];
    for (attribute, help, value) in totals {
        page.single(&format!("{group}_{attribute}_total"), "counter", help, whole(value));
    }
    page.single("lockgate_packages", "gauge", "Packages that are loaded.", whole(view.package_count as u64));
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

/// Tasks of each connector by state.
fn task_counts(page: &mut Page, view: &MetricsView) {
    let states = [
        ("total", None),
        ("running", Some(State::Running)),
        ("paused", Some(State::Paused)),
        ("failed", Some(State::Failed)),
        ("unassigned", Some(State::Unassigned)),
        ("restarting", Some(State::Restarting)),
    ];
    for (word, state) in states {
        let name = format!("kafka_connect_connect_worker_metrics_connector_{word}_task_count");
        page.family(&name, "gauge", &format!("Tasks of a connector on this worker: {word}."));
        for connector in &view.connectors {
            let own = view.tasks.iter().filter(|task| *task.id.connector == *connector.name);
            let count = own.filter(|task| state.is_none_or(|state| state == task.state)).count();
            page.sample(&name, &[("connector", &connector.name)], whole(count as u64));
        }
    }
}

fn statuses(page: &mut Page, view: &MetricsView) {
    let name = "kafka_connect_connector_task_metrics_status";
    page.family(name, "gauge", "The state of a task, as a label; always 1.");
    for task in &view.tasks {
        let (number, status) = (task.id.task.to_string(), task.state.name().to_lowercase());
        page.sample(name, &[("connector", &task.id.connector), ("task", &number), ("status", &status)], 1.0);
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
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn single(&mut self, name: &str, kind: &str, help: &str, value: f64) {
        self.family(name, kind, help);
        self.sample(name, &[], value);
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        self.0.push_str(name);
        for (index, (label, text)) in labels.iter().enumerate() {
            let open = if index == 0 { '{' } else { ',' };
            let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            _ = write!(self.0, "{open}{label}=\"{text}\"");
        }
        if !labels.is_empty() {
            self.0.push('}');
        }
        _ = writeln!(self.0, " {value}");
    }
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

const fn micros(value: u64) -> f64 {
    whole(value)
}

/// Mean since the start in milliseconds; NaN before the first, as in Kafka Connect.
fn mean_ms(times: &Times) -> f64 {
    micros(times.sum_us.value()) / whole(times.count.value()) / 1e3
}

/// Longest since the last reading of this page, milliseconds.
fn max_ms(times: &Times) -> f64 {
    micros(times.take_max_us()) / 1e3
}

mod guests;
mod tables;
use tables::{SUMMARIES, TASK_METRICS};

#[cfg(test)]
mod tests;
