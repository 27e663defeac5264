//! The REST settings of a worker: where it listens, who may call, what answers carry.
//!
//! Enters: checked settings and the worker's entries. Leaves: [`RestSettings`]. Invariant: there is a listener, each https
//! listener has a certificate, and an extension that nobody would apply is refused: it may be the one that keeps people out.

mod headers;
mod tls;

use std::path::PathBuf;

use crate::RawConfig;
use crate::error::ConfigError;
use crate::reading::Settings;

pub use headers::{HeaderAction, ResponseHeader};
pub use tls::{ClientAuth, Identity, KEYS as TLS_KEYS, Pem, Tls};

/// How a listener speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Plain.
    Http,
    /// Over TLS.
    Https,
}

impl Scheme {
    /// `http` or `https`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// One listener of the REST API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// With or without TLS.
    pub scheme: Scheme,
    /// Host name or address; empty = all addresses.
    pub host: String,
    /// Port; 0 = any free one.
    pub port: u16,
}

/// Where log levels are read and set: `admin.listeners`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AdminListeners {
    /// Not set: on the listeners of the API.
    Main,
    /// Set to nothing: nowhere.
    Disabled,
    /// Only here, and nothing else is served here.
    Own {
        /// At least one.
        listeners: Vec<Listener>,
        /// `admin.listeners.https.*`, else `ssl.*`; there if one of them is https.
        tls: Option<Tls>,
    },
}

/// Who may call. Both may be set: then either is enough. Neither: anybody may.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RestAuth {
    /// HTTP basic: a properties file of `user=password`. Set by naming Kafka Connect's `BasicAuthSecurityRestExtension` in
    /// `rest.extension.classes`, with `lockgate.rest.basic.file`.
    pub basic_file: Option<PathBuf>,
    /// Bearer tokens: a properties file of `name=token`: `lockgate.rest.bearer.file`.
    pub bearer_file: Option<PathBuf>,
}

/// REST settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestSettings {
    /// `listeners`, at least one.
    pub listeners: Vec<Listener>,
    /// `listeners.https.*`, else `ssl.*`; there if one of the listeners is https.
    pub tls: Option<Tls>,
    /// `admin.listeners`.
    pub admin: AdminListeners,
    /// `rest.advertised.host.name`.
    pub advertised_host: Option<String>,
    /// `rest.advertised.port`.
    pub advertised_port: Option<u16>,
    /// `rest.advertised.listener`; else that of the first listener.
    pub advertised_scheme: Scheme,
    /// `response.http.headers.config`, in order.
    pub response_headers: Vec<ResponseHeader>,
    /// `access.control.allow.origin`; `None` = no cross-origin calls.
    pub allow_origin: Option<String>,
    /// `access.control.allow.methods`; empty = GET, POST, HEAD.
    pub allow_methods: String,
    /// Who may call.
    pub auth: RestAuth,
    /// `lockgate.limits.package.mb` in bytes.
    pub package_bytes_max: usize,
    /// `lockgate.limits.rest.connections.max`.
    pub connections_max: usize,
}

/// Reads them; problems are added to `errors`.
pub fn rest(settings: &Settings, raw: &RawConfig, errors: &mut Vec<ConfigError>) -> RestSettings {
    let listeners = listeners("listeners", settings, errors);
    let tls = tls_of(&listeners, "listeners.https.", raw, errors);
    let key = "response.http.headers.config";
    let text = settings.filled(key).unwrap_or_default();
    let response_headers = headers::parse(text).unwrap_or_else(|reason| {
        errors.push(ConfigError::invalid(key, Some(text), reason));
        Vec::new()
    });
    let key = "rest.advertised.listener";
    let advertised = match settings.filled(key).map(str::to_ascii_lowercase).as_deref() {
        None => listeners.first().map(|listener| listener.scheme),
        Some("http") => Some(Scheme::Http),
        Some("https") => Some(Scheme::Https),
        Some(other) => {
            errors.push(ConfigError::invalid(key, Some(other), "it is either http or https"));
            None
        }
    };
    RestSettings {
        admin: admin(settings, raw, errors),
        tls,
        listeners,
        advertised_host: settings.filled("rest.advertised.host.name").map(str::to_owned),
        advertised_port: settings.number("rest.advertised.port").and_then(|port| u16::try_from(port).ok()),
        advertised_scheme: advertised.unwrap_or(Scheme::Http),
        response_headers,
        allow_origin: settings.filled("access.control.allow.origin").map(str::to_owned),
        allow_methods: settings.text("access.control.allow.methods").unwrap_or_default().to_owned(),
        auth: auth(settings, errors),
        package_bytes_max: settings.fits::<usize>("lockgate.limits.package.mb") << 20,
        connections_max: settings.fits("lockgate.limits.rest.connections.max"),
    }
}

fn admin(settings: &Settings, raw: &RawConfig, errors: &mut Vec<ConfigError>) -> AdminListeners {
    let key = "admin.listeners";
    if raw.get(key).is_none_or(Option::is_none) {
        return AdminListeners::Main;
    }
    if settings.list(key).is_empty() {
        return AdminListeners::Disabled;
    }
    let listeners = listeners(key, settings, errors);
    let tls = tls_of(&listeners, "admin.listeners.https.", raw, errors);
    AdminListeners::Own { listeners, tls }
}

/// All or nothing, as in Kafka Connect: with one key below `prefix`, those without it are not looked at.
fn tls_of(listeners: &[Listener], prefix: &str, raw: &RawConfig, errors: &mut Vec<ConfigError>) -> Option<Tls> {
    if listeners.iter().all(|listener| listener.scheme == Scheme::Http) {
        return None;
    }
    let prefix = if raw.keys().any(|key| key.starts_with(prefix)) { prefix } else { "" };
    tls::read(prefix, raw, errors)
}

fn listeners(key: &str, settings: &Settings, errors: &mut Vec<ConfigError>) -> Vec<Listener> {
    let mut listeners = Vec::new();
    for text in settings.list(key) {
        match listener(text) {
            Ok(listener) => listeners.push(listener),
            Err(reason) => errors.push(ConfigError::invalid(key, Some(text), reason)),
        }
    }
    listeners
}

fn listener(text: &str) -> Result<Listener, String> {
    let form = "a listener is written http://host:port, https://host:port, http://:port or http://[::1]:port";
    let lower = text.to_ascii_lowercase();
    let (scheme, rest) = match lower.split_once("://") {
        Some(("http", rest)) => (Scheme::Http, rest),
        Some(("https", rest)) => (Scheme::Https, rest),
        _ => return Err(form.to_owned()),
    };
    let (host, port) = rest.trim_end_matches('/').rsplit_once(':').ok_or(form)?;
    let host = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
    let port = port.parse().map_err(|_| form)?;
    Ok(Listener { scheme, host: host.to_owned(), port })
}

/// Kafka Connect's own extension for HTTP basic.
const BASIC: &str = "BasicAuthSecurityRestExtension";

fn auth(settings: &Settings, errors: &mut Vec<ConfigError>) -> RestAuth {
    let (classes, file) = ("rest.extension.classes", "lockgate.rest.basic.file");
    let path = |key: &str| settings.filled(key).map(PathBuf::from);
    let mut is_basic = false;
    for class in settings.list(classes) {
        if class.rsplit('.').next() == Some(BASIC) {
            is_basic = true;
            continue;
        }
        let reason = "it is a class of the Java VM and cannot be loaded; remove it from the list, and if it keeps people out: \
                      basic authentication (BasicAuthSecurityRestExtension) and bearer tokens (lockgate.rest.bearer.file) are \
                      built in";
        errors.push(ConfigError::invalid(classes, Some(class), reason));
    }
    let basic_file = path(file);
    if is_basic && basic_file.is_none() {
        let text = format!(
            "{BASIC} needs the file of users in {file}: lines of user=password, the file that Kafka Connect's \
             PropertyFileLoginModule is given"
        );
        errors.push(ConfigError::new(file, text));
    }
    RestAuth { basic_file: basic_file.filter(|_| is_basic), bearer_file: path("lockgate.rest.bearer.file") }
}

#[cfg(test)]
mod tests;
