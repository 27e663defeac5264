//! Paths and percent-encoding.
//!
//! Enters: the raw path of a request. Leaves: decoded segments, and encoded ones for `Location`. Invariant: the path is
//! split before it is decoded, so a name may hold `/` and `%` (Kafka Connect can create but not address such names).

use std::fmt::Write as _;

/// Splits and decodes; a trailing slash makes no difference. Error: what is wrong with it.
pub fn segments(path: &str) -> Result<Vec<String>, String> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    if path.is_empty() { Ok(Vec::new()) } else { path.split('/').map(|part| decode(part, false)).collect() }
}

/// Decodes `%XX`, and `+` as a blank where `plus` says so (queries).
pub fn decode(text: &str, plus: bool) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let mut digit = || rest.next().and_then(|b| char::from(b).to_digit(16));
                let pair = digit().zip(digit()).and_then(|(high, low)| u8::try_from(high * 16 + low).ok());
                bytes.push(pair.ok_or("a percent sign in the URL must be followed by two hexadecimal digits")?);
            }
            b'+' if plus => bytes.push(b' '),
            other => bytes.push(other),
        }
    }
    String::from_utf8(bytes).map_err(|_| "the URL is not UTF-8 after percent-decoding".to_owned())
}

/// Encodes a name as one segment: all but what RFC 3986 lets stand in one (`pchar`). `;` is encoded too: servers that
/// know matrix parameters take what follows it for one.
pub fn encode(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,=:@".contains(&byte) {
            out.push(char::from(byte));
        } else {
            _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_slashes_percent_signs_blanks_and_umlauts_are_one_segment() {
        for name in ["a/b", "100%", "größe & co", "a+b", "..", "a;b?c#d"] {
            let path = format!("/connectors/{}/status", encode(name));
            assert_eq!(segments(&path).unwrap(), ["connectors", name, "status"], "{path}");
        }
    }

    #[test]
    fn a_trailing_slash_makes_no_difference() {
        assert_eq!(segments("/connectors/").unwrap(), ["connectors"]);
        assert_eq!(segments("/").unwrap(), Vec::<String>::new());
        assert_eq!(segments("/connectors//").unwrap(), ["connectors", ""]);
    }

    #[test]
    fn broken_encodings_are_refused() {
        assert!(segments("/connectors/%zz").is_err());
        assert!(segments("/connectors/%2").is_err());
        assert!(segments("/connectors/%ff").is_err());
    }
}
