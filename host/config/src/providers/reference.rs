//! References in a text: `${provider:path:key}`, `${provider:key}`.
//!
//! Enters: a text. Leaves: its parts in order. Invariant: the parts joined are the text; what is not a reference in Kafka's
//! own pattern is text. There is no nesting and no escape.

/// A piece of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// As it stands.
    Text(&'a str),
    /// To be looked up.
    Reference(Reference<'a>),
}

/// One reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference<'a> {
    /// With `${` and `}`.
    pub whole: &'a str,
    /// Name of the provider.
    pub provider: &'a str,
    /// Empty if there is none.
    pub path: &'a str,
    /// What is wanted from there; may hold colons.
    pub key: &'a str,
}

/// Takes a text apart.
pub fn parts(text: &str) -> Vec<Part<'_>> {
    let (mut parts, mut rest) = (Vec::new(), text);
    while let Some(start) = rest.find("${") {
        let Some(length) = rest[start..].find('}') else { break };
        let end = start + length + 1;
        let inner = &rest[start + 2..end - 1];
        if let Some((provider, tail)) = inner.split_once(':') {
            if start > 0 {
                parts.push(Part::Text(&rest[..start]));
            }
            let (path, key) = tail.split_once(':').unwrap_or(("", tail));
            parts.push(Part::Reference(Reference { whole: &rest[start..end], provider, path, key }));
        } else {
            parts.push(Part::Text(&rest[..end]));
        }
        rest = &rest[end..];
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn references(text: &str) -> Vec<(&str, &str, &str)> {
        let only = parts(text).into_iter().filter_map(|part| match part {
            Part::Reference(r) => Some((r.provider, r.path, r.key)),
            Part::Text(_) => None,
        });
        only.collect()
    }

    #[test]
    fn a_reference_has_a_provider_maybe_a_path_and_a_key() {
        assert_eq!(references("${env:HOME}"), [("env", "", "HOME")]);
        assert_eq!(references("a${file:/x/y:k}b${dir:/z:k.pem}"), [("file", "/x/y", "k"), ("dir", "/z", "k.pem")]);
        assert_eq!(references("${file:/x:a:b}"), [("file", "/x", "a:b")]);
    }

    #[test]
    fn what_is_no_reference_stays_text() {
        for text in ["${topic}-${timestamp}", "${open:x", "$ {a:b}", "", "100 %}"] {
            assert_eq!(references(text), [], "{text}");
            let joined: String = parts(text)
                .into_iter()
                .map(|part| match part {
                    Part::Text(text) => text,
                    Part::Reference(r) => r.whole,
                })
                .collect();
            assert_eq!(joined, text);
        }
    }
}
