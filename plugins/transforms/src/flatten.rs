//! `Flatten`: nested objects become one, names joined by a delimiter.
//!
//! Enters: an object. Leaves: an object without objects inside (arrays stay as they are). Invariant: with a schema the
//! members stand in the order of the flattened schema, whatever the order of the payload.

use crate::class::{Class, Formats};
use crate::config::{Definition, Importance, Of, Problems, Settings};
use crate::record::{Fault, Part, Record, announce};
use crate::scan::{Malformed, Members, quoted};
use crate::schemas::{Known, Plans, known};
use crate::splice;
use crate::tree::Tree;

const PURPOSE: &str = "flattening";

/// The transform.
#[derive(Debug)]
pub struct Flatten {
    part: Part,
    delimiter: String,
    plans: Plans<(u32, Vec<Node>)>,
}

/// A field of the old schema: a leaf with its new name, or a struct.
#[derive(Debug)]
struct Node {
    name: String,
    leaf: String,
    /// Of a leaf: null is allowed, by it or by a struct around it.
    optional: bool,
    default: Option<String>,
    children: Vec<Node>,
}

/// The tree of leaves in the making.
struct Leaves {
    delimiter: String,
    names: Vec<String>,
    trees: Vec<Tree>,
}

impl Leaves {
    fn nodes(&mut self, known: &Known, prefix: &str, optional: bool, outer: Option<&str>) -> Result<Vec<Node>, Fault> {
        let mut nodes = Vec::new();
        for ((name, field), tree) in known.fields.iter().zip(known.field_trees()) {
            let full = if prefix.is_empty() { name.clone() } else { format!("{prefix}{}{name}", self.delimiter) };
            let inherited = outer.and_then(|outer| member(outer, name));
            let default = field.default.clone().or(inherited);
            let optional = optional || field.optional;
            let mut node = Node { name: name.clone(), leaf: quoted(&full), optional, default, children: Vec::new() };
            match field.of.as_str() {
                "struct" => node.children = self.nodes(field, &full, optional, node.default.as_deref())?,
                "map" => {
                    return Err(Fault::data(format!(
                        "Flatten transformation does not support MAP for record with schemas (for field {full})."
                    )));
                }
                _ => self.leaf(full, tree, optional, node.default.as_deref())?,
            }
            nodes.push(node);
        }
        Ok(nodes)
    }

    fn leaf(&mut self, name: String, mut tree: Tree, optional: bool, default: Option<&str>) -> Result<(), Fault> {
        if self.names.contains(&name) {
            return Err(Fault::duplicate(&name));
        }
        tree.set("optional", Tree::boolean(optional));
        if let Some(default) = default {
            tree.set("default", Tree::Raw(default.to_owned()));
        }
        self.trees.push(tree.named(&name));
        self.names.push(name);
        Ok(())
    }
}

fn member(object: &str, name: &str) -> Option<String> {
    let text = object.as_bytes();
    let found = Members::new(text).ok()?.find(name).ok()??;
    Some(object[found.value..found.end].to_owned()).filter(|value| value != "null")
}

impl Flatten {
    fn plan<R: Record>(&self, record: &R) -> Result<(u32, Vec<Node>), Fault> {
        let known = known(record, self.part)?;
        splice::require_struct(&known, PURPOSE)?;
        let mut leaves = Leaves { delimiter: self.delimiter.clone(), names: Vec::new(), trees: Vec::new() };
        let nodes = leaves.nodes(&known, "", known.optional, known.default.as_deref())?;
        Ok((announce(record, &known.rebuilt(leaves.trees).write())?, nodes))
    }

    /// Without a schema: members in the order of the payload.
    fn walk(&self, text: &[u8], prefix: &str, comma: &mut bool, out: &mut Vec<u8>) -> Result<(), Malformed> {
        let mut members = Members::new(text)?;
        while let Some(member) = members.advance()? {
            let name = member.name(text);
            let full = if prefix.is_empty() { name.into_owned() } else { format!("{prefix}{}{name}", self.delimiter) };
            let value = &text[member.value..member.end];
            if value[0] == b'{' {
                self.walk(value, &full, comma, out)?;
            } else {
                put(&quoted(&full), value, comma, out);
            }
        }
        Ok(())
    }
}

fn put(name: &str, value: &[u8], comma: &mut bool, out: &mut Vec<u8>) {
    if std::mem::replace(comma, true) {
        out.push(b',');
    }
    out.extend_from_slice(name.as_bytes());
    out.push(b':');
    out.extend_from_slice(value);
}

/// With a schema: all leaves; those of a null struct are null, or their default where they must not be.
fn leaves(nodes: &[Node], text: Option<&[u8]>, comma: &mut bool, out: &mut Vec<u8>) -> Result<(), Malformed> {
    let mut members = Vec::new();
    if let Some(text) = text {
        Members::new(text)?.collect_into(&mut members)?;
    }
    for node in nodes {
        let found = text.and_then(|text| {
            let member = members.iter().rev().find(|m| m.is(text, &node.name))?;
            Some(&text[member.value..member.end]).filter(|value| *value != b"null")
        });
        if !node.children.is_empty() {
            leaves(&node.children, found, comma, out)?;
            continue;
        }
        let default = node.default.as_deref().filter(|_| text.is_some() || !node.optional);
        put(&node.leaf, found.or(default.map(str::as_bytes)).unwrap_or(b"null"), comma, out);
    }
    Ok(())
}

impl Class for Flatten {
    const NAME: &'static str = "Flatten";
    const DOC: &'static str = "Flatten a nested data structure, generating names for each field by concatenating the field names at each level with a configurable delimiter character.";
    const CONFIG: &'static [Definition] = &[Definition::optional(
        "delimiter",
        Of::Text,
        Some("."),
        Importance::Medium,
        "Delimiter to insert between field names from the input record when generating field names for the output record.",
    )];

    fn new(part: Part, settings: Settings, _formats: Formats) -> Result<Self, Problems> {
        let delimiter = settings.text("delimiter").unwrap_or_else(|| ".".to_owned());
        settings.finish(Self { part, delimiter, plans: Plans::default() })
    }

    fn apply<R: Record>(&mut self, record: &mut R) -> Result<bool, Fault> {
        if record.is_null(self.part) {
            return Ok(true);
        }
        let schema = record.schema_id(self.part);
        let plan = match (schema, self.plans.find(schema)) {
            (0, _) => None,
            (_, Some(plan)) => Some(plan),
            (id, None) => {
                let plan = self.plan(record)?;
                Some(self.plans.keep(id, plan))
            }
        };
        let this = &*self;
        record.rewrite(self.part, |text, out| {
            out.push(b'{');
            let mut comma = false;
            let done = match plan.as_deref() {
                None => this.walk(text, "", &mut comma, out),
                Some((_, nodes)) => leaves(nodes, Some(text), &mut comma, out),
            };
            out.push(b'}');
            done.map_err(|why| splice::fault(why, schema, PURPOSE, splice::kind(Some(text))))
        })?;
        record.set_schema_id(self.part, plan.as_deref().map_or(0, |(id, _)| *id));
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
