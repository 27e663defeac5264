//! The thread that serves delivery reports.
//!
//! Enters: reports. Leaves: settled rows, wake-ups for those who wait for room in the queue. Invariant: it lives as long
//! as the producer and ends by itself: after the last clone is gone it delivers what is queued, within a deadline.

use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Instant;

use lockgate_model::fault::KafkaFault;
use rdkafka::bindings as sys;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use super::{Producer, delivery};
use crate::fault::own;
use crate::native::{Conf, Handle};

/// Owner of the thread.
pub(super) struct Poller {
    pub handle: Arc<Handle>,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    space: Notify,
    /// Somebody waits for space: spares the reports a lock when nobody does.
    wanted: AtomicBool,
    stop: AtomicBool,
}

/// Everything that is not acknowledged.
const PURGE: i32 = sys::RD_KAFKA_PURGE_F_QUEUE | sys::RD_KAFKA_PURGE_F_INFLIGHT;
/// The thread wakes for reports at once; this is how often it looks whether it should end.
const LOOK_EVERY_MS: i32 = 1_000;

impl Poller {
    pub fn start(settings: &[(String, String)]) -> Result<Self, KafkaFault> {
        let shared = Arc::new(Shared::default());
        let conf = Conf::new(settings)?;
        // SAFETY: the thread keeps `shared` alive until after the last report; `on_report` has the callback's signature.
        unsafe {
            sys::rd_kafka_conf_set_opaque(conf.raw(), Arc::as_ptr(&shared).cast_mut().cast());
            sys::rd_kafka_conf_set_dr_msg_cb(conf.raw(), Some(on_report));
        }
        let handle = Handle::new(sys::rd_kafka_type_t::RD_KAFKA_PRODUCER, conf)?;
        let (client, state) = (Arc::clone(&handle), Arc::clone(&shared));
        let thread = std::thread::Builder::new()
            .name("kafka-reports".into())
            .stack_size(256 * 1024)
            .spawn(move || serve(&client, &state))
            .map_err(|e| own(true, "client", format!("no thread for delivery reports: {e}")))?;
        Ok(Self { handle, shared, thread: Some(thread) })
    }

    /// Resolves when there may be room in the queue again.
    pub fn space(&self) -> Notified<'_> {
        self.shared.space.notified()
    }

    /// Says that somebody waits, who has registered with [`Poller::space`].
    pub fn want_space(&self) {
        self.shared.wanted.store(true, Ordering::SeqCst);
    }
}

impl Drop for Poller {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        // SAFETY: the client is alive; wakes the thread from its poll.
        unsafe {
            let main = sys::rd_kafka_queue_get_main(self.handle.raw());
            sys::rd_kafka_queue_yield(main);
            sys::rd_kafka_queue_destroy(main);
        }
        // Not joined: this may be a thread of the async runtime. The thread ends within the producer's close deadline.
        drop(self.thread.take());
    }
}

fn serve(client: &Handle, shared: &Shared) {
    let mut ended = false;
    while !shared.stop.load(Ordering::Acquire) {
        // SAFETY: the client is alive.
        unsafe { sys::rd_kafka_poll(client.raw(), LOOK_EVERY_MS) };
        if !ended && client.fatal().is_some() {
            ended = true;
            // The client gives up by itself what it has not sent; nor does it ever finish the rest when its broker is away.
            // SAFETY: the client is alive.
            unsafe { sys::rd_kafka_purge(client.raw(), PURGE | sys::RD_KAFKA_PURGE_F_NON_BLOCKING) };
        }
    }
    let deadline = Instant::now() + Producer::CLOSE_DEADLINE;
    // SAFETY: the client is alive. The flush serves reports itself; purged records are reported as failed.
    unsafe {
        while sys::rd_kafka_outq_len(client.raw()) > 0 && Instant::now() < deadline {
            sys::rd_kafka_flush(client.raw(), 500);
        }
        sys::rd_kafka_purge(client.raw(), PURGE);
        while sys::rd_kafka_poll(client.raw(), 0) > 0 {}
    }
}

// SAFETY: called by the client only, as `rd_kafka_conf_set_dr_msg_cb` documents it.
unsafe extern "C" fn on_report(_: *mut sys::rd_kafka_t, message: *const sys::rd_kafka_message_t, shared: *mut c_void) {
    // SAFETY: the client gives a valid message, once; `shared` lives as long as the thread that polls.
    unsafe {
        delivery::reported(&*message);
        let shared = &*shared.cast::<Shared>();
        if shared.wanted.load(Ordering::Relaxed) && shared.wanted.swap(false, Ordering::SeqCst) {
            shared.space.notify_waiters();
        }
    }
}
