//! A web server for HTTP sinks to write to: keeps what came, answers as told.
//!
//! Enters: requests on loopback. Leaves: them, in the order they were answered. Invariant: a request is kept before its
//! answer is sent, so that what a client saw accepted is here.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// One request.
#[derive(Clone, Debug)]
pub struct Received {
    /// Method.
    pub method: String,
    /// Path with query.
    pub path: String,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Body as text.
    pub body: String,
    /// The status it was answered with.
    pub status: u16,
}

/// What to answer.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Status code.
    pub status: u16,
    /// Headers beside the length.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: String,
}

impl Reply {
    /// A bare status.
    pub fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: String::new() }
    }

    /// With a header.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

type Judge = Box<dyn Fn(&Received) -> Option<Reply> + Send>;

#[derive(Default)]
struct State {
    received: Vec<Received>,
    script: VecDeque<Reply>,
    judge: Option<Judge>,
    /// Open connections, and whether new ones are taken.
    open: Vec<TcpStream>,
    down: bool,
}

/// The server. Its threads end with their connections.
pub struct Receiver {
    /// `127.0.0.1:port`.
    pub address: String,
    state: Arc<Mutex<State>>,
}

impl Receiver {
    /// Starts on a free port; answers 200.
    pub fn start() -> Self {
        let mut receiver = Self { address: "127.0.0.1:0".to_owned(), state: Arc::default() };
        receiver.listen();
        receiver
    }

    /// As if its process had ended: connections break, new ones are refused. What it received stays known.
    pub fn stop(&self) {
        let open = {
            let mut state = self.state.lock().unwrap();
            state.down = true;
            std::mem::take(&mut state.open)
        };
        open.iter().for_each(|stream| drop(stream.shutdown(Shutdown::Both)));
        // Wakes the listener, which then closes; whoever is quicker is shut out.
        drop(TcpStream::connect(&self.address));
        crate::eventually("nobody listens", || TcpStream::connect(&self.address).is_err().then_some(()));
    }

    /// Starts again where it was.
    pub fn restart(&mut self) {
        self.listen();
    }

    fn listen(&mut self) {
        let listener = TcpListener::bind(&self.address).unwrap();
        self.address = listener.local_addr().unwrap().to_string();
        self.state.lock().unwrap().down = false;
        let shared = Arc::clone(&self.state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                {
                    let mut state = shared.lock().unwrap();
                    if state.down {
                        return;
                    }
                    state.open.extend(stream.try_clone());
                }
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || serve(&stream, &shared));
            }
        });
    }

    /// The next requests are answered with these, later ones with 200 again.
    pub fn answer_next(&self, replies: impl IntoIterator<Item = Reply>) {
        self.state.lock().unwrap().script.extend(replies);
    }

    /// Requests for which the judge has an answer get it (after the script is used up).
    pub fn answer_by(&self, judge: impl Fn(&Received) -> Option<Reply> + Send + 'static) {
        self.state.lock().unwrap().judge = Some(Box::new(judge));
    }

    /// Everything that came, refused or not.
    pub fn received(&self) -> Vec<Received> {
        self.state.lock().unwrap().received.clone()
    }

    /// Bodies of the requests that were answered with 2xx, in order.
    pub fn accepted(&self) -> Vec<String> {
        let state = self.state.lock().unwrap();
        state.received.iter().filter(|r| r.status < 300).map(|r| r.body.clone()).collect()
    }
}

fn serve(stream: &TcpStream, state: &Mutex<State>) {
    let _ = stream.set_read_timeout(Some(Duration::from_secs(60)));
    let mut reader = BufReader::new(stream);
    while let Some(mut request) = read_request(&mut reader) {
        let reply = {
            let mut state = state.lock().unwrap();
            let scripted = state.script.pop_front();
            let reply = scripted.or_else(|| state.judge.as_ref().and_then(|judge| judge(&request)));
            let reply = reply.unwrap_or_else(|| Reply::status(200));
            request.status = reply.status;
            state.received.push(request);
            reply
        };
        let mut head = format!("HTTP/1.1 {} Scripted\r\ncontent-length: {}\r\n", reply.status, reply.body.len());
        reply.headers.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
        let mut out = stream;
        if out.write_all(format!("{head}\r\n{}", reply.body).as_bytes()).is_err() {
            return;
        }
    }
}

fn read_request(reader: &mut BufReader<&TcpStream>) -> Option<Received> {
    let first = read_line(reader)?;
    let mut words = first.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let line = read_line(reader)?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':')?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let value = |name: &str| headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
    let body = match value("content-length") {
        Some(length) => {
            let mut body = vec![0; length.parse().ok()?];
            reader.read_exact(&mut body).ok()?;
            body
        }
        None if value("transfer-encoding").is_some() => read_chunks(reader)?,
        None => Vec::new(),
    };
    Some(Received { method, path, headers, body: String::from_utf8_lossy(&body).into_owned(), status: 0 })
}

fn read_chunks(reader: &mut BufReader<&TcpStream>) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let length = usize::from_str_radix(read_line(reader)?.trim(), 16).ok()?;
        let mut chunk = vec![0; length + 2];
        reader.read_exact(&mut chunk).ok()?;
        if length == 0 {
            return Some(body);
        }
        body.extend_from_slice(&chunk[..length]);
    }
}

fn read_line(reader: &mut BufReader<&TcpStream>) -> Option<String> {
    let mut line = String::new();
    match reader.read_line(&mut line) {
        Ok(n) if n > 0 => Some(line.trim_end().to_owned()),
        _ => None,
    }
}
