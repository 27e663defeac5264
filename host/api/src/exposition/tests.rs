//! The exposition, byte by byte where it matters.

use std::sync::Arc;
use std::time::Duration;

use lockgate_config::Hidden;
use lockgate_model::TaskId;
use lockgate_supervisor::view::{ConnectorMetricsView, Health, State, StepView};

use super::*;

fn text(view: &MetricsView) -> String {
    super::text(view, &Secrets::default())
}

fn step(alias: &str) -> StepView {
    StepView { alias: alias.to_owned(), class: "C".to_owned(), version: "1.0".to_owned(), is_predicate: false }
}

fn view() -> MetricsView {
    let metrics = TaskMetrics::default();
    metrics.sink_record_read_total.add(7);
    metrics.put_batch_time.observe(Duration::from_millis(3));
    let id = TaskId { tenant: "default".into(), connector: "say \"hi\"\\\n".into(), task: 0 };
    MetricsView {
        connectors: vec![ConnectorMetricsView {
            name: "say \"hi\"\\\n".to_owned(),
            connector_type: ConnectorType::Sink,
            class: "Blackhole".to_owned(),
            version: Some("1.0.0".to_owned()),
            state: State::Running,
            converters: ["K", "V", "H"].map(str::to_owned),
            steps: ["a", "b"]
                .map(step)
                .into_iter()
                .chain(["p", "p"].map(|p| StepView { is_predicate: true, ..step(p) }))
                .collect(),
        }],
        tasks: vec![TaskMetricsView {
            id,
            connector_type: ConnectorType::Sink,
            state: State::Running,
            health: None,
            metrics: Arc::new(metrics),
        }],
        ..MetricsView::default()
    }
}

#[test]
fn names_are_those_of_dashboards_and_labels_are_escaped() {
    let text = text(&view());
    let labels = r#"{connector="say \"hi\"\\\n",task="0"}"#;
    for line in [
        format!("kafka_connect_sink_task_metrics_sink_record_read_total{labels} 7"),
        format!("kafka_connect_sink_task_metrics_put_batch_max_time_ms{labels} 3"),
        format!("kafka_connect_connector_task_metrics_offset_commit_avg_time_ms{labels} NaN"),
        "kafka_connect_connect_worker_metrics_task_count 1".to_owned(),
        "# TYPE lockgate_task_put_batch_seconds summary".to_owned(),
        format!("lockgate_task_put_batch_seconds_sum{labels} 0.003"),
    ] {
        assert!(text.lines().any(|l| l == line), "`{line}` is missing in:\n{text}");
    }
    assert!(!text.contains("source_record_poll_total{"), "a sink has no figures of a source");
}

fn task(number: u32, count: impl Fn(&lockgate_model::GuestMetrics)) -> TaskMetricsView {
    let metrics = TaskMetrics::default();
    count(&metrics.guest);
    let id = TaskId { tenant: "default".into(), connector: "c".into(), task: number };
    TaskMetricsView {
        id,
        connector_type: ConnectorType::Sink,
        state: State::Running,
        health: None,
        metrics: Arc::new(metrics),
    }
}

#[test]
fn figures_of_plugins_have_a_prefix_that_no_figure_of_the_host_has() {
    let first = task(0, |guest| {
        guest.add("rows_total", 2.0);
        guest.observe("wait_seconds", 0.5);
        guest.add("kafka_connect_connect_worker_metrics_task_count", 9.0);
        guest.set("not a name", 1.0);
    });
    let second = task(1, |guest| {
        guest.set("rows_total", 3.0);
        guest.observe("wait_seconds", 0.25);
        guest.set("wait_seconds_count", 7.0);
    });
    let text = text(&MetricsView { tasks: vec![first, second], ..MetricsView::default() });
    for line in [
        "# TYPE lockgate_guest_rows_total untyped",
        r#"lockgate_guest_rows_total{connector="c",task="0"} 2"#,
        r#"lockgate_guest_rows_total{connector="c",task="1"} 3"#,
        "# TYPE lockgate_guest_wait_seconds_count untyped",
        r#"lockgate_guest_wait_seconds_sum{connector="c",task="1"} 0.25"#,
        r#"lockgate_guest_wait_seconds_count{connector="c",task="1"} 1"#,
        r#"lockgate_task_ignored_guest_metrics_total{connector="c",task="1"} 1"#,
        "kafka_connect_connect_worker_metrics_task_count 2",
    ] {
        assert!(text.lines().any(|l| l == line), "`{line}` is missing in:\n{text}");
    }
    assert_eq!(
        text.matches("\nkafka_connect_connect_worker_metrics_task_count").count(),
        1,
        "the guest's has its prefix"
    );
    let series: Vec<&str> = text.lines().filter(|l| !l.starts_with('#')).filter_map(|l| l.split(' ').next()).collect();
    let mut once = series.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), series.len(), "no series twice:\n{text}");
}

#[test]
fn every_family_is_announced_once_and_before_its_samples() {
    let text = text(&view());
    let mut announced: Vec<&str> = Vec::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let name = rest.split(' ').next().unwrap();
            assert!(!announced.contains(&name), "{name} twice");
            announced.push(name);
        } else if !line.starts_with('#') {
            let name = line.split(['{', ' ']).next().unwrap();
            let last = announced.last().unwrap();
            assert!(name == *last || name == format!("{last}_sum") || name == format!("{last}_count"), "{line}");
        }
    }
}

#[test]
fn every_attribute_of_kafka_connect_is_there() {
    let text = text(&view());
    let attributes = [
        "connector_task_metrics_running_ratio",
        "connector_task_metrics_batch_size_avg",
        "connector_task_metrics_offset_commit_success_percentage",
        "connector_task_metrics_info",
        "sink_task_metrics_sink_record_read_rate",
        "sink_task_metrics_sink_record_active_count_max",
        "sink_task_metrics_offset_commit_seq_no",
        "sink_task_metrics_offset_commit_skip_total",
        "task_error_metrics_total_retries",
        "connect_worker_metrics_connector_startup_success_percentage",
        "connect_worker_metrics_task_startup_failure_total",
        "connect_worker_metrics_connector_destroyed_task_count",
        "connect_worker_rebalance_metrics_epoch",
        "connect_worker_rebalance_metrics_rebalance_avg_time_ms",
        "connect_worker_rebalance_metrics_info",
    ];
    for attribute in attributes {
        let line = format!("kafka_connect_{attribute}");
        let there = |l: &str| l.strip_prefix(line.as_str()).is_some_and(|rest| rest.starts_with(['{', ' ']));
        assert!(text.lines().any(there), "`{line}` is missing in:\n{text}");
    }
    assert!(text.contains("time_since_last_rebalance_ms +Inf"));
}

#[test]
fn a_task_that_does_not_get_on_has_a_figure_for_alerts() {
    let mut view = view();
    let health = Health { state: Ailment::Stalled, reason: "r".to_owned(), since_ms: 1 };
    view.tasks[0].health = Some(health);
    let text = text(&view);
    let value = |name: &str| text.lines().find(|l| l.starts_with(&format!("{name}{{"))).unwrap().rsplit(' ').next();
    assert_eq!((value("lockgate_task_stalled"), value("lockgate_task_quarantined")), (Some("1"), Some("0")));
}

#[test]
fn each_task_says_its_transforms_and_each_predicate_once() {
    let text = text(&view());
    let of = |kind: &str| {
        text.lines().filter(|l| l.starts_with(&format!("kafka_connect_connector_{kind}_metrics_info{{"))).count()
    };
    assert_eq!((of("transform"), of("predicate")), (2, 1));
    let labels = r#"task="0",predicate="p",predicate_class="C",predicate_version="1.0"} 1"#;
    assert!(text.contains(labels), "{text}");
}

#[test]
fn a_name_that_spells_a_secret_is_not_shown() {
    let told = task(0, |metrics| {
        metrics.add("rows_of_hunter2", 1.0);
        metrics.add("rows", 1.0);
    });
    let secrets = Secrets::default();
    secrets.add(&Hidden::new([("${a:b}".to_owned(), "hunter2".to_owned())]));
    let text = super::text(&MetricsView { tasks: vec![told], ..MetricsView::default() }, &secrets);
    assert!(!text.contains("hunter2") && text.contains("lockgate_guest_rows{"), "{text}");
    assert!(text.contains("lockgate_task_ignored_guest_metrics_total{connector=\"c\",task=\"0\"} 1"), "{text}");
}
