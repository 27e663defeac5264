//! The client against a server of the test's own: what is asked, in which order, and what answers mean.
#![allow(clippy::unwrap_used)]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use lockgate_convert::registry::{Denied, Draft, Frame, Offer, SchemaRegistry, SchemaType, Writing};
use lockgate_convert::{Converter, Endpoint, Role};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::{Allowed, ConnectError, Registries};

/// A server that answers in order, each request on a connection of its own.
struct Server {
    address: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn start(answers: &[(u16, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let seen = Arc::<Mutex<Vec<String>>>::default();
        let mut answers: VecDeque<(u16, String)> = answers.iter().map(|(s, b)| (*s, (*b).to_owned())).collect();
        let kept = Arc::clone(&seen);
        tokio::spawn(async move {
            while let (Ok((mut stream, _)), Some((status, body))) = (listener.accept().await, answers.pop_front()) {
                let mut request = Vec::new();
                loop {
                    let mut chunk = [0; 4096];
                    let count = stream.read(&mut chunk).await.unwrap();
                    request.extend_from_slice(&chunk[..count]);
                    let text = String::from_utf8_lossy(&request).into_owned();
                    let length = text.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next());
                    let length: usize = length.map_or(0, |length| length.parse().unwrap());
                    if text.split_once("\r\n\r\n").is_some_and(|(_, body)| body.len() >= length) || count == 0 {
                        break;
                    }
                }
                kept.lock().unwrap().push(String::from_utf8(request).unwrap());
                let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n", body.len());
                stream.write_all([head.as_bytes(), body.as_bytes()].concat().as_slice()).await.unwrap();
            }
        });
        Self { address, seen }
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

fn client(settings: &[(&str, &str)]) -> Arc<dyn SchemaRegistry> {
    let allowed = Allowed::new(&["*".to_owned()], Vec::new()).unwrap();
    connect(settings, allowed).unwrap()
}

fn converter(settings: &[(&str, &str)]) -> Converter {
    let quick = [("max.retries", "1"), ("retries.wait.ms", "1"), ("http.connect.timeout.ms", "2000")];
    let all = quick.iter().chain(settings).map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    Converter::configure("AvroConverter", &all.collect(), Role::Value).unwrap()
}

fn connect(settings: &[(&str, &str)], allowed: Allowed) -> Result<Arc<dyn SchemaRegistry>, ConnectError> {
    let converter = converter(settings);
    Registries::new(allowed).connect(&converter.registry_options().unwrap().connection, true)
}

fn offer(subject: &str, writing: Writing) -> Offer {
    let draft = Draft { schema_type: SchemaType::Avro, text: "\"int\"".into(), references: Vec::new(), record: None };
    Offer { subject: subject.into(), draft: Arc::new(draft), writing, normalize: false }
}

fn first_line(request: &str) -> &str {
    request.lines().next().unwrap()
}

#[tokio::test]
async fn a_schema_is_asked_for_once_and_brings_what_it_refers_to() {
    let server = Server::start(&[
        (200, r#"{"schema":"\"A\"","references":[{"name":"A","subject":"a/b c","version":3}]}"#),
        (200, r#"{"schema":"{}","id":9,"version":3,"subject":"a/b c"}"#),
    ])
    .await;
    let url = format!("http://user:p%40ss@{}/base/", server.address);
    let client = client(&[("schema.registry.url", &url)]);
    for _ in 0..2 {
        let found = client.find(&[Frame::Id(7)]).await.remove(0).unwrap();
        assert_eq!((found.id, &*found.text, found.schema_type), (7, "\"A\"", SchemaType::Avro));
        assert_eq!((found.referenced[0].name.as_str(), &*found.referenced[0].text), ("A", "{}"));
    }
    let seen = server.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!(first_line(&seen[0]), "GET /base/schemas/ids/7?fetchMaxId=false HTTP/1.1");
    assert_eq!(first_line(&seen[1]), "GET /base/subjects/a%2Fb%20c/versions/3 HTTP/1.1");
    assert!(seen[0].contains("authorization: Basic dXNlcjpwQHNz\r\n"), "{}", seen[0]);
}

#[tokio::test]
async fn registering_looking_up_and_the_latest_ask_what_the_api_wants() {
    let server = Server::start(&[
        (200, r#"{"id":4}"#),
        (200, r#"{"id":5,"version":2,"subject":"t-value","schema":"\"int\""}"#),
        (200, r#"{"id":6,"version":8,"schema":"\"long\""}"#),
        (200, r#"{"id":4,"version":11,"schema":"\"int\""}"#),
    ])
    .await;
    let url = format!("http://{}", server.address);
    let client = client(&[
        ("schema.registry.url", &url),
        ("bearer.auth.credentials.source", "STATIC_TOKEN"),
        ("bearer.auth.token", "t0k"),
    ]);
    let offers = [Writing::Register, Writing::Lookup, Writing::Latest].map(|writing| offer("t-value", writing));
    let mut ids = Vec::new();
    for offer in &offers {
        let found = client.offer(std::slice::from_ref(offer)).await.remove(0).unwrap();
        ids.push((found.id, found.text.to_string()));
    }
    let int = || "\"int\"".to_owned();
    assert_eq!(ids, [(4, int()), (5, int()), (6, "\"long\"".to_owned())]);
    let registered = client.offer(&offers[..1]).await.remove(0).unwrap();
    let versions = client.versions(&[("t-value".into(), registered)]).await;
    assert_eq!(versions, [Ok(Some(11))]);
    let seen = server.seen();
    let lines: Vec<&str> = seen.iter().map(|request| first_line(request)).collect();
    assert_eq!(
        lines,
        [
            "POST /subjects/t-value/versions?normalize=false HTTP/1.1",
            "POST /subjects/t-value?normalize=false&deleted=false HTTP/1.1",
            "GET /subjects/t-value/versions/latest HTTP/1.1",
            "POST /subjects/t-value?normalize=false&deleted=true HTTP/1.1",
        ]
    );
    assert!(seen[0].ends_with(r#"{"schema":"\"int\""}"#), "{}", seen[0]);
    assert!(seen[0].contains("authorization: Bearer t0k\r\n"));
    assert!(seen[0].contains("content-type: application/vnd.schemaregistry.v1+json\r\n"));
}

#[tokio::test]
async fn a_refusal_is_the_records_fault_and_trouble_is_nobodys() {
    let table = [
        (404, r#"{"error_code":40403,"message":"Schema not found"}"#, Err("registry.not-found")),
        (401, "", Err("registry.unauthorized")),
        (403, "<html>", Err("registry.forbidden")),
        (409, r#"{"error_code":40901,"message":"incompatible"}"#, Err("registry.incompatible")),
        (422, r#"{"error_code":42201,"message":"bad"}"#, Err("registry.invalid")),
        (301, "", Err("registry.refused")),
        (200, "no JSON", Err("registry.answer")),
        (429, "", Ok("registry.busy")),
        (408, "", Ok("registry.busy")),
        (503, r#"{"error_code":50002,"message":"late"}"#, Ok("registry.busy")),
    ];
    for (status, body, expected) in table {
        // One repeat: trouble is asked about twice.
        let server = Server::start(&[(status, body), (status, body)]).await;
        let client = client(&[("schema.registry.url", &format!("http://{}", server.address))]);
        let found = match client.find(&[Frame::Id(1)]).await.remove(0).unwrap_err() {
            Denied::Refused(fault) => Err(fault.code),
            Denied::Unavailable(why) => Ok(why.code),
        };
        assert_eq!(found, expected, "{status}");
        assert_eq!(server.seen().len(), if expected.is_ok() { 2 } else { 1 }, "{status}");
    }
}

#[tokio::test]
async fn the_next_endpoint_is_asked_where_one_is_away() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let server = Server::start(&[(200, r#"{"schema":"\"int\""}"#), (200, r#"{"schema":"\"int\""}"#)]).await;
    let urls = format!("http://{gone}, http://{}", server.address);
    let client = client(&[("schema.registry.url", &urls)]);
    for id in 1..3 {
        assert!(client.find(&[Frame::Id(id)]).await.remove(0).is_ok());
    }
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn an_answer_that_does_not_come_or_does_not_end_is_trouble() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let silent = client(&[("schema.registry.url", &url), ("http.read.timeout.ms", "50"), ("max.retries", "0")]);
    let Err(Denied::Unavailable(why)) = silent.find(&[Frame::Id(1)]).await.remove(0) else { panic!("it answered") };
    assert_eq!(why.code, "registry.timeout");
    let huge = format!("{{\"schema\":\"{}\"}}", "x".repeat(crate::exchange::ANSWER_BYTES_MAX));
    let server = Server::start(&[(200, &huge)]).await;
    let url = format!("http://{}", server.address);
    let client = client(&[("schema.registry.url", &url), ("max.retries", "0"), ("http.read.timeout.ms", "60000")]);
    let Err(Denied::Unavailable(why)) = client.find(&[Frame::Id(1)]).await.remove(0) else { panic!("it was taken") };
    assert!(why.message.contains("more than 8388608 bytes"), "{}", why.message);
}

#[tokio::test]
async fn addresses_are_checked_where_nobody_who_runs_the_worker_named_the_host() {
    let settings =
        [("schema.registry.url", "http://169.254.169.254"), ("max.retries", "0"), ("http.connect.timeout.ms", "300")];
    let Err(Denied::Unavailable(why)) = client(&settings).find(&[Frame::Id(1)]).await.remove(0) else {
        panic!("it was reached")
    };
    assert!(why.message.contains("is a link-local address"), "{}", why.message);
}

#[test]
fn only_allowed_registries_may_be_named() {
    let of =
        |url: &str| converter(&[("schema.registry.url", url)]).registry_options().unwrap().connection.endpoints.clone();
    let patterns = ["registry.example", "http://b:8081", "*.corp:443"].map(str::to_owned);
    let trusted: Vec<Endpoint> = of("https://own:9");
    let allowed = Allowed::new(&patterns, trusted).unwrap();
    for url in [
        "http://registry.example",
        "https://Registry.Example:1",
        "http://b:8081/path",
        "https://x.corp",
        "https://own:9",
        "mock://s",
    ] {
        assert_eq!(allowed.check(&of(url)), Ok(()), "{url}");
    }
    for url in [
        "http://registry.example.org",
        "https://b:8081",
        "http://b",
        "https://corp",
        "http://x.corp",
        "http://own:9",
        "http://registry.example,http://c",
    ] {
        let refused = allowed.check(&of(url)).unwrap_err().to_string();
        assert!(refused.contains("lockgate.registry.allowed.urls"), "{url}");
    }
    let refused = allowed.check(&of("http://user:secret@c")).unwrap_err().to_string();
    assert!(!refused.contains("secret"), "{refused}");
    for bad in ["ftp://a", "*", "a b", "a:port", "*.*"] {
        assert_eq!(Allowed::new(&[bad.to_owned()], Vec::new()).is_ok(), bad == "*", "{bad}");
    }
}

#[tokio::test]
async fn equal_connections_share_a_client_and_a_scope_of_mock_is_one_registry() {
    let registries = Registries::new(Allowed::new(&["*".to_owned()], Vec::new()).unwrap());
    let of = |url: &str| converter(&[("schema.registry.url", url)]).registry_options().unwrap().connection.clone();
    let [a, b] = [of("http://a"), of("http://a")].map(|connection| registries.connect(&connection, true).unwrap());
    assert!(Arc::ptr_eq(&a, &b));
    let mock = of("mock://scope");
    let id =
        registries.connect(&mock, true).unwrap().offer(&[offer("s", Writing::Register)]).await.remove(0).unwrap().id;
    assert!(registries.connect(&mock, true).unwrap().find(&[Frame::Id(id)]).await.remove(0).is_ok());
    assert!(registries.connect(&of("mock://other"), true).unwrap().find(&[Frame::Id(id)]).await.remove(0).is_err());
    assert!(matches!(registries.connect(&of("mock://a,http://b"), true), Err(ConnectError::Mock)));
}

#[test]
fn certificates_that_cannot_be_read_are_said_at_once() {
    let allowed = || Allowed::new(&["*".to_owned()], Vec::new()).unwrap();
    let tls = |key: &str, value: &str| {
        let key = format!("schema.registry.ssl.{key}");
        connect(&[("schema.registry.url", "https://a"), (&key, value)], allowed()).unwrap_err().to_string()
    };
    assert!(tls("truststore.certificates", "none").contains("BEGIN CERTIFICATE"));
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("empty.pem");
    std::fs::write(&file, "none").unwrap();
    let allowed = allowed().with_folders(&[dir.path().to_string_lossy().into_owned()]);
    let settings =
        [("schema.registry.url", "https://a"), ("schema.registry.ssl.truststore.location", file.to_str().unwrap())];
    let refused = connect(&settings, allowed).unwrap_err().to_string();
    assert!(refused.contains("truststore.location") && refused.contains("BEGIN CERTIFICATE"), "{refused}");
}

#[test]
fn connectors_name_files_only_below_the_folders_that_the_worker_grants() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_string_lossy().into_owned();
    for name in ["granted/deeper", "granted-not"] {
        std::fs::create_dir_all(path(name)).unwrap();
    }
    for name in ["granted/ca.pem", "granted/deeper/ca.pem", "granted-not/ca.pem"] {
        std::fs::write(path(name), "pem").unwrap();
    }
    std::os::unix::fs::symlink(path("granted-not/ca.pem"), path("granted/link.pem")).unwrap();
    let none = Allowed::new(&["*".to_owned()], Vec::new()).unwrap();
    let allowed = none.clone().with_folders(&[path("granted")]);
    let tls = |key: &str, value: String| vec![(key.to_owned(), value)];
    for name in ["granted/ca.pem", "granted/deeper/../ca.pem", "granted/deeper/ca.pem"] {
        assert_eq!(allowed.check_files(&tls("truststore.location", path(name))), Ok(()), "{name}");
        assert!(none.check_files(&tls("truststore.location", path(name))).is_err(), "{name}");
    }
    let outside =
        ["granted-not/ca.pem", "granted/../granted-not/ca.pem", "granted/link.pem", "granted/none.pem", "granted"];
    for name in outside {
        let refused = allowed.check_files(&tls("keystore.location", path(name))).unwrap_err();
        assert_eq!(refused.setting, "keystore.location");
        assert!(refused.to_string().contains("lockgate.registry.allowed.paths"), "{name}: {refused}");
    }
    assert_eq!(none.check_files(&tls("truststore.certificates", "text".to_owned())), Ok(()));
}
