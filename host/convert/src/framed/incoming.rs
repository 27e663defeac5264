//! Topic bytes with a frame to payloads.
//!
//! Enters: the span of topic bytes, perhaps a header with the schema's id. Leaves: the span of the payload, appended to the
//! arena, and its schema's id. Invariant: the five bytes of the prefix are all that is looked at to find the reader.

use std::collections::HashSet;
use std::sync::Arc;

use lockgate_model::batch::{Batch, Encoding, Span};

use super::compiled::{Compiled, Place};
use super::{Prepare, datum, header, id_header};
use crate::converter::Role;
use crate::envelope::{self, push};
use crate::fault::{DataFault, Result};
use crate::registry::{Answer, Denied, Frame, Reader, Registered, SchemaRegistry, Unavailable, Wait};
use crate::registry_options::RegistryOptions;
use crate::rows::Site;
use crate::schema::Schema;

/// One registry converter, one target.
#[derive(Debug)]
pub(crate) struct FramedIn {
    options: Arc<RegistryOptions>,
    registry: Option<Arc<dyn SchemaRegistry>>,
    role: Role,
    encoding: Encoding,
    /// A version is that of the topic's subject.
    compiled: Compiled<Frame, Known>,
    wanted: Vec<Place<Frame>>,
    out: Vec<u8>,
}

#[derive(Debug)]
struct Known {
    reader: Box<dyn Reader>,
    /// The schema of the last datum, and its id in the task's table.
    schema: Option<Arc<Schema>>,
    id: u16,
}

impl FramedIn {
    pub(crate) fn new(
        options: Arc<RegistryOptions>,
        registry: Option<Arc<dyn SchemaRegistry>>,
        role: Role,
        encoding: Encoding,
    ) -> Self {
        Self { options, registry, role, encoding, compiled: Compiled::new(), wanted: Vec::new(), out: Vec::new() }
    }

    pub(crate) fn convert(&mut self, data: &mut Vec<u8>, span: Span, site: Site<'_>) -> Result<(Span, u16)> {
        let Some(bytes) = envelope::bytes(data, span) else { return Ok((Span::NULL, 0)) };
        let Some(framed) = frame(bytes, header(site.headers, data, site.row, id_header(self.role)))? else {
            return Ok((Span::NULL, 0));
        };
        let index = self.compiled.find(site.topic, framed.frame, || {
            DataFault::new("registry.unknown", format!("the registry was not asked for {}", name(framed.frame)))
        })?;
        let known = self.compiled.at(index);
        self.out.clear();
        let read = if framed.indexes.is_empty() {
            known.reader.read(framed.payload, self.encoding, &mut self.out)?
        } else {
            let whole = [framed.indexes, framed.payload].concat();
            known.reader.read(&whole, self.encoding, &mut self.out)?
        };
        match (&read.schema, &known.schema) {
            (None, None) => {}
            (Some(new), Some(old)) if Arc::ptr_eq(new, old) => {}
            (None, _) => known.id = 0,
            (Some(new), _) => known.id = site.schemas.intern(&new.to_json())?,
        }
        known.schema = read.schema;
        let id = known.id;
        if read.is_null { Ok((Span::NULL, id)) } else { Ok((push(data, &self.out)?, id)) }
    }

    async fn fetch(&mut self, registry: &dyn SchemaRegistry) -> std::result::Result<(), Unavailable> {
        let frames: Vec<Frame> = self.wanted.iter().map(|(_, frame)| *frame).collect();
        let found = registry.find(&frames).await;
        let wanted = std::mem::take(&mut self.wanted);
        let mut arrived = Vec::new();
        for (place, answer) in wanted.into_iter().zip(found) {
            if let Some(schema) = self.sort(&place, answer)? {
                arrived.push((place, schema));
            }
        }
        let (mut asked, mut whose) = (Vec::new(), Vec::new());
        for (at, (place, schema)) in arrived.iter().enumerate() {
            let record = || self.options.format.record_name(schema);
            // A subject that cannot be named has no versions.
            if let Ok(subject) = self.options.naming.subject(&place.0, self.role, record) {
                asked.push((subject, Arc::clone(schema)));
                whose.push(at);
            }
        }
        let mut versions = vec![None; arrived.len()];
        for (at, answer) in whose.into_iter().zip(registry.versions(&asked).await) {
            match answer {
                Ok(version) => versions[at] = version,
                Err(Denied::Unavailable(why)) => return Err(why),
                // Not everybody may look into subjects; the version is left out then.
                Err(Denied::Refused(_)) => {}
            }
        }
        for ((place, schema), version) in arrived.into_iter().zip(versions) {
            self.learn(place, &Registered { version, ..Registered::clone(&schema) });
        }
        Ok(())
    }

    fn sort<T>(&mut self, place: &Place<Frame>, answer: Answer<T>) -> std::result::Result<Option<T>, Unavailable> {
        match answer {
            Ok(answer) => Ok(Some(answer)),
            Err(Denied::Unavailable(why)) => Err(why),
            Err(Denied::Refused(fault)) => {
                self.compiled.refuse(place.clone(), fault);
                Ok(None)
            }
        }
    }

    fn learn(&mut self, place: Place<Frame>, schema: &Registered) {
        let format = &self.options.format;
        let fits = if schema.schema_type == format.schema_type() {
            format.reader(schema)
        } else {
            let (found, wanted) = (schema.schema_type.name(), format.schema_type().name());
            Err(DataFault::new("registry.type", format!("{} is a schema of type {found}, not {wanted}", name(place.1))))
        };
        self.compiled.learn(place, fits.map(|reader| Known { reader, schema: None, id: 0 }));
    }
}

impl Prepare for FramedIn {
    fn collect(&mut self, batch: &Batch) -> bool {
        self.compiled.begin(self.options.cache_size);
        self.wanted.clear();
        let mut wanted = HashSet::new();
        for row in &batch.rows {
            let (Some(bytes), Some(topic)) =
                (envelope::bytes(&batch.data, datum(row, self.role).0), batch.topics.get(row.topic as usize))
            else {
                continue;
            };
            let held = header(&batch.headers, &batch.data, row, id_header(self.role));
            let Ok(Some(Framed { frame, .. })) = frame(bytes, held) else { continue };
            if self.compiled.lacks(topic, frame) {
                wanted.insert((Arc::clone(topic), frame));
            }
        }
        self.wanted.extend(wanted);
        !self.wanted.is_empty()
    }

    fn ask(&mut self) -> Wait<'_, std::result::Result<(), Unavailable>> {
        Box::pin(async move {
            let Some(registry) = self.registry.clone() else {
                self.compiled.no_registry(self.wanted.drain(..));
                return Ok(());
            };
            self.fetch(registry.as_ref()).await
        })
    }
}

/// A datum taken apart.
struct Framed<'a> {
    frame: Frame,
    /// Indexes of a Protobuf message that stand in the header, behind the id.
    indexes: &'a [u8],
    payload: &'a [u8],
}

/// The frame of a datum; none for empty bytes, which are null. A header comes before a prefix.
fn frame<'a>(bytes: &'a [u8], header: Option<&'a [u8]>) -> Result<Option<Framed<'a>>> {
    let id = |bytes: [u8; 4]| Frame::Id(u32::from_be_bytes(bytes));
    match header.and_then(<[u8]>::split_first) {
        Some((1, rest)) if rest.len() >= 16 => {
            let (guid, indexes) = rest.split_at(16);
            let frame = Frame::Guid(guid.try_into().unwrap_or_default());
            return Ok(Some(Framed { frame, indexes, payload: bytes }));
        }
        Some((0, [a, b, c, d, indexes @ ..])) => {
            return Ok(Some(Framed { frame: id([*a, *b, *c, *d]), indexes, payload: bytes }));
        }
        _ => {}
    }
    match bytes {
        [] => Ok(None),
        [0, a, b, c, d, payload @ ..] => Ok(Some(Framed { frame: id([*a, *b, *c, *d]), indexes: &[], payload })),
        [0, ..] => Err(DataFault::new("registry.truncated", "the bytes end within the schema id")),
        [magic, ..] => {
            let why = format!("Unknown magic byte {magic:#04x}: the bytes were not written with a schema registry");
            Err(DataFault::new("registry.magic", why))
        }
    }
}

fn name(frame: Frame) -> String {
    match frame {
        Frame::Id(id) => format!("schema id {id}"),
        Frame::Guid(guid) => format!("schema GUID {}", guid_text(&guid)),
    }
}

/// `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`
pub(crate) fn guid_text(guid: &[u8; 16]) -> String {
    let hex = |range: std::ops::Range<usize>| guid[range].iter().map(|b| format!("{b:02x}")).collect::<String>();
    format!("{}-{}-{}-{}-{}", hex(0..4), hex(4..6), hex(6..8), hex(8..10), hex(10..16))
}
