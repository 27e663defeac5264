//! Which figures of a task are shown, and under which name.
//!
//! Enters: nothing. Leaves: tables. Invariant: names of Kafka Connect are its attribute names with `_` for `-`; rates, means
//! and maxima are over Kafka's window: two samples of 30 s.

use lockgate_model::TaskMetrics;
use lockgate_model::metrics::Times;
use lockgate_supervisor::view::ConnectorType::{Sink, Source};

use super::{TaskMetric, signed, whole};

fn mean_ms(times: &Times) -> f64 {
    times.held_us().mean() / 1e3
}

fn max_ms(times: &Times) -> f64 {
    times.held_us().largest() / 1e3
}

macro_rules! metrics {
    ($($group:literal $of:expr => { $($kind:literal $name:literal, $help:literal, $read:expr;)* })*) => {
        &[$($(TaskMetric { name: concat!($group, "_", $name), kind: $kind, help: $help, of: $of, read: $read }),*),*]
    };
}

/// Everything with one value for each task.
pub(super) const TASK_METRICS: &[TaskMetric] = metrics![
    "kafka_connect_source_task_metrics" Some(Source) => {
        "gauge" "source_record_poll_rate", "Records polled a second, before transforms.",
            |m| m.source_record_poll_total.rate();
        "counter" "source_record_poll_total", "Records polled, before transforms.",
            |m| whole(m.source_record_poll_total.value());
        "gauge" "source_record_write_rate", "Records acknowledged by Kafka a second.",
            |m| m.source_record_write_total.rate();
        "counter" "source_record_write_total", "Records acknowledged by Kafka.",
            |m| whole(m.source_record_write_total.value());
        "gauge" "source_record_active_count", "Records polled and not yet acknowledged.",
            |m| signed(m.source_record_active_count.value());
        "gauge" "source_record_active_count_max", "Most records polled and not yet acknowledged.",
            |m| m.source_record_active_count.held().largest();
        "gauge" "source_record_active_count_avg", "Mean number of records polled and not yet acknowledged.",
            |m| m.source_record_active_count.held().mean();
        "gauge" "poll_batch_avg_time_ms", "Mean time of a poll that gave records, milliseconds.",
            |m| mean_ms(&m.poll_batch_time);
        "gauge" "poll_batch_max_time_ms", "Longest poll that gave records, milliseconds.",
            |m| max_ms(&m.poll_batch_time);
    }
    "kafka_connect_sink_task_metrics" Some(Sink) => {
        "gauge" "sink_record_read_rate", "Records read from Kafka a second, before transforms.",
            |m| m.sink_record_read_total.rate();
        "counter" "sink_record_read_total", "Records read from Kafka, before transforms.",
            |m| whole(m.sink_record_read_total.value());
        "gauge" "sink_record_send_rate", "Records given to the plugin a second.",
            |m| m.sink_record_send_total.rate();
        "counter" "sink_record_send_total", "Records given to the plugin.",
            |m| whole(m.sink_record_send_total.value());
        "gauge" "sink_record_active_count", "Records read and not yet committed.",
            |m| signed(m.sink_record_active_count.value());
        "gauge" "sink_record_active_count_max", "Most records read and not yet committed.",
            |m| m.sink_record_active_count.held().largest();
        "gauge" "sink_record_active_count_avg", "Mean number of records read and not yet committed.",
            |m| m.sink_record_active_count.held().mean();
        "gauge" "put_batch_avg_time_ms", "Mean time of a put, milliseconds.", |m| mean_ms(&m.put_batch_time);
        "gauge" "put_batch_max_time_ms", "Longest put, milliseconds.", |m| max_ms(&m.put_batch_time);
        "gauge" "partition_count", "Partitions assigned.", |m| signed(m.partition_count.value());
        "gauge" "sink_record_lag_max", "Records between the committed position and the end of the partitions.",
            |m| signed(m.sink_record_lag.value());
        "gauge" "offset_commit_seq_no", "Number of the last commit that was begun.",
            |m| whole(m.offset_commit_seq_no.value());
        "gauge" "offset_commit_completion_rate", "Commits that went well a second.",
            |m| m.offset_commit_completion_total.rate();
        "counter" "offset_commit_completion_total", "Commits that went well.",
            |m| whole(m.offset_commit_completion_total.value());
        "gauge" "offset_commit_skip_rate", "Commits a second that came too late, after the partitions had gone.",
            |m| m.offset_commit_skip_total.rate();
        "counter" "offset_commit_skip_total", "Commits that came too late, after the partitions had gone.",
            |m| whole(m.offset_commit_skip_total.value());
    }
    "kafka_connect_connector_task_metrics" None => {
        "gauge" "running_ratio", "Share of its life in which the task was running.", |m| m.states.shares().0;
        "gauge" "pause_ratio", "Share of its life in which the task was paused.", |m| m.states.shares().1;
        "gauge" "batch_size_max", "Largest batch, records.", |m| m.batch_size.held().largest();
        "gauge" "batch_size_avg", "Mean batch, records.", |m| m.batch_size.held().mean();
        "gauge" "offset_commit_avg_time_ms", "Mean time of a commit, milliseconds.", |m| mean_ms(&m.offset_commit_time);
        "gauge" "offset_commit_max_time_ms", "Longest commit, milliseconds.", |m| max_ms(&m.offset_commit_time);
        "gauge" "offset_commit_success_percentage", "Share of commits that went well, 0 to 1.",
            |m| m.offset_commits.of().0;
        "gauge" "offset_commit_failure_percentage", "Share of commits that failed, 0 to 1.",
            |m| m.offset_commits.of().1;
    }
    "kafka_connect_task_error_metrics" None => {
        "counter" "total_record_failures", "Failed attempts.", |m| whole(m.total_record_failures.value());
        "counter" "total_record_errors", "Operations that failed in the end.", |m| whole(m.total_record_errors.value());
        "counter" "total_records_skipped", "Records skipped.", |m| whole(m.total_records_skipped.value());
        "counter" "total_retries", "Retries.", |m| whole(m.total_retries.value());
        "counter" "total_errors_logged", "Errors logged.", |m| whole(m.total_errors_logged.value());
        "counter" "deadletterqueue_produce_requests", "Dead letters tried.",
            |m| whole(m.deadletterqueue_produce_requests.value());
        "counter" "deadletterqueue_produce_failures", "Dead letters that Kafka did not take.",
            |m| whole(m.deadletterqueue_produce_failures.value());
        "gauge" "last_error_timestamp", "When the last error was, epoch milliseconds; 0 = never.",
            |m| signed(m.last_error_timestamp.value());
    }
    "lockgate_task" None => {
        "counter" "offset_commit_failure_total", "Commits that failed.",
            |m| whole(m.offset_commit_failure_total.value());
        "counter" "bytes_in_total", "Bytes of records that came in.", |m| whole(m.bytes_in_total.value());
        "counter" "bytes_out_total", "Bytes of records that went out.", |m| whole(m.bytes_out_total.value());
        "counter" "batches_total", "Batches that went through the task.", |m| whole(m.batches_total.value());
        "counter" "instance_restarts_total", "Fresh instances after a trap or limit.",
            |m| whole(m.instance_restarts_total.value());
        "counter" "automatic_restarts_total", "Times the task was started again by itself (restart.policy).",
            |m| whole(m.automatic_restarts_total.value());
        "gauge" "put_batch_longest_seconds", "Longest put since the last scrape, seconds.",
            |m| whole(m.put_batch_time.take_longest_us()) / 1e6;
        "counter" "log_lines_dropped_total", "Lines of the plugin that the log limit dropped.",
            |m| whole(m.log_lines_dropped_total.value());
        "gauge" "last_progress_timestamp_seconds", "When the task last got on, epoch seconds; 0 = never.",
            |m| signed(m.last_progress_timestamp.value()) / 1e3;
    }
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
