//! A real Redis for tests.
//!
//! Enters: settings of the server. Leaves: its address, answers of `redis-cli`. Invariant: what it acknowledged is on its disk, so a kill
//! loses nothing of it; it ends when it is dropped.

use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::{eventually, free_port};

/// One server and its folder.
pub struct Redis {
    /// Its port on `127.0.0.1`.
    pub port: u16,
    settings: Vec<String>,
    dir: TempDir,
    child: Option<Child>,
}

impl Redis {
    /// Starts one with these settings, as its command line has them.
    pub fn start(settings: &[&str]) -> Self {
        let dir = tempfile::Builder::new().prefix("lockgate-redis-").tempdir().unwrap();
        let settings = settings.iter().map(|s| (*s).to_owned()).collect();
        let mut redis = Self { port: free_port(), settings, dir, child: None };
        redis.start_again();
        redis
    }

    /// `127.0.0.1:port`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Starts it on what it left behind, and waits until it answers.
    pub fn start_again(&mut self) {
        let mut command = Command::new("redis-server");
        let port = self.port.to_string();
        let has_tls = self.settings.iter().any(|s| s == "--tls-port");
        let port = if has_tls {
            ["--tls-port", port.as_str(), "--port", "0"].to_vec()
        } else {
            ["--port", port.as_str()].to_vec()
        };
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "yes", "--appendfsync", "always", "--dir"]);
        command.arg(self.dir.path()).args(self.settings.iter().filter(|s| *s != "--tls-port")).args(port);
        self.child = Some(command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap());
        eventually("Redis listens", || std::net::TcpStream::connect(self.address()).ok());
        if !has_tls {
            eventually("Redis has loaded its data", || (!self.ask(&["PING"]).contains("LOADING")).then_some(()));
        }
    }

    /// The answer to a command, as `redis-cli` prints it: a line for each element.
    pub fn ask(&self, command: &[&str]) -> String {
        self.ask_with(&[], command)
    }

    /// Likewise, with options of `redis-cli`.
    pub fn ask_with(&self, options: &[&str], command: &[&str]) -> String {
        let mut cli = Command::new("redis-cli");
        let output = cli.args(["-p", &self.port.to_string()]).args(options).args(command).output().unwrap();
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}
