//! Standard base64 with padding, the form of bytes in JSON payloads.
//!
//! Enters: bytes or text. Leaves: text or bytes. Invariant: what was read is written back equal.

use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

/// As Java's decoder: stray bits behind the last byte do not matter, padding does.
const STANDARD: GeneralPurpose =
    GeneralPurpose::new(&base64::alphabet::STANDARD, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));

pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// True if [`decode`] would take it, without decoding.
pub(crate) fn valid(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'+' || b == b'/';
    text.len().is_multiple_of(4) && text.len() - body.len() <= 2 && body.len() % 4 != 1 && body.bytes().all(legal)
}

pub(crate) fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

pub(crate) fn quoted(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend_from_slice(encode(bytes).as_bytes());
    out.push(b'"');
}
