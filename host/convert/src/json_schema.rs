//! JSON Schema as the registries' `JsonSchemaConverter` reads and writes it.
//!
//! Enters: JSON Schema text with its references, JSON text, Connect's schemas and values. Leaves: the other side of each.
//! Invariant: what JSON Schema says beyond Connect's types is checked only if `json.fail.invalid.schema` asks for it.

mod check;
mod documents;
mod format;
mod from_connect;
mod node;
mod options;
mod read;
mod to_connect;
mod union;
mod write;

pub(crate) use format::make;

#[cfg(test)]
mod tests;
