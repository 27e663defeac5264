//! The members of a JSON object in one pass over its bytes, without a tree.
//!
//! Enters: a JSON text that a converter or a source made. Leaves: where names and values begin and end. Invariant: no read
//! outside the text; nested values are skipped by their brackets and strings only, for what is wrong inside them is found
//! when the host encodes or the sink reads them.
#![expect(clippy::inline_always, reason = "measured: calls between the steps of a scan cost a fifth of it")]

use std::borrow::Cow;
use std::fmt::Write as _;

/// Where a member stands; positions are offsets in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// The opening quote of the name.
    pub start: usize,
    /// The name between its quotes ends here (its closing quote).
    pub name_end: usize,
    /// True if the name is written with escapes.
    pub escaped: bool,
    /// First byte of the value.
    pub value: usize,
    /// Behind the last byte of the value.
    pub end: usize,
}

impl Member {
    /// True if the member has this name.
    #[inline]
    pub fn is(&self, text: &[u8], name: &str) -> bool {
        is_name(&text[self.start + 1..self.name_end], self.escaped, name)
    }

    /// The name.
    pub fn name<'a>(&self, text: &'a [u8]) -> Cow<'a, str> {
        unescape(&text[self.start + 1..self.name_end])
    }
}

/// True if this is meant by what stands between the quotes of a name.
#[inline]
pub(crate) fn is_name(raw: &[u8], escaped: bool, name: &str) -> bool {
    if escaped { unescape(raw) == name } else { raw == name.as_bytes() }
}

/// Why a text is not what was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// It is JSON of another kind.
    NotObject,
    /// It is no JSON.
    Syntax(usize),
}

/// A pass over an object.
#[derive(Debug)]
pub struct Members<'a> {
    text: &'a [u8],
    at: usize,
    first: bool,
    /// Once the pass is over: the closing brace.
    pub close: usize,
}

/// The first position from `at` on that is no white space.
#[inline(always)]
pub fn blank_end(text: &[u8], mut at: usize) -> usize {
    // Compact text has no blanks: one comparison.
    if at < text.len() && text[at] > b' ' {
        return at;
    }
    while at < text.len() && matches!(text[at], b' ' | b'\n' | b'\r' | b'\t') {
        at += 1;
    }
    at
}

impl<'a> Members<'a> {
    /// Begins a pass.
    pub fn new(text: &'a [u8]) -> Result<Self, Malformed> {
        let at = blank_end(text, 0);
        match text.get(at) {
            Some(b'{') => Ok(Self { text, at: at + 1, first: true, close: 0 }),
            Some(_) => Err(Malformed::NotObject),
            None => Err(Malformed::Syntax(at)),
        }
    }

    /// The next member; none after the last.
    #[inline(always)]
    pub fn advance(&mut self) -> Result<Option<Member>, Malformed> {
        let text = self.text;
        let mut at = blank_end(text, self.at);
        if text.get(at) == Some(&b'}') {
            self.close = at;
            return Ok(None);
        }
        if !std::mem::replace(&mut self.first, false) {
            if text.get(at) != Some(&b',') {
                return Err(Malformed::Syntax(at));
            }
            at = blank_end(text, at + 1);
        }
        if text.get(at) != Some(&b'"') {
            return Err(Malformed::Syntax(at));
        }
        let start = at;
        let (name_end, escaped) = string_end(text, at + 1)?;
        at = blank_end(text, name_end + 1);
        if text.get(at) != Some(&b':') {
            return Err(Malformed::Syntax(at));
        }
        let value = blank_end(text, at + 1);
        let end = value_end(text, value)?;
        self.at = end;
        Ok(Some(Member { start, name_end, escaped, value, end }))
    }

    /// True as long as no member was found.
    pub const fn is_empty(&self) -> bool {
        self.first
    }

    /// All members, and the closing brace.
    pub fn collect_into(mut self, into: &mut Vec<Member>) -> Result<usize, Malformed> {
        into.clear();
        while let Some(member) = self.advance()? {
            into.push(member);
        }
        Ok(self.close)
    }

    /// The member of that name; the last one, if it is repeated.
    pub fn find(mut self, name: &str) -> Result<Option<Member>, Malformed> {
        let mut found = None;
        while let Some(member) = self.advance()? {
            if member.is(self.text, name) {
                found = Some(member);
            }
        }
        Ok(found)
    }
}

/// The elements of an array, as (first byte, behind the last byte).
pub fn elements(text: &[u8]) -> Result<Vec<(usize, usize)>, Malformed> {
    let mut at = blank_end(text, 0);
    if text.get(at) != Some(&b'[') {
        return Err(Malformed::Syntax(at));
    }
    let mut found = Vec::new();
    at = blank_end(text, at + 1);
    if text.get(at) == Some(&b']') {
        return Ok(found);
    }
    loop {
        let start = blank_end(text, at);
        let end = value_end(text, start)?;
        found.push((start, end));
        at = blank_end(text, end);
        match text.get(at) {
            Some(b',') => at += 1,
            Some(b']') => return Ok(found),
            _ => return Err(Malformed::Syntax(at)),
        }
    }
}

/// Behind the value that begins at `at`.
#[inline(always)]
pub fn value_end(text: &[u8], at: usize) -> Result<usize, Malformed> {
    match text.get(at) {
        Some(b'"') => string_end(text, at + 1).map(|(end, _)| end + 1),
        Some(b'{' | b'[') => nested_end(text, at),
        Some(b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => {
            let mut end = at + 1;
            // Digits, letters and points lie above the comma, white space lies below it.
            while end < text.len() && (text[end] > b',' || text[end] == b'+') && !matches!(text[end], b'}' | b']') {
                end += 1;
            }
            Ok(end)
        }
        _ => Err(Malformed::Syntax(at)),
    }
}

/// Brackets and braces differ in one bit: `[` is `{` without 0x20, `]` is `}`.
fn nested_end(text: &[u8], mut at: usize) -> Result<usize, Malformed> {
    let mut depth = 0_usize;
    while at < text.len() {
        let byte = text[at];
        if byte == b'"' {
            at = string_end(text, at + 1)?.0;
        } else if byte | 0x20 == b'{' {
            depth += 1;
        } else if byte | 0x20 == b'}' {
            depth -= 1;
            if depth == 0 {
                return Ok(at + 1);
            }
        }
        at += 1;
    }
    Err(Malformed::Syntax(at))
}

/// The closing quote of the string whose content begins at `at`, and whether there are escapes. Sixteen bytes at a time, then
/// eight, then one.
#[inline(always)]
pub fn string_end(text: &[u8], mut at: usize) -> Result<(usize, bool), Malformed> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let mut escaped = false;
    let word = |chunk: &[u8]| u64::from_le_bytes(chunk.try_into().unwrap_or([0; 8]));
    let zero = |w: u64| w.wrapping_sub(ONES) & !w & HIGH;
    let hits = |w: u64| zero(w ^ (ONES * 0x22)) | zero(w ^ (ONES * 0x5c));
    loop {
        while let Some(chunk) = text.get(at..at + 16)
            && hits(word(&chunk[..8])) | hits(word(&chunk[8..])) == 0
        {
            at += 16;
        }
        while let Some(chunk) = text.get(at..at + 8) {
            let hit = hits(word(chunk));
            if hit != 0 {
                at += (hit.trailing_zeros() / 8) as usize;
                // The first hit is exact; those above it may be borrows.
                if text[at] == b'"' {
                    return Ok((at, escaped));
                }
                break;
            }
            at += 8;
        }
        while at < text.len() && text[at] != b'"' && text[at] != b'\\' {
            at += 1;
        }
        match text.get(at) {
            Some(b'"') => return Ok((at, escaped)),
            Some(_) => {
                escaped = true;
                at += 2;
            }
            None => return Err(Malformed::Syntax(text.len())),
        }
    }
}

/// The text between quotes that was meant. A lone surrogate, or a broken escape, becomes U+FFFD.
pub fn unescape(raw: &[u8]) -> Cow<'_, str> {
    if !raw.contains(&b'\\') {
        return String::from_utf8_lossy(raw);
    }
    let raw = String::from_utf8_lossy(raw);
    let mut out = String::with_capacity(raw.len());
    let mut rest: &str = &raw;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let Some(code) = rest[at + 1..].chars().next() else { break };
        rest = &rest[at + 1 + code.len_utf8()..];
        match code {
            'b' => out.push('\u{8}'),
            'f' => out.push('\u{c}'),
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            't' => out.push('\t'),
            'u' => {
                let unit = hex(rest);
                rest = rest.get(4..).unwrap_or("");
                let low = rest.strip_prefix("\\u").map(hex).filter(|low| (0xdc00..0xe000).contains(low));
                out.push(match (unit, low) {
                    (0xd800..0xdc00, Some(low)) => {
                        rest = rest.get(6..).unwrap_or("");
                        char::from_u32(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00)).unwrap_or('\u{fffd}')
                    }
                    _ => char::from_u32(unit).unwrap_or('\u{fffd}'),
                });
            }
            other => out.push(other),
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

fn hex(text: &str) -> u32 {
    text.get(..4).and_then(|t| u32::from_str_radix(t, 16).ok()).unwrap_or(0xfffd)
}

/// A JSON string, as Kafka writes it: `/` plain, non-BMP characters as two `\u` escapes with capital digits.
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    if text.bytes().all(|b| (b' '..0xf0).contains(&b) && b != b'"' && b != b'\\') {
        out.push_str(text);
        out.push('"');
        return out;
    }
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\0'..='\u{1f}' | '\u{10000}'.. => {
                let mut units = [0; 2];
                for unit in character.encode_utf16(&mut units) {
                    // Writing to a String cannot fail.
                    let _ = write!(out, "\\u{unit:04X}");
                }
            }
            plain => out.push(plain),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{Malformed, Members, elements, quoted, unescape};

    #[test]
    fn members_are_found_whatever_their_values() {
        let text = br#" { "a" : "x\"}" , "b":{"c":[1,"]"]},"d":-1.5e3,"\u0065":null ,"f":[]} "#;
        let mut members = Members::new(text).unwrap();
        let mut seen = Vec::new();
        while let Some(member) = members.advance().unwrap() {
            let value = std::str::from_utf8(&text[member.value..member.end]).unwrap();
            seen.push((member.name(text).into_owned(), value.to_owned()));
        }
        let seen: Vec<_> = seen.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(seen, [("a", r#""x\"}""#), ("b", r#"{"c":[1,"]"]}"#), ("d", "-1.5e3"), ("e", "null"), ("f", "[]")]);
        assert_eq!(text[members.close], b'}');
    }

    #[test]
    fn broken_text_is_refused_and_never_read_past() {
        assert_eq!(Members::new(b"[]").unwrap_err(), Malformed::NotObject);
        for text in [
            "{",
            "{\"",
            "{\"a",
            "{\"a\"",
            "{\"a\":",
            "{\"a\":\"",
            "{\"a\":{",
            "{\"a\":1",
            "{\"a\":1,",
            "{\"a\":1,}",
            "{a:1}",
            "{\"a\\",
        ] {
            let mut members = Members::new(text.as_bytes()).unwrap();
            let outcome = loop {
                match members.advance() {
                    Ok(Some(_)) => {}
                    other => break other,
                }
            };
            assert!(outcome.is_err(), "{text}");
        }
        assert!(Members::new(b"  ").is_err());
        assert!(elements(b"[1,").is_err());
    }

    #[test]
    fn strings_are_unescaped_and_quoted_as_kafka_does() {
        assert_eq!(unescape(br"a\u00e4\n\/\ud83d\ude00\ud83d"), "a\u{e4}\n/\u{1f600}\u{fffd}");
        assert_eq!(quoted("a\"\u{1}\u{1f600}/"), r#""a\"\u0001\uD83D\uDE00/""#);
        assert_eq!(elements(b" [1, [2,3] ,\"]\"] ").unwrap().len(), 3);
    }
}
