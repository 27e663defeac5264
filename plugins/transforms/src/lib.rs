//! Kafka Connect's transforms and predicates, and those of others that users install most, as one package: a usual chain is
//! one call into one instance.
//!
//! Enters: records with JSON payloads (transforms that look inside) or of any encoding (those that do not). Leaves: the
//! records changed, dropped, routed. Invariant: a chain scans a payload once and copies what stays once;
//! what the originals do in odd cases is done here too, except where the README or `docs/differences.md` says so.

pub mod aiven;
pub mod cast;
pub mod dates;
pub mod debezium;
pub mod defaults;
pub mod fields;
pub mod flatten;
pub mod gzip;
pub mod headers;
pub mod infer;
pub mod insert;
pub mod java_regex;
pub mod key;
pub mod literal;
pub mod lookup;
pub mod mask;
pub mod message_time;
pub mod metadata;
pub mod number;
pub mod own;
pub mod pattern;
pub mod predicates;
pub mod replace;
pub mod route;
pub mod timestamp;
pub mod tombstones;
pub mod topic;

pub use transform_kit::{class, config, glue, object, record, scan, schemas, splice, tree, valid};

#[cfg(test)]
pub(crate) use transform_kit::testing;
#[cfg(test)]
mod chains;
#[cfg(test)]
mod tour;

use glue::{On, Plain};

lockgate_sdk::package! {
    name: "transforms",
    version: env!("CARGO_PKG_VERSION"),
    documentation: "Kafka Connect's transforms and predicates; Debezium's unwrap, outbox and shards; topics by field or header; personal data as tokens (HMAC); repeated records dropped; JSON expanded.",
    transforms: [
        On<mask::MaskField, false>,
        On<mask::MaskField, true>,
        On<insert::InsertField, false>,
        On<insert::InsertField, true>,
        On<replace::ReplaceField, false>,
        On<replace::ReplaceField, true>,
        On<fields::ExtractField, false>,
        On<fields::ExtractField, true>,
        On<fields::HoistField, false>,
        On<fields::HoistField, true>,
        On<headers::HeaderFrom, false>,
        On<headers::HeaderFrom, true>,
        On<metadata::SetSchemaMetadata, false>,
        On<metadata::SetSchemaMetadata, true>,
        On<flatten::Flatten, false>,
        On<flatten::Flatten, true>,
        On<cast::Cast, false>,
        On<cast::Cast, true>,
        On<timestamp::TimestampConverter, false>,
        On<timestamp::TimestampConverter, true>,
        Plain<headers::DropHeaders>,
        Plain<headers::InsertHeader>,
        Plain<route::RegexRouter>,
        Plain<route::TimestampRouter>,
        Plain<route::Filter>,
        Plain<key::ValueToKey>,
        Plain<debezium::unwrap::ExtractNewRecordState>,
        Plain<debezium::outbox::EventRouter>,
        Plain<debezium::logical::ByLogicalTableRouter>,
        Plain<debezium::partition::PartitionRouting>,
        On<own::tokenize::Tokenize, false>,
        On<own::tokenize::Tokenize, true>,
        On<own::expand::ExpandJson, false>,
        On<own::expand::ExpandJson, true>,
        Plain<own::dedup::Deduplicate>,
        On<topic::ExtractTopic, false>,
        On<topic::ExtractTopic, true>,
        On<topic::ExtractTopicByField, false>,
        On<topic::ExtractTopicByField, true>,
        Plain<topic::ExtractTopicFromHeader>,
        Plain<topic::ExtractTopicFromSchemaName>,
        On<aiven::text::Hash, false>,
        On<aiven::text::Hash, true>,
        On<aiven::text::ConcatFields, false>,
        On<aiven::text::ConcatFields, true>,
        On<aiven::text::CaseTransform, false>,
        On<aiven::text::CaseTransform, true>,
        On<aiven::filter::FilterByFieldValue, false>,
        On<aiven::filter::FilterByFieldValue, true>,
        On<aiven::filter::ExtractTimestamp, false>,
        On<aiven::filter::ExtractTimestamp, true>,
        Plain<aiven::key_to_value::KeyToValue>,
        Plain<tombstones::MakeTombstone>,
        Plain<tombstones::TombstoneHandler>,
        Plain<tombstones::ConfluentTombstoneHandler>,
        On<tombstones::Drop, false>,
        On<tombstones::Drop, true>,
        On<gzip::GzipDecompress, false>,
        On<gzip::GzipDecompress, true>,
        Plain<message_time::MessageTimestampRouter>,
    ],
    predicates: [predicates::HasHeaderKey, predicates::RecordIsTombstone, predicates::TopicNameMatches],
}
