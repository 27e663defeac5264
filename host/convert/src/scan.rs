//! A scanner over JSON text that builds nothing.
//!
//! Enters: UTF-8 text. Leaves: where values begin and end. Invariant: it never reads past the text, never recurses, and
//! takes what Kafka's JSON parser takes: leading zeros in numbers are legal, text after the first value is ignored (white space
//! has to part it from a number), at most 1000 levels and 1000 characters in a number.

use std::borrow::Cow;

use crate::fault::{DataFault, Result};

/// Levels of nesting at most (Jackson's default).
pub(crate) const DEPTH_MAX: usize = 1000;
/// Characters of a number at most (Jackson's default).
pub(crate) const NUMBER_MAX: usize = 1000;

/// A cursor.
#[derive(Clone, Debug)]
pub(crate) struct Scanner<'a> {
    bytes: &'a [u8],
    text: &'a str,
    pub(crate) at: usize,
    depth: usize,
    objects: [u64; DEPTH_MAX / 64 + 1],
    /// A number with leading zeros was seen: legal for Kafka, but not JSON.
    pub(crate) untidy: bool,
}

/// A string between its quotes, as written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Raw<'a> {
    pub(crate) text: &'a str,
    pub(crate) escaped: bool,
}

impl<'a> Scanner<'a> {
    /// # Errors
    /// `json.utf8` if the bytes are not UTF-8.
    pub(crate) fn new(bytes: &'a [u8]) -> Result<Self> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let text = std::str::from_utf8(bytes)
            .map_err(|e| DataFault::new("json.utf8", format!("{SYNTAX}: invalid UTF-8 at byte {}", e.valid_up_to())))?;
        Ok(Self { bytes, text, at: 0, depth: 0, objects: [0; DEPTH_MAX / 64 + 1], untidy: false })
    }

    pub(crate) fn text(&self) -> &'a str {
        self.text
    }

    pub(crate) fn error(&self, what: &str) -> DataFault {
        DataFault::new("json.syntax", format!("{SYNTAX}: {what} at byte {}", self.at))
    }

    /// The next byte that is not white space, left in place; 0 at the end.
    pub(crate) fn peek(&mut self) -> u8 {
        while let Some(&b) = self.bytes.get(self.at) {
            if b > b' ' || !matches!(b, b' ' | b'\n' | b'\r' | b'\t') {
                return b;
            }
            self.at += 1;
        }
        0
    }

    /// Takes one byte after white space.
    pub(crate) fn expect(&mut self, byte: u8) -> Result<()> {
        if self.peek() == byte {
            self.at += 1;
            return Ok(());
        }
        Err(self.unexpected(byte))
    }

    #[cold]
    fn unexpected(&self, byte: u8) -> DataFault {
        let found = if self.at >= self.bytes.len() { "unexpected end of input" } else { "unexpected character" };
        self.error(&format!("{found}, '{}' was expected,", char::from(byte)))
    }

    /// Steps into an object or array whose opening byte is next.
    pub(crate) fn enter(&mut self) -> Result<()> {
        if self.depth >= DEPTH_MAX {
            return Err(self.error("document nests deeper than 1000 levels"));
        }
        let object = self.bytes.get(self.at) == Some(&b'{');
        let (word, bit) = (self.depth / 64, self.depth % 64);
        self.objects[word] = self.objects[word] & !(1 << bit) | (u64::from(object) << bit);
        self.depth += 1;
        self.at += 1;
        Ok(())
    }

    fn in_object(&self) -> bool {
        let level = self.depth - 1;
        self.objects[level / 64] >> (level % 64) & 1 == 1
    }

    /// The name of the next field of the object that was entered; `None` after the last, which leaves the object.
    pub(crate) fn next_key(&mut self, first: &mut bool) -> Result<Option<Raw<'a>>> {
        if !self.next_element(first, b'}')? {
            return Ok(None);
        }
        if self.peek() != b'"' {
            return Err(self.unexpected(b'"'));
        }
        let key = self.string()?;
        self.expect(b':')?;
        Ok(Some(key))
    }

    /// True if the array (`close` = `]`) or object that was entered has another element; otherwise leaves it.
    pub(crate) fn next_element(&mut self, first: &mut bool, close: u8) -> Result<bool> {
        let next = self.peek();
        if next == close {
            self.at += 1;
            self.depth -= 1;
            return Ok(false);
        }
        if !std::mem::replace(first, false) {
            self.expect(b',')?;
            if self.peek() == close {
                return Err(self.error("a value is missing after ','"));
            }
        }
        Ok(true)
    }

    /// Skips one value of any kind, checking it.
    pub(crate) fn skip(&mut self) -> Result<()> {
        let floor = self.depth;
        loop {
            match self.peek() {
                open @ (b'{' | b'[') => {
                    self.enter()?;
                    let close = if open == b'{' { b'}' } else { b']' };
                    if self.peek() != close {
                        self.key_if_object()?;
                        continue;
                    }
                    self.at += 1;
                    self.depth -= 1;
                }
                b'"' => drop(self.string()?),
                b'-' | b'0'..=b'9' => drop(self.number()?),
                _ => drop(self.word()?),
            }
            loop {
                if self.depth == floor {
                    return Ok(());
                }
                match (self.peek(), self.in_object()) {
                    (b',', _) => {
                        self.at += 1;
                        self.key_if_object()?;
                        break;
                    }
                    (b'}', true) | (b']', false) => {
                        self.at += 1;
                        self.depth -= 1;
                    }
                    _ => return Err(self.unexpected(b',')),
                }
            }
        }
    }

    fn key_if_object(&mut self) -> Result<()> {
        if self.in_object() {
            if self.peek() != b'"' {
                return Err(self.unexpected(b'"'));
            }
            self.string()?;
            self.expect(b':')?;
        }
        Ok(())
    }

    /// `true`, `false` or `null`.
    pub(crate) fn word(&mut self) -> Result<&'static str> {
        self.peek();
        let rest = &self.bytes[self.at.min(self.bytes.len())..];
        for word in ["true", "false", "null"] {
            let ends = rest.get(word.len()).is_none_or(|b| !b.is_ascii_alphanumeric() && *b != b'_');
            if rest.starts_with(word.as_bytes()) && ends {
                self.at += word.len();
                return Ok(word);
            }
        }
        let what =
            if rest.is_empty() { "unexpected end of input" } else { "unexpected character, a value was expected," };
        Err(self.error(what))
    }

    /// A string whose opening quote is next.
    pub(crate) fn string(&mut self) -> Result<Raw<'a>> {
        let start = self.at + 1;
        let mut at = start;
        let mut escaped = false;
        loop {
            at = plain_end(self.bytes, at);
            match self.bytes.get(at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    at = escape_end(self.bytes, at).ok_or_else(|| self.error("invalid escape in the string"))?;
                }
                Some(_) => return Err(self.error("control character in the string")),
                None => return Err(self.error("unexpected end of input in the string")),
            }
        }
        self.at = at + 1;
        Ok(Raw { text: &self.text[start..at], escaped })
    }

    /// A number that begins here.
    pub(crate) fn number(&mut self) -> Result<&'a str> {
        let start = self.at;
        let digits = |at: usize| at + self.bytes[at..].iter().take_while(|b| b.is_ascii_digit()).count();
        let first = start + usize::from(self.bytes[start] == b'-');
        let mut end = digits(first);
        let whole = end - first;
        let mut valid = whole > 0;
        if self.bytes.get(end) == Some(&b'.') {
            let fraction = digits(end + 1);
            valid &= fraction > end + 1;
            end = fraction;
        }
        if matches!(self.bytes.get(end), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(self.bytes.get(end + 1), Some(b'+' | b'-')));
            let exponent_start = (end + 1 + sign).min(self.bytes.len());
            let exponent = digits(exponent_start);
            valid &= exponent > exponent_start;
            end = exponent;
        }
        let glued = self.bytes.get(end).is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_'));
        if !valid || glued {
            return Err(self.error("invalid number"));
        }
        // Jackson wants to see where a number ends that stands alone.
        let behind = self.bytes.get(end).filter(|_| self.depth == 0);
        if behind.is_some_and(|b| !matches!(b, b' ' | b'\n' | b'\r' | b'\t')) {
            self.at = end;
            return Err(self.error("unexpected character, white space was expected behind a number"));
        }
        if end - start > NUMBER_MAX {
            return Err(self.error("number longer than 1000 characters"));
        }
        self.untidy |= whole > 1 && self.bytes[first] == b'0';
        self.at = end;
        Ok(&self.text[start..end])
    }
}

const SYNTAX: &str = "Converting byte[] to Kafka Connect data failed due to serialization error";

/// The first byte from `at` on that is a quote, a backslash or a control character. Eight bytes at a time.
#[inline]
fn plain_end(bytes: &[u8], mut at: usize) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    while let Some(chunk) = bytes.get(at..at + 8) {
        // The slice has eight bytes.
        let word = u64::from_le_bytes(chunk.try_into().unwrap_or([0; 8]));
        let zero = |w: u64| w.wrapping_sub(ONES) & !w & HIGH;
        let hit =
            zero(word ^ (ONES * 0x22)) | zero(word ^ (ONES * 0x5c)) | (word.wrapping_sub(ONES * 0x20) & !word & HIGH);
        if hit != 0 {
            return at + (hit.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    at + bytes[at.min(bytes.len())..].iter().take_while(|b| **b >= 0x20 && !matches!(b, b'"' | b'\\')).count()
}

/// The byte after the escape that begins at `at`.
fn escape_end(bytes: &[u8], at: usize) -> Option<usize> {
    match bytes.get(at + 1)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(at + 2),
        b'u' => bytes.get(at + 2..at + 6)?.iter().all(u8::is_ascii_hexdigit).then_some(at + 6),
        _ => None,
    }
}

impl<'a> Raw<'a> {
    /// The text that was meant. A lone surrogate becomes U+FFFD.
    pub(crate) fn decoded(self) -> Cow<'a, str> {
        if self.escaped { Cow::Owned(unescape(self.text)) } else { Cow::Borrowed(self.text) }
    }
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        let code = rest.as_bytes()[at + 1];
        rest = &rest[at + 2..];
        match code {
            b'b' => out.push('\u{8}'),
            b'f' => out.push('\u{c}'),
            b'n' => out.push('\n'),
            b'r' => out.push('\r'),
            b't' => out.push('\t'),
            b'u' => {
                let unit = hex(rest);
                rest = &rest[4..];
                let low = rest.strip_prefix("\\u").map(hex).filter(|low| (0xdc00..0xe000).contains(low));
                out.push(match (unit, low) {
                    (0xd800..0xdc00, Some(low)) => {
                        rest = &rest[6..];
                        char::from_u32(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00)).unwrap_or('\u{fffd}')
                    }
                    _ => char::from_u32(unit).unwrap_or('\u{fffd}'),
                });
            }
            other => out.push(char::from(other)),
        }
    }
    out.push_str(rest);
    out
}

fn hex(text: &str) -> u32 {
    text.get(..4).and_then(|t| u32::from_str_radix(t, 16).ok()).unwrap_or(0xfffd)
}
