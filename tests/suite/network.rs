//! What a guest reaches over the network, against real servers on loopback.
//!
//! Enters: the guest `misbehaves`, grants. Leaves: what the servers saw, and what the connector's log says of a refusal.
//! The certificates in `tls/` are made for these tests: `server.pem` is for `localhost`, signed by `ca.pem`.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lockgate_model::package::Request;
use lockgate_tests::{Kafka, Worker, WorkerOptions, eventually, places};
use lockgate_wasm::{Compiler, Engine, EngineOptions, Policy};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::json;

use crate::contract::fixture::{Task, run};
use crate::misbehaviour::{bad, live_as_sink};

/// A server: reads up to the end of a question, keeps it, answers.
struct Server {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Lines over plain TCP.
    fn lines() -> Self {
        Self::serve("\n", "pong\n".to_owned(), None)
    }

    /// HTTP with this status and these headers.
    fn http(answer: &str, tls: Option<Arc<ServerConfig>>) -> Self {
        Self::serve("\r\n\r\n", format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"), tls)
    }

    fn serve(end: &'static str, answer: String, tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, heard) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(Vec::new())));
        let kept = Arc::clone(&heard);
        // Ends with the process: nobody is told when a test is over.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
                match &tls {
                    None => converse(stream, end, &answer, &kept),
                    Some(config) => {
                        let connection = ServerConnection::new(Arc::clone(config)).unwrap();
                        converse(StreamOwned::new(connection, stream), end, &answer, &kept);
                    }
                }
            }
        });
        Self { address, heard }
    }

    fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

fn converse(mut stream: impl Read + Write, end: &str, answer: &str, heard: &Mutex<Vec<String>>) {
    let (mut text, mut byte) = (String::new(), [0]);
    while !text.ends_with(end) {
        // A handshake that fails, or a client that hangs up, says nothing.
        let Ok(1) = stream.read(&mut byte) else { return };
        text.push(char::from(byte[0]));
    }
    heard.lock().unwrap().push(text);
    let _ = stream.write_all(answer.as_bytes()).and_then(|()| stream.flush());
}

fn tls_file(name: &str) -> PathBuf {
    places::root().join("tests/suite/tls").join(name)
}

fn certified() -> Arc<ServerConfig> {
    let chain = CertificateDer::pem_file_iter(tls_file("server.pem")).unwrap().map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_file(tls_file("server.key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Arc::new(versions.with_no_client_auth().with_single_cert(chain, key).unwrap())
}

/// A task that does this in `put`, and asks for TCP and HTTP to everywhere; what it gets is up to the policy.
fn task(what: &str, target: &str, policy: &Policy) -> Task {
    let mut task = bad("bad.Sink", what, "put", target);
    task.spec.limits.call = Duration::from_secs(20);
    (task.spec.grants, _) = policy.effective(&[Request::Tcp("*".into()), Request::Http("*".into())], &[]);
    task
}

fn tcp(hosts: &str, private: &str) -> Policy {
    Policy::parse("", hosts, "", "", private).unwrap()
}

fn http(hosts: &str, private: &str) -> Policy {
    Policy::parse(hosts, "", "", "", private).unwrap()
}

/// Does it; true if it worked.
fn works(task: &Task, what: &str) -> bool {
    run(live_as_sink(task)).unwrap();
    task.counted(&format!("bad_{what}")) > 0.5
}

fn says(task: &Task, words: &str) -> bool {
    task.lines.all().iter().any(|line| line.contains(words))
}

#[test]
fn a_granted_tcp_server_is_spoken_to_and_no_other() {
    let server = Server::lines();
    let address = server.address.to_string();
    let granted = task("talk", &address, &tcp(&address, ""));
    assert!(works(&granted, "talk"), "{:?}", granted.lines.all());
    assert!(says(&granted, "heard pong"), "{:?}", granted.lines.all());
    assert_eq!(server.heard(), ["ping\n"]);
    let (other, nothing) = (format!("127.0.0.1:{}", server.address.port() ^ 1), String::new());
    for policy in [tcp(&other, ""), tcp(&nothing, ""), tcp("localhost", "127.0.0.0/8")] {
        let refused = task("talk", &address, &policy);
        assert!(!works(&refused, "talk"), "{policy:?}");
        let line = format!("refused tcp {address}: no grant covers it");
        assert!(says(&refused, &line), "{:?}", refused.lines.all());
    }
    assert_eq!(server.heard().len(), 1, "only the first reached it");
}

#[test]
fn a_name_that_resolves_to_a_private_address_needs_the_range() {
    let server = Server::lines();
    let name = format!("localhost:{}", server.address.port());
    let refused = task("talk", &name, &tcp(&name, ""));
    assert!(!works(&refused, "talk"));
    assert!(says(&refused, "loopback address; a policy grants it"), "{:?}", refused.lines.all());
    assert_eq!(server.heard().len(), 0);
    let granted = task("talk", &name, &tcp(&name, "127.0.0.0/8, ::1"));
    assert!(works(&granted, "talk"), "{:?}", granted.lines.all());
    let unknown = task("talk", &name, &tcp("db.example.com", "127.0.0.0/8"));
    assert!(!works(&unknown, "talk"));
    assert!(says(&unknown, "refused to resolve localhost"), "{:?}", unknown.lines.all());
}

#[test]
fn a_private_certificate_is_trusted_only_if_the_worker_names_its_authority() {
    let server = Server::http("200 OK", Some(certified()));
    let port = server.address.port();
    let url = format!("https://localhost:{port}/");
    let policy = http("*", "127.0.0.0/8, ::1");
    let stranger = task("http", &url, &policy);
    assert!(!works(&stranger, "http"));
    assert!(says(&stranger, "lockgate.http.ca.file"), "{:?}", stranger.lines.all());
    let compiler = Compiler::Child { program: places::lockgate(), args: vec!["__compile".into()] };
    let (cache_dir, http_ca) = (Some(places::compile_cache()), Some(tls_file("ca.pem")));
    let options = EngineOptions { cache_dir, compiler, http_ca, ..EngineOptions::default() };
    let engine = run(async { Engine::new(options) }).unwrap();
    let package = run(engine.load(places::guest("misbehaves").into())).unwrap();
    let trusting = |url: &str| Task { package: Arc::clone(&package), ..task("http", url, &policy) };
    let known = trusting(&url);
    assert!(works(&known, "http"), "{:?}", known.lines.all());
    assert_eq!(server.heard().len(), 1);
    let other_name = trusting(&format!("https://127.0.0.1:{port}/"));
    assert!(!works(&other_name, "http"), "the certificate is for localhost, not for an address");
}

#[test]
fn a_worker_with_certificates_that_are_none_does_not_start() {
    let http_ca = Some(tls_file("server.key"));
    let refused = run(async { Engine::new(EngineOptions { http_ca, ..EngineOptions::default() }) }).map(drop);
    let text = refused.unwrap_err().to_string();
    assert!(text.contains("server.key") && text.contains("lockgate.http.ca.file"), "{text}");
}

#[test]
fn a_request_is_for_the_host_that_was_granted_and_a_redirect_is_not_followed() {
    let forbidden = Server::http("200 OK", None);
    let away = format!("302 Found\r\nlocation: http://{}/", forbidden.address);
    let server = Server::http(&away, None);
    let (address, url) = (server.address.to_string(), format!("http://{}/a?b", server.address));
    let policy = http(&address, "");
    let plain = task("http", &url, &policy);
    assert!(works(&plain, "http") && says(&plain, "status 302"), "{:?}", plain.lines.all());
    for trick in ["http-host", "http-split"] {
        let tricked = task(trick, &url, &policy);
        assert!(!works(&tricked, "http"), "{trick}: {:?}", tricked.lines.all());
    }
    for url in [
        format!("http://{address}@{}/", forbidden.address),
        format!("http://{}/", forbidden.address),
        format!("http://{address}#@{}/", forbidden.address),
        format!("http://{address}\\@{}/", forbidden.address),
    ] {
        works(&task("http", &url, &policy), "http");
    }
    let heads = server.heard();
    assert!(heads[0].contains(&format!("host: {address}\r\n")), "{heads:?}");
    assert!(heads.iter().all(|head| !head.contains("metadata")), "{heads:?}");
    assert_eq!(forbidden.heard().len(), 0, "nobody was led to it: {:?}", forbidden.heard());
}

#[test]
fn a_connector_reaches_the_tcp_server_that_its_worker_grants() {
    let (kafka, server) = (Kafka::shared(), Server::lines());
    let address = server.address.to_string();
    let topic = kafka.topic("reached", 1);
    topic.write(["x"]);
    let config = json!({
        "connector.class": "bad.Sink", "topics": topic.name, "tasks.max": "1",
        "do": "talk", "at": "put", "target": address, "reach": address,
    });
    let granting = WorkerOptions::default().with("lockgate.grants.tcp", &address);
    let worker = Worker::start_with(&kafka.bootstrap, granting);
    worker.upload(&places::guest("misbehaves")).expect(201);
    worker.create_running("reaches", config.clone());
    eventually("the server heard it", || (server.heard() == ["ping\n"]).then_some(()));
    let stingy = Worker::start(&kafka.bootstrap);
    stingy.upload(&places::guest("misbehaves")).expect(201);
    let answer = stingy.call("POST", "/connectors", &json!({"name": "reaches", "config": config}));
    let reason = if answer.status == 201 { stingy.wait_failed("reaches") } else { answer.text() };
    assert!(reason.contains(&address) && reason.contains("lockgate.grants.tcp"), "{reason}");
}
