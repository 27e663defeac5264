//! `ExtractField` and `HoistField`: a field out of its object, and a payload into an object.
//!
//! Enters: a payload. Leaves: the payload of a field, or an object with one field. Invariant: what is extracted is a range of
//! the old bytes, not a copy.

use crate::class::{Class, Formats};
use crate::config::{Definition, Importance, Of, Problems, REPLACE_NULL, Settings};
use crate::record::{Fault, Part, Record, announce};
use crate::scan::{Members, quoted};
use crate::schemas::{Known, Plans, known};
use crate::splice;
use crate::tree::Tree;

const PURPOSE: &str = "field extraction";

/// Takes one field out.
#[derive(Debug)]
pub struct ExtractField {
    part: Part,
    path: Vec<String>,
    replace_null: bool,
    plans: Plans<Extracted>,
}

#[derive(Debug)]
struct Extracted {
    id: u32,
    default: Option<String>,
}

/// The steps of a path in the second syntax: names between dots, backticks around names that hold dots.
fn path(text: &str) -> Result<Vec<String>, String> {
    let (mut steps, mut at) = (Vec::new(), 0);
    if text.is_empty() {
        return Ok(steps);
    }
    loop {
        let rest = &text[at..];
        if let Some(quoted) = rest.strip_prefix('`') {
            let (step, end) = quoted_step(quoted).ok_or_else(|| {
                format!(
                    "Incomplete backtick pair in path: [{text}], consider adding a backtick at the end, position {at}"
                )
            })?;
            steps.push(step);
            at += 1 + end;
        } else {
            let end = rest.find('.').unwrap_or(rest.len());
            steps.push(rest[..end].to_owned());
            at += end;
        }
        if at >= text.len() {
            return Ok(steps);
        }
        at += 1;
        if at == text.len() {
            steps.push(String::new());
            return Ok(steps);
        }
    }
}

/// A backtick closes only before a dot or the end; a backslash guards one that stands before a dot.
fn quoted_step(text: &str) -> Option<(String, usize)> {
    let bytes = text.as_bytes();
    let mut step = Vec::new();
    for at in 0..bytes.len() {
        let closes = bytes[at] == b'`' && matches!(bytes.get(at + 1), None | Some(b'.'));
        if closes && step.last() == Some(&b'\\') && at + 1 < bytes.len() {
            step.pop();
        } else if closes {
            return Some((String::from_utf8_lossy(&step).into_owned(), at + 1));
        }
        step.push(bytes[at]);
    }
    None
}

/// A path of the second syntax without any step.
fn no_steps() -> Fault {
    Fault { code: "transform.argument", message: "the path of the field has no steps".to_owned() }
}

impl ExtractField {
    fn plan<R: Record>(&self, record: &R) -> Result<Extracted, Fault> {
        let mut known = known(record, self.part)?;
        if self.path.is_empty() {
            // A null is not asked whether it is a struct.
            if !record.is_null(self.part) {
                splice::require_struct(&known, PURPOSE)?;
            }
            return Err(no_steps());
        }
        for name in &self.path {
            splice::require_struct(&known, PURPOSE)?;
            let field = known.field(name).cloned();
            known = field.ok_or_else(|| Fault {
                code: "transform.argument",
                message: format!("Unknown field: {}", self.path.join(".")),
            })?;
        }
        let Known { tree, default, .. } = known;
        let id = announce(record, &tree.without("field").write())?;
        Ok(Extracted { id, default: default.filter(|_| self.replace_null) })
    }

    /// Where the field stands; none if it is null or missing.
    fn find(&self, text: &[u8], schema: u32) -> Result<Option<std::ops::Range<usize>>, Fault> {
        if self.path.is_empty() {
            let outer = Members::new(text);
            outer.map_err(|why| splice::fault(why, schema, PURPOSE, splice::kind(Some(text))))?;
            return Err(no_steps());
        }
        let (mut from, mut to) = (0, text.len());
        for name in &self.path {
            let inner = &text[from..to];
            if splice::is_null(Some(inner)) {
                return Ok(None);
            }
            let found = Members::new(inner).and_then(|members| members.find(name));
            match found.map_err(|why| splice::fault(why, schema, PURPOSE, splice::kind(Some(inner))))? {
                Some(member) => (from, to) = (from + member.value, from + member.end),
                None => return Ok(None),
            }
        }
        Ok(if splice::is_null(Some(&text[from..to])) { None } else { Some(from..to) })
    }
}

impl Class for ExtractField {
    const NAME: &'static str = "ExtractField";
    const DOC: &'static str = "Extract the specified field from a Struct when schema present, or a Map in the case of schemaless data. Any null values are passed through unmodified.";
    const CONFIG: &'static [Definition] = &[
        Definition::required("field", Of::Text, Importance::Medium, "Field name to extract."),
        REPLACE_NULL,
        Definition::optional(
            "field.syntax.version",
            Of::Text,
            Some("V1"),
            Importance::High,
            "Defines the version of the syntax to access fields. If set to V1, then the field paths are limited to access the elements at the root level. If set to V2, the syntax supports accessing nested elements.",
        ),
    ];

    fn new(part: Part, mut settings: Settings, _formats: Formats) -> Result<Self, Problems> {
        let field = settings.required("field");
        let path = match settings.text("field.syntax.version").unwrap_or_default().to_ascii_uppercase().as_str() {
            "V1" | "" => vec![field],
            "V2" => path(&field).unwrap_or_else(|why| {
                settings.problem("field", why);
                Vec::new()
            }),
            _ => {
                settings.problem("field.syntax.version", "String must be one of (case insensitive): V1, V2");
                Vec::new()
            }
        };
        let replace_null = settings.boolean("replace.null.with.default", true);
        settings.finish(Self { part, path, replace_null, plans: Plans::default() })
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
        let found = record.payload(self.part).map(|text| self.find(text, schema)).transpose()?;
        match (found, plan.as_deref().and_then(|plan| plan.default.as_deref())) {
            (None, _) => {}
            (Some(Some(range)), _) => record.set_range(self.part, self.part, range),
            (Some(None), default) => record.set_payload(self.part, default.map(str::as_bytes)),
        }
        record.set_schema_id(self.part, plan.as_deref().map_or(0, |plan| plan.id));
        Ok(true)
    }
}

/// Wraps the payload in an object.
#[derive(Debug)]
pub struct HoistField {
    part: Part,
    field: String,
    prefix: String,
    plans: Plans<(u32, bool)>,
}

impl HoistField {
    fn plan<R: Record>(&self, record: &R) -> Result<(u32, bool), Fault> {
        if self.field.is_empty() {
            return Err(Fault::unnamed());
        }
        let known = known(record, self.part)?;
        let allowed = known.optional || known.default.is_some();
        let id = announce(record, &Tree::record(vec![known.tree.named(&self.field)]).write())?;
        Ok((id, allowed))
    }
}

impl Class for HoistField {
    const NAME: &'static str = "HoistField";
    const DOC: &'static str = "Wrap data using the specified field name in a Struct when schema present, or a Map in the case of schemaless data.";
    const CONFIG: &'static [Definition] = &[Definition::required(
        "field",
        Of::Text,
        Importance::Medium,
        "Field name for the single field that will be created in the resulting Struct or Map.",
    )];

    fn new(part: Part, mut settings: Settings, _formats: Formats) -> Result<Self, Problems> {
        let field = settings.required("field");
        let prefix = format!("{{{}:", quoted(&field));
        settings.finish(Self { part, field, prefix, plans: Plans::default() })
    }

    fn apply<R: Record>(&mut self, record: &mut R) -> Result<bool, Fault> {
        let schema = record.schema_id(self.part);
        let plan = match (schema, self.plans.find(schema)) {
            (0, _) => (0, true),
            (_, Some(plan)) => *plan,
            (id, None) => {
                let plan = self.plan(record)?;
                *self.plans.keep(id, plan)
            }
        };
        let null = record.payload(self.part).is_none();
        if null && !plan.1 {
            return Err(Fault::data(format!("Invalid value: null used for required field: \"{}\"", self.field)));
        }
        let prefix = self.prefix.as_bytes();
        record.rewrite(self.part, |text, out| {
            out.extend_from_slice(prefix);
            out.extend_from_slice(if null { b"null" } else { text });
            out.push(b'}');
            Ok(())
        })?;
        record.set_schema_id(self.part, plan.0);
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
