//! JSON that means one thing to every reader.
//!
//! Enters: the bytes of a body. Leaves: nothing, or what is wrong and where. Invariant: what passes is valid JSON in UTF-8,
//! nested at most [`DEPTH_MAX`] deep, without duplicate keys and without numbers that 64 bits do not hold; checked in one
//! pass, with memory for the keys that are open.

use std::collections::HashSet;

use serde::de::IgnoredAny;

/// Levels of objects and arrays at most.
pub const DEPTH_MAX: usize = 32;

/// Checks a body.
pub fn check(bytes: &[u8]) -> Result<(), String> {
    let text = std::str::from_utf8(bytes).map_err(|e| format!("it is not UTF-8 after byte {}", e.valid_up_to()))?;
    let text = text.trim_matches([' ', '\t', '\r', '\n']);
    if text.is_empty() {
        return Err("it is empty; a JSON object is needed".to_owned());
    }
    // The parser knows the grammar; what follows may rely on it.
    serde_json::from_str::<IgnoredAny>(text).map_err(|e| e.to_string())?;
    let mut open: Vec<Option<HashSet<String>>> = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.bytes().next() {
        let length = match first {
            b'{' | b'[' => {
                if open.len() == DEPTH_MAX {
                    return Err(format!("it is nested deeper than {DEPTH_MAX} levels"));
                }
                open.push((first == b'{').then(HashSet::new));
                1
            }
            b'}' | b']' => {
                open.pop();
                1
            }
            b'"' => {
                let length = string_length(rest);
                let is_key = rest[length..].trim_start().starts_with(':');
                if let (true, Some(Some(keys))) = (is_key, open.last_mut()) {
                    let key: String = serde_json::from_str(&rest[..length]).map_err(|e| e.to_string())?;
                    if let Some(twice) = keys.replace(key) {
                        return Err(format!("duplicate field `{twice}`"));
                    }
                }
                length
            }
            b'-' | b'0'..=b'9' => {
                let length = rest.find(|c| !matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E')).unwrap_or(rest.len());
                number(&rest[..length])?;
                length
            }
            _ => 1, // grammar, white space, letters of true, false and null: all ASCII
        };
        rest = &rest[length..];
    }
    Ok(())
}

/// Bytes of the string that `text` begins with, quotes included.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (index, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return index + 1,
            _ => {}
        }
    }
    text.len()
}

fn number(text: &str) -> Result<(), String> {
    let is_whole = !text.contains(['.', 'e', 'E']);
    let fits = if is_whole {
        text.parse::<i64>().is_ok() || text.parse::<u64>().is_ok()
    } else {
        text.parse::<f64>().is_ok_and(f64::is_finite)
    };
    if fits { Ok(()) } else { Err(format!("the number {text:.40} does not fit into 64 bits")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_json_passes_whatever_its_strings_hold() {
        for text in [
            r#"{"a":"b\\","c":{"a":[1,-2.5e3,true,null,"\"}"]},"d":{"a":18446744073709551615}}"#,
            " [] ",
            r#"{"ä\u00f6":"{[\"","-1":"1e999"}"#,
            "-9223372036854775808",
        ] {
            assert_eq!(check(text.as_bytes()), Ok(()), "{text}");
        }
    }

    #[test]
    fn what_two_readers_could_read_differently_is_refused() {
        for (text, why) in [
            (r#"{"a":1,"a":2}"#, "duplicate field `a`"),
            (r#"{"x":{"a":1,"\u0061":2}}"#, "duplicate field `a`"),
            (r#"{"a":18446744073709551616}"#, "does not fit into 64 bits"),
            (r#"{"a":[1e999]}"#, "does not fit into 64 bits"),
            (r#"{"a":NaN}"#, "expected value"),
            ("", "empty"),
            ("{} {}", "trailing"),
        ] {
            let error = check(text.as_bytes()).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
        let deep = format!("{}{}", "[".repeat(DEPTH_MAX + 1), "]".repeat(DEPTH_MAX + 1));
        assert!(check(deep.as_bytes()).unwrap_err().contains("deeper than 32"));
        assert!(check("[".repeat(1_000_000).as_bytes()).is_err());
        assert!(check(&[b'"', 0xff, b'"']).unwrap_err().contains("UTF-8"));
    }

    #[test]
    fn a_key_at_every_level_may_repeat_in_another_object() {
        assert_eq!(check(br#"[{"a":1},{"a":{"a":{"a":2}}}]"#), Ok(()));
    }
}
