//! Recorded answers, written into their scenario.
//!
//! Enters: a scenario's file, what the outside said. Leaves: the file with `http` replaced. Invariant: every other member stays
//! as it was, in its order; the file is replaced whole.

use std::io;

use serde_json::Value;

use super::exchange::ExchangeSpec;
use super::scenario::Written;
use crate::offset_file::replace_file;

/// Puts the answers in place of those of the file, which is written anew, indented by two.
///
/// # Errors
/// The file cannot be read or written.
pub fn write(written: &Written, recorded: &[ExchangeSpec]) -> io::Result<()> {
    let text = std::fs::read_to_string(&written.file)?;
    let mut file: Value = serde_json::from_str(&text)?;
    let scenario = match written.index {
        None => Some(&mut file),
        Some(index) => file.get_mut(index),
    };
    let Some(Value::Object(scenario)) = scenario else {
        return Err(io::Error::other("the file has changed meanwhile"));
    };
    let http = serde_json::to_value(recorded)?;
    if let Some(there) = scenario.get_mut("http") {
        *there = http;
    } else {
        // Before the steps, where people look for it.
        let at = scenario.keys().position(|key| key == "steps").unwrap_or(scenario.len());
        scenario.shift_insert(at, "http".to_owned(), http);
    }
    let mut text = serde_json::to_string_pretty(&file)?;
    text.push('\n');
    replace_file(&written.file, text.as_bytes())
}
