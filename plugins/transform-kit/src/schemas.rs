//! What transforms ask of a schema, and what they worked out for it.
//!
//! Enters: the definition of a record's schema. Leaves: its type, fields and defaults; plans by schema id. Invariant: a
//! definition is looked at once for each transform, however many records have it.

use std::collections::HashMap;
use std::rc::Rc;

use crate::record::{Fault, Part, Record};
use crate::tree::Tree;

/// What a schema's name makes of its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Logical {
    /// `org.apache.kafka.connect.data.Decimal` with its scale.
    Decimal(i32),
    /// `...Date`
    Date,
    /// `...Time`
    Time,
    /// `...Timestamp`
    Timestamp,
}

/// Prefix of the names of logical types.
pub const LOGICAL: &str = "org.apache.kafka.connect.data.";

/// A schema, looked at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its name in JSON: `int8` to `struct`.
    pub of: String,
    /// By its name.
    pub logical: Option<Logical>,
    /// Null is allowed.
    pub optional: bool,
    /// The payload that stands for null.
    pub default: Option<String>,
    /// Fields of a struct.
    pub fields: Vec<(String, Known)>,
    /// All of it.
    pub tree: Tree,
}

impl Known {
    /// Looks at a tree. What it lacks reads as absent; the host has checked the schema.
    pub fn new(tree: &Tree) -> Self {
        let name = tree.text("name");
        let logical = match name.as_deref().and_then(|n| n.strip_prefix(LOGICAL)) {
            Some("Decimal") => {
                let scale = tree.get("parameters").and_then(|p| p.text("scale")).and_then(|s| s.parse().ok());
                Some(Logical::Decimal(scale.unwrap_or(0)))
            }
            Some("Date") => Some(Logical::Date),
            Some("Time") => Some(Logical::Time),
            Some("Timestamp") => Some(Logical::Timestamp),
            _ => None,
        };
        let fields = match tree.get("fields") {
            Some(Tree::Array(fields)) => {
                fields.iter().map(|f| (f.text("field").unwrap_or_default(), Self::new(f))).collect()
            }
            _ => Vec::new(),
        };
        let default = tree.get("default").map(Tree::write).filter(|d| d != "null");
        let of = tree.text("type").unwrap_or_default();
        Self { of, logical, optional: tree.is_true("optional"), default, fields, tree: tree.clone() }
    }

    /// The field of that name.
    pub fn field(&self, name: &str) -> Option<&Self> {
        self.fields.iter().find(|(n, _)| n == name).map(|(_, f)| f)
    }

    /// True for a struct.
    pub fn is_struct(&self) -> bool {
        self.of == "struct"
    }

    /// The schemas of its fields, as written.
    pub fn field_trees(&self) -> Vec<Tree> {
        match self.tree.get("fields") {
            Some(Tree::Array(fields)) => fields.clone(),
            _ => Vec::new(),
        }
    }

    /// The struct with other fields: name, version, doc and parameters stay, optional and default do not, as in Kafka.
    pub fn rebuilt(&self, fields: Vec<Tree>) -> Tree {
        let mut tree = self.tree.clone().without("default").without("field");
        tree.set("fields", Tree::Array(fields));
        tree.set("optional", Tree::boolean(false));
        tree
    }
}

/// The schema of a part, looked at.
pub fn known<R: Record>(record: &R, part: Part) -> Result<Known, Fault> {
    let unknown = || {
        let message = format!("schema id {} was never announced", record.schema_id(part));
        Fault { code: "schema.unknown", message }
    };
    let tree = Tree::parse(record.definition(part).ok_or_else(unknown)?.as_bytes());
    tree.map(|tree| Known::new(&tree)).map_err(|_| unknown())
}

/// What a transform worked out for a schema, kept by its id. As many as there are ids.
#[derive(Debug)]
pub struct Plans<T> {
    last: Option<(u32, Rc<T>)>,
    all: HashMap<u32, Rc<T>>,
}

impl<T> Default for Plans<T> {
    fn default() -> Self {
        Self { last: None, all: HashMap::new() }
    }
}

impl<T> Plans<T> {
    /// The plan for a schema; none for none (0).
    #[inline]
    pub fn find(&mut self, id: u32) -> Option<Rc<T>> {
        if id == 0 {
            return None;
        }
        if let Some((last, plan)) = &self.last
            && *last == id
        {
            return Some(Rc::clone(plan));
        }
        let plan = Rc::clone(self.all.get(&id)?);
        self.last = Some((id, Rc::clone(&plan)));
        Some(plan)
    }

    /// Keeps a plan.
    pub fn keep(&mut self, id: u32, plan: T) -> Rc<T> {
        let plan = Rc::new(plan);
        self.all.insert(id, Rc::clone(&plan));
        plan
    }
}
