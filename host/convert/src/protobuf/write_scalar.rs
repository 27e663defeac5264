//! Single values to the wire: scalars, wrappers, and the messages that stand for logical types.
//!
//! Enters: values. Leaves: their bytes, without a tag. Invariant: a number beyond the field's type is a fault.

use super::plan::Scalar;
use super::wire::{put_delimited, put_tag, put_varint, zigzag};
use crate::decimal::Decimal;
use crate::fault::{DataFault, Result};
use crate::value::Value;

pub(crate) fn wrong(name: &str, value: &Value) -> DataFault {
    DataFault::mismatch(format!("{name}: invalid type {} for its Protobuf field", value.kind()))
}

fn beyond(scalar: Scalar) -> DataFault {
    DataFault::mismatch(format!("number is no {} of Protobuf: it is out of range", scalar.name()))
}

pub(crate) fn is_zero(value: &Value) -> bool {
    match value {
        Value::Boolean(b) => !b,
        Value::Int8(n) => *n == 0,
        Value::Int16(n) => *n == 0,
        Value::Int32(n) => *n == 0,
        Value::Int64(n) => *n == 0,
        Value::Float32(x) => x.to_bits() == 0,
        Value::Float64(x) => x.to_bits() == 0,
        Value::String(text) => text.is_empty(),
        Value::Bytes(bytes) => bytes.is_empty(),
        _ => false,
    }
}

/// A message of numbers: fields 1, 2, ...; zeros are left out.
pub(crate) fn put_numbers(numbers: &[i64], out: &mut Vec<u8>) -> Result<()> {
    put_delimited(out, |out| {
        for (field, n) in (1..).zip(numbers).filter(|(_, n)| **n != 0) {
            put_tag(field, 0, out);
            put_varint(n.cast_unsigned(), out);
        }
        Ok(())
    })
}

pub(crate) fn put_decimal(decimal: &Decimal, out: &mut Vec<u8>) -> Result<()> {
    put_tag(1, 2, out);
    put_delimited(out, |out| {
        out.extend_from_slice(decimal.unscaled());
        Ok::<_, DataFault>(())
    })?;
    let digits = decimal.digits();
    put_tag(2, 0, out);
    put_varint(digits.trim_start_matches('-').len().max(1) as u64, out);
    if decimal.scale() != 0 {
        put_tag(3, 0, out);
        put_varint(i64::from(decimal.scale()).cast_unsigned(), out);
    }
    Ok(())
}

pub(crate) fn wrapped(scalar: Scalar, value: &Value, out: &mut Vec<u8>) -> Result<()> {
    if is_zero(value) {
        return Ok(());
    }
    put_tag(1, scalar.wire_type(), out);
    put_scalar(scalar, value, out)
}

pub(crate) fn put_scalar(scalar: Scalar, value: &Value, out: &mut Vec<u8>) -> Result<()> {
    let n = match (scalar, value) {
        (Scalar::Bool, Value::Boolean(b)) => i64::from(*b),
        (Scalar::Text, Value::String(text)) => {
            put_bytes(text.as_bytes(), out);
            return Ok(());
        }
        (Scalar::Bytes, Value::Bytes(bytes)) => {
            put_bytes(bytes, out);
            return Ok(());
        }
        (Scalar::Float, Value::Float32(x)) => {
            out.extend_from_slice(&x.to_le_bytes());
            return Ok(());
        }
        (Scalar::Double, Value::Float32(x)) => {
            out.extend_from_slice(&f64::from(*x).to_le_bytes());
            return Ok(());
        }
        (Scalar::Double, Value::Float64(x)) => {
            out.extend_from_slice(&x.to_le_bytes());
            return Ok(());
        }
        (Scalar::Float | Scalar::Double | Scalar::Text | Scalar::Bytes | Scalar::Bool, value) => {
            return Err(wrong("a field", value));
        }
        (_, Value::Int8(n)) => i64::from(*n),
        (_, Value::Int16(n)) => i64::from(*n),
        (_, Value::Int32(n)) => i64::from(*n),
        (_, Value::Int64(n)) => *n,
        (_, value) => return Err(wrong("a field", value)),
    };
    put_whole(scalar, n, out)
}

fn put_whole(scalar: Scalar, n: i64, out: &mut Vec<u8>) -> Result<()> {
    let signed = || i32::try_from(n).map_err(|_| beyond(scalar));
    let unsigned = || u32::try_from(n).map_err(|_| beyond(scalar));
    match scalar {
        Scalar::Int32 | Scalar::Number => put_varint(i64::from(signed()?).cast_unsigned(), out),
        Scalar::Sint32 => put_varint(zigzag(i64::from(signed()?)), out),
        Scalar::Uint32 => put_varint(u64::from(unsigned()?), out),
        Scalar::Sfixed32 => out.extend_from_slice(&signed()?.to_le_bytes()),
        Scalar::Fixed32 => out.extend_from_slice(&unsigned()?.to_le_bytes()),
        Scalar::Sint64 => put_varint(zigzag(n), out),
        Scalar::Fixed64 | Scalar::Sfixed64 => out.extend_from_slice(&n.to_le_bytes()),
        // Of uint64 the upper half is negative in Connect, both ways.
        _ => put_varint(n.cast_unsigned(), out),
    }
    Ok(())
}

fn put_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    put_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}
