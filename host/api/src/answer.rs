//! Answers.
//!
//! Enters: views and errors of the supervisor. Leaves: HTTP responses. Invariant: every error has Kafka Connect's body
//! `{"error_code": <the status>, "message": <text>}`; an answer without body has no content type.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use lockgate_supervisor::{ErrorKind, SupervisorError};
use serde::Serialize;

/// An answer that refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Status code.
    pub status: StatusCode,
    /// For people.
    pub message: String,
}

/// What handlers return.
pub type Outcome = Result<Response, Refusal>;

impl Refusal {
    /// A refusal.
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    /// 400.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// A refusal of HTTP itself, in the words of Kafka Connect's server: `HTTP 404 Not Found`.
    pub fn http(status: StatusCode) -> Self {
        let reason = status.canonical_reason().unwrap_or_default();
        Self::new(status, format!("HTTP {} {reason}", status.as_u16()))
    }

    /// As a response.
    pub fn response(&self) -> Response {
        #[derive(Serialize)]
        struct ErrorMessage<'a> {
            error_code: u16,
            message: &'a str,
        }
        json(self.status, &ErrorMessage { error_code: self.status.as_u16(), message: &self.message })
    }
}

impl From<SupervisorError> for Refusal {
    fn from(error: SupervisorError) -> Self {
        Self::new(status_of(error.kind()), error.message())
    }
}

/// The status code of a kind of error.
pub const fn status_of(kind: ErrorKind) -> StatusCode {
    match kind {
        ErrorKind::BadRequest => StatusCode::BAD_REQUEST,
        ErrorKind::Forbidden => StatusCode::FORBIDDEN,
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::Conflict => StatusCode::CONFLICT,
        ErrorKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorKind::Unprocessable => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorKind::Storage => StatusCode::INSUFFICIENT_STORAGE,
        ErrorKind::Timeout | ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// A JSON body.
pub fn json(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => typed(status, "application/json", bytes),
        Err(error) => {
            tracing::error!(%error, "an answer could not be written as JSON");
            empty(StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}

/// A body of another type.
pub fn typed(status: StatusCode, content_type: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// No body.
pub fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// Adds a header; a value that HTTP does not take is left out.
pub fn with_header(mut response: Response, name: header::HeaderName, value: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
    response
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test]
    async fn every_refusal_has_kafka_connects_body() {
        let error = SupervisorError::new(ErrorKind::Conflict, "x.y", "Connector c already exists");
        let response = Refusal::from(error).response();
        assert_eq!(response.status(), 409);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body, r#"{"error_code":409,"message":"Connector c already exists"}"#);
        assert_eq!(Refusal::http(StatusCode::NOT_FOUND).message, "HTTP 404 Not Found");
    }

    #[test]
    fn a_late_operation_is_a_500_as_in_kafka_connect() {
        assert_eq!(status_of(ErrorKind::Timeout), 500);
        assert_eq!(status_of(ErrorKind::Unprocessable), 422);
    }
}
