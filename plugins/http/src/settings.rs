//! Config of the sink.
//!
//! Enters: the user's settings. Leaves: what a request needs, typed. Invariant: a secret stands in a header and nowhere
//! else; no message holds one.

use std::time::Duration;

use lockgate_sdk::{Config, Fault, Importance};

use crate::body::base64;
use crate::url::Url;

/// What a request needs.
pub struct Settings {
    pub url: Url,
    pub method: String,
    pub headers: Vec<(String, String)>,
    pub array: bool,
    pub batch_max: usize,
    pub timeout: Duration,
    pub retry_after_max: Duration,
}

pub fn keys() -> Config {
    Config::new()
        .string("http.url")
        .required()
        .non_empty()
        .doc("Where requests go. {topic}, {partition}, {offset}, {key} and {any top-level field} are filled in, escaped; not in the host.")
        .string("http.method")
        .default("POST")
        .one_of(&["POST", "PUT", "PATCH", "DELETE"])
        .doc("Method of the requests.")
        .list("http.headers")
        .doc("Headers, as `name: value`, separated by commas.")
        .string("http.batch.mode")
        .default("single")
        .one_of(&["single", "array"])
        .doc("`single`: a request for each record, its value as the body. `array`: many values as one JSON array.")
        .int("http.batch.max")
        .default(500)
        .between(1.0, 65_536.0)
        .doc("Records at most in one array.")
        .long("http.timeout.ms")
        .default(10_000)
        .between(1.0, 600_000.0)
        .doc("Milliseconds at most for one request, connecting and answer included.")
        .long("http.retry.after.max.ms")
        .default(300_000)
        .at_least(0.0)
        .importance(Importance::Low)
        .doc("Milliseconds at most that a Retry-After of the server is obeyed.")
        .string("http.content.type")
        .doc("Content type; without: application/json, or application/octet-stream for opaque bytes one by one.")
        .string("http.auth.user")
        .doc("User for basic authentication.")
        .password("http.auth.password")
        .doc("Password for basic authentication.")
        .password("http.auth.token")
        .doc("Token, sent as `Authorization: Bearer`.")
}

impl Settings {
    pub fn read(c: &mut lockgate_sdk::Settings, json: bool) -> Result<Self, Fault> {
        let url = Url::parse(&c.string("http.url")).unwrap_or_else(|why| {
            c.problem("http.url", why);
            Url::default()
        });
        let array = c.choice("http.batch.mode") == "array";
        let mut headers = Vec::new();
        for entry in c.list("http.headers") {
            match entry.split_once(':') {
                Some((name, value)) if is_name(name.trim()) => {
                    headers.push((name.trim().to_owned(), value.trim().to_owned()));
                }
                _ => c.problem("http.headers", format!("`{}` is not `name: value`", name_of(&entry))),
            }
        }
        let default_type = if json || array { "application/json" } else { "application/octet-stream" };
        let content_type = c.optional("http.content.type").unwrap_or_else(|| default_type.to_owned());
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
            headers.push(("content-type".to_owned(), content_type));
        }
        let (user, token) = (c.optional("http.auth.user"), c.optional("http.auth.token"));
        match (user, token) {
            (Some(_), Some(_)) => c.problem("http.auth.token", "either http.auth.user or http.auth.token, not both"),
            (Some(user), None) => {
                let pair = format!("{user}:{}", c.optional("http.auth.password").unwrap_or_default());
                headers.push(("authorization".to_owned(), format!("Basic {}", base64(pair.as_bytes()))));
            }
            (None, Some(token)) => headers.push(("authorization".to_owned(), format!("Bearer {token}"))),
            (None, None) => {}
        }
        let settings = Self {
            url,
            method: c.choice("http.method"),
            headers,
            array,
            batch_max: c.count("http.batch.max"),
            timeout: c.millis("http.timeout.ms"),
            retry_after_max: c.millis("http.retry.after.max.ms"),
        };
        c.finish()?;
        Ok(settings)
    }
}

/// What stands before a colon may be shown; a value may be a secret.
fn name_of(entry: &str) -> &str {
    entry.split([':', '=', ' ']).next().unwrap_or_default()
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}
