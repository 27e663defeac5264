//! Payloads of one encoding to payloads of another, between plugins of one chain.
//!
//! Enters: a batch in the encodings of one plugin. Leaves: the same batch in those of the next. Invariant: rows that
//! failed are left as they were; a part whose encoding stays costs nothing.

use lockgate_model::batch::{Batch, Encoding, Formats, Span};
use lockgate_model::fault::{RowFault, Stage};

use crate::envelope::{self, push};
use crate::fault::Result;
use crate::outgoing::{KnownSchemas, opaque};
use crate::rows::{Part, Parts, Site};
use crate::schema::{Schema, Type};
use crate::value::Value;

/// Translates the batches of one task: lines of text from a source become JSON strings for a transform, JSON becomes its
/// text for a sink that takes bytes.
#[derive(Debug)]
pub struct Recode(Parts<Change>);

#[derive(Debug)]
struct Change {
    from: Encoding,
    to: Encoding,
    known: KnownSchemas,
    out: Vec<u8>,
}

impl Recode {
    /// From the encodings of one plugin to those of the next.
    pub fn new(from: Formats, to: Formats) -> Self {
        let change = |from, to| Change { from, to, known: KnownSchemas::default(), out: Vec::new() };
        let [key, value, header] =
            [(from.key, to.key), (from.value, to.value), (from.header, to.header)].map(|(from, to)| change(from, to));
        // No converter has a part in this: only the encodings of two plugins differ.
        Self(Parts::new(key, value, header, Default::default()))
    }

    /// True if no batch is ever changed by this, so that the call may be left out.
    pub fn is_identity(&self) -> bool {
        self.0.is_identity()
    }

    /// Converts in place. The rows named in the answer failed at that stage and are left as they were.
    pub fn batch(&mut self, batch: &mut Batch) -> Vec<(Stage, RowFault)> {
        self.0.batch(batch)
    }
}

impl Part for Change {
    fn is_identity(&self) -> bool {
        self.from == self.to
    }

    fn convert(&mut self, data: &mut Vec<u8>, span: Span, id: u32, site: Site<'_>) -> Result<(Span, u16)> {
        let known = self.known.find(id, site.schemas)?;
        // Ids of a task's table have sixteen bits.
        let mut id = u16::try_from(id).unwrap_or(0);
        let Some(bytes) = envelope::bytes(data, span) else { return Ok((Span::NULL, id)) };
        let schema = known.as_ref().map(|k| &k.schema);
        let value = match self.from {
            Encoding::Bytes => opaque(bytes, schema)?,
            Encoding::Json => Value::from_json(bytes, schema)?,
            Encoding::Cbor => Value::from_cbor(bytes, schema)?,
        };
        if self.from == Encoding::Bytes && id == 0 {
            id = site.schemas.intern(&Schema::optional(Type::Bytes).to_json())?;
        }
        self.out.clear();
        match (self.to, &value) {
            (_, Value::Null) => return Ok((Span::NULL, id)),
            (Encoding::Cbor, _) => value.to_cbor(schema, &mut self.out)?,
            (Encoding::Bytes, Value::String(text)) if id != 0 => self.out.extend_from_slice(text.as_bytes()),
            (Encoding::Bytes, Value::Bytes(bytes)) => self.out.extend_from_slice(bytes),
            (to, _) => {
                value.to_json(schema, &mut self.out)?;
                id = if to == Encoding::Bytes { 0 } else { id };
            }
        }
        Ok((push(data, &self.out)?, id))
    }
}
