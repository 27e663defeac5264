//! Offsets as clients see and change them.
//!
//! Enters: JSON of `PATCH /connectors/C/offsets`. Leaves: the entries of `GET`. Invariant: objects as in the offsets topic, or
//! `kafka_topic`, `kafka_partition`, `kafka_offset`; unknown fields are refused.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A JSON object.
pub type JsonObject = serde_json::Map<String, serde_json::Value>;

/// One entry of `PATCH /connectors/C/offsets`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OffsetChange {
    /// Which: needed.
    #[serde(default)]
    pub partition: Option<JsonObject>,
    /// Where to go on; absent or null = forget it.
    #[serde(default)]
    pub offset: Option<JsonObject>,
}

/// What is to become of a connector's offsets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OffsetEdit {
    /// These change, others stay.
    Alter(Vec<OffsetChange>),
    /// All are forgotten.
    Reset,
}

/// One entry of `GET /connectors/C/offsets`: objects as in the offsets topic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConnectorOffset {
    /// Source partition, or `{"kafka_topic": .., "kafka_partition": ..}`.
    pub partition: serde_json::Value,
    /// Source offset, or `{"kafka_offset": ..}`; null = none.
    pub offset: serde_json::Value,
}
