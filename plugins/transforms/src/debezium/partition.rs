//! `PartitionRouting`: the partition of a change event by fields of it.
//!
//! Enters: records. Leaves: change events with the partition that the hash of those fields gives. Invariant: the hash is that of
//! Java's `hashCode`, so that events stay where Debezium has put them; what is no change event passes as it is.
#![expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "hashes wrap as Java's do")]

use super::envelope::{self, Envelope};
use crate::class::{Class, Formats};
use crate::config::{Definition, Importance, Of, Problems, Settings};
use crate::dates::DAY_MS;
use crate::number;
use crate::record::{Fault, Part, Record};
use crate::scan::{Malformed, Members, unescape};
use crate::schemas::{Known, Logical, Plans, known};
use crate::splice;

const PURPOSE: &str = "computing the partition";
const FIELDS: &str = "partition.payload.fields";
const COUNT: &str = "partition.topic.num";
const FUNCTION: &str = "partition.hash.function";

/// The transform.
#[derive(Debug)]
pub struct PartitionRouting {
    fields: Vec<Vec<String>>,
    partitions: u32,
    event: Envelope,
    /// The schema of an event; none if it is no event's.
    plans: Plans<Option<Known>>,
}

impl PartitionRouting {
    /// The sum of the hashes of the fields that are there and not null; none if none is.
    fn hash(&self, text: &[u8], operation: &str, known: Option<&Known>) -> Result<Option<i32>, Fault> {
        let mut sum: Option<i32> = None;
        for path in &self.fields {
            let (mut value, mut schema) = (text, known);
            let mut found = true;
            for (at, step) in path.iter().enumerate() {
                let name = match step.as_str() {
                    "change" if at + 1 < path.len() && operation == "d" => "before",
                    "change" if at + 1 < path.len() => "after",
                    name => name,
                };
                let member = match Members::new(value) {
                    Ok(members) => members.find(name).map_err(|why| refuse(why, known))?,
                    Err(Malformed::NotObject) => None,
                    Err(why) => return Err(refuse(why, known)),
                };
                schema = schema.and_then(|schema| schema.field(name));
                match member {
                    Some(member) => value = &value[member.value..member.end],
                    None => value = b"null",
                }
                if let (b"null", Some(default)) = (value, schema.and_then(|schema| schema.default.as_deref())) {
                    value = default.as_bytes();
                }
                found = value != b"null";
                if !found {
                    break;
                }
            }
            if found {
                let hash = hash(value, schema).ok_or_else(|| {
                    Fault::data(format!("{} is not text, a number or a boolean: it has no hash", path.join(".")))
                })?;
                sum = Some(sum.unwrap_or(0).wrapping_add(hash));
            }
        }
        Ok(sum)
    }
}

fn refuse(why: Malformed, known: Option<&Known>) -> Fault {
    splice::fault(why, u32::from(known.is_some()), PURPOSE, "object")
}

/// `hashCode` of the Java object that a value is; none for lists, maps, structs and bytes.
fn hash(value: &[u8], known: Option<&Known>) -> Option<i32> {
    let text = std::str::from_utf8(value).ok()?;
    let whole = || text.parse::<i64>().ok();
    if let [b'"', inner @ .., b'"'] = value {
        return match known.map(|known| (known.logical, known.of.as_str())) {
            Some((Some(Logical::Decimal(scale)), _)) => Some(of_decimal(number::from_base64(inner)?, scale)),
            Some((_, "bytes")) => None,
            // Infinity and NaN.
            Some((_, "float")) => Some(unescape(inner).parse::<f32>().ok()?.to_bits() as i32),
            Some((_, "double")) => Some(of_long(unescape(inner).parse::<f64>().ok()?.to_bits() as i64)),
            _ => Some(
                unescape(inner).encode_utf16().fold(0, |h: i32, unit| h.wrapping_mul(31).wrapping_add(i32::from(unit))),
            ),
        };
    }
    match (known.map(|known| (known.logical, known.of.as_str())), text) {
        (_, "true") => Some(1231),
        (_, "false") => Some(1237),
        (Some((Some(Logical::Date), _)), _) => whole().map(|days| of_long(days.saturating_mul(DAY_MS))),
        (Some((Some(_), _)), _) => whole().map(of_long),
        (Some((_, "int8" | "int16" | "int32")), _) => whole().map(|n| n as i32),
        (Some((_, "float")), _) => text.parse::<f32>().ok().map(|x| x.to_bits() as i32),
        (Some((_, "double")), _) => text.parse::<f64>().ok().map(|x| of_long(x.to_bits() as i64)),
        _ => whole().map(of_long).or_else(|| number::fraction(text).map(|x| of_long(x.to_bits() as i64))),
    }
}

fn of_long(n: i64) -> i32 {
    (n ^ (n >> 32)) as i32
}

fn of_decimal(unscaled: i128, scale: i32) -> i32 {
    let magnitude = unscaled.unsigned_abs();
    let words = [96, 64, 32, 0].map(|shift| (magnitude >> shift) as u32 as i32);
    let hash = words.iter().fold(0_i32, |h, word| h.wrapping_mul(31).wrapping_add(*word));
    let hash = if unscaled < 0 { hash.wrapping_neg() } else { hash };
    hash.wrapping_mul(31).wrapping_add(scale)
}

impl Class for PartitionRouting {
    const NAME: &'static str = "partitions.PartitionRouting";
    const PACKAGE: &'static str = super::PACKAGE;
    const DOC: &'static str =
        "Debezium's: sends change events to the partition that the hash of some of their fields gives.";
    const CONFIG: &'static [Definition] = &[
        Definition::required(
            FIELDS,
            Of::List,
            Importance::High,
            "Payload fields to use to calculate the partition, with dots for nested ones: after.name, source.table; 'change' is 'before' in a delete and 'after' otherwise. What an event lacks is not used.",
        )
        .non_empty(),
        Definition::required(
            COUNT,
            Of::Int,
            Importance::High,
            "Number of partitions of the topic; use the predicate TopicNameMatches to pick the topic.",
        )
        .at_least(1),
        Definition::optional(FUNCTION, Of::Text, Some("java"), Importance::Low, "Hash function: java.").one_of(&["java"]),
    ];

    fn new(_part: Part, mut settings: Settings, _formats: Formats) -> Result<Self, Problems> {
        let fields = settings.required_names(FIELDS);
        let fields = fields.iter().map(|path| path.split('.').map(|step| step.trim().to_owned()).collect()).collect();
        let count = settings.int(COUNT);
        let partitions = count.and_then(|count| u32::try_from(count).ok()).filter(|count| *count > 0);
        if partitions.is_none() {
            settings.problem(COUNT, "a number of partitions of at least 1 is needed");
        }
        settings.choice(FUNCTION, &["java"]);
        let event = Envelope::asking(std::iter::empty());
        settings.finish(Self { fields, partitions: partitions.unwrap_or(1), event, plans: Plans::default() })
    }

    fn apply<R: Record>(&mut self, record: &mut R) -> Result<bool, Fault> {
        if envelope::value_is_null(record) {
            return Ok(true);
        }
        let schema = record.schema_id(Part::Value);
        let plan = match (schema, self.plans.find(schema)) {
            (0, _) => None,
            (_, Some(plan)) => Some(plan),
            (id, None) => {
                let known = Some(known(record, Part::Value)?).filter(envelope::is_envelope);
                Some(self.plans.keep(id, known))
            }
        };
        if plan.as_deref().is_some_and(Option::is_none) {
            return Ok(true);
        }
        let known = plan.as_deref().and_then(Option::as_ref);
        let text = record.payload(Part::Value).unwrap_or_default();
        match self.event.read(text) {
            Ok(()) => {}
            Err(Malformed::NotObject) if schema == 0 => return Ok(true),
            Err(why) => return Err(refuse(why, known)),
        }
        let operation = self.event.operation(text);
        // A truncated table, and a message of the log, have no row.
        if matches!(operation.as_str(), "t" | "m") || (schema == 0 && !self.event.looks_like_one(text)) {
            return Ok(true);
        }
        if let Some(hash) = self.hash(text, &operation, known)? {
            // As Debezium has it, the largest hash counts as 0.
            let positive = (hash & i32::MAX).cast_unsigned();
            let hash = if positive == i32::MAX.cast_unsigned() { 0 } else { positive };
            record.set_partition(Some(hash % self.partitions));
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{PartitionRouting, of_decimal};
    use crate::record::{Part, Record};
    use crate::testing::{Fake, configure};

    fn partition(value: &str, schema: &str, fields: &str) -> Option<u32> {
        use crate::class::Class;
        let settings = [("partition.payload.fields", fields), ("partition.topic.num", "1000")];
        let mut made = configure::<PartitionRouting>(Part::Value, &settings).unwrap();
        let mut record = Fake::new(Some(value), schema);
        assert_eq!(made.apply(&mut record), Ok(true));
        record.partition()
    }

    const EVENT: &str =
        r#"{"before":{"name":"old","n":null},"after":{"name":"new","n":-1},"op":"u","source":{"table":"t"}}"#;

    #[test]
    fn hashes_are_those_of_java() {
        let before = partition(EVENT, "", "after.missing");
        // "new".hashCode() is 108960, "old" 110119, -1L 0, "t" 116.
        assert_eq!(partition(EVENT, "", "change.name"), Some(960));
        assert_eq!(partition(EVENT, "", "before.name"), Some(119));
        assert_eq!(partition(EVENT, "", "change.name, source.table,after.n"), Some(76));
        assert_eq!(partition(&EVENT.replace(r#""op":"u""#, r#""op":"d""#), "", "change.name"), Some(119));
        assert_eq!(partition(EVENT, "", "before.n,after.missing,nowhere.x,op.x"), before, "nothing of it is there");
        assert_eq!(partition(&EVENT.replace(r#""op":"u""#, r#""op":"t""#), "", "after.name"), before);
        assert_eq!(partition(r#"{"name":"new"}"#, "", "name"), before, "no change event");
        assert_eq!((of_decimal(156, 2), of_decimal(-156, 2)), (156 * 31 + 2, -156 * 31 + 2));
        assert_eq!(of_decimal(1 << 40, 0), 256 * 31 * 31);
    }

    #[test]
    fn types_are_those_of_the_schema() {
        let schema = r#"{"type":"struct","name":"a.Envelope","optional":false,"fields":[
            {"type":"struct","optional":true,"field":"after","fields":[
                {"type":"int32","optional":false,"field":"n"},{"type":"boolean","optional":false,"field":"b"},
                {"type":"int32","optional":false,"name":"org.apache.kafka.connect.data.Date","version":1,"field":"d"},
                {"type":"float","optional":false,"field":"f"},{"type":"string","optional":true,"default":"t","field":"s"}]},
            {"type":"string","optional":false,"field":"op"}]}"#;
        let value = r#"{"after":{"n":5,"b":true,"d":1,"f":1.0,"s":null},"op":"c"}"#;
        // 1.0f has the bits 0x3f800000, a day 86,400,000 ms.
        for (field, expected) in [("n", 5), ("b", 231), ("d", 0), ("f", 0x3f80_0000 % 1000), ("s", 116)] {
            assert_eq!(partition(value, schema, &format!("after.{field}")), Some(expected), "{field}");
        }
        let untouched = partition(value, &schema.replace("a.Envelope", "a.Value"), "after.missing");
        assert_eq!(partition(value, &schema.replace("a.Envelope", "a.Value"), "after.n"), untouched);
    }
}
