//! What registries answer.
//!
//! Enters: status and body. Leaves: typed answers, refusals, or that the registry is not available. Invariant: a text from the
//! far end is cut to [`TEXT_MAX`] characters and holds no control characters.

use std::sync::Arc;

use bytes::Bytes;
use lockgate_convert::DataFault;
use lockgate_convert::registry::{Denied, Reference, SchemaType, Unavailable};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Characters of a registry's own words at most.
const TEXT_MAX: usize = 400;

/// A schema, wherever it is asked for. Members that a call does not have are left out by it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SchemaAnswer {
    pub(crate) id: Option<u32>,
    pub(crate) version: Option<i32>,
    pub(crate) schema: Option<String>,
    pub(crate) schema_type: Option<String>,
    #[serde(default)]
    pub(crate) references: Option<Vec<ReferenceAnswer>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct ReferenceAnswer {
    pub(crate) name: String,
    pub(crate) subject: String,
    pub(crate) version: i32,
}

#[derive(Debug, Default, Deserialize)]
struct ErrorAnswer {
    error_code: Option<i64>,
    message: Option<String>,
}

impl SchemaAnswer {
    pub(crate) fn schema_type(&self) -> Result<SchemaType, DataFault> {
        let Some(name) = &self.schema_type else { return Ok(SchemaType::Avro) };
        SchemaType::of_name(name).ok_or_else(|| fault("registry.type", "a schema of a type that is not known here"))
    }

    pub(crate) fn text(&self) -> Result<Arc<str>, DataFault> {
        self.schema.as_deref().map(Arc::from).ok_or_else(|| fault("registry.answer", "the answer holds no schema"))
    }

    pub(crate) fn references(&self) -> Vec<Reference> {
        let own = self.references.iter().flatten();
        own.map(|r| Reference { name: r.name.clone(), subject: r.subject.clone(), version: r.version }).collect()
    }
}

pub(crate) fn fault(code: &'static str, message: &str) -> DataFault {
    DataFault { code, message: message.to_owned() }
}

/// An answer to be had, a refusal, or nothing for now. `doing` begins a sentence: "Error registering ...".
pub(crate) fn read<T: DeserializeOwned>(status: u16, body: &Bytes, doing: &str) -> Result<T, Denied> {
    if (200..300).contains(&status) {
        return serde_json::from_slice(body).map_err(|_| {
            Denied::Refused(fault(
                "registry.answer",
                &format!("{doing}: the answer is not what a schema registry says"),
            ))
        });
    }
    let said: ErrorAnswer = serde_json::from_slice(body).unwrap_or_default();
    let text: String = said.message.unwrap_or_default().chars().filter(|c| !c.is_control()).take(TEXT_MAX).collect();
    let code = said.error_code.unwrap_or(i64::from(status));
    let message = format!("{doing}: {text}; error code: {code}");
    Err(match status {
        408 | 429 | 500..=599 => Denied::Unavailable(Unavailable { code: "registry.busy", message }),
        401 => Denied::Refused(DataFault { code: "registry.unauthorized", message }),
        403 => Denied::Refused(DataFault { code: "registry.forbidden", message }),
        404 => Denied::Refused(DataFault { code: "registry.not-found", message }),
        409 => Denied::Refused(DataFault { code: "registry.incompatible", message }),
        422 => Denied::Refused(DataFault { code: "registry.invalid", message }),
        _ => Denied::Refused(DataFault { code: "registry.refused", message }),
    })
}
