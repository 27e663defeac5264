//! `GzipDecompress`: bytes that are gzip become what is inside.
//!
//! Enters: a key or value of bytes: opaque, or base64 under a schema of bytes. Leaves: the same kind of bytes, decompressed.
//! Invariant: what comes out has a bound, however small the gzip is.

use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::MultiGzDecoder;

use crate::class::{Class, Encoding, Formats};
use crate::config::{Definition, Problems, Settings};
use crate::record::{Fault, Part, Record};
use crate::schemas::{Plans, known};
use crate::splice;

/// Decompressed bytes of one record at most: 16 MiB.
const BYTES_MAX: u64 = 16 << 20;

/// The transform.
#[derive(Debug)]
pub struct GzipDecompress {
    part: Part,
    opaque: bool,
    /// True for schemas of bytes.
    plans: Plans<bool>,
}

impl GzipDecompress {
    fn is_bytes<R: Record>(&mut self, record: &R) -> Result<bool, Fault> {
        let schema = record.schema_id(self.part);
        Ok(match (schema, self.plans.find(schema)) {
            (0, _) => false,
            (_, Some(is_bytes)) => *is_bytes,
            (id, None) => {
                let known = known(record, self.part)?;
                *self.plans.keep(id, known.of == "bytes" && known.logical.is_none())
            }
        })
    }
}

fn inflate(gzip: &[u8]) -> Result<Vec<u8>, Fault> {
    let mut out = Vec::new();
    let read = MultiGzDecoder::new(gzip).take(BYTES_MAX + 1).read_to_end(&mut out);
    read.map_err(|why| Fault::data(format!("the bytes are not gzip that can be read: {why}")))?;
    if out.len() as u64 > BYTES_MAX {
        return Err(Fault::data(format!("the gzip holds more than {BYTES_MAX} bytes")));
    }
    Ok(out)
}

impl Class for GzipDecompress {
    const NAME: &'static str = "GzipDecompress";
    const PACKAGE: &'static str = "io.confluent.connect.transforms.";
    const DOC: &'static str = "Confluent's: decompresses a key or value of bytes that is gzip, as a whole.";
    const CONFIG: &'static [Definition] = &[];
    const LOOKS: bool = false;

    fn new(part: Part, mut settings: Settings, formats: Formats) -> Result<Self, Problems> {
        let encoding = if part == Part::Key { formats.key } else { formats.value };
        if encoding == Encoding::Cbor {
            settings.problem("type", "payloads in CBOR are not supported; choose ByteArrayConverter");
        }
        settings.finish(Self { part, opaque: encoding == Encoding::Bytes, plans: Plans::default() })
    }

    fn apply<R: Record>(&mut self, record: &mut R) -> Result<bool, Fault> {
        let payload = record.payload(self.part);
        if payload.is_none() || (!self.opaque && splice::is_null(payload)) {
            return Ok(true);
        }
        if self.opaque {
            record.rewrite(self.part, |gzip, out| {
                out.append(&mut inflate(gzip)?);
                Ok(())
            })?;
            return Ok(true);
        }
        if !self.is_bytes(record)? {
            return Err(Fault::data("GzipDecompress takes bytes only: choose ByteArrayConverter"));
        }
        record.rewrite(self.part, |text, out| {
            let text = text.trim_ascii().strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\""));
            let gzip = text.and_then(|text| STANDARD.decode(text).ok());
            let bytes = inflate(&gzip.ok_or_else(|| Fault::data("the bytes are not base64"))?)?;
            out.push(b'"');
            out.extend_from_slice(STANDARD.encode(bytes).as_bytes());
            out.push(b'"');
            Ok(())
        })?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Write as _;

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::GzipDecompress;
    use crate::class::Class;
    use crate::record::Part;
    use crate::testing::{Fake, configure};

    const BYTES: &str = r#"{"type":"bytes","optional":true}"#;

    fn gzip(bytes: &[u8]) -> String {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        format!("\"{}\"", STANDARD.encode(encoder.finish().unwrap()))
    }

    fn applied(value: Option<&str>, schema: &str) -> Result<Option<String>, String> {
        let mut made = configure::<GzipDecompress>(Part::Value, &[]).unwrap();
        let mut record = Fake::new(value, schema);
        made.apply(&mut record).map_err(|fault| fault.message)?;
        Ok(record.text(Part::Value))
    }

    #[test]
    fn gzip_becomes_what_is_inside() {
        assert_eq!(applied(Some(&gzip(b"abc")), BYTES).unwrap().unwrap(), format!("\"{}\"", STANDARD.encode("abc")));
        assert_eq!(applied(Some("null"), BYTES).unwrap().as_deref(), Some("null"));
        assert_eq!(applied(None, BYTES).unwrap(), None);
    }

    #[test]
    fn what_is_no_gzip_no_bytes_or_a_bomb_is_a_fault() {
        let whole = gzip(b"abc");
        let cut = format!("{}\"", &whole[..whole.len() - 9]);
        assert!(applied(Some(&cut), BYTES).unwrap_err().contains("not gzip"));
        assert!(applied(Some("\"YWJj\""), BYTES).unwrap_err().contains("not gzip"));
        for schema in ["", r#"{"type":"string","optional":true}"#] {
            assert!(applied(Some(&whole), schema).unwrap_err().contains("bytes only"), "{schema}");
        }
        let bomb = gzip(&vec![0; 20 << 20]);
        assert!(applied(Some(&bomb), BYTES).unwrap_err().contains("more than 16777216"));
    }
}
