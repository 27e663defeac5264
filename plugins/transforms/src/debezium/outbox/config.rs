//! Settings of `EventRouter`.
//!
//! Enters: nothing. Leaves: names, types, defaults and words for people. Invariant: as Debezium has them.

use crate::config::{Definition, Importance, Of};

/// What to do about updates, the default first.
pub const BEHAVIOURS: [&str; 3] = ["warn", "error", "fatal"];
/// What becomes of nulls in expanded JSON, the default first.
pub const NULLS: [&str; 2] = ["ignore", "optional_bytes"];

/// In the order they are shown.
pub const CONFIG: &[Definition] = &[
    text("table.field.event.id", Some("id"), Importance::Low, "The column which contains the event ID within the outbox table"),
    text("table.field.event.key", Some("aggregateid"), Importance::Low, "The column which contains the event key within the outbox table"),
    text("table.field.event.type", Some("type"), Importance::Low, "The column which contains the event type within the outbox table. Nothing is read from it unless it is placed."),
    text("table.field.event.payload", Some("payload"), Importance::Low, "The column which contains the event payload within the outbox table"),
    text("table.field.event.timestamp", None, Importance::Medium, "Optionally you can override the Kafka message timestamp with a value from a chosen column, otherwise it'll be the Debezium event processed timestamp."),
    Definition::optional("table.fields.additional.placement", Of::List, None, Importance::High, "Extra fields can be added as part of the event envelope or a message header, format is a list of colon-delimited pairs or trios when you desire to have aliases, e.g. id:header,field_name:envelope:alias,field_name:partition"),
    Definition::optional("table.fields.additional.error.on.missing", Of::Boolean, Some("true"), Importance::Medium, "When transforming the 'table.fields.additional.placement' fields, should the transform throw an exception if one of the fields is missing in the change data"),
    text("table.field.event.schema.version", None, Importance::Low, "The column which contains the event schema version within the outbox table"),
    text("table.op.invalid.behavior", Some("warn"), Importance::Medium, "While Debezium is capturing changes from the outbox table, it is expecting only to process 'create' or 'delete' row events; in case something else is processed this transform can log it as warning, error or stop the process.").one_of(&BEHAVIOURS),
    Definition::optional("table.expand.json.payload", Of::Boolean, Some("false"), Importance::Medium, "Whether or not to try unescaping a JSON string and make it real JSON. It will infer schema information from payload and update the record schema accordingly. If content is not JSON, the record is emitted unchanged"),
    text("table.json.payload.null.behavior", Some("ignore"), Importance::Medium, "Behavior when json payload including null value, the default will ignore null, optional_bytes will keep the null value, and treat null as optional bytes of connect.").one_of(&NULLS),
    text("route.by.field", Some("aggregatetype"), Importance::High, "The column which determines how the events will be routed, the value will become part of the topic name"),
    text("route.topic.regex", Some("(?<routedByValue>.*)"), Importance::Low, "The default regex to use within the RegexRouter, the default capture will allow to replace the routed field into a new topic name defined in 'route.topic.replacement'"),
    text("route.topic.replacement", Some("outbox.event.${routedByValue}"), Importance::High, "The name of the topic in which the events will be routed, a replacement '${routedByValue}' is available which is the value of the column configured via 'route.by.field'"),
    Definition::optional("route.tombstone.on.empty.payload", Of::Boolean, Some("false"), Importance::High, "Whether or not an empty payload should cause a tombstone event."),
];

const fn text(
    name: &'static str,
    default: Option<&'static str>,
    importance: Importance,
    doc: &'static str,
) -> Definition {
    Definition::optional(name, Of::Text, default, importance, doc)
}
