//! The supervisor's changes and reports as records of Kafka Connect's config and status topics.
//!
//! Enters: [`Change`]s and [`Report`]s. Leaves: acknowledged records; at start, the [`Desired`] state that the config
//! topic adds up to. Invariant: the order of a call's changes is the order of their records; a set of task configurations
//! is written before its commit.

use indexmap::IndexMap;
use lockgate_kafka::{
    ConfigLog, ConfigState, ConfigWriter, LogError, LogOptions, LoggerLevel, Status, StatusKey, StatusLog, StatusState,
    StatusWriter, TargetState, TaskConfigs, TopicStatus,
};

use crate::desired::{Change, Config, Desired};
use crate::event::Report;
use crate::topics_used::TopicNote;
use crate::view;

/// Generation of this worker in the group. There is one worker, and so one generation, until workers share the work.
pub(crate) const GENERATION: i32 = 1;

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
                Change::Tasks { name, tasks } => {
                    let tasks: Vec<Properties> = tasks.iter().map(properties).collect();
                    self.writer.put_tasks(name, &tasks).await?;
                }
            }
        }
        Ok(())
    }
}

impl Configs {
    /// Asks all workers to log a namespace at a level. A worker heeds only what is written after its own start.
    pub(crate) async fn write_logger_level(&self, namespace: String, level: String) -> Result<(), LogError> {
        self.writer.put_logger_level(&LoggerLevel { namespace, level }).await
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
        let TaskConfigs { configs, applied, inconsistent, .. } = &entry.tasks;
        let applied = applied.as_ref().filter(|_| !inconsistent);
        let tasks = applied.map(|applied| (configs.iter().map(config).collect(), config(applied)));
        desired.restore(name.clone(), config(&entry.config), from_log(entry.target), tasks);
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

/// Tombstones for the statuses of what is not there any more, as Kafka Connect's leader writes them.
pub(crate) fn vanished(statuses: &StatusState, desired: &Desired) -> Vec<Report> {
    let tasks = |name: &str| desired.wanted(name).map_or(0, |wanted| wanted.tasks.len());
    let connectors = statuses.connectors.keys().filter(|name| desired.wanted(name).is_none());
    let connectors = connectors.map(|name| Report { task: None, connector: name.clone(), state: None });
    let gone = statuses.tasks.keys().filter(|(name, task)| *task as usize >= tasks(name));
    connectors
        .chain(gone.map(|(name, task)| Report { task: Some(*task), connector: name.clone(), state: None }))
        .collect()
}

/// The writing end of the status topic.
pub(crate) struct StatusTopic {
    writer: StatusWriter,
    worker_id: String,
}

impl StatusTopic {
    /// Opens the topic and reads it to its end.
    pub(crate) async fn open(options: LogOptions, worker_id: &str) -> Result<(StatusState, Self), LogError> {
        let log = StatusLog::open(options).await?;
        Ok((log.state().clone(), Self { writer: log.writer(), worker_id: worker_id.to_owned() }))
    }

    /// Writes that a connector uses a topic, or no longer.
    pub(crate) async fn write_topic(&self, note: &TopicNote) -> Result<(), LogError> {
        let (name, connector) = (note.topic.clone(), note.connector.clone());
        match note.first {
            Some((task, discovered_ms)) => {
                self.writer.put_topic(&TopicStatus { name, connector, task, discovered_ms }).await
            }
            None => self.writer.remove(&[StatusKey::Topic(name, connector)]).await,
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_of_connectors_and_tasks_that_are_gone_are_removed_and_no_others() {
        let mut statuses = StatusState::default();
        let running = br#"{"state":"RUNNING","trace":null,"worker_id":"w","generation":1,"version":null}"#;
        for key in ["connector-stays", "task-stays-0", "task-stays-1", "connector-gone", "task-gone-0"] {
            statuses.apply(format!("status-{key}").as_bytes(), Some(running));
        }
        let mut desired = Desired::default();
        let tasks = Some((vec![Config::new()], Config::new()));
        desired.restore("stays".to_owned(), Config::new(), view::TargetState::Running, tasks);
        let removed: Vec<(String, Option<u32>)> =
            vanished(&statuses, &desired).into_iter().map(|report| (report.connector, report.task)).collect();
        let expected = [("gone", None), ("gone", Some(0)), ("stays", Some(1))].map(|(name, n)| (name.to_owned(), n));
        assert_eq!(removed, expected);
    }
}
