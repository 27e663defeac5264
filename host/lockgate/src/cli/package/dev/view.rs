//! What a connector does, as it happens.
//!
//! Enters: its status, log, figures and topics, again and again. Leaves: what is new of them. Invariant: nothing is said twice; a
//! worker that does not answer is said once.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::cli::failure::Failure;
use crate::cli::logs;
use crate::cli::remote::{Remote, path};
use crate::cli::screen::Screen;
use crate::cli::status::text;
use crate::cli::table::clean;

/// Figures that are shown: their names, and what they count. The first ones are a sink's.
const FIGURES: [(&str, &str); 5] = [
    ("kafka_connect_sink_task_metrics_sink_record_send_total", "given to the plugin"),
    ("kafka_connect_source_task_metrics_source_record_write_total", "written to Kafka"),
    ("kafka_connect_task_error_metrics_total_record_failures", "failed attempts"),
    ("kafka_connect_task_error_metrics_total_records_skipped", "skipped"),
    ("kafka_connect_task_error_metrics_total_retries", "retries"),
];

/// What was seen last.
#[derive(Debug, Default)]
pub(super) struct View {
    state: String,
    lines: Vec<Value>,
    figures: BTreeMap<&'static str, u64>,
    topics: Vec<String>,
    silent: bool,
}

impl View {
    /// Looks, and says what is new.
    pub(super) fn look(&mut self, remote: &Remote, name: &str, screen: &mut Screen) -> Result<(), Failure> {
        match self.news(remote, name) {
            Ok(news) => {
                self.silent = false;
                news.iter().try_for_each(|line| screen.tell(line))
            }
            Err(failure) => {
                if !std::mem::replace(&mut self.silent, true) {
                    failure.say();
                }
                Ok(())
            }
        }
    }

    /// Topics that a source writes to.
    pub(super) fn topics(&self) -> &[String] {
        &self.topics
    }

    fn news(&mut self, remote: &Remote, name: &str) -> Result<Vec<String>, Failure> {
        let mut news = Vec::new();
        let of = |part: &str| path(&["connectors", name, part]);
        if let Some(answer) = remote.find(&format!("{}?tail=1000", of("logs")))? {
            let now = answer.json()?.as_array().cloned().unwrap_or_default();
            let new = &now[logs::known(&self.lines, &now)..];
            news.extend(new.iter().map(|line| logs::readable(line).trim_end().to_owned()));
            self.lines = now;
        }
        if let Some(answer) = remote.find(&of("status"))? {
            let status = answer.json()?;
            let state = state(&status);
            if state != self.state {
                news.push(format!("{} is {state}", clean(name)));
                self.state = state;
            }
            if status["type"] == "source"
                && let Some(answer) = remote.find(&of("topics"))?
            {
                let topics = answer.json()?;
                self.topics = topics[name]["topics"].as_array().into_iter().flatten().map(text).collect();
            }
        }
        if let Some(answer) = remote.find("/metrics")? {
            news.extend(self.counted(&figures(&answer.body, name)));
        }
        Ok(news)
    }

    /// What was counted since the last look. A new task begins again at zero.
    fn counted(&mut self, now: &BTreeMap<&'static str, u64>) -> Option<String> {
        let more = FIGURES.iter().filter_map(|(figure, what)| {
            let count = now.get(figure).copied().unwrap_or_default();
            let before = self.figures.get(figure).copied().unwrap_or_default();
            let new = if count >= before { count - before } else { count };
            (new > 0).then(|| format!("{new} {what}"))
        });
        let said: Vec<String> = more.collect();
        self.figures.clone_from(now);
        (!said.is_empty()).then(|| format!("records: {}", said.join(", ")))
    }
}

/// State and, where something failed, why.
fn state(status: &Value) -> String {
    let tasks = status["tasks"].as_array().map_or(&[][..], Vec::as_slice);
    let failed = std::iter::once(&status["connector"]).chain(tasks).find(|part| part["state"] == "FAILED");
    if let Some(failed) = failed {
        let trace: Vec<String> = text(&failed["trace"]).lines().map(clean).collect();
        return format!("FAILED: {}", trace.join("\n  "));
    }
    let applying = status["health"]["state"] == "applying";
    let each: Vec<String> = tasks.iter().map(|task| text(&task["state"])).collect();
    let own = if applying { "changing".to_owned() } else { text(&status["connector"]["state"]) };
    format!("{own}, its tasks [{}]", each.join(", "))
}

/// The figures of a connector, its tasks together, from the text format of Prometheus.
fn figures(exposition: &str, name: &str) -> BTreeMap<&'static str, u64> {
    let label = format!("connector=\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""));
    let mut found = BTreeMap::new();
    for line in exposition.lines() {
        let Some((metric, value)) = line.rsplit_once(' ') else { continue };
        let Some((metric, labels)) = metric.split_once('{') else { continue };
        let known = FIGURES.iter().find(|(figure, _)| *figure == metric);
        if let (Some((figure, _)), true, Ok(value)) = (known, labels.contains(&label), value.parse::<u64>()) {
            *found.entry(*figure).or_insert(0) += value;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_those_of_the_connector_and_are_said_as_what_is_new() {
        let metric = FIGURES[0].0;
        let text = |n: u64| {
            format!("{metric}{{connector=\"c\",task=\"0\"}} {n}\n{metric}{{connector=\"cd\",task=\"0\"}} 7\n# x\n")
        };
        let mut view = View::default();
        assert_eq!(view.counted(&figures(&text(2), "c")).as_deref(), Some("records: 2 given to the plugin"));
        assert_eq!(view.counted(&figures(&text(2), "c")), None);
        assert_eq!(view.counted(&figures(&text(5), "c")).as_deref(), Some("records: 3 given to the plugin"));
        assert_eq!(
            view.counted(&figures(&text(1), "c")).as_deref(),
            Some("records: 1 given to the plugin"),
            "a new task"
        );
    }
}
