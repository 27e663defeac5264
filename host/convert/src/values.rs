//! Text to typed values and back, as Kafka Connect's `Values`: the language of `SimpleHeaderConverter`.
//!
//! Enters: text. Leaves: a value and its schema, or text. Invariant: text that is no literal stays the string it was; so
//! does text whose array or map cannot be read. Quirk kept: of a number-like text only the first token counts (`10:20` is 10).

use std::sync::Arc;

use crate::base64_text;
use crate::date;
use crate::decimal::Decimal;
use crate::scan::DEPTH_MAX;
use crate::schema::{Attributes, DATE, DECIMAL, Schema, TIME, TIMESTAMP, Type};
use crate::text::scalar_text;
use crate::value::Value;

type Typed = (Option<Schema>, Value);

/// `Values.parseString`.
pub(crate) fn parse(text: &str) -> Typed {
    let string = || (Some(Schema::required(Type::String)), Value::String(text.to_owned()));
    let trimmed = text.trim();
    match trimmed.bytes().next() {
        None => string(),
        Some(b'[' | b'{') => {
            let mut parser = Parser { text: trimmed, at: 0 };
            parser.element(0).unwrap_or_else(string)
        }
        Some(b'0'..=b'9' | b'+' | b'-') => {
            let end = token_end(trimmed, 0);
            let dated = date::parse(trimmed).map(with_schema);
            dated.or_else(|| number(trimmed[..end].trim())).unwrap_or_else(string)
        }
        _ => word(trimmed).unwrap_or_else(string),
    }
}

fn word(text: &str) -> Option<Typed> {
    match text {
        "null" => Some((None, Value::Null)),
        "true" => Some(with_schema(Value::Boolean(true))),
        "false" => Some(with_schema(Value::Boolean(false))),
        _ => None,
    }
}

/// The smallest type that holds the number.
fn number(token: &str) -> Option<Typed> {
    if !token.starts_with(|c: char| c.is_ascii_digit() || c == '+' || c == '-') {
        return None;
    }
    let decimal = Decimal::parse(token).ok()?;
    if let Some(whole) = decimal.to_i64() {
        return Some(with_schema(narrowest(whole)));
    }
    // Only the scale is asked for: 1e20 is a float, twenty-one digits are a Decimal.
    if decimal.scale() != 0 {
        let (single, double) = (token.parse::<f32>().ok()?, token.parse::<f64>().ok()?);
        if single.is_finite() {
            return Some(with_schema(Value::Float32(single)));
        }
        if double.is_finite() {
            return Some(with_schema(Value::Float64(double)));
        }
    }
    Some(with_schema(Value::Decimal(decimal)))
}

fn narrowest(n: i64) -> Value {
    if let Ok(n) = i8::try_from(n) {
        Value::Int8(n)
    } else if let Ok(n) = i16::try_from(n) {
        Value::Int16(n)
    } else if let Ok(n) = i32::try_from(n) {
        Value::Int32(n)
    } else {
        Value::Int64(n)
    }
}

/// A scalar with the schema that `Values` gives it.
fn with_schema(value: Value) -> Typed {
    let logical = |of, name: &str, parameters| {
        let (name, version) = (Some(name.to_owned()), Some(1));
        Schema::new(of, Attributes { name, version, parameters, ..Attributes::default() }).ok()
    };
    let schema = match &value {
        Value::Boolean(_) => Some(Schema::required(Type::Boolean)),
        Value::Int8(_) => Some(Schema::required(Type::Int8)),
        Value::Int16(_) => Some(Schema::required(Type::Int16)),
        Value::Int32(_) => Some(Schema::required(Type::Int32)),
        Value::Int64(_) => Some(Schema::required(Type::Int64)),
        Value::Float32(_) => Some(Schema::required(Type::Float32)),
        Value::Float64(_) => Some(Schema::required(Type::Float64)),
        Value::String(_) => Some(Schema::required(Type::String)),
        Value::Decimal(d) => logical(Type::Bytes, DECIMAL, vec![("scale".to_owned(), d.scale().to_string())]),
        Value::Date(_) => logical(Type::Int32, DATE, Vec::new()),
        Value::Time(_) => logical(Type::Int32, TIME, Vec::new()),
        Value::Timestamp(_) => logical(Type::Int64, TIMESTAMP, Vec::new()),
        _ => None,
    };
    (schema, value)
}

/// The end of the token that begins at `at`: one of `: , { } [ ] "`, unless escaped.
fn token_end(text: &str, at: usize) -> usize {
    let bytes = text.as_bytes();
    let mut end = at;
    while end < bytes.len() && !matches!(bytes[end], b':' | b',' | b'{' | b'}' | b'[' | b']' | b'"') {
        // An escape guards the byte after it.
        end += if bytes[end] == b'\\' { 2 } else { 1 };
    }
    let end = end.min(bytes.len());
    (end..=bytes.len()).find(|e| text.is_char_boundary(*e)).unwrap_or(bytes.len())
}

/// Reads arrays and maps. `None` anywhere makes the whole text a string.
struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn peek(&mut self) -> Option<u8> {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn element(&mut self, depth: usize) -> Option<Typed> {
        if depth > DEPTH_MAX {
            return None;
        }
        match self.peek()? {
            b'[' => self.array(depth),
            b'{' => self.map(depth),
            b'"' => self.quoted(),
            _ => {
                let end = token_end(self.text, self.at);
                let token = self.text[self.at..end].trim();
                self.at = end;
                let dated = || date::parse(token).map(with_schema);
                word(token).or_else(dated).or_else(|| number(token))
            }
        }
    }

    /// Escapes stay as they are; a quoted date is a date.
    fn quoted(&mut self) -> Option<Typed> {
        let start = self.at + 1;
        let bytes = self.text.as_bytes();
        let mut end = start;
        while *bytes.get(end)? != b'"' {
            end += if bytes[end] == b'\\' { 2 } else { 1 };
        }
        self.at = end + 1;
        let text = self.text.get(start..end)?;
        let value = date::parse(text).unwrap_or_else(|| Value::String(text.to_owned()));
        Some(with_schema(value))
    }

    fn array(&mut self, depth: usize) -> Option<Typed> {
        self.at += 1;
        let mut items = Vec::new();
        if !self.take(b']') {
            loop {
                items.push(self.element(depth + 1)?);
                if self.take(b']') {
                    break;
                }
                if !self.take(b',') {
                    return None;
                }
            }
        }
        let (schema, values) = common(items)?;
        Some((Some(Schema::required(Type::Array(schema))), Value::Array(values)))
    }

    /// A comma between entries may be missing.
    fn map(&mut self, depth: usize) -> Option<Typed> {
        self.at += 1;
        let (mut keys, mut values) = (Vec::new(), Vec::new());
        while !self.take(b'}') {
            let key = self.element(depth + 1)?;
            if key.1 == Value::Null || !self.take(b':') {
                return None;
            }
            keys.push(key);
            values.push(self.element(depth + 1)?);
            if self.take(b',') && self.peek() == Some(b'}') {
                return None;
            }
        }
        let (key_schema, keys) = common(keys)?;
        let (value_schema, values) = common(values)?;
        // Keys of several types leave the values without a schema as well.
        let value_schema = value_schema.filter(|_| key_schema.is_some());
        let entries = keys.into_iter().zip(values).collect();
        Some((Some(Schema::required(Type::Map(key_schema, value_schema))), Value::Map(entries)))
    }
}

/// The type that all have in common, numbers widened to the largest. `None` if nulls stand beside values of one type.
fn common(items: Vec<Typed>) -> Option<(Option<Arc<Schema>>, Vec<Value>)> {
    let nulls = items.iter().filter(|(_, v)| *v == Value::Null).count();
    if nulls == items.len() {
        return Some((None, items.into_iter().map(|(_, v)| v).collect()));
    }
    if nulls > 0 {
        return None;
    }
    let rank = items.iter().map(|(_, v)| rank(v)).max().unwrap_or(0);
    if items.iter().all(|(_, v)| self::rank(v) > 0) {
        let values: Vec<Value> = items.iter().map(|(_, v)| widen(v, rank)).collect();
        let schema = with_schema(values[0].clone()).0;
        return Some((schema.map(Arc::new), values));
    }
    let first = items[0].0.clone();
    let same = items.iter().all(|(schema, _)| *schema == first);
    Some((first.filter(|_| same).map(Arc::new), items.into_iter().map(|(_, v)| v).collect()))
}

fn rank(value: &Value) -> u8 {
    match value {
        Value::Int8(_) => 1,
        Value::Int16(_) => 2,
        Value::Int32(_) => 3,
        Value::Int64(_) => 4,
        Value::Float32(_) => 5,
        Value::Float64(_) => 6,
        _ => 0,
    }
}

#[expect(clippy::cast_precision_loss, reason = "Java's widening loses the same bits")]
fn widen(value: &Value, rank: u8) -> Value {
    let whole = match value {
        Value::Int8(n) => i64::from(*n),
        Value::Int16(n) => i64::from(*n),
        Value::Int32(n) => i64::from(*n),
        Value::Int64(n) => *n,
        Value::Float32(x) if rank == 6 => return Value::Float64(f64::from(*x)),
        other => return other.clone(),
    };
    match rank {
        2 => i16::try_from(whole).map_or(Value::Int64(whole), Value::Int16),
        3 => i32::try_from(whole).map_or(Value::Int64(whole), Value::Int32),
        4 => Value::Int64(whole),
        5 => Value::Float32(whole as f32),
        6 => Value::Float64(whole as f64),
        _ => value.clone(),
    }
}

/// `Values.convertToString`: strings are quoted inside arrays, maps and structs only.
pub(crate) fn print(value: &Value, schema: Option<&Schema>, embedded: bool, out: &mut String) {
    let list = |out: &mut String, ends: [char; 2], count: usize, each: &dyn Fn(usize, &mut String)| {
        out.push(ends[0]);
        for index in 0..count {
            out.push_str(if index > 0 { "," } else { "" });
            each(index, out);
        }
        out.push(ends[1]);
    };
    let of = schema.map(Schema::of);
    match value {
        Value::Null => out.push_str("null"),
        Value::String(text) if embedded => quote(text, out),
        Value::Bytes(bytes) if embedded => quote(&base64_text::encode(bytes), out),
        Value::Array(items) => {
            let inner = if let Some(Type::Array(items)) = of { items.as_deref() } else { None };
            list(out, ['[', ']'], items.len(), &|i, out| print(&items[i], inner, true, out));
        }
        Value::Map(entries) => {
            let (keys, values) =
                if let Some(Type::Map(k, v)) = of { (k.as_deref(), v.as_deref()) } else { (None, None) };
            list(out, ['{', '}'], entries.len(), &|i, out| {
                print(&entries[i].0, keys, true, out);
                out.push(':');
                print(&entries[i].1, values, true, out);
            });
        }
        Value::Struct(values) => {
            let fields = if let Some(Type::Struct(fields)) = of { fields.as_slice() } else { &[] };
            list(out, ['{', '}'], fields.len().min(values.len()), &|i, out| {
                quote(&fields[i].name, out);
                out.push(':');
                let value = match (&values[i], fields[i].schema.default_value()) {
                    (Value::Null, Some(default)) => default,
                    (value, _) => value,
                };
                print(value, Some(&fields[i].schema), true, out);
            });
        }
        scalar => out.push_str(&scalar_text(scalar)),
    }
}

fn quote(text: &str, out: &mut String) {
    out.push('"');
    out.push_str(&text.replace('\\', "\\\\").replace('"', "\\\""));
    out.push('"');
}

#[cfg(test)]
mod tests;
