//! Access tokens (`OAUTHBEARER`) from a file that the platform keeps fresh.
//!
//! Enters: the client's wish for a token, on its background thread, with `sasl.oauthbearer.config`. Leaves: the token that
//! the file holds now, with its life and principal as it says itself, or the reason why not. Invariant: the file is read
//! anew each time; neither token nor payload is ever logged.

use std::ffi::{c_char, c_void};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rdkafka::bindings as sys;
use serde_json::Value;
use sys::rd_kafka_resp_err_t as Code;

use super::{c_text, rust_text};
use crate::settings::TOKEN_FILE;

/// A token and what it says.
struct Token {
    text: String,
    principal: String,
    /// Milliseconds since the epoch.
    expires_ms: i64,
}

/// Larger files are no tokens.
const TOKEN_BYTES_MAX: u64 = 64 * 1024;
/// A token that does not say when it ends is read again after this.
const UNSAID_LIFE_MS: i64 = 300_000;

// SAFETY: called by the client only, as `rd_kafka_conf_set_oauthbearer_token_refresh_cb` documents it.
pub(super) unsafe extern "C" fn refresh(client: *mut sys::rd_kafka_t, config: *const c_char, _: *mut c_void) {
    // SAFETY: the client gives its own setting, null or terminated.
    let config = unsafe { rust_text(config) };
    let path = config.strip_prefix(TOKEN_FILE).unwrap_or_default();
    let given = read(path).and_then(|token| {
        let principal = c_text(&token.principal).map_err(|f| f.message)?;
        let text = c_text(&token.text).map_err(|f| f.message)?;
        let mut why = [0 as c_char; 512];
        // SAFETY: the client is alive during its callback and copies the texts; `why` has the length given.
        unsafe {
            let code = sys::rd_kafka_oauthbearer_set_token(
                client,
                text.as_ptr(),
                token.expires_ms,
                principal.as_ptr(),
                std::ptr::null_mut(),
                0,
                why.as_mut_ptr(),
                why.len(),
            );
            let taken = code == Code::RD_KAFKA_RESP_ERR_NO_ERROR;
            if taken { Ok(()) } else { Err(format!("the token in {path} is refused: {}", rust_text(why.as_ptr()))) }
        }
    });
    if let Err(why) = given {
        let why = c_text(&why).unwrap_or_default();
        // SAFETY: as above. The client reports the failure as an error of its own and asks again.
        unsafe { sys::rd_kafka_oauthbearer_set_token_failure(client, why.as_ptr()) };
    }
}

fn read(path: &str) -> Result<Token, String> {
    let unreadable = |error: std::io::Error| format!("the token file {path} cannot be read: {error}");
    let size = std::fs::metadata(path).map_err(unreadable)?.len();
    if size > TOKEN_BYTES_MAX {
        return Err(format!("{path} holds {size} bytes, which is no token"));
    }
    let text = std::fs::read_to_string(path).map_err(unreadable)?.trim().to_owned();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    parse(text, i64::try_from(now.as_millis()).unwrap_or(i64::MAX))
        .ok_or_else(|| format!("{path} holds no JSON web token"))
}

/// Reads what a JSON web token (RFC 7519) says; checking its signature is the broker's work.
fn parse(text: String, now_ms: i64) -> Option<Token> {
    let payload = text.split('.').nth(1)?;
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?).ok()?;
    // `exp` counts seconds and may have a fraction.
    #[allow(clippy::cast_possible_truncation, reason = "dates of tokens are far from the bounds of either type")]
    let expires_ms = claims.get("exp").and_then(Value::as_f64).map(|seconds| (seconds * 1_000.0) as i64);
    let principal = claims.get("sub").and_then(Value::as_str).unwrap_or_default().to_owned();
    Some(Token { text, principal, expires_ms: expires_ms.unwrap_or(now_ms + UNSAID_LIFE_MS) })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_token_says_whose_it_is_and_when_it_ends() {
        let token = |claims: &str| format!("eyJhbGciOiJub25lIn0.{}.", URL_SAFE_NO_PAD.encode(claims));
        let read = parse(token(r#"{"sub":"ann","exp":1700000000.5}"#), 0).unwrap();
        assert_eq!((read.principal.as_str(), read.expires_ms), ("ann", 1_700_000_000_500));
        assert_eq!(parse(token("{}"), 7).unwrap().expires_ms, 7 + UNSAID_LIFE_MS);
        assert!(parse("not a token".to_owned(), 0).is_none());
        assert!(read_error("/nowhere/token").contains("/nowhere/token cannot be read"));
    }

    fn read_error(path: &str) -> String {
        read(path).err().unwrap()
    }
}
