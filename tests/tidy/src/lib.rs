//! Reading the repository as text: what the house rules in `tests/house_rules.rs` are checked on.
//!
//! Enters: the files of the checkout. Leaves: [`Source`]s with code, comments and test parts told apart. Invariant: nothing
//! is built or run here but `cargo metadata`, so that a check of all rules takes a few seconds.

mod lexer;
mod metadata;
mod wit;

use std::fs;
use std::path::{Path, PathBuf};

pub use lexer::{Function, functions};
pub use metadata::{Crate, host_crates};
pub use wit::undocumented_items;

/// Folders that hold nothing written by hand.
const SKIPPED: [&str; 10] =
    [".git", ".lockgate", "target", "dist", "node_modules", "__pycache__", ".venv", "deps", "build", ".pytest_cache"];

/// The root of the checkout: that of the run, since checkouts that share a target directory share executables.
pub fn root() -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let here = Path::new(&here);
    here.ancestors().nth(2).map_or_else(|| here.to_path_buf(), Path::to_path_buf)
}

/// One Rust file.
pub struct Source {
    /// Path below the root, with `/`.
    pub path: String,
    /// Its text.
    pub text: String,
    /// The same text with the inside of comments and literals blanked, so that a search finds only code.
    pub code: String,
    /// Lines before the test module at the end, if there is one.
    pub lines_without_tests: usize,
}

impl Source {
    /// True for code that only tests run.
    pub fn is_test(&self) -> bool {
        self.path.starts_with("tests/")
            || self.path.contains("/tests/")
            || self.path.ends_with("/tests.rs")
            || self.path.ends_with("_tests.rs")
    }

    /// The code without the test module at the end.
    pub fn code_without_tests(&self) -> String {
        self.code.lines().take(self.lines_without_tests).collect::<Vec<_>>().join("\n")
    }

    /// `path:line` of each line of code that contains `needle`.
    pub fn places(&self, needle: &str) -> Vec<String> {
        let hits = self.code.lines().enumerate().filter(|(_, line)| line.contains(needle));
        hits.map(|(at, _)| format!("{}:{}", self.path, at + 1)).collect()
    }
}

/// All Rust files below the root, in path order.
pub fn sources() -> Vec<Source> {
    let rust = files().into_iter().filter(|path| path.extension().is_some_and(|e| e == "rs"));
    rust.map(|path| {
        let text = fs::read_to_string(&path).unwrap_or_default();
        let code = lexer::blank(&text);
        let lines_without_tests = lines_before_tests(&code);
        Source { path: relative(&path), text, code, lines_without_tests }
    })
    .collect()
}

/// All files below the root that a person wrote, in path order.
pub fn files() -> Vec<PathBuf> {
    let mut found = Vec::new();
    walk(&root(), &mut found);
    found.sort();
    found
}

/// A path below the root as text, with `/`.
pub fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).to_string_lossy().replace('\\', "/")
}

/// The text of a file below the root; empty if there is none.
pub fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_default()
}

fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let skipped = SKIPPED.iter().any(|s| name == *s);
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && !skipped => walk(&path, found),
            Ok(kind) if kind.is_file() => found.push(path),
            _ => {}
        }
    }
}

fn lines_before_tests(code: &str) -> usize {
    let lines: Vec<&str> = code.lines().collect();
    let module =
        |at: usize| lines.get(at + 1..).into_iter().flatten().take(3).any(|l| l.trim_start().starts_with("mod "));
    lines.iter().enumerate().position(|(at, l)| l.trim() == "#[cfg(test)]" && module(at)).unwrap_or(lines.len())
}
