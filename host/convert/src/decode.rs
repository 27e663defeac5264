//! Topic bytes to payloads, for sinks and their transforms.
//!
//! Enters: a batch as it was fetched. Leaves: the same batch with key, value and header spans repointed at payloads in the
//! negotiated encodings, schema ids set, and a list of the rows that failed (left in place, the caller removes them).
//! Invariant: a part whose topic bytes are its payload costs nothing, and a valid payload is never copied.

use lockgate_model::batch::{Batch, Encoding, Formats, Span};
use lockgate_model::fault::{RowFault, Stage};

use crate::converter::{Converter, Kind};
use crate::envelope::{self, Bare, Envelope};
use crate::fault::Result;
use crate::framed::{FramedIn, Prepare};
use crate::incoming::General;
use crate::registry::{Unready, Wait};
use crate::rows::{Part, Parts, Site};

/// Decodes the batches of one task. Null has no bytes in every encoding; a schema id tells Connect's null with a schema
/// from a tombstone.
#[derive(Debug)]
pub struct Decode(Parts<From>);

/// One part of a record.
#[derive(Debug)]
enum From {
    /// Topic bytes are the payload.
    Untouched,
    /// `JsonConverter` without schemas, to JSON.
    Plain,
    /// `JsonConverter` with an envelope, to JSON.
    Envelope(Box<Envelope>),
    /// `JsonConverter` with `schema.content`, to JSON.
    Bare(Box<Bare>),
    /// A registry's wire format.
    Framed(Box<FramedIn>),
    /// Everything else, by way of a value.
    General(Box<General>),
}

impl Decode {
    /// For these converters and the encodings negotiated with the plugin.
    pub fn new(key: Converter, value: Converter, header: Converter, formats: Formats) -> Self {
        let classes = [key.class(), value.class(), header.class()];
        Self(Parts::new(
            From::new(key, formats.key),
            From::new(value, formats.value),
            From::new(header, formats.header),
            classes,
        ))
    }

    /// Class of the converter of a stage, in full; empty for stages that convert nothing.
    pub fn class(&self, stage: Stage) -> &str {
        self.0.class(stage)
    }

    /// True if no batch is ever changed by this, so that the call may be left out.
    pub fn is_identity(&self) -> bool {
        self.0.is_identity()
    }

    /// What a registry has to be asked before [`Self::batch`] can convert this batch: to be awaited first, and again while the
    /// registry is not available. `None` = nothing: no converter has a registry, or everything is known.
    pub fn prepare(&mut self, batch: &Batch) -> Option<Wait<'_, std::result::Result<(), Unready>>> {
        self.0.prepare(batch)
    }

    /// Converts in place. The rows named in the answer failed at that stage and are left as they were; a row is named at
    /// most once, for the first part that failed, in ascending order.
    pub fn batch(&mut self, batch: &mut Batch) -> Vec<(Stage, RowFault)> {
        self.0.batch(batch)
    }
}

impl From {
    fn new(converter: Converter, encoding: Encoding) -> Self {
        match (converter.kind(), encoding) {
            (_, Encoding::Bytes) => Self::Untouched,
            (Kind::Json(options), Encoding::Json) => match &options.schema_content {
                _ if !options.schemas_enable => Self::Plain,
                Some(schema) => Self::Bare(Box::new(Bare::new(schema, options))),
                None => Self::Envelope(Box::new(Envelope::new(options))),
            },
            (Kind::Registry(options), _) => {
                let (options, registry) = (options.clone(), converter.registry().cloned());
                Self::Framed(Box::new(FramedIn::new(options, registry, converter.role(), encoding)))
            }
            _ => Self::General(Box::new(General::new(converter, encoding))),
        }
    }
}

impl Part for From {
    fn is_identity(&self) -> bool {
        matches!(self, Self::Untouched)
    }

    fn convert(&mut self, data: &mut Vec<u8>, span: Span, schema: u32, site: Site<'_>) -> Result<(Span, u16)> {
        match self {
            // Never called; what it would say is true all the same.
            Self::Untouched => Ok((span, u16::try_from(schema).unwrap_or(0))),
            Self::Plain => Ok((envelope::plain(data, span)?, 0)),
            Self::Envelope(envelope) => envelope.open(data, span, site.schemas),
            Self::Bare(bare) => bare.open(data, span, site.schemas),
            Self::Framed(framed) => framed.convert(data, span, site),
            Self::General(general) => general.payload(data, span, site.schemas),
        }
    }

    fn prepares(&mut self) -> Option<&mut dyn Prepare> {
        if let Self::Framed(framed) = self { Some(framed.as_mut()) } else { None }
    }
}

#[cfg(test)]
mod tests;
