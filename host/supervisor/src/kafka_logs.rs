//! The supervisor's changes and reports as records of Kafka Connect's config and status topics.
//!
//! Enters: [`Change`]s and [`Report`]s. Leaves: acknowledged records; at start, the [`Desired`] state that the config
//! topic adds up to. Invariant: the order of a call's changes is the order of their records; a set of task configurations
//! is written before its commit.

use indexmap::IndexMap;
use lockgate_kafka::{
    ConfigLog, ConfigState, ConfigWriter, LogError, LogOptions, Status, StatusKey, StatusLog, StatusWriter, TargetState,
};

use crate::desired::{Change, Config, Desired};
use crate::event::Report;
use crate::view;

/// Generation of this worker in the group. There is one worker, and so one generation, until workers share the work.
const GENERATION: i32 = 1;

/// The writing end of the config topic.
pub(crate) struct Configs {
    writer: ConfigWriter,
}

impl Configs {
    /// Opens the topic and reads it to its end.
    pub(crate) async fn open(options: LogOptions) -> Result<(Desired, Self), LogError> {
        let log = ConfigLog::open(options).await?;
        Ok((desired(log.state()), Self { writer: log.writer() }))
    }

    /// Writes in order; resolves once the broker has all of it.
    pub(crate) async fn write(&self, changes: &[Change]) -> Result<(), LogError> {
        let mut tasks: Vec<Properties> = Vec::new();
        for change in changes {
            match change {
                Change::Connector { name, config: Some(config) } => {
                    self.writer.put_connector(name, &properties(config), None).await?;
                }
                Change::Connector { name, config: None } => self.writer.delete_connector(name).await?,
                Change::Target { name, target: Some(target) } => {
                    self.writer.put_target_state(name, to_log(*target)).await?;
                }
                // Goes with the connector's own tombstone.
                Change::Target { target: None, .. } => {}
                Change::Task { config, .. } => tasks.push(properties(config)),
                Change::Commit { name, .. } => self.writer.put_tasks(name, &std::mem::take(&mut tasks)).await?,
            }
        }
        Ok(())
    }
}

type Properties = IndexMap<String, Option<String>>;

fn properties(config: &Config) -> Properties {
    config.iter().map(|(key, value)| (key.clone(), Some(value.clone()))).collect()
}

fn config(properties: &Properties) -> Config {
    properties.iter().filter_map(|(key, value)| Some((key.clone(), value.clone()?))).collect()
}

fn desired(state: &ConfigState) -> Desired {
    let mut desired = Desired::default();
    for (name, entry) in &state.connectors {
        let tasks = &entry.tasks;
        // The tasks belong to the configuration that was in force when they were committed.
        let applied = tasks.applied.as_ref().filter(|_| !tasks.inconsistent);
        if let Some(applied) = applied {
            desired.apply(Change::Connector { name: name.clone(), config: Some(config(applied)) });
            let configs = tasks.configs.iter().map(config).collect();
            for change in crate::desired::task_changes(name, configs) {
                desired.apply(change);
            }
        }
        desired.apply(Change::Connector { name: name.clone(), config: Some(config(&entry.config)) });
        desired.apply(Change::Target { name: name.clone(), target: Some(from_log(entry.target)) });
    }
    desired
}

const fn to_log(target: view::TargetState) -> TargetState {
    match target {
        view::TargetState::Running => TargetState::Started,
        view::TargetState::Paused => TargetState::Paused,
        view::TargetState::Stopped => TargetState::Stopped,
    }
}

const fn from_log(target: TargetState) -> view::TargetState {
    match target {
        TargetState::Started => view::TargetState::Running,
        TargetState::Paused => view::TargetState::Paused,
        TargetState::Stopped => view::TargetState::Stopped,
    }
}

/// The writing end of the status topic.
pub(crate) struct StatusTopic {
    writer: StatusWriter,
    worker_id: String,
}

impl StatusTopic {
    /// Opens the topic.
    pub(crate) async fn open(options: LogOptions, worker_id: &str) -> Result<Self, LogError> {
        let log = StatusLog::open(options).await?;
        Ok(Self { writer: log.writer(), worker_id: worker_id.to_owned() })
    }

    /// Writes a status, or removes it.
    pub(crate) async fn write(&self, report: &Report) -> Result<(), LogError> {
        let connector = report.connector.clone();
        let key = match report.task {
            None => StatusKey::Connector(connector),
            Some(task) => StatusKey::Task(connector, task),
        };
        let status = report.state.as_ref().map(|reported| Status {
            state: reported.state.name().to_owned(),
            trace: reported.trace.clone(),
            worker_id: self.worker_id.clone(),
            generation: GENERATION,
            version: reported.version.clone(),
        });
        self.writer.put(&key, status.as_ref()).await
    }
}
