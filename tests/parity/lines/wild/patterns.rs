//! Patterns: regular expressions, and dates as `SimpleDateFormat` has them.
//!
//! Enters: what is random. Leaves: cases. Invariant: what is matched or read is near to its pattern.

use serde_json::{Value, json};

use super::super::Case;
use super::super::samples::Random;
use super::{damaged, pieces, record, transform};

/// What a regular expression is made of.
const ATOMS: [&str; 38] = [
    "a",
    "b",
    "c",
    "1",
    "-",
    "\\.",
    ".",
    "[ab]",
    "[^a]",
    "[a-c&&[^b]]",
    "\\d",
    "\\w",
    "\\W",
    "(a)",
    "(b|c)",
    "(?:ab)",
    "(?<n>a)",
    "\\1",
    "\\k<n>",
    "(?=b)",
    "(?!c)",
    "(?<=a)",
    "(?<!b)",
    "\\b",
    "^",
    "$",
    "\\Q.\\E",
    "\\p{L}",
    "\\p{Upper}",
    "(?>a+)",
    "\\x61",
    "\\Z",
    "\\A",
    "[\\w.-]",
    "(.+?)",
    "\\h",
    "\\R",
    "[[:alpha:]]",
];

/// A regular expression, what takes the place of what it finds, and topics that it may find something in.
pub fn router(random: &mut Random) -> Case {
    let times = ["", "", "", "*", "+", "?", "*?", "++", "{2}", "{1,}", "{0,2}", "*+"];
    // Of a group that may be empty, and of flags, Java's count has a meaning of its own.
    let alone = ["()", "(.*)", "(?s)", "(?i)", "(?u)"];
    let regex: String = (0..=random.below(4))
        .map(|_| match random.below(7) {
            0 => (*random.pick(&alone)).to_owned(),
            _ => format!("{}{}", random.pick(&ATOMS), random.pick(&times)),
        })
        .collect();
    let replacement =
        pieces(random, &["$1", "$2", "${n}", "$0", "x", "-", "\\$", "\\\\", "$11", "", "$1$2", "{n}", "$"], 2);
    let topics = ["a", "b", "c", "A", "B", "1", "22", ".", "-", "_", "ab", "abc", "aab"];
    let records = (0..12)
        .map(|_| {
            let mut record = record(&Value::Null, json!(1));
            record["topic"] = json!(pieces(random, &topics, 4));
            record
        })
        .collect();
    transform("RegexRouter", "RegexRouter", json!({"regex": regex, "replacement": replacement}), records)
}

/// A pattern of `SimpleDateFormat`.
pub fn pattern(random: &mut Random) -> String {
    let parts = [
        "yyyy", "yy", "y", "yyyyy", "MM", "M", "MMM", "MMMM", "dd", "d", "HH", "H", "hh", "KK", "kk", "mm", "ss",
        "SSS", "S", "SSSSSS", "a", "E", "EEEE", "u", "D", "DDD", "w", "W", "F", "G", "Y", "YYYY", "z", "zzzz", "Z",
        "X", "XX", "XXX", "L", "'T'", "''", "'it''s'", "-", ":", " ", "/", ".", ",",
    ];
    let made = pieces(random, &parts, 6);
    if random.below(8) == 0 { damaged(random, &made) } else { made }
}

/// Times between the years 1500 and 2500, some near to 0.
pub fn time(random: &mut Random) -> i64 {
    let bits = random.below(31_556_952_000_000 * 2) as i64 / 2;
    match random.below(4) {
        0 => random.below(200_000_000) as i64 - 100_000_000,
        1 => -(bits % 15_000_000_000_000),
        _ => bits % 16_700_000_000_000,
    }
}

pub fn formatted(random: &mut Random) -> Case {
    let records = (0..12).map(|_| record(&Value::Null, json!({"v": time(random)}))).collect();
    let config = json!({"field": "v", "target.type": "string", "format": pattern(random)});
    transform("TimestampConverter$Value", "TimestampConverter$Value", config, records)
}

/// Texts near to a pattern.
pub fn parsed(random: &mut Random) -> Case {
    let made = pattern(random);
    let texts =
        ["AM", "pm", "Mon", "Tuesday", "Jan", "February", "AD", "BC", "UTC", "GMT+2", "+0100", "Z", "+01:00", "May"];
    let records = (0..14)
        .map(|_| {
            let mut text = String::new();
            let mut quoted = false;
            for letter in made.chars() {
                match letter {
                    '\'' => quoted = !quoted,
                    'a'..='z' | 'A'..='Z' if !quoted => match random.below(14) {
                        0 => text.extend([*random.pick(&texts)]),
                        1 => text.extend([*random.pick(&["-", "+", " ", "12", ""])]),
                        _ if letter == 'E' || letter == 'G' || letter == 'a' => text.extend([*random.pick(&texts)]),
                        _ => text.push(char::from(b'0' + random.below(10) as u8)),
                    },
                    other => text.push(other),
                }
            }
            record(&Value::Null, json!({"v": text}))
        })
        .collect();
    let target = ["unix", "Timestamp", "Date", "Time"][random.below(4)];
    let config = json!({"field": "v", "target.type": target, "format": made});
    transform("TimestampConverter$Value", "TimestampConverter$Value", config, records)
}
