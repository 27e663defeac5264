//! What connectors cost that have nothing to do: 1, 10 and 100 sinks on an empty topic, beside as many bare clients.
//!
//! Enters: a broker. Leaves: resident memory and CPU, and the time from start to ready.

use std::time::{Duration, Instant};

use lockgate_tests::{Kafka, Worker, WorkerOptions};
use serde_json::json;

use crate::process::Usage;
use crate::series::child;
use crate::table::verdict;

/// How long CPU is watched.
const WATCH: Duration = Duration::from_secs(10);

/// Rows of the table.
pub fn run(kafka: &Kafka) -> Vec<(String, String)> {
    let topic = kafka.topic("idle", 1);
    let mut worker = Worker::set_up(&kafka.bootstrap, WorkerOptions::default());
    let began = Instant::now();
    worker.launch();
    worker.wait_ready();
    let ready = began.elapsed().as_secs_f64();
    let pid = worker.pid().expect("the worker runs");
    let mut rows = vec![("start to ready".to_owned(), format!("{ready:.2} s, {}", verdict(ready, 0.5, "s")))];
    rows.push(("worker without connectors".to_owned(), format!("{:.1} MiB", Usage::of(pid).rss_mib)));
    let (mut made, mut first) = (0, 0.0);
    for count in [1_u32, 10, 100] {
        for at in made..count {
            let config = json!({"connector.class": "blackhole", "topics": topic.name, "tasks.max": "1"});
            worker.create(&format!("idle-{at}"), config);
        }
        for at in made..count {
            worker.wait_running(&format!("idle-{at}"));
        }
        made = count;
        let before = Usage::of(pid);
        std::thread::sleep(WATCH);
        let usage = Usage::of(pid);
        let bare =
            child(&["idle", &kafka.bootstrap, &topic.name, &count.to_string()])["rss_mib"].as_f64().unwrap_or(f64::NAN);
        let cpu = (usage.cpu_seconds - before.cpu_seconds) / WATCH.as_secs_f64() * 100.0;
        let mut figure = format!("{:.1} MiB (bare clients alone {bare:.1} MiB), {cpu:.1} % of a core", usage.rss_mib);
        if count == 1 {
            first = usage.rss_mib - bare;
            figure.push_str(&format!(", {}", verdict(usage.rss_mib, 60.0, "MiB")));
        } else {
            let each = (usage.rss_mib - bare - first) / f64::from(count - 1);
            figure.push_str(&format!(
                ", {each:.2} MiB a further connector beyond its client, {}",
                verdict(each, 1.5, "MiB")
            ));
        }
        rows.push((format!("{count} connectors"), figure));
    }
    rows
}
