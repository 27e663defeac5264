//! What a reader has to know of a message, compiled once for a schema.
//!
//! Enters: nothing, these are types. Leaves: a [`Message`] for the reader of the wire. Invariant: outputs stand in the
//! order of the struct's fields; slots are found by number without hashing for the numbers that messages use as a rule.

use std::sync::Arc;

use crate::emit::Name;

/// Field numbers below this are found in a table.
const DENSE_MAX: usize = 256;

/// A message type.
#[derive(Debug, Default)]
pub(crate) struct Message {
    pub(crate) slots: Vec<Slot>,
    pub(crate) outputs: Vec<Output>,
    /// By number: index of the slot plus one.
    dense: Vec<u16>,
    /// Numbers beyond, sorted.
    sparse: Vec<(u32, u16)>,
}

/// A field on the wire.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) number: u32,
    pub(crate) kind: Kind,
    pub(crate) repeated: bool,
    pub(crate) absent: Absent,
    /// The fields of one oneof have the same number here.
    pub(crate) oneof: Option<u16>,
}

/// What a field is that the wire does not have.
#[derive(Debug)]
pub(crate) enum Absent {
    /// Null.
    Null,
    /// The default of its type.
    Default,
    /// A default of its own, as proto2 has them.
    Text(String),
    /// Likewise.
    Bytes(Vec<u8>),
    /// Likewise, in the form that a varint or fixed field has on the wire.
    Raw(u64),
}

/// A field of the struct.
#[derive(Debug)]
pub(crate) enum Output {
    /// A field of the message.
    Slot(Name, usize),
    /// A oneof: a struct of its members, or null.
    Union(Name, Vec<(Name, usize)>),
}

/// What a field's value becomes.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// A number, a boolean, text or bytes; integers have so many bits.
    Scalar(Scalar, u8),
    /// A symbol.
    Enum(Arc<Symbols>),
    /// A struct.
    Message(Arc<Message>),
    /// A wrapper message: its value.
    Wrapper(Scalar),
    /// `confluent.type.Decimal` of a schema with this scale.
    Decimal(i32),
    /// `google.type.Date`
    Date,
    /// `google.type.TimeOfDay`
    Time,
    /// `google.protobuf.Timestamp`
    Timestamp,
    /// A map's entry: key in the first slot, value in the second.
    Entry(Arc<Message>),
    /// A message inside itself, deeper than schemas are unrolled.
    Cut,
}

/// Scalar types as they stand on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scalar {
    Int32,
    Int64,
    Uint32,
    Uint64,
    Sint32,
    Sint64,
    Fixed32,
    Fixed64,
    Sfixed32,
    Sfixed64,
    Float,
    Double,
    Bool,
    Text,
    Bytes,
    /// An enum as a number.
    Number,
}

/// An enum's symbols, sorted by number.
#[derive(Debug)]
pub(crate) struct Symbols {
    name: String,
    by_number: Vec<(i32, String)>,
}

impl Message {
    pub(crate) fn new(slots: Vec<Slot>, outputs: Vec<Output>) -> Self {
        let mut message = Self { slots, outputs, ..Self::default() };
        for (index, slot) in message.slots.iter().enumerate() {
            // A message has at most 65,535 fields: the compiler of schemas stops far below.
            let index = u16::try_from(index + 1).unwrap_or(0);
            let number = slot.number as usize;
            if number >= DENSE_MAX {
                message.sparse.push((slot.number, index));
                continue;
            }
            if message.dense.len() <= number {
                message.dense.resize(number + 1, 0);
            }
            message.dense[number] = index;
        }
        message.sparse.sort_unstable();
        message
    }

    /// The slot of a field number.
    pub(crate) fn slot(&self, number: u32) -> Option<usize> {
        let index = if let Some(index) = self.dense.get(number as usize) {
            *index
        } else {
            let at = self.sparse.binary_search_by_key(&number, |(n, _)| *n).ok()?;
            self.sparse[at].1
        };
        usize::from(index).checked_sub(1)
    }
}

impl Scalar {
    /// The wire type of one value.
    pub(crate) const fn wire_type(self) -> u8 {
        match self {
            Self::Fixed64 | Self::Sfixed64 | Self::Double => 1,
            Self::Text | Self::Bytes => 2,
            Self::Fixed32 | Self::Sfixed32 | Self::Float => 5,
            _ => 0,
        }
    }

    /// As `.proto` text calls it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Int32 | Self::Number => "int32",
            Self::Int64 => "int64",
            Self::Uint32 => "uint32",
            Self::Uint64 => "uint64",
            Self::Sint32 => "sint32",
            Self::Sint64 => "sint64",
            Self::Fixed32 => "fixed32",
            Self::Fixed64 => "fixed64",
            Self::Sfixed32 => "sfixed32",
            Self::Sfixed64 => "sfixed64",
            Self::Float => "float",
            Self::Double => "double",
            Self::Bool => "bool",
            Self::Text => "string",
            Self::Bytes => "bytes",
        }
    }

    /// Of the wrapper message of that name, without its package.
    pub(crate) fn wrapped_in(name: &str) -> Option<Self> {
        Some(match name.strip_prefix("google.protobuf.")? {
            "DoubleValue" => Self::Double,
            "FloatValue" => Self::Float,
            "Int64Value" => Self::Int64,
            "UInt64Value" => Self::Uint64,
            "Int32Value" => Self::Int32,
            "UInt32Value" => Self::Uint32,
            "BoolValue" => Self::Bool,
            "StringValue" => Self::Text,
            "BytesValue" => Self::Bytes,
            _ => return None,
        })
    }
}

impl Kind {
    /// The wire type of one value.
    pub(crate) const fn wire_type(&self) -> u8 {
        match self {
            Self::Scalar(scalar, _) => scalar.wire_type(),
            Self::Enum(_) => 0,
            _ => 2,
        }
    }
}

impl Symbols {
    pub(crate) fn new(name: &str, values: impl Iterator<Item = (i32, String)>) -> Self {
        let mut by_number: Vec<_> = values.collect();
        // Stable: of aliases the first stays first.
        by_number.sort_by_key(|(number, _)| *number);
        by_number.dedup_by_key(|(number, _)| *number);
        Self { name: name.to_owned(), by_number }
    }

    /// The symbol of a number, known or not.
    pub(crate) fn symbol(&self, number: i32) -> std::borrow::Cow<'_, str> {
        match self.by_number.binary_search_by_key(&number, |(n, _)| *n) {
            Ok(at) => (&self.by_number[at].1).into(),
            Err(_) => format!("UNKNOWN_ENUM_VALUE_{}_{number}", self.name).into(),
        }
    }
}
