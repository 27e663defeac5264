//! Which figures of a task are shown, and under which name.
//!
//! Enters: nothing. Leaves: tables. Invariant: names of Kafka Connect are its attribute names with `_` for `-`.

use lockgate_model::TaskMetrics;
use lockgate_model::metrics::Times;
use lockgate_supervisor::view::ConnectorType::{Sink, Source};

use super::{TaskMetric, max_ms, mean_ms, signed, whole};

macro_rules! metrics {
    ($($kind:literal $of:expr, $name:literal, $help:literal, $read:expr;)*) => {
        &[$(TaskMetric { name: $name, kind: $kind, help: $help, of: $of, read: $read }),*]
    };
}

/// Everything with one value for each task.
pub(super) const TASK_METRICS: &[TaskMetric] = metrics![
    "counter" Some(Source), "kafka_connect_source_task_metrics_source_record_poll_total",
        "Records polled, before transforms.", |m| whole(m.source_record_poll_total.value());
    "counter" Some(Source), "kafka_connect_source_task_metrics_source_record_write_total",
        "Records acknowledged by Kafka.", |m| whole(m.source_record_write_total.value());
    "gauge" Some(Source), "kafka_connect_source_task_metrics_source_record_active_count",
        "Records polled and not yet acknowledged.", |m| signed(m.source_record_active_count.value());
    "gauge" Some(Source), "kafka_connect_source_task_metrics_poll_batch_avg_time_ms",
        "Mean time of a poll since the start, milliseconds.", |m| mean_ms(&m.poll_batch_time);
    "gauge" Some(Source), "kafka_connect_source_task_metrics_poll_batch_max_time_ms",
        "Longest poll since the last scrape, milliseconds.", |m| max_ms(&m.poll_batch_time);
    "counter" Some(Sink), "kafka_connect_sink_task_metrics_sink_record_read_total",
        "Records read from Kafka, before transforms.", |m| whole(m.sink_record_read_total.value());
    "counter" Some(Sink), "kafka_connect_sink_task_metrics_sink_record_send_total",
        "Records given to the plugin.", |m| whole(m.sink_record_send_total.value());
    "gauge" Some(Sink), "kafka_connect_sink_task_metrics_sink_record_active_count",
        "Records read and not yet committed.", |m| signed(m.sink_record_active_count.value());
    "gauge" Some(Sink), "kafka_connect_sink_task_metrics_put_batch_avg_time_ms",
        "Mean time of a put since the start, milliseconds.", |m| mean_ms(&m.put_batch_time);
    "gauge" Some(Sink), "kafka_connect_sink_task_metrics_put_batch_max_time_ms",
        "Longest put since the last scrape, milliseconds.", |m| max_ms(&m.put_batch_time);
    "gauge" Some(Sink), "kafka_connect_sink_task_metrics_partition_count",
        "Partitions assigned.", |m| signed(m.partition_count.value());
    "gauge" Some(Sink), "kafka_connect_sink_task_metrics_sink_record_lag_max",
        "Records between the committed position and the end of the partitions.", |m| signed(m.sink_record_lag.value());
    "counter" Some(Sink), "kafka_connect_sink_task_metrics_offset_commit_completion_total",
        "Commits that went well.", |m| whole(m.offset_commit_completion_total.value());
    "gauge" None, "kafka_connect_connector_task_metrics_batch_size_max",
        "Largest batch, records.", |m| signed(m.batch_size_max.value());
    "gauge" None, "kafka_connect_connector_task_metrics_offset_commit_avg_time_ms",
        "Mean time of a commit since the start, milliseconds.", |m| mean_ms(&m.offset_commit_time);
    "gauge" None, "kafka_connect_connector_task_metrics_offset_commit_max_time_ms",
        "Longest commit since the last scrape, milliseconds.", |m| max_ms(&m.offset_commit_time);
    "counter" None, "kafka_connect_task_error_metrics_total_record_failures",
        "Failed attempts.", |m| whole(m.total_record_failures.value());
    "counter" None, "kafka_connect_task_error_metrics_total_record_errors",
        "Operations that failed in the end.", |m| whole(m.total_record_errors.value());
    "counter" None, "kafka_connect_task_error_metrics_total_records_skipped",
        "Records skipped.", |m| whole(m.total_records_skipped.value());
    "counter" None, "kafka_connect_task_error_metrics_total_retries",
        "Retries.", |m| whole(m.total_retries.value());
    "counter" None, "kafka_connect_task_error_metrics_total_errors_logged",
        "Errors logged.", |m| whole(m.total_errors_logged.value());
    "counter" None, "kafka_connect_task_error_metrics_deadletterqueue_produce_requests",
        "Dead letters tried.", |m| whole(m.deadletterqueue_produce_requests.value());
    "counter" None, "kafka_connect_task_error_metrics_deadletterqueue_produce_failures",
        "Dead letters that Kafka did not take.", |m| whole(m.deadletterqueue_produce_failures.value());
    "gauge" None, "kafka_connect_task_error_metrics_last_error_timestamp",
        "When the last error was, epoch milliseconds; 0 = never.", |m| signed(m.last_error_timestamp.value());
    "counter" None, "lockgate_task_offset_commit_failure_total",
        "Commits that failed.", |m| whole(m.offset_commit_failure_total.value());
    "counter" None, "lockgate_task_bytes_in_total",
        "Bytes of records that came in.", |m| whole(m.bytes_in_total.value());
    "counter" None, "lockgate_task_bytes_out_total",
        "Bytes of records that went out.", |m| whole(m.bytes_out_total.value());
    "counter" None, "lockgate_task_batches_total",
        "Batches that went through the task.", |m| whole(m.batches_total.value());
    "counter" None, "lockgate_task_instance_restarts_total",
        "Fresh instances after a trap or limit.", |m| whole(m.instance_restarts_total.value());
    "counter" None, "lockgate_task_log_lines_dropped_total",
        "Lines of the plugin that the log limit dropped.", |m| whole(m.log_lines_dropped_total.value());
    "gauge" None, "lockgate_task_last_progress_timestamp_seconds",
        "When the task last got on, epoch seconds; 0 = never.", |m| signed(m.last_progress_timestamp.value()) / 1e3;
];

/// Name, help, durations.
type Summary = (&'static str, &'static str, fn(&TaskMetrics) -> &Times);

/// Sums and counts, from which a monitoring system makes rates and means over any window.
pub(super) const SUMMARIES: &[Summary] = &[
    ("lockgate_task_guest_seconds", "Time inside the plugin, all calls.", |m| &m.guest_time),
    ("lockgate_task_poll_batch_seconds", "Time of polls.", |m| &m.poll_batch_time),
    ("lockgate_task_put_batch_seconds", "Time of puts.", |m| &m.put_batch_time),
    ("lockgate_task_offset_commit_seconds", "Time of commits.", |m| &m.offset_commit_time),
];
