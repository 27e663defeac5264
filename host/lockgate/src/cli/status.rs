//! States as tables.
//!
//! Enters: Kafka Connect's status and info objects. Leaves: text. Invariant: what an object lacks is a dash, never an error.

use std::fmt::Write as _;

use serde_json::Value;

use super::table::{Table, clean, short};

/// All connectors: `GET /connectors?expand=info&expand=status`.
pub fn list(all: &Value) -> String {
    let mut table = Table::new(&["NAME", "TYPE", "STATE", "TASKS", "WORKER", "CLASS", "REASON"]);
    let mut entries: Vec<(&String, &Value)> = all.as_object().into_iter().flatten().collect();
    entries.sort_by_key(|(name, _)| name.as_str());
    for (name, entry) in entries {
        let (info, status) = (&entry["info"], &entry["status"]);
        let tasks = parts(status);
        let running = tasks.iter().filter(|task| task["state"] == "RUNNING").count();
        table.row([
            name.clone(),
            text(&info["type"]),
            state(status),
            format!("{running}/{}", tasks.len()),
            text(&status["connector"]["worker_id"]),
            text(&info["config"]["connector.class"]),
            reason(status),
        ]);
    }
    table.text()
}

/// One connector and its tasks.
pub fn one(status: &Value, whole_traces: bool) -> String {
    let mut table = Table::new(&["PART", "STATE", "WORKER", "VERSION", "REASON"]);
    let mut traces = String::new();
    let mut part = |label: String, part: &Value, health: &Value| {
        let trace = text(&part["trace"]);
        if whole_traces && !trace.is_empty() {
            let lines: Vec<String> = trace.trim_end().lines().map(|line| clean(&line.replace('\t', "    "))).collect();
            _ = write!(traces, "\n{label}:\n  {}\n", lines.join("\n  "));
        }
        let (state, why) = told(part, health);
        table.row([label, state, text(&part["worker_id"]), text(&part["version"]), why]);
    };
    part("connector".to_owned(), &status["connector"], &status["health"]);
    for task in parts(status) {
        part(format!("task {}", task["id"]), task, &task["health"]);
    }
    format!("{}: {}\n\n{}{traces}", clean(&text(&status["name"])), state(status), table.text())
}

/// The connector's state; FAILED if any task is, because that is what somebody must look at, or else what does not get on.
fn state(status: &Value) -> String {
    let own = text(&status["connector"]["state"]);
    let failed = parts(status).iter().any(|task| task["state"] == "FAILED");
    if own == "FAILED" {
        return own;
    }
    let ailing = parts(status).iter().find_map(|task| task["health"]["state"].as_str());
    match (failed, status["health"]["state"].as_str(), ailing) {
        (true, ..) => format!("{own} (task FAILED)"),
        (false, Some(health), _) => format!("{own} ({health})"),
        (false, None, Some(health)) => format!("{own} (task {health})"),
        (false, None, None) => own,
    }
}

/// The first trace, or what keeps it from getting on.
fn reason(status: &Value) -> String {
    let all = || std::iter::once(&status["connector"]).chain(parts(status));
    let traces = all().filter_map(|part| part["trace"].as_str());
    let ailing = std::iter::once(status).chain(parts(status)).filter_map(|part| part["health"]["reason"].as_str());
    traces.chain(ailing).next().map(short).unwrap_or_default()
}

/// State and reason of one part; `health` stands in it or, for the connector, beside it.
fn told(part: &Value, health: &Value) -> (String, String) {
    let (state, trace, reason) = (text(&part["state"]), text(&part["trace"]), text(&health["reason"]));
    let state = health["state"].as_str().map_or_else(|| state.clone(), |health| format!("{state} ({health})"));
    let why: Vec<String> = [trace, reason].iter().filter(|text| !text.is_empty()).map(|text| short(text)).collect();
    (state, why.join("; "))
}

fn parts(status: &Value) -> &[Value] {
    status["tasks"].as_array().map_or(&[], Vec::as_slice)
}

/// A text; anything else as JSON, null as nothing.
pub fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_failed_task_shows_in_the_list_with_the_start_of_its_trace() {
        let status = json!({
            "name": "a", "connector": {"state": "RUNNING", "worker_id": "w:1"},
            "tasks": [{"id": 0, "state": "FAILED", "worker_id": "w:1", "trace": "broken\n\tat x"}, {"id": 1, "state": "RUNNING"}],
        });
        let all = json!({"a": {"info": {"type": "sink", "config": {"connector.class": "C"}}, "status": status}});
        let expected = "NAME  TYPE  STATE                  TASKS  WORKER  CLASS  REASON\n\
                        a     sink  RUNNING (task FAILED)  1/2    w:1     C      broken\n";
        assert_eq!(list(&all), expected);
        let whole = one(&status, true);
        assert!(whole.ends_with("\ntask 0:\n  broken\n      at x\n"), "{whole}");
    }

    #[test]
    fn what_does_not_get_on_shows_in_both_tables() {
        let health = json!({"state": "stalled", "reason": "no record for 60 s", "since_ms": 1});
        let mut status = json!({
            "name": "a", "connector": {"state": "RUNNING"}, "tasks": [{"id": 0, "state": "RUNNING", "health": health}],
        });
        assert_eq!((state(&status), reason(&status)), ("RUNNING (task stalled)".into(), "no record for 60 s".into()));
        assert!(one(&status, false).contains("RUNNING (stalled)"), "{}", one(&status, false));
        status["health"] = json!({"state": "applying", "reason": "soon"});
        assert_eq!((state(&status), reason(&status)), ("RUNNING (applying)".into(), "soon".into()));
    }
}
