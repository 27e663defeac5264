//! A converter on lines.
//!
//! Enters: `{"hex"}` for topic bytes, or `{"schema","value"}`. Leaves: the other, one answer for each line, in order.
//! Invariant: the bytes go through the same conversion as those of a task's key, value or header.

use indexmap::IndexMap;
use lockgate_convert::registry::Unready;
use lockgate_convert::schema::Schema;
use lockgate_convert::value::Value;
use lockgate_convert::{ConvertConfigError, Converter, Decode, Encode, Role};
use lockgate_model::batch::{Batch, Encoding, HeaderRow, Row, Span};
use lockgate_model::fault::{RowFault, exception_class};
use lockgate_model::{Formats, Schemas};
use lockgate_registry::{Allowed, Registries};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::notation::{self, Envelope, Notation, error};
use crate::encodings::Trio;

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Topic bytes to a value.
    ToConnect,
    /// A value to topic bytes.
    FromConnect,
}

/// Which part of a record the data are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// Its key.
    Key,
    /// Its value.
    #[default]
    Value,
    /// One of its headers.
    Header,
}

/// A converter that answers lines.
#[derive(Debug)]
pub struct Conversion(Result<Box<Open>, String>);

#[derive(Debug)]
struct Open {
    decode: Decode,
    encode: Encode,
    direction: Direction,
    place: Place,
    topic: String,
    schemas: Schemas,
    notation: Notation,
}

#[derive(Deserialize)]
struct Bytes {
    hex: Option<String>,
}

#[derive(Deserialize)]
struct Datum<'a> {
    #[serde(borrow)]
    schema: Option<&'a RawValue>,
    #[serde(borrow)]
    value: Option<&'a RawValue>,
}

#[derive(Serialize)]
struct Written<'a> {
    schema: Option<&'a RawValue>,
    value: Option<&'a RawValue>,
}

const JSON: Formats = Formats { key: Encoding::Json, value: Encoding::Json, header: Encoding::Json };

impl Conversion {
    /// A converter by its class, with its settings. What is wrong with them is the answer to every line.
    pub fn open(
        class: &str,
        settings: &IndexMap<String, String>,
        direction: Direction,
        place: Place,
        topic: &str,
    ) -> Self {
        let role = match place {
            Place::Key => Role::Key,
            Place::Value => Role::Value,
            Place::Header => Role::Header,
        };
        let converter = match Converter::configure(class, settings, role) {
            Ok(converter) => converter,
            Err(refusal) => return Self(Err(refused(&refusal))),
        };
        let converter = match connected(converter) {
            Ok(converter) => converter,
            Err(message) => return Self(Err(error("configure", "ConfigException", &message))),
        };
        let open = |notation: Trio| {
            let mut given = notation.clone();
            match place {
                Place::Key => given.key = converter,
                Place::Value => given.value = converter,
                Place::Header => given.header = converter,
            }
            let (from, to) = match direction {
                Direction::ToConnect => (given, notation),
                Direction::FromConnect => (notation, given),
            };
            Box::new(Open {
                decode: Decode::new(from.key, from.value, from.header, JSON),
                encode: Encode::new(to.key, to.value, to.header, JSON),
                direction,
                place,
                topic: topic.to_owned(),
                schemas: Schemas::default(),
                notation: Notation::default(),
            })
        };
        Self(notation::converters().map(open).map_err(|e| error("configure", "ConnectException", &e)))
    }

    /// A converter whose settings cannot even be read.
    pub fn refused(message: &str) -> Self {
        Self(Err(error("configure", "ConfigException", message)))
    }

    /// Answers a line. Waits for a schema registry where the converter has one.
    pub async fn answer(&mut self, line: &str) -> String {
        match &mut self.0 {
            Err(answer) => answer.clone(),
            Ok(open) => open.answer(line).await.unwrap_or_else(|error| error),
        }
    }
}

/// The converter with the registry that it names: whoever runs this chose the registry as well, so any will do.
fn connected(converter: Converter) -> Result<Converter, String> {
    let Some(options) = converter.registry_options() else { return Ok(converter) };
    let allowed = Allowed::new(&[], options.connection.endpoints.clone())?;
    let registry = Registries::new(allowed).connect(&options.connection, false).map_err(|e| e.to_string())?;
    Ok(converter.connected(registry))
}

/// Settings that no converter takes.
fn refused(refusal: &ConvertConfigError) -> String {
    let ConvertConfigError::Settings(problems) = refusal else {
        return error("configure", "ConfigException", &refusal.to_string());
    };
    let (key, problem) = problems.first().map_or(("", ""), |(key, problem)| (key, problem));
    let class = match key {
        // Its value is parsed as data.
        "schema.content" => "DataException",
        // Found by the serialiser that the converter has inside.
        "converter.encoding" => "SerializationException",
        _ => "ConfigException",
    };
    error("configure", class, problem)
}

impl Open {
    async fn answer(&mut self, line: &str) -> Result<String, String> {
        let malformed = |what: &str| error("apply", "DataException", what);
        if self.schemas.len() > Schemas::MAX / 2 {
            self.schemas = Schemas::default();
        }
        let mut batch = Batch::new(self.schemas.clone());
        let datum = match self.direction {
            Direction::ToConnect => {
                let bytes: Bytes =
                    serde_json::from_str(line).map_err(|e| malformed(&format!("no {{\"hex\"}}: {e}")))?;
                let bytes = bytes.hex.as_deref().map(unhex).transpose().map_err(|why| malformed(&why))?;
                batch.push_bytes(bytes.as_deref())
            }
            Direction::FromConnect => {
                let datum: Datum<'_> =
                    serde_json::from_str(line).map_err(|e| malformed(&format!("no {{\"schema\",\"value\"}}: {e}")))?;
                self.notation.envelope(datum.schema, datum.value, &mut batch)
            }
        };
        self.put(&mut batch, datum);
        if let Some(asked) = self.decode.prepare(&batch) {
            asked.await.map_err(|why| not_available(&why))?;
        }
        if let Some((_, fault)) = self.decode.batch(&mut batch).first() {
            return Err(of_fault(fault));
        }
        if self.direction == Direction::FromConnect {
            self.rewrite(&mut batch);
        }
        if let Some(asked) = self.encode.prepare(&batch) {
            asked.await.map_err(|why| not_available(&why))?;
        }
        if let Some((_, fault)) = self.encode.batch(&mut batch).first() {
            return Err(of_fault(fault));
        }
        let (span, _) = self.datum(&batch);
        match self.direction {
            Direction::FromConnect => {
                let hex = batch.bytes(span).map(hex);
                Ok(serde_json::json!({ "hex": hex }).to_string())
            }
            Direction::ToConnect => {
                let Envelope { schema, payload } = Envelope::of(&batch, span).map_err(|e| malformed(&e))?;
                serde_json::to_string(&Written { schema, value: payload }).map_err(|e| malformed(&e.to_string()))
            }
        }
    }

    /// Where the datum is, and its schema's id.
    fn datum(&self, batch: &Batch) -> (Span, u32) {
        let (row, header) = (&batch.rows[0], &batch.headers[0]);
        match self.place {
            Place::Key => (row.key, row.key_schema),
            Place::Value => (row.value, row.value_schema),
            Place::Header => (header.value, u32::from(header.schema)),
        }
    }

    /// Numbers of the line become those of a value: a task's payload keeps the text that its plugin wrote, but nobody wrote
    /// this one.
    fn rewrite(&self, batch: &mut Batch) {
        let (span, id) = self.datum(batch);
        let schema = batch.schemas.definition(id).and_then(|definition| Schema::parse(&definition).ok());
        let mut out = Vec::new();
        let value = batch.bytes(span).and_then(|payload| Value::from_json_with_nulls(payload, schema.as_ref()).ok());
        if value.is_some_and(|value| value.to_json(schema.as_ref(), &mut out).is_ok()) {
            let span = batch.push_bytes(Some(&out));
            match self.place {
                Place::Key => batch.rows[0].key = span,
                Place::Value => batch.rows[0].value = span,
                Place::Header => batch.headers[0].value = span,
            }
        }
    }

    /// One row with the datum where it belongs.
    fn put(&self, batch: &mut Batch, datum: Span) {
        let topic = batch.topic_index(&self.topic.as_str().into());
        let at = |place| if self.place == place { datum } else { Span::NULL };
        let name = batch.push_bytes(Some(b"header"));
        let (key, value, header) = (at(Place::Key), at(Place::Value), at(Place::Header));
        batch.headers.push(HeaderRow { name_offset: name.offset, name_len: 6, schema: 0, value: header });
        batch.rows.push(Row {
            offset: 0,
            timestamp: -1,
            partition: 0,
            topic,
            key,
            value,
            header_first: 0,
            header_count: 1,
            source_row: 0,
            flags: 0,
            key_schema: 0,
            value_schema: 0,
        });
    }
}

fn not_available(why: &Unready) -> String {
    error("apply", "RetriableException", &why.cause.message)
}

fn of_fault(fault: &RowFault) -> String {
    error("apply", exception_class(&fault.code), &fault.message)
}

fn unhex(text: &str) -> Result<Vec<u8>, String> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let bytes = pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?));
    let bytes: Option<Vec<u8>> = bytes.collect();
    bytes.filter(|_| rest.is_empty()).ok_or_else(|| "hex has an even number of hexadecimal digits".to_owned())
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        // Writing to a String cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}
