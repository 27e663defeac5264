//! One caller's way through a producer whose client may be replaced.
//!
//! Enters: batches of one caller, in order. Leaves: the client to use, or a receipt that refuses for now. Invariant (L2): a
//! caller goes over to a new client only when it has taken every receipt of the old one. Until then its batches are
//! refused as a whole, for now, so that it mends from the first row that was not acknowledged and nothing overtakes.

use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use lockgate_model::fault::KafkaFault;
use lockgate_model::ports::Receipt;
use rdkafka::bindings::rd_kafka_resp_err_t as Code;

use super::Client;
use crate::fault::own;

/// The code of what a new client heals.
pub(crate) const ENDED: &str = "producer-ended";

/// What became of a row: where the client ended under it, it is tried again with another.
pub(super) fn row_fault(code: Code, fault: KafkaFault) -> KafkaFault {
    match code {
        Code::RD_KAFKA_RESP_ERR__FATAL
        | Code::RD_KAFKA_RESP_ERR__GAPLESS_GUARANTEE
        | Code::RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER
        | Code::RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID
        | Code::RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH
        | Code::RD_KAFKA_RESP_ERR_INVALID_PRODUCER_ID_MAPPING => own(true, ENDED, fault.message),
        _ => fault,
    }
}

/// One caller.
pub(super) struct Lane {
    client: Mutex<Arc<Client>>,
    /// Receipts that the caller has not taken yet.
    open: Arc<AtomicUsize>,
}

impl Lane {
    pub fn new(client: Arc<Client>) -> Self {
        Self { client: Mutex::new(client), open: Arc::default() }
    }

    /// The client for the next batch; `None` while receipts of an older one are out.
    pub fn enter(
        &self,
        healthy: impl FnOnce() -> Result<Arc<Client>, KafkaFault>,
    ) -> Result<Option<Arc<Client>>, KafkaFault> {
        let now = healthy()?;
        let mut client = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if !Arc::ptr_eq(&client, &now) {
            if self.open.load(Ordering::Acquire) > 0 {
                return Ok(None);
            }
            *client = Arc::clone(&now);
        }
        Ok(Some(now))
    }

    /// Counts a receipt until it is taken or dropped.
    pub fn awaited(
        &self,
        receipt: impl Future<Output = Receipt> + Send + 'static,
    ) -> impl Future<Output = Receipt> + Send + 'static {
        self.open.fetch_add(1, Ordering::AcqRel);
        let open = Open(Arc::clone(&self.open));
        async move {
            let receipt = receipt.await;
            drop(open);
            receipt
        }
    }

    /// The receipt of a batch that was not even tried.
    pub fn refused(&self, rows: usize) -> impl Future<Output = Receipt> + Send + 'static {
        let fault = own(true, ENDED, "the producer was replaced; what it had not written is sent again in order");
        let rows = u32::try_from(rows).unwrap_or(u32::MAX);
        self.awaited(async move { Receipt { failed: (0..rows).map(|row| (row, fault.clone())).collect() } })
    }
}

struct Open(Arc<AtomicUsize>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
