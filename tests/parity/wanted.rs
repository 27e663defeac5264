//! The differences that are wanted.
//!
//! Enters: `differences.jsonl`, a line for each: `what` (the first cell of its row in `docs/differences.md`, where the reason
//! stands), `requests` and `at` (patterns with `*`), and optionally `connect` and `lockgate` (what each has there). Leaves: a
//! [`Judgement`]. Invariant: a line, or a pattern of a line, that fits no difference is reported like a difference
//! that no line fits, so that the list stays true; with `sometimes` it may fit none, where Kafka Connect itself answers now
//! so and now so.

use lockgate_tests::places;
use serde_json::Value;

use super::{Difference, fits};

/// What is wrong.
#[derive(Debug, Default)]
pub struct Judgement {
    /// Differences that no line fits.
    pub unwanted: Vec<Difference>,
    /// Lines and patterns that fit no difference, and lines whose reason is not written down.
    pub untrue: Vec<String>,
}

struct Wanted {
    what: String,
    requests: Vec<(String, bool)>,
    at: Vec<(String, bool)>,
    connect: Option<String>,
    lockgate: Option<String>,
    /// Kafka Connect itself answers now so, now so.
    sometimes: bool,
}

impl Wanted {
    fn read(line: &str) -> Self {
        let value: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        let text = |key: &str| value[key].as_str().map(str::to_owned);
        let list = |key: &str| -> Vec<(String, bool)> {
            let items = value[key].as_array().unwrap_or_else(|| panic!("no list {key}: {line}"));
            items.iter().map(|item| (item.as_str().unwrap().to_owned(), false)).collect()
        };
        let (requests, at) = (list("requests"), list("at"));
        Self {
            what: text("what").unwrap(),
            requests,
            at,
            connect: text("connect"),
            lockgate: text("lockgate"),
            sometimes: value["sometimes"] == true,
        }
    }

    /// Takes a difference, and remembers which patterns did.
    fn takes(&mut self, difference: &Difference) -> bool {
        let says = |said: &Option<String>, text: &str| said.as_ref().is_none_or(|pattern| fits(pattern, text));
        if !says(&self.connect, &difference.connect) || !says(&self.lockgate, &difference.lockgate) {
            return false;
        }
        let request = self.requests.iter().position(|(pattern, _)| fits(pattern, &difference.request));
        let at = self.at.iter().position(|(pattern, _)| fits(pattern, &difference.at));
        let Some((request, at)) = request.zip(at) else { return false };
        self.requests[request].1 = true;
        self.at[at].1 = true;
        true
    }

    fn untrue(&self, documented: &str) -> Vec<String> {
        let unused = |list: &[(String, bool)]| -> Vec<String> {
            let idle = list.iter().filter(|(_, used)| !used);
            idle.map(|(pattern, _)| format!("`{}`: nothing differs any more at `{pattern}`", self.what)).collect()
        };
        let mut untrue = if self.sometimes { Vec::new() } else { [unused(&self.requests), unused(&self.at)].concat() };
        if !documented.contains(&format!("| {} |", self.what)) {
            untrue.push(format!("`{}` is not in docs/differences.md", self.what));
        }
        untrue
    }
}

/// Judges all differences of a run.
pub fn judge(differences: Vec<Difference>) -> Judgement {
    let read = |name: &str| std::fs::read_to_string(places::root().join(name)).unwrap();
    let text = read("tests/parity/differences.jsonl");
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut wanted: Vec<Wanted> = lines.map(Wanted::read).collect();
    let mut judgement = Judgement::default();
    for difference in differences {
        // Every line that fits takes it, so that none of them is called untrue.
        if wanted.iter_mut().filter_map(|line| line.takes(&difference).then_some(())).count() == 0 {
            judgement.unwanted.push(difference);
        }
    }
    let documented = read("docs/differences.md");
    judgement.untrue = wanted.iter().flat_map(|line| line.untrue(&documented)).collect();
    judgement
}
