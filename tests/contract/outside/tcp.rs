//! TCP, of every language that has sockets.
//!
//! Enters: records. Leaves: lines that a server heard, and its answers. Invariant: one connection for each put.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lockgate_model::fault::FaultKind;
use lockgate_model::ports::SinkPort;

use super::{nobody, open, says};
use crate::contract::fixture::{Task, batch, fault, record, run};
use crate::contract::{Guest, in_languages};

in_languages!([rust Rust, python Python, c C, go Go] [
    lines_go_to_a_granted_server_and_answers_come_back,
    without_a_grant_no_connection_is_made,
    a_listener_that_is_not_there_may_be_there_later
]);

/// Lines, each with the number of its connection.
type Heard = Arc<Mutex<Vec<(usize, String)>>>;

/// Answers each line with the same in upper case, and keeps it.
fn shouting() -> (String, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, heard) = (listener.local_addr().unwrap().to_string(), Heard::default());
    let kept = Arc::clone(&heard);
    // Ends with the process.
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().flatten().enumerate() {
            let mut out = stream.try_clone().unwrap();
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                kept.lock().unwrap().push((number, line.clone()));
                let _ = out.write_all(format!("{}\n", line.to_uppercase()).as_bytes());
            }
        }
    });
    (address, heard)
}

fn opened(guest: Guest, address: &str, granted: (&str, &str)) -> (Task, impl SinkPort + use<>) {
    open(guest, &[("mode", "tcp"), ("tcp", address)], granted)
}

fn lines_go_to_a_granted_server_and_answers_come_back(guest: Guest) {
    let (address, heard) = shouting();
    let (task, mut sink) = opened(guest, &address, ("", &address));
    for (at, text) in [(0, "żółw"), (1, "b")] {
        let records = [record(2 * at, text), record(2 * at + 1, "end")];
        assert!(run(sink.put(&batch(&task.spec.schemas, &records))).unwrap().is_empty());
        assert_eq!(task.lines.take()[..2], [format!("tcp {}", text.to_uppercase()), "tcp END".to_owned()]);
    }
    let expected = [(0, "żółw"), (0, "end"), (1, "b"), (1, "end")].map(|(n, text)| (n, text.to_owned()));
    assert_eq!(*heard.lock().unwrap(), expected);
}

fn without_a_grant_no_connection_is_made(guest: Guest) {
    let (address, heard) = shouting();
    // A grant for HTTP is none for TCP.
    let (task, mut sink) = opened(guest, &address, (&address, "example.com:1"));
    let refused = fault(run(sink.put(&batch(&task.spec.schemas, &[record(0, "x")]))));
    assert_eq!((refused.kind, refused.code.as_str()), (FaultKind::Retriable(Duration::from_millis(100)), "ref.tcp"));
    // The address, or the name before it: whichever the language asks for first.
    assert!(says(&task, "refused ") && says(&task, "no grant covers it"), "{:?}", task.lines.all());
    assert!(heard.lock().unwrap().is_empty());
}

fn a_listener_that_is_not_there_may_be_there_later(guest: Guest) {
    let address = nobody();
    let (task, mut sink) = opened(guest, &address, ("", &address));
    let gone = fault(run(sink.put(&batch(&task.spec.schemas, &[record(0, "x")]))));
    assert_eq!((gone.kind, gone.code.as_str()), (FaultKind::Retriable(Duration::from_millis(100)), "ref.tcp"));
}
