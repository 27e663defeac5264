//! What a guest may try.
//!
//! Enters: `do`, `at`, `after`, `target`. Leaves: the attempt, and for what is only refused a log line `bad: <deed> <outcome>`
//! and a gauge `bad_<deed>` (0 = refused, 1 = it worked). Invariant: nothing happens elsewhere than at `at`.

use std::collections::HashMap;
use std::fs;
use std::hint::black_box;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use std::time::Duration;

use lockgate_sdk::http::{Method, Request};
use lockgate_sdk::{Settings, context, log, metrics, state};

pub struct Deed {
    what: String,
    place: String,
    left: u64,
    target: String,
}

impl Deed {
    pub fn of(config: &mut Settings) -> Self {
        let text = |key: &str| config.text(key).unwrap_or_default().to_owned();
        Self { what: text("do"), place: text("at"), left: text("after").parse().unwrap_or(0), target: text("target") }
    }

    /// True for a plugin that wants other tasks each time it is asked.
    pub fn wavers(&self) -> bool {
        self.what == "reconfigure" && self.target == "changes"
    }

    /// Does the deed if this is the place for it.
    pub fn at(&mut self, place: &str) {
        if self.place != place {
            return;
        }
        if self.left > 0 {
            self.left -= 1;
            return;
        }
        match self.what.as_str() {
            "spin" => spin(),
            "spin-politely" => while !context::cancelled() {},
            "allocate" => allocate(),
            "recurse" => drop(black_box(recurse(1))),
            "flood-log" => flood_log(),
            "flood-stdout" => flood_stdout(),
            "long-line" => log::info!("bad: {}", "x".repeat(10 << 20)),
            "control-line" => log::info!("bad: one\ntwo \u{1b}[31mred\u{7} \u{202e}back"),
            "panic" => panics(),
            "unreachable" => unreachable_here(),
            "exit" => std::process::exit(0),
            "exit-1" => std::process::exit(1),
            "sleep" => std::thread::sleep(Duration::from_secs(10_000)),
            "metrics" => flood_metrics(),
            "state" => flood_state(),
            "leak-files" => leak_files(&self.target),
            "read" => say("read", fs::read(&self.target).map(|b| format!("{} bytes", b.len()))),
            "write" => say("write", fs::write(&self.target, b"bad").map(|()| "written".to_owned())),
            "list" => say("list", fs::read_dir(&self.target).map(|d| format!("{} entries", d.count()))),
            "tcp" => say("tcp", TcpStream::connect(&self.target).map(|_| "connected".to_owned())),
            "listen" => say("listen", TcpListener::bind(&self.target).map(|_| "bound".to_owned())),
            "udp" => say(
                "udp",
                UdpSocket::bind("0.0.0.0:0").and_then(|s| s.send_to(b"x", &self.target)).map(|_| "sent".to_owned()),
            ),
            "resolve" => say("resolve", self.target.to_socket_addrs().map(|a| format!("{} addresses", a.count()))),
            "talk" => say("talk", talk(&self.target)),
            "http" => http(Request::new(Method::Get, &self.target)),
            "http-host" => http(Request::new(Method::Get, &self.target).header("Host", "metadata.internal")),
            "http-split" => http(Request::new(Method::Get, &self.target).header("x-a", "b\r\nHost: metadata.internal")),
            "env" => env(),
            "reconfigure" => context::request_reconfiguration(),
            _ => {}
        }
    }
}

fn say<E: std::fmt::Display>(deed: &str, outcome: Result<String, E>) {
    let worked = outcome.is_ok();
    match outcome {
        Ok(text) => log::warn!("bad: {deed} worked: {text}"),
        Err(e) => log::info!("bad: {deed} refused: {e}"),
    }
    metrics::set(&format!("bad_{deed}"), f64::from(u8::from(worked)));
}

fn spin() {
    let mut n = 0u64;
    loop {
        n = black_box(n.wrapping_add(1));
    }
}

fn allocate() {
    let mut all: Vec<Vec<u8>> = Vec::new();
    loop {
        all.push(vec![1; 1 << 20]);
        black_box(&all);
    }
}

#[allow(unconditional_recursion)]
fn recurse(depth: u64) -> [u64; 64] {
    let mut frame = [depth; 64];
    let below = recurse(black_box(depth + 1));
    for (mine, theirs) in frame.iter_mut().zip(black_box(below)) {
        *mine = mine.wrapping_add(theirs);
    }
    black_box(frame)
}

/// 64 MiB of lines.
fn flood_log() {
    let line = "y".repeat(1000);
    for n in 0..65_536 {
        log::info!("bad: flood {n} {line}");
    }
}

/// 64 MiB of bytes, half of them to stderr.
fn flood_stdout() {
    let line = "z".repeat(1000);
    for n in 0..32_768 {
        println!("bad: stdout {n} {line}");
        eprintln!("bad: stderr {n} {line}");
    }
}

#[inline(never)]
fn panics() {
    panic!("bad: panics on demand");
}

#[inline(never)]
fn unreachable_here() {
    #[cfg(target_arch = "wasm32")]
    core::arch::wasm32::unreachable();
}

fn flood_metrics() {
    for n in 0..10_000 {
        metrics::add(&format!("bad_metric_{n}"), 1.0);
    }
    for name in ["", "Bad", "bad metric", "bad\n", &"b".repeat(1000)] {
        metrics::add(name, f64::NAN);
        metrics::observe(name, f64::INFINITY);
    }
}

fn flood_state() {
    let value = vec![7; 64 * 1024];
    let mut refused = 0;
    for n in 0..2_000 {
        refused += u32::from(state::set(&format!("key-{n}"), &value).is_err());
    }
    refused += u32::from(state::set(&"k".repeat(300), b"x").is_err());
    refused += u32::from(state::set("big", &vec![0; 70 * 1024]).is_err());
    log::info!("bad: state refused {refused} times");
    metrics::set("bad_state_refused", f64::from(refused));
}

fn leak_files(path: &str) {
    let mut count = 0;
    while count < 100_000 {
        match fs::File::open(path) {
            Ok(file) => std::mem::forget(file),
            Err(e) => {
                log::info!("bad: leak-files stopped after {count}: {e}");
                break;
            }
        }
        count += 1;
    }
    metrics::set("bad_leaked", f64::from(count));
}

/// Says one line, hears one.
fn talk(address: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(b"ping\n")?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer)?;
    Ok(format!("heard {}", answer.trim()))
}

fn http(request: Request) {
    let answer = request.send(Duration::from_secs(5));
    say("http", answer.map(|a| format!("status {}", a.status)));
}

fn env() {
    let all: HashMap<String, String> = std::env::vars().collect();
    let arguments = std::env::args().count();
    log::info!("bad: env {} variables, {arguments} arguments", all.len());
    metrics::set("bad_env", f64::from(u32::try_from(all.len() + arguments).unwrap_or(u32::MAX)));
}
