//! Payloads to topic bytes with a frame.
//!
//! Enters: the span of a payload and its schema's id. Leaves: the span of the topic bytes. Invariant: a schema is translated
//! once, and offered to the registry once for each subject.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use lockgate_model::batch::{Batch, Encoding, Span};
use lockgate_model::schemas::Schemas;

use super::compiled::{Compiled, Place};
use super::{Prepare, datum};
use crate::converter::Role;
use crate::envelope::{self, push};
use crate::fault::{DataFault, Result};
use crate::outgoing::opaque;
use crate::registry::{Denied, Draft, Offer, Registered, SchemaRegistry, Unavailable, Wait, Writer};
use crate::registry_options::RegistryOptions;
use crate::rows::Site;
use crate::schema::Schema;
use crate::value::Value;

/// One registry converter, one source of payloads.
#[derive(Debug)]
pub(crate) struct FramedOut {
    options: Arc<RegistryOptions>,
    registry: Option<Arc<dyn SchemaRegistry>>,
    role: Role,
    encoding: Encoding,
    /// By id in the task's table, which bounds it.
    drafts: HashMap<u32, Drafted>,
    compiled: Compiled<u32, Known>,
    wanted: Vec<(Place<u32>, Offer)>,
    out: Vec<u8>,
}

#[derive(Clone, Debug)]
struct Drafted {
    schema: Option<Arc<Schema>>,
    draft: Arc<Draft>,
}

#[derive(Debug)]
struct Known {
    schema: Option<Arc<Schema>>,
    prefix: [u8; 5],
    writer: Box<dyn Writer>,
}

impl FramedOut {
    pub(crate) fn new(
        options: Arc<RegistryOptions>,
        registry: Option<Arc<dyn SchemaRegistry>>,
        role: Role,
        encoding: Encoding,
    ) -> Self {
        Self {
            options,
            registry,
            role,
            encoding,
            drafts: HashMap::new(),
            compiled: Compiled::new(),
            wanted: Vec::new(),
            out: Vec::new(),
        }
    }

    pub(crate) fn convert(&mut self, data: &mut Vec<u8>, span: Span, id: u32, site: Site<'_>) -> Result<(Span, u16)> {
        let Some(bytes) = envelope::bytes(data, span) else {
            return self.null(id, site.schemas).map(|()| (Span::NULL, 0));
        };
        let unasked = || DataFault::new("registry.unknown", "the registry was not asked for the record's schema");
        let index = self.compiled.find(site.topic, id, unasked)?;
        let known = self.compiled.at(index);
        let schema = known.schema.as_deref();
        let fills = !self.options.ignore_default_for_nullables;
        let value = match self.encoding {
            Encoding::Json => crate::payload::read(&crate::json::Json::parse(bytes)?, schema, fills)?,
            Encoding::Cbor => crate::cbor::read(bytes, schema, fills)?,
            Encoding::Bytes => opaque(bytes, schema)?,
        };
        if value == Value::Null {
            return Ok((Span::NULL, 0));
        }
        self.out.clear();
        self.out.extend_from_slice(&known.prefix);
        known.writer.write(&value, &mut self.out)?;
        Ok((push(data, &self.out)?, 0))
    }

    /// Null has no bytes, where the schema allows it; without a schema it is a tombstone under every format.
    fn null(&mut self, id: u32, schemas: &Schemas) -> Result<()> {
        if id == 0 {
            return Ok(());
        }
        match self.draft(id, schemas)?.schema {
            Some(schema) if !schema.is_optional() => {
                Err(DataFault::mismatch("Found null value for non-optional schema"))
            }
            _ => Ok(()),
        }
    }

    fn draft(&mut self, id: u32, schemas: &Schemas) -> Result<Drafted> {
        if let Some(drafted) = self.drafts.get(&id) {
            return Ok(drafted.clone());
        }
        let schema = if id == 0 {
            None
        } else {
            let text = schemas.definition(id);
            let text = text.ok_or_else(|| DataFault::schema(format!("schema id {id} was never announced")))?;
            Some(Arc::new(Schema::parse(&text)?))
        };
        let drafted = Drafted { draft: Arc::new(self.options.format.draft(schema.as_deref())?), schema };
        self.drafts.insert(id, drafted.clone());
        Ok(drafted)
    }

    fn offer(&mut self, place: &Place<u32>, schemas: &Schemas) -> Result<Offer> {
        let Drafted { draft, .. } = self.draft(place.1, schemas)?;
        let RegistryOptions { naming, writing, normalize, .. } = self.options.as_ref();
        let subject = naming.subject(&place.0, self.role, || draft.record.clone())?;
        Ok(Offer { subject, draft, writing: *writing, normalize: *normalize })
    }

    fn learn(&mut self, place: Place<u32>, registered: &Registered) {
        let schema = self.drafts.get(&place.1).and_then(|drafted| drafted.schema.clone());
        let [a, b, c, d] = registered.id.to_be_bytes();
        let writer = self.options.format.writer(schema.as_ref(), registered);
        self.compiled.learn(place, writer.map(|writer| Known { schema, prefix: [0, a, b, c, d], writer }));
    }
}

impl Prepare for FramedOut {
    fn collect(&mut self, batch: &Batch) -> bool {
        self.wanted.clear();
        if self.compiled.begin(self.options.cache_size) {
            self.drafts.clear();
        }
        let mut places = HashSet::new();
        for row in &batch.rows {
            let (span, id) = datum(row, self.role);
            let Some(topic) = batch.topics.get(row.topic as usize).filter(|_| !span.is_null()) else { continue };
            if self.compiled.lacks(topic, id) {
                places.insert((Arc::clone(topic), id));
            }
        }
        for place in places {
            match self.offer(&place, &batch.schemas) {
                Ok(offer) => self.wanted.push((place, offer)),
                Err(fault) => self.compiled.refuse(place, fault),
            }
        }
        !self.wanted.is_empty()
    }

    fn ask(&mut self) -> Wait<'_, std::result::Result<(), Unavailable>> {
        Box::pin(async move {
            let (places, offers): (Vec<Place<u32>>, Vec<Offer>) = self.wanted.drain(..).unzip();
            let Some(registry) = self.registry.clone() else {
                self.compiled.no_registry(places);
                return Ok(());
            };
            for (place, answer) in places.into_iter().zip(registry.offer(&offers).await) {
                match answer {
                    Ok(registered) => self.learn(place, &registered),
                    Err(Denied::Unavailable(why)) => return Err(why),
                    Err(Denied::Refused(fault)) => self.compiled.refuse(place, fault),
                }
            }
            Ok(())
        })
    }
}
