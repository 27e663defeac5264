//! Avro schemas: parsed text.
//!
//! Enters: the text of a schema, and of the schemas that it refers to. Leaves: nodes that refer to each other by index, so
//! that recursive records are nothing special. Invariant: every index is in range; every name was resolved; at most
//! [`NODES_MAX`] nodes, and nesting bounded by the JSON parser.

use std::collections::HashMap;

use serde_json::{Map, Value as Json};

use crate::fault::{DataFault, Result};
use crate::registry::Registered;

/// Nodes of one schema at most.
pub(super) const NODES_MAX: usize = 50_000;

/// Index of a node.
pub(super) type Id = usize;

/// A parsed schema.
#[derive(Debug)]
pub(super) struct Avro {
    nodes: Vec<Node>,
    pub(super) root: Id,
}

/// One type.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    /// Full name of a record, enum or fixed.
    pub(super) name: Option<String>,
    pub(super) doc: Option<String>,
    /// The JSON object that described it; empty for a bare name.
    pub(super) properties: Map<String, Json>,
}

#[derive(Debug)]
pub(super) enum Kind {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    String,
    Array(Id),
    Map(Id),
    Union(Vec<Id>),
    Record(Vec<Field>),
    Enum(Vec<String>),
    Fixed(usize),
}

#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) of: Id,
    pub(super) doc: Option<String>,
    pub(super) default: Option<Json>,
}

impl Kind {
    /// The name of the type in a schema's text.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "boolean",
            Self::Int => "int",
            Self::Long => "long",
            Self::Float => "float",
            Self::Double => "double",
            Self::Bytes => "bytes",
            Self::String => "string",
            Self::Array(_) => "array",
            Self::Map(_) => "map",
            Self::Union(_) => "union",
            Self::Record(_) => "record",
            Self::Enum(_) => "enum",
            Self::Fixed(_) => "fixed",
        }
    }
}

impl Node {
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.properties.get(key).and_then(Json::as_str)
    }

    /// Logical types are known in any case.
    pub(super) fn is_logical(&self, name: &str) -> bool {
        self.text("logicalType").is_some_and(|found| found.eq_ignore_ascii_case(name))
    }

    pub(super) fn whole(&self, key: &str) -> Option<i32> {
        self.properties.get(key).and_then(Json::as_i64).and_then(|n| i32::try_from(n).ok())
    }
}

impl Avro {
    /// Parses a registered schema.
    ///
    /// # Errors
    /// `avro.schema`: the text is no Avro schema.
    pub(super) fn parse(schema: &Registered) -> Result<Self> {
        let mut parser = Parser { nodes: Vec::new(), names: HashMap::new() };
        for referenced in &schema.referenced {
            parser.document(&referenced.text)?;
        }
        let root = parser.document(&schema.text)?;
        Ok(Self { nodes: parser.nodes, root })
    }

    pub(super) fn node(&self, id: Id) -> &Node {
        &self.nodes[id]
    }

    /// True if a type is part of itself.
    pub(super) fn is_recursive(&self) -> bool {
        let mut marks = vec![Mark::New; self.nodes.len()];
        self.meets_itself(self.root, &mut marks)
    }

    fn meets_itself(&self, id: Id, marks: &mut [Mark]) -> bool {
        match marks[id] {
            Mark::Open => return true,
            Mark::Done => return false,
            Mark::New => marks[id] = Mark::Open,
        }
        let mut meets = |id: &Id| self.meets_itself(*id, marks);
        let found = match &self.nodes[id].kind {
            Kind::Array(of) | Kind::Map(of) => meets(of),
            Kind::Union(branches) => branches.iter().any(meets),
            Kind::Record(fields) => fields.iter().any(|field| meets(&field.of)),
            _ => false,
        };
        marks[id] = Mark::Done;
        found
    }
}

#[derive(Clone, Copy)]
enum Mark {
    New,
    Open,
    Done,
}

struct Parser {
    nodes: Vec<Node>,
    names: HashMap<String, Id>,
}

fn wrong(what: impl std::fmt::Display) -> DataFault {
    DataFault::new("avro.schema", format!("the registered schema is no valid Avro schema: {what}"))
}

impl Parser {
    fn document(&mut self, text: &str) -> Result<Id> {
        // A bare name without quotes is no JSON, but registries have been seen to hold it.
        let bare = primitive(text.trim()).map(|_| Json::String(text.trim().to_owned()));
        let json = match bare {
            Some(json) => json,
            None => serde_json::from_str(text).map_err(|e| wrong(format_args!("at {}:{}", e.line(), e.column())))?,
        };
        self.schema(&json, None)
    }

    fn push(&mut self, node: Node) -> Result<Id> {
        if self.nodes.len() >= NODES_MAX {
            return Err(wrong(format_args!("it has more than {NODES_MAX} types")));
        }
        self.nodes.push(node);
        Ok(self.nodes.len() - 1)
    }

    fn schema(&mut self, json: &Json, namespace: Option<&str>) -> Result<Id> {
        match json {
            Json::String(name) => self.named(name, namespace, Map::new()),
            Json::Array(branches) => {
                let branches: Vec<Id> =
                    branches.iter().map(|branch| self.schema(branch, namespace)).collect::<Result<_>>()?;
                if branches.iter().any(|id| matches!(self.nodes[*id].kind, Kind::Union(_))) {
                    return Err(wrong("a union stands directly in a union"));
                }
                self.push(plain(Kind::Union(branches), Map::new()))
            }
            Json::Object(object) => match object.get("type") {
                Some(Json::String(of)) => self.object(of, object, namespace),
                Some(inner) => self.schema(inner, namespace),
                None => Err(wrong("a type is missing")),
            },
            _ => Err(wrong("a type is neither a name nor an object nor a union")),
        }
    }

    fn named(&mut self, name: &str, namespace: Option<&str>, properties: Map<String, Json>) -> Result<Id> {
        if let Some(kind) = primitive(name) {
            return self.push(plain(kind, properties));
        }
        let full = namespace.filter(|_| !name.contains('.')).map(|namespace| format!("{namespace}.{name}"));
        let found = full.and_then(|full| self.names.get(&full)).or_else(|| self.names.get(name));
        found.copied().ok_or_else(|| wrong(format_args!("`{name}` is not defined")))
    }

    fn object(&mut self, of: &str, object: &Map<String, Json>, namespace: Option<&str>) -> Result<Id> {
        let inner = |key: &str| object.get(key).ok_or_else(|| wrong(format_args!("`{key}` is missing in {of}")));
        match of {
            "array" => {
                let items = self.schema(inner("items")?, namespace)?;
                self.push(plain(Kind::Array(items), object.clone()))
            }
            "map" => {
                let values = self.schema(inner("values")?, namespace)?;
                self.push(plain(Kind::Map(values), object.clone()))
            }
            "record" | "error" => self.record(object, namespace),
            "enum" => {
                let symbols = inner("symbols")?.as_array().into_iter().flatten().filter_map(Json::as_str);
                let symbols = symbols.map(str::to_owned).collect();
                self.define(Kind::Enum(symbols), object, namespace).map(|(id, _)| id)
            }
            "fixed" => {
                let size = inner("size")?.as_u64().and_then(|size| usize::try_from(size).ok());
                let size = size.ok_or_else(|| wrong("the size of a fixed is no whole number"))?;
                self.define(Kind::Fixed(size), object, namespace).map(|(id, _)| id)
            }
            name => self.named(name, namespace, object.clone()),
        }
    }

    fn record(&mut self, object: &Map<String, Json>, namespace: Option<&str>) -> Result<Id> {
        let (id, own) = self.define(Kind::Record(Vec::new()), object, namespace)?;
        let fields = object.get("fields").and_then(Json::as_array).ok_or_else(|| wrong("a record without fields"))?;
        let mut parsed: Vec<Field> = Vec::with_capacity(fields.len());
        for field in fields {
            let name = field.get("name").and_then(Json::as_str).ok_or_else(|| wrong("a field without a name"))?;
            if parsed.iter().any(|other| other.name == name) {
                return Err(wrong(format_args!("field `{name}` is there twice")));
            }
            let of = field.get("type").ok_or_else(|| wrong(format_args!("field `{name}` has no type")))?;
            let of = self.schema(of, own.as_deref())?;
            let doc = field.get("doc").and_then(Json::as_str).map(str::to_owned);
            parsed.push(Field { name: name.to_owned(), of, doc, default: field.get("default").cloned() });
        }
        self.nodes[id].kind = Kind::Record(parsed);
        Ok(id)
    }

    /// Gives a named type its place; leaves it and the namespace that holds inside it.
    fn define(
        &mut self,
        kind: Kind,
        object: &Map<String, Json>,
        namespace: Option<&str>,
    ) -> Result<(Id, Option<String>)> {
        let text = |key: &str| object.get(key).and_then(Json::as_str);
        let name = text("name").ok_or_else(|| wrong(format_args!("a {} without a name", kind.name())))?;
        let own = match name.rsplit_once('.') {
            Some((own, _)) => Some(own),
            None => text("namespace").or(namespace).filter(|own| !own.is_empty()),
        };
        let full = match own {
            Some(own) if !name.contains('.') => format!("{own}.{name}"),
            _ => name.to_owned(),
        };
        let own = own.map(str::to_owned);
        let doc = text("doc").map(str::to_owned);
        let id = self.push(Node { kind, name: Some(full.clone()), doc, properties: object.clone() })?;
        if self.names.insert(full.clone(), id).is_some() {
            return Err(wrong(format_args!("`{full}` is defined twice")));
        }
        Ok((id, own))
    }
}

fn plain(kind: Kind, properties: Map<String, Json>) -> Node {
    Node { kind, name: None, doc: None, properties }
}

fn primitive(name: &str) -> Option<Kind> {
    Some(match name {
        "null" => Kind::Null,
        "boolean" => Kind::Boolean,
        "int" => Kind::Int,
        "long" => Kind::Long,
        "float" => Kind::Float,
        "double" => Kind::Double,
        "bytes" => Kind::Bytes,
        "string" => Kind::String,
        _ => return None,
    })
}
