//! Which registries connectors may name, and which files to reach them with.
//!
//! Enters: the worker's settings `lockgate.registry.allowed.urls` and `.paths`, and the registries that the worker's own
//! converters name. Leaves: what a connection may reach and read. Invariant: a registry that somebody named who runs the worker is reached wherever
//! it is; through `*` no address is reached that belongs to the machine's own network equipment or to a cloud's metadata.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use lockgate_convert::{Endpoint, Scheme};
use lockgate_model::address::{AddressClass, classify};

/// The worker's rules.
#[derive(Clone, Debug, Default)]
pub struct Allowed {
    any: bool,
    named: Vec<Pattern>,
    trusted: Vec<Endpoint>,
    folders: Vec<PathBuf>,
}

/// `host`, `host:port`, `http://host:port`, `*.domain`.
#[derive(Clone, Debug)]
struct Pattern {
    scheme: Option<Scheme>,
    host: String,
    port: Option<u16>,
}

/// A connector named a registry that the worker does not allow. Code `registry.not-allowed`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the worker does not allow the schema registry {url}: it has to be in lockgate.registry.allowed.urls of the worker's \
     settings, or be the registry of the worker's own converters [registry.not-allowed]"
)]
pub struct NotAllowed {
    /// Without credentials.
    pub url: String,
}

/// A connector named a file that the worker does not allow. Code `registry.file-not-allowed`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the file {path} has to be there and to lie below a folder of lockgate.registry.allowed.paths of the worker's settings; \
     the setting that holds the PEM text itself needs no file [registry.file-not-allowed]"
)]
pub struct FileNotAllowed {
    /// The setting, without `schema.registry.ssl.`.
    pub setting: String,
    /// Its value.
    pub path: String,
}

/// Which addresses of a host may be dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grant {
    /// The host was named by somebody who runs the worker.
    Named,
    /// It came through `*`.
    Any,
}

impl Allowed {
    /// `patterns` of `lockgate.registry.allowed.urls`; `trusted` are the endpoints of the worker's own converters.
    ///
    /// # Errors
    /// A pattern that is none, with the reason.
    pub fn new(patterns: &[String], trusted: Vec<Endpoint>) -> Result<Self, String> {
        let any = patterns.iter().any(|pattern| pattern.trim() == "*");
        let others = patterns.iter().map(|pattern| pattern.trim()).filter(|pattern| !matches!(*pattern, "" | "*"));
        let named = others.map(Pattern::parse).collect::<Result<_, _>>()?;
        Ok(Self { any, named, trusted, folders: Vec::new() })
    }

    /// With folders whose files connectors may name (`lockgate.registry.allowed.paths`); none without.
    #[must_use]
    pub fn with_folders(self, folders: &[String]) -> Self {
        Self { folders: folders.iter().map(PathBuf::from).collect(), ..self }
    }

    /// Whether connectors may name all files of these settings of TLS. Links are followed, and then must lie within.
    ///
    /// # Errors
    /// The first that they may not. It does not say whether there is such a file.
    pub fn check_files(&self, tls: &[(String, String)]) -> Result<(), FileNotAllowed> {
        let forbidden = tls.iter().find(|(key, path)| key.ends_with(".location") && !self.holds(path.trim()));
        forbidden.map_or(Ok(()), |(setting, path)| {
            Err(FileNotAllowed { setting: setting.clone(), path: path.trim().to_owned() })
        })
    }

    fn holds(&self, path: &str) -> bool {
        let real = |path: &Path| std::fs::canonicalize(path).ok();
        // What is no file, a pipe for one, would be waited for.
        let Some(file) = real(Path::new(path)).filter(|file| file.is_file()) else { return false };
        self.folders.iter().filter_map(|folder| real(folder)).any(|folder| file.starts_with(folder))
    }

    /// Whether connectors may name all of these.
    ///
    /// # Errors
    /// The first that they may not.
    pub fn check(&self, endpoints: &[Endpoint]) -> Result<(), NotAllowed> {
        match endpoints.iter().find(|endpoint| !self.any && !self.is_named(endpoint)) {
            Some(endpoint) => Err(NotAllowed { url: endpoint.to_string() }),
            None => Ok(()),
        }
    }

    pub(crate) fn grant(&self, endpoint: &Endpoint, own: bool) -> Grant {
        if !own || self.is_named(endpoint) { Grant::Named } else { Grant::Any }
    }

    fn is_named(&self, endpoint: &Endpoint) -> bool {
        let place = |e: &Endpoint| (e.scheme, e.host.clone(), e.port);
        endpoint.scheme == Scheme::Mock
            || self.trusted.iter().any(|trusted| place(trusted) == place(endpoint))
            || self.named.iter().any(|pattern| pattern.covers(endpoint))
    }
}

impl Grant {
    pub(crate) fn check(self, address: IpAddr) -> Result<(), String> {
        use AddressClass::{CarrierNat, Loopback, Private, Public};
        let class = classify(address);
        if self == Self::Named || matches!(class, Public | Private | Loopback | CarrierNat) {
            return Ok(());
        }
        Err(format!("{address} is a {class} address; lockgate.registry.allowed.urls has to name the host"))
    }
}

impl Pattern {
    fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no URL, host, host:port or *.domain");
        let (scheme, rest) = match text.split_once("://") {
            Some(("http", rest)) => (Some(Scheme::Http), rest),
            Some(("https", rest)) => (Some(Scheme::Https), rest),
            Some(_) => return Err(wrong()),
            None => (None, text),
        };
        let rest = rest.split('/').next().unwrap_or(rest);
        let bracketed = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        let (host, port) = match bracketed {
            Some((host, rest)) => (host, rest.strip_prefix(':')),
            None => rest.rsplit_once(':').map_or((rest, None), |(host, port)| (host, Some(port))),
        };
        let port = port.map(|port| port.parse().map_err(|_| wrong())).transpose()?;
        let stem = host.strip_prefix("*.").unwrap_or(host);
        if stem.is_empty() || stem.contains(['*', '@', '?', ' ']) {
            return Err(wrong());
        }
        Ok(Self { scheme, host: host.to_ascii_lowercase(), port })
    }

    fn covers(&self, endpoint: &Endpoint) -> bool {
        let host = match self.host.strip_prefix('*') {
            Some(domain) => endpoint.host.len() > domain.len() && endpoint.host.ends_with(domain),
            None => endpoint.host == self.host,
        };
        host && self.scheme.is_none_or(|scheme| scheme == endpoint.scheme)
            && self.port.is_none_or(|port| port == endpoint.port)
    }
}
