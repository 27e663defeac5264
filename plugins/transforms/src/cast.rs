//! `Cast`: fields, or the whole payload, to another type.
//!
//! Enters: numbers, booleans, text, dates. Leaves: the same as another of Kafka Connect's primitive types. Invariant: casts
//! of numbers are Java's: they saturate, then wrap.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "casts saturate and round as Java's do"
)]

use crate::class::{Class, Formats};
use crate::config::{Definition, Importance, Of, Problems, REPLACE_NULL, Settings};
use crate::dates;
use crate::defaults::Defaults;
use crate::number;
use crate::record::{Fault, Part, Record, announce};
use crate::scan::{quoted, unescape};
use crate::schemas::{Known, Logical, Plans, known};
use crate::splice;
use crate::tree::Tree;

const PURPOSE: &str = "cast types";
const TARGETS: [(&str, &str); 8] = [
    ("int8", "int8"),
    ("int16", "int16"),
    ("int32", "int32"),
    ("int64", "int64"),
    ("float32", "float"),
    ("float64", "double"),
    ("boolean", "boolean"),
    ("string", "string"),
];

/// The transform. Targets have the names that schemas use in JSON.
#[derive(Debug)]
pub struct Cast {
    part: Part,
    fields: Vec<String>,
    targets: Vec<&'static str>,
    whole: Option<&'static str>,
    defaults: Defaults,
    plans: Plans<(u32, Vec<Option<Known>>)>,
}

fn target(name: &str) -> Option<&'static str> {
    TARGETS.iter().find(|(n, _)| n.eq_ignore_ascii_case(name.trim())).map(|(_, target)| *target)
}

impl Cast {
    fn plan<R: Record>(&self, record: &R) -> Result<(u32, Vec<Option<Known>>), Fault> {
        let known = known(record, self.part)?;
        if let Some(target) = self.whole {
            let mut tree = known.tree.clone().without("default");
            tree.set("type", Tree::string(target));
            // What a logical name means belongs to the old type.
            if known.logical.is_some() {
                tree = tree.without("name").without("version").without("parameters");
            }
            set_default(&known, target, &mut tree)?;
            return Ok((announce(record, &tree.write())?, vec![Some(known)]));
        }
        splice::require_struct(&known, PURPOSE)?;
        let mut trees = known.field_trees();
        for (tree, (name, field)) in trees.iter_mut().zip(&known.fields) {
            let Some(index) = self.fields.iter().rposition(|n| n == name) else { continue };
            *tree = Tree::scalar(self.targets[index], field.optional);
            set_default(field, self.targets[index], tree)?;
            *tree = tree.clone().named(name);
        }
        let mut tree = known.tree.clone().without("default");
        tree.set("fields", Tree::Array(trees));
        let sources = self.fields.iter().map(|name| known.field(name).cloned()).collect();
        Ok((announce(record, &tree.write())?, sources))
    }

    fn one(&self, value: &[u8], source: Option<&Known>, target: &str, out: &mut Vec<u8>) -> Result<(), Fault> {
        let default = source.and_then(|s| s.default.as_deref()).filter(|_| self.defaults.on() && value == b"null");
        cast(default.map_or(value, str::as_bytes), source, target, out)
    }
}

fn set_default(source: &Known, target: &str, tree: &mut Tree) -> Result<(), Fault> {
    if let Some(default) = &source.default {
        let mut made = Vec::new();
        cast(default.as_bytes(), Some(source), target, &mut made)?;
        tree.set("default", Tree::Raw(String::from_utf8_lossy(&made).into_owned()));
    }
    Ok(())
}

enum Source {
    Int(i64),
    Single(f32),
    Double(f64),
    Boolean(bool),
    Text(String),
    Base64(String),
    Decimal(i128, i32),
    /// Milliseconds, and the integer that encodes it.
    Date(i64, i64),
}

/// What a payload is.
fn source(value: &[u8], known: Option<&Known>) -> Result<Source, Fault> {
    let text = std::str::from_utf8(value).unwrap_or_default().trim();
    let inner = text.strip_prefix('"').and_then(|t| t.strip_suffix('"'));
    let of = known.map_or("", |k| k.of.as_str());
    let unexpected = || {
        Fault::data(format!(
            "Unexpected type in Cast transformation: {}",
            if of.is_empty() { splice::kind(Some(value)) } else { of }
        ))
    };
    let int = || text.parse::<i64>().map_err(|_| unexpected());
    match (known.and_then(|k| k.logical), of) {
        (Some(Logical::Decimal(scale)), _) => {
            let unscaled = inner.and_then(|t| number::from_base64(t.as_bytes())).ok_or_else(unexpected)?;
            return Ok(Source::Decimal(unscaled, scale));
        }
        (Some(Logical::Date), _) => return int().map(|n| Source::Date(n.saturating_mul(dates::DAY_MS), n)),
        (Some(_), _) => return int().map(|n| Source::Date(n, n)),
        (None, "bytes") => return Ok(Source::Base64(inner.unwrap_or_default().to_owned())),
        (None, "float") => {
            return text.trim_matches('"').parse().map(Source::Single).map_err(|_| unexpected());
        }
        (None, "double") => return text.trim_matches('"').parse().map(Source::Double).map_err(|_| unexpected()),
        _ => {}
    }
    match (text, inner) {
        (_, Some(inner)) => Ok(Source::Text(unescape(inner.as_bytes()).into_owned())),
        ("true", _) => Ok(Source::Boolean(true)),
        ("false", _) => Ok(Source::Boolean(false)),
        _ if text.starts_with(['{', '[']) => Err(unexpected()),
        _ => match text.parse() {
            Ok(n) => Ok(Source::Int(n)),
            Err(_) => text.parse().map(Source::Double).map_err(|_| unexpected()),
        },
    }
}

/// Appends the payload as another type.
fn cast(value: &[u8], known: Option<&Known>, target: &str, out: &mut Vec<u8>) -> Result<(), Fault> {
    if value == b"null" {
        out.extend_from_slice(value);
        return Ok(());
    }
    if target == "string" && known.is_none() && is_plain_integer(value) {
        out.push(b'"');
        out.extend_from_slice(value);
        out.push(b'"');
        return Ok(());
    }
    let source = source(value, known)?;
    let made = match target {
        "string" => quoted(&text(&source)),
        "boolean" => match &source {
            Source::Boolean(b) => *b,
            Source::Text(text) => text.eq_ignore_ascii_case("true"),
            other => whole(other, "int64")? != 0,
        }
        .to_string(),
        "float" => number::payload32(fraction(&source)? as f32),
        "double" => number::payload64(fraction(&source)?),
        _ => whole(&source, target)?.to_string(),
    };
    out.extend_from_slice(made.as_bytes());
    Ok(())
}

/// True for an integer of 64 bits that JSON writes as Java does.
fn is_plain_integer(text: &[u8]) -> bool {
    text.len() < 19 && matches!(text, [b'1'..=b'9', digits @ ..] if digits.iter().all(u8::is_ascii_digit))
}

fn text(source: &Source) -> String {
    match source {
        Source::Int(n) => n.to_string(),
        Source::Single(x) => number::java32(*x),
        Source::Double(x) => number::java64(*x),
        Source::Boolean(b) => b.to_string(),
        Source::Text(text) | Source::Base64(text) => text.clone(),
        Source::Decimal(unscaled, scale) => number::decimal_text(*unscaled, *scale),
        Source::Date(ms, _) => dates::by_magnitude(*ms),
    }
}

fn no_bytes() -> Fault {
    Fault::data("Unexpected type in Cast transformation: bytes")
}

fn whole(source: &Source, target: &str) -> Result<i64, Fault> {
    let float = |x: f64| match target {
        "int64" => x as i64,
        // Narrow types go through 32 bits first.
        _ => number::wrap(i128::from(x as i32), target),
    };
    Ok(match source {
        Source::Int(n) | Source::Date(_, n) => number::wrap(i128::from(*n), target),
        Source::Single(x) => float(f64::from(*x)),
        Source::Double(x) => float(*x),
        Source::Boolean(b) => i64::from(*b),
        Source::Text(text) => {
            let invalid =
                || Fault::data(format!("Value could not be cast to {target}: the text is no number in its range"));
            let n = number::long(text).ok_or_else(invalid)?;
            if number::wrap(i128::from(n), target) == n { n } else { return Err(invalid()) }
        }
        Source::Decimal(unscaled, scale) => {
            let power = 10_i128.checked_pow(scale.unsigned_abs());
            let whole = match power {
                Some(power) if *scale >= 0 => unscaled / power,
                Some(power) => unscaled.wrapping_mul(power),
                None => 0,
            };
            number::wrap(whole, target)
        }
        Source::Base64(_) => return Err(no_bytes()),
    })
}

fn fraction(source: &Source) -> Result<f64, Fault> {
    Ok(match source {
        Source::Int(n) | Source::Date(_, n) => *n as f64,
        Source::Single(x) => f64::from(*x),
        Source::Double(x) => *x,
        Source::Boolean(b) => f64::from(u8::from(*b)),
        Source::Text(text) => {
            let text = text.trim();
            let plain = text.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(text);
            let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
            let parsed = if unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
                number::fraction(plain)
            } else {
                // Words take no suffix.
                text.parse().ok().filter(|_| matches!(unsigned, "NaN" | "Infinity"))
            };
            parsed.ok_or_else(|| {
                Fault::data("Value could not be cast to a floating-point number: the text is no number")
            })?
        }
        Source::Decimal(unscaled, scale) => format!("{unscaled}e{}", -i64::from(*scale)).parse().unwrap_or(f64::NAN),
        Source::Base64(_) => return Err(no_bytes()),
    })
}

impl Class for Cast {
    const NAME: &'static str = "Cast";
    const DOC: &'static str =
        "Cast fields or the entire key or value to a specific type, e.g. to force an integer field to a smaller width.";
    const CONFIG: &'static [Definition] = &[
        Definition::required("spec", Of::List, Importance::High, "List of fields and the type to cast them to of the form field1:type,field2:type to cast fields of Maps or Structs. A single type to cast the entire value. Valid types are int8, int16, int32, int64, float32, float64, boolean, and string.").non_empty(),
        REPLACE_NULL,
    ];

    fn new(part: Part, mut settings: Settings, _formats: Formats) -> Result<Self, Problems> {
        let (mut fields, mut targets, mut whole) = (Vec::new(), Vec::new(), None);
        let spec = settings.required_list("spec");
        for item in &spec {
            let parts: Vec<&str> = item.split(':').collect();
            let (field, of) = match parts[..] {
                [of] => (None, of),
                [field, of] => (Some(field.trim().to_owned()), of),
                _ => {
                    settings.problem("spec", format!("Invalid spec mapping: {item}; write field:type"));
                    continue;
                }
            };
            let Some(of) = target(of) else {
                settings.problem(
                    "spec",
                    format!(
                        "Unsupported type in {item}; use int8, int16, int32, int64, float32, float64, boolean or string"
                    ),
                );
                continue;
            };
            match field {
                None => whole = Some(of),
                Some(field) => {
                    fields.push(field);
                    targets.push(of);
                }
            }
        }
        if whole.is_some() && spec.len() > 1 {
            settings.problem("spec", "Cast transformations that specify a type to cast the entire value to may ony specify a single cast in their spec");
        }
        // Of a field that is named twice the last type counts.
        let last: Vec<bool> = (0..fields.len()).map(|i| !fields[i + 1..].contains(&fields[i])).collect();
        let targets = targets.into_iter().zip(&last).filter(|(_, last)| **last).map(|(t, _)| t).collect();
        let fields = fields.into_iter().zip(&last).filter(|(_, last)| **last).map(|(f, _)| f).collect();
        let defaults = Defaults::new(settings.boolean("replace.null.with.default", true));
        settings.finish(Self { part, fields, targets, whole, defaults, plans: Plans::default() })
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
        if self.whole.is_none() {
            self.defaults.fill(record, self.part)?;
        }
        let known = |index: usize| plan.as_deref().and_then(|(_, sources)| sources[index].as_ref());
        let this = &*self;
        match this.whole {
            Some(target) => {
                record.rewrite(self.part, |text, out| this.one(text.trim_ascii(), known(0), target, out))?;
            }
            None => record.object(self.part, PURPOSE, |object| {
                object.convert_all(&this.fields, schema == 0, |index, value, out| {
                    this.one(value, known(index), this.targets[index], out)
                })
            })?,
        }
        record.set_schema_id(self.part, plan.as_deref().map_or(0, |(id, _)| *id));
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
