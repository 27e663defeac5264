//! Where a registry is, and how to log in there.
//!
//! Enters: settings. Leaves: a [`Connection`] without defects. Invariant: credentials leave only as the value of a request
//! header and are in no text of an error or of `Debug`.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Settings;

/// Where a registry is and how to talk to it. Two converters with equal connections may share a client.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Connection {
    /// `schema.registry.url`: tried in turn.
    pub endpoints: Vec<Endpoint>,
    /// `schema.registry.ssl.*`, prefix cut off.
    pub tls: Vec<(String, String)>,
    /// `http.connect.timeout.ms`, default 10 s: resolving, connecting, TLS.
    pub connect_timeout_ms: u64,
    /// `http.read.timeout.ms`, default 10 s: from the request to the end of its answer.
    pub read_timeout_ms: u64,
    /// `max.retries`, default 3: how often a request is repeated while the registry is not available.
    pub retries: u32,
    /// `retries.wait.ms`, default 1000: the first pause; doubled each time.
    pub retry_wait_ms: u64,
    /// `retries.max.wait.ms`, default 20 s: the longest pause.
    pub retry_wait_max_ms: u64,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("endpoints", &self.endpoints).finish_non_exhaustive()
    }
}

/// One base URL.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// `http`, `https`, or `mock` (a registry inside the worker, for tests).
    pub scheme: Scheme,
    /// Name or address, lower case, without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Path before that of the API, without a slash at its end.
    pub path: String,
    /// Value of the header `authorization`.
    pub authorization: Option<String>,
}

/// Scheme of a base URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Plain HTTP/1.1.
    Http,
    /// HTTP/1.1 over TLS.
    Https,
    /// In the worker's memory; the host is the name of its scope.
    Mock,
}

impl fmt::Display for Endpoint {
    /// The base URL, without credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
            Scheme::Mock => return write!(f, "mock://{}", self.host),
        };
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        write!(f, "{scheme}://{host}:{}{}", self.port, self.path)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

pub(super) fn read(settings: &mut Settings<'_>) -> Connection {
    let authorization = authorization(settings);
    let url = settings.text("schema.registry.url").unwrap_or_default();
    let mut endpoints = Vec::new();
    for url in url.split(',').map(str::trim).filter(|url| !url.is_empty()) {
        match endpoint(url) {
            Ok(mut endpoint) => {
                if let Some(value) = &authorization {
                    endpoint.authorization = Some(value.clone());
                }
                endpoints.push(endpoint);
            }
            Err(why) => settings.problem("schema.registry.url", why),
        }
    }
    if url.is_empty() {
        let why = "Missing required configuration \"schema.registry.url\" which has no default value.";
        settings.problem("schema.registry.url", why);
    }
    let tls = tls(settings);
    let mut milliseconds = |key: &str, default| u64::try_from(settings.number(key, default, 1)).unwrap_or(1);
    let (connect_timeout_ms, read_timeout_ms) =
        (milliseconds("http.connect.timeout.ms", 10_000), milliseconds("http.read.timeout.ms", 10_000));
    let (retry_wait_ms, retry_wait_max_ms) =
        (milliseconds("retries.wait.ms", 1000), milliseconds("retries.max.wait.ms", 20_000));
    let retries = u32::try_from(settings.number("max.retries", 3, 0)).unwrap_or(0);
    Connection { endpoints, tls, connect_timeout_ms, read_timeout_ms, retries, retry_wait_ms, retry_wait_max_ms }
}

/// Value of the header for every base URL, where the settings have one.
fn authorization(settings: &mut Settings<'_>) -> Option<String> {
    const BASIC: &str = "basic.auth.credentials.source";
    const BEARER: &str = "bearer.auth.credentials.source";
    let bearer = match settings.text(BEARER) {
        None => None,
        Some("STATIC_TOKEN") => {
            let token = settings.text("bearer.auth.token").filter(|token| token.bytes().all(|b| b.is_ascii_graphic()));
            if token.is_none() {
                settings.problem("bearer.auth.token", "STATIC_TOKEN needs a token here, without blanks");
            }
            token.map(|token| format!("Bearer {token}"))
        }
        Some(_) => {
            settings.problem(BEARER, "String must be STATIC_TOKEN; tokens are not fetched from elsewhere");
            None
        }
    };
    match settings.text(BASIC).unwrap_or("URL") {
        "URL" => bearer,
        "USER_INFO" => {
            let info = settings.text("basic.auth.user.info");
            let info = info.or(settings.text("schema.registry.basic.auth.user.info")).filter(|info| info.contains(':'));
            if info.is_none() {
                settings.problem("basic.auth.user.info", "USER_INFO needs user:password here");
            }
            bearer.or(info.map(basic))
        }
        _ => {
            settings.problem(BASIC, "String must be one of: URL, USER_INFO; SASL_INHERIT is not supported");
            None
        }
    }
}

fn basic(info: &str) -> String {
    format!("Basic {}", STANDARD.encode(info))
}

fn endpoint(url: &str) -> std::result::Result<Endpoint, String> {
    // The text of a URL may hold a password: no message repeats it.
    let (scheme, rest) = url.split_once("://").ok_or("a URL begins with http://, https:// or mock://")?;
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        "mock" => Scheme::Mock,
        _ => return Err("a URL begins with http://, https:// or mock://".to_owned()),
    };
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    if path.contains(['?', '#']) || !path.bytes().all(|b| b.is_ascii_graphic()) {
        return Err("a base URL has neither query nor fragment, and no blanks".to_owned());
    }
    let (user, place) = authority.rsplit_once('@').map_or((None, authority), |(user, place)| (Some(user), place));
    let bracketed = place.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let (host, port) = match bracketed {
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        None => place.rsplit_once(':').map_or((place, None), |(host, port)| (host, Some(port))),
    };
    let legal =
        |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_') || (b == b':' && bracketed.is_some());
    if (host.is_empty() && scheme != Scheme::Mock) || !host.bytes().all(legal) {
        return Err("the URL has no valid host".to_owned());
    }
    let default = if scheme == Scheme::Https { 443 } else { 80 };
    let port = port.map_or(Ok(default), str::parse).map_err(|_| "the URL's port is not a number below 65536")?;
    let authorization = user.map(|user| {
        let decoded = percent_encoding::percent_decode_str(user).collect::<Vec<u8>>();
        format!("Basic {}", STANDARD.encode(decoded))
    });
    let path = path.trim_end_matches('/').to_owned();
    Ok(Endpoint { scheme, host: host.to_ascii_lowercase(), port, path, authorization })
}

/// `schema.registry.ssl.*`. Only PEM can be read; the files themselves are read when a client is made.
fn tls(settings: &mut Settings<'_>) -> Vec<(String, String)> {
    const PREFIX: &str = "schema.registry.ssl.";
    let all = settings.given.iter().filter_map(|(k, v)| Some((k.strip_prefix(PREFIX)?.to_owned(), v.clone())));
    let tls: Vec<(String, String)> = all.filter(|(_, value)| !value.trim().is_empty()).collect();
    for store in ["truststore", "keystore"] {
        let has = |key: &str| tls.iter().find(|(k, _)| *k == format!("{store}.{key}")).map(|(_, v)| v.trim());
        let is_pem = match (has("type"), has("location")) {
            (Some(kind), _) => kind.eq_ignore_ascii_case("PEM"),
            (None, Some(file)) => {
                let ending = std::path::Path::new(file).extension();
                ending.is_some_and(|e| e.eq_ignore_ascii_case("pem") || e.eq_ignore_ascii_case("crt"))
            }
            (None, None) => true,
        };
        if !is_pem {
            let why = "only PEM can be read here: convert the store (keytool, openssl pkcs12) and set this to PEM";
            settings.problem(&format!("{PREFIX}{store}.type"), why);
        }
    }
    tls
}
