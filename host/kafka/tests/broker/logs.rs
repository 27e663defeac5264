//! The worker's compacted topics: Kafka Connect's bytes, and the state that they add up to.
//!
//! Enters: writes of one worker. Leaves: what another one reads, and what kcat shows; refusals of topics that could lose state.

use std::collections::HashSet;
use std::process::Command;
use std::time::Duration;

use indexmap::IndexMap;
use lockgate_kafka::partitioner::partition;
use lockgate_kafka::{
    Admin, CompactedLog, ConfigEvent, ConfigLog, LogError, LogOptions, LoggerLevel, OffsetLog, SessionKey, Status,
    StatusKey, StatusLog, StatusState, TargetState, TopicStatus,
};
use lockgate_model::place::Position;
use lockgate_model::ports::{OffsetStore, TopicCreation};

use crate::support::{bootstrap, fresh, runtime, settings, topic};

fn log(topic: &str, partitions: i32) -> LogOptions {
    LogOptions {
        settings: settings(bootstrap(), &[]),
        topic: topic.to_owned(),
        partitions,
        replication_factor: 1,
        config: Vec::new(),
        single_partition: false,
        producer: None,
        admin: None,
    }
}

#[test]
fn positions_are_stored_with_connects_bytes_on_javas_partition() {
    runtime().block_on(async {
        let name = fresh("connect-offsets");
        let offsets = OffsetLog::open(log(&name, 25)).await.unwrap();
        let position = |p: &str, o: Option<&str>| Position { partition: p.into(), offset: o.map(Into::into) };
        let first = [
            position(r#"{"filename":"/data/in.txt"}"#, Some(r#"{"position":341}"#)),
            position(r#"{"table": "b", "a": 1}"#, Some(r#"{"id":7}"#)),
        ];
        offsets.store("src", &first).await.unwrap();
        offsets.store("other", &[position("{}", Some("{}"))]).await.unwrap();
        let loaded = offsets.load("src").await.unwrap();
        assert_eq!(loaded.len(), 2);
        assert!(loaded.contains(&first[0]));
        offsets.store("src", &[position(r#"{"table":"b","a":1}"#, None)]).await.unwrap();
        let again = OffsetLog::open(log(&name, 25)).await.unwrap();
        assert_eq!(again.load("src").await.unwrap(), [first[0].clone()]);
        assert_eq!(again.load("nobody").await.unwrap(), []);

        let out = Command::new("kcat")
            .args(["-C", "-b", bootstrap(), "-t", &name, "-e", "-q", "-Z", "-f", "%p|%k|%s\n"])
            .output()
            .unwrap();
        let lines: HashSet<String> = String::from_utf8(out.stdout).unwrap().lines().map(ToOwned::to_owned).collect();
        for (key, value) in [
            (r#"["src",{"filename":"/data/in.txt"}]"#, r#"{"position":341}"#),
            (r#"["src",{"table":"b","a":1}]"#, r#"{"id":7}"#),
            (r#"["src",{"table":"b","a":1}]"#, "NULL"),
            (r#"["other",{}]"#, "{}"),
        ] {
            let line = format!("{}|{key}|{value}", partition(key.as_bytes(), 25));
            assert!(lines.contains(&line), "{line} not in {lines:?}");
        }
    });
}

#[test]
fn configs_written_by_one_worker_are_the_state_of_another() {
    runtime().block_on(async {
        let name = fresh("connect-configs");
        let mut one = ConfigLog::open(log(&name, -1)).await.unwrap();
        let mut two = ConfigLog::open(log(&name, -1)).await.unwrap();
        let config: IndexMap<String, Option<String>> = IndexMap::from([("name".to_owned(), Some("a".to_owned()))]);
        let writer = one.writer();
        writer.put_connector("a", &config, Some(TargetState::Paused)).await.unwrap();
        writer.put_tasks("a", &[config.clone(), config.clone()]).await.unwrap();
        one.refresh().await.unwrap();
        assert_eq!(one.state().connectors["a"].tasks.configs.len(), 2);
        assert_eq!(one.state().connectors["a"].target, TargetState::Paused);
        let events = [two.next().await.unwrap(), two.next().await.unwrap()];
        assert_eq!(events, [ConfigEvent::Connector("a".into()), ConfigEvent::Tasks("a".into())]);
        assert_eq!(one.state(), two.state());
        let key = SessionKey { key: "a2V5".into(), algorithm: "HmacSHA256".into(), created_ms: 7 };
        writer.put_session_key(&key).await.unwrap();
        writer.put_task_count("a", 2).await.unwrap();
        let level = LoggerLevel { namespace: "org.apache".into(), level: "WARN".into() };
        writer.put_logger_level(&level).await.unwrap();
        let events = [two.next().await.unwrap(), two.next().await.unwrap(), two.next().await.unwrap()];
        assert_eq!(events, [ConfigEvent::SessionKey, ConfigEvent::TaskCount("a".into()), ConfigEvent::Logger(level)]);
        assert_eq!((two.state().session_key.as_ref(), two.state().task_counts["a"]), (Some(&key), 2));
        writer.delete_connector("a").await.unwrap();
        assert_eq!(two.next().await.unwrap(), ConfigEvent::Removed("a".into()));
        let three = ConfigLog::open(log(&name, -1)).await.unwrap();
        assert!(three.state().connectors.is_empty());

        let mut statuses = StatusLog::open(log(&fresh("connect-status"), 5)).await.unwrap();
        let status = Status {
            state: "FAILED".into(),
            trace: Some("boom".into()),
            worker_id: "w:1".into(),
            generation: 1,
            version: None,
        };
        statuses.writer().put(&StatusKey::Task("a".into(), 0), Some(&status)).await.unwrap();
        statuses.refresh().await.unwrap();
        assert_eq!(statuses.state().tasks[&("a".into(), 0)], status);
        let used = TopicStatus { name: "t".into(), connector: "a".into(), task: 0, discovered_ms: 7 };
        statuses.writer().put_topic(&used).await.unwrap();
        statuses.refresh().await.unwrap();
        assert_eq!(statuses.state().topics["a"]["t"], used);
        statuses.writer().remove(&statuses.state().keys_of("a")).await.unwrap();
        statuses.refresh().await.unwrap();
        assert_eq!(statuses.state(), &StatusState::default());
    });
}

#[test]
fn topics_that_could_lose_state_are_refused_in_words() {
    runtime().block_on(async {
        let name = topic(bootstrap(), "plain", 1).await;
        let Err(error) = CompactedLog::open(log(&name, 1)).await else { panic!("{name} was taken") };
        assert!(matches!(error, LogError::NotCompacted { .. }), "{error}");
        let name = fresh("wide");
        let config = vec![("cleanup.policy".to_owned(), "compact".to_owned())];
        let creation = TopicCreation { create: true, partitions: 2, replication_factor: 1, config };
        let admin = Admin::new(&settings(bootstrap(), &[])).unwrap();
        admin.ensure_topic(&name, &creation).await.unwrap();
        let Err(error) = ConfigLog::open(log(&name, 1)).await else { panic!("{name} was taken") };
        assert!(matches!(error, LogError::Partitions { found: 2, .. }), "{error}");
        assert!(admin.describe(&fresh("missing")).await.unwrap().is_none());
        assert_eq!(admin.cluster_id().await.unwrap().len(), 22);
        admin.wait_for_broker(Duration::from_secs(5)).await.unwrap();
    });
}
