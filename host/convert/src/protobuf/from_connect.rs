//! Connect's schemas to `.proto` text, as `ProtobufConverter` registers them.
//!
//! Enters: a schema and the converter's settings. Leaves: the text and the full name of its message. Invariant: the text
//! parses; what Protobuf cannot say (arrays in arrays, an array or map as the root) is a fault that names it.

use std::collections::{BTreeSet, HashSet};

use super::known;
use super::names::{self, ENUM, GENERAL_ENUM, GENERAL_UNION, PRECISION, TAG, TYPE, UNION, WRAPPER};
use super::options::ProtobufOptions;
use super::print::{Enum, Field, File, Message};
use crate::fault::{DataFault, Result};
use crate::schema::{Logical, Schema, Type};

/// What is to be registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Draft {
    pub(crate) text: String,
    /// Full name of the message that records are.
    pub(crate) message: String,
}

/// Drafts the text of a schema.
///
/// # Errors
/// `schema.invalid` for schemas that Protobuf has no form for.
pub(crate) fn draft(schema: &Schema, options: &ProtobufOptions) -> Result<Draft> {
    let Type::Struct(fields) = schema.of() else {
        let wrapper = wrapper(schema.of()).ok_or_else(|| {
            DataFault::schema(format!("Unsupported root schema of type {} for Protobuf", schema.of().connect_name()))
        })?;
        return Ok(Draft { text: known::WRAPPERS_TEXT.to_owned(), message: wrapper.to_owned() });
    };
    let mut builder = Builder { options, imports: BTreeSet::new(), unnamed: 0 };
    let full = builder.full_name(schema);
    let parts: Vec<String> = full.split('.').map(|part| builder.scrub(part)).collect();
    let (name, package) = parts.split_last().map_or((full.clone(), String::new()), |(n, p)| (n.clone(), p.join(".")));
    let message = builder.message(&name, fields)?;
    let full = if package.is_empty() { name } else { format!("{package}.{name}") };
    let package = (!package.is_empty()).then_some(package);
    let file = File { package, imports: builder.imports, message };
    Ok(Draft { text: file.text(), message: full })
}

/// A oneof's struct.
pub(crate) fn is_union(schema: &Schema) -> bool {
    schema.attributes().name.as_deref().is_some_and(|n| n.starts_with(UNION))
        || parameter(schema, GENERAL_UNION).is_some()
}

/// The last parameter of that key.
pub(crate) fn parameter<'a>(schema: &'a Schema, key: &str) -> Option<&'a str> {
    schema.attributes().parameters.iter().rev().find(|(k, _)| k == key).map(|(_, v)| v.as_str())
}

/// The wrapper message of a type.
fn wrapper(of: &Type) -> Option<&'static str> {
    Some(match of {
        Type::Int8 | Type::Int16 | Type::Int32 => "google.protobuf.Int32Value",
        Type::Int64 => "google.protobuf.Int64Value",
        Type::Float32 => "google.protobuf.FloatValue",
        Type::Float64 => "google.protobuf.DoubleValue",
        Type::Boolean => "google.protobuf.BoolValue",
        Type::String => "google.protobuf.StringValue",
        Type::Bytes => "google.protobuf.BytesValue",
        Type::Array(_) | Type::Map(..) | Type::Struct(_) => return None,
    })
}

struct Builder<'a> {
    options: &'a ProtobufOptions,
    imports: BTreeSet<&'static str>,
    unnamed: u32,
}

/// The numbers that fields of one message have.
struct Numbers {
    taken: HashSet<u32>,
    next: u32,
}

impl Numbers {
    fn of(&mut self, schema: &Schema) -> u32 {
        if let Some(number) = tag(schema) {
            return number;
        }
        while !self.taken.insert(self.next) {
            self.next += 1;
        }
        self.next
    }
}

fn tag(schema: &Schema) -> Option<u32> {
    parameter(schema, TAG)?.parse().ok()
}

impl Builder<'_> {
    fn scrub(&self, name: &str) -> String {
        if self.options.scrub_invalid_names { names::scrubbed(name) } else { name.to_owned() }
    }

    fn full_name(&mut self, schema: &Schema) -> String {
        match schema.attributes().name.as_deref() {
            Some(name) if !name.is_empty() => name.to_owned(),
            _ => {
                self.unnamed += 1;
                format!("{}{}", names::DEFAULT_NAME, self.unnamed)
            }
        }
    }

    fn unqualified(&mut self, schema: &Schema) -> String {
        let full = self.full_name(schema);
        self.scrub(names::unqualified(&full))
    }

    fn message(&mut self, name: &str, fields: &[crate::schema::Field]) -> Result<Message> {
        let mut message = Message {
            name: name.to_owned(),
            fields: Vec::new(),
            oneofs: Vec::new(),
            messages: Vec::new(),
            enums: Vec::new(),
        };
        // A member of a oneof has its number in the message around it.
        let inner = |f: &crate::schema::Field| match f.schema.of() {
            Type::Struct(members) if is_union(&f.schema) => members.iter().filter_map(|m| tag(&m.schema)).collect(),
            _ => Vec::from_iter(tag(&f.schema)),
        };
        let mut numbers = Numbers { taken: fields.iter().flat_map(inner).collect(), next: 1 };
        for field in fields {
            let schema = field.schema.as_ref();
            if let (true, Type::Struct(members)) = (is_union(schema), schema.of()) {
                let union = self.oneof_name(schema);
                let member =
                    |m: &crate::schema::Field| self.field(&mut message, &m.name, &m.schema, &mut numbers, true);
                let members = members.iter().map(member).collect::<Result<_>>()?;
                message.oneofs.push((union, members));
                continue;
            }
            let drafted = self.field(&mut message, &field.name, schema, &mut numbers, false)?;
            message.fields.push(drafted);
        }
        Ok(message)
    }

    fn oneof_name(&mut self, schema: &Schema) -> String {
        if let (true, Some(name)) = (self.options.generalized_sum_types, parameter(schema, GENERAL_UNION)) {
            return name.to_owned();
        }
        let name = schema.attributes().name.as_deref().unwrap_or_default();
        let name = name.strip_prefix(UNION).map_or(name, |rest| rest.trim_start_matches('.'));
        self.scrub(names::unqualified(name))
    }

    fn field(
        &mut self,
        message: &mut Message,
        name: &str,
        schema: &Schema,
        numbers: &mut Numbers,
        member: bool,
    ) -> Result<Field> {
        let name = self.scrub(name);
        let number = numbers.of(schema);
        let mut meta = Vec::new();
        let (label, one) = match schema.of() {
            Type::Array(Some(items)) if matches!(items.of(), Type::Array(_)) => {
                return Err(DataFault::schema(format!("field {name}: Protobuf has no arrays inside arrays")));
            }
            Type::Array(Some(items)) if matches!(items.of(), Type::Map(..)) => {
                return Err(DataFault::schema(format!("field {name}: Protobuf has no maps inside arrays")));
            }
            Type::Array(Some(items)) => ("repeated", items.as_ref()),
            Type::Array(None) => {
                return Err(DataFault::schema(format!("field {name}: the array has no element schema")));
            }
            _ if self.options.optional_for_nullables && schema.is_optional() && !member => ("optional", schema),
            _ => ("", schema),
        };
        if let (None, Type::Map(keys, values)) = (one.logical(), one.of()) {
            let (label, of) = self.map(message, &name, one, keys.as_deref(), values.as_deref())?;
            return Ok(Field { label, of, name, number, meta });
        }
        let of = self.one(message, &name, one, &mut meta, member)?;
        if !meta.is_empty() {
            self.imports.insert(known::META);
        }
        Ok(Field { label, of, name, number, meta })
    }

    /// The type of one value; what it needs is added to the message and to the imports.
    fn one(
        &mut self,
        message: &mut Message,
        field: &str,
        schema: &Schema,
        meta: &mut Vec<(&'static str, String)>,
        member: bool,
    ) -> Result<String> {
        if let Some(logical) = schema.logical() {
            let (of, file) = match logical {
                Logical::Decimal(scale) => {
                    if let Some(precision) = parameter(schema, PRECISION) {
                        meta.push(("precision", precision.to_owned()));
                    }
                    meta.push(("scale", scale.to_string()));
                    (known::DECIMAL, known::DECIMAL_FILE)
                }
                Logical::Date => (known::DATE, known::DATE_FILE),
                Logical::Time => (known::TIME, known::TIME_FILE),
                Logical::Timestamp => (known::TIMESTAMP, known::TIMESTAMP_FILE),
            };
            self.imports.insert(file);
            return Ok(of.to_owned());
        }
        if let Type::Struct(fields) = schema.of() {
            let mut name = self.unqualified(schema);
            if name == field {
                name.push_str("Message");
            }
            return self.nested(message, name, fields);
        }
        if let Some(of) = self.symbols(message, schema) {
            return Ok(of);
        }
        match schema.of() {
            Type::Int8 => meta.push(("connect.type", "int8".to_owned())),
            Type::Int16 => meta.push(("connect.type", "int16".to_owned())),
            _ => {}
        }
        let marked = parameter(schema, WRAPPER) == Some("true");
        if self.options.wrapper_for_nullables && schema.is_optional() && (!member || marked) {
            self.imports.insert(known::WRAPPERS_FILE);
            return Ok(match (schema.of(), parameter(schema, TYPE)) {
                (Type::Int64, Some("uint32" | "fixed32")) => "google.protobuf.UInt32Value",
                (Type::Int64, Some("uint64" | "fixed64")) => "google.protobuf.UInt64Value",
                // All types that hold others were taken before.
                (of, _) => wrapper(of).unwrap_or_default(),
            }
            .to_owned());
        }
        let own = parameter(schema, TYPE).filter(|_| matches!(schema.of(), Type::Int32 | Type::Int64));
        Ok(own.unwrap_or(scalar(schema.of())).to_owned())
    }

    /// A message of the same name and content is there once; another content gets another name.
    fn nested(&mut self, message: &mut Message, name: String, fields: &[crate::schema::Field]) -> Result<String> {
        let mut drafted = self.message(&name, fields)?;
        let mut copy = 1;
        loop {
            match message.messages.iter().find(|m| m.name == drafted.name) {
                None => break,
                Some(other) if format!("{other:?}") == format!("{drafted:?}") => return Ok(drafted.name),
                Some(_) => {
                    copy += 1;
                    drafted.name = format!("{name}{copy}");
                }
            }
        }
        let name = drafted.name.clone();
        message.messages.push(drafted);
        Ok(name)
    }

    /// The enum that a schema's parameters describe.
    fn symbols(&mut self, message: &mut Message, schema: &Schema) -> Option<String> {
        if !matches!(schema.of(), Type::String | Type::Int32) {
            return None;
        }
        let (key, name) = [GENERAL_ENUM, ENUM].into_iter().find_map(|key| Some((key, parameter(schema, key)?)))?;
        let name = self.scrub(names::unqualified(name));
        let symbol = |(k, v): &(String, String)| {
            Some((k.strip_prefix(key)?.strip_prefix('.')?.to_owned(), v.parse::<i32>().ok()?))
        };
        let mut symbols: Vec<_> = schema.attributes().parameters.iter().filter_map(symbol).collect();
        if symbols.is_empty() {
            return None;
        }
        // proto3 wants a zero, and wants it first.
        match symbols.iter().position(|(_, number)| *number == 0) {
            Some(zero) => symbols[..=zero].rotate_right(1),
            None => symbols.insert(0, (format!("{}_UNSPECIFIED", name.to_uppercase()), 0)),
        }
        if !message.enums.iter().any(|e| e.name == name) {
            message.enums.push(Enum { name: name.clone(), symbols });
        }
        Some(name)
    }

    fn map(
        &mut self,
        message: &mut Message,
        field: &str,
        map: &Schema,
        keys: Option<&Schema>,
        values: Option<&Schema>,
    ) -> Result<(&'static str, String)> {
        let own_name = map.attributes().name.clone();
        if own_name.is_none() {
            self.unnamed += 1;
        }
        let (Some(keys), Some(values)) = (keys, values) else {
            return Err(DataFault::schema(format!("field {field}: the map has no schema for its keys or values")));
        };
        if matches!(values.of(), Type::Array(_) | Type::Map(..)) || matches!(keys.of(), Type::Array(_) | Type::Map(..))
        {
            return Err(DataFault::schema(format!("field {field}: Protobuf has no arrays or maps inside maps")));
        }
        let (mut key_meta, mut value_meta) = (Vec::new(), Vec::new());
        let plain = keys.logical().is_none()
            && parameter(keys, ENUM).is_none()
            && parameter(keys, GENERAL_ENUM).is_none()
            && !self.options.wrapper_for_nullables
            && matches!(keys.of(), Type::Int32 | Type::Int64 | Type::Boolean | Type::String);
        if plain {
            let key = self.one(message, "key", keys, &mut key_meta, false)?;
            let value = self.one(message, "value", values, &mut value_meta, false)?;
            if value_meta.is_empty() {
                return Ok(("", format!("map<{key}, {value}>")));
            }
        }
        // An entry spelled out: it says what the short form cannot, and is the same on the wire.
        let name = names::map_entry(field);
        let mut entry = Message {
            name: name.clone(),
            fields: Vec::new(),
            oneofs: Vec::new(),
            messages: Vec::new(),
            enums: Vec::new(),
        };
        for (number, name, schema) in [(1, "key", keys), (2, "value", values)] {
            let mut meta = Vec::new();
            let of = self.one(&mut entry, name, schema, &mut meta, false)?;
            if !meta.is_empty() {
                self.imports.insert(known::META);
            }
            entry.fields.push(Field { label: "", of, name: name.to_owned(), number, meta });
        }
        message.messages.push(entry);
        Ok(("repeated", name))
    }
}

fn scalar(of: &Type) -> &'static str {
    match of {
        Type::Int8 | Type::Int16 | Type::Int32 => "int32",
        Type::Int64 => "int64",
        Type::Float32 => "float",
        Type::Float64 => "double",
        Type::Boolean => "bool",
        Type::String => "string",
        Type::Bytes | Type::Array(_) | Type::Map(..) | Type::Struct(_) => "bytes",
    }
}
