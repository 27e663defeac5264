//! What the outside says in a scenario.
//!
//! Enters: the answers of the scenario, requests of the plugin. Leaves: answers, complaints about requests that nobody foresaw
//! and answers that nobody asked for; with recording, what the real outside said. Invariant: every request is either answered
//! from the file, recorded, or complained about; no secret is recorded.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use lockgate_wasm::{FarEnd, HttpAnswer, HttpFault, HttpRequest, Scripted};
use serde_json::{Map, Value, json};

use super::compare::{Difference, differences, show};
use super::exchange::{AnswerSpec, ExchangeSpec, FaultSpec, RequestSpec};

/// What stands in a recording for a secret, and for anything when it is played.
const MASK: &str = "***";
/// Headers that are recorded as secrets.
const SECRET_HEADERS: [&str; 7] =
    ["authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "api-key", "x-auth-token"];
/// Headers that say nothing about what is asked or answered.
const PASSING_HEADERS: [&str; 12] = [
    "host",
    "user-agent",
    "accept-encoding",
    "connection",
    "content-length",
    "transfer-encoding",
    "date",
    "server",
    "keep-alive",
    "via",
    "age",
    "x-request-id",
];
/// Requests that are complained about at most.
const COMPLAINTS_MAX: usize = 20;

/// The outside.
pub(super) struct Script {
    state: Mutex<State>,
    /// Texts that are never recorded.
    secrets: Vec<String>,
    recording: bool,
}

struct State {
    entries: Vec<Entry>,
    recorded: Vec<ExchangeSpec>,
    complaints: Vec<String>,
}

struct Entry {
    spec: ExchangeSpec,
    answered: u64,
    /// `None` = any number.
    times: Option<u64>,
}

impl Entry {
    fn is_open(&self) -> bool {
        self.times.is_none_or(|times| self.answered < times)
    }
}

impl Script {
    /// Of a scenario. An error names an entry that makes no sense.
    pub(super) fn new(http: &[ExchangeSpec], secrets: Vec<String>, recording: bool) -> Result<Self, String> {
        let entry = |(at, spec): (usize, &ExchangeSpec)| {
            let times = match &spec.times {
                None => Some(1),
                Some(Value::String(word)) if word == "any" => None,
                Some(other) => match other.as_u64() {
                    Some(times) => Some(times),
                    None => return Err(format!("http[{at}].times is neither a number nor \"any\"")),
                },
            };
            if spec.request.url.is_null() {
                return Err(format!("http[{at}].request has no url"));
            }
            Ok(Entry { spec: spec.clone(), answered: 0, times })
        };
        let entries = if recording { &[][..] } else { http };
        let entries = entries.iter().enumerate().map(entry).collect::<Result<_, String>>()?;
        let state = State { entries, recorded: Vec::new(), complaints: Vec::new() };
        Ok(Self { state: Mutex::new(state), secrets, recording })
    }

    /// Requests that nobody foresaw, since the last call of this.
    pub(super) fn take_complaints(&self) -> Vec<String> {
        std::mem::take(&mut self.lock().complaints)
    }

    /// Answers that nobody asked for.
    pub(super) fn unused(&self) -> Vec<String> {
        let state = self.lock();
        let unused = state.entries.iter().enumerate().filter(|(_, e)| e.times.is_some_and(|times| e.answered < times));
        let text = |(at, entry): (usize, &Entry)| {
            let (method, url) = (entry.spec.request.method.as_deref().unwrap_or("any method"), &entry.spec.request.url);
            format!(
                "http[{at}] ({method} {}) was answered {} times, {} expected: the plugin did not ask for it",
                plain(url),
                entry.answered,
                entry.times.unwrap_or_default()
            )
        };
        unused.map(text).collect()
    }

    /// What was recorded.
    pub(super) fn recorded(&self) -> Vec<ExchangeSpec> {
        self.lock().recorded.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn masked(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), MASK))
    }

    fn headers(&self, headers: &[(String, String)]) -> BTreeMap<String, String> {
        let kept = headers.iter().filter(|(name, _)| !PASSING_HEADERS.contains(&name.as_str()));
        let text = |(name, value): &(String, String)| {
            let is_secret = SECRET_HEADERS.contains(&name.as_str());
            (name.clone(), if is_secret { MASK.to_owned() } else { self.masked(value) })
        };
        kept.map(text).collect()
    }

    fn body(&self, bytes: &Bytes) -> Value {
        match std::str::from_utf8(bytes) {
            Err(_) => json!({"$base64": STANDARD.encode(bytes)}),
            Ok("") => Value::Null,
            Ok(text) => {
                let text = self.masked(text);
                // Written again it must be the same bytes, or it stays a text.
                let is_same = |value: &Value| {
                    let again = value.to_string();
                    (value.is_object() || value.is_array()) && again == text
                };
                let value = serde_json::from_str::<Value>(&text).ok().filter(is_same);
                value.unwrap_or(Value::String(text))
            }
        }
    }
}

impl FarEnd for Script {
    fn asked(&self, request: &HttpRequest) -> Scripted {
        if self.recording {
            return Scripted::Through;
        }
        let mut state = self.lock();
        let found = state.entries.iter_mut().find(|e| e.is_open() && mismatches(&e.spec.request, request).is_empty());
        if let Some(entry) = found {
            entry.answered += 1;
            return answer(&entry.spec.answer);
        }
        let complaint = complaint(&state.entries, request);
        if state.complaints.len() < COMPLAINTS_MAX {
            state.complaints.push(complaint);
        }
        Scripted::Fault(HttpFault::Refused)
    }

    fn came_back(&self, request: &HttpRequest, answer: &HttpAnswer) {
        let body = Some(self.body(&request.body)).filter(|body| !body.is_null());
        let headers = self.headers(&request.headers).into_iter().map(|(name, value)| (name, Value::String(value)));
        let spec = ExchangeSpec {
            request: RequestSpec {
                method: Some(request.method.clone()),
                url: Value::String(self.masked(&request.url)),
                headers: headers.collect(),
                body,
            },
            answer: AnswerSpec {
                status: Some(answer.status),
                headers: self.headers(&answer.headers),
                body: self.body(&answer.body),
                ..AnswerSpec::default()
            },
            times: None,
        };
        self.lock().recorded.push(spec);
    }
}

/// Where a request is not what was foreseen.
fn mismatches(wanted: &RequestSpec, request: &HttpRequest) -> Vec<Difference> {
    let mut found = Vec::new();
    if let Some(method) = wanted.method.as_ref().filter(|m| !m.eq_ignore_ascii_case(&request.method)) {
        let (expected, actual) = (method.clone(), request.method.clone());
        found.push(Difference { path: "method".to_owned(), expected, actual });
    }
    found.extend(differences("url", &wanted.url, &Value::from(request.url.as_str()), false));
    for (name, value) in &wanted.headers {
        let same = request.headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name));
        let there: Vec<&str> = same.map(|(_, value)| value.as_str()).collect();
        let there = if there.is_empty() { Value::Null } else { Value::from(there.join(", ")) };
        found.extend(differences(&format!("header {name}"), value, &there, false));
    }
    if let Some(body) = &wanted.body {
        let there = match std::str::from_utf8(&request.body) {
            Ok(text) => Value::from(text),
            Err(_) => json!({"$base64": STANDARD.encode(&request.body)}),
        };
        // A number or a boolean that is the whole body.
        let there = match (body, &there) {
            (Value::Number(_) | Value::Bool(_), Value::String(text)) => serde_json::from_str(text).unwrap_or(there),
            _ => there,
        };
        found.extend(differences("body", body, &there, false));
    }
    found
}

fn complaint(entries: &[Entry], request: &HttpRequest) -> String {
    let mut text = format!("the plugin asked for {} {}", request.method, request.url);
    if let Ok(body) = std::str::from_utf8(&request.body)
        && !body.is_empty()
    {
        // Writing to a String cannot fail.
        let _ = write!(text, " with the body {}", show(&Value::from(body)));
    }
    text.push_str(", and no answer in `http` fits");
    let nearest = entries.iter().enumerate().filter(|(_, e)| e.is_open());
    let nearest = nearest.map(|(at, e)| (at, mismatches(&e.spec.request, request))).min_by_key(|(_, m)| m.len());
    match nearest {
        None if entries.is_empty() => {
            text.push_str(": there is none (`--record` asks the real one and writes it down)");
        }
        None => text.push_str(": all of them were used (`times` says how often one answers)"),
        Some((at, mismatches)) => {
            let _ = write!(text, "; http[{at}] is the nearest");
            for m in mismatches {
                let _ = write!(text, "\n  {}: expected {}, asked {}", m.path, m.expected, m.actual);
            }
        }
    }
    text
}

fn answer(spec: &AnswerSpec) -> Scripted {
    let truncated = match spec.fault {
        Some(FaultSpec::Refused) => return Scripted::Fault(HttpFault::Refused),
        Some(FaultSpec::Reset) => return Scripted::Fault(HttpFault::Reset),
        Some(FaultSpec::Dns) => return Scripted::Fault(HttpFault::Dns),
        Some(FaultSpec::Timeout) => return Scripted::Fault(HttpFault::Timeout),
        Some(FaultSpec::Truncated) => true,
        None => false,
    };
    let mut headers: Vec<(String, String)> = spec.headers.clone().into_iter().collect();
    let is_json = !spec.body.is_null() && !spec.body.is_string() && base64_of(&spec.body).is_none();
    if is_json && !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
        headers.push(("content-type".to_owned(), "application/json".to_owned()));
    }
    let millis = |given: Option<u64>| Duration::from_millis(given.unwrap_or_default());
    Scripted::Answer(HttpAnswer {
        status: spec.status.unwrap_or(200),
        headers,
        body: bytes(&spec.body).into(),
        delay: millis(spec.delay_ms),
        body_delay: millis(spec.body_delay_ms),
        truncated,
    })
}

/// The bytes of a text, of `{"$base64": ".."}`, or of JSON; null has none.
pub(super) fn bytes(value: &Value) -> Vec<u8> {
    match value {
        Value::Null => Vec::new(),
        Value::String(text) => text.as_bytes().to_vec(),
        other => base64_of(other).unwrap_or_else(|| other.to_string().into_bytes()),
    }
}

/// What such bytes are written as.
pub(super) fn written(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => Value::from(text),
        Err(_) => json!({"$base64": STANDARD.encode(bytes)}),
    }
}

fn base64_of(value: &Value) -> Option<Vec<u8>> {
    let object: &Map<String, Value> = value.as_object().filter(|object| object.len() == 1)?;
    STANDARD.decode(object.get("$base64")?.as_str()?).ok()
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| show(value), str::to_owned)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn request(method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> HttpRequest {
        let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        HttpRequest { method: method.into(), url: url.into(), headers, body: Bytes::from(body.to_owned()) }
    }

    fn script(http: Value) -> Script {
        let http: Vec<ExchangeSpec> = serde_json::from_value(http).unwrap();
        Script::new(&http, Vec::new(), false).unwrap()
    }

    fn status(scripted: Scripted) -> u16 {
        match scripted {
            Scripted::Answer(answer) => answer.status,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_request_gets_the_first_answer_that_fits_and_is_left() {
        let script = script(json!([
            {"request": {"url": "http://h/a"}, "answer": {"status": 500}},
            {"request": {"method": "POST", "url": "http://h/a", "headers": {"X-Id": "7"}, "body": {"n": 1}}, "times": "any"},
            {"request": {"url": {"$matches": "^http://h/"}}, "answer": {"status": 204}, "times": 2},
        ]));
        let post = request("POST", "http://h/a", &[("x-id", "7")], "{\"n\":1,\"m\":2}");
        let statuses: Vec<u16> = (0..3).map(|_| status(script.asked(&post))).collect();
        assert_eq!(statuses, [500, 200, 200]);
        assert_eq!(status(script.asked(&request("GET", "http://h/b", &[], ""))), 204);
        let unused = script.unused();
        assert!(unused.len() == 1 && unused[0].starts_with("http[2]") && unused[0].contains("1 times, 2 expected"));
    }

    #[test]
    fn a_request_that_nobody_foresaw_is_told_with_the_nearest_answer() {
        let script = script(json!([
            {"request": {"method": "POST", "url": "http://h/x", "headers": {"x-id": "7"}}},
            {"request": {"method": "GET", "url": "http://h/other"}},
        ]));
        let scripted = script.asked(&request("POST", "http://h/x", &[("x-id", "8")], "hi"));
        assert!(matches!(scripted, Scripted::Fault(HttpFault::Refused)));
        let text = script.take_complaints().remove(0);
        let expected = "the plugin asked for POST http://h/x with the body \"hi\", and no answer in `http` fits; http[0] is the \
                        nearest\n  header x-id: expected \"7\", asked \"8\"";
        assert_eq!(text, expected);
    }

    #[test]
    fn secrets_are_not_recorded_and_their_mask_stands_for_anything() {
        let script = Script::new(&[], vec!["geheim".to_owned()], true).unwrap();
        let headers = [("authorization", "Bearer geheim2"), ("host", "h"), ("x-a", "geheim-7")];
        let asked = request("GET", "http://h/?token=geheim&n=1", &headers, "");
        assert!(matches!(script.asked(&asked), Scripted::Through));
        let body = Bytes::from_static(b"{\"token\":\"geheim\"}");
        let headers = vec![("set-cookie".to_owned(), "id=1".to_owned())];
        script.came_back(&asked, &HttpAnswer { status: 200, body, headers, ..HttpAnswer::default() });
        let text = serde_json::to_string(&script.recorded()).unwrap();
        assert!(!text.contains("geheim") && !text.contains("id=1") && !text.contains("\"host\""), "{text}");
        let played = super::Script::new(&script.recorded(), Vec::new(), false).unwrap();
        assert_eq!(status(played.asked(&asked)), 200);
    }
}
