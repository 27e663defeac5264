//! Sources: `wit/v0.1/source.wit` behind [`SourcePort`].
//!
//! Enters: stored positions, limits of a poll. Leaves: checked batches and positions. Invariant: what a guest gave is
//! trusted only after [`Batch::check`]; after any error but a fault the instance is dead.

use std::sync::Arc;

use lockgate_model::ports::{BatchLimits, Next, OpenSource, Polled, SourcePort};
use lockgate_model::{Batch, GuestError, Position};

use crate::abi::batch::Dictionary;
use crate::abi::exports::source as wit;
use crate::abi::settings;
use crate::instance::{Budget, Instance, Shared};
use crate::spec::Limits;

/// Positions of one poll at most.
const POSITIONS_MAX: usize = 10_000;
/// Bytes of one partition or offset at most.
const POSITION_BYTES_MAX: usize = 64 << 10;
/// Longest wait that a guest may ask for, milliseconds.
const AFTER_MS_MAX: u32 = 60_000;
/// `after-row`: holds with no row of the batch.
const NO_ROW: u32 = u32::MAX;

/// A source task, to be opened any number of times.
pub struct Source(Shared);

/// An open source.
pub struct SourceInstance {
    instance: Instance,
    guest: wit::Guest,
    dictionary: Dictionary,
    limits: Limits,
}

impl Source {
    pub(crate) const fn new(shared: Shared) -> Self {
        Self(shared)
    }
}

impl OpenSource for Source {
    type Port = SourceInstance;

    async fn open(&self, positions: &[Position]) -> Result<SourceInstance, GuestError> {
        let spec = &self.0.spec;
        let (mut instance, component) = Instance::new(&self.0, positions).await?;
        let indices = self.0.package.source.as_ref();
        let guest = instance.guest("source", indices, |indices, store| indices.load(store, &component))?;
        let stored = crate::guest_state::GuestState::load(spec.id.task, positions).1;
        let stored: Vec<_> = stored.iter().filter_map(position).collect();
        let config = settings(&spec.config);
        let context = self.0.context(&config);
        let call = instance.begin("open", Budget::open(&spec.limits))?;
        let outcome = call.run(guest.call_open(&mut instance.store, context, &stored)).await;
        instance.answer(&call, outcome, 0)?;
        let dictionary = Dictionary::new(spec.schemas.clone());
        Ok(SourceInstance { instance, guest, dictionary, limits: spec.limits.clone() })
    }
}

impl SourcePort for SourceInstance {
    async fn poll(&mut self, into: &mut Batch, limits: BatchLimits) -> Result<Polled, GuestError> {
        into.clear();
        let asked = wit::Limits { records_max: limits.records_max, bytes_max: limits.bytes_max };
        let call = self.instance.begin("poll", Budget::call(&self.limits))?;
        let outcome = call.run(self.guest.call_poll(&mut self.instance.store, asked)).await;
        let polled = self.instance.answer(&call, outcome, 0)?;
        if let Err(why) = self.dictionary.lift(polled.records, limits, into) {
            return Err(self.instance.protocol("poll", why));
        }
        let positions = lift_positions(polled.positions, into.len()).map_err(|why| {
            into.clear();
            self.instance.protocol("poll", why)
        })?;
        let next = match polled.next {
            wit::Next::Now => Next::Now,
            wit::Next::After(ms) => Next::After(ms.min(AFTER_MS_MAX)),
            wit::Next::Done => Next::Done,
        };
        Ok(Polled { positions, next })
    }

    async fn committed(&mut self, positions: &[Position]) -> Result<(), GuestError> {
        self.instance.store.data_mut().host.stored(positions);
        let positions: Vec<_> = positions.iter().filter_map(position).collect();
        let call = self.instance.begin("committed", Budget::call(&self.limits))?;
        let outcome = call.run(self.guest.call_committed(&mut self.instance.store, &positions)).await;
        self.instance.answer(&call, outcome, 0)
    }

    fn take_state(&mut self) -> Vec<Position> {
        self.instance.take_state()
    }

    async fn close(mut self) -> Result<(), GuestError> {
        let call = self.instance.begin("close", Budget::close(&self.limits))?;
        let outcome = call.run(self.guest.call_close(&mut self.instance.store)).await;
        self.instance.answer(&call, outcome, 0)
    }
}

fn position(position: &Position) -> Option<wit::PositionParam<'_>> {
    let offset = position.offset.as_deref()?;
    Some(wit::PositionParam { partition: &position.partition, offset, after_row: NO_ROW })
}

fn lift_positions(positions: Vec<wit::PositionResult>, rows: usize) -> Result<Vec<(Position, u32)>, String> {
    if positions.len() > POSITIONS_MAX {
        return Err(format!("{} positions were given, allowed are {POSITIONS_MAX}", positions.len()));
    }
    let lift = |position: wit::PositionResult| {
        if position.after_row != NO_ROW && position.after_row as usize >= rows {
            return Err(format!("a position holds after row {}, but there are {rows}", position.after_row));
        }
        let partition = object("partition", position.partition)?;
        if partition.contains("\"lockgate.state\"") {
            return Err("a partition may not name lockgate.state".to_owned());
        }
        let offset = Some(object("offset", position.offset)?);
        Ok((Position { partition, offset }, position.after_row))
    };
    positions.into_iter().map(lift).collect()
}

/// A JSON object as text, bounded.
fn object(what: &str, text: String) -> Result<Arc<str>, String> {
    if text.len() > POSITION_BYTES_MAX {
        return Err(format!("a position's {what} has {} bytes, allowed are {POSITION_BYTES_MAX}", text.len()));
    }
    let is_object = text.trim_start().starts_with('{') && serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
    if is_object { Ok(text.into()) } else { Err(format!("a position's {what} is not a JSON object")) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn given(partition: &str, offset: &str, after_row: u32) -> Vec<wit::PositionResult> {
        vec![wit::PositionResult { partition: partition.to_owned(), offset: offset.to_owned(), after_row }]
    }

    #[test]
    fn positions_are_bounded_json_objects_of_the_batch() {
        let good = lift_positions(given("{\"f\":1}", "{\"at\":9}", 1), 2).unwrap();
        assert_eq!((&*good[0].0.partition, good[0].1), ("{\"f\":1}", 1));
        assert_eq!(lift_positions(given("{}", "{}", NO_ROW), 0).unwrap().len(), 1);
        let long = format!("{{\"k\":\"{}\"}}", "x".repeat(POSITION_BYTES_MAX));
        for (partition, offset, after_row) in [
            ("[]", "{}", 0),
            ("{}", "7", 0),
            ("{", "{}", 0),
            ("{}", "{}", 2),
            ("{\"lockgate.state\":\"k\"}", "{}", 0),
            (long.as_str(), "{}", 0),
        ] {
            assert!(lift_positions(given(partition, offset, after_row), 2).is_err(), "{partition:.40} {offset}");
        }
        let many = (0..=POSITIONS_MAX).flat_map(|_| given("{}", "{}", 0)).collect();
        assert!(lift_positions(many, 1).is_err());
    }
}
