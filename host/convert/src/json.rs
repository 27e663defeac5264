//! JSON as a tree, for the few payloads that must be rebuilt, and the writer of JSON strings.
//!
//! Enters: text. Leaves: a tree that borrows from it; text in the form in which Kafka writes it. Invariant: numbers keep
//! their digits, objects their order and their repeated keys.

use std::borrow::Cow;

use crate::fault::Result;
use crate::scan::Scanner;

/// One JSON value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json<'a> {
    Null,
    Boolean(bool),
    /// As written.
    Number(&'a str),
    String(Cow<'a, str>),
    Array(Vec<Json<'a>>),
    Object(Vec<(Cow<'a, str>, Json<'a>)>),
}

impl<'a> Json<'a> {
    /// Reads the first value; what comes after it is ignored.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self> {
        Self::read(&mut Scanner::new(bytes)?)
    }

    /// Reads the value at the cursor. Recursion is bounded by the scanner's depth.
    pub(crate) fn read(scanner: &mut Scanner<'a>) -> Result<Self> {
        Ok(match scanner.peek() {
            b'{' => {
                scanner.enter()?;
                let (mut fields, mut first) = (Vec::new(), true);
                while let Some(key) = scanner.next_key(&mut first)? {
                    fields.push((key.decoded(), Self::read(scanner)?));
                }
                Self::Object(fields)
            }
            b'[' => {
                scanner.enter()?;
                let (mut items, mut first) = (Vec::new(), true);
                while scanner.next_element(&mut first, b']')? {
                    items.push(Self::read(scanner)?);
                }
                Self::Array(items)
            }
            b'"' => Self::String(scanner.string()?.decoded()),
            b'-' | b'0'..=b'9' => Self::Number(scanner.number()?),
            _ => match scanner.word()? {
                "true" => Self::Boolean(true),
                "false" => Self::Boolean(false),
                _ => Self::Null,
            },
        })
    }

    /// What it is, in the words of Kafka's messages.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Boolean(_) => "BOOLEAN",
            Self::Number(_) => "NUMBER",
            Self::String(_) => "STRING",
            Self::Array(_) => "ARRAY",
            Self::Object(_) => "OBJECT",
        }
    }

    /// The last field of that name.
    pub(crate) fn field(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(fields) => fields.iter().rev().find(|(k, _)| k == name).map(|(_, v)| v),
            _ => None,
        }
    }

    /// Appends the text, compact, numbers without leading zeros.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Null => out.extend_from_slice(b"null"),
            Self::Boolean(b) => out.extend_from_slice(if *b { b"true" } else { b"false" }),
            Self::Number(text) => out.extend_from_slice(tidy(text).as_bytes()),
            Self::String(text) => quote(text, out),
            Self::Array(items) => {
                out.push(b'[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    item.write(out);
                }
                out.push(b']');
            }
            Self::Object(fields) => {
                out.push(b'{');
                for (index, (key, value)) in fields.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    quote(key, out);
                    out.push(b':');
                    value.write(out);
                }
                out.push(b'}');
            }
        }
    }
}

/// A number without leading zeros.
pub(crate) fn tidy(number: &str) -> Cow<'_, str> {
    let digits = number.strip_prefix('-').unwrap_or(number);
    let whole = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let zeros = digits[..whole].bytes().take_while(|b| *b == b'0').count().min(whole.saturating_sub(1));
    if zeros == 0 {
        return Cow::Borrowed(number);
    }
    let sign = if digits.len() == number.len() { "" } else { "-" };
    Cow::Owned(format!("{sign}{}", &digits[zeros..]))
}

/// Appends a JSON string as Kafka writes it: `/` plain, non-BMP characters as two `\u` escapes with capital digits.
pub(crate) fn quote(text: &str, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let unit = |out: &mut Vec<u8>, unit: u16| {
        out.extend_from_slice(b"\\u");
        out.extend([12, 8, 4, 0].map(|shift| HEX[usize::from(unit >> shift & 15)]));
    };
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut plain = 0;
    let mut at = 0;
    while at < bytes.len() {
        at += plain_ascii(&bytes[at..]);
        let Some(&byte) = bytes.get(at) else { break };
        if byte >= 0x20 && byte != b'"' && byte != b'\\' && byte < 0xf0 {
            at += 1;
            continue;
        }
        out.extend_from_slice(&bytes[plain..at]);
        at += 1;
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0c => out.extend_from_slice(b"\\f"),
            0xf0.. => {
                let character = text[at - 1..].chars().next().unwrap_or('\u{fffd}');
                let mut units = [0; 2];
                for u in character.encode_utf16(&mut units) {
                    unit(out, *u);
                }
                at += 3;
            }
            control => unit(out, u16::from(control)),
        }
        plain = at;
    }
    out.extend_from_slice(&bytes[plain..]);
    out.push(b'"');
}

/// How many bytes from the start need no escape, eight at a time: ASCII other than controls, quotes and backslashes.
fn plain_ascii(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES << 7;
    let has_zero = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
    let mut at = 0;
    for chunk in bytes.chunks_exact(8) {
        let word = chunk.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        let escaped = has_zero(word ^ (ONES * u64::from(b'"'))) | has_zero(word ^ (ONES * u64::from(b'\\')));
        if (word | control | escaped) & HIGH != 0 {
            break;
        }
        at += 8;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::quote;

    #[test]
    fn every_character_is_escaped_wherever_it_stands() {
        for before in 0..20 {
            for (character, expected) in [
                ('"', "\\\""),
                ('\\', "\\\\"),
                ('\n', "\\n"),
                ('\u{1}', "\\u0001"),
                ('\u{7f}', "\u{7f}"),
                ('/', "/"),
                ('é', "é"),
                ('☃', "☃"),
                ('😀', "\\uD83D\\uDE00"),
                (' ', " "),
                ('!', "!"),
                ('#', "#"),
                ('[', "["),
                (']', "]"),
            ] {
                let (text, mut out) = (format!("{}{character}{}", "a".repeat(before), "b".repeat(9)), Vec::new());
                quote(&text, &mut out);
                let expected = format!("\"{}{expected}{}\"", "a".repeat(before), "b".repeat(9));
                assert_eq!(String::from_utf8(out).unwrap(), expected);
            }
        }
    }
}
