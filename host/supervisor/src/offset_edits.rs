//! Offsets of connectors, shown and edited: a sink's are those of its consumer group, a source's are in the offset store.
//!
//! Enters: a connector's configuration, what a client wants changed. Leaves: its offsets, or the sentence that says what was
//! done. Invariant: nothing is changed unless the connector is STOPPED and its last task has ended, nor if a source's
//! plugin refuses; the connector's lane is held meanwhile, so that it cannot resume in between. Rules and texts: KIP-875.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use lockgate_config::WorkerConfig;
use lockgate_kafka::{Admin, GroupFault};
use lockgate_model::package::PluginKind;
use lockgate_model::place::{PartitionOffset, Position, TopicPartition};
use lockgate_model::ports::OffsetStore;
use lockgate_model::{FaultKind, GuestError};
use lockgate_wasm::Package;
use serde_json::{Value, json};

use crate::clients;
use crate::control::Control;
use crate::desired::Config;
use crate::error::{ErrorKind, SupervisorError};
use crate::registry::Registry;
use crate::storage::Offsets;
use crate::view::{ConnectorOffset, JsonObject, OffsetChange, OffsetEdit, TargetState};

/// Code of the refusal while a stopped connector's last task has not ended yet: asking again helps.
pub(crate) const DRAINING: &str = "connector.draining";

/// How long a sink's group may take to notice that its members have left.
const GROUP_PATIENCE: Duration = Duration::from_secs(10);
/// Between two tries.
const GROUP_PAUSE: Duration = Duration::from_millis(200);

impl Control {
    /// The configuration of a connector whose offsets may be edited now.
    pub(crate) fn editable(&self, name: &str) -> Result<Config, SupervisorError> {
        let missing = || SupervisorError::not_found(format!("Connector {name} not found"));
        let wanted = self.desired.wanted(name).ok_or_else(missing)?;
        if wanted.target != TargetState::Stopped || !wanted.tasks.is_empty() {
            return Err(SupervisorError::new(
                ErrorKind::BadRequest,
                "connector.not-stopped",
                format!(
                    "Connectors must be in the STOPPED state before their offsets can be modified. This can be done for the \
                     specified connector by issuing a 'PUT' request to the '/connectors/{name}/stop' endpoint"
                ),
            ));
        }
        if self.slots.is_alive(name) {
            return Err(SupervisorError::new(ErrorKind::Internal, DRAINING, in_use("modify", name)));
        }
        Ok(wanted.config.clone())
    }
}

fn in_use(verb: &str, name: &str) -> String {
    format!(
        "Failed to {verb} consumer group offsets for connector {name} either because its tasks haven't stopped completely \
         yet or the connector was resumed before the request to {verb} its offsets could be successfully completed. If the \
         connector is in a stopped state, this operation can be safely retried."
    )
}

/// Reads and edits.
pub(crate) struct OffsetDesk {
    worker: Arc<WorkerConfig>,
    registry: Arc<Registry>,
    offsets: Arc<Offsets>,
    /// Made when first needed: most workers never are asked.
    admin: OnceLock<Admin>,
}

/// Where a connector's offsets are.
enum Home {
    Group(String),
    Store(Asked),
}

/// The plugin of a source: its package and its class.
struct Asked {
    package: Arc<Package>,
    class: String,
}

impl OffsetDesk {
    pub(crate) fn new(worker: Arc<WorkerConfig>, registry: Arc<Registry>, offsets: Arc<Offsets>) -> Self {
        Self { worker, registry, offsets, admin: OnceLock::new() }
    }

    /// `GET /connectors/C/offsets`.
    pub(crate) async fn read(&self, name: &str, config: &Config) -> Result<Vec<ConnectorOffset>, SupervisorError> {
        match self.home(name, config)? {
            Home::Group(group) => {
                let committed = self.admin()?.group_offsets(&group).await.map_err(|e| refused(&e, "list", name))?;
                Ok(committed.into_iter().map(shown).collect())
            }
            Home::Store(_) => {
                let positions = self.load(name).await?;
                let one = |p: Position| ConnectorOffset {
                    partition: parsed(&p.partition),
                    offset: p.offset.as_deref().map_or(Value::Null, parsed),
                };
                Ok(positions.into_iter().filter(|p| !is_guest_state(p)).map(one).collect())
            }
        }
    }

    /// `PATCH` and `DELETE /connectors/C/offsets`: the sentence for the client.
    pub(crate) async fn edit(&self, name: &str, config: &Config, edit: OffsetEdit) -> Result<String, SupervisorError> {
        match (self.home(name, config)?, edit) {
            (Home::Group(group), OffsetEdit::Alter(changes)) => {
                self.alter_group(name, &group, &changes).await?;
                Ok(said("altered", false))
            }
            (Home::Group(group), OffsetEdit::Reset) => {
                let admin = self.admin()?;
                patiently(|| admin.delete_group(&group)).await.map_err(|e| refused(&e, "reset", name))?;
                Ok(said("reset", false))
            }
            (Home::Store(plugin), OffsetEdit::Alter(changes)) => {
                let known = self.load(name).await?;
                let positions = changes.iter().map(|c| position(c, &known)).collect::<Result<Vec<_>, _>>()?;
                let agreed = consent(&plugin, name, config, &positions).await?;
                self.store(name, &positions).await?;
                Ok(said("altered", agreed))
            }
            (Home::Store(plugin), OffsetEdit::Reset) => {
                let mut positions = self.load(name).await?;
                for position in &mut positions {
                    position.offset = None;
                }
                let own: Vec<Position> = positions.iter().filter(|p| !is_guest_state(p)).cloned().collect();
                let agreed = consent(&plugin, name, config, &own).await?;
                self.store(name, &positions).await?;
                Ok(said("reset", agreed))
            }
        }
    }

    async fn alter_group(&self, name: &str, group: &str, changes: &[OffsetChange]) -> Result<(), SupervisorError> {
        let wanted = changes.iter().map(sink_change).collect::<Result<BTreeMap<_, _>, _>>()?;
        let (set, gone): (Vec<_>, Vec<_>) = wanted.into_iter().partition(|(_, offset)| offset.is_some());
        let set: Vec<PartitionOffset> =
            set.into_iter().filter_map(|(place, at)| Some(PartitionOffset { place, next_offset: at? })).collect();
        let gone: Vec<TopicPartition> = gone.into_iter().map(|(place, _)| place).collect();
        let admin = self.admin()?;
        patiently(|| admin.alter_group_offsets(group, &set)).await.map_err(|e| refused(&e, "alter", name))?;
        patiently(|| admin.delete_group_offsets(group, &gone)).await.map_err(|e| refused(&e, "alter", name))
    }

    fn home(&self, name: &str, config: &Config) -> Result<Home, SupervisorError> {
        let found = self.registry.connector(config).map_err(|e| SupervisorError::invalid(e.to_string()))?;
        if found.plugin.kind != PluginKind::Sink {
            let (package, class) = (found.installed.package, found.plugin.class.clone());
            return Ok(Home::Store(Asked { package, class }));
        }
        let spec = clients::parse(name, PluginKind::Sink, config, &self.worker).map_err(SupervisorError::invalid)?;
        let own = clients::consumer(&self.worker, &spec).get("group.id").cloned();
        Ok(Home::Group(own.unwrap_or_else(|| format!("connect-{name}"))))
    }

    fn admin(&self) -> Result<&Admin, SupervisorError> {
        if let Some(admin) = self.admin.get() {
            return Ok(admin);
        }
        let made = Admin::new(&clients::admin(&self.worker));
        let made = made.map_err(|e| SupervisorError::internal(format!("the admin client could not be made: {e}")))?;
        Ok(self.admin.get_or_init(|| made))
    }

    async fn load(&self, name: &str) -> Result<Vec<Position>, SupervisorError> {
        self.offsets.load(name).await.map_err(|e| SupervisorError::internal(e.to_string()))
    }

    async fn store(&self, name: &str, positions: &[Position]) -> Result<(), SupervisorError> {
        if positions.is_empty() {
            return Ok(());
        }
        self.offsets.store(name, positions).await.map_err(|e| SupervisorError::internal(e.to_string()))
    }
}

/// Asks a source's plugin. True: nothing else is to be altered anywhere.
async fn consent(plugin: &Asked, name: &str, config: &Config, positions: &[Position]) -> Result<bool, SupervisorError> {
    let pairs: Vec<(String, String)> = config.clone().into_iter().collect();
    plugin.package.alter_offsets(&plugin.class, name, &pairs, positions).await.map_err(|e| objection(&e))
}

/// The plugin's own words, as Kafka Connect gives those of an exception. What it calls wrong is the client's.
fn objection(error: &GuestError) -> SupervisorError {
    let GuestError::Fault(fault) = error else { return SupervisorError::internal(error.to_string()) };
    let FaultKind::Config(problems) = &fault.kind else {
        return SupervisorError::new(ErrorKind::Internal, fault.code.clone(), fault.message.clone());
    };
    let mut lines = vec![fault.message.clone()];
    lines.extend(problems.iter().map(|(key, problem)| format!("{key}: {problem}")));
    SupervisorError::new(ErrorKind::BadRequest, fault.code.clone(), lines.join("\n"))
}

/// What the client is told. Where the plugin cannot tell whether offsets are kept elsewhere, too, or is not asked (a sink),
/// Kafka Connect says so.
fn said(done: &str, agreed: bool) -> String {
    if agreed {
        return format!("The offsets for this connector have been {done} successfully");
    }
    format!(
        "The Connect framework-managed offsets for this connector have been {done} successfully. However, if this connector \
         manages offsets externally, they will need to be manually {done} in the system that the connector uses."
    )
}

/// Members that have just left may still be known to the coordinator.
async fn patiently<T, F>(ask: impl Fn() -> F) -> Result<T, GroupFault>
where
    F: Future<Output = Result<T, GroupFault>>,
{
    let end = Instant::now() + GROUP_PATIENCE;
    loop {
        match ask().await {
            Err(GroupFault::NotEmpty { .. }) if Instant::now() < end => tokio::time::sleep(GROUP_PAUSE).await,
            other => return other,
        }
    }
}

fn refused(fault: &GroupFault, verb: &str, name: &str) -> SupervisorError {
    match fault {
        GroupFault::NotEmpty { .. } => SupervisorError::new(ErrorKind::Internal, fault.code(), in_use(verb, name)),
        GroupFault::UnknownPartition { .. } | GroupFault::NegativeOffset { .. } => {
            SupervisorError::new(ErrorKind::BadRequest, fault.code(), fault.to_string())
        }
        GroupFault::Kafka { .. } => SupervisorError::new(ErrorKind::Internal, fault.code(), fault.to_string()),
    }
}

fn shown(committed: PartitionOffset) -> ConnectorOffset {
    let PartitionOffset { place, next_offset } = committed;
    ConnectorOffset {
        partition: json!({ "kafka_topic": &*place.topic, "kafka_partition": place.partition }),
        offset: json!({ "kafka_offset": next_offset }),
    }
}

/// What a guest keeps beside its positions stands in the same store, and is no offset. A reset forgets it, too.
fn is_guest_state(position: &Position) -> bool {
    position.partition.starts_with(r#"{"lockgate.state":"#)
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or(Value::Null)
}

// --- what a client gives ---

fn sink_change(change: &OffsetChange) -> Result<(TopicPartition, Option<i64>), SupervisorError> {
    let bad = |text: &str| SupervisorError::invalid(text);
    let partition = change.partition.as_ref();
    let partition =
        partition.ok_or_else(|| bad("The partition for a sink connector offset cannot be null or missing"))?;
    let (Some(topic), Some(number)) = (partition.get("kafka_topic"), partition.get("kafka_partition")) else {
        let text =
            "The partition for a sink connector offset must contain the keys 'kafka_topic' and 'kafka_partition'";
        return Err(bad(text));
    };
    let topic = topic.as_str().ok_or_else(|| bad("Kafka topic names must be valid strings and may not be null"))?;
    let number = match number {
        Value::Null => return Err(bad("Kafka partitions must be valid numbers and may not be null")),
        number => whole::<u32>(number, "partition")?,
    };
    let place = TopicPartition { topic: topic.into(), partition: number };
    let Some(offset) = &change.offset else { return Ok((place, None)) };
    let offset = offset.get("kafka_offset").ok_or_else(|| {
        bad("The offset for a sink connector should either be null or contain the key 'kafka_offset'")
    })?;
    if offset.is_null() {
        return Ok((place, None));
    }
    Ok((place, Some(whole::<i64>(offset, "offset")?)))
}

/// A number, or the text of one.
fn whole<T: std::str::FromStr>(value: &Value, what: &str) -> Result<T, SupervisorError> {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let title = if what == "offset" { "Offset" } else { "Partition" };
    text.trim().parse().map_err(|_| {
        SupervisorError::invalid(format!(
            "Failed to parse the following Kafka {what} value in the provided offsets: '{text}'. {title} values for sink \
             connectors need to be integers."
        ))
    })
}

/// A source's position. The text of a partition that is stored already is its identity, whatever the order of its keys.
fn position(change: &OffsetChange, known: &[Position]) -> Result<Position, SupervisorError> {
    let missing = || SupervisorError::invalid("The partition for a source connector offset cannot be null or missing");
    let partition = change.partition.as_ref().ok_or_else(missing)?;
    primitive(partition)?;
    if let Some(offset) = &change.offset {
        primitive(offset)?;
    }
    let wanted = Value::Object(partition.clone());
    let stored = known.iter().find(|position| parsed(&position.partition) == wanted);
    Ok(Position {
        partition: stored.map_or_else(|| wanted.to_string().into(), |position| Arc::clone(&position.partition)),
        offset: change.offset.clone().map(|offset| Value::Object(offset).to_string().into()),
    })
}

fn primitive(object: &JsonObject) -> Result<(), SupervisorError> {
    let nested = object.iter().find(|(_, value)| value.is_array() || value.is_object());
    nested.map_or(Ok(()), |(key, value)| {
        let kind = if value.is_array() { "an array" } else { "an object" };
        Err(SupervisorError::invalid(format!(
            "Offsets may only contain primitive types as values, but field {key} contains {kind}"
        )))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use lockgate_model::Fault;

    use super::*;

    fn change(json: Value) -> OffsetChange {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn a_sinks_change_takes_numbers_as_numbers_or_texts_and_null_forgets() {
        let of = |offset: Value| {
            let partition = json!({"kafka_topic": "t", "kafka_partition": "3"});
            sink_change(&change(json!({"partition": partition, "offset": offset}))).unwrap()
        };
        assert_eq!(of(json!({"kafka_offset": "12"})).1, Some(12));
        assert_eq!(of(json!({"kafka_offset": 12})).0.partition, 3);
        assert_eq!(of(Value::Null).1, None);
    }

    #[test]
    fn a_sinks_change_that_makes_no_sense_is_refused_in_connects_words() {
        let cases = [
            (json!({"offset": null}), "cannot be null or missing"),
            (json!({"partition": {"kafka_topic": "t"}, "offset": null}), "must contain the keys 'kafka_topic' and"),
            (
                json!({"partition": {"kafka_topic": "t", "kafka_partition": "x"}, "offset": null}),
                "Failed to parse the following Kafka partition value in the provided offsets: 'x'. Partition values for \
                 sink connectors need to be integers.",
            ),
            (
                json!({"partition": {"kafka_topic": "t", "kafka_partition": 0}, "offset": {"kafka_offset": 1.5}}),
                "Kafka offset value in the provided offsets: '1.5'",
            ),
            (
                json!({"partition": {"kafka_topic": "t", "kafka_partition": 0}, "offset": {"o": 1}}),
                "should either be null or contain the key 'kafka_offset'",
            ),
        ];
        for (json, words) in cases {
            let error = sink_change(&change(json)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::BadRequest);
            assert!(error.message().contains(words), "{words}: {}", error.message());
        }
    }

    #[test]
    fn an_objection_is_the_clients_only_where_the_plugin_calls_the_request_wrong() {
        let fault = |kind| {
            let (code, message, detail) = ("a.b".to_owned(), "no".to_owned(), "more".to_owned());
            objection(&GuestError::Fault(Fault { kind, code, message, detail }))
        };
        let problems = vec![("position".to_owned(), "too far".to_owned())];
        let config = fault(FaultKind::Config(problems));
        assert_eq!((config.kind(), config.message()), (ErrorKind::BadRequest, "no\nposition: too far"));
        let fatal = fault(FaultKind::Fatal);
        assert_eq!((fatal.kind(), fatal.code(), fatal.message()), (ErrorKind::Internal, "a.b", "no"));
    }

    #[test]
    fn a_sources_partition_keeps_the_bytes_under_which_it_is_stored() {
        let known = [Position { partition: r#"{"a":1,"b":"x"}"#.into(), offset: Some("{}".into()) }];
        let given = change(json!({"partition": {"b": "x", "a": 1}, "offset": {"position": 7}}));
        let position = position(&given, &known).unwrap();
        assert_eq!(
            (&*position.partition, position.offset.as_deref()),
            (r#"{"a":1,"b":"x"}"#, Some(r#"{"position":7}"#))
        );
        let nested = change(json!({"partition": {"a": {}}, "offset": null}));
        let error = super::position(&nested, &[]).unwrap_err();
        assert!(error.message().starts_with("Offsets may only contain primitive types as values, but field a"));
    }
}
