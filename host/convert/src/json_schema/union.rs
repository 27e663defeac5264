//! Which member of a union a JSON value is.
//!
//! Enters: a value and the members' schemas. Leaves: the index of one. Invariant: the first scalar, array or map that the
//! value can be; else the struct that shares most properties with it, counted through its children.

use super::options::{is_any, is_union};
use crate::base64_text;
use crate::json::Json;
use crate::schema::{Field, Schema, Type};

/// The member that a value is, if it is any.
pub(crate) fn member(json: &Json<'_>, members: &[Field]) -> Option<usize> {
    let (mut best, mut most) = (None, 0);
    for (index, member) in members.iter().enumerate() {
        if is(json, &member.schema) {
            return Some(index);
        }
        let shared = shared(json, &member.schema);
        if shared > most {
            (best, most) = (Some(index), shared);
        }
    }
    best
}

fn is(json: &Json<'_>, schema: &Schema) -> bool {
    if is_any(schema) {
        return true;
    }
    match (schema.of(), json) {
        (Type::Int8 | Type::Int16 | Type::Int32 | Type::Int64, Json::Number(text)) => !text.contains(['.', 'e', 'E']),
        (Type::Float32 | Type::Float64, Json::Number(_))
        | (Type::Boolean, Json::Boolean(_))
        | (Type::String, Json::String(_))
        | (Type::Array(_), Json::Array(_))
        | (Type::Map(..), Json::Object(_) | Json::Array(_)) => true,
        (Type::Bytes, Json::String(text)) => base64_text::valid(text),
        (Type::Bytes, Json::Number(_)) => schema.logical().is_some(),
        (Type::Struct(members), json) if is_union(schema) => member(json, members).is_some(),
        // A struct without properties is any object that nothing else is.
        (Type::Struct(fields), Json::Object(given)) => fields.is_empty() && given.is_empty(),
        _ => false,
    }
}

/// Properties that an object has in common with a struct.
fn shared(json: &Json<'_>, schema: &Schema) -> usize {
    let (Type::Struct(fields), Json::Object(_)) = (schema.of(), json) else { return 0 };
    let count = |field: &Field| json.field(&field.name).map_or(0, |inner| 1 + shared(inner, &field.schema));
    fields.iter().map(count).sum()
}
