//! Transforms with an expression language: CEL, jq and `JSONPath`.
//!
//! Enters: records with JSON payloads. Leaves: records kept or dropped, under other topics, with other payloads. Invariant:
//! an expression is compiled once for each task; what it refuses is the record's error, without the payload's contents.

pub mod confluent;
pub mod debezium;
pub mod expression;
pub mod jq;
pub mod json;
pub mod language;

pub use transform_kit::{class, config, glue, record, scan, schemas, splice, tree, valid};

#[cfg(test)]
pub(crate) use transform_kit::testing;
#[cfg(test)]
mod tour;

use glue::{On, Plain};

lockgate_sdk::package! {
    name: "transforms-expr",
    version: env!("CARGO_PKG_VERSION"),
    documentation: "Filters, routers and mappings by expression: CEL under Debezium's class names, JSONPath under Confluent's, and jq.",
    transforms: [
        Plain<debezium::Filter>,
        Plain<debezium::ContentBasedRouter>,
        On<confluent::Filter, false>,
        On<confluent::Filter, true>,
        On<jq::Jq, false>,
        On<jq::Jq, true>,
    ],
}
