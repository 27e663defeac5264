//! Connect's schemas as Avro's.
//!
//! Enters: a Connect schema, or none. Leaves: the text of an Avro schema, keys and properties in the order in which the usual
//! registry converters write them, so that a schema that they registered before keeps its id. Invariant: a name is
//! defined once; the second time it is only named.

use std::collections::HashMap;

use serde_json::{Map, Value as Json, json};

use super::AvroOptions;
use super::defaults;
use super::names;
use crate::fault::{DataFault, Result};
use crate::registry::{Draft, SchemaType};
use crate::schema::{Attributes, Logical, Schema, Type};

/// The draft of a schema; data without one has a schema of its own.
pub(super) fn draft(schema: Option<&Schema>, options: AvroOptions) -> Result<Draft> {
    let draft = |text: String, record| Draft {
        schema_type: SchemaType::Avro,
        text: text.into(),
        references: Vec::new(),
        record,
    };
    let Some(schema) = schema else {
        return Ok(draft(names::ANYTHING_TEXT.to_owned(), Some(names::ANYTHING.to_owned())));
    };
    let mut drafting = Drafting { options, defined: HashMap::new(), unnamed: 0, anything: false };
    let json = drafting.schema(Some(schema), false, None)?;
    // A union has no name, but the type that is optional does.
    let branches = if let Json::Array(branches) = &json { branches.as_slice() } else { std::slice::from_ref(&json) };
    let record = branches.iter().find_map(full_name).filter(|_| branches.len() <= 2);
    Ok(draft(json.to_string(), record))
}

fn full_name(json: &Json) -> Option<String> {
    let name = json.get("name")?.as_str()?;
    Some(match json.get("namespace").and_then(Json::as_str) {
        Some(namespace) => format!("{namespace}.{name}"),
        None => name.to_owned(),
    })
}

struct Drafting {
    options: AvroOptions,
    /// Full names, and what they stand for.
    defined: HashMap<String, Schema>,
    unnamed: usize,
    anything: bool,
}

/// Parameters of a schema by name.
fn parameter<'a>(schema: &'a Schema, key: &str) -> Option<&'a str> {
    schema.attributes().parameters.iter().find(|(k, _)| k == key).map(|(_, value)| value.as_str())
}

/// True for the struct that a union was read as.
pub(super) fn is_union(schema: &Schema) -> bool {
    let named = schema.attributes().name.as_deref() == Some(names::UNION);
    matches!(schema.of(), Type::Struct(_)) && (named || parameter(schema, names::GENERAL_UNION).is_some())
}

/// Full name and symbols, in order, of the enum that text was read from.
pub(super) fn symbols(schema: &Schema, options: AvroOptions) -> Option<(&str, Vec<&str>)> {
    let prefix = match (options.generalized, options.enhanced) {
        (true, _) => names::GENERAL_ENUM,
        (_, true) => names::ENUM,
        _ => return None,
    };
    let name = parameter(schema, prefix).filter(|_| *schema.of() == Type::String)?;
    let parameters = schema.attributes().parameters.iter();
    let own = parameters.filter_map(|(k, v)| Some((k.strip_prefix(prefix)?.strip_prefix('.')?, v)));
    let mut symbols: Vec<(&str, &str)> = own.map(|(symbol, value)| (symbol, value.as_str())).collect();
    if options.generalized {
        symbols.sort_by_key(|(_, index)| index.parse::<u32>().unwrap_or(u32::MAX));
    }
    Some((name, symbols.into_iter().map(|(symbol, _)| symbol).collect()))
}

/// True if Avro's own map will do.
pub(super) fn has_text_keys(keys: Option<&Schema>, options: AvroOptions) -> bool {
    keys.is_some_and(|k| *k.of() == Type::String && (options.optional_keys || !k.is_optional()))
}

impl Drafting {
    /// `inner`: a branch of a union, where the schema's own optional does not count.
    fn schema(&mut self, schema: Option<&Schema>, inner: bool, namespace: Option<&str>) -> Result<Json> {
        let Some(schema) = schema else { return self.anything() };
        if is_union(schema) {
            return self.union(schema, namespace);
        }
        let base = self.base(schema, namespace)?;
        Ok(match (schema.is_optional() && !inner, schema.default_value()) {
            (false, _) => base,
            (true, None) => json!(["null", base]),
            (true, Some(_)) => json!([base, "null"]),
        })
    }

    fn anything(&mut self) -> Result<Json> {
        if std::mem::replace(&mut self.anything, true) {
            return Ok(Json::String(names::ANYTHING.to_owned()));
        }
        serde_json::from_str(names::ANYTHING_TEXT).map_err(|e| DataFault::schema(e.to_string()))
    }

    fn union(&mut self, schema: &Schema, namespace: Option<&str>) -> Result<Json> {
        let Type::Struct(fields) = schema.of() else { return self.anything() };
        let mut branches = if schema.is_optional() { vec![json!("null")] } else { Vec::new() };
        for field in fields {
            branches.push(self.schema(Some(&field.schema), true, namespace)?);
        }
        Ok(Json::Array(branches))
    }

    fn base(&mut self, schema: &Schema, namespace: Option<&str>) -> Result<Json> {
        let mut object = Map::new();
        let simple = |name: &str| Map::from_iter([("type".to_owned(), Json::from(name))]);
        let mut connect_type = None;
        match schema.of() {
            Type::Int8 => connect_type = Some("int8"),
            Type::Int16 => connect_type = Some("int16"),
            _ => {}
        }
        match schema.of() {
            Type::Int8 | Type::Int16 | Type::Int32 => object = simple("int"),
            Type::Int64 => object = simple("long"),
            Type::Float32 => object = simple("float"),
            Type::Float64 => object = simple("double"),
            Type::Boolean => object = simple("boolean"),
            Type::String => {
                if let Some(known) = self.text(schema, &mut object, namespace)? {
                    return Ok(known);
                }
            }
            Type::Bytes => {
                if let Some(known) = self.bytes(schema, &mut object, namespace)? {
                    return Ok(known);
                }
            }
            Type::Array(items) => {
                object = simple("array");
                object.insert("items".to_owned(), self.schema(items.as_deref(), false, namespace)?);
            }
            Type::Map(keys, values) if has_text_keys(keys.as_deref(), self.options) => {
                object = simple("map");
                object.insert("values".to_owned(), self.schema(values.as_deref(), false, namespace)?);
            }
            Type::Map(keys, values) => {
                object = simple("array");
                let entry = self.entry(schema, keys.as_deref(), values.as_deref(), namespace)?;
                object.insert("items".to_owned(), entry);
            }
            Type::Struct(_) => {
                if let Some(known) = self.record(schema, &mut object, namespace)? {
                    return Ok(known);
                }
            }
        }
        self.describe(schema, connect_type, &mut object);
        // A type of which nothing more is said is its name.
        if object.len() == 1
            && let Some(name @ Json::String(_)) = object.get("type")
        {
            return Ok(name.clone());
        }
        Ok(Json::Object(object))
    }

    fn text(
        &mut self,
        schema: &Schema,
        object: &mut Map<String, Json>,
        namespace: Option<&str>,
    ) -> Result<Option<Json>> {
        let Some((name, symbols)) = symbols(schema, self.options) else {
            object.insert("type".to_owned(), "string".into());
            return Ok(None);
        };
        if let Some(known) = self.define(name, schema, object, "enum", namespace)? {
            return Ok(Some(known));
        }
        let short = names::split(name).1;
        if let Some(doc) = parameter(schema, &format!("{}{short}", names::ENUM_DOC)) {
            object.insert("doc".to_owned(), doc.into());
        }
        object.insert("symbols".to_owned(), symbols.into());
        if let Some(default) = parameter(schema, &format!("{}{short}", names::ENUM_DEFAULT)) {
            object.insert("default".to_owned(), default.into());
        }
        Ok(None)
    }

    fn bytes(
        &mut self,
        schema: &Schema,
        object: &mut Map<String, Json>,
        namespace: Option<&str>,
    ) -> Result<Option<Json>> {
        let size = parameter(schema, names::FIXED_SIZE).and_then(|size| size.parse::<u32>().ok());
        if let Some(size) = size {
            let name = schema.attributes().name.clone().unwrap_or_else(|| format!("{}.Fixed{size}", names::NAMESPACE));
            if let Some(known) = self.define(&name, schema, object, "fixed", namespace)? {
                return Ok(Some(known));
            }
            object.insert("size".to_owned(), size.into());
        } else {
            object.insert("type".to_owned(), "bytes".into());
        }
        if let Some(Logical::Decimal(scale)) = schema.logical() {
            object.insert("scale".to_owned(), scale.into());
            object.insert("precision".to_owned(), precision(schema).into());
        }
        Ok(None)
    }

    /// Gives a named type its name; if it was defined before, its name is all there is to say.
    fn define(
        &mut self,
        name: &str,
        schema: &Schema,
        object: &mut Map<String, Json>,
        of: &str,
        namespace: Option<&str>,
    ) -> Result<Option<Json>> {
        let full = if self.options.scrub { names::scrub_full(name) } else { name.to_owned() };
        let (own, short) = names::split(&full);
        let required = schema.required_twin()?;
        if let Some(known) = self.defined.get(&full) {
            if *known == required {
                let text = if own == namespace { short.to_owned() } else { full.clone() };
                return Ok(Some(Json::String(text)));
            }
            return Err(DataFault::schema(format!("Can't redefine: {full}: two different schemas have this name")));
        }
        object.insert("type".to_owned(), of.into());
        object.insert("name".to_owned(), short.into());
        if own != namespace {
            object.insert("namespace".to_owned(), own.unwrap_or_default().into());
        }
        self.defined.insert(full.clone(), required);
        Ok(None)
    }

    /// A name for a struct that has none: the same for the same schema.
    fn unnamed(&mut self, schema: &Schema) -> Result<String> {
        let required = schema.required_twin()?;
        let is_same = |(name, known): (&String, &Schema)| {
            (name.starts_with(names::DEFAULT_FULL) && *known == required).then(|| name.clone())
        };
        if let Some(name) = self.defined.iter().find_map(is_same) {
            return Ok(name);
        }
        self.unnamed += 1;
        let number = if self.unnamed == 1 { String::new() } else { self.unnamed.to_string() };
        Ok(format!("{}.{}{number}", names::NAMESPACE, names::DEFAULT))
    }

    fn record(
        &mut self,
        schema: &Schema,
        object: &mut Map<String, Json>,
        namespace: Option<&str>,
    ) -> Result<Option<Json>> {
        let Type::Struct(fields) = schema.of() else { return Ok(None) };
        let name = match &schema.attributes().name {
            Some(name) => name.clone(),
            None => self.unnamed(schema)?,
        };
        if let Some(known) = self.define(&name, schema, object, "record", namespace)? {
            return Ok(Some(known));
        }
        if let Some(doc) = parameter(schema, names::RECORD_DOC) {
            object.insert("doc".to_owned(), doc.into());
        }
        let full = if self.options.scrub { names::scrub_full(&name) } else { name };
        let own = names::split(&full).0;
        let mut all = Vec::with_capacity(fields.len());
        for field in fields {
            let doc = parameter(schema, &format!("{}{}", names::FIELD_DOC, field.name));
            all.push(self.field(&field.name, Some(&field.schema), doc, own)?);
        }
        object.insert("fields".to_owned(), Json::Array(all));
        Ok(None)
    }

    fn field(&mut self, name: &str, schema: Option<&Schema>, doc: Option<&str>, own: Option<&str>) -> Result<Json> {
        let name = if self.options.scrub { names::scrub(name) } else { name.to_owned() };
        let mut field = Map::new();
        field.insert("name".to_owned(), name.into());
        field.insert("type".to_owned(), self.schema(schema, false, own)?);
        if let Some(doc) = doc {
            field.insert("doc".to_owned(), doc.into());
        }
        match schema.map(|schema| (schema.default_value(), schema.is_optional())) {
            Some((Some(default), _)) => drop(field.insert("default".to_owned(), defaults::write(default, schema))),
            Some((None, true)) => drop(field.insert("default".to_owned(), Json::Null)),
            _ => {}
        }
        Ok(Json::Object(field))
    }

    /// The record that entries of a map without text keys are.
    fn entry(
        &mut self,
        schema: &Schema,
        keys: Option<&Schema>,
        values: Option<&Schema>,
        namespace: Option<&str>,
    ) -> Result<Json> {
        let mut object = Map::new();
        let plain = format!("{}.{}", names::NAMESPACE, names::MAP_ENTRY);
        let mut name = schema.attributes().name.clone().unwrap_or_else(|| plain.clone());
        let required = schema.required_twin()?;
        // A second kind of entry takes another name; the property says what it is.
        let mut number = 2;
        while name.starts_with(&plain) && self.defined.get(&name).is_some_and(|known| *known != required) {
            name = format!("{plain}{number}");
            number += 1;
        }
        if let Some(known) = self.define(&name, schema, &mut object, "record", namespace)? {
            return Ok(known);
        }
        let full = if self.options.scrub { names::scrub_full(&name) } else { name.clone() };
        let own = names::split(&full).0;
        let fields = vec![self.field("key", keys, None, own)?, self.field("value", values, None, own)?];
        object.insert("fields".to_owned(), Json::Array(fields));
        if name != plain {
            object.insert(names::INTERNAL_TYPE.to_owned(), names::MAP_ENTRY.into());
        }
        Ok(Json::Object(object))
    }

    /// Connect's attributes and the logical type, as properties.
    fn describe(&self, schema: &Schema, connect_type: Option<&str>, object: &mut Map<String, Json>) {
        let Attributes { default, name, version, doc, parameters, .. } = schema.attributes();
        let mut put = |key: &str, value: Json| drop(object.insert(key.to_owned(), value));
        if self.options.metadata {
            if let Some(doc) = doc.as_ref().filter(|_| !self.options.discard) {
                put("connect.doc", doc.clone().into());
            }
            if let Some(version) = version {
                put("connect.version", (*version).into());
            }
            let own = parameters.iter().filter(|(key, _)| key != names::FIELD_DEFAULT);
            let own: Map<String, Json> = own.map(|(key, value)| (key.clone(), value.clone().into())).collect();
            if !own.is_empty() {
                put("connect.parameters", Json::Object(own));
            }
            let in_field = parameters.iter().any(|(key, _)| key == names::FIELD_DEFAULT);
            if let Some(default) = default.as_ref().filter(|_| !in_field && !self.options.discard) {
                put("connect.default", defaults::write(default, Some(schema)));
            }
            if let Some(name) = name {
                put("connect.name", name.clone().into());
            }
            if let Some(connect_type) = connect_type {
                put("connect.type", connect_type.into());
            }
        }
        match schema.logical() {
            Some(Logical::Decimal(_)) => put("logicalType", "decimal".into()),
            Some(Logical::Date) => put("logicalType", "date".into()),
            Some(Logical::Time) => put("logicalType", "time-millis".into()),
            Some(Logical::Timestamp) => put("logicalType", "timestamp-millis".into()),
            None => {}
        }
        for (key, value) in parameters.iter().filter(|(key, _)| key.starts_with("avro")) {
            put(key, value.clone().into());
        }
    }
}

fn precision(schema: &Schema) -> i32 {
    parameter(schema, names::PRECISION).and_then(|p| p.parse().ok()).unwrap_or(names::PRECISION_DEFAULT)
}
