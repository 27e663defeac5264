//! Thousands of requests through one instance: its memory stays where it was.
//!
//! Enters: batches for the guests in Go and C, whose memory is collected or freed by their SDKs. Leaves: answers. Invariant: the
//! limit of memory is less than what the requests together leave behind.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::time::Duration;

use lockgate_model::ports::{OpenSink, SinkPort};
use lockgate_tests::{Receiver, Reply};
use lockgate_wasm::Policy;

use super::Guest;
use super::fixture::{Given, Task, batch, record, run, task};

/// Requests for each instance, in this many calls.
const REQUESTS: usize = 2_500;
const CALLS: usize = 5;

fn granted(guest: Guest, settings: &[(&str, &str)], address: &str, memory_mib: usize) -> Task {
    let mut task = task(guest, "ref.Sink", settings);
    task.spec.limits.memory_bytes = memory_mib << 20;
    (task.spec.limits.cpu, task.spec.limits.call) = (Duration::from_secs(30), Duration::from_secs(60));
    let plugins = &task.package.info().plugins;
    let requests = &plugins.iter().find(|plugin| plugin.class == "ref.Sink").unwrap().requests;
    let policy = Policy::parse(address, address, "", "", "").unwrap();
    (task.spec.grants, _) = policy.effective(requests, &task.spec.config);
    task
}

fn requests_leave_nothing_behind(guest: Guest, memory_mib: usize) {
    let server = Receiver::start();
    let reply = Reply { body: "x".repeat(20_000), ..Reply::status(200) };
    server.answer_by(move |_| Some(reply.clone()));
    let url = format!("http://{}", server.address);
    let task = granted(guest, &[("mode", "http"), ("url", &url)], &server.address, memory_mib);
    let mut sink = run(task.package.sink(task.spec.clone()).open(&[])).unwrap();
    let value = "v".repeat(2_000);
    for _ in 0..CALLS {
        let records: Vec<Given<'_>> = (0..).take(REQUESTS / CALLS).map(|offset| record(offset, &value)).collect();
        let bad = run(sink.put(&batch(&task.spec.schemas, &records))).unwrap();
        assert!(bad.is_empty(), "{bad:?}");
    }
    assert_eq!(server.received().len(), REQUESTS);
}

fn connections_leave_nothing_behind(guest: Guest, memory_mib: usize) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    // Ends with the process.
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let lines = BufReader::new(stream.try_clone().unwrap()).lines();
            for line in lines.map_while(Result::ok) {
                let _ = stream.write_all(format!("{line}\n").as_bytes());
            }
        }
    });
    let task = granted(guest, &[("mode", "tcp"), ("tcp", &address)], &address, memory_mib);
    let mut sink = run(task.package.sink(task.spec.clone()).open(&[])).unwrap();
    let value = "v".repeat(4_000);
    for _ in 0..200 {
        let records = [record(0, &value), record(1, &value)];
        assert!(run(sink.put(&batch(&task.spec.schemas, &records))).unwrap().is_empty());
    }
}

#[test]
fn thousands_of_requests_keep_the_memory_of_a_guest_in_go_steady() {
    requests_leave_nothing_behind(Guest::Go, 48);
}

#[test]
fn thousands_of_requests_keep_the_memory_of_a_guest_in_c_steady() {
    requests_leave_nothing_behind(Guest::C, 16);
}

#[test]
fn hundreds_of_connections_keep_the_memory_of_a_guest_in_go_steady() {
    connections_leave_nothing_behind(Guest::Go, 48);
}

#[test]
fn hundreds_of_connections_keep_the_memory_of_a_guest_in_c_steady() {
    connections_leave_nothing_behind(Guest::C, 4);
}
