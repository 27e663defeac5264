//! Tests of the translation: enters Java's settings, leaves librdkafka's; invariant: nothing unsafe passes.
#![allow(clippy::unwrap_used)]
use super::*;

fn settings(pairs: &[(&str, &str)]) -> Settings {
    pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
}

fn check(kind: ClientKind, key: &str, value: &str, name: &str, expected: &str) {
    let (conf, ignored) = librdkafka_settings(kind, &settings(&[(key, value)]));
    let found = conf.iter().find(|(k, _)| k == name).map(|(_, v)| v.as_str());
    assert_eq!(found, Some(expected), "{key}={value}");
    assert_eq!(ignored, vec![], "{key}={value}");
}

#[test]
fn java_names_and_values_become_librdkafkas() {
    use ClientKind::{Admin, Consumer, Producer};
    for (kind, key, value, name, expected) in [
        (Admin, "bootstrap.servers", "a:1,b:2", "bootstrap.servers", "a:1,b:2"),
        (Producer, "security.protocol", "SASL_SSL", "security.protocol", "sasl_ssl"),
        (Producer, "sasl.mechanism", "SCRAM-SHA-512", "sasl.mechanisms", "SCRAM-SHA-512"),
        (Producer, "compression.type", "zstd", "compression.type", "zstd"),
        (Producer, "buffer.memory", "33554432", "queue.buffering.max.kbytes", "32768"),
        (Producer, "max.request.size", "5000000", "message.max.bytes", "5000000"),
        (Producer, "max.in.flight.requests.per.connection", "1", "max.in.flight", "1"),
        (Consumer, "fetch.max.wait.ms", "100", "fetch.wait.max.ms", "100"),
        (Consumer, "auto.offset.reset", "none", "auto.offset.reset", "error"),
        (Consumer, "receive.buffer.bytes", "-1", "socket.receive.buffer.bytes", "0"),
        (Consumer, "isolation.level", "read_committed", "isolation.level", "read_committed"),
        (
            Consumer,
            "partition.assignment.strategy",
            "org.apache.kafka.clients.consumer.RangeAssignor,org.apache.kafka.clients.consumer.CooperativeStickyAssignor",
            "partition.assignment.strategy",
            "range",
        ),
        (Consumer, "ssl.endpoint.identification.algorithm", "", "ssl.endpoint.identification.algorithm", "none"),
        (Consumer, "ssl.truststore.certificates", "PEM", "ssl.ca.pem", "PEM"),
    ] {
        check(kind, key, value, name, expected);
    }
}

#[test]
fn a_login_configuration_gives_user_and_password_and_is_never_quoted() {
    let text =
        r#"org.apache.kafka.common.security.plain.PlainLoginModule required username="ann" password="s\"e=c;ret";"#;
    let (conf, ignored) = librdkafka_settings(ClientKind::Consumer, &settings(&[("sasl.jaas.config", text)]));
    assert!(conf.contains(&("sasl.username".into(), "ann".into())));
    assert!(conf.contains(&("sasl.password".into(), "s\"e=c;ret".into())));
    assert_eq!(ignored, vec![]);
    let odd = r#"com.evil.Module required password="hunter2";"#;
    let (_, ignored) = librdkafka_settings(ClientKind::Consumer, &settings(&[("sasl.jaas.config", odd)]));
    assert_eq!(ignored.len(), 1);
    assert!(!ignored[0].reason.contains("hunter2"));
}

#[test]
fn what_deliveries_depend_on_cannot_be_changed() {
    let given = settings(&[("acks", "0"), ("enable.idempotence", "false"), ("delivery.timeout.ms", "1000")]);
    let (conf, ignored) = librdkafka_settings(ClientKind::Producer, &given);
    assert!(conf.contains(&("acks".into(), "all".into())));
    assert!(conf.contains(&("enable.idempotence".into(), "true".into())));
    assert!(conf.contains(&("message.timeout.ms".into(), "0".into())));
    assert_eq!(ignored.len(), 3);
    let (conf, ignored) = librdkafka_settings(ClientKind::Consumer, &settings(&[("enable.auto.commit", "true")]));
    assert!(conf.contains(&("enable.auto.commit".into(), "false".into())));
    assert_eq!(ignored.len(), 1);
}

#[test]
fn code_urls_and_strangers_have_no_effect_and_are_named() {
    let keys = [
        "sasl.oauthbearer.token.endpoint.url",
        "plugin.library.paths",
        "debug",
        "interceptor.classes",
        "key.converter",
        "value.deserializer",
        "ssl.engine.location",
    ];
    for key in keys {
        let (conf, ignored) = librdkafka_settings(ClientKind::Consumer, &settings(&[(key, "x")]));
        assert!(conf.iter().all(|(k, _)| k != key), "{key}");
        assert_eq!(ignored.len(), 1, "{key}");
    }
}

#[test]
fn contradicting_bounds_are_put_in_order() {
    let given =
        settings(&[("max.poll.interval.ms", "10000"), ("fetch.max.bytes", "1000"), ("reconnect.backoff.ms", "5000")]);
    let (conf, _) = librdkafka_settings(ClientKind::Consumer, &given);
    let of = |key: &str| conf.iter().find(|(k, _)| k == key).unwrap().1.parse::<i64>().unwrap();
    assert!(of("max.poll.interval.ms") >= of("session.timeout.ms"));
    assert!(of("fetch.max.bytes") >= 1_000_000);
    assert!(of("reconnect.backoff.max.ms") >= 5_000);
}

#[test]
fn the_client_takes_every_default() {
    for kind in [ClientKind::Producer, ClientKind::Consumer, ClientKind::Admin] {
        let (conf, ignored) = librdkafka_settings(kind, &Settings::new());
        assert_eq!(ignored, vec![]);
        crate::native::Conf::new(&conf).map(drop).unwrap();
    }
}
