//! The shared producer: idempotent, acks=all, retried until delivered or impossible.
//!
//! Enters: batches. Leaves: one [`Receipt`] a batch. Invariant: a row is reported as acknowledged only after its delivery
//! report said so (L1); rows of a partition are written in the order of `produce` calls (L2), retries included, because
//! the producer is idempotent. A client that an error has ended for good is replaced, see `lane`.
//!
//! A record is copied once, from the batch's arena into the client's queue. A batch costs three allocations, a record none.

mod delivery;
mod lane;
pub mod partitioner;
mod poller;

use std::collections::{HashMap, HashSet};
use std::ffi::c_void;
use std::future::Future;
use std::ptr;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use futures::FutureExt as _;
use lockgate_model::batch::{Batch, Row};
use lockgate_model::fault::KafkaFault;
use lockgate_model::ports::{Produce, Receipt, TopicCreation};
use rdkafka::bindings as sys;
use sys::rd_kafka_resp_err_t as Code;
use sys::rd_kafka_vtype_t as Field;

use crate::admin::Admin;
use crate::fault::{fault, own};
use crate::native::{Handle, Topic, take_error};
use crate::settings::{ClientKind, Settings, client_settings};
use delivery::{Enqueued, Pending};
pub(crate) use lane::ENDED;
use lane::{Lane, row_fault};
use poller::Poller;

/// A producer. Clones share one client; each is a caller whose batches keep their order. The last one dropped waits on a
/// thread of its own until what is queued is delivered, at most [`Producer::CLOSE_DEADLINE`].
pub struct Producer {
    shared: Arc<Shared>,
    lane: Lane,
}

impl Clone for Producer {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), lane: Lane::new(self.shared.current()) }
    }
}

struct Shared {
    conf: Vec<(String, String)>,
    client: Mutex<Arc<Client>>,
    ensured: Mutex<HashSet<String>>,
    admin: tokio::sync::OnceCell<Admin>,
    settings: Settings,
}

/// One client of the library, with the topics that were opened on it.
struct Client {
    poller: Poller,
    topics: RwLock<HashMap<Arc<str>, Arc<Topic>>>,
}

impl Shared {
    fn current(&self) -> Arc<Client> {
        Arc::clone(&self.client.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The client to produce with: a new one if an error ended the last that a new one does not have.
    fn healthy(&self) -> Result<Arc<Client>, KafkaFault> {
        let mut client = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        match client.handle().fatal() {
            None => {}
            Some(end) if end.heals => {
                tracing::warn!(code = end.fault.code, "a producer is replaced: {}", end.fault.message);
                *client = Arc::new(Client::start(&self.conf)?);
            }
            Some(end) => return Err(end.fault),
        }
        Ok(Arc::clone(&client))
    }
}

impl Producer {
    /// What is queued when the last clone goes has this long to be delivered.
    pub const CLOSE_DEADLINE: Duration = Duration::from_secs(10);

    /// Starts a producer. Connects by itself; a broker that is away only makes receipts late.
    ///
    /// # Errors
    /// A setting that the client refuses.
    pub fn new(settings: &Settings) -> Result<Self, KafkaFault> {
        let (conf, ignored) = client_settings(ClientKind::Producer, settings)?;
        for item in ignored {
            tracing::debug!(key = item.key, reason = item.reason, "producer setting without effect");
        }
        let client = Arc::new(Client::start(&conf)?);
        let shared = Shared {
            conf,
            client: Mutex::new(Arc::clone(&client)),
            ensured: Mutex::default(),
            admin: tokio::sync::OnceCell::new(),
            settings: settings.clone(),
        };
        Ok(Self { shared: Arc::new(shared), lane: Lane::new(client) })
    }

    /// The error that ended this producer for good, if any: every batch fails with it from then on. What a new client of the
    /// library heals is not among them: that is made without a word to the caller, whose batches under way fail for now.
    pub fn fatal(&self) -> Option<KafkaFault> {
        self.shared.current().handle().fatal().filter(|end| !end.heals).map(|end| end.fault)
    }

    /// For tests: the client ends as it does when a broker has lost its sequence numbers.
    #[doc(hidden)]
    pub fn end_client(&self) {
        let client = self.shared.current();
        // SAFETY: the client is alive, the reason is terminated.
        unsafe {
            let code = Code::RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER;
            sys::rd_kafka_test_fatal_error(client.handle().raw(), code, c"a test".as_ptr());
        }
    }

    /// Waits until everything queued so far is delivered, without lingering.
    ///
    /// # Errors
    /// `timed-out` if that takes longer than `deadline`; nothing is taken back then.
    pub async fn flush(&self, deadline: Duration) -> Result<(), KafkaFault> {
        let handle = Arc::clone(self.shared.current().handle());
        let wait_ms = i32::try_from(deadline.as_millis()).unwrap_or(i32::MAX);
        // SAFETY: the client is alive; the poller serves the reports meanwhile.
        let flushed = tokio::task::spawn_blocking(move || unsafe { sys::rd_kafka_flush(handle.raw(), wait_ms) });
        match flushed.await {
            Ok(Code::RD_KAFKA_RESP_ERR_NO_ERROR) => Ok(()),
            Ok(code) => Err(fault(code, None)),
            Err(panic) => Err(own(false, "client", panic.to_string())),
        }
    }
}

impl Client {
    fn start(conf: &[(String, String)]) -> Result<Self, KafkaFault> {
        Ok(Self { poller: Poller::start(conf)?, topics: RwLock::default() })
    }

    fn handle(&self) -> &Arc<Handle> {
        &self.poller.handle
    }

    fn topic(&self, name: &Arc<str>) -> Result<Arc<Topic>, KafkaFault> {
        if let Some(topic) = self.topics.read().unwrap_or_else(PoisonError::into_inner).get(name) {
            return Ok(Arc::clone(topic));
        }
        let topic = Arc::new(Topic::new(self.handle(), name)?);
        let mut topics = self.topics.write().unwrap_or_else(PoisonError::into_inner);
        Ok(Arc::clone(topics.entry(Arc::clone(name)).or_insert(topic)))
    }

    /// Queues rows from where `enqueued` stands. True if all are queued, false if the client's queue is full.
    fn enqueue(&self, batch: &Batch, topics: &[Arc<Topic>], enqueued: &mut Enqueued) -> bool {
        while let Some(index) = enqueued.next() {
            let row = &batch.rows[index];
            let token = enqueued.token(index);
            match self.send(batch, row, &topics[row.topic as usize], token) {
                Ok(()) => enqueued.queued(),
                Err((Code::RD_KAFKA_RESP_ERR__QUEUE_FULL, _)) => return false,
                Err((code, fault)) => enqueued.refused(row_fault(code, fault)),
            }
        }
        true
    }

    fn send(&self, batch: &Batch, row: &Row, topic: &Topic, token: *mut c_void) -> Result<(), (Code, KafkaFault)> {
        let partition = if row.partition == Row::ANY_PARTITION { -1 } else { row.partition.cast_signed() };
        let headers = headers(batch, row)?;
        let mut fields = [const { NOTHING }; 8];
        let mut count = 0;
        let mut add = |vtype, u| {
            fields[count] = sys::rd_kafka_vu_t { vtype, u };
            count += 1;
        };
        add(Field::RD_KAFKA_VTYPE_RKT, Value { rkt: topic.raw() });
        add(Field::RD_KAFKA_VTYPE_PARTITION, Value { i32_: partition });
        add(Field::RD_KAFKA_VTYPE_MSGFLAGS, Value { i: sys::RD_KAFKA_MSG_F_COPY });
        add(Field::RD_KAFKA_VTYPE_OPAQUE, Value { ptr: token });
        add(Field::RD_KAFKA_VTYPE_VALUE, Value { mem: memory(batch.bytes(row.value)) });
        if !row.key.is_null() {
            add(Field::RD_KAFKA_VTYPE_KEY, Value { mem: memory(batch.bytes(row.key)) });
        }
        if row.timestamp >= 0 {
            add(Field::RD_KAFKA_VTYPE_TIMESTAMP, Value { i64_: row.timestamp });
        }
        if !headers.is_null() {
            add(Field::RD_KAFKA_VTYPE_HEADERS, Value { headers });
        }
        // SAFETY: every pointer lives through the call, which copies key and value. On success it owns the headers.
        let result = take_error(unsafe { sys::rd_kafka_produceva(self.handle().raw(), fields.as_ptr(), count) });
        if result.is_err() && !headers.is_null() {
            // SAFETY: not taken over, so still ours.
            unsafe { sys::rd_kafka_headers_destroy(headers) };
        }
        result
    }
}

use sys::rd_kafka_vu_s__bindgen_ty_1 as Value;

const NOTHING: sys::rd_kafka_vu_t =
    sys::rd_kafka_vu_t { vtype: Field::RD_KAFKA_VTYPE_END, u: Value { ptr: ptr::null_mut() } };

fn memory(bytes: Option<&[u8]>) -> sys::rd_kafka_vu_s__bindgen_ty_1__bindgen_ty_1 {
    let (start, size) = bytes.map_or((ptr::null(), 0), |b| (b.as_ptr(), b.len()));
    sys::rd_kafka_vu_s__bindgen_ty_1__bindgen_ty_1 { ptr: start.cast_mut().cast(), size }
}

fn headers(batch: &Batch, row: &Row) -> Result<*mut sys::rd_kafka_headers_t, (Code, KafkaFault)> {
    if row.header_count == 0 {
        return Ok(ptr::null_mut());
    }
    // SAFETY: names and values live through the calls, which copy them.
    unsafe {
        let headers = sys::rd_kafka_headers_new(row.header_count as usize);
        for header in batch.headers_of(row) {
            let (name, value) = (batch.header_name(header), batch.bytes(header.value));
            let (start, size) = value.map_or((ptr::null(), 0), |v| (v.as_ptr(), v.len().cast_signed()));
            let name_len = name.len().cast_signed();
            let code = sys::rd_kafka_header_add(headers, name.as_ptr().cast(), name_len, start.cast(), size);
            if code != Code::RD_KAFKA_RESP_ERR_NO_ERROR {
                sys::rd_kafka_headers_destroy(headers);
                return Err((code, fault(code, None)));
            }
        }
        Ok(headers)
    }
}

impl Produce for Producer {
    async fn produce(&self, batch: &Batch) -> Result<impl Future<Output = Receipt> + Send + 'static, KafkaFault> {
        let Some(client) = self.lane.enter(|| self.shared.healthy())? else {
            return Ok(self.lane.refused(batch.rows.len()).boxed());
        };
        let topics = batch.topics.iter().map(|name| client.topic(name)).collect::<Result<Vec<_>, _>>()?;
        let (mut enqueued, receipt) = Pending::begin(batch.rows.len());
        let receipt = self.lane.awaited(receipt);
        while !client.enqueue(batch, &topics, &mut enqueued) {
            let space = client.poller.space();
            tokio::pin!(space);
            // Registered before trying again, so that room made in between is not missed.
            space.as_mut().enable();
            client.poller.want_space();
            if client.enqueue(batch, &topics, &mut enqueued) {
                break;
            }
            // Room is also made by what needs no report of ours (another task's purge): look again now and then. A client
            // that has ended refuses what is left, so that this comes to an end, too.
            let _ = tokio::time::timeout(Duration::from_secs(1), space).await;
        }
        drop(enqueued);
        Ok(receipt.boxed())
    }

    async fn ensure_topic(&self, topic: &str, creation: &TopicCreation) -> Result<(), KafkaFault> {
        if self.shared.ensured.lock().unwrap_or_else(PoisonError::into_inner).contains(topic) {
            return Ok(());
        }
        let admin = self.shared.admin.get_or_try_init(|| async { Admin::new(&self.shared.settings) }).await?;
        admin.ensure_topic(topic, creation).await?;
        let mut ensured = self.shared.ensured.lock().unwrap_or_else(PoisonError::into_inner);
        // Bounded: a source that writes to ever new topics starts over here, which costs one question a topic.
        if ensured.len() >= ENSURED_MAX {
            ensured.clear();
        }
        ensured.insert(topic.to_owned());
        Ok(())
    }
}

/// Topics that are remembered as existing.
const ENSURED_MAX: usize = 10_000;
