//! The path of a record: sink task, source task, transform chain, error tolerance, dead letters.
//!
//! Enters: the ports of `lockgate_model` (Kafka, guests, the offset store) and settings, already typed. Leaves: delivered
//! records, committed offsets, a task's status. Invariant: laws L1 to L3 and L5 hold whatever the ports answer and
//! wherever the task is dropped; the simulation in `tests/laws` looks for the opposite.

mod backoff;
pub mod chain;
mod clock;
pub mod dead_letter;
mod failure;
pub mod mailbox;
mod passage;
mod readiness;
pub mod recode;
pub mod rehearsal;
mod rows;
mod sink_end;
mod sink_hand;
mod sink_loop;
mod sink_state;
pub mod sink_task;
mod sink_walks;
mod source_end;
mod source_flow;
mod source_loop;
mod source_outlet;
pub mod source_task;
mod source_window;
pub mod tolerance;

pub use chain::{Chain, Link};
pub use dead_letter::{DeadLetter, Scrub};
pub use failure::TaskFailure;
pub use mailbox::{Command, Mailbox, TaskHandle, TaskState, TaskStatus, mailbox};
pub use recode::{Recode, Untouched};
pub use rehearsal::{Outcome, Refusal, Rehearsal};
pub use sink_task::SinkTask;
pub use source_task::{SourceTask, TopicRules};
pub use tolerance::{ErrorPolicy, Tolerance};
