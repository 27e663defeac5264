//! JSON text without a schema to CBOR, without a tree in between.
//!
//! Enters: JSON text. Leaves: the CBOR that a [`Value`] of the text would give, appended. Invariant: what needs a look at more
//! than one place (objects with many or repeated names) is left to the tree; nothing is appended then.

use crate::cbor;
use crate::fault::Result;
use crate::payload::plain_number;
use crate::scan::{Raw, Scanner};
use crate::value::Value;

/// Names of an object at most: so many fit into the one byte that is set when the object has ended, and comparing each
/// with each is quicker than a map.
const NAMES_MAX: usize = 23;

/// Buffers that are used again.
#[derive(Debug, Default)]
pub(crate) struct Transcode {
    /// Where the names of the open objects stand in the output.
    names: Vec<(usize, usize)>,
}

impl Transcode {
    /// False if the text has to go through the tree. What follows the first value is ignored.
    ///
    /// # Errors
    /// `json.utf8`, `json.syntax`.
    pub(crate) fn json(&mut self, text: &[u8], out: &mut Vec<u8>) -> Result<bool> {
        let floor = out.len();
        self.names.clear();
        let done = self.value(&mut Scanner::new(text)?, out)?;
        if !done {
            out.truncate(floor);
        }
        Ok(done)
    }

    /// Recursion is bounded by the scanner's depth.
    fn value(&mut self, scanner: &mut Scanner<'_>, out: &mut Vec<u8>) -> Result<bool> {
        match scanner.peek() {
            b'{' => return self.object(scanner, out),
            b'[' => return self.array(scanner, out),
            b'"' => write_text(scanner.string()?, out),
            b'-' | b'0'..=b'9' => match plain_number(scanner.number()?) {
                Value::Int64(n) => cbor::int(n, out),
                other => cbor::write(&other, None, out)?,
            },
            _ => out.push(match scanner.word()? {
                "true" => 0xf5,
                "false" => 0xf4,
                _ => 0xf6,
            }),
        }
        Ok(true)
    }

    fn object(&mut self, scanner: &mut Scanner<'_>, out: &mut Vec<u8>) -> Result<bool> {
        scanner.enter()?;
        let (head, floor, mut first) = (out.len(), self.names.len(), true);
        out.push(0xa0);
        while let Some(name) = scanner.next_key(&mut first)? {
            let at = out.len();
            write_text(name, out);
            let mine = &self.names[floor..];
            if mine.len() == NAMES_MAX || mine.iter().any(|(from, to)| out[*from..*to] == out[at..]) {
                return Ok(false);
            }
            self.names.push((at, out.len()));
            if !self.value(scanner, out)? {
                return Ok(false);
            }
        }
        // At most NAMES_MAX.
        out[head] |= u8::try_from(self.names.len() - floor).unwrap_or(0);
        self.names.truncate(floor);
        Ok(true)
    }

    fn array(&mut self, scanner: &mut Scanner<'_>, out: &mut Vec<u8>) -> Result<bool> {
        scanner.enter()?;
        let (head, mut items, mut first) = (out.len(), 0, true);
        out.push(0x80);
        while scanner.next_element(&mut first, b']')? {
            if !self.value(scanner, out)? {
                return Ok(false);
            }
            items += 1;
        }
        let mut real = Vec::with_capacity(9);
        cbor::head(4, items, &mut real);
        out.splice(head..=head, real);
        Ok(true)
    }
}

fn write_text(raw: Raw<'_>, out: &mut Vec<u8>) {
    if raw.escaped {
        cbor::string(3, raw.decoded().as_bytes(), out);
    } else {
        cbor::string(3, raw.text.as_bytes(), out);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn by_tree(text: &str) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        Value::from_json(text.as_bytes(), None)?.to_cbor(None, &mut out)?;
        Ok(out)
    }

    fn directly(text: &str) -> Result<Option<Vec<u8>>> {
        let mut out = vec![7];
        let done = Transcode::default().json(text.as_bytes(), &mut out)?;
        assert_eq!(out.remove(0), 7);
        Ok(done.then_some(out))
    }

    #[test]
    fn what_it_writes_is_what_the_tree_would_give() {
        let long = format!("[{}0]", "1,".repeat(300));
        let deep = format!("{}1{}", "[".repeat(900), "]".repeat(900));
        let all = [
            "null",
            "true",
            "\"\"",
            "-0",
            "007",
            "1.5",
            "1e400",
            "123456789012345678901234567890",
            "[]",
            "{}",
            r#"{"a":[1,{"b":null}],"":"\u00e9\n","é":"𝄞\ud834\udd1e"}"#,
            r#" {"a" : 1 } trailing"#,
            &long,
            &deep,
        ];
        for text in all {
            assert_eq!(directly(text).unwrap().unwrap(), by_tree(text).unwrap(), "{text}");
        }
    }

    #[test]
    fn repeated_names_and_large_objects_are_left_to_the_tree() {
        let names: Vec<String> = (0..24).map(|n| format!("\"{n}\":{n}")).collect();
        for text in [r#"{"a":1,"a":2}"#, r#"[{"x":{"é":1,"\u00e9":2}}]"#, &format!("{{{}}}", names.join(","))] {
            assert_eq!(directly(text).unwrap(), None, "{text}");
        }
        assert!(directly(&format!("{{{}}}", names[1..].join(","))).unwrap().is_some());
    }

    #[test]
    fn what_is_no_json_is_an_error_on_both_ways() {
        for text in ["", "{", "[1,]", "{\"a\":}", "tru", "\"\u{1}\"", &"[".repeat(1001)] {
            assert!(directly(text).is_err() && by_tree(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_gives_the_same_on_both_ways(text in r#"[\[\]{}",:0-9a-eE.\\ tn-]{0,40}"#) {
            if let Ok(Some(direct)) = directly(&text) {
                prop_assert_eq!(direct, by_tree(&text).unwrap());
            } else if directly(&text).is_err() {
                prop_assert!(by_tree(&text).is_err());
            }
        }
    }
}
