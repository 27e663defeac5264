//! `/connector-plugins`: what can be run, and whether a configuration would be.
//!
//! Enters: judged calls. Leaves: plugin lists, definitions, validation results. Invariant: a configuration with errors is a
//! 200 that lists them.

use http::{HeaderMap, StatusCode};

use crate::answer::{Outcome, Refusal, json};
use crate::body::{self, JSON_BYTES_MAX};
use crate::dispatch::{Call, Desk};
use crate::route::Route;

impl Desk {
    /// Answers for plugins.
    pub async fn plugins(&self, call: Call, headers: &HeaderMap) -> Outcome {
        match call.route {
            Route::Plugins => Ok(json(StatusCode::OK, &self.handle.plugins(call.query.flag("connectorsOnly", true)))),
            Route::PluginConfig(class) => {
                // "latest" is what Kafka Connect calls no version.
                let version = call.query.value("version").filter(|v| !v.is_empty() && *v != "latest");
                Ok(json(StatusCode::OK, &self.handle.plugin_config(&class, version)?))
            }
            Route::Validate(class) => {
                let bytes = body::read(headers, call.body, JSON_BYTES_MAX, "the JSON body").await?;
                let infos = self.handle.validate(&class, body::config(&bytes)?).await?;
                Ok(json(StatusCode::OK, &infos))
            }
            _ => Err(Refusal::http(StatusCode::NOT_FOUND)),
        }
    }
}
