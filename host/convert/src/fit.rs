//! Does a JSON payload fit its schema as it stands?
//!
//! Enters: a scanner at the payload. Leaves: the scanner behind it, and whether the text may be passed on as it is or has
//! to be rewritten (a default to fill in, a field absent or unknown, `1.0` for an integer). Invariant: no tree is built and
//! nothing is allocated; what fits here is read without a fault by `payload::read`.

use crate::base64_text;
use crate::decimal::Decimal;
use crate::fault::{DataFault, Result};
use crate::payload;
use crate::scan::{Raw, Scanner};
use crate::schema::{Field, Logical, Schema, Type};

/// What is asked of the text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fit {
    /// Null is to become the default.
    pub(crate) replace_null: bool,
    /// Decimals have to be numbers; otherwise they have to be base64.
    pub(crate) numeric: bool,
}

impl Fit {
    /// True if the value at the cursor may stay as it is.
    pub(crate) fn check(self, scanner: &mut Scanner<'_>, schema: Option<&Schema>) -> Result<bool> {
        let Some(schema) = schema else {
            scanner.skip()?;
            return Ok(true);
        };
        let first = scanner.peek();
        if first == b'n' {
            scanner.word()?;
            return self.null(schema);
        }
        if let Some(logical) = schema.logical() {
            return self.logical(scanner, schema, logical, first);
        }
        match (schema.of(), first) {
            (Type::Boolean, b't' | b'f') => scanner.word().map(|_| true),
            (Type::String, b'"') => scanner.string().map(|_| true),
            (Type::Bytes, b'"') => base64(scanner.string()?),
            (Type::Int8 | Type::Int16 | Type::Int32 | Type::Int64, b'-' | b'0'..=b'9') => {
                whole(scanner.number()?, schema.of())
            }
            (Type::Float32 | Type::Float64, b'-' | b'0'..=b'9') => {
                let text = scanner.number()?;
                // Far from the ends of both types no parse is needed.
                let short = text.len() < 16 && !text.contains(['e', 'E']);
                let finite = short
                    || match schema.of() {
                        Type::Float32 => text.parse().is_ok_and(f32::is_finite),
                        _ => text.parse().is_ok_and(f64::is_finite),
                    };
                if finite { Ok(true) } else { Err(payload::beyond(schema.of())) }
            }
            (Type::Float32 | Type::Float64, b'"') => {
                let word = payload::float_word(scanner.string()?.text);
                if word { Ok(true) } else { Err(payload::wrong_kind(schema, "STRING")) }
            }
            (Type::Array(items), b'[') => self.array(scanner, items.as_deref()),
            (Type::Map(keys, values), _) => self.map(scanner, first, keys.as_deref(), values.as_deref()),
            (Type::Struct(fields), b'{') => self.record(scanner, fields),
            _ => {
                scanner.skip()?;
                Err(payload::wrong_kind(schema, kind(first)))
            }
        }
    }

    fn null(self, schema: &Schema) -> Result<bool> {
        match schema.default_value() {
            Some(default) if self.replace_null => Ok(*default == crate::value::Value::Null),
            _ => payload::null(schema, false).map(|_| true),
        }
    }

    fn logical(self, scanner: &mut Scanner<'_>, schema: &Schema, logical: Logical, first: u8) -> Result<bool> {
        match (logical, first) {
            (Logical::Decimal(_), b'"') => {
                let exact = base64(scanner.string()?)?;
                Ok(exact && !self.numeric)
            }
            (Logical::Decimal(scale), b'-' | b'0'..=b'9') => {
                let number = Decimal::parse(scanner.number()?)?;
                number.rescaled(scale).ok_or_else(|| payload::scale_mismatch(scale))?;
                Ok(self.numeric)
            }
            (Logical::Date | Logical::Time, b'-' | b'0'..=b'9') => {
                let text = scanner.number()?;
                payload::logical_value(payload::integer(text, &Type::Int32)?, logical)?;
                whole(text, &Type::Int32)
            }
            (Logical::Timestamp, b'-' | b'0'..=b'9') => whole(scanner.number()?, &Type::Int64),
            _ => {
                scanner.skip()?;
                Err(payload::wrong_kind(schema, kind(first)))
            }
        }
    }

    fn array(self, scanner: &mut Scanner<'_>, items: Option<&Schema>) -> Result<bool> {
        scanner.enter()?;
        let (mut exact, mut first) = (true, true);
        while scanner.next_element(&mut first, b']')? {
            exact &= self.check(scanner, items)?;
        }
        Ok(exact)
    }

    fn map(self, scanner: &mut Scanner<'_>, open: u8, keys: Option<&Schema>, values: Option<&Schema>) -> Result<bool> {
        // Without a schema of keys their values decide: text makes an object, anything else pairs.
        let text_keys = keys.map_or(open == b'{', |k| matches!(k.of(), Type::String));
        let (mut exact, mut first) = (true, true);
        match open {
            b'{' if text_keys => {
                scanner.enter()?;
                while scanner.next_key(&mut first)?.is_some() {
                    exact &= self.check(scanner, values)?;
                }
                Ok(exact)
            }
            b'[' if !text_keys => {
                scanner.enter()?;
                while scanner.next_element(&mut first, b']')? {
                    exact &= self.pair(scanner, keys, values)?;
                }
                Ok(exact)
            }
            _ => {
                scanner.skip()?;
                let wanted = if text_keys {
                    "string fields should be encoded as JSON objects"
                } else {
                    "non-string fields should be encoded as JSON array of tuples"
                };
                Err(DataFault::mismatch(format!("Maps with {wanted}, but found {}", kind(open))))
            }
        }
    }

    fn pair(self, scanner: &mut Scanner<'_>, keys: Option<&Schema>, values: Option<&Schema>) -> Result<bool> {
        let invalid = || DataFault::mismatch("Found invalid map entry, expected an array of two elements");
        if scanner.peek() != b'[' {
            return Err(invalid());
        }
        scanner.enter()?;
        let (mut exact, mut first) = (true, true);
        for schema in [keys, values] {
            if !scanner.next_element(&mut first, b']')? {
                return Err(invalid());
            }
            exact &= self.check(scanner, schema)?;
        }
        if scanner.next_element(&mut first, b']')? { Err(invalid()) } else { Ok(exact) }
    }

    /// Fields in any order; the next one expected is tried first. A repeated or unknown field asks for a rewrite.
    fn record(self, scanner: &mut Scanner<'_>, fields: &[Field]) -> Result<bool> {
        scanner.enter()?;
        let (mut exact, mut first) = (true, true);
        let (mut next, mut seen, mut count) = (0, [0_u64; 4], 0);
        while let Some(key) = scanner.next_key(&mut first)? {
            let name = key.decoded();
            let expected = fields.get(next).is_some_and(|f| f.name == *name);
            let index = if expected { Some(next) } else { fields.iter().position(|f| f.name == *name) };
            let Some(index) = index else {
                scanner.skip()?;
                exact = false;
                continue;
            };
            next = index + 1;
            count += 1;
            if let Some(word) = seen.get_mut(index / 64) {
                exact &= *word >> (index % 64) & 1 == 0;
                *word |= 1 << (index % 64);
            }
            exact &= self.check(scanner, Some(&fields[index].schema))?;
        }
        // Beyond 256 fields repeats are not seen; the rewrite sorts it out.
        if count == fields.len() && fields.len() <= 256 && exact {
            return Ok(true);
        }
        let present = |index: usize| seen.get(index / 64).is_none_or(|word| word >> (index % 64) & 1 == 1);
        for (_, field) in fields.iter().enumerate().filter(|(index, _)| !present(*index)) {
            payload::null(&field.schema, self.replace_null)?;
        }
        Ok(false)
    }
}

fn base64(text: Raw<'_>) -> Result<bool> {
    let valid = if text.escaped { base64_text::valid(&text.decoded()) } else { base64_text::valid(text.text) };
    if valid { Ok(!text.escaped) } else { Err(payload::not_base64()) }
}

/// Exact if it is a plain whole number in range.
fn whole(text: &str, of: &Type) -> Result<bool> {
    let (low, high) = payload::int_range(of);
    match text.parse::<i64>() {
        Ok(n) if (low..=high).contains(&n) => Ok(true),
        _ => payload::integer(text, of).map(|_| false),
    }
}

fn kind(first: u8) -> &'static str {
    match first {
        b'{' => "OBJECT",
        b'[' => "ARRAY",
        b'"' => "STRING",
        b't' | b'f' => "BOOLEAN",
        _ => "NUMBER",
    }
}
