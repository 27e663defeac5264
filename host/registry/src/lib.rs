//! Schema registries over HTTP: the client behind the converters' port.
//!
//! Enters: connections as converters were configured with them, questions of converters. Leaves: registered schemas, or why
//! there are none. Invariant: a connection goes only where the worker allows it, at an address that was checked after
//! resolving; no redirect is followed; every wait has a deadline, every answer and cache a bound; credentials are in no text.

mod allowed;
mod answer;
mod cache;
mod client;
mod exchange;
mod tls;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use lockgate_convert::registry::{MemoryRegistry, SchemaRegistry};
use lockgate_convert::{Connection, Endpoint, Scheme};

pub use allowed::{Allowed, FileNotAllowed, NotAllowed};
use client::Client;

/// Registries in memory at most, by the scopes of their `mock://` URLs.
const SCOPES_MAX: usize = 64;

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The worker does not allow the URL. Code `registry.not-allowed`.
    #[error(transparent)]
    NotAllowed(#[from] NotAllowed),
    /// The worker does not allow a file. Code `registry.file-not-allowed`.
    #[error(transparent)]
    FileNotAllowed(#[from] FileNotAllowed),
    /// A certificate or key cannot be used. Code `registry.tls`.
    #[error("schema.registry.ssl.{what}: {why} [registry.tls]")]
    Tls {
        /// The setting, prefix cut off.
        what: &'static str,
        /// What is wrong.
        why: String,
    },
    /// `mock://` beside other URLs, or too many of them. Code `registry.mock`.
    #[error("a mock:// URL must be the only one, and there may be {SCOPES_MAX} of them at most [registry.mock]")]
    Mock,
}

/// All clients of one tenant. Converters with equal connections share one, and its caches.
#[derive(Debug)]
pub struct Registries {
    allowed: Allowed,
    clients: Mutex<HashMap<(Connection, bool), Weak<Client>>>,
    scopes: Mutex<HashMap<String, MemoryRegistry>>,
}

impl Registries {
    /// With the worker's rules.
    pub fn new(allowed: Allowed) -> Self {
        Self { allowed, clients: Mutex::default(), scopes: Mutex::default() }
    }

    /// The worker's rules.
    pub fn allowed(&self) -> &Allowed {
        &self.allowed
    }

    /// A client for a converter. `own`: the connector named the registry itself, so the worker's rules hold for it.
    ///
    /// # Errors
    /// The URL or a file is not allowed, or certificates cannot be read.
    pub fn connect(&self, connection: &Connection, own: bool) -> Result<Arc<dyn SchemaRegistry>, ConnectError> {
        let is_mock = |endpoint: &&Endpoint| endpoint.scheme == Scheme::Mock;
        if let Some(mock) = connection.endpoints.iter().find(is_mock) {
            return if connection.endpoints.len() == 1 { self.mock(&mock.host) } else { Err(ConnectError::Mock) };
        }
        if own {
            self.allowed.check(&connection.endpoints)?;
            self.allowed.check_files(&connection.tls)?;
        }
        let key = (connection.clone(), own);
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&key).and_then(Weak::upgrade) {
            return Ok(client);
        }
        let grants = connection.endpoints.iter().map(|endpoint| self.allowed.grant(endpoint, own)).collect();
        let client = Arc::new(Client::new(connection.clone(), grants)?);
        clients.retain(|_, client| client.strong_count() > 0);
        clients.insert(key, Arc::downgrade(&client));
        Ok(client)
    }

    fn mock(&self, scope: &str) -> Result<Arc<dyn SchemaRegistry>, ConnectError> {
        let mut scopes = self.scopes.lock().unwrap_or_else(PoisonError::into_inner);
        if scopes.len() >= SCOPES_MAX && !scopes.contains_key(scope) {
            return Err(ConnectError::Mock);
        }
        Ok(Arc::new(scopes.entry(scope.to_owned()).or_default().clone()))
    }
}

#[cfg(test)]
mod tests;
