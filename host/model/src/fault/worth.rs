//! Which errors a fresh start of the task can cure.
//!
//! Enters: an error that ended a task. Leaves: its stable code, and whether the same task may go well if it is started
//! again. Invariant: what a person must mend first (configuration, a broken contract, what the plugin calls fatal) is never
//! worth a restart; how often and how soon to try is the caller's decision.

use super::{Fault, FaultKind, GuestError, KafkaFault, PluginError, PluginFailure};

impl Fault {
    /// True if the same call may succeed later: the guest itself said so. Bad rows, a wrong configuration and what the guest
    /// calls fatal come back unchanged.
    pub const fn worth_restarting(&self) -> bool {
        matches!(self.kind, FaultKind::Retriable(_))
    }
}

impl PluginFailure {
    /// True if a fresh instance may do better: one that trapped, ran out of memory or time, or found no slot starts clean,
    /// and what it waited for may have come back. An instance that broke the contract has a bug that a restart keeps.
    pub const fn worth_restarting(&self) -> bool {
        match self {
            Self::Trap(_) | Self::Cpu(_) | Self::Deadline(_) | Self::Limit(_) | Self::Instantiate(_) => true,
            Self::Protocol(_) => false,
        }
    }
}

impl PluginError {
    /// As [`PluginFailure::worth_restarting`].
    pub const fn worth_restarting(&self) -> bool {
        self.failure.worth_restarting()
    }
}

impl GuestError {
    /// Dotted, stable: the guest's own code, or the sandbox's (`plugin.trap`, `plugin.cpu`, `plugin.deadline`,
    /// `plugin.limit`, `plugin.instantiate`, `guest.protocol`).
    pub fn code(&self) -> &str {
        match self {
            Self::Fault(fault) => &fault.code,
            Self::Plugin(error) => error.failure.code(),
        }
    }

    /// True if the task may go well if it is started again with the same configuration.
    pub fn worth_restarting(&self) -> bool {
        match self {
            Self::Fault(fault) => fault.worth_restarting(),
            Self::Plugin(error) => error.worth_restarting(),
        }
    }
}

impl KafkaFault {
    /// True if waiting helps.
    pub const fn worth_restarting(&self) -> bool {
        self.retriable
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn fault(kind: FaultKind) -> GuestError {
        GuestError::Fault(Fault { kind, code: "my.code".into(), message: String::new(), detail: String::new() })
    }

    fn plugin(failure: PluginFailure) -> GuestError {
        let (package, version, class) = ("p".into(), "1.0.0".into(), "C".into());
        let error = PluginError { package, version, class, call: "put", failure, backtrace: Vec::new() };
        GuestError::Plugin(Box::new(error))
    }

    #[test]
    fn what_a_person_must_mend_is_not_worth_a_restart() {
        let table = [
            (fault(FaultKind::Retriable(Duration::ZERO)), "my.code", true),
            (fault(FaultKind::Rows(Vec::new())), "my.code", false),
            (fault(FaultKind::Fatal), "my.code", false),
            (fault(FaultKind::Config(Vec::new())), "my.code", false),
            (plugin(PluginFailure::Trap(String::new())), "plugin.trap", true),
            (plugin(PluginFailure::Cpu(Duration::ZERO)), "plugin.cpu", true),
            (plugin(PluginFailure::Deadline(Duration::ZERO)), "plugin.deadline", true),
            (plugin(PluginFailure::Limit(String::new())), "plugin.limit", true),
            (plugin(PluginFailure::Instantiate(String::new())), "plugin.instantiate", true),
            (plugin(PluginFailure::Protocol(String::new())), "guest.protocol", false),
        ];
        for (error, code, worth) in table {
            assert_eq!((error.code(), error.worth_restarting()), (code, worth), "{error}");
        }
    }
}
