//! Validation of data by its JSON Schema (`json.fail.invalid.schema`).
//!
//! Enters: a schema with its references; JSON text. Leaves: nothing, or a fault. Invariant: references are answered from the
//! given texts; messages name the place and the keyword, never the value.

use std::error::Error;

use jsonschema::{Retrieve, Uri, Validator};

use crate::fault::{DataFault, Result};

/// A compiled schema.
#[derive(Debug)]
pub(crate) struct Check(Validator);

impl Check {
    pub(crate) fn compile(text: &str, references: &[(&str, &str)]) -> Result<Self> {
        let invalid = |why: &str| DataFault::schema(format!("Invalid JSON Schema: {why}"));
        let schema = serde_json::from_str(text).map_err(|e| invalid(&e.to_string()))?;
        let texts = references.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        let built = jsonschema::options().with_retriever(Given(texts)).build(&schema);
        built.map(Self).map_err(|e| invalid(&e.to_string()))
    }

    /// `json.invalid` if the schema does not allow the data.
    pub(crate) fn check(&self, data: &[u8]) -> Result<()> {
        let unreadable = |e: serde_json::Error| DataFault::new("json.syntax", format!("invalid JSON: {e}"));
        let data: serde_json::Value = serde_json::from_slice(data).map_err(unreadable)?;
        match self.0.validate(&data) {
            Ok(()) => Ok(()),
            Err(error) => {
                let at = error.instance_path().to_string();
                let place = if at.is_empty() { "the whole value" } else { &at };
                let why = format!("{place} breaks {} of its JSON Schema", error.schema_path());
                Err(DataFault::new("json.invalid", why))
            }
        }
    }
}

/// References by name.
struct Given(Vec<(String, String)>);

impl Retrieve for Given {
    fn retrieve(&self, uri: &Uri<String>) -> std::result::Result<serde_json::Value, Box<dyn Error + Send + Sync>> {
        let address = uri.as_str();
        let found = self
            .0
            .iter()
            .find(|(name, _)| address == name || address.ends_with(&format!("/{}", name.trim_start_matches("./"))));
        let (_, text) = found.ok_or_else(|| format!("{address} is not among the references"))?;
        Ok(serde_json::from_str(text)?)
    }
}
