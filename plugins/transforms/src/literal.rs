//! Text to a typed payload, as Kafka Connect's `Values.parseString`: what `InsertHeader` puts into a header.
//!
//! Enters: the text of a setting. Leaves: a schema and a JSON payload, or none for null. Invariant: text that is no literal
//! stays the string it was; of a literal only the whole text counts.

use crate::dates;
use crate::number;
use crate::scan::quoted;
use crate::schemas::LOGICAL;
use crate::tree::Tree;

/// A schema with a payload; null has no schema.
type Typed = (Option<Tree>, String);

/// The literal; none for `null`.
pub fn parse(text: &str) -> Option<(Tree, String)> {
    let string = || (Tree::scalar("string", false), quoted(text));
    let trimmed = text.trim();
    if trimmed == "null" {
        return None;
    }
    let mut parser = Parser { text: trimmed, at: 0 };
    let typed = match trimmed.bytes().next() {
        Some(b'[' | b'{') => parser.element(0).filter(|_| parser.peek().is_none()),
        _ => scalar(trimmed),
    };
    match typed {
        Some((Some(schema), payload)) => Some((schema, payload)),
        _ => Some(string()),
    }
}

fn scalar(text: &str) -> Option<Typed> {
    if matches!(text, "true" | "false") {
        return Some((Some(Tree::scalar("boolean", false)), text.to_owned()));
    }
    if text == "null" {
        return Some((None, text.to_owned()));
    }
    dated(text).or_else(|| numeric(text))
}

fn dated(text: &str) -> Option<Typed> {
    let logical = |of: &str, name: &str, n: i64| {
        let mut tree = Tree::scalar(of, false);
        tree.set("name", Tree::string(&format!("{LOGICAL}{name}")));
        tree.set("version", Tree::Raw("1".to_owned()));
        Some((Some(tree), n.to_string()))
    };
    match dates::iso(&text.replace("\\:", ":"))? {
        dates::Iso::Date(days) => logical("int32", "Date", days),
        dates::Iso::Time(ms) => logical("int32", "Time", ms),
        dates::Iso::Timestamp(ms) => logical("int64", "Timestamp", ms),
    }
}

/// The smallest type that holds the number.
fn numeric(text: &str) -> Option<Typed> {
    if !text.starts_with(|c: char| c.is_ascii_digit() || c == '+' || c == '-') {
        return None;
    }
    let (unscaled, scale) = number::decimal(text)?;
    let typed = |of: &str, payload: String| Some((Some(Tree::scalar(of, false)), payload));
    let whole = number::rescaled(unscaled, scale, 0);
    if let Some(n) = whole.and_then(|n| i64::try_from(n).ok()) {
        let of = match n {
            -0x80..=0x7f => "int8",
            -0x8000..=0x7fff => "int16",
            -0x8000_0000..=0x7fff_ffff => "int32",
            _ => "int64",
        };
        return typed(of, n.to_string());
    }
    // Kafka Connect asks for the scale only: 1e20 is a float, twenty-one digits are a Decimal.
    if scale != 0 {
        let (single, double) = (text.parse::<f32>().ok()?, text.parse::<f64>().ok()?);
        if single.is_finite() {
            return typed("float", number::java32(single));
        }
        if double.is_finite() {
            return typed("double", number::java64(double));
        }
    }
    let mut tree = Tree::scalar("bytes", false);
    tree.set("name", Tree::string(&format!("{LOGICAL}Decimal")));
    tree.set("version", Tree::Raw("1".to_owned()));
    tree.set("parameters", Tree::Object(vec![("scale".to_owned(), Tree::string(&scale.to_string()))]));
    Some((Some(tree), number::base64_number(unscaled)))
}

/// Reads lists and maps; none anywhere makes the whole text a string.
struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn peek(&mut self) -> Option<u8> {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn element(&mut self, depth: usize) -> Option<Typed> {
        if depth > 100 {
            return None;
        }
        match self.peek()? {
            b'[' => self.list(depth),
            b'{' => self.map(depth),
            b'"' => {
                let start = self.at + 1;
                let (end, _) = crate::scan::string_end(self.text.as_bytes(), start).ok()?;
                let text = self.text.get(start..end)?;
                self.at = end + 1;
                // Escapes stay as they are, as in Kafka; a quoted date is a date.
                dated(text).or_else(|| Some((Some(Tree::scalar("string", false)), quoted(text))))
            }
            _ => {
                let rest = &self.text[self.at..];
                let end = rest.find([':', ',', '{', '}', '[', ']', '"']).unwrap_or(rest.len());
                self.at += end;
                scalar(rest[..end].trim())
            }
        }
    }

    fn list(&mut self, depth: usize) -> Option<Typed> {
        self.at += 1;
        let mut items = Vec::new();
        if !self.take(b']') {
            loop {
                items.push(self.element(depth + 1)?);
                if self.take(b']') {
                    break;
                }
                if !self.take(b',') {
                    return None;
                }
            }
        }
        let (schema, payloads) = common(items)?;
        let tree = Tree::Object(vec![
            ("type".to_owned(), Tree::string("array")),
            ("items".to_owned(), schema.unwrap_or_else(unknown)),
            ("optional".to_owned(), Tree::boolean(false)),
        ]);
        Some((Some(tree), format!("[{}]", payloads.join(","))))
    }

    /// A comma between entries may be missing.
    fn map(&mut self, depth: usize) -> Option<Typed> {
        self.at += 1;
        let (mut keys, mut values) = (Vec::new(), Vec::new());
        while !self.take(b'}') {
            let key = self.element(depth + 1)?;
            if key.0.is_none() || !self.take(b':') {
                return None;
            }
            keys.push(key);
            values.push(self.element(depth + 1)?);
            if self.take(b',') && self.peek() == Some(b'}') {
                return None;
            }
        }
        let is_text = |(schema, _): &Typed| schema.as_ref().and_then(|s| s.text("type")).as_deref() == Some("string");
        let object = keys.iter().all(is_text);
        let ((key_schema, keys), (value_schema, values)) = (common(keys)?, common(values)?);
        let pair = |(k, v)| if object { format!("{k}:{v}") } else { format!("[{k},{v}]") };
        let pairs: Vec<String> = keys.iter().zip(&values).map(pair).collect();
        // Keys of several types leave the values without a schema as well.
        let value_schema = value_schema.filter(|_| key_schema.is_some());
        let tree = Tree::Object(vec![
            ("type".to_owned(), Tree::string("map")),
            ("keys".to_owned(), key_schema.unwrap_or_else(unknown)),
            ("values".to_owned(), value_schema.unwrap_or_else(unknown)),
            ("optional".to_owned(), Tree::boolean(false)),
        ]);
        let joined = pairs.join(",");
        Some((Some(tree), if object { format!("{{{joined}}}") } else { format!("[{joined}]") }))
    }
}

/// What stands where there is no common type.
fn unknown() -> Tree {
    Tree::Raw("null".to_owned())
}

/// The type that all have in common, numbers widened to the largest. None if nulls stand beside values.
fn common(items: Vec<Typed>) -> Option<(Option<Tree>, Vec<String>)> {
    const WIDTHS: [&str; 6] = ["int8", "int16", "int32", "int64", "float", "double"];
    let width = |tree: &Tree| {
        let of = tree.text("type").filter(|_| tree.get("name").is_none())?;
        WIDTHS.iter().position(|w| *w == of)
    };
    let payloads: Vec<String> = items.iter().map(|(_, payload)| payload.clone()).collect();
    let schemas: Vec<Tree> = items.into_iter().filter_map(|(schema, _)| schema).collect();
    let Some(first) = schemas.first() else { return Some((None, payloads)) };
    if schemas.len() < payloads.len() {
        return None;
    }
    let widths: Option<Vec<usize>> = schemas.iter().map(width).collect();
    if let Some(widest) = widths.and_then(|widths| widths.into_iter().max()) {
        let fraction = |n: String| if n.bytes().all(|b| b.is_ascii_digit() || b == b'-') { n + ".0" } else { n };
        let payloads = if widest > 3 { payloads.into_iter().map(fraction).collect() } else { payloads };
        return Some((Some(Tree::scalar(WIDTHS[widest], false)), payloads));
    }
    Some((Some(first.clone()).filter(|first| schemas.iter().all(|s| s == first)), payloads))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::parse;

    #[test]
    fn literals_are_typed_by_their_text() {
        for (text, of, payload) in [
            ("5", "int8", "5"),
            ("300", "int16", "300"),
            ("70000", "int32", "70000"),
            ("5000000000", "int64", "5000000000"),
            ("1.0", "int8", "1"),
            ("1.5", "float", "1.5"),
            ("1.5e-300", "float", "0.0"),
            ("9223372036854775808", "bytes", "\"AIAAAAAAAAAA\""),
            ("true", "boolean", "true"),
            ("TRUE", "string", "\"TRUE\""),
            ("a \"b\"", "string", "\"a \\\"b\\\"\""),
            ("", "string", "\"\""),
            ("1.2.3", "string", "\"1.2.3\""),
            ("10:20", "string", "\"10:20\""),
            ("[1, 300]", "array", "[1,300]"),
            ("[1,]", "string", "\"[1,]\""),
            ("{\"a\":1 \"b\":2}", "map", "{\"a\":1,\"b\":2}"),
            ("{1:\"x\"}", "map", "[[1,\"x\"]]"),
            ("{a:1}", "string", "\"{a:1}\""),
            ("[]", "array", "[]"),
            ("{}", "map", "{}"),
            ("[null]", "array", "[null]"),
            ("[1, null]", "string", "\"[1, null]\""),
            ("[1, \"a\"]", "array", "[1,\"a\"]"),
            ("[1, 1.5]", "array", "[1.0,1.5]"),
            ("{1:2,\"a\":3}", "map", "[[1,2],[\"a\",3]]"),
            ("{null:1}", "string", "\"{null:1}\""),
            ("1970-01-02", "int32", "1"),
            ("00:00:01.000Z", "int32", "1000"),
            ("1970-01-01T00:00:00.001Z", "int64", "1"),
        ] {
            let (schema, found) = parse(text).unwrap();
            assert_eq!((schema.text("type").unwrap().as_str(), found.as_str()), (of, payload), "{text}");
        }
        assert_eq!(parse(" null "), None);
        assert!(parse(&"[".repeat(10_000)).is_some());
    }
}
