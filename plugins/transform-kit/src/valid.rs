//! Whether a text is JSON, strictly and to a bounded depth.
//!
//! Enters: bytes that nobody has looked at. Leaves: true or false. Invariant: what passes can be read by any reader of JSON
//! without a deep stack.

use crate::scan::{blank_end, string_end};

/// Levels of nesting that pass.
pub const DEPTH_MAX: usize = 200;

/// True for one JSON value with nothing but blanks around it.
pub fn is_json(text: &[u8]) -> bool {
    value(text, 0, 0).is_some_and(|end| blank_end(text, end) == text.len()) && std::str::from_utf8(text).is_ok()
}

/// True if that value is an object or a list.
pub fn is_container(text: &[u8]) -> bool {
    matches!(text.get(blank_end(text, 0)), Some(b'{' | b'[')) && is_json(text)
}

/// Behind the value at `at`.
fn value(text: &[u8], at: usize, depth: usize) -> Option<usize> {
    let at = blank_end(text, at);
    match text.get(at)? {
        b'"' => string(text, at),
        b'{' | b'[' if depth < DEPTH_MAX => container(text, at, depth),
        b't' => word(text, at, b"true"),
        b'f' => word(text, at, b"false"),
        b'n' => word(text, at, b"null"),
        b'-' | b'0'..=b'9' => number(text, at),
        _ => None,
    }
}

fn container(text: &[u8], at: usize, depth: usize) -> Option<usize> {
    let object = text[at] == b'{';
    let close = if object { b'}' } else { b']' };
    let mut at = blank_end(text, at + 1);
    if text.get(at) == Some(&close) {
        return Some(at + 1);
    }
    loop {
        if object {
            at = blank_end(text, at);
            at = blank_end(text, if text.get(at) == Some(&b'"') { string(text, at)? } else { return None });
            at = if text.get(at) == Some(&b':') { at + 1 } else { return None };
        }
        at = blank_end(text, value(text, at, depth + 1)?);
        match text.get(at)? {
            b',' => at += 1,
            byte if *byte == close => return Some(at + 1),
            _ => return None,
        }
    }
}

fn string(text: &[u8], at: usize) -> Option<usize> {
    let (end, escaped) = string_end(text, at + 1).ok()?;
    let inside = &text[at + 1..end];
    if inside.iter().any(|byte| *byte < 0x20) || (escaped && !escapes(inside)) {
        return None;
    }
    Some(end + 1)
}

fn escapes(inside: &[u8]) -> bool {
    let mut rest = inside;
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        let length = match rest.get(at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 2,
            Some(b'u') if rest.get(at + 2..at + 6).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)) => 6,
            _ => return false,
        };
        rest = &rest[at + length..];
    }
    true
}

fn word(text: &[u8], at: usize, word: &[u8]) -> Option<usize> {
    text[at..].starts_with(word).then_some(at + word.len())
}

fn number(text: &[u8], at: usize) -> Option<usize> {
    let digits = |from: usize| {
        let count = text[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        (count > 0).then_some(from + count)
    };
    let start = at + usize::from(text[at] == b'-');
    let mut end = digits(start)?;
    if text[start] == b'0' && end > start + 1 {
        return None;
    }
    if text.get(end) == Some(&b'.') {
        end = digits(end + 1)?;
    }
    if matches!(text.get(end), Some(b'e' | b'E')) {
        end = digits(end + 1 + usize::from(matches!(text.get(end + 1), Some(b'+' | b'-'))))?;
    }
    Some(end)
}

#[cfg(test)]
mod tests {
    use super::{is_container, is_json};

    #[test]
    fn what_is_json_passes_and_nothing_else() {
        for text in ["{}", " [1, \"]\" ,{\"a\":[]}] ", "0", "-1.5e+3", "\"\\u00e4\\n\"", "null", "true", "[[],{}]"] {
            assert!(is_json(text.as_bytes()), "{text}");
        }
        for text in [
            "",
            "{",
            "[1,]",
            "{\"a\"}",
            "{\"a\":}",
            "{a:1}",
            "01",
            "1.",
            "-",
            "1e",
            "tru",
            "nulll",
            "{}{}",
            "\"\\x\"",
            "\"\\u00g0\"",
            "\"a\nb\"",
            "[1 2]",
            "NaN",
            "'x'",
        ] {
            assert!(!is_json(text.as_bytes()), "{text}");
        }
        assert!(!is_json(b"\"\xff\""));
        assert!(!is_json(format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)).as_bytes()));
        assert!(is_container(b" {}") && is_container(b"[]") && !is_container(b"1") && !is_container(b""));
    }
}
