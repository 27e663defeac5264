//! Offsets of consumer groups and of sources, asked for and changed from outside, against a real broker.
//!
//! Enters: a broker (see `support`). Leaves: proof that offsets are what was written, and that nobody changes them under a
//! reader. Invariant: no test passes without a broker; none skips.

use lockgate_kafka::{Admin, GroupFault, LogOptions, OffsetLog, Producer, Topics};
use lockgate_model::place::{PartitionOffset, Position, TopicPartition};
use lockgate_model::ports::{Fetch, OffsetStore};

use crate::support::{Reader, bootstrap, fresh, produce, runtime, settings, topic};

fn place(topic: &str, partition: u32) -> TopicPartition {
    TopicPartition { topic: topic.into(), partition }
}

fn at(topic: &str, partition: u32, next_offset: i64) -> PartitionOffset {
    PartitionOffset { place: place(topic, partition), next_offset }
}

fn admin() -> Admin {
    Admin::new(&settings(bootstrap(), &[])).unwrap()
}

#[test]
fn offsets_of_an_empty_group_are_listed_altered_and_deleted() {
    runtime().block_on(async {
        let (admin, group) = (admin(), fresh("connect-a"));
        let topic = topic(bootstrap(), "groups", 2).await;
        assert_eq!(admin.group_offsets(&group).await, Ok(vec![]));
        assert_eq!(admin.delete_group(&group).await, Ok(false));
        assert_eq!(admin.delete_group_offsets(&group, &[place(&topic, 0)]).await, Ok(()));
        let given = [at(&topic, 1, 7), at(&topic, 0, 3)];
        admin.alter_group_offsets(&group, &given).await.unwrap();
        assert_eq!(admin.group_offsets(&group).await, Ok(vec![at(&topic, 0, 3), at(&topic, 1, 7)]));
        admin.delete_group_offsets(&group, &[place(&topic, 1)]).await.unwrap();
        assert_eq!(admin.group_offsets(&group).await, Ok(vec![at(&topic, 0, 3)]));
        assert_eq!(admin.delete_group(&group).await, Ok(true));
        assert_eq!(admin.group_offsets(&group).await, Ok(vec![]));
    });
}

#[test]
fn offsets_of_a_group_with_members_cannot_be_changed() {
    runtime().block_on(async {
        for protocol in ["classic", "consumer"] {
            let (admin, group) = (admin(), fresh("connect-busy"));
            let topic = topic(bootstrap(), "busy", 1).await;
            let producer = Producer::new(&settings(bootstrap(), &[])).unwrap();
            produce(&producer, &topic, 1, 0..10, 10).await;
            let more = [("group.protocol", protocol)];
            let mut reader = Reader::new(bootstrap(), &group, Topics::List(vec![topic.clone()]), &more);
            reader.until(|r| r.read.len() >= 10).await;
            reader.commit().await.unwrap();
            assert_eq!(admin.group_offsets(&group).await, Ok(vec![at(&topic, 0, 10)]), "{protocol}");
            let busy = GroupFault::NotEmpty { group: group.clone() };
            assert_eq!(admin.alter_group_offsets(&group, &[at(&topic, 0, 1)]).await, Err(busy.clone()), "{protocol}");
            assert_eq!(admin.delete_group_offsets(&group, &[place(&topic, 0)]).await, Err(busy.clone()), "{protocol}");
            assert_eq!(admin.delete_group(&group).await, Err(busy), "{protocol}");
            reader.consumer.close().await;
            admin.alter_group_offsets(&group, &[at(&topic, 0, 1)]).await.unwrap();
            assert_eq!(admin.group_offsets(&group).await, Ok(vec![at(&topic, 0, 1)]), "{protocol}");
        }
    });
}

#[test]
fn unknown_partitions_and_negative_offsets_are_named() {
    runtime().block_on(async {
        let (admin, group) = (admin(), fresh("connect-b"));
        let topic = topic(bootstrap(), "named", 1).await;
        let nowhere = fresh("nowhere");
        let given = [at(&topic, 0, 1), at(&topic, 9, 1), at(&nowhere, 0, 1)];
        let fault = admin.alter_group_offsets(&group, &given).await.unwrap_err();
        let GroupFault::UnknownPartition { mut partitions, .. } = fault.clone() else { panic!("{fault}") };
        partitions.sort();
        let mut expected = vec![place(&topic, 9), place(&nowhere, 0)];
        expected.sort();
        assert_eq!(partitions, expected);
        assert!(fault.to_string().contains(&format!("partition 9 of topic {topic}")), "{fault}");
        let fault = admin.alter_group_offsets(&group, &[at(&topic, 0, -4)]).await.unwrap_err();
        assert_eq!(fault.code(), "group.negative-offset");
    });
}

#[test]
fn the_ranges_of_a_topic_are_what_was_written() {
    runtime().block_on(async {
        let topic = topic(bootstrap(), "ranges", 3).await;
        let producer = Producer::new(&settings(bootstrap(), &[])).unwrap();
        produce(&producer, &topic, 3, 0..31, 10).await;
        assert_eq!(admin().offset_ranges(&topic).await, Ok(Some(vec![0..11, 0..10, 0..10])));
        assert_eq!(admin().offset_ranges(&fresh("missing")).await, Ok(None));
    });
}

#[test]
fn clearing_the_positions_of_one_connector_leaves_the_others() {
    runtime().block_on(async {
        let options = || LogOptions {
            settings: settings(bootstrap(), &[]),
            topic: String::new(),
            partitions: 5,
            replication_factor: 1,
            config: Vec::new(),
            single_partition: false,
            producer: None,
            admin: None,
        };
        let name = fresh("connect-offsets");
        let offsets = OffsetLog::open(LogOptions { topic: name.clone(), ..options() }).await.unwrap();
        let position = |p: &str| Position { partition: p.into(), offset: Some("{\"n\":1}".into()) };
        offsets.store("a", &[position("{\"f\":1}"), position("{\"f\":2}"), position("null")]).await.unwrap();
        offsets.store("b", &[position("{\"f\":1}")]).await.unwrap();
        assert_eq!(offsets.clear("a").await, Ok(3));
        assert_eq!(offsets.clear("nobody").await, Ok(0));
        let again = OffsetLog::open(LogOptions { topic: name, ..options() }).await.unwrap();
        assert_eq!(again.load("a").await, Ok(vec![]));
        assert_eq!(again.load("b").await, Ok(vec![position("{\"f\":1}")]));
    });
}
