//! lockgate-api: Kafka Connect's REST API, packages, logs and metrics over HTTP.
//!
//! Enters: HTTP requests. Leaves: calls of [`lockgate_supervisor::Handle`], answers in Kafka Connect's shapes. Invariant:
//! HTTP words live here and nowhere else; every error is `{"error_code", "message"}`; every body and wait is bounded.
//! What differs from Kafka Connect on purpose stands in docs/differences.md.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod answer;
mod body;
mod connectors;
mod cross_origin;
mod dispatch;
mod exposition;
mod packages;
mod path;
mod plugins;
mod query;
mod route;
mod serve;

use std::sync::Arc;

use axum::Router;
use lockgate_config::RestSettings;
use lockgate_supervisor::Handle;

pub use serve::{GRACE, serve};

/// What the API may be told.
#[derive(Clone, Debug)]
pub struct ApiOptions {
    /// Limits, extra headers, cross-origin rules.
    pub rest: RestSettings,
    /// The only tenant: `/tenants/<this>/...` is the same API, any other is 404. Default `default`.
    pub tenant: String,
}

impl ApiOptions {
    /// For the tenant `default`.
    pub fn new(rest: RestSettings) -> Self {
        Self { rest, tenant: "default".to_owned() }
    }
}

/// The API, ready to be served.
#[derive(Clone, Debug)]
pub struct Api {
    /// All routes.
    pub router: Router,
    /// Connections at the same time (`lockgate.limits.rest.connections.max`); more wait to be accepted.
    pub connections_max: usize,
}

/// Builds the API over a supervisor.
pub fn router(handle: Handle, options: ApiOptions) -> Api {
    let connections_max = options.rest.connections_max;
    let desk = Arc::new(dispatch::Desk { handle, options });
    let router = Router::new().fallback(move |request| {
        let desk = Arc::clone(&desk);
        async move { desk.answer(request).await }
    });
    Api { router, connections_max }
}
