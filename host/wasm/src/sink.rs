//! Sinks: `wit/v0.1/sink.wit` behind [`SinkPort`].
//!
//! Enters: batches, partitions, offsets. Leaves: bad rows, agreed offsets. Invariant: an answer names only rows and
//! partitions that were asked; after any error but a fault the instance is dead.

use lockgate_model::ports::{OpenSink, SinkPort};
use lockgate_model::{Batch, GuestError, PartitionOffset, Position, RowFault, TopicPartition};

use crate::abi::batch::Dictionary;
use crate::abi::exports::sink as wit;
use crate::abi::offsets::{self, Lowered};
use crate::abi::{fault, settings};
use crate::instance::{Budget, Instance, Shared};
use crate::spec::Limits;

/// A sink task, to be opened any number of times.
pub struct Sink(Shared);

/// An open sink.
pub struct SinkInstance {
    instance: Instance,
    guest: wit::Guest,
    dictionary: Dictionary,
    limits: Limits,
}

impl Sink {
    pub(crate) const fn new(shared: Shared) -> Self {
        Self(shared)
    }
}

impl OpenSink for Sink {
    type Port = SinkInstance;

    async fn open(&self, state: &[Position]) -> Result<SinkInstance, GuestError> {
        let spec = &self.0.spec;
        let (mut instance, component) = Instance::new(&self.0, state).await?;
        let indices = self.0.package.sink.as_ref();
        let guest = instance.guest("sink", indices, |indices, store| indices.load(store, &component))?;
        let config = settings(&spec.config);
        let context = self.0.context(&config);
        let call = instance.begin("open", Budget::open(&spec.limits))?;
        let outcome = call.run(guest.call_open(&mut instance.store, context)).await;
        instance.answer(&call, outcome, 0)?;
        let dictionary = Dictionary::new(spec.schemas.clone());
        Ok(SinkInstance { instance, guest, dictionary, limits: spec.limits.clone() })
    }
}

impl SinkPort for SinkInstance {
    async fn assigned(&mut self, partitions: &[PartitionOffset]) -> Result<Vec<PartitionOffset>, GuestError> {
        let lowered = Lowered::offsets(partitions);
        let call = self.instance.begin("assigned", Budget::call(&self.limits))?;
        let outcome = call.run(self.guest.call_assigned(&mut self.instance.store, lowered.param())).await;
        let answer = self.instance.answer(&call, outcome, 0)?;
        offsets::lift(&answer, partitions).map_err(|why| self.instance.protocol("assigned", why))
    }

    async fn revoked(&mut self, partitions: &[TopicPartition]) -> Result<(), GuestError> {
        let lowered = Lowered::partitions(partitions);
        let call = self.instance.begin("revoked", Budget::call(&self.limits))?;
        let outcome = call.run(self.guest.call_revoked(&mut self.instance.store, lowered.param())).await;
        self.instance.answer(&call, outcome, 0)
    }

    async fn put(&mut self, batch: &Batch) -> Result<Vec<RowFault>, GuestError> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let call = self.instance.begin("put", Budget::call(&self.limits))?;
        let lowered = self.dictionary.lower(batch);
        let schemas = lowered.schemas();
        let outcome = call.run(self.guest.call_put(&mut self.instance.store, lowered.param(&schemas))).await;
        let report = self.instance.answer(&call, outcome, batch.len())?;
        fault::lift_rows(report.bad, batch.len()).map_err(|why| self.instance.protocol("put", why))
    }

    async fn prepare_commit(&mut self, offsets: &[PartitionOffset]) -> Result<Vec<PartitionOffset>, GuestError> {
        let lowered = Lowered::offsets(offsets);
        let call = self.instance.begin("prepare-commit", Budget::call(&self.limits))?;
        let outcome = call.run(self.guest.call_prepare_commit(&mut self.instance.store, lowered.param())).await;
        let answer = self.instance.answer(&call, outcome, 0)?;
        offsets::lift(&answer, offsets).map_err(|why| self.instance.protocol("prepare-commit", why))
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
