//! WASI 0.2 as granted.
//!
//! Enters: [`Grants`]. Leaves: a context with empty environment and arguments, nothing opened but the granted directories,
//! no UDP, and TCP only to checked addresses. Invariant: an address is reachable only if a grant names it, or names a host
//! that this instance resolved to it, and if [`Grants::check_address`] agrees.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use wasmtime::component::{HasData, Resource};
use wasmtime_wasi::p2::bindings::io::error::Error as IoError;
use wasmtime_wasi::p2::bindings::sockets::ip_name_lookup;
use wasmtime_wasi::p2::bindings::sockets::network::{self, ErrorCode, IpAddress, Network};
use wasmtime_wasi::p2::{DynPollable, SocketError};
use wasmtime_wasi::sockets::{SocketAddrUse, WasiSocketsCtxView};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder};

use crate::grants::Grants;
use crate::spec::LogLevel;
use crate::stdio::Stdio;
use crate::volume::LogGate;

/// Addresses remembered at most, for one instance.
const RESOLVED_MAX: usize = 1_000;
/// Bytes of random data in one call at most.
const RANDOM_BYTES_MAX: u64 = 1 << 20;

/// What names turned out to be, for one instance.
#[derive(Debug, Default)]
pub(crate) struct Resolved {
    /// Look-ups under way or read: stream -> name.
    names: HashMap<u32, String>,
    /// Address -> names.
    addresses: HashMap<IpAddr, Vec<String>>,
}

pub(crate) type SharedResolved = Arc<Mutex<Resolved>>;

/// Builds the context.
pub(crate) fn context(
    grants: &Arc<Grants>,
    gate: &Arc<LogGate>,
    resolved: &SharedResolved,
    stdout: &Stdio,
    stderr: &Stdio,
) -> wasmtime::Result<WasiCtx> {
    let mut wasi = WasiCtxBuilder::new();
    wasi.stdout(stdout.clone()).stderr(stderr.clone()).max_random_size(RANDOM_BYTES_MAX);
    // TCP is there for every guest, so that a refusal can be told from a network that is down; what it reaches is decided
    // for each address.
    wasi.allow_udp(false).allow_tcp(true).allow_ip_name_lookup(!grants.tcp.is_empty());
    let (checked, resolved, gate) = (Arc::clone(grants), Arc::clone(resolved), Arc::clone(gate));
    wasi.socket_addr_check(move |address, purpose| {
        let allowed = may_use(&checked, &resolved, address, purpose);
        if let Err(why) = &allowed {
            gate.line(LogLevel::Warn, format!("refused {} {address}: {why}", name_of(purpose)).as_bytes());
        }
        Box::pin(std::future::ready(allowed.is_ok()))
    });
    for directory in &grants.directories {
        let permissions = if directory.writable { FsPerms::ReadWrite } else { FsPerms::ReadOnly };
        wasi.preopened_dir(&directory.host, &directory.guest, permissions)?;
    }
    Ok(wasi.build())
}

const fn name_of(purpose: SocketAddrUse) -> &'static str {
    match purpose {
        SocketAddrUse::TcpConnect => "tcp",
        SocketAddrUse::TcpBind | SocketAddrUse::TcpListen => "tcp server at",
        _ => "udp",
    }
}

fn may_use(
    grants: &Grants,
    resolved: &SharedResolved,
    address: SocketAddr,
    purpose: SocketAddrUse,
) -> Result<(), String> {
    match purpose {
        SocketAddrUse::TcpConnect => {}
        // What the system does before it connects: any address, any port.
        SocketAddrUse::TcpBind if address.ip().is_unspecified() && address.port() == 0 => return Ok(()),
        _ => return Err("a plugin only connects by TCP".to_owned()),
    }
    let (ip, port) = (address.ip(), address.port());
    let literal = grants.tcp.iter().any(|grant| grant.allows(&ip.to_string(), port));
    let named = || {
        let resolved = resolved.lock().unwrap_or_else(PoisonError::into_inner);
        let names = resolved.addresses.get(&ip);
        names.is_some_and(|names| names.iter().any(|name| grants.tcp.iter().any(|grant| grant.allows(name, port))))
    };
    if !literal && !named() {
        return Err("no grant covers it: the plugin asks for it, and lockgate.grants.tcp allows it".to_owned());
    }
    grants.check_address(ip, port)
}

/// Name look-up for granted names only; remembers what they resolved to.
pub(crate) struct Lookup<'a> {
    pub(crate) sockets: WasiSocketsCtxView<'a>,
    pub(crate) grants: Arc<Grants>,
    pub(crate) resolved: SharedResolved,
    pub(crate) gate: Arc<LogGate>,
}

/// Marker of [`Lookup`] for the linker.
pub(crate) struct HasLookup;

impl HasData for HasLookup {
    type Data<'a> = Lookup<'a>;
}

impl Lookup<'_> {
    fn names_host(&self, name: &str) -> bool {
        self.grants.tcp.iter().any(|grant| grant.allows_host(name))
    }
}

impl network::Host for Lookup<'_> {
    fn convert_error_code(&mut self, error: SocketError) -> wasmtime::Result<ErrorCode> {
        network::Host::convert_error_code(&mut self.sockets, error)
    }

    fn network_error_code(&mut self, error: Resource<IoError>) -> wasmtime::Result<Option<ErrorCode>> {
        network::Host::network_error_code(&mut self.sockets, error)
    }
}

impl network::HostNetwork for Lookup<'_> {
    fn drop(&mut self, network: Resource<Network>) -> wasmtime::Result<()> {
        network::HostNetwork::drop(&mut self.sockets, network)
    }
}

impl ip_name_lookup::Host for Lookup<'_> {
    fn resolve_addresses(
        &mut self,
        network: Resource<Network>,
        name: String,
    ) -> Result<Resource<ip_name_lookup::ResolveAddressStream>, SocketError> {
        if !self.names_host(&name) {
            self.gate.line(LogLevel::Warn, format!("refused to resolve {name}: no grant covers it").as_bytes());
            return Err(ErrorCode::AccessDenied.into());
        }
        let stream = ip_name_lookup::Host::resolve_addresses(&mut self.sockets, network, name.clone())?;
        let mut resolved = self.resolved.lock().unwrap_or_else(PoisonError::into_inner);
        if resolved.names.len() < RESOLVED_MAX {
            resolved.names.insert(stream.rep(), name);
        }
        Ok(stream)
    }
}

impl ip_name_lookup::HostResolveAddressStream for Lookup<'_> {
    fn resolve_next_address(
        &mut self,
        stream: Resource<ip_name_lookup::ResolveAddressStream>,
    ) -> Result<Option<IpAddress>, SocketError> {
        let rep = stream.rep();
        let next = ip_name_lookup::HostResolveAddressStream::resolve_next_address(&mut self.sockets, stream)?;
        if let Some(address) = next {
            let mut resolved = self.resolved.lock().unwrap_or_else(PoisonError::into_inner);
            let ip = match address {
                IpAddress::Ipv4(bytes) => IpAddr::from(<[u8; 4]>::from(bytes)),
                IpAddress::Ipv6(words) => IpAddr::from(<[u16; 8]>::from(words)),
            };
            if let (Some(name), true) = (resolved.names.get(&rep).cloned(), resolved.addresses.len() < RESOLVED_MAX) {
                let names = resolved.addresses.entry(ip).or_default();
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        Ok(next)
    }

    fn subscribe(
        &mut self,
        stream: Resource<ip_name_lookup::ResolveAddressStream>,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        ip_name_lookup::HostResolveAddressStream::subscribe(&mut self.sockets, stream)
    }

    fn drop(&mut self, stream: Resource<ip_name_lookup::ResolveAddressStream>) -> wasmtime::Result<()> {
        self.resolved.lock().unwrap_or_else(PoisonError::into_inner).names.remove(&stream.rep());
        ip_name_lookup::HostResolveAddressStream::drop(&mut self.sockets, stream)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::grants::Policy;
    use lockgate_model::package::Request;

    #[test]
    fn a_socket_reaches_only_what_a_granted_name_resolved_to() {
        let policy = Policy::parse("", "db.example.com:5432, 127.0.0.1:9092", "", "", "").unwrap();
        let requests = [Request::Tcp("db.example.com:5432".into()), Request::Tcp("127.0.0.1:9092".into())];
        let grants = policy.effective(&requests, &[]).0;
        let resolved = SharedResolved::default();
        let connect =
            |address: &str| may_use(&grants, &resolved, address.parse().unwrap(), SocketAddrUse::TcpConnect).is_ok();
        assert!(connect("127.0.0.1:9092"), "granted as a literal");
        assert!(!connect("127.0.0.1:9093"));
        assert!(!connect("1.1.1.1:5432"), "nobody resolved it");
        for address in ["1.1.1.1", "10.0.0.1"] {
            let names = vec!["db.example.com".to_owned()];
            resolved.lock().unwrap().addresses.insert(address.parse().unwrap(), names);
        }
        assert!(connect("1.1.1.1:5432"));
        assert!(!connect("1.1.1.1:22"), "another port");
        assert!(!connect("10.0.0.1:5432"), "a private address");
        let other = |address: &str, purpose| may_use(&grants, &resolved, address.parse().unwrap(), purpose).is_ok();
        assert!(other("0.0.0.0:0", SocketAddrUse::TcpBind));
        assert!(!other("0.0.0.0:80", SocketAddrUse::TcpBind));
        assert!(!other("0.0.0.0:0", SocketAddrUse::TcpListen));
        assert!(!other("1.1.1.1:5432", SocketAddrUse::UdpSend));
    }
}
