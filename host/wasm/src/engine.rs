//! One engine per worker: compiler settings, the pool of slots, the clock, the cache, the linker.
//!
//! Enters: [`EngineOptions`]. Leaves: [`Engine`], which loads packages. Invariant: every guest of the process runs under
//! these settings (L6); the compiling child process uses the very same ones.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::num::NonZeroUsize;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::Semaphore;
use wasmtime::component::Linker;
use wasmtime::{Config, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig, WasmBacktraceDetails};

use crate::cache::Cache;
use crate::epoch::Ticker;
use crate::error::{EngineError, PackageError};
use crate::instance::HostState;
use crate::options::{EngineOptions, PoolSizes};
use crate::package::Package;
use crate::trust::Trust;

/// Frames of a guest's back-trace at most.
const BACKTRACE_FRAMES_MAX: usize = 64;

/// The engine. Cheap to clone; packages and instances keep it alive.
#[derive(Clone)]
pub struct Engine(Arc<Core>);

/// What packages and instances share.
pub(crate) struct Core {
    pub(crate) wasm: wasmtime::Engine,
    pub(crate) linker: Linker<HostState>,
    pub(crate) ticker: Ticker,
    pub(crate) cache: Option<Cache>,
    pub(crate) options: EngineOptions,
    pub(crate) trust: Arc<Trust>,
    /// One compilation at a time.
    pub(crate) compiling: Semaphore,
}

impl Engine {
    /// Sets the engine up: reserves address space, starts the epoch thread, opens the cache.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub fn new(options: EngineOptions) -> Result<Self, EngineError> {
        let mut config = compiler_config();
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(&options.pool)));
        let failed = |e: wasmtime::Error| EngineError::Config(format!("{e:#}"));
        let wasm = wasmtime::Engine::new(&config).map_err(failed)?;
        let linker = HostState::linker(&wasm).map_err(failed)?;
        let trust = match &options.http_ca {
            None => Trust::default(),
            Some(file) => Trust::read(file).map_err(|cause| EngineError::Trust { file: file.clone(), cause })?,
        };
        let trust = Arc::new(trust);
        let ticker = Ticker::start(&wasm, options.pool.tick).map_err(EngineError::Thread)?;
        let mut hasher = DefaultHasher::new();
        wasm.precompile_compatibility_hash().hash(&mut hasher);
        let engine_hash = format!("{:016x}", hasher.finish());
        let cache = match &options.cache_dir {
            None => None,
            Some(dir) => Some(
                Cache::open(dir, engine_hash)
                    .map_err(|e| EngineError::CacheDir { dir: dir.clone(), cause: e.to_string() })?,
            ),
        };
        Ok(Self(Arc::new(Core { wasm, linker, ticker, cache, options, trust, compiling: Semaphore::new(1) })))
    }

    /// Validates, compiles (or finds in the cache) and describes a package.
    ///
    /// # Errors
    /// See [`PackageError`]; nothing of a refused package is kept.
    pub async fn load(&self, bytes: Bytes) -> Result<Arc<Package>, PackageError> {
        crate::artifact::load(&self.0, bytes).await
    }
}

/// Everything that decides what native code looks like. Shared with the compiling child.
pub(crate) fn compiler_config() -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .concurrency_support(false)
        .cranelift_opt_level(OptLevel::Speed)
        .memory_init_cow(true)
        .wasm_backtrace_details(WasmBacktraceDetails::Enable)
        .wasm_backtrace_max_frames(NonZeroUsize::new(BACKTRACE_FRAMES_MAX));
    config
}

fn pool(sizes: &PoolSizes) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    let instances = sizes.instances_max;
    pool.total_component_instances(instances)
        .total_core_instances(instances.saturating_mul(sizes.core_instances_per_instance))
        .total_memories(instances.saturating_mul(sizes.memories_per_instance))
        .total_tables(instances.saturating_mul(4).max(sizes.tables_per_instance))
        .total_stacks(instances)
        .max_core_instances_per_component(sizes.core_instances_per_instance)
        .max_memories_per_component(sizes.memories_per_instance)
        .max_tables_per_component(sizes.tables_per_instance)
        .max_tables_per_module(sizes.tables_per_instance)
        .max_component_instance_size(8 << 20)
        .max_core_instance_size(8 << 20)
        .table_elements(sizes.table_elements)
        .max_memory_size(sizes.memory_bytes_max)
        .max_unused_warm_slots(sizes.warm_slots);
    pool
}
