//! What an answer means for the records of its request.
//!
//! Enters: an answer, or why there is none. Leaves: taken, refused, or a fault. Invariant: what may go well later is
//! retriable, with the server's own delay; what never will is the record's fault or, without any doubt, the config's.

use std::time::Duration;

use lockgate_sdk::Fault;
use lockgate_sdk::http::{HttpError, Response};

use crate::settings::Settings;

/// Bytes of an answer's body that a message shows.
const BODY_SHOWN: usize = 500;

/// What became of a request.
pub enum Verdict {
    /// 2xx.
    Taken,
    /// The server does not want these records.
    Refused {
        /// `http.status.<code>`.
        code: String,
        /// For people.
        message: String,
    },
}

/// Judges an answer.
pub fn verdict(settings: &Settings, answer: Result<Response, HttpError>) -> Result<Verdict, Fault> {
    let answer = match answer {
        Ok(answer) => answer,
        Err(HttpError::Denied) => {
            let message = "the worker does not allow this connector to reach the host of http.url: it needs a grant";
            return Err(Fault::fatal("http.denied", message));
        }
        Err(e @ (HttpError::Url(_) | HttpError::Header(_))) => return Err(Fault::fatal("http.request", e.to_string())),
        Err(HttpError::Timeout) => {
            let ms = settings.timeout.as_millis();
            return Err(Fault::retriable("http.timeout", format!("no answer within http.timeout.ms = {ms}")));
        }
        Err(HttpError::Transport(why)) => {
            return Err(Fault::retriable("http.connect", format!("the server cannot be reached: {why}")));
        }
    };
    let body = String::from_utf8_lossy(&answer.body[..answer.body.len().min(BODY_SHOWN)]).into_owned();
    match answer.status {
        200..=299 => Ok(Verdict::Taken),
        408 | 429 | 500..=599 => {
            let delay = answer.header("retry-after").and_then(seconds).unwrap_or_default();
            let message = format!("the server answered {}; it is asked again", answer.status);
            Err(Fault::retriable("http.busy", message).after(delay.min(settings.retry_after_max)).detail(body))
        }
        status @ 300..=399 => {
            Err(Fault::fatal("http.redirect", format!("the server answered {status}: set http.url to the new place")))
        }
        status @ (401 | 403 | 407) => {
            let message = format!("the server answered {status}: check http.auth.user, .password and .token");
            Err(Fault::fatal("http.auth", message).detail(body))
        }
        status => Ok(Verdict::Refused {
            code: format!("http.status.{status}"),
            message: format!("the server answered {status}: {body}"),
        }),
    }
}

/// Retry-After in seconds; a date is left to the host's own back-off.
fn seconds(text: &str) -> Option<Duration> {
    text.trim().parse().ok().map(Duration::from_secs)
}
