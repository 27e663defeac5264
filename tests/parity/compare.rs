//! What differs between two answers.
//!
//! Enters: two answers and what stands for the server's own address and folder. Leaves: [`Difference`]s, each with its place:
//! `status`, `header.NAME`, `body`, `body.KEY[ITEM].KEY`. Invariant: of bodies everything counts but the order of keys and
//! the *text* of what [`OF_THE_RUN`] lists; of headers what [`HEADERS`] lists, there or not there.

use std::collections::{BTreeMap, BTreeSet};

use lockgate_tests::Answer;
use serde_json::Value;

/// Headers that clients read.
const HEADERS: [&str; 3] = ["allow", "content-type", "location"];

/// Keys whose text belongs to one run, one version or one implementation: only its kind (null, text, number) counts.
const OF_THE_RUN: [&str; 6] = ["commit", "documentation", "kafka_cluster_id", "last_modified", "trace", "version"];

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Which request.
    pub request: String,
    /// Where in the answer.
    pub at: String,
    /// What Kafka Connect has there.
    pub connect: String,
    /// What Lockgate has there.
    pub lockgate: String,
}

/// A server's own words, to be replaced by stand-ins: (text, stand-in).
pub type Own<'a> = &'a [(&'a str, &'a str)];

/// All differences between two answers to one request.
pub fn differences(request: &str, connect: (&Answer, Own), lockgate: (&Answer, Own)) -> Vec<Difference> {
    let mut found = Found { request, differences: Vec::new() };
    let ((ours, our_words), (theirs, their_words)) = (lockgate, connect);
    if theirs.status != ours.status {
        found.add("status", theirs.status, ours.status);
    }
    for name in HEADERS {
        let (of_theirs, of_ours) = (header(theirs, name, their_words), header(ours, name, our_words));
        if of_theirs != of_ours {
            found.add(&format!("header.{name}"), of_theirs, of_ours);
        }
    }
    match (body(theirs, their_words), body(ours, our_words)) {
        (Ok(theirs), Ok(ours)) => found.value("body", &theirs, &ours),
        (theirs, ours) => {
            let text = |body: Result<Value, String>| body.map_or_else(|text| text, |json| json.to_string());
            let (theirs, ours) = (text(theirs), text(ours));
            if theirs != ours {
                found.add("body", theirs, ours);
            }
        }
    }
    found.differences
}

fn replaced(text: &str, own: Own) -> String {
    own.iter().fold(text.to_owned(), |text, (word, stand_in)| text.replace(word, stand_in))
}

fn header(answer: &Answer, name: &str, own: Own) -> String {
    let Some(value) = answer.header(name) else { return "none".to_owned() };
    let value = replaced(value, own);
    match name {
        "allow" => sorted(&value),
        "content-type" => value.to_ascii_lowercase().replace("; ", ";"),
        _ => value,
    }
}

/// JSON, or the text that is none.
fn body(answer: &Answer, own: Own) -> Result<Value, String> {
    let text = replaced(&answer.text(), own);
    if text.trim_start().starts_with("<") {
        return Err("a page of HTML".to_owned());
    }
    if header(answer, "content-type", own) == "text/plain" {
        return Err(sorted(&text)); // the methods of a resource, in no order
    }
    serde_json::from_str(&text).map_err(|_| text)
}

/// A list in a text, in order.
fn sorted(list: &str) -> String {
    list.split(',').map(str::trim).collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(",")
}

struct Found<'a> {
    request: &'a str,
    differences: Vec<Difference>,
}

impl Found<'_> {
    fn add(&mut self, at: &str, connect: impl ToString, lockgate: impl ToString) {
        let (request, at) = (self.request.to_owned(), at.to_owned());
        self.differences.push(Difference { request, at, connect: connect.to_string(), lockgate: lockgate.to_string() });
    }

    fn value(&mut self, at: &str, connect: &Value, lockgate: &Value) {
        match (connect, lockgate) {
            (Value::Object(theirs), Value::Object(ours)) => {
                let keys: BTreeSet<&String> = theirs.keys().chain(ours.keys()).collect();
                for key in keys {
                    let at = format!("{at}.{key}");
                    match (theirs.get(key), ours.get(key)) {
                        (Some(t), Some(o)) if OF_THE_RUN.contains(&key.as_str()) => self.kind(&at, t, o),
                        (Some(t), Some(o)) => self.value(&at, t, o),
                        (t, o) => self.presence(&at, t, o),
                    }
                }
            }
            (Value::Array(theirs), Value::Array(ours)) => self.array(at, theirs, ours),
            _ if connect == lockgate => {}
            _ => self.add(at, connect, lockgate),
        }
    }

    fn kind(&mut self, at: &str, connect: &Value, lockgate: &Value) {
        let kind = |value: &Value| match value {
            Value::String(text) if text.is_empty() => "empty text",
            Value::String(_) => "text",
            Value::Number(_) => "number",
            Value::Null => "null",
            _ => "other",
        };
        if kind(connect) != kind(lockgate) {
            self.add(at, kind(connect), kind(lockgate));
        }
    }

    fn presence(&mut self, at: &str, connect: Option<&Value>, lockgate: Option<&Value>) {
        let text = |value: Option<&Value>| value.map_or_else(|| "not there".to_owned(), Value::to_string);
        self.add(at, text(connect), text(lockgate));
    }

    /// Items with a name are matched by it, texts by themselves; others by their place.
    fn array(&mut self, at: &str, connect: &[Value], lockgate: &[Value]) {
        let names = |items: &[Value]| -> Vec<String> {
            items.iter().enumerate().map(|(place, item)| name(item).unwrap_or_else(|| place.to_string())).collect()
        };
        let (theirs, ours) = (names(connect), names(lockgate));
        for (their_place, item) in theirs.iter().enumerate() {
            let at = format!("{at}[{item}]");
            match ours.iter().position(|o| o == item) {
                Some(place) => self.value(&at, &connect[their_place], &lockgate[place]),
                None => self.presence(&at, Some(&connect[their_place]), None),
            }
        }
        for (place, item) in ours.iter().enumerate().filter(|(_, item)| !theirs.contains(item)) {
            self.presence(&format!("{at}[{item}]"), None, Some(&lockgate[place]));
        }
        let order = |these: &[String], others: &[String]| -> Vec<String> {
            these.iter().filter(|item| others.contains(item)).cloned().collect()
        };
        let (theirs, ours) = (order(&theirs, &ours), order(&ours, &theirs));
        if theirs != ours && !connect.iter().any(|item| item.get("partition").is_some()) {
            self.add(&format!("{at}.order"), theirs.join(" "), ours.join(" "));
        }
    }
}

/// What an item of a list is called.
fn name(item: &Value) -> Option<String> {
    if let Value::String(text) = item {
        return Some(text.clone());
    }
    if let Some(partition) = item.get("partition") {
        let keys: BTreeMap<_, _> = partition.as_object().into_iter().flatten().collect();
        return Some(format!("{keys:?}")); // offsets have no order, and neither have the keys of a partition
    }
    let text = |pointer: &str| item.pointer(pointer).and_then(Value::as_str);
    if let Some((class, kind)) = text("/class").zip(text("/type")) {
        return Some(format!("{kind} {class}"));
    }
    ["/value/name", "/definition/name", "/name"].iter().find_map(|pointer| text(pointer)).map(str::to_owned)
}
