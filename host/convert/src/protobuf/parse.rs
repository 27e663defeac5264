//! `.proto` text to descriptors.
//!
//! Enters: the text of a schema as a registry gives it, and the texts of its references by the names that it imports. A text may
//! be base64 of the compiled file: clients without a printer of `.proto` text register that, and not all registries print it.
//! Leaves: the descriptor of the file. Invariant: text of any depth or size ends in a fault, not in an overflow; nothing
//! is read from disk or network.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prost_reflect::FileDescriptor;
use protox::file::{File, FileResolver, GoogleFileResolver};

use super::known;
use crate::fault::{DataFault, Result};

/// Bytes of one text at most.
const TEXT_MAX: usize = 4 << 20;
/// Brackets inside brackets at most.
const NESTING_MAX: usize = 100;
/// Texts that a schema refers to, directly or not, at most.
const REFERENCES_MAX: usize = 200;
/// The name under which the text itself is known: no import of a schema is called so.
const ROOT: &str = "lockgate/subject.proto";

/// Parses and links.
///
/// # Errors
/// `schema.invalid` if the text is no Protobuf schema or an import is not among the references.
pub(crate) fn parse(text: &str, references: &[(String, String)]) -> Result<FileDescriptor> {
    if references.len() > REFERENCES_MAX {
        return Err(DataFault::schema("Invalid Protobuf schema: it refers to more than 200 others"));
    }
    for text in std::iter::once(text).chain(references.iter().map(|(_, text)| text.as_str())) {
        bounded(text)?;
    }
    let resolver = Sources { text: with_meta(text), references: references.to_vec() };
    let mut compiler = protox::Compiler::with_file_resolver(resolver);
    compiler.include_imports(true);
    compiler.open_file(ROOT).map_err(|e| DataFault::schema(format!("Invalid Protobuf schema: {e}")))?;
    let file = compiler.descriptor_pool().get_file_by_name(ROOT);
    file.ok_or_else(|| DataFault::schema("Invalid Protobuf schema: it has no content"))
}

struct Sources {
    text: String,
    references: Vec<(String, String)>,
}

impl FileResolver for Sources {
    fn resolve_path(&self, path: &Path) -> Option<String> {
        path.to_str().map(str::to_owned)
    }

    fn open_file(&self, name: &str) -> std::result::Result<File, protox::Error> {
        if name == ROOT {
            return file(name, &self.text);
        }
        if let Some((_, text)) = self.references.iter().find(|(n, _)| n == name) {
            return file(name, text);
        }
        match known::text(name) {
            Some(text) => File::from_source(name, text),
            None => GoogleFileResolver::new().open_file(name),
        }
    }
}

/// A schema in either form, under the name that it is imported by.
fn file(name: &str, text: &str) -> std::result::Result<File, protox::Error> {
    // No `.proto` text is base64: it has blanks and semicolons.
    let Some(mut compiled) = STANDARD.decode(text.trim()).ok().filter(|compiled| !compiled.is_empty()) else {
        return File::from_source(name, text);
    };
    // Of a field that is there twice the last one counts: the file's name, its first field.
    compiled.push(0x0a);
    let low = |length: usize| u8::try_from(length & 0x7f).unwrap_or(0x7f);
    let mut length = name.len();
    while length > 0x7f {
        compiled.push(0x80 | low(length));
        length >>= 7;
    }
    compiled.push(low(length));
    compiled.extend_from_slice(name.as_bytes());
    File::decode_file_descriptor_proto(compiled.as_slice()).map_err(protox::Error::new)
}

/// Registries take options of `confluent/meta.proto` without its import; a compiler does not.
fn with_meta(text: &str) -> String {
    let used = text.contains("(confluent.") && !text.contains(known::META);
    if used { format!("{text}\nimport \"{}\";\n", known::META) } else { text.to_owned() }
}

/// The parser is recursive: what is nested deeper than any real schema is refused before it.
fn bounded(text: &str) -> Result<()> {
    if text.len() > TEXT_MAX {
        return Err(DataFault::schema("Invalid Protobuf schema: the text is larger than 4 MiB"));
    }
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'"' | b'\'' => {
                while bytes.get(at).is_some_and(|b| b != byte && *b != b'\n') {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                at += 1;
            }
            b'/' if bytes.get(at) == Some(&b'/') => {
                at += bytes[at..].iter().take_while(|b| **b != b'\n').count();
            }
            b'/' if bytes.get(at) == Some(&b'*') => {
                at += bytes[at..].windows(2).position(|w| w == b"*/").map_or(bytes.len(), |n| n + 2);
            }
            b'{' | b'[' | b'(' | b'<' => depth += 1,
            b'}' | b']' | b')' | b'>' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > NESTING_MAX {
            return Err(DataFault::schema("Invalid Protobuf schema: more than 100 levels of brackets"));
        }
    }
    Ok(())
}
