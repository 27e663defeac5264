//! Logins and TLS against a real broker that wants them.
//!
//! Enters: a broker with `SASL_PLAINTEXT`, `SASL_SSL` and SSL listeners (see `support`). Leaves: proof that clients made of
//! Kafka's own property names write and read through each, and that a wrong login is told without its secret. Invariant:
//! no test passes without a broker; none skips.

use std::fs;
use std::sync::OnceLock;
use std::time::Duration;

use lockgate_kafka::{Admin, Producer, Settings, Topics};
use lockgate_model::ports::{Fetch, TopicCreation};

use crate::support::{Broker, Reader, SECRET, check_order, fresh, produce, runtime};

const MODULES: &str = "org.apache.kafka.common.security";

fn broker() -> &'static Broker {
    static SHARED: OnceLock<Broker> = OnceLock::new();
    // Never dropped: its watcher sees the end of this process.
    SHARED.get_or_init(Broker::start_secure)
}

fn plain(password: &str) -> String {
    format!("{MODULES}.plain.PlainLoginModule required username=\"ann\" password=\"{password}\";")
}

fn scram(password: &str) -> String {
    format!("{MODULES}.scram.ScramLoginModule required\n  username='ann'\n  password='{password}';")
}

fn oauth(options: &str) -> String {
    format!("{MODULES}.oauthbearer.OAuthBearerLoginModule required {options};")
}

fn given(port: u16, pairs: &[(&str, &str)]) -> Settings {
    let mut settings = Settings::new();
    settings.insert("bootstrap.servers".into(), broker().listener(port));
    settings.extend(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
    settings
}

fn sasl(port: u16, mechanism: &str, jaas: &str) -> Settings {
    let ca = broker().pem("ca.pem");
    let trust = [("ssl.truststore.type", "PEM"), ("ssl.truststore.location", ca.to_str().unwrap())];
    let protocol = if port == 2 { "SASL_PLAINTEXT" } else { "SASL_SSL" };
    let mut settings =
        given(port, &[("security.protocol", protocol), ("sasl.mechanism", mechanism), ("sasl.jaas.config", jaas)]);
    if port == 3 {
        settings.extend(trust.map(|(k, v)| (k.to_owned(), v.to_owned())));
    }
    settings
}

/// Makes a topic, writes to it and reads it with these settings.
async fn works(settings: &Settings) {
    let topic = fresh("secure");
    let creation = TopicCreation { create: true, partitions: 1, replication_factor: 1, config: Vec::new() };
    let admin = Admin::new(settings).unwrap();
    admin.wait_for_broker(Duration::from_secs(20)).await.unwrap();
    admin.ensure_topic(&topic, &creation).await.unwrap();
    let producer = Producer::new(settings).unwrap();
    produce(&producer, &topic, 1, 0..100, 100).await;
    let more: Vec<_> = settings.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    let mut reader = Reader::new(&settings["bootstrap.servers"], &fresh("g"), Topics::List(vec![topic]), &more);
    reader.until(|r| r.read.len() >= 100).await;
    check_order(&reader.read);
    reader.commit().await.unwrap();
    reader.consumer.close().await;
}

#[test]
fn passwords_log_in_under_each_mechanism_with_and_without_tls() {
    runtime().block_on(async {
        for port in [2, 3] {
            works(&sasl(port, "PLAIN", &plain(SECRET))).await;
            works(&sasl(port, "SCRAM-SHA-256", &scram(SECRET))).await;
            works(&sasl(port, "SCRAM-SHA-512", &scram(SECRET))).await;
        }
    });
}

#[test]
fn tokens_log_in_unsecured_and_from_a_file() {
    runtime().block_on(async {
        works(&sasl(2, "OAUTHBEARER", &oauth("unsecuredLoginStringClaim_sub=\"ann\""))).await;
        // {"alg":"none"} . {"sub":"ann","iat":1700000000,"exp":4000000000} . no signature
        let token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4iLCJpYXQiOjE3MDAwMDAwMDAsImV4cCI6NDAwMDAwMDAwMH0.";
        let file = broker().pem("token");
        fs::write(&file, format!("{token}\n")).unwrap();
        let mut settings = sasl(3, "OAUTHBEARER", &oauth(""));
        settings.insert("sasl.oauthbearer.token.endpoint.url".into(), format!("file://{}", file.display()));
        works(&settings).await;
    });
}

#[test]
fn client_certificates_log_in_from_files_and_from_text() {
    runtime().block_on(async {
        let path = |name: &str| broker().pem(name).to_str().unwrap().to_owned();
        // As a properties file gives it: one line.
        let text = |name: &str| fs::read_to_string(broker().pem(name)).unwrap().replace('\n', " ");
        let ssl = ("security.protocol", "SSL");
        let (ca, both) = (path("ca.pem"), path("client.both.pem"));
        let pem = [("ssl.truststore.type", "PEM"), ("ssl.keystore.type", "PEM")];
        let files = [ssl, pem[0], pem[1], ("ssl.truststore.location", &ca), ("ssl.keystore.location", &both)];
        works(&given(4, &files)).await;
        let (ca, chain, key) = (text("ca.pem"), text("client.pem"), text("client.key"));
        let texts = [
            ssl,
            ("ssl.truststore.certificates", ca.as_str()),
            ("ssl.keystore.certificate.chain", &chain),
            ("ssl.keystore.key", &key),
        ];
        works(&given(4, &texts)).await;
    });
}

#[test]
fn a_wrong_login_is_told_without_its_secret() {
    runtime().block_on(async {
        for (mechanism, jaas) in [("PLAIN", plain("hunter2")), ("SCRAM-SHA-512", scram("hunter2"))] {
            let admin = Admin::new(&sasl(2, mechanism, &jaas)).unwrap();
            let fault = admin.wait_for_broker(Duration::from_secs(10)).await.unwrap_err();
            assert!(fault.message.contains("uthentication"), "{mechanism}: {fault}");
            assert!(!fault.retriable, "{mechanism}: {fault:?}");
            assert!(!fault.message.contains("hunter2"), "{mechanism}: {fault}");
        }
        let untrusted = given(4, &[("security.protocol", "SSL")]);
        let fault = Admin::new(&untrusted).unwrap().wait_for_broker(Duration::from_secs(5)).await.unwrap_err();
        assert!(fault.message.contains("ssl.truststore"), "{fault}");
    });
}
