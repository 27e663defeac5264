//! Values as elements of a JSON array, and base64.
//!
//! Enters: a record's bytes. Leaves: JSON text. Invariant: what is appended is one JSON value, or nothing.

/// Appends one value. JSON is taken as it is (the host checked it); text becomes a JSON string.
pub fn append(value: Option<&[u8]>, json: bool, body: &mut Vec<u8>) -> Result<(), String> {
    match value {
        None => body.extend_from_slice(b"null"),
        Some(value) if json => body.extend_from_slice(value),
        Some(value) => {
            let text = std::str::from_utf8(value)
                .map_err(|e| format!("the value is not UTF-8 ({e}), so it cannot stand in a JSON array"))?;
            body.extend_from_slice(serde_json::Value::from(text).to_string().as_bytes());
        }
    }
    Ok(())
}

/// RFC 4648, with padding.
pub fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| usize::from(chunk.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let letter = LETTERS[bits >> (18 - 6 * at) & 63];
            text.push(if at <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn base64_is_that_of_the_standard() {
        let all = ["", "f", "fo", "foo", "foob"].map(|t| base64(t.as_bytes()));
        assert_eq!(all, ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg=="]);
    }

    #[test]
    fn text_is_quoted_json_is_not_and_null_is_null() {
        let mut body = Vec::new();
        append(Some(b"a\"b"), false, &mut body).unwrap();
        append(Some(b"{}"), true, &mut body).unwrap();
        append(None, true, &mut body).unwrap();
        assert_eq!(body, br#""a\"b"{}null"#);
        assert!(append(Some(b"\xff"), false, &mut body).is_err());
    }
}
