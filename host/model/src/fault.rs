//! What can go wrong on the path of a record, in the host's own words.
//!
//! Enters: errors of guests, of Kafka, of converters. Leaves: values that `pipeline::tolerance` turns into retry, skip,
//! dead letter or failure. Invariant: texts are bounded and never hold payloads or secrets.

use std::time::Duration;

mod worth;

/// Where a record failed: Kafka Connect's names, as they stand in dead-letter headers (KIP-298).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// `KEY_CONVERTER`
    KeyConverter,
    /// `VALUE_CONVERTER`
    ValueConverter,
    /// `HEADER_CONVERTER`
    HeaderConverter,
    /// `TRANSFORMATION`
    Transformation,
    /// `TASK_PUT`
    TaskPut,
    /// `TASK_POLL`
    TaskPoll,
    /// `KAFKA_PRODUCE`
    KafkaProduce,
    /// `KAFKA_CONSUME`
    KafkaConsume,
}

impl Stage {
    /// Kafka Connect's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::KeyConverter => "KEY_CONVERTER",
            Self::ValueConverter => "VALUE_CONVERTER",
            Self::HeaderConverter => "HEADER_CONVERTER",
            Self::Transformation => "TRANSFORMATION",
            Self::TaskPut => "TASK_PUT",
            Self::TaskPoll => "TASK_POLL",
            Self::KafkaProduce => "KAFKA_PRODUCE",
            Self::KafkaConsume => "KAFKA_CONSUME",
        }
    }
}

/// One row that failed somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowFault {
    /// Index in the batch that was passed in.
    pub row: u32,
    /// Chains: index of the step in its segment.
    pub step: u32,
    /// True if the same row may succeed later.
    pub retriable: bool,
    /// Dotted, stable.
    pub code: String,
    /// For people.
    pub message: String,
}

/// What Kafka Connect's own code would have thrown, in full, for the code of a fault: readers of dead-letter queues and of
/// previews look for it. Codes that say nothing of it mean `DataException`, as nearly all faults of records do.
pub fn exception_class(code: &str) -> &'static str {
    match code {
        "transform.connect" => "org.apache.kafka.connect.errors.ConnectException",
        "transform.schema-builder" | "schema.field" => "org.apache.kafka.connect.errors.SchemaBuilderException",
        "transform.argument" => "java.lang.IllegalArgumentException",
        "transform.bounds" => "java.lang.IndexOutOfBoundsException",
        "transform.null" => "java.lang.NullPointerException",
        "transform.config" => "org.apache.kafka.common.config.ConfigException",
        _ => "org.apache.kafka.connect.errors.DataException",
    }
}

/// What the host may do about a guest's error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The same call again after this delay (zero = the host's back-off).
    Retriable(Duration),
    /// These rows are bad.
    Rows(Vec<RowFault>),
    /// Stop the task.
    Fatal,
    /// The configuration is wrong: (key, problem).
    Config(Vec<(String, String)>),
}

/// An error that a guest returned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} [{code}]{}", if detail.is_empty() { String::new() } else { format!("\n{detail}") })]
pub struct Fault {
    /// What the host may do.
    pub kind: FaultKind,
    /// Dotted, stable.
    pub code: String,
    /// For people.
    pub message: String,
    /// More for people.
    pub detail: String,
}

/// Why an instance was thrown away.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PluginFailure {
    /// A trap: panic, `unreachable`, out-of-bounds, stack overflow, exit. Code `plugin.trap`.
    #[error("trapped: {0}")]
    Trap(String),
    /// The CPU budget of a call was used up. Code `plugin.cpu`.
    #[error("used more than {0:?} of CPU in one call (lockgate.limits.cpu.ms)")]
    Cpu(Duration),
    /// The wall-clock deadline of a call passed. Code `plugin.deadline`.
    #[error("did not return within {0:?} (lockgate.limits.call.ms)")]
    Deadline(Duration),
    /// A limit of the sandbox. Code `plugin.limit`.
    #[error("reached a limit of the sandbox: {0}")]
    Limit(String),
    /// It answered what the contract does not allow. Code `guest.protocol`.
    #[error("broke the contract: {0}")]
    Protocol(String),
    /// It could not be instantiated at all. Code `plugin.instantiate`.
    #[error("could not be instantiated: {0}")]
    Instantiate(String),
}

impl PluginFailure {
    /// Dotted, stable.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Trap(_) => "plugin.trap",
            Self::Cpu(_) => "plugin.cpu",
            Self::Deadline(_) => "plugin.deadline",
            Self::Limit(_) => "plugin.limit",
            Self::Protocol(_) => "guest.protocol",
            Self::Instantiate(_) => "plugin.instantiate",
        }
    }
}

/// An instance failed as a whole: it is thrown away.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("plugin {class} of package {package} {version} {failure} in {call} [{}]{}", failure.code(), trace(backtrace))]
pub struct PluginError {
    /// Package name.
    pub package: String,
    /// Package version.
    pub version: String,
    /// Class.
    pub class: String,
    /// The call, as in the WIT: `put`, `poll`, ...
    pub call: &'static str,
    /// What happened.
    pub failure: PluginFailure,
    /// The guest's frames, innermost first; may be empty. Bounded to 64 frames.
    pub backtrace: Vec<String>,
}

fn trace(frames: &[String]) -> String {
    frames.iter().map(|f| format!("\n\tat {f}")).collect()
}

/// Everything that a call into a guest can end with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GuestError {
    /// The guest returned an error.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The instance failed.
    #[error(transparent)]
    Plugin(#[from] Box<PluginError>),
}

/// An error of the Kafka client, already sorted by what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} [kafka.{code}]")]
pub struct KafkaFault {
    /// True if waiting helps (broker away, coordinator moving); false for authorisation, unknown topic, too large.
    pub retriable: bool,
    /// Kafka's or librdkafka's error name in lower case with dashes.
    pub code: String,
    /// For people.
    pub message: String,
}
