//! A consumer group's offsets, asked for and changed from outside the group.
//!
//! Enters: a group (a sink's is `connect-<connector>`), partitions, offsets. Leaves: what the group has committed, or a
//! [`GroupFault`] that says who is in the way. Invariant: nothing changes while the group has members; what waiting helps
//! is asked again until [`Admin::CALL_DEADLINE`].

use std::sync::Arc;
use std::time::{Duration, Instant};

use lockgate_model::fault::KafkaFault;
use lockgate_model::place::{PartitionOffset, TopicPartition};
use rdkafka::bindings as sys;
use sys::rd_kafka_resp_err_t as Code;

use super::{Admin, no_broker, wait_ms};
use crate::fault::{fault, own};
use crate::native::{Event, Handle, Partitions, Queue, c_text, elements, rust_text};

/// A group's offsets cannot be read or changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GroupFault {
    /// Somebody reads with it. Code `group.not-empty`.
    #[error(
        "consumer group {group} still has members, so its offsets cannot be changed: stop what reads with it and try \
         again [group.not-empty]"
    )]
    NotEmpty {
        /// The group.
        group: String,
    },
    /// Partitions that do not exist. Code `group.unknown-partition`. The offsets of the others may have been changed.
    #[error("consumer group {group}: there is no {} [group.unknown-partition]", partition_names(.partitions))]
    UnknownPartition {
        /// The group.
        group: String,
        /// Those that do not exist.
        partitions: Vec<TopicPartition>,
    },
    /// An offset below 0. Code `group.negative-offset`. Nothing was changed.
    #[error("consumer group {group}: the offset of {place} must be 0 or more, not {offset} [group.negative-offset]")]
    NegativeOffset {
        /// The group.
        group: String,
        /// The partition.
        place: TopicPartition,
        /// What was given.
        offset: i64,
    },
    /// The client.
    #[error("consumer group {group}: {source}")]
    Kafka {
        /// The group.
        group: String,
        /// Its fault.
        source: KafkaFault,
    },
}

impl GroupFault {
    /// True if the same call may succeed later.
    pub const fn is_retriable(&self) -> bool {
        match self {
            Self::NotEmpty { .. } => true,
            Self::UnknownPartition { .. } | Self::NegativeOffset { .. } => false,
            Self::Kafka { source, .. } => source.retriable,
        }
    }

    /// Dotted, stable.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotEmpty { .. } => "group.not-empty",
            Self::UnknownPartition { .. } => "group.unknown-partition",
            Self::NegativeOffset { .. } => "group.negative-offset",
            Self::Kafka { .. } => "group.kafka",
        }
    }
}

fn partition_names(partitions: &[TopicPartition]) -> String {
    let names: Vec<String> =
        partitions.iter().map(|p| format!("partition {} of topic {}", p.partition, p.topic)).collect();
    names.join(", ")
}

impl Admin {
    /// What a group has committed, by topic and partition. Empty for a group that does not exist.
    ///
    /// # Errors
    /// [`GroupFault::Kafka`].
    pub async fn group_offsets(&self, group: &str) -> Result<Vec<PartitionOffset>, GroupFault> {
        let answered = self.ask_group(group, Request::List, &[]).await?;
        let mut offsets: Vec<_> =
            answered.into_iter().map(|a| a.offset).filter(|offset| offset.next_offset >= 0).collect();
        offsets.sort_by(|a, b| a.place.cmp(&b.place));
        Ok(offsets)
    }

    /// Commits offsets for a group that nobody reads with; the group is made if it does not exist.
    ///
    /// # Errors
    /// [`GroupFault`]; the offsets of partitions that exist may have been changed when others do not exist.
    pub async fn alter_group_offsets(&self, group: &str, offsets: &[PartitionOffset]) -> Result<(), GroupFault> {
        if let Some(negative) = offsets.iter().find(|offset| offset.next_offset < 0) {
            let (place, offset) = (negative.place.clone(), negative.next_offset);
            return Err(GroupFault::NegativeOffset { group: group.to_owned(), place, offset });
        }
        if offsets.is_empty() {
            return Ok(());
        }
        self.ask_group(group, Request::Alter, offsets).await.map(drop)
    }

    /// Forgets the group's offsets of these partitions. A group or an offset that does not exist is forgotten already.
    ///
    /// # Errors
    /// [`GroupFault`].
    pub async fn delete_group_offsets(&self, group: &str, places: &[TopicPartition]) -> Result<(), GroupFault> {
        if places.is_empty() {
            return Ok(());
        }
        let places: Vec<_> =
            places.iter().map(|place| PartitionOffset { place: place.clone(), next_offset: -1 }).collect();
        self.ask_group(group, Request::DeleteOffsets, &places).await.map(drop)
    }

    /// Deletes a group with all its offsets. False if there was none.
    ///
    /// # Errors
    /// [`GroupFault`].
    pub async fn delete_group(&self, group: &str) -> Result<bool, GroupFault> {
        let answered = self.ask_group(group, Request::DeleteGroup, &[]).await?;
        Ok(answered.iter().all(|a| a.code != Code::RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND))
    }

    async fn ask_group(
        &self,
        group: &str,
        request: Request,
        offsets: &[PartitionOffset],
    ) -> Result<Vec<Answered>, GroupFault> {
        let name = || group.to_owned();
        let deadline = Instant::now() + Self::CALL_DEADLINE;
        let client = self.of_group(group).map_err(|source| GroupFault::Kafka { group: name(), source })?;
        loop {
            let (asked, list) = (name(), offsets.to_vec());
            let answer = client.blocking(move |handle| ask(handle, &asked, request, &list)).await;
            let (code, source) = match answer {
                Ok(Outcome::Answered(answered)) => return Ok(answered),
                Ok(Outcome::Unknown(partitions)) => {
                    return Err(GroupFault::UnknownPartition { group: name(), partitions });
                }
                Ok(Outcome::Refused(code, source)) => (Some(code), source),
                Err(source) => (None, source),
            };
            match code {
                Some(code) if has_members(code) => return Err(GroupFault::NotEmpty { group: name() }),
                Some(Code::RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND) => return Ok(vec![Answered::no_group()]),
                _ if source.retriable && Instant::now() + PAUSE < deadline => tokio::time::sleep(PAUSE).await,
                _ => return Err(GroupFault::Kafka { group: name(), source }),
            }
        }
    }
}

/// Between two tries of a call that waiting helps.
const PAUSE: Duration = Duration::from_millis(200);

#[derive(Clone, Copy)]
enum Request {
    List,
    Alter,
    DeleteOffsets,
    DeleteGroup,
}

/// What the coordinator says about one partition.
struct Answered {
    offset: PartitionOffset,
    code: Code,
}

impl Answered {
    fn no_group() -> Self {
        let place = TopicPartition { topic: "".into(), partition: 0 };
        Self { offset: PartitionOffset { place, next_offset: -1 }, code: Code::RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND }
    }
}

enum Outcome {
    Answered(Vec<Answered>),
    Unknown(Vec<TopicPartition>),
    Refused(Code, KafkaFault),
}

/// A coordinator's ways of saying that the group is in use.
fn has_members(code: Code) -> bool {
    matches!(
        code,
        Code::RD_KAFKA_RESP_ERR_NON_EMPTY_GROUP
            | Code::RD_KAFKA_RESP_ERR_GROUP_SUBSCRIBED_TO_TOPIC
            | Code::RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID
            | Code::RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION
            | Code::RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS
            | Code::RD_KAFKA_RESP_ERR_STALE_MEMBER_EPOCH
            | Code::RD_KAFKA_RESP_ERR_FENCED_MEMBER_EPOCH
    )
}

fn ask(
    handle: &Arc<Handle>,
    group: &str,
    request: Request,
    offsets: &[PartitionOffset],
) -> Result<Outcome, KafkaFault> {
    let queue = Queue::new(handle);
    send(handle, &queue, group, request, offsets)?;
    let event = queue.event(wait_ms(Admin::CALL_DEADLINE)).ok_or_else(|| no_broker(Admin::CALL_DEADLINE))?;
    if event.code() != Code::RD_KAFKA_RESP_ERR_NO_ERROR {
        return Ok(Outcome::Refused(event.code(), event.fault()));
    }
    read(&event, request)
}

fn send(
    handle: &Arc<Handle>,
    queue: &Queue,
    group: &str,
    request: Request,
    offsets: &[PartitionOffset],
) -> Result<(), KafkaFault> {
    let group = c_text(group)?;
    let mut list = Partitions::new();
    for offset in offsets {
        list.push(&c_text(&offset.place.topic)?, offset.place.partition.cast_signed(), offset.next_offset);
    }
    let (client, queue, none) = (handle.raw(), queue.raw(), std::ptr::null());
    // SAFETY: all given pointers live through the calls, which copy what they need; each request is ours to destroy. A
    // list of null asks for all partitions.
    unsafe {
        match request {
            Request::List => {
                let mut ask = sys::rd_kafka_ListConsumerGroupOffsets_new(group.as_ptr(), std::ptr::null());
                sys::rd_kafka_ListConsumerGroupOffsets(client, &raw mut ask, 1, none, queue);
                sys::rd_kafka_ListConsumerGroupOffsets_destroy(ask);
            }
            Request::Alter => {
                let mut ask = sys::rd_kafka_AlterConsumerGroupOffsets_new(group.as_ptr(), list.raw());
                sys::rd_kafka_AlterConsumerGroupOffsets(client, &raw mut ask, 1, none, queue);
                sys::rd_kafka_AlterConsumerGroupOffsets_destroy(ask);
            }
            Request::DeleteOffsets => {
                let mut ask = sys::rd_kafka_DeleteConsumerGroupOffsets_new(group.as_ptr(), list.raw());
                sys::rd_kafka_DeleteConsumerGroupOffsets(client, &raw mut ask, 1, none, queue);
                sys::rd_kafka_DeleteConsumerGroupOffsets_destroy(ask);
            }
            Request::DeleteGroup => {
                let mut ask = sys::rd_kafka_DeleteGroup_new(group.as_ptr());
                sys::rd_kafka_DeleteGroups(client, &raw mut ask, 1, none, queue);
                sys::rd_kafka_DeleteGroup_destroy(ask);
            }
        }
    }
    Ok(())
}

fn read(event: &Event, request: Request) -> Result<Outcome, KafkaFault> {
    let mut count = 0;
    // SAFETY: the event is the answer to this request; its result, group and list live as long as it does.
    let (refused, list) = unsafe {
        let (raw, count) = (event.raw(), &raw mut count);
        let groups = match request {
            Request::List => sys::rd_kafka_ListConsumerGroupOffsets_result_groups(
                sys::rd_kafka_event_ListConsumerGroupOffsets_result(raw),
                count,
            ),
            Request::Alter => sys::rd_kafka_AlterConsumerGroupOffsets_result_groups(
                sys::rd_kafka_event_AlterConsumerGroupOffsets_result(raw),
                count,
            ),
            Request::DeleteOffsets => sys::rd_kafka_DeleteConsumerGroupOffsets_result_groups(
                sys::rd_kafka_event_DeleteConsumerGroupOffsets_result(raw),
                count,
            ),
            Request::DeleteGroup => {
                sys::rd_kafka_DeleteGroups_result_groups(sys::rd_kafka_event_DeleteGroups_result(raw), count)
            }
        };
        if *count == 0 {
            return Err(own(true, "no-answer", "the coordinator did not say what became of the group"));
        }
        let error = sys::rd_kafka_group_result_error(*groups);
        let refused = (!error.is_null())
            .then(|| (sys::rd_kafka_error_code(error), rust_text(sys::rd_kafka_error_string(error))))
            .filter(|(code, _)| *code != Code::RD_KAFKA_RESP_ERR_NO_ERROR);
        (refused, elements(sys::rd_kafka_group_result_partitions(*groups)))
    };
    if let Some((code, text)) = refused {
        return Ok(Outcome::Refused(code, fault(code, Some(text))));
    }
    Ok(judge(list.iter().map(answered).collect()))
}

fn answered(element: &sys::rd_kafka_topic_partition_t) -> Answered {
    // SAFETY: the element's name lives as long as its list.
    let topic = unsafe { rust_text(element.topic) };
    let place = TopicPartition { topic: topic.into(), partition: element.partition.cast_unsigned() };
    Answered { offset: PartitionOffset { place, next_offset: element.offset }, code: element.err }
}

fn judge(answered: Vec<Answered>) -> Outcome {
    let is_unknown = |a: &&Answered| {
        matches!(
            a.code,
            Code::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART
                | Code::RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC
                | Code::RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION
        )
    };
    let unknown: Vec<_> = answered.iter().filter(is_unknown).map(|a| a.offset.place.clone()).collect();
    let other = answered
        .iter()
        .filter(|a| !is_unknown(a))
        .map(|a| a.code)
        .find(|code| *code != Code::RD_KAFKA_RESP_ERR_NO_ERROR);
    match other {
        Some(code) => Outcome::Refused(code, fault(code, None)),
        None if unknown.is_empty() => Outcome::Answered(answered),
        None => Outcome::Unknown(unknown),
    }
}
