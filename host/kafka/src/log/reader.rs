//! The reading side of a log.
//!
//! Enters: all partitions of a topic, from the beginning. Leaves: records. Invariant: no group, no commits: every start
//! reads everything; `read_to_end` returns only after every record that the topic held when it was called.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use lockgate_model::fault::KafkaFault;
use rdkafka::bindings as sys;
use sys::rd_kafka_resp_err_t as Code;
use tokio::time::{Instant, sleep, timeout};

use super::{LogRecord, UNKNOWN_TOPIC};
use crate::admin::Admin;
use crate::fault::{fault, own};
use crate::native::{Conf, Handle, Queue, Topic, rust_text};
use crate::settings::{ClientKind, Settings, client_settings};

/// Follows a log. What is not read waits at the broker: the client fetches ahead at most 1 MiB.
pub struct LogReader {
    /// For questions: on the reader's own connection they would wait behind its long polls.
    admin: Admin,
    data: Arc<Queue>,
    topic: Topic,
    name: String,
    /// Next offset by partition.
    next: Vec<i64>,
    ready: VecDeque<LogRecord>,
    trouble: Option<(Instant, KafkaFault)>,
}

/// Reading to the end may take this long without any progress.
const STALL_DEADLINE: Duration = Duration::from_mins(1);
/// Messages taken from the client at once.
const TAKE_MAX: usize = 256;

impl LogReader {
    pub(super) fn open(admin: Admin, settings: &Settings, topic: &str, partitions: u32) -> Result<Self, KafkaFault> {
        let (mut conf, _) = client_settings(ClientKind::Consumer, settings)?;
        let own_settings = [
            ("enable.partition.eof", "true"),
            ("queued.min.messages", "1000"),
            ("queued.max.messages.kbytes", "1024"),
            ("auto.offset.reset", "earliest"),
            ("isolation.level", "read_committed"),
        ];
        conf.retain(|(key, _)| !own_settings.iter().any(|(own, _)| own == key) && key != "group.instance.id");
        conf.extend(own_settings.map(|(key, value)| (key.to_owned(), value.to_owned())));
        let handle = Handle::new(sys::rd_kafka_type_t::RD_KAFKA_CONSUMER, Conf::new(&conf)?)?;
        let data = Queue::new(&handle);
        let opened = Topic::new(&handle, topic)?;
        for partition in 0..partitions {
            let begin = i64::from(sys::RD_KAFKA_OFFSET_BEGINNING);
            let partition = partition.cast_signed();
            // SAFETY: topic and queue are alive.
            if unsafe { sys::rd_kafka_consume_start_queue(opened.raw(), partition, begin, data.raw()) } != 0 {
                // SAFETY: no preconditions.
                return Err(fault(unsafe { sys::rd_kafka_last_error() }, None));
            }
        }
        let next = vec![0; partitions as usize];
        let (ready, name) = (VecDeque::new(), topic.to_owned());
        Ok(Self { admin, data, topic: opened, name, next, ready, trouble: None })
    }

    /// The next record, waiting for it. Cancel safe. Trouble with the broker is logged and gone through; only what is
    /// final is an error.
    pub async fn next(&mut self) -> Result<LogRecord, KafkaFault> {
        loop {
            if let Some(record) = self.ready.pop_front() {
                return Ok(record);
            }
            if !self.take()? {
                self.data.wake().raised().await;
            }
        }
    }

    /// Everything that is in the topic now and was not read yet.
    ///
    /// # Errors
    /// No progress for 60 s; what is final at once.
    pub async fn read_to_end(&mut self) -> Result<Vec<LogRecord>, KafkaFault> {
        let ends = self.ends().await?;
        let mut records: Vec<LogRecord> = self.ready.drain(..).collect();
        let mut progress = Instant::now();
        while self.next.iter().zip(&ends).any(|(next, end)| next < end) {
            if self.take()? {
                progress = Instant::now();
                records.extend(self.ready.drain(..));
            } else if progress.elapsed() > STALL_DEADLINE {
                let message = format!("reading topic {} to its end made no progress for {STALL_DEADLINE:?}", self.name);
                return Err(own(true, "timed-out", message));
            } else {
                // The deadline is only for looking at the clock again.
                let _ = timeout(Duration::from_secs(1), self.data.wake().raised()).await;
            }
        }
        Ok(records)
    }

    fn partitions(&self) -> u32 {
        // Made from a number of that size.
        u32::try_from(self.next.len()).unwrap_or(u32::MAX)
    }

    /// The ends of all partitions, asked of the brokers, again while waiting helps.
    async fn ends(&self) -> Result<Vec<i64>, KafkaFault> {
        let deadline = Instant::now() + STALL_DEADLINE;
        loop {
            let ends = self.admin.ends(&self.name, self.partitions()).await;
            match ends {
                // The log exists: a broker that does not know it has just not heard of it yet.
                Err(fault) if (fault.retriable || fault.code == UNKNOWN_TOPIC) && Instant::now() < deadline => {
                    sleep(Duration::from_millis(200)).await;
                }
                ends => return ends,
            }
        }
    }

    /// Takes what is at hand. False if there was nothing.
    fn take(&mut self) -> Result<bool, KafkaFault> {
        let mut messages = [std::ptr::null_mut(); TAKE_MAX];
        // SAFETY: the array has room for as many pointers.
        let taken = unsafe { sys::rd_kafka_consume_batch_queue(self.data.raw(), 0, messages.as_mut_ptr(), TAKE_MAX) };
        let taken = usize::try_from(taken).unwrap_or(0);
        let mut outcome = Ok(taken > 0);
        for &message in &messages[..taken] {
            // SAFETY: given to us by the client; destroyed here, once, after the last use.
            unsafe {
                if let Err(fault) = self.on_message(&*message) {
                    outcome = Err(fault);
                }
                sys::rd_kafka_message_destroy(message);
            }
        }
        outcome
    }

    /// # Safety
    /// `message` is alive.
    unsafe fn on_message(&mut self, message: &sys::rd_kafka_message_t) -> Result<(), KafkaFault> {
        let partition = message.partition.cast_unsigned();
        let next = self.next.get_mut(partition as usize);
        match message.err {
            Code::RD_KAFKA_RESP_ERR_NO_ERROR => {
                if let Some(next) = next {
                    *next = message.offset + 1;
                }
                // SAFETY: pointers are null or valid for their lengths while the message lives.
                let (key, value) = unsafe {
                    let copy = |start: *mut std::ffi::c_void, len| {
                        (!start.is_null()).then(|| std::slice::from_raw_parts(start.cast::<u8>(), len).to_vec())
                    };
                    (copy(message.key, message.key_len), copy(message.payload, message.len))
                };
                if let Some(key) = key {
                    self.ready.push_back(LogRecord { partition, offset: message.offset, key, value });
                }
            }
            // Also tells the position behind the marks of transactions, which are no records.
            Code::RD_KAFKA_RESP_ERR__PARTITION_EOF => {
                if let Some(next) = next {
                    *next = message.offset.max(*next);
                }
            }
            code => {
                // SAFETY: the message is alive.
                let text = unsafe { rust_text(sys::rd_kafka_message_errstr(message)) };
                let fault = fault(code, Some(text));
                if !fault.retriable && crate::fault::is_final_for_a_consumer(code) {
                    return Err(fault);
                }
                self.say(fault);
            }
        }
        Ok(())
    }

    fn say(&mut self, fault: KafkaFault) {
        if self.trouble.as_ref().is_none_or(|(said, _)| said.elapsed() > Duration::from_secs(5)) {
            tracing::warn!(topic = self.name, code = fault.code, "{}", fault.message);
            self.trouble = Some((Instant::now(), fault));
        }
    }
}

impl Drop for LogReader {
    fn drop(&mut self) {
        for partition in (0_i32..).take(self.next.len()) {
            // SAFETY: the topic is alive.
            unsafe { sys::rd_kafka_consume_stop(self.topic.raw(), partition) };
        }
    }
}
