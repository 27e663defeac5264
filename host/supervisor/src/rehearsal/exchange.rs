//! HTTP of a scenario, as it is written: what must be asked, what is answered.
//!
//! Enters: JSON. Leaves: the same in types, and JSON again for what was recorded. Invariant: what is not said is not written.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A request that the plugin makes, and its answer.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExchangeSpec {
    /// What must be asked.
    pub request: RequestSpec,
    /// What is answered.
    #[serde(default)]
    pub answer: AnswerSpec,
    /// How often it is answered: a number, or `"any"` for any number, none included. Default: 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<Value>,
}

/// What must be asked; what is not named is not looked at. `***` in a text stands for anything.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RequestSpec {
    /// The method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The whole URL: text or matcher.
    pub url: Value,
    /// Headers that must be among those of the request: text or matcher.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub headers: Map<String, Value>,
    /// The body: text or matcher, or JSON that the body must hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
}

/// What is answered.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AnswerSpec {
    /// Status code. Default: 200.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Headers.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The body: a text, `{"$base64": ".."}`, or anything else, which is written as JSON.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub body: Value,
    /// Before the head comes, milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u64>,
    /// Between the two halves of the body, milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_delay_ms: Option<u64>,
    /// In place of an answer, or `truncated`: the connection breaks behind the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<FaultSpec>,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FaultSpec {
    /// Nobody listens.
    Refused,
    /// The connection breaks after the request.
    Reset,
    /// The name is not known.
    Dns,
    /// Nothing comes until the plugin's deadline; it does not take that long.
    Timeout,
    /// The connection breaks behind the body.
    Truncated,
}
