//! From a request to its handler.
//!
//! Enters: requests. Leaves: responses, with the headers that every response has. Invariant: path, method, `Accept` and
//! `Content-Type` are judged in this order (404, 405, 406, 415) before a body is read.

use std::time::Instant;

use axum::extract::Request;
use axum::response::Response;
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Method, StatusCode};
use lockgate_config::HeaderAction;
use lockgate_supervisor::Handle;
use lockgate_supervisor::view::HealthState;

use crate::answer::{Outcome, Refusal, empty, json, typed, with_header};
use crate::auth::Callers;
use crate::exposition;
use crate::openapi;
use crate::query::Query;
use crate::route::Route;
use crate::{ApiOptions, cross_origin, path};

/// What a listener serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doors {
    /// Everything.
    All,
    /// Everything but loggers: they are elsewhere, or nowhere.
    Api,
    /// Loggers, and nothing else.
    Admin,
}

/// Marks the requests that came over TLS.
#[derive(Clone, Copy, Debug)]
pub struct OverTls;

/// What handlers work with.
#[derive(Debug)]
pub struct Desk {
    /// The supervisor.
    pub handle: Handle,
    /// The settings.
    pub options: ApiOptions,
    /// Who may call.
    pub callers: Callers,
    /// What is served here.
    pub doors: Doors,
}

impl Desk {
    /// Answers one request.
    pub async fn answer(&self, request: Request) -> Response {
        let began = Instant::now();
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let origin = cross_origin::allowed(&self.options.rest, request.headers()).map(str::to_owned);
        let preflight = cross_origin::preflight(&self.options.rest, &method, request.headers());
        let challenge = self.callers.challenge(request.headers());
        let mut response = match (preflight, challenge) {
            (Some(response), _) => response,
            (None, Some(challenge)) => unknown_caller(challenge),
            (None, None) => self.route(request).await.unwrap_or_else(|refusal| refusal.response()),
        };
        if let Some(origin) = origin {
            response = with_header(response, header::ACCESS_CONTROL_ALLOW_ORIGIN, &origin);
            response = with_header(response, header::VARY, "Origin");
        }
        for extra in &self.options.rest.response_headers {
            let named = HeaderName::try_from(extra.name.as_str());
            let (Ok(name), Ok(value)) = (named, HeaderValue::try_from(extra.value.as_str())) else { continue };
            match extra.action {
                HeaderAction::Set => drop(response.headers_mut().insert(name, value)),
                HeaderAction::Add => drop(response.headers_mut().append(name, value)),
            }
        }
        let (status, ms) = (response.status().as_u16(), began.elapsed().as_millis());
        tracing::info!(target: "lockgate::access", %method, path, status, ms, "request");
        response
    }

    async fn route(&self, request: Request) -> Outcome {
        let (parts, body) = request.into_parts();
        let mut segments = path::segments(parts.uri.path()).map_err(Refusal::bad_request)?;
        let mut prefix = String::new();
        if segments.first().is_some_and(|s| s == "tenants") {
            let known = segments.get(1).is_some_and(|tenant| *tenant == self.options.tenant);
            if !known {
                return Err(Refusal::http(StatusCode::NOT_FOUND));
            }
            prefix = format!("/tenants/{}", path::encode(&self.options.tenant));
            segments.drain(..2);
        }
        let is_served = |route: &Route| match self.doors {
            Doors::All => true,
            Doors::Api => !route.is_admin(),
            Doors::Admin => route.is_admin(),
        };
        let route = Route::of(&segments).filter(is_served).ok_or_else(|| Refusal::http(StatusCode::NOT_FOUND))?;
        if parts.method == Method::OPTIONS {
            let list = route.allow().replace(',', ", ");
            return Ok(with_header(typed(StatusCode::OK, "text/plain", list), header::ALLOW, &route.allow()));
        }
        let method = if parts.method == Method::HEAD { Method::GET } else { parts.method };
        if !route.methods().contains(&method.as_str()) {
            let refused = Refusal::http(StatusCode::METHOD_NOT_ALLOWED).response();
            return Ok(with_header(refused, header::ALLOW, &route.allow()));
        }
        check_types(&route, &method, &parts.headers)?;
        let scheme = if parts.extensions.get::<OverTls>().is_some() { "https" } else { "http" };
        let query = Query::parse(parts.uri.query().unwrap_or_default());
        let call = Call { route, method, query, scheme, prefix, body };
        self.handle_call(call, &parts.headers).await
    }

    async fn handle_call(&self, call: Call, headers: &HeaderMap) -> Outcome {
        match &call.route {
            Route::Root => Ok(json(StatusCode::OK, &self.handle.worker())),
            Route::Health => Ok(self.health().await),
            Route::Metrics => {
                let text = exposition::text(&self.handle.metrics().await?, &self.options.secrets);
                Ok(typed(StatusCode::OK, exposition::CONTENT_TYPE, text))
            }
            Route::OpenApi => Ok(typed(StatusCode::OK, "application/json", openapi::document())),
            Route::Plugins | Route::PluginConfig(_) | Route::Validate(_) => self.plugins(call, headers).await,
            Route::Loggers | Route::Logger(_) => self.loggers(call, headers).await,
            Route::Preview => self.preview(call, headers).await,
            Route::Packages | Route::Package(_) | Route::PackageVersion(..) => self.packages(call, headers).await,
            _ => self.connectors(call, headers).await,
        }
    }

    async fn health(&self) -> Response {
        let health = self.handle.health().await;
        let status = match health.status {
            HealthState::Healthy => StatusCode::OK,
            HealthState::Starting => StatusCode::SERVICE_UNAVAILABLE,
            HealthState::Unhealthy => StatusCode::INTERNAL_SERVER_ERROR,
        };
        json(status, &health)
    }
}

/// One call, judged.
#[derive(Debug)]
pub struct Call {
    /// The resource.
    pub route: Route,
    /// GET for HEAD.
    pub method: Method,
    /// Parameters.
    pub query: Query,
    /// `http` or `https`.
    pub scheme: &'static str,
    /// What stands before the route: empty, or `/tenants/<tenant>`.
    pub prefix: String,
    /// Not yet read.
    pub body: axum::body::Body,
}

impl Call {
    /// The absolute address of a connector, for `Location`.
    pub fn location(&self, headers: &HeaderMap, name: &str) -> String {
        let host = headers.get(header::HOST).and_then(|h| h.to_str().ok()).unwrap_or("localhost");
        format!("{}://{host}{}/connectors/{}", self.scheme, self.prefix, path::encode(name))
    }
}

/// Kafka Connect's words of its basic authentication, with the header that HTTP asks for.
fn unknown_caller(challenge: &str) -> Response {
    let refused = Refusal::new(StatusCode::UNAUTHORIZED, "User cannot access the resource.").response();
    with_header(refused, header::WWW_AUTHENTICATE, challenge)
}

/// No body.
#[expect(clippy::unnecessary_wraps, reason = "the last word of handlers, which all give an outcome")]
pub fn done(status: StatusCode) -> Outcome {
    Ok(empty(status))
}

fn check_types(route: &Route, method: &Method, headers: &HeaderMap) -> Result<(), Refusal> {
    if *route == Route::Metrics {
        return Ok(());
    }
    let accepts = headers.get_all(header::ACCEPT).iter().filter_map(|v| v.to_str().ok()).collect::<Vec<_>>().join(",");
    if !accepts.is_empty() && !accepts.split(',').any(accepts_json) {
        return Err(Refusal::http(StatusCode::NOT_ACCEPTABLE));
    }
    let is_empty = headers.get(header::CONTENT_LENGTH).is_some_and(|length| length == "0");
    if *method == Method::GET || *route == Route::Packages || is_empty {
        return Ok(());
    }
    let given = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
    match given.map(media_type) {
        Some(kind) if !kind.eq_ignore_ascii_case("application/json") => {
            Err(Refusal::http(StatusCode::UNSUPPORTED_MEDIA_TYPE))
        }
        _ => Ok(()),
    }
}

fn accepts_json(range: &str) -> bool {
    let refused = range.split(';').skip(1).any(|p| matches!(p.trim(), "q=0" | "q=0.0"));
    let kind = media_type(range);
    !refused && ["*/*", "application/*", "application/json"].iter().any(|k| kind.eq_ignore_ascii_case(k))
}

fn media_type(text: &str) -> &str {
    text.split(';').next().unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(method: &Method, pairs: &[(HeaderName, &str)]) -> Result<(), u16> {
        let headers = pairs.iter().map(|(n, v)| (n.clone(), v.parse().unwrap())).collect();
        check_types(&Route::Connectors, method, &headers).map_err(|refusal| refusal.status.as_u16())
    }

    #[test]
    fn json_must_be_accepted() {
        let get = |accept| check(&Method::GET, &[(header::ACCEPT, accept)]);
        assert_eq!(get("text/html, */*;q=0.1"), Ok(()));
        assert_eq!(get("application/json;charset=utf-8"), Ok(()));
        assert_eq!(get("text/html"), Err(406));
        assert_eq!(get("application/json;q=0"), Err(406));
        assert_eq!(check(&Method::GET, &[]), Ok(()));
    }

    #[test]
    fn a_body_of_another_type_is_415() {
        let post = |kind| check(&Method::POST, &[(header::CONTENT_TYPE, kind)]);
        assert_eq!(post("application/json; charset=UTF-8"), Ok(()));
        assert_eq!(post("text/plain"), Err(415));
        let nothing = [(header::CONTENT_TYPE, "text/plain"), (header::CONTENT_LENGTH, "0")];
        assert_eq!(check(&Method::POST, &nothing), Ok(()));
    }
}
