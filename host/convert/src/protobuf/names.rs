//! Names that Connect's schemas and Protobuf's share.
//!
//! Enters: names of one side. Leaves: names of the other. Invariant: parameters are spelled as the registries' own
//! converters spell them, so that a schema survives the way through either.

use std::fmt::Write as _;

/// Parameter: the name of the enum; with `.` and a symbol, its number.
pub(crate) const ENUM: &str = "io.confluent.connect.protobuf.Enum";
/// Name of a oneof's struct, followed by `.` and the oneof's name.
pub(crate) const UNION: &str = "io.confluent.connect.protobuf.Union";
/// Parameter: the field's number.
pub(crate) const TAG: &str = "io.confluent.connect.protobuf.Tag";
/// Parameter: the scalar type where it is not the usual one (`uint32`, `sint64`, ...).
pub(crate) const TYPE: &str = "io.confluent.connect.protobuf.Type";
/// Parameter of a member of a oneof: it is a wrapper message.
pub(crate) const WRAPPER: &str = "io.confluent.connect.protobuf.Wrapper";
/// The same as [`ENUM`] with `generalized.sum.type.support`.
pub(crate) const GENERAL_ENUM: &str = "org.apache.kafka.connect.data.Enum";
/// Parameter of a union's struct with `generalized.sum.type.support`.
pub(crate) const GENERAL_UNION: &str = "org.apache.kafka.connect.data.Union";
/// Parameter of a Decimal.
pub(crate) const PRECISION: &str = "connect.decimal.precision";
/// Of a struct without a name, followed by a number.
pub(crate) const DEFAULT_NAME: &str = "ConnectDefault";

/// `a.b.C` becomes `C`.
pub(crate) fn unqualified(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// The entry's name of a map: `some_field` becomes `SomeFieldEntry`.
pub(crate) fn map_entry(field: &str) -> String {
    if !field.contains('_') {
        return format!("{field}Entry");
    }
    let mut name = String::with_capacity(field.len() + 5);
    for word in field.split('_') {
        let mut letters = word.chars();
        name.extend(letters.next().map(|c| c.to_ascii_uppercase()));
        name.extend(letters.map(|c| c.to_ascii_lowercase()));
    }
    name + "Entry"
}

/// The other way: `SomeFieldEntry` becomes `some_field`.
pub(crate) fn map_field(entry: &str) -> String {
    let (prefix, last) = entry.rsplit_once('.').map_or(("", entry), |(p, l)| (p, l));
    let Some(stem) = last.strip_suffix("Entry") else { return entry.to_owned() };
    let mut name = if prefix.is_empty() { String::new() } else { format!("{prefix}.") };
    for (index, c) in stem.chars().enumerate() {
        if c.is_ascii_uppercase() && index > 0 {
            name.push('_');
        }
        name.push(c.to_ascii_lowercase());
    }
    name
}

/// `scrub.invalid.names`: what is neither letter, digit nor `_` becomes `_` (or its percent code), a first digit or `_`
/// gets an `x` before it.
pub(crate) fn scrubbed(name: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let first = |c: char| c.is_ascii_digit() || c == '_';
    if name.is_empty() || name.chars().all(fits) && !name.starts_with(first) {
        return name.to_owned();
    }
    let mut encoded = String::with_capacity(name.len() + 1);
    for byte in name.bytes() {
        match byte {
            // What URL encoding leaves or turns into a plus sign is one character, the rest a percent code.
            b'.' | b'-' | b'*' | b' ' => encoded.push('_'),
            byte if fits(char::from(byte)) => encoded.push(char::from(byte)),
            byte => {
                // Writing to a `String` cannot fail.
                let _ = write!(encoded, "_{byte:02X}");
            }
        }
    }
    // The first character was looked at before it became an underscore.
    if name.starts_with(first) { format!("x{encoded}") } else { encoded }
}
