//! What a command line left behind.
//!
//! Enters: the output of a process that has ended. Leaves: its exit code and what it printed, to be judged. Invariant: a
//! judgement that fails shows all that was printed.

use std::process::Output;

use lockgate_tests::Worker;
use serde_json::Value;

#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

impl Ran {
    #[track_caller]
    pub fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.out, self.err);
        self
    }

    #[track_caller]
    pub fn says(&self, parts: &[&str]) {
        for part in parts {
            assert!(self.out.contains(part), "no `{part}` in:\n{}\n{}", self.out, self.err);
        }
    }

    /// What it printed, the worker's address replaced by a word of the same length.
    pub fn table(&self, worker: &Worker) -> String {
        self.out.replace(&worker.address, &format!("{:W<width$}", "", width = worker.address.len()))
    }

    /// Without what it printed on the way.
    pub fn keeping(self) -> Self {
        Self { out: String::new(), ..self }
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap()
    }
}
