//! What a project is made of, to see when it changes.
//!
//! Enters: a folder. Leaves: its files with time and size. Invariant: what builds leave behind is not looked at; the number of
//! files is bounded.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::cli::failure::Failure;

/// Files of a project at most.
const FILES_MAX: usize = 20_000;
/// Folders that tools make.
const MADE: [&str; 8] = ["target", "dist", "build", "node_modules", "__pycache__", "venv", "bin", "obj"];
/// Files that tools make.
const WRITTEN: [&str; 6] = ["wasm", "o", "pyc", "tmp", "swp", "lock"];

/// The files of a project; two that are equal mean that nothing has changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sources(BTreeMap<PathBuf, (Option<SystemTime>, u64)>);

impl Sources {
    /// As they are now.
    pub(super) fn of(project: &Path) -> Result<Self, Failure> {
        let mut found = BTreeMap::new();
        let mut open = vec![project.to_owned()];
        while let Some(dir) = open.pop() {
            let entries = match fs::read_dir(&dir) {
                Ok(entries) => entries,
                // The project itself must be there; what is below may come and go.
                Err(cause) if dir == project => return Err(Failure::File { path: dir, cause }),
                Err(_) => continue,
            };
            for entry in entries.flatten() {
                let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
                let Ok(data) = entry.metadata() else { continue };
                if name.starts_with('.') || name == "package-lock.json" || name == "go.sum" {
                    continue;
                }
                if data.is_dir() {
                    if !MADE.contains(&name.as_str()) {
                        open.push(path);
                    }
                } else if !path.extension().is_some_and(|e| WRITTEN.iter().any(|made| e == *made)) {
                    found.insert(path, (data.modified().ok(), data.len()));
                }
            }
            if found.len() > FILES_MAX {
                let text = format!("{} has more than {FILES_MAX} files: is it one project?", project.display());
                return Err(Failure::Usage(text));
            }
        }
        Ok(Self(found))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_an_author_writes_is_a_change_and_what_a_build_leaves_is_none() {
        let project = std::env::temp_dir().join(format!("lockgate-sources-{}", std::process::id()));
        fs::create_dir_all(project.join("src/deep")).unwrap();
        fs::create_dir_all(project.join("target")).unwrap();
        let now = || Sources::of(&project).unwrap();
        let write = |name: &str| fs::write(project.join(name), name).unwrap();
        let before = now();
        ["target/x.rs", "Cargo.lock", ".hidden", "src/a.o", "a.wasm"].into_iter().for_each(write);
        assert_eq!(now(), before);
        write("src/deep/lib.rs");
        assert_ne!(now(), before);
        fs::remove_file(project.join("src/deep/lib.rs")).unwrap();
        assert_eq!(now(), before);
        fs::remove_dir_all(&project).unwrap();
        assert!(Sources::of(&project).is_err(), "the project itself must be there");
    }
}
