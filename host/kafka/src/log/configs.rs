//! Connector configurations in Kafka Connect's config topic (`config.storage.topic`).
//!
//! Enters: records of the topic, wishes of this worker. Leaves: the state that they add up to, an event for each change,
//! records in Connect's form. Invariant: the commit rule. Task configurations take effect only with the commit record that
//! follows a complete set of them; an incomplete set leaves the connector without tasks until it is rewritten.

mod affairs;
mod records;
mod state;

use super::{CompactedLog, LogError, LogOptions, LogReader};
pub use affairs::{LoggerLevel, SessionKey};
pub use records::{RestartRequest, TargetState};
pub use state::{ConfigEvent, ConfigState, ConnectorEntry, TaskConfigs};

use indexmap::IndexMap;

/// The config topic: its state, and what comes next.
pub struct ConfigLog {
    log: CompactedLog,
    reader: LogReader,
    state: ConfigState,
}

impl ConfigLog {
    /// Opens the topic (exactly one partition) and reads it to its end.
    pub async fn open(options: LogOptions) -> Result<Self, LogError> {
        let options = LogOptions { single_partition: true, ..options };
        let (log, reader) = CompactedLog::open(options).await?;
        let mut configs = Self { log, reader, state: ConfigState::default() };
        configs.refresh().await?;
        Ok(configs)
    }

    /// What the records read so far add up to.
    pub fn state(&self) -> &ConfigState {
        &self.state
    }

    /// The next change, waiting for it. Cancel safe.
    pub async fn next(&mut self) -> Result<ConfigEvent, LogError> {
        loop {
            let record = self.reader.next().await.map_err(|source| self.fault(source))?;
            if let Some(event) = self.state.apply(&record.key, record.value.as_deref()) {
                return Ok(event);
            }
        }
    }

    /// Reads to the end, as every writer does before and after it writes; the changes on the way.
    pub async fn refresh(&mut self) -> Result<Vec<ConfigEvent>, LogError> {
        let records = self.reader.read_to_end().await.map_err(|source| self.fault(source))?;
        Ok(records.iter().filter_map(|r| self.state.apply(&r.key, r.value.as_deref())).collect())
    }

    /// The writing side.
    pub fn writer(&self) -> ConfigWriter {
        ConfigWriter { log: self.log.clone() }
    }

    fn fault(&self, source: lockgate_model::fault::KafkaFault) -> LogError {
        LogError::Kafka { topic: self.log.topic().to_owned(), source }
    }
}

/// Writes to the config topic. Each call resolves when the broker has acknowledged; [`ConfigLog::refresh`] reads it back.
#[derive(Clone)]
pub struct ConfigWriter {
    log: CompactedLog,
}

impl ConfigWriter {
    /// A connector's configuration, and with it its target state where one is given (KIP-980).
    pub async fn put_connector(
        &self,
        connector: &str,
        properties: &IndexMap<String, Option<String>>,
        target: Option<TargetState>,
    ) -> Result<(), LogError> {
        let key = format!("connector-{connector}");
        let value = records::properties(properties);
        let state = target.map(|target| (format!("target-state-{connector}"), records::target_state(target)));
        let mut batch: Vec<(&[u8], Option<&[u8]>)> = Vec::new();
        if let Some((key, value)) = &state {
            batch.push((key.as_bytes(), Some(value.as_bytes())));
        }
        batch.push((key.as_bytes(), Some(value.as_bytes())));
        self.log.write_all(&batch).await
    }

    /// Removes a connector and its target state. Task records stay, as in Kafka Connect: without a configuration they
    /// mean nothing.
    pub async fn delete_connector(&self, connector: &str) -> Result<(), LogError> {
        let (config, target) = (format!("connector-{connector}"), format!("target-state-{connector}"));
        self.log.write_all(&[(config.as_bytes(), None), (target.as_bytes(), None)]).await
    }

    /// What a connector should be doing.
    pub async fn put_target_state(&self, connector: &str, target: TargetState) -> Result<(), LogError> {
        let key = format!("target-state-{connector}");
        self.log.write(key.as_bytes(), Some(records::target_state(target).as_bytes())).await
    }

    /// All tasks of a connector and then the commit record that makes them count.
    pub async fn put_tasks(&self, connector: &str, tasks: &[IndexMap<String, Option<String>>]) -> Result<(), LogError> {
        let written: Vec<_> = tasks
            .iter()
            .enumerate()
            .map(|(task, properties)| (format!("task-{connector}-{task}"), records::properties(properties)))
            .collect();
        let batch: Vec<_> = written.iter().map(|(k, v)| (k.as_bytes(), Some(v.as_bytes()))).collect();
        if !batch.is_empty() {
            self.log.write_all(&batch).await?;
        }
        let (key, value) = (format!("commit-{connector}"), records::commit(tasks.len()));
        self.log.write(key.as_bytes(), Some(value.as_bytes())).await
    }

    /// Asks all workers to restart a connector.
    pub async fn put_restart(&self, request: &RestartRequest) -> Result<(), LogError> {
        let key = format!("restart-connector-{}", request.connector);
        self.log.write(key.as_bytes(), Some(records::restart(request).as_bytes())).await
    }

    /// A new key with which workers sign what they ask of each other.
    pub async fn put_session_key(&self, key: &SessionKey) -> Result<(), LogError> {
        self.log.write(records::SESSION_KEY.as_bytes(), Some(affairs::session_key_text(key).as_bytes())).await
    }

    /// How many transactional producers the tasks of a connector may have from now on.
    pub async fn put_task_count(&self, connector: &str, tasks: u32) -> Result<(), LogError> {
        let key = format!("tasks-fencing-{connector}");
        self.log.write(key.as_bytes(), Some(affairs::task_count_text(tasks).as_bytes())).await
    }

    /// Asks all workers to log a namespace at a level.
    pub async fn put_logger_level(&self, logger: &LoggerLevel) -> Result<(), LogError> {
        let key = format!("logger-cluster-{}", logger.namespace);
        self.log.write(key.as_bytes(), Some(affairs::logger_level_text(&logger.level).as_bytes())).await
    }
}
