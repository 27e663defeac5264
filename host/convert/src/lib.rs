//! Converters between the bytes in a topic and the payload encodings that plugins take.
//!
//! Enters: a [`lockgate_model::batch::Batch`] whose spans hold topic bytes (or payloads). Leaves: the same batch, converted
//! in place, with schemas interned in the task's table, and the rows that could not be converted. Invariant: malformed
//! input becomes a row fault, never a panic, and no message repeats payload contents.

mod avro;
mod base64_text;
mod cbor;
mod converter;
mod date;
mod decimal;
mod decode;
mod emit;
mod encode;
mod envelope;
mod fault;
mod fit;
mod framed;
mod incoming;
mod java;
mod json;
mod json_schema;
mod outgoing;
mod payload;
pub mod project;
mod protobuf;
mod recode;
pub mod registry;
mod registry_options;
mod rows;
mod scan;
pub mod schema;
mod schema_text;
mod text;
mod transcode;
pub mod value;
mod values;

pub use converter::{Charset, ConvertConfigError, Converter, DecimalFormat, JsonOptions, Kind, Role, negotiate};
pub use decode::Decode;
pub use encode::Encode;
pub use fault::DataFault;
pub use recode::Recode;
pub use registry_options::{Connection, Endpoint, RegistryOptions, Scheme, registry_classes};
