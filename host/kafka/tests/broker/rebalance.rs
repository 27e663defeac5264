//! Members come and go, under each protocol of consumer groups.
//!
//! Enters: a topic, two members. Leaves: proof that only what moves is revoked, that it is committed before, and that
//! nothing is read twice or left out.

use std::time::Duration;

use lockgate_kafka::{Producer, Topics};

use crate::support::{Reader, bootstrap, check_order, fresh, produce, runtime, settings, topic};

fn check_rebalance(more: &[(&str, &str)], expected: &[&str]) {
    runtime().block_on(async {
        let topic = topic(bootstrap(), "rebalance", 4).await;
        let group = fresh("g");
        let producer = Producer::new(&settings(bootstrap(), &[])).unwrap();
        produce(&producer, &topic, 4, 0..1_000, 100).await;
        let list = || Topics::List(vec![topic.clone()]);
        let mut first = Reader::new(bootstrap(), &group, list(), more);
        first.until(|r| r.read.len() >= 1_000).await;
        let mut second = Reader::new(bootstrap(), &group, list(), more);
        let both = async {
            loop {
                tokio::select! {
                    event = first.step() => drop(event.unwrap()),
                    event = second.step() => drop(event.unwrap()),
                }
                if first.assigned.len() == 2 && second.assigned.len() == 2 {
                    return;
                }
            }
        };
        tokio::time::timeout(Duration::from_mins(1), both).await.unwrap();
        assert_eq!(first.walk, expected, "{more:?}");
        produce(&producer, &topic, 4, 1_000..2_000, 100).await;
        first.until(|r| r.read.len() >= 1_500).await;
        second.until(|r| r.read.len() >= 500).await;
        // What the first had settled was committed while it was revoked, so the second sees none of it again.
        assert!(second.read.iter().all(|(_, _, number)| *number >= 1_000));
        check_order(&second.read);
        second.commit().await.unwrap();
        second.close().await;
        first.until(|r| r.assigned.len() == 4).await;
        produce(&producer, &topic, 4, 2_000..3_000, 100).await;
        first.until(|r| r.read.len() >= 2_500).await;
        assert_eq!(first.read.len(), 2_500);
        first.close().await;
    });
}

#[test]
fn a_cooperative_rebalance_moves_only_what_moves() {
    let assignor = "org.apache.kafka.clients.consumer.CooperativeStickyAssignor";
    let more = [("partition.assignment.strategy", assignor), ("heartbeat.interval.ms", "300")];
    check_rebalance(&more, &["assigned 4", "revoked 2"]);
}

#[test]
fn an_eager_rebalance_gives_up_everything_and_begins_at_what_was_committed() {
    let more = [("partition.assignment.strategy", "range"), ("heartbeat.interval.ms", "300")];
    check_rebalance(&more, &["assigned 4", "revoked 4", "assigned 2"]);
}

#[test]
fn a_rebalance_by_the_brokers_own_protocol_moves_only_what_moves() {
    // What that protocol takes from the broker is left out, as it stands in the properties of many workers.
    let more = [
        ("group.protocol", "CONSUMER"),
        ("session.timeout.ms", "6000"),
        ("heartbeat.interval.ms", "300"),
        ("partition.assignment.strategy", "range"),
    ];
    check_rebalance(&more, &["assigned 4", "revoked 2"]);
}
