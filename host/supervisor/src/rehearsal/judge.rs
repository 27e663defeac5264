//! Whether a step did what it should.
//!
//! Enters: what came of a step and what was expected. Leaves: nothing, or a failure that says what differs and what to change.
//! Invariant: an error, a bad record, an offset that was not agreed to, a request that nobody foresaw is never passed over.

use lockgate_model::fault::{Fault, FaultKind, GuestError};
use serde_json::{Value, json};

use super::action::Action;
use super::compare::{Difference, differences, fits, show};
use super::rig::{Came, Rig, Trouble};
use super::scenario::{Expect, Scenario, Step};
use super::{Failure, Play, explain};

/// Differences that are shown.
const DIFFERENCES: usize = 20;

/// Judges the steps of one scenario.
pub(super) struct Judge<'a> {
    rig: &'a Rig,
    step: Option<usize>,
    place: String,
    action: &'static str,
    /// Lines of the log before this step.
    mark: usize,
}

impl<'a> Judge<'a> {
    pub(super) fn new(rig: &'a Rig) -> Self {
        Self { rig, step: None, place: String::new(), action: "", mark: 0 }
    }

    pub(super) fn begin(&mut self, number: usize, action: Action<'_>, step: &Step) {
        let name = step.name.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
        self.action = action.name();
        (self.step, self.place, self.mark) = (Some(number), format!("{}{name}", self.action), self.rig.lines.len());
    }

    pub(super) fn begin_end(&mut self) {
        (self.step, self.place, self.action) = (None, "after the last step".to_owned(), "close");
    }

    pub(super) fn step(&self, outcome: Result<Came, Trouble>, step: &Step, play: &Play) -> Result<(), Failure> {
        let nothing = Expect::default();
        let expect = step.expect.as_ref().unwrap_or(&nothing);
        let lines = self.judge(outcome, expect, play);
        self.verdict(lines)
    }

    pub(super) fn end(&self, closed: Result<Came, Trouble>, scenario: &Scenario, play: &Play) -> Result<(), Failure> {
        let nothing = Expect::default();
        let expect = scenario.expect.as_ref().unwrap_or(&nothing);
        let mut lines = self.judge(closed, expect, play);
        if lines.is_empty() {
            lines = self.rig.script.unused();
        }
        self.verdict(lines)
    }

    fn verdict(&self, mut lines: Vec<String>) -> Result<(), Failure> {
        let complaints = self.rig.script.take_complaints();
        if lines.is_empty() && complaints.is_empty() {
            return Ok(());
        }
        let log = self.rig.lines.since(self.mark);
        let said = log.iter().map(|(_, text)| text.as_str()).chain(lines.iter().map(String::as_str));
        let hints = explain::refusals(said, &self.rig.plugin);
        let asked = complaints.iter().flat_map(|complaint| complaint.lines().map(str::to_owned));
        // What nobody foresaw is usually the cause of the rest.
        lines.splice(..0, asked);
        lines.extend(hints);
        Err(Failure { step: self.step, place: self.place.clone(), lines })
    }

    fn judge(&self, outcome: Result<Came, Trouble>, expect: &Expect, play: &Play) -> Vec<String> {
        match outcome {
            Err(Trouble::Scenario(why)) => vec![why],
            Err(Trouble::Guest(error)) => match &expect.error {
                None => self.explained(&error),
                Some(wanted) => {
                    let actual = explain::value(&error);
                    let mut lines = report(differences("error", wanted, &actual, expect.exact));
                    if !lines.is_empty() {
                        lines.extend(self.explained(&error));
                    }
                    let rest = Expect { error: None, ..expect.clone() };
                    lines.extend(self.compare(Came::new(), &rest, play));
                    lines
                }
            },
            Ok(_) if expect.error.is_some() => {
                let wanted = expect.error.as_ref().map(show).unwrap_or_default();
                vec![format!("an error was expected ({wanted}), but `{}` went well", self.action)]
            }
            Ok(came) => {
                let mut lines = self.unasked(&came, expect);
                lines.extend(self.compare(came, expect, play));
                lines
            }
        }
    }

    fn explained(&self, error: &GuestError) -> Vec<String> {
        let log = self.rig.lines.since(self.mark);
        explain::lines(error, log.iter().map(|(_, text)| text.as_str()))
    }

    /// What is wrong whether or not somebody asks for it.
    fn unasked(&self, came: &Came, expect: &Expect) -> Vec<String> {
        let filled =
            |key: &str| came.get(key).filter(|v| v.as_array().map_or_else(|| !is_empty(v), |all| !all.is_empty()));
        let mut lines = Vec::new();
        if let (Some(bad), None) = (filled("bad"), &expect.bad) {
            lines.push("the plugin did not take all records:".to_owned());
            for fault in bad.as_array().into_iter().flatten() {
                lines.push(format!("  row {}: {} [{}]", fault["row"], text(&fault["message"]), text(&fault["code"])));
            }
            lines.push("hint: if this is what it should do, expect it: \"expect\": {\"bad\": [{\"row\": 0, \"code\": \"..\"}]}".to_owned());
        }
        if let (Some(agreed), Some(asked), None) = (came.get("agreed"), came.get("asked"), &expect.agreed)
            && agreed != asked
        {
            lines.push(format!(
                "the plugin did not agree to all offsets: asked {}, agreed {}",
                show(asked),
                show(agreed)
            ));
        }
        if let (Some(errors), None) = (filled("errors"), &expect.errors) {
            lines.push("a worker would refuse this configuration:".to_owned());
            let errors = errors.as_object().into_iter().flatten();
            lines.extend(errors.map(|(key, problem)| format!("  {key}: {}", text(problem))));
        }
        if self.action == "apply" && expect.records.is_none() {
            let answers = came.get("records").and_then(Value::as_array).into_iter().flatten();
            for (at, answer) in answers.enumerate().filter(|(_, answer)| answer.get("error").is_some()) {
                lines.push(format!("record {}: {}", at + 1, text(&answer["error"]["message"])));
            }
        }
        lines
    }

    fn compare(&self, mut came: Came, expect: &Expect, play: &Play) -> Vec<String> {
        self.complete(&mut came, expect, play);
        let mut lines = Vec::new();
        let wanted = serde_json::to_value(expect).unwrap_or_default();
        let mut found = Vec::new();
        for (key, wanted) in wanted.as_object().into_iter().flatten().filter(|(key, _)| *key != "log") {
            match came.get(key) {
                Some(actual) => found.extend(differences(key, wanted, actual, expect.exact)),
                None => lines.push(format!("`{}` has no `{key}` to expect", self.action)),
            }
        }
        lines.extend(report(found));
        let log = self.rig.lines.since(self.mark);
        for wanted in expect.log.iter().flatten() {
            let is_there = log.iter().any(|(level, text)| match wanted {
                Value::String(part) => format!("{level} {text}").contains(part.as_str()),
                matcher => fits(matcher, &Value::from(format!("{level} {text}"))),
            });
            if !is_there {
                lines.push(format!("no line of the log fits {}", show(wanted)));
            }
        }
        lines
    }

    /// What can be expected of every step.
    fn complete(&self, came: &mut Came, expect: &Expect, play: &Play) {
        let (stored, committed) = match play {
            Play::Sink(sink) => (Some(&sink.stored), Some(sink.committed())),
            Play::Source(source) => (Some(&source.stored), None),
            Play::Chain(_) | Play::Nothing => (None, None),
        };
        let mut add = |key: &str, value: Value| {
            came.entry(key).or_insert(value);
        };
        if let Some(stored) = stored {
            if expect.state.is_some() {
                add("state", stored.state());
            }
            if expect.positions.is_some() {
                add("positions", stored.positions());
            }
        }
        if let Some(committed) = committed {
            add("committed", committed);
        }
        if expect.files.is_some() {
            add("files", self.rig.files());
        }
        if expect.metrics.is_some() {
            add("metrics", self.rig.metrics());
        }
    }
}

/// A configuration that a worker would refuse: the error if one is expected, else what is wrong.
pub(super) fn refused(problems: &Came, step: &Step) -> Trouble {
    let pairs = problems.iter().map(|(key, problem)| (key.clone(), text(problem)));
    if step.expect.as_ref().is_some_and(|expect| expect.error.is_some()) {
        let fault = Fault {
            kind: FaultKind::Config(pairs.collect()),
            code: "config.refused".to_owned(),
            message: "a worker refuses this configuration".to_owned(),
            detail: String::new(),
        };
        return Trouble::Guest(GuestError::Fault(fault));
    }
    let lines: Vec<String> = pairs.map(|(key, problem)| format!("\n  {key}: {problem}")).collect();
    Trouble::Scenario(format!(
        "a worker would refuse this configuration:{}\nhint: correct `config`; a step {{\"validate\": {{}}}} can expect it as `errors`",
        lines.concat()
    ))
}

fn report(differences: Vec<Difference>) -> Vec<String> {
    let more = differences.len().saturating_sub(DIFFERENCES);
    let mut lines: Vec<String> = Vec::new();
    for difference in differences.into_iter().take(DIFFERENCES) {
        lines.push(format!("{} is not what was expected", difference.path));
        lines.push(format!("  - expected  {}", difference.expected));
        lines.push(format!("  + actual    {}", difference.actual));
    }
    if more > 0 {
        lines.push(format!(".. and {more} more differences"));
    }
    lines
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_none_or(serde_json::Map::is_empty)
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| json!(value).to_string(), str::to_owned)
}
