//! HTTP, of every language that has a client.
//!
//! Enters: records. Leaves: requests that a server kept. Invariant: one request for each record, in their order.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener};
use std::time::Duration;

use lockgate_model::fault::FaultKind;
use lockgate_model::ports::SinkPort;
use lockgate_tests::{Receiver, Reply};

use super::{nobody, open, open_within, says};
use crate::contract::fixture::{Given, Task, batch, failure, fault, record, run};
use crate::contract::{Guest, in_languages};

in_languages!([rust Rust, python Python, starlingmonkey StarlingMonkey, c C, go Go] [
    requests_and_answers_arrive_whole,
    a_body_larger_than_any_buffer_arrives_whole,
    a_server_that_is_busy_is_asked_again_when_it_says,
    what_a_server_refuses_is_a_bad_record,
    a_server_that_is_not_there_may_be_there_later,
    a_server_that_answers_before_it_has_read_everything_is_heard,
    without_a_grant_no_request_leaves,
    a_server_that_never_answers_costs_the_call_its_deadline
]);

fn opened(guest: Guest, address: &str) -> (Task, impl SinkPort + use<>) {
    open(guest, &[("mode", "http"), ("url", &format!("http://{address}/in"))], (address, ""))
}

fn requests_and_answers_arrive_whole(guest: Guest) {
    let server = Receiver::start();
    let reply = Reply { body: "przyjęte 🐢".to_owned(), ..Reply::status(201) };
    server.answer_next([reply.with("x-ref", "seen"), Reply::status(204)]);
    let (task, mut sink) = opened(guest, &server.address);
    let records = [Given { partition: 3, ..record(41, "żółw\n\0 🐢") }, Given { value: None, ..record(42, "") }];
    assert!(run(sink.put(&batch(&task.spec.schemas, &records))).unwrap().is_empty());
    let heard = server.received();
    let seen: Vec<_> = heard.iter().map(|r| (r.method.as_str(), r.path.as_str(), r.body.as_str())).collect();
    assert_eq!(seen, [("POST", "/in/t/41", "żółw\n\0 🐢"), ("POST", "/in/t/42", "")]);
    let header = |at: usize, name: &str| heard[at].headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
    assert_eq!((header(0, "x-ref"), header(1, "x-ref")), (Some("3"), Some("0")));
    assert_eq!(header(0, "host"), Some(server.address.as_str()));
    let lines = task.lines.take();
    assert_eq!(lines[0], "http 201 seen 14 przyjęte 🐢");
    assert_eq!(lines[1].trim_end(), "http 204 - 0");
}

fn a_body_larger_than_any_buffer_arrives_whole(guest: Guest) {
    let server = Receiver::start();
    server.answer_next([Reply { body: "0123456789abcdef".repeat(3_500), ..Reply::status(200) }]);
    let (task, mut sink) = opened(guest, &server.address);
    let value = "fedcba9876543210".repeat(56_000);
    assert!(run(sink.put(&batch(&task.spec.schemas, &[record(0, &value)]))).unwrap().is_empty());
    assert!(server.accepted() == [value], "the body is another one");
    assert_eq!(task.lines.take()[0], "http 200 - 56000 ...");
}

fn a_server_that_is_busy_is_asked_again_when_it_says(guest: Guest) {
    let server = Receiver::start();
    server.answer_next([Reply::status(429).with("retry-after", "7"), Reply::status(503)]);
    let (task, mut sink) = opened(guest, &server.address);
    let records = batch(&task.spec.schemas, &[record(0, "a")]);
    for (after, status) in [(7, 429), (0, 503)] {
        let busy = fault(run(sink.put(&records)));
        assert_eq!((busy.kind, busy.code.as_str()), (FaultKind::Retriable(Duration::from_secs(after)), "ref.http"));
        assert_eq!(busy.message, format!("status {status}"));
    }
    assert!(run(sink.put(&records)).unwrap().is_empty());
    assert_eq!(server.accepted(), ["a"]);
}

fn what_a_server_refuses_is_a_bad_record(guest: Guest) {
    let server = Receiver::start();
    server.answer_next([Reply::status(200), Reply::status(400), Reply::status(302).with("location", "/elsewhere")]);
    let (task, mut sink) = opened(guest, &server.address);
    let records: Vec<Given<'_>> = (0..4).map(|offset| record(offset, "x")).collect();
    let bad = run(sink.put(&batch(&task.spec.schemas, &records))).unwrap();
    let seen: Vec<_> = bad.iter().map(|b| (b.row, b.code.as_str(), b.message.as_str())).collect();
    assert_eq!(seen, [(1, "ref.http", "status 400"), (2, "ref.http", "status 302")]);
    assert!(server.received().iter().all(|r| r.path != "/elsewhere"), "the host of a redirect was not asked for");
}

fn a_server_that_is_not_there_may_be_there_later(guest: Guest) {
    let (task, mut sink) = opened(guest, &nobody());
    let gone = fault(run(sink.put(&batch(&task.spec.schemas, &[record(0, "x")]))));
    assert_eq!((gone.kind, gone.code.as_str()), (FaultKind::Retriable(Duration::from_millis(100)), "ref.http"));
    assert!(gone.message.starts_with("no answer"), "{}", gone.message);
}

fn a_server_that_answers_before_it_has_read_everything_is_heard(guest: Guest) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    // Ends with the process.
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut head = [0; 16];
            let _ = stream.read_exact(&mut head);
            let _ = stream.write_all(b"HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            let _ = stream.shutdown(Shutdown::Write);
            let _ = std::io::copy(&mut stream, &mut std::io::sink());
        }
    });
    let (task, mut sink) = opened(guest, &address);
    let value = "x".repeat(500_000);
    let bad = run(sink.put(&batch(&task.spec.schemas, &[record(0, &value)]))).unwrap();
    assert_eq!(bad.iter().map(|b| (b.row, b.message.as_str())).collect::<Vec<_>>(), [(0, "status 413")]);
}

fn without_a_grant_no_request_leaves(guest: Guest) {
    let server = Receiver::start();
    let url = format!("http://{}", server.address);
    let (task, mut sink) = open(guest, &[("mode", "http"), ("url", &url)], ("example.com", &server.address));
    let refused = fault(run(sink.put(&batch(&task.spec.schemas, &[record(0, "x")]))));
    assert_eq!(refused.code, "ref.http");
    assert!(says(&task, &format!("refused http://{}", server.address)), "{:?}", task.lines.all());
    assert!(server.received().is_empty(), "{:?}", server.received());
}

fn a_server_that_never_answers_costs_the_call_its_deadline(guest: Guest) {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let settings = [("mode", "http"), ("url", &*format!("http://{address}"))];
    let (task, mut sink) = open_within(Duration::from_millis(700), guest, &settings, (&address, ""));
    let error = failure(run(sink.put(&batch(&task.spec.schemas, &[record(0, "x")]))));
    assert_eq!((error.failure.code(), error.call), ("plugin.deadline", "put"), "{error}");
}
