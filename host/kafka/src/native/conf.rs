//! The configuration of a client.
//!
//! Enters: librdkafka's keys and values. Leaves: a configuration that a client takes over. Invariant: no error quotes a
//! value, because it may be a secret; what the client logs goes to `tracing`.

use std::ffi::{c_char, c_int};
use std::ptr;

use lockgate_model::fault::KafkaFault;
use rdkafka::bindings as sys;
use sys::rd_kafka_conf_res_t as ConfResult;

use super::{c_text, rust_text, token};
use crate::fault::own;
use crate::settings::TOKEN_FILE;

/// A configuration being written.
pub(crate) struct Conf {
    raw: *mut sys::rd_kafka_conf_t,
    has_tokens: bool,
}

impl Conf {
    /// All of `settings`; logs go to `tracing`.
    pub fn new(settings: &[(String, String)]) -> Result<Self, KafkaFault> {
        // SAFETY: no preconditions; `log` has the signature that the callback wants.
        let mut conf = unsafe {
            let conf = Self { raw: sys::rd_kafka_conf_new(), has_tokens: false };
            sys::rd_kafka_conf_set_log_cb(conf.raw, Some(log));
            conf
        };
        for (key, value) in settings {
            conf.set(key, value)?;
            conf.has_tokens |= key == "sasl.mechanisms" && value == "OAUTHBEARER";
            if key == "sasl.oauthbearer.config" && value.starts_with(TOKEN_FILE) {
                // SAFETY: the configuration is alive; `refresh` has the callback's signature.
                unsafe { sys::rd_kafka_conf_set_oauthbearer_token_refresh_cb(conf.raw, Some(token::refresh)) };
            }
        }
        if conf.has_tokens {
            // SAFETY: the configuration is alive. The client asks for tokens on a queue of its own, see `Handle::new`.
            unsafe { sys::rd_kafka_conf_enable_sasl_queue(conf.raw, 1) };
        }
        Ok(conf)
    }

    fn set(&self, key: &str, value: &str) -> Result<(), KafkaFault> {
        let (name, text) = (c_text(key)?, c_text(value)?);
        let mut why = [0 as c_char; 512];
        // SAFETY: all pointers live through the call, `why` has the length given.
        let result =
            unsafe { sys::rd_kafka_conf_set(self.raw, name.as_ptr(), text.as_ptr(), why.as_mut_ptr(), why.len()) };
        match result {
            ConfResult::RD_KAFKA_CONF_OK => Ok(()),
            ConfResult::RD_KAFKA_CONF_UNKNOWN => {
                Err(own(false, "unknown-setting", format!("the Kafka client has no setting {key}")))
            }
            ConfResult::RD_KAFKA_CONF_INVALID => {
                // The client's reason may quote the value, which may be a secret.
                Err(own(false, "invalid-setting", format!("the Kafka client refuses the value of {key}")))
            }
        }
    }

    /// True if the client logs in with tokens, which it asks for now and then.
    pub fn has_tokens(&self) -> bool {
        self.has_tokens
    }

    /// The client owns it now.
    pub fn handed_over(&mut self) {
        self.raw = ptr::null_mut();
    }

    /// The raw configuration, for callbacks and events.
    pub fn raw(&self) -> *mut sys::rd_kafka_conf_t {
        self.raw
    }
}

impl Drop for Conf {
    fn drop(&mut self) {
        if !self.raw.is_null() {
            // SAFETY: not yet handed over (that sets null).
            unsafe { sys::rd_kafka_conf_destroy(self.raw) };
        }
    }
}

unsafe extern "C" fn log(_: *const sys::rd_kafka_t, level: c_int, facility: *const c_char, text: *const c_char) {
    // SAFETY: both are terminated strings that live through the call.
    let (facility, text) = unsafe { (rust_text(facility), rust_text(text)) };
    match level {
        ..=3 => tracing::warn!(target: "lockgate_kafka::client", facility, "{text}"),
        4..=5 => tracing::info!(target: "lockgate_kafka::client", facility, "{text}"),
        _ => tracing::debug!(target: "lockgate_kafka::client", facility, "{text}"),
    }
}
