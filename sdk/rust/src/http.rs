//! A small HTTP client over wasi:http: one request, one answer, one deadline.
//!
//! Enters: method, URL, headers, body. Leaves: status, headers and the answer's first bytes, or why there is none.
//! Invariant: every wait ends at the deadline; the host does TLS and decides whether the target is allowed.
//!
//! ```no_run
//! use std::time::Duration;
//! use lockgate_sdk::http::{Method, Request};
//!
//! let answer = Request::new(Method::Post, "http://localhost:9000/records")
//!     .header("content-type", "application/json")
//!     .body(b"{}".to_vec())
//!     .send(Duration::from_secs(10));
//! ```

use std::fmt;
use std::time::{Duration, Instant};

use wasip2::clocks::monotonic_clock::subscribe_duration;
use wasip2::http::outgoing_handler::handle;
use wasip2::http::types::{ErrorCode, Fields, IncomingResponse, OutgoingBody, OutgoingRequest, RequestOptions, Scheme};
use wasip2::io::streams::{InputStream, StreamError};

pub use wasip2::http::types::Method;

/// Bytes of an answer's body that are kept.
const ANSWER_MAX: usize = 64 * 1024;
/// Bytes that wasi:io takes at once.
const WRITE_MAX: usize = 4096;

/// A request in the making.
#[must_use = "a request is made by `send`"]
pub struct Request {
    method: Method,
    url: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

/// An answer.
#[derive(Debug)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The first 64 KiB of the body.
    pub body: Vec<u8>,
}

impl Response {
    /// The first header of this name (lower case), as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(n, _)| n == name)?;
        std::str::from_utf8(&found.1).ok()
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HttpError {
    /// The URL cannot be read; the text says why.
    Url(String),
    /// The host does not let this task go there: a grant is missing.
    Denied,
    /// A header's name or value is not allowed.
    Header(String),
    /// No answer within the deadline.
    Timeout,
    /// Anything on the way: no name, no connection, broken off. May go well later.
    Transport(String),
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(why) => write!(f, "the URL cannot be used: {why}"),
            Self::Denied => write!(f, "the worker does not allow this task to go there"),
            Self::Header(name) => write!(f, "the header `{name}` is not allowed"),
            Self::Timeout => write!(f, "no answer in time"),
            Self::Transport(why) => write!(f, "{why}"),
        }
    }
}

impl std::error::Error for HttpError {}

impl Request {
    /// A request without headers and body.
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        Self { method, url: url.into(), headers: Vec::new(), body: Vec::new() }
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.to_ascii_lowercase(), value.into()));
        self
    }

    /// Sets the body.
    pub fn body(mut self, body: Vec<u8>) -> Self {
        self.body = body;
        self
    }

    /// Sends it and waits for the answer; all of it together takes at most `timeout`.
    pub fn send(self, timeout: Duration) -> Result<Response, HttpError> {
        let deadline = Instant::now() + timeout;
        let (scheme, authority, path) = parts(&self.url)?;
        let headers = Fields::new();
        for (name, value) in &self.headers {
            headers.append(name, value).map_err(|_| HttpError::Header(name.clone()))?;
        }
        let length = self.body.len().to_string();
        headers
            .append("content-length", length.as_bytes())
            .map_err(|_| HttpError::Header("content-length".to_owned()))?;
        let request = OutgoingRequest::new(headers);
        let refused = |()| HttpError::Url(self.url.clone());
        request.set_method(&self.method).map_err(refused)?;
        request.set_scheme(Some(&scheme)).map_err(refused)?;
        request.set_authority(Some(&authority)).map_err(refused)?;
        request.set_path_with_query(Some(&path)).map_err(refused)?;
        let body = request.body().map_err(refused)?;

        let options = RequestOptions::new();
        let nanos = u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX);
        // A host that cannot set one of these still has the deadline below.
        let _ = options.set_connect_timeout(Some(nanos));
        let _ = options.set_first_byte_timeout(Some(nanos));
        let _ = options.set_between_bytes_timeout(Some(nanos));
        let future = handle(request, Some(options)).map_err(|e| refusal(&e))?;
        // A server may answer (413, 401) and close before it has read everything: then the answer counts.
        let written = write(body, &self.body, deadline);
        loop {
            if let Some(answer) = future.get() {
                let answer = answer.map_err(|()| HttpError::Transport("the answer was taken twice".to_owned()))?;
                return read(&answer.map_err(|e| refusal(&e))?, deadline);
            }
            if written == Err(HttpError::Timeout) {
                return Err(HttpError::Timeout);
            }
            wait(&future.subscribe(), deadline)?;
        }
    }
}

fn wait(ready: &wasip2::io::poll::Pollable, deadline: Instant) -> Result<(), HttpError> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(HttpError::Timeout);
    }
    let timer = subscribe_duration(u64::try_from(left.as_nanos()).unwrap_or(u64::MAX));
    wasip2::io::poll::poll(&[ready, &timer]);
    Ok(())
}

fn write(body: OutgoingBody, bytes: &[u8], deadline: Instant) -> Result<(), HttpError> {
    let broken = |()| HttpError::Transport("the connection broke while sending".to_owned());
    let stream = body.write().map_err(broken)?;
    let mut rest = bytes;
    while !rest.is_empty() {
        let room = stream.check_write().map_err(|_| HttpError::Transport("broken off".to_owned()))?;
        let room = usize::try_from(room).unwrap_or(WRITE_MAX).min(rest.len());
        if room == 0 {
            wait(&stream.subscribe(), deadline)?;
            continue;
        }
        stream.write(&rest[..room]).map_err(|_| HttpError::Transport("broken off".to_owned()))?;
        rest = &rest[room..];
    }
    stream.flush().map_err(|_| HttpError::Transport("broken off".to_owned()))?;
    drop(stream);
    OutgoingBody::finish(body, None).map_err(|e| refusal(&e))
}

fn read(answer: &IncomingResponse, deadline: Instant) -> Result<Response, HttpError> {
    let status = answer.status();
    let headers = answer.headers().entries();
    let headers = headers.into_iter().map(|(n, v)| (n.to_ascii_lowercase(), v)).collect();
    let mut kept = Vec::new();
    if let Ok(body) = answer.consume() {
        if let Ok(stream) = body.stream() {
            read_body(&stream, &mut kept, deadline)?;
        }
        drop(body);
    }
    Ok(Response { status, headers, body: kept })
}

fn read_body(stream: &InputStream, kept: &mut Vec<u8>, deadline: Instant) -> Result<(), HttpError> {
    while kept.len() < ANSWER_MAX {
        match stream.read((ANSWER_MAX - kept.len()) as u64) {
            Ok(bytes) if bytes.is_empty() => wait(&stream.subscribe(), deadline)?,
            Ok(bytes) => kept.extend_from_slice(&bytes),
            Err(StreamError::Closed) => break,
            Err(StreamError::LastOperationFailed(e)) => return Err(HttpError::Transport(e.to_debug_string())),
        }
    }
    Ok(())
}

fn refusal(error: &ErrorCode) -> HttpError {
    match error {
        ErrorCode::HttpRequestDenied | ErrorCode::DestinationIpProhibited => HttpError::Denied,
        ErrorCode::HttpRequestUriInvalid => HttpError::Url("the host cannot read it".to_owned()),
        ErrorCode::ConnectionTimeout | ErrorCode::ConnectionReadTimeout | ErrorCode::HttpResponseTimeout => {
            HttpError::Timeout
        }
        other => HttpError::Transport(format!("{other:?}")),
    }
}

/// Scheme, authority, path with query.
fn parts(url: &str) -> Result<(Scheme, String, String), HttpError> {
    let (scheme, rest) = match url.split_once("://") {
        Some((s, rest)) if s.eq_ignore_ascii_case("http") => (Scheme::Http, rest),
        Some((s, rest)) if s.eq_ignore_ascii_case("https") => (Scheme::Https, rest),
        _ => return Err(HttpError::Url(format!("`{url}` does not begin with http:// or https://"))),
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    if authority.is_empty() || authority.contains('@') {
        return Err(HttpError::Url("it has no host, or a user in it".to_owned()));
    }
    let path = path.split('#').next().unwrap_or_default();
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    Ok((scheme, authority.to_owned(), path))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_url_is_taken_apart_and_a_bad_one_named() {
        let (_, authority, path) = parts("http://a:1/b?c=d#e").unwrap();
        assert_eq!((authority.as_str(), path.as_str()), ("a:1", "/b?c=d"));
        assert_eq!(parts("https://a?x").unwrap().2, "/?x");
        assert!(parts("ftp://a").unwrap_err().to_string().contains("`ftp://a`"));
        assert!(parts("http:///x").is_err() && parts("http://u:p@h/").is_err());
    }
}
