//! `lockgate connector logs`.
//!
//! Enters: the last lines that a worker keeps. Leaves: each line once. Invariant: with `--follow` a line is printed as long as
//! the worker still has it at the next look; nothing is printed twice.

use std::thread::sleep;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Args;
use serde_json::Value;

use super::failure::Failure;
use super::remote::{Remote, path};
use super::screen::Screen;
use super::status::text;
use super::table::clean;

/// Lines that a worker keeps for one connector.
const KEPT: usize = 1_000;

/// Options of `logs`.
#[derive(Args, Debug)]
pub struct Logs {
    /// The connector
    name: String,
    /// How many of the last lines
    #[arg(long, default_value_t = 100, value_name = "LINES", value_parser = clap::value_parser!(u16).range(1..=10_000))]
    tail: u16,
    /// Goes on with what comes, until Ctrl-C
    #[arg(short, long)]
    follow: bool,
    /// Only lines of this task
    #[arg(long, value_name = "NUMBER")]
    task: Option<u32>,
    /// How often --follow looks
    #[arg(long, default_value = "1s", value_parser = humantime::parse_duration, value_name = "DURATION")]
    interval: Duration,
}

/// Runs it.
pub fn run(options: &Logs, remote: &Remote, screen: &mut Screen) -> Result<(), Failure> {
    let tail = usize::from(options.tail);
    let address = path(&["connectors", &options.name, "logs"]);
    let answer = remote.get(&format!("{address}?tail={tail}"))?;
    if !options.follow && options.task.is_none() {
        return screen.show(&answer, |lines| Ok(parts(lines).iter().map(readable).collect()));
    }
    let mut before = parts(&answer.json()?).to_vec();
    show(&before, options, screen)?;
    if !options.follow {
        return Ok(());
    }
    loop {
        sleep(options.interval);
        let now = parts(&remote.get(&format!("{address}?tail={KEPT}"))?.json()?).to_vec();
        let new = &now[known(&before, &now)..];
        show(new, options, screen)?;
        before = now;
    }
}

fn show(lines: &[Value], options: &Logs, screen: &mut Screen) -> Result<(), Failure> {
    let is_wanted = |line: &&Value| options.task.is_none_or(|task| line["task"] == task);
    for line in lines.iter().filter(is_wanted) {
        let text = if screen.is_for_people() { readable(line) } else { format!("{line}\n") };
        screen.print(&text)?;
    }
    Ok(())
}

/// How many lines of `now` were in `before`: the longest end of what was seen that stands in what is there now, and nothing
/// but new lines behind it.
pub(super) fn known(before: &[Value], now: &[Value]) -> usize {
    for start in 0..before.len() {
        let seen = &before[start..];
        if let Some(at) = now.windows(seen.len()).rposition(|window| window == seen) {
            return at + seen.len();
        }
    }
    0
}

pub(super) fn readable(line: &Value) -> String {
    let since = Duration::from_millis(line["timestamp_ms"].as_u64().unwrap_or_default());
    // A time that the calendar does not have is no reason to lose the line.
    let time = UNIX_EPOCH.checked_add(since).filter(|time| *time < far()).unwrap_or(UNIX_EPOCH);
    let task = line["task"].as_u64().map_or_else(|| "connector".to_owned(), |task| format!("task {task}"));
    let (level, message) = (text(&line["level"]), text(&line["message"]));
    format!("{} {level:<5} {task}: {}\n", humantime::format_rfc3339_millis(time), clean(&message))
}

/// The year 9999: what the format can hold.
fn far() -> SystemTime {
    UNIX_EPOCH + Duration::from_hours(70_380_768)
}

fn parts(lines: &Value) -> &[Value] {
    lines.as_array().map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lines(numbers: &[u64]) -> Vec<Value> {
        numbers.iter().map(|n| json!({"timestamp_ms": n, "message": "m"})).collect()
    }

    #[test]
    fn following_prints_each_line_once() {
        assert_eq!(known(&lines(&[1, 2, 3]), &lines(&[1, 2, 3, 4])), 3);
        assert_eq!(known(&lines(&[1, 2, 3]), &lines(&[2, 3, 4, 5])), 2, "the oldest have gone");
        assert_eq!(known(&lines(&[3]), &lines(&[1, 2, 3, 4])), 3, "a short tail before");
        assert_eq!(known(&lines(&[1, 2]), &lines(&[7, 8])), 0, "all have gone");
        assert_eq!(known(&lines(&[5, 5]), &lines(&[5, 5])), 2, "two lines that are alike");
        assert_eq!(known(&[], &lines(&[1])), 0);
    }

    #[test]
    fn a_line_says_when_how_grave_and_which_task() {
        let line = json!({"timestamp_ms": 1_700_000_000_123_u64, "task": 0, "level": "INFO", "message": "a\u{7}b"});
        assert_eq!(readable(&line), "2023-11-14T22:13:20.123Z INFO  task 0: a\\u{7}b\n");
        assert!(readable(&json!({"timestamp_ms": u64::MAX, "message": "m"})).contains("connector: m"));
    }
}
