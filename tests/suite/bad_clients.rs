//! Clients that crowd, dawdle or send nonsense.
//!
//! Enters: many requests at once, connections that never finish, bodies that claim or nest too much. Leaves: one test for each.
//! Invariant: each ends in bounded time and memory with a 4xx or a closed connection, and others are served meanwhile.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use lockgate_tests::http::request;
use lockgate_tests::{Answer, Kafka, Worker, WorkerOptions};
use serde_json::{Value, json};

use crate::configs::{blackhole, with};

/// Clients at the same time.
const CROWD: usize = 50;

/// Connections that never finish what they began.
const DAWDLERS: usize = 600;

/// Within this an honest request is answered while others misbehave, on a machine that does other things besides.
const SOON: Duration = Duration::from_secs(15);

/// What the worker may grow by while it is sent nonsense.
const GROWTH_BYTES_MAX: u64 = 64 << 20;

/// All at once: `count` calls, each on a thread of its own.
fn crowd<T: Send>(count: usize, call: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let barrier = Barrier::new(count);
    std::thread::scope(|scope| {
        let start = |number| {
            let (barrier, call) = (&barrier, &call);
            scope.spawn(move || {
                barrier.wait();
                call(number)
            })
        };
        let threads: Vec<_> = (0..count).map(start).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

#[test]
fn of_fifty_clients_with_one_name_one_wins_and_its_config_stays() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("crowd", 1);
    let config = |number: usize| with(blackhole(&topic.name), &[("note", &format!("by {number}"))]);
    let answers =
        crowd(CROWD, |number| worker.call("POST", "/connectors", &json!({"name": "one", "config": config(number)})));
    let winners: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 201).collect();
    assert_eq!(winners.len(), 1, "{:?}", answers.iter().map(|a| a.status).collect::<Vec<_>>());
    for loser in answers.iter().filter(|answer| answer.status != 201) {
        let message = loser.json()["message"].as_str().unwrap_or_default().to_owned();
        let told = message == "Connector one already exists" || message.contains("other operations on connector one");
        assert!(loser.status == 409 && told, "{} {message}", loser.status);
    }
    assert_eq!(worker.get("/connectors/one/config").json(), winners[0].json()["config"]);
    assert_eq!(worker.get("/connectors").json(), json!(["one"]));
    worker.wait_running("one");

    let update = |number: usize| with(config(number), &[("again", &format!("by {number}"))]);
    let updates = crowd(CROWD, |number| worker.call("PUT", "/connectors/one/config", &update(number)));
    assert!(updates.iter().any(|answer| answer.status == 200), "{updates:?}");
    assert!(updates.iter().all(|answer| matches!(answer.status, 200 | 409)), "{updates:?}");
    let left = worker.get("/connectors/one/config").json();
    assert_eq!(left["note"], left["again"], "what is left was sent by one client");
    let deletes = crowd(CROWD, |_| worker.delete("/connectors/one").status);
    assert_eq!(deletes.iter().filter(|status| **status == 204).count(), 1, "{deletes:?}");
    assert!(deletes.iter().all(|status| matches!(status, 204 | 404 | 409)), "{deletes:?}");
}

#[test]
fn hundreds_of_clients_that_never_finish_harm_no_one() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("dawdle", 1);
    let begun = [
        "",
        "GET",
        "GET /connectors HTTP/1.1\r\nhost: x\r\n",
        "POST /connectors HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 4000\r\n\r\n{\"name\":",
        "PUT /connectors/x/config HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nfff\r\n{",
    ];
    let open = |number: usize| {
        let mut stream = TcpStream::connect(&worker.address).unwrap();
        stream.write_all(begun[number % begun.len()].as_bytes()).unwrap();
        stream
    };
    let dawdlers: Vec<TcpStream> = (0..DAWDLERS).map(open).collect();
    let began = Instant::now();
    worker.create_running("honest", blackhole(&topic.name));
    for _ in 0..20 {
        worker.get("/health").expect(200);
        worker.get("/connectors?expand=status").expect(200);
    }
    worker.delete("/connectors/honest").expect(204);
    assert!(began.elapsed() < SOON * 2, "{:?}", began.elapsed());
    drop(dawdlers);
    worker.get("/health").expect(200);
}

/// Sends bytes one by one, as long as anybody takes them.
fn dribble(stream: &mut TcpStream, bytes: &[u8], end: Instant) {
    for byte in bytes.iter().cycle() {
        if Instant::now() > end || stream.write_all(&[*byte]).is_err() {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn whoever_dribbles_headers_or_bodies_gives_way_when_all_places_are_taken() {
    let kafka = Kafka::shared();
    let places = 40;
    let options = WorkerOptions::default().with("lockgate.limits.rest.connections.max", &places.to_string());
    let worker = Worker::start_with(&kafka.bootstrap, options);
    let end = Instant::now() + SOON * 3;
    let body =
        "POST /connectors HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000000\r\n\r\n";
    for head in ["GET /connectors HTTP/1.1\r\nhost: x\r\nx-more: ", body] {
        let dribblers: Vec<TcpStream> = (0..places * 2)
            .map(|_| {
                let mut stream = TcpStream::connect(&worker.address).unwrap();
                stream.set_write_timeout(Some(SOON)).unwrap();
                let _ = stream.write_all(head.as_bytes()); // it may have had to go already
                stream
            })
            .collect();
        let (honest, hung_up) = std::thread::scope(|scope| {
            for stream in dribblers.iter().take(10) {
                let mut stream = stream.try_clone().unwrap();
                scope.spawn(move || dribble(&mut stream, b"x", end.min(Instant::now() + SOON)));
            }
            let began = Instant::now();
            for _ in 0..5 {
                worker.get("/connectors").expect(200);
            }
            let honest = began.elapsed();
            let is_closed = |stream: &&TcpStream| {
                stream.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
                matches!((&mut &**stream).read(&mut [0; 1]), Ok(0)) || stream.take_error().is_ok_and(|e| e.is_some())
            };
            (honest, dribblers.iter().filter(is_closed).count())
        });
        assert!(honest < SOON, "{honest:?} among those that begin with {head}");
        assert!(hung_up > 0, "nobody had to go");
    }
}

/// Sends bytes as they are; the status of the answer, or none if the connection was closed without one.
fn raw(address: &str, bytes: &[u8]) -> Option<u16> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    stream.set_write_timeout(Some(SOON)).unwrap();
    let _ = stream.write_all(bytes); // it may be refused before it was all sent
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    while !answer.windows(4).any(|w| w == b"\r\n\r\n") {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => answer.extend_from_slice(&buffer[..n]),
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                panic!("no answer in {SOON:?}")
            }
            Err(_) => break,
        }
    }
    std::str::from_utf8(answer.get(9..12)?).ok()?.parse().ok()
}

#[test]
fn nonsense_below_http_is_refused_or_hung_up_on() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let long = "x".repeat(1 << 20);
    let many = "a: b\r\n".repeat(5000);
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("no HTTP", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n".to_vec()),
        ("NUL in a header", b"GET / HTTP/1.1\r\nhost: \0\r\n\r\n".to_vec()),
        ("another version", b"GET / HTTP/9.9\r\nhost: x\r\n\r\n".to_vec()),
        ("a length that is none", b"POST /connectors HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n".to_vec()),
        (
            "two lengths",
            b"POST /connectors HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}".to_vec(),
        ),
        (
            "a chunk that is none",
            b"POST /connectors HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n".to_vec(),
        ),
        (
            "a chunk beyond 64 bit",
            b"POST /connectors HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n".to_vec(),
        ),
        ("a long path", format!("GET /{long} HTTP/1.1\r\nhost: x\r\n\r\n").into_bytes()),
        ("a long header", format!("GET / HTTP/1.1\r\nhost: x\r\nx: {long}\r\n\r\n").into_bytes()),
        ("many headers", format!("GET / HTTP/1.1\r\nhost: x\r\n{many}\r\n").into_bytes()),
        (
            "a wrong upgrade",
            b"GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: h2c\r\naccept: text/html\r\n\r\n".to_vec(),
        ),
    ];
    for (what, bytes) in cases {
        let status = raw(&worker.address, &bytes);
        assert!(status.is_none_or(|status| (400..500).contains(&status)), "{what}: {status:?}");
        worker.get("/health").expect(200);
    }
}

#[test]
fn bodies_beyond_all_measure_are_refused_in_bounded_time_and_memory() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("measure", 1);
    let sink = |key: &str, value: &str| {
        let fields = format!(r#""connector.class":"lockgate.BlackholeSink","topics":"{}""#, topic.name);
        format!(r#"{{"name":"a","config":{{{fields},"{key}":{value}}}}}"#)
    };
    let nested = |open: &str, close: &str, levels: usize| format!("{}1{}", open.repeat(levels), close.repeat(levels));
    let cases: Vec<(&str, &str, String)> = vec![
        ("beyond the limit", "/connectors", sink("x", &format!("\"{}\"", "x".repeat(5 << 20)))),
        ("100,000 lists deep", "/connectors", nested("[", "]", 100_000)),
        ("400,000 objects deep", "/connectors", nested("{\"a\":", "}", 400_000)),
        ("a value 100,000 lists deep", "/connectors", sink("x", &nested("[", "]", 100_000))),
        ("unfinished, 1,000,000 deep", "/connectors", "[".repeat(1_000_000)),
        ("the same field twice", "/connectors", r#"{"name":"a","name":"b","config":{}}"#.to_owned()),
        ("a number beyond 64 bit", "/connectors", sink("tasks.max", "123456789012345678901234567890")),
        ("a number beyond all", "/connectors", sink("tasks.max", "1e999999999")),
        ("a long number", "/connectors", sink("tasks.max", &"9".repeat(1 << 20))),
        ("a broken surrogate", "/connectors", sink("x", r#""\ud800""#)),
        ("100,000 unknown fields", "/connectors", format!("{{{}}}", field_list(100_000))),
    ];
    worker.get("/connectors").expect(200);
    let before = worker.resident_bytes();
    for (what, path, body) in cases {
        let began = Instant::now();
        let headers = [("content-type", "application/json")];
        let answer = request(&worker.address, "POST", path, &headers, body.as_bytes()).unwrap();
        assert!((400..500).contains(&answer.status), "{what}: {} {:.300}", answer.status, answer.text());
        assert!(answer.json()["message"].is_string(), "{what}: {:.300}", answer.text());
        assert!(answer.body.len() < body.len() + 2048, "{what}: the answer has {} bytes", answer.body.len());
        assert!(began.elapsed() < SOON, "{what}: {:?}", began.elapsed());
    }
    let after = worker.resident_bytes();
    assert!(after < before + GROWTH_BYTES_MAX, "{before} bytes before, {after} after");
    assert_eq!(worker.get("/connectors").json(), json!([]));
}

fn field_list(count: usize) -> String {
    (0..count).map(|number| format!("\"f{number}\":{number}")).collect::<Vec<_>>().join(",")
}

#[test]
fn a_body_without_an_announced_length_is_bounded_too() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let mut bytes =
        b"POST /connectors HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
            .to_vec();
    for _ in 0..80 {
        bytes.extend_from_slice(b"10000\r\n");
        bytes.extend_from_slice(&[b' '; 0x1_0000]);
        bytes.extend_from_slice(b"\r\n");
    }
    assert_eq!(raw(&worker.address, &bytes), Some(413));
    assert_eq!(worker.call("PUT", "/connectors/x/config", &Value::Null).status, 400);
}
