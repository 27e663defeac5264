//! Kafka Connect's schemas: types, logical types and attributes.
//!
//! Enters: attributes, or the `schema` part of the JSON envelope as text. Leaves: an immutable [`Schema`] shared by `Arc`,
//! and that text again, fields in the order in which Kafka writes them. Invariant: field names of a struct are unique and
//! not empty; a Decimal has an integer scale; a default fits its schema.

use std::sync::Arc;

use crate::fault::{DataFault, Result};
use crate::value::Value;

/// The type of a schema.
#[derive(Clone, Debug, PartialEq)]
pub enum Type {
    /// `int8`
    Int8,
    /// `int16`
    Int16,
    /// `int32`
    Int32,
    /// `int64`
    Int64,
    /// `float` in JSON, FLOAT32 in Connect.
    Float32,
    /// `double` in JSON, FLOAT64 in Connect.
    Float64,
    /// `boolean`
    Boolean,
    /// `string`
    String,
    /// `bytes`
    Bytes,
    /// `array`; no element schema where text was parsed and no common type was found.
    Array(Option<Arc<Schema>>),
    /// `map`: key and value schema, absent as for arrays.
    Map(Option<Arc<Schema>>, Option<Arc<Schema>>),
    /// `struct`
    Struct(Vec<Field>),
}

impl Type {
    /// The name in the JSON envelope.
    pub const fn json_name(&self) -> &'static str {
        match self {
            Self::Int8 => "int8",
            Self::Int16 => "int16",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Float32 => "float",
            Self::Float64 => "double",
            Self::Boolean => "boolean",
            Self::String => "string",
            Self::Bytes => "bytes",
            Self::Array(_) => "array",
            Self::Map(..) => "map",
            Self::Struct(_) => "struct",
        }
    }

    /// Connect's name of the type, as it stands in its messages.
    pub const fn connect_name(&self) -> &'static str {
        match self {
            Self::Int8 => "INT8",
            Self::Int16 => "INT16",
            Self::Int32 => "INT32",
            Self::Int64 => "INT64",
            Self::Float32 => "FLOAT32",
            Self::Float64 => "FLOAT64",
            Self::Boolean => "BOOLEAN",
            Self::String => "STRING",
            Self::Bytes => "BYTES",
            Self::Array(_) => "ARRAY",
            Self::Map(..) => "MAP",
            Self::Struct(_) => "STRUCT",
        }
    }
}

/// What a schema's name makes of its type. Recognised by name only, as Kafka Connect does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Logical {
    /// `org.apache.kafka.connect.data.Decimal`: unscaled big-endian two's complement; the scale stands in parameter `scale`.
    Decimal(i32),
    /// `...Date`: days since the epoch.
    Date,
    /// `...Time`: milliseconds since midnight.
    Time,
    /// `...Timestamp`: milliseconds since the epoch.
    Timestamp,
}

/// Name of the Decimal logical type.
pub const DECIMAL: &str = "org.apache.kafka.connect.data.Decimal";
/// Name of the Date logical type.
pub const DATE: &str = "org.apache.kafka.connect.data.Date";
/// Name of the Time logical type.
pub const TIME: &str = "org.apache.kafka.connect.data.Time";
/// Name of the Timestamp logical type.
pub const TIMESTAMP: &str = "org.apache.kafka.connect.data.Timestamp";

/// A field of a struct.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Its name, not empty.
    pub name: String,
    /// Its schema.
    pub schema: Arc<Schema>,
}

/// Attributes of a schema beside its type.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attributes {
    /// Null is allowed.
    pub optional: bool,
    /// Stands for null, also in a required schema.
    pub default: Option<Value>,
    /// Free text; names of logical types live here.
    pub name: Option<String>,
    /// Free number.
    pub version: Option<i32>,
    /// Free text.
    pub doc: Option<String>,
    /// In the order of insertion.
    pub parameters: Vec<(String, String)>,
}

/// A schema. Equality compares all attributes, as Kafka Connect's.
#[derive(Clone, Debug, PartialEq)]
pub struct Schema {
    of: Type,
    attributes: Attributes,
    logical: Option<Logical>,
}

impl Schema {
    /// Checks and builds.
    ///
    /// # Errors
    /// `schema.field` for a struct with empty or repeated field names, `schema.invalid` for a Decimal without an integer scale.
    pub fn new(of: Type, attributes: Attributes) -> Result<Self> {
        if let Type::Struct(fields) = &of {
            check_fields(fields)?;
        }
        let logical = logical(&attributes)?;
        Ok(Self { of, attributes, logical })
    }

    /// A required schema without further attributes.
    pub fn required(of: Type) -> Self {
        Self { of, attributes: Attributes::default(), logical: None }
    }

    /// An optional schema without further attributes.
    pub fn optional(of: Type) -> Self {
        Self { of, attributes: Attributes { optional: true, ..Attributes::default() }, logical: None }
    }

    /// Its type.
    pub fn of(&self) -> &Type {
        &self.of
    }

    /// Everything else that was said of it.
    pub fn attributes(&self) -> &Attributes {
        &self.attributes
    }

    /// The logical type that its name stands for.
    pub fn logical(&self) -> Option<Logical> {
        self.logical
    }

    /// True if null is allowed.
    pub fn is_optional(&self) -> bool {
        self.attributes.optional
    }

    /// The value that stands for null.
    pub fn default_value(&self) -> Option<&Value> {
        self.attributes.default.as_ref()
    }

    /// True if this schema or one inside it satisfies `test`.
    pub fn any(&self, test: &impl Fn(&Self) -> bool) -> bool {
        test(self)
            || match &self.of {
                Type::Array(items) => items.as_ref().is_some_and(|s| s.any(test)),
                Type::Map(k, v) => [k, v].into_iter().flatten().any(|s| s.any(test)),
                Type::Struct(fields) => fields.iter().any(|f| f.schema.any(test)),
                _ => false,
            }
    }

    /// The same schema, not optional.
    ///
    /// # Errors
    /// None for a schema that was built.
    pub fn required_twin(&self) -> Result<Self> {
        Self::new(self.of.clone(), Attributes { optional: false, ..self.attributes.clone() })
    }

    /// Reads the `schema` part of the JSON envelope.
    ///
    /// # Errors
    /// `json.syntax` if the text is not JSON, `schema.invalid` with Kafka Connect's reasons otherwise.
    pub fn parse(text: &str) -> Result<Self> {
        crate::schema_text::parse(text)
    }

    /// The `schema` part of the JSON envelope, compact, keys in the order in which Kafka writes them.
    pub fn to_json(&self) -> String {
        self.written(crate::payload::Style::default())
    }

    /// The same; the style is that of defaults.
    pub(crate) fn written(&self, style: crate::payload::Style) -> String {
        let mut out = Vec::with_capacity(128);
        crate::schema_text::write(self, None, style, &mut out);
        // The writer copies whole strings and ASCII only.
        String::from_utf8(out).unwrap_or_default()
    }
}

fn check_fields(fields: &[Field]) -> Result<()> {
    let mut seen = std::collections::HashSet::with_capacity(fields.len());
    for field in fields {
        if field.name.is_empty() {
            return Err(DataFault::new("schema.field", "fieldName cannot be null."));
        }
        if !seen.insert(field.name.as_str()) {
            let why = format!("Cannot create field because of field name duplication {}", field.name);
            return Err(DataFault::new("schema.field", why));
        }
    }
    Ok(())
}

fn logical(attributes: &Attributes) -> Result<Option<Logical>> {
    Ok(match attributes.name.as_deref() {
        Some(DECIMAL) => {
            let scale = attributes.parameters.iter().rev().find(|(k, _)| k == "scale");
            let scale = scale.ok_or_else(|| DataFault::schema("Invalid Decimal schema: scale parameter not found."))?;
            let scale = scale.1.parse().map_err(|_| {
                DataFault::schema("Invalid scale parameter found in Decimal schema: it must be an integer.")
            })?;
            Some(Logical::Decimal(scale))
        }
        Some(DATE) => Some(Logical::Date),
        Some(TIME) => Some(Logical::Time),
        Some(TIMESTAMP) => Some(Logical::Timestamp),
        _ => None,
    })
}
