//! Kafka Connect's values, and their text forms.
//!
//! Enters: payloads (JSON with Connect's conventions, or CBOR). Leaves: a [`Value`] tree, and payloads again. Invariant: a
//! value that was read with a schema fits it; a struct's values stand in the order of its fields.

pub use crate::decimal::Decimal;
use crate::fault::Result;
use crate::json::Json;
use crate::schema::Schema;

/// A value. Logical types have variants of their own, so that a Date cannot be taken for a Time.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Null.
    Null,
    /// BOOLEAN
    Boolean(bool),
    /// INT8
    Int8(i8),
    /// INT16
    Int16(i16),
    /// INT32
    Int32(i32),
    /// INT64
    Int64(i64),
    /// FLOAT32
    Float32(f32),
    /// FLOAT64
    Float64(f64),
    /// STRING
    String(String),
    /// BYTES
    Bytes(Vec<u8>),
    /// ARRAY
    Array(Vec<Value>),
    /// MAP, in the order of the text
    Map(Vec<(Value, Value)>),
    /// STRUCT: one value for each field of the schema, in its order
    Struct(Vec<Value>),
    /// Decimal
    Decimal(Decimal),
    /// Date: days since the epoch
    Date(i32),
    /// Time: milliseconds since midnight
    Time(i32),
    /// Timestamp: milliseconds since the epoch
    Timestamp(i64),
}

impl Value {
    /// What it is, for messages.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "boolean",
            Self::Int8(_) => "int8",
            Self::Int16(_) => "int16",
            Self::Int32(_) => "int32",
            Self::Int64(_) => "int64",
            Self::Float32(_) => "float32",
            Self::Float64(_) => "float64",
            Self::String(_) => "string",
            Self::Bytes(_) => "bytes",
            Self::Array(_) => "array",
            Self::Map(_) => "map",
            Self::Struct(_) => "struct",
            Self::Decimal(_) => "Decimal",
            Self::Date(_) => "Date",
            Self::Time(_) => "Time",
            Self::Timestamp(_) => "Timestamp",
        }
    }

    /// Reads a JSON payload; without a schema whole numbers become INT64 and others FLOAT64.
    ///
    /// # Errors
    /// `json.syntax`, or `schema.mismatch` with Kafka Connect's reasons.
    pub fn from_json(text: &[u8], schema: Option<&Schema>) -> Result<Self> {
        let json = Json::parse(text)?;
        crate::payload::read(&json, schema, true)
    }

    /// As [`Self::from_json`], but null stays null where the schema has a default.
    ///
    /// # Errors
    /// The same; `schema.mismatch` for a null that only the default would allow.
    pub fn from_json_with_nulls(text: &[u8], schema: Option<&Schema>) -> Result<Self> {
        crate::payload::read(&Json::parse(text)?, schema, false)
    }

    /// Appends the JSON payload: bytes and Decimal as base64, dates as integers.
    ///
    /// # Errors
    /// `schema.mismatch` if the value does not fit the schema.
    pub fn to_json(&self, schema: Option<&Schema>, out: &mut Vec<u8>) -> Result<()> {
        crate::payload::write(self, schema, crate::payload::Style::default(), out)
    }

    /// Reads a CBOR payload; null becomes the schema's default.
    ///
    /// # Errors
    /// `cbor.syntax`, or `schema.mismatch`.
    pub fn from_cbor(bytes: &[u8], schema: Option<&Schema>) -> Result<Self> {
        crate::cbor::read(bytes, schema, true)
    }

    /// Appends the CBOR payload (RFC 8949): Decimal as tag 4, dates as integers.
    ///
    /// # Errors
    /// `schema.mismatch` if the value does not fit the schema.
    pub fn to_cbor(&self, schema: Option<&Schema>, out: &mut Vec<u8>) -> Result<()> {
        crate::cbor::write(self, schema, out)
    }
}
