//! Which seeds are run.
//!
//! Enters: the environment. Leaves: a run per seed. Invariant: a seed that fails is printed.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, MutexGuard};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// Runs a simulation for each seed; `count` unless the environment says otherwise.
pub fn run_seeds<F: Future<Output = ()>>(law: &str, count: u64, simulate: impl Fn(u64) -> F) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match number("LOCKGATE_SIM_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("LOCKGATE_SIM_SEEDS").unwrap_or(count),
    };
    for seed in seeds {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| runtime.block_on(simulate(seed)))) {
            eprintln!("{law}: failed with LOCKGATE_SIM_SEED={seed}");
            resume_unwind(panic);
        }
    }
}

/// The one source of chance of a world.
#[derive(Clone)]
pub struct Chance(Arc<Mutex<StdRng>>);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(StdRng::seed_from_u64(seed))))
    }

    fn rng(&self) -> MutexGuard<'_, StdRng> {
        self.0.lock().unwrap()
    }

    /// True once in `n` times; never for 0.
    pub fn one_in(&self, n: u32) -> bool {
        n > 0 && self.rng().random_range(0..n) == 0
    }

    /// From 0 to `bound - 1`.
    pub fn below(&self, bound: u64) -> u64 {
        self.rng().random_range(0..bound.max(1))
    }
}

/// The same number for the same record in every life.
pub fn fate(a: u64, b: u64) -> u64 {
    let mut z = a.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ b.wrapping_mul(0xd1b5_4a32_d192_ed03) ^ 0x51_7c_c1_b7;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
