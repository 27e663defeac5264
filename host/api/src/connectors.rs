//! `/connectors` and what is below.
//!
//! Enters: judged calls. Leaves: Kafka Connect's answers: 201 with `Location`, 202, 204, views. Invariant: no decision about
//! a connector is made here.

use axum::response::Response;
use http::{HeaderMap, Method, StatusCode, header};
use indexmap::IndexMap;
use lockgate_supervisor::view::{ConnectorInfo, Expanded, OffsetEdit, RestartOptions};
use schemars::JsonSchema;
use serde::Serialize;

use crate::answer::{Outcome, Refusal, json, with_header};
use crate::body::{self, JSON_BYTES_MAX};
use crate::dispatch::{Call, Desk, done};
use crate::query::Query;
use crate::route::Route;

/// Log lines of one answer: default and at most.
const TAIL: usize = 100;
const TAIL_MAX: usize = 10_000;

/// What the body of a connector call is, in texts.
const BODY: &str = "the JSON body";

/// The answer to `GET /connectors`.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub enum ConnectorList {
    /// Names in order.
    Names(Vec<String>),
    /// What was asked for, by name.
    Expanded(IndexMap<String, Expanded>),
}

impl Desk {
    /// Answers for connectors.
    pub async fn connectors(&self, call: Call, headers: &HeaderMap) -> Outcome {
        let handle = &self.handle;
        match call.route.clone() {
            Route::Connectors if call.method == Method::GET => self.list(&call.query).await,
            Route::Connectors => self.create(call, headers).await,
            Route::Config(name) if call.method != Method::GET => self.configure(name, call, headers).await,
            Route::Connector(name) if call.method == Method::DELETE => {
                handle.delete(&name).await?;
                done(StatusCode::NO_CONTENT)
            }
            Route::Offsets(name) if call.method != Method::GET => self.edit_offsets(&name, call, headers).await,
            Route::TopicsReset(name) => {
                handle.reset_topics(&name).await?;
                done(StatusCode::ACCEPTED)
            }
            Route::Restart(name) => self.restart(&name, &call.query).await,
            Route::TaskRestart(name, task) => {
                handle.restart_task(&name, task).await?;
                done(StatusCode::NO_CONTENT)
            }
            Route::Pause(name) => {
                handle.pause(&name).await?;
                done(StatusCode::ACCEPTED)
            }
            Route::Resume(name) => {
                handle.resume(&name).await?;
                done(StatusCode::ACCEPTED)
            }
            Route::Stop(name) => {
                handle.stop(&name).await?;
                done(StatusCode::NO_CONTENT)
            }
            route => self.look(route, &call.query).await,
        }
    }

    /// All that only reads.
    async fn look(&self, route: Route, query: &Query) -> Outcome {
        let handle = &self.handle;
        match route {
            Route::Connector(name) => Ok(ok(&handle.info(&name).await?)),
            Route::Config(name) => Ok(ok(&handle.config(&name).await?)),
            Route::Status(name) => Ok(ok(&handle.status(&name).await?)),
            Route::Tasks(name) => Ok(ok(&handle.tasks(&name).await?)),
            Route::TaskStatus(name, task) => Ok(ok(&handle.task_status(&name, task).await?)),
            Route::Offsets(name) => Ok(ok(&IndexMap::from([("offsets", handle.offsets(&name).await?)]))),
            Route::Logs(name) => Ok(ok(&handle.logs(&name, tail(query)?).await?)),
            Route::Topics(name) => {
                let topics = handle.topics(&name).await?;
                Ok(ok(&IndexMap::from([(name, IndexMap::from([("topics", topics)]))])))
            }
            _ => Err(Refusal::http(StatusCode::NOT_FOUND)),
        }
    }

    async fn list(&self, query: &Query) -> Outcome {
        if query.value("expand").is_none() {
            return Ok(ok(&ConnectorList::Names(self.handle.connectors().await?)));
        }
        let (info, status) = (query.has("expand", "info"), query.has("expand", "status"));
        Ok(ok(&ConnectorList::Expanded(self.handle.expanded(info, status).await?)))
    }

    async fn create(&self, mut call: Call, headers: &HeaderMap) -> Outcome {
        let bytes = body::read(headers, std::mem::take(&mut call.body), JSON_BYTES_MAX, BODY).await?;
        let info = self.handle.create(body::create(&bytes)?).await?;
        Ok(created(&call, headers, &info))
    }

    async fn configure(&self, name: String, mut call: Call, headers: &HeaderMap) -> Outcome {
        let bytes = body::read(headers, std::mem::take(&mut call.body), JSON_BYTES_MAX, BODY).await?;
        let config = body::config(&bytes)?;
        if call.method == Method::PATCH {
            return Ok(ok(&self.handle.patch_config(&name, config).await?));
        }
        let put = self.handle.put_config(&name, config).await?;
        Ok(if put.created { created(&call, headers, &put.info) } else { ok(&put.info) })
    }

    async fn edit_offsets(&self, name: &str, mut call: Call, headers: &HeaderMap) -> Outcome {
        let edit = if call.method == Method::DELETE {
            OffsetEdit::Reset
        } else {
            let bytes = body::read(headers, std::mem::take(&mut call.body), JSON_BYTES_MAX, BODY).await?;
            OffsetEdit::Alter(body::offsets(&bytes)?)
        };
        let message = self.handle.edit_offsets(name, edit).await?;
        Ok(ok(&IndexMap::from([("message", message)])))
    }

    async fn restart(&self, name: &str, query: &Query) -> Outcome {
        let options = RestartOptions {
            include_tasks: query.flag("includeTasks", false),
            only_failed: query.flag("onlyFailed", false),
        };
        if options == RestartOptions::default() {
            self.handle.restart(name).await?;
            return done(StatusCode::NO_CONTENT);
        }
        Ok(json(StatusCode::ACCEPTED, &self.handle.restart_with(name, options).await?))
    }
}

fn ok(body: &impl Serialize) -> Response {
    json(StatusCode::OK, body)
}

fn created(call: &Call, headers: &HeaderMap, info: &ConnectorInfo) -> Response {
    with_header(json(StatusCode::CREATED, info), header::LOCATION, &call.location(headers, &info.name))
}

fn tail(query: &Query) -> Result<usize, Refusal> {
    let Some(text) = query.value("tail") else { return Ok(TAIL) };
    let number = text.parse().ok().filter(|n| (1..=TAIL_MAX).contains(n));
    number.ok_or_else(|| Refusal::bad_request(format!("tail is {text:?}; a number from 1 to {TAIL_MAX} is needed")))
}
