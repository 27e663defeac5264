//! Settings of the converters whose schemas live in a registry.
//!
//! Enters: class name and settings of a converter, prefix cut off. Leaves: checked options: where the registry is, how subjects
//! are named, how schemas are written, and the format. Invariant: credentials leave only as request headers and are in no
//! text of an error or of `Debug`.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use indexmap::IndexMap;

use crate::converter::{BOOLEAN, ConvertConfigError, Role, boolean};
use crate::fault::{DataFault, Result};
use crate::registry::{Format, Writing};

/// Makes a format of its settings; problems go into the settings.
type MakeFormat = fn(&mut Settings<'_>) -> Arc<dyn Format>;

/// Package, class, format. Short names are made of the class: `AvroConverter`, `Avro`.
const FORMATS: &[(&str, &str, MakeFormat)] =
    &[("io.confluent.connect.protobuf.", "ProtobufConverter", crate::protobuf::make)];

/// Settings of one converter.
#[derive(PartialEq)]
pub struct RegistryOptions {
    /// The class, in full.
    pub class: String,
    /// Where the registry is and how to log in there.
    pub connection: Connection,
    pub(crate) format: ByClass,
    pub(crate) naming: Naming,
    pub(crate) writing: Writing,
    /// `normalize.schemas`
    pub(crate) normalize: bool,
    /// `schemas.cache.config`: compiled schemas kept, in each direction.
    pub(crate) cache_size: usize,
    /// `ignore.default.for.nullables`
    pub(crate) ignore_default_for_nullables: bool,
}

/// A format that equals another if class and settings of the converter do; those are compared beside it.
pub(crate) struct ByClass {
    format: Arc<dyn Format>,
    settings: IndexMap<String, String>,
}

impl PartialEq for ByClass {
    fn eq(&self, other: &Self) -> bool {
        self.settings == other.settings
    }
}

impl std::ops::Deref for ByClass {
    type Target = Arc<dyn Format>;

    fn deref(&self) -> &Self::Target {
        &self.format
    }
}

impl fmt::Debug for RegistryOptions {
    /// Without settings: they may hold credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegistryOptions").field("class", &self.class).finish_non_exhaustive()
    }
}

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

/// How subjects are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Naming {
    key: Strategy,
    value: Strategy,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Strategy {
    Topic,
    Record,
    TopicRecord,
}

impl Naming {
    /// The subject of a datum in a topic.
    pub(crate) fn subject(self, topic: &str, role: Role, record: impl FnOnce() -> Option<String>) -> Result<Arc<str>> {
        let (strategy, part) = match role {
            Role::Key => (self.key, "key"),
            _ => (self.value, "value"),
        };
        let named = || {
            record().ok_or_else(|| {
                let why =
                    format!("{strategy:?}NameStrategy needs a record with a name, but the {part}'s schema has none");
                DataFault::new("registry.subject", why)
            })
        };
        Ok(match strategy {
            Strategy::Topic => format!("{topic}-{part}").into(),
            Strategy::Record => named()?.into(),
            Strategy::TopicRecord => format!("{topic}-{}", named()?).into(),
        })
    }
}

/// Simple class names of all registry converters.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    FORMATS.iter().map(|(_, name, _)| *name)
}

/// Full class names of all registry converters.
pub fn registry_classes() -> impl Iterator<Item = String> {
    FORMATS.iter().map(|(package, name, _)| format!("{package}{name}"))
}

impl RegistryOptions {
    /// None if the class is none of a registry's.
    pub(crate) fn parse(
        class: &str,
        given: &IndexMap<String, String>,
    ) -> std::result::Result<Option<Self>, ConvertConfigError> {
        let found = FORMATS.iter().find(|(package, name, _)| {
            class == *name || class.strip_prefix(package) == Some(name) || name.strip_suffix("Converter") == Some(class)
        });
        let Some((package, name, make)) = found else { return Ok(None) };
        let mut settings = Settings::new(given);
        let format = ByClass { format: make(&mut settings), settings: given.clone() };
        let connection = connection(&mut settings);
        let naming = Naming {
            key: strategy(&mut settings, "key.subject.name.strategy"),
            value: strategy(&mut settings, "value.subject.name.strategy"),
        };
        let writing = writing(&mut settings);
        let options = Self {
            class: format!("{package}{name}"),
            connection,
            format,
            naming,
            writing,
            normalize: settings.flag("normalize.schemas", false),
            cache_size: usize::try_from(settings.number("schemas.cache.config", 1000, 0)).unwrap_or(usize::MAX),
            ignore_default_for_nullables: settings.flag("ignore.default.for.nullables", false),
        };
        if settings.problems.is_empty() {
            Ok(Some(options))
        } else {
            Err(ConvertConfigError::Settings(settings.problems))
        }
    }
}

/// Settings on their way to types; problems are collected.
pub(crate) struct Settings<'a> {
    given: &'a IndexMap<String, String>,
    problems: Vec<(String, String)>,
}

impl<'a> Settings<'a> {
    pub(crate) fn new(given: &'a IndexMap<String, String>) -> Self {
        Self { given, problems: Vec::new() }
    }

    /// A value that is not blank, trimmed.
    pub(crate) fn text(&self, key: &str) -> Option<&'a str> {
        self.given.get(key).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    pub(crate) fn flag(&mut self, key: &str, default: bool) -> bool {
        let Some(value) = self.text(key) else { return default };
        boolean(value).unwrap_or_else(|| {
            self.problem(key, BOOLEAN);
            default
        })
    }

    /// A whole number, at least `least`.
    pub(crate) fn number(&mut self, key: &str, default: i64, least: i64) -> i64 {
        let Some(value) = self.text(key) else { return default };
        value.parse().ok().filter(|n| *n >= least && *n <= i64::from(i32::MAX)).unwrap_or_else(|| {
            self.problem(key, format!("Value must be an integer, at least {least}"));
            default
        })
    }

    pub(crate) fn problem(&mut self, key: &str, text: impl Into<String>) {
        self.problems.push((key.to_owned(), text.into()));
    }
}

fn strategy(settings: &mut Settings<'_>, key: &str) -> Strategy {
    let Some(class) = settings.text(key) else { return Strategy::Topic };
    match class.rsplit('.').next().unwrap_or(class) {
        // Associations are a registry's own extension; without one the topic decides.
        "TopicNameStrategy" | "AssociatedNameStrategy" => Strategy::Topic,
        "RecordNameStrategy" => Strategy::Record,
        "TopicRecordNameStrategy" => Strategy::TopicRecord,
        _ => {
            let known = "TopicNameStrategy, RecordNameStrategy or TopicRecordNameStrategy";
            settings.problem(key, format!("Class could not be found; use {known}"));
            Strategy::Topic
        }
    }
}

fn writing(settings: &mut Settings<'_>) -> Writing {
    let register = settings.flag("auto.register.schemas", true);
    let id = settings.number("use.schema.id", -1, -1);
    let guid = settings.text("use.schema.guid").map(|text| {
        guid(text).unwrap_or_else(|| {
            settings.problem("use.schema.guid", "Value must be a UUID");
            [0; 16]
        })
    });
    let latest = settings.flag("use.latest.version", false);
    if settings.text("use.latest.with.metadata").is_some() {
        settings.problem("use.latest.with.metadata", "metadata of schemas is not supported; use use.latest.version");
    }
    match (u32::try_from(id), guid) {
        _ if register => Writing::Register,
        (Ok(id), _) => Writing::Id(id),
        (_, Some(guid)) => Writing::Guid(guid),
        _ if latest => Writing::Latest,
        _ => Writing::Lookup,
    }
}

fn guid(text: &str) -> Option<[u8; 16]> {
    let hex: String = text.chars().filter(|c| *c != '-').collect();
    let number = u128::from_str_radix(&hex, 16).ok().filter(|_| hex.len() == 32)?;
    Some(number.to_be_bytes())
}

fn connection(settings: &mut Settings<'_>) -> Connection {
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
            (None, Some(file)) => file.ends_with(".pem") || file.ends_with(".crt"),
            (None, None) => true,
        };
        if !is_pem {
            let why = "only PEM can be read here: convert the store (keytool, openssl pkcs12) and set this to PEM";
            settings.problem(&format!("{PREFIX}{store}.type"), why);
        }
    }
    tls
}
