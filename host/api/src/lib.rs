//! lockgate-api: Kafka Connect's REST API, packages, logs and metrics over HTTP.
//!
//! Enters: HTTP requests. Leaves: calls of [`lockgate_supervisor::Handle`], answers in Kafka Connect's shapes. Invariant:
//! HTTP words live here and nowhere else; every error is `{"error_code", "message"}`; every body and wait is bounded.
//! What differs from Kafka Connect on purpose stands in docs/differences.md.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod answer;
mod auth;
mod body;
mod connectors;
mod cross_origin;
mod dispatch;
mod exposition;
mod loggers;
mod openapi;
mod packages;
mod path;
mod plugins;
mod previews;
mod query;
mod route;
mod seats;
mod serve;
mod strict;
mod tls;

use std::sync::Arc;

use axum::Router;
use lockgate_config::{AdminListeners, RestSettings, Secrets};
use lockgate_supervisor::Handle;

use auth::Callers;
use dispatch::{Desk, Doors};

pub use auth::AuthError;
pub use loggers::{ApplyLevels, Loggers, ROOT};
pub use serve::{Bound, GRACE, serve};
pub use tls::{TlsError, acceptor};

/// What the API may be told.
#[derive(Clone, Debug)]
pub struct ApiOptions {
    /// Limits, extra headers, cross-origin rules.
    pub rest: RestSettings,
    /// The only tenant: `/tenants/<this>/...` is the same API, any other is 404. Default `default`.
    pub tenant: String,
    /// What is logged.
    pub loggers: Loggers,
    /// What must not be seen in names that guests choose.
    pub secrets: Secrets,
}

/// The API, ready to be served.
#[derive(Clone, Debug)]
pub struct Api {
    /// What `listeners` serve.
    pub main: Router,
    /// What `admin.listeners` serve, where there are any.
    pub admin: Router,
    /// Connections at the same time (`lockgate.limits.rest.connections.max`); when all are taken, idle ones give way.
    pub connections_max: usize,
}

/// Builds the API over a supervisor.
///
/// # Errors
/// Files of users or tokens that cannot be read.
pub fn router(handle: Handle, options: ApiOptions) -> Result<Api, AuthError> {
    let connections_max = options.rest.connections_max;
    let callers = Callers::read(&options.rest.auth)?;
    let routed = |doors| {
        let desk = Desk { handle: handle.clone(), options: options.clone(), callers: callers.clone(), doors };
        let desk = Arc::new(desk);
        Router::new().fallback(move |request| {
            let desk = Arc::clone(&desk);
            async move { desk.answer(request).await }
        })
    };
    let main = if options.rest.admin == AdminListeners::Main { Doors::All } else { Doors::Api };
    Ok(Api { main: routed(main), admin: routed(Doors::Admin), connections_max })
}
