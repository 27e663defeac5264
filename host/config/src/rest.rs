//! `listeners` and the other REST settings of a worker.
//!
//! Enters: checked settings. Leaves: [`RestSettings`]. Invariant: there is a listener, and it is one that can be served.

use crate::error::ConfigError;
use crate::reading::Settings;

/// One listener of the REST API. Only `http` so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// Host name or address; empty = all addresses.
    pub host: String,
    /// Port; 0 = any free one.
    pub port: u16,
}

/// REST settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestSettings {
    /// `listeners`, at least one.
    pub listeners: Vec<Listener>,
    /// `rest.advertised.host.name`.
    pub advertised_host: Option<String>,
    /// `rest.advertised.port`.
    pub advertised_port: Option<u16>,
    /// `response.http.headers.config`, parsed: (name, value).
    pub response_headers: Vec<(String, String)>,
    /// `access.control.allow.origin`; `None` = no cross-origin calls.
    pub allow_origin: Option<String>,
    /// `access.control.allow.methods`; empty = GET, POST, HEAD.
    pub allow_methods: String,
    /// `lockgate.limits.package.mb` in bytes.
    pub package_bytes_max: usize,
    /// `lockgate.limits.rest.connections.max`.
    pub connections_max: usize,
}

/// Reads them; problems are added to `errors`.
pub fn rest(settings: &Settings, errors: &mut Vec<ConfigError>) -> RestSettings {
    let mut listeners = Vec::new();
    for text in settings.list("listeners") {
        match listener(text) {
            Ok(listener) => listeners.push(listener),
            Err(reason) => errors.push(ConfigError::invalid("listeners", Some(text), reason)),
        }
    }
    let key = "response.http.headers.config";
    let headers = settings.filled(key).unwrap_or_default();
    let response_headers = response_headers(headers).unwrap_or_else(|reason| {
        errors.push(ConfigError::invalid(key, Some(headers), reason));
        Vec::new()
    });
    RestSettings {
        listeners,
        advertised_host: settings.filled("rest.advertised.host.name").map(str::to_owned),
        advertised_port: settings.number("rest.advertised.port").and_then(|port| u16::try_from(port).ok()),
        response_headers,
        allow_origin: settings.filled("access.control.allow.origin").map(str::to_owned),
        allow_methods: settings.text("access.control.allow.methods").unwrap_or_default().to_owned(),
        package_bytes_max: settings.fits::<usize>("lockgate.limits.package.mb") << 20,
        connections_max: settings.fits("lockgate.limits.rest.connections.max"),
    }
}

fn listener(text: &str) -> Result<Listener, String> {
    let form = "a listener is written http://host:port, http://:port or http://[::1]:port";
    let lower = text.to_ascii_lowercase();
    if lower.starts_with("https://") {
        return Err("https is not supported yet: listen on http and put a TLS proxy before the worker".to_owned());
    }
    let rest = lower.strip_prefix("http://").ok_or(form)?.trim_end_matches('/');
    let (host, port) = rest.rsplit_once(':').ok_or(form)?;
    let host = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
    let port = port.parse().map_err(|_| form)?;
    Ok(Listener { host: host.to_owned(), port })
}

/// `[action] [name]:[value], ...`; a value with a comma stands in double quotes together with action and name.
fn response_headers(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut parts = Vec::new();
    let mut quoted = false;
    let mut part = String::new();
    for c in text.chars().chain([',']) {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => parts.push(std::mem::take(&mut part)),
            c => part.push(c),
        }
    }
    if quoted {
        return Err("a double quote is not closed".to_owned());
    }
    let filled = parts.iter().map(|part| part.trim()).filter(|part| !part.is_empty());
    filled.map(response_header).collect()
}

fn response_header(part: &str) -> Result<(String, String), String> {
    let (action, rest) = part.split_once(' ').ok_or("a header is written `[action] [name]:[value]`")?;
    if !matches!(action.to_ascii_lowercase().as_str(), "set" | "add") {
        return Err(format!("the action '{action}' is none of set, add"));
    }
    let (name, value) = rest.split_once(':').ok_or("a header is written `[action] [name]:[value]`")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn response_headers_may_hold_commas_in_quotes() {
        let headers = response_headers("add X-A: 1, \"set Cache-Control: no-cache, no-store\"").unwrap();
        let expected = [("X-A", "1"), ("Cache-Control", "no-cache, no-store")];
        assert_eq!(headers, expected.map(|(n, v)| (n.to_owned(), v.to_owned())));
        assert!(response_headers("remove X: 1").is_err());
        assert!(response_headers("\"set X: 1").is_err());
    }
}
