//! Records to an HTTP server: one request for each, or JSON arrays.
//!
//! Enters: batches. Leaves: requests in the order of the records. Invariant: a record counts as taken once a 2xx answered
//! it; while the server cannot (429, 5xx, no connection) nothing overtakes it; what it refuses (other 4xx) is a bad row.

mod answer;
mod body;
mod settings;
mod url;

use std::time::Instant;

use answer::{Verdict, verdict};
use lockgate_sdk::http::{Method, Request};
use lockgate_sdk::{Batch, Description, Encoding, Fault, Record, Report, RowFault, Sink, Task, metrics};
use settings::Settings;

struct HttpSink {
    settings: Settings,
    json: bool,
    /// How far a batch got before a retriable fault: the same batch comes again.
    resume: Option<Resume>,
}

struct Resume {
    first: (String, u32, i64),
    len: usize,
    done: usize,
    bad: Vec<RowFault>,
}

impl Sink for HttpSink {
    fn describe() -> Description {
        Description::new("lockgate.HttpSink")
            .alias("HttpSink")
            .alias("http")
            .doc("Sends records to an HTTP server, one by one or as JSON arrays.")
            .encoding(Encoding::Json)
            .encoding(Encoding::Bytes)
            .asks_http("{http.url}")
            .config(settings::keys())
    }

    fn open(mut task: Task) -> Result<Self, Fault> {
        let json = task.formats.value == Encoding::Json;
        Ok(Self { settings: Settings::read(&mut task.config, json)?, json, resume: None })
    }

    fn put(&mut self, batch: &Batch) -> Result<Report, Fault> {
        let first = batch.record(0);
        let first = (first.topic().to_owned(), first.partition(), first.offset());
        let resumed = self.resume.take().filter(|r| r.first == first && r.len == batch.len());
        let (mut done, mut bad) = resumed.map_or((0, Vec::new()), |r| (r.done, r.bad));
        while done < batch.len() {
            match self.send_next(batch, done, &mut bad) {
                Ok(sent) => done += sent,
                Err(fault) => {
                    self.resume = Some(Resume { first, len: batch.len(), done, bad });
                    return Err(fault);
                }
            }
        }
        let mut report = Report::all_taken();
        for fault in bad {
            report.push(fault);
        }
        Ok(report)
    }
}

impl HttpSink {
    /// Sends the next request; answers how many records are settled with it, taken or bad.
    fn send_next(&self, batch: &Batch, from: usize, bad: &mut Vec<RowFault>) -> Result<usize, Fault> {
        let record = batch.record(from);
        let url = match self.settings.url.fill(&record) {
            Ok(url) => url,
            Err(why) => {
                bad.push(RowFault::new(from, "http.url", why));
                return Ok(1);
            }
        };
        if !self.settings.array {
            let body = record.value().unwrap_or_default().to_vec();
            self.settle(&url, body, from, bad)?;
            return Ok(1);
        }
        let mut body = vec![b'['];
        let mut count = 0;
        for record in batch.iter().skip(from).take(self.settings.batch_max) {
            if count > 0 && self.settings.url.varies() && self.settings.url.fill(&record).as_ref() != Ok(&url) {
                break;
            }
            if let Err(why) = self.element(&record, count > 0, &mut body) {
                if count == 0 {
                    bad.push(RowFault::new(from, "http.body", why));
                    return Ok(1);
                }
                break;
            }
            count += 1;
        }
        body.push(b']');
        match self.send(&url, body)? {
            Verdict::Taken => Ok(count),
            Verdict::Refused { code, message } if count == 1 => {
                bad.push(RowFault::new(from, &code, message));
                Ok(1)
            }
            Verdict::Refused { .. } => {
                // One of them is bad: only one by one shows which. The first alone, the others in their turn.
                let mut body = vec![b'['];
                // It was an element of the array a moment ago.
                let _ = self.element(&record, false, &mut body);
                body.push(b']');
                self.settle(&url, body, from, bad)?;
                Ok(1)
            }
        }
    }

    fn element(&self, record: &Record<'_>, comma: bool, body: &mut Vec<u8>) -> Result<(), String> {
        let length = body.len();
        if comma {
            body.push(b',');
        }
        body::append(record.value(), self.json, body).inspect_err(|_| body.truncate(length))
    }

    fn settle(&self, url: &str, body: Vec<u8>, row: usize, bad: &mut Vec<RowFault>) -> Result<(), Fault> {
        if let Verdict::Refused { code, message } = self.send(url, body)? {
            bad.push(RowFault::new(row, &code, message));
        }
        Ok(())
    }

    fn send(&self, url: &str, body: Vec<u8>) -> Result<Verdict, Fault> {
        let method = match self.settings.method.as_str() {
            "PUT" => Method::Put,
            "PATCH" => Method::Patch,
            "DELETE" => Method::Delete,
            _ => Method::Post,
        };
        let began = Instant::now();
        let request = Request::new(method, url).body(body);
        let request = self.settings.headers.iter().fold(request, |r, (name, value)| r.header(name, value.as_bytes()));
        let answer = request.send(self.settings.timeout);
        metrics::add("http_requests", 1.0);
        metrics::observe("http_request_seconds", began.elapsed().as_secs_f64());
        verdict(&self.settings, answer)
    }
}

lockgate_sdk::package! {
    name: "http",
    version: env!("CARGO_PKG_VERSION"),
    documentation: "Records to an HTTP server.",
    sinks: [HttpSink],
}
