//! The transforms of a task.
//!
//! Enters: segments (neighbouring transforms of one package) in order, with the recoding that each needs before it.
//! Leaves: open instances. Invariant: order is the connector's `transforms` order.

use std::sync::Arc;

use lockgate_model::fault::GuestError;
use lockgate_model::ports::{ApplyPort, OpenApply};

use crate::recode::Recode;

/// The segments of a task, not open.
#[derive(Debug)]
pub struct Chain<A> {
    links: Vec<Link<A>>,
}

/// One segment, and what must happen to payloads before it.
pub struct Link<A> {
    /// From the encodings of the plugin before to those of this segment; `None` = they are the same.
    pub recode: Option<Box<dyn Recode>>,
    /// The segment.
    pub segment: A,
}

impl<A: std::fmt::Debug> std::fmt::Debug for Link<A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").field("recode", &self.recode.is_some()).field("segment", &self.segment).finish()
    }
}

impl<A> Chain<A> {
    /// Segments that all share one encoding.
    pub fn new(segments: Vec<A>) -> Self {
        Self { links: segments.into_iter().map(|segment| Link { recode: None, segment }).collect() }
    }

    /// Segments with recodings between them.
    pub const fn with_links(links: Vec<Link<A>>) -> Self {
        Self { links }
    }

    /// No transforms.
    pub const fn none() -> Self {
        Self { links: Vec::new() }
    }

    /// True if there are no transforms.
    pub const fn is_empty(&self) -> bool {
        self.links.is_empty()
    }
}

/// Alias and class of each step.
pub(crate) type Steps = Arc<[(Arc<str>, Arc<str>)]>;

impl<A: OpenApply> Chain<A> {
    /// Opens an instance of each segment, in order.
    pub(crate) async fn open(&self) -> Result<Vec<(A::Port, Steps)>, GuestError> {
        let mut open = Vec::with_capacity(self.links.len());
        for link in &self.links {
            open.push((link.segment.open().await?, link.segment.steps().into()));
        }
        Ok(open)
    }

    /// Takes the recodings out, one per segment; they live as long as the task.
    pub(crate) fn take_recodes(&mut self) -> Vec<Option<Box<dyn Recode>>> {
        self.links.iter_mut().map(|link| link.recode.take()).collect()
    }
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
