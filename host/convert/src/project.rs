//! A value of one schema as a value of another, as Kafka Connect's `SchemaProjector` does it.
//!
//! Enters: a value with its schema, and the schema that is wanted. Leaves: the value by that schema. Invariant: only what
//! widens is converted; version and doc are not compared; a field that the target lacks is dropped, one that the source lacks
//! must be optional or have a default there.

use crate::fault::{DataFault, Result};
use crate::schema::{Field, Schema, Type};
use crate::value::Value;

/// Projects a value.
///
/// # Errors
/// `schema.projection` if types, names or parameters differ, or the target requires what the source may lack.
pub fn project(value: &Value, source: &Schema, target: &Schema) -> Result<Value> {
    let optional = source.is_optional() && !target.is_optional();
    if optional && target.default_value().is_none() {
        return Err(fault("Writer schema is optional, however, target schema does not provide a default value."));
    }
    comparable(source, target)?;
    match (value, target.default_value()) {
        (Value::Null, Some(default)) if optional => Ok(default.clone()),
        (Value::Null, _) => Ok(Value::Null),
        (value, _) => required(value, source, target),
    }
}

fn fault(message: impl Into<String>) -> DataFault {
    DataFault::new("schema.projection", message)
}

fn comparable(source: &Schema, target: &Schema) -> Result<()> {
    let (from, to) = (source.of(), target.of());
    let promotable = matches!((rank(from), rank(to)), (Some(from), Some(to)) if from <= to);
    if !promotable && from.connect_name() != to.connect_name() {
        let (from, to) = (from.connect_name(), to.connect_name());
        return Err(fault(format!("Schema type mismatch. source type: {from} and target type: {to}")));
    }
    if source.attributes().name != target.attributes().name {
        return Err(fault("Schema name mismatch."));
    }
    let sorted = |schema: &Schema| {
        let mut parameters = schema.attributes().parameters.clone();
        parameters.sort_unstable();
        parameters
    };
    if sorted(source) != sorted(target) {
        return Err(fault("Schema parameters not equal."));
    }
    Ok(())
}

/// Numbers, each of which may become those behind it.
fn rank(of: &Type) -> Option<u8> {
    Some(match of {
        Type::Int8 => 1,
        Type::Int16 => 2,
        Type::Int32 => 3,
        Type::Int64 => 4,
        Type::Float32 => 5,
        Type::Float64 => 6,
        _ => return None,
    })
}

fn required(value: &Value, source: &Schema, target: &Schema) -> Result<Value> {
    match (source.of(), target.of(), value) {
        (Type::Struct(from), Type::Struct(to), Value::Struct(values)) => {
            to.iter().map(|field| of_field(field, from, values)).collect::<Result<_>>().map(Value::Struct)
        }
        (Type::Array(Some(from)), Type::Array(Some(to)), Value::Array(items)) => {
            items.iter().map(|item| project(item, from, to)).collect::<Result<_>>().map(Value::Array)
        }
        (Type::Map(Some(key), Some(value)), Type::Map(Some(to_key), Some(to_value)), Value::Map(entries)) => {
            let entry = |(k, v): &(Value, Value)| Ok((project(k, key, to_key)?, project(v, value, to_value)?));
            entries.iter().map(entry).collect::<Result<_>>().map(Value::Map)
        }
        (from, to, value) if rank(from).is_some() && source.logical().is_none() => Ok(widened(value, to)),
        _ => Ok(value.clone()),
    }
}

fn of_field(field: &Field, from: &[Field], values: &[Value]) -> Result<Value> {
    let found = from.iter().zip(values).find(|(f, _)| f.name == field.name);
    if let Some((source, value)) = found {
        return project(value, &source.schema, &field.schema)
            .map_err(|e| fault(format!("Error projecting {}: {}", field.name, e.message)));
    }
    match field.schema.default_value() {
        Some(default) => Ok(default.clone()),
        None if field.schema.is_optional() => Ok(Value::Null),
        None => Err(fault(format!("Required field `{}` is missing from source schema", field.name))),
    }
}

/// Java's casts: a wide whole number loses bits as a float.
#[expect(clippy::cast_precision_loss, reason = "Java's widening loses the same bits")]
fn widened(value: &Value, to: &Type) -> Value {
    let whole = match value {
        Value::Int8(n) => i64::from(*n),
        Value::Int16(n) => i64::from(*n),
        Value::Int32(n) => i64::from(*n),
        Value::Int64(n) => *n,
        Value::Float32(x) if *to == Type::Float64 => return Value::Float64(f64::from(*x)),
        other => return other.clone(),
    };
    // The target's type is not narrower than the source's.
    match to {
        Type::Int16 => i16::try_from(whole).map_or(Value::Int64(whole), Value::Int16),
        Type::Int32 => i32::try_from(whole).map_or(Value::Int64(whole), Value::Int32),
        Type::Int64 => Value::Int64(whole),
        Type::Float32 => Value::Float32(whole as f32),
        Type::Float64 => Value::Float64(whole as f64),
        _ => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::project;
    use crate::schema::Schema;
    use crate::value::Value;

    fn projected(source: &str, target: &str, payload: &str) -> Result<String, String> {
        let (source, target) = (Schema::parse(source).unwrap(), Schema::parse(target).unwrap());
        let value = Value::from_json(payload.as_bytes(), Some(&source)).unwrap();
        let value = project(&value, &source, &target).map_err(|e| e.message)?;
        let mut out = Vec::new();
        value.to_json(Some(&target), &mut out).unwrap();
        Ok(String::from_utf8(out).unwrap())
    }

    fn of(name: &str) -> String {
        format!("{{\"type\":\"{name}\"}}")
    }

    #[test]
    fn numbers_widen_and_never_narrow() {
        let order = ["int8", "int16", "int32", "int64", "float", "double"];
        for (from, source) in order.iter().enumerate() {
            for (to, target) in order.iter().enumerate() {
                let found = projected(&of(source), &of(target), "7");
                if from <= to {
                    assert_eq!(found.unwrap(), if to < 4 { "7" } else { "7.0" }, "{source} {target}");
                } else {
                    assert!(found.unwrap_err().starts_with("Schema type mismatch"), "{source} {target}");
                }
            }
        }
        assert_eq!(projected(&of("float"), &of("double"), "1.2").unwrap(), "1.2000000476837158");
        assert_eq!(projected(&of("int64"), &of("float"), "16777217").unwrap(), "1.6777216E7");
        assert!(projected(&of("boolean"), &of("string"), "true").is_err());
        assert!(projected(&of("string"), &of("boolean"), "\"x\"").is_err());
    }

    #[test]
    fn name_and_parameters_count_and_version_and_doc_do_not() {
        let with = |more: &str| format!("{{\"type\":\"int32\",{more}}}");
        assert!(projected(&with("\"version\":1,\"doc\":\"a\""), &with("\"version\":2,\"doc\":\"b\""), "1").is_ok());
        assert_eq!(projected(&with("\"name\":\"a\""), &of("int32"), "1").unwrap_err(), "Schema name mismatch.");
        let parameters = with("\"parameters\":{\"a\":\"1\"}");
        assert_eq!(projected(&parameters, &of("int32"), "1").unwrap_err(), "Schema parameters not equal.");
        let (ab, ba) =
            (with("\"parameters\":{\"a\":\"1\",\"b\":\"2\"}"), with("\"parameters\":{\"b\":\"2\",\"a\":\"1\"}"));
        assert!(projected(&ab, &ba, "1").is_ok());
    }

    #[test]
    fn a_required_target_of_an_optional_source_needs_a_default() {
        let optional = "{\"type\":\"int32\",\"optional\":true}";
        assert!(projected(optional, &of("int32"), "1").unwrap_err().contains("does not provide a default value"));
        let default = "{\"type\":\"int32\",\"default\":9}";
        assert_eq!(projected(optional, default, "1").unwrap(), "1");
        assert_eq!(projected(optional, default, "null").unwrap(), "9");
        assert_eq!(
            projected(optional, "{\"type\":\"int64\",\"optional\":true,\"default\":9}", "null").unwrap(),
            "null"
        );
    }

    #[test]
    fn the_fields_of_the_target_drive() {
        let field = |name: &str, rest: &str| format!("{{\"field\":\"{name}\",{rest}}}");
        let of = |fields: &[String]| format!("{{\"type\":\"struct\",\"fields\":[{}]}}", fields.join(","));
        let source = of(&[field("a", "\"type\":\"int8\""), field("extra", "\"type\":\"string\"")]);
        let target = of(&[
            field("b", "\"type\":\"string\",\"default\":\"d\""),
            field("a", "\"type\":\"int64\""),
            field("c", "\"type\":\"string\",\"optional\":true"),
        ]);
        let payload = "{\"a\":1,\"extra\":\"x\"}";
        assert_eq!(projected(&source, &target, payload).unwrap(), "{\"b\":\"d\",\"a\":1,\"c\":null}");
        let strict = of(&[field("z", "\"type\":\"string\"")]);
        assert_eq!(
            projected(&source, &strict, payload).unwrap_err(),
            "Required field `z` is missing from source schema"
        );
        let wrong = of(&[field("a", "\"type\":\"string\"")]);
        assert!(projected(&source, &wrong, payload).unwrap_err().starts_with("Error projecting a: "));
    }

    #[test]
    fn elements_keys_and_values_are_projected_one_by_one() {
        let array = |of: &str| format!("{{\"type\":\"array\",\"items\":{{\"type\":\"{of}\"}}}}");
        assert_eq!(projected(&array("int8"), &array("double"), "[1,2]").unwrap(), "[1.0,2.0]");
        let map = |k: &str, v: &str| {
            format!("{{\"type\":\"map\",\"keys\":{{\"type\":\"{k}\"}},\"values\":{{\"type\":\"{v}\"}}}}")
        };
        assert_eq!(projected(&map("int8", "float"), &map("int16", "double"), "[[1,1.5]]").unwrap(), "[[1,1.5]]");
        assert!(projected(&map("int16", "float"), &map("int8", "double"), "[[1,1.5]]").is_err());
    }
}
