//! `MaskField`: fields become the zero of their type, or a replacement.
//!
//! Enters: an object with some of the fields. Leaves: the same with other values in them. Invariant: no byte of what was masked
//! is in the outcome. A configured field that a schemaless object lacks is added as null.

use crate::class::{Class, Formats};
use crate::config::{Definition, Importance, Of, Problems, REPLACE_NULL, Settings};
use crate::defaults::Defaults;
use crate::number;
use crate::object::Open;
use crate::record::{Fault, Part, Record};
use crate::scan::quoted;
use crate::schemas::{Known, Logical, Plans, known};
use crate::splice;

const PURPOSE: &str = "mask fields";

const CONFIG: &[Definition] = &[
    Definition::required("fields", Of::List, Importance::High, "Names of fields to mask.").non_empty(),
    Definition::optional(
        "replacement",
        Of::Text,
        None,
        Importance::Low,
        "Custom value replacement, that will be applied to all 'fields' values (numeric or non-empty string values only).",
    )
    .non_empty(),
    REPLACE_NULL,
];

/// The transform.
#[derive(Debug)]
pub struct MaskField {
    part: Part,
    fields: Vec<String>,
    replacement: Option<Replacement>,
    defaults: Defaults,
    plans: Plans<Vec<Option<Fill>>>,
}

#[derive(Debug)]
struct Replacement {
    text: String,
    whole: Option<String>,
    fraction: Option<String>,
}

/// What a field of a struct becomes: text, or the reason why it cannot be masked.
type Fill = Result<String, String>;

impl MaskField {
    /// From its settings.
    fn configure(part: Part, mut settings: Settings) -> Result<Self, Problems> {
        let fields = settings.required_names("fields");
        let replacement = settings.text("replacement");
        if replacement.as_deref() == Some("") {
            settings.problem("replacement", "String must be non-empty");
        }
        let defaults = Defaults::new(settings.boolean("replace.null.with.default", true));
        let replacement = replacement.map(|text| Replacement {
            whole: number::whole(&text).map(|n| n.to_string()),
            fraction: number::fraction(&text).map(number::payload64),
            text: quoted(&text),
        });
        settings.finish(Self { part, fields, replacement, defaults, plans: Plans::default() })
    }

    /// Without a schema the kind of the value decides.
    fn by_kind(&self, text: &[u8]) -> Result<&[u8], Fault> {
        let whole = || !text.iter().any(|b| matches!(b, b'.' | b'e' | b'E'));
        let Some(replacement) = &self.replacement else {
            return Ok(match text[0] {
                b'"' => b"\"\"",
                b't' | b'f' => b"false",
                b'[' => b"[]",
                b'{' => b"{}",
                b'n' => b"null",
                _ if whole() => b"0",
                _ => b"0.0",
            });
        };
        match text[0] {
            b'"' => Ok(replacement.text.as_bytes()),
            b'n' => Ok(b"null"),
            kind @ (b't' | b'f' | b'[' | b'{') => {
                let kind = splice::kind(Some(&[kind]));
                Err(Fault::data(format!("Cannot mask value of type {kind} with custom replacement.")))
            }
            _ => {
                let number = if whole() { &replacement.whole } else { &replacement.fraction };
                number.as_ref().map(String::as_bytes).ok_or_else(not_a_number)
            }
        }
    }

    fn plan(&self, known: &Known) -> Result<Vec<Option<Fill>>, Fault> {
        splice::require_struct(known, PURPOSE)?;
        let fill = |field: &Known| masked(field, self.replacement.as_ref());
        Ok(self.fields.iter().map(|name| known.field(name).map(fill)).collect())
    }
}

fn not_a_number() -> Fault {
    Fault::data("Unable to convert the replacement of MaskField to a number.")
}

/// The masked payload of a field of this schema.
fn masked(field: &Known, replacement: Option<&Replacement>) -> Result<String, String> {
    let refused = |what: &str| {
        Err(format!(
            "Cannot mask value of type {what}{}",
            if replacement.is_some() { " with custom replacement." } else { "." }
        ))
    };
    let wrapped =
        |n: Option<i128>| n.map(|n| number::wrap(n, &field.of).to_string()).ok_or_else(|| not_a_number().message);
    match (field.logical, field.of.as_str(), replacement) {
        // Null bytes are zero in every scale.
        (Some(Logical::Decimal(_)), _, None) => Ok("\"AA==\"".to_owned()),
        (Some(Logical::Decimal(scale)), _, Some(replacement)) => {
            let text = crate::scan::unescape(&replacement.text.as_bytes()[1..replacement.text.len() - 1]).into_owned();
            number::decimal_base64(&text, scale)
                .ok_or_else(|| "The replacement does not fit the Decimal's scale.".to_owned())
        }
        (Some(_), _, None) | (None, "int8" | "int16" | "int32" | "int64", None) => Ok("0".to_owned()),
        (Some(logical), _, Some(_)) => refused(&format!("{logical:?}")),
        (None, "int8" | "int16" | "int32" | "int64", Some(r)) => wrapped(r.whole.as_ref().and_then(|w| w.parse().ok())),
        (None, "float" | "double", None) => Ok("0.0".to_owned()),
        (None, "float" | "double", Some(r)) => r.fraction.clone().ok_or_else(|| not_a_number().message),
        (None, "string", None) => Ok("\"\"".to_owned()),
        (None, "string", Some(r)) => Ok(r.text.clone()),
        (None, "boolean", None) => Ok("false".to_owned()),
        (None, "array", None) => Ok("[]".to_owned()),
        (None, "map", None) => Ok(if text_keys(field) { "{}" } else { "[]" }.to_owned()),
        (None, of, _) => refused(of),
    }
}

/// A map with string keys is an object in JSON, any other is a list of pairs.
fn text_keys(map: &Known) -> bool {
    map.tree.get("keys").and_then(|k| k.text("type")).as_deref() == Some("string")
}

impl Class for MaskField {
    const NAME: &'static str = "MaskField";
    const DOC: &'static str =
        "Mask specified fields with a valid null value for the field type, or with a replacement.";
    const CONFIG: &'static [Definition] = CONFIG;

    fn new(part: Part, settings: Settings, _formats: Formats) -> Result<Self, Problems> {
        Self::configure(part, settings)
    }

    fn apply<R: Record>(&mut self, record: &mut R) -> Result<bool, Fault> {
        let schema = record.schema_id(self.part);
        let plan = match (schema, self.plans.find(schema)) {
            (0, _) => None,
            (_, Some(plan)) => Some(plan),
            (id, None) => {
                let plan = self.plan(&known(record, self.part)?)?;
                Some(self.plans.keep(id, plan))
            }
        };
        self.defaults.fill(record, self.part)?;
        let this = &*self;
        record.object(self.part, PURPOSE, |object| this.mask(object, schema, plan.as_deref().map(Vec::as_slice)))?;
        Ok(true)
    }
}

impl MaskField {
    fn mask(&self, object: &mut Open<'_>, schema: u32, plan: Option<&[Option<Fill>]>) -> Result<(), Fault> {
        let mut seen = 0;
        for at in 0..object.len() {
            let Some(index) = self.fields.iter().position(|name| object.is(at, name)) else { continue };
            seen += 1;
            let value = object.value(at);
            let masked = match plan.map(|plan| &plan[index]) {
                None => self.by_kind(value)?,
                Some(Some(Err(message))) if value != b"null" => return Err(Fault::data(message.clone())),
                Some(Some(Ok(masked))) if value != b"null" => masked.as_bytes(),
                // Not a field of the schema, or null: defaults are filled in by now.
                Some(_) => continue,
            };
            object.set(at, masked);
        }
        if schema == 0 && seen < self.fields.len() {
            object.add_missing(&self.fields);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
