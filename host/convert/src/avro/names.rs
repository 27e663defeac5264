//! Names that Connect's data has in Avro schemas.
//!
//! Enters: names of schemas and fields. Leaves: names and properties as the usual registry converters write them.

/// Where names of types without one live.
pub(super) const NAMESPACE: &str = "io.confluent.connect.avro";
/// Name of a struct that has none; the second one is `ConnectDefault2`.
pub(super) const DEFAULT: &str = "ConnectDefault";
/// Its beginning, in full: such names are dropped when read.
pub(super) const DEFAULT_FULL: &str = "io.confluent.connect.avro.ConnectDefault";
/// Data without a schema.
pub(super) const ANYTHING: &str = "io.confluent.connect.avro.Anything";
/// The schema of data without one.
pub(super) const ANYTHING_TEXT: &str = concat!(
    r#"{"type":"record","name":"Anything","namespace":"io.confluent.connect.avro","fields":["#,
    r#"{"name":"boolean","type":["null","boolean"],"default":null},"#,
    r#"{"name":"bytes","type":["null","bytes"],"default":null},"#,
    r#"{"name":"double","type":["null","double"],"default":null},"#,
    r#"{"name":"float","type":["null","float"],"default":null},"#,
    r#"{"name":"int","type":["null","int"],"default":null},"#,
    r#"{"name":"long","type":["null","long"],"default":null},"#,
    r#"{"name":"string","type":["null","string"],"default":null},"#,
    r#"{"name":"array","type":["null",{"type":"array","items":"Anything"}],"default":null},"#,
    r#"{"name":"map","type":["null",{"type":"array","items":{"type":"record","name":"MapEntry","fields":["#,
    r#"{"name":"key","type":"Anything"},{"name":"value","type":"Anything"}]}}],"default":null}]}"#,
);
/// The record that a map without text keys is an array of.
pub(super) const MAP_ENTRY: &str = "MapEntry";
/// Marks such a record where the map had a name.
pub(super) const INTERNAL_TYPE: &str = "connect.internal.type";
/// Name of the struct that a union becomes.
pub(super) const UNION: &str = "io.confluent.connect.avro.Union";
/// Parameter with the name of an enum; with a dot and a symbol behind it, one for each symbol.
pub(super) const ENUM: &str = "io.confluent.connect.avro.Enum";
/// The same in the form that all formats share.
pub(super) const GENERAL_ENUM: &str = "org.apache.kafka.connect.data.Enum";
/// Parameter that marks a union in the form that all formats share.
pub(super) const GENERAL_UNION: &str = "org.apache.kafka.connect.data.Union";
/// Names of its structs begin so, a number follows.
pub(super) const GENERAL_UNION_NAME: &str = "connect_union_";
/// Names of its fields begin so, the branch's number follows.
pub(super) const GENERAL_UNION_FIELD: &str = "connect_union_field_";
/// Parameters for what a schema has no attribute for.
pub(super) const RECORD_DOC: &str = "io.confluent.connect.avro.record.doc";
pub(super) const FIELD_DOC: &str = "io.confluent.connect.avro.field.doc.";
pub(super) const FIELD_DEFAULT: &str = "io.confluent.connect.avro.field.default";
pub(super) const ENUM_DOC: &str = "io.confluent.connect.avro.enum.doc.";
pub(super) const ENUM_DEFAULT: &str = "io.confluent.connect.avro.enum.default.";
/// Parameter with the size of a fixed.
pub(super) const FIXED_SIZE: &str = "connect.fixed.size";
/// Parameter with the precision of a Decimal, unless it is [`PRECISION_DEFAULT`].
pub(super) const PRECISION: &str = "connect.decimal.precision";
pub(super) const PRECISION_DEFAULT: i32 = 64;

/// Namespace and simple name.
pub(super) fn split(full: &str) -> (Option<&str>, &str) {
    full.rsplit_once('.').map_or((None, full), |(namespace, name)| (Some(namespace), name))
}

/// A name that Avro takes: other characters become `_`, a digit in front gets an `x`.
pub(super) fn scrub(name: &str) -> String {
    let mut clean: String = name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' }).collect();
    if clean.starts_with(|c: char| c.is_ascii_digit()) {
        clean.insert(0, 'x');
    }
    clean
}

/// [`scrub`] for each part between dots.
pub(super) fn scrub_full(full: &str) -> String {
    full.split('.').map(scrub).collect::<Vec<_>>().join(".")
}
