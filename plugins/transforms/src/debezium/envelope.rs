//! A change event: `before`, `after`, `op`, `source`, and fields of it that are asked for by name.
//!
//! Enters: the text of a value. Leaves: where its members stand. Invariant: one pass over the members that are asked for;
//! nothing is copied.

use std::ops::Range;

use crate::record::{Fault, Part, Record};
use crate::scan::{Malformed, Members, quoted, unescape};
use crate::schemas::Known;
use crate::splice;
use crate::tree::Tree;

/// How names of schemas of change events end.
const SUFFIX: &str = ".Envelope";
/// The members that every event is asked for, in this order.
const FIXED: [&str; 4] = ["before", "after", "op", "source"];

/// Where a member stands; none: it is not there.
pub type Place = Option<Range<usize>>;

/// Where the members of an event stand.
#[derive(Debug, Default)]
pub struct Envelope {
    names: Vec<String>,
    places: Vec<Place>,
}

impl Envelope {
    /// Asks for these members beside the fixed ones.
    pub fn asking<'a>(more: impl Iterator<Item = &'a str>) -> Self {
        let mut names: Vec<String> = FIXED.iter().map(|name| (*name).to_owned()).collect();
        for name in more {
            if !names.iter().any(|n| n == name) {
                names.push(name.to_owned());
            }
        }
        let places = vec![None; names.len()];
        Self { names, places }
    }

    /// Reads an event.
    pub fn read(&mut self, text: &[u8]) -> Result<(), Malformed> {
        self.places.fill(None);
        let mut members = Members::new(text)?;
        while let Some(member) = members.advance()? {
            if let Some(index) = self.names.iter().position(|name| member.is(text, name)) {
                self.places[index] = Some(member.value..member.end);
            }
        }
        Ok(())
    }

    /// True if what was read without a schema looks like an event: it has an operation, a source and a row.
    pub fn looks_like_one(&self, text: &[u8]) -> bool {
        let begins = |name: &str, with: u8| self.place(name).is_some_and(|at| text[at.start] == with);
        let row = self.place("before").is_some() || self.place("after").is_some();
        row && begins("op", b'"') && begins("source", b'{')
    }

    /// Where a member stands, null or not.
    pub fn place(&self, name: &str) -> Place {
        let index = self.names.iter().position(|n| n == name)?;
        self.places[index].clone()
    }

    /// Where a member stands that is not null.
    pub fn set(&self, text: &[u8], name: &str) -> Place {
        self.place(name).filter(|at| &text[at.clone()] != b"null")
    }

    /// The operation: `c`, `u`, `d`, `r`, `t`; empty without one.
    pub fn operation(&self, text: &[u8]) -> String {
        self.place("op").and_then(|at| string(&text[at])).unwrap_or_default()
    }
}

/// True for the schema of a change event.
pub fn is_envelope(known: &Known) -> bool {
    known.is_struct() && known.tree.text("name").is_some_and(|name| name.ends_with(SUFFIX))
}

/// The text of a JSON string.
pub fn string(value: &[u8]) -> Option<String> {
    match value {
        [b'"', text @ .., b'"'] => Some(unescape(text).into_owned()),
        _ => None,
    }
}

/// Where the value of a field stands in a text that is an object; none if the object lacks it.
pub fn field(text: &[u8], object: Range<usize>, name: &str) -> Result<Place, Malformed> {
    let start = object.start;
    let found = Members::new(&text[object]).and_then(|members| members.find(name))?;
    Ok(found.map(|member| start + member.value..start + member.end))
}

/// A value as a header's: under opaque headers text goes without its quotes.
pub fn header_value(value: &[u8], opaque: bool) -> Vec<u8> {
    match string(value).filter(|_| opaque) {
        Some(text) => text.into_bytes(),
        None => value.to_vec(),
    }
}

/// A field of an event that goes elsewhere: `op`, `ts_ms`, `source.table`, `version`, each with an optional `:new-name`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The object that has it; none: the event itself.
    pub parent: Option<String>,
    /// Its name there.
    pub field: String,
    /// Its name where it goes.
    pub name: String,
    /// The same, quoted.
    pub quoted: String,
}

impl Reference {
    /// Reads `[struct.]field[:new-name]`.
    pub fn parse(prefix: &str, text: &str) -> Result<Self, String> {
        let mut parts = text.split(':');
        let (path, renamed, more) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
        if path.is_empty() || more.is_some() || renamed == Some("") {
            return Err(format!("Unexpected field name: {text}"));
        }
        let (parent, field, name) = match path.split_once('.') {
            Some((parent, field)) => {
                let field = field.split('.').next().unwrap_or_default();
                (Some(parent), field, format!("{parent}_{field}"))
            }
            None => (home(path), path, path.to_owned()),
        };
        let name = format!("{prefix}{}", renamed.unwrap_or(&name));
        Ok(Self { parent: parent.map(str::to_owned), field: field.to_owned(), quoted: quoted(&name), name })
    }

    /// Its schema, optional, and true if it stands in its parent; none where the event has no such field.
    pub fn schema(&self, known: &Known) -> Option<(Tree, bool)> {
        let parent = match &self.parent {
            Some(parent) => known.field(parent),
            None => Some(known),
        };
        let own = parent.and_then(|parent| parent.field(&self.field));
        let found = own.or_else(|| known.field(&self.field))?;
        let mut tree = found.tree.clone().without("default").without("field");
        tree.set("optional", Tree::boolean(true));
        Some((tree, own.is_some()))
    }

    /// Where its value stands: in its parent, else in the event. The outer none: nowhere; the inner: it is null.
    pub fn find(&self, text: &[u8], event: &Envelope) -> Result<Option<Place>, Malformed> {
        let place = match &self.parent {
            None => event.place(&self.field),
            Some(parent) => match event.set(text, parent) {
                Some(object) if text[object.start] == b'{' => {
                    field(text, object, &self.field)?.or_else(|| event.place(&self.field))
                }
                // The object is known and null, as `transaction` mostly is.
                _ if event.place(parent).is_some() => return Ok(Some(None)),
                _ => event.place(&self.field),
            },
        };
        Ok(place.map(|at| Some(at).filter(|at| &text[at.clone()] != b"null")))
    }
}

/// The object that has a field which is named without one.
fn home(field: &str) -> Option<&str> {
    match field {
        "id" | "data_collection_order" | "total_order" => Some("transaction"),
        "op" | "ts_ms" | "ts_us" | "ts_ns" => None,
        "updateDescription" => Some("updateDescription"),
        _ => Some("source"),
    }
}

/// References of a list.
pub fn references(prefix: &str, list: &[String]) -> Result<Vec<Reference>, String> {
    list.iter().filter(|text| !text.is_empty()).map(|text| Reference::parse(prefix, text)).collect()
}

/// A text of a row that goes into a topic's name; none where it is null or blank.
pub fn text_field(
    text: &[u8],
    row: Range<usize>,
    name: &str,
    schema: u32,
    purpose: &str,
) -> Result<Option<String>, Fault> {
    let place = field(text, row.clone(), name).map_err(|why| {
        let found = splice::kind(Some(&text[row]));
        splice::fault(why, schema, purpose, found)
    })?;
    match place.map(|at| &text[at]) {
        None if schema != 0 => Err(Fault::data(format!("{name} is not a valid field name"))),
        None | Some(b"null") => Ok(None),
        Some(value) => match string(value) {
            Some(text) => Ok(Some(text).filter(|text| !text.trim().is_empty())),
            None => Err(Fault::data(format!("Field '{name}' is not of type STRING"))),
        },
    }
}

/// True if the value is null: no bytes, or the word.
pub fn value_is_null<R: Record>(record: &R) -> bool {
    record.is_null(Part::Value)
}
