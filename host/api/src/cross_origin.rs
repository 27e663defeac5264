//! Cross-origin calls of browsers (`access.control.allow.*`).
//!
//! Enters: the `Origin` of a request. Leaves: headers. Invariant: without `access.control.allow.origin` there are none.

use axum::response::Response;
use http::{HeaderMap, Method, StatusCode, header};
use lockgate_config::RestSettings;

use crate::answer::{empty, with_header};

/// Seconds for which a browser may keep the answer to a preflight, as in Kafka Connect.
const MAX_AGE: &str = "60";

/// The origin to allow, if the settings allow it.
pub fn allowed<'a>(rest: &RestSettings, headers: &'a HeaderMap) -> Option<&'a str> {
    let origin = headers.get(header::ORIGIN)?.to_str().ok()?;
    let patterns = rest.allow_origin.as_deref()?;
    patterns.split(',').map(str::trim).any(|pattern| pattern == "*" || pattern == origin).then_some(origin)
}

/// The answer to a preflight, if the request is one.
pub fn preflight(rest: &RestSettings, method: &Method, headers: &HeaderMap) -> Option<Response> {
    let asked = headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    allowed(rest, headers).filter(|_| *method == Method::OPTIONS && asked)?;
    let methods = if rest.allow_methods.is_empty() { "GET,POST,HEAD" } else { &rest.allow_methods };
    let answer = with_header(empty(StatusCode::OK), header::ACCESS_CONTROL_ALLOW_METHODS, methods);
    let answer = with_header(answer, header::ACCESS_CONTROL_ALLOW_HEADERS, "Content-Type");
    Some(with_header(answer, header::ACCESS_CONTROL_MAX_AGE, MAX_AGE))
}
