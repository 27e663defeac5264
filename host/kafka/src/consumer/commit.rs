//! Committing offsets.
//!
//! Enters: offsets that the guest agreed to. Leaves: `Ok` once the group's coordinator has them. Invariant: retried only
//! while waiting helps and the deadline has not passed; the answer to an older commit is never taken for a newer one's.

use std::ffi::c_void;
use std::sync::Arc;
use std::time::Duration;

use lockgate_model::fault::KafkaFault;
use lockgate_model::place::PartitionOffset;
use rdkafka::bindings as sys;
use sys::rd_kafka_resp_err_t as Code;
use tokio::time::{Instant, sleep, timeout_at};

use super::assignment::Assignment;
use crate::fault::{fault, own};
use crate::native::{Event, Handle, Partitions, Queue, elements};

/// The queue on which answers to commits arrive.
pub(super) struct Commits {
    handle: Arc<Handle>,
    answers: Arc<Queue>,
    last: usize,
}

/// A commit is retried this long.
const COMMIT_DEADLINE: Duration = Duration::from_secs(10);
/// First pause between tries; doubled up to a second.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

impl Commits {
    pub fn new(handle: &Arc<Handle>) -> Self {
        Self { handle: Arc::clone(handle), answers: Queue::new(handle), last: 0 }
    }

    /// Commits and waits for the answer.
    pub async fn commit(&mut self, assignment: &mut Assignment, offsets: &[PartitionOffset]) -> Result<(), KafkaFault> {
        if offsets.is_empty() {
            return Ok(());
        }
        let deadline = Instant::now() + COMMIT_DEADLINE;
        let mut pause = FIRST_PAUSE;
        loop {
            let list = Assignment::list(offsets)?;
            let answer = match self.send(list) {
                Ok(number) => timeout_at(deadline, self.answer(number)).await.unwrap_or_else(|_| Err(timed_out())),
                Err(fault) => Err(fault),
            };
            match answer {
                Ok(()) => {
                    assignment.committed(offsets);
                    return Ok(());
                }
                Err(fault) if !fault.retriable || Instant::now() + pause >= deadline => return Err(fault),
                Err(fault) => tracing::debug!(code = fault.code, "commit is tried again: {}", fault.message),
            }
            sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(1));
        }
    }

    fn send(&mut self, list: Partitions) -> Result<usize, KafkaFault> {
        self.last = self.last.wrapping_add(1);
        let opaque = std::ptr::without_provenance_mut::<c_void>(self.last);
        // SAFETY: all are alive; the list is copied; the opaque value is a number, never followed.
        let code =
            unsafe { sys::rd_kafka_commit_queue(self.handle.raw(), list.raw(), self.answers.raw(), None, opaque) };
        if code == Code::RD_KAFKA_RESP_ERR_NO_ERROR { Ok(self.last) } else { Err(fault(code, None)) }
    }

    async fn answer(&self, number: usize) -> Result<(), KafkaFault> {
        loop {
            while let Some(event) = self.answers.event(0) {
                // SAFETY: the event is alive; the value is only compared.
                let answered = unsafe { sys::rd_kafka_event_opaque(event.raw()) }.addr();
                if event.kind() == sys::RD_KAFKA_EVENT_OFFSET_COMMIT && answered == number {
                    return outcome(&event);
                }
            }
            self.answers.wake().raised().await;
        }
    }
}

fn outcome(event: &Event) -> Result<(), KafkaFault> {
    let code = event.code();
    if code != Code::RD_KAFKA_RESP_ERR_NO_ERROR {
        return Err(event.fault());
    }
    // SAFETY: the list lives as long as the event.
    let list = unsafe { elements(sys::rd_kafka_event_topic_partition_list(event.raw())) };
    match list.iter().find(|e| e.err != Code::RD_KAFKA_RESP_ERR_NO_ERROR) {
        Some(element) => Err(fault(element.err, None)),
        None => Ok(()),
    }
}

fn timed_out() -> KafkaFault {
    own(true, "timed-out", format!("the group's coordinator did not answer a commit within {COMMIT_DEADLINE:?}"))
}
