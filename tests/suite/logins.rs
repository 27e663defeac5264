//! A worker on a cluster that wants logins and TLS, with Kafka Connect's property names.
//!
//! Enters: a broker with `SASL_PLAINTEXT`, `SASL_SSL` and SSL listeners. Leaves: records through it, each kind of client by a way of
//! its own; clear words where a login is refused or cannot be made. Invariant: no secret in the log.

use std::fs;

use lockgate_tests::{Kafka, Worker, WorkerOptions, eventually_equal};

use crate::configs::{file_sink, file_source, lines, numbers};

/// As `kafka.sh` sets it.
const SECRET: &str = "sesame;open=1";
const MODULES: &str = "org.apache.kafka.common.security";

fn scram(password: &str) -> String {
    format!("{MODULES}.scram.ScramLoginModule required username=\"ann\" password=\"{password}\";")
}

#[test]
fn producers_consumers_and_the_worker_itself_log_in_each_in_its_own_way() {
    let kafka = Kafka::start_secure();
    let topic = kafka.topic("secure", 1);
    let plain = format!("{MODULES}.plain.PlainLoginModule required username=\"ann\" password=\"{SECRET}\";");
    let options = WorkerOptions::default()
        .with("security.protocol", "SASL_SSL")
        .with("sasl.mechanism", "SCRAM-SHA-512")
        .with("sasl.jaas.config", &scram(SECRET))
        .with("ssl.truststore.type", "PEM")
        .with("ssl.truststore.location", &kafka.pem("ca.pem"))
        .with("producer.bootstrap.servers", &kafka.listener(2))
        .with("producer.security.protocol", "SASL_PLAINTEXT")
        .with("producer.sasl.mechanism", "PLAIN")
        .with("producer.sasl.jaas.config", &plain)
        .with("consumer.bootstrap.servers", &kafka.listener(4))
        .with("consumer.security.protocol", "SSL")
        .with("consumer.ssl.keystore.type", "PEM")
        .with("consumer.ssl.keystore.location", &kafka.pem("client.both.pem"));
    let worker = Worker::start_with(&kafka.listener(3), options);
    fs::write(worker.path("in.txt"), numbers(0..50).join("\n") + "\n").unwrap();
    worker.create_running("in", file_source(&worker.path_text("in.txt"), &topic.name));
    worker.create_running("out", file_sink(&topic.name, &worker.path_text("out.txt")));
    eventually_equal("all lines", &numbers(0..50), || lines(&worker.path("out.txt")));
    assert!(!worker.log().contains("sesame"), "a secret is in the log");
}

#[test]
fn a_login_that_is_refused_or_cannot_be_made_ends_the_worker_with_a_clear_word() {
    let kafka = Kafka::start_secure();
    let sasl = || WorkerOptions::default().with("security.protocol", "SASL_PLAINTEXT");
    let scram_with =
        |password: &str| sasl().with("sasl.mechanism", "SCRAM-SHA-256").with("sasl.jaas.config", &scram(password));
    let store = tempfile::NamedTempFile::new().unwrap();
    fs::write(store.path(), [0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2]).unwrap();
    let jks = WorkerOptions::default()
        .with("security.protocol", "SSL")
        .with("ssl.truststore.location", &store.path().to_string_lossy());
    let prefixed = scram_with(SECRET).with("producer.sasl.jaas.config", &scram("hunter2"));
    for (options, expected) in [
        (scram_with("hunter2"), "sasl.jaas.config"),
        (prefixed, "sasl.jaas.config"),
        (sasl().with("sasl.mechanism", "GSSAPI"), "SCRAM-SHA-512"),
        (jks, "keytool"),
    ] {
        let mut worker = Worker::set_up(&kafka.listener(2), options);
        worker.launch();
        assert!(!worker.wait_end().success());
        assert!(worker.log().contains(expected), "{expected} is not in\n{}", worker.log());
        assert!(!worker.log().contains("hunter2") && !worker.log().contains("sesame"), "a secret is in the log");
    }
}
