//! `TimestampConverter`: between text, Unix time and Kafka Connect's date types.
//!
//! Enters: a payload or a field that is a time. Leaves: the same time in another form. Invariant: what is no time is a
//! fault; nothing overflows.

use crate::class::{Class, Formats};
use crate::config::{Definition, Importance, Of, Problems, REPLACE_NULL, Settings};
use crate::dates::{DAY_MS, Format};
use crate::defaults::Defaults;
use crate::record::{Fault, Part, Record, announce};
use crate::scan::{quoted, unescape};
use crate::schemas::{Known, LOGICAL, Logical, Plans, known};
use crate::splice;
use crate::tree::Tree;

const PURPOSE: &str = "converting timestamp formats";
const PRECISIONS: &[&str] = &["nanoseconds", "microseconds", "milliseconds", "seconds"];
const TARGETS: &[&str] = &["string", "unix", "Date", "Time", "Timestamp"];

/// The transform.
#[derive(Debug)]
pub struct TimestampConverter {
    part: Part,
    /// None: the whole payload.
    field: Option<String>,
    target: Target,
    format: Option<Format>,
    precision: Precision,
    defaults: Defaults,
    plans: Plans<(u32, Option<Known>)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    Text,
    Unix,
    Date,
    Time,
    Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Precision {
    Seconds,
    Millis,
    Micros,
    Nanos,
}

impl Target {
    fn schema(self, optional: bool) -> Tree {
        let (of, name) = match self {
            Self::Text => return Tree::scalar("string", optional),
            Self::Unix => return Tree::scalar("int64", optional),
            Self::Date => ("int32", "Date"),
            Self::Time => ("int32", "Time"),
            Self::Timestamp => ("int64", "Timestamp"),
        };
        let mut tree = Tree::scalar(of, optional);
        tree.set("name", Tree::string(&format!("{LOGICAL}{name}")));
        tree.set("version", Tree::Raw("1".to_owned()));
        tree
    }
}

impl TimestampConverter {
    fn plan<R: Record>(&self, record: &R) -> Result<(u32, Option<Known>), Fault> {
        let known = known(record, self.part)?;
        let Some(name) = &self.field else {
            let id = announce(record, &self.target.schema(known.optional).write())?;
            return Ok((id, Some(known)));
        };
        splice::require_struct(&known, PURPOSE)?;
        let Some(field) = known.field(name).cloned() else { return Ok((record.schema_id(self.part), None)) };
        let mut trees = known.field_trees();
        for (tree, (n, _)) in trees.iter_mut().zip(&known.fields).filter(|(_, (n, _))| n == name) {
            *tree = self.target.schema(field.optional).named(n);
        }
        let mut tree = known.tree.clone().without("default");
        tree.set("fields", Tree::Array(trees));
        Ok((announce(record, &tree.write())?, Some(field)))
    }

    /// Milliseconds since the epoch.
    fn read(&self, value: &[u8], known: Option<&Known>) -> Result<i64, Fault> {
        if let [b'"', text @ .., b'"'] = value {
            let format =
                self.format.as_ref().ok_or_else(|| Fault::data("Text cannot be read as a time without 'format'"))?;
            let parsed = format.parse(&unescape(text));
            return parsed.ok_or_else(|| Fault::data("Could not parse timestamp: the text does not match 'format'"));
        }
        let number = std::str::from_utf8(value).ok().and_then(|t| t.trim().parse::<i64>().ok());
        let n = number.ok_or_else(|| {
            Fault::data(format!("TimestampConverter does not support {} as a time", splice::kind(Some(value))))
        })?;
        Ok(match (known.and_then(|k| k.logical), self.precision) {
            (Some(Logical::Date), _) => n.saturating_mul(DAY_MS),
            (Some(_), _) | (None, Precision::Millis) => n,
            (None, Precision::Seconds) => n.saturating_mul(1000),
            (None, Precision::Micros) => n / 1000,
            (None, Precision::Nanos) => n / 1_000_000,
        })
    }

    fn convert(&self, value: &[u8], known: Option<&Known>, out: &mut Vec<u8>) -> Result<(), Fault> {
        let default = known.and_then(|k| k.default.as_deref()).filter(|_| self.defaults.on() && value == b"null");
        let value = default.map_or(value, str::as_bytes);
        if value == b"null" {
            out.extend_from_slice(b"null");
            return Ok(());
        }
        let ms = self.read(value, known)?;
        let number = match (self.target, self.precision) {
            (Target::Text, _) => {
                let text = self.format.as_ref().map_or(String::new(), |format| format.print(ms));
                out.extend_from_slice(quoted(&text).as_bytes());
                return Ok(());
            }
            (Target::Date, _) => ms.div_euclid(DAY_MS),
            (Target::Time, _) => ms.rem_euclid(DAY_MS),
            (Target::Timestamp, _) | (Target::Unix, Precision::Millis) => ms,
            (Target::Unix, Precision::Seconds) => ms / 1000,
            (Target::Unix, Precision::Micros) => ms.saturating_mul(1000),
            (Target::Unix, Precision::Nanos) => ms.saturating_mul(1_000_000),
        };
        out.extend_from_slice(number.to_string().as_bytes());
        Ok(())
    }
}

/// Only dates, text and 64-bit numbers are times.
fn source(known: &Known) -> Result<(), Fault> {
    match (known.logical, known.of.as_str()) {
        (Some(Logical::Date | Logical::Time | Logical::Timestamp), _) | (None, "string" | "int64") => Ok(()),
        (_, of) => Err(Fault::connect(format!("Schema {of} does not correspond to a known timestamp type format"))),
    }
}

impl Class for TimestampConverter {
    const NAME: &'static str = "TimestampConverter";
    const DOC: &'static str =
        "Convert timestamps between different formats such as Unix epoch, strings, and Connect Date/Timestamp types.";
    const CONFIG: &'static [Definition] = &[
        Definition::optional("field", Of::Text, Some(""), Importance::High, "The field containing the timestamp, or empty if the entire value is a timestamp"),
        Definition::required("target.type", Of::Text, Importance::High, "The desired timestamp representation: string, unix, Date, Time, or Timestamp").one_of(TARGETS),
        Definition::optional("format", Of::Text, Some(""), Importance::Medium, "A SimpleDateFormat-compatible format for the timestamp. Used to generate the output when type=string or used to parse the input if the input is a string."),
        Definition::optional("unix.precision", Of::Text, Some("milliseconds"), Importance::Low, "The desired Unix precision for the timestamp: seconds, milliseconds, microseconds, or nanoseconds. Used to generate the output when type=unix or used to parse the input if the input is a Long.").one_of(PRECISIONS),
        REPLACE_NULL,
    ];

    fn new(part: Part, mut settings: Settings, _formats: Formats) -> Result<Self, Problems> {
        let field = settings.text("field").filter(|f| !f.is_empty());
        let target = match settings.required("target.type").as_str() {
            "string" => Target::Text,
            "unix" => Target::Unix,
            "Date" => Target::Date,
            "Time" => Target::Time,
            "Timestamp" => Target::Timestamp,
            other => {
                if !other.is_empty() {
                    settings.problem("target.type", "String must be one of: string, unix, Date, Time, Timestamp");
                }
                Target::Unix
            }
        };
        let pattern = settings.text("format").filter(|f| !f.is_empty());
        if target == Target::Text && pattern.is_none() {
            settings.problem(
                "format",
                "TimestampConverter requires format option to be specified when using string timestamps",
            );
        }
        let format =
            pattern.and_then(|pattern| Format::new(&pattern).map_err(|why| settings.problem("format", why)).ok());
        let precision = match settings.text("unix.precision").as_deref() {
            None | Some("milliseconds") => Precision::Millis,
            Some("seconds") => Precision::Seconds,
            Some("microseconds") => Precision::Micros,
            Some("nanoseconds") => Precision::Nanos,
            Some(_) => {
                settings.problem(
                    "unix.precision",
                    "String must be one of: nanoseconds, microseconds, milliseconds, seconds",
                );
                Precision::Millis
            }
        };
        let defaults = Defaults::new(settings.boolean("replace.null.with.default", true));
        settings.finish(Self { part, field, target, format, precision, defaults, plans: Plans::default() })
    }

    fn apply<R: Record>(&mut self, record: &mut R) -> Result<bool, Fault> {
        let schema = record.schema_id(self.part);
        let plan = match (schema, self.plans.find(schema)) {
            (0, _) => None,
            (_, Some(plan)) => Some(plan),
            (id, None) => {
                let plan = self.plan(record)?;
                Some(self.plans.keep(id, plan))
            }
        };
        if self.field.is_some() {
            self.defaults.fill(record, self.part)?;
        }
        let known = plan.as_deref().and_then(|(_, known)| known.as_ref());
        let is_null = record.is_null(self.part);
        // A struct that is null is not asked what its fields are.
        if !is_null || self.field.is_none() {
            known.map_or(Ok(()), source)?;
        }
        if !is_null {
            let this = &*self;
            match &this.field {
                None => record.rewrite(self.part, |text, out| this.convert(text.trim_ascii(), known, out))?,
                Some(field) => record.object(self.part, PURPOSE, |object| {
                    let names = std::slice::from_ref(field);
                    object.convert_all(names, schema == 0, |_, value, out| this.convert(value, known, out))
                })?,
            }
        }
        record.set_schema_id(self.part, plan.as_deref().map_or(0, |(id, _)| *id));
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
