//! Names of hosts that may be reached: `host`, `host:port`, `*.domain:port`, `*`, literal addresses, URLs.
//!
//! Enters: text from a policy, a package's request or a connector's config. Leaves: [`HostPattern`]. Invariant: names are
//! in lower case without a trailing dot; two patterns meet exactly where both allow.

use std::fmt;
use std::net::IpAddr;

/// Hosts and ports.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostPattern {
    host: HostPart,
    /// `None` = every port.
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum HostPart {
    Any,
    /// Everything below this domain, not the domain itself.
    Below(String),
    Name(String),
    Literal(IpAddr),
}

impl HostPattern {
    /// Reads a pattern or a URL, of which host and port are taken (80 and 443 for `http` and `https` without a port). A
    /// pattern without a port stands for every port. Errors show no more of a URL than host and port: a path may be a secret.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let (authority, default_port) = split_url(text)?;
        let (host, port) = split_port(authority).ok_or_else(|| {
            format!("`{}` is not `host`, `host:port`, `*.domain:port`, an address or a URL", bare(authority))
        })?;
        let port = match port {
            None => default_port,
            Some(digits) => match digits.parse::<u16>() {
                Ok(number) if number > 0 => Some(number),
                _ => return Err(format!("`{}`: the port is a number from 1 to 65535", bare(authority))),
            },
        };
        let host = HostPart::parse(host).ok_or_else(|| format!("`{}` is not a host name or an address", bare(host)))?;
        Ok(Self { host, port })
    }

    /// True if the pattern allows this host (a name or a literal address, as in a URL) and port.
    pub fn allows(&self, host: &str, port: u16) -> bool {
        let Some(asked) = HostPart::parse(host) else { return false };
        self.port.is_none_or(|own| own == port) && self.host.meet(&asked).as_ref() == Some(&asked)
    }

    /// True if the pattern allows this host on some port.
    pub fn allows_host(&self, host: &str) -> bool {
        HostPart::parse(host).is_some_and(|asked| self.host.meet(&asked).as_ref() == Some(&asked))
    }

    /// True if the pattern is exactly this literal address, on this port.
    pub fn is_literal(&self, address: IpAddr, port: u16) -> bool {
        self.host == HostPart::Literal(address) && self.port.is_none_or(|own| own == port)
    }

    /// True if this is one literal address, whatever the port.
    pub const fn names_address(&self) -> bool {
        matches!(self.host, HostPart::Literal(_))
    }

    /// What both allow.
    pub fn meet(&self, other: &Self) -> Option<Self> {
        let port = match (self.port, other.port) {
            (Some(a), Some(b)) if a != b => return None,
            (a, b) => a.or(b),
        };
        Some(Self { host: self.host.meet(&other.host)?, port })
    }
}

impl HostPart {
    fn parse(text: &str) -> Option<Self> {
        let name = text.trim_end_matches('.').to_ascii_lowercase();
        let bare = name.strip_prefix('[').map_or(Some(name.as_str()), |rest| rest.strip_suffix(']'))?;
        if let Ok(address) = bare.parse() {
            return Some(Self::Literal(address));
        }
        if name == "*" {
            return Some(Self::Any);
        }
        if let Some(domain) = name.strip_prefix("*.") {
            return legal_name(domain).then(|| Self::Below(domain.to_owned()));
        }
        legal_name(&name).then_some(Self::Name(name))
    }

    fn meet(&self, other: &Self) -> Option<Self> {
        let below = |name: &str, domain: &str| name.strip_suffix(domain).is_some_and(|head| head.ends_with('.'));
        match (self, other) {
            (Self::Any, part) | (part, Self::Any) => Some(part.clone()),
            (Self::Below(domain), Self::Name(name)) | (Self::Name(name), Self::Below(domain)) => {
                below(name, domain).then(|| Self::Name(name.clone()))
            }
            (Self::Below(a), Self::Below(b)) if a == b || below(a, b) => Some(self.clone()),
            (Self::Below(a), Self::Below(b)) if below(b, a) => Some(other.clone()),
            (a, b) => (a == b).then(|| a.clone()),
        }
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            HostPart::Any => f.write_str("*")?,
            HostPart::Below(domain) => write!(f, "*.{domain}")?,
            HostPart::Name(name) => f.write_str(name)?,
            HostPart::Literal(IpAddr::V6(address)) => write!(f, "[{address}]")?,
            HostPart::Literal(address) => write!(f, "{address}")?,
        }
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// Without what a path or query would be, if someone forgot the scheme.
fn bare(authority: &str) -> &str {
    authority.split(['/', '?', '#']).next().unwrap_or_default()
}

/// The authority of a URL and its default port; a text without a scheme is its own authority.
fn split_url(text: &str) -> Result<(&str, Option<u16>), String> {
    let Some((scheme, rest)) = text.split_once("://") else { return Ok((text, None)) };
    let port = match scheme.to_ascii_lowercase().as_str() {
        "http" | "ws" => Some(80),
        "https" | "wss" => Some(443),
        "" => return Err("it begins with `://`: the scheme is missing".to_owned()),
        _ => None,
    };
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let authority = &rest[..end];
    // Behind the last @, as every URL parser takes it: what stands before it is the user.
    Ok((authority.rsplit_once('@').map_or(authority, |(_, host)| host), port))
}

/// Host and port of an authority; `None` where brackets or colons do not add up.
fn split_port(authority: &str) -> Option<(&str, Option<&str>)> {
    if authority.starts_with('[') {
        let end = authority.find(']')? + 1;
        let (host, rest) = authority.split_at(end);
        return if rest.is_empty() { Some((host, None)) } else { Some((host, Some(rest.strip_prefix(':')?))) };
    }
    match authority.split_once(':') {
        None => Some((authority, None)),
        // A bare IPv6 address has no port.
        Some((_, rest)) if rest.contains(':') => Some((authority, None)),
        Some((host, port)) => Some((host, Some(port))),
    }
}

fn legal_name(name: &str) -> bool {
    let label =
        |l: &str| !l.is_empty() && l.len() <= 63 && l.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    name.len() <= 253 && name.split('.').all(label)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn pattern(text: &str) -> HostPattern {
        HostPattern::parse(text).unwrap()
    }

    #[test]
    fn patterns_allow_what_they_say_and_nothing_else() {
        let table = [
            ("es.example.com", "es.example.com", 9200, true),
            ("es.example.com:9200", "ES.Example.COM.", 9200, true),
            ("es.example.com:9200", "es.example.com", 9201, false),
            ("es.example.com", "xes.example.com", 443, false),
            ("*.example.com:443", "a.b.example.com", 443, true),
            ("*.example.com:443", "example.com", 443, false),
            ("*.example.com:443", "evilexample.com", 443, false),
            ("*", "anything.at.all", 1, true),
            ("*:443", "anything.at.all", 80, false),
            ("127.0.0.1:9200", "127.0.0.1", 9200, true),
            ("127.0.0.1:9200", "0177.0.0.1", 9200, false),
            ("127.0.0.1:9200", "2130706433", 9200, false),
            ("[::1]:9200", "[0:0:0:0:0:0:0:1]", 9200, true),
            ("https://es.example.com/path?x=1", "es.example.com", 443, true),
            ("https://es.example.com/path?x=1", "es.example.com", 80, false),
            ("http://good.com@evil.com:81/", "good.com", 81, false),
            ("http://good.com@evil.com:81/", "evil.com", 81, true),
        ];
        for (text, host, port, expected) in table {
            assert_eq!(pattern(text).allows(host, port), expected, "{text} and {host}:{port}");
        }
    }

    #[test]
    fn two_patterns_meet_where_both_allow() {
        let table = [
            ("*", "es:9200", Some("es:9200")),
            ("es", "es:9200", Some("es:9200")),
            ("es:9200", "es:9201", None),
            ("*.a.com:443", "x.a.com", Some("x.a.com:443")),
            ("*.a.com", "*.b.a.com:1", Some("*.b.a.com:1")),
            ("*.a.com", "*.b.com", None),
            ("10.0.0.1", "10.0.0.1:80", Some("10.0.0.1:80")),
        ];
        for (a, b, expected) in table {
            let met = |x: &str, y: &str| pattern(x).meet(&pattern(y)).map(|p| p.to_string());
            assert_eq!(met(a, b).as_deref(), expected, "{a} and {b}");
            assert_eq!(met(b, a).as_deref(), expected, "{b} and {a}");
        }
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        for bad in ["", "a b", "host:0", "host:65536", "host:x", "[::1", "://x", "a..b", "*.*", "x\r\ny", "http://"] {
            assert!(HostPattern::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn what_is_refused_shows_no_path_because_it_may_be_a_secret() {
        for bad in ["https://a..b/se-cret", "https://u:se-cret@h:0/", "h:x/se-cret", "a b/se-cret", "://h/se-cret"] {
            let why = HostPattern::parse(bad).unwrap_err();
            assert!(!why.contains("se-cret"), "{why}");
        }
    }
}
