//! The laws of the data floor against a simulated world.
//!
//! Enters: a seed. Leaves: nothing, or a panic that names the law and the seed. Invariant: time is tokio's and stands
//! still while anything can run; one seed is one run. `LOCKGATE_SIM_SEED=n` runs one seed, `LOCKGATE_SIM_SEEDS=n` so many.

mod clock;
mod rules;
mod seeds;
mod sink_world;
mod sinks;
mod source_world;
mod sources;
mod store;
