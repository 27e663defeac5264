//! The transforms of a task.
//!
//! Enters: segments (neighbouring transforms of one package) in order, with the recoding that each needs before it.
//! Leaves: open instances. Invariant: order is the connector's `transforms` order.

use std::sync::Arc;

use lockgate_model::fault::GuestError;
use lockgate_model::ports::{ApplyPort, OpenApply};

use crate::recode::Recode;

/// The segments of a task, not open.
pub struct Chain<A> {
    pub(crate) segments: Vec<A>,
    /// What must happen to payloads before each segment.
    recodes: Vec<Option<Box<dyn Recode>>>,
}

/// One segment, and what must happen to payloads before it.
pub struct Link<A> {
    /// From the encodings of the plugin before to those of this segment; `None` = they are the same.
    pub recode: Option<Box<dyn Recode>>,
    /// The segment.
    pub segment: A,
}

impl<A: std::fmt::Debug> std::fmt::Debug for Chain<A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chain").field("segments", &self.segments).finish_non_exhaustive()
    }
}

impl<A: std::fmt::Debug> std::fmt::Debug for Link<A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").field("recode", &self.recode.is_some()).field("segment", &self.segment).finish()
    }
}

impl<A> Chain<A> {
    /// Segments that all share one encoding.
    pub fn new(segments: Vec<A>) -> Self {
        let recodes = segments.iter().map(|_| None).collect();
        Self { segments, recodes }
    }

    /// Segments with recodings between them.
    pub fn with_links(links: Vec<Link<A>>) -> Self {
        let (segments, recodes) = links.into_iter().map(|link| (link.segment, link.recode)).unzip();
        Self { segments, recodes }
    }

    /// No transforms.
    pub const fn none() -> Self {
        Self { segments: Vec::new(), recodes: Vec::new() }
    }

    /// True if there are no transforms.
    pub const fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// Takes the recodings out, one per segment; they live as long as the task.
    pub(crate) fn take_recodes(&mut self) -> Vec<Option<Box<dyn Recode>>> {
        std::mem::take(&mut self.recodes)
    }
}

/// Alias and class of each step.
pub(crate) type Steps = Arc<[(Arc<str>, Arc<str>)]>;

/// Opens an instance of each segment, in order.
pub(crate) async fn open<A: OpenApply>(segments: &[A]) -> Result<Vec<(A::Port, Steps)>, GuestError> {
    let mut open = Vec::with_capacity(segments.len());
    for segment in segments {
        open.push((segment.open().await?, segment.steps().into()));
    }
    Ok(open)
}

/// Ends the instances, each within its own close deadline; errors only go to the log.
pub(crate) async fn close<P: ApplyPort>(ports: Vec<(P, Steps)>) {
    for (port, steps) in ports {
        if let Err(error) = port.close().await {
            let alias = steps.first().map_or("", |s| &s.0);
            tracing::warn!(transform = alias, %error, "a transform did not close well");
        }
    }
}
