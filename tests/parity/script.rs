//! The requests as they stand in `requests.jsonl`.
//!
//! Enters: lines, each empty, a comment (`#`) or an object:
//! - `{"base": NAME, "config": {..}}`: a configuration that others build on;
//! - `{"id": ID, "call": "METHOD /path", "json"|"text"|"hex": BODY, "headers": {..}}`: a request. A body is sent as
//!   `application/json`; `"headers": {"content-type": null}` sends it without. `{"...": NAME, ..}` in `json` stands for
//!   that base with these keys besides;
//! - `{"await": "GET /path", "until": {POINTER: VALUE}}`: asks until the answer has these values; `"contains": TEXT` in it
//!   stands for a piece of the JSON without blanks.
//!
//! Leaves: [`Step`]s in order. Invariant: every request has an id of its own; `$DIR`, `$TOPIC` and `$SOURCED` are replaced.

use std::collections::{BTreeMap, BTreeSet};

use lockgate_tests::places;
use serde_json::{Map, Value};

/// What a request calls by a name, because it differs from run to run.
#[derive(Clone, Debug)]
pub struct Places {
    /// Folder that connectors may read and write.
    pub dir: String,
    /// A topic with three records.
    pub topic: String,
    /// A topic that a source will make.
    pub sourced: String,
}

/// One thing to do.
#[derive(Clone, Debug)]
pub enum Step {
    /// A request whose answer is compared.
    Ask(Ask),
    /// Ask until the JSON answer has these values at these pointers.
    Await { path: String, until: Vec<(String, Value)> },
}

/// A request.
#[derive(Clone, Debug)]
pub struct Ask {
    pub id: String,
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// All steps.
pub fn steps(places_of_run: &Places) -> Vec<Step> {
    let text = std::fs::read_to_string(places::root().join("tests/parity/requests.jsonl")).unwrap();
    let mut bases = BTreeMap::new();
    let mut ids = BTreeSet::new();
    let mut steps = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let line = line.replace("$DIR", &places_of_run.dir).replace("$TOPIC", &places_of_run.topic);
        let line = line.replace("$SOURCED", &places_of_run.sourced);
        let mut object: Map<String, Value> = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line}"));
        if let Some(base) = object.remove("base") {
            bases.insert(base.as_str().unwrap().to_owned(), object.remove("config").unwrap());
        } else if let Some(call) = object.remove("await") {
            let path = call.as_str().unwrap().strip_prefix("GET ").unwrap().to_owned();
            let Some(Value::Object(until)) = object.remove("until") else { panic!("until what: {line}") };
            steps.push(Step::Await { path, until: until.into_iter().collect() });
        } else {
            let ask = ask(object, &bases);
            assert!(ids.insert(ask.id.clone()), "two requests are called {}", ask.id);
            steps.push(Step::Ask(ask));
        }
    }
    steps
}

fn ask(mut object: Map<String, Value>, bases: &BTreeMap<String, Value>) -> Ask {
    let id = object.remove("id").unwrap().as_str().unwrap().to_owned();
    let call = object.remove("call").unwrap();
    let (method, path) = call.as_str().unwrap().split_once(' ').unwrap();
    let (method, path) = (method.to_owned(), path.to_owned());
    let body = ["json", "text", "hex"].iter().find_map(|kind| Some((*kind, object.remove(*kind)?)));
    let mut headers = BTreeMap::new();
    if body.is_some() {
        headers.insert("content-type".to_owned(), Some("application/json".to_owned()));
    }
    for (name, value) in object.remove("headers").iter().filter_map(Value::as_object).flatten() {
        headers.insert(name.clone(), value.as_str().map(str::to_owned));
    }
    assert!(object.is_empty(), "{id}: what are {:?}", object.keys().collect::<Vec<_>>());
    let body = match body {
        None => Vec::new(),
        Some(("json", value)) => spread(value, bases).to_string().into_bytes(),
        Some(("text", value)) => value.as_str().unwrap().as_bytes().to_vec(),
        Some((_, value)) => bytes(value.as_str().unwrap()),
    };
    Ask { id, method, path, headers: headers.into_iter().filter_map(|(n, v)| Some((n, v?))).collect(), body }
}

/// Replaces `{"...": NAME, ..}` by the base of that name with the other keys.
fn spread(value: Value, bases: &BTreeMap<String, Value>) -> Value {
    match value {
        Value::Object(mut map) => {
            let base = map.remove("...").map(|name| bases[name.as_str().unwrap()].clone());
            let mut whole = base.as_ref().and_then(Value::as_object).cloned().unwrap_or_default();
            whole.extend(map.into_iter().map(|(key, value)| (key, spread(value, bases))));
            Value::Object(whole)
        }
        Value::Array(items) => items.into_iter().map(|item| spread(item, bases)).collect(),
        other => other,
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}
