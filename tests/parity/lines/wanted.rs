//! Differences that are wanted.
//!
//! Enters: a case, a record, both answers. Leaves: true if the difference is one that `docs/differences.md` lists. Invariant:
//! each rule names the class and what makes the difference, and has to be met by some record, else it is to be deleted.

use serde_json::Value;

/// Where Kafka Connect loses data, crashes, or writes what it cannot read; with the reason as it stands in the document.
#[derive(Debug)]
pub struct Wanted {
    /// Beginning of the label of a case: class and settings; `*` stands for anything.
    pub label: &'static str,
    /// What the kind of difference is: `*` stands for anything.
    pub kind: &'static str,
    /// What their answer holds; empty: anything.
    pub theirs: &'static str,
    /// What the settings or the record hold; empty: anything.
    pub holds: &'static str,
}

/// All of them.
pub const RULES: [Wanted; 17] = [
    // Kafka Connect crashes: a record's error that says what is wrong.
    Wanted::new("HeaderFrom", "theirs apply NullPointerException, ours apply DataException", "Field.schema()", ""),
    Wanted::new(
        "TimestampConverter",
        "theirs apply NullPointerException, ours apply DataException",
        "config.format",
        "",
    ),
    Wanted::new("random", "theirs apply NullPointerException, ours apply DataException", "", ""),
    Wanted::new("SimpleHeaderConverter", "theirs apply NullPointerException, ours a result", "", ""),
    // What they make cannot be written by their own JsonConverter: the record would be lost.
    Wanted::new("TimestampConverter", "theirs apply DataException, ours a result", "java.util.Date", ""),
    Wanted::new("MaskField", "theirs apply DataException, ours a result", "mismatching scale", ""),
    Wanted::new("Cast", "theirs apply ClassCastException, ours a result", "", "org.apache.kafka.connect.data."),
    Wanted::new("Cast", "theirs apply SchemaBuilderException, ours a result", "Invalid default value", ""),
    Wanted::new("ReplaceField", "theirs apply DataException, ours a result", "", "renames"),
    Wanted::new("ReplaceField", "other result", "", "renames"),
    // Years before 1582 and beyond what an int32 of days holds.
    Wanted::new("TimestampConverter", "other result", "", ""),
    Wanted::new("TimestampConverter", "theirs a result, ours apply DataException", "", ""),
    // A number that does not fit its type, text for a number: they make another value of it, silently.
    Wanted::new("JsonConverter to-connect", "theirs a result, ours apply DataException", "", ""),
    Wanted::new("JsonConverter to-connect", "other result", "", ""),
    // Their JsonConverter cannot read the default of a struct that it has written.
    Wanted::new("JsonConverter to-connect", "theirs apply SchemaBuilderException, ours*", "", ""),
    // Without a schema JSON has one kind of whole number and one of fractions: each converter takes those that it can hold.
    Wanted::new("*Converter from-connect", "theirs apply DataException, ours a result", "Failed to serialize", ""),
    // What cannot be said in an envelope stays the text that it was.
    Wanted::new("InsertHeader", "*", "", ""),
];

impl Wanted {
    const fn new(label: &'static str, kind: &'static str, theirs: &'static str, holds: &'static str) -> Self {
        Self { label, kind, theirs, holds }
    }
}

/// The rule that allows a difference, by its place.
pub fn rule(label: &str, kind: &str, record: &Value, theirs: &Value) -> Option<usize> {
    let (record, theirs) = (record.to_string(), theirs.to_string());
    RULES.iter().position(|rule| {
        crate::parity::fits(&format!("{}*", rule.label), label)
            && crate::parity::fits(rule.kind, kind)
            && theirs.contains(rule.theirs)
            && (record.contains(rule.holds) || label.contains(rule.holds))
    })
}
