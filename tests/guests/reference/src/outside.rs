//! What the sink of the contract does outside: HTTP and TCP.
//!
//! Enters: batches. Leaves: requests and lines, what came back as log lines. Invariant: an answer that may go well later is a
//! retriable fault of the whole put; one that never will is the record's.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

use lockgate_sdk::http::{Method, Request, Response};
use lockgate_sdk::{Batch, Fault, Report, RowFault, Task, log};

/// Bytes of a body that are logged.
const SHOWN_MAX: usize = 64;

/// Where to.
pub struct Outside {
    url: String,
    tcp: String,
}

impl Outside {
    pub fn of(task: &Task) -> Self {
        let text = |key: &str| task.config.raw(key).unwrap_or_default().to_owned();
        Self { url: text("url"), tcp: text("tcp") }
    }

    pub fn http(&self, batch: &Batch, report: &mut Report) -> Result<(), Fault> {
        for record in batch.iter() {
            let url = format!("{}/{}/{}", self.url, record.topic(), record.offset());
            let request = Request::new(Method::Post, url)
                .header("x-ref", record.partition().to_string())
                .body(record.value().unwrap_or_default().to_vec());
            let answer =
                request.send(Duration::from_mins(1)).map_err(|e| not_yet("ref.http", &format!("no answer: {e}")))?;
            match answer.status {
                200..=299 => say(&answer),
                status @ (429 | 503) => {
                    let wait = answer.header("retry-after").and_then(|text| text.parse().ok()).unwrap_or(0);
                    let fault = Fault::retriable("ref.http", format!("status {status}"));
                    return Err(fault.after(Duration::from_secs(wait)));
                }
                status => report.push(RowFault::new(record.index(), "ref.http", format!("status {status}"))),
            }
        }
        Ok(())
    }

    pub fn tcp(&self, batch: &Batch) -> Result<(), Fault> {
        let broken = |e: std::io::Error| not_yet("ref.tcp", &e.to_string());
        let stream = TcpStream::connect(&self.tcp).map_err(broken)?;
        let mut reader = BufReader::new(&stream);
        for record in batch.iter() {
            let mut line = record.value().unwrap_or_default().to_vec();
            line.push(b'\n');
            (&stream).write_all(&line).map_err(broken)?;
            let mut answer = String::new();
            if reader.read_line(&mut answer).map_err(broken)? == 0 {
                return Err(not_yet("ref.tcp", "the connection was closed"));
            }
            log::info!("ref: tcp {}", answer.trim_end());
        }
        Ok(())
    }
}

fn say(answer: &Response) {
    let (status, header, length) = (answer.status, answer.header("x-ref").unwrap_or("-"), answer.body.len());
    let text = if length <= SHOWN_MAX { String::from_utf8_lossy(&answer.body) } else { "...".into() };
    log::info!("ref: http {status} {header} {length} {text}");
}

fn not_yet(code: &str, message: &str) -> Fault {
    Fault::retriable(code, message).after(Duration::from_millis(100))
}
