//! `Deduplicate`: a record whose key was seen a short while ago is dropped.
//!
//! Enters: records in the order of their partitions. Leaves: the first of each key within the window. Invariant: memory is
//! bounded by a count; what is forgotten lets a repeated record through, never the other way round; a record that is read
//! once more is no repetition.

use std::collections::{HashMap, VecDeque};
use std::time::{SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};

use crate::class::{Class, Formats};
use crate::config::{Definition, Importance, Of, Problems, Settings};
use crate::lookup::Path;
use crate::record::{Fault, Part, Record};
use crate::splice;

const BY: [&str; 3] = ["key", "value", "fields"];
const NULLS: [&str; 2] = ["pass", "drop"];

const CONFIG: &[Definition] = &[
    Definition::optional("by", Of::Text, Some("key"), Importance::High, "What makes two records the same: the bytes of their key, of their value, or fields of their value.").one_of(&BY),
    Definition::optional("fields", Of::List, None, Importance::High, "For by=fields: the fields, with dots for nested ones. A missing field is the same as null."),
    Definition::optional("window.ms", Of::Long, Some("60000"), Importance::High, "How long a record is remembered, in milliseconds of the records' own time stamps; the clock's where they have none. 0: only window.records bounds it.").at_least(0),
    Definition::optional("window.records", Of::Long, Some("100000"), Importance::Medium, "How many records are remembered, at about 60 bytes each; the oldest are forgotten first.").at_least(1),
    Definition::optional("by.topic", Of::Boolean, Some("true"), Importance::Low, "Whether records of different topics are different."),
    Definition::optional("nulls", Of::Text, Some("pass"), Importance::Low, "What becomes of records without the key, value or fields to compare by.").one_of(&NULLS),
];

/// Most records that may be remembered.
const RECORDS_MAX: u64 = 10_000_000;

/// The transform.
#[derive(Debug)]
pub struct Deduplicate {
    by: &'static str,
    fields: Vec<Path>,
    window_ms: i64,
    records: usize,
    by_topic: bool,
    drop_nulls: bool,
    seen: HashMap<[u8; 16], Seen>,
    /// In order of arrival; an entry whose time is not the one in `seen` is out of date.
    order: VecDeque<([u8; 16], i64)>,
}

/// The record that was let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    at: i64,
    /// Partition and offset: read once more, it is the same record and passes again.
    place: Option<(u32, i64)>,
}

impl Deduplicate {
    /// What the record is known by; none without anything to compare.
    fn digest<R: Record>(&self, record: &R) -> Result<Option<[u8; 16]>, Fault> {
        let mut hash = Sha256::new();
        let mut add = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        };
        if self.by_topic {
            add(record.topic().as_bytes());
        }
        let part = if self.by == "key" { Part::Key } else { Part::Value };
        let text = record.payload(part);
        let Some(text) = text.filter(|_| !splice::is_null(text)) else { return Ok(None) };
        if self.by == "fields" {
            let mut any = false;
            for field in &self.fields {
                let at = field.find(text).map_err(|why| {
                    splice::fault(why, record.schema_id(part), "deduplication", splice::kind(Some(text)))
                })?;
                let value = at.map_or(&b"null"[..], |at| &text[at]);
                any |= value != b"null";
                add(value);
            }
            if !any {
                return Ok(None);
            }
        } else {
            add(text);
        }
        let mut short = [0; 16];
        short.copy_from_slice(&hash.finalize()[..16]);
        Ok(Some(short))
    }

    fn forget(&mut self, now: i64) {
        while let Some((digest, at)) = self.order.front() {
            let old = self.window_ms > 0 && now.saturating_sub(*at) >= self.window_ms;
            let current = self.seen.get(digest).is_some_and(|seen| seen.at == *at);
            if current && !old && self.seen.len() <= self.records {
                return;
            }
            if current {
                self.seen.remove(digest);
            }
            self.order.pop_front();
        }
    }
}

fn clock_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

impl Class for Deduplicate {
    const NAME: &'static str = "Deduplicate";
    const PACKAGE: &'static str = super::PACKAGE;
    const DOC: &'static str = "Drops records whose key, value or fields were seen within a window of time and count. What was seen is kept in memory: after a restart it is forgotten.";
    const CONFIG: &'static [Definition] = CONFIG;

    fn new(_part: Part, mut settings: Settings, _formats: Formats) -> Result<Self, Problems> {
        let by = settings.choice("by", &BY);
        let fields: Vec<Path> = settings.names("fields").iter().map(|name| Path::dotted(name)).collect();
        if (by == "fields") == fields.is_empty() {
            settings.problem("fields", "fields are named with by=fields, and only then");
        }
        let records = settings.count("window.records", 100_000, 1);
        if records > RECORDS_MAX {
            settings.problem("window.records", format!("at most {RECORDS_MAX} records are remembered"));
        }
        let made = Self {
            by,
            fields,
            window_ms: i64::try_from(settings.count("window.ms", 60_000, 0)).unwrap_or(i64::MAX),
            records: usize::try_from(records).unwrap_or(usize::MAX),
            by_topic: settings.boolean("by.topic", true),
            drop_nulls: settings.choice("nulls", &NULLS) == "drop",
            seen: HashMap::new(),
            order: VecDeque::new(),
        };
        settings.finish(made)
    }

    fn apply<R: Record>(&mut self, record: &mut R) -> Result<bool, Fault> {
        let Some(digest) = self.digest(record)? else { return Ok(!self.drop_nulls) };
        let now = record.timestamp().unwrap_or_else(clock_ms);
        let place = record.partition().zip(record.offset());
        let repeated = match self.seen.get(&digest) {
            Some(seen) if place.is_some() && seen.place == place => return Ok(true),
            Some(seen) => self.window_ms == 0 || now.saturating_sub(seen.at).abs() < self.window_ms,
            None => false,
        };
        if !repeated {
            self.seen.insert(digest, Seen { at: now, place });
            self.order.push_back((digest, now));
            self.forget(now);
        }
        Ok(!repeated)
    }
}

#[cfg(test)]
mod tests;
