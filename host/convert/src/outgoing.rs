//! One payload to topic bytes.
//!
//! Enters: the span of a payload, its encoding and its schema's id. Leaves: the span of the topic bytes. Invariant: null
//! without a schema is a tombstone under every converter; a schema is translated once.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use lockgate_model::batch::{Encoding, Span};
use lockgate_model::schemas::Schemas;

use crate::converter::{Converter, DecimalFormat, JsonOptions, Kind};
use crate::envelope::{self, push};
use crate::fault::{DataFault, Result};
use crate::fit::Fit;
use crate::json::{Json, quote};
use crate::payload::{self, Style};
use crate::rows::{Part, Site};
use crate::scan::Scanner;
use crate::schema::{Schema, Type};
use crate::text;
use crate::value::Value;
use crate::values;

/// One converter, one encoding.
#[derive(Debug)]
pub(crate) struct Outgoing {
    converter: Converter,
    encoding: Encoding,
    known: KnownSchemas,
    out: Vec<u8>,
}

/// Schemas by id, with what goes before a payload in the envelope.
#[derive(Debug, Default)]
pub(crate) struct KnownSchemas {
    by_id: HashMap<u32, Arc<KnownSchema>>,
    /// How the envelope's schema writes defaults.
    style: Style,
}

#[derive(Debug)]
pub(crate) struct KnownSchema {
    pub(crate) schema: Schema,
    prefix: Vec<u8>,
}

impl KnownSchemas {
    /// None for id 0.
    pub(crate) fn find(&mut self, id: u32, schemas: &Schemas) -> Result<Option<Arc<KnownSchema>>> {
        if id == 0 {
            return Ok(None);
        }
        if let Some(known) = self.by_id.get(&id) {
            return Ok(Some(Arc::clone(known)));
        }
        let text = schemas.definition(id);
        let text = text.ok_or_else(|| DataFault::schema(format!("schema id {id} was never announced")))?;
        let schema = Schema::parse(&text)?;
        let prefix = format!("{{\"schema\":{},\"payload\":", schema.written(self.style)).into_bytes();
        let known = Arc::new(KnownSchema { schema, prefix });
        // Bounded by the task's table of schemas.
        self.by_id.insert(id, Arc::clone(&known));
        Ok(Some(known))
    }
}

impl Part for Outgoing {
    fn is_identity(&self) -> bool {
        self.encoding == Encoding::Bytes && matches!(self.converter.kind(), Kind::SimpleHeader)
    }

    fn convert(&mut self, data: &mut Vec<u8>, span: Span, schema: u32, site: Site<'_>) -> Result<(Span, u16)> {
        let raw = self.encoding == Encoding::Bytes;
        if raw && schema == 0 && !matches!(self.converter.kind(), Kind::Json(_)) {
            return self.untyped(data, span);
        }
        let known = self.known.find(schema, site.schemas)?;
        let schema = known.as_ref().map(|k| &k.schema);
        let bytes = envelope::bytes(data, span);
        if raw
            && let (Kind::String(_), Some(bytes), Some(Type::String)) =
                (self.converter.kind(), bytes, schema.map(Schema::of))
            && self.writes_utf8()
        {
            debug_assert_eq!(bytes.len(), span.len as usize);
            return Ok((span, 0));
        }
        self.out.clear();
        let converter = self.converter.clone();
        let written = match converter.kind() {
            Kind::Json(options) => self.json(options, bytes, known.as_deref())?,
            kind => self.other(kind, bytes, schema)?,
        };
        if written { Ok((push(data, &self.out)?, 0)) } else { Ok((Span::NULL, 0)) }
    }
}

impl Outgoing {
    pub(crate) fn new(converter: Converter, encoding: Encoding) -> Self {
        let numeric =
            matches!(converter.kind(), Kind::Json(options) if options.decimal_format == DecimalFormat::Numeric);
        let known = KnownSchemas { style: Style { numeric, ..Style::default() }, ..KnownSchemas::default() };
        Self { converter, encoding, known, out: Vec::new() }
    }

    fn writes_utf8(&self) -> bool {
        matches!(self.converter.kind(), Kind::String(crate::converter::Charset::Utf8))
    }

    /// Opaque bytes without a schema: they are the topic bytes, where the converter can read them back.
    fn untyped(&self, data: &[u8], span: Span) -> Result<(Span, u16)> {
        let width = match self.converter.kind() {
            Kind::Boolean => 1,
            Kind::Short => 2,
            Kind::Integer | Kind::Float => 4,
            Kind::Long | Kind::Double => 8,
            _ => return Ok((span, 0)),
        };
        match envelope::bytes(data, span) {
            Some(bytes) if bytes.len() != width => Err(not_for(self.converter.kind(), "bytes")),
            _ => Ok((span, 0)),
        }
    }

    /// False for a tombstone.
    fn json(&mut self, options: &JsonOptions, bytes: Option<&[u8]>, known: Option<&KnownSchema>) -> Result<bool> {
        let bytes = match (self.encoding, bytes) {
            // Null without a schema, spelled out.
            (Encoding::Json, Some(text)) if known.is_none() && text.trim_ascii() == b"null" => None,
            (Encoding::Cbor, Some([0xf6])) if known.is_none() => None,
            (_, bytes) => bytes,
        };
        if bytes.is_none() && known.is_none() {
            return Ok(false);
        }
        if options.schemas_enable {
            let prefix = known.map_or(&b"{\"schema\":null,\"payload\":"[..], |k| &k.prefix);
            self.out.extend_from_slice(prefix);
        }
        self.payload(options, bytes, known.map(|k| &k.schema))?;
        if options.schemas_enable {
            self.out.push(b'}');
        }
        Ok(true)
    }

    fn payload(&mut self, options: &JsonOptions, bytes: Option<&[u8]>, schema: Option<&Schema>) -> Result<()> {
        let numeric = options.decimal_format == DecimalFormat::Numeric;
        let style = Style { numeric, replace_null: options.replace_null_with_default };
        let Some(bytes) = bytes else {
            return payload::write(&Value::Null, schema, style, &mut self.out);
        };
        match self.encoding {
            Encoding::Json => {
                let mut scanner = Scanner::new(bytes)?;
                scanner.peek();
                let start = scanner.at;
                let fit = Fit { replace_null: style.replace_null, numeric };
                if fit.check(&mut scanner, schema)? && !scanner.untidy {
                    let text = &scanner.text()[start..scanner.at];
                    self.out.extend_from_slice(text.as_bytes());
                    return ends(&mut scanner);
                }
                ends(&mut scanner)?;
                let tree = Json::parse(bytes)?;
                if schema.is_none() {
                    tree.write(&mut self.out);
                    return Ok(());
                }
                let value = payload::read(&tree, schema, style.replace_null)?;
                payload::write(&value, schema, style, &mut self.out)
            }
            Encoding::Cbor => {
                let value = crate::cbor::read(bytes, schema, style.replace_null)?;
                payload::write(&value, schema, style, &mut self.out)
            }
            Encoding::Bytes => {
                match schema.map(Schema::of) {
                    Some(Type::String) => quote(&String::from_utf8_lossy(bytes), &mut self.out),
                    None | Some(Type::Bytes) if !numeric => crate::base64_text::quoted(bytes, &mut self.out),
                    _ => payload::write(&opaque(bytes, schema)?, schema, style, &mut self.out)?,
                }
                Ok(())
            }
        }
    }

    /// False for null.
    fn other(&mut self, kind: &Kind, bytes: Option<&[u8]>, schema: Option<&Schema>) -> Result<bool> {
        refuse_schema(kind, schema)?;
        let Some(bytes) = bytes else { return Ok(false) };
        let value = self.value(kind, bytes, schema)?;
        if value == Value::Null {
            return Ok(false);
        }
        match kind {
            Kind::String(charset) => {
                let mut text = String::new();
                text::java_text(&value, schema, &mut text);
                text::encode(&text, *charset, &mut self.out);
            }
            Kind::SimpleHeader => {
                let mut text = String::new();
                values::print(&value, schema, false, &mut text);
                self.out.extend_from_slice(text.as_bytes());
            }
            Kind::ByteArray => match value {
                Value::Bytes(bytes) => self.out.extend_from_slice(&bytes),
                value => {
                    let why = format!("ByteArrayConverter is not compatible with objects of type {}", value.kind());
                    return Err(DataFault::mismatch(why));
                }
            },
            kind => self.primitive(kind, &value)?,
        }
        Ok(true)
    }

    /// Nulls are read as defaults, but by `StringConverter`, which shows what is set.
    fn value(&self, kind: &Kind, bytes: &[u8], schema: Option<&Schema>) -> Result<Value> {
        let read = |replace_null| match self.encoding {
            Encoding::Json => payload::read(&Json::parse(bytes)?, schema, replace_null),
            Encoding::Cbor => crate::cbor::read(bytes, schema, replace_null),
            Encoding::Bytes => opaque(bytes, schema),
        };
        // These write a null inside a value as null. A null that only the default allows has no other reading.
        if matches!(kind, Kind::String(_) | Kind::SimpleHeader) {
            read(false).or_else(|_| read(true))
        } else {
            read(true)
        }
    }

    /// Without a schema JSON has INT64 and FLOAT64, as Kafka Connect reads it: the other converters want a schema.
    fn primitive(&mut self, kind: &Kind, value: &Value) -> Result<()> {
        match (kind, value) {
            (Kind::Boolean, Value::Boolean(b)) => self.out.push(u8::from(*b)),
            (Kind::Short, Value::Int16(n)) => self.out.extend(n.to_be_bytes()),
            (Kind::Integer, Value::Int32(n)) => self.out.extend(n.to_be_bytes()),
            (Kind::Long, Value::Int64(n)) => self.out.extend(n.to_be_bytes()),
            (Kind::Float, Value::Float32(x)) => self.out.extend(x.to_be_bytes()),
            (Kind::Double, Value::Float64(x)) => self.out.extend(x.to_be_bytes()),
            _ => return Err(not_for(kind, value.kind())),
        }
        Ok(())
    }
}

/// These converters ask for the schema before they look at the value, even at null.
fn refuse_schema(kind: &Kind, schema: Option<&Schema>) -> Result<()> {
    let (class, wanted) = match kind {
        Kind::ByteArray => ("ByteArrayConverter", Type::Bytes),
        Kind::Boolean => ("BooleanConverter", Type::Boolean),
        _ => return Ok(()),
    };
    match schema.map(Schema::of).filter(|of| **of != wanted) {
        Some(of) => Err(DataFault::mismatch(format!("Invalid schema type for {class}: {}", of.connect_name()))),
        None => Ok(()),
    }
}

/// The value of opaque bytes under a schema: text, or bytes.
pub(crate) fn opaque(bytes: &[u8], schema: Option<&Schema>) -> Result<Value> {
    match schema.map(|s| (s.of(), s.logical())) {
        None | Some((Type::Bytes, None)) => Ok(Value::Bytes(bytes.to_vec())),
        Some((Type::String, _)) => Ok(Value::String(Cow::into_owned(String::from_utf8_lossy(bytes)))),
        Some((_, Some(crate::schema::Logical::Decimal(scale)))) => {
            crate::value::Decimal::from_bytes(bytes, scale).map(Value::Decimal)
        }
        Some((of, _)) => {
            let why = format!("opaque bytes cannot have a schema of type {}; use string or bytes", of.connect_name());
            Err(DataFault::mismatch(why))
        }
    }
}

/// A payload from a plugin is one value, nothing after it.
fn ends(scanner: &mut Scanner<'_>) -> Result<()> {
    if scanner.peek() == 0 && scanner.at >= scanner.text().len() {
        return Ok(());
    }
    Err(scanner.error("text after the value"))
}

fn not_for(kind: &Kind, found: &str) -> DataFault {
    let (class, name) = match kind {
        Kind::Boolean => ("BooleanConverter", "boolean"),
        Kind::Short => ("ShortConverter", "short"),
        Kind::Integer => ("IntegerConverter", "integer"),
        Kind::Long => ("LongConverter", "long"),
        Kind::Float => ("FloatConverter", "float"),
        _ => ("DoubleConverter", "double"),
    };
    DataFault::mismatch(format!("Failed to serialize to {name} (was {found}): {class} wants a {name}, by its schema"))
}
