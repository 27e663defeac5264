//! A real schema registry for tests, started by `tests/registry/registry.sh`, and a way to it that can be cut.
//!
//! Enters: nothing but a machine with Java (the script fetches the rest). Leaves: base URLs. Invariant: it ends with this
//! process, however that ends.

use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, OnceLock};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::http::request;
use crate::kafka::Guard;
use crate::{free_port, places};

/// Path of Confluent's API.
const API: &str = "/apis/ccompat/v7";

/// The registry that all tests of a run share.
pub struct Apicurio {
    /// `127.0.0.1:port`.
    pub address: String,
    _dir: TempDir,
    _guard: Guard,
}

impl Apicurio {
    /// Starts it for the first who asks.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Apicurio> = OnceLock::new();
        SHARED.get_or_init(|| {
            let dir = tempfile::Builder::new().prefix("lockgate-registry-").tempdir().unwrap();
            let folder = dir.path().to_string_lossy().into_owned();
            let script = places::root().join("tests/registry/registry.sh");
            let guard = Guard::of_script(&script, &folder);
            let port = free_port().to_string();
            let started = Command::new(&script).args(["start", &folder, &port]).stdin(Stdio::null()).status().unwrap();
            assert!(started.success(), "registry.sh ended with {started}");
            Self { address: format!("127.0.0.1:{port}"), _dir: dir, _guard: guard }
        })
    }

    /// The base URL for converters.
    pub fn url(&self) -> String {
        format!("http://{}{API}", self.address)
    }

    /// Any request of Confluent's API, as another client makes it.
    pub fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let headers = [("content-type", "application/vnd.schemaregistry.v1+json")];
        let body = if body.is_null() { String::new() } else { body.to_string() };
        request(&self.address, method, &format!("{API}{path}"), &headers, body.as_bytes()).unwrap().expect(200).json()
    }

    /// Registers a schema by hand; its id.
    pub fn register(&self, subject: &str, schema: &Value) -> u32 {
        let body = json!({ "schema": schema.to_string() });
        let answer = self.ask("POST", &format!("/subjects/{subject}/versions"), &body);
        u32::try_from(answer["id"].as_u64().unwrap()).unwrap()
    }

    /// The schema of an id.
    pub fn schema(&self, id: u32) -> Value {
        let answer = self.ask("GET", &format!("/schemas/ids/{id}"), &Value::Null);
        serde_json::from_str(answer["schema"].as_str().unwrap()).unwrap()
    }
}

/// A way to a server that can be cut: then connections end as soon as they begin.
pub struct Way {
    /// `127.0.0.1:port`.
    pub address: String,
    open: Arc<AtomicBool>,
    refused: Arc<AtomicUsize>,
}

impl Way {
    /// A way to this address, open or cut.
    pub fn to(target: &str, open: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let way = Self { address, open: Arc::new(AtomicBool::new(open)), refused: Arc::default() };
        let (open, refused, target) = (Arc::clone(&way.open), Arc::clone(&way.refused), target.to_owned());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if open.load(SeqCst) {
                    let target = target.clone();
                    std::thread::spawn(move || join(stream, &target));
                } else {
                    refused.fetch_add(1, SeqCst);
                }
            }
        });
        way
    }

    /// The base URL for converters.
    pub fn url(&self) -> String {
        format!("http://{}{API}", self.address)
    }

    /// Opens it, or cuts it for new connections.
    pub fn set(&self, open: bool) {
        self.open.store(open, SeqCst);
    }

    /// Connections that were refused so far.
    pub fn refused(&self) -> usize {
        self.refused.load(SeqCst)
    }
}

fn join(mut near: TcpStream, target: &str) {
    let Ok(mut far) = TcpStream::connect(target) else { return };
    let (mut near_back, mut far_back) = (near.try_clone().unwrap(), far.try_clone().unwrap());
    let back = std::thread::spawn(move || {
        let _ = io::copy(&mut far_back, &mut near_back);
        let _ = near_back.shutdown(Shutdown::Both);
    });
    let _ = io::copy(&mut near, &mut far);
    let _ = far.shutdown(Shutdown::Write);
    let _ = back.join();
}
