//! Settings of `ExtractNewRecordState`.
//!
//! Enters: nothing. Leaves: names, types, defaults and words for people. Invariant: as Debezium has them.

use crate::config::{Definition, Importance, Of};

/// Ways to treat deletes, the default first.
pub const MODES: [&str; 5] = ["tombstone", "drop", "rewrite", "rewrite-with-tombstone", "delete-to-tombstone"];

/// In the order they are shown.
pub const CONFIG: &[Definition] = &[
    Definition::optional(
        "delete.tombstone.handling.mode",
        Of::Text,
        Some("tombstone"),
        Importance::Medium,
        "How to handle deletes and tombstones. tombstone: a delete becomes a record with a null value, the tombstone behind it is dropped. drop: both are dropped. rewrite: a delete becomes its old row with `__deleted` set to true, other rows get false, tombstones are dropped. rewrite-with-tombstone: the same, tombstones are kept. delete-to-tombstone: a delete becomes a tombstone without schema, the tombstone behind it is dropped.",
    )
    .one_of(&MODES),
    low("route.by.field", Of::Text, Some(""), "The column which determines how the events will be routed, the value will replace the topic name."),
    low("add.fields.prefix", Of::Text, Some("__"), "Adds this prefix to each field listed."),
    low(
        "add.fields",
        Of::List,
        Some(""),
        "Adds each field listed, prefixed with __ (or __<struct>_ if the struct is specified). Example: 'version,connector,source.ts_ms' would add __version, __connector and __source_ts_ms fields. Optionally one can also map new field name like version:VERSION,connector:CONNECTOR,source.ts_ms:EVENT_TIMESTAMP. Please note that the new field name is case-sensitive.",
    ),
    low("add.headers.prefix", Of::Text, Some("__"), "Adds this prefix listed to each header."),
    low(
        "add.headers",
        Of::List,
        Some(""),
        "Adds each field listed to the header, prefixed with __ (or __<struct>_ if the struct is specified). Example: 'version,connector,source.ts_ms' would add __version, __connector and __source_ts_ms headers. Optionally one can also map new header name like version:VERSION.",
    ),
    low("drop.fields.header.name", Of::Text, None, "Specifies the name of a header that contains a list of fields to be removed from the event value."),
    low(
        "drop.fields.from.key",
        Of::Boolean,
        Some("false"),
        "Specifies whether to apply the drop fields behavior to the event key as well as the value. Default behavior is to only remove fields from the event value, not the key.",
    ),
    low(
        "drop.fields.keep.schema.compatible",
        Of::Boolean,
        Some("true"),
        "Controls the output event's schema compatibility when using the drop fields feature. true: dropped fields are removed if the schema indicates it is optional, false: dropped fields are removed from the key/value schemas, regardless of optionality.",
    ),
    low("replace.null.with.default", Of::Boolean, Some("true"), "When this option is enabled, null field values are replaced by source-defined defaults when rewriting the record."),
    low("delete.handling.mode", Of::Text, None, "Deprecated, use delete.tombstone.handling.mode. How to handle delete records: none - records are passed, drop - records are removed, rewrite - __deleted field is added to records."),
    low("drop.tombstones", Of::Boolean, None, "Deprecated, use delete.tombstone.handling.mode. Whether tombstones are dropped."),
];

const fn low(name: &'static str, of: Of, default: Option<&'static str>, documentation: &'static str) -> Definition {
    Definition::optional(name, of, default, Importance::Low, documentation)
}
