//! One server's way through all steps.
//!
//! Enters: an address and steps. Leaves: the answer to each request, by id. Invariant: a step begins when the one before is
//! answered; what a server says while its group settles is asked again, as clients of Kafka Connect do.

use std::time::{Duration, Instant};

use lockgate_tests::Answer;
use lockgate_tests::http::request;
use serde_json::Value;

use super::script::{Ask, Step};

/// How long a condition may take to come true.
const AWAIT: Duration = Duration::from_secs(20);

/// How long a server may say that it is settling.
const SETTLING: Duration = Duration::from_secs(6);

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(40);

/// What is said while workers find out who does what.
const SETTLING_WORDS: [&str; 3] = [
    "Cannot complete request momentarily",
    "Cannot complete request because of a conflicting operation",
    "Request cannot be completed because a rebalance is expected",
];

/// Walks. An answer is `Err` with what was seen last if a condition never came true, or if there was no answer at all.
pub fn walk(address: &str, steps: &[Step]) -> Vec<(String, Result<Answer, String>)> {
    let mut answers = Vec::new();
    for step in steps {
        match step {
            Step::Ask(ask) => answers.push((ask.id.clone(), answer(address, ask))),
            Step::Await { path, until } => {
                if let Err(last) = wait(address, path, until) {
                    let before = answers.last().map_or("", |(id, _)| id.as_str());
                    answers.push((format!("after {before}"), Err(last)));
                }
            }
        }
    }
    answers
}

fn answer(address: &str, ask: &Ask) -> Result<Answer, String> {
    let headers: Vec<(&str, &str)> = ask.headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let end = Instant::now() + SETTLING;
    loop {
        let answer =
            request(address, &ask.method, &ask.path, &headers, &ask.body).map_err(|e| format!("no answer: {e}"))?;
        let text = answer.text();
        let settles = answer.status >= 400 && SETTLING_WORDS.iter().any(|words| text.contains(words));
        if !settles || Instant::now() > end {
            return Ok(answer);
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

fn wait(address: &str, path: &str, until: &[(String, Value)]) -> Result<(), String> {
    let end = Instant::now() + AWAIT;
    loop {
        let answer = request(address, "GET", path, &[], b"").map_err(|e| format!("no answer: {e}"))?;
        let json = answer.json();
        let is = |pointer: &str, value: &Value| match pointer {
            "contains" => value.as_str().is_some_and(|text| json.to_string().contains(text)),
            _ => json.pointer(pointer) == Some(value),
        };
        if until.iter().all(|(pointer, value)| is(pointer, value)) {
            return Ok(());
        }
        if Instant::now() > end {
            return Err(format!("GET {path} never had {until:?}: {} {}", answer.status, answer.text()));
        }
        std::thread::sleep(LOOK_EVERY);
    }
}
