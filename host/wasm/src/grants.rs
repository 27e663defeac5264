//! What a task may reach: a tenant's policy, a plugin's requests, and what both agree to.
//!
//! Enters: [`Policy`] from the worker's properties, requests from `describe`, the connector's config. Leaves: [`Grants`],
//! and what was refused with the reason. Invariant: a grant never holds what the policy does not; no grant, no access
//! (L6: nor a way to a neighbour).

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use lockgate_model::package::Request;

use crate::pattern::HostPattern;
use lockgate_model::address::{AddressClass, Range, classify, embedded_v4};

/// What a tenant allows its plugins. Empty allows nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Hosts for outbound HTTP.
    pub http: Vec<HostPattern>,
    /// Hosts for outbound TCP.
    pub tcp: Vec<HostPattern>,
    /// Directories that may be read, absolute.
    pub read: Vec<PathBuf>,
    /// Directories that may be read and written, absolute.
    pub write: Vec<PathBuf>,
    /// Ranges that names may resolve to although they are not on the internet.
    pub private: Vec<Range>,
}

/// What one task may reach.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// Hosts for outbound HTTP.
    pub http: Vec<HostPattern>,
    /// Hosts for outbound TCP.
    pub tcp: Vec<HostPattern>,
    /// Opened directories.
    pub directories: Vec<Directory>,
    /// As in [`Policy::private`].
    pub private: Vec<Range>,
    /// Literal addresses that the policy names: reachable although not on the internet.
    pub literals: Vec<HostPattern>,
}

/// A directory that the guest finds opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directory {
    /// As the guest names it: the path that was asked for.
    pub guest: String,
    /// Where it is, without symbolic links.
    pub host: PathBuf,
    /// True: files in it may be made and changed.
    pub writable: bool,
}

/// A request that the policy does not grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What was asked for, placeholders filled in.
    pub request: String,
    /// Why not, and which property would grant it.
    pub reason: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not granted: {}", self.request, self.reason)
    }
}

impl Policy {
    /// Reads the five comma lists `lockgate.grants.{http,tcp,read,write,private}`; all problems at once.
    pub fn parse(http: &str, tcp: &str, read: &str, write: &str, private: &str) -> Result<Self, Vec<String>> {
        let mut problems = Vec::new();
        let policy = Self {
            http: list("http", http, HostPattern::parse, &mut problems),
            tcp: list("tcp", tcp, HostPattern::parse, &mut problems),
            read: list("read", read, absolute, &mut problems),
            write: list("write", write, absolute, &mut problems),
            private: list("private", private, Range::parse, &mut problems),
        };
        if problems.is_empty() { Ok(policy) } else { Err(problems) }
    }

    /// What a plugin with these requests gets for this config, and what it asked for in vain. Requests whose placeholders
    /// have no value are passed over: the feature is not used. Looks at the file system for the directories.
    pub fn effective(&self, requests: &[Request], config: &[(String, String)]) -> (Grants, Vec<Refused>) {
        let literal = |p: &&HostPattern| p.names_address();
        let mut grants = Grants {
            private: self.private.clone(),
            literals: self.http.iter().chain(&self.tcp).filter(literal).cloned().collect(),
            ..Grants::default()
        };
        let mut refused = Vec::new();
        for request in requests {
            let (kind, template) = match request {
                Request::Http(t) => ("http", t),
                Request::Tcp(t) => ("tcp", t),
                Request::Read(t) => ("read", t),
                Request::Write(t) => ("write", t),
            };
            for text in fill(template, config) {
                if let Err(reason) = self.grant(request, &text, &mut grants) {
                    refused.push(Refused { request: format!("{kind} {}", shown(request, &text)), reason });
                }
            }
        }
        (grants, refused)
    }

    fn grant(&self, request: &Request, text: &str, grants: &mut Grants) -> Result<(), String> {
        match request {
            Request::Http(_) => grant_hosts("http", &self.http, text, &mut grants.http),
            Request::Tcp(_) => grant_hosts("tcp", &self.tcp, text, &mut grants.tcp),
            Request::Read(_) => self.grant_directory(text, false, &mut grants.directories),
            Request::Write(_) => self.grant_directory(text, true, &mut grants.directories),
        }
    }

    fn grant_directory(&self, text: &str, writable: bool, granted: &mut Vec<Directory>) -> Result<(), String> {
        let property = if writable { "lockgate.grants.write" } else { "lockgate.grants.read" };
        let path = absolute(text)?;
        let guest = if path.is_dir() { path.as_path() } else { path.parent().unwrap_or(Path::new("/")) };
        let host = guest.canonicalize().map_err(|e| format!("directory {} cannot be opened: {e}", guest.display()))?;
        // A link to a file elsewhere stays unreadable: WASI resolves links inside the opened directory only.
        let inside = |dir: &PathBuf| dir.canonicalize().is_ok_and(|dir| host.starts_with(dir));
        let readable = !writable && self.read.iter().any(inside);
        if !readable && !self.write.iter().any(inside) {
            return Err(format!("{} is not inside a directory of {property}", host.display()));
        }
        let guest = guest.to_str().ok_or("the path is not UTF-8")?.to_owned();
        match granted.iter_mut().find(|d| d.guest == guest) {
            Some(same) => same.writable |= writable,
            None => granted.push(Directory { guest, host, writable }),
        }
        Ok(())
    }
}

impl Grants {
    /// Checks an address that a granted name resolved to, or a granted literal address, before it is dialled.
    pub fn check_address(&self, address: IpAddr, port: u16) -> Result<(), String> {
        let granted = |a: IpAddr| {
            self.private.iter().any(|r| r.contains(a)) || self.literals.iter().any(|p| p.is_literal(a, port))
        };
        let class = classify(address);
        if class == AddressClass::Public {
            return Ok(());
        }
        let refusal = |a: IpAddr, c: AddressClass| {
            Err(format!("{a} is a {c} address; a policy grants it as a literal or in lockgate.grants.private"))
        };
        if !granted(address) {
            return refusal(address, class);
        }
        // A granted translation prefix does not grant what stands behind it.
        let inner = match address {
            IpAddr::V6(v6) => embedded_v4(v6).map(|inner| (IpAddr::V4(inner), classify(inner.into()))),
            IpAddr::V4(_) => None,
        };
        if let Some((inner, class)) = inner
            && class != AddressClass::Public
            && !granted(inner)
        {
            return refusal(inner, class);
        }
        Ok(())
    }
}

/// Fills `{key}` in from the config; a value may be a comma list, then there is one text for each entry. No text if a
/// key has no value.
fn fill(template: &str, config: &[(String, String)]) -> Vec<String> {
    let Some((before, rest)) = template.split_once('{') else { return vec![template.to_owned()] };
    let Some((key, after)) = rest.split_once('}') else { return vec![template.to_owned()] };
    // `{config.key}` and `{key}` are the same, unless a key is really called that way.
    let find = |key: &str| config.iter().find(|(k, _)| k == key).map(|(_, v)| v.as_str());
    let value = find(key).or_else(|| find(key.strip_prefix("config.")?)).unwrap_or_default();
    let entries = value.split(',').map(str::trim).filter(|v| !v.is_empty());
    entries
        .flat_map(|entry| fill(after, config).into_iter().map(move |tail| format!("{before}{entry}{tail}")))
        .collect()
}

/// A filled-in request for people. Of a URL only host and port, which is what is granted: its path may be a secret.
fn shown(request: &Request, text: &str) -> String {
    match request {
        Request::Read(_) | Request::Write(_) => text.to_owned(),
        Request::Http(_) | Request::Tcp(_) => {
            HostPattern::parse(text).map_or_else(|_| "(unreadable)".to_owned(), |host| host.to_string())
        }
    }
}

fn grant_hosts(kind: &str, policy: &[HostPattern], text: &str, granted: &mut Vec<HostPattern>) -> Result<(), String> {
    let asked = HostPattern::parse(text)?;
    let before = granted.len();
    granted.extend(policy.iter().filter_map(|allowed| allowed.meet(&asked)));
    if granted.len() > before { Ok(()) } else { Err(format!("no entry of lockgate.grants.{kind} covers it")) }
}

fn list<T>(kind: &str, text: &str, parse: impl Fn(&str) -> Result<T, String>, problems: &mut Vec<String>) -> Vec<T> {
    let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
    let read = |entry| parse(entry).map_err(|e| problems.push(format!("lockgate.grants.{kind}: {e}"))).ok();
    entries.filter_map(read).collect()
}

fn absolute(text: &str) -> Result<PathBuf, String> {
    let path = Path::new(text);
    let plain = !path.components().any(|c| matches!(c, std::path::Component::ParentDir)) && !text.contains('\0');
    if path.is_absolute() && plain {
        return Ok(path.to_owned());
    }
    Err(format!("`{text}` is not an absolute path without `..`"))
}

#[cfg(test)]
mod tests;
