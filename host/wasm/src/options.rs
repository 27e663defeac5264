//! How the engine is set up.
//!
//! Enters: what the worker's properties say. Leaves: [`EngineOptions`], with a named default for every bound (L5). Invariant:
//! nothing here is per tenant; limits of one task are in [`crate::Limits`].

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// Everything that [`crate::Engine::new`] wants to know.
#[derive(Clone, Debug, Default)]
pub struct EngineOptions {
    /// Where native images are kept, made with mode 0700 if it is missing. `None`: nothing is kept on disk.
    pub cache_dir: Option<PathBuf>,
    /// Who turns wasm into native code.
    pub compiler: Compiler,
    /// Bounds of what lives at the same time.
    pub pool: PoolSizes,
    /// Bounds of one compilation.
    pub compile: CompileLimits,
    /// Bounds of one upload.
    pub upload: UploadLimits,
    /// PEM file with certificates that guests' HTTPS trusts beside those of the web. Default: none.
    pub http_ca: Option<PathBuf>,
}

/// Who turns wasm into native code.
#[derive(Clone, Debug, Default)]
pub enum Compiler {
    /// A child process with limits: the program is started with these arguments and must end up in
    /// [`crate::compile_main`]. What production uses, because a compile bomb then costs the child.
    Child {
        /// The program, usually [`std::env::current_exe`].
        program: PathBuf,
        /// Its arguments, usually `__compile`.
        args: Vec<OsString>,
    },
    /// This process, on a blocking thread. For tests: nothing bounds it.
    #[default]
    InProcess,
}

/// What the pooling allocator reserves. Slots are address space, not memory, until they are used.
#[derive(Clone, Debug)]
pub struct PoolSizes {
    /// Instances of packages at the same time (a task and its chain are one each per package). Default 2,000.
    pub instances_max: u32,
    /// Largest linear memory that any task may be given, bytes. At most 4 GiB. Default 1 GiB.
    pub memory_bytes_max: usize,
    /// Linear memories of one component. Default 2 (`QuickJS` guests have two).
    pub memories_per_instance: u32,
    /// Core instances of one component. Default 60 (Python guests have 38).
    pub core_instances_per_instance: u32,
    /// Tables of one component. Default 40.
    pub tables_per_instance: u32,
    /// Elements of one table. Default 20,000.
    pub table_elements: usize,
    /// Freed slots that stay warm for the next instance of the same package. Default 16.
    pub warm_slots: u32,
    /// Time between two epoch ticks: the longest that a guest keeps a thread before it yields. Default 2 ms.
    pub tick: Duration,
}

impl Default for PoolSizes {
    fn default() -> Self {
        Self {
            instances_max: 2_000,
            memory_bytes_max: 1 << 30,
            memories_per_instance: 2,
            core_instances_per_instance: 60,
            tables_per_instance: 40,
            table_elements: 20_000,
            warm_slots: 16,
            tick: Duration::from_millis(2),
        }
    }
}

/// What one compilation may use. One runs at a time, on at most four threads.
#[derive(Clone, Debug)]
pub struct CompileLimits {
    /// Address space of the child, bytes. Default 4 GiB.
    pub memory_bytes: u64,
    /// CPU time of the child. Default 120 s (a Python guest of 18 MB takes 13).
    pub cpu: Duration,
    /// Wall-clock time, waiting for an earlier compilation not included. Default 180 s.
    pub wall: Duration,
    /// Size of the native image, bytes. Default 512 MiB.
    pub output_bytes: u64,
}

impl Default for CompileLimits {
    fn default() -> Self {
        Self {
            memory_bytes: 4 << 30,
            cpu: Duration::from_mins(2),
            wall: Duration::from_mins(3),
            output_bytes: 512 << 20,
        }
    }
}

/// What one upload may bring.
#[derive(Clone, Debug)]
pub struct UploadLimits {
    /// Bytes of the `.wasm` file. Default 64 MiB.
    pub package_bytes: usize,
}

impl Default for UploadLimits {
    fn default() -> Self {
        Self { package_bytes: 64 << 20 }
    }
}
