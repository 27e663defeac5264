//! JSON topic bytes to JSON payloads: plain, in Kafka Connect's envelope, or bare with a configured schema.
//!
//! Enters: a span of topic bytes. Leaves: the span of the payload inside the same bytes, or of a rewritten copy appended to
//! the arena, and its schema's id. Invariant: a payload that needs no change is not copied; a schema is translated once.

use std::collections::HashMap;
use std::sync::Arc;

use lockgate_model::batch::Span;
use lockgate_model::schemas::Schemas;

use crate::converter::JsonOptions;
use crate::fault::{DataFault, Result};
use crate::fit::Fit;
use crate::json::Json;
use crate::payload::{self, Style};
use crate::scan::Scanner;
use crate::schema::Schema;

/// A schema that was seen, with its id in the task's table.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) schema: Option<Arc<Schema>>,
    pub(crate) id: u16,
}

/// `JsonConverter` with `schemas.enable`.
#[derive(Debug)]
pub(crate) struct Envelope {
    fit: Fit,
    cache_size: usize,
    cache: HashMap<Box<[u8]>, Known>,
    /// What stood before the payload of the last record: the next one begins the same way as a rule.
    prefix: Vec<u8>,
    last: Known,
}

/// `JsonConverter` with `schema.content`.
#[derive(Debug)]
pub(crate) struct Bare {
    fit: Fit,
    known: Known,
}

const ENVELOPE: &str = "JsonConverter with schemas.enable requires \"schema\" and \"payload\" fields and may not contain \
    additional fields. If you are trying to deserialize plain JSON data, set schemas.enable=false in your converter \
    configuration.";

fn not_an_envelope() -> DataFault {
    DataFault::new("json.envelope", ENVELOPE)
}

/// Schemaless JSON: checked, and passed through. No bytes, empty bytes and `null` are all null.
pub(crate) fn plain(data: &mut Vec<u8>, span: Span) -> Result<Span> {
    let Some(bytes) = bytes(data, span).filter(|b| !b.is_empty()) else { return Ok(Span::NULL) };
    let mut scanner = Scanner::new(bytes)?;
    let first = scanner.peek();
    let start = scanner.at;
    scanner.skip()?;
    if first == b'n' {
        return Ok(Span::NULL);
    }
    if scanner.untidy {
        let tree = Json::parse(bytes)?;
        let mut out = Vec::with_capacity(bytes.len());
        tree.write(&mut out);
        return push(data, &out);
    }
    Ok(inside(span, bytes, &scanner, start))
}

impl Envelope {
    pub(crate) fn new(options: &JsonOptions) -> Self {
        Self {
            fit: Fit { replace_null: options.replace_null_with_default, numeric: false },
            cache_size: options.schemas_cache_size,
            cache: HashMap::new(),
            prefix: Vec::new(),
            last: Known { schema: None, id: 0 },
        }
    }

    /// The schema of the payload that [`Self::open`] found last.
    pub(crate) fn schema(&self) -> Option<&Arc<Schema>> {
        self.last.schema.as_ref()
    }

    pub(crate) fn open(&mut self, data: &mut Vec<u8>, span: Span, schemas: &Schemas) -> Result<(Span, u16)> {
        let Some(bytes) = bytes(data, span) else {
            self.last = Known { schema: None, id: 0 };
            self.prefix.clear();
            return Ok((Span::NULL, 0));
        };
        let mut scanner = Scanner::new(bytes)?;
        if !self.prefix.is_empty() && scanner.text().as_bytes().starts_with(&self.prefix) {
            scanner.enter()?;
            scanner.at = self.prefix.len();
            let start = scanner.at;
            let exact = self.fit.check(&mut scanner, self.last.schema.as_deref())? && !scanner.untidy;
            let payload = inside(span, bytes, &scanner, start);
            if scanner.peek() == b'}' {
                return settle(data, payload, exact, &self.last, self.fit).map(|span| (span, self.last.id));
            }
        }
        let found = self.locate(span, bytes, schemas)?;
        let start = (found.offset - span.offset) as usize;
        let mut scanner = Scanner::new(&bytes[start..start + found.len as usize])?;
        let exact = self.fit.check(&mut scanner, self.last.schema.as_deref())? && !scanner.untidy;
        settle(data, found, exact, &self.last, self.fit).map(|span| (span, self.last.id))
    }

    /// Finds schema and payload, wherever they stand in the envelope, and makes them the last ones.
    fn locate(&mut self, span: Span, bytes: &[u8], schemas: &Schemas) -> Result<Span> {
        let mut scanner = Scanner::new(bytes)?;
        if scanner.peek() != b'{' {
            return Err(if bytes.is_empty() {
                not_an_envelope()
            } else {
                scanner.skip().err().unwrap_or_else(not_an_envelope)
            });
        }
        let open = scanner.at;
        scanner.enter()?;
        let (mut schema, mut payload, mut first) = (None, None, true);
        while let Some(key) = scanner.next_key(&mut first)? {
            let slot = match key.decoded().as_ref() {
                "schema" => &mut schema,
                "payload" => &mut payload,
                _ => return Err(not_an_envelope()),
            };
            scanner.peek();
            let start = scanner.at;
            scanner.skip()?;
            *slot = Some(start..scanner.at);
        }
        let (Some(schema), Some(payload)) = (schema, payload) else { return Err(not_an_envelope()) };
        let text = scanner.text();
        self.prefix.clear();
        self.last = self.known(&text[schema.clone()], schemas)?;
        if open == 0 && schema.end < payload.start && bytes.len() == text.len() {
            self.prefix.extend_from_slice(&bytes[..payload.start]);
        }
        let skipped = bytes.len() - text.len();
        Ok(Span { offset: span.offset + small(skipped + payload.start), len: small(payload.len()) })
    }

    fn known(&mut self, text: &str, schemas: &Schemas) -> Result<Known> {
        if let Some(known) = self.cache.get(text.as_bytes()) {
            return Ok(known.clone());
        }
        let known = match Json::parse(text.as_bytes())? {
            Json::Null => Known { schema: None, id: 0 },
            json => known(Arc::new(crate::schema_text::read(&json)?), schemas)?,
        };
        if self.cache.len() >= self.cache_size {
            self.cache.clear();
        }
        if self.cache_size > 0 {
            self.cache.insert(text.as_bytes().into(), known.clone());
        }
        Ok(known)
    }
}

impl Bare {
    pub(crate) fn new(schema: &Arc<Schema>, options: &JsonOptions) -> Self {
        let fit = Fit { replace_null: options.replace_null_with_default, numeric: false };
        Self { fit, known: Known { schema: Some(Arc::clone(schema)), id: 0 } }
    }

    /// The configured schema.
    pub(crate) fn schema(&self) -> Option<&Arc<Schema>> {
        self.known.schema.as_ref()
    }

    pub(crate) fn open(&mut self, data: &mut Vec<u8>, span: Span, schemas: &Schemas) -> Result<(Span, u16)> {
        let Some(bytes) = bytes(data, span) else { return Ok((Span::NULL, 0)) };
        if let (0, Some(schema)) = (self.known.id, &self.known.schema) {
            self.known = known(Arc::clone(schema), schemas)?;
        }
        let mut scanner = Scanner::new(bytes)?;
        scanner.peek();
        let start = scanner.at;
        let exact = self.fit.check(&mut scanner, self.known.schema.as_deref())? && !scanner.untidy;
        let payload = inside(span, bytes, &scanner, start);
        settle(data, payload, exact, &self.known, self.fit).map(|span| (span, self.known.id))
    }
}

fn known(schema: Arc<Schema>, schemas: &Schemas) -> Result<Known> {
    let id = schemas.intern(&schema.to_json())?;
    Ok(Known { schema: Some(schema), id })
}

/// The payload as it stands, or rewritten behind the arena. Null has no bytes, its schema tells it from a tombstone.
fn settle(data: &mut Vec<u8>, payload: Span, exact: bool, known: &Known, fit: Fit) -> Result<Span> {
    let bytes = bytes(data, payload).unwrap_or_default();
    if exact {
        return Ok(if bytes == b"null" { Span::NULL } else { payload });
    }
    let tree = Json::parse(bytes)?;
    let mut out = Vec::with_capacity(bytes.len() + 64);
    match &known.schema {
        Some(schema) => {
            let value = payload::read(&tree, Some(schema), fit.replace_null)?;
            payload::write(&value, Some(schema), Style::default(), &mut out)?;
        }
        None => tree.write(&mut out),
    }
    push(data, &out)
}

pub(crate) fn bytes(data: &[u8], span: Span) -> Option<&[u8]> {
    (!span.is_null()).then(|| &data[span.offset as usize..][..span.len as usize])
}

/// From `start` to the scanner, as a span of the arena. A byte-order mark is not part of the scanner's text.
fn inside(span: Span, bytes: &[u8], scanner: &Scanner<'_>, start: usize) -> Span {
    let skipped = bytes.len() - scanner.text().len();
    Span { offset: span.offset + small(skipped + start), len: small(scanner.at - start) }
}

/// Lengths within a batch are below 4 GiB, since spans are.
fn small(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// Appends to the arena.
pub(crate) fn push(data: &mut Vec<u8>, bytes: &[u8]) -> Result<Span> {
    let end = u32::try_from(data.len() + bytes.len());
    let Ok(end) = end else { return Err(DataFault::new("batch.too-large", "the batch would pass 4 GiB")) };
    data.extend_from_slice(bytes);
    let len = small(bytes.len());
    Ok(Span { offset: end - len, len })
}
