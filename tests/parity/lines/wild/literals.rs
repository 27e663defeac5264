//! Literals of headers, near to what `Values.parseString` reads.
//!
//! Enters: what is random. Leaves: cases. Invariant: brackets are closed, until one is damaged.

use serde_json::{Value, json};

use super::super::Case;
use super::super::chains::LITERALS;
use super::super::samples::Random;
use super::{converter, damaged, hex, record, transform};

/// Scalars, and what looks like them.
const SCALARS: [&str; 51] = [
    "1",
    "-1",
    "127",
    "128",
    "-129",
    "32767",
    "40000",
    "2147483648",
    "9223372036854775807",
    "9223372036854775808",
    "1.5",
    "-0.0",
    ".5",
    "5.",
    "1e5",
    "1E-5",
    "1e39",
    "0x10",
    "1_0",
    "1d",
    "1f",
    "NaN",
    "Infinity",
    "true",
    "false",
    "True",
    "null",
    "NULL",
    "abc",
    "a b",
    "\"x\"",
    "\"1\"",
    "\"\"",
    "\"a\\\"b\"",
    "\"a\\nb\"",
    "'x'",
    "\\",
    "2020-01-31",
    "2020-13-01",
    "14:34:54.346Z",
    "14:34:54.346",
    "2019-08-23T14:34:54.346Z",
    "2019-08-23T14:34:54.346+02:00",
    "2019-08-23 14:34:54",
    "\u{e4}\u{1f600}",
    "+5",
    "007",
    "-",
    "1-2",
    "a:b",
    "",
];

/// What `Values.parseString` may be given.
pub fn literal(random: &mut Random, depth: usize) -> String {
    let blank = |random: &mut Random| (*random.pick(&["", "", "", " ", "\t", "\n "])).to_owned();
    match random.below(if depth == 0 { 2 } else { 5 }) {
        0 | 1 => (*random.pick(&SCALARS)).to_owned(),
        // Numbers beyond a double cannot be told in the JSON of the answers.
        2 => random.pick(&LITERALS).replace("1e400", "1e40"),
        3 => {
            let all: Vec<String> = (0..random.below(4))
                .map(|_| format!("{}{}{}", blank(random), literal(random, depth - 1), blank(random)))
                .collect();
            format!("[{}]", all.join(*random.pick(&[",", ",", ",", ", ", ",,", " "])))
        }
        _ => {
            let all: Vec<String> = (0..random.below(3))
                .map(|_| {
                    let (key, value) = (literal(random, 0), literal(random, depth - 1));
                    format!("{}{key}{}{value}", blank(random), random.pick(&[":", ":", ":", " : ", "", "="]))
                })
                .collect();
            format!("{{{}}}", all.join(","))
        }
    }
}

pub fn wild_literal(random: &mut Random) -> String {
    let made = literal(random, 3);
    damaged(random, &made)
}

pub fn header_literals(random: &mut Random, count: usize) -> Case {
    let all: Vec<Value> = (0..count).map(|_| json!({"hex": hex(wild_literal(random).as_bytes())})).collect();
    converter("org.apache.kafka.connect.storage.SimpleHeaderConverter", json!({}), "to-connect", "header", all)
}

pub fn inserted(random: &mut Random) -> Case {
    let config = json!({"header": "h", "value.literal": wild_literal(random)});
    transform("InsertHeader", "InsertHeader", config, vec![record(&Value::Null, json!(1))])
}
