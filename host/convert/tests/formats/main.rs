//! Every converter from outside: what goes in comes back, and no input does harm.
//!
//! Enters: generated schemas and values, mutated bytes. Leaves: nothing. Invariant: only the public interface is used, as the
//! pipeline uses it: prepare, then convert.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod classes;
mod fuzz;
mod rig;
mod round_trips;
mod seeds;
