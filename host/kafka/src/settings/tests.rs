//! Tests of the translation: enters Java's settings, leaves librdkafka's; invariant: nothing unsafe passes.
#![allow(clippy::unwrap_used)]
use super::*;

fn settings(pairs: &[(&str, &str)]) -> Settings {
    pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
}

fn becomes(kind: ClientKind, key: &str, value: &str, name: &str, expected: &str) {
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
        (Producer, "security.protocol", "SSL", "security.protocol", "ssl"),
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
    ] {
        becomes(kind, key, value, name, expected);
    }
}

const PLAIN: &str =
    r#"org.apache.kafka.common.security.plain.PlainLoginModule required username="ann" password="s\"e=c;ret";"#;
const SCRAM: &str =
    r#"org.apache.kafka.common.security.scram.ScramLoginModule required username="ann" password="hunter2";"#;
const OAUTH: &str = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required";
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE----- QUJD -----END CERTIFICATE-----";

fn sasl(mechanism: &str, jaas: &str) -> Settings {
    settings(&[("security.protocol", "SASL_SSL"), ("sasl.mechanism", mechanism), ("sasl.jaas.config", jaas)])
}

#[test]
fn a_login_configuration_becomes_librdkafkas_for_each_mechanism() {
    let unsecured = format!("{OAUTH} unsecuredLoginStringClaim_sub=\"ann\" unsecuredLoginLifetimeSeconds=\"60\";");
    let bare = format!("{OAUTH};");
    for (mechanism, jaas, more, key, value) in [
        ("PLAIN", PLAIN, None, "sasl.username", "ann"),
        ("PLAIN", PLAIN, None, "sasl.password", "s\"e=c;ret"),
        ("SCRAM-SHA-256", SCRAM, None, "sasl.password", "hunter2"),
        ("SCRAM-SHA-512", SCRAM, None, "sasl.mechanisms", "SCRAM-SHA-512"),
        ("OAUTHBEARER", &unsecured, None, "enable.sasl.oauthbearer.unsecure.jwt", "true"),
        ("OAUTHBEARER", &unsecured, None, "sasl.oauthbearer.config", "principalClaimName=sub principal=ann life=60"),
        ("OAUTHBEARER", &bare, Some("file:///var/token"), "sasl.oauthbearer.config", "file:/var/token"),
        ("PLAIN", PLAIN, None, "security.protocol", "sasl_ssl"),
    ] {
        let mut given = sasl(mechanism, jaas);
        given.extend(more.map(|url: &str| ("sasl.oauthbearer.token.endpoint.url".to_owned(), url.to_owned())));
        let (conf, ignored) = client_settings(ClientKind::Consumer, &given).unwrap();
        assert_eq!(conf.iter().find(|(k, _)| k == key).map(|(_, v)| v.as_str()), Some(value), "{mechanism}");
        assert_eq!(ignored, vec![], "{mechanism}");
    }
}

#[test]
fn a_login_that_cannot_be_made_is_an_error_that_says_what_to_do_and_no_secret() {
    let bare = format!("{OAUTH};");
    for (mechanism, jaas, expected) in [
        ("GSSAPI", "com.sun.security.auth.module.Krb5LoginModule required;", "SCRAM-SHA-512"),
        ("SCRAM-SHA-512", PLAIN, "needs the login module ScramLoginModule"),
        ("PLAIN", r#"PlainLoginModule required username="ann" passwort="hunter2";"#, "password="),
        ("PLAIN", r#"PlainLoginModule required username="ann" password="hunter2""#, "semicolon"),
        ("OAUTHBEARER", &bare, "unsecuredLoginStringClaim_sub"),
        ("NTLM", SCRAM, "must be PLAIN"),
    ] {
        let fault = check(ClientKind::Producer, &sasl(mechanism, jaas)).unwrap_err();
        assert!(fault.message.contains(expected) && !fault.message.contains("hunter2"), "{fault}");
        assert!(!fault.retriable);
    }
    let mut given = sasl("OAUTHBEARER", &bare);
    given.insert("sasl.oauthbearer.token.endpoint.url".into(), "https://id.example/token".into());
    assert!(check(ClientKind::Admin, &given).unwrap_err().message.contains("file:///"));
    let none = settings(&[("security.protocol", "SASL_PLAINTEXT")]);
    assert!(check(ClientKind::Admin, &none).unwrap_err().message.contains("GSSAPI"));
}

#[test]
fn certificates_are_taken_as_pem_and_java_stores_are_refused_with_the_way_to_convert_them() {
    let dir = tempfile::tempdir().unwrap();
    let store = |name: &str, bytes: &[u8]| {
        std::fs::write(dir.path().join(name), bytes).unwrap();
        dir.path().join(name).to_str().unwrap().to_owned()
    };
    let (pem, jks) = (store("a.pem", CERTIFICATE.as_bytes()), store("a.jks", &[0xfe, 0xed, 0xfe, 0xed]));
    let p12 = store("b.jks", &[0x30, 0x82, 0, 0]);
    let laid_out = "-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n";
    for (key, value, name, expected) in [
        ("ssl.truststore.certificates", CERTIFICATE, "ssl.ca.pem", laid_out),
        ("ssl.truststore.location", pem.as_str(), "ssl.ca.location", pem.as_str()),
        ("ssl.keystore.certificate.chain", CERTIFICATE, "ssl.certificate.pem", laid_out),
        ("ssl.keystore.location", &pem, "ssl.key.location", &pem),
        ("ssl.keystore.location", &p12, "ssl.keystore.location", &p12),
        ("ssl.endpoint.identification.algorithm", "", "ssl.endpoint.identification.algorithm", "none"),
    ] {
        let given = settings(&[("security.protocol", "SSL"), (key, value), ("ssl.truststore.type", "PEM")]);
        let (conf, _) = client_settings(ClientKind::Admin, &given).unwrap();
        assert_eq!(conf.iter().find(|(k, _)| k == name).map(|(_, v)| v.as_str()), Some(expected), "{key}");
    }
    for (key, value, expected) in [
        ("ssl.truststore.location", jks.as_str(), "keytool -list -rfc"),
        ("ssl.truststore.location", &p12, "keytool -list -rfc"),
        ("ssl.keystore.location", &jks, "keytool -importkeystore"),
        ("ssl.truststore.location", "/nowhere.pem", "/nowhere.pem cannot be read"),
        ("ssl.truststore.certificates", "MIIB", "must be PEM"),
    ] {
        let given = settings(&[("security.protocol", "SSL"), (key, value)]);
        let fault = check(ClientKind::Admin, &given).unwrap_err();
        assert!(fault.message.contains(expected) && fault.message.starts_with(key), "{fault}");
        assert_eq!(check(ClientKind::Admin, &settings(&[(key, value)])), Ok(()), "without TLS nothing is read");
    }
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
fn each_group_protocol_is_given_only_its_own_settings() {
    let both = [("session.timeout.ms", "6000"), ("heartbeat.interval.ms", "500"), ("group.remote.assignor", "uniform")];
    for (protocol, left_out) in [
        ("classic", &["group.remote.assignor"][..]),
        ("CONSUMER", &["session.timeout.ms", "heartbeat.interval.ms", "partition.assignment.strategy"]),
    ] {
        let (mut conf, ignored) = librdkafka_settings(
            ClientKind::Consumer,
            &settings(&[&both[..], &[("group.protocol", protocol)]].concat()),
        );
        assert_eq!(ignored, vec![]);
        assert!(left_out.iter().all(|key| conf.iter().all(|(k, _)| k != key)), "{protocol}");
        conf.push(("group.id".into(), "g".into()));
        let kind = rdkafka::bindings::rd_kafka_type_t::RD_KAFKA_CONSUMER;
        crate::native::Handle::new(kind, crate::native::Conf::new(&conf).unwrap()).map(drop).unwrap();
    }
}

#[test]
fn the_client_takes_every_default() {
    for kind in [ClientKind::Producer, ClientKind::Consumer, ClientKind::Admin] {
        let (conf, ignored) = librdkafka_settings(kind, &Settings::new());
        assert_eq!(ignored, vec![]);
        crate::native::Conf::new(&conf).map(drop).unwrap();
    }
}
