//! The Kafka side against a real broker: what cannot be believed from anything less.
//!
//! Enters: a broker (see `support`). Leaves: proof of order, no loss, the rebalance walk, Connect's bytes, logins. Invariant:
//! no test passes without a broker; none skips.
#![allow(clippy::unwrap_used)]

mod groups;
mod headers;
mod healing;
mod logs;
mod rebalance;
mod records;
mod security;
mod support;
