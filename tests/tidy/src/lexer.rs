//! Just enough of Rust's lexical rules to tell code from comments and literals, and to find where functions end.
//!
//! Enters: the text of a file. Leaves: the same text, line for line, with comments and literals blanked; functions with
//! their lengths. Invariant: line numbers stay what they are.

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// Line of its `fn`, from 1.
    pub line: usize,
    /// Lines from `fn` to the closing brace, both included.
    pub lines: usize,
}

/// Blanks what is not code: comments, the inside of strings, characters.
pub fn blank(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = match bytes[at] {
            b'/' if bytes.get(at + 1) == Some(&b'/') => line_end(bytes, at),
            b'/' if bytes.get(at + 1) == Some(&b'*') => block_comment_end(bytes, at),
            b'"' => string_end(bytes, at),
            b'r' if !in_word(bytes, at) => raw_string_end(bytes, at).unwrap_or(at + 1),
            b'\'' => char_end(bytes, at).unwrap_or(at + 1),
            _ => at + 1,
        };
        if end > at + 1 {
            out[at..end].iter_mut().filter(|b| **b != b'\n').for_each(|b| *b = b' ');
        }
        at = end;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// All functions with a body, in blanked code.
pub fn functions(code: &str) -> Vec<Function> {
    let bytes = code.as_bytes();
    let starts = code.match_indices("fn ").filter(|(at, _)| !in_word(bytes, *at));
    starts.filter_map(|(at, _)| function_at(code, at)).collect()
}

fn function_at(code: &str, at: usize) -> Option<Function> {
    let rest = &code[at + 3..];
    let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    if name.is_empty() {
        return None; // a function type
    }
    let (mut depth, mut parens, mut end) = (0_usize, 0_usize, None);
    for (offset, byte) in rest.bytes().enumerate() {
        match byte {
            b'(' | b'[' => parens += 1,
            b')' | b']' => parens = parens.saturating_sub(1),
            b'{' => depth += 1,
            b'}' if depth <= 1 => {
                end = (depth == 1).then_some(offset);
                break;
            }
            b'}' => depth -= 1,
            b';' if depth == 0 && parens == 0 => break, // a declaration
            _ => {}
        }
    }
    let body = &rest[..end?];
    let line = code[..at].bytes().filter(|b| *b == b'\n').count() + 1;
    Some(Function { name, line, lines: body.bytes().filter(|b| *b == b'\n').count() + 1 })
}

fn in_word(bytes: &[u8], at: usize) -> bool {
    at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_')
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().position(|b| *b == b'\n').map_or(bytes.len(), |n| at + n)
}

fn block_comment_end(bytes: &[u8], at: usize) -> usize {
    let (mut depth, mut i) = (0_usize, at);
    while i + 1 < bytes.len() {
        match &bytes[i..i + 2] {
            b"/*" => (depth, i) = (depth + 1, i + 2),
            b"*/" if depth == 1 => return i + 2,
            b"*/" => (depth, i) = (depth - 1, i + 2),
            _ => i += 1,
        }
    }
    bytes.len()
}

fn string_end(bytes: &[u8], at: usize) -> usize {
    let mut i = at + 1;
    while i < bytes.len() {
        match bytes[i] {
            b'\\' => i += 2,
            b'"' => return i + 1,
            _ => i += 1,
        }
    }
    bytes.len()
}

fn raw_string_end(bytes: &[u8], at: usize) -> Option<usize> {
    let hashes = bytes[at + 1..].iter().take_while(|b| **b == b'#').count();
    let open = at + 1 + hashes;
    if bytes.get(open) != Some(&b'"') {
        return None;
    }
    let close: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', hashes)).collect();
    let inside = &bytes[open + 1..];
    let found = inside.windows(close.len()).position(|w| w == close)?;
    Some(open + 1 + found + close.len())
}

/// The end of a character literal; none for a lifetime.
fn char_end(bytes: &[u8], at: usize) -> Option<usize> {
    let next = *bytes.get(at + 1)?;
    if next == b'\\' {
        let close = bytes[at + 3..].iter().take(12).position(|b| *b == b'\'')?;
        return Some(at + 3 + close + 1);
    }
    let width = match next {
        0..=0x7f => 1,
        0x80..=0xdf => 2,
        0xe0..=0xef => 3,
        _ => 4,
    };
    (bytes.get(at + 1 + width) == Some(&b'\'')).then_some(at + 2 + width)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_strings_and_characters_are_no_code_and_lifetimes_are() {
        let code = blank("let a = \"// }\"; // {\nlet b: &'a str = r#\"\"{\"#; let c = '{'; /* { /* } */ } */ x");
        assert!(!code.contains('{') && !code.contains('}'), "{code}");
        assert!(code.contains("&'a str") && code.ends_with('x') && code.lines().count() == 2);
    }

    #[test]
    fn a_function_is_as_long_as_its_braces_say() {
        let code = blank("trait T { fn decl(a: [u8; 2]); }\nfn body(f: fn(u8) -> u8)\n-> u8 {\n  if true { 1 }\n}\n");
        assert_eq!(functions(&code), [Function { name: "body".to_owned(), line: 2, lines: 4 }]);
    }
}
