//! Fields by path: found, read as text, written anew.
//!
//! Enters: a path such as `order.customer.name`, payloads, schemas. Leaves: where the value stands, its text, the payload
//! with another value there. Invariant: what does not lie on the path is copied as it is.

use std::ops::Range;

use crate::record::Fault;
use crate::scan::{Malformed, Members, blank_end, elements, unescape};
use crate::schemas::Known;
use crate::splice;

/// Lists in lists that are gone through; what lies deeper is copied as it is.
const LISTS_MAX: usize = 100;

/// Gets a value and appends the one that takes its place.
pub type Convert<'a> = dyn FnMut(&[u8], &mut Vec<u8>) -> Result<(), Fault> + 'a;

/// Names from the outside in; none means the whole payload.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path(Vec<String>);

impl Path {
    /// Names between dots.
    pub fn dotted(text: &str) -> Self {
        Self(text.split('.').filter(|name| !name.is_empty()).map(str::to_owned).collect())
    }

    /// One name, dots and all; none is the whole payload.
    pub fn single(name: &str) -> Self {
        Self(if name.is_empty() { Vec::new() } else { vec![name.to_owned()] })
    }

    /// The subset of `JSONPath` that names one field: `$`, `.name`, `['name']`.
    pub fn json_path(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` does not name one field: write $.outer.inner or $['outer']['inner']");
        let mut rest = text.trim().strip_prefix('$').ok_or_else(wrong)?;
        let mut names = Vec::new();
        while !rest.is_empty() {
            let (name, after) = if let Some(dotted) = rest.strip_prefix('.') {
                let end = dotted.find(['.', '[']).unwrap_or(dotted.len());
                (&dotted[..end], &dotted[end..])
            } else {
                let inside = rest.strip_prefix('[').ok_or_else(wrong)?;
                let quote = inside.chars().next().filter(|c| matches!(c, '\'' | '"')).ok_or_else(wrong)?;
                inside[1..].split_once(&format!("{quote}]")).ok_or_else(wrong)?
            };
            if name.is_empty() || name == "*" {
                return Err(wrong());
            }
            names.push(name.to_owned());
            rest = after;
        }
        Ok(Self(names))
    }

    /// True for the whole payload.
    pub fn is_whole(&self) -> bool {
        self.0.is_empty()
    }

    /// Where the value stands; none if an object on the way lacks it, or is none.
    pub fn find(&self, text: &[u8]) -> Result<Option<Range<usize>>, Malformed> {
        let (mut from, mut to) = (blank_end(text, 0), text.len());
        for name in &self.0 {
            match Members::new(&text[from..to]) {
                Err(Malformed::NotObject) => return Ok(None),
                Err(why) => return Err(why),
                Ok(members) => match members.find(name)? {
                    Some(member) => (from, to) = (from + member.value, from + member.end),
                    None => return Ok(None),
                },
            }
        }
        Ok(Some(from..from + text[from..to].trim_ascii_end().len()))
    }

    /// The schema there.
    pub fn schema<'a>(&self, known: &'a Known) -> Option<&'a Known> {
        self.0.iter().try_fold(known, |known, name| known.field(name))
    }

    /// Copies a payload with another value there; lists on the way are gone through. False if there was nothing.
    pub fn rewrite(&self, text: &[u8], out: &mut Vec<u8>, convert: &mut Convert<'_>) -> Result<bool, Fault> {
        rewrite(&self.0, text, out, convert, 0)
    }
}

impl std::fmt::Display for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.join("."))
    }
}

fn rewrite(
    names: &[String],
    text: &[u8],
    out: &mut Vec<u8>,
    convert: &mut Convert<'_>,
    lists: usize,
) -> Result<bool, Fault> {
    let broken = |why| splice::fault(why, 0, "field", splice::kind(Some(text)));
    let Some((name, deeper)) = names.split_first() else {
        convert(text.trim_ascii(), out)?;
        return Ok(true);
    };
    let (mut at, mut found) = (0, false);
    match text.get(blank_end(text, 0)) {
        Some(b'{') => {
            let mut members = Members::new(text).map_err(broken)?;
            while let Some(member) = members.advance().map_err(broken)? {
                if member.is(text, name) {
                    out.extend_from_slice(&text[at..member.value]);
                    found |= rewrite(deeper, &text[member.value..member.end], out, convert, lists)?;
                    at = member.end;
                }
            }
        }
        Some(b'[') if lists < LISTS_MAX => {
            for (from, to) in elements(text).map_err(broken)? {
                out.extend_from_slice(&text[at..from]);
                found |= rewrite(names, &text[from..to], out, convert, lists + 1)?;
                at = to;
            }
        }
        _ => {}
    }
    out.extend_from_slice(&text[at..]);
    Ok(found)
}

/// A scalar as text: strings without quotes, numbers and booleans as written; none for null, objects and lists.
pub fn scalar(value: &[u8]) -> Option<String> {
    match value {
        [b'"', text @ .., b'"'] => Some(unescape(text).into_owned()),
        [b'{' | b'[' | b'n', ..] | [] => None,
        word => Some(String::from_utf8_lossy(word).into_owned()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{Path, scalar};

    #[test]
    fn fields_are_found_and_written_by_path() {
        let text = br#" {"a":{"b":"x"},"l":[{"b":1},{"c":2},3],"n":null} "#;
        for (path, expected) in
            [("a.b", Some("\"x\"")), ("a", Some(r#"{"b":"x"}"#)), ("a.c", None), ("n.x", None), ("l.b", None)]
        {
            let found = Path::dotted(path).find(text).unwrap();
            assert_eq!(found.map(|at| std::str::from_utf8(&text[at]).unwrap()), expected, "{path}");
        }
        for (path, expected, found) in [
            ("a.b", r#" {"a":{"b":0},"l":[{"b":1},{"c":2},3],"n":null} "#, true),
            ("l.b", r#" {"a":{"b":"x"},"l":[{"b":0},{"c":2},3],"n":null} "#, true),
            ("x.y", r#" {"a":{"b":"x"},"l":[{"b":1},{"c":2},3],"n":null} "#, false),
            ("", "0", true),
        ] {
            let mut out = Vec::new();
            let hit = Path::dotted(path).rewrite(text, &mut out, &mut |_, out| {
                out.push(b'0');
                Ok(())
            });
            assert_eq!((hit, String::from_utf8(out).unwrap().as_str()), (Ok(found), expected), "{path}");
        }
    }

    #[test]
    fn lists_in_lists_do_not_exhaust_the_stack() {
        let deep = format!(r#"{{"a":{}{}}}"#, "[".repeat(50_000), "]".repeat(50_000));
        let mut out = Vec::new();
        assert_eq!(Path::dotted("a.b").rewrite(deep.as_bytes(), &mut out, &mut |_, _| Ok(())), Ok(false));
        assert_eq!(out, deep.as_bytes());
    }

    #[test]
    fn paths_of_json_name_one_field() {
        for (text, expected) in [
            ("$", Some("")),
            ("$.a.b", Some("a.b")),
            ("$['a']['b']", Some("a.b")),
            ("$[\"a\"].b", Some("a.b")),
            ("a", None),
            ("$.*", None),
            ("$[0]", None),
            ("$..a", None),
        ] {
            assert_eq!(Path::json_path(text).ok().map(|p| p.to_string()), expected.map(str::to_owned), "{text}");
        }
        assert_eq!(scalar(br#""a\n""#).as_deref(), Some("a\n"));
        assert_eq!((scalar(b"1.0").as_deref(), scalar(b"null"), scalar(b"{}")), (Some("1.0"), None, None));
    }
}
