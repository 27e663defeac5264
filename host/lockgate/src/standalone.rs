//! `lockgate standalone`: connectors from files, source offsets in a file.
//!
//! Enters: a worker's properties, files of connectors. Leaves: a worker that runs them. Invariant: a file is read as Kafka
//! Connect reads it: a JSON object of strings, else the JSON of `POST /connectors`, else Java properties; a connector that
//! is refused ends the worker with the reason.

use std::path::Path;
use std::time::Duration;

use indexmap::IndexMap;
use lockgate_config::{WorkerConfig, properties};
use lockgate_supervisor::Handle;
use lockgate_supervisor::view::{CreateConnector, HealthState, TargetState};
use serde::Deserialize;

use crate::settings;
use crate::signals::Signals;
use crate::worker::{Worker, WorkerError};

/// How often readiness is asked for.
const POLL: Duration = Duration::from_millis(20);

/// Runs it.
pub async fn run(path: &Path, connectors: &[std::path::PathBuf]) -> Result<(), WorkerError> {
    let entries = settings::read(path)?;
    let config = |cause| WorkerError::Config { path: path.to_owned(), cause };
    let config = WorkerConfig::standalone(&entries).map_err(config)?;
    let mut wanted = Vec::new();
    for file in connectors {
        let text = std::fs::read_to_string(file).map_err(|cause| WorkerError::Read { path: file.clone(), cause })?;
        let connector = parse(&text).map_err(|message| WorkerError::Connector { path: file.clone(), message })?;
        wanted.push((file, connector));
    }
    let mut signals = Signals::listen()?;
    let mut worker = Worker::start(config).await?;
    let handle = worker.handle.clone();
    tokio::select! {
        () = ready(&handle) => {}
        ended = worker.ended() => return ended,
        () = signals.next() => return signals.or_at_once(worker.stop()).await,
    }
    for (file, connector) in wanted {
        let name = connector.name.clone();
        if let Err(error) = worker.handle.create(connector).await {
            worker.stop().await?;
            return Err(WorkerError::Connector { path: file.clone(), message: error.to_string() });
        }
        tracing::info!(connector = name, "created");
    }
    worker.run_until_signal(signals).await
}

/// Resolves once the worker handles requests.
pub async fn ready(handle: &Handle) {
    while handle.health().await.status != HealthState::Healthy {
        tokio::time::sleep(POLL).await;
    }
}

#[derive(Deserialize)]
struct Posted {
    name: Option<String>,
    config: IndexMap<String, Option<String>>,
    initial_state: Option<String>,
}

fn parse(text: &str) -> Result<CreateConnector, String> {
    if let Ok(config) = serde_json::from_str::<IndexMap<String, Option<String>>>(text) {
        return named(None, config, None);
    }
    if let Ok(posted) = serde_json::from_str::<Posted>(text) {
        let state = posted.initial_state.map(|state| {
            TargetState::parse(&state).ok_or(format!("initial_state is {state}; it may be RUNNING, PAUSED or STOPPED"))
        });
        return named(posted.name, posted.config, state.transpose()?);
    }
    if text.trim_start().starts_with('{') {
        return Err("this JSON is neither an object of strings nor {\"name\": .., \"config\": {..}}".to_owned());
    }
    let config = properties::parse(text).map_err(|e| e.to_string())?;
    named(None, config.into_iter().map(|(key, value)| (key, Some(value))).collect(), None)
}

fn named(
    name: Option<String>,
    config: IndexMap<String, Option<String>>,
    initial_state: Option<TargetState>,
) -> Result<CreateConnector, String> {
    let inner = config.get("name").cloned().flatten();
    let name = name.or(inner).map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    let name = name.ok_or("the connector has no name; add the key `name`")?;
    Ok(CreateConnector { name, config, initial_state })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_connector_file_is_a_json_object_a_post_body_or_properties() {
        let object = parse(r#"{"name": "a", "topics": "t"}"#).unwrap();
        let body = parse(r#"{"name": "a", "config": {"topics": "t"}, "initial_state": "paused", "more": 1}"#).unwrap();
        let properties = parse("# a comment\nname=a\ntopics=t\n").unwrap();
        for connector in [&object, &body, &properties] {
            assert_eq!((connector.name.as_str(), connector.config["topics"].as_deref()), ("a", Some("t")));
        }
        assert_eq!((object.initial_state, body.initial_state), (None, Some(TargetState::Paused)));
    }

    #[test]
    fn a_file_without_a_name_or_with_a_strange_state_is_refused_with_the_reason() {
        assert!(parse("topics=t").unwrap_err().contains("no name"));
        assert!(parse(r#"{"name":"a","config":{},"initial_state":"GONE"}"#).unwrap_err().contains("GONE"));
        assert!(parse(r#"{"name":["a"]}"#).unwrap_err().contains("neither"));
    }
}
