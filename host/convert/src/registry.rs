//! The port to a schema registry, and what a schema format has to offer to be used with one.
//!
//! Enters: frames of topic bytes, drafts of schemas. Leaves: registered schemas, or why there is none. Invariant: nothing
//! here waits by itself: conversion stays synchronous. Before a batch is converted, [`crate::Decode::prepare`] and
//! [`crate::Encode::prepare`] collect what is not known yet and ask the port once for all of it.

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use lockgate_model::batch::Encoding;
use lockgate_model::fault::Stage;

use crate::fault::{DataFault, Result};
use crate::schema::Schema;
use crate::value::Value;

mod memory;

pub use memory::MemoryRegistry;

/// A future of the port. It may be dropped: nothing is lost by that.
pub type Wait<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The formats that a registry knows, by `schemaType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SchemaType {
    /// `AVRO`, also where an answer leaves the type out.
    Avro,
    /// `PROTOBUF`
    Protobuf,
    /// `JSON`
    Json,
}

impl SchemaType {
    /// As it stands in the registry's API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Avro => "AVRO",
            Self::Protobuf => "PROTOBUF",
            Self::Json => "JSON",
        }
    }

    /// The type of that name.
    pub fn of_name(name: &str) -> Option<Self> {
        [Self::Avro, Self::Protobuf, Self::Json].into_iter().find(|kind| kind.name() == name)
    }
}

/// What names the schema of one datum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Frame {
    /// A zero byte and four bytes of id before the payload; an id in a header.
    Id(u32),
    /// A GUID in a header; the payload is bare.
    Guid([u8; 16]),
}

/// One schema that another one refers to (imports).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reference {
    /// What the referring text calls it: a full name, a file name, a URL.
    pub name: String,
    /// Where it is registered.
    pub subject: String,
    /// Its version there.
    pub version: i32,
}

/// A reference with its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Referenced {
    /// What the referring text calls it.
    pub name: String,
    /// Its own text.
    pub text: Arc<str>,
}

/// A schema as a registry holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// Goes into the frame.
    pub id: u32,
    /// Format of the text.
    pub schema_type: SchemaType,
    /// The schema.
    pub text: Arc<str>,
    /// Its direct references, as the registry lists them.
    pub references: Vec<Reference>,
    /// Everything that it refers to, directly or not; what is referred to stands before what refers to it, each once.
    pub referenced: Vec<Referenced>,
    /// Its version in the subject that was asked for, where that was asked.
    pub version: Option<i32>,
}

/// A schema made of Connect's, to be registered or looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Format of the text.
    pub schema_type: SchemaType,
    /// The schema.
    pub text: Arc<str>,
    /// What it refers to.
    pub references: Vec<Reference>,
    /// Full name of the record, for subject names made of it; none for what has no name.
    pub record: Option<String>,
}

/// How the id of a draft is found, in the order of the settings: `auto.register.schemas`, `use.schema.id`,
/// `use.schema.guid`, `use.latest.version`, else looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Writing {
    /// Registers it; the same schema again gives the same id.
    Register,
    /// A fixed schema.
    Id(u32),
    /// A fixed schema by GUID.
    Guid([u8; 16]),
    /// The newest version of the subject, whatever the draft says.
    Latest,
    /// The draft must be registered already.
    Lookup,
}

/// A question before writing.
#[derive(Clone, Debug)]
pub struct Offer {
    /// Where the schema belongs.
    pub subject: Arc<str>,
    /// The schema made of the record's.
    pub draft: Arc<Draft>,
    /// How to find its id.
    pub writing: Writing,
    /// `normalize.schemas`
    pub normalize: bool,
}

/// The registry could not be asked: unreachable, too slow, overloaded (408, 429, 5xx). Waiting may help, and no record is
/// to blame: not one is skipped or dead-lettered for it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} [{code}]")]
pub struct Unavailable {
    /// Dotted and stable: `registry.unreachable`, `registry.timeout`, `registry.busy`.
    pub code: &'static str,
    /// For people; holds no credentials.
    pub message: String,
}

/// [`Unavailable`], and which converter of a task it keeps from working.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unready {
    /// Key or value converter.
    pub stage: Stage,
    /// Why.
    pub cause: Unavailable,
}

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denied {
    /// The registry answered, and the answer is no (401, 403, 404, 409, 422): the records that need it fail.
    Refused(DataFault),
    /// There was no answer.
    Unavailable(Unavailable),
}

/// One answer.
pub type Answer<T> = std::result::Result<T, Denied>;

/// A registry. Answers stand in the order of the questions. Implementations keep caches, deadlines and bounds.
pub trait SchemaRegistry: Send + Sync + Debug {
    /// The schemas of these frames, with everything that they refer to.
    fn find<'a>(&'a self, frames: &'a [Frame]) -> Wait<'a, Vec<Answer<Arc<Registered>>>>;

    /// The versions of schemas in these subjects; `None` where the subject does not have it.
    fn versions<'a>(&'a self, asked: &'a [(Arc<str>, Arc<Registered>)]) -> Wait<'a, Vec<Answer<Option<i32>>>>;

    /// The schemas to write with.
    fn offer<'a>(&'a self, offers: &'a [Offer]) -> Wait<'a, Vec<Answer<Arc<Registered>>>>;
}

/// A schema format with its settings: Avro, Protobuf, JSON Schema. Pure. A new format is a folder with an implementation of
/// this, and a line in `registry_options::FORMATS`.
pub trait Format: Send + Sync + Debug {
    /// The registry's name for it.
    fn schema_type(&self) -> SchemaType;

    /// Compiles a schema that records were written with.
    ///
    /// # Errors
    /// The schema cannot be parsed, or has no counterpart in Connect.
    fn reader(&self, schema: &Registered) -> Result<Box<dyn Reader>>;

    /// The schema that Connect's becomes; `None` is data without a schema.
    ///
    /// # Errors
    /// The schema has no counterpart in the format.
    fn draft(&self, schema: Option<&Schema>) -> Result<Draft>;

    /// Compiles the writing of values of a Connect schema with a registered schema: the draft's own, or another one that was
    /// chosen by configuration.
    ///
    /// # Errors
    /// Values of the one cannot be written as the other.
    fn writer(&self, schema: Option<&Arc<Schema>>, registered: &Registered) -> Result<Box<dyn Writer>>;

    /// Full name of the record that a registered schema describes, for subject names made of it.
    fn record_name(&self, schema: &Registered) -> Option<String>;
}

/// What became of the bytes behind a frame.
#[derive(Clone, Debug)]
pub struct Read {
    /// Connect's schema; `None` = data without a schema. The same `Arc` for the same schema: ids are remembered by it.
    pub schema: Option<Arc<Schema>>,
    /// The value is null: nothing was appended.
    pub is_null: bool,
}

/// Reads data of one registered schema.
pub trait Reader: Send + Sync + Debug {
    /// Appends the payload (JSON with Connect's conventions, or CBOR) of the bytes behind the frame to `out`. What was appended
    /// before an error is cut off by the caller.
    ///
    /// # Errors
    /// The bytes are not data of the schema.
    fn read(&mut self, bytes: &[u8], encoding: Encoding, out: &mut Vec<u8>) -> Result<Read>;
}

/// Writes values of one Connect schema with one registered schema.
pub trait Writer: Send + Sync + Debug {
    /// Appends what belongs behind the frame; never called with null.
    ///
    /// # Errors
    /// The value does not fit the schema.
    fn write(&mut self, value: &Value, out: &mut Vec<u8>) -> Result<()>;
}

/// Appends a value as a payload: for readers that build values.
///
/// # Errors
/// `schema.mismatch` if the value does not fit the schema.
pub fn emit(value: &Value, schema: Option<&Schema>, encoding: Encoding, out: &mut Vec<u8>) -> Result<()> {
    match encoding {
        Encoding::Cbor => value.to_cbor(schema, out),
        _ => value.to_json(schema, out),
    }
}
