//! Java's properties format (`java.util.Properties#load`), as worker files are written in.
//!
//! Enters: text. Leaves: keys and values in file order, a later duplicate replacing the value in place. Invariant: what
//! [`write`] makes, [`parse`] reads back equal.

use std::fmt::Write as _;

use indexmap::IndexMap;

/// The text is not a properties file. Code `properties.malformed`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "line {line}: `\\u` must be followed by four hexadecimal digits, found `{found}`; write `\\\\u` for a backslash"
)]
pub struct PropertiesError {
    /// Line in the file, from 1 (the first one of a continued line).
    pub line: usize,
    /// What stands there instead.
    pub found: String,
}

/// Reads a properties file. Comments (`#`, `!`), blank lines, `=`, `:` or white space between key and value, continued
/// lines and the escapes `\t \n \r \f \uXXXX` are Java's; any other escaped character stands for itself. A surrogate pair
/// of two `\u` is one character; a lone surrogate becomes U+FFFD.
pub fn parse(text: &str) -> Result<IndexMap<String, String>, PropertiesError> {
    let mut entries = IndexMap::new();
    for (line, logical) in logical_lines(text) {
        let (key, value) = split(&logical);
        entries.insert(unescape(key, line)?, unescape(value, line)?);
    }
    Ok(entries)
}

/// Writes entries so that [`parse`] (and Java) reads them back.
pub fn write<'a>(entries: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut out = String::new();
    for (key, value) in entries {
        escape(key, true, &mut out);
        out.push('=');
        escape(value, false, &mut out);
        out.push('\n');
    }
    out
}

/// Natural lines joined to logical ones, without comments and blank lines; with the number of their first line.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut lines = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (index, natural) in text.split('\n').enumerate() {
        let trimmed = natural.trim_start_matches(is_blank);
        // A continuation of nothing is a fresh line, as in Java: a comment may stand there.
        let (number, mut line) = match open.take().filter(|(_, begun): &(usize, String)| !begun.is_empty()) {
            Some(begun) => begun,
            None if trimmed.is_empty() || trimmed.starts_with(['#', '!']) => continue,
            None => (index + 1, String::new()),
        };
        if ends_open(trimmed) {
            line.push_str(&trimmed[..trimmed.len() - 1]);
            open = Some((number, line));
        } else {
            line.push_str(trimmed);
            lines.push((number, line));
        }
    }
    lines.extend(open);
    lines.retain(|(_, line)| !line.is_empty());
    lines
}

const fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\x0c')
}

/// An odd number of backslashes at the end continues the line.
fn ends_open(line: &str) -> bool {
    line.bytes().rev().take_while(|b| *b == b'\\').count() % 2 == 1
}

/// Key and value, both still escaped.
fn split(line: &str) -> (&str, &str) {
    let mut escaped = false;
    let end = line.char_indices().find_map(|(at, c)| {
        let ends = !escaped && (is_blank(c) || matches!(c, '=' | ':'));
        escaped = c == '\\' && !escaped;
        ends.then_some(at)
    });
    let Some(end) = end else { return (line, "") };
    let rest = line[end..].trim_start_matches(is_blank);
    let rest = rest.strip_prefix(['=', ':']).map_or(rest, |after| after.trim_start_matches(is_blank));
    (&line[..end], rest)
}

fn unescape(text: &str, line: usize) -> Result<String, PropertiesError> {
    let mut units: Vec<u16> = Vec::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let c = if c == '\\' { chars.next() } else { push(&mut units, c) };
        match c {
            None => {}
            Some('t') => units.push(u16::from(b'\t')),
            Some('n') => units.push(u16::from(b'\n')),
            Some('r') => units.push(u16::from(b'\r')),
            Some('f') => units.push(0x0c),
            Some('u') => {
                let digits: String = chars.by_ref().take(4).collect();
                let hex = digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_hexdigit());
                let unit = u16::from_str_radix(&digits, 16).ok().filter(|_| hex);
                units.push(unit.ok_or(PropertiesError { line, found: digits })?);
            }
            Some(other) => _ = push(&mut units, other),
        }
    }
    Ok(String::from_utf16_lossy(&units))
}

/// Appends a character that stands for itself; `None`, so that it reads well above.
fn push(units: &mut Vec<u16>, c: char) -> Option<char> {
    units.extend_from_slice(c.encode_utf16(&mut [0; 2]));
    None
}

fn escape(text: &str, is_key: bool, out: &mut String) {
    for (index, c) in text.chars().enumerate() {
        match c {
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\x0c' => out.push_str("\\f"),
            '\\' | '=' | ':' | '#' | '!' => out.extend(['\\', c]),
            ' ' if is_key || index == 0 => out.push_str("\\ "),
            ' '..='~' => out.push(c),
            _ => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| _ = write!(out, "\\u{unit:04X}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        parse(text).unwrap().into_iter().collect()
    }

    fn pair(key: &str, value: &str) -> Vec<(String, String)> {
        vec![(key.to_owned(), value.to_owned())]
    }

    #[test]
    fn separators_are_equals_colon_or_white_space() {
        for text in ["a=b", "a = b", "a:b", "a b", "a\t:\tb", "  a=b", "a\x0cb"] {
            assert_eq!(pairs(text), pair("a", "b"), "{text:?}");
        }
    }

    #[test]
    fn only_the_first_separator_counts_and_trailing_blanks_stay() {
        assert_eq!(pairs("a==b "), pair("a", "=b "));
        assert_eq!(pairs("jaas=x y=\"z\";"), pair("jaas", "x y=\"z\";"));
        assert_eq!(pairs("alone"), pair("alone", ""));
    }

    #[test]
    fn comments_do_not_continue_and_lines_do() {
        let text = "# note \\\n! other\n\nlist = a,\\\n    b,\\\r\n  c\nnext=1\\";
        let expected = [pair("list", "a,b,c"), pair("next", "1")].concat();
        assert_eq!(pairs(text), expected);
    }

    #[test]
    fn escapes_are_javas() {
        assert_eq!(pairs(r"a\=\ b=\u00e9\ud83d\ude00\t\q\\"), pair("a= b", "é😀\tq\\"));
        assert_eq!(pairs(r"a=\ud83d"), pair("a", "\u{fffd}"));
    }

    #[test]
    fn a_malformed_unicode_escape_names_its_line() {
        let error = parse("a=1\nb=\\\n\\u12x4").unwrap_err();
        assert_eq!(error, PropertiesError { line: 2, found: "12x4".to_owned() });
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(entries in prop::collection::btree_map(".{1,12}", ".{0,20}", 0..8)) {
            let text = write(entries.iter().map(|(k, v)| (k.as_str(), v.as_str())));
            let read: std::collections::BTreeMap<_, _> = parse(&text).unwrap().into_iter().collect();
            prop_assert_eq!(read, entries);
        }

        #[test]
        fn another_reader_of_the_format_agrees(text in "([a-c=:# !\\\\nut0-9 \t\r\n]|\\\\u00e9){0,60}") {
            let text = format!("{text}\nend=1"); // the other reader forgets a line that is still open at the end
            if let Ok(ours) = parse(&text) {
                let mut theirs = Vec::new();
                let reader = java_properties::PropertiesIter::new(text.as_bytes());
                for line in reader {
                    let Ok(line) = line else { return Ok(()) };
                    if let java_properties::LineContent::KVPair(k, v) = line.consume_content() {
                        theirs.push((k, v));
                    }
                }
                let theirs: IndexMap<_, _> = theirs.into_iter().collect();
                prop_assert_eq!(ours, theirs, "{:?}", text);
            }
        }
    }
}
