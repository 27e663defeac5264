//! How the data of one Avro schema is read: steps that refer to each other by index.
//!
//! Enters: a parsed schema. Leaves: a [`Plan`]. Invariant: it says of every type what Connect makes of it, as
//! [`super::to_connect`] says it of the schema; a recursive record is a step that refers to itself.

use std::collections::HashMap;

use super::AvroOptions;
use super::names;
use super::out::Constant;
use super::schema::{Avro, Id, Kind, Node};
use super::to_connect::{Union, is_map_entry, map_entry, member, union};
use crate::fault::Result;

#[derive(Debug)]
pub(super) struct Plan {
    pub(super) steps: Vec<Step>,
    pub(super) root: usize,
    /// No schema stands beside the payload.
    pub(super) plain: bool,
}

#[derive(Debug)]
pub(super) enum Step {
    /// In place of one that is being made.
    Null,
    Boolean,
    Int,
    Int8,
    Int16,
    Time,
    Long,
    Float,
    Double,
    String,
    Bytes,
    Fixed(usize),
    /// Scale; size if fixed.
    Decimal(i32, Option<usize>),
    Enum(Vec<Constant>),
    List(usize),
    TextMap(usize),
    /// An array of records with key and value; true = the key is text, so that the map is an object.
    Entries {
        key: usize,
        value: usize,
        value_first: bool,
        text_keys: bool,
    },
    Record(Vec<(Constant, usize)>),
    /// A value or null: number of the null branch, if there is one; of the other one; its step.
    Optional {
        null: Option<u64>,
        some: u64,
        of: usize,
    },
    /// Names of all fields; for each branch the field and its step, none for null.
    Union {
        fields: Vec<Constant>,
        branches: Vec<Option<(usize, usize)>>,
    },
    /// Without a schema a branch is just its value.
    Choice(Vec<usize>),
    /// Data without a schema: the kinds of its fields, in order.
    Anything(Vec<(usize, u64)>),
}

impl Plan {
    pub(super) fn new(avro: &Avro, options: AvroOptions, plain: bool) -> Result<Self> {
        let mut maker = Maker { avro, options, plain, steps: Vec::new(), made: HashMap::new() };
        let root = maker.step(avro.root)?;
        Ok(Self { steps: maker.steps, root, plain })
    }
}

struct Maker<'a> {
    avro: &'a Avro,
    options: AvroOptions,
    plain: bool,
    steps: Vec<Step>,
    made: HashMap<Id, usize>,
}

impl Maker<'_> {
    fn step(&mut self, id: Id) -> Result<usize> {
        if let Some(made) = self.made.get(&id) {
            return Ok(*made);
        }
        let at = self.steps.len();
        self.steps.push(Step::Null);
        self.made.insert(id, at);
        let avro = self.avro;
        let node = avro.node(id);
        self.steps[at] = match &node.kind {
            Kind::Record(fields) if self.plain && node.name.as_deref() == Some(names::ANYTHING) => {
                let kinds = fields.iter().map(|field| self.kind(field.of)).collect::<Result<_>>()?;
                Step::Anything(kinds)
            }
            Kind::Record(fields) => {
                let field = |f: &super::schema::Field| Ok((Constant::new(&f.name), self.step(f.of)?));
                Step::Record(fields.iter().map(field).collect::<Result<_>>()?)
            }
            Kind::Array(of) if is_map_entry(avro.node(*of)) => self.entries(avro.node(*of))?,
            Kind::Array(of) => Step::List(self.step(*of)?),
            Kind::Map(of) => Step::TextMap(self.step(*of)?),
            Kind::Union(branches) => self.union(branches)?,
            Kind::Enum(symbols) => Step::Enum(symbols.iter().map(|symbol| Constant::new(symbol)).collect()),
            _ => scalar(node),
        };
        Ok(at)
    }

    /// A field of data without a schema: a union of null and a type.
    fn kind(&mut self, id: Id) -> Result<(usize, u64)> {
        let Kind::Union(branches) = &self.avro.node(id).kind else { return Ok((self.step(id)?, u64::MAX)) };
        match union(self.avro, branches, self.options) {
            Union::Same { of, null, .. } => Ok((self.step(of)?, null.map_or(u64::MAX, |null| null as u64))),
            Union::Struct { .. } => Ok((self.step(id)?, u64::MAX)),
        }
    }

    fn entries(&mut self, entry: &Node) -> Result<Step> {
        let (key, value) = map_entry(entry)?;
        let first = if let Kind::Record(fields) = &entry.kind { fields.first() } else { None };
        let value_first = first.is_some_and(|field| field.name == "value");
        let is_text = |id: Id| matches!(self.avro.node(id).kind, Kind::String | Kind::Enum(_));
        let text_keys = match &self.avro.node(key).kind {
            Kind::Union(branches) => match union(self.avro, branches, self.options) {
                Union::Same { of, .. } => is_text(of),
                Union::Struct { .. } => false,
            },
            _ => is_text(key),
        };
        let text_keys = text_keys && !self.plain;
        Ok(Step::Entries { key: self.step(key)?, value: self.step(value)?, value_first, text_keys })
    }

    fn union(&mut self, branches: &[Id]) -> Result<Step> {
        Ok(match union(self.avro, branches, self.options) {
            Union::Same { of, null, some } => {
                Step::Optional { null: null.map(|null| null as u64), some: some as u64, of: self.step(of)? }
            }
            Union::Struct { .. } if self.plain => {
                Step::Choice(branches.iter().map(|id| self.step(*id)).collect::<Result<_>>()?)
            }
            Union::Struct { branches: others, .. } => {
                let mut all: Vec<Option<(usize, usize)>> = branches.iter().map(|_| None).collect();
                let mut fields = Vec::with_capacity(others.len());
                for (index, (branch, id)) in others.into_iter().enumerate() {
                    fields.push(Constant::new(&member(self.avro.node(id), index, self.options)));
                    all[branch] = Some((index, self.step(id)?));
                }
                Step::Union { fields, branches: all }
            }
        })
    }
}

fn scalar(node: &Node) -> Step {
    let decimal = || node.is_logical("decimal").then(|| node.whole("scale").unwrap_or(0));
    match node.kind {
        Kind::Boolean => Step::Boolean,
        Kind::Int if node.is_logical("time-millis") => Step::Time,
        Kind::Int => match node.text("connect.type").filter(|_| !node.properties.contains_key("logicalType")) {
            Some("int8") => Step::Int8,
            Some("int16") => Step::Int16,
            _ => Step::Int,
        },
        Kind::Long => Step::Long,
        Kind::Float => Step::Float,
        Kind::Double => Step::Double,
        Kind::String => Step::String,
        Kind::Bytes => decimal().map_or(Step::Bytes, |scale| Step::Decimal(scale, None)),
        Kind::Fixed(size) => decimal().map_or(Step::Fixed(size), |scale| Step::Decimal(scale, Some(size))),
        _ => Step::Null,
    }
}
