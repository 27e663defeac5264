//! One record through one converter.
//!
//! Enters: class, settings, bytes. Leaves: what the converter makes of them, or its fault. Invariant: a converter and its table
//! of schemas belong together, as in a task.

use std::sync::Arc;

use indexmap::IndexMap;
use lockgate_convert::registry::{MemoryRegistry, SchemaRegistry};
use lockgate_convert::{Converter, Decode, Encode, Role};
use lockgate_model::batch::{Batch, Encoding, Formats, Row, Span};
use lockgate_model::schemas::Schemas;

/// A converter of values with its registry.
#[derive(Clone)]
pub struct Rig {
    converter: Converter,
    pub registry: MemoryRegistry,
}

/// A payload with its schema's text, which is empty for none.
pub type Typed = (Option<Vec<u8>>, String);

impl Rig {
    pub fn new(class: &str, settings: &[(&str, &str)]) -> Self {
        Self::with(class, settings, MemoryRegistry::default())
    }

    pub fn with(class: &str, settings: &[(&str, &str)], registry: MemoryRegistry) -> Self {
        let url = ("schema.registry.url", "mock://formats");
        let settings: IndexMap<String, String> =
            settings.iter().chain([&url]).map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let shared: Arc<dyn SchemaRegistry> = Arc::new(registry.clone());
        let converter = Converter::configure(class, &settings, Role::Value).unwrap().connected(shared);
        Self { converter, registry }
    }

    fn parts(&self) -> (Converter, Converter, Converter) {
        let plain = |class, role| Converter::configure(class, &IndexMap::new(), role).unwrap();
        (plain("ByteArrayConverter", Role::Key), self.converter.clone(), plain("SimpleHeaderConverter", Role::Header))
    }

    pub fn decode(&self, encoding: Encoding) -> (Decode, Schemas) {
        let (key, value, header) = self.parts();
        let decode = Decode::new(key, value, header, Formats { value: encoding, ..Formats::BYTES });
        (decode, Schemas::default())
    }

    pub fn encode(&self, encoding: Encoding) -> (Encode, Schemas) {
        let (key, value, header) = self.parts();
        let encode = Encode::new(key, value, header, Formats { value: encoding, ..Formats::BYTES });
        (encode, Schemas::default())
    }
}

/// A batch of one record without a key.
pub fn batch(value: Option<&[u8]>, schema: &str, schemas: &Schemas) -> Batch {
    let mut batch = Batch::new(schemas.clone());
    let topic = batch.topic_index(&Arc::from("t"));
    let value = batch.push_bytes(value);
    let value_schema = if schema.is_empty() { 0 } else { u32::from(batch.schemas.intern(schema).unwrap()) };
    batch.rows.push(Row { topic, key: Span::NULL, value, value_schema, ..bytemuck::Zeroable::zeroed() });
    batch
}

/// Topic bytes to a payload; the code and message of a fault.
pub fn decoded((decode, schemas): &mut (Decode, Schemas), bytes: Option<&[u8]>) -> Result<Typed, String> {
    let mut batch = batch(bytes, "", schemas);
    if let Some(wait) = decode.prepare(&batch) {
        futures::executor::block_on(wait).unwrap();
    }
    result(&decode.batch(&mut batch), &batch)
}

/// A payload to topic bytes.
pub fn encoded(
    (encode, schemas): &mut (Encode, Schemas),
    payload: Option<&[u8]>,
    schema: &str,
) -> Result<Option<Vec<u8>>, String> {
    let mut batch = batch(payload, schema, schemas);
    if let Some(wait) = encode.prepare(&batch) {
        futures::executor::block_on(wait).unwrap();
    }
    result(&encode.batch(&mut batch), &batch).map(|(bytes, _)| bytes)
}

fn result(
    failed: &[(lockgate_model::fault::Stage, lockgate_model::fault::RowFault)],
    batch: &Batch,
) -> Result<Typed, String> {
    if let Some((_, fault)) = failed.first() {
        return Err(format!("{}: {}", fault.code, fault.message));
    }
    batch.check().unwrap();
    let row = batch.rows[0];
    let schema = batch.schemas.definition(row.value_schema).map_or(String::new(), |text| text.to_string());
    Ok((batch.bytes(row.value).map(<[u8]>::to_vec), schema))
}
