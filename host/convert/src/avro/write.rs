//! Values to Avro's binary form.
//!
//! Enters: values of one Connect schema. Leaves: the bytes of one datum. Invariant: which field of the record goes where was
//! decided when the plan was made, by name; a field that the record does not have is its default.

use std::sync::Arc;

use super::AvroOptions;
use super::defaults::{self, count};
use super::draft::{is_union, symbols};
use super::names;
use super::schema::{Avro, Id, Kind, Node};
use super::to_connect::{is_map_entry, map_entry, member};
use crate::fault::{DataFault, Result};
use crate::registry::Writer;
use crate::schema::{Logical, Schema, Type};
use crate::value::Value;

/// Writes values of one schema.
#[derive(Debug)]
pub(super) struct AvroWriter {
    put: Put,
    /// Bytes alone stand in a topic as they are, without their length.
    bare: bool,
}

/// How a value is written.
#[derive(Debug)]
enum Put {
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Text,
    Bytes,
    Fixed(usize),
    /// Scale; size if fixed.
    Decimal(i32, Option<usize>),
    Symbol(Vec<String>),
    List(Box<Put>),
    TextMap(Box<Put>),
    Entries(Box<Put>, Box<Put>),
    Record(Vec<Source>),
    /// One branch of a union, or null.
    Branch {
        null: Option<i64>,
        some: i64,
        of: Box<Put>,
    },
    /// A struct with one field for each branch: number of the branch, in the order of the fields.
    Union {
        null: Option<i64>,
        fields: Vec<(i64, Put)>,
    },
    Anything,
}

/// Where a field of an Avro record comes from.
#[derive(Debug)]
enum Source {
    Field(usize, Put),
    Default(Vec<u8>),
}

impl AvroWriter {
    pub(super) fn new(schema: Option<&Arc<Schema>>, avro: &Avro, options: AvroOptions) -> Result<Self> {
        let put = Fitting { avro, options }.put(schema.map(AsRef::as_ref), avro.root)?;
        let bare = matches!(put, Put::Bytes | Put::Decimal(_, None));
        Ok(Self { put, bare })
    }
}

impl Writer for AvroWriter {
    fn write(&mut self, value: &Value, out: &mut Vec<u8>) -> Result<()> {
        if self.bare {
            let mut framed = Vec::new();
            self.put.bytes(value, &mut framed)?;
            out.append(&mut framed);
            return Ok(());
        }
        self.put.write(value, out)
    }
}

struct Fitting<'a> {
    avro: &'a Avro,
    options: AvroOptions,
}

impl Fitting<'_> {
    fn put(&self, schema: Option<&Schema>, id: Id) -> Result<Put> {
        let node = self.avro.node(id);
        let Some(schema) = schema else {
            let is_anything = node.name.as_deref() == Some(names::ANYTHING);
            return if is_anything { Ok(Put::Anything) } else { Err(unfit("data without a schema", node)) };
        };
        if let Kind::Union(branches) = &node.kind {
            return self.union(schema, branches, node);
        }
        let wrong = || unfit(schema.of().connect_name(), node);
        let boxed = |schema: Option<&Arc<Schema>>, id| self.put(schema.map(AsRef::as_ref), id).map(Box::new);
        Ok(match (schema.of(), &node.kind) {
            (Type::Boolean, Kind::Boolean) => Put::Boolean,
            (Type::Int8 | Type::Int16 | Type::Int32, Kind::Int) => Put::Int,
            (Type::Int8 | Type::Int16 | Type::Int32 | Type::Int64, Kind::Long) => Put::Long,
            (Type::Float32, Kind::Float) => Put::Float,
            (Type::Float32 | Type::Float64, Kind::Double) => Put::Double,
            (Type::String, Kind::String) => Put::Text,
            (Type::String, Kind::Enum(symbols)) => Put::Symbol(symbols.clone()),
            (Type::Bytes, Kind::Bytes) => match schema.logical() {
                Some(Logical::Decimal(scale)) => Put::Decimal(scale, None),
                _ => Put::Bytes,
            },
            (Type::Bytes, Kind::Fixed(size)) => match schema.logical() {
                Some(Logical::Decimal(scale)) => Put::Decimal(scale, Some(*size)),
                _ => Put::Fixed(*size),
            },
            (Type::Map(keys, values), Kind::Array(of)) if is_map_entry(self.avro.node(*of)) => {
                let (key, value) = map_entry(self.avro.node(*of))?;
                Put::Entries(boxed(keys.as_ref(), key)?, boxed(values.as_ref(), value)?)
            }
            (Type::Array(items), Kind::Array(of)) => Put::List(boxed(items.as_ref(), *of)?),
            (Type::Map(Some(keys), values), Kind::Map(of)) if *keys.of() == Type::String => {
                Put::TextMap(boxed(values.as_ref(), *of)?)
            }
            (Type::Struct(own), Kind::Record(fields)) if !is_union(schema) => Put::Record(self.record(own, fields)?),
            _ => return Err(wrong()),
        })
    }

    fn record(&self, own: &[crate::schema::Field], fields: &[super::schema::Field]) -> Result<Vec<Source>> {
        let is_named = |own: &crate::schema::Field, name: &str| {
            own.name == name || (self.options.scrub && names::scrub(&own.name) == name)
        };
        let source = |field: &super::schema::Field| {
            if let Some(at) = own.iter().position(|own| is_named(own, &field.name)) {
                return Ok(Source::Field(at, self.put(Some(&own[at].schema), field.of)?));
            }
            let Some(default) = &field.default else {
                let why = format!("the registered schema wants field {}, which the record does not have", field.name);
                return Err(DataFault::new("registry.incompatible", why));
            };
            let mut bytes = Vec::new();
            defaults::encode(self.avro, field.of, default, &mut bytes)?;
            Ok(Source::Default(bytes))
        };
        fields.iter().map(source).collect()
    }

    fn union(&self, schema: &Schema, branches: &[Id], node: &Node) -> Result<Put> {
        let kind = |id: &Id| &self.avro.node(*id).kind;
        let null = branches.iter().position(|id| matches!(kind(id), Kind::Null));
        let null = null.and_then(|at| i64::try_from(at).ok());
        let others = || branches.iter().enumerate().filter(|(_, id)| !matches!(kind(id), Kind::Null));
        let number = |at: usize| i64::try_from(at).unwrap_or(i64::MAX);
        if let (true, Type::Struct(own)) = (is_union(schema), schema.of()) {
            let mut fields = Vec::with_capacity(own.len());
            for (index, field) in own.iter().enumerate() {
                let named = others().enumerate().find(|(nth, (_, id))| {
                    let node = self.avro.node(**id);
                    field.name == member(node, *nth, self.options) || (*nth == index && self.fits(&field.schema, **id))
                });
                let (_, (at, id)) = named.ok_or_else(|| unfit(&format!("field {} of a union", field.name), node))?;
                fields.push((number(at), self.put(Some(&field.schema), *id)?));
            }
            return Ok(Put::Union { null, fields });
        }
        // The branch of the same name comes first, then the first one that fits.
        let name = symbols(schema, self.options).map(|(name, _)| name).or(schema.attributes().name.as_deref());
        let is_named = |id: Id| self.avro.node(id).name.as_deref().is_some_and(|found| Some(found) == name);
        let mut candidates: Vec<(usize, Id)> = others().map(|(at, id)| (at, *id)).collect();
        candidates.sort_by_key(|(_, id)| !is_named(*id));
        let mut why = unfit(schema.of().connect_name(), node);
        for (at, id) in candidates {
            match self.put(Some(schema), id) {
                Ok(of) => return Ok(Put::Branch { null, some: number(at), of: Box::new(of) }),
                Err(fault) => why = fault,
            }
        }
        Err(why)
    }

    fn fits(&self, schema: &Schema, id: Id) -> bool {
        self.put(Some(schema), id).is_ok()
    }
}

fn unfit(what: &str, node: &Node) -> DataFault {
    let why = format!("{what} cannot be written as Avro type {} of the registered schema", node.kind.name());
    DataFault::new("registry.incompatible", why)
}

fn invalid(value: &Value, wanted: &str) -> DataFault {
    DataFault::mismatch(format!("Invalid type for {wanted}: {}", value.kind()))
}

impl Put {
    fn write(&self, value: &Value, out: &mut Vec<u8>) -> Result<()> {
        match (self, value) {
            (Self::Boolean, Value::Boolean(b)) => out.push(u8::from(*b)),
            (Self::Int | Self::Long, value) => long(whole(value)?, out),
            (Self::Float, Value::Float32(x)) => out.extend(x.to_le_bytes()),
            (Self::Double, Value::Float32(x)) => out.extend(f64::from(*x).to_le_bytes()),
            (Self::Double, Value::Float64(x)) => out.extend(x.to_le_bytes()),
            (Self::Text, Value::String(value)) => text(value.as_bytes(), out),
            (Self::Bytes | Self::Decimal(_, None), value) => {
                let mut bytes = Vec::new();
                self.bytes(value, &mut bytes)?;
                text(&bytes, out);
            }
            (Self::Fixed(_) | Self::Decimal(_, Some(_)), value) => self.bytes(value, out)?,
            (Self::Symbol(symbols), Value::String(symbol)) => {
                let at = symbols.iter().position(|known| known == symbol).and_then(|at| i64::try_from(at).ok());
                long(at.ok_or_else(|| DataFault::mismatch("the text is no symbol of the enum"))?, out);
            }
            (Self::List(of), Value::Array(items)) => {
                count(items.len(), out);
                items.iter().try_for_each(|item| of.write(item, out))?;
                out.push(0);
            }
            (Self::TextMap(_) | Self::Entries(..), Value::Map(entries)) => self.entries(entries, out)?,
            (Self::Record(sources), Value::Struct(values)) => {
                for source in sources {
                    match source {
                        // The plan was made for the schema that gave the value its fields.
                        Source::Field(at, put) => put.write(values.get(*at).unwrap_or(&Value::Null), out)?,
                        Source::Default(bytes) => out.extend_from_slice(bytes),
                    }
                }
            }
            (Self::Branch { null, .. } | Self::Union { null, .. }, Value::Null) => long(null.ok_or_else(no_null)?, out),
            (Self::Branch { some, of, .. }, value) => {
                long(*some, out);
                of.write(value, out)?;
            }
            (Self::Union { null, fields }, Value::Struct(values)) => {
                let set = fields.iter().zip(values).find(|(_, value)| **value != Value::Null);
                match set {
                    Some(((branch, put), value)) => {
                        long(*branch, out);
                        put.write(value, out)?;
                    }
                    None => long(null.ok_or_else(no_null)?, out),
                }
            }
            (Self::Anything, value) => anything(value, out)?,
            (_, Value::Null) => return Err(no_null()),
            (put, value) => return Err(invalid(value, put.name())),
        }
        Ok(())
    }

    /// A map: Avro's own, or an array of records.
    fn entries(&self, entries: &[(Value, Value)], out: &mut Vec<u8>) -> Result<()> {
        count(entries.len(), out);
        for (k, v) in entries {
            match (self, k) {
                (Self::TextMap(of), Value::String(key)) => {
                    text(key.as_bytes(), out);
                    of.write(v, out)?;
                }
                (Self::Entries(key, value), k) => {
                    key.write(k, out)?;
                    value.write(v, out)?;
                }
                (_, k) => return Err(invalid(k, "a key of an Avro map")),
            }
        }
        out.push(0);
        Ok(())
    }

    /// The bytes themselves, without their length.
    fn bytes(&self, value: &Value, out: &mut Vec<u8>) -> Result<()> {
        let (size, fill, bytes) = match (self, value) {
            (Self::Bytes, Value::Bytes(bytes)) => (None, 0, bytes.as_slice()),
            (Self::Fixed(size), Value::Bytes(bytes)) if bytes.len() == *size => (None, 0, bytes.as_slice()),
            (Self::Fixed(_), Value::Bytes(_)) => {
                return Err(DataFault::mismatch("the bytes do not have the size of the fixed type"));
            }
            (Self::Decimal(scale, size), Value::Decimal(decimal)) => {
                if decimal.scale() != *scale {
                    return Err(crate::payload::scale_mismatch(*scale));
                }
                (*size, if decimal.is_negative() { 0xff } else { 0 }, decimal.unscaled())
            }
            (_, Value::Null) => return Err(no_null()),
            (put, value) => return Err(invalid(value, put.name())),
        };
        if let Some(size) = size {
            let missing = size.checked_sub(bytes.len());
            let missing = missing.ok_or_else(|| DataFault::mismatch("the decimal does not fit the fixed type"))?;
            // The sign goes on to the left.
            out.extend(std::iter::repeat_n(fill, missing));
        }
        out.extend_from_slice(bytes);
        Ok(())
    }

    const fn name(&self) -> &'static str {
        match self {
            Self::Boolean => "BOOLEAN",
            Self::Int => "INT32",
            Self::Long => "INT64",
            Self::Float => "FLOAT32",
            Self::Double => "FLOAT64",
            Self::Text | Self::Symbol(_) => "STRING",
            Self::Bytes | Self::Fixed(_) | Self::Decimal(..) => "BYTES",
            Self::List(_) => "ARRAY",
            Self::TextMap(_) | Self::Entries(..) => "MAP",
            Self::Record(_) | Self::Union { .. } | Self::Branch { .. } | Self::Anything => "STRUCT",
        }
    }
}

fn no_null() -> DataFault {
    DataFault::mismatch("Found null value for non-optional schema")
}

fn whole(value: &Value) -> Result<i64> {
    Ok(match value {
        Value::Int8(n) => i64::from(*n),
        Value::Int16(n) => i64::from(*n),
        Value::Int32(n) | Value::Date(n) | Value::Time(n) => i64::from(*n),
        Value::Int64(n) | Value::Timestamp(n) => *n,
        Value::Null => return Err(no_null()),
        value => return Err(invalid(value, "an integer")),
    })
}

/// Data without a schema: nine fields, one of them set.
fn anything(value: &Value, out: &mut Vec<u8>) -> Result<()> {
    const FIELDS: usize = 9;
    let at = match value {
        Value::Null => FIELDS,
        Value::Boolean(_) => 0,
        Value::Bytes(_) => 1,
        Value::Float64(_) => 2,
        Value::Float32(_) => 3,
        Value::Int8(_) | Value::Int16(_) | Value::Int32(_) => 4,
        Value::Int64(_) => 5,
        Value::String(_) => 6,
        Value::Array(_) => 7,
        Value::Map(_) => 8,
        value => return Err(DataFault::mismatch(format!("Unknown type for schemaless data: {}", value.kind()))),
    };
    out.extend(std::iter::repeat_n(0, at.min(FIELDS)));
    if at == FIELDS {
        return Ok(());
    }
    long(1, out);
    match value {
        Value::Boolean(b) => out.push(u8::from(*b)),
        Value::Bytes(bytes) => text(bytes, out),
        Value::Float64(x) => out.extend(x.to_le_bytes()),
        Value::Float32(x) => out.extend(x.to_le_bytes()),
        Value::String(value) => text(value.as_bytes(), out),
        Value::Array(items) => {
            count(items.len(), out);
            items.iter().try_for_each(|item| anything(item, out))?;
            out.push(0);
        }
        Value::Map(entries) => {
            count(entries.len(), out);
            for (key, value) in entries {
                anything(key, out)?;
                anything(value, out)?;
            }
            out.push(0);
        }
        value => long(whole(value)?, out),
    }
    out.extend(std::iter::repeat_n(0, FIELDS - 1 - at));
    Ok(())
}

/// A zig-zag number.
pub(super) fn long(number: i64, out: &mut Vec<u8>) {
    let mut raw = (number << 1 ^ number >> 63).cast_unsigned();
    while raw >= 0x80 {
        out.push((raw & 0x7f) as u8 | 0x80);
        raw >>= 7;
    }
    out.push((raw & 0x7f) as u8);
}

/// A length and its bytes.
pub(super) fn text(bytes: &[u8], out: &mut Vec<u8>) {
    long(i64::try_from(bytes.len()).unwrap_or(i64::MAX), out);
    out.extend_from_slice(bytes);
}
