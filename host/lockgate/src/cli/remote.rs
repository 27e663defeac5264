//! A worker's REST API, seen from a command.
//!
//! Enters: an address, credentials, requests. Leaves: answers, or a [`Failure`] with the server's own words. Invariant: every
//! request has a deadline and every answer a bound; nothing is redirected, so credentials go to the named server only, and
//! no proxy of the environment comes between.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http::{HeaderValue, Method, Request, Uri, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, AsSendBody};

use super::failure::Failure;
use super::screen::Format;

/// How long a connection may take to be there.
const CONNECT: Duration = Duration::from_secs(5);
/// Bytes of an answer: a list of ten thousand connectors with their configurations fits.
const ANSWER_BYTES_MAX: u64 = 256 << 20;
/// What stands in a path as it is (RFC 3986, unreserved).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// Characters of a foreign error page that are shown.
const PAGE: usize = 200;

/// Options of every command that speaks to a worker.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Options of every command")]
pub struct Options {
    /// Address of a worker's REST API; a tenant's is <URL>/tenants/<NAME>
    #[arg(
        long,
        alias = "url",
        global = true,
        env = "LOCKGATE_SERVER",
        default_value = "http://localhost:8083",
        value_name = "URL"
    )]
    server: String,
    /// User of HTTP basic authentication; without a password here it is read from `LOCKGATE_PASSWORD`
    #[arg(long, global = true, env = "LOCKGATE_USER", hide_env_values = true, value_name = "NAME[:PASSWORD]")]
    user: Option<String>,
    /// Bearer token; the environment keeps it out of the list of processes
    #[arg(long, global = true, env = "LOCKGATE_TOKEN", hide_env_values = true, conflicts_with = "user")]
    token: Option<String>,
    /// Certificate authorities to trust for https instead of the public ones (PEM)
    #[arg(long, global = true, env = "LOCKGATE_CA", value_name = "FILE")]
    ca: Option<PathBuf>,
    /// How long one request may take, for example 30s or 2m
    #[arg(long, global = true, default_value = "100s", value_parser = humantime::parse_duration, value_name = "DURATION")]
    request_timeout: Duration,
    /// The form of what is printed
    #[arg(short, long, global = true, value_enum, default_value_t)]
    pub output: Format,
}

/// An answer with a status below 300.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// The body as it came.
    pub body: String,
    server: String,
}

impl Answer {
    /// What this program found out by itself, in the form of an answer.
    pub fn own(body: String) -> Self {
        Self { status: 200, body, server: "this program".to_owned() }
    }

    /// The body as JSON; an empty one is null.
    pub fn json(&self) -> Result<Value, Failure> {
        if self.body.is_empty() {
            return Ok(Value::Null);
        }
        let strange = |error| Failure::Strange { server: self.server.clone(), what: format!("not JSON, {error}") };
        serde_json::from_str(&self.body).map_err(strange)
    }
}

/// A worker.
#[derive(Debug)]
pub struct Remote {
    agent: Agent,
    server: String,
    authorization: Option<HeaderValue>,
    request_timeout: Duration,
}

impl Remote {
    /// Checks the options; nothing is sent yet.
    pub fn new(options: Options) -> Result<Self, Failure> {
        let server = address(&options.server)?;
        let mut tls = TlsConfig::builder();
        if let Some(path) = &options.ca {
            tls = tls.root_certs(authorities(path)?);
        }
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .timeout_connect(Some(CONNECT))
            .timeout_global(Some(options.request_timeout))
            .user_agent(concat!("lockgate/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls.build())
            .build();
        let authorization = authorization(options.user, options.token)?;
        Ok(Self { agent: config.into(), server, authorization, request_timeout: options.request_timeout })
    }

    /// GET.
    pub fn get(&self, path: &str) -> Result<Answer, Failure> {
        self.call(&Method::GET, path, None, ())
    }

    /// GET; `None` if it is not there.
    pub fn find(&self, path: &str) -> Result<Option<Answer>, Failure> {
        match self.get(path) {
            Ok(answer) => Ok(Some(answer)),
            Err(Failure::Refused { status: 404, .. }) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// PUT without a body.
    pub fn put(&self, path: &str) -> Result<Answer, Failure> {
        self.call(&Method::PUT, path, None, b"".as_slice())
    }

    /// POST without a body.
    pub fn post(&self, path: &str) -> Result<Answer, Failure> {
        self.call(&Method::POST, path, None, b"".as_slice())
    }

    /// DELETE.
    pub fn delete(&self, path: &str) -> Result<Answer, Failure> {
        self.call(&Method::DELETE, path, None, ())
    }

    /// A request with JSON.
    pub fn send(&self, method: &Method, path: &str, body: &Value) -> Result<Answer, Failure> {
        self.call(method, path, Some("application/json"), body.to_string().as_bytes())
    }

    /// POST of a package.
    pub fn upload(&self, path: &str, bytes: &[u8]) -> Result<Answer, Failure> {
        self.call(&Method::POST, path, Some("application/wasm"), bytes)
    }

    fn call(
        &self,
        method: &Method,
        path: &str,
        content_type: Option<&'static str>,
        body: impl AsSendBody,
    ) -> Result<Answer, Failure> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.server));
        request = request.header(header::ACCEPT, "application/json");
        if let Some(kind) = content_type {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        if let Some(value) = &self.authorization {
            request = request.header(header::AUTHORIZATION, value);
        }
        let request = request.body(body).map_err(|e| Failure::Usage(format!("{}{path}: {e}", self.server)))?;
        let mut response = self.agent.run(request).map_err(|error| self.unreachable(&error))?;
        let location = response.headers().get(header::LOCATION).and_then(|l| l.to_str().ok()).map(str::to_owned);
        let status = response.status().as_u16();
        let read = response.body_mut().with_config().limit(ANSWER_BYTES_MAX).lossy_utf8(true).read_to_string();
        let body = read.map_err(|error| self.unreachable(&error))?;
        match status {
            200..300 => Ok(Answer { status, body, server: self.server.clone() }),
            300..400 => {
                let what = format!("a redirection to {}", location.unwrap_or_default());
                Err(Failure::Strange { server: self.server.clone(), what })
            }
            _ => Err(self.refused(status, path, &body)),
        }
    }

    fn unreachable(&self, error: &ureq::Error) -> Failure {
        let cause = match error {
            ureq::Error::Timeout(ureq::Timeout::Connect) => {
                format!("no connection within {}", humantime::format_duration(CONNECT))
            }
            ureq::Error::Timeout(_) => {
                format!("no whole answer within {}", humantime::format_duration(self.request_timeout))
            }
            ureq::Error::Io(error) => error.to_string(),
            other => other.to_string(),
        };
        Failure::Unreachable { server: self.server.clone(), cause }
    }

    fn refused(&self, status: u16, path: &str, body: &str) -> Failure {
        let said = serde_json::from_str::<Value>(body).ok();
        let said = said.as_ref().and_then(|value| value["message"].as_str()).map(str::to_owned);
        let page = || body.trim().chars().take(PAGE).collect::<String>();
        let message = said.unwrap_or_else(|| format!("HTTP {status} {}", page()).trim_end().to_owned());
        let hint = hint(status, path, &message, &self.server);
        Failure::Refused { status, message, hint }
    }
}

/// A path of these names, each encoded as one segment.
pub fn path(segments: &[&str]) -> String {
    segments.iter().map(|segment| format!("/{}", encode(segment))).collect()
}

/// One name, for a path or a query.
pub fn encode(name: &str) -> String {
    utf8_percent_encode(name, SEGMENT).to_string()
}

fn address(given: &str) -> Result<String, Failure> {
    let full = if given.contains("://") { given.to_owned() } else { format!("http://{given}") };
    let wrong = |why: &str| Failure::Usage(format!("--server {}: {why}", without_user(given)));
    let uri: Uri = full.parse().map_err(|_| wrong("this is no URL; http://host:8083 is one"))?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.host().is_none_or(str::is_empty) {
        return Err(wrong("a URL of http or https is needed, for example http://host:8083"));
    }
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err(wrong("credentials do not belong into the address: use --user or --token"));
    }
    if uri.query().is_some() {
        return Err(wrong("an address without a query is needed"));
    }
    Ok(full.trim_end_matches('/').to_owned())
}

fn without_user(address: &str) -> &str {
    address.rsplit_once('@').map_or(address, |(_, rest)| rest)
}

fn authorization(user: Option<String>, token: Option<String>) -> Result<Option<HeaderValue>, Failure> {
    let text = match (user, token) {
        (_, Some(token)) => format!("Bearer {}", token.trim()),
        (Some(user), None) => format!("Basic {}", basic(&user)?),
        (None, None) => return Ok(None),
    };
    let mut value = HeaderValue::try_from(text)
        .map_err(|_| Failure::Usage("the token holds characters that a header cannot carry".to_owned()))?;
    value.set_sensitive(true);
    Ok(Some(value))
}

fn basic(user: &str) -> Result<String, Failure> {
    use base64::Engine as _;
    let pair = if user.contains(':') {
        user.to_owned()
    } else {
        let missing = |_| Failure::Usage(format!("there is no password for {user}: set LOCKGATE_PASSWORD"));
        format!("{user}:{}", std::env::var("LOCKGATE_PASSWORD").map_err(missing)?)
    };
    Ok(base64::engine::general_purpose::STANDARD.encode(pair))
}

fn authorities(path: &Path) -> Result<RootCerts, Failure> {
    let pem = fs::read(path).map_err(|cause| Failure::File { path: path.to_owned(), cause })?;
    let mut found = Vec::new();
    for item in parse_pem(&pem) {
        match item {
            Ok(PemItem::Certificate(certificate)) => found.push(certificate),
            Ok(_) => {}
            Err(error) => return Err(Failure::Usage(format!("--ca {}: {error}", path.display()))),
        }
    }
    if found.is_empty() {
        return Err(Failure::Usage(format!("--ca {}: there is no certificate in it (PEM)", path.display())));
    }
    Ok(RootCerts::new_with_certs(&found))
}

fn hint(status: u16, path: &str, message: &str, server: &str) -> Option<String> {
    let first = path.split(['/', '?']).nth(1).unwrap_or_default();
    let hint = match (status, first) {
        (404, _) if message.starts_with("HTTP 404") => {
            return Some(format!(
                "{server} has no {path}: another version, switched off there, or not the right --server"
            ));
        }
        (404, "connectors") => "`lockgate connector list` shows what is there",
        (404, "connector-plugins") => "`lockgate plugin list --all` shows what is there",
        (404, "packages") => "`lockgate package list` shows what is there",
        (404, "admin") => "`lockgate logger list` shows what is there",
        (413, "packages") => "the limit is the worker's: lockgate.limits.package.mb",
        (409, "packages") => "raise the version of the package and upload it again",
        (409, _) if message.contains("already exists") => "`lockgate connector apply` changes what is there",
        (409, _) => "the cluster is moving work between workers: try again",
        (400, _) if message.contains("STOPPED") => "`lockgate connector stop NAME --wait` stops it",
        (400, "connectors") => "`lockgate plugin config CLASS` lists the keys of a plugin",
        (401, _) => "--user or --token (LOCKGATE_USER, LOCKGATE_TOKEN) say who you are",
        (403, _) if first != "connectors" => "these credentials may not do that",
        (405, _) => "this server does not know that operation: is it older than this program?",
        (503, _) => "the worker is starting, or waits for Kafka: `lockgate cluster info` says more",
        _ => return None,
    };
    Some(hint.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_single_segments() {
        assert_eq!(path(&["connectors", "a/b c%", "status"]), "/connectors/a%2Fb%20c%25/status");
        assert_eq!(path(&["connectors", "größe"]), "/connectors/gr%C3%B6%C3%9Fe");
    }

    #[test]
    fn an_address_is_http_or_https_without_credentials() {
        assert_eq!(address("localhost:1/").ok().as_deref(), Some("http://localhost:1"));
        assert_eq!(address("https://h/tenants/a/").ok().as_deref(), Some("https://h/tenants/a"));
        for wrong in ["ftp://h", "http://u:geheim@h", "http://", "http://h/?a=b", "a b"] {
            let failure = address(wrong).expect_err(wrong);
            assert_eq!(failure.code(), 2);
            assert!(!failure.to_string().contains("geheim"), "{failure}");
        }
    }

    #[test]
    fn a_user_and_password_are_basic_authentication() {
        let value = authorization(Some("a:b".to_owned()), None).ok().flatten();
        assert_eq!(value.as_ref().and_then(|v| v.to_str().ok()), Some("Basic YTpi"));
    }
}
