//! Where partitions begin and end.
//!
//! Enters: a topic. Leaves: for each of its partitions the offsets that it holds. Invariant: asked of the brokers at the
//! time of the call; never guessed.

use std::ops::Range;
use std::sync::Arc;

use lockgate_model::fault::KafkaFault;
use rdkafka::bindings as sys;
use sys::rd_kafka_resp_err_t as Code;

use super::{Admin, answer};
use crate::fault::fault;
use crate::native::{Handle, Partitions, Queue, c_text};

impl Admin {
    /// The offsets that each partition of a topic holds, partition 0 first: from the first that is kept to the one that
    /// the next record will get. `None` if there is no such topic.
    ///
    /// # Errors
    /// A broker that does not answer, no access.
    pub async fn offset_ranges(&self, topic: &str) -> Result<Option<Vec<Range<i64>>>, KafkaFault> {
        let Some(found) = self.describe(topic).await? else { return Ok(None) };
        let name = topic.to_owned();
        let ranges = self
            .blocking(move |handle| {
                let first =
                    list(handle, &name, found.partitions, sys::rd_kafka_OffsetSpec_t::RD_KAFKA_OFFSET_SPEC_EARLIEST)?;
                let end =
                    list(handle, &name, found.partitions, sys::rd_kafka_OffsetSpec_t::RD_KAFKA_OFFSET_SPEC_LATEST)?;
                Ok(first.into_iter().zip(end).map(|(first, end)| first..end).collect())
            })
            .await?;
        Ok(Some(ranges))
    }

    /// The offset that the next record of each partition will get, in one question for all of them.
    ///
    /// # Errors
    /// A broker that does not answer, or does not know the topic.
    pub(crate) async fn ends(&self, topic: &str, partitions: u32) -> Result<Vec<i64>, KafkaFault> {
        let name = topic.to_owned();
        let latest = sys::rd_kafka_OffsetSpec_t::RD_KAFKA_OFFSET_SPEC_LATEST;
        self.blocking(move |handle| list(handle, &name, partitions, latest)).await
    }
}

fn list(
    handle: &Arc<Handle>,
    topic: &str,
    partitions: u32,
    of: sys::rd_kafka_OffsetSpec_t,
) -> Result<Vec<i64>, KafkaFault> {
    let name = c_text(topic)?;
    let mut asked = Partitions::new();
    for partition in 0..partitions {
        asked.push(&name, partition.cast_signed(), of as i64);
    }
    let queue = Queue::new(handle);
    // SAFETY: client, list and queue live through the call, which copies the list.
    unsafe { sys::rd_kafka_ListOffsets(handle.raw(), asked.raw(), std::ptr::null(), queue.raw()) };
    let event = answer(&queue)?;
    let mut offsets = vec![0; partitions as usize];
    // SAFETY: the result and its elements live as long as the event.
    unsafe {
        let mut count = 0;
        let infos =
            sys::rd_kafka_ListOffsets_result_infos(sys::rd_kafka_event_ListOffsets_result(event.raw()), &raw mut count);
        for index in 0..count {
            let found = &*sys::rd_kafka_ListOffsetsResultInfo_topic_partition(*infos.add(index));
            if found.err != Code::RD_KAFKA_RESP_ERR_NO_ERROR {
                return Err(fault(found.err, None));
            }
            if let Some(offset) = offsets.get_mut(found.partition.cast_unsigned() as usize) {
                *offset = found.offset;
            }
        }
    }
    Ok(offsets)
}
