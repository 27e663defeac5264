//! Uploads: every kind of bytes that is not a package is told what it is; a package runs within a second.
//!
//! Enters: bytes. Leaves: status codes and texts, and a running connector.

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use lockgate_tests::http::request;
use lockgate_tests::{Kafka, Worker, eventually, places};
use serde_json::json;

/// A guest of `tests/guests` that behaves, has a sink and is not among the bundled packages.
pub const GOOD: &str = "reference";

/// `\0asm`, then version and layer of a component.
const COMPONENT: [u8; 8] = [0, b'a', b's', b'm', 0x0d, 0, 1, 0];

/// A component that imports an interface of this name and does nothing.
fn importing(name: &str) -> Vec<u8> {
    let mut bytes = COMPONENT.to_vec();
    bytes.extend([0x07, 3, 1, 0x42, 0]); // one type: an instance with nothing in it
    let mut import = vec![1, 0, u8::try_from(name.len()).unwrap()];
    import.extend(name.as_bytes());
    import.extend([0x05, 0]);
    bytes.extend([0x0a, u8::try_from(import.len()).unwrap()]);
    bytes.extend(import);
    bytes
}

/// The same package with a custom section at its end: other bytes, same name and version.
fn with_other_bytes(package: &[u8]) -> Vec<u8> {
    [package, &[0, 6, 5, b'o', b't', b'h', b'e', b'r']].concat()
}

#[test]
fn what_is_not_a_package_is_told_what_it_is_instead() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let package = places::guest(GOOD);
    let truncated = package[..package.len() / 2].to_vec();
    let cases: [(&str, Vec<u8>, &[&str]); 9] = [
        ("nothing", Vec::new(), &["empty"]),
        ("text", b"connector.class=FileStreamSink\n".to_vec(), &["not WebAssembly", "text"]),
        ("a zip file", b"PK\x03\x04rest of a jar".to_vec(), &["not WebAssembly"]),
        ("a core module", vec![0, b'a', b's', b'm', 1, 0, 0, 0], &["core module"]),
        ("half a package", truncated, &["ends at byte"]),
        ("only the first eight bytes", COMPONENT.to_vec(), &["does not export"]),
        ("a component with unknown imports", importing("evil:host/steal@1.0.0"), &["evil:host/steal@1.0.0"]),
        ("a component of another world version", importing("lockgate:connect/log@9.9.0"), &["9.9", "0.1"]),
        ("garbage behind the magic number", [&COMPONENT[..], &[0xff; 40]].concat(), &["not valid"]),
    ];
    for (what, bytes, words) in cases {
        let answer = worker.upload(&bytes);
        assert!((400..500).contains(&answer.status), "{what}: {} {}", answer.status, answer.text());
        let message = answer.json()["message"].as_str().unwrap_or_default().to_owned();
        assert!(words.iter().all(|w| message.contains(w)), "{what}: {message}");
        assert_eq!(answer.json()["error_code"], answer.status, "{what}");
    }
    let names: Vec<String> =
        worker.get("/packages").json().as_array().unwrap().iter().map(|p| p["name"].to_string()).collect();
    assert!(!names.iter().any(|n| n.contains("reference")), "nothing of it was kept: {names:?}");
}

#[test]
fn a_body_beyond_the_limit_is_refused_before_it_is_read() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let answer = worker.upload(&vec![0; (64 << 20) + 1]).expect(413);
    assert!(answer.text().contains("at most"), "{}", answer.text());
}

#[test]
fn an_upload_is_new_once_the_same_after_and_a_conflict_when_it_differs() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let package = places::guest(GOOD);
    let first = worker.upload(&package).expect(201).json();
    for field in ["name", "version", "digest", "plugins", "imports"] {
        assert!(!first[field].is_null(), "{field} is missing: {first}");
    }
    let plugin = &first["plugins"][0];
    for field in ["class", "type", "config", "requests"] {
        assert!(!plugin[field].is_null(), "{field} is missing: {plugin}");
    }
    let again = worker.upload(&package).expect(200).json();
    assert_eq!(again["digest"], first["digest"]);
    let conflict = worker.upload(&with_other_bytes(&package)).expect(409);
    assert!(conflict.text().contains(first["name"].as_str().unwrap()), "{}", conflict.text());
}

#[test]
fn a_connector_runs_within_a_second_of_its_packages_upload() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("fresh", 1);
    let view = worker.upload(&places::guest(GOOD)).expect(201).json();
    let plugins = view["plugins"].as_array().unwrap();
    let class = plugins.iter().find(|p| p["type"] == "sink").unwrap()["class"].clone();
    let began = Instant::now();
    worker.create_running("fresh", json!({"connector.class": class, "topics": topic.name, "tasks.max": "1"}));
    // Generous: the figure itself is in tests/bench. This fails when something waits that should not.
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[test]
fn an_upload_whose_turn_does_not_come_is_told_to_try_again() {
    let worker = Worker::start(&Kafka::shared().bootstrap);
    let head = "POST /packages HTTP/1.1\r\nhost: x\r\ncontent-type: application/wasm\r\ncontent-length: 9\r\n\r\n";
    let slow: Vec<TcpStream> = (0..4)
        .map(|_| {
            let mut stream = TcpStream::connect(&worker.address).unwrap();
            stream.write_all(head.as_bytes()).unwrap();
            stream
        })
        .collect();
    eventually("all turns are taken", || {
        // Each turn waits for its body, so a worker that was asked four times has none left.
        let busy = worker.upload(b"");
        (busy.status == 503).then(|| {
            assert!(busy.text().contains("[package.busy]"), "{}", busy.text());
            assert_eq!(busy.header("retry-after"), Some("10"));
        })
    });
    drop(slow);
    eventually("the turns are free again", || (worker.upload(b"no wasm").status < 500).then_some(()));
}

#[test]
fn uploads_outlive_the_worker() {
    let kafka = Kafka::shared();
    let mut worker = Worker::start(&kafka.bootstrap);
    let view = worker.upload(&places::guest(GOOD)).expect(201).json();
    worker.kill();
    worker.launch();
    worker.wait_ready();
    let path = format!("/packages/{}/{}", view["name"].as_str().unwrap(), view["version"].as_str().unwrap());
    assert_eq!(worker.get(&path).expect(200).json()["digest"], view["digest"]);
}

#[test]
fn a_package_in_use_is_not_deleted() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("used", 1);
    let view = worker.upload(&places::guest(GOOD)).expect(201).json();
    let class = view["plugins"].as_array().unwrap().iter().find(|p| p["type"] == "sink").unwrap()["class"].clone();
    let path = format!("/packages/{}/{}", view["name"].as_str().unwrap(), view["version"].as_str().unwrap());
    worker.create_running("user", json!({"connector.class": class, "topics": topic.name, "tasks.max": "1"}));
    worker.delete(&path).expect(409);
    worker.delete("/connectors/user").expect(204);
    lockgate_tests::eventually("it can be deleted once nobody uses it", || {
        (worker.delete(&path).status == 204).then_some(())
    });
    worker.get(&path).expect(404);
}

#[test]
fn a_package_path_cannot_leave_its_folder() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    for path in ["/packages/..%2f..%2fetc/passwd", "/packages/%2e%2e/%2e%2e", "/packages/a%00b/1.0.0"] {
        let status = request(&worker.address, "GET", path, &[], b"").unwrap().status;
        assert!((400..500).contains(&status), "{path}: {status}");
    }
}
