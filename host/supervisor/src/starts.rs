//! Starts of connectors and tasks, counted.
//!
//! Enters: each start, and how it went. Leaves: totals, and shares of the last minute. Invariant: a start is counted once as
//! tried and once, later, as gone well or badly.

use lockgate_model::metrics::Shares;

use crate::view::StartsView;

/// Of connectors, or of tasks.
#[derive(Debug, Default)]
pub(crate) struct Starts {
    attempts: u64,
    successes: u64,
    failures: u64,
    shares: Shares,
}

impl Starts {
    /// One is tried.
    pub(crate) const fn attempt(&mut self) {
        self.attempts += 1;
    }

    /// It went well, or not.
    pub(crate) fn ended(&mut self, well: bool) {
        *(if well { &mut self.successes } else { &mut self.failures }) += 1;
        self.shares.count(well);
    }

    pub(crate) fn view(&self) -> StartsView {
        let (success_share, failure_share) = self.shares.of();
        let Self { attempts, successes, failures, .. } = *self;
        StartsView { attempts, successes, failures, success_share, failure_share }
    }
}
