//! stub
use std::sync::Arc;

use lockgate_model::ports::{ApplyPort, OpenApply};
use lockgate_model::{Batch, GuestError, RowFault};

use crate::{Package, Step, TaskSpec};

/// A segment, to be opened.
pub struct Segment {
    pub(crate) package: Arc<Package>,
    pub(crate) spec: TaskSpec,
    pub(crate) steps: Vec<Step>,
    pub(crate) names: Vec<(Arc<str>, Arc<str>)>,
}
/// An open segment.
pub struct SegmentInstance(());
impl OpenApply for Segment {
    type Port = SegmentInstance;
    async fn open(&self) -> Result<SegmentInstance, GuestError> {
        unimplemented!("{}{}{}", self.spec.class, self.steps.len(), self.package.info().name)
    }
    fn steps(&self) -> &[(Arc<str>, Arc<str>)] {
        &self.names
    }
}
impl ApplyPort for SegmentInstance {
    async fn apply(&mut self, b: &mut Batch) -> Result<Vec<RowFault>, GuestError> {
        unimplemented!("{}", b.len())
    }
    async fn close(self) -> Result<(), GuestError> {
        Ok(())
    }
}
