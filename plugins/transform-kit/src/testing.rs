//! A record in memory, for the tests of this package.

pub mod tour;

use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;

use lockgate_sdk::Form as _;

use crate::class::{Class, Encoding, Formats};
use crate::config::{Problems, Settings};
use crate::object::{Object, Open};
use crate::record::{Fault, Part, Record, Visit};
use crate::splice;

#[derive(Clone, Debug)]
pub struct Fake {
    pub topic: String,
    pub partition: Option<u32>,
    pub offset: Option<i64>,
    pub timestamp: Option<i64>,
    pub parts: [Option<Vec<u8>>; 2],
    pub ids: [u32; 2],
    pub headers: Vec<(String, Option<Vec<u8>>, u32)>,
    /// Copies sent before this one.
    pub sent: Vec<Fake>,
    /// The value as an object, and the text that it was read from: left by the last transform for the next.
    pub held: Option<(Object, Vec<u8>)>,
    /// One table for all clones, as in an instance.
    pub schemas: Rc<RefCell<Vec<Rc<str>>>>,
}

impl Fake {
    /// A record with this value, and a schema unless that is empty.
    pub fn new(value: Option<&str>, schema: &str) -> Self {
        let mut fake = Self {
            topic: "t".to_owned(),
            partition: Some(3),
            offset: Some(42),
            timestamp: Some(1_582_934_400_001),
            parts: [None, value.map(|v| v.as_bytes().to_vec())],
            ids: [0, 0],
            headers: Vec::new(),
            sent: Vec::new(),
            held: None,
            schemas: Rc::default(),
        };
        if !schema.is_empty() {
            fake.ids[1] = fake.announce(schema);
        }
        fake
    }

    fn put(&mut self, part: Part, payload: Option<Vec<u8>>) {
        if part == Part::Value {
            self.held = None;
        }
        self.parts[at(part)] = payload;
    }

    pub fn text(&self, part: Part) -> Option<String> {
        self.payload(part).map(|p| String::from_utf8_lossy(p).into_owned())
    }

    pub fn schema(&self, part: Part) -> String {
        self.definition(part).map_or(String::new(), |s| s.to_string())
    }

    pub fn header(&self, index: usize) -> (String, Option<String>, String) {
        let (name, value, id) = &self.headers[index];
        let schema = id.checked_sub(1).map_or(String::new(), |at| self.schemas.borrow()[at as usize].to_string());
        (name.clone(), value.as_ref().map(|v| String::from_utf8_lossy(v).into_owned()), schema)
    }
}

fn at(part: Part) -> usize {
    usize::from(part == Part::Value)
}

impl Record for Fake {
    fn topic(&self) -> &str {
        &self.topic
    }
    fn set_topic(&mut self, name: &str) {
        name.clone_into(&mut self.topic);
    }
    fn partition(&self) -> Option<u32> {
        self.partition
    }
    fn offset(&self) -> Option<i64> {
        self.offset
    }
    fn timestamp(&self) -> Option<i64> {
        self.timestamp
    }
    fn payload(&self, part: Part) -> Option<&[u8]> {
        self.parts[at(part)].as_deref()
    }
    fn set_payload(&mut self, part: Part, payload: Option<&[u8]>) {
        self.put(part, payload.map(<[u8]>::to_vec));
    }
    fn set_range(&mut self, part: Part, of: Part, range: Range<usize>) {
        self.put(part, self.parts[at(of)].as_ref().map(|bytes| bytes[range].to_vec()));
    }
    fn rewrite<F>(&mut self, part: Part, write: F) -> Result<(), Fault>
    where
        F: FnOnce(&[u8], &mut Vec<u8>) -> Result<(), Fault>,
    {
        let mut out = Vec::new();
        write(self.payload(part).unwrap_or_default(), &mut out)?;
        self.put(part, Some(out));
        Ok(())
    }
    fn object<F>(&mut self, part: Part, purpose: &str, change: F) -> Result<(), Fault>
    where
        F: FnOnce(&mut Open<'_>) -> Result<(), Fault>,
    {
        let read = || {
            let (mut object, text) = (Object::default(), self.payload(part));
            let refuse = |why| splice::fault(why, self.schema_id(part), purpose, splice::kind(text));
            object.read(text).map_err(refuse)?;
            Ok((object, text.unwrap_or_default().to_vec()))
        };
        let held = self.held.clone().filter(|_| part == Part::Value);
        let (mut object, text) = held.map_or_else(read, Ok)?;
        change(&mut object.open(&text))?;
        if object.changed() {
            // Behind other bytes, as in a batch.
            let mut out = b"before".to_vec();
            object.write(&text, &mut out);
            self.parts[at(part)] = Some(out.split_off(6));
        }
        if part == Part::Value {
            self.held = Some((object, text));
        }
        Ok(())
    }
    fn has(&self, part: Part) -> bool {
        self.payload(part).is_some()
    }
    fn is_null(&self, part: Part) -> bool {
        splice::is_null(self.payload(part))
    }
    fn schema_id(&self, part: Part) -> u32 {
        self.ids[at(part)]
    }
    fn set_schema_id(&mut self, part: Part, id: u32) {
        self.ids[at(part)] = id;
    }
    fn definition(&self, part: Part) -> Option<Rc<str>> {
        let index = self.ids[at(part)].checked_sub(1)?;
        self.schemas.borrow().get(index as usize).cloned()
    }
    fn announce(&self, definition: &str) -> u32 {
        let mut schemas = self.schemas.borrow_mut();
        let index = schemas.iter().position(|s| &**s == definition).unwrap_or_else(|| {
            schemas.push(definition.into());
            schemas.len() - 1
        });
        u32::try_from(index).unwrap_or(0) + 1
    }
    fn set_partition(&mut self, partition: Option<u32>) {
        self.partition = partition;
    }
    fn set_timestamp(&mut self, timestamp: Option<i64>) {
        self.timestamp = timestamp;
    }
    fn definition_of(&self, id: u32) -> Option<Rc<str>> {
        self.schemas.borrow().get(id.checked_sub(1)? as usize).cloned()
    }
    fn visit_headers(&self, visit: &mut Visit<'_>) {
        for (name, value, schema) in &self.headers {
            visit(name, value.as_deref(), *schema);
        }
    }
    fn split(&mut self) {
        let copy = Self { sent: Vec::new(), ..self.clone() };
        self.sent.push(copy);
    }
    fn has_header(&self, name: &str) -> bool {
        self.headers.iter().any(|h| h.0 == name)
    }
    fn add_header(&mut self, name: &str, value: Option<&[u8]>, schema: u32) {
        self.headers.push((name.to_owned(), value.map(<[u8]>::to_vec), schema));
    }
    fn keep_headers(&mut self, mut keep: impl FnMut(&str) -> bool) {
        self.headers.retain(|h| keep(&h.0));
    }
}

pub fn settings(pairs: &[(&str, &str)]) -> Settings {
    Settings::new(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())))
}

pub fn configure<T: Class>(part: Part, pairs: &[(&str, &str)]) -> Result<T, Problems> {
    let formats = Formats { key: Encoding::Json, value: Encoding::Json, header: Encoding::Json };
    T::new(part, settings(pairs), formats)
}

/// Takes a value through a class; value and schema, or the fault's message.
pub fn apply<T: Class>(
    pairs: &[(&str, &str)],
    schema: &str,
    value: Option<&str>,
) -> Result<(Option<String>, String), String> {
    let mut fake = Fake::new(value, schema);
    let mut class = configure::<T>(Part::Value, pairs).map_err(|p| format!("{p:?}"))?;
    // The second time, what was worked out for the schema is used again.
    class.apply(&mut fake.clone()).map_err(|f| f.message)?;
    class.apply(&mut fake).map_err(|f| f.message)?;
    Ok((fake.text(Part::Value), fake.schema(Part::Value)))
}
