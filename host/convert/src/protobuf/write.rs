//! Values to wire bytes, by a plan made from the Connect schema and the registered message.
//!
//! Enters: a value that fits its Connect schema. Leaves: the message. Invariant: fields are written in the order of their
//! numbers; a number beyond the field's type is a fault, never cut off.

use std::collections::HashMap;

use prost_reflect::{EnumDescriptor, FieldDescriptor, Kind as Type_, MessageDescriptor};

use super::declared::scalar;
use super::from_connect::{is_union, parameter};
use super::known;
use super::names::{self, ENUM, GENERAL_ENUM};
use super::options::ProtobufOptions;
use super::plan::Scalar;
use super::wire::{put_delimited, put_tag, put_varint};
use super::write_scalar::{is_zero, put_decimal, put_numbers, put_scalar, wrapped, wrong};
use crate::date;
use crate::fault::{DataFault, Result};
use crate::schema::{Logical, Schema, Type};
use crate::value::Value;

/// The plan of a root.
#[derive(Debug)]
pub(crate) enum Writable {
    Message(Plan),
    Wrapper(Scalar),
}

/// The plan of a struct.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// By number.
    fields: Vec<Planned>,
    /// Fields of the struct that are oneofs.
    unions: Vec<usize>,
}

#[derive(Debug)]
struct Planned {
    name: String,
    number: u32,
    /// Index in the struct, and in the oneof's struct.
    index: usize,
    member: Option<usize>,
    kind: Kind,
    repeated: bool,
    packed: bool,
    /// Zero is not written.
    implicit: bool,
}

#[derive(Debug)]
enum Kind {
    Scalar(Scalar),
    /// Numbers by symbol, and the enum's name.
    Enum(HashMap<String, i32>, String),
    Message(Plan),
    Wrapper(Scalar),
    Decimal,
    Date,
    Time,
    Timestamp,
    Entry(Box<(Kind, Kind)>),
}

/// Matches a schema with a message, by the names of fields.
///
/// # Errors
/// `schema.invalid` if the message lacks a field or has it with a type that cannot hold the schema's.
pub(crate) fn compile(schema: &Schema, message: &MessageDescriptor, options: &ProtobufOptions) -> Result<Writable> {
    match (schema.of(), Scalar::wrapped_in(message.full_name())) {
        (Type::Struct(_), _) => plan(schema, message, options).map(Writable::Message),
        (of, Some(scalar)) if holds(scalar, of) => Ok(Writable::Wrapper(scalar)),
        (of, _) => Err(no_place("the value", of, message.full_name())),
    }
}

impl Writable {
    /// Appends the message of a value that is not null.
    ///
    /// # Errors
    /// `schema.mismatch` if a value is beyond its field's type, or a oneof has nothing set.
    pub(crate) fn write(&self, value: &Value, out: &mut Vec<u8>) -> Result<()> {
        match (self, value) {
            (Self::Message(plan), Value::Struct(values)) => plan.write(values, out),
            (Self::Wrapper(scalar), value) => wrapped(*scalar, value, out),
            (Self::Message(_), value) => Err(wrong("the value", value)),
        }
    }
}

fn no_place(name: &str, of: &Type, found: &str) -> DataFault {
    DataFault::schema(format!("{name}: {} has no place in the registered Protobuf type {found}", of.connect_name()))
}

fn plan(schema: &Schema, message: &MessageDescriptor, options: &ProtobufOptions) -> Result<Plan> {
    let Type::Struct(fields) = schema.of() else { return Err(no_place("the value", schema.of(), message.full_name())) };
    let mut plan = Plan::default();
    for (index, field) in fields.iter().enumerate() {
        if let (true, Type::Struct(members)) = (is_union(&field.schema), field.schema.of()) {
            plan.unions.push(index);
            for (at, member) in members.iter().enumerate() {
                let planned = planned(&member.name, &member.schema, (index, Some(at)), message, options)?;
                plan.fields.push(planned);
            }
            continue;
        }
        plan.fields.push(planned(&field.name, &field.schema, (index, None), message, options)?);
    }
    plan.fields.sort_by_key(|field| field.number);
    Ok(plan)
}

fn planned(
    name: &str,
    schema: &Schema,
    (index, member): (usize, Option<usize>),
    message: &MessageDescriptor,
    options: &ProtobufOptions,
) -> Result<Planned> {
    let scrubbed = if options.scrub_invalid_names { names::scrubbed(name) } else { name.to_owned() };
    let field = message.get_field_by_name(&scrubbed).ok_or_else(|| {
        DataFault::schema(format!(
            "Cannot find field with name {scrubbed} in the Protobuf message {}",
            message.full_name()
        ))
    })?;
    let (one, repeated) = match schema.of() {
        Type::Array(Some(items)) if schema.logical().is_none() => (items.as_ref(), true),
        Type::Map(..) => (schema, true),
        _ => (schema, false),
    };
    if repeated != (field.is_list() || field.is_map()) {
        return Err(no_place(name, schema.of(), "of another cardinality"));
    }
    let kind = kind(name, one, &field, options)?;
    let implicit = !repeated && !field.supports_presence();
    let packed = field.is_packed() && matches!(kind, Kind::Scalar(_) | Kind::Enum(..));
    Ok(Planned { name: name.to_owned(), number: field.number(), index, member, kind, repeated, packed, implicit })
}

fn kind(name: &str, schema: &Schema, field: &FieldDescriptor, options: &ProtobufOptions) -> Result<Kind> {
    let found = match field.kind() {
        Type_::Message(message) => message,
        Type_::Enum(of) if matches!(schema.of(), Type::String) => return Ok(symbols(schema, &of, options)),
        kind => {
            let scalar = scalar(&kind);
            let fits = holds(scalar, schema.of()) && schema.logical().is_none();
            return if fits { Ok(Kind::Scalar(scalar)) } else { Err(no_place(name, schema.of(), scalar.name())) };
        }
    };
    match (schema.logical(), schema.of(), found.full_name()) {
        (Some(Logical::Decimal(_)), _, known::DECIMAL) => Ok(Kind::Decimal),
        (Some(Logical::Date), _, known::DATE) => Ok(Kind::Date),
        (Some(Logical::Time), _, known::TIME) => Ok(Kind::Time),
        (Some(Logical::Timestamp), _, known::TIMESTAMP) => Ok(Kind::Timestamp),
        (None, Type::Map(Some(keys), Some(values)), _) => {
            let inside =
                |n: &str| found.get_field_by_name(n).ok_or_else(|| no_place(name, schema.of(), found.full_name()));
            let (key, value) = (inside("key")?, inside("value")?);
            Ok(Kind::Entry(Box::new((kind(name, keys, &key, options)?, kind(name, values, &value, options)?))))
        }
        (None, Type::Struct(_), _) => plan(schema, &found, options).map(Kind::Message),
        (None, of, full) => match Scalar::wrapped_in(full) {
            Some(scalar) if holds(scalar, of) => Ok(Kind::Wrapper(scalar)),
            _ => Err(no_place(name, of, full)),
        },
        (_, of, full) => Err(no_place(name, of, full)),
    }
}

/// Numbers of symbols: as the schema's parameters have them, else as the registered enum has them.
fn symbols(schema: &Schema, of: &EnumDescriptor, options: &ProtobufOptions) -> Kind {
    let mut numbers: HashMap<String, i32> = of.values().map(|v| (v.name().to_owned(), v.number())).collect();
    let prefix = if options.generalized_sum_types { GENERAL_ENUM } else { ENUM };
    if parameter(schema, prefix).is_some() {
        for (key, value) in &schema.attributes().parameters {
            let symbol = key.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('.'));
            if let (Some(symbol), Ok(number)) = (symbol, value.parse()) {
                numbers.insert(symbol.to_owned(), number);
            }
        }
    }
    Kind::Enum(numbers, of.name().to_owned())
}

/// True if values of the type can stand in the field, range apart.
fn holds(scalar: Scalar, of: &Type) -> bool {
    match of {
        Type::Boolean => scalar == Scalar::Bool,
        Type::String => scalar == Scalar::Text,
        Type::Bytes => scalar == Scalar::Bytes,
        Type::Float32 => matches!(scalar, Scalar::Float | Scalar::Double),
        Type::Float64 => scalar == Scalar::Double,
        Type::Int8 | Type::Int16 | Type::Int32 | Type::Int64 => {
            !matches!(scalar, Scalar::Bool | Scalar::Text | Scalar::Bytes | Scalar::Float | Scalar::Double)
        }
        Type::Array(_) | Type::Map(..) | Type::Struct(_) => false,
    }
}

impl Plan {
    fn write(&self, values: &[Value], out: &mut Vec<u8>) -> Result<()> {
        for union in &self.unions {
            if let Some(Value::Struct(members)) = values.get(*union)
                && members.iter().all(|m| *m == Value::Null)
            {
                return Err(DataFault::mismatch("Cannot find non-null field: a oneof's struct has nothing set"));
            }
        }
        for field in &self.fields {
            let Some(value) = values.get(field.index) else { continue };
            let value = match (field.member, value) {
                (None, value) => value,
                (Some(at), Value::Struct(members)) => {
                    // Of several that are set the first counts.
                    if members.iter().position(|m| *m != Value::Null) != Some(at) {
                        continue;
                    }
                    &members[at]
                }
                (Some(_), _) => continue,
            };
            field.write(value, out)?;
        }
        Ok(())
    }
}

impl Planned {
    fn write(&self, value: &Value, out: &mut Vec<u8>) -> Result<()> {
        match value {
            Value::Null => Ok(()),
            Value::Array(items) if self.repeated && self.packed => {
                if items.is_empty() {
                    return Ok(());
                }
                put_tag(self.number, 2, out);
                put_delimited(out, |out| items.iter().try_for_each(|item| self.kind.bare(&self.name, item, out)))
            }
            Value::Array(items) if self.repeated => {
                items.iter().try_for_each(|item| self.kind.tagged(&self.name, self.number, item, out))
            }
            Value::Map(entries) => match &self.kind {
                Kind::Entry(kinds) => entries.iter().try_for_each(|(key, value)| {
                    put_tag(self.number, 2, out);
                    put_delimited(out, |out| {
                        for (number, kind, value) in [(1, &kinds.0, key), (2, &kinds.1, value)] {
                            if *value != Value::Null {
                                kind.tagged(&self.name, number, value, out)?;
                            }
                        }
                        Ok(())
                    })
                }),
                _ => Err(wrong(&self.name, value)),
            },
            value if self.implicit && self.kind.is_zero(value) => Ok(()),
            value => self.kind.tagged(&self.name, self.number, value, out),
        }
    }
}

impl Kind {
    fn is_zero(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Enum(numbers, _), Value::String(symbol)) => numbers.get(symbol) == Some(&0),
            _ => is_zero(value),
        }
    }

    fn tagged(&self, name: &str, number: u32, value: &Value, out: &mut Vec<u8>) -> Result<()> {
        let wire_type = match self {
            Self::Scalar(scalar) => scalar.wire_type(),
            Self::Enum(..) => 0,
            _ => 2,
        };
        put_tag(number, wire_type, out);
        self.bare(name, value, out)
    }

    /// The value without its tag, a length before it where there is one.
    fn bare(&self, name: &str, value: &Value, out: &mut Vec<u8>) -> Result<()> {
        match (self, value) {
            (Self::Scalar(scalar), value) => put_scalar(*scalar, value, out),
            (Self::Enum(numbers, of), Value::String(symbol)) => {
                let number = numbers.get(symbol).copied().or_else(|| {
                    symbol
                        .strip_prefix("UNKNOWN_ENUM_VALUE_")?
                        .strip_prefix(of.as_str())?
                        .strip_prefix('_')?
                        .parse()
                        .ok()
                });
                let number =
                    number.ok_or_else(|| DataFault::mismatch(format!("{name}: no symbol of the enum {of}")))?;
                put_varint(i64::from(number).cast_unsigned(), out);
                Ok(())
            }
            (Self::Message(plan), Value::Struct(values)) => put_delimited(out, |out| plan.write(values, out)),
            (Self::Wrapper(scalar), value) => put_delimited(out, |out| wrapped(*scalar, value, out)),
            (Self::Decimal, Value::Decimal(decimal)) => put_delimited(out, |out| put_decimal(decimal, out)),
            (Self::Date, Value::Date(days)) => {
                let (year, month, day) = date::civil(i64::from(*days));
                put_numbers(&[year, month, day], out)
            }
            (Self::Time, Value::Time(ms)) if (0..crate::payload::DAY_MS).contains(ms) => {
                let ms = i64::from(*ms);
                put_numbers(&[ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60, ms % 1000 * 1_000_000], out)
            }
            (Self::Time, Value::Time(_)) => Err(DataFault::mismatch("google.type.TimeOfDay has no such time of day")),
            (Self::Timestamp, Value::Timestamp(ms)) => {
                put_numbers(&[ms.div_euclid(1000), ms.rem_euclid(1000) * 1_000_000], out)
            }
            (_, value) => Err(wrong(name, value)),
        }
    }
}
