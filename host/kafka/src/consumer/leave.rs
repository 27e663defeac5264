//! Leaving the group.
//!
//! Enters: a consumer that is done. Leaves: the broker knows (unless it cannot be reached in time). Invariant: no thread
//! of the async runtime is blocked; it happens once, also for a consumer that was simply dropped.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::bindings as sys;

use super::assignment::give_up_all;
use crate::native::{Handle, Queue, take_error};

/// The membership of a consumer in its group.
pub(super) struct Membership {
    pub handle: Arc<Handle>,
    pub main: Arc<Queue>,
    left: bool,
}

/// Leaving takes at most this long, and as long again if it must wait for a thread.
const LEAVE_DEADLINE: Duration = Duration::from_secs(5);

impl Membership {
    pub fn new(handle: Arc<Handle>, main: Arc<Queue>) -> Self {
        Self { handle, main, left: false }
    }

    /// Leaves the group and waits for it.
    pub async fn leave(mut self) {
        self.left = true;
        let (handle, main) = (Arc::clone(&self.handle), Arc::clone(&self.main));
        let left = tokio::task::spawn_blocking(move || leave(&handle, &main));
        if tokio::time::timeout(LEAVE_DEADLINE * 2, left).await.is_err() {
            tracing::warn!(
                "a consumer could not leave its group in time: its partitions move after session.timeout.ms"
            );
        }
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        if self.left {
            return;
        }
        let (handle, main) = (Arc::clone(&self.handle), Arc::clone(&self.main));
        // The thread ends by itself, within the deadline.
        let spawned = std::thread::Builder::new().name("kafka-leave".into()).spawn(move || leave(&handle, &main));
        if spawned.is_err() {
            tracing::warn!("no thread to leave a group on: its partitions move after session.timeout.ms");
        }
    }
}

fn leave(handle: &Handle, main: &Queue) {
    // A rebalance may be waiting for its answer; without one the client would not close. It is answered before closing
    // begins, while the group is alive: a group that has ended answers nothing, and the call would wait for ever.
    while main.event(0).is_some() {}
    give_up_all(handle);
    // SAFETY: client and queue are alive; the events are served below.
    if let Err((_, fault)) = take_error(unsafe { sys::rd_kafka_consumer_close_queue(handle.raw(), main.raw()) }) {
        tracing::debug!(code = fault.code, "closing a consumer: {}", fault.message);
        return;
    }
    let deadline = Instant::now() + LEAVE_DEADLINE;
    // SAFETY: the client is alive.
    while unsafe { sys::rd_kafka_consumer_closed(handle.raw()) } == 0 && Instant::now() < deadline {
        if let Some(event) = main.event(50)
            && event.kind() == sys::RD_KAFKA_EVENT_REBALANCE
        {
            give_up_all(handle);
        }
    }
}
