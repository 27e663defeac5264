//! The doors of the REST API: several listeners, TLS, loggers of their own, who may call.
//!
//! Enters: workers with listeners as operators set them. Leaves: what comes through each door, and what does not.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use lockgate_tests::free_port;
use lockgate_tests::http::request;
use lockgate_tests::{Answer, Kafka, Worker, WorkerOptions, eventually};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::{Value, json};

type Issuer = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Issuer {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Certificate and key, PEM.
fn signed(authority: &Issuer) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    (params.signed_by(&key, authority).unwrap().pem(), key.serialize_pem())
}

/// GET over TLS; an error if the handshake, or the first read after it, fails.
fn get_tls(address: &str, path: &str, trust: &str, own: Option<&(String, String)>) -> std::io::Result<String> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(trust.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let builder = builder.with_root_certificates(roots);
    let config = match own {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
            builder.with_client_auth_cert(chain, key).unwrap()
        }
    };
    let client = ClientConnection::new(Arc::new(config), ServerName::try_from("127.0.0.1").unwrap()).unwrap();
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let mut stream = StreamOwned::new(client, stream);
    let head = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes())?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}

#[test]
fn https_listeners_ask_for_certificates_as_they_were_told_beside_plain_ones() {
    let kafka = Kafka::shared();
    let (authority, stranger) = (authority(), authority());
    let (server, client, other) = (signed(&authority), signed(&authority), signed(&stranger));
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_string_lossy().into_owned()
    };
    let keystore = file("server.pem", &format!("{}{}", server.1, server.0));
    let trust = file("ca.pem", &authority.pem());
    let (plain, secure) = (format!("127.0.0.1:{}", free_port()), format!("127.0.0.1:{}", free_port()));
    let options = WorkerOptions::default()
        .with("listeners", &format!("http://{plain},https://{secure}"))
        .with("listeners.https.ssl.keystore.type", "PEM")
        .with("listeners.https.ssl.keystore.location", &keystore)
        .with("listeners.https.ssl.truststore.type", "PEM")
        .with("listeners.https.ssl.truststore.location", &trust)
        .with("listeners.https.ssl.client.auth", "required");
    let mut worker = Worker::set_up(&kafka.bootstrap, options);
    worker.address = plain;
    worker.launch();
    worker.wait_ready();
    let answer = get_tls(&secure, "/health", &authority.pem(), Some(&client)).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains("healthy"), "{answer}");
    assert!(get_tls(&secure, "/health", &authority.pem(), None).is_err(), "no certificate");
    assert!(get_tls(&secure, "/health", &authority.pem(), Some(&other)).is_err(), "a stranger's certificate");
    assert!(!worker.log().contains("PRIVATE KEY"));
    worker.get("/health").expect(200);
}

#[test]
fn loggers_change_what_is_logged_and_say_when() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let put = |path: &str, body: &Value| worker.call("PUT", path, body);
    let message = |answer: Answer| answer.json()["message"].as_str().unwrap_or_default().to_owned();
    let all = worker.get("/admin/loggers").expect(200).json();
    assert_eq!(all["root"], json!({"level": "INFO", "last_modified": null}), "{all}");
    assert_eq!(all["lockgate_supervisor"]["level"], "INFO");

    worker.get("/connectors?seen").expect(200);
    eventually("calls are logged", || worker.log().contains("lockgate::access").then_some(()));
    let off = put("/admin/loggers/lockgate::access", &json!({"level": "off"})).expect(200);
    assert_eq!(off.json(), json!(["lockgate::access"]));
    worker.get("/connectors/unseen").expect(404);
    let on = put("/admin/loggers/lockgate::access?scope=worker", &json!({"level": "Info"})).expect(200);
    assert_eq!(on.json(), json!(["lockgate::access"]));
    worker.get("/connectors/seen-again").expect(404);
    eventually("calls are logged again", || worker.log().contains("/connectors/seen-again").then_some(()));
    assert!(!worker.log().contains("/connectors/unseen"), "OFF means off");

    assert_eq!(put("/admin/loggers/lockgate::access", &json!({"level": "INFO"})).expect(200).json(), json!([]));
    let one = worker.get("/admin/loggers/lockgate::access").expect(200).json();
    assert!(one["level"] == "INFO" && one["last_modified"].is_i64(), "{one}");
    put("/admin/loggers/org.apache.kafka?scope=cluster", &json!({"level": "DEBUG"})).expect(204);
    assert_eq!(worker.get("/admin/loggers/org.apache.kafka").expect(200).json()["level"], "DEBUG");
    let configs = kafka.topic_named(&worker.property("config.storage.topic"));
    let written: Vec<_> = configs.read().iter().map(|record| (record.key_text(), record.text())).collect();
    assert_eq!(written, [("logger-cluster-org.apache.kafka".to_owned(), r#"{"level":"DEBUG"}"#.to_owned())]);
    assert_eq!(message(worker.get("/admin/loggers/nobody").expect(404)), "Logger nobody not found.");
    let wrong = put("/admin/loggers/root", &json!({"level": "LOUD"})).expect(404);
    assert_eq!(message(wrong), "invalid log level 'LOUD'.");
    let none = put("/admin/loggers/root", &json!({})).expect(400);
    assert_eq!(message(none), "Desired 'level' parameter was not specified in request.");
}

#[test]
fn admin_listeners_take_the_loggers_away_from_the_others() {
    let kafka = Kafka::shared();
    let admin = format!("127.0.0.1:{}", free_port());
    let options = WorkerOptions::default().with("admin.listeners", &format!("http://{admin}"));
    let worker = Worker::start_with(&kafka.bootstrap, options);
    worker.get("/admin/loggers").expect(404);
    let at_admin = |path: &str| request(&admin, "GET", path, &[], b"").unwrap().status;
    assert_eq!((at_admin("/admin/loggers"), at_admin("/health"), at_admin("/connectors")), (200, 404, 404));
    let none = Worker::start_with(&kafka.bootstrap, WorkerOptions::default().with("admin.listeners", ""));
    none.get("/admin/loggers").expect(404);
    none.get("/connectors").expect(200);
}

#[test]
fn users_and_tokens_open_the_door_and_nothing_else_does() {
    let kafka = Kafka::shared();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_string_lossy().into_owned()
    };
    let extension = "org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension";
    let options = WorkerOptions::default()
        .with("rest.extension.classes", extension)
        .with("lockgate.rest.basic.file", &file("users", "ann=secret-of-ann\n"))
        .with("lockgate.rest.bearer.file", &file("tokens", "ci=token-of-ci\n"))
        .with("access.control.allow.origin", "https://console.example")
        .with("access.control.allow.methods", "GET,PUT")
        .with("response.http.headers.config", "set X-Frame-Options: DENY, add X-A: 1, add X-A: 2");
    let mut worker = Worker::set_up(&kafka.bootstrap, options);
    worker.launch();
    let get = |authorization: &str| {
        let given = [("authorization", authorization)];
        let headers = if authorization.is_empty() { &[][..] } else { &given[..] };
        request(&worker.address, "GET", "/connectors", headers, b"").ok()
    };
    let answer = eventually("the worker answers", || {
        get("Basic YW5uOnNlY3JldC1vZi1hbm4=").filter(|answer| answer.status == 200)
    });
    assert_eq!(answer.header("x-frame-options"), Some("DENY"));
    assert_eq!(answer.headers.iter().filter(|(name, _)| name == "x-a").count(), 2);
    assert_eq!(get("Bearer token-of-ci").unwrap().status, 200);
    for stranger in ["", "Basic YW5uOng=", "Bearer x", "token-of-ci"] {
        let refused = get(stranger).unwrap().expect(401);
        assert_eq!(refused.json(), json!({"error_code": 401, "message": "User cannot access the resource."}));
        assert!(refused.header("www-authenticate").is_some_and(|c| c.starts_with("Basic ")));
    }
    let asks = [("origin", "https://console.example"), ("access-control-request-method", "PUT")];
    let preflight = request(&worker.address, "OPTIONS", "/connectors", &asks, b"").unwrap().expect(200);
    assert_eq!(preflight.header("access-control-allow-origin"), Some("https://console.example"));
    assert_eq!(preflight.header("access-control-allow-methods"), Some("GET,PUT"));
    assert_eq!(preflight.header("access-control-max-age"), Some("60"));
    assert_eq!(preflight.header("vary"), Some("Origin"));
    let foreign = [("origin", "https://evil.example"), ("access-control-request-method", "PUT")];
    let refused = request(&worker.address, "OPTIONS", "/connectors", &foreign, b"").unwrap();
    assert_eq!((refused.status, refused.header("access-control-allow-origin")), (401, None));
    assert!(!worker.log().contains("secret-of-ann") && !worker.log().contains("token-of-ci"));
}

#[test]
fn requests_in_one_breath_are_answered_in_order() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let mut stream = TcpStream::connect(&worker.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let get = |path: &str, more: &str| format!("GET {path} HTTP/1.1\r\nhost: x\r\n{more}\r\n");
    let all = [get("/connectors", ""), get("/nothing", ""), get("/connectors/", "connection: close\r\n")].concat();
    stream.write_all(all.as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let codes: Vec<&str> = text.split("HTTP/1.1 ").skip(1).map(|answer| &answer[..3]).collect();
    assert_eq!(codes, ["200", "404", "200"], "{text}");
}
