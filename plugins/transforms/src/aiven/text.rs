//! `Hash`, `ConcatFields` and `CaseTransform`: texts from texts.
//!
//! Enters: keys and values. Leaves: the same with a field changed or added. Invariant: a field that is added ends the object.

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::PACKAGE;
use crate::class::{Class, Formats};
use crate::config::{Definition, Importance, Of, Problems, Settings};
use crate::lookup::{Path, scalar};
use crate::number;
use crate::record::{Fault, Part, Record, announce};
use crate::scan::{Malformed, quoted};
use crate::schemas::{Plans, known};
use crate::splice;
use crate::tree::Tree;

const FUNCTIONS: [&str; 3] = ["md5", "sha1", "sha256"];

/// Replaces a text by its hash.
#[derive(Debug)]
pub struct Hash {
    part: Part,
    field: Path,
    function: &'static str,
    skip: bool,
    plans: Plans<bool>,
}

impl Hash {
    fn hash(&self, text: &str) -> String {
        let text = text.as_bytes();
        match self.function {
            "md5" => number::hex(&Md5::digest(text)),
            "sha1" => number::hex(&Sha1::digest(text)),
            _ => number::hex(&Sha256::digest(text)),
        }
    }
}

impl Class for Hash {
    const NAME: &'static str = "Hash";
    const PACKAGE: &'static str = PACKAGE;
    const DOC: &'static str = "Aiven's: replaces a text by its hash in hexadecimal digits. For personal data use Tokenize, whose hash has a key.";
    const CONFIG: &'static [Definition] = &[
        Definition::optional(
            "field.name",
            Of::Text,
            None,
            Importance::High,
            "The name of the field which value should be hashed, with dots for nested ones. If null or empty, the entire key or value is used (and assumed to be a string).",
        ),
        Definition::required(
            "function",
            Of::Text,
            Importance::High,
            "The name of the hash function to use: md5, sha1 or sha256.",
        )
        .one_of(&FUNCTIONS),
        Definition::optional(
            "skip.missing.or.null",
            Of::Boolean,
            Some("false"),
            Importance::Low,
            "In case the value to be hashed is null or missing, should a record be silently passed without transformation.",
        ),
    ];

    fn new(part: Part, mut settings: Settings, _formats: Formats) -> Result<Self, Problems> {
        settings.required("function");
        let function = settings.choice("function", &FUNCTIONS);
        let field = Path::dotted(&settings.text("field.name").unwrap_or_default());
        let skip = settings.boolean("skip.missing.or.null", false);
        settings.finish(Self { part, field, function, skip, plans: Plans::default() })
    }

    fn apply<R: Record>(&mut self, record: &mut R) -> Result<bool, Fault> {
        let schema = record.schema_id(self.part);
        let what = if self.field.is_whole() { "value".to_owned() } else { format!("field {}", self.field) };
        let no_text = || Fault::data(format!("the {what} must be of type STRING to be hashed"));
        if schema != 0 {
            let is_text = if let Some(is_text) = self.plans.find(schema) {
                *is_text
            } else {
                let known = known(record, self.part)?;
                let is_text = self.field.schema(&known).is_none_or(|field| field.of == "string");
                *self.plans.keep(schema, is_text)
            };
            if !is_text {
                return Err(no_text());
            }
        }
        let mut found = false;
        if !record.is_null(self.part) {
            let this = &*self;
            record.rewrite(this.part, |text, out| {
                this.field.rewrite(text, out, &mut |value, out| {
                    let new = match value {
                        b"null" => None,
                        [b'"', ..] => scalar(value),
                        _ => return Err(no_text()),
                    };
                    match new {
                        Some(text) => {
                            found = true;
                            out.extend_from_slice(quoted(&this.hash(&text)).as_bytes());
                        }
                        None => out.extend_from_slice(value),
                    }
                    Ok(())
                })?;
                Ok(())
            })?;
        }
        if found || self.skip {
            Ok(true)
        } else {
            Err(Fault::data(format!("the {what} to hash can't be missing or null")))
        }
    }
}

/// Names of a list; brackets and quotes, as in Aiven's own examples, are taken off.
fn names(settings: &mut Settings, key: &str) -> Vec<String> {
    let list = settings.required_list(key);
    list.iter().map(|name| name.trim_matches(['[', ']', '"', ' ']).to_owned()).filter(|name| !name.is_empty()).collect()
}

fn require_object<R: Record>(record: &R, part: Part) -> Result<(), Fault> {
    match splice::kind(record.payload(part)) {
        "map" => Ok(()),
        "null" => Err(Fault::data(format!("{} Value can't be null", if part == Part::Key { "key" } else { "value" }))),
        found => Err(Fault::data(format!("Value type must be STRUCT or MAP, found: {found}"))),
    }
}

fn broken<R: Record>(why: Malformed, record: &R, part: Part) -> Fault {
    splice::fault(why, record.schema_id(part), "fields", splice::kind(record.payload(part)))
}

/// Adds a field that joins others.
#[derive(Debug)]
pub struct ConcatFields {
    part: Part,
    fields: Vec<Path>,
    output: String,
    delimiter: String,
    missing: String,
    plans: Plans<u32>,
}

impl Class for ConcatFields {
    const NAME: &'static str = "ConcatFields";
    const PACKAGE: &'static str = PACKAGE;
    const DOC: &'static str = "Aiven's: adds a text field that joins other fields.";
    const CONFIG: &'static [Definition] = &[
        Definition::required(
            "field.names",
            Of::List,
            Importance::High,
            "A comma-separated list of fields to concatenate, with dots for nested ones.",
        ),
        Definition::required(
            "output.field.name",
            Of::Text,
            Importance::High,
            "The name of field the concatenated value should be placed into.",
        )
        .non_empty(),
        Definition::optional(
            "delimiter",
            Of::Text,
            Some(""),
            Importance::Low,
            "The string which should be used to join the extracted fields.",
        ),
        Definition::optional(
            "field.replace.missing",
            Of::Text,
            Some(""),
            Importance::Low,
            "The string which should be used when a field is not found or its value is null.",
        ),
    ];

    fn new(part: Part, mut settings: Settings, _formats: Formats) -> Result<Self, Problems> {
        let fields = names(&mut settings, "field.names").iter().map(|name| Path::dotted(name)).collect();
        let output = settings.required_non_empty("output.field.name").trim_matches('"').to_owned();
        let text = |key| settings.text(key).unwrap_or_default().trim_matches('"').to_owned();
        let (delimiter, missing) = (text("delimiter"), text("field.replace.missing"));
        settings.finish(Self { part, fields, output, delimiter, missing, plans: Plans::default() })
    }

    fn apply<R: Record>(&mut self, record: &mut R) -> Result<bool, Fault> {
        require_object(record, self.part)?;
        let schema = record.schema_id(self.part);
        let id = match (schema, self.plans.find(schema)) {
            (0, _) => 0,
            (_, Some(id)) => *id,
            (_, None) => {
                let known = known(record, self.part)?;
                if known.field(&self.output).is_some() {
                    let name = &self.output;
                    return Err(Fault::data(format!("Cannot create field because of field name duplication {name}")));
                }
                let mut fields = known.field_trees();
                fields.push(Tree::scalar("string", true).named(&self.output));
                let id = announce(record, &Tree::record(fields).write())?;
                *self.plans.keep(schema, id)
            }
        };
        let text = record.payload(self.part).unwrap_or_default();
        let mut parts = Vec::with_capacity(self.fields.len());
        for field in &self.fields {
            let at = field.find(text).map_err(|why| broken(why, record, self.part))?;
            parts.push(at.and_then(|at| scalar(&text[at])).unwrap_or_else(|| self.missing.clone()));
        }
        let (name, value) = (quoted(&self.output), quoted(&parts.join(&self.delimiter)));
        record.object(self.part, "fields", |object| {
            object.retain(|object, at| !object.is(at, &self.output));
            object.push(&name, value.as_bytes());
            Ok(())
        })?;
        record.set_schema_id(self.part, id);
        Ok(true)
    }
}

const CASES: [&str; 2] = ["lower", "upper"];

/// Changes the case of fields.
#[derive(Debug)]
pub struct CaseTransform {
    part: Part,
    fields: Vec<String>,
    upper: bool,
}

impl Class for CaseTransform {
    const NAME: &'static str = "CaseTransform";
    const PACKAGE: &'static str = PACKAGE;
    const DOC: &'static str = "Aiven's: text fields in lower or upper case.";
    const CONFIG: &'static [Definition] = &[
        Definition::required(
            "field.names",
            Of::List,
            Importance::High,
            "A comma-separated list of fields whose case changes.",
        ),
        Definition::required("case", Of::Text, Importance::High, "upper or lower.").one_of(&CASES),
    ];

    fn new(part: Part, mut settings: Settings, _formats: Formats) -> Result<Self, Problems> {
        let fields = names(&mut settings, "field.names");
        settings.required("case");
        let upper = settings.choice("case", &CASES) == "upper";
        settings.finish(Self { part, fields, upper })
    }

    fn apply<R: Record>(&mut self, record: &mut R) -> Result<bool, Fault> {
        require_object(record, self.part)?;
        let schema = record.schema_id(self.part);
        let this = &*self;
        record.object(self.part, "case", |object| {
            // Without a schema a field that is missing is added as null, as in the original.
            object.convert_all(&this.fields, schema == 0, |_, value, out| {
                match value {
                    [b'"', ..] => {
                        let text = scalar(value).unwrap_or_default();
                        let changed = if this.upper { text.to_uppercase() } else { text.to_lowercase() };
                        out.extend_from_slice(quoted(&changed).as_bytes());
                    }
                    other => out.extend_from_slice(other),
                }
                Ok(())
            })
        })?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
