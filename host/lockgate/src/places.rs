//! Where this program's things are when nobody says so.
//!
//! Enters: the working directory, the program's own path, `LOCKGATE_CACHE`. Leaves: directories. Invariant: nothing is made
//! here, and nothing is looked for outside of the program's own surroundings.

use std::path::{Path, PathBuf};

/// Where bundled packages may be: `dist/packages` here, `packages` beside the program, `dist/packages` above it.
pub fn packages() -> Vec<PathBuf> {
    let program = std::env::current_exe().ok();
    let above = program.iter().flat_map(|program| program.ancestors().skip(1));
    let beside = above.clone().take(1).map(|dir| dir.join("packages"));
    let dist = |dir: &Path| dir.join("dist/packages");
    [PathBuf::from("dist/packages")].into_iter().chain(beside).chain(above.map(dist)).collect()
}

/// True for a directory with packages.
pub fn holds_packages(dir: &Path) -> bool {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    entries.map(|e| e.path()).any(|path| path.extension().is_some_and(|e| e == "wasm"))
}

/// What is kept between runs: `LOCKGATE_CACHE`, else `.cache/lockgate` at home.
pub fn cache() -> PathBuf {
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache/lockgate");
    std::env::var_os("LOCKGATE_CACHE").map_or_else(home, PathBuf::from)
}
