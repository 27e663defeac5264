//! The partitions of one consumer: a state machine over the rebalance walk.
//!
//! Enters: rebalance events, and the task's answers to them. Leaves: [`Fetched`] events, and the client's assignment.
//! Invariant: a partition is fetched from only between `start` and the event that takes it away; while a change is not
//! completed, no other begins. Eager and cooperative assignors differ only in how the client is told.

use std::collections::HashSet;
use std::ffi::CString;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lockgate_model::fault::KafkaFault;
use lockgate_model::place::{PartitionOffset, TopicPartition};
use lockgate_model::ports::Fetched;
use rdkafka::bindings as sys;
use sys::rd_kafka_resp_err_t as Code;
use tokio::task::JoinHandle;

use crate::fault::{fault, own};
use crate::native::{Event, Handle, Partitions, Queue, c_text, elements, rust_text, take_error};

/// What is assigned and how far the walk has got.
pub(super) struct Assignment {
    handle: Arc<Handle>,
    data: Arc<Queue>,
    /// Where a partition without a committed offset begins: one of librdkafka's logical offsets.
    reset: i64,
    parts: Vec<Part>,
    phase: Phase,
}

struct Part {
    place: TopicPartition,
    topic: CString,
    /// Offset of the first record that came, -1 = none yet.
    began: i64,
    /// Committed next offset, -1 = none.
    committed: i64,
    /// Where fetching was begun; may be a logical offset.
    start: i64,
    /// False from the moment the partition is to be given up.
    open: bool,
}

/// Partitions with their committed offsets, or why not, with the partitions to ask for again.
type Answer = Result<Vec<Part>, (KafkaFault, Vec<Part>)>;

enum Phase {
    Steady,
    /// The group's coordinator is asked for the committed offsets of new partitions.
    Asking(JoinHandle<Answer>),
    Asked(Answer),
    /// The task was told and will call `start`.
    Starting(Vec<Part>),
    /// The task was told and will call `release`.
    Releasing {
        waiting: HashSet<TopicPartition>,
        all: Vec<TopicPartition>,
    },
}

/// One round of asking the coordinator; then the task hears of the trouble and it is asked again.
const ASK_ROUND: Duration = Duration::from_secs(5);
const ASK_PAUSE: Duration = Duration::from_millis(200);

impl Assignment {
    pub fn new(handle: &Arc<Handle>, data: Arc<Queue>, reset: &str) -> Self {
        let reset = match reset {
            "latest" => i64::from(sys::RD_KAFKA_OFFSET_END),
            "error" => i64::from(sys::RD_KAFKA_OFFSET_INVALID),
            _ => i64::from(sys::RD_KAFKA_OFFSET_BEGINNING),
        };
        Self { handle: Arc::clone(handle), data, reset, parts: Vec::new(), phase: Phase::Steady }
    }

    /// True while a change waits for the coordinator or for the task.
    pub fn is_changing(&self) -> bool {
        !matches!(self.phase, Phase::Steady)
    }

    pub fn is_asking(&self) -> bool {
        matches!(self.phase, Phase::Asking(_))
    }

    /// Begins a change.
    pub fn on_rebalance(&mut self, event: &Event) -> Result<Option<Fetched>, KafkaFault> {
        // SAFETY: the list lives as long as the event; topic names are valid texts.
        let places: Vec<TopicPartition> = unsafe {
            elements(sys::rd_kafka_event_topic_partition_list(event.raw()))
                .iter()
                .map(|e| TopicPartition { topic: rust_text(e.topic).into(), partition: e.partition.cast_unsigned() })
                .collect()
        };
        match event.code() {
            Code::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS if places.is_empty() => self.assign(Vec::new()).map(|()| None),
            Code::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => {
                let parts = places.into_iter().map(|place| self.part(place)).collect::<Result<Vec<_>, _>>()?;
                self.ask(parts);
                Ok(None)
            }
            Code::RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS if places.is_empty() => self.unassign(&places).map(|()| None),
            Code::RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS => {
                // SAFETY: the client is alive.
                let lost = unsafe { sys::rd_kafka_assignment_lost(self.handle.raw()) } != 0;
                for part in &mut self.parts {
                    part.open = part.open && !places.contains(&part.place);
                }
                self.phase = Phase::Releasing { waiting: places.iter().cloned().collect(), all: places.clone() };
                Ok(Some(if lost { Fetched::Lost(places) } else { Fetched::Revoked(places) }))
            }
            code => {
                give_up_all(&self.handle);
                self.parts.clear();
                Err(fault(code, None))
            }
        }
    }

    fn part(&self, place: TopicPartition) -> Result<Part, KafkaFault> {
        let topic = c_text(&place.topic)?;
        Ok(Part { place, topic, began: -1, committed: -1, start: self.reset, open: true })
    }

    fn ask(&mut self, parts: Vec<Part>) {
        let handle = Arc::clone(&self.handle);
        self.phase = Phase::Asking(tokio::task::spawn_blocking(move || ask_committed(&handle, parts)));
    }

    /// Resolves when the coordinator has answered. Cancel safe.
    pub async fn asked(&mut self) {
        let Phase::Asking(task) = &mut self.phase else { return };
        let answer = task.await.unwrap_or_else(|e| Err((own(false, "client", e.to_string()), Vec::new())));
        self.phase = Phase::Asked(answer);
    }

    /// Goes on with the coordinator's answer, if it has come.
    pub fn take_asked(&mut self) -> Option<Result<Fetched, KafkaFault>> {
        match std::mem::replace(&mut self.phase, Phase::Steady) {
            Phase::Asked(Ok(parts)) => {
                let offsets = parts
                    .iter()
                    .map(|p| PartitionOffset { place: p.place.clone(), next_offset: p.committed })
                    .collect();
                self.phase = Phase::Starting(parts);
                Some(Ok(Fetched::Assigned(offsets)))
            }
            Phase::Asked(Err((fault, parts))) => {
                if fault.retriable {
                    self.ask(parts);
                }
                Some(Err(fault))
            }
            other => {
                self.phase = other;
                None
            }
        }
    }

    /// The task is ready for its new partitions.
    pub fn start(&mut self, at: &[PartitionOffset]) -> Result<(), KafkaFault> {
        let Phase::Starting(mut parts) = std::mem::replace(&mut self.phase, Phase::Steady) else {
            return Err(own(false, "no-assignment", "start was called, but no assignment waits for it"));
        };
        for part in &mut parts {
            let asked = at.iter().find(|a| a.place == part.place).map_or(-1, |a| a.next_offset);
            part.start = [asked, part.committed].into_iter().find(|offset| *offset >= 0).unwrap_or(self.reset);
            self.data.forward_from(&part.topic, part.place.partition.cast_signed());
        }
        self.assign(parts)
    }

    /// The task has given up these; the group goes on when all are given up.
    pub fn release(&mut self, partitions: &[TopicPartition]) -> Result<(), KafkaFault> {
        let Phase::Releasing { waiting, all } = &mut self.phase else { return Ok(()) };
        for place in partitions {
            waiting.remove(place);
        }
        if !waiting.is_empty() {
            return Ok(());
        }
        let all = std::mem::take(all);
        self.phase = Phase::Steady;
        self.unassign(&all)
    }

    fn assign(&mut self, parts: Vec<Part>) -> Result<(), KafkaFault> {
        let mut list = Partitions::new();
        for part in &parts {
            list.push(&part.topic, part.place.partition.cast_signed(), part.start);
        }
        if is_cooperative(&self.handle) {
            self.parts.extend(parts);
            // SAFETY: client and list are alive.
            return take_error(unsafe { sys::rd_kafka_incremental_assign(self.handle.raw(), list.raw()) })
                .map_err(|(_, fault)| fault);
        }
        self.parts = parts;
        // SAFETY: client and list are alive.
        outcome(unsafe { sys::rd_kafka_assign(self.handle.raw(), list.raw()) })
    }

    fn unassign(&mut self, places: &[TopicPartition]) -> Result<(), KafkaFault> {
        if !is_cooperative(&self.handle) {
            self.parts.clear();
            // SAFETY: the client is alive; null means nothing is assigned.
            return outcome(unsafe { sys::rd_kafka_assign(self.handle.raw(), std::ptr::null()) });
        }
        let mut list = Partitions::new();
        for place in places {
            list.push(&c_text(&place.topic)?, place.partition.cast_signed(), -1);
        }
        self.parts.retain(|part| !places.contains(&part.place));
        // SAFETY: client and list are alive.
        take_error(unsafe { sys::rd_kafka_incremental_unassign(self.handle.raw(), list.raw()) })
            .map_err(|(_, fault)| fault)
    }

    /// The open partition of a message. Linear: a task has few, and messages come in runs.
    pub fn find(&self, message: &sys::rd_kafka_message_t) -> Option<usize> {
        let partition = message.partition.cast_unsigned();
        // SAFETY: the message keeps its topic alive.
        let topic = unsafe { std::ffi::CStr::from_ptr(sys::rd_kafka_topic_name(message.rkt)) };
        self.parts.iter().position(|p| p.open && p.place.partition == partition && p.topic.as_c_str() == topic)
    }

    pub fn place(&self, part: usize) -> &TopicPartition {
        &self.parts[part].place
    }

    /// Remembers the first record of a partition: where to go back to while nothing is committed.
    pub fn began(&mut self, part: usize, offset: i64) {
        let began = &mut self.parts[part].began;
        if *began < 0 {
            *began = offset;
        }
    }

    /// A list for commits.
    pub fn list(offsets: &[PartitionOffset]) -> Result<Partitions, KafkaFault> {
        let mut list = Partitions::new();
        for item in offsets {
            list.push(&c_text(&item.place.topic)?, item.place.partition.cast_signed(), item.next_offset);
        }
        Ok(list)
    }

    /// A list for seeking; partitions that are not ours are left out.
    pub fn places_for_seek(&self, to: &[PartitionOffset]) -> Result<Partitions, KafkaFault> {
        let mut list = Partitions::new();
        for item in to {
            let Some(part) = self.parts.iter().find(|p| p.open && p.place == item.place) else { continue };
            let known = [item.next_offset, part.began].into_iter().find(|offset| *offset >= 0);
            let offset = known.unwrap_or(part.start);
            if offset == i64::from(sys::RD_KAFKA_OFFSET_INVALID) {
                return Err(own(false, "no-offset", format!("no offset is known to seek to in {}", item.place)));
            }
            list.push(&part.topic, part.place.partition.cast_signed(), offset);
        }
        Ok(list)
    }

    /// These offsets are committed.
    pub fn committed(&mut self, offsets: &[PartitionOffset]) {
        for item in offsets {
            if let Some(part) = self.parts.iter_mut().find(|p| p.place == item.place) {
                part.committed = item.next_offset;
            }
        }
    }

    /// Records between what is committed and the end, as far as the client knows without asking.
    pub fn lag(&self) -> Option<i64> {
        let of = |part: &Part| {
            let (mut low, mut high) = (-1, -1);
            let partition = part.place.partition.cast_signed();
            // SAFETY: all pointers live through the call, which only reads what the client has cached.
            let code = unsafe {
                let (topic, low, high) = (part.topic.as_ptr(), &raw mut low, &raw mut high);
                sys::rd_kafka_get_watermark_offsets(self.handle.raw(), topic, partition, low, high)
            };
            let known = code == Code::RD_KAFKA_RESP_ERR_NO_ERROR && high >= 0;
            let from = [part.committed, part.began, low].into_iter().find(|offset| *offset >= 0);
            from.filter(|_| known).map(|from| (high - from).max(0))
        };
        let known: Vec<i64> = self.parts.iter().filter_map(of).collect();
        (!known.is_empty()).then(|| known.iter().sum())
    }

    /// A message came on the main queue, where nobody takes data: go back to it.
    pub fn refetch(&self, event: &Event) {
        let mut list = Partitions::new();
        // SAFETY: messages live as long as the event; their topics as long as they.
        unsafe {
            while let Some(message) = sys::rd_kafka_event_message_next(event.raw()).as_ref() {
                if message.err == Code::RD_KAFKA_RESP_ERR_NO_ERROR
                    && let Some(part) = self.find(message)
                {
                    let part = &self.parts[part];
                    list.push(&part.topic, message.partition, message.offset);
                }
            }
            drop(take_error(sys::rd_kafka_seek_partitions(self.handle.raw(), list.raw(), 0)));
        }
    }
}

/// Gives up everything, whatever state the group is in.
pub(super) fn give_up_all(handle: &Handle) {
    // SAFETY: the client is alive; the list that it hands out is ours to destroy.
    unsafe {
        if !is_cooperative(handle) {
            sys::rd_kafka_assign(handle.raw(), std::ptr::null());
            return;
        }
        let mut list = std::ptr::null_mut();
        if sys::rd_kafka_assignment(handle.raw(), &raw mut list) == Code::RD_KAFKA_RESP_ERR_NO_ERROR {
            drop(take_error(sys::rd_kafka_incremental_unassign(handle.raw(), list)));
            sys::rd_kafka_topic_partition_list_destroy(list);
        }
    }
}

fn is_cooperative(handle: &Handle) -> bool {
    // SAFETY: a static text (null before the group has a protocol).
    unsafe { rust_text(sys::rd_kafka_rebalance_protocol(handle.raw())) == "COOPERATIVE" }
}

fn outcome(code: Code) -> Result<(), KafkaFault> {
    if code == Code::RD_KAFKA_RESP_ERR_NO_ERROR { Ok(()) } else { Err(fault(code, None)) }
}

fn ask_committed(handle: &Handle, mut parts: Vec<Part>) -> Result<Vec<Part>, (KafkaFault, Vec<Part>)> {
    let deadline = Instant::now() + ASK_ROUND;
    loop {
        let mut list = Partitions::new();
        for part in &parts {
            list.push(&part.topic, part.place.partition.cast_signed(), i64::from(sys::RD_KAFKA_OFFSET_INVALID));
        }
        let wait = deadline.saturating_duration_since(Instant::now()).max(ASK_PAUSE);
        let wait_ms = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX);
        // SAFETY: client and list are alive; the list is read only after the call.
        let (code, found) =
            unsafe { (sys::rd_kafka_committed(handle.raw(), list.raw(), wait_ms), elements(list.raw())) };
        let code = found.iter().map(|e| e.err).find(|c| *c != Code::RD_KAFKA_RESP_ERR_NO_ERROR).unwrap_or(code);
        if code == Code::RD_KAFKA_RESP_ERR_NO_ERROR {
            for (part, element) in parts.iter_mut().zip(found) {
                part.committed = element.offset.max(-1);
            }
            return Ok(parts);
        }
        let fault = fault(code, None);
        if !fault.retriable || Instant::now() >= deadline {
            return Err((fault, parts));
        }
        std::thread::sleep(ASK_PAUSE);
    }
}
