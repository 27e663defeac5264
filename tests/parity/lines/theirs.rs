//! The answers of Kafka Connect's own classes.
//!
//! Enters: cases. Leaves: an answer for each record of each. Invariant: one virtual machine for all of them.

use std::fs::File;
use std::path::PathBuf;
use std::process::Command;

use lockgate_tests::kafka::connect_jars;
use lockgate_tests::places::root;
use serde_json::Value;

use super::Case;

/// Asks them.
pub fn theirs(cases: &[Case]) -> Vec<Vec<Value>> {
    let dir = tempfile::tempdir().unwrap();
    let asked = dir.path().join("cases.jsonl");
    let text: String = cases.iter().map(|case| case.json.to_string() + "\n").collect();
    std::fs::write(&asked, text).unwrap();
    let classes = dir.path().to_string_lossy().into_owned();
    let path = format!("{}:{classes}", connect_jars().join("*").display());
    let source: PathBuf = root().join("tests/parity/runner/Runner.java");
    let compiled = Command::new("javac").args(["-cp", &path, "-d", &classes]).arg(source).output().unwrap();
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    let ran = Command::new("java")
        .args([
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-Duser.timezone=UTC",
            "-Duser.language=en",
            "-cp",
            &path,
            "Runner",
        ])
        .stdin(File::open(asked).unwrap())
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let answers = String::from_utf8(ran.stdout).unwrap();
    answers.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
