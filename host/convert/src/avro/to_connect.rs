//! Avro schemas as Connect's.
//!
//! Enters: a parsed schema, the version that it has in its subject. Leaves: Connect's schema, or none where Connect has no
//! schema for the data. Invariant: what was made of a Connect schema becomes that schema again, as far as `connect.*`
//! properties say.

use std::sync::Arc;

use serde_json::Value as Json;

use super::AvroOptions;
use super::defaults;
use super::names;
use super::schema::{Avro, Id, Kind, Node};
use crate::fault::{DataFault, Result};
use crate::schema::{Attributes, DATE, DECIMAL, Field, Schema, TIME, TIMESTAMP, Type};
use crate::value::Value;

/// Connect's schema; none for data without a schema, and for recursive schemas: Connect's envelope cannot say those.
pub(super) fn schema(avro: &Avro, options: AvroOptions, version: Option<i32>) -> Result<Option<Arc<Schema>>> {
    if is_schemaless(avro) {
        return Ok(None);
    }
    let mut translation = Translation { avro, options, unions: 0 };
    translation.schema(avro.root, false, None, version).map(|schema| Some(Arc::new(schema)))
}

pub(super) fn is_schemaless(avro: &Avro) -> bool {
    avro.node(avro.root).name.as_deref() == Some(names::ANYTHING) || avro.is_recursive()
}

/// True for the record that stands for an entry of a map without text keys.
pub(super) fn is_map_entry(node: &Node) -> bool {
    let Kind::Record(_) = node.kind else { return false };
    node.name.as_deref().map(names::split) == Some((Some(names::NAMESPACE), names::MAP_ENTRY))
        || node.text(names::INTERNAL_TYPE) == Some(names::MAP_ENTRY)
}

/// The types of key and value of such a record.
pub(super) fn map_entry(node: &Node) -> Result<(Id, Id)> {
    let Kind::Record(fields) = &node.kind else { return Err(no_entry()) };
    let of = |name: &str| fields.iter().find(|field| field.name == name).map(|field| field.of);
    match (fields.len(), of("key"), of("value")) {
        (2, Some(key), Some(value)) => Ok((key, value)),
        _ => Err(no_entry()),
    }
}

fn no_entry() -> DataFault {
    DataFault::schema(
        "Found map encoded as array of key-value pairs, but array elements do not match the expected format.",
    )
}

/// What a union means to Connect.
pub(super) enum Union {
    /// One branch that is not null, of two: an optional value. Or the only branch, flattened.
    Same { of: Id, null: Option<usize>, some: usize },
    /// A struct with a field for each branch that is not null: number of the branch, type.
    Struct { null: Option<usize>, branches: Vec<(usize, Id)> },
}

pub(super) fn union(avro: &Avro, branches: &[Id], options: AvroOptions) -> Union {
    let is_null = |id: &Id| matches!(avro.node(*id).kind, Kind::Null);
    let null = branches.iter().position(is_null);
    match (branches, null) {
        ([only], None) if options.flatten_singletons => Union::Same { of: *only, null: None, some: 0 },
        ([_, _], Some(null)) if !is_null(&branches[1 - null]) => {
            Union::Same { of: branches[1 - null], null: Some(null), some: 1 - null }
        }
        _ => {
            let others = branches.iter().copied().enumerate().filter(|(_, id)| !is_null(id));
            Union::Struct { null, branches: others.collect() }
        }
    }
}

/// The name of a union's field.
pub(super) fn member(node: &Node, index: usize, options: AvroOptions) -> String {
    match (&node.kind, &node.name) {
        _ if options.generalized => format!("{}{index}", names::GENERAL_UNION_FIELD),
        (Kind::Record(_) | Kind::Enum(_), Some(full)) if options.enhanced => full.clone(),
        (Kind::Record(_) | Kind::Enum(_), Some(full)) => names::split(full).1.to_owned(),
        (kind, _) => kind.name().to_owned(),
    }
}

struct Translation<'a> {
    avro: &'a Avro,
    options: AvroOptions,
    /// Unions so far.
    unions: usize,
}

/// A schema being built.
struct Building {
    of: Type,
    attributes: Attributes,
}

impl Building {
    fn parameter(&mut self, key: &str, value: &str) {
        let parameters = &mut self.attributes.parameters;
        match parameters.iter_mut().find(|(k, _)| k == key) {
            Some((_, old)) => value.clone_into(old),
            None => parameters.push((key.to_owned(), value.to_owned())),
        }
    }
}

impl Translation<'_> {
    fn schema(&mut self, id: Id, optional: bool, default: Option<&Json>, version: Option<i32>) -> Result<Schema> {
        let avro = self.avro;
        let node = avro.node(id);
        let mut built = match &node.kind {
            Kind::Union(branches) => match union(avro, branches, self.options) {
                Union::Same { of, null, .. } => {
                    let default = default.filter(|_| null.is_none());
                    return self.schema(of, optional || null.is_some(), default, version);
                }
                Union::Struct { null, branches } => self.sum(null.is_some(), &branches)?,
            },
            Kind::Record(fields) => self.record(node, fields)?,
            _ => self.plain(node)?,
        };
        self.describe(node, &mut built, version)?;
        built.attributes.optional |= optional;
        let Building { of, mut attributes } = built;
        let own = node.properties.get("connect.default");
        let default = default.filter(|json| !json.is_null());
        if default.is_some() && own.is_none() && self.options.metadata {
            attributes.parameters.push((names::FIELD_DEFAULT.to_owned(), "true".to_owned()));
        }
        let Some(json) = default.or(own) else { return Schema::new(of, attributes) };
        let schema = Schema::new(of, attributes)?;
        let value = defaults::read(avro, id, &schema, json)?;
        let default = Some(value).filter(|value| *value != Value::Null);
        Schema::new(schema.of().clone(), Attributes { default, ..schema.attributes().clone() })
    }

    fn plain(&mut self, node: &Node) -> Result<Building> {
        let mut built = Building { of: Type::Boolean, attributes: Attributes::default() };
        built.of = match &node.kind {
            Kind::Null => {
                return Err(DataFault::schema("Standalone null schemas are not supported by this converter"));
            }
            Kind::Boolean => Type::Boolean,
            Kind::Int => int(node, &mut built.attributes)?,
            Kind::Long => {
                if node.is_logical("timestamp-millis") {
                    logical(&mut built.attributes, TIMESTAMP);
                }
                Type::Int64
            }
            Kind::Float => Type::Float32,
            Kind::Double => Type::Float64,
            Kind::String => Type::String,
            Kind::Bytes => self.bytes(node, &mut built),
            Kind::Fixed(size) => {
                let of = self.bytes(node, &mut built);
                built.parameter(names::FIXED_SIZE, &size.to_string());
                of
            }
            Kind::Enum(symbols) => {
                self.symbols(node, symbols, &mut built);
                Type::String
            }
            Kind::Map(of) => Type::Map(Some(Arc::new(Schema::required(Type::String))), self.inner(*of)?),
            Kind::Array(of) if is_map_entry(self.avro.node(*of)) => {
                let (key, value) = map_entry(self.avro.node(*of))?;
                Type::Map(self.inner(key)?, self.inner(value)?)
            }
            Kind::Array(of) => Type::Array(self.inner(*of)?),
            Kind::Record(_) | Kind::Union(_) => return Err(no_entry()),
        };
        Ok(built)
    }

    fn inner(&mut self, id: Id) -> Result<Option<Arc<Schema>>> {
        self.schema(id, false, None, None).map(|schema| Some(Arc::new(schema)))
    }

    #[expect(clippy::unused_self, reason = "stands with its like")]
    fn bytes(&self, node: &Node, built: &mut Building) -> Type {
        if node.is_logical("decimal") {
            logical(&mut built.attributes, DECIMAL);
            built.parameter("scale", &node.whole("scale").unwrap_or(0).to_string());
            if let Some(precision) = node.whole("precision").filter(|p| *p != names::PRECISION_DEFAULT) {
                built.parameter(names::PRECISION, &precision.to_string());
            }
        }
        Type::Bytes
    }

    fn symbols(&self, node: &Node, symbols: &[String], built: &mut Building) {
        let full = node.name.as_deref().unwrap_or_default();
        if self.options.metadata {
            let short = names::split(full).1;
            if let Some(doc) = &node.doc {
                built.parameter(&format!("{}{short}", names::ENUM_DOC), doc);
            }
            if let Some(default) = node.text("default") {
                built.parameter(&format!("{}{short}", names::ENUM_DEFAULT), default);
            }
        }
        let prefix = if self.options.generalized { names::GENERAL_ENUM } else { names::ENUM };
        built.parameter(prefix, full);
        for (index, symbol) in symbols.iter().enumerate() {
            let value = if self.options.generalized { index.to_string() } else { symbol.clone() };
            built.parameter(&format!("{prefix}.{symbol}"), &value);
        }
    }

    fn record(&mut self, node: &Node, fields: &[super::schema::Field]) -> Result<Building> {
        let mut built = Building { of: Type::Boolean, attributes: Attributes::default() };
        if let Some(doc) = node.doc.as_ref().filter(|_| self.options.metadata) {
            built.parameter(names::RECORD_DOC, doc);
        }
        let mut all = Vec::with_capacity(fields.len());
        for field in fields {
            if let Some(doc) = field.doc.as_ref().filter(|_| self.options.metadata) {
                built.parameter(&format!("{}{}", names::FIELD_DOC, field.name), doc);
            }
            let schema = Arc::new(self.schema(field.of, false, field.default.as_ref(), None)?);
            all.push(Field { name: field.name.clone(), schema });
        }
        built.of = Type::Struct(all);
        Ok(built)
    }

    fn sum(&mut self, optional: bool, branches: &[(usize, Id)]) -> Result<Building> {
        let mut built = Building { of: Type::Boolean, attributes: Attributes { optional, ..Attributes::default() } };
        let name = if self.options.generalized {
            let name = format!("{}{}", names::GENERAL_UNION_NAME, self.unions);
            self.unions += 1;
            built.parameter(names::GENERAL_UNION, &name);
            name
        } else {
            names::UNION.to_owned()
        };
        built.attributes.name = Some(name);
        let mut fields: Vec<Field> = Vec::with_capacity(branches.len());
        for (index, (_, id)) in branches.iter().enumerate() {
            let name = member(self.avro.node(*id), index, self.options);
            if fields.iter().any(|field| field.name == name) {
                return Err(DataFault::schema("Multiple union schemas map to the Connect union field name"));
            }
            fields.push(Field { name, schema: Arc::new(self.schema(*id, true, None, None)?) });
        }
        built.of = Type::Struct(fields);
        Ok(built)
    }

    /// What properties say of the schema.
    fn describe(&self, node: &Node, built: &mut Building, version: Option<i32>) -> Result<()> {
        if self.options.metadata {
            built.attributes.doc = node.text("connect.doc").map(str::to_owned);
        }
        match node.properties.get("connect.version") {
            Some(json) => {
                let own = json.as_i64().and_then(|n| i32::try_from(n).ok());
                let own = own.ok_or_else(|| DataFault::schema("Invalid Connect version found: it is no integer"))?;
                if built.attributes.version.is_some_and(|other| other != own) {
                    let why = "Mismatched versions: connect.version differs from that of the logical type";
                    return Err(DataFault::schema(why));
                }
                built.attributes.version = Some(own);
            }
            None => built.attributes.version = built.attributes.version.or(version),
        }
        if let Some(json) = node.properties.get("connect.parameters").filter(|_| self.options.metadata) {
            let object =
                json.as_object().ok_or_else(|| DataFault::schema("Expected JSON object for schema parameters"))?;
            for (key, value) in object {
                let value = value.as_str();
                let value = value.ok_or_else(|| DataFault::schema("Expected schema parameter values to be strings"))?;
                built.parameter(key, value);
            }
        }
        for (key, value) in node.properties.iter().filter(|(key, _)| key.starts_with("avro")) {
            built.parameter(key, &value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        }
        self.name(node, built)
    }

    #[expect(clippy::unused_self, reason = "stands with its like")]
    fn name(&self, node: &Node, built: &mut Building) -> Result<()> {
        let name = match node.properties.get("connect.name") {
            Some(Json::String(name)) => Some(name.as_str()),
            Some(_) => return Err(DataFault::schema("Invalid schema name: connect.name is no text")),
            // The name of a fixed cannot stand beside that of a logical type.
            None if built.attributes.name.is_none() => node.name.as_deref(),
            None => None,
        };
        let Some(name) = name.filter(|name| !name.starts_with(names::DEFAULT_FULL)) else { return Ok(()) };
        if built.attributes.name.as_deref().is_some_and(|other| other != name) {
            return Err(DataFault::schema("Mismatched names: connect.name differs from the name of the logical type"));
        }
        built.attributes.name = Some(name.to_owned());
        Ok(())
    }
}

fn int(node: &Node, attributes: &mut Attributes) -> Result<Type> {
    if node.properties.contains_key("logicalType") {
        if node.is_logical("date") {
            logical(attributes, DATE);
        } else if node.is_logical("time-millis") {
            logical(attributes, TIME);
        }
        return Ok(Type::Int32);
    }
    match node.properties.get("connect.type").map(Json::as_str) {
        None => Ok(Type::Int32),
        Some(Some("int8")) => Ok(Type::Int8),
        Some(Some("int16")) => Ok(Type::Int16),
        Some(_) => Err(DataFault::schema("Connect type annotation for Avro int field is unknown")),
    }
}

fn logical(attributes: &mut Attributes, name: &str) {
    attributes.name = Some(name.to_owned());
    attributes.version = Some(1);
}
