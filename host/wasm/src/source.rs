//! stub
use std::sync::Arc;

use lockgate_model::ports::{BatchLimits, OpenSource, Polled, SourcePort};
use lockgate_model::{Batch, GuestError, Position};

use crate::{Package, TaskSpec};

/// A source task, to be opened.
pub struct Source {
    pub(crate) package: Arc<Package>,
    pub(crate) spec: TaskSpec,
}
/// An open source.
pub struct SourceInstance(());
impl OpenSource for Source {
    type Port = SourceInstance;
    async fn open(&self, positions: &[Position]) -> Result<SourceInstance, GuestError> {
        unimplemented!("{}{}{}", self.spec.class, positions.len(), self.package.info().name)
    }
}
impl SourcePort for SourceInstance {
    async fn poll(&mut self, into: &mut Batch, limits: BatchLimits) -> Result<Polled, GuestError> {
        unimplemented!("{}{:?}", into.len(), limits)
    }
    async fn committed(&mut self, positions: &[Position]) -> Result<(), GuestError> {
        unimplemented!("{}", positions.len())
    }
    fn take_state(&mut self) -> Vec<Position> {
        Vec::new()
    }
    async fn close(self) -> Result<(), GuestError> {
        Ok(())
    }
}
