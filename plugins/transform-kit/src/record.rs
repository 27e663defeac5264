//! A record as transforms see it, whoever holds its bytes.
//!
//! Enters: the border's record, or one of a test. Leaves: reads and changes by part. Invariant: what a transform does not
//! ask for is neither read nor copied.

use std::ops::Range;
use std::rc::Rc;

use crate::object::Open;

/// Which part of a record a transform works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// `$Key`
    Key,
    /// `$Value`
    Value,
}

/// A record that a transform cannot handle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Dotted, stable.
    pub code: &'static str,
    /// In the words of Kafka Connect, without payload contents.
    pub message: String,
}

impl Fault {
    /// Kafka Connect's `DataException`.
    pub fn data(message: impl Into<String>) -> Self {
        Self { code: "transform.data", message: message.into() }
    }

    /// Kafka Connect's `ConnectException`.
    pub fn connect(message: impl Into<String>) -> Self {
        Self { code: "transform.connect", message: message.into() }
    }

    /// Kafka Connect's `SchemaBuilderException` for a field whose name is empty.
    pub fn unnamed() -> Self {
        Self { code: "transform.schema-builder", message: "fieldName cannot be null.".to_owned() }
    }

    /// Kafka Connect's `SchemaBuilderException` for two fields of one name.
    pub fn duplicate(name: &str) -> Self {
        let message = format!("Cannot create field because of field name duplication {name}");
        Self { code: "transform.schema-builder", message }
    }
}

/// Is shown name, value and schema id of a header.
pub type Visit<'a> = dyn FnMut(&str, Option<&[u8]>, u32) + 'a;

/// A record. Payloads are JSON, except for transforms that never look at them.
pub trait Record {
    /// Topic.
    fn topic(&self) -> &str;
    /// Moves it to another topic.
    fn set_topic(&mut self, name: &str);
    /// Partition, if one is chosen.
    fn partition(&self) -> Option<u32>;
    /// Offset; none for records of a source.
    fn offset(&self) -> Option<i64>;
    /// Milliseconds since the epoch.
    fn timestamp(&self) -> Option<i64>;
    /// Bytes of a part; none is null.
    fn payload(&self, part: Part) -> Option<&[u8]>;
    /// Replaces a part; its schema stays.
    fn set_payload(&mut self, part: Part, payload: Option<&[u8]>);
    /// Makes a part a range of a part, without a copy.
    fn set_range(&mut self, part: Part, of: Part, range: Range<usize>);
    /// Writes a part anew from its old bytes. On an error the record stays as it was.
    fn rewrite<F>(&mut self, part: Part, write: F) -> Result<(), Fault>
    where
        F: FnOnce(&[u8], &mut Vec<u8>) -> Result<(), Fault>;
    /// Works on a part that is an object, by its members: found by the first step of a chain, written after the last. What is no
    /// object is a fault that names the `purpose`. A record whose change failed is not to be used.
    fn object<F>(&mut self, part: Part, purpose: &str, change: F) -> Result<(), Fault>
    where
        F: FnOnce(&mut Open<'_>) -> Result<(), Fault>;
    /// True if a part has bytes.
    fn has(&self, part: Part) -> bool;
    /// True for no bytes and for the literal `null`.
    fn is_null(&self, part: Part) -> bool;
    /// Schema id of a part, 0 = none.
    fn schema_id(&self, part: Part) -> u32;
    /// Gives a part a schema that this instance knows.
    fn set_schema_id(&mut self, part: Part, id: u32);
    /// Definition of a part's schema.
    fn definition(&self, part: Part) -> Option<Rc<str>>;
    /// The id for a definition; 0 if there are too many.
    fn announce(&self, definition: &str) -> u32;
    /// Sets the partition; none: the host chooses.
    fn set_partition(&mut self, partition: Option<u32>);
    /// Sets the time stamp, milliseconds since the epoch.
    fn set_timestamp(&mut self, timestamp: Option<i64>);
    /// Definition of a schema by its id.
    fn definition_of(&self, id: u32) -> Option<Rc<str>>;
    /// Shows name, value and schema id of each header, in order.
    fn visit_headers(&self, visit: &mut Visit<'_>);
    /// Sends a copy of the record as it is now on its way before this one.
    fn split(&mut self);
    /// True if a header has this name.
    fn has_header(&self, name: &str) -> bool;
    /// Adds a header behind the others.
    fn add_header(&mut self, name: &str, value: Option<&[u8]>, schema: u32);
    /// Drops the headers whose names do not pass.
    fn keep_headers(&mut self, keep: impl FnMut(&str) -> bool);
}

/// The id for a schema that a transform made.
pub fn announce<R: Record>(record: &R, definition: &str) -> Result<u32, Fault> {
    match record.announce(definition) {
        0 => Err(Fault {
            code: "schema.too-many",
            message: "the transforms made more than 32,768 different schemas; restart the task".to_owned(),
        }),
        id => Ok(id),
    }
}
