//! Single values of the wire to payloads: scalars, wrappers, and the messages that stand for logical types.
//!
//! Enters: a number or the bytes of a value. Leaves: a scalar of the payload. Invariant: a value beyond its Connect type
//! is a fault.

use super::plan::Scalar;
use super::wire::{Raw, Reader, unzigzag};
use crate::date;
use crate::decimal::Decimal;
use crate::emit::Emit;
use crate::fault::{DataFault, Result};
use crate::payload;

pub(crate) fn content(scalar: Scalar, bytes: &[u8], out: &mut impl Emit) -> Result<()> {
    if scalar == Scalar::Bytes {
        out.bytes(bytes);
        return Ok(());
    }
    let text = std::str::from_utf8(bytes)
        .map_err(|_| DataFault::new("protobuf.utf8", "invalid Protobuf: a string that is not UTF-8"))?;
    out.text(text);
    Ok(())
}

#[expect(clippy::cast_possible_truncation, reason = "32-bit types are the low half of what is on the wire")]
pub(crate) fn number(scalar: Scalar, bits: u8, raw: u64, out: &mut impl Emit) -> Result<()> {
    let n = match scalar {
        Scalar::Bool => {
            out.boolean(raw != 0);
            return Ok(());
        }
        Scalar::Float => {
            out.float32(f32::from_bits(raw as u32));
            return Ok(());
        }
        Scalar::Double => {
            out.float64(f64::from_bits(raw));
            return Ok(());
        }
        Scalar::Int32 | Scalar::Sfixed32 | Scalar::Number => i64::from(raw as i32),
        Scalar::Sint32 => i64::from(unzigzag(u64::from(raw as u32)) as i32),
        Scalar::Uint32 | Scalar::Fixed32 => i64::from(raw as u32),
        Scalar::Sint64 => unzigzag(raw),
        _ => raw.cast_signed(),
    };
    let fits = match bits {
        8 => i8::try_from(n).is_ok(),
        16 => i16::try_from(n).is_ok(),
        _ => true,
    };
    if !fits {
        return Err(DataFault::mismatch(format!("number is no INT{bits}: it is out of range")));
    }
    out.integer(n);
    Ok(())
}

pub(crate) fn wrapper(scalar: Scalar, bytes: &[u8], out: &mut impl Emit) -> Result<()> {
    let [_, value, ..] = small(bytes, scalar.wire_type())?;
    match value {
        Some(Raw::Span(from, to)) => content(scalar, &bytes[from..to], out),
        None if scalar.wire_type() == 2 => content(scalar, &[], out),
        Some(Raw::Number(n)) => number(scalar, 64, n, out),
        None => number(scalar, 64, 0, out),
    }
}

/// Fields 1 to 4 of a small message; the first has the wire type `first`, the others are varints.
fn small(bytes: &[u8], first: u8) -> Result<[Option<Raw>; 5]> {
    let mut fields = [None; 5];
    let mut reader = Reader::new(bytes);
    while !reader.is_done() {
        let (number, wire_type) = reader.tag()?;
        let raw = reader.value(number, wire_type)?;
        let wanted = if number == 1 { first } else { 0 };
        if let (true, Some(slot)) = (wire_type == wanted, fields.get_mut(number as usize)) {
            *slot = Some(raw);
        }
    }
    Ok(fields)
}

fn numbers(bytes: &[u8]) -> Result<[i64; 5]> {
    let number = |raw| if let Some(Raw::Number(n)) = raw { n.cast_signed() } else { 0 };
    Ok(small(bytes, 0)?.map(number))
}

pub(crate) fn decimal(scale: i32, bytes: &[u8], out: &mut impl Emit) -> Result<()> {
    let [_, value, _, own, _] = small(bytes, 2)?;
    let unscaled = if let Some(Raw::Span(from, to)) = value { &bytes[from..to] } else { &[] };
    #[expect(clippy::cast_possible_truncation, reason = "int32 is the low half of its varint")]
    let own = if let Some(Raw::Number(n)) = own { n as i32 } else { 0 };
    // Java's BigInteger takes no empty number; a Decimal that says nothing is zero.
    let unscaled = if unscaled.is_empty() { &[0] } else { unscaled };
    let exact = Decimal::from_bytes(unscaled, own)?.rescaled(scale).ok_or_else(|| payload::scale_mismatch(scale))?;
    out.decimal(&exact);
    Ok(())
}

pub(crate) fn day(bytes: &[u8], out: &mut impl Emit) -> Result<()> {
    let [_, year, month, day, _] = numbers(bytes)?;
    let valid = (1..=9999).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    let days = if valid { date::days(year, month, day) } else { 0 };
    if !valid || date::civil(days) != (year, month, day) {
        return Err(DataFault::mismatch("google.type.Date is no day of the calendar"));
    }
    out.integer(days);
    Ok(())
}

pub(crate) fn clock(bytes: &[u8], out: &mut impl Emit) -> Result<()> {
    let [_, hours, minutes, seconds, nanos] = numbers(bytes)?;
    let valid = (0..24).contains(&hours)
        && (0..60).contains(&minutes)
        && (0..60).contains(&seconds)
        && (0..1_000_000_000).contains(&nanos);
    if !valid {
        return Err(DataFault::mismatch("google.type.TimeOfDay is no time of a day"));
    }
    out.integer(((hours * 60 + minutes) * 60 + seconds) * 1000 + nanos / 1_000_000);
    Ok(())
}

pub(crate) fn instant(bytes: &[u8], out: &mut impl Emit) -> Result<()> {
    let [_, seconds, nanos, ..] = numbers(bytes)?;
    // The years 1 to 9999.
    let valid = (-62_135_596_800..=253_402_300_799).contains(&seconds) && (0..1_000_000_000).contains(&nanos);
    if !valid {
        return Err(DataFault::mismatch("google.protobuf.Timestamp is outside of the years 1 to 9999"));
    }
    out.integer(seconds * 1000 + nanos / 1_000_000);
    Ok(())
}
