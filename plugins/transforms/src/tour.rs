//! The tour in `docs/transforms.md` and this package are of one mind.
#![allow(clippy::unwrap_used)]

use transform_kit::testing::tour::{Entry, both, faults, plain, predicate, unlisted};

use crate::predicates::{HAS_HEADER, HasHeaderKey, PACKAGE, RecordIsTombstone, TOPIC_MATCHES, TopicNameMatches};
use crate::{aiven, cast, debezium, fields, flatten, gzip, headers, insert, key, mask, message_time, metadata};
use crate::{own, replace, route, timestamp, tombstones, topic};

const TOUR: &str = include_str!("../../../docs/transforms.md");

fn entries() -> Vec<Entry> {
    vec![
        both::<mask::MaskField>(),
        both::<insert::InsertField>(),
        both::<replace::ReplaceField>(),
        both::<fields::ExtractField>(),
        both::<fields::HoistField>(),
        both::<headers::HeaderFrom>(),
        both::<metadata::SetSchemaMetadata>(),
        both::<flatten::Flatten>(),
        both::<cast::Cast>(),
        both::<timestamp::TimestampConverter>(),
        plain::<headers::DropHeaders>(),
        plain::<headers::InsertHeader>(),
        plain::<route::RegexRouter>(),
        plain::<route::TimestampRouter>(),
        plain::<route::Filter>(),
        plain::<key::ValueToKey>(),
        plain::<debezium::unwrap::ExtractNewRecordState>(),
        plain::<debezium::outbox::EventRouter>(),
        plain::<debezium::logical::ByLogicalTableRouter>(),
        plain::<debezium::partition::PartitionRouting>(),
        both::<own::tokenize::Tokenize>(),
        both::<own::expand::ExpandJson>(),
        plain::<own::dedup::Deduplicate>(),
        both::<topic::ExtractTopic>(),
        both::<topic::ExtractTopicByField>(),
        plain::<topic::ExtractTopicFromHeader>(),
        plain::<topic::ExtractTopicFromSchemaName>(),
        both::<aiven::text::Hash>(),
        both::<aiven::text::ConcatFields>(),
        both::<aiven::text::CaseTransform>(),
        both::<aiven::filter::FilterByFieldValue>(),
        both::<aiven::filter::ExtractTimestamp>(),
        plain::<aiven::key_to_value::KeyToValue>(),
        plain::<tombstones::MakeTombstone>(),
        plain::<tombstones::TombstoneHandler>(),
        plain::<tombstones::ConfluentTombstoneHandler>(),
        both::<tombstones::Drop>(),
        both::<gzip::GzipDecompress>(),
        plain::<message_time::MessageTimestampRouter>(),
        predicate(&format!("{PACKAGE}HasHeaderKey"), HAS_HEADER, |_, settings| {
            let made = HasHeaderKey::configure(settings)?;
            Ok(Box::new(move |record| Ok(made.holds(record))))
        }),
        predicate(&format!("{PACKAGE}TopicNameMatches"), TOPIC_MATCHES, |_, settings| {
            let mut made = TopicNameMatches::configure(settings)?;
            Ok(Box::new(move |record| made.holds(record).map_err(crate::record::Fault::data)))
        }),
        predicate(&format!("{PACKAGE}RecordIsTombstone"), &[], |_, _| {
            Ok(Box::new(|record| Ok(RecordIsTombstone { json: true }.holds(record))))
        }),
    ]
}

#[test]
fn every_class_has_a_table_of_its_keys_and_an_example_that_is_true() {
    let faults = faults(TOUR, &entries());
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

#[test]
fn the_tour_knows_every_class_of_the_package() {
    assert_eq!(unlisted(include_str!("lib.rs"), &entries()), Vec::<String>::new());
}
