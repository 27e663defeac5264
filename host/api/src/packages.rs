//! `/packages`: upload, look at and remove `.wasm` files.
//!
//! Enters: the bytes of a component as the body of a POST. Leaves: 201 (new), 200 (the same bytes were there), or what the
//! bytes are instead. Invariant: a body beyond `lockgate.limits.package.mb` is never held in memory, nor more than
//! [`UPLOADS_MAX`] bodies at the same time.

use std::time::Duration;

use http::{HeaderMap, Method, StatusCode, header};
use tokio::sync::Semaphore;

use crate::answer::{Outcome, Refusal, json, with_header};
use crate::body;
use crate::dispatch::{Call, Desk, done};
use crate::path::encode;
use crate::route::Route;

/// Uploads at the same time; the bodies of others are not read until it is their turn.
const UPLOADS_MAX: usize = 4;
/// How long an upload waits for its turn.
const TURN_TIMEOUT: Duration = Duration::from_secs(20);
/// When to try again, seconds.
const RETRY_AFTER: &str = "10";

static TURNS: Semaphore = Semaphore::const_new(UPLOADS_MAX);

impl Desk {
    /// Answers for packages.
    pub async fn packages(&self, call: Call, headers: &HeaderMap) -> Outcome {
        match &call.route {
            Route::Packages if call.method == Method::POST => self.upload(call, headers).await,
            Route::Packages => Ok(json(StatusCode::OK, &self.handle.packages())),
            Route::Package(name) => Ok(json(StatusCode::OK, &self.handle.package(name)?)),
            Route::PackageVersion(name, version) if call.method == Method::DELETE => {
                self.handle.delete_package(name, version).await?;
                done(StatusCode::NO_CONTENT)
            }
            Route::PackageVersion(name, version) => {
                let versions = self.handle.package(name)?;
                let found = versions.iter().find(|package| package.version == *version);
                let missing = || {
                    let known = versions.iter().map(|package| package.version.as_str()).collect::<Vec<_>>().join(", ");
                    let text = format!("Package {name} has no version {version}; installed: {known}");
                    Refusal::new(StatusCode::NOT_FOUND, text)
                };
                Ok(json(StatusCode::OK, found.ok_or_else(missing)?))
            }
            _ => Err(Refusal::http(StatusCode::NOT_FOUND)),
        }
    }

    async fn upload(&self, mut call: Call, headers: &HeaderMap) -> Outcome {
        let max = self.options.rest.package_bytes_max;
        // Never closed, so an error is a turn that did not come.
        let Ok(Ok(_turn)) = tokio::time::timeout(TURN_TIMEOUT, TURNS.acquire()).await else {
            let text = format!("{UPLOADS_MAX} other uploads are still being compiled; try again later [package.busy]");
            let refused = Refusal::new(StatusCode::SERVICE_UNAVAILABLE, text).response();
            return Ok(with_header(refused, header::RETRY_AFTER, RETRY_AFTER));
        };
        let body = std::mem::take(&mut call.body);
        let bytes = body::read(headers, body, max, "the package (lockgate.limits.package.mb)").await?;
        let uploaded = self.handle.upload(bytes).await?;
        let status = if uploaded.created { StatusCode::CREATED } else { StatusCode::OK };
        let package = &uploaded.package;
        let location = format!("{}/packages/{}/{}", call.prefix, encode(&package.name), encode(&package.version));
        Ok(with_header(json(status, package), header::LOCATION, &location))
    }
}
