//! What the declaration of a field says beside its type.
//!
//! Enters: descriptors of fields. Leaves: types, defaults, parameters of meta data. Invariant: what is not declared has
//! Protobuf's own default.

use prost_reflect::{FieldDescriptor, Kind as Type_, MessageDescriptor, Syntax};

use super::plan::{Absent, Kind, Scalar};
use crate::schema::Type;

/// Key and value of a map: by shape, as the registries' own converters recognise one.
pub(crate) fn entry_fields(
    field: &FieldDescriptor,
    message: &MessageDescriptor,
) -> Option<(FieldDescriptor, FieldDescriptor)> {
    let repeated = field.is_list() || field.is_map();
    if !repeated || message.fields().len() != 2 || !message.name().ends_with("Entry") {
        return None;
    }
    let (key, value) = (message.get_field_by_name("key")?, message.get_field_by_name("value")?);
    let first = message.descriptor_proto().field.first().is_some_and(|f| f.name() == "key");
    let single = |f: &FieldDescriptor| !f.is_list() && !f.is_map();
    (first && single(&key) && single(&value)).then_some((key, value))
}

/// The keyword `optional`, in either syntax.
pub(crate) fn optional_keyword(field: &FieldDescriptor) -> bool {
    let declared = field.field_descriptor_proto();
    let proto2 = field.parent_file().syntax() == Syntax::Proto2;
    declared.proto3_optional()
        || proto2
            && declared.label() == prost_reflect::prost_types::field_descriptor_proto::Label::Optional
            && declared.oneof_index.is_none()
}

/// What a field without presence is when it is absent.
pub(crate) fn own_default(field: &FieldDescriptor, kind: &Kind) -> Absent {
    use prost_reflect::Value as V;
    if !matches!(kind, Kind::Scalar(..) | Kind::Enum(_)) || field.is_list() {
        return Absent::Default;
    }
    match field.default_value() {
        V::Bool(b) => Absent::Raw(u64::from(b)),
        V::I32(n) | V::EnumNumber(n) => Absent::Raw(plain_raw(field, i64::from(n))),
        V::I64(n) => Absent::Raw(plain_raw(field, n)),
        V::U32(n) => Absent::Raw(u64::from(n)),
        V::U64(n) => Absent::Raw(n),
        V::F32(x) => Absent::Raw(u64::from(x.to_bits())),
        V::F64(x) => Absent::Raw(x.to_bits()),
        V::String(text) => Absent::Text(text),
        V::Bytes(bytes) => Absent::Bytes(bytes.to_vec()),
        _ => Absent::Default,
    }
}

/// As the wire has it: zig-zag where the type says so.
fn plain_raw(field: &FieldDescriptor, n: i64) -> u64 {
    match field.kind() {
        Type_::Sint32 | Type_::Sint64 => super::wire::zigzag(n),
        _ => n.cast_unsigned(),
    }
}

/// A parameter of `(confluent.field_meta)`.
pub(crate) fn meta(field: &FieldDescriptor, key: &str) -> Option<String> {
    use prost_reflect::{MapKey, Value as V};
    let extension = field.parent_message().parent_pool().get_extension_by_name("confluent.field_meta")?;
    let options = field.options();
    if !options.has_extension(&extension) {
        return None;
    }
    let meta = options.get_extension(&extension);
    let params = meta.as_message()?.get_field_by_name("params")?;
    let V::Map(params) = params.as_ref() else { return None };
    params.get(&MapKey::String(key.to_owned()))?.as_str().map(str::to_owned)
}

pub(crate) fn scalar(kind: &Type_) -> Scalar {
    match kind {
        Type_::Double => Scalar::Double,
        Type_::Float => Scalar::Float,
        Type_::Int32 => Scalar::Int32,
        Type_::Int64 => Scalar::Int64,
        Type_::Uint32 => Scalar::Uint32,
        Type_::Uint64 => Scalar::Uint64,
        Type_::Sint32 => Scalar::Sint32,
        Type_::Sint64 => Scalar::Sint64,
        Type_::Fixed32 => Scalar::Fixed32,
        Type_::Fixed64 => Scalar::Fixed64,
        Type_::Sfixed32 => Scalar::Sfixed32,
        Type_::Sfixed64 => Scalar::Sfixed64,
        Type_::Bool => Scalar::Bool,
        Type_::String => Scalar::Text,
        Type_::Enum(_) => Scalar::Number,
        Type_::Bytes | Type_::Message(_) => Scalar::Bytes,
    }
}

pub(crate) fn connect_type(scalar: Scalar, bits: u8) -> Type {
    match scalar {
        Scalar::Int32 | Scalar::Sint32 | Scalar::Sfixed32 | Scalar::Number => match bits {
            8 => Type::Int8,
            16 => Type::Int16,
            _ => Type::Int32,
        },
        Scalar::Float => Type::Float32,
        Scalar::Double => Type::Float64,
        Scalar::Bool => Type::Boolean,
        Scalar::Text => Type::String,
        Scalar::Bytes => Type::Bytes,
        _ => Type::Int64,
    }
}
