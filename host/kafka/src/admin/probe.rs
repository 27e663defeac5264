//! Whether the cluster can be reached, and if not, why.
//!
//! Enters: a client's settings. Leaves: an answer, or the most telling of the errors that the client met on its way.
//! Invariant: a client of its own that lives only as long as the question, because errors nobody takes pile up in it.

use std::sync::Arc;
use std::time::Duration;

use lockgate_model::fault::KafkaFault;
use rdkafka::bindings as sys;
use sys::rd_kafka_resp_err_t as Code;

use super::metadata;
use crate::native::{Conf, Handle, Queue};

/// A client that tries to connect.
pub(super) struct Probe {
    handle: Arc<Handle>,
    errors: Arc<Queue>,
}

impl Probe {
    pub fn new(settings: &[(String, String)]) -> Result<Self, KafkaFault> {
        let conf = Conf::new(settings)?;
        // SAFETY: the configuration is alive.
        unsafe { sys::rd_kafka_conf_set_events(conf.raw(), sys::RD_KAFKA_EVENT_ERROR) };
        let handle = Handle::new(sys::rd_kafka_type_t::RD_KAFKA_CONSUMER, conf)?;
        let errors = Queue::main(&handle);
        Ok(Self { handle, errors })
    }

    /// Asks once. An error that waiting does not help is final: the login, the certificates.
    pub fn ask(&self, wait: Duration) -> Result<(), KafkaFault> {
        let asked = metadata(&self.handle, None, wait).map(drop);
        let mut met = None;
        while let Some(event) = self.errors.event(0) {
            match event.code() {
                Code::RD_KAFKA_RESP_ERR__AUTHENTICATION
                | Code::RD_KAFKA_RESP_ERR__SSL
                | Code::RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED => return asked.map_err(|_| event.fault()),
                Code::RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN => {}
                _ => met = Some(event.fault()),
            }
        }
        // What the question itself says is only that nobody answered.
        asked.map_err(|fault| met.filter(|met| met.retriable).unwrap_or(fault))
    }
}
