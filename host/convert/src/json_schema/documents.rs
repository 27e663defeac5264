//! A schema's text with those of its references, and where `$ref` leads.
//!
//! Enters: texts. Leaves: trees, and the tree that a `$ref` names. Invariant: a reference is answered from these documents
//! or not at all; nothing is fetched.

use crate::fault::{DataFault, Result};
use crate::json::Json;

/// Levels of a schema's text at most.
const DEPTH_MAX: usize = 200;

/// The parsed documents, the schema itself first.
#[derive(Debug)]
pub(crate) struct Documents<'a> {
    documents: Vec<(&'a str, Json<'a>)>,
}

/// A tree with the document that it stands in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'d, 'a> {
    pub(crate) json: &'d Json<'a>,
    document: usize,
}

impl<'d, 'a> Place<'d, 'a> {
    /// Another tree of the same document.
    pub(crate) fn at(self, json: &'d Json<'a>) -> Self {
        Self { json, ..self }
    }
}

impl<'a> Documents<'a> {
    /// Parses the schema, and the references under the names that it calls them.
    pub(crate) fn parse(text: &'a str, references: &[(&'a str, &'a str)]) -> Result<Self> {
        let mut documents = vec![("", tree(text)?)];
        for (name, text) in references {
            documents.push((name, tree(text)?));
        }
        Ok(Self { documents })
    }

    pub(crate) fn root(&self) -> Place<'_, 'a> {
        Place { json: &self.documents[0].1, document: 0 }
    }

    /// What a `$ref` in that place names.
    pub(crate) fn resolve(&self, from: usize, reference: &str) -> Result<Place<'_, 'a>> {
        let (address, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let document = self.document(from, address);
        let found = document.and_then(|(document, json)| Some((document, inside(json, fragment)?)));
        let Some((document, json)) = found else {
            let why = format!("Invalid JSON Schema: {reference:?} is neither in the schema nor among its references");
            return Err(DataFault::schema(why));
        };
        Ok(Place { json, document })
    }

    fn document(&self, from: usize, address: &str) -> Option<(usize, &Json<'a>)> {
        if address.is_empty() {
            return Some((from, &self.documents[from].1));
        }
        let named = |name: &str| {
            let end = |long: &str, short: &str| long == short || long.ends_with(&format!("/{short}"));
            let tidy = |text: &str| text.trim_start_matches("./").to_owned();
            let (name, address) = (tidy(name), tidy(address));
            !name.is_empty() && (end(&name, &address) || end(&address, &name))
        };
        let by_name = self.documents.iter().position(|(name, _)| named(name));
        if let Some(at) = by_name {
            return Some((at, &self.documents[at].1));
        }
        let is_id = |json: &Json<'_>| id(json).is_some_and(|id| named(id.split('#').next().unwrap_or(id)));
        self.documents.iter().enumerate().find_map(|(at, (_, json))| Some((at, search(json, &is_id)?)))
    }
}

impl Place<'_, '_> {
    pub(crate) fn document(self) -> usize {
        self.document
    }
}

fn tree(text: &str) -> Result<Json<'_>> {
    let json =
        Json::parse(text.as_bytes()).map_err(|e| DataFault::schema(format!("Invalid JSON Schema: {}", e.message)))?;
    if depth(&json) > DEPTH_MAX {
        return Err(DataFault::schema("Invalid JSON Schema: more than 200 levels"));
    }
    Ok(json)
}

/// Bounded by the parser.
fn depth(json: &Json<'_>) -> usize {
    1 + match json {
        Json::Array(items) => items.iter().map(depth).max().unwrap_or(0),
        Json::Object(fields) => fields.iter().map(|(_, value)| depth(value)).max().unwrap_or(0),
        _ => 0,
    }
}

pub(crate) fn text<'j>(json: &'j Json<'_>, key: &str) -> Option<&'j str> {
    if let Some(Json::String(text)) = json.field(key) { Some(text) } else { None }
}

/// Draft 4 spells it without the dollar.
fn id<'j>(json: &'j Json<'_>) -> Option<&'j str> {
    text(json, "$id").or_else(|| text(json, "id"))
}

/// A JSON pointer, an anchor, or nothing: the whole.
fn inside<'d, 'a>(json: &'d Json<'a>, fragment: &str) -> Option<&'d Json<'a>> {
    if fragment.is_empty() {
        return Some(json);
    }
    if let Some(pointer) = fragment.strip_prefix('/') {
        return pointer.split('/').try_fold(json, |json, step| {
            let step = percent_encoding::percent_decode_str(step).decode_utf8().ok()?;
            let step = step.replace("~1", "/").replace("~0", "~");
            match json {
                Json::Array(items) => items.get(step.parse::<usize>().ok()?),
                json => json.field(&step),
            }
        });
    }
    let anchored = |json: &Json<'_>| {
        text(json, "$anchor") == Some(fragment) || id(json).is_some_and(|id| id.strip_prefix('#') == Some(fragment))
    };
    search(json, &anchored)
}

fn search<'d, 'a>(json: &'d Json<'a>, test: &impl Fn(&Json<'_>) -> bool) -> Option<&'d Json<'a>> {
    if test(json) {
        return Some(json);
    }
    match json {
        Json::Array(items) => items.iter().find_map(|item| search(item, test)),
        Json::Object(fields) => fields.iter().find_map(|(_, value)| search(value, test)),
        _ => None,
    }
}
