//! `EventRouter`: rows of an outbox table become messages.
//!
//! Enters: change events of the table. Leaves: the payload under the topic, key, headers and time that columns name.
//! Invariant: only inserts leave; what is no change event passes as it is.

mod config;

use std::collections::HashMap;
use std::ops::Range;

use lockgate_sdk::log;

use self::config::{BEHAVIOURS, CONFIG, NULLS};
use super::envelope::{self, Envelope, string};
use super::placement::{Place, Placement, placements};
use crate::class::{Class, Encoding, Formats};
use crate::config::{Definition, Problems, Settings};
use crate::infer::{self, Nulls};
use crate::record::{Fault, Part, Record, announce};
use crate::route::RegexRouter;
use crate::scan::{Malformed, Members};
use crate::schemas::{Known, LOGICAL, Plans, known};
use crate::splice;
use crate::tree::Tree;
use crate::valid;

const PURPOSE: &str = "Read Outbox Event";
/// Schemas of values that are kept; more are worked out again.
const SCHEMAS_MAX: usize = 10_000;

/// The transform.
#[derive(Debug)]
pub struct EventRouter {
    id: String,
    key: String,
    payload: String,
    timestamp: Option<String>,
    version: Option<String>,
    route: String,
    placements: Vec<Placement>,
    missing_fails: bool,
    behaviour: &'static str,
    expand: Option<Nulls>,
    tombstones: bool,
    opaque: bool,
    router: RegexRouter,
    event: Envelope,
    text: Vec<u8>,
    plans: Plans<Option<Known>>,
    schemas: HashMap<(u32, String, Option<i32>, String), u32>,
    unexpected: u64,
}

/// A row: its columns, and its schema if it has one.
struct Row<'a> {
    text: &'a [u8],
    columns: Vec<(String, Range<usize>)>,
    known: Option<&'a Known>,
}

impl<'a> Row<'a> {
    fn read(text: &'a [u8], at: Range<usize>, known: Option<&'a Known>) -> Result<Self, Malformed> {
        let row = &text[at];
        let mut members = Members::new(row)?;
        let mut columns = Vec::new();
        while let Some(member) = members.advance()? {
            columns.push((member.name(row).into_owned(), member.value..member.end));
        }
        Ok(Self { text: row, columns, known })
    }

    /// True if there is such a column, null or not.
    fn has(&self, name: &str) -> bool {
        match self.known {
            Some(known) => known.field(name).is_some(),
            None => self.columns.iter().any(|(column, _)| column == name),
        }
    }

    /// Its value, its default in its place if it is null.
    fn value(&self, name: &str) -> Option<&[u8]> {
        let found = self.columns.iter().rev().find(|(column, _)| column == name);
        let value = found.map(|(_, at)| &self.text[at.clone()]).filter(|value| *value != b"null");
        let default = || self.known?.field(name)?.default.as_deref().map(str::as_bytes);
        value.or_else(default)
    }

    /// The schema of a column.
    fn schema(&self, name: &str) -> Option<Tree> {
        Some(self.known?.field(name)?.tree.clone().without("field"))
    }

    fn announced<R: Record>(&self, record: &R, name: &str) -> Result<u32, Fault> {
        self.schema(name).map_or(Ok(0), |tree| announce(record, &tree.write()))
    }
}

/// Name, value and schema id.
type Header = (String, Option<Vec<u8>>, u32);

/// What the new value is.
struct Payload {
    bytes: Option<Vec<u8>>,
    schema: Option<Tree>,
}

impl EventRouter {
    fn row_event<R: Record>(&mut self, record: &mut R, text: &[u8], known: Option<&Known>) -> Result<bool, Fault> {
        match self.event.operation(text).as_str() {
            "d" => return Ok(false),
            "u" => return self.unexpected(),
            _ => {}
        }
        let schema = record.schema_id(Part::Value);
        let refuse = |why| splice::fault(why, schema, PURPOSE, "null");
        let at = self.event.set(text, "after").ok_or_else(|| refuse(Malformed::NotObject))?;
        let row = Row::read(text, at, known).map_err(refuse)?;
        for (what, column) in [("payload", &self.payload), ("event-id", &self.id)] {
            if !row.has(column) {
                return Err(Fault::data(format!("Unable to find {what} field {column} in event")));
            }
        }
        let timestamp = self.timestamp(text, &row)?;
        let route = row.value(&self.route).and_then(string);
        let route = route.ok_or_else(|| {
            Fault::data(format!("the column {} of `route.by.field` is missing, null or no text", self.route))
        })?;
        let payload = self.payload(&row);
        let empty = payload.bytes.as_deref().is_none_or(|p| string(p).is_some_and(|t| t.trim().is_empty()));
        let key = self.key(record, &row)?;
        let headers = self.headers(record, &row)?;
        let partition = self.partition(&row)?;
        let (value, schema) = if empty && self.tombstones {
            (None, 0)
        } else if self.placements.iter().any(|p| p.place == Place::Envelope) {
            (Some(self.enveloped(&row, &payload)?), self.enveloped_schema(record, &row, &payload, &route)?)
        } else {
            let schema = payload.schema.as_ref().map(|tree| announce(record, &tree.write()));
            (payload.bytes, schema.transpose()?.unwrap_or(0))
        };
        for (name, value, schema) in headers {
            record.add_header(&name, value.as_deref(), schema);
        }
        record.set_payload(Part::Key, key.0.as_deref());
        record.set_schema_id(Part::Key, key.1);
        record.set_payload(Part::Value, value.as_deref());
        record.set_schema_id(Part::Value, schema);
        record.set_timestamp(timestamp);
        record.set_partition(partition);
        record.set_topic(&route);
        self.router.apply(record)
    }

    fn unexpected(&mut self) -> Result<bool, Fault> {
        const MESSAGE: &str = "unexpected update of a row of the outbox table";
        if self.behaviour == "fatal" {
            return Err(Fault { code: "transform.outbox", message: format!("{MESSAGE}; rows must only be inserted") });
        }
        self.unexpected += 1;
        // Nothing is logged for each record: the first, the second, the fourth, ... say how many there were.
        if self.unexpected.is_power_of_two() {
            let level = if self.behaviour == "error" { log::Level::Error } else { log::Level::Warn };
            log::log!(level, "{MESSAGE}: ignored, {} so far", self.unexpected);
        }
        Ok(false)
    }

    /// Milliseconds: of the column, else of the event.
    fn timestamp(&self, text: &[u8], row: &Row<'_>) -> Result<Option<i64>, Fault> {
        let number = |value: &[u8]| std::str::from_utf8(value).ok()?.trim().parse::<i64>().ok();
        let processed = || self.event.set(text, "ts_ms").and_then(|at| number(&text[at]));
        let Some(column) = &self.timestamp else { return Ok(processed()) };
        if !row.has(column) {
            return Err(Fault::connect(format!("Unable to find timestamp field {column} in event")));
        }
        let Some(value) = row.value(column) else { return Ok(processed()) };
        let unsupported = |what: &str| Fault::connect(format!("Unsupported field type {what} for event timestamp"));
        let value = number(value).ok_or_else(|| unsupported(splice::kind(Some(value))))?;
        let Some(known) = row.known.and_then(|known| known.field(column)) else { return Ok(Some(value)) };
        let name = known.tree.text("name").unwrap_or_default();
        match name.strip_prefix("io.debezium.time.").or_else(|| name.strip_prefix(LOGICAL)) {
            Some("Timestamp") => Ok(Some(value)),
            Some("MicroTimestamp") => Ok(Some(value / 1_000)),
            Some("NanoTimestamp") => Ok(Some(value / 1_000_000)),
            _ if name.is_empty() => {
                let of = known.of.to_uppercase().replace("FLOAT", "FLOAT32").replace("DOUBLE", "FLOAT64");
                Err(unsupported(&format!("{of} (without logical schema name)")))
            }
            _ => Err(unsupported(&name)),
        }
    }

    fn payload(&self, row: &Row<'_>) -> Payload {
        let schema = row.schema(&self.payload);
        let value = row.value(&self.payload);
        if let (Some(nulls), Some(json)) = (self.expand, value.and_then(string))
            && valid::is_container(json.as_bytes())
            && let Ok(tree) = Tree::parse(json.as_bytes())
        {
            if row.known.is_none() {
                return Payload { bytes: Some(json.into_bytes()), schema: None };
            }
            if let Ok(Some(schema)) = infer::schema(&tree, &self.payload, nulls) {
                let mut out = String::new();
                infer::fitted(&tree, &schema, &mut out);
                return Payload { bytes: Some(out.into_bytes()), schema: Some(schema) };
            }
        }
        Payload { bytes: value.map(<[u8]>::to_vec), schema }
    }

    fn key<R: Record>(&self, record: &R, row: &Row<'_>) -> Result<(Option<Vec<u8>>, u32), Fault> {
        if !row.has(&self.key) && row.known.is_some() {
            return Err(Fault::data(format!("{} is not a valid field name", self.key)));
        }
        Ok((row.value(&self.key).map(<[u8]>::to_vec), row.announced(record, &self.key)?))
    }

    fn headers<R: Record>(&self, record: &R, row: &Row<'_>) -> Result<Vec<Header>, Fault> {
        let mut made = Vec::new();
        let placed = self.placements.iter().filter(|p| p.place == Place::Header);
        let placed = placed.map(|p| (p.name.as_str(), p.column.as_str()));
        for (name, column) in std::iter::once(("id", self.id.as_str())).chain(placed) {
            if !self.wanted(row, column)? {
                continue;
            }
            let value = row.value(column).map(|value| envelope::header_value(value, self.opaque));
            let schema = if self.opaque { 0 } else { row.announced(record, column)? };
            made.push((name.to_owned(), value, schema));
        }
        Ok(made)
    }

    /// False for a column that is not there and need not be.
    fn wanted(&self, row: &Row<'_>, column: &str) -> Result<bool, Fault> {
        if row.has(column) {
            return Ok(true);
        }
        if self.missing_fails { Err(Fault::data(format!("Unable to find field {column} in event"))) } else { Ok(false) }
    }

    fn partition(&self, row: &Row<'_>) -> Result<Option<u32>, Fault> {
        let Some(placed) = self.placements.iter().rev().find(|p| p.place == Place::Partition) else { return Ok(None) };
        if !self.wanted(row, &placed.column)? {
            return Ok(None);
        }
        let Some(value) = row.value(&placed.column) else { return Ok(None) };
        let number = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
        number.map(Some).ok_or_else(|| Fault::data(format!("the column {} is no partition", placed.column)))
    }

    fn enveloped(&self, row: &Row<'_>, payload: &Payload) -> Result<Vec<u8>, Fault> {
        let mut out = b"{\"payload\":".to_vec();
        out.extend_from_slice(payload.bytes.as_deref().unwrap_or(b"null"));
        for placed in self.placements.iter().filter(|p| p.place == Place::Envelope) {
            if self.wanted(row, &placed.column)? {
                out.push(b',');
                out.extend_from_slice(placed.quoted.as_bytes());
                out.push(b':');
                out.extend_from_slice(row.value(&placed.column).unwrap_or(b"null"));
            }
        }
        out.push(b'}');
        Ok(out)
    }

    fn enveloped_schema<R: Record>(
        &mut self,
        record: &R,
        row: &Row<'_>,
        payload: &Payload,
        route: &str,
    ) -> Result<u32, Fault> {
        let (Some(known), Some(schema)) = (row.known, &payload.schema) else { return Ok(0) };
        let version = self.version.as_deref().and_then(|column| row.value(column));
        let version = version.and_then(|value| std::str::from_utf8(value).ok()?.parse::<i32>().ok());
        let key = (record.schema_id(Part::Value), schema.write(), version, route.to_owned());
        if let Some(id) = self.schemas.get(&key) {
            return Ok(*id);
        }
        let mut fields = vec![schema.clone().named("payload")];
        for placed in self.placements.iter().filter(|p| p.place == Place::Envelope) {
            fields.extend(row.schema(&placed.column).map(|tree| tree.named(&placed.name)));
        }
        let mut tree = Tree::record(fields);
        let name = match known.tree.text("name") {
            None => route.to_owned(),
            Some(own) => match own.rsplit_once('.') {
                Some((before, last)) => format!("{before}.{route}.{last}"),
                None => format!("{route}.{own}"),
            },
        };
        tree.set("name", Tree::string(&name));
        if let Some(version) = version {
            tree.set("version", Tree::Raw(version.to_string()));
        }
        if self.schemas.len() >= SCHEMAS_MAX {
            self.schemas.clear();
        }
        let id = announce(record, &tree.write())?;
        self.schemas.insert(key, id);
        Ok(id)
    }
}

impl Class for EventRouter {
    const NAME: &'static str = "EventRouter";
    const PACKAGE: &'static str = "io.debezium.transforms.outbox.";
    const DOC: &'static str = "Debezium's outbox: inserts into an outbox table become messages whose topic, key, headers and payload are its columns.";
    const CONFIG: &'static [Definition] = CONFIG;

    fn new(_part: Part, mut settings: Settings, formats: Formats) -> Result<Self, Problems> {
        let or =
            |settings: &Settings, key: &str, default: &str| settings.given(key).unwrap_or_else(|| default.to_owned());
        let pairs = [
            ("regex".to_owned(), or(&settings, "route.topic.regex", "(?<routedByValue>.*)")),
            ("replacement".to_owned(), or(&settings, "route.topic.replacement", "outbox.event.${routedByValue}")),
        ];
        let router = match RegexRouter::new(Part::Value, Settings::new(pairs), formats) {
            Ok(router) => router,
            Err(problems) => {
                for (_, problem) in problems {
                    settings.problem("route.topic.regex", problem);
                }
                return Err(settings.finish(()).err().unwrap_or_default());
            }
        };
        let placements = placements(&settings.list("table.fields.additional.placement")).unwrap_or_else(|why| {
            settings.problem("table.fields.additional.placement", why);
            Vec::new()
        });
        let nulls = match settings.choice("table.json.payload.null.behavior", &NULLS) {
            "ignore" => Nulls::Ignore,
            _ => Nulls::Bytes,
        };
        let made = Self {
            id: or(&settings, "table.field.event.id", "id"),
            key: or(&settings, "table.field.event.key", "aggregateid"),
            payload: or(&settings, "table.field.event.payload", "payload"),
            timestamp: settings.given("table.field.event.timestamp"),
            version: settings.given("table.field.event.schema.version"),
            route: or(&settings, "route.by.field", "aggregatetype"),
            placements,
            missing_fails: settings.boolean("table.fields.additional.error.on.missing", true),
            behaviour: settings.choice("table.op.invalid.behavior", &BEHAVIOURS),
            expand: settings.boolean("table.expand.json.payload", false).then_some(nulls),
            tombstones: settings.boolean("route.tombstone.on.empty.payload", false),
            opaque: formats.header == Encoding::Bytes,
            router,
            event: Envelope::asking(["ts_ms"].into_iter()),
            text: Vec::new(),
            plans: Plans::default(),
            schemas: HashMap::new(),
            unexpected: 0,
        };
        settings.finish(made)
    }

    fn apply<R: Record>(&mut self, record: &mut R) -> Result<bool, Fault> {
        if envelope::value_is_null(record) {
            return Ok(false);
        }
        let schema = record.schema_id(Part::Value);
        let plan = match (schema, self.plans.find(schema)) {
            (0, _) => None,
            (_, Some(plan)) => Some(plan),
            (id, None) => {
                let event = known(record, Part::Value)?;
                let row = event.field("after").filter(|_| envelope::is_envelope(&event)).cloned();
                Some(self.plans.keep(id, row))
            }
        };
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        text.extend_from_slice(record.payload(Part::Value).unwrap_or_default());
        let outcome = match (self.event.read(&text), plan.as_deref()) {
            (_, Some(None)) | (Err(Malformed::NotObject), None) => Ok(true),
            (Err(why), _) => Err(splice::fault(why, schema, PURPOSE, splice::kind(Some(&text)))),
            (Ok(()), None) if !self.event.looks_like_one(&text) => Ok(true),
            (Ok(()), known) => self.row_event(record, &text, known.and_then(Option::as_ref)),
        };
        self.text = text;
        outcome
    }
}

#[cfg(test)]
mod tests;
