//! A folder with the sources of a package.
//!
//! Enters: a folder. Leaves: its language, where its SDK lies, what the package is called there. Invariant: a folder is never
//! guessed at: what is not clear is said, with the files that would make it clear.

use std::fs;
use std::path::{Path, PathBuf};

use super::sdk;
use crate::cli::failure::Failure;
use crate::places;

/// Bytes of a file that is looked into for the name of something.
const TEXT_BYTES_MAX: u64 = 1 << 20;

/// An SDK, and the way its packages are built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    Rust,
    Python,
    /// JavaScript and TypeScript.
    Script,
    Go,
    /// C and C++.
    C,
}

impl Language {
    /// The folder of its SDK.
    pub(super) const fn sdk(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Python => "python",
            Self::Script => "js",
            Self::Go => "go",
            Self::C => "c",
        }
    }
}

/// A folder with the sources of a package.
#[derive(Debug)]
pub(super) struct Project {
    /// Absolute.
    pub(super) folder: PathBuf,
    pub(super) language: Language,
}

impl Project {
    /// A folder with these files, gone with the first of the two.
    #[cfg(test)]
    pub(super) fn scratch(language: Language, files: &[(&str, &str)]) -> (tempfile::TempDir, Self) {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let folder = dir.path().to_owned();
        (dir, Self { folder, language })
    }

    /// Looks at a folder.
    pub(super) fn find(folder: &Path) -> Result<Self, Failure> {
        let folder = folder.canonicalize().map_err(|cause| Failure::File { path: folder.to_owned(), cause })?;
        let has = |name: &str| folder.join(name).is_file();
        let names = names(&folder);
        let any = |suffixes: &[&str]| names.iter().any(|name| suffixes.iter().any(|suffix| name.ends_with(suffix)));
        let language = if has("Cargo.toml") {
            Language::Rust
        } else if has("go.mod") {
            Language::Go
        } else if has("package.json") {
            Language::Script
        } else if has("pyproject.toml") || has("requirements.txt") || any(&[".py"]) {
            Language::Python
        } else if any(&[".c", ".cpp", ".cc", ".cxx"]) {
            Language::C
        } else {
            let wanted = "Cargo.toml, go.mod, package.json, pyproject.toml or *.py, *.c or *.cpp";
            return Err(Failure::build(
                format!("{} is no project: there is none of {wanted}", folder.display()),
                Some("`lockgate package new --lang LANG --kind KIND NAME` makes one"),
            ));
        };
        Ok(Self { folder, language })
    }

    /// The name of the folder, for what has no better one.
    pub(super) fn folder_name(&self) -> String {
        let name = self.folder.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        let plain: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let plain = plain.trim_matches('-').to_owned();
        if plain.is_empty() { "package".to_owned() } else { plain }
    }

    /// Where the component goes, made if it is missing.
    pub(super) fn output(&self, name: &str) -> Result<PathBuf, Failure> {
        let dist = self.folder.join("dist");
        fs::create_dir_all(&dist).map_err(|cause| Failure::File { path: dist.clone(), cause })?;
        Ok(dist.join(format!("{name}.wasm")))
    }

    /// The SDK, brought to the state that this program carries: the project's own if a file of it names
    /// `.lockgate-sdk`, else one in the cache.
    pub(super) fn sdk(&self) -> Result<PathBuf, Failure> {
        let own = self.folder.join(sdk::FOLDER);
        let folder = if own.is_dir() || self.names_own_sdk() {
            own
        } else {
            cache().join("sdk").join(env!("CARGO_PKG_VERSION")).join(self.language.sdk())
        };
        sdk::put(&folder, self.language.sdk())?;
        Ok(folder)
    }

    fn names_own_sdk(&self) -> bool {
        let manifests = ["Cargo.toml", "go.mod", "package.json", "tsconfig.json", "pyproject.toml", "Makefile"];
        manifests.iter().any(|name| self.text(name).is_some_and(|text| text.contains(sdk::FOLDER)))
    }

    /// The text of a file, if there is one of a size that people write.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let path = self.folder.join(name);
        let small = fs::metadata(&path).is_ok_and(|about| about.len() <= TEXT_BYTES_MAX);
        small.then(|| fs::read_to_string(path).ok()).flatten()
    }

    /// Files of the project and of a folder in it, by their paths from the project, sorted.
    pub(super) fn sources(&self, folders: &[&str], suffixes: &[&str]) -> Vec<String> {
        let mut found = Vec::new();
        for folder in folders {
            for name in names(&self.folder.join(folder)) {
                if suffixes.iter().any(|suffix| name.ends_with(suffix)) {
                    found.push(if folder.is_empty() { name } else { format!("{folder}/{name}") });
                }
            }
        }
        found.sort();
        found
    }
}

/// What is kept between builds of all projects, as an absolute path: tools run in the folder of the project.
pub(super) fn cache() -> PathBuf {
    std::path::absolute(places::cache()).unwrap_or_else(|_| places::cache())
}

/// Names of the files in a folder; none if there is no such folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let files = entries.filter(|entry| entry.path().is_file());
    files.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_language_is_known_by_the_files_of_its_ecosystem() {
        let all = [
            (&["Cargo.toml", "build.py"][..], Language::Rust),
            (&["go.mod", "package.json"], Language::Go),
            (&["package.json", "x.c"], Language::Script),
            (&["pyproject.toml"], Language::Python),
            (&["my_source.py"], Language::Python),
            (&["sink.cpp", "Makefile"], Language::C),
        ];
        for (files, language) in all {
            let dir = tempfile::tempdir().unwrap();
            for file in files {
                fs::write(dir.path().join(file), "").unwrap();
            }
            assert_eq!(Project::find(dir.path()).unwrap().language, language, "{files:?}");
        }
    }

    #[test]
    fn a_folder_without_a_project_says_what_would_be_one() {
        let dir = tempfile::tempdir().unwrap();
        let failure = Project::find(dir.path()).unwrap_err();
        assert!(failure.to_string().contains("Cargo.toml") && failure.code() == 5, "{failure}");
        assert_eq!(Project::find(&dir.path().join("missing")).unwrap_err().code(), 1);
    }
}
