//! Descriptors to Connect's schemas, and the plan by which their data is read.
//!
//! Enters: a message's descriptor and the converter's settings. Leaves: the schema and the plan, made in one walk so that
//! they cannot disagree. Invariant: a message inside itself is unrolled a bounded number of times, since a schema of
//! Connect's JSON form has an end; data deeper than that is a fault of its row, never lost silently.

use std::sync::Arc;

use prost_reflect::{EnumDescriptor, FieldDescriptor, Kind as Type_, MessageDescriptor, OneofDescriptor};

use super::declared::{connect_type, entry_fields, meta, optional_keyword, own_default, scalar};
use super::known;
use super::names::{self, ENUM, GENERAL_ENUM, GENERAL_UNION, TAG, TYPE, UNION, WRAPPER};
use super::options::ProtobufOptions;
use super::plan::{Absent, Kind, Message, Output, Scalar, Slot, Symbols};
use super::wire::DEPTH_MAX;
use crate::emit::Name;
use crate::fault::{DataFault, Result};
use crate::schema::{self, Attributes, Field, Schema, Type};

/// Times that a message may stand inside itself in one schema.
pub(crate) const UNROLLED_MAX: usize = 3;
/// Fields of a schema in all at most.
const FIELDS_MAX: usize = 20_000;

/// A schema with the plan of its data.
#[derive(Debug)]
pub(crate) struct Readable {
    pub(crate) schema: Arc<Schema>,
    pub(crate) root: Root,
}

/// What the message itself becomes.
#[derive(Debug)]
pub(crate) enum Root {
    Message(Arc<Message>),
    Wrapper(Scalar),
}

/// Compiles a message. `version` is the schema's number in its subject, if that was asked for.
///
/// # Errors
/// `schema.invalid` if the schema has more than 20,000 fields or no place in Connect's model.
pub(crate) fn compile(
    message: &MessageDescriptor,
    options: &ProtobufOptions,
    version: Option<i32>,
) -> Result<Readable> {
    if options.wrapper_for_raw_primitives
        && let Some(scalar) = Scalar::wrapped_in(message.full_name())
    {
        let schema = Schema::new(connect_type(scalar, 32), Attributes { version, ..Attributes::default() })?;
        return Ok(Readable { schema: Arc::new(schema), root: Root::Wrapper(scalar) });
    }
    let mut walk = Walk { options, path: Vec::new(), fields: 0 };
    let (of, plan) = walk.message(message)?;
    let attributes = Attributes { name: Some(walk.name(message)), version, ..Attributes::default() };
    Ok(Readable { schema: Arc::new(Schema::new(of, attributes)?), root: Root::Message(Arc::new(plan)) })
}

struct Walk<'a> {
    options: &'a ProtobufOptions,
    /// Full names of the messages around.
    path: Vec<String>,
    fields: usize,
}

/// A field's schema while it is made.
struct Draft {
    of: Type,
    attributes: Attributes,
    kind: Kind,
}

impl Draft {
    fn new(of: Type, kind: Kind) -> Self {
        Self { of, attributes: Attributes::default(), kind }
    }

    fn parameter(&mut self, key: &str, value: String) {
        self.attributes.parameters.retain(|(k, _)| k != key);
        self.attributes.parameters.push((key.to_owned(), value));
    }
}

impl Walk<'_> {
    fn name(&self, message: &MessageDescriptor) -> String {
        if self.options.enhanced { message.full_name() } else { message.name() }.to_owned()
    }

    /// Oneofs first, then the other fields as they were declared.
    fn message(&mut self, message: &MessageDescriptor) -> Result<(Type, Message)> {
        self.path.push(message.full_name().to_owned());
        let (mut fields, mut slots, mut outputs) = (Vec::new(), Vec::new(), Vec::new());
        let oneofs = message.oneofs().filter(|oneof| !oneof.is_synthetic());
        for (index, oneof) in oneofs.enumerate() {
            let (members, first) = (self.members(&oneof, index, &mut slots)?, slots.len() - oneof.fields().len());
            let at = |(n, field): (usize, Field)| (Name::new(&field.name), first + n, field);
            let members: Vec<_> = members.into_iter().enumerate().map(at).collect();
            if self.options.flatten_unions {
                for (name, slot, field) in members {
                    outputs.push(Output::Slot(name, slot));
                    fields.push(field);
                }
                continue;
            }
            let (names, inner): (Vec<_>, Vec<_>) =
                members.into_iter().map(|(name, slot, field)| ((name, slot), field)).unzip();
            let field = self.union(&oneof, index, inner)?;
            outputs.push(Output::Union(Name::new(&field.name), names));
            fields.push(field);
        }
        for declared in &message.descriptor_proto().field {
            let number = u32::try_from(declared.number()).unwrap_or(0);
            let Some(field) = message.get_field(number) else { continue };
            if field.containing_oneof().is_some_and(|oneof| !oneof.is_synthetic()) {
                continue;
            }
            let (schema, slot) = self.field(&field, None)?;
            if !matches!(slot.kind, Kind::Cut) {
                outputs.push(Output::Slot(Name::new(field.name()), slots.len()));
                fields.push(Field { name: field.name().to_owned(), schema: Arc::new(schema) });
            }
            slots.push(slot);
        }
        self.path.pop();
        Ok((Type::Struct(fields), Message::new(slots, outputs)))
    }

    /// Members of a oneof, a slot for each.
    fn members(&mut self, oneof: &OneofDescriptor, index: usize, slots: &mut Vec<Slot>) -> Result<Vec<Field>> {
        let group = u16::try_from(index).map_err(|_| DataFault::schema("Invalid Protobuf schema: too many oneofs"))?;
        let mut members = Vec::new();
        for field in oneof.fields() {
            let (schema, mut slot) = self.field(&field, Some(group))?;
            slot.absent = Absent::Null;
            slots.push(slot);
            members.push(Field { name: field.name().to_owned(), schema: Arc::new(schema) });
        }
        Ok(members)
    }

    fn union(&self, oneof: &OneofDescriptor, index: usize, members: Vec<Field>) -> Result<Field> {
        let mut attributes = Attributes { optional: true, ..Attributes::default() };
        if self.options.generalized_sum_types {
            attributes.name = Some(oneof.name().to_owned());
            attributes.parameters.push((GENERAL_UNION.to_owned(), oneof.name().to_owned()));
        } else {
            let name = if self.options.enhanced { oneof.full_name() } else { oneof.name() };
            attributes.name = Some(format!("{UNION}.{name}"));
        }
        let suffix = if self.options.generate_index_for_unions { format!("_{index}") } else { String::new() };
        let schema = Schema::new(Type::Struct(members), attributes)?;
        Ok(Field { name: format!("{}{suffix}", oneof.name()), schema: Arc::new(schema) })
    }

    fn field(&mut self, field: &FieldDescriptor, oneof: Option<u16>) -> Result<(Schema, Slot)> {
        self.fields += 1;
        if self.fields > FIELDS_MAX {
            return Err(DataFault::schema("the Protobuf schema has more than 20000 fields with its messages unrolled"));
        }
        let mut draft = self.draft(field)?;
        let message = matches!(field.kind(), Type_::Message(_));
        let entry = matches!(draft.kind, Kind::Entry(_));
        if message || matches!(field.kind(), Type_::Enum(_)) {
            draft.attributes.optional = true;
        }
        let repeated = field.is_list() || field.is_map();
        if repeated && !entry {
            draft.attributes.optional = true;
            let items = Schema::new(draft.of, draft.attributes)?;
            let optional = Attributes { optional: true, ..Attributes::default() };
            draft = Draft { of: Type::Array(Some(Arc::new(items))), attributes: optional, kind: draft.kind };
        }
        let keyword = optional_keyword(field);
        if oneof.is_some() {
            draft.attributes.optional = true;
            if matches!(draft.kind, Kind::Wrapper(_)) {
                draft.parameter(WRAPPER, "true".to_owned());
            }
        } else if self.options.optional_for_nullables {
            draft.attributes.optional |= keyword;
        } else if !self.options.wrapper_for_nullables {
            draft.attributes.optional = true;
        }
        draft.parameter(TAG, field.number().to_string());
        let proto3 = field.field_descriptor_proto().proto3_optional();
        let nullable = !repeated && (message || proto3 || keyword && self.options.optional_for_proto2);
        // What may be null has to be optional, whatever else says so: a record would fail by its own schema.
        draft.attributes.optional |= nullable;
        let absent = match &draft.kind {
            _ if nullable && message && self.options.generate_struct_for_nulls => Absent::Default,
            _ if nullable => Absent::Null,
            kind => own_default(field, kind),
        };
        let slot = Slot { number: field.number(), kind: draft.kind, repeated, absent, oneof };
        Ok((Schema::new(draft.of, draft.attributes)?, slot))
    }

    /// One value of the field, before it is repeated or optional.
    fn draft(&mut self, field: &FieldDescriptor) -> Result<Draft> {
        let usual = |scalar: Scalar| matches!(scalar, Scalar::Int32 | Scalar::Int64);
        Ok(match field.kind() {
            Type_::Message(message) => self.inner(field, &message)?,
            Type_::Enum(of) => self.symbols(&of),
            kind => {
                let scalar = scalar(&kind);
                let bits = match scalar {
                    Scalar::Int32 | Scalar::Sint32 | Scalar::Sfixed32 => match meta(field, "connect.type").as_deref() {
                        Some("int8") => 8,
                        Some("int16") => 16,
                        _ => 32,
                    },
                    _ => 64,
                };
                let of = connect_type(scalar, bits);
                let whole = matches!(of, Type::Int32 | Type::Int64);
                let mut draft = Draft::new(of, Kind::Scalar(scalar, bits));
                if whole && !usual(scalar) {
                    draft.parameter(TYPE, scalar.name().to_owned());
                }
                draft
            }
        })
    }

    fn symbols(&self, of: &EnumDescriptor) -> Draft {
        let general = self.options.generalized_sum_types;
        let declared = of.enum_descriptor_proto().value.iter();
        let mut draft = if self.options.int_for_enums {
            Draft::new(Type::Int32, Kind::Scalar(Scalar::Number, 32))
        } else {
            let symbols = Symbols::new(of.name(), declared.map(|v| (v.number(), v.name().to_owned())));
            Draft::new(Type::String, Kind::Enum(Arc::new(symbols)))
        };
        draft.attributes.name = Some(if self.options.enhanced { of.full_name() } else { of.name() }.to_owned());
        let parameter = if general { GENERAL_ENUM } else { ENUM };
        draft.parameter(parameter, of.name().to_owned());
        for value in &of.enum_descriptor_proto().value {
            draft.parameter(&format!("{parameter}.{}", value.name()), value.number().to_string());
        }
        draft
    }

    fn inner(&mut self, field: &FieldDescriptor, message: &MessageDescriptor) -> Result<Draft> {
        let logical = |of, name: &str, kind| {
            let mut draft = Draft::new(of, kind);
            (draft.attributes.name, draft.attributes.version) = (Some(name.to_owned()), Some(1));
            draft
        };
        Ok(match message.full_name() {
            known::DECIMAL => {
                let number = |key| meta(field, key).and_then(|text| text.parse::<i32>().ok());
                let scale = number("scale").unwrap_or(0);
                let mut draft = logical(Type::Bytes, schema::DECIMAL, Kind::Decimal(scale));
                draft.parameter("scale", scale.to_string());
                if let Some(precision) = number("precision") {
                    draft.parameter(names::PRECISION, precision.to_string());
                }
                draft
            }
            known::DATE => logical(Type::Int32, schema::DATE, Kind::Date),
            known::TIME => logical(Type::Int32, schema::TIME, Kind::Time),
            known::TIMESTAMP => logical(Type::Int64, schema::TIMESTAMP, Kind::Timestamp),
            name => {
                if self.options.wrapper_for_nullables
                    && let Some(scalar) = Scalar::wrapped_in(name)
                {
                    return Ok(Draft::new(connect_type(scalar, 32), Kind::Wrapper(scalar)));
                }
                if let Some((key, value)) = entry_fields(field, message) {
                    return self.map(message, &key, &value);
                }
                let inside = self.path.iter().filter(|n| *n == name).count();
                if inside >= UNROLLED_MAX || self.path.len() >= DEPTH_MAX {
                    // Of an element of a list or a map there is nothing to leave out: it becomes a struct without fields.
                    return Ok(Draft::new(Type::Struct(Vec::new()), Kind::Cut));
                }
                let (of, plan) = self.message(message)?;
                let mut draft = Draft::new(of, Kind::Message(Arc::new(plan)));
                draft.attributes.name = Some(self.name(message));
                draft
            }
        })
    }

    fn map(&mut self, entry: &MessageDescriptor, key: &FieldDescriptor, value: &FieldDescriptor) -> Result<Draft> {
        let (key_schema, mut key) = self.field(key, None)?;
        let (value_schema, mut value) = self.field(value, None)?;
        // An entry has both: what is not on the wire is the default, a message without content included.
        for slot in [&mut key, &mut value] {
            if matches!(slot.absent, Absent::Null) {
                slot.absent = Absent::Default;
            }
        }
        let of = Type::Map(Some(Arc::new(key_schema)), Some(Arc::new(value_schema)));
        let plan = Message::new(vec![key, value], Vec::new());
        let mut draft = Draft::new(of, Kind::Entry(Arc::new(plan)));
        let name = if self.options.enhanced { entry.full_name() } else { entry.name() };
        draft.attributes.name = Some(names::map_field(name));
        Ok(draft)
    }
}
