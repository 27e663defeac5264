//! Certificates and keys: which form a file has, and PEM texts as the client wants them.
//!
//! Enters: a file's name, or PEM text as it stands in a properties file (line breaks may have become spaces or be gone).
//! Leaves: the form, or PEM with line breaks. Invariant: a text is only laid out anew; its base64 is not touched.

use std::io::Read as _;

/// What a file of certificates or keys holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Pem,
    /// Java's own.
    Jks,
    /// PKCS#12, also what newer versions of Java's keytool write, whatever the file is called.
    Pkcs12,
}

/// Looks at a file's first bytes.
///
/// # Errors
/// It cannot be read, or is none of the three.
pub(super) fn form_of(path: &str) -> Result<Form, String> {
    let mut head = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(64 * 1024).read_to_end(&mut head));
    if let Err(error) = read {
        return Err(format!("{path} cannot be read: {error}"));
    }
    match head.as_slice() {
        [0xfe, 0xed, 0xfe, 0xed, ..] | [0xce, 0xce, 0xce, 0xce, ..] => Ok(Form::Jks),
        [0x30, 0x80..=0x84, ..] => Ok(Form::Pkcs12),
        head if head.windows(10).any(|w| w == b"-----BEGIN") => Ok(Form::Pem),
        _ => Err(format!("{path} holds neither PEM nor PKCS#12 nor a Java key store")),
    }
}

/// Base64 characters in a line of PEM.
const LINE: usize = 64;

/// PEM with a line break wherever it needs one.
///
/// # Errors
/// There is no PEM in it.
pub(super) fn laid_out(text: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("-----BEGIN ") {
        let (label, after) = after.split_once("-----").ok_or(BROKEN)?;
        let (body, after) = after.split_once(&format!("-----END {label}-----")).ok_or(BROKEN)?;
        out.extend(["-----BEGIN ", label, "-----\n"]);
        if body.contains(':') {
            // Headers of the old encrypted form: their lines have meaning.
            out.push_str(body.trim());
            out.push('\n');
        } else {
            let base64: Vec<char> = body.chars().filter(|c| !c.is_whitespace()).collect();
            for line in base64.chunks(LINE) {
                out.extend(line);
                out.push('\n');
            }
        }
        out.extend(["-----END ", label, "-----\n"]);
        rest = after;
    }
    if out.is_empty() { Err(BROKEN.to_owned()) } else { Ok(out) }
}

const BROKEN: &str = "must be PEM: -----BEGIN ...----- to -----END ...-----";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn pem_of_a_properties_file_gets_its_line_breaks_back() {
        let body = "A".repeat(64) + "\n" + &"B".repeat(10);
        let whole = format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n");
        let twice = format!("{whole}{whole}");
        for given in [twice.clone(), twice.replace('\n', " "), twice.replace('\n', "")] {
            assert_eq!(laid_out(&given).unwrap(), twice);
        }
        assert!(laid_out("MIIB").is_err());
        assert!(laid_out("-----BEGIN CERTIFICATE-----\nMIIB").is_err());
    }

    #[test]
    fn a_file_is_known_by_its_content_not_by_its_name() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("store.jks").to_str().unwrap().to_owned();
        for (bytes, form) in [
            (&[0xfe, 0xed, 0xfe, 0xed, 0, 0][..], Form::Jks),
            (&[0x30, 0x82, 1, 1], Form::Pkcs12),
            (b"Bag Attributes\n-----BEGIN CERTIFICATE-----", Form::Pem),
        ] {
            std::fs::write(&path, bytes).unwrap();
            assert_eq!(form_of(&path), Ok(form));
        }
        std::fs::write(&path, "hello").unwrap();
        assert!(form_of(&path).unwrap_err().contains("neither"));
        assert!(form_of("/nowhere/x.pem").unwrap_err().contains("/nowhere/x.pem cannot be read"));
    }
}
