//! What worker files may say.

use super::*;
use crate::properties;
use crate::rest::{Listener, Scheme};

const DISTRIBUTED: &str = "bootstrap.servers=a:9092, b:9092\ngroup.id=connect-cluster\n\
    key.converter=org.apache.kafka.connect.json.JsonConverter\nkey.converter.schemas.enable=false\n\
    value.converter=org.apache.kafka.connect.storage.StringConverter\n\
    config.storage.topic=configs\noffset.storage.topic=offsets\nstatus.storage.topic=statuses\n";

fn distributed_with(more: &str) -> Result<WorkerConfig, ConfigErrors> {
    WorkerConfig::distributed(&properties::parse(&format!("{DISTRIBUTED}{more}")).unwrap())
}

fn warning_of(more: &str) -> String {
    let warnings = distributed_with(more).unwrap().warnings;
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    warnings[0].to_string()
}

#[test]
fn a_distributed_file_gets_kafka_connects_defaults() {
    let worker = distributed_with("").unwrap();
    let Mode::Distributed(distributed) = &worker.mode else { unreachable!() };
    assert_eq!(worker.bootstrap_servers, "a:9092,b:9092");
    assert_eq!((distributed.offset_topic.partitions, distributed.status_topic.partitions), (25, 5));
    assert_eq!((distributed.config_topic.partitions, distributed.config_topic.replication_factor), (1, 3));
    assert_eq!(worker.flush_interval, Duration::from_mins(1));
    assert_eq!(worker.graceful_timeout, Duration::from_secs(5));
    assert_eq!(worker.rest.listeners, [Listener { scheme: Scheme::Http, host: String::new(), port: 8083 }]);
    assert_eq!(worker.converters.key.settings["schemas.enable"], "false");
    assert_eq!(worker.converters.header.class, "org.apache.kafka.connect.storage.SimpleHeaderConverter");
    assert_eq!(worker.override_policy, OverridePolicy::All);
    assert!(worker.topic_creation_enable);
    assert_eq!(worker.limits.memory_bytes, 256 << 20);
    assert_eq!(worker.warnings, []);
}

#[test]
fn a_standalone_file_needs_its_offset_file() {
    let text = "bootstrap.servers=a:1\nkey.converter=String\nvalue.converter=String\n";
    let errors = WorkerConfig::standalone(&properties::parse(text).unwrap()).unwrap_err();
    assert_eq!(
        errors.0[0].message,
        "Missing required configuration \"offset.storage.file.filename\" which has no default value."
    );
    let text = format!("{text}offset.storage.file.filename=/var/offsets\n");
    let worker = WorkerConfig::standalone(&properties::parse(&text).unwrap()).unwrap();
    assert_eq!(worker.mode, Mode::Standalone { offset_file: "/var/offsets".into() });
    assert_eq!(worker.group_id(), None);
}

#[test]
fn all_errors_come_at_once_with_the_key_that_was_meant() {
    let text = "bootstrap.server=a:1\nkey.converter=String\nvalue.converter=String\ngroup.id=\n\
        offset.flush.interval.ms=soon\nlisteners=https://:1,ftp://x,http://h:99999\n\
        config.storage.topic=c\noffset.storage.topic=o\nstatus.storage.topic=s\nstatus.storage.partitions=0\n\
        connector.client.config.override.policy=com.acme.Mine\n";
    let errors = WorkerConfig::distributed(&properties::parse(text).unwrap()).unwrap_err();
    let keys: Vec<_> = errors.0.iter().map(|e| e.key.as_str()).collect();
    let expected = [
        "bootstrap.servers",
        "offset.flush.interval.ms",
        "offset.flush.interval.ms",
        "group.id",
        "status.storage.partitions",
        "listeners",
        "listeners",
        "ssl.keystore.location",
        "connector.client.config.override.policy",
    ];
    assert_eq!(keys, expected);
    assert_eq!(errors.0[0].nearest.as_deref(), Some("bootstrap.server"));
    assert!(errors.to_string().contains("an https listener needs a certificate"), "{errors}");
    assert!(errors.to_string().contains("(allowed: All, None, Principal, Allowlist)"), "{errors}");
}

#[test]
fn what_has_no_effect_is_said() {
    assert_eq!(
        warning_of("offset.flush.intervall.ms=1"),
        "offset.flush.intervall.ms: is not known; did you mean `offset.flush.interval.ms`?"
    );
    assert_eq!(warning_of("my.own.thing=1"), "my.own.thing: is not known and has no effect");
    assert!(warning_of("plugin.path=/x").starts_with("plugin.path: has no effect: plugins are packages"));
    assert!(warning_of("listeners.https.ssl.cipher.suites=x").contains("ciphers"));
    assert!(warning_of("config.storage.partitions=3").contains("one partition"));
}

#[test]
fn client_settings_are_kept_apart_and_their_values_are_not_printed() {
    let worker = distributed_with(
        "security.protocol=SASL_SSL\nsasl.jaas.config=secret-a\nssl.truststore.location=/t\nproducer.linger.ms=7\n\
         consumer.sasl.jaas.config=secret-b\nadmin.retries=1\nvalue.converter.basic.auth=secret-c\n",
    )
    .unwrap();
    assert_eq!(worker.warnings, []);
    assert_eq!(worker.clients.common.len(), 4);
    assert_eq!(worker.clients.producer["linger.ms"], "7");
    assert_eq!(worker.clients.consumer["sasl.jaas.config"], "secret-b");
    assert!(!format!("{worker:?}").contains("secret"), "{worker:?}");
}

#[test]
fn internal_topics_take_settings_of_their_own_except_their_cleanup_policy() {
    let worker =
        distributed_with("offset.storage.min.insync.replicas=2\noffset.storage.cleanup.policy=delete\n").unwrap();
    let Mode::Distributed(distributed) = &worker.mode else { unreachable!() };
    let settings: Vec<_> = distributed.offset_topic.settings.iter().collect();
    assert_eq!(settings, [(&"min.insync.replicas".to_owned(), &"2".to_owned())]);
    assert_eq!(worker.warnings.len(), 1);
}

#[test]
fn listeners_may_be_several_and_of_either_address_family() {
    let rest = distributed_with("listeners=http://127.0.0.1:0,http://[::1]:8083,HTTP://Host:1\n").unwrap().rest;
    let shown: Vec<_> = rest.listeners.iter().map(|l| (l.host.as_str(), l.port)).collect();
    assert_eq!(shown, [("127.0.0.1", 0), ("::1", 8083), ("host", 1)]);
}

/// What Apache Kafka ships as `config/connect-distributed.properties`: what is set in it.
const SHIPPED_DISTRIBUTED: &str = "bootstrap.servers=localhost:9092\ngroup.id=connect-cluster\n\
    key.converter=org.apache.kafka.connect.json.JsonConverter\n\
    value.converter=org.apache.kafka.connect.json.JsonConverter\n\
    key.converter.schemas.enable=true\nvalue.converter.schemas.enable=true\n\
    offset.storage.topic=connect-offsets\noffset.storage.replication.factor=1\n#offset.storage.partitions=25\n\
    config.storage.topic=connect-configs\nconfig.storage.replication.factor=1\n\
    status.storage.topic=connect-status\nstatus.storage.replication.factor=1\n#status.storage.partitions=5\n\
    offset.flush.interval.ms=10000\n#listeners=HTTP://:8083\n#rest.advertised.host.name=\n\
    #rest.advertised.port=\n#rest.advertised.listener=\n#plugin.path=\n";

/// Likewise `config/connect-standalone.properties`.
const SHIPPED_STANDALONE: &str = "bootstrap.servers=localhost:9092\n\
    key.converter=org.apache.kafka.connect.json.JsonConverter\n\
    value.converter=org.apache.kafka.connect.json.JsonConverter\n\
    key.converter.schemas.enable=true\nvalue.converter.schemas.enable=true\n\
    offset.storage.file.filename=/var/connect.offsets\noffset.flush.interval.ms=10000\n#plugin.path=\n";

#[test]
fn the_files_that_apache_kafka_ships_load_without_a_word() {
    let worker = WorkerConfig::distributed(&properties::parse(SHIPPED_DISTRIBUTED).unwrap()).unwrap();
    assert_eq!(worker.warnings, []);
    assert_eq!(worker.flush_interval, Duration::from_secs(10));
    let worker = WorkerConfig::standalone(&properties::parse(SHIPPED_STANDALONE).unwrap()).unwrap();
    assert_eq!(worker.warnings, []);
    // With what stands there as a comment switched on.
    let all = SHIPPED_DISTRIBUTED.replace('#', "").replace("rest.advertised.port=\n", "rest.advertised.port=8083\n");
    let worker = WorkerConfig::distributed(&properties::parse(&all).unwrap()).unwrap();
    let keys: Vec<&str> = worker.warnings.iter().map(|w| w.key.as_str()).collect();
    assert_eq!(keys, ["plugin.path"]);
}

/// Every key that a distributed or standalone worker of Kafka Connect 4.3 defines, client keys left out, with a value.
const CONNECT_KEYS: &str = include_str!("connect_keys.properties");

#[test]
fn every_worker_key_of_kafka_connect_is_read_or_has_its_reason() {
    let reader = [used(), distributed()].concat();
    let mut reported = 0;
    for (key, value) in properties::parse(CONNECT_KEYS).unwrap() {
        let is_read = reader.iter().any(|known| known.definition.name == key) || warnings::is_client_key(&key);
        let said = distributed_with(&format!("{key}={value}\n")).unwrap().warnings;
        let text = said.iter().map(ToString::to_string).collect::<String>();
        assert_eq!(said.len(), usize::from(!is_read), "{key}: {text}");
        assert!(is_read || text.contains("has no effect: "), "{key}: {text}");
        reported += said.len();
    }
    assert!(reported > 20, "{reported}");
}
