//! `ExpandJson`: JSON in a text becomes an object.
//!
//! Enters: payloads with fields that hold JSON as text. Leaves: the same with objects in their place, under the schema that
//! is inferred. Invariant: text that is no JSON stays as it is, or the record fails, as asked.

use std::collections::HashMap;

use crate::class::{Class, Formats};
use crate::config::{Definition, Importance, Of, Problems, Settings};
use crate::infer::{self, Nulls};
use crate::lookup::{Path, scalar};
use crate::record::{Fault, Part, Record, announce};
use crate::schemas::known;
use crate::splice;
use crate::tree::Tree;
use crate::valid;

const FAILURES: [&str; 2] = ["keep", "fail"];
const NULLS: [&str; 2] = ["ignore", "optional_bytes"];
/// Schemas that are kept; more are worked out again.
const SCHEMAS_MAX: usize = 10_000;

const CONFIG: &[Definition] = &[
    Definition::optional(
        "sourceFields",
        Of::List,
        None,
        Importance::High,
        "Fields that hold JSON as text, with dots for nested ones. Without any, the whole key or value.",
    ),
    Definition::optional(
        "on.failure",
        Of::Text,
        Some("keep"),
        Importance::Medium,
        "What becomes of a text that is no JSON object or list: keep leaves it, fail is an error of the record.",
    )
    .one_of(&FAILURES),
    Definition::optional(
        "null.behavior",
        Of::Text,
        Some("ignore"),
        Importance::Medium,
        "With a schema: whether null members of the JSON are left out, or become optional bytes.",
    )
    .one_of(&NULLS),
];

/// The transform.
#[derive(Debug)]
pub struct ExpandJson {
    part: Part,
    fields: Vec<Path>,
    fails: bool,
    nulls: Nulls,
    schemas: HashMap<(u32, Vec<Option<String>>), u32>,
}

/// What a field's text becomes, and the schema of that.
struct Expanded {
    payload: String,
    schema: Option<Tree>,
}

impl ExpandJson {
    /// None for a text that stays.
    fn expand(&self, text: &[u8], field: &Path, with_schema: bool) -> Result<Option<Expanded>, Fault> {
        let refused = |why: &str| {
            let message = format!("the text of {} cannot be expanded: {why}", place(field));
            if self.fails { Err(Fault { code: "transform.data", message }) } else { Ok(None) }
        };
        let at = field.find(text).map_err(|why| splice::fault(why, 0, "JSON expansion", splice::kind(Some(text))))?;
        let value = at.map_or(&b"null"[..], |at| &text[at]);
        if value == b"null" {
            return Ok(None);
        }
        let Some(json) = scalar(value).filter(|_| value[0] == b'"') else { return refused("it is no text") };
        if !valid::is_container(json.as_bytes()) {
            return refused("it is no JSON object or list");
        }
        if !with_schema {
            return Ok(Some(Expanded { payload: json, schema: None }));
        }
        let Ok(tree) = Tree::parse(json.as_bytes()) else { return refused("it is no JSON") };
        match infer::schema(&tree, "", self.nulls) {
            Ok(Some(schema)) => {
                let mut payload = String::new();
                infer::fitted(&tree, &schema, &mut payload);
                Ok(Some(Expanded { payload, schema: Some(schema) }))
            }
            Ok(None) => refused("it has no type"),
            Err(why) => refused(&why),
        }
    }

    fn schema<R: Record>(&mut self, record: &R, made: &[Option<Expanded>]) -> Result<u32, Fault> {
        let id = record.schema_id(self.part);
        let texts = made.iter().map(|m| m.as_ref()?.schema.as_ref().map(Tree::write)).collect();
        let key = (id, texts);
        if let Some(id) = self.schemas.get(&key) {
            return Ok(*id);
        }
        let mut tree = known(record, self.part)?.tree;
        for (field, made) in self.paths().iter().zip(made) {
            if let Some(schema) = made.as_ref().and_then(|made| made.schema.clone()) {
                tree = replaced(
                    tree,
                    &field.to_string().split('.').filter(|n| !n.is_empty()).collect::<Vec<_>>(),
                    &schema,
                );
            }
        }
        if self.schemas.len() >= SCHEMAS_MAX {
            self.schemas.clear();
        }
        let made = announce(record, &tree.write())?;
        self.schemas.insert(key, made);
        Ok(made)
    }

    fn paths(&self) -> Vec<Path> {
        if self.fields.is_empty() { vec![Path::default()] } else { self.fields.clone() }
    }
}

fn place(field: &Path) -> String {
    if field.is_whole() { "the payload".to_owned() } else { format!("the field {field}") }
}

/// The schema with another one in place of a field's.
fn replaced(tree: Tree, path: &[&str], schema: &Tree) -> Tree {
    let Some((name, deeper)) = path.split_first() else {
        return match tree.text("field") {
            Some(field) => schema.clone().named(&field),
            None => schema.clone(),
        };
    };
    let mut tree = tree.without("default");
    if let Some(Tree::Array(fields)) = tree.get("fields").cloned() {
        let fields = fields.into_iter().map(|field| {
            if field.text("field").as_deref() == Some(*name) { replaced(field, deeper, schema) } else { field }
        });
        let fields = fields.collect();
        tree.set("fields", Tree::Array(fields));
    }
    tree
}

impl Class for ExpandJson {
    const NAME: &'static str = "ExpandJson";
    const PACKAGE: &'static str = super::PACKAGE;
    const ALIASES: &'static [&'static str] = &["com.redhat.insights.expandjsonsmt.ExpandJSON"];
    const DOC: &'static str =
        "Turns JSON that stands in text fields into objects, with the schema that their contents have.";
    const CONFIG: &'static [Definition] = CONFIG;

    fn new(part: Part, mut settings: Settings, _formats: Formats) -> Result<Self, Problems> {
        let fields = settings.names("sourceFields").iter().map(|name| Path::dotted(name)).collect();
        let fails = settings.choice("on.failure", &FAILURES) == "fail";
        let nulls = settings.choice("null.behavior", &NULLS);
        let nulls = if nulls == "ignore" { Nulls::Ignore } else { Nulls::Bytes };
        settings.finish(Self { part, fields, fails, nulls, schemas: HashMap::new() })
    }

    fn apply<R: Record>(&mut self, record: &mut R) -> Result<bool, Fault> {
        if record.is_null(self.part) {
            return Ok(true);
        }
        let with_schema = record.schema_id(self.part) != 0;
        let paths = self.paths();
        let text = record.payload(self.part).unwrap_or_default();
        let mut made = Vec::with_capacity(paths.len());
        for field in &paths {
            made.push(self.expand(text, field, with_schema)?);
        }
        if made.iter().all(Option::is_none) {
            return Ok(true);
        }
        let id = if with_schema { self.schema(record, &made)? } else { 0 };
        for (field, made) in paths.iter().zip(&made) {
            let Some(made) = made else { continue };
            record.rewrite(self.part, |text, out| {
                field.rewrite(text, out, &mut |_, out| {
                    out.extend_from_slice(made.payload.as_bytes());
                    Ok(())
                })?;
                Ok(())
            })?;
        }
        record.set_schema_id(self.part, id);
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
