//! Delivery reports, counted per batch.
//!
//! Enters: rows being queued, reports from the client's poller. Leaves: one [`Receipt`] when the last row is settled.
//! Invariant: every row is counted exactly once: queued and reported, refused, or given back when queueing was cut short.

use std::ffi::c_void;
use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use lockgate_model::fault::KafkaFault;
use lockgate_model::ports::Receipt;
use rdkafka::bindings as sys;
use sys::rd_kafka_resp_err_t as Code;
use tokio::sync::oneshot;

use super::lane::row_fault;
use crate::fault::{fault, own};
use crate::native::rust_text;

/// A batch on its way. Owned by its tokens until the last is settled: the count in `open` is the reference count.
pub(super) struct Pending {
    open: AtomicUsize,
    outcome: Mutex<Outcome>,
    tokens: Box<[Token]>,
}

/// Rows that failed so far, and who waits.
type Outcome = (Vec<(u32, KafkaFault)>, Option<oneshot::Sender<Receipt>>);

/// What the client hands back for a row: where its batch is. Its place in `tokens` is the row.
#[derive(Clone, Copy)]
struct Token(*const Pending);

// SAFETY: the pointers are followed only while `open` says that the batch is alive, and everything else is synchronised.
unsafe impl Send for Pending {}
// SAFETY: as above.
unsafe impl Sync for Pending {}

impl Pending {
    /// A batch of `rows` rows: the writer's side, and the receipt.
    pub fn begin(rows: usize) -> (Enqueued, impl Future<Output = Receipt> + Send + 'static) {
        let (sender, receiver) = oneshot::channel();
        let pending = Arc::new_cyclic(|weak: &std::sync::Weak<Self>| Self {
            // One more for the writer, so that the batch is not done before it is queued.
            open: AtomicUsize::new(rows + 1),
            outcome: Mutex::new((Vec::new(), Some(sender))),
            tokens: vec![Token(weak.as_ptr()); rows].into_boxed_slice(),
        });
        let receipt = async move {
            // The sender goes only with the batch, after it has sent.
            receiver.await.unwrap_or_else(|_| Receipt { failed: vec![(0, own(false, "client", "no receipt came"))] })
        };
        // The count of open rows owns the batch from here on; `settle` takes it back.
        (Enqueued { pending: Arc::into_raw(pending), next: 0, rows }, receipt)
    }

    /// # Safety
    /// `this` is alive, and `rows` of its open rows are given up by the caller, who does not use `this` afterwards.
    unsafe fn settle(this: *const Self, rows: usize, failed: Option<(u32, KafkaFault)>) {
        // SAFETY: alive by the caller's promise.
        let pending = unsafe { &*this };
        if let Some(failed) = failed {
            pending.outcome.lock().unwrap_or_else(PoisonError::into_inner).0.push(failed);
        }
        if pending.open.fetch_sub(rows, Ordering::AcqRel) != rows {
            return;
        }
        // SAFETY: the last owner is gone, so the reference made in `begin` is taken back, once.
        let pending = unsafe { Arc::from_raw(this) };
        let mut outcome = pending.outcome.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut failed, sender) = (std::mem::take(&mut outcome.0), outcome.1.take());
        failed.sort_by_key(|(row, _)| *row);
        if let Some(sender) = sender {
            // Nobody waits for it any more: the records stay sent.
            let _ = sender.send(Receipt { failed });
        }
    }
}

/// The writer's side of a batch. Dropped before all rows are queued, it gives the rest back.
pub(super) struct Enqueued {
    pending: *const Pending,
    next: usize,
    rows: usize,
}

// SAFETY: see `Pending`.
unsafe impl Send for Enqueued {}
// SAFETY: see `Pending`.
unsafe impl Sync for Enqueued {}

impl Enqueued {
    /// The row to queue next.
    pub fn next(&self) -> Option<usize> {
        (self.next < self.rows).then_some(self.next)
    }

    /// What goes with a row through the client.
    pub fn token(&self, row: usize) -> *mut c_void {
        // SAFETY: the writer's own count keeps the batch alive.
        let tokens = unsafe { &(*self.pending).tokens };
        (&raw const tokens[row]).cast_mut().cast()
    }

    /// The row is queued: its report settles it.
    pub fn queued(&mut self) {
        self.next += 1;
    }

    /// The client did not take the row.
    pub fn refused(&mut self, fault: KafkaFault) {
        let row = u32::try_from(self.next).unwrap_or(u32::MAX);
        self.next += 1;
        // SAFETY: the row's own count, and the writer's besides.
        unsafe { Pending::settle(self.pending, 1, Some((row, fault))) };
    }
}

impl Drop for Enqueued {
    fn drop(&mut self) {
        // SAFETY: the counts of the rows that were never queued, and the writer's own; not used afterwards.
        unsafe { Pending::settle(self.pending, self.rows - self.next + 1, None) };
    }
}

/// A delivery report.
///
/// # Safety
/// `message` is a report of the client for a row queued with [`Enqueued::token`], given here once.
pub(super) unsafe fn reported(message: &sys::rd_kafka_message_t) {
    let token: *const Token = message._private.cast_const().cast();
    if token.is_null() {
        return;
    }
    // SAFETY: the row's count keeps the batch and its tokens alive; both pointers are into `tokens`.
    unsafe {
        let pending = (*token).0;
        let failed = (message.err != Code::RD_KAFKA_RESP_ERR_NO_ERROR).then(|| {
            let row = token.offset_from((*pending).tokens.as_ptr());
            let text = rust_text(sys::rd_kafka_message_errstr(message));
            (u32::try_from(row).unwrap_or(u32::MAX), row_fault(message.err, fault(message.err, Some(text))))
        });
        Pending::settle(pending, 1, failed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    fn report(token: *mut c_void, err: Code) {
        // SAFETY: a zeroed message is valid C; only `err`, `_private` are read when there is no payload.
        let mut message: sys::rd_kafka_message_t = unsafe { std::mem::zeroed() };
        message._private = token;
        message.err = err;
        // SAFETY: each token is reported once.
        unsafe { reported(&message) };
    }

    #[test]
    fn a_receipt_comes_after_the_last_report_and_names_the_rows_that_failed() {
        let (mut enqueued, receipt) = Pending::begin(3);
        let mut receipt = Box::pin(receipt);
        let tokens: Vec<_> = (0..3).map(|row| enqueued.token(row)).collect();
        enqueued.queued();
        report(tokens[0], Code::RD_KAFKA_RESP_ERR_NO_ERROR);
        enqueued.refused(own(false, "x", "refused"));
        enqueued.queued();
        drop(enqueued);
        assert_eq!(receipt.as_mut().now_or_never(), None);
        report(tokens[2], Code::RD_KAFKA_RESP_ERR__MSG_TIMED_OUT);
        let failed = receipt.now_or_never().map(|r| r.failed.into_iter().map(|(row, f)| (row, f.code)).collect());
        assert_eq!(failed, Some(vec![(1, "x".to_owned()), (2, "msg-timed-out".to_owned())]));
    }

    #[test]
    fn queueing_that_is_cut_short_still_frees_the_batch_after_its_reports() {
        let (mut enqueued, receipt) = Pending::begin(5);
        let token = enqueued.token(0);
        enqueued.queued();
        drop(enqueued);
        let mut receipt = Box::pin(receipt);
        assert_eq!(receipt.as_mut().now_or_never(), None);
        report(token, Code::RD_KAFKA_RESP_ERR_NO_ERROR);
        assert_eq!(receipt.now_or_never(), Some(Receipt::default()));
    }

    #[test]
    fn an_empty_batch_is_done_at_once() {
        let (enqueued, receipt) = Pending::begin(0);
        drop(enqueued);
        assert_eq!(receipt.now_or_never(), Some(Receipt::default()));
    }
}
