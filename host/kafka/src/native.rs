//! Owners for what librdkafka hands out: configuration, client, queue, partition list, topic.
//!
//! Enters: names and values. Leaves: handles that free themselves in the right order. Invariant: a client is destroyed
//! after its last queue, topic and message, and never on a thread of the async runtime, because that joins threads.

mod conf;
mod token;

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::future::poll_fn;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use futures::task::AtomicWaker;
use lockgate_model::fault::KafkaFault;
use rdkafka::bindings as sys;
use sys::rd_kafka_resp_err_t as Code;

use crate::fault::{fault, own};
pub(crate) use conf::Conf;

/// Text as C wants it. An inner zero byte is the user's mistake.
pub(crate) fn c_text(text: &str) -> Result<CString, KafkaFault> {
    CString::new(text).map_err(|_| own(false, "invalid-text", "a name or setting holds a zero byte"))
}

/// A copy of a C string; empty for null.
///
/// # Safety
/// `text` is null or a zero-terminated string that lives through the call.
pub(crate) unsafe fn rust_text(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

/// Takes over an error object; `Ok` for null.
pub(crate) fn take_error(error: *mut sys::rd_kafka_error_t) -> Result<(), (Code, KafkaFault)> {
    if error.is_null() {
        return Ok(());
    }
    // SAFETY: a non-null error is ours to read and to destroy, once.
    unsafe {
        let code = sys::rd_kafka_error_code(error);
        let text = rust_text(sys::rd_kafka_error_string(error));
        sys::rd_kafka_error_destroy(error);
        Err((code, fault(code, Some(text))))
    }
}

/// A client. Shared by its queues and topics; the last owner's drop destroys it on a thread of its own.
pub(crate) struct Handle(NonNull<sys::rd_kafka_t>);

// SAFETY: librdkafka's client may be used from any thread at the same time.
unsafe impl Send for Handle {}
// SAFETY: as above.
unsafe impl Sync for Handle {}

impl Handle {
    /// Starts a client. It connects by itself, later.
    pub fn new(kind: sys::rd_kafka_type_t, mut conf: Conf) -> Result<Arc<Self>, KafkaFault> {
        let mut why = [0 as c_char; 512];
        // SAFETY: `conf` is valid; on success the client owns it, on failure it stays ours.
        let raw = unsafe { sys::rd_kafka_new(kind, conf.raw(), why.as_mut_ptr(), why.len()) };
        let Some(raw) = NonNull::new(raw) else {
            // SAFETY: the client wrote a terminated text.
            let why = unsafe { rust_text(why.as_ptr()) };
            return Err(own(false, "client", format!("the Kafka client cannot start: {why}")));
        };
        conf.handed_over();
        let handle = Arc::new(Self(raw));
        if conf.has_tokens() {
            // SAFETY: the client is alive; its own background thread asks for tokens from now on.
            take_error(unsafe { sys::rd_kafka_sasl_background_callbacks_enable(raw.as_ptr()) }).map_err(|(_, f)| f)?;
        }
        Ok(handle)
    }

    /// For calls of librdkafka.
    pub fn raw(&self) -> *mut sys::rd_kafka_t {
        self.0.as_ptr()
    }

    /// The error that ended this client for good, if any.
    pub fn fatal(&self) -> Option<End> {
        let mut why = [0 as c_char; 512];
        // SAFETY: `why` has the length given and is terminated by the call.
        let (code, text) = unsafe {
            let code = sys::rd_kafka_fatal_error(self.raw(), why.as_mut_ptr(), why.len());
            (code, rust_text(why.as_ptr()))
        };
        let heals = !matches!(
            code,
            Code::RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED
                | Code::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED
                | Code::RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION
                | Code::RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE
        );
        (code != Code::RD_KAFKA_RESP_ERR_NO_ERROR).then(|| End {
            heals,
            fault: KafkaFault { retriable: false, ..fault(code, Some(format!("the client has ended: {text}"))) },
        })
    }
}

/// How a client ended.
pub(crate) struct End {
    /// True if a new client does not have this error.
    pub heals: bool,
    /// The error.
    pub fault: KafkaFault,
}

impl Drop for Handle {
    fn drop(&mut self) {
        let raw = Raw(self.0);
        let destroy = move || {
            let raw = raw;
            // SAFETY: this was the last owner, nothing refers to the client any more; a consumer has left before.
            unsafe { sys::rd_kafka_destroy_flags(raw.0.as_ptr(), sys::RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE) };
        };
        // The thread ends by itself: destruction is bounded by the client's own socket deadlines.
        if std::thread::Builder::new().name("kafka-destroy".into()).spawn(destroy).is_err() {
            tracing::warn!("no thread to end a Kafka client on: its memory is lost");
        }
    }
}

struct Raw(NonNull<sys::rd_kafka_t>);
// SAFETY: see `Handle`.
unsafe impl Send for Raw {}

/// A flag that librdkafka's threads raise and one async task waits for.
#[derive(Default)]
pub(crate) struct Wake {
    waker: AtomicWaker,
    raised: AtomicBool,
}

impl Wake {
    /// Raises the flag.
    pub fn raise(&self) {
        self.raised.store(true, Ordering::Release);
        self.waker.wake();
    }

    /// Lowers the flag and says whether it was up.
    pub fn lower(&self) -> bool {
        self.raised.swap(false, Ordering::AcqRel)
    }

    /// Waits until the flag is up, and lowers it. Cancel safe. One waiter at a time.
    pub async fn raised(&self) {
        poll_fn(|context| {
            if self.lower() {
                return Poll::Ready(());
            }
            self.waker.register(context.waker());
            if self.lower() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

/// A queue of a client, with a wake-up for what arrives in it while it was empty.
pub(crate) struct Queue {
    raw: NonNull<sys::rd_kafka_queue_t>,
    wake: Arc<Wake>,
    handle: Arc<Handle>,
}

// SAFETY: librdkafka's queues may be used from any thread.
unsafe impl Send for Queue {}
// SAFETY: as above.
unsafe impl Sync for Queue {}

impl Queue {
    /// A new queue, for data, commits or answers.
    pub fn new(handle: &Arc<Handle>) -> Arc<Self> {
        // SAFETY: the client is alive; the call never fails.
        Self::adopt(handle, unsafe { sys::rd_kafka_queue_new(handle.raw()) })
    }

    /// The consumer's main queue.
    pub fn of_consumer(handle: &Arc<Handle>) -> Option<Arc<Self>> {
        // SAFETY: the client is alive; null without a group.
        let raw = unsafe { sys::rd_kafka_queue_get_consumer(handle.raw()) };
        (!raw.is_null()).then(|| Self::adopt(handle, raw))
    }

    /// The queue of the client's own errors, where its configuration asks for them as events.
    pub fn main(handle: &Arc<Handle>) -> Arc<Self> {
        // SAFETY: the client is alive; the call never fails.
        Self::adopt(handle, unsafe { sys::rd_kafka_queue_get_main(handle.raw()) })
    }

    fn adopt(handle: &Arc<Handle>, raw: *mut sys::rd_kafka_queue_t) -> Arc<Self> {
        let raw = NonNull::new(raw).expect("checked or infallible: librdkafka aborts where it has no memory");
        let wake = Arc::new(Wake::default());
        // SAFETY: `wake` outlives the callback: `drop` switches it off first.
        unsafe { sys::rd_kafka_queue_cb_event_enable(raw.as_ptr(), Some(woken), Arc::as_ptr(&wake) as *mut c_void) };
        Arc::new(Self { raw, wake, handle: Arc::clone(handle) })
    }

    /// For calls of librdkafka.
    pub fn raw(&self) -> *mut sys::rd_kafka_queue_t {
        self.raw.as_ptr()
    }

    /// Raised when something arrived.
    pub fn wake(&self) -> &Wake {
        &self.wake
    }

    /// The next event, waiting on this thread at most `wait_ms`.
    pub fn event(&self, wait_ms: c_int) -> Option<Event> {
        // SAFETY: the queue is alive.
        NonNull::new(unsafe { sys::rd_kafka_queue_poll(self.raw(), wait_ms) }).map(Event)
    }

    /// Sends what arrives for a partition to this queue instead of the main queue. Before assigning, because the client's
    /// own forwarding does not replace the application's.
    pub fn forward_from(&self, topic: &CStr, partition: i32) {
        // SAFETY: the partition's queue reference is ours and given back at once.
        unsafe {
            let source = sys::rd_kafka_queue_get_partition(self.handle.raw(), topic.as_ptr(), partition);
            if !source.is_null() {
                sys::rd_kafka_queue_forward(source, self.raw());
                sys::rd_kafka_queue_destroy(source);
            }
        }
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: the callback runs under the queue's lock, so after the first call it runs no more; the reference is ours.
        unsafe {
            sys::rd_kafka_queue_cb_event_enable(self.raw(), None, ptr::null_mut());
            sys::rd_kafka_queue_destroy(self.raw());
        }
    }
}

unsafe extern "C" fn woken(_: *mut sys::rd_kafka_t, wake: *mut c_void) {
    // SAFETY: `Queue` keeps the flag alive as long as the callback is on.
    unsafe { &*wake.cast::<Wake>() }.raise();
}

/// An event, ours until dropped.
pub(crate) struct Event(NonNull<sys::rd_kafka_event_t>);

impl Event {
    /// For calls of librdkafka.
    pub fn raw(&self) -> *mut sys::rd_kafka_event_t {
        self.0.as_ptr()
    }

    /// What it is: one of `RD_KAFKA_EVENT_*`.
    pub fn kind(&self) -> i32 {
        // SAFETY: the event is alive.
        unsafe { sys::rd_kafka_event_type(self.raw()) }
    }

    /// Its error.
    pub fn code(&self) -> Code {
        // SAFETY: the event is alive.
        unsafe { sys::rd_kafka_event_error(self.raw()) }
    }

    /// Its error as a fault.
    pub fn fault(&self) -> KafkaFault {
        // SAFETY: the text lives as long as the event.
        fault(self.code(), Some(unsafe { rust_text(sys::rd_kafka_event_error_string(self.raw())) }))
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        // SAFETY: ours, once.
        unsafe { sys::rd_kafka_event_destroy(self.raw()) };
    }
}

/// A list of partitions with offsets.
pub(crate) struct Partitions(*mut sys::rd_kafka_topic_partition_list_t);

// SAFETY: plain memory with one owner.
unsafe impl Send for Partitions {}

impl Partitions {
    /// An empty list.
    pub fn new() -> Self {
        // SAFETY: no preconditions, never null.
        Self(unsafe { sys::rd_kafka_topic_partition_list_new(8) })
    }

    /// Adds a partition.
    pub fn push(&mut self, topic: &CStr, partition: i32, offset: i64) {
        // SAFETY: the list is alive and copies the name; the element is valid until the next push.
        unsafe {
            (*sys::rd_kafka_topic_partition_list_add(self.0, topic.as_ptr(), partition)).offset = offset;
        }
    }

    /// For calls of librdkafka.
    pub fn raw(&self) -> *mut sys::rd_kafka_topic_partition_list_t {
        self.0
    }
}

impl Drop for Partitions {
    fn drop(&mut self) {
        // SAFETY: ours, once.
        unsafe { sys::rd_kafka_topic_partition_list_destroy(self.0) };
    }
}

/// The elements of a list of librdkafka: topic, partition, offset, error.
///
/// # Safety
/// `list` is null or a list that is not changed while the slice is used.
pub(crate) unsafe fn elements<'a>(
    list: *const sys::rd_kafka_topic_partition_list_t,
) -> &'a [sys::rd_kafka_topic_partition_t] {
    // SAFETY: the caller's promise; `elems` has `cnt` elements.
    unsafe {
        match list.as_ref() {
            Some(list) if list.cnt > 0 => {
                std::slice::from_raw_parts(list.elems, usize::try_from(list.cnt).unwrap_or_default())
            }
            _ => &[],
        }
    }
}

/// A topic of a client.
pub(crate) struct Topic {
    raw: NonNull<sys::rd_kafka_topic_t>,
    _handle: Arc<Handle>,
}

// SAFETY: librdkafka's topics may be used from any thread.
unsafe impl Send for Topic {}
// SAFETY: as above.
unsafe impl Sync for Topic {}

impl Topic {
    /// Opens a topic locally; nothing is asked of the broker.
    pub fn new(handle: &Arc<Handle>, name: &str) -> Result<Self, KafkaFault> {
        let name = c_text(name)?;
        // SAFETY: the client is alive, the name lives through the call, no topic configuration.
        let raw = unsafe { sys::rd_kafka_topic_new(handle.raw(), name.as_ptr(), ptr::null_mut()) };
        // SAFETY: no preconditions.
        let raw = NonNull::new(raw).ok_or_else(|| fault(unsafe { sys::rd_kafka_last_error() }, None))?;
        Ok(Self { raw, _handle: Arc::clone(handle) })
    }

    /// For calls of librdkafka.
    pub fn raw(&self) -> *mut sys::rd_kafka_topic_t {
        self.raw.as_ptr()
    }
}

impl Drop for Topic {
    fn drop(&mut self) {
        // SAFETY: ours, once.
        unsafe { sys::rd_kafka_topic_destroy(self.raw()) };
    }
}
