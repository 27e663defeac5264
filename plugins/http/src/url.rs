//! The URL with places to fill in.
//!
//! Enters: a template and a record. Leaves: the record's URL. Invariant: what is filled in is percent-encoded, and never
//! part of scheme, host or port: a record cannot send a request elsewhere.

use lockgate_sdk::Record;

/// A URL in parts.
#[derive(Default)]
pub struct Url(Vec<Part>);

enum Part {
    Text(String),
    Place(String),
}

impl Url {
    /// Reads a template.
    pub fn parse(text: &str) -> Result<Self, String> {
        let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
        let Some(rest) = rest else { return Err(format!("`{text}` does not begin with http:// or https://")) };
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if host.is_empty() || host.contains(['{', '}', '@', ' ']) {
            return Err("the host must be given as it is: no places to fill in, no user; see http.auth.user".to_owned());
        }
        let (mut parts, mut rest) = (Vec::new(), text);
        while let Some(open) = rest.find('{') {
            let close = rest[open..].find('}').ok_or_else(|| format!("`{text}` has a {{ without }}"))? + open;
            parts.push(Part::Text(rest[..open].to_owned()));
            parts.push(Part::Place(rest[open + 1..close].to_owned()));
            rest = &rest[close + 1..];
        }
        parts.push(Part::Text(rest.to_owned()));
        Ok(Self(parts))
    }

    /// True if it is not the same for all records.
    pub fn varies(&self) -> bool {
        self.0.len() > 1
    }

    /// The URL of a record, or what it lacks.
    pub fn fill(&self, record: &Record<'_>) -> Result<String, String> {
        let mut url = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => url.push_str(text),
                Part::Place(name) => escape(&place(name, record)?, &mut url),
            }
        }
        Ok(url)
    }
}

fn place(name: &str, record: &Record<'_>) -> Result<Vec<u8>, String> {
    match name {
        "topic" => Ok(record.topic().as_bytes().to_vec()),
        "partition" => Ok(record.partition().to_string().into_bytes()),
        "offset" => Ok(record.offset().to_string().into_bytes()),
        "key" => {
            let key = record.key().ok_or("the record has no key, and the URL names it")?;
            Ok(serde_json::from_slice::<String>(key).map_or_else(|_| key.to_vec(), String::into_bytes))
        }
        field => {
            let value: Option<serde_json::Value> = record.value().and_then(|v| serde_json::from_slice(v).ok());
            match value.as_ref().and_then(|v| v.get(field)) {
                Some(serde_json::Value::String(text)) => Ok(text.clone().into_bytes()),
                Some(serde_json::Value::Null) | None => {
                    Err(format!("the value has no field `{field}`, and the URL names it"))
                }
                Some(other) => Ok(other.to_string().into_bytes()),
            }
        }
    }
}

/// Everything but RFC 3986's unreserved characters. A lone `.` or `..` would climb in the path.
fn escape(bytes: &[u8], url: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let climbs = matches!(bytes, b"." | b"..");
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-_~".contains(&byte) || (byte == b'.' && !climbs) {
            url.push(char::from(byte));
        } else {
            url.push('%');
            url.push(char::from(HEX[usize::from(byte >> 4)]));
            url.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use lockgate_sdk::{BatchBuilder, Schemas};

    fn fill(template: &str, key: Option<&str>, value: &str) -> Result<String, String> {
        let mut out = BatchBuilder::new(&Schemas::default(), 1, 1000);
        let topic = out.topic("t.1");
        out.record(topic).key(key.map(str::as_bytes)).value(Some(value.as_bytes())).partition(3).push();
        let batch = out.into_batch();
        Url::parse(template).unwrap().fill(&batch.record(0))
    }

    #[test]
    fn places_are_filled_in_and_escaped() {
        let url = fill("http://h:1/{topic}/{partition}/{key}?x={a}&y={n}", Some("k/é"), r#"{"a":"b&c","n":7}"#);
        assert_eq!(url.unwrap(), "http://h:1/t.1/3/k%2F%C3%A9?x=b%26c&y=7");
        assert_eq!(fill("http://h/{key}", Some("\"..\""), "").unwrap(), "http://h/%2E%2E");
    }

    #[test]
    fn what_a_record_lacks_is_named() {
        assert!(fill("http://h/{key}", None, "").unwrap_err().contains("no key"));
        assert!(fill("http://h/{a}", None, "{}").unwrap_err().contains("`a`"));
    }

    #[test]
    fn a_record_cannot_choose_the_host() {
        for bad in ["http://{topic}/", "http://u@h/", "ftp://h/", "http://", "http://h/{a"] {
            assert!(Url::parse(bad).is_err(), "{bad}");
        }
    }
}
