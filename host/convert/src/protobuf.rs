//! Protobuf as the registries' `ProtobufConverter` reads and writes it.
//!
//! Enters: `.proto` text with its references, wire bytes, Connect's schemas and values. Leaves: the other side of each.
//! Invariant: a schema is compiled once into a plan; malformed bytes are a fault of their row.

mod declared;
mod format;
mod from_connect;
mod index;
mod known;
mod names;
mod options;
mod parse;
mod plan;
mod print;
mod read;
mod read_scalar;
mod to_connect;
mod wire;
mod write;
mod write_scalar;

pub(crate) use format::make;

#[cfg(test)]
mod tests;
