//! `ExtractNewRecordState`: the row of a change event.
//!
//! Enters: change events and tombstones. Leaves: the row after the change, what stands for a deleted row, other records as
//! they are. Invariant: a row to which nothing is added is a range of the old bytes.

mod config;

use std::collections::HashMap;

use self::config::{CONFIG, MODES};
use super::envelope::{self, Envelope, Place, Reference};
use crate::class::{Class, Encoding, Formats};
use crate::config::{Definition, Problems, Settings};
use crate::defaults::{self, Fields};
use crate::record::{Fault, Part, Record, announce};
use crate::replace::ReplaceField;
use crate::scan::{Malformed, Members, elements, quoted};
use crate::schemas::{Known, Plans, known};
use crate::splice::{self, Writer};
use crate::tree::Tree;

const PURPOSE: &str = "source field insertion";
/// Lists of fields to drop whose transform is kept.
const DROPS_MAX: usize = 1_000;

/// What becomes of a delete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Delete {
    Drop,
    /// A null value under the row's schema.
    Null,
    /// A null value without schema.
    Tombstone,
    /// The old row, marked.
    Rewrite,
}

/// The transform.
#[derive(Debug)]
pub struct ExtractNewRecordState {
    delete: Delete,
    drop_tombstones: bool,
    route: Option<String>,
    fields: Vec<Reference>,
    headers: Vec<Reference>,
    drop: Option<Drop>,
    /// True if nulls of rows that are marked as deleted or not become the defaults of their fields.
    fills: bool,
    opaque: bool,
    event: Envelope,
    plans: Plans<Option<Plan>>,
}

/// Fields named by a header, and the transforms that drop them.
#[derive(Debug)]
struct Drop {
    header: String,
    from_key: bool,
    compatible: bool,
    by_names: HashMap<(bool, String), ReplaceField>,
}

/// What was worked out for the schema of a change event.
#[derive(Debug)]
struct Plan {
    /// The schema of `after`, for a null.
    plain: u32,
    /// Rows after and before a change, with what is added.
    after: u32,
    before: u32,
    /// The defaults of a row's fields.
    defaults: Fields,
    /// Which of the added fields the event has.
    fields: Vec<bool>,
    /// The schemas of the headers that the event has.
    headers: Vec<Option<u32>>,
}

impl ExtractNewRecordState {
    fn rewrites(&self) -> bool {
        self.delete == Delete::Rewrite
    }

    /// The plan for a schema; none if it is not that of a change event.
    fn plan<R: Record>(&self, record: &R) -> Result<Option<Plan>, Fault> {
        let event = known(record, Part::Value)?;
        let (Some(after), true) = (event.field("after"), envelope::is_envelope(&event)) else { return Ok(None) };
        let before = event.field("before").unwrap_or(after);
        let added: Vec<_> = self.fields.iter().map(|reference| reference.schema(&event)).collect();
        let mut trees = Vec::new();
        if self.rewrites() {
            trees.push(Tree::scalar("string", true).named("__deleted"));
        }
        for (reference, tree) in self.fields.iter().zip(&added) {
            trees.extend(tree.as_ref().map(|(tree, _)| tree.clone().named(&reference.name)));
        }
        let mut headers = Vec::new();
        for reference in &self.headers {
            let schema = reference.schema(&event);
            headers.push(schema.map(|(tree, _)| announce(record, &tree.write())).transpose()?);
        }
        Ok(Some(Plan {
            plain: announce(record, &after.tree.clone().without("field").write())?,
            after: announce(record, &row_schema(after, &trees)?.write())?,
            before: announce(record, &row_schema(before, &trees)?.write())?,
            defaults: if self.fills && self.rewrites() { defaults::fields(after) } else { Vec::new() },
            fields: added.iter().map(Option::is_some).collect(),
            headers,
        }))
    }

    /// Adds the headers; of a tombstone only the operation is known.
    fn add_headers<R: Record>(&self, record: &mut R, plan: Option<&Plan>, tombstone: bool) -> Result<(), Fault> {
        let mut made = Vec::new();
        for (index, reference) in self.headers.iter().enumerate() {
            let known = plan.map_or(Some(0), |plan| plan.headers[index]);
            if tombstone {
                let value = envelope::header_value(b"\"d\"", self.opaque);
                if reference.field == "op" {
                    let schema = announce(record, &Tree::scalar("string", false).write())?;
                    made.push((reference, Some(value), if self.opaque { 0 } else { schema }));
                }
                continue;
            }
            let text = record.payload(Part::Value).unwrap_or_default();
            let place = reference.find(text, &self.event).map_err(|why| malformed(why, record))?;
            if let (Some(schema), Some(place)) = (known, place.or(plan.map(|_| None))) {
                let value = place.map(|at| envelope::header_value(&text[at], self.opaque));
                made.push((reference, value, if self.opaque { 0 } else { schema }));
            }
        }
        for (reference, value, schema) in made {
            record.add_header(&reference.name, value.as_deref(), schema);
        }
        Ok(())
    }

    /// Makes a row the value, with what is to be added.
    fn put_row<R: Record>(
        &self,
        record: &mut R,
        row: std::ops::Range<usize>,
        plan: Option<&Plan>,
        deleted: bool,
    ) -> Result<(), Fault> {
        if self.fields.is_empty() && !self.rewrites() {
            record.set_range(Part::Value, Part::Value, row);
            return Ok(());
        }
        let text = record.payload(Part::Value).unwrap_or_default();
        let mut added: Vec<(&Reference, Place)> = Vec::new();
        for (index, reference) in self.fields.iter().enumerate() {
            let place = reference.find(text, &self.event).map_err(|why| malformed(why, record))?;
            match (plan, place) {
                (Some(plan), place) if plan.fields[index] => added.push((reference, place.flatten())),
                (None, Some(place)) => added.push((reference, place)),
                _ => {}
            }
        }
        let schema = record.schema_id(Part::Value);
        let new = New {
            added: &added,
            mark: self.rewrites().then_some(deleted),
            defaults: plan.map_or(&[], |p| &p.defaults),
        };
        record.rewrite(Part::Value, |text, out| {
            let found = splice::kind(Some(&text[row.clone()]));
            write_row(text, &text[row], &new, out).map_err(|why| splice::fault(why, schema, PURPOSE, found))
        })
    }

    fn drop_fields<R: Record>(&mut self, record: &mut R) -> Result<(), Fault> {
        let Some(drop) = &mut self.drop else { return Ok(()) };
        let mut names = Vec::new();
        record.visit_headers(&mut |name, value, _| {
            if name == drop.header && names.is_empty() {
                names = names_of(value.unwrap_or_default());
            }
        });
        for part in [Part::Key, Part::Value] {
            if names.is_empty() || (part == Part::Key && !drop.from_key) || record.is_null(part) {
                continue;
            }
            let mut these = names.clone();
            if drop.compatible && record.schema_id(part) != 0 {
                let known = known(record, part)?;
                these.retain(|name| known.field(name).is_some_and(|field| field.optional));
            }
            if !these.is_empty() {
                drop.transform(part, &these.join(","))?.apply(record)?;
            }
        }
        Ok(())
    }

    fn event<R: Record>(&mut self, record: &mut R, plan: Option<&Plan>) -> Result<bool, Fault> {
        let schema = record.schema_id(Part::Value);
        let text = record.payload(Part::Value).unwrap_or_default();
        let (after, before) = (self.event.set(text, "after"), self.event.set(text, "before"));
        if after.is_none() && self.event.operation(text) == "t" {
            return Ok(false);
        }
        let deleted = after.is_none();
        if deleted && (self.delete == Delete::Drop || (self.rewrites() && before.is_none())) {
            return Ok(false);
        }
        let row = after.or(before);
        let topic = match (&self.route, row.clone()) {
            (Some(name), Some(row)) => {
                envelope::text_field(text, row, name, schema, "read record to set topic routing")?
            }
            _ => None,
        };
        self.add_headers(record, plan, false)?;
        if let Some(topic) = topic {
            record.set_topic(&topic);
        }
        match (row, deleted, self.delete) {
            (Some(row), false, _) | (Some(row), true, Delete::Rewrite) => {
                self.put_row(record, row, plan, deleted)?;
                let id = plan.map_or(0, |plan| if deleted { plan.before } else { plan.after });
                record.set_schema_id(Part::Value, id);
            }
            (_, _, how) => {
                record.set_payload(Part::Value, None);
                let id = plan.filter(|_| how == Delete::Null).map_or(0, |plan| plan.plain);
                record.set_schema_id(Part::Value, id);
            }
        }
        // Of a delete, from its key.
        self.drop_fields(record)?;
        Ok(true)
    }
}

impl Drop {
    fn transform(&mut self, part: Part, names: &str) -> Result<&mut ReplaceField, Fault> {
        if self.by_names.len() >= DROPS_MAX {
            self.by_names.clear();
        }
        let key = (part == Part::Key, names.to_owned());
        if !self.by_names.contains_key(&key) {
            let formats = Formats { key: Encoding::Json, value: Encoding::Json, header: Encoding::Json };
            let settings = Settings::new([("exclude".to_owned(), names.to_owned())]);
            let made = ReplaceField::new(part, settings, formats);
            let made = made.map_err(|_| Fault::data(format!("Fields that cannot be dropped: {names}")))?;
            self.by_names.insert(key.clone(), made);
        }
        self.by_names.get_mut(&key).ok_or_else(|| Fault::data("Fields that cannot be dropped"))
    }
}

/// Names in a header: a JSON list of texts, or text with commas.
fn names_of(value: &[u8]) -> Vec<String> {
    if let Ok(items) = elements(value) {
        items.iter().filter_map(|(from, to)| envelope::string(&value[*from..*to])).collect()
    } else {
        let text = String::from_utf8_lossy(value);
        let text = text.trim_matches('"');
        text.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
    }
}

/// A row's schema with the added fields.
fn row_schema(row: &Known, added: &[Tree]) -> Result<Tree, Fault> {
    let mut fields = row.field_trees();
    for tree in added {
        let name = tree.text("field").unwrap_or_default();
        if row.field(&name).is_some() {
            return Err(Fault::data(format!("Cannot create field because of field name duplication {name}")));
        }
        fields.push(tree.clone());
    }
    Ok(row.rebuilt(fields))
}

/// What a row gets that it did not have.
struct New<'a> {
    added: &'a [(&'a Reference, Place)],
    mark: Option<bool>,
    /// Instead of nulls.
    defaults: &'a [(String, String)],
}

fn write_row(text: &[u8], row: &[u8], new: &New<'_>, out: &mut Vec<u8>) -> Result<(), Malformed> {
    let mut members = Members::new(row)?;
    let mut writer = Writer::new(row, out);
    while let Some(member) = members.advance()? {
        let taken = new.added.iter().any(|(reference, _)| member.is(row, &reference.name));
        if taken || (new.mark.is_some() && member.is(row, "__deleted")) {
            writer.skip();
            continue;
        }
        let null = &row[member.value..member.end] == b"null";
        match new.defaults.iter().find(|(name, _)| null && member.is(row, name)) {
            Some((name, default)) => writer.put(&quoted(name), default.as_bytes()),
            None => writer.keep(&member),
        }
    }
    if let Some(deleted) = new.mark {
        writer.put("\"__deleted\"", quoted(&deleted.to_string()).as_bytes());
    }
    for (reference, place) in new.added {
        writer.put(&reference.quoted, place.clone().map_or(b"null", |at| &text[at]));
    }
    writer.finish();
    Ok(())
}

fn malformed<R: Record>(why: Malformed, record: &R) -> Fault {
    splice::fault(why, record.schema_id(Part::Value), PURPOSE, splice::kind(record.payload(Part::Value)))
}

impl Class for ExtractNewRecordState {
    const NAME: &'static str = "ExtractNewRecordState";
    const PACKAGE: &'static str = super::PACKAGE;
    const DOC: &'static str =
        "Debezium's unwrap: replaces a change event by its row, with deletes, added fields and headers as configured.";
    const CONFIG: &'static [Definition] = CONFIG;

    fn new(_part: Part, mut settings: Settings, formats: Formats) -> Result<Self, Problems> {
        let mode = settings.choice("delete.tombstone.handling.mode", &MODES);
        let old = ["delete.handling.mode", "drop.tombstones"].iter().any(|key| settings.given(key).is_some());
        let (delete, drop_tombstones) = if old && settings.given("delete.tombstone.handling.mode").is_none() {
            let delete = match settings.choice("delete.handling.mode", &["drop", "none", "rewrite"]) {
                "none" => Delete::Null,
                "rewrite" => Delete::Rewrite,
                _ => Delete::Drop,
            };
            (delete, settings.boolean("drop.tombstones", true))
        } else {
            match mode {
                "drop" => (Delete::Drop, true),
                "rewrite" => (Delete::Rewrite, true),
                "rewrite-with-tombstone" => (Delete::Rewrite, false),
                "delete-to-tombstone" => (Delete::Tombstone, true),
                _ => (Delete::Null, true),
            }
        };
        let mut read = |prefix_key: &str, key: &str| {
            let prefix = settings.text(prefix_key).unwrap_or_else(|| "__".to_owned());
            envelope::references(&prefix, &settings.list(key)).unwrap_or_else(|why| {
                settings.problem(key, why);
                Vec::new()
            })
        };
        let fields = read("add.fields.prefix", "add.fields");
        let headers = read("add.headers.prefix", "add.headers");
        let (from_key, compatible) = (
            settings.boolean("drop.fields.from.key", false),
            settings.boolean("drop.fields.keep.schema.compatible", true),
        );
        let fills = settings.boolean("replace.null.with.default", true);
        let drop = settings.given("drop.fields.header.name");
        let drop = drop.map(|header| Drop { header, from_key, compatible, by_names: HashMap::new() });
        let asked = fields.iter().chain(&headers);
        let event = Envelope::asking(asked.flat_map(|r| [Some(r.field.as_str()), r.parent.as_deref()]).flatten());
        let (route, opaque) = (settings.given("route.by.field"), formats.header == Encoding::Bytes);
        let plans = Plans::default();
        settings.finish(Self { delete, drop_tombstones, route, fields, headers, drop, fills, opaque, event, plans })
    }

    fn apply<R: Record>(&mut self, record: &mut R) -> Result<bool, Fault> {
        if envelope::value_is_null(record) {
            if !self.drop_tombstones {
                self.add_headers(record, None, true)?;
            }
            return Ok(!self.drop_tombstones);
        }
        let schema = record.schema_id(Part::Value);
        let plan = match (schema, self.plans.find(schema)) {
            (0, _) => None,
            (_, Some(plan)) => Some(plan),
            (id, None) => {
                let plan = self.plan(record)?;
                Some(self.plans.keep(id, plan))
            }
        };
        if plan.as_deref().is_some_and(Option::is_none) {
            return Ok(true);
        }
        let text = record.payload(Part::Value).unwrap_or_default();
        match self.event.read(text) {
            Err(Malformed::NotObject) => return Ok(true),
            Err(why) => return Err(malformed(why, record)),
            Ok(()) if plan.is_none() && !self.event.looks_like_one(text) => return Ok(true),
            Ok(()) => {}
        }
        self.event(record, plan.as_deref().and_then(Option::as_ref))
    }
}

#[cfg(test)]
mod tests;
