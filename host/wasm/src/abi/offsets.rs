//! Offsets of topic partitions as 16-byte rows: `wit/v0.1/batches.wit`, record `partition-offsets`.
//!
//! Enters: the model's offsets, or a guest's answer. Leaves: the other form. Invariant: what leaves towards the host has a
//! topic and a partition that the host named in the same call.

use std::sync::Arc;

use bytemuck::{Pod, Zeroable};
use lockgate_model::{PartitionOffset, TopicPartition};

use super::imports::batches::{PartitionOffsetsParam, PartitionOffsetsResult};

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct OffsetRow {
    topic: u32,
    partition: u32,
    next_offset: i64,
}

const ROW_BYTES: usize = size_of::<OffsetRow>();

/// Lowered offsets; keep it while the call runs.
pub(crate) struct Lowered<'a> {
    topics: Vec<&'a str>,
    rows: Vec<OffsetRow>,
}

impl<'a> Lowered<'a> {
    pub(crate) fn offsets(offsets: &'a [PartitionOffset]) -> Self {
        Self::of(offsets.iter().map(|o| (&o.place, o.next_offset)))
    }

    pub(crate) fn partitions(partitions: &'a [TopicPartition]) -> Self {
        Self::of(partitions.iter().map(|p| (p, -1)))
    }

    fn of(places: impl Iterator<Item = (&'a TopicPartition, i64)>) -> Self {
        let (mut topics, mut rows) = (Vec::<&str>::new(), Vec::new());
        for (place, next_offset) in places {
            let topic = topics.iter().position(|t| *t == &*place.topic).unwrap_or_else(|| {
                topics.push(&place.topic);
                topics.len() - 1
            });
            let topic = u32::try_from(topic).unwrap_or(u32::MAX);
            rows.push(OffsetRow { topic, partition: place.partition, next_offset });
        }
        Self { topics, rows }
    }

    pub(crate) fn param(&self) -> PartitionOffsetsParam<'_> {
        PartitionOffsetsParam { topics: &self.topics, rows: bytemuck::cast_slice(&self.rows) }
    }
}

/// A guest's answer to a call that named `asked`.
pub(crate) fn lift(answer: &PartitionOffsetsResult, asked: &[PartitionOffset]) -> Result<Vec<PartitionOffset>, String> {
    let bytes = &answer.rows;
    if !bytes.len().is_multiple_of(ROW_BYTES) {
        return Err(format!("offsets have {} bytes, which is not a multiple of {ROW_BYTES}", bytes.len()));
    }
    if bytes.len() / ROW_BYTES > asked.len() {
        return Err(format!("{} offsets were answered, but only {} asked", bytes.len() / ROW_BYTES, asked.len()));
    }
    let mut lifted: Vec<PartitionOffset> = Vec::with_capacity(bytes.len() / ROW_BYTES);
    for row in bytes.chunks_exact(ROW_BYTES) {
        let row: OffsetRow = bytemuck::pod_read_unaligned(row);
        let topic = answer
            .topics
            .get(row.topic as usize)
            .ok_or_else(|| format!("offsets name topic {}, but there are only {}", row.topic, answer.topics.len()))?;
        let named = |p: &TopicPartition| *p.topic == **topic && p.partition == row.partition;
        let Some(known) = asked.iter().find(|o| named(&o.place)) else {
            return Err(format!("partition {topic}-{} was answered, but not asked", row.partition));
        };
        if lifted.iter().any(|o| named(&o.place)) {
            return Err(format!("partition {topic}-{} was answered twice", row.partition));
        }
        if row.next_offset < -1 {
            return Err(format!("partition {topic}-{} has offset {}", row.partition, row.next_offset));
        }
        let place = TopicPartition { topic: Arc::clone(&known.place.topic), partition: row.partition };
        lifted.push(PartitionOffset { place, next_offset: row.next_offset });
    }
    Ok(lifted)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn offset(topic: &str, partition: u32, next_offset: i64) -> PartitionOffset {
        PartitionOffset { place: TopicPartition { topic: topic.into(), partition }, next_offset }
    }

    fn echo(lowered: &Lowered<'_>) -> PartitionOffsetsResult {
        let param = lowered.param();
        let topics = param.topics.iter().map(|t| (*t).to_owned()).collect();
        PartitionOffsetsResult { topics, rows: param.rows.to_vec() }
    }

    #[test]
    fn offsets_come_back_as_they_went() {
        let asked = [offset("a", 0, 5), offset("b", 1, -1), offset("a", 2, 1 << 60)];
        let answer = echo(&Lowered::offsets(&asked));
        assert_eq!((answer.topics.len(), answer.rows.len()), (2, 48));
        assert_eq!(lift(&answer, &asked).unwrap(), asked);
    }

    #[test]
    fn lies_about_offsets_are_refused() {
        let asked = [offset("a", 0, 5), offset("a", 1, 5)];
        let lie = |offsets: &[PartitionOffset]| lift(&echo(&Lowered::offsets(offsets)), &asked).unwrap_err();
        assert!(lie(&[offset("b", 0, 1)]).contains("not asked"));
        assert!(lie(&[offset("a", 7, 1)]).contains("not asked"));
        assert!(lie(&[offset("a", 0, 1), offset("a", 0, 2)]).contains("twice"));
        assert!(lie(&[offset("a", 0, -2)]).contains("-2"));
        let mut answer = echo(&Lowered::offsets(&asked));
        answer.rows.pop();
        assert!(lift(&answer, &asked).is_err());
        answer.rows = vec![0xff; 16];
        assert!(lift(&answer, &asked).is_err());
    }
}
