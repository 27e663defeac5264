//! What differs, and whether anybody wanted it.
//!
//! Enters: two answers to one record. Leaves: a difference in words, grouped. Invariant: the order of members of an object
//! does not count, nor how a number is written; the words of an error do not count, its stage and class do.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::Case;
use super::wanted::{Difference, RULES, rule};

/// Of each kind of difference so many are printed.
const SHOWN: usize = 2;

/// One kind of difference: what is wrong with it, how often, some of them.
#[derive(Debug, Default)]
struct Group {
    count: usize,
    shown: Vec<String>,
}

/// What a comparison found.
#[derive(Debug)]
pub struct Verdict {
    /// Records compared.
    pub compared: usize,
    /// Of them those that differ, though nobody wants it.
    pub unwanted: usize,
    /// Rules that no record meets any more, as their rows.
    pub idle: Vec<&'static str>,
    /// In words.
    pub text: String,
    /// All differences as lines of JSON, with the rule that wants them.
    pub lines: String,
}

/// How many records were compared, and in words every difference that is not wanted, and every wanted one that no record
/// shows any more; empty if there is none.
pub fn judge(cases: &[Case], theirs: &[Vec<Value>], ours: &[Vec<Value>]) -> Verdict {
    let mut met = vec![0; RULES.len()];
    let mut groups: BTreeMap<String, Group> = BTreeMap::new();
    let (mut compared, mut unwanted, mut lines) = (0, 0, String::new());
    for ((case, theirs), ours) in cases.iter().zip(theirs).zip(ours) {
        assert_eq!((theirs.len(), ours.len()), (case.records().len(), case.records().len()), "{}", case.label);
        for ((record, theirs), ours) in case.records().iter().zip(theirs).zip(ours) {
            compared += 1;
            let Some(kind) = differs(theirs, ours) else { continue };
            let rule = rule(&Difference { case, record, theirs, ours });
            let line = json!({
                "label": case.label, "kind": kind, "rule": rule, "record": record, "theirs": theirs, "ours": ours,
                "case": case.json.as_object().unwrap().iter().filter(|(key, _)| *key != "records").collect::<BTreeMap<_, _>>(),
            });
            let _ = writeln!(lines, "{line}");
            if let Some(rule) = rule {
                met[rule] += 1;
                continue;
            }
            unwanted += 1;
            let class = case.label.split(' ').next().unwrap_or_default();
            let class =
                if class == "random" { "random" } else { class.trim_end_matches("$Key").trim_end_matches("$Value") };
            let group = groups.entry(format!("{class}: {kind}")).or_default();
            group.count += 1;
            if group.shown.len() < SHOWN && group.shown.iter().all(|shown| !shown.contains(&case.label)) {
                group
                    .shown
                    .push(format!("{}\n      record {record}\n      theirs {theirs}\n      ours   {ours}", case.label));
            }
        }
    }
    let mut text = String::new();
    let idle: Vec<&str> = RULES.iter().zip(met).filter(|(_, count)| *count == 0).map(|(rule, _)| rule.row).collect();
    for row in &idle {
        let _ = writeln!(text, "no record differs so any more: {row}");
    }
    for (kind, group) in groups {
        let _ = writeln!(text, "{kind} ({} times)", group.count);
        for shown in group.shown {
            let _ = writeln!(text, "    {shown}");
        }
    }
    Verdict { compared, unwanted, idle, text, lines }
}

/// The kind of a difference.
fn differs(theirs: &Value, ours: &Value) -> Option<String> {
    let error = |value: &Value| {
        let error = value.get("error")?;
        Some(format!("{} {}", error["stage"].as_str()?, error["class"].as_str()?))
    };
    match (error(theirs), error(ours)) {
        (None, None) if same(theirs, ours) => None,
        (None, None) => Some("other result".to_owned()),
        (Some(theirs), Some(ours)) if theirs == ours => None,
        (theirs, ours) => {
            let name = |side: Option<String>| side.unwrap_or_else(|| "a result".to_owned());
            Some(format!("theirs {}, ours {}", name(theirs), name(ours)))
        }
    }
}

pub(super) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| same(value, other)))
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Number(a), Value::Number(b)) => match (a.as_i64(), b.as_i64()) {
            (Some(a), Some(b)) => a == b,
            // Of a float Java before 19 does not always print the shortest digits.
            _ => a.as_f64() == b.as_f64() || single(a) == single(b),
        },
        (a, b) => a == b,
    }
}

#[allow(clippy::cast_possible_truncation)]
fn single(number: &serde_json::Number) -> Option<f32> {
    number.as_f64().map(|x| x as f32).filter(|x| x.is_finite() && *x != 0.0)
}
