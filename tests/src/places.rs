//! Where the build left things.
//!
//! Enters: `CARGO_TARGET_DIR` and the folder of this package. Leaves: paths; a panic with what to run if one is missing.

use std::path::{Path, PathBuf};

/// The root of the checkout: that of the run, since checkouts that share a target directory share executables.
pub fn root() -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&here).ancestors().find(|dir| dir.join("Cargo.lock").is_file()).unwrap().to_path_buf()
}

/// The worker's executable, of the same profile as this one.
pub fn lockgate() -> PathBuf {
    let me = std::env::current_exe().unwrap();
    let profile = me.ancestors().find(|dir| dir.join("deps").is_dir()).unwrap();
    existing(profile.join("lockgate"), "cargo build --package lockgate")
}

/// The bundled packages.
pub fn packages() -> PathBuf {
    existing(root().join("dist/packages"), "make plugins")
}

/// One of the bundled packages, by the name of its folder in `plugins`.
pub fn bundled(name: &str) -> Vec<u8> {
    let path = packages().join(format!("{}.wasm", name.replace('-', "_")));
    std::fs::read(existing(path, "make plugins")).unwrap()
}

/// A component of `tests/guests`, by the name of its file without `.wasm`.
pub fn guest(name: &str) -> Vec<u8> {
    let path = existing(root().join("dist/guests").join(format!("{}.wasm", name.replace('-', "_"))), "make guests");
    std::fs::read(path).unwrap()
}

/// Where the guests of the benchmark are, as far as they could be built.
pub fn bench_guests() -> PathBuf {
    root().join("dist/bench")
}

/// A folder that outlives a run: compiled components are kept in it, so that the suite compiles each guest once.
pub fn compile_cache() -> PathBuf {
    let me = std::env::current_exe().unwrap();
    let dir = me.ancestors().find(|dir| dir.join("deps").is_dir()).unwrap().join("compiled-guests");
    std::fs::create_dir_all(&dir).unwrap();
    dir
}

/// True if the long variants of tests were asked for (`make test-long`).
pub fn long() -> bool {
    std::env::var_os("LOCKGATE_TEST_LONG").is_some()
}

fn existing(path: PathBuf, made_by: &str) -> PathBuf {
    assert!(path.exists(), "{} is not there: run `{made_by}`", path.display());
    path
}
