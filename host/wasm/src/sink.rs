//! stub
use std::sync::Arc;

use lockgate_model::ports::{OpenSink, SinkPort};
use lockgate_model::{Batch, GuestError, PartitionOffset, Position, RowFault, TopicPartition};

use crate::{Package, TaskSpec};

/// A sink task, to be opened.
pub struct Sink {
    pub(crate) package: Arc<Package>,
    pub(crate) spec: TaskSpec,
}
/// An open sink.
pub struct SinkInstance(());
impl OpenSink for Sink {
    type Port = SinkInstance;
    async fn open(&self, state: &[Position]) -> Result<SinkInstance, GuestError> {
        unimplemented!("{}{}{}", self.spec.class, state.len(), self.package.info().name)
    }
}
impl SinkPort for SinkInstance {
    async fn assigned(&mut self, p: &[PartitionOffset]) -> Result<Vec<PartitionOffset>, GuestError> {
        unimplemented!("{}", p.len())
    }
    async fn revoked(&mut self, p: &[TopicPartition]) -> Result<(), GuestError> {
        unimplemented!("{}", p.len())
    }
    async fn put(&mut self, b: &Batch) -> Result<Vec<RowFault>, GuestError> {
        unimplemented!("{}", b.len())
    }
    async fn prepare_commit(&mut self, o: &[PartitionOffset]) -> Result<Vec<PartitionOffset>, GuestError> {
        unimplemented!("{}", o.len())
    }
    fn take_state(&mut self) -> Vec<Position> {
        Vec::new()
    }
    async fn close(self) -> Result<(), GuestError> {
        Ok(())
    }
}
