//! The data path of the consumer: from librdkafka's buffers into the batch, in one copy.
//!
//! Enters: messages, in runs of one partition. Leaves: rows. Invariant: a message leaves at most once, in offset order of
//! its partition, and never for a partition that is not (or no longer) ours.

use std::ffi::{CStr, c_char};
use std::ptr;
use std::sync::Arc;

use lockgate_model::batch::{Batch, HeaderRow, Row};
use lockgate_model::place::TopicPartition;
use lockgate_model::ports::BatchLimits;
use rdkafka::bindings as sys;
use sys::rd_kafka_resp_err_t as Code;

use super::assignment::Assignment;
use crate::native::{Queue, rust_text};

/// Messages that were taken from the client and do not fit into the batch yet.
pub(super) struct Held {
    queue: Arc<Queue>,
    messages: Vec<*mut sys::rd_kafka_message_t>,
    at: usize,
}

// SAFETY: messages may be read and destroyed on any thread; this is their only owner.
unsafe impl Send for Held {}
// SAFETY: nothing is done through a shared reference.
unsafe impl Sync for Held {}

/// What a fill gave.
pub(super) struct Filled {
    pub rows: usize,
    /// The last error that came in place of a message.
    pub error: Option<(Code, String)>,
}

/// Which partition the last message was of: messages come in runs.
struct Run {
    topic: *mut sys::rd_kafka_topic_t,
    partition: i32,
    part: Option<usize>,
    topic_index: u32,
}

impl Held {
    pub fn new(queue: &Arc<Queue>) -> Self {
        Self { queue: Arc::clone(queue), messages: Vec::new(), at: 0 }
    }

    /// Where data arrives.
    pub fn queue(&self) -> &Queue {
        &self.queue
    }

    /// True if a message is at hand that the last batch had no room for.
    pub fn has_more(&self) -> bool {
        self.at < self.messages.len()
    }

    /// Appends rows until a bound of `limits` is reached or nothing more is at hand.
    pub fn fill(&mut self, into: &mut Batch, limits: BatchLimits, assignment: &mut Assignment) -> Filled {
        let mut filled = Filled { rows: 0, error: None };
        let mut run = Run { topic: ptr::null_mut(), partition: -1, part: None, topic_index: 0 };
        let records_max = limits.records_max as usize;
        while into.rows.len() < records_max {
            if self.at == self.messages.len() && !self.refill(records_max - into.rows.len()) {
                break;
            }
            // SAFETY: taken from the client and not yet destroyed; `at` is below the length.
            let message = unsafe { &*self.messages[self.at] };
            if message.err == Code::RD_KAFKA_RESP_ERR_NO_ERROR {
                let bytes = into.data.len() + message.len + message.key_len;
                if bytes > limits.bytes_max as usize && !into.is_empty() {
                    break;
                }
                if run.topic != message.rkt || run.partition != message.partition {
                    run = Run::of(message, into, assignment);
                }
                if let Some(part) = run.part {
                    assignment.began(part, message.offset);
                    // SAFETY: as above.
                    let next = self.messages.get(self.at + 1).map(|next| unsafe { &**next });
                    push(into, message, next, run.topic_index);
                    filled.rows += 1;
                }
            } else {
                // SAFETY: the message is alive; the text is static or part of it.
                filled.error = Some((message.err, unsafe { rust_text(sys::rd_kafka_message_errstr(message)) }));
            }
            // SAFETY: ours, once: `at` moves on.
            unsafe { sys::rd_kafka_message_destroy(self.messages[self.at]) };
            self.at += 1;
        }
        filled
    }

    /// Takes what is at hand from the client, without waiting.
    fn refill(&mut self, room: usize) -> bool {
        self.at = 0;
        self.messages.clear();
        self.messages.reserve(room);
        // SAFETY: the array has room for as many pointers; the client says how many it wrote (-1: none).
        let taken = unsafe {
            let taken = sys::rd_kafka_consume_batch_queue(self.queue.raw(), 0, self.messages.as_mut_ptr(), room);
            let taken = usize::try_from(taken).unwrap_or(0);
            self.messages.set_len(taken);
            taken
        };
        taken > 0
    }

    /// Forgets what is held of partitions that are not open any more.
    pub fn keep_only(&mut self, assignment: &Assignment) {
        self.drop_where(|message| assignment.find(message).is_none());
    }

    /// Forgets what is held of one partition.
    pub fn drop_partition(&mut self, place: &TopicPartition, assignment: &Assignment) {
        self.drop_where(|message| assignment.find(message).is_none_or(|part| assignment.place(part) == place));
    }

    fn drop_where(&mut self, mut gone: impl FnMut(&sys::rd_kafka_message_t) -> bool) {
        let mut kept = Vec::with_capacity(self.messages.len() - self.at);
        for &message in &self.messages[self.at..] {
            // SAFETY: alive and ours; destroyed once, because it is not kept then.
            unsafe {
                if gone(&*message) {
                    sys::rd_kafka_message_destroy(message);
                } else {
                    kept.push(message);
                }
            }
        }
        self.messages = kept;
        self.at = 0;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.drop_where(|_| true);
    }
}

impl Run {
    fn of(message: &sys::rd_kafka_message_t, into: &mut Batch, assignment: &Assignment) -> Self {
        let part = assignment.find(message);
        let topic_index = part.map_or(0, |part| into.topic_index(&assignment.place(part).topic));
        Self { topic: message.rkt, partition: message.partition, part, topic_index }
    }
}

fn push(into: &mut Batch, message: &sys::rd_kafka_message_t, next: Option<&sys::rd_kafka_message_t>, topic: u32) {
    // SAFETY: the client's pointers are null or valid for their lengths while the message lives.
    let (key, value) = unsafe { (bytes(message.key, message.key_len), bytes(message.payload, message.len)) };
    let key = into.push_bytes(key);
    let value = into.push_bytes(value);
    let header_first = u32::try_from(into.headers.len()).unwrap_or(u32::MAX);
    if !next.is_some_and(|next| is_bare(message, next)) {
        push_headers(into, message);
    }
    let mut kind = sys::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
    // SAFETY: the message is alive.
    let timestamp = unsafe { sys::rd_kafka_message_timestamp(message, &raw mut kind) };
    let appended = kind == sys::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME;
    let row = Row {
        offset: message.offset,
        timestamp,
        partition: message.partition.cast_unsigned(),
        topic,
        key,
        value,
        header_first,
        header_count: u32::try_from(into.headers.len()).unwrap_or(u32::MAX) - header_first,
        source_row: u32::try_from(into.rows.len()).unwrap_or(u32::MAX),
        flags: if appended { Row::LOG_APPEND_TIME } else { 0 },
        key_schema: 0,
        value_schema: 0,
    };
    into.rows.push(row);
}

/// True if the record surely has no headers. The client's own answer costs an allocation and a decoder for each record; but
/// in Kafka's record format (v2) the number of headers lies right behind the value, and the client hands out pointers into
/// what it fetched. `next` is the message behind this one: where its bytes begin a few bytes further on, the byte between
/// can be looked at. False only means that the client has to be asked.
fn is_bare(message: &sys::rd_kafka_message_t, next: &sys::rd_kafka_message_t) -> bool {
    /// Between a value and the next record's first bytes lie at most: the number of headers, and of the next record its
    /// length, attributes, two deltas and two lengths, all variable.
    const BETWEEN_MAX: usize = 1 + 5 + 1 + 10 + 5 + 5 + 5;
    if message.payload.is_null() || message.len == 0 || next.err != Code::RD_KAFKA_RESP_ERR_NO_ERROR {
        return false;
    }
    let end = message.payload.cast::<u8>().wrapping_add(message.len);
    let begins = if next.key.is_null() { next.payload } else { next.key };
    let between = (begins as usize).wrapping_sub(end as usize);
    // SAFETY: both messages are alive, so the byte before `end` and the byte at `begins` are mapped; with less than a page
    // between them every byte there is as well. In format v2 the byte is the record's own, in whichever buffer; older
    // formats have no headers, so that there either answer is right.
    (1..=BETWEEN_MAX).contains(&between) && unsafe { end.read_volatile() } == 0
}

fn push_headers(into: &mut Batch, message: &sys::rd_kafka_message_t) {
    let mut headers: *mut sys::rd_kafka_headers_t = ptr::null_mut();
    // SAFETY: the message is alive and keeps the headers; without any the call says so.
    if unsafe { sys::rd_kafka_message_headers(message, &raw mut headers) } != Code::RD_KAFKA_RESP_ERR_NO_ERROR {
        return;
    }
    for index in 0.. {
        let (mut name, mut value, mut len): (*const c_char, _, usize) = (ptr::null(), ptr::null(), 0);
        // SAFETY: the headers live as long as the message; name and value are valid until then.
        let (name, value) = unsafe {
            let code = sys::rd_kafka_header_get_all(headers, index, &raw mut name, &raw mut value, &raw mut len);
            if code != Code::RD_KAFKA_RESP_ERR_NO_ERROR {
                return;
            }
            (CStr::from_ptr(name).to_bytes(), bytes(value.cast_mut(), len))
        };
        // A name has 65,535 bytes at most in a batch; nobody's has.
        let name_len = u16::try_from(name.len()).unwrap_or(u16::MAX);
        let name = into.push_bytes(Some(&name[..usize::from(name_len)]));
        let value = into.push_bytes(value);
        into.headers.push(HeaderRow { name_offset: name.offset, name_len, schema: 0, value });
    }
}

/// # Safety
/// `start` is null or valid for `len` bytes for as long as the slice is used.
unsafe fn bytes<'a>(start: *mut std::ffi::c_void, len: usize) -> Option<&'a [u8]> {
    // SAFETY: the caller's promise.
    (!start.is_null()).then(|| unsafe { std::slice::from_raw_parts(start.cast(), len) })
}
