//! Payloads to topic bytes, for sources.
//!
//! Enters: a batch as a source or its transforms left it. Leaves: the same batch with key, value and header spans repointed
//! at topic bytes, schema ids zero, and a list of the rows that failed (left in place, the caller removes them).
//! Invariant: bytes that are topic bytes already are not copied.

use lockgate_model::batch::{Batch, Encoding, Formats, Span};
use lockgate_model::fault::{RowFault, Stage};

use crate::converter::{Converter, Kind};
use crate::fault::Result;
use crate::framed::{FramedOut, Prepare};
use crate::outgoing::Outgoing;
use crate::registry::{Unready, Wait};
use crate::rows::{Part, Parts, Site};

/// Encodes the batches of one task.
#[derive(Debug)]
pub struct Encode(Parts<To>);

/// One part of a record.
#[derive(Debug)]
enum To {
    /// A registry's wire format.
    Framed(Box<FramedOut>),
    /// Everything else.
    Plain(Box<Outgoing>),
}

impl Encode {
    /// For these converters and the encodings negotiated with the plugin.
    pub fn new(key: Converter, value: Converter, header: Converter, formats: Formats) -> Self {
        let classes = [key.class(), value.class(), header.class()];
        Self(Parts::new(
            To::new(key, formats.key),
            To::new(value, formats.value),
            To::new(header, formats.header),
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

impl To {
    fn new(converter: Converter, encoding: Encoding) -> Self {
        let Kind::Registry(options) = converter.kind() else {
            return Self::Plain(Box::new(Outgoing::new(converter, encoding)));
        };
        let (options, registry) = (options.clone(), converter.registry().cloned());
        Self::Framed(Box::new(FramedOut::new(options, registry, converter.role(), encoding)))
    }
}

impl Part for To {
    fn is_identity(&self) -> bool {
        if let Self::Plain(plain) = self { plain.is_identity() } else { false }
    }

    fn convert(&mut self, data: &mut Vec<u8>, span: Span, schema: u32, site: Site<'_>) -> Result<(Span, u16)> {
        match self {
            Self::Framed(framed) => framed.convert(data, span, schema, site),
            Self::Plain(plain) => plain.convert(data, span, schema, site),
        }
    }

    fn prepares(&mut self) -> Option<&mut dyn Prepare> {
        if let Self::Framed(framed) = self { Some(framed.as_mut()) } else { None }
    }
}

#[cfg(test)]
mod tests;
