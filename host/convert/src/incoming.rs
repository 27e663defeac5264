//! Topic bytes to payloads by way of a value: the converters other than JSON, and CBOR for all.
//!
//! Enters: a span of topic bytes. Leaves: the span of the payload, appended to the arena, and its schema's id. Invariant:
//! no bytes become null, under the converter's own schema if it has one.

use std::borrow::Cow;

use lockgate_model::batch::{Encoding, Span};
use lockgate_model::schemas::Schemas;

use crate::converter::{Converter, Kind};
use crate::envelope::{self, Bare, Envelope, push};
use crate::fault::{DataFault, Result};
use crate::schema::{Schema, Type};
use crate::text;
use crate::transcode::Transcode;
use crate::value::Value;
use crate::values;

/// One converter, one target.
#[derive(Debug)]
pub(crate) struct General {
    converter: Converter,
    encoding: Encoding,
    envelope: Option<Envelope>,
    bare: Option<Bare>,
    transcode: Transcode,
    /// The schema of the datum before, and its id: the next one has the same as a rule.
    last: Option<(Schema, u16)>,
    out: Vec<u8>,
}

impl General {
    pub(crate) fn new(converter: Converter, encoding: Encoding) -> Self {
        let (mut envelope, mut bare) = (None, None);
        if let Kind::Json(options) = converter.kind()
            && options.schemas_enable
        {
            match &options.schema_content {
                Some(schema) => bare = Some(Bare::new(schema, options)),
                None => envelope = Some(Envelope::new(options)),
            }
        }
        Self { converter, encoding, envelope, bare, transcode: Transcode::default(), last: None, out: Vec::new() }
    }

    pub(crate) fn payload(&mut self, data: &mut Vec<u8>, span: Span, schemas: &Schemas) -> Result<(Span, u16)> {
        if let Kind::Json(_) = self.converter.kind() {
            return self.json(data, span, schemas);
        }
        let Some(bytes) = envelope::bytes(data, span) else {
            let of = fixed_type(self.converter.kind()).map(Schema::optional);
            return Ok((Span::NULL, self.id(of.as_ref(), schemas)?));
        };
        let (schema, value) = read(self.converter.kind(), bytes)?;
        let id = self.id(schema.as_ref(), schemas)?;
        if value == Value::Null {
            return Ok((Span::NULL, id));
        }
        self.write(&value, schema.as_ref())?;
        Ok((push(data, &self.out)?, id))
    }

    /// The id of a schema in the task's table; 0 for none.
    fn id(&mut self, schema: Option<&Schema>, schemas: &Schemas) -> Result<u16> {
        match (schema, &self.last) {
            (None, _) => Ok(0),
            (Some(schema), Some((last, id))) if last == schema => Ok(*id),
            (Some(schema), _) => {
                let id = schemas.intern(&schema.to_json())?;
                self.last = Some((schema.clone(), id));
                Ok(id)
            }
        }
    }

    /// JSON without a schema to CBOR. `None` = this datum needs a tree.
    fn transcoded(&mut self, data: &mut Vec<u8>, span: Span) -> Result<Option<Span>> {
        let text = envelope::bytes(data, span).filter(|text| !text.is_empty());
        let Some(text) = text else { return Ok(Some(Span::NULL)) };
        self.out.clear();
        if !self.transcode.json(text, &mut self.out)? {
            return Ok(None);
        }
        // A null is no payload.
        if self.out == [0xf6] { Ok(Some(Span::NULL)) } else { push(data, &self.out).map(Some) }
    }

    fn json(&mut self, data: &mut Vec<u8>, span: Span, schemas: &Schemas) -> Result<(Span, u16)> {
        let has_schema = self.envelope.is_some() || self.bare.is_some();
        if !has_schema
            && self.encoding == Encoding::Cbor
            && let Some(payload) = self.transcoded(data, span)?
        {
            return Ok((payload, 0));
        }
        let (payload, id, schema) = match (&mut self.envelope, &mut self.bare) {
            (Some(envelope), _) => {
                let (payload, id) = envelope.open(data, span, schemas)?;
                (payload, id, envelope.schema().cloned())
            }
            (_, Some(bare)) => {
                let (payload, id) = bare.open(data, span, schemas)?;
                (payload, id, bare.schema().cloned())
            }
            _ => (envelope::plain(data, span)?, 0, None),
        };
        let Some(text) = envelope::bytes(data, payload) else { return Ok((Span::NULL, id)) };
        let value = Value::from_json(text, schema.as_deref())?;
        self.write(&value, schema.as_deref())?;
        Ok((push(data, &self.out)?, id))
    }

    fn write(&mut self, value: &Value, schema: Option<&Schema>) -> Result<()> {
        self.out.clear();
        match self.encoding {
            Encoding::Cbor => value.to_cbor(schema, &mut self.out),
            _ => value.to_json(schema, &mut self.out),
        }
    }
}

/// The type that a converter gives whatever the bytes are, null too; none where the bytes say it.
const fn fixed_type(kind: &Kind) -> Option<Type> {
    match kind {
        Kind::String(_) => Some(Type::String),
        Kind::ByteArray => Some(Type::Bytes),
        Kind::Boolean => Some(Type::Boolean),
        Kind::Short => Some(Type::Int16),
        Kind::Integer => Some(Type::Int32),
        Kind::Long => Some(Type::Int64),
        Kind::Float => Some(Type::Float32),
        Kind::Double => Some(Type::Float64),
        _ => None,
    }
}

/// What the converter makes of topic bytes.
fn read(kind: &Kind, bytes: &[u8]) -> Result<(Option<Schema>, Value)> {
    let fixed = |of, value| Ok((Some(Schema::optional(of)), value));
    match kind {
        Kind::String(charset) => fixed(Type::String, Value::String(text::decode(bytes, *charset).into_owned())),
        Kind::ByteArray => fixed(Type::Bytes, Value::Bytes(bytes.to_vec())),
        Kind::Boolean => match bytes {
            [0] => fixed(Type::Boolean, Value::Boolean(false)),
            [1] => fixed(Type::Boolean, Value::Boolean(true)),
            [_] => Err(number_fault("Boolean", "Unexpected byte received by BooleanDeserializer")),
            _ => Err(number_fault("Boolean", "Size of data received by BooleanDeserializer is not 1")),
        },
        Kind::Short => fixed(Type::Int16, Value::Int16(i16::from_be_bytes(exactly(bytes, "Short")?))),
        Kind::Integer => fixed(Type::Int32, Value::Int32(i32::from_be_bytes(exactly(bytes, "Integer")?))),
        Kind::Long => fixed(Type::Int64, Value::Int64(i64::from_be_bytes(exactly(bytes, "Long")?))),
        Kind::Float => fixed(Type::Float32, Value::Float32(f32::from_be_bytes(exactly(bytes, "Float")?))),
        Kind::Double => fixed(Type::Float64, Value::Float64(f64::from_be_bytes(exactly(bytes, "Double")?))),
        Kind::Registry(_) | Kind::SimpleHeader | Kind::Json(_) => {
            let text: Cow<'_, str> = String::from_utf8_lossy(bytes);
            Ok(values::parse(&text))
        }
    }
}

fn exactly<const N: usize>(bytes: &[u8], name: &str) -> Result<[u8; N]> {
    let wrong = |_| number_fault(name, &format!("Size of data received by {name}Deserializer is not {N}"));
    bytes.try_into().map_err(wrong)
}

fn number_fault(name: &str, why: &str) -> DataFault {
    DataFault::new("primitive.size", format!("Failed to deserialize value to {}: {why}", name.to_lowercase()))
}
