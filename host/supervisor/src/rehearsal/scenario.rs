//! Scenarios, as they are written: what a plugin is given, step by step, and what it should do.
//!
//! Enters: a JSON file with one scenario or a list of them. Leaves: [`Scenario`], or where the file is wrong. Invariant:
//! unknown members are refused, so that a misspelt expectation never passes; `docs/scenario.schema.json` is made of these
//! types.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lockgate_wasm::Limits;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::exchange::ExchangeSpec;

/// One life of one plugin: its settings, the outside, steps.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "A scenario of `lockgate package test`")]
pub struct Scenario {
    /// For editors.
    #[serde(rename = "$schema")]
    pub schema: Option<String>,
    /// Name within a file of several.
    pub name: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// Class or alias of the plugin. Default: the only one of the package, or the one that `config` names as `connector.class`.
    pub plugin: Option<String>,
    /// The connector's settings; values are texts, numbers or booleans. `${dir}` is a folder of the scenario's own, `${env:NAME}` a
    /// variable of the environment (`***` if it is not set). Transforms: the settings of the plugin, or a whole chain
    /// (`transforms`, `transforms.*`).
    pub config: Map<String, Value>,
    /// Name of the connector. Default: `test`.
    pub connector: Option<String>,
    /// Which task of the connector this is, from 0.
    pub task: u32,
    /// `tasks.max`; at least `task` + 1.
    pub tasks_max: Option<u32>,
    /// What the worker's policy would allow.
    pub grants: GrantsSpec,
    /// Limits of the sandbox, where they are not the worker's defaults.
    pub limits: LimitsSpec,
    /// The task's key-value state at the start: texts, or `{"$base64": ".."}`; anything else is stored as its JSON.
    pub state: Map<String, Value>,
    /// Stored positions at the start (sources).
    pub positions: Vec<PositionSpec>,
    /// Files in `${dir}` at the start: relative path, content.
    pub files: BTreeMap<String, String>,
    /// What the outside answers, in this order where several fit.
    pub http: Vec<ExchangeSpec>,
    /// Transforms: on which side of Kafka the records are. Default: sink.
    pub records: Side,
    /// What happens, in order.
    pub steps: Vec<Step>,
    /// What holds after the last step: `state`, `files`, `log`, `metrics`, `positions`, `committed`.
    pub expect: Option<Expect>,
}

/// On which side of Kafka records are.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// Not in Kafka yet: no offset.
    Source,
    /// From Kafka.
    #[default]
    Sink,
}

/// What the worker's policy would allow. What a plugin does not ask for it does not get, whatever stands here.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GrantsSpec {
    /// As `lockgate.grants.http`. Default: every host, because `http` answers in place of them.
    pub http: Option<Vec<String>>,
    /// As `lockgate.grants.tcp`. Default: none. These connections are real.
    pub tcp: Vec<String>,
    /// As `lockgate.grants.read`. `${dir}` is always granted.
    pub read: Vec<String>,
    /// As `lockgate.grants.write`. Default: `${dir}`.
    pub write: Option<Vec<String>>,
    /// As `lockgate.grants.private`.
    pub private: Vec<String>,
}

/// Limits of the sandbox; the worker's settings are called `lockgate.limits.*`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsSpec {
    /// Memory of the instance, MiB.
    #[serde(rename = "memory.mb")]
    pub memory_mb: Option<usize>,
    /// CPU time of one call, milliseconds.
    #[serde(rename = "cpu.ms")]
    pub cpu_ms: Option<u64>,
    /// Wall-clock time of one call, milliseconds.
    #[serde(rename = "call.ms")]
    pub call_ms: Option<u64>,
    /// Time to make and open an instance, milliseconds.
    #[serde(rename = "open.ms")]
    pub open_ms: Option<u64>,
    /// Time of close, milliseconds.
    #[serde(rename = "close.ms")]
    pub close_ms: Option<u64>,
}

impl LimitsSpec {
    /// The worker's defaults, with these in place of some.
    pub fn limits(&self) -> Limits {
        let millis = |given: Option<u64>, default: Duration| given.map_or(default, Duration::from_millis);
        let default = Limits::default();
        Limits {
            memory_bytes: self.memory_mb.map_or(default.memory_bytes, |mb| mb.saturating_mul(1 << 20)),
            cpu: millis(self.cpu_ms, default.cpu),
            call: millis(self.call_ms, default.call),
            open: millis(self.open_ms, default.open),
            close: millis(self.close_ms, default.close),
            ..default
        }
    }
}

/// A stored position.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PositionSpec {
    /// The source partition: an object, or its text where the very bytes matter.
    pub partition: Value,
    /// The source offset, likewise.
    pub offset: Value,
}

/// One step: exactly one action, and what is expected of it.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Step {
    /// For people.
    pub name: Option<String>,
    /// Checks the settings as a worker does before it stores them. Expects `errors`.
    pub validate: Option<Empty>,
    /// Asks how the connector's work is split. Expects `tasks`.
    pub tasks: Option<TasksSpec>,
    /// Opens the instance; the first step that needs one does it as well.
    pub open: Option<Empty>,
    /// Sinks: these partitions are the task's. Expects `resume`. `put` does it for partitions that it is the first to name.
    pub assigned: Option<Vec<PlaceSpec>>,
    /// Sinks: records. Expects `accepted`, `bad`.
    pub put: Option<Vec<Map<String, Value>>>,
    /// Sinks: the worker is about to commit: `"all"`, or places. Expects `agreed`. Sources: all positions so far are stored, and the plugin is told: `"all"`. Expects `positions`.
    pub commit: Option<CommitSpec>,
    /// Sinks: these partitions are gone: `"all"`, or a list.
    pub revoked: Option<CommitSpec>,
    /// Sources: asks for records. Expects `records`, `positions`, `next`.
    pub poll: Option<PollSpec>,
    /// Transforms and predicates: records. Expects `records`: one answer for each, as `lockgate transform` gives it.
    pub apply: Option<Vec<Map<String, Value>>>,
    /// The last `put` again, as the worker does after a retriable fault.
    pub retry: Option<Empty>,
    /// The worker dies: the instance is gone, what was not committed comes again to a new one. Sinks: expects `accepted`, `bad`.
    pub crash: Option<Empty>,
    /// The task ends in order and a new instance opens. Sources: what was polled is stored before.
    pub restart: Option<Empty>,
    /// From now on the plugin hears that it is to stop.
    pub cancel: Option<Empty>,
    /// Ends the instance; the end of the scenario does it as well.
    pub close: Option<Empty>,
    /// What is expected; what is not named is not looked at, but for errors and bad records, which are never passed over.
    pub expect: Option<Expect>,
}

/// `{}`: nothing to be said.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Empty {}

/// Options of `tasks`.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TasksSpec {
    /// `tasks.max`. Default: that of the scenario.
    pub max: Option<u32>,
}

/// A place in a topic.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlaceSpec {
    /// Topic.
    pub topic: String,
    /// Partition.
    #[serde(default)]
    pub partition: u32,
    /// The next offset; -1 = none yet. Default: 0.
    #[serde(default)]
    pub offset: i64,
}

/// All of them, or these.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum CommitSpec {
    /// All.
    All(AllWord),
    /// These.
    These(Vec<PlaceSpec>),
}

/// The word.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AllWord {
    /// All.
    All,
}

/// How a source is polled.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PollSpec {
    /// Records of one call at most. Default: 500.
    pub records_max: Option<u32>,
    /// Bytes of one call at most. Default: 262144.
    pub bytes_max: Option<u32>,
    /// Polls until there are so many records, the plugin is done or the time is over. Default: one call.
    pub until: Option<usize>,
    /// Time for that, milliseconds. Default: 10000.
    pub within_ms: Option<u64>,
}

/// What is expected: values, or matchers (`{"$any": true}`, `{"$contains": ..}`, `{"$matches": ".."}`, `{"$exact": ..}`, `{"$not": ..}`).
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Expect {
    /// The error of the step: `kind`, `code`, `message`, `delay_ms`, `problems`, `rows`, `call`, `backtrace`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Value>,
    /// `validate`: for each key the text of its error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<Value>,
    /// `tasks`: the settings of each task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tasks: Option<Value>,
    /// `assigned`: where the plugin wants to begin elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resume: Option<Value>,
    /// `put`: how many records were taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted: Option<Value>,
    /// `put`: records that were not: `row`, `code`, `message`, `retriable`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bad: Option<Value>,
    /// `commit` of sinks: what the plugin says is durable. Default: all that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agreed: Option<Value>,
    /// `poll` and `apply`: the records.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub records: Option<Value>,
    /// `poll`: the positions that came; `commit` and the end: those that are stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub positions: Option<Value>,
    /// `poll`: `"now"`, `"done"` or `{"after_ms": ..}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<Value>,
    /// The offsets that are committed (sinks).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub committed: Option<Value>,
    /// The stored state: for each key its value, null if it is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<Value>,
    /// Files of `${dir}`: for each relative path its text, null if it is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<Value>,
    /// Lines that the plugin logged during the step, each `LEVEL text`: each text or matcher fits one; a text is looked for within a line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<Vec<Value>>,
    /// The plugin's own figures so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics: Option<Value>,
    /// True: objects hold nothing but what is named.
    #[serde(skip_serializing)]
    pub exact: bool,
}

/// A scenario of a file.
#[derive(Clone, Debug)]
pub struct Written {
    /// The file.
    pub file: PathBuf,
    /// Which of the file's list; `None` = the file is one scenario.
    pub index: Option<usize>,
    /// What it is called: the file, and the scenario's name where there are several.
    pub name: String,
    /// What it says.
    pub scenario: Scenario,
}

/// A file that holds no scenario.
#[derive(Debug, thiserror::Error)]
#[error("{}: {why}", file.display())]
pub struct NoScenario {
    /// The file.
    pub file: PathBuf,
    /// Why.
    pub why: String,
}

/// Reads a file; `name` is what it is called in reports.
///
/// # Errors
/// The file cannot be read, is no JSON, or no scenario: the error says where.
pub fn read(file: &Path, name: &str) -> Result<Vec<Written>, NoScenario> {
    let wrong = |why: String| NoScenario { file: file.to_owned(), why };
    let text = std::fs::read_to_string(file).map_err(|e| wrong(e.to_string()))?;
    let is_list = text.trim_start().starts_with('[');
    let read = if is_list { serde_json::from_str(&text) } else { serde_json::from_str(&text).map(|one| vec![one]) };
    let scenarios: Vec<Scenario> = read.map_err(|e| wrong(e.to_string()))?;
    let written = |(index, scenario): (usize, Scenario)| {
        for (at, step) in scenario.steps.iter().enumerate() {
            step.action().map_err(|why| wrong(format!("step {}: {why}", at + 1)))?;
        }
        let own = scenario.name.clone().unwrap_or_else(|| (index + 1).to_string());
        let name = if is_list { format!("{name} {own}") } else { name.to_owned() };
        Ok(Written { file: file.to_owned(), index: is_list.then_some(index), name, scenario })
    };
    scenarios.into_iter().enumerate().map(written).collect()
}

/// The schema of a file, JSON Schema 2020-12.
pub fn schema() -> Value {
    #[derive(JsonSchema)]
    #[serde(untagged)]
    #[expect(dead_code, reason = "only its schema is wanted")]
    enum File {
        One(Box<Scenario>),
        Several(Vec<Scenario>),
    }
    schemars::schema_for!(File).to_value()
}
