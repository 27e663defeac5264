//! What is wrong with one key, value or header.
//!
//! Enters: a place in the bytes or a schema that does not fit. Leaves: a code and a message in the words of Kafka
//! Connect's `DataException`. Invariant: messages name kinds, types, fields and byte positions, never payload contents.

use lockgate_model::fault::RowFault;

/// One datum that cannot be converted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} [{code}]")]
pub struct DataFault {
    /// Dotted and stable: `json.syntax`, `json.envelope`, `schema.mismatch`, `schema.invalid`, `schema.too-many`, ...
    pub code: &'static str,
    /// For people.
    pub message: String,
}

pub(crate) type Result<T> = std::result::Result<T, DataFault>;

impl DataFault {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// The value does not fit its schema.
    pub(crate) fn mismatch(message: impl Into<String>) -> Self {
        Self::new("schema.mismatch", message)
    }

    /// The schema itself is wrong.
    pub(crate) fn schema(message: impl Into<String>) -> Self {
        Self::new("schema.invalid", message)
    }

    pub(crate) fn of_row(self, row: usize) -> RowFault {
        RowFault {
            row: u32::try_from(row).unwrap_or(u32::MAX),
            step: 0,
            retriable: false,
            code: self.code.to_owned(),
            message: self.message,
        }
    }
}

impl From<lockgate_model::schemas::TooManySchemas> for DataFault {
    fn from(error: lockgate_model::schemas::TooManySchemas) -> Self {
        Self::new("schema.too-many", error.to_string())
    }
}
