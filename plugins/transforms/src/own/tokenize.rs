//! `Tokenize`: personal data becomes tokens, the same for the same text.
//!
//! Enters: payloads. Leaves: the same with tokens in place of the fields that are named. Invariant: without the key nobody
//! can tell which text a token stands for, nor try texts; the key is shown nowhere.

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use crate::class::{Class, Formats};
use crate::config::{Definition, Importance, Of, Problems, Settings};
use crate::lookup::{Path, scalar};
use crate::number;
use crate::record::{Fault, Part, Record, announce};
use crate::scan::quoted;
use crate::schemas::{Known, Plans, known};
use crate::tree::Tree;

const ALGORITHMS: [&str; 2] = ["hmac-sha256", "sha256"];
const ENCODINGS: [&str; 3] = ["hex", "base64", "base64url"];
const MISSING: [&str; 2] = ["skip", "fail"];
/// A key below this can be guessed.
const SECRET_BYTES_MIN: usize = 16;

const CONFIG: &[Definition] = &[
    Definition::optional("fields", Of::List, None, Importance::High, "Fields to tokenize, with dots for nested ones (customer.email); lists on the way are gone through. Without any, the whole key or value."),
    Definition::optional("algorithm", Of::Text, Some("hmac-sha256"), Importance::High, "hmac-sha256: a keyed hash, nobody without the secret can find the text by trying. sha256: a plain hash of salt and text, which hides little of what can be guessed.").one_of(&ALGORITHMS),
    Definition::optional("secret", Of::Password, None, Importance::High, "The key of hmac-sha256, at least 16 bytes. Give it by a config provider: ${secrets:pii:key}. The same key gives the same tokens, so joins still work."),
    Definition::optional("salt", Of::Password, None, Importance::Medium, "Text that goes into the hash before each value, to tell environments or tenants apart."),
    Definition::optional("salt.with.field", Of::Boolean, Some("false"), Importance::Medium, "Whether the field's name goes into the hash as well, so that the same text in two fields has two tokens."),
    Definition::optional("encoding", Of::Text, Some("hex"), Importance::Medium, "How a token is written.").one_of(&ENCODINGS),
    Definition::optional("length", Of::Int, Some("0"), Importance::Low, "Characters of the token that are kept, 0 for all. Below 16 two texts may share a token.").at_least(0),
    Definition::optional("format", Of::Text, Some("${token}"), Importance::Low, "The new text; ${token} is the token and ${field} the field's name."),
    Definition::optional("missing", Of::Text, Some("skip"), Importance::Low, "What to do about fields that are missing or null: skip leaves them, fail is an error of the record.").one_of(&MISSING),
];

/// The transform.
pub struct Tokenize {
    part: Part,
    fields: Vec<Path>,
    keyed: Option<Hmac<Sha256>>,
    salt: Vec<u8>,
    with_field: bool,
    encoding: &'static str,
    length: usize,
    format: String,
    missing_fails: bool,
    plans: Plans<u32>,
}

impl std::fmt::Debug for Tokenize {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokenize").field("fields", &self.fields).finish_non_exhaustive()
    }
}

impl Tokenize {
    fn token(&self, field: &str, text: &str) -> String {
        // Lengths come first: the parts cannot be shifted against each other.
        let mut input = Vec::with_capacity(text.len() + self.salt.len() + 24);
        for part in [&self.salt[..], if self.with_field { field.as_bytes() } else { b"" }] {
            if !part.is_empty() {
                input.extend_from_slice(&(part.len() as u64).to_be_bytes());
                input.extend_from_slice(part);
            }
        }
        input.extend_from_slice(text.as_bytes());
        let hash = match &self.keyed {
            Some(keyed) => keyed.clone().chain_update(&input).finalize().into_bytes(),
            None => Sha256::digest(&input),
        };
        let mut token = match self.encoding {
            "hex" => number::hex(&hash),
            "base64" => number::base64(&hash),
            _ => number::base64(&hash).trim_end_matches('=').replace('+', "-").replace('/', "_"),
        };
        if self.length > 0 {
            token.truncate(self.length);
        }
        self.format.replace("${token}", &token).replace("${field}", field)
    }

    /// The schema with texts where tokens go.
    fn plan<R: Record>(&self, record: &R) -> Result<u32, Fault> {
        let mut known = known(record, self.part)?;
        for field in &self.fields {
            retype(&mut known.tree, &field.to_string().split('.').collect::<Vec<_>>());
        }
        if self.fields.is_empty() {
            let of = Known::new(&known.tree);
            known.tree = Tree::scalar("string", of.optional);
        }
        announce(record, &known.tree.write())
    }
}

/// Makes the field a text, through lists, keeping whether it may be null and its name in the struct.
fn retype(tree: &mut Tree, path: &[&str]) {
    if tree.text("type").as_deref() == Some("array") {
        if let Some(mut items) = tree.get("items").cloned() {
            retype(&mut items, path);
            tree.set("items", items);
        }
        return;
    }
    let Some((name, deeper)) = path.split_first() else {
        if tree.text("type").as_deref() != Some("string") || tree.get("name").is_some() {
            let mut text = Tree::scalar("string", tree.is_true("optional"));
            if let Some(field) = tree.text("field") {
                text = text.named(&field);
            }
            *tree = text;
        }
        return;
    };
    if let Some(Tree::Array(mut fields)) = tree.get("fields").cloned() {
        for field in fields.iter_mut().filter(|field| field.text("field").as_deref() == Some(*name)) {
            retype(field, deeper);
        }
        tree.set("fields", Tree::Array(fields));
    } else if let (Some("map"), Some(mut values)) = (tree.text("type").as_deref(), tree.get("values").cloned()) {
        retype(&mut values, deeper);
        tree.set("values", values);
    }
}

impl Class for Tokenize {
    const NAME: &'static str = "Tokenize";
    const PACKAGE: &'static str = super::PACKAGE;
    const DOC: &'static str =
        "Replaces personal data by tokens: a keyed hash (HMAC-SHA-256) or a salted one, the same for the same text.";
    const CONFIG: &'static [Definition] = CONFIG;

    fn new(part: Part, mut settings: Settings, _formats: Formats) -> Result<Self, Problems> {
        let algorithm = settings.choice("algorithm", &ALGORITHMS);
        // A key is not trimmed: blanks may belong to it.
        let secret = settings.raw("secret").unwrap_or_default();
        let keyed = if algorithm == "sha256" {
            if !secret.is_empty() {
                settings.problem("secret", "only hmac-sha256 has a secret; use `salt`, or that algorithm");
            }
            None
        } else {
            if secret.len() < SECRET_BYTES_MIN {
                let problem = format!("hmac-sha256 needs a secret of at least {SECRET_BYTES_MIN} bytes");
                settings.problem("secret", problem);
            }
            // Keys of any length are taken.
            Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()
        };
        let format = settings.given("format").unwrap_or_else(|| "${token}".to_owned());
        if !format.contains("${token}") {
            settings.problem("format", "`${token}` has to stand in it");
        }
        let length = settings.count("length", 0, 0);
        let made = Self {
            part,
            fields: settings.names("fields").iter().map(|name| Path::dotted(name)).collect(),
            keyed,
            salt: settings.raw("salt").unwrap_or_default().into_bytes(),
            with_field: settings.boolean("salt.with.field", false),
            encoding: settings.choice("encoding", &ENCODINGS),
            length: usize::try_from(length).unwrap_or(usize::MAX),
            format,
            missing_fails: settings.choice("missing", &MISSING) == "fail",
            plans: Plans::default(),
        };
        settings.finish(made)
    }

    fn apply<R: Record>(&mut self, record: &mut R) -> Result<bool, Fault> {
        if record.is_null(self.part) {
            let missing = || Fault::data("the value to tokenize is null");
            return if self.missing_fails { Err(missing()) } else { Ok(true) };
        }
        let schema = record.schema_id(self.part);
        let id = match (schema, self.plans.find(schema)) {
            (0, _) => 0,
            (_, Some(id)) => *id,
            (_, None) => {
                let id = self.plan(record)?;
                *self.plans.keep(schema, id)
            }
        };
        let whole = [Path::default()];
        let this = &*self;
        for field in if this.fields.is_empty() { &whole[..] } else { &this.fields[..] } {
            let name = field.to_string();
            let missing = || Fault::data(format!("the field {name} to tokenize is missing or null"));
            let mut null = false;
            let mut found = false;
            record.rewrite(this.part, |text, out| {
                found = field.rewrite(text, out, &mut |value, out| {
                    if value == b"null" {
                        null = true;
                        out.extend_from_slice(value);
                        return Ok(());
                    }
                    // Objects and lists are hashed as they are written.
                    let text = scalar(value).unwrap_or_else(|| String::from_utf8_lossy(value).into_owned());
                    out.extend_from_slice(quoted(&this.token(&name, &text)).as_bytes());
                    Ok(())
                })?;
                Ok(())
            })?;
            if this.missing_fails && (null || !found) {
                return Err(missing());
            }
        }
        record.set_schema_id(self.part, id);
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
