//! JSON Schema to Connect's schemas.
//!
//! Enters: a registered schema with its references. Leaves: the Connect schema. Invariant: a schema inside itself is unrolled
//! a bounded number of times; what lies deeper is a string of JSON text, so that no data is lost.

use std::collections::HashSet;
use std::sync::Arc;

use super::documents::{Documents, Place, text};
use super::node::{Criterion, Loaded, Node, Values, load};
use super::options::{ANY, ENUM, GENERAL_ENUM, GENERAL_FIELD, GENERAL_UNION, JsonSchemaOptions, NULL_SYMBOL, ONE_OF};
use super::read;
use crate::fault::{DataFault, Result};
use crate::json::Json;
use crate::schema::{Attributes, Field, Schema, Type};

/// Times that a schema may stand inside itself.
const UNROLLED_MAX: usize = 3;
/// Schemas in one at most.
const NODES_MAX: usize = 20_000;
/// Schemas inside each other at most, references followed.
const DEPTH_MAX: usize = 150;

/// Translates a schema. `version` is its number in its subject, if that was asked for.
///
/// # Errors
/// `schema.invalid` for text that is no schema or has no place in Connect's model.
pub(crate) fn translate(
    documents: &Documents<'_>,
    options: &JsonSchemaOptions,
    version: Option<i32>,
) -> Result<Schema> {
    let mut walk = Walk { documents, options, around: Vec::new(), nodes: 0, depth: 0, unions: 0 };
    walk.schema(&load(documents.root()), version, false)
}

struct Walk<'d, 'a> {
    documents: &'d Documents<'a>,
    options: &'d JsonSchemaOptions,
    /// What references around this place led to.
    around: Vec<*const ()>,
    nodes: usize,
    depth: usize,
    unions: usize,
}

/// A schema that is not finished.
struct Draft {
    of: Type,
    attributes: Attributes,
}

impl Draft {
    fn new(of: Type) -> Self {
        Self { of, attributes: Attributes::default() }
    }

    fn finish(mut self, optional: bool) -> Result<Schema> {
        self.attributes.optional |= optional;
        Schema::new(self.of, self.attributes)
    }
}

impl<'d, 'a> Walk<'d, 'a> {
    fn schema(&mut self, loaded: &Loaded<'d, 'a>, version: Option<i32>, optional: bool) -> Result<Schema> {
        self.nodes += 1;
        if self.nodes > NODES_MAX || self.depth >= DEPTH_MAX {
            let why = "the JSON Schema has more than 20000 parts or 150 levels with its references unrolled";
            return Err(DataFault::schema(why));
        }
        self.depth += 1;
        let schema = self.one(loaded, version, optional);
        self.depth -= 1;
        schema
    }

    fn one(&mut self, loaded: &Loaded<'d, 'a>, version: Option<i32>, optional: bool) -> Result<Schema> {
        let json = loaded.place.json;
        let connect_type = text(json, "connect.type").filter(|_| loaded.own);
        let mut draft = match &loaded.node {
            Node::Boolean => Draft::new(Type::Boolean),
            Node::Number { integer } => Draft::new(number(*integer, connect_type)?),
            Node::Text if connect_type == Some("bytes") => Draft::new(Type::Bytes),
            Node::Text => Draft::new(Type::String),
            Node::Values(values, _) => self.values(values),
            Node::Combined(_, inner) if inner.len() == 1 && self.options.flatten_singletons => {
                return self.schema(&inner[0], None, optional);
            }
            Node::Combined(Criterion::All, inner) => return self.all(inner, version, optional),
            Node::Combined(Criterion::One, inner) => {
                if let Some(one) = nullable(inner) {
                    return self.schema(one, version, true);
                }
                self.union(inner)?
            }
            Node::Array => self.array(loaded.place, connect_type)?,
            Node::Object => self.object(loaded.place, connect_type)?,
            Node::Reference(reference) => return self.reference(loaded.place, reference, version, optional),
            Node::Empty => any(),
            Node::Null => {
                let mut draft = any();
                draft.attributes.optional = true;
                draft
            }
            Node::Never => {
                return Err(DataFault::schema("Unsupported schema type: it permits no value, or is unknown"));
            }
        };
        if loaded.own {
            attributes(json, version, &mut draft)?;
        }
        draft.finish(optional)
    }

    fn reference(
        &mut self,
        place: Place<'d, 'a>,
        reference: &str,
        version: Option<i32>,
        optional: bool,
    ) -> Result<Schema> {
        let target = self.documents.resolve(place.document(), reference)?;
        let address = std::ptr::from_ref(target.json).cast();
        if self.around.iter().filter(|a| **a == address).count() >= UNROLLED_MAX {
            return any().finish(optional);
        }
        self.around.push(address);
        let schema = self.schema(&load(target), version, optional);
        self.around.pop();
        schema
    }

    fn values(&self, values: &[&Json<'_>]) -> Draft {
        let mut draft = Draft::new(Type::String);
        let general = self.options.generalized_sum_types;
        let key = if general { GENERAL_ENUM } else { ENUM };
        draft.attributes.parameters.push((key.to_owned(), String::new()));
        for (index, value) in values.iter().enumerate() {
            let symbol = if **value == Json::Null { NULL_SYMBOL.to_owned() } else { read::text_of(value) };
            let said = if general { index.to_string() } else { symbol.clone() };
            draft.attributes.parameters.push((format!("{key}.{symbol}"), said));
            // Null among the values is null in the data.
            draft.attributes.optional |= **value == Json::Null;
        }
        draft
    }

    fn union(&mut self, inner: &[Loaded<'d, 'a>]) -> Result<Draft> {
        let mut draft = Draft::new(Type::Boolean);
        let general = self.options.generalized_sum_types;
        let name = if general { format!("connect_union_{}", self.unions) } else { ONE_OF.to_owned() };
        self.unions += usize::from(general);
        if general {
            draft.attributes.parameters.push((GENERAL_UNION.to_owned(), name.clone()));
        }
        let mut fields = Vec::new();
        for one in inner {
            if matches!(one.node, Node::Null) {
                draft.attributes.optional = true;
                continue;
            }
            let index = fields.len();
            let field = if general { format!("{GENERAL_FIELD}{index}") } else { format!("{name}.field.{index}") };
            fields.push(Field { name: field, schema: Arc::new(self.schema(one, None, true)?) });
        }
        draft.attributes.name = Some(name);
        draft.of = Type::Struct(fields);
        Ok(draft)
    }

    fn array(&mut self, place: Place<'d, 'a>, connect_type: Option<&str>) -> Result<Draft> {
        let items = place.json.field("items");
        let items = items.filter(|items| !matches!(items, Json::Array(_)));
        let items = items.ok_or_else(|| DataFault::schema("Array schema did not specify the items type"))?;
        let items = load(place.at(items));
        if connect_type == Some("map") && matches!(items.node, Node::Object) {
            let mut part = |key| {
                let json = items.place.json.field("properties").and_then(|p| p.field(key));
                let json =
                    json.ok_or_else(|| DataFault::schema(format!("a map's entries have no property {key:?}")))?;
                self.schema(&load(items.place.at(json)), None, false).map(Arc::new)
            };
            return Ok(Draft::new(Type::Map(Some(part("key")?), Some(part("value")?))));
        }
        let items = self.schema(&items, None, false)?;
        Ok(Draft::new(Type::Array(Some(Arc::new(items)))))
    }

    fn object(&mut self, place: Place<'d, 'a>, connect_type: Option<&str>) -> Result<Draft> {
        if connect_type == Some("map") {
            let values = match place.json.field("additionalProperties") {
                Some(values) => self.schema(&load(place.at(values)), None, false)?,
                None => any().finish(false)?,
            };
            let keys = Arc::new(Schema::required(Type::String));
            return Ok(Draft::new(Type::Map(Some(keys), Some(Arc::new(values)))));
        }
        let mut properties = properties(place);
        // Those with an index stand by it, the others as they are listed.
        properties.sort_by_key(|property| property.index);
        self.fields(&properties)
    }

    fn fields(&mut self, properties: &[Property<'d, 'a>]) -> Result<Draft> {
        let mut fields = Vec::with_capacity(properties.len());
        for Property { name, place, required, .. } in properties {
            let optional = self.options.optional_for_nonrequired && !required;
            let schema = self.schema(&load(*place), None, optional)?;
            fields.push(Field { name: (*name).to_owned(), schema: Arc::new(schema) });
        }
        Ok(Draft::new(Type::Struct(fields)))
    }

    /// Properties of all are merged; of scalars the one that says most.
    fn all(&mut self, inner: &[Loaded<'d, 'a>], version: Option<i32>, optional: bool) -> Result<Schema> {
        let mut merged = Vec::new();
        for one in inner {
            self.collect(one, &mut merged, &mut HashSet::new())?;
        }
        if !merged.is_empty() {
            return self.fields(&merged)?.finish(optional);
        }
        let find = |test: &dyn Fn(&Loaded<'_, '_>) -> bool| inner.iter().rev().find(|one| test(one));
        let combined = find(&|one| matches!(one.node, Node::Combined(..)));
        let constant = find(&|one| matches!(one.node, Node::Values(_, Values::Const)));
        let values = find(&|one| matches!(one.node, Node::Values(_, Values::Enum)));
        let number = find(&|one| matches!(one.node, Node::Number { .. }));
        let string = find(&|one| matches!(one.node, Node::Text));
        let reference = find(&|one| matches!(one.node, Node::Reference(_)));
        let chosen = match (constant, values) {
            _ if combined.is_some() => combined,
            (Some(_), _) => string.or(number).or(constant),
            (_, Some(values)) if string.is_some() => Some(values),
            (_, Some(_)) => number.or(values),
            _ => number.or(string).or(reference).or(inner.first()),
        };
        let chosen = chosen.ok_or_else(|| DataFault::schema("Unsupported criterion allOf without schemas"))?;
        self.schema(chosen, version, optional)
    }

    fn collect(
        &self,
        one: &Loaded<'d, 'a>,
        into: &mut Vec<Property<'d, 'a>>,
        seen: &mut HashSet<*const ()>,
    ) -> Result<()> {
        match &one.node {
            Node::Combined(Criterion::All, inner) => {
                for one in inner {
                    self.collect(one, into, seen)?;
                }
            }
            Node::Object => {
                for property in properties(one.place) {
                    match into.iter_mut().find(|known| known.name == property.name) {
                        Some(known) => *known = property,
                        None => into.push(property),
                    }
                }
            }
            Node::Reference(reference) => {
                let target = self.documents.resolve(one.place.document(), reference)?;
                if seen.len() < DEPTH_MAX && seen.insert(std::ptr::from_ref(target.json).cast()) {
                    self.collect(&load(target), into, seen)?;
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// The schema beside null, if there are those two.
fn nullable<'l, 'd, 'a>(inner: &'l [Loaded<'d, 'a>]) -> Option<&'l Loaded<'d, 'a>> {
    let is_null = |one: &Loaded<'_, '_>| matches!(one.node, Node::Null);
    match inner {
        [one, null] | [null, one] if is_null(null) && !is_null(one) => Some(one),
        _ => None,
    }
}

struct Property<'d, 'a> {
    name: &'d str,
    place: Place<'d, 'a>,
    index: usize,
    required: bool,
}

fn properties<'d, 'a>(place: Place<'d, 'a>) -> Vec<Property<'d, 'a>> {
    let Some(Json::Object(listed)) = place.json.field("properties") else { return Vec::new() };
    let required = |name: &str| match place.json.field("required") {
        Some(Json::Array(names)) => names.iter().any(|n| matches!(n, Json::String(n) if n == name)),
        _ => false,
    };
    let property = |(position, (name, json)): (usize, &'d (std::borrow::Cow<'a, str>, Json<'a>))| {
        let index = match json.field("connect.index") {
            Some(Json::Number(number)) => number.parse().ok(),
            _ => None,
        };
        Property { name, place: place.at(json), index: index.unwrap_or(position), required: required(name) }
    };
    listed.iter().enumerate().map(property).collect()
}

fn any() -> Draft {
    let mut draft = Draft::new(Type::String);
    draft.attributes.parameters.push((ANY.to_owned(), "true".to_owned()));
    draft
}

fn number(integer: bool, connect_type: Option<&str>) -> Result<Type> {
    Ok(match connect_type {
        None if integer => Type::Int64,
        None | Some("float64") => Type::Float64,
        Some("int8") => Type::Int8,
        Some("int16") => Type::Int16,
        Some("int32") => Type::Int32,
        Some("int64") => Type::Int64,
        Some("float32") => Type::Float32,
        // A Decimal.
        Some("bytes") => Type::Bytes,
        Some(_) => return Err(DataFault::schema("Unsupported type: connect.type of a number is none of Connect's")),
    })
}

/// What stands beside the type.
fn attributes(json: &Json<'_>, version: Option<i32>, draft: &mut Draft) -> Result<()> {
    let attributes = &mut draft.attributes;
    if attributes.name.is_none() {
        attributes.name = text(json, "title").map(str::to_owned);
    }
    let own = match json.field("connect.version") {
        Some(Json::Number(number)) => number.parse().ok(),
        _ => None,
    };
    attributes.version = own.or(version);
    attributes.doc = text(json, "description").map(str::to_owned);
    if let Some(Json::Object(parameters)) = json.field("connect.parameters") {
        for (key, value) in parameters {
            attributes.parameters.retain(|(k, _)| k != key);
            attributes.parameters.push((key.to_string(), read::text_of(value)));
        }
    }
    if let Some(default) = json.field("default").filter(|default| **default != Json::Null) {
        let schema = Schema::new(draft.of.clone(), attributes.clone())?;
        let default = read::value(default, &schema)
            .map_err(|fault| DataFault::schema(format!("Invalid default value: {}", fault.message)))?;
        attributes.default = Some(default);
    }
    Ok(())
}
